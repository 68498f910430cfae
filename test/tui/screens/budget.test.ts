import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mountPlain } from '../../../source/tui/screens/first-mount.ts';
import { mountDeck } from '../../../source/tui/screens/mount.tsx';
import { DeckOnTerminal } from '../../support/deck.ts';
import { FakeEngine, FakeFile, jobView, longListing } from '../../support/fake-engine.ts';

// The budgets of tui.md §10 R12. Bytes are exact; times are printed, and only their order is asserted.

const MIB = 2 ** 20;

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

async function inLongFolder(columns: number, rows: number): Promise<[DeckOnTerminal, FakeEngine]> {
	const file = new FakeFile();
	file.listing = longListing(300_000);
	const engine = new FakeEngine(file);
	const deck = await DeckOnTerminal.open(engine, { columns, rows });
	await deck.press('enter');
	await deck.until(/name\^ 300,000/);
	engine.jobs.set(threeJobs(0));
	await deck.until(/export/);
	return [deck, engine];
}

/** Bytes that reach the terminal while `act` runs and settles. */
async function bytesOf(deck: DeckOnTerminal, act: () => Promise<void>): Promise<number> {
	const before = deck.terminal.bytes;
	await act();
	await deck.settle();
	return deck.terminal.bytes - before;
}

for (const [columns, rows, limit] of [
	[80, 24, 250],
	[120, 40, 420],
] as const)
	test(`one cursor move at ${columns}x${rows} costs at most ${limit} bytes`, async (t) => {
		const [deck] = await inLongFolder(columns, rows);
		const costs: number[] = [];
		for (let i = 0; i < 8; i++) {
			costs.push(await bytesOf(deck, () => deck.press('j')));
			// Details arrive a little later than the cursor.
			await new Promise((resolve) => setTimeout(resolve, 60));
			await deck.settle();
		}
		t.diagnostic(`bytes of a cursor move: ${costs.join(' ')}`);
		for (const cost of costs) assert.ok(cost <= limit, `${cost} bytes`);
		deck.close();
	});

test('three running jobs cost at most 400 bytes a second', async (t) => {
	const [deck, engine] = await inLongFolder(80, 24);
	const seconds = 4;
	const bytes = await bytesOf(deck, async () => {
		for (let step = 1; step <= seconds * 10; step++) {
			engine.jobs.set(threeJobs(step));
			await new Promise((resolve) => setTimeout(resolve, 100));
		}
	});
	t.diagnostic(`${Math.round(bytes / seconds)} bytes a second`);
	assert.ok(bytes / seconds <= 400, `${bytes / seconds} bytes a second`);
	deck.close();
});

test('nothing is sent when nothing changed', async () => {
	const engine = new FakeEngine();
	const deck = await DeckOnTerminal.open(engine);
	await deck.settle();
	assert.equal(await bytesOf(deck, () => deck.press('k', 'k')), 0);
	const silent = await bytesOf(deck, () => new Promise((resolve) => setTimeout(resolve, 600)));
	assert.equal(silent, 0);
	deck.close();
});

for (const [columns, rows] of [
	[80, 24],
	[120, 40],
] as const)
	test(`from a key to its paint at ${columns}x${rows}, beside three jobs and 300,000 entries`, async (t) => {
		const [deck, engine] = await inLongFolder(columns, rows);
		const times: number[] = [];
		for (let i = 0; i < 60; i++) {
			if (i % 5 === 0) engine.jobs.set(threeJobs(i));
			const before = deck.terminal.bytes;
			const start = performance.now();
			deck.app.input(i % 20 === 19 ? '\x1b[6~' : 'j');
			while (deck.terminal.bytes === before) await new Promise((resolve) => setImmediate(resolve));
			times.push(performance.now() - start);
			await deck.settle();
		}
		times.sort((a, b) => a - b);
		const median = times[times.length >> 1]!;
		t.diagnostic(
			`key to paint: median ${median.toFixed(1)} ms, slowest ${times.at(-1)!.toFixed(1)} ms`,
		);
		// Ten times the budget: a shared machine is no clock, but a quadratic list would show.
		assert.ok(median < (columns === 80 ? 150 : 300));
		deck.close();
	});

test('a line of 960 bytes a second settles within 2 s after page-down was held', async (t) => {
	const file = new FakeFile();
	file.listing = longListing(5000);
	const deck = await DeckOnTerminal.open(new FakeEngine(file));
	await deck.press('enter');
	await deck.until(/name\^ 5,000/);
	deck.terminal.bytesPerSecond = 960;
	for (let i = 0; i < 20; i++) {
		deck.app.input('\x1b[6~');
		await new Promise((resolve) => setTimeout(resolve, 33));
	}
	const start = performance.now();
	const wanted = deck.app.store.get().files.list.cursor;
	const waiting = deck.terminal.waitingBytes;
	const before = deck.terminal.bytes;
	await deck.terminal.until((screen) => screen.includes(`> ${nameAt(deck, wanted)}`), 20_000);
	const ms = performance.now() - start;
	// What the line has to carry after the last key says how long that takes, on a busy machine as well.
	const carried = waiting + deck.terminal.bytes - before;
	t.diagnostic(
		`settled ${Math.round(ms)} ms after the last key; ${carried} bytes, ${((1000 * carried) / 960).toFixed(0)} ms of the line`,
	);
	assert.ok(carried <= 2 * 960, `${carried} bytes`);
	deck.close();
});

const nameAt = (deck: DeckOnTerminal, row: number): string => {
	const { listing, order } = deck.app.store.get().files;
	return listing?.names[order[row] ?? 0] ?? '';
};

for (const [painter, mount] of [
	['Ink', mountDeck],
	['the first mount', mountPlain],
] as const)
	test(`${painter}: the keys of one packet are decoded before any is painted, for one frame`, async () => {
		const file = new FakeFile();
		file.listing = longListing(300_000);
		const deck = await DeckOnTerminal.open(new FakeEngine(file), { mount });
		await deck.press('enter');
		await deck.until(/name\^ 300,000/);
		await deck.quiet();
		const { stream } = deck.app.writer;
		const frames: string[] = [];
		const write = stream.write.bind(stream) as (text: string, done?: () => void) => boolean;
		Object.defineProperty(stream, 'write', {
			value: (text: string, done?: () => void) => {
				if (text.includes('\n')) frames.push(text);
				return write(text, done);
			},
		});
		deck.app.input('jjjjjkjjjj');
		for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
		assert.equal(frames.length, 1, `${frames.length} frames`);
		await deck.settle();
		assert.equal(deck.app.store.get().files.list.cursor, 8);
		deck.close();
	});
