import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DeckOnTerminal, type DeckTestOptions, withDeck } from '../../support/deck.ts';
import { FakeEngine, FakeFile } from '../../support/fake-engine.ts';
import { type Scene, testScreens } from '../../support/scenes.ts';

/** Marks the first and the third image and compares them. */
async function compared(options: DeckTestOptions = {}, file?: FakeFile): Promise<DeckOnTerminal> {
	const deck = await DeckOnTerminal.open(new FakeEngine(file), options);
	await deck.press('space', 'j', 'space', '=');
	await deck.quiet();
	return deck;
}

async function inWindows(options: DeckTestOptions = {}): Promise<DeckOnTerminal> {
	const deck = await compared(options);
	await deck.press('j', 'enter');
	await deck.until(/explorer/);
	return deck;
}

const scenes: readonly Scene[] = [
	{ name: 'difference', play: compared },
	{
		name: 'difference-folder',
		play: async (options) => {
			const deck = await inWindows(options);
			await deck.press('j', 'j');
			await deck.until(/> ~ explorer/);
			return deck;
		},
	},
	{
		name: 'difference-flat',
		play: async (options) => {
			const deck = await compared(options);
			await deck.press('t', '+');
			return deck;
		},
	},
	{
		name: 'difference-facts',
		play: async (options) => {
			const deck = await inWindows(options);
			await deck.press('j', 'j');
			await deck.quiet();
			await deck.press('enter');
			await deck.until(/1 -> 3/);
			return deck;
		},
	},
	{
		name: 'difference-none',
		play: async (options) => {
			const file = new FakeFile();
			file.differences = [];
			return compared(options, file);
		},
	},
	{
		name: 'compare',
		play: async (options) => {
			const deck = await DeckOnTerminal.open(new FakeEngine(), options);
			await deck.press('j', '=');
			await deck.until(/Compare two images/);
			return deck;
		},
	},
];

testScreens(scenes);

test('h leads up to where the cursor was, at the top it says so', async () => {
	const deck = await inWindows();
	await deck.press('h');
	await deck.until(/> ~ Windows\//);
	await deck.press('h');
	await deck.until(/This is the top of the images/);
	deck.close();
});

test('a filter shows everything below that matches, with its path', async () => {
	const deck = await compared();
	await deck.press('/', 'w*.dll', 'enter');
	await deck.until(/\+ \\Windows\\System32\\wimdeck\.dll/);
	assert.doesNotMatch(deck.screen(), /explorer/);
	await deck.press('esc');
	await deck.until(/Users\//);
	deck.close();
});

test('a kind alone, again all', async () => {
	const deck = await inWindows();
	await deck.press('-');
	await deck.until((screen) => /only removed/.test(screen) && !/explorer/.test(screen));
	await deck.press('-');
	await deck.until(/explorer/);
	deck.close();
});

test('o leads to the image after, O to the one before; what is not there is said', async () => {
	const deck = await inWindows();
	await deck.press('j', 'j', 'o');
	await deck.until(/\[2 Files\] 3: \\Windows\\/);
	assert.match(deck.screen(), /> explorer\.exe/);
	await deck.press('1', '=');
	await deck.until(/\[Differences\] 1 -> 3/);
	await deck.press('O');
	await deck.until(/\[2 Files\] 1: \\Windows\\/);
	await deck.press('1', '=');
	await deck.until(/\[Differences\] 1 -> 3/);
	await deck.press('g', 'enter');
	await deck.until(/setupact/);
	await deck.press('O');
	await deck.until(/It is not in image 1; o shows it in image 3/);
	deck.close();
});

test('x compares the other way round', async () => {
	const deck = await compared();
	await deck.press('x');
	await deck.until(/3 -> 1/);
	deck.close();
});

test('an image that cannot be read is said', async () => {
	const file = new FakeFile();
	file.unreadable.add(1);
	const deck = await compared({}, file);
	await deck.until(/Cannot read the metadata of image 1/);
	await deck.press('q');
	await deck.until(/\[1 Images\]/);
	deck.close();
});

test('comparing an image with itself is refused on the field', async () => {
	const deck = await DeckOnTerminal.open(new FakeEngine());
	await deck.press('=');
	await deck.until(/Compare two images/);
	await deck.press('tab', 'left', '\x18');
	await deck.until(/choose another image/);
	await deck.press('right', '\x18');
	await deck.until(/\[Differences\] 1 -> 2/);
	deck.close();
});

test('a hostile name among the differences reaches no terminal', async () => {
	const deck = await compared();
	await deck.press('t');
	await deck.until(/evil\^\[\]0;x\^G\.txt/);
	assert.deepEqual(deck.terminal.events.titles, []);
	deck.close();
});

test('the image under the cursor is compared, whatever was compared before', () =>
	withDeck(async (deck) => {
		await deck.press('=');
		await deck.until(/Before +< 1 /);
		await deck.press('\x18');
		await deck.until(/\[Differences\] 1 -> 2/);
		await deck.press('q', '1', 'j', 'j', '=');
		await deck.until(/Before +< 3 /);
		await deck.press('\x18');
		await deck.until(/\[Differences\] 3 -> 4/);
	}));
