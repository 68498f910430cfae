/** What a run that was killed left behind at its targets, and how to clear it away. */

import path from 'node:path';
import { HostError } from '../base/errors.ts';
import type { Run } from '../base/run.ts';
import { Span } from '../bytes/span.ts';
import { abandonedStaging, removeStaging, stagingSize } from '../host/staging.ts';
import { isEmpty, readChanges } from '../operations/mount/change-log.ts';
import { hostFs as fs } from '../storage/host-fs.ts';
import { removeStaleParts, temporaryPath } from '../storage/output-file.ts';
import { lockPath, WriteLock } from '../storage/write-lock.ts';
import { HEADER_SIZE, HeaderFlag, MAGIC, PartHeader } from '../wim/part-header.ts';
import { EditableWim } from '../wim/write-session.ts';
import { touchedBy } from './describe-request.ts';
import type { JobRequest } from './request.ts';

export interface Leftover {
	readonly path: string;
	/** `edit`: the file itself is marked as being changed; its old contents still count. */
	readonly kind: 'temporary' | 'lock' | 'edit';
	/** In bytes; of an edit, those of the whole file. */
	readonly size: number;
}

async function sizeOf(file: string): Promise<number | null> {
	const stat = await fs.stat(file).catch(() => null);
	return stat?.isFile() ? stat.size : null;
}

/** True for a WIM whose header says that a change was begun and not ended. */
async function isHalfEdited(file: string): Promise<boolean> {
	const handle = await fs.open(file, 'r').catch(() => null);
	if (handle === null) return false;
	try {
		const bytes = new Uint8Array(HEADER_SIZE);
		const { bytesRead } = await handle.read(bytes, 0, HEADER_SIZE, 0);
		if (bytesRead < HEADER_SIZE) return false;
		const header = PartHeader.parse(new Span(bytes, file));
		return header.magic === MAGIC && (header.flags & HeaderFlag.writeInProgress) !== 0;
	} catch {
		return false;
	} finally {
		await handle.close();
	}
}

/** Temporary files of the further parts of a set, beside those of the first. */
async function staleParts(target: string): Promise<readonly string[]> {
	const extension = path.extname(target);
	const stem = `.${path.basename(target, extension)}`;
	const ending = path.basename(temporaryPath(target)).slice(path.basename(target).length + 1);
	const names = await fs.readdir(path.dirname(target)).catch(() => []);
	return names
		.filter(
			(name) =>
				name.startsWith(stem) &&
				name.endsWith(extension + ending) &&
				/^\d+$/.test(name.slice(stem.length, name.length - extension.length - ending.length)),
		)
		.map((name) => path.join(path.dirname(target), name));
}

/** Folders that a mount for changes kept them in. */
async function staleStaging(request: JobRequest): Promise<readonly string[]> {
	if (request.verb !== 'mount' || !request.writable) return [];
	const folders = await abandonedStaging(request.staging ?? path.dirname(request.wim)).catch(
		() => [],
	);
	// What was changed in another file can still be mounted again; so may what only a later version understands.
	return folders.filter((folder) => {
		const found = readChanges(folder);
		return found === null || isEmpty(found) || found.subject?.wim === path.resolve(request.wim);
	});
}

/** What is left at the targets of a request whose run is over. */
export async function findLeftovers(request: JobRequest): Promise<readonly Leftover[]> {
	const found: Leftover[] = [];
	for (const target of touchedBy(request).writes) {
		if (target === '-') continue;
		const parts = request.verb === 'split' ? await staleParts(target) : [];
		for (const [file, kind] of [
			[temporaryPath(target), 'temporary'],
			...parts.map((part) => [part, 'temporary'] as const),
			[lockPath(target), 'lock'],
		] as const) {
			const size = await sizeOf(file);
			if (size !== null) found.push({ path: file, kind, size });
		}
		if (await isHalfEdited(target))
			found.push({ path: target, kind: 'edit', size: (await sizeOf(target)) ?? 0 });
	}
	for (const folder of await staleStaging(request))
		found.push({ path: folder, kind: 'temporary', size: await stagingSize(folder) });
	return found;
}

/**
 * Removes temporary files and locks, and takes a half-done edit back.
 *
 * @throws {HostError} when another process writes the target now
 */
export async function cleanLeftovers(request: JobRequest, run: Run): Promise<readonly Leftover[]> {
	const found = await findLeftovers(request);
	for (const target of touchedBy(request).writes) {
		if (!found.some(({ path: file }) => belongsTo(file, target))) continue;
		if (await isHalfEdited(target)) {
			// Opening it for a change takes the old one back.
			await using _edited = await EditableWim.open(target, run);
		}
		await using _lock = await WriteLock.take(path.resolve(target));
		await fs.rm(temporaryPath(target), { force: true });
		if (request.verb === 'split') await removeStaleParts(target);
	}
	for (const folder of await staleStaging(request)) await removeStaging(folder);
	const left = await findLeftovers(request);
	if (left.length > 0)
		throw new HostError(`Cannot clean up "${left[0]?.path}": it is still there`, {
			path: left[0]?.path ?? '',
		});
	return found;
}

const belongsTo = (file: string, target: string): boolean =>
	path.resolve(file) === path.resolve(target) ||
	path.dirname(path.resolve(file)) === path.dirname(path.resolve(target));
