/**
 * Sizes of whole files next to the reference at its default level, by tree, format and level:
 * npm run bench -- --only=sizes[,TREE][,FORMAT][,LEVEL]
 */
import {
	copyFileSync,
	existsSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	rmSync,
	statSync,
} from 'node:fs';
import path from 'node:path';
import { filesBelow } from './corpus.ts';
import { measure, wimdeck, wimlib } from './measure.ts';
import { markdown } from './table.ts';

/** The flags of a format at our own default level, and at the thorough one; the reference gets the former. */
const FORMATS: Readonly<Record<string, readonly [readonly string[], readonly string[]]>> = {
	XPRESS: [['--compress=xpress'], ['--compress=xpress:100']],
	LZX: [['--compress=lzx'], ['--compress=lzx:100']],
	LZMS: [['--compress=lzms'], ['--compress=lzms:100']],
	solid: [['--solid'], ['--solid', '--solid-compress=lzms:100']],
};
const LEVELS = ['default', 'thorough'];

/** Texts as people write them, on most machines. */
const TEXT_PLACES = ['/usr/include', '/usr/share/doc'];
const TEXT_SIZE_MAX = 64 << 10;
const TEXTS_MAX = 6000;

/** Trees by name: the parts of the corpus, one folder of each part, and real texts where the machine has them. */
function treesOf(work: string, corpus: string): Map<string, string> {
	const trees = new Map<string, string>();
	for (const part of readdirSync(corpus)) {
		const folder = path.join(corpus, part);
		if (!statSync(folder).isDirectory()) continue;
		trees.set(part, folder);
		const [first] = readdirSync(folder);
		if (first !== undefined && statSync(path.join(folder, first)).isDirectory())
			trees.set(`${part}/${first}`, path.join(folder, first));
	}
	const texts = path.join(work, 'texts');
	if (!existsSync(texts)) copyTexts(texts);
	if (readdirSync(texts).length > 0) trees.set('documents', texts);
	return trees;
}

function copyTexts(folder: string): void {
	mkdirSync(folder, { recursive: true });
	const files = TEXT_PLACES.flatMap((place) => filesBelow(place, true)).filter(
		({ size }) => size > 0 && size <= TEXT_SIZE_MAX,
	);
	for (const [k, { file }] of files.slice(0, TEXTS_MAX).entries())
		copyFileSync(file, path.join(folder, `${k}-${path.basename(file)}`));
}

/** Prints a table of ratios, ours to the reference's, of all cases whose name `isAsked`. */
export async function benchSizes(
	work: string,
	corpus: string,
	isAsked: (name: string) => boolean,
): Promise<void> {
	const ours = path.join(work, 'sizes-ours.wim');
	const reference = path.join(work, 'sizes-reference.wim');
	const rows = [['tree ', 'format ', 'level ', 'reference', 'ours', 'size ours/ref']];
	for (const [tree, folder] of treesOf(work, corpus))
		for (const [format, flags] of Object.entries(FORMATS)) {
			const levels = LEVELS.filter((level) => isAsked(`sizes ${tree} ${format} ${level}`));
			if (levels.length === 0) continue;
			// The first to read a new file sets its time of last access: neither of both may be it.
			for (const { file } of filesBelow(folder, true)) readFileSync(file);
			rmSync(reference, { force: true });
			await wimlib('capture', folder, reference, 'Sizes', ...flags[0]);
			for (const level of levels) {
				process.stderr.write(`sizes ${tree} ${format} ${level}\n`);
				rmSync(ours, { force: true });
				await wimdeck(['capture', folder, ours, 'Sizes', ...flags[LEVELS.indexOf(level)]!]);
				await measure('wimlib-imagex', ['verify', ours]);
				const [mine, theirs] = [statSync(ours).size, statSync(reference).size];
				rows.push([tree, format, level, `${theirs}`, `${mine}`, (mine / theirs).toFixed(4)]);
			}
		}
	for (const file of [ours, reference]) rmSync(file, { force: true });
	process.stdout.write(`\n${markdown(rows)}`);
}
