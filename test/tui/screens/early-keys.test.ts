import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { DeckOnTerminal } from '../../support/deck.ts';
import { FakeEngine, FakeFile } from '../../support/fake-engine.ts';

const OTHER = '/srv/sources/other.wim';

/** Something that ends when a test says so. */
function gate(): { readonly opened: Promise<void>; readonly open: () => void } {
	let open = () => {};
	const opened = new Promise<void>((resolve) => {
		open = resolve;
	});
	return { opened, open };
}

/** A deck whose file is read only when `ready` is called. */
async function onSlowDisk(t: TestContext, path?: string) {
	const engine = new FakeEngine();
	engine.files.set(OTHER, new FakeFile({ path: OTHER }));
	const disk = gate();
	engine.slowDisk = disk.opened;
	const deck = await DeckOnTerminal.open(engine, path === undefined ? {} : { path });
	t.after(() => deck.close());
	return { deck, engine, jobs: engine.jobs, ready: () => disk.open() };
}

test('keys that come before the file do what they were meant for when it is there, in their order', async (t) => {
	const { deck, jobs, ready } = await onSlowDisk(t);
	await deck.press('j', 'j', '/', 'Edu', 'enter', 'V');
	assert.match(deck.screen(), /install\.wim is being read; 8 keys wait +Esc forget/);
	assert.deepEqual(jobs.started, []);
	ready();
	await deck.until(/>5 Windows 11 Edu/);
	await deck.quiet();
	assert.deepEqual(
		jobs.started.map(({ verb }) => verb),
		['verify'],
	);
	assert.doesNotMatch(deck.screen(), /Windows 11 Pro|being read|open a file/);
});

test('Esc forgets what was typed ahead, and what needs no file works meanwhile', async (t) => {
	const { deck, jobs, ready } = await onSlowDisk(t);
	await deck.press('V');
	await deck.until(/1 key waits/);
	await deck.press('esc');
	await deck.until((screen) => !screen.includes('waits'));
	await deck.press('?');
	await deck.until(/Keys: /);
	await deck.press('esc');
	ready();
	await deck.until(/1 Windows 11 Home/);
	await deck.quiet();
	assert.deepEqual(jobs.started, []);
	await deck.press('q');
	assert.deepEqual(deck.exits, [0]);
});

test('quitting waits for no file', async (t) => {
	const { deck } = await onSlowDisk(t);
	await deck.press('q');
	assert.deepEqual(deck.exits, [0]);
});

test('keys typed for a file that cannot be opened are for no other', async (t) => {
	const { deck, jobs, ready } = await onSlowDisk(t, '/srv/sources/gone.wim');
	await deck.press('V', 'o');
	ready();
	await deck.until(/there is no such file/);
	await deck.quiet();
	assert.deepEqual(jobs.started, []);
	assert.doesNotMatch(deck.screen(), /Open a WIM/);
});

test('while another file is being opened, keys are meant for that one and not for the one that is shown', async (t) => {
	const { deck, engine, jobs, ready } = await onSlowDisk(t);
	ready();
	await deck.until(/1 Windows 11 Home/);
	await deck.quiet();
	const disk = gate();
	engine.slowDisk = disk.opened;
	await deck.press('o');
	await deck.until(/Open a WIM, ESD/);
	await deck.press('\x15', OTHER, '\x18', 'V');
	await deck.until(/other\.wim is being read; 1 key waits/);
	assert.deepEqual(jobs.started, []);
	disk.open();
	await deck.quiet();
	await deck.until(() => jobs.started.length > 0);
	assert.equal(deck.app.store.get().wim.load.request?.path, OTHER);
	assert.deepEqual(
		jobs.started.map(({ verb }) => verb),
		['verify'],
	);
});
