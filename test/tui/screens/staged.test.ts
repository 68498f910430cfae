import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InputError } from '../../../source/base/errors.ts';
import { stageDeletions } from '../../../source/tui/state/staged.ts';
import { DeckOnTerminal, type DeckTestOptions } from '../../support/deck.ts';
import { FakeEngine, FakeFile, jobView } from '../../support/fake-engine.ts';
import { type Scene, testScreens } from '../../support/scenes.ts';

interface Staging {
	readonly deck: DeckOnTerminal;
	readonly engine: FakeEngine;
}

/** In `\Windows` of the first image, with a file of this machine to add. */
async function inWindows(options: DeckTestOptions = {}, file?: FakeFile): Promise<Staging> {
	const engine = new FakeEngine(file);
	engine.folders.add('/srv/new');
	engine.files.set('/srv/new.dll', new FakeFile());
	engine.files.set('/srv/win.ini', new FakeFile());
	const deck = await DeckOnTerminal.open(engine, options);
	await deck.press('enter');
	await deck.until(/Users/);
	await deck.press('j', 'j', 'enter');
	await deck.until(/System32/);
	return { deck, engine };
}

const CLEAR = '\x15';
const SUBMIT = '\x18';

async function add({ deck }: Staging, source: string): Promise<void> {
	await deck.press('a');
	await deck.until(/Add a file or folder/);
	await deck.press(CLEAR, source, SUBMIT);
	await deck.settle();
}

/** Goes to an entry of the folder by its name. */
async function to({ deck }: Staging, name: string): Promise<void> {
	await deck.press('/', `=${name}`, 'enter');
	await deck.press('esc');
	await deck.settle();
}

/** One of each: added, replaced, deleted, renamed; a folder too. */
async function allKinds(options: DeckTestOptions = {}): Promise<Staging> {
	const staging = await inWindows(options);
	const { deck } = staging;
	await add(staging, '/srv/new.dll');
	await add(staging, '/srv/win.ini');
	await add(staging, '/srv/new');
	await to(staging, 'Fonts');
	await deck.press('D');
	await to(staging, 'notepad.exe');
	await deck.press('r');
	await deck.until(/Rename or move/);
	await deck.press(CLEAR, 'editor.exe', SUBMIT);
	await deck.quiet();
	return staging;
}

const scenes: readonly Scene[] = [
	{ name: 'staged-files', play: async (options) => (await allKinds(options)).deck },
	{
		name: 'staged',
		play: async (options) => {
			const { deck } = await allKinds(options);
			await deck.press('C');
			await deck.until(/\[Staged\]/);
			return deck;
		},
	},
	{
		name: 'staged-add',
		play: async (options) => {
			const { deck } = await inWindows(options);
			await deck.press('a');
			await deck.until(/Add a file or folder/);
			return deck;
		},
	},
	{
		name: 'staged-commit',
		play: async (options) => {
			const { deck } = await allKinds(options);
			await deck.press('C', 'c');
			await deck.until(/Commit 5 staged changes/);
			return deck;
		},
	},
	{
		name: 'staged-leave',
		play: async (options) => {
			const { deck } = await allKinds(options);
			await deck.press('q');
			await deck.until(/not committed/);
			return deck;
		},
	},
	{
		name: 'staged-images',
		play: async (options) => {
			const { deck } = await twoImages(options);
			await deck.press('C');
			await deck.until(/\[Staged\]/);
			return deck;
		},
	},
	{
		name: 'staged-commit-images',
		play: async (options) => {
			const { deck } = await twoImages(options);
			await deck.press('C', 'c');
			await deck.until(/Commit 7 staged changes/);
			return deck;
		},
	},
	{
		name: 'staged-failed',
		play: async (options) => {
			const { deck, engine } = await allKinds(options);
			await deck.press('C', 'c');
			await deck.until(/Commit 5/);
			await deck.press(SUBMIT);
			await deck.until(/being commit| j1/);
			const [job] = engine.jobs.list();
			engine.jobs.update(job!.id, {
				state: 'failed',
				endedMs: 1,
				summary:
					'Cannot rename "/Windows/notepad.exe" to "/Windows/editor.exe": there is a file. Nothing was changed: all commands count, or none.',
			});
			await deck.until(/! \\Windows\\notepad|! .*notepad/);
			await deck.press('j', 'j', 'j', 'j');
			await deck.quiet();
			return deck;
		},
	},
];

