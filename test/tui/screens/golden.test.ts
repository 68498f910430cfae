import { test } from 'node:test';
import { DeckOnTerminal, type DeckTestOptions } from '../../support/deck.ts';
import { FakeEngine, FakeFile, FOUND, jobView } from '../../support/fake-engine.ts';
import { findings } from '../../support/fake-findings.ts';
import { assertGolden } from '../../support/golden.ts';
import { type Scene, testScreens } from '../../support/scenes.ts';

const MIB = 2 ** 20;

/** The jobs of the design's screens. */
const JOBS = [
	jobView(1, {
		verb: 'capture',
		title: 'C: -> \\\\srv\\w\\new.wim #1',
		doneBytes: 410,
		rate: 118 * MIB,
		etaMs: 372_000,
		startedMs: -9000,
		lastEventMs: 1000,
	}),
	jobView(2, {
		doneBytes: 150,
		rate: 402 * MIB,
		etaMs: 11_000,
		startedMs: -9000,
		lastEventMs: 1000,
		findings: findings(),
	}),
	jobView(3, { verb: 'export', title: '#3 -> pro.esd', state: 'done', endedMs: 581_000 }),
];

/** Walks to `\Windows` of the third image. */
async function inWindows(engine: FakeEngine, options: DeckTestOptions): Promise<DeckOnTerminal> {
	const deck = await DeckOnTerminal.open(engine, options);
	await deck.press('j', 'j', 'enter');
	await deck.until(/Users/);
	await deck.press('j', 'j', 'enter');
	await deck.until(/System32/);
	return deck;
}

const scenes: readonly Scene[] = [
	{
		name: 'deck',
		play: async (options) => {
			const engine = new FakeEngine();
			const deck = await inWindows(engine, options);
			await deck.press('j', 'j', 'j', 'j', 'j', 'space', 'space', 'k', 'k', 'k');
			engine.jobs.set(JOBS);
			await deck.until((options.rows ?? 24) < 18 ? /41%/ : /export/);
			return deck;
		},
	},
	{
		name: 'images',
		play: async (options) => DeckOnTerminal.open(new FakeEngine(), options),
	},
	{
		name: 'damage',
		play: async (options) => {
			const engine = new FakeEngine();
			const deck = await DeckOnTerminal.open(engine, options);
			engine.jobs.set([{ ...JOBS[1]!, state: 'done', endedMs: 41_000 }]);
			await deck.until(/!1|damaged/);
			await deck.press('!');
			await deck.until(/ERR/);
			return deck;
		},
	},
	{
		name: 'details',
		play: async (options) => {
			const deck = await inWindows(new FakeEngine(), options);
			await deck.press('j', 'j', 'j', 'j', 'j', 'j', 'enter');
			await deck.until(/9f0c2a/);
			return deck;
		},
	},
	{
		name: 'help',
		play: async (options) => {
			const deck = await inWindows(new FakeEngine(), options);
			await deck.press('?');
			await deck.until(/Keys/);
			return deck;
		},
	},
	{
		name: 'palette',
		play: async (options) => {
			const deck = await inWindows(new FakeEngine(), options);
			await deck.press(':', 'ex');
			await deck.until(/: ex/);
			return deck;
		},
	},
	{
		name: 'extract',
		play: async (options) => {
			const deck = await inWindows(new FakeEngine(), options);
			await deck.press('e');
			await deck.until(/Extract files/);
			if ((options.rows ?? 24) > 12) await deck.until(/118 G free/);
			return deck;
		},
	},
	{
		name: 'quit',
		play: async (options) => {
			const engine = new FakeEngine();
			const deck = await DeckOnTerminal.open(engine, options);
			engine.jobs.set(JOBS);
			await deck.until(/41%/);
			await deck.press('q');
			await deck.until(/Stay/);
			return deck;
		},
	},
	{
		name: 'start',
		play: async (options) => {
			const engine = new FakeEngine();
			engine.found = FOUND;
			const deck = await DeckOnTerminal.open(engine, { ...options, path: '/srv/sources' });
			await deck.until(/install/);
			return deck;
		},
	},
	{
		name: 'preview',
		play: async (options) => {
			const deck = await inWindows(new FakeEngine(), options);
			await deck.press('/', 'win.ini', 'enter', 'x');
			await deck.until(/extensions/);
			return deck;
		},
	},
	{
		name: 'filter',
		play: async (options) => {
			const deck = await inWindows(new FakeEngine(), options);
			await deck.press('/', '*.exe');
			await deck.until(/FILTER/);
			return deck;
		},
	},
	{
		name: 'unreadable',
		play: async (options) => {
			const file = new FakeFile();
			file.unreadable.add(1);
			const deck = await DeckOnTerminal.open(new FakeEngine(file), options);
			await deck.press('enter');
			await deck.until(/DAMAGE|Damage/);
			return deck;
		},
	},
];

testScreens(scenes);

test('below 40x10 one line says so and jobs go on', async () => {
	const engine = new FakeEngine();
	const deck = await DeckOnTerminal.open(engine, { columns: 38, rows: 8 });
	engine.jobs.set(JOBS);
	await deck.until(/j:2/);
	assertGolden('too-small', deck.screen());
	deck.close();
});
