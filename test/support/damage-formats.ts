/** Files of every kind to be damaged, made by wimlib from a small tree. */

import { createHash } from 'node:crypto';
import {
	cpSync,
	linkSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	rmSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs';
import path from 'node:path';
import type { Traits } from './damage-cases.ts';
import { type Files, type ListedBlob, listBlobs, readFiles, seeded } from './damage-kit.ts';
import { runOracle } from './oracles.ts';

/** Bytes that compress about as programs do. */
function program(size: number, random: () => number): Buffer {
	const words = Array.from({ length: 300 }, () => Math.floor(random() * 0xffff_ffff));
	const bytes = Buffer.alloc(Math.ceil(size / 4) * 4);
	for (let at = 0; at < bytes.length; at += 4)
		bytes.writeUInt32LE(words[Math.floor(random() * random() * 300)] ?? 0, at);
	return bytes.subarray(0, size);
}

/** A small tree with everything that matters: big, small, empty, equal, incompressible and linked files. */
export function makeTree(folder: string): void {
	const random = seeded(11);
	mkdirSync(path.join(folder, 'Windows/System32/drivers'), { recursive: true });
	mkdirSync(path.join(folder, 'Users/empty'), { recursive: true });
	for (let k = 0; k < 12; k++)
		writeFileSync(
			path.join(folder, `Windows/System32/lib${k}.dll`),
			program(3000 + Math.floor(random() * 60_000), random),
		);
	for (let k = 0; k < 24; k++)
		writeFileSync(
			path.join(folder, `Users/note ${k}.txt`),
			Array.from({ length: 3 + k * 4 }, (_, n) => `note ${k}, line ${n}\r\n`).join(''),
		);
	writeFileSync(path.join(folder, 'Windows/System32/drivers/big.sys'), program(350_000, random));
	writeFileSync(
		path.join(folder, 'Users/noise.bin'),
		Buffer.from(Array.from({ length: 40_000 }, () => random() * 256)),
	);
	writeFileSync(path.join(folder, 'Users/nothing'), '');
	cpSync(path.join(folder, 'Users/note 7.txt'), path.join(folder, 'Users/copy of 7.txt'));
	linkSync(path.join(folder, 'Windows/System32/lib3.dll'), path.join(folder, 'Windows/hard.dll'));
	symlinkSync('note 1.txt', path.join(folder, 'Users/link'));
}

/** What a later generation has and lacks. */
function changeTree(folder: string, round: number): void {
	const random = seeded(round + 50);
	mkdirSync(path.join(folder, `Update ${round}`));
	for (let k = 0; k < 4; k++)
		writeFileSync(
			path.join(folder, `Update ${round}/patch${k}.dll`),
			program(2000 + Math.floor(random() * 30_000), random),
		);
	writeFileSync(path.join(folder, 'Users/note 3.txt'), `changed in round ${round}\r\n`.repeat(40));
	rmSync(path.join(folder, `Users/note ${round + 10}.txt`));
}

/** Regular files below a folder, by relative path, with their SHA-1. */
export function digests(folder: string): Map<string, string> {
	const found = new Map<string, string>();
	for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
		if (!entry.isFile()) continue;
		const file = path.join(entry.parentPath, entry.name);
		found.set(
			path.relative(folder, file),
			createHash('sha1').update(readFileSync(file)).digest('hex'),
		);
	}
	return found;
}

/** Undamaged files and what they hold. */
export interface Specimen extends Traits {
	readonly format: string;
	readonly files: Files;
	readonly blobs: readonly ListedBlob[];
	/** Of each image: relative path to SHA-1. */
	readonly images: readonly {
		readonly name: string;
		readonly contents: ReadonlyMap<string, string>;
		/** SHA-1 of its metadata. */
		readonly metadata: string;
	}[];
	/** SHA-1 to bytes, of everything that was captured. */
	readonly bytes: ReadonlyMap<string, Buffer>;
}

/** Options of the capture, by the name of the format. */
const CAPTURES: Readonly<Record<string, readonly string[]>> = {
	none: ['--compress=none'],
	XPRESS: ['--compress=xpress'],
	'XPRESS 4K': ['--compress=xpress', '--chunk-size=4096'],
	LZX: ['--compress=lzx'],
	'LZX 128K': ['--compress=lzx', '--chunk-size=131072'],
	LZMS: ['--compress=lzms'],
	'LZMS 32K': ['--compress=lzms', '--chunk-size=32768'],
	solid: ['--solid', '--solid-chunk-size=131072'],
	'pipable LZX': ['--compress=lzx', '--pipable'],
	'pipable none': ['--compress=none', '--pipable'],
	'split LZX': ['--compress=lzx'],
	'split LZMS': ['--compress=lzms'],
	'appended none': ['--compress=none'],
	'appended XPRESS': ['--compress=xpress', '--check'],
	'appended LZMS': ['--compress=lzms'],
	'appended solid': ['--solid', '--solid-chunk-size=131072'],
};

export const FORMATS: readonly string[] = Object.keys(CAPTURES);

/** Part size of split sets, in MiB. */
const PART_SIZE = '0.12';

/** Makes files of a format in an empty folder. */
export function makeSpecimen(format: string, folder: string): Specimen {
	const tree = path.join(folder, 'tree');
	makeTree(tree);
	const file = path.join(folder, 'whole.wim');
	const images: { name: string; contents: Map<string, string> }[] = [];
	const bytes = new Map<string, Buffer>();
	const learn = (name: string) => {
		const contents = digests(tree);
		images.push({ name, contents });
		for (const [relative, sha1] of contents)
			bytes.set(sha1, readFileSync(path.join(tree, relative)));
	};
	runOracle('wimlib-imagex', 'capture', tree, file, 'First', ...(CAPTURES[format] ?? []));
	learn('First');
	const isAppended = format.startsWith('appended');
	for (const [k, name] of isAppended ? ['Second', 'Third'].entries() : []) {
		changeTree(tree, k + 1);
		runOracle('wimlib-imagex', 'append', tree, file, name);
		learn(name);
	}
	const isSplit = format.startsWith('split');
	let names = ['whole.wim'];
	if (isSplit) {
		runOracle('wimlib-imagex', 'split', file, path.join(folder, 'set.swm'), PART_SIZE);
		names = readdirSync(folder)
			.filter((name) => name.endsWith('.swm'))
			.sort((a, b) => partNumber(a) - partNumber(b));
	}
	const files = readFiles(folder, names);
	const blobs = listBlobs(folder, files);
	const metadata = blobs.filter(({ isMetadata }) => isMetadata).map(({ sha1 }) => sha1);
	return {
		format,
		files,
		blobs,
		images: images.map((image, k) => ({ ...image, metadata: metadata[k] ?? '' })),
		bytes,
		isSplit,
		isAppended,
		isSolid: format.endsWith('solid'),
	};
}

function partNumber(name: string): number {
	return Number(/(\d+)\.swm$/.exec(name)?.[1] ?? 1);
}