testScreens(scenes);

const commandsOf = (engine: FakeEngine): unknown => {
	const commands = engine.jobs.started.at(-1)?.values['commands'];
	return (commands as readonly string[]).map((text) => JSON.parse(text));
};

test('a commit sends everything in one request, and success empties the list', async () => {
	const { deck, engine } = await allKinds();
	await deck.press('C', 'c');
	await deck.until(/Commit 5/);
	await deck.press(SUBMIT);
	await deck.until(/being committed/);
	assert.equal(engine.jobs.started.length, 1);
	assert.deepEqual(commandsOf(engine), [
		{ type: 'image', image: '1' },
		{ type: 'delete', path: '/Windows/Fonts' },
		{ type: 'rename', from: '/Windows/notepad.exe', to: '/Windows/editor.exe' },
		{ type: 'add', source: '/srv/new.dll', target: '/Windows/new.dll' },
		{ type: 'add', source: '/srv/win.ini', target: '/Windows/win.ini' },
		{ type: 'add', source: '/srv/new', target: '/Windows/new' },
	]);
	await deck.press('d');
	await deck.until(/being committed/);
	engine.jobs.update(1, { state: 'done', endedMs: 2, summary: 'done' });
	await deck.until(/Committed 5 changes/);
	assert.equal(deck.app.store.get().staged.changes.length, 0);
	await deck.press('q');
	assert.deepEqual(deck.exits, [0]);
	deck.close();
});

test('one change is dropped, all are discarded after a question', async () => {
	const { deck } = await allKinds();
	await deck.press('C', 'd');
	await deck.until(/4 staged/);
	assert.doesNotMatch(deck.screen(), /new\.dll/);
	await deck.press('D');
	await deck.until(/4 staged changes not committed/);
	await deck.press('enter');
	await deck.until(/\[Staged\]/);
	await deck.press('D', 'right', 'right', 'enter');
	await deck.until(/\[2 Files\]/);
	assert.doesNotMatch(deck.screen(), /editor/);
	assert.deepEqual(deck.app.store.get().staged.changes, []);
	deck.close();
});

test('D again takes a deletion back, on an addition it takes that back', async () => {
	const staging = await inWindows();
	const { deck } = staging;
	await to(staging, 'win.ini');
	await deck.press('D');
	await deck.until(/-[ >]win\.ini/);
	await deck.press('D');
	await deck.until((screen) => !/-[ >]win\.ini/.test(screen));
	await add(staging, '/srv/new.dll');
	await deck.until(/\+ new\.dll/);
	await to(staging, 'new.dll');
	await deck.press('D');
	await deck.until((screen) => !/new\.dll/.test(screen.split('\n').slice(1, -2).join('\n')));
	deck.close();
});

test('a folder that is deleted marks what is in it; nothing can be added there', async () => {
	const staging = await inWindows();
	const { deck } = staging;
	await to(staging, 'System32');
	await deck.press('D', 'enter');
	await deck.until(/- .*kernel32/);
	await add(staging, '/srv/new.dll');
	await deck.until(/is staged to be deleted/);
	deck.close();
});

test('conflicts stand on the field: missing sources, taken names, missing folders', async () => {
	const staging = await inWindows();
	const { deck } = staging;
	await add(staging, '/srv/none');
	await deck.until(/there is no such file or folder/);
	await deck.press('esc');
	await to(staging, 'win.ini');
	for (const [name, reason] of [
		['write.exe', /already; delete it first/],
		['\\none\\win.ini', /no such folder in the image/],
		['win.ini', /its name already/],
	] as const) {
		await deck.press('r');
		await deck.until(/Rename or move/);
		await deck.press(CLEAR, name, SUBMIT);
		await deck.until(reason);
		await deck.press('esc');
	}
	assert.deepEqual(deck.app.store.get().staged.changes, []);
	deck.close();
});

