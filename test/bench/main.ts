/**
 * Runs verbs of wimdeck next to wimlib-imagex, in turns on the same files, and prints ratios: npm run bench [-- FOLDER]
 * [--rounds=N] [--only=WORD]. Without a folder: libraries and programs found on this machine, and generated text.
 */
import { spawn } from 'node:child_process';
import {
	copyFileSync,
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
import { root } from '../support/fixture.ts';
import { benchTree } from './tree.ts';

interface Measure {
	readonly ms: number;
	/** Greatest resident size, in MB; sampled. */
	readonly peakMb: number;
}

const PROGRAM = path.join(root, 'dist', 'wimdeck.js');

/** Runs a command to its end; its memory is sampled every 10 ms where /proc tells it. */
async function measure(command: string, args: readonly string[]): Promise<Measure> {
	const start = performance.now();
	const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
	let errors = '';
	child.stderr.on('data', (chunk) => {
		errors += chunk;
	});
	let peakMb = 0;
	const sample = setInterval(() => {
		try {
			const status = readFileSync(`/proc/${child.pid}/status`, 'utf8');
			peakMb = Math.max(peakMb, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024);
		} catch {
			// The process has ended, or this system has no /proc.
		}
	}, 10);
	const code = await new Promise((resolve) => child.on('exit', resolve));
	clearInterval(sample);
	if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}: ${errors}`);
	return { ms: performance.now() - start, peakMb };
}

const reference = (...args: string[]) => measure('wimlib-imagex', args);
const ours = (...args: string[]) => measure(process.execPath, [PROGRAM, ...args, '--quiet']);

function median(values: readonly number[]): number {
	const sorted = [...values].sort((a, b) => a - b);
	return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** Programs and libraries of this machine up to `most` bytes, and 3,000 small text files. */
function makeCorpus(folder: string, most: number): void {
	let total = 0;
	mkdirSync(path.join(folder, 'binaries'), { recursive: true });
	for (const place of [
		'/usr/lib/x86_64-linux-gnu',
		'/usr/lib/aarch64-linux-gnu',
		'/usr/bin',
		'/usr/lib',
	])
		for (const entry of existsSync(place) ? readdirSync(place, { withFileTypes: true }) : []) {
			const file = path.join(place, entry.name);
			const target = path.join(folder, 'binaries', entry.name);
			if (!entry.isFile() || total > most || existsSync(target)) continue;
			const { size } = statSync(file);
			if (size < 4096 || size > 32 << 20) continue;
			copyFileSync(file, target);
			total += size;
		}
	for (let k = 0; k < 3000; k++) {
		const sub = path.join(folder, 'text', String(k % 50));
		mkdirSync(sub, { recursive: true });
		const lines = Array.from(
			{ length: 10 + (k % 90) },
			(_, n) => `file ${k} line ${n} ${(k * n) % 977}\n`,
		);
		writeFileSync(path.join(sub, `${k}.txt`), lines.join(''));
	}
}

interface Row {
	readonly verb: string;
	readonly format: string;
	readonly ours: readonly Measure[];
	readonly reference: readonly Measure[];
	/** Stored bytes, ours to the reference's; null where nothing is written. */
	readonly size: number | null;
}

function print(rows: readonly Row[]): void {
	process.stdout.write(
		'| verb | format | time ref/ours | ours s | ref s | spread ours | ours MB | ref MB | size ours/ref |\n',
	);
	process.stdout.write('|---|---|---:|---:|---:|---:|---:|---:|---:|\n');
	for (const row of rows) {
		const mine = row.ours.map(({ ms }) => ms);
		const theirs = row.reference.map(({ ms }) => ms);
		const spread = (Math.max(...mine) - Math.min(...mine)) / median(mine);
		const cells = [
			row.verb,
			row.format,
			(median(theirs) / median(mine)).toFixed(2),
			(median(mine) / 1000).toFixed(2),
			(median(theirs) / 1000).toFixed(2),
			`${(spread * 100).toFixed(0)} %`,
			Math.max(...row.ours.map(({ peakMb }) => peakMb)).toFixed(0),
			Math.max(...row.reference.map(({ peakMb }) => peakMb)).toFixed(0),
			row.size === null ? '' : row.size.toFixed(4),
		];
		process.stdout.write(`| ${cells.join(' | ')} |\n`);
	}
}

/** A B A B, so that whatever else the machine does hits both. */
async function inTurns(
	rounds: number,
	mine: () => Promise<Measure>,
	theirs: () => Promise<Measure>,
): Promise<{ ours: Measure[]; reference: Measure[] }> {
	const result = { ours: [] as Measure[], reference: [] as Measure[] };
	for (let k = 0; k < rounds; k++) {
		result.reference.push(await theirs());
		result.ours.push(await mine());
	}
	return result;
}

/** Runs something that makes `target`, which must not be there before. */
function afresh(target: string, action: () => Promise<Measure>): Promise<Measure> {
	rmSync(target, { recursive: true, force: true });
	return action();
}

const FORMATS: Readonly<Record<string, readonly string[]>> = {
	none: ['--compress=none'],
	XPRESS: ['--compress=xpress'],
	LZX: ['--compress=lzx'],
	LZMS: ['--compress=lzms'],
	solid: ['--solid'],
};

const args = process.argv.slice(2);
const option = (name: string) => args.find((arg) => arg.startsWith(`--${name}=`))?.split('=')[1];
const rounds = Number(option('rounds') ?? 3);
const only = option('only') ?? '';
if ('tree'.includes(only)) benchTree();
if (only === 'tree') process.exit(0);
const work = mkdtempSync(path.join(os.tmpdir(), 'wimdeck-bench-'));
try {
	let corpus = args.find((arg) => !arg.startsWith('--'));
	if (corpus === undefined) {
		corpus = path.join(work, 'corpus');
		makeCorpus(corpus, 120 << 20);
	}
	const source = corpus;
	const rows: Row[] = [];
	for (const [format, flags] of Object.entries(FORMATS)) {
		const file = path.join(work, 'reference.wim');
		const mine = path.join(work, 'ours.wim');
		const capture = async () => {
			const turns = await inTurns(
				Math.min(rounds, 1),
				() => afresh(mine, () => ours('capture', source, mine, 'Bench', ...flags)),
				() => afresh(file, () => reference('capture', source, file, 'Bench', ...flags)),
			);
			return { ...turns, size: statSync(mine).size / statSync(file).size };
		};
		const written = await capture();
		if ('capture'.includes(only)) rows.push({ verb: 'capture', format, ...written });
		const target = path.join(work, 'target');
		const verbs: Record<string, () => Promise<{ ours: Measure[]; reference: Measure[] }>> = {
			verify: () =>
				inTurns(
					rounds,
					() => ours('verify', file),
					() => reference('verify', file),
				),
			apply: () =>
				inTurns(
					rounds,
					() => afresh(target, () => ours('apply', file, '1', target)),
					() => afresh(target, () => reference('apply', file, '1', target)),
				),
		};
		for (const [verb, run] of Object.entries(verbs))
			if (verb.includes(only)) rows.push({ verb, format, ...(await run()), size: null });
		rmSync(target, { recursive: true, force: true });
	}
	process.stdout.write(
		`${os.cpus().length} cores, ${process.version}, medians of ${rounds} (capture: 1)\n\n`,
	);
	print(rows);
} finally {
	rmSync(work, { recursive: true, force: true });
}
