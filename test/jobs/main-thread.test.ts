import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { processorMs } from '../bench/longest-turn.ts';
import { root } from '../support/fixture.ts';
import { tempFolder } from '../support/temp-tree.ts';

// Jobs have no thread each: the main thread leads them, the lanes of the pool do the work (README, decisions). What keeps
// the keyboard alive is that the share of the main thread in what a job costs stays small, on any machine under any load.

const PROGRAM = path.join(root, 'dist', 'wimdeck.js');
const LINUX = processorMs() === null ? { skip: 'the kernel does not tell times of threads' } : {};
const MIB = 1 << 20;

interface Cost {
	/** Processor time in ms. */
	readonly main: number;
	readonly all: number;
}

/** Beside the program: writes down at its end what it cost. */
const telling = (file: string): string =>
	`--import=data:text/javascript,${encodeURIComponent(`
	import { readFileSync, writeFileSync } from 'node:fs';
	import { isMainThread } from 'node:worker_threads';
	if (isMainThread) process.on('exit', () => {
		const [ns] = readFileSync('/proc/self/task/' + process.pid + '/schedstat', 'latin1').split(' ');
		const { user, system } = process.cpuUsage();
		writeFileSync(${JSON.stringify(file)}, JSON.stringify({ main: ns / 1e6, all: (user + system) / 1e3 }));
	});`)}`;

function costOf(folder: string, words: readonly string[]): Cost {
	const file = path.join(folder, 'cost');
	const { status, stderr } = spawnSync(process.execPath, [PROGRAM, ...words, '--quiet'], {
		cwd: folder,
		encoding: 'utf8',
		env: { ...process.env, XDG_STATE_HOME: `${folder}/state`, NODE_OPTIONS: telling(file) },
	});
	assert.equal(status, 0, stderr);
	return JSON.parse(readFileSync(file, 'utf8')) as Cost;
}

/** Files of words that repeat by chance, from a fixed seed: they shrink like texts do. */
function writeTexts(folder: string, size: number): void {
	mkdirSync(folder);
	let seed = 1;
	const next = (below: number): number => {
		seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
		return Math.floor((seed / 0x80000000) * below);
	};
	const words = Array.from({ length: 3000 }, () =>
		Array.from({ length: 3 + next(8) }, () => String.fromCharCode(97 + next(26))).join(''),
	);
	for (let done = 0, file = 0; done < size; file++) {
		let text = '';
		while (text.length < Math.min(MIB / 4, size)) text += `${words[next(3000)]} `;
		// Most of it repeats: how long it takes to find matches is of no interest here.
		if (size > MIB) text = text.repeat(16);
		writeFileSync(path.join(folder, String(file)), text);
		done += text.length;
	}
}

/** What the same commands cost for a small tree and a large one. */
function measured(t: TestContext, commands: readonly (readonly string[])[]): [Cost[], Cost[]] {
	const [small, large] = [4096, 32 * MIB].map((size) => {
		const folder = tempFolder(t);
		writeTexts(path.join(folder, 'source'), size);
		return commands.map((words) => costOf(folder, words));
	});
	return [small!, large!];
}

const FORMATS: readonly (readonly [name: string, options: readonly string[]])[] = [
	['LZX', ['--compress=lzx']],
	['solid', ['--solid', '--solid-compress=lzms:1']],
];

for (const [name, options] of FORMATS)
	test(
		`${name}: what more bytes cost is paid by the lanes, not by the thread of the keys`,
		LINUX,
		(t) => {
			const commands = [
				['capture', 'source', 'a.wim', ...options],
				['verify', 'a.wim'],
				['apply', 'a.wim', '1', 'out'],
				['export', 'a.wim', '1', 'b.wim', '--compress=xpress', '--recompress'],
			];
			const [small, large] = measured(t, commands);
			for (const [i, [verb]] of commands.entries()) {
				const main = large[i]!.main - small[i]!.main;
				const all = large[i]!.all - small[i]!.all;
				t.diagnostic(`${verb}: ${main.toFixed(0)} of ${all.toFixed(0)} ms`);
				// What is less than half of starting the program is within its own spread.
				const bound = Math.max(all, small[i]!.main) / 2;
				assert.ok(main < bound, `${verb}: ${main} of ${all} ms on the main thread`);
			}
		},
	);