/** The one of each, and in image 2 a file deleted and the same one added. */
async function twoImages(options: DeckTestOptions = {}): Promise<Staging> {
	const staging = await allKinds(options);
	const { deck } = staging;
	await deck.press(']');
	await deck.until(/ 2: .*Windows/);
	await add(staging, '/srv/new.dll');
	await deck.until(/6 staged/);
	await to(staging, 'win.ini');
	await deck.press('D');
	await deck.until(/7 staged/);
	return staging;
}

test('changes of several images are shown by image, and committed in one run', async () => {
	const { deck, engine } = await twoImages();
	const names = ['Fonts', 'notepad', 'win.ini'];
	const marked = (): string[] =>
		deck
			.screen()
			.split('\n')
			.flatMap((line) => /[-~+][ >]([\w.]+)/.exec(line)?.[1] ?? [])
			.filter((name) => names.some((known) => name.startsWith(known)));
	await deck.until(/-[ >]win\.ini/);
	assert.deepEqual(marked(), ['win.ini'], 'image 2 shows its own changes only');
	await deck.press('C', 'c');
	await deck.until(/Commit 7 staged changes/);
	assert.match(deck.screen(), /Image 1 +\+3 -1 ~1;/);
	assert.match(deck.screen(), /Image 2 +\+1 -1;/);
	assert.match(deck.screen(), /In all +\+4 -2 ~1;/);
	await deck.press(SUBMIT);
	await deck.until(/being committed/);
	assert.deepEqual(
		(commandsOf(engine) as { type: string; image?: string }[]).map(
			({ type, image }) => image ?? type,
		),
		['1', 'delete', 'rename', 'add', 'add', 'add', '2', 'delete', 'add'],
	);
	assert.deepEqual(engine.jobs.started.at(-1)?.values['images'], ['1', '2']);
	engine.jobs.update(1, { state: 'done', endedMs: 2, summary: 'done' });
	await deck.until(/Committed 7 changes of 2 images/);
	deck.close();
});

test('when a change of one image fails, those of all images stay staged', async () => {
	const { deck, engine } = await twoImages();
	await deck.press('C', 'c');
	await deck.until(/Commit 7/);
	await deck.press(SUBMIT);
	await deck.until(/being committed/);
	const summary =
		'Image 2: Cannot put a file at "/Windows/new.dll". Nothing was changed: all commands count, or none.';
	engine.jobs.update(1, { state: 'failed', endedMs: 1, summary });
	await deck.until(/7 staged/);
	const failed = deck.app.store.get().staged.changes.filter(({ error }) => error !== null);
	assert.deepEqual(
		failed.map(({ imageIndex, path }) => [imageIndex, path]),
		[[2, '\\Windows\\new.dll']],
		'the one of image 1 with the same path has nothing to do with it',
	);
	deck.close();
});

test('on the line of an image, d takes back its changes and Enter shows it', async () => {
	const { deck } = await twoImages();
	await deck.press('C');
	await deck.until(/\[Staged\] 2 images/);
	await deck.press('g', 'd');
	await deck.until(/2 staged/);
	await deck.until(/\[Staged\] image 2/);
	assert.deepEqual(
		deck.app.store.get().staged.changes.map(({ imageIndex }) => imageIndex),
		[2, 2],
	);
	await deck.press('g', 'enter');
	await deck.until(/\[2 Files\] 2: \\Windows/);
	deck.close();
});

test('what was staged in several images is staged again by the next deck', async () => {
	const before = await twoImages();
	const { engine } = before;
	await before.deck.app.saved();
	before.deck.close();
	assert.deepEqual(
		engine.kept
			.get('/srv/sources/install.wim')
			?.images.map(({ index, changes }) => [index, changes.length]),
		[
			[1, 5],
			[2, 2],
		],
	);
	const deck = await DeckOnTerminal.open(engine);
	await deck.until(/7 staged changes of an earlier deck taken up/);
	await deck.press('q');
	await deck.until(/7 staged changes not committed/);
	assert.match(deck.screen(), /images 1, 2: \+4 -2 ~1/);
	deck.close();
});

