/**
 * How long `salvage` takes for a large file whose blob table is lost. npm run bench:salvage -- TREE [--copies=N]
 * [--format=LZMS] [--work=FOLDER]. The input is TREE, and N more copies of it (1 unless told) of which a third of the files is
 * left out and a word in every 512 bytes of the rest altered; wimlib captures it in each format, the blob table is overwritten
 * with zeros. Prints a table in Markdown; "whole" counts files that are equal to those of the input, byte for byte. With
 * `--work` the input and the files stay there, and another run uses them again.
 */
import {
	existsSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	rmSync,
	statSync,
	writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { SalvageReport } from '../../source/operations/salvage/report.ts';
import { eraseBlobTable } from '../support/damage-kit.ts';
import { runOracle } from '../support/oracles.ts';
import { wimdeck } from './measure.ts';
import { refuse, scriptOptions } from './script-options.ts';

/** Options of the capture, by the name of the format; the levels cost nothing in what is measured. */
const CAPTURES: Readonly<Record<string, readonly string[]>> = {
	none: ['--compress=none'],
	XPRESS: ['--compress=xpress'],
	LZX: ['--compress=lzx:20'],
	LZMS: ['--compress=lzms:20'],
	solid: ['--solid', '--solid-compress=lzms:20'],
};

const USAGE = `npm run bench:salvage -- TREE [--copies=N] [--format=${Object.keys(CAPTURES).join('|')}]... [--work=FOLDER]

How long salvage takes for a large file whose blob table is lost, as a table in Markdown.

  TREE             folder that the input is made of
  --copies=N       so many altered copies of it besides (1)
  --format=NAME    only this format; repeatable
  --work=FOLDER    keep the input and the files there, and use them again
`;

const OPTIONS = {
	copies: { type: 'string', default: '1' },
	format: { type: 'string', multiple: true },
	work: { type: 'string' },
} as const;

/** Salvage ends with this when something is lost. */
const SOMETHING_LOST = 3;

function filesBelow(folder: string): string[] {
	return readdirSync(folder, { recursive: true, withFileTypes: true })
		.filter((entry) => entry.isFile())
		.map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
		.sort();
}

/** The tree, and altered copies of two thirds of it: contents that are alike and not equal. */
function makeInput(tree: string, folder: string, copies: number): void {
	for (const [k, name] of filesBelow(tree).entries())
		for (let copy = 0; copy <= copies; copy++) {
			if (copy > 0 && (k + copy) % 3 === 0) continue;
			const bytes = readFileSync(path.join(tree, name));
			const first = 1024 + ((k + copy) % 7) * 4;
			for (let at = first; copy > 0 && at + 4 <= bytes.length; at += 512)
				bytes.writeUInt32LE(Math.imul(at + copy, 0x9e37_79b1) >>> 0, at);
			const file = path.join(folder, String(copy), name);
			mkdirSync(path.dirname(file), { recursive: true });
			writeFileSync(file, bytes);
		}
}

function damagedFile(format: string, input: string, work: string): string {
	const file = path.join(work, `${format}.wim`);
	if (existsSync(file)) return file;
	const whole = `${file}.whole`;
	rmSync(whole, { force: true });
	runOracle('wimlib-imagex', 'capture', input, whole, 'Large', ...(CAPTURES[format] ?? []));
	const bytes = readFileSync(whole);
	eraseBlobTable(bytes);
	writeFileSync(file, bytes);
	rmSync(whole);
	return file;
}

function countWhole(input: string, names: readonly string[], target: string): number {
	return names.filter((name) => {
		const file = path.join(target, name);
		return existsSync(file) && readFileSync(file).equals(readFileSync(path.join(input, name)));
	}).length;
}

async function main(): Promise<void> {
	const { values, positionals } = scriptOptions(USAGE, OPTIONS, 1);
	const [tree = ''] = positionals;
	const formats = values.format ?? Object.keys(CAPTURES);
	const copies = Number(values.copies);
	if (!Number.isSafeInteger(copies) || copies < 0)
		refuse(`--copies takes a number from 0, not "${values.copies}".`, USAGE);
	for (const format of formats)
		if (CAPTURES[format] === undefined) refuse(`There is no format "${format}".`, USAGE);
	if (!statSync(tree, { throwIfNoEntry: false })?.isDirectory())
		refuse(`There is no folder "${tree}".`, USAGE);
	const work = values.work ?? mkdtempSync(path.join(os.tmpdir(), 'wimdeck-large-'));
	const input = path.join(work, 'input');
	try {
		if (!existsSync(input)) makeInput(tree, input, copies);
		const names = filesBelow(input);
		const size = names.reduce((sum, name) => sum + statSync(path.join(input, name)).size, 0);
		process.stdout.write(
			`${names.length} files, ${(size / 1e6).toFixed(0)} MB\n\n` +
				'| format | file MB | s | processor s | memory MB | whole | partial | lost | without a name |\n' +
				'|---|---:|---:|---:|---:|---:|---:|---:|---:|\n',
		);
		for (const format of formats) {
			const file = damagedFile(format, input, work);
			const target = path.join(work, 'target');
			rmSync(target, { recursive: true, force: true });
			const { ms, cpuMs, peakMb } = await wimdeck(['salvage', file, target], [0, SOMETHING_LOST]);
			const text = readFileSync(path.join(target, 'wimdeck-salvage.json'), 'utf8');
			const { partial, lost, unnamed } = JSON.parse(text) as SalvageReport;
			const cells = [
				format,
				(statSync(file).size / 1e6).toFixed(0),
				(ms / 1000).toFixed(0),
				(cpuMs / 1000).toFixed(0),
				peakMb.toFixed(0),
				`${countWhole(input, names, target)} of ${names.length}`,
				partial.length,
				lost.length,
				unnamed.length,
			];
			process.stdout.write(`| ${cells.join(' | ')} |\n`);
			rmSync(target, { recursive: true });
		}
	} finally {
		if (values.work === undefined) rmSync(work, { recursive: true, force: true });
	}
}

await main();
