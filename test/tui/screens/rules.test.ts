import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeckOnTerminal, type DeckTestOptions } from '../../support/deck.ts';
import { FakeEngine, FakeFile, jobView, longListing } from '../../support/fake-engine.ts';
import { findings } from '../../support/fake-findings.ts';

// Rules of tui.md that hold in more than one view.

// Half an hour off the full hour, and without summer time.
process.env['TZ'] = 'Asia/Kolkata';

async function withDeck(
	play: (deck: DeckOnTerminal, engine: FakeEngine) => Promise<void>,
	options: DeckTestOptions = {},
	engine = new FakeEngine(),
): Promise<void> {
	const deck = await DeckOnTerminal.open(engine, options);
	try {
		await play(deck, engine);
		assert.deepEqual(deck.crashes, []);
	} finally {
		deck.close();
	}
}

const inWindows = async (deck: DeckOnTerminal): Promise<void> => {
	await deck.press('enter');
	await deck.until(/Users/);
	await deck.press('j', 'j', 'enter');
	await deck.until(/System32/);
};

const footerOf = (deck: DeckOnTerminal): string => deck.terminal.lines().at(-1) ?? '';

for (const [dates, utc, time] of [
	['utc', true, '2024-05-07 04:12:31'],
	['local', false, '2024-05-07 09:42:31'],
] as const)
	test(`dates ${dates}: Details show times as the lists do`, () =>
		withDeck(
			async (deck) => {
				await inWindows(deck);
				await deck.press('G', 'enter');
				const screen = await deck.until(/written/);
				assert.match(screen, new RegExp(`written +${time}`));
				assert.doesNotMatch(screen, /UTC/);
			},
			{ settings: { utc } },
		));

test('a check takes Space and has nothing to choose; the footer says the one and not the other', () =>
	withDeck(async (deck) => {
		await deck.press('S');
		await deck.until(/Split into SWM parts/);
		await deck.press('down', 'down');
		assert.match(footerOf(deck), /Space toggle/);
		assert.doesNotMatch(footerOf(deck), /choose/);
		await deck.press('right');
		await deck.until(/Space turns this on or off/);
		// The buttons behind the last check: Right goes through them, Space presses none.
		await deck.press('down', 'down');
		assert.match(footerOf(deck), /Right choose/);
		assert.doesNotMatch(footerOf(deck), /Space/);
	}));

test('Tab in the palette writes the whole name of the command under the cursor', () =>
	withDeck(async (deck) => {
		await deck.press(':', 'facts of', 'tab');
		await deck.until(/: Facts of the image _/);
		await deck.press('enter');
		await deck.until(/10\.0\.26100\.1/);
	}));

async function inDamage(deck: DeckOnTerminal, engine: FakeEngine): Promise<string> {
	engine.jobs.set([jobView(1, { findings: findings(), state: 'done' })]);
	await deck.until(/! 1 damaged/);
	await deck.press('!');
	return deck.until(/Finding 1/);
}

test('the damage view names what can be done next', () =>
	withDeck(async (deck, engine) => {
		const screen = await inDamage(deck, engine);
		assert.match(screen, /e extract what is readable {3}X salvage the file {3}F repair it/);
	}));

test('with --readonly the damage view offers nothing that writes', () =>
	withDeck(
		async (deck, engine) => {
			assert.doesNotMatch(await inDamage(deck, engine), /extract what|salvage the|repair it/);
		},
		{ settings: { readonly: true } },
	));

const BRIGHT_BLUE = 12;

test('folders are bright blue, and have no colour in mono', async () => {
	for (const [color, expected] of [
		['16', BRIGHT_BLUE],
		['never', null],
	] as const)
		await withDeck(
			async (deck) => {
				await inWindows(deck);
				await deck.press('G');
				const row = deck.terminal.lines().findIndex((line) => /System32\//.test(line));
				const at = deck.terminal.lines()[row]!.indexOf('System32/');
				assert.equal(deck.terminal.cells(row).find(({ x }) => x === at)?.color, expected);
			},
			{ profile: { color } },
		);
});

test('on a slow line lists scroll by half a page, whatever the configuration says', async () => {
	const firstRow = async (slow: boolean): Promise<string> => {
		let row = '';
		const file = new FakeFile();
		file.listing = longListing(200);
		await withDeck(
			async (deck) => {
				await deck.press('enter');
				await deck.until(/file-0\.dll/);
				await deck.quiet();
				const height = deck.terminal.lines().filter((line) => /file-\d+\.dll/.test(line)).length;
				await deck.press(...Array.from({ length: height }, () => 'j'));
				row = deck.terminal.lines()[2]!.split('│')[1]!;
			},
			{ settings: { scroll: 'line', slow } },
			new FakeEngine(file),
		);
		return row;
	};
	const byLine = await firstRow(false);
	const byPage = await firstRow(true);
	assert.match(byLine, /file-1\.dll|file-10\.dll/);
	assert.notEqual(byPage, byLine);
});

test('a table of facts scrolls to its last line, however its values wrap', () =>
	withDeck(
		async (deck, engine) => {
			const [, first] = findings();
			const what = Array.from({ length: 40 }, (_, i) => `word${i + 1}`).join(' ');
			engine.jobs.set([jobView(1, { findings: [{ ...first!, what }], state: 'done' })]);
			await deck.until(/!1/);
			await deck.press('!', 'enter');
			await deck.until(/word1 /);
			await deck.press('end');
			const [last] = first!.files.slice(-1);
			await deck.until((screen) => screen.includes(`image ${last!.imageIndex}`));
		},
		{ columns: 40, rows: 10 },
	));

test('a log has neither hex nor encodings, and its footer offers none', () =>
	withDeck(async (deck, engine) => {
		engine.jobs.set([jobView(1, { log: ['a line'], logCount: 1 })]);
		await deck.until(/4 Jobs/);
		await deck.press('4', 'enter');
		await deck.until(/a line/);
		assert.doesNotMatch(footerOf(deck), /hex|encoding/);
		await deck.press('x');
		await deck.until(/Hex or text: only the content of a file/);
	}));
