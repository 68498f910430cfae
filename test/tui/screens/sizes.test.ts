import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SizeListing } from '../../../source/tui/engine-views.ts';
import { sizeSteps } from '../../../source/tui/state/sizes.ts';
import { DeckOnTerminal, type DeckTestOptions } from '../../support/deck.ts';
import { FakeEngine, FakeFile } from '../../support/fake-engine.ts';
import { type Scene, testScreens } from '../../support/scenes.ts';

async function inSizes(options: DeckTestOptions = {}, file?: FakeFile): Promise<DeckOnTerminal> {
	const deck = await DeckOnTerminal.open(new FakeEngine(file), options);
	await deck.press('%');
	await deck.quiet();
	return deck;
}

const scenes: readonly Scene[] = [
	{ name: 'sizes', play: inSizes },
	{
		name: 'sizes-folder',
		play: async (options) => {
			const deck = await inSizes(options);
			await deck.press('enter');
			await deck.until(/explorer/);
			await deck.press('j', 's', 'n');
			return deck;
		},
	},
	{
		name: 'sizes-empty',
		play: async (options) => {
			const deck = await inSizes(options);
			await deck.press('/', 'nothing like it', 'enter');
			return deck;
		},
	},
	{
		name: 'sizes-failed',
		play: async (options) => {
			const file = new FakeFile();
			file.unreadable.add(1);
			return inSizes(options, file);
		},
	},
];

testScreens(scenes);

const names = (deck: DeckOnTerminal): string[] =>
	deck.terminal
		.lines()
		.slice(3, -2)
		.map((line) => line.trimEnd().split(/ {1,}/).at(-1) ?? '')
		.filter((name) => name !== '');

test('the largest comes first; s and a letter sort otherwise, again reverses', async () => {
	const deck = await inSizes();
	assert.deepEqual(names(deck).slice(0, 2), ['Windows/', 'Settings']);
	await deck.press('s');
	assert.match(deck.screen(), /SORT {2}s size {2}p stored {2}f files {2}n name/);
	await deck.press('n');
	await deck.until(/NAME\^/);
	assert.equal(names(deck)[0], 'Settings');
	await deck.press('s', 'n');
	await deck.until(/NAMEv/);
	assert.equal(names(deck)[0], 'Windows/');
	deck.close();
});

test('h goes up with the cursor on the folder that it leaves; the top says that it is', async () => {
	const deck = await inSizes();
	await deck.press('enter');
	await deck.until(/System32/);
	await deck.press('enter');
	await deck.until(/kernel32/);
	await deck.press('h');
	await deck.until(/> .*System32\//);
	await deck.press('h');
	await deck.until(/> .*Windows\//);
	await deck.press('h');
	await deck.until(/This is the top of the image/);
	deck.close();
});

test('o shows the entry in Files, % and q lead back', async () => {
	const deck = await inSizes();
	await deck.press('enter');
	await deck.until(/explorer/);
	await deck.press('j', 'o');
	await deck.until(/\[2 Files\] 1: \\Windows\\/);
	assert.match(deck.screen(), /> explorer\.exe/);
	await deck.press('%');
	await deck.until(/\[Sizes\] 1: \\Windows\\/);
	await deck.press('q');
	await deck.until(/\[2 Files\]/);
	assert.deepEqual(deck.exits, []);
	deck.close();
});

test('from Files it measures the folder under the cursor', async () => {
	const deck = await DeckOnTerminal.open(new FakeEngine());
	await deck.press('enter');
	await deck.until(/Users/);
	await deck.press('j', 'j', '%');
	await deck.until(/\[Sizes\] 1: \\Windows\\/);
	deck.close();
});

test('after the damage view Esc leads back to the deck, not in circles', async () => {
	const deck = await inSizes();
	await deck.press('!');
	await deck.until(/\[Damage\]/);
	await deck.press('esc');
	await deck.until(/\[1 Images\]/);
	deck.close();
});

test('300,000 rows are sorted in slices to the order of one sort', () => {
	const count = 300_000;
	const listing: SizeListing = {
		imageIndex: 1,
		folder: 0,
		parent: 0,
		path: '\\',
		positions: Int32Array.from({ length: count }, (_, i) => i + 1),
		names: Array.from({ length: count }, (_, i) => `f${(i * 7919) % count}`),
		kinds: new Uint8Array(count),
		sizes: Float64Array.from({ length: count }, (_, i) => (i * 104_729) % 1_000_003),
		packed: new Float64Array(count),
		files: new Float64Array(count).fill(1),
		total: { size: 0, packed: 0, files: count, folders: 0 },
	};
	const steps = sizeSteps(listing, { key: 'size', descending: true });
	let slices = 0;
	let step = steps.next();
	for (; !step.done; step = steps.next()) slices++;
	assert.ok(slices > 50, String(slices));
	const { value } = step;
	for (let i = 1; i < count; i++)
		assert.ok(listing.sizes[value[i - 1]!]! >= listing.sizes[value[i]!]!);
});

test('a marked folder counts as everything below it', async () => {
	const deck = await DeckOnTerminal.open(new FakeEngine());
	await deck.press('enter');
	await deck.until(/Users/);
	await deck.press('j', 'j', 'space');
	await deck.until(/1 marked: 40 files, 65 M/);
	await deck.press('space');
	await deck.until(/2 marked: 41 files, 65 M/);
	await deck.press('U');
	await deck.until((screen) => !/marked/.test(screen));
	deck.close();
});
