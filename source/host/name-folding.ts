/** How the file system at a folder compares names: whether case counts, and whether it has its own form of accents. */

import { closeSync, lstatSync, openSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { NameFolding } from './names.ts';

/** What the names in `folder` say of how its file system compares them, where nothing may be written. */
export function guessFolding(folder: string): NameFolding {
	const names = new Set(readdirSync(folder));
	// True when some name answers to another spelling, under which nothing is listed.
	const ignores = (respell: (name: string) => string) => {
		for (const name of names) {
			const other = respell(name);
			if (names.has(other)) continue;
			return lstatSync(path.join(folder, other), { throwIfNoEntry: false }) !== undefined;
		}
		return false;
	};
	const upper = (name: string) => name.toUpperCase();
	const lower = (name: string) => name.toLowerCase();
	return {
		ignoresCase: ignores(upper) || ignores(lower),
		normalises:
			ignores((name) => name.normalize('NFD')) || ignores((name) => name.normalize('NFC')),
	};
}

/**
 * Tries out how the file system at `folder` compares names; the file it makes is gone afterwards. That a name answers
 * is enough, as nobody else makes such names: inode numbers differ by spelling on some (exFAT through FUSE).
 */
export function probeFolding(folder: string): NameFolding {
	const stem = `.wimdeck-probe-${process.pid}-é`;
	const probe = path.join(folder, stem);
	closeSync(openSync(probe, 'wx'));
	try {
		const answers = (name: string) =>
			lstatSync(path.join(folder, name), { throwIfNoEntry: false }) !== undefined;
		return { ignoresCase: answers(stem.toUpperCase()), normalises: answers(stem.normalize('NFD')) };
	} finally {
		rmSync(probe, { force: true });
	}
}
