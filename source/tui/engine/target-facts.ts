/** What stands where a job is to write. */

import path from 'node:path';
import { hostFs as fs } from '../../storage/host-fs.ts';
import { HeaderFlag } from '../../wim/part-header.ts';
import { openWim } from '../../wim/wim.ts';
import type { HostPath } from '../engine.ts';

/** What a WIM that is to be changed says of itself. */
export interface TargetWim {
	readonly imageNames: readonly string[];
	readonly partCount: number;
	readonly isMarkedReadonly: boolean;
}

export interface TargetFacts extends HostPath {
	/** False when it exists and may not be written. */
	readonly isWritable: boolean;
	/** Null when it is no WIM. */
	readonly wim: TargetWim | null;
}

async function wimAt(file: string): Promise<TargetWim | null> {
	try {
		await using wim = await openWim(file);
		return {
			imageNames: wim.images.map(({ facts }) => facts.name),
			partCount: wim.header.partCount,
			isMarkedReadonly: (wim.header.flags & HeaderFlag.readonly) !== 0,
		};
	} catch {
		return null; // whatever it is, it is no WIM to be added to
	}
}

/** The system lets this user write there; on a medium that is read only it lets nobody. */
export async function isWritable(file: string): Promise<boolean> {
	return fs.access(file, fs.constants.W_OK).then(
		() => true,
		() => false,
	);
}

export async function targetFacts(file: string): Promise<TargetFacts> {
	const stat = await fs.stat(file).catch(() => null);
	const isFolder = stat?.isDirectory() ?? false;
	const wim = stat?.isFile() ? await wimAt(file) : null;
	return {
		path: path.resolve(file),
		exists: stat !== null,
		isFolder,
		isEmptyFolder: isFolder && (await fs.readdir(file).catch(() => [''])).length === 0,
		size: stat?.size ?? 0,
		modified: stat?.mtimeMs ?? null,
		imageCount: wim?.imageNames.length ?? null,
		isWritable: stat === null || (await isWritable(file)),
		wim,
	};
}

/** What exists at or nearest above a path: a folder, or a file that is in the way. */
export async function nearestPath(target: string): Promise<string> {
	let place = path.resolve(target);
	for (;;) {
		const stat = await fs.stat(place).catch(() => null);
		const above = path.dirname(place);
		if (stat !== null || above === place) return place;
		place = above;
	}
}

/** Bytes that can be written at a path; null where the system does not tell. */
export async function freeAt(target: string): Promise<number | null> {
	const stat = await fs.statfs(await nearestPath(target)).catch(() => null);
	return stat === null ? null : stat.bavail * stat.bsize;
}