test('another file asks first', async () => {
	const staging = await inWindows();
	const { deck, engine } = staging;
	await to(staging, 'win.ini');
	await deck.press('D');
	engine.files.set('/srv/other.wim', new FakeFile({ path: '/srv/other.wim' }));
	await deck.press('o');
	await deck.until(/Open a WIM/);
	await deck.press(CLEAR, '/srv/other.wim', SUBMIT);
	await deck.until(/1 staged change not committed/);
	await deck.press('right', 'right', 'enter');
	await deck.until(/other\.wim/);
	await deck.until(/\[1 Images\]/);
	assert.deepEqual(deck.app.store.get().staged.changes, []);
	deck.close();
});

test('marked entries are deleted together', async () => {
	const { deck } = await inWindows();
	await deck.press('space', 'space', 'D');
	await deck.until(/2 staged/);
	deck.close();
});

test('deleting many takes back what was staged below, and many more are staged at once', async () => {
	const staging = await inWindows();
	const { deck } = staging;
	await to(staging, 'notepad.exe');
	await deck.press('r');
	await deck.until(/Rename or move/);
	await deck.press(CLEAR, 'editor.exe', SUBMIT);
	await deck.until(/1 staged/);
	await deck.press('*');
	await deck.until(/marked/);
	await deck.press('D');
	await deck.until(/\d+ staged/);
	const state = deck.app.store.get();
	const { changes } = state.staged;
	assert.ok(changes.length > 5 && changes.every(({ type }) => type === 'delete'));
	assert.equal(new Set(changes.map(({ id }) => id)).size, changes.length);
	// 100,000 more: one after the other would take minutes.
	const drafts = Array.from({ length: 100_000 }, (_, i) => ({
		type: 'delete' as const,
		path: `\\Many\\file${i}`,
		position: 1000 + i,
		isFolder: false,
		size: 1,
		fileCount: 1,
	}));
	const many = stageDeletions(state, 1, drafts);
	assert.ok(typeof many !== 'string');
	assert.equal(many.staged.changes.length, changes.length + 100_000);
	const all = stageDeletions(many, 1, [{ ...drafts[0]!, path: '\\Many', isFolder: true }]);
	assert.ok(typeof all !== 'string');
	assert.equal(all.staged.changes.length, changes.length + 1);
	assert.equal(
		stageDeletions(many, 1, [{ ...drafts[0]!, path: '\\' }]),
		'The root of an image stays as it is',
	);
	deck.close();
});

test('with --readonly there is nothing to stage with', async () => {
	const { deck } = await inWindows({ settings: { readonly: true } });
	await deck.press('D', 'a', 'r');
	assert.deepEqual(deck.app.store.get().staged.changes, []);
	assert.doesNotMatch(deck.screen(), /Add a file/);
	deck.close();
});

test('jobs of others are no commit of ours', async () => {
	const staging = await inWindows();
	const { deck, engine } = staging;
	await to(staging, 'win.ini');
	await deck.press('D');
	engine.jobs.set([jobView(7, { verb: 'update', state: 'done', endedMs: 1 })]);
	await deck.until(/update/);
	assert.equal(deck.app.store.get().staged.changes.length, 1);
	deck.close();
});

test('what was staged when a deck ended without asking is staged again by the next', async () => {
	const before = await allKinds();
	const { engine } = before;
	const changes = before.deck.app.store.get().staged.changes;
	await before.deck.app.saved();
	before.deck.close();
	assert.equal(engine.kept.get('/srv/sources/install.wim')?.images[0]?.changes.length, 5);
	const deck = await DeckOnTerminal.open(engine);
	await deck.until(/5 staged changes of an earlier deck taken up \(C shows\)/);
	await deck.quiet();
	const strip = ({ staged }: ReturnType<typeof deck.app.store.get>) =>
		staged.changes.map(({ type, path, size }) => [type, path, size]);
	assert.deepEqual(
		strip(deck.app.store.get()),
		changes.map(({ type, path, size }) => [type, path, size]),
	);
	await deck.press('C', 'D', 'right', 'right', 'enter');
	await deck.app.saved();
	assert.equal(engine.kept.size, 0);
	deck.close();
});

