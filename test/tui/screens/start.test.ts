import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FoundWim } from '../../../source/tui/engine.ts';
import { DeckOnTerminal, type DeckTestOptions } from '../../support/deck.ts';
import { FakeEngine, jobView } from '../../support/fake-engine.ts';
import { FOUND } from '../../support/fake-found.ts';
import { type Scene, testScreens } from '../../support/scenes.ts';

const summary = FOUND[0]!.summary!;

const wim = (
	path: string,
	size: number,
	more: Partial<NonNullable<FoundWim['summary']>> = {},
): FoundWim => ({
	path: `/srv/sources/${path}`,
	size,
	modified: 19_800 * 86_400_000,
	summary: { ...summary, deadBytes: 0, ...more },
	problem: null,
});

const MANY: readonly FoundWim[] = [
	wim('install.wim', 5_000_000_000, { deadBytes: 2_000_000_000 }),
	wim('old/boot.wim', 300_000_000, {
		build: '9200',
		edition: 'WindowsPE',
		hasIntegrity: false,
		imageCount: 2,
	}),
	wim('new/pro.esd', 3_000_000_000, {
		compression: 'LZMS solid',
		edition: 'Professional',
		imageCount: 1,
	}),
	wim('parts/install.swm', 900_000_000, {
		partCount: 3,
		languages: 'de-DE',
		architecture: 'arm64',
	}),
	{ ...FOUND[1]!, path: '/srv/sources/broken.wim' },
	{ path: '/srv/sources/unread.wim', size: 0, modified: null, summary: null, problem: null },
];

async function table(options: DeckTestOptions = {}): Promise<DeckOnTerminal> {
	const engine = new FakeEngine();
	engine.found = MANY;
	engine.recent.push('/srv/sources/install.wim');
	const deck = await DeckOnTerminal.open(engine, {
		...options,
		path: '/srv/sources',
		settings: { ...options.settings, remember: true },
	});
	await deck.until(/install/);
	return deck;
}

const scenes: readonly Scene[] = [
	{ name: 'start-table', play: table },
	{
		name: 'start-sorted',
		play: async (options) => {
			const deck = await table(options);
			await deck.press('s', 'd');
			return deck;
		},
	},
	{
		name: 'start-jobs',
		play: async (options) => {
			const engine = new FakeEngine();
			engine.found = MANY;
			const deck = await DeckOnTerminal.open(engine, { ...options, path: '/srv/sources' });
			await deck.until(/install/);
			engine.jobs.set([jobView(1, { doneBytes: 410 })]);
			await deck.until(/41%/);
			return deck;
		},
	},
	{
		name: 'start-recent',
		play: async (options) => {
			const deck = await table(options);
			await deck.press('f');
			return deck;
		},
	},
];

testScreens(scenes);

const names = (deck: DeckOnTerminal): string[] =>
	deck.terminal
		.lines()
		.slice(3, 9)
		.map((line) => line.slice(2).split(' ')[0] ?? '');

test('builds sort as numbers, the cursor stays on its file', async () => {
	const deck = await table();
	await deck.press('j', 's', 'b');
	await deck.until(/BUILDv/);
	assert.equal(names(deck).indexOf('old/boot.wim'), 3);
	assert.match(deck.screen(), /> old\/boot\.wim/);
	await deck.press('s', 'b');
	await deck.until(/BUILD\^/);
	assert.match(deck.screen(), /> old\/boot\.wim/);
	deck.close();
});

test('a filter looks at editions, builds and languages as well', async () => {
	const deck = await table();
	await deck.press('/', 'de-de', 'enter');
	await deck.until(/1 of 6/);
	assert.match(deck.screen(), /install\.swm/);
	deck.close();
});

test('a list that grows keeps the cursor on its file', async () => {
	const engine = new FakeEngine();
	let grow: (found: readonly FoundWim[]) => void = () => {};
	engine.findWims = async (_folder, _isDeep, onBatch, signal) => {
		grow = onBatch;
		await new Promise((resolve) => signal.addEventListener('abort', resolve));
	};
	const deck = await DeckOnTerminal.open(engine, { path: '/srv/sources' });
	grow([MANY[0]!, MANY[1]!]);
	await deck.until(/looking/);
	await deck.press('s', 's', 'j');
	await deck.until(/> old\/boot/);
	grow([MANY[0]!, MANY[1]!, MANY[2]!]);
	await deck.until(/pro\.esd/);
	assert.match(deck.screen(), /> old\/boot/);
	await deck.press('esc');
	await deck.until(/Stopped looking: 3 found/);
	grow(MANY);
	await deck.settle();
	assert.doesNotMatch(deck.screen(), /broken/);
	deck.close();
});

test('jobs have their pane on the start screen too: seen, canceled, and left again', async () => {
	const engine = new FakeEngine();
	const deck = await DeckOnTerminal.open(engine, { path: '/srv/sources' });
	await deck.until(/install/);
	await deck.press('4');
	await deck.until(/There are no jobs now; :past shows those of before/);
	await deck.press(':', 'past', 'enter');
	await deck.until(/Jobs of the past are shown/);
	engine.jobs.set([jobView(1, { verb: 'capture', title: 'C: -> new.wim', doneBytes: 410 })]);
	await deck.until(/4 Jobs[\s\S]*capture/);
	await deck.press('4');
	await deck.until(/\[4 Jobs\][\s\S]*x cancel/);
	await deck.press('x', 'right', 'enter');
	await deck.until(/canceled/);
	assert.deepEqual(engine.jobs.asked, ['cancel 1']);
	await deck.press('tab');
	await deck.until(/\[Images\][\s\S]*Enter open/);
	await deck.press('tab', 'd');
	await deck.until((screen) => !/4 Jobs/.test(screen));
	await deck.until(/\[Images\]/);
	deck.close();
});

test('what is opened is remembered only when asked for', async () => {
	for (const remember of [true, false]) {
		const engine = new FakeEngine();
		const deck = await DeckOnTerminal.open(engine, { settings: { remember } });
		await deck.quiet();
		assert.deepEqual(engine.recent, remember ? ['/srv/sources/install.wim'] : []);
		deck.close();
	}
});

test('without remember f says how to have recent files', async () => {
	const deck = await DeckOnTerminal.open(new FakeEngine(), { path: '/srv/sources' });
	await deck.until(/install/);
	await deck.press('f');
	await deck.until(/"remember": true/);
	deck.close();
});
