/** Small WIMs of every format, to be hurt at known places and repaired. */
import { spawnSync } from 'node:child_process';
import { linkSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { TestContext } from 'node:test';
import type { Compression } from '../../source/codec/compression.ts';
import { capture } from '../../source/operations/capture/capture.ts';
import type { RepairOptions } from '../../source/operations/repair/repair-options.ts';
import type { SalvageOptions } from '../../source/operations/salvage/salvage.ts';
import { openWim } from '../../source/wim/wim.ts';
import { oracle } from './oracles.ts';
import { subfolder, tempFolder } from './temp-tree.ts';
import { testRun } from './test-run.ts';
import { captureOptions, compressed, contentsOf, imageOptions, tools } from './written.ts';

export interface RescueFormat {
	readonly name: string;
	readonly compression: Compression;
	readonly chunkSize?: number;
	readonly solid?: boolean;
	readonly solidChunkSize?: number;
	readonly pipable?: boolean;
}

export const RESCUE_FORMATS: readonly RescueFormat[] = [
	{ name: 'none', compression: 'none' },
	{ name: 'xpress', compression: 'xpress' },
	{ name: 'lzx', compression: 'lzx' },
	{ name: 'lzms', compression: 'lzms' },
	{ name: 'solid', compression: 'lzx', solid: true },
	{ name: 'pipable', compression: 'lzx', pipable: true },
];

/** A tree with large, small, empty, equal and linked files. */
export function rescueTree(folder: string): void {
	mkdirSync(path.join(folder, 'system/drivers'), { recursive: true });
	mkdirSync(path.join(folder, 'empty'));
	for (let k = 0; k < 8; k++)
		writeFileSync(path.join(folder, `system/lib${k}.dll`), contentsOf(k + 1, 20_000 + 17_123 * k));
	for (let k = 0; k < 6; k++)
		writeFileSync(path.join(folder, `note ${k}.txt`), `note ${k}\r\n`.repeat(10 + 30 * k));
	writeFileSync(path.join(folder, 'system/drivers/big.sys'), contentsOf(7, 300_000));
	writeFileSync(path.join(folder, 'copy of 3.txt'), 'note 3\r\n'.repeat(100));
	writeFileSync(path.join(folder, 'nothing'), '');
	linkSync(path.join(folder, 'system/lib3.dll'), path.join(folder, 'hard.dll'));
	symlinkSync('note 1.txt', path.join(folder, 'link'));
}

/** A captured tree, and where files of the test go that are not there yet. */
export interface RescueFiles {
	readonly folder: string;
	readonly tree: string;
	readonly whole: string;
	readonly hurt: string;
	readonly target: string;
}

export async function rescueFiles(t: TestContext, format: RescueFormat): Promise<RescueFiles> {
	const folder = tempFolder(t);
	const tree = subfolder(folder, 'tree');
	rescueTree(tree);
	const at = (name: string) => path.join(folder, name);
	const files = {
		folder,
		tree,
		whole: at('whole.wim'),
		hurt: at('hurt.wim'),
		target: at('new.wim'),
	};
	await captureAs(format, tree, files.whole);
	return files;
}

/** Captures a folder with an integrity table. */
export async function captureAs(format: RescueFormat, folder: string, file: string): Promise<void> {
	const { compression, solid = false, solidChunkSize = 65_536, pipable = false } = format;
	const asked = compressed(compression, {
		chunkSize: format.chunkSize ?? null,
		solid,
		solidCompress: solid ? { type: compression, level: 20 } : null,
		solidChunkSize: solid ? solidChunkSize : null,
	});
	const options = captureOptions('Whole', {
		image: imageOptions('Whole', { description: 'as it was' }),
		compression: asked,
		pipable,
		integrity: true,
	});
	await capture([{ path: folder, target: '/' }], file, options, tools, testRun());
}

export const USUAL_REPAIR: RepairOptions = {
	donors: [],
	references: [],
	lost: 'mark',
	bitSearchSeconds: 0,
	integrity: null,
	dryRun: false,
};

export const USUAL_SALVAGE: SalvageOptions = {
	references: [],
	image: null,
	unixData: false,
	includeInvalidNames: false,
	dryRun: false,
};

/** Where the contents of some files lie: in the WIM for those in a resource of their own. */
export async function placesOf(
	file: string,
): Promise<Map<string, { offset: number; size: number; flags: number }>> {
	await using wim = await openWim(file);
	const places = new Map<string, { offset: number; size: number; flags: number }>();
	for (const [sha1, { resource }] of wim.blobs)
		places.set(sha1, {
			offset: resource.offset,
			size: resource.storedSize,
			flags: resource.flags,
		});
	for (const { metadata, index } of wim.images) {
		const { offset, storedSize, flags } = metadata.resource;
		places.set(`metadata ${index}`, { offset, size: storedSize, flags });
	}
	return places;
}

/** A copy of a file with some bytes changed. */
export function hurtFile(from: string, to: string, change: (bytes: Buffer) => void): void {
	const bytes = Buffer.from(readFileSync(from));
	change(bytes);
	writeFileSync(to, bytes);
}

/** What other programs say of a file; empty when it is sound, or they are not there. 7-Zip knows no pipable files. */
export function objectionsOf(file: string, isPipable = false): string[] {
	const objections: string[] = [];
	const ask = (name: 'wimlib-imagex' | '7zz', ...args: string[]) => {
		if (oracle(name).skip !== undefined) return;
		const { status, stdout, stderr } = spawnSync(name, args, { encoding: 'utf8' });
		if (status !== 0) objections.push(`${name}: ${stdout}${stderr}`);
	};
	ask('wimlib-imagex', 'verify', file);
	if (!isPipable) ask('7zz', 't', file);
	return objections;
}
