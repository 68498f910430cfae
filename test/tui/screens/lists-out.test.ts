import assert from 'node:assert/strict';
import { copyFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { openFile } from '../../../source/tui/engine/open-wim-file.ts';
import { EntryKind } from '../../../source/tui/engine.ts';
import { type ListRows, listSteps } from '../../../source/tui/list-file.ts';
import { inWindows, withDeck } from '../../support/deck.ts';
import { FakeEngine, FakeFile } from '../../support/fake-engine.ts';
import { fixture } from '../../support/fixture.ts';
import { tempFolder } from '../../support/temp-tree.ts';

// What lists show leaves the deck: as a file, on the clipboard, as a choice of entries for a job.

function textOf(rows: ListRows, format: 'paths' | 'csv' | 'json') {
	const steps = listSteps(rows, format);
	for (;;) {
		const step = steps.next();
		if (step.done) return step.value;
	}
}

const HOSTILE: ListRows = {
	columns: ['image', 'path', 'size'],
	count: 6,
	rowAt: (at) =>
		[
			[1, '\\a.txt', 5],
			[1, '\\a, "b".txt', null],
			[1, '\\nl\nname', 1],
			[1, '\\lone\ud800', 1],
			[1, '\\ends with ', 1],
			[1, '\\名', 1],
		][at] as (string | number | null)[],
};

test('CSV quotes what needs it, JSON has an object a line', () => {
	assert.equal(
		textOf(HOSTILE, 'csv').text,
		'image,path,size\n1,\\a.txt,5\n1,"\\a, ""b"".txt",\n1,"\\nl\nname",1\n1,\\lone\ud800,1\n1,\\ends with ,1\n1,\\名,1\n',
	);
	const lines = textOf(HOSTILE, 'json').text.trimEnd().split('\n');
	assert.deepEqual(
		lines.map((line) => JSON.parse(line).path),
		Array.from({ length: 6 }, (_, at) => HOSTILE.rowAt(at)[1]),
	);
});

test('paths that no line can hold are counted, and ends of names that would be trimmed are quoted', () => {
	const { text, written, leftOut } = textOf(HOSTILE, 'paths');
	assert.equal(text, '\\a.txt\n\\a, "b".txt\n"\\ends with "\n\\名\n');
	assert.equal(written, 4);
	assert.equal(leftOut, 2);
});

const copied = (data: string): string => atob(data.replace(/^c;/, ''));
const SUBMIT = '\x18';

test('w writes the shown rows: those that pass the filter, in their order', () =>
	withDeck(async (deck, engine) => {
		await inWindows(deck);
		await deck.press('/', 'exe', 'enter', 'w');
		const screen = await deck.until(/Write this list to a file/);
		assert.match(screen, /Rows {11}6 rows, as shown/);
		await deck.press(SUBMIT);
		await deck.until(/Wrote .*install-files\.csv: 6 rows/);
		const [report] = engine.reports;
		const [head, ...rows] = report!.text.trimEnd().split('\n');
		assert.equal(head, 'image,path,kind,size,packed,attributes,written');
		assert.equal(
			rows[0],
			'1,\\Windows\\explorer.exe,file,5350000,2407500,A,2024-05-07T00:00:00.000Z',
		);
		assert.equal(rows.length, 6);
	}));

test('where rows are marked, w writes those of this list', () =>
	withDeck(async (deck, engine) => {
		await inWindows(deck);
		await deck.press('space', 'j', '\x1b[2~', 'w');
		await deck.until(/\( \) all 14 rows {2}\(\*\) the 2 marked/);
		await deck.press('tab', 'tab', 'right', 'right', SUBMIT);
		await deck.until(/Wrote .*: 2 rows/);
		assert.equal(engine.reports[0]!.text, '\\Windows\\Boot\n\\Windows\\Fonts\n');
	}));

test('sizes, differences and the images of a folder can be written too', () =>
	withDeck(async (deck, engine) => {
		await deck.press('%');
		await deck.quiet();
		await deck.press('w', SUBMIT);
		await deck.until(/Wrote .*install-sizes\.csv/);
		assert.match(
			engine.reports[0]!.text,
			/^image,path,kind,size,stored,files\n1,\\Windows,folder,/,
		);
		await deck.press('q', '=', SUBMIT);
		await deck.quiet();
		await deck.press('w', SUBMIT);
		await deck.until(/Wrote .*install-differences\.csv/);
		assert.match(engine.reports[1]!.text, /^what,path,from,differs,size before,size after\n/);
		// Folders of the tree stand for all that is below them.
		await deck.press('t', 'w', SUBMIT);
		await deck.until(/Wrote/);
		const rows = (at: number): readonly string[] => engine.reports[at]!.text.split('\n').sort();
		assert.deepEqual(rows(1), rows(2));
		await deck.press('q', ':', 'start screen', 'enter');
		await deck.quiet();
		await deck.press('w', SUBMIT);
		await deck.until(/Wrote .*-images\.csv/);
		assert.match(engine.reports[3]!.text, /^path,size,written,compression,images,/);
	}));

test('y copies the paths of all that is marked, and says when they are too many', () => {
	const file = new FakeFile();
	return withDeck(
		async (deck) => {
			await inWindows(deck);
			await deck.press('space', 'space', 'y');
			await deck.until(/Copied 2 paths/);
			assert.deepEqual(deck.terminal.events.copies.map(copied), [
				'\\Windows\\Boot\n\\Windows\\EFI',
			]);
			await deck.press('U', 'y');
			await deck.until(/Copied \\Windows\\Fonts/);
			// 40 names of 250 characters do not fit.
			file.pathOf = (_image, position) => `\\${String(position).padStart(250, 'x')}`;
			file.listing = { ...(await file.listFolder(1, 0)) };
			const count = 40;
			file.listing = {
				...file.listing,
				positions: Int32Array.from({ length: count }, (_, i) => i + 1),
				names: Array.from({ length: count }, (_, i) => `n${i}`),
				sizes: new Float64Array(count),
				packed: new Float64Array(count),
				times: new Float64Array(count),
				attributes: new Uint32Array(count),
				kinds: new Uint8Array(count).fill(EntryKind.link),
			};
			await deck.press('h');
			await deck.until(/n39/);
			await deck.press('*', 'y');
			await deck.until(/Too much for the clipboard of a terminal \(w writes a list\): 40 paths/);
		},
		{ rows: 60 },
		new FakeEngine(file),
	);
});

test('entries marked in an image that is no longer in memory can be extracted, deleted and copied', () => {
	const file = new FakeFile();
	return withDeck(
		async (deck) => {
			await inWindows(deck);
			await deck.press('space', ']');
			await deck.until(/2 Files\] 2:/);
			for (const [key, shows] of [
				['y', /Copied \\Windows\\Boot/],
				['e', /What {11}1 marked entry/],
				['D', /1 staged/],
			] as const) {
				file.evicted.add(1);
				await deck.press(key);
				await deck.until(shows);
				await deck.press('esc');
			}
		},
		{},
		new FakeEngine(file),
	);
});

test('F6, F8 and Insert do in Files what they do in other file managers', () =>
	withDeck(async (deck) => {
		await inWindows(deck);
		await deck.press('\x1b[17~');
		await deck.until(/Rename or move/);
		await deck.press('esc', '\x1b[19~');
		await deck.until(/1 staged/);
	}));

test('a file keeps few images in memory, and loads one again when asked', async (t) => {
	const name = path.join(tempFolder(t), 'a.wim');
	copyFileSync(fixture('demo/install.wim'), name);
	const file = await openFile(name, []);
	try {
		const { index } = file.images[0]!;
		assert.equal(file.isLoaded(index), false);
		assert.throws(() => file.pathOf(index, 0), /not loaded/);
		await file.load(index);
		assert.equal(file.isLoaded(index), true);
		assert.equal(file.pathOf(index, 0), '\\');
	} finally {
		await file.close();
	}
});