test('thousands of deletions of an earlier deck are looked up one after the other', async () => {
	const { deck: first, engine } = await inWindows();
	first.close();
	const file = engine.files.get('/srv/sources/install.wim')!;
	const kept = Array.from(
		{ length: 5000 },
		(_, i) => ({ type: 'delete', path: `\\Windows\\f${i}` }) as const,
	);
	let underWay = 0;
	let most = 0;
	file.entryAt = async (_, path) => {
		most = Math.max(most, ++underWay);
		await Promise.resolve();
		underWay--;
		return { position: 7, path, isFolder: false, size: 1 };
	};
	const { guid, name } = { guid: file.facts.guid, name: file.images[0]!.name };
	engine.kept.set('/srv/sources/install.wim', {
		guid,
		images: [{ index: 1, name, changes: kept }],
	});
	const deck = await DeckOnTerminal.open(engine);
	await deck.until(/5,000 staged changes of an earlier deck taken up/);
	assert.equal(most, 1);
	deck.close();
});

test('what no longer applies is left out and told; another file under the name takes nothing', async () => {
	const { deck: first, engine } = await allKinds();
	await first.app.saved();
	first.close();
	engine.files.delete('/srv/new.dll');
	const deck = await DeckOnTerminal.open(engine);
	await deck.until(/4 staged changes of an earlier deck taken up; 1 no longer apply/);
	await deck.app.saved();
	deck.close();
	engine.files.set('/srv/sources/install.wim', new FakeFile({ guid: 'ff' }));
	const other = await DeckOnTerminal.open(engine);
	await other.until(/was for another state of this file/);
	assert.equal(other.app.store.get().staged.changes.length, 0);
	assert.equal(engine.kept.size, 0);
	other.close();
});

for (const [name, file, rebuild, problemCount, text] of [
	['left something out', {}, false, 2, /Committed 1 change but for 2 problems, see job 1/],
	['wrote the file anew', {}, true, 0, /Committed 1 change(?!.*Z in Images)/],
	['changed a pipable file', { isPipable: true }, false, 0, /Committed 1 change(?!.*Z in Images)/],
	['was in place', {}, false, 0, /Committed 1 change; Z in Images takes them back/],
] as const)
	test(`what a commit says that ${name}`, async () => {
		const engine = new FakeEngine(new FakeFile(file));
		const deck = await DeckOnTerminal.open(engine);
		await deck.press('enter');
		await deck.until(/Users/);
		await deck.press('D');
		await deck.until(/1 staged/);
		await deck.press('C', 'c');
		await deck.until(/Commit 1/);
		if (rebuild) await deck.press('space');
		await deck.press(SUBMIT);
		await deck.until(/being committed/);
		assert.equal(engine.jobs.started[0]?.values['rebuild'], rebuild);
		engine.jobs.update(1, { state: 'done', endedMs: 2, problemCount });
		await deck.until(text);
		deck.close();
	});

test('a path is staged as what it is from anywhere', async () => {
	const staging = await inWindows();
	const { deck, engine } = staging;
	engine.files.set('here.dll', new FakeFile());
	await add(staging, 'here.dll');
	await deck.until(/1 staged/);
	const [change] = deck.app.store.get().staged.changes;
	assert.equal(change?.type === 'add' && change.source, '/srv/here.dll');
	deck.close();
});

test('while a record is written only the newest state waits to be written', async () => {
	const { deck, engine } = await inWindows();
	const written: number[] = [];
	let go: () => void = () => {};
	const slow = new Promise<void>((resolve) => {
		go = resolve;
	});
	engine.staged.save = async (_, kept) => {
		written.push(kept?.images[0]?.changes.length ?? 0);
		await slow;
	};
	for (let k = 1; k <= 4; k++) {
		await deck.press('D');
		await deck.until(new RegExp(`${k} staged`));
		await deck.press('j');
	}
	go();
	await deck.app.saved();
	assert.deepEqual(written, [1, 4]);
	deck.close();
});

test('an image that cannot be read takes nothing up, the others do', async () => {
	const { deck: first, engine } = await twoImages();
	await first.app.saved();
	first.close();
	const file = engine.files.get('/srv/sources/install.wim')!;
	const { entryAt } = file;
	file.entryAt = async (index, path) => {
		if (index === 2) throw new InputError('Cannot read metadata');
		return entryAt.call(file, index, path);
	};
	const deck = await DeckOnTerminal.open(engine);
	await deck.until(/5 staged changes of an earlier deck taken up; 2 no longer apply/);
	deck.close();
});
