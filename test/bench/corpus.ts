/** What the bench works on: programs and libraries of this machine, and generated text. */
import { copyFileSync, existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { dice } from '../support/contents.ts';

export interface CorpusSize {
	/** Of the binaries, in bytes. */
	readonly binaryBytes: number;
	readonly textFiles: number;
}
export const FULL: CorpusSize = { binaryBytes: 300 << 20, textFiles: 3000 };
export const QUICK: CorpusSize = { binaryBytes: 60 << 20, textFiles: 600 };

/** Folders below these are looked through in this order, Windows programs first. */
const PLACES = [
	'/usr/lib/x86_64-linux-gnu/wine',
	'/usr/lib/i386-linux-gnu/wine',
	'/usr/lib/x86_64-linux-gnu',
	'/usr/lib/aarch64-linux-gnu',
	'/usr/bin',
	'/usr/lib',
];
/** Nothing smaller than this is a program worth copying, and nothing larger may rule the result. */
const SIZE_MIN = 4 << 10;
const SIZE_MAX = 32 << 20;
const FOLDERS = 50;

/**
 * Makes the corpus: `binaries` and `text`.
 *
 * @param source a folder that the binaries are taken from, instead of what this machine has
 */
export function makeCorpus(folder: string, size: CorpusSize, source: string | null): void {
	copyBinaries(path.join(folder, 'binaries'), size.binaryBytes, source);
	writeTexts(path.join(folder, 'text'), size.textFiles);
}

/** Copies files up to `most` bytes, spread over all that there are, so that kinds of files keep their shares. */
function copyBinaries(folder: string, most: number, source: string | null): void {
	const files = (source === null ? PLACES : [source]).flatMap((place) =>
		filesBelow(place, !PLACES.includes(place) || place.endsWith('/wine')).filter(
			({ size }) => size >= SIZE_MIN && size <= SIZE_MAX,
		),
	);
	const total = files.reduce((sum, { size }) => sum + size, 0);
	let left = most;
	let credit = 0;
	mkdirSync(folder, { recursive: true });
	for (const [k, { file, size }] of files.entries()) {
		credit += Math.min(1, most / total) * size;
		if (credit < size || size > left) continue;
		credit -= size;
		left -= size;
		const to = path.join(folder, String(k % FOLDERS));
		mkdirSync(to, { recursive: true });
		copyFileSync(file, path.join(to, `${k}-${path.basename(file)}`));
	}
}

/** Files of a folder in order of their paths; none where there is no such folder. */
export function filesBelow(
	place: string,
	isDeep: boolean,
): { readonly file: string; readonly size: number }[] {
	if (!existsSync(place)) return [];
	return readdirSync(place, { withFileTypes: true, recursive: isDeep })
		.filter((entry) => entry.isFile())
		.map((entry) => path.join(entry.parentPath, entry.name))
		.sort()
		.map((file) => ({ file, size: statSync(file).size }));
}

/** Program texts of a made-up language: words drawn unevenly, indented lines, from 300 bytes to some 30 KB. */
function writeTexts(folder: string, count: number): void {
	const roll = dice(6);
	const letters = 'etaoinshrdlcumwfgypbvk';
	const words = Array.from({ length: 3000 }, () =>
		Array.from({ length: 2 + roll(9) }, () => letters[Math.min(roll(22), roll(22))]).join(''),
	);
	const word = () => words[Math.min(roll(3000), roll(3000), roll(3000))] ?? '';
	for (let k = 0; k < count; k++) {
		const sub = path.join(folder, String(k % FOLDERS));
		mkdirSync(sub, { recursive: true });
		const lines = Array.from({ length: 10 + Math.min(roll(900), roll(900)) }, () => {
			const call = `${'\t'.repeat(roll(4))}${word()}.${word()}(${word()}, ${roll(1000)})`;
			return roll(4) === 0 ? `// ${word()} ${word()} ${word()} ${word()}` : `${call};`;
		});
		writeFileSync(path.join(sub, `${word()}-${k}.txt`), `${lines.join('\n')}\n`);
	}
}
