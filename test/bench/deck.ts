/** The deck on a terminal: npm run bench -- --only=deck. First frame, key to paint, bytes to the terminal. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { DeckOnTerminal } from '../support/deck.ts';
import { FakeEngine, FakeFile, jobView, longListing } from '../support/fake-engine.ts';
import { root } from '../support/fixture.ts';
import { writeLargeWim } from '../support/large-wim.ts';
import { Pty } from '../support/pty.ts';
import { benchDeckTurns } from './deck-turns.ts';
import { makeMetadata } from './tree.ts';

const PROGRAM = path.join(root, 'dist', 'wimdeck.js');
const ROUNDS = 9;
const MIB = 2 ** 20;

const median = (values: readonly number[]): number =>
	[...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

const print = (line: string): void => void process.stdout.write(`${line}\n`);

/** Milliseconds from the start of a process to its first frame and to the images, and those of a bare Node. */
async function start(wim: string): Promise<{ first: number; images: number; node: number }> {
	const began = performance.now();
	spawnSync(process.execPath, ['-e', '0']);
	const node = performance.now() - began;
	const launched = performance.now();
	using pty = new Pty({
		command: [process.execPath, PROGRAM, wim],
		env: { XDG_STATE_HOME: '/nonexistent' },
	});
	// The footer is the last row of a frame.
	await pty.until(/\? help/);
	const first = performance.now() - launched;
	await pty.until(/1 Large image/);
	const images = performance.now() - launched;
	pty.type('q');
	await pty.ended;
	return { first, images, node };
}

async function benchStart(): Promise<void> {
	const folder = mkdtempSync(path.join(os.tmpdir(), 'wimdeck-deck-'));
	try {
		const wim = path.join(folder, 'large.wim');
		writeLargeWim(wim, {
			size: 5e9,
			blobCount: 100_000,
			images: [{ metadata: makeMetadata({ folderCount: 101 }), name: 'Large image' }],
		});
		const runs: { first: number; images: number; node: number }[] = [];
		for (let k = 0; k < ROUNDS; k++) runs.push(await start(wim));
		const of = (name: 'first' | 'images' | 'node'): string =>
			median(runs.map((run) => run[name])).toFixed(0);
		print(
			`start on 5 GB, 100,000 files, median of ${ROUNDS}: first frame ${of('first')} ms, images shown ${of('images')} ms, bare node ${of('node')} ms`,
		);
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
}

const threeJobs = (step: number) =>
	[1, 2, 3].map((id) =>
		jobView(id, {
			verb: ['capture', 'verify', 'export'][id - 1]!,
			doneBytes: 100 * id + step,
			rate: (100 + ((step * 7) % 13)) * MIB,
			etaMs: 300_000 - step * 250,
			startedMs: -9000,
			lastEventMs: 1_000_000_000,
		}),
	);

async function benchKeys(columns: number, rows: number): Promise<void> {
	const file = new FakeFile();
	file.listing = longListing(300_000);
	const engine = new FakeEngine(file);
	const deck = await DeckOnTerminal.open(engine, { columns, rows });
	await deck.press('enter');
	await deck.until(/name\^ 300,000/);
	engine.jobs.set(threeJobs(0));
	await deck.until(/export/);
	const times: number[] = [];
	const bytes: number[] = [];
	for (let k = 0; k < 200; k++) {
		if (k % 5 === 0) engine.jobs.set(threeJobs(k));
		const before = deck.terminal.bytes;
		const began = performance.now();
		deck.app.input(k % 20 === 19 ? '\x1b[6~' : 'j');
		while (deck.terminal.bytes === before) await new Promise((resolve) => setImmediate(resolve));
		times.push(performance.now() - began);
		await deck.settle();
		if (k % 5 === 2) bytes.push(deck.terminal.bytes - before);
	}
	const slow = [...times].sort((a, b) => a - b)[Math.floor(times.length * 0.9)] ?? 0;
	print(
		`key to paint at ${columns}x${rows}, three jobs, 300,000 entries: median ${median(times).toFixed(1)} ms, nine of ten within ${slow.toFixed(1)} ms; ${median(bytes)} bytes a cursor move`,
	);
	deck.close();
}

/** What three running jobs cost the line, and what a deck costs in which nothing happens. */
async function benchIdle(): Promise<void> {
	const file = new FakeFile();
	file.listing = longListing(300_000);
	const engine = new FakeEngine(file);
	const deck = await DeckOnTerminal.open(engine, { columns: 80, rows: 24 });
	await deck.press('enter');
	await deck.until(/name\^ 300,000/);
	await deck.quiet();
	const during = async (seconds: number, tick: (step: number) => void): Promise<number> => {
		const before = deck.terminal.bytes;
		for (let step = 1; step <= seconds * 10; step++) {
			tick(step);
			await new Promise((resolve) => setTimeout(resolve, 100));
		}
		return (deck.terminal.bytes - before) / seconds;
	};
	const silent = await during(2, () => {});
	engine.jobs.set(threeJobs(0));
	await deck.until(/export/);
	const busy = await during(5, (step) => engine.jobs.set(threeJobs(step)));
	print(
		`idle at 80x24: ${busy.toFixed(0)} bytes a second with three jobs, ${silent.toFixed(0)} when nothing happens`,
	);
	deck.close();
}

/** Prints the figures of tui.md R12. */
export async function benchDeck(): Promise<void> {
	await benchStart();
	await benchKeys(80, 24);
	await benchKeys(120, 40);
	await benchIdle();
	await benchDeckTurns();
}
