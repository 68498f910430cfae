import { createHash } from 'node:crypto';
import {
	lstatSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	readlinkSync,
	rmSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';

/** A new empty folder of this machine that goes away with the test. */
export function tempFolder(t: TestContext): string {
	const folder = mkdtempSync(path.join(os.tmpdir(), 'wimdeck-test-'));
	t.after(() => rmSync(folder, { recursive: true, force: true }));
	return folder;
}

/** Makes a subfolder and gives its path. */
export function subfolder(parent: string, name: string): string {
	const folder = path.join(parent, name);
	mkdirSync(folder, { recursive: true });
	return folder;
}

export interface TreeOptions {
	/** Modes, owners and device numbers. */
	readonly unixData?: boolean;
	/** Write times, rounded to what `utimes` keeps; folders too. */
	readonly times?: boolean;
}

/**
 * A tree as lines that two trees can be compared by: path, kind, size, digest, link text, the names
 * that share the file, and what the options ask for.
 */
export function listTree(root: string, options: TreeOptions = {}): string[] {
	const lines: string[] = [];
	const groups = new Map<string, string>();
	const visit = (folder: Buffer, shown: string) => {
		const stat = lstatSync(folder, { bigint: true });
		const facts = [shown || '/', kindOf(stat)];
		if (stat.isFile()) {
			const bytes = readFileSync(folder);
			facts.push(String(bytes.length), createHash('sha1').update(bytes).digest('hex').slice(0, 12));
		}
		if (stat.isSymbolicLink()) facts.push(`-> ${readlinkSync(folder, 'latin1')}`);
		if (!stat.isDirectory() && stat.nlink > 1n) {
			const first = groups.get(String(stat.ino)) ?? shown;
			groups.set(String(stat.ino), first);
			facts.push(`= ${first}`);
		}
		if (options.unixData) facts.push((stat.mode & 0o7777n).toString(8), `${stat.uid}:${stat.gid}`);
		if (options.unixData && stat.rdev !== 0n) facts.push(`rdev ${stat.rdev}`);
		if (options.times) facts.push(`at ${(Number(stat.mtimeNs / 1000n) / 1e6).toFixed(5)}`);
		lines.push(facts.join(' '));
		if (!stat.isDirectory()) return;
		for (const name of readdirSync(folder, 'buffer').sort(Buffer.compare))
			visit(Buffer.concat([folder, Buffer.from('/'), name]), `${shown}/${name.toString('latin1')}`);
	};
	visit(Buffer.from(root), '');
	return lines;
}

function kindOf(stat: import('node:fs').BigIntStats): string {
	if (stat.isFile()) return 'file';
	if (stat.isDirectory()) return 'folder';
	if (stat.isSymbolicLink()) return 'link';
	if (stat.isFIFO()) return 'fifo';
	if (stat.isSocket()) return 'socket';
	return stat.isBlockDevice() ? 'block' : 'character';
}
