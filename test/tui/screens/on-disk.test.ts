import assert from 'node:assert/strict';
import { copyFileSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { openFile } from '../../../source/tui/engine/open-wim-file.ts';
import { inWindows, withDeck } from '../../support/deck.ts';
import { FakeEngine, FakeFile, jobView } from '../../support/fake-engine.ts';
import { fixture } from '../../support/fixture.ts';
import { tempFolder } from '../../support/temp-tree.ts';

// Other programs change and remove files that are shown: what is shown is of before, and that must be told.

test('a file that another program changed is told of after the next key, and read again with R', () => {
	const file = new FakeFile();
	return withDeck(
		async (deck) => {
			await deck.press('j');
			assert.doesNotMatch(deck.screen(), /CHANGED/);
			file.disk = 'changed';
			// Not more than once a second.
			await deck.press('k');
			assert.doesNotMatch(deck.screen(), /CHANGED/);
			deck.nowMs += 1000;
			await deck.press('j');
			const screen = await deck.until(
				/install\.wim was changed by another program: R reads it again/,
			);
			assert.match(screen, /WIM LZX 6 img 4\.8G CHANGED/);
			assert.match(screen, /^>2 Windows 11 Home N/m);
			// Said once; the header keeps it.
			deck.nowMs += 1000;
			await deck.press('j');
			await deck.until((text) => !text.includes('was changed'));
			assert.match(deck.screen(), / CHANGED/);
			file.disk = 'same';
			await deck.press('R');
			await deck.until((text) => !text.includes('CHANGED'));
		},
		{},
		new FakeEngine(file),
	);
});

test('a file that is gone is told of, in narrow screens too', () => {
	const file = new FakeFile();
	return withDeck(
		async (deck) => {
			file.disk = 'gone';
			await deck.press('j');
			await deck.until(/is gone/);
			assert.match(deck.screen(), /install\.wim.* GONE/);
		},
		{ columns: 40, rows: 12 },
		new FakeEngine(file),
	);
});

test('what a job of ours writes is no change by others', () => {
	const file = new FakeFile();
	return withDeck(
		async (deck, engine) => {
			engine.jobs.set([jobView(1, { verb: 'append', writes: [file.facts.path] })]);
			file.disk = 'changed';
			await deck.press('j');
			await deck.press('k');
			assert.doesNotMatch(deck.screen(), /CHANGED/);
		},
		{},
		new FakeEngine(file),
	);
});

test('the key that reads a file again is the one that does so here', () => {
	class Failing extends FakeEngine {
		fails = false;
		override async open(...args: Parameters<FakeEngine['open']>) {
			if (this.fails) throw new Error('it is not there');
			return super.open(...args);
		}
	}
	const engine = new Failing();
	return withDeck(
		async (deck) => {
			await inWindows(deck);
			engine.fails = true;
			await deck.press('R');
			await deck.until(/it is not there.* {3}R again {2}o other/);
			// The rename dialog has this key here.
			assert.doesNotMatch(deck.screen(), /r retry/);
		},
		{},
		engine,
	);
});

test('a file on disk is the same until its size, or its header, is another', async (t) => {
	const folder = tempFolder(t);
	const name = path.join(folder, 'a.wim');
	copyFileSync(fixture('demo/install.wim'), name);
	const file = await openFile(name, []);
	try {
		assert.equal(await file.onDisk(), 'same');
		utimesSync(name, 1, 1);
		assert.equal(await file.onDisk(), 'same');
		const bytes = readFileSync(name);
		bytes[24] = bytes[24]! ^ 1; // the GUID
		writeFileSync(name, bytes);
		assert.equal(await file.onDisk(), 'changed');
		copyFileSync(fixture('demo/install.esd'), name);
		assert.equal(await file.onDisk(), 'changed');
		rmSync(name);
		assert.equal(await file.onDisk(), 'gone');
	} finally {
		await file.close();
	}
});

test('a part of a set that is gone counts too', async (t) => {
	const folder = tempFolder(t);
	for (const part of ['split.swm', 'split2.swm'])
		copyFileSync(fixture(`demo/${part}`), path.join(folder, part));
	const file = await openFile(path.join(folder, 'split.swm'), []);
	try {
		assert.equal(await file.onDisk(), 'same');
		rmSync(path.join(folder, 'split2.swm'));
		assert.equal(await file.onDisk(), 'gone');
	} finally {
		await file.close();
	}
});
