import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inWindows, withDeck } from '../../support/deck.ts';
import { FakeEngine, FakeFile, IMAGES } from '../../support/fake-engine.ts';

// What a screen of 120x40 shows beyond that of 80x24 (tui.md 3.3).

const WIDE = { columns: 120, rows: 40 };

const timesRead = ({ contentReads }: FakeFile, name: string): number =>
	contentReads.filter((one) => one === name).length;

test('the first bytes of a file stand below its facts, in few rows', () => {
	const file = new FakeFile();
	return withDeck(
		async (deck) => {
			await inWindows(deck);
			await deck.press('/', 'win.ini', 'enter');
			const screen = await deck.until(/sha1[\s\S]* 00000000 {2}3B 20 66 6F 72 20/);
			assert.match(screen, / 00000006 {2}/);
			assert.ok((screen.match(/ 000000[0-9A-F]{2} {2}/g) ?? []).length <= 8);
			await deck.quiet();
			assert.equal(timesRead(file, 'win.ini'), 1);
			// The same bytes serve the hex view.
			await deck.press('3', 'x');
			await deck.until((text) => /hex/.test(text) && !/sha1/.test(text));
			await deck.quiet();
			assert.equal(timesRead(file, 'win.ini'), 1);
		},
		WIDE,
		new FakeEngine(file),
	);
});

test('nothing is read for it where much must be unpacked; x reads it all the same', () => {
	const file = new FakeFile();
	file.slowStarts.add('win.ini');
	return withDeck(
		async (deck) => {
			await inWindows(deck);
			await deck.press('/', 'win.ini', 'enter');
			await deck.until(/win\.ini[\s\S]*sha1/);
			await deck.quiet();
			assert.doesNotMatch(deck.screen(), /00000000/);
			assert.equal(timesRead(file, 'win.ini'), 0);
			await deck.press('3', 'x');
			await deck.until(/00000000 {2}3B 20/);
		},
		WIDE,
		new FakeEngine(file),
	);
});

test('beside Files at 80x24 the facts have the pane for themselves', () => {
	const file = new FakeFile();
	return withDeck(
		async (deck) => {
			await inWindows(deck);
			await deck.press('/', 'win.ini', 'enter', '3');
			await deck.until(/sha1/);
			await deck.quiet();
			assert.doesNotMatch(deck.screen(), /00000000/);
			assert.deepEqual(file.contentReads, []);
		},
		{},
		new FakeEngine(file),
	);
});

test('hard links are counted once the metadata of the image was read; before, their bytes are told', () => {
	const file = new FakeFile();
	return withDeck(
		async (deck) => {
			await deck.until(/hard links 3\.0G[\s\S]*hard link 3,221,225,472 bytes/);
			file.linkCounts.set(2, 41_220);
			await deck.press('j');
			assert.match(await deck.until(/hard links 41,220/), />2/);
			assert.doesNotMatch(deck.screen(), /3\.0G|,472 bytes/);
		},
		WIDE,
		new FakeEngine(file),
	);
});

test('a few bytes of hard links do not look like their count', () => {
	const images = IMAGES.map((image) => ({ ...image, hardLinkBytes: 3 }));
	const file = new FakeFile({}, images);
	return withDeck(
		async (deck) => {
			await deck.until(/hard links 3 bytes/);
		},
		WIDE,
		new FakeEngine(file),
	);
});

test('folders and links are not called empty files', () =>
	withDeck(
		async (deck) => {
			await deck.press('enter');
			await deck.until(/Users/);
			await deck.press('3', 'x', '2');
			await deck.until(/ a folder has no content/);
			await deck.press('/', 'Documents', 'enter');
			await deck.until(/ a link has no content/);
			await deck.press('x');
			await deck.until(/│ a link has no content +│/);
		},
		{ columns: 120, rows: 40 },
	));
