import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HostPath, JobRequest } from '../../../source/tui/engine.ts';
import { jobUnderCursor } from '../../../source/tui/state/selectors.ts';
import { DeckOnTerminal, type DeckTestOptions, inWindows, withDeck } from '../../support/deck.ts';
import { FakeEngine, FakeFile, IMAGES, jobView } from '../../support/fake-engine.ts';
import { findings } from '../../support/fake-findings.ts';
import { assertGolden } from '../../support/golden.ts';

const TARGET: HostPath = {
	path: '/out/pro.esd',
	exists: true,
	isFolder: false,
	isEmptyFolder: false,
	size: 3_350_000_000,
	modified: Date.UTC(2026, 9, 2, 11, 20),
	imageCount: 1,
};

/** Left and right of the keyboard, and ^U ^X. */
const CLEAR = '\x15';
const SUBMIT = '\x18';

interface Dialog {
	readonly name: string;
	/** Keys from the Images pane, cursor on the third image. */
	readonly keys: readonly string[];
	readonly title: RegExp;
	/** A field that can be wrong. */
	readonly wrong?: string;
}

const DIALOGS: readonly Dialog[] = [
	{ name: 'capture', keys: ['c'], title: /Capture a folder/, wrong: 'source' },
	{ name: 'export', keys: ['e'], title: /Export 1 image/, wrong: 'target' },
	{ name: 'apply', keys: ['a'], title: /Apply an image/, wrong: 'target' },
	{ name: 'properties', keys: ['P'], title: /Properties of image 3/, wrong: 'name' },
	{ name: 'delete', keys: ['D'], title: /Delete 1 image/ },
	{ name: 'split', keys: ['S'], title: /Split into SWM parts/, wrong: 'partSize' },
	{ name: 'join', keys: ['J'], title: /Join SWM parts/, wrong: 'first' },
	{ name: 'optimize', keys: ['O'], title: /Optimize: write/, wrong: 'chunkSize' },
	{ name: 'undo', keys: ['Z'], title: /Take back the last edit/ },
	{ name: 'verify', keys: ['T'], title: /Verify the file/, wrong: 'report' },
	{ name: 'repair', keys: ['F'], title: /Repair into a new file/, wrong: 'donor' },
	{ name: 'salvage', keys: ['X'], title: /Salvage what is left/, wrong: 'target' },
];

async function opened(
	dialog: Dialog,
	options: DeckTestOptions = {},
	engine = new FakeEngine(),
): Promise<DeckOnTerminal> {
	const deck = await DeckOnTerminal.open(engine, options);
	await deck.press('j', 'j', ...dialog.keys);
	await deck.until(dialog.title);
	return deck;
}

/** Never answers, so that the dialog stays as it opens. */
const waiting = (): FakeEngine => {
	const engine = new FakeEngine();
	engine.jobs.estimate = () => new Promise(() => {});
	return engine;
};

const VARIANTS: readonly { readonly name: string; readonly options: DeckTestOptions }[] = [
	{ name: '80x24', options: { columns: 80, rows: 24 } },
	{ name: '120x40', options: { columns: 120, rows: 40 } },
	{ name: '40x10', options: { columns: 40, rows: 10 } },
	{
		name: '80x24-ascii',
		options: { columns: 80, rows: 24, profile: { symbols: 'ascii', color: 'never' } },
	},
	{
		name: '120x40-ascii',
		options: { columns: 120, rows: 40, profile: { symbols: 'ascii', color: 'never' } },
	},
];

for (const dialog of DIALOGS) {
	const { name, wrong } = dialog;
	test(`dialog ${name} as it opens`, async () => {
		const deck = await opened(dialog, {}, waiting());
		await deck.settle();
		assertGolden(`80x24/dialog-${name}-fresh`, deck.screen());
		deck.close();
	});
	for (const { name: variant, options } of VARIANTS)
		test(`dialog ${name} with its estimate at ${variant}`, async () => {
			const deck = await opened(dialog, options);
			await deck.quiet();
			assertGolden(`${variant}/dialog-${name}`, deck.screen());
			deck.close();
		});
	if (wrong !== undefined)
		test(`dialog ${name} with an error on a field`, async () => {
			const engine = new FakeEngine();
			engine.jobs.check_ = { errors: { [wrong]: 'this is wrong' }, replaces: null };
			const deck = await opened(dialog, {}, engine);
			await deck.press(SUBMIT);
			await deck.until(/! this is wrong/);
			await deck.quiet();
			assertGolden(`80x24/dialog-${name}-error`, deck.screen());
			assert.equal(engine.jobs.started.length, 0);
			deck.close();
		});
}

const dialog = (name: string): Dialog => DIALOGS.find((one) => one.name === name)!;

async function withDialog(
	name: string,
	play: (deck: DeckOnTerminal, engine: FakeEngine) => Promise<void>,
	engine = new FakeEngine(),
): Promise<void> {
	const deck = await opened(dialog(name), {}, engine);
	try {
		await play(deck, engine);
	} finally {
		deck.close();
	}
}

const started = (engine: FakeEngine): JobRequest => {
	const [request] = engine.jobs.started;
	assert.ok(request, 'no job was started');
	return request;
};

test('capture: all that is typed and chosen reaches the job', () =>
	withDialog('capture', async (deck, engine) => {
		await deck.press(CLEAR, '/data', 'down', CLEAR, '/out/new.wim', 'down', 'right', 'down');
		await deck.press('Data', 'down', 'right', 'right', SUBMIT);
		await deck.until(/Job 1 started/);
		const { verb, values } = started(engine);
		assert.equal(verb, 'capture');
		assert.equal(values['source'], '/data');
		assert.equal(values['target'], '/out/new.wim');
		assert.equal(values['exists'], 'replace');
		assert.equal(values['name'], 'Data');
		assert.equal(values['compression'], 'xpress:20');
		assert.equal(values['exclude'], 'usual');
	}));

test('Tab completes a folder to folders only, lists several, and then moves on', () =>
	withDialog('capture', async (deck, engine) => {
		engine.hostNames.push(
			{ name: 'data', isFolder: true },
			{ name: 'data.txt', isFolder: false },
			{ name: 'dark', isFolder: true },
		);
		await deck.press(CLEAR, '/srv/d', 'tab');
		await deck.until(/data\/ {2}dark\//);
		assert.match(deck.screen(), /Source folder {2}\/srv\/da/);
		assert.doesNotMatch(deck.screen(), /data\.txt/);
		await deck.press('tab', CLEAR, '/out/x.wim');
		await deck.until(/Target file {4}\/out\/x\.wim/);
		assert.match(deck.screen(), /Source folder {2}\/srv\/da/);
	}));

test('Tab passes a path that is whole, and completes what was typed once', () =>
	withDialog('capture', async (deck, engine) => {
		engine.hostNames.push({ name: 'new.wim', isFolder: false });
		await deck.press(CLEAR, '/data', 'down', CLEAR, '/out/n', 'tab');
		await deck.until(/Target file {4}\/out\/new\.wim/);
		await deck.press('tab', 'right');
		await deck.until(/\(\*\) replace/);
		// Back on the path, which nobody changed: on it goes.
		await deck.press('S-tab', 'tab', 'right');
		await deck.until(/\(\*\) ask/);
		// One folder in another: the second Tab does not go on into it.
		engine.hostNames.splice(0, 1, { name: 'sub', isFolder: true });
		await deck.press('up', CLEAR, '/out/s', 'tab');
		await deck.until(/Target file {4}\/out\/sub\//);
		await deck.press('tab', 'left');
		await deck.until(/\(\*\) replace/);
	}));

test('Enter in a form that writes nothing is enough', async () => {
	const engine = new FakeEngine();
	const deck = await DeckOnTerminal.open(engine, { path: '/srv/sources' });
	await deck.until(/install/);
	await deck.press('o', CLEAR, '/srv/sources/install.wim', 'enter');
	await deck.until(/1 Images/);
	deck.close();
});

test('export takes the marked images, and with several there is no name to give', async () => {
	const engine = new FakeEngine();
	const deck = await DeckOnTerminal.open(engine);
	await deck.press('space', 'space', 'e');
	const screen = await deck.until(/Export 2 images/);
	assert.doesNotMatch(screen, /Name there/);
	await deck.press(SUBMIT);
	await deck.until(/Job 1 started/);
	assert.deepEqual(started(engine).values['images'], [1, 2]);
	deck.close();
});

test('replacing a file asks, the safe button first, and Enter on it keeps the file', () =>
	withDialog('export', async (deck, engine) => {
		engine.jobs.check_ = { errors: {}, replaces: { path: '/out/pro.esd', facts: TARGET } };
		await deck.press('down', 'left', SUBMIT);
		await deck.until(/Replace pro.esd/);
		await deck.quiet();
		assertGolden('80x24/dialog-replace', deck.screen());
		await deck.press('enter');
		await deck.until(/Export 1 image/);
		assert.equal(engine.jobs.started.length, 0);
		await deck.press(SUBMIT);
		await deck.until(/Replace pro.esd/);
		await deck.press(SUBMIT, 'right', 'enter');
		await deck.until(/Job 1 started/);
		assert.equal(started(engine).values['exists'], 'replace');
	}));

test('a file with several images asks for the word before it is replaced', () =>
	withDialog('export', async (deck, engine) => {
		const facts = { ...TARGET, imageCount: 2 };
		engine.jobs.check_ = { errors: {}, replaces: { path: '/out/all.wim', facts } };
		await deck.press('down', 'left', SUBMIT);
		await deck.until(/Type "replace"/);
		await deck.press('tab', 'enter');
		assert.equal(engine.jobs.started.length, 0);
		await deck.press('replace', 'enter');
		await deck.until(/Job 1 started/);
	}));

test('a file that exists is added to or replaced as the question is answered', () =>
	withDialog('export', async (deck, engine) => {
		engine.jobs.check_ = { errors: {}, replaces: { path: '/out/pro.wim', facts: TARGET } };
		await deck.press(SUBMIT);
		await deck.until(/pro.wim exists/);
		await deck.quiet();
		assertGolden('80x24/dialog-exists', deck.screen());
		await deck.press('right', 'enter');
		await deck.until(/Job 1 started/);
		assert.equal(started(engine).values['exists'], 'append');
	}));

test('a file that is to be added to is checked for that; the error stands on the field', () =>
	withDialog('export', async (deck, engine) => {
		const replaces = { path: '/out/pro.wim', facts: TARGET };
		engine.jobs.check = async ({ values }) =>
			values['exists'] === 'append'
				? { errors: { name: 'image 1 of the target has this name already' }, replaces: null }
				: { errors: {}, replaces };
		await deck.press(SUBMIT);
		await deck.until(/pro.wim exists/);
		await deck.press('right', 'enter');
		await deck.until(/! image 1 of the target has this name already/);
		assert.equal(engine.jobs.started.length, 0);
		await deck.press(SUBMIT);
		await deck.until(/pro.wim exists/);
		await deck.press('right', 'right', 'enter');
		await deck.until(/Job 1 started/);
		assert.equal(started(engine).values['exists'], 'replace');
	}));

test('^X in the delete dialog leads to the question, never past it', () =>
	withDialog('delete', async (deck, engine) => {
		await deck.quiet();
		await deck.press(SUBMIT);
		await deck.until(/#3 Windows 11 Pro/);
		assertGolden('80x24/dialog-delete-sure', deck.screen());
		await deck.press(SUBMIT, 'enter');
		assert.equal(engine.jobs.started.length, 0);
		await deck.press(SUBMIT);
		await deck.until(/Keep/);
		await deck.press('right', 'enter');
		await deck.until(/Job 1 started/);
		const { verb, values } = started(engine);
		assert.equal(verb, 'delete');
		assert.deepEqual(values['images'], [3]);
		assert.equal(values['how'], 'soft');
	}));

test('Enter on a fresh delete or undo dialog closes it: the safe button has the focus', async () => {
	for (const name of ['delete', 'undo'])
		await withDialog(name, async (deck, engine) => {
			await deck.press('enter');
			await deck.until((screen) => !dialog(name).title.test(screen));
			assert.equal(engine.jobs.started.length, 0);
		});
});

test('properties: only what was changed is new, and a changed file forgets what was typed', () =>
	withDialog('properties', async (deck, engine) => {
		await deck.press(CLEAR, 'Pro', SUBMIT);
		await deck.until(/Job 1 started/);
		const { values } = started(engine);
		assert.equal(values['name'], 'Pro');
		assert.equal(values['name before'], 'Windows 11 Pro');
		assert.deepEqual(
			values['taken'],
			IMAGES.filter(({ index }) => index !== 3).map(({ name }) => name),
		);
	}));

test('the letters and arrows of the part size are presets', () =>
	withDialog('split', async (deck, engine) => {
		await deck.press('down', 'd');
		await deck.until(/4400/);
		await deck.press('right');
		await deck.until(/690/);
		await deck.press('f', SUBMIT);
		await deck.until(/Job 1 started/);
		assert.equal(started(engine).values['partSize'], 3800);
	}));

test('an estimate for older values is dropped, and Start does not wait for one', async () => {
	const engine = new FakeEngine();
	const asked: { request: JobRequest; signal: AbortSignal }[] = [];
	engine.jobs.estimate = (request, signal) => {
		asked.push({ request, signal });
		return new Promise(() => {});
	};
	await withDialog(
		'split',
		async (deck) => {
			await deck.until(() => asked.length === 1);
			await deck.press('down', 'd');
			await deck.until(() => asked.length === 2);
			assert.equal(asked[0]?.signal.aborted, true);
			assert.equal(asked[1]?.signal.aborted, false);
			assert.match(deck.screen(), /\.\.\./);
			await deck.press(SUBMIT);
			await deck.until(/Job 1 started/);
			assert.equal(asked[1]?.signal.aborted, true);
		},
		engine,
	);
});

test('a file that may not be written refuses what changes it, with the reason', async () => {
	const file = new FakeFile();
	Object.assign(file, { facts: { ...file.facts, whyReadonly: 'this file cannot be written' } });
	const engine = new FakeEngine(file);
	const deck = await DeckOnTerminal.open(engine);
	assert.match(deck.screen(), / RO/);
	for (const key of ['D', 'O', 'Z', 'P']) {
		await deck.press(key);
		await deck.until(/this file cannot be written/);
		await deck.press('j');
	}
	// What reads it is still there.
	await deck.press('S');
	await deck.until(/Split into/);
	deck.close();
});

test('a part of a set is neither changed nor staged for', () =>
	withDeck(
		async (deck) => {
			for (const key of ['D', 'O', 'Z', 'P']) {
				await deck.press(key);
				await deck.until(/part of a set: join it first \(J\)/);
				await deck.press('j');
			}
			await inWindows(deck);
			for (const key of ['a', 'D', 'r']) {
				await deck.press(key);
				await deck.until(/part of a set: join it first \(J\)/);
				await deck.press('j');
			}
		},
		{},
		new FakeEngine(new FakeFile({ partCount: 3 })),
	));

for (const ending of ['wim', 'esd'])
	test(`the capture dialog proposes the open .${ending} to be added to`, () =>
		withDeck(
			async (deck) => {
				await deck.press('c');
				const screen = await deck.until(/Capture a folder/);
				assert.match(screen, new RegExp(`Target file +/srv/sources/install\\.${ending}`));
				assert.match(screen, /\(\*\) append/);
			},
			{ path: `/srv/sources/install.${ending}` },
			new FakeEngine(new FakeFile({ path: `/srv/sources/install.${ending}` })),
		));

test('the capture dialog proposes a new file where the open one is marked as read-only', () =>
	withDeck(
		async (deck) => {
			await deck.press('c');
			await deck.until(/Target file +\/srv\/sources\/new\.wim/);
		},
		{},
		new FakeEngine(new FakeFile({ whyReadonly: 'marked as read-only' })),
	));

test('--readonly takes away every command that writes', async () => {
	const engine = new FakeEngine();
	const deck = await DeckOnTerminal.open(engine, { settings: { readonly: true } });
	for (const { keys } of DIALOGS.filter(({ name }) => name !== 'verify')) {
		await deck.press(...keys);
		assert.equal(deck.app.store.get().dialogs.length, 0, keys.join(' '));
	}
	await deck.press(':', 'Split');
	await deck.until(/0 of/);
	deck.close();
});

test('--readonly neither cleans up after jobs nor runs those again that write', async () => {
	const engine = new FakeEngine();
	const deck = await DeckOnTerminal.open(engine, { settings: { readonly: true } });
	engine.jobs.set([
		jobView(-1, {
			label: '#1',
			state: 'interrupted',
			isForeign: true,
			verb: 'capture',
			summary: 'left 3.0 M',
			leftovers: ['left: new.wim'],
			request: null,
		}),
		jobView(2, { state: 'failed', verb: 'export', summary: 'disk full' }),
		jobView(3, { state: 'failed', summary: 'cannot be read' }),
	]);
	const screen = await deck.until(/INTERRUPTED, left 3\.0 M +Enter log/);
	assert.doesNotMatch(screen, /c clean|r again/);
	assert.match(screen, /disk full +Enter log *$/m);
	assert.match(screen, /cannot be read +Enter log {2}r retry/);
	await deck.press('4');
	const reached = new Set<string>();
	for (const key of ['g', 'j', 'j']) {
		await deck.press(key);
		const { label, verb } = jobUnderCursor(deck.app.store.get())!;
		reached.add(verb);
		await deck.press('c');
		assert.equal(deck.app.store.get().dialogs.length, 0, `c on ${label}`);
		await deck.press('r');
		if (verb === 'verify') continue;
		assert.equal(deck.app.store.get().dialogs.length, 0, `r on ${label}`);
		await deck.until(/Run again: nothing is written here \(--readonly\)/);
	}
	assert.deepEqual([...reached].sort(), ['capture', 'export', 'verify']);
	deck.close();
});

test('forms that name images by their numbers say which ones were seen under them', async () => {
	for (const key of ['e', 'a', 'P', 'D']) {
		const deck = await DeckOnTerminal.open(waiting());
		await deck.press('j', key);
		await deck.until(/Cancel \]/);
		const [form] = deck.app.store.get().dialogs;
		assert.ok(form?.kind === 'form');
		assert.deepEqual(
			form.fixed['seen'],
			IMAGES.map(({ metadata }) => metadata),
			key,
		);
		deck.close();
	}
});

test('a job that changed the open file has it read again, at the same image by name', async () => {
	const file = new FakeFile();
	const engine = new FakeEngine(file);
	const deck = await DeckOnTerminal.open(engine);
	await deck.press('space', 'j', 'j', 'space', 'k');
	const path = file.facts.path;
	engine.jobs.set([jobView(1, { verb: 'delete', writes: [path] })]);
	const next = new FakeFile();
	const images = IMAGES.slice(1).map((image, k) => ({ ...image, index: k + 1 }));
	Object.assign(next, { images });
	engine.files.set(path, next);
	engine.jobs.update(1, { state: 'done', endedMs: 1 });
	await deck.until((screen) => !/Home {3}14/.test(screen));
	const state = deck.app.store.get();
	assert.equal(state.wim.images[state.images.list.cursor]?.name, 'Windows 11 Pro N');
	assert.deepEqual([...state.images.marks], [3]);
	deck.close();
});

test('what a check finds in another file marks nothing of the open one', async () => {
	const engine = new FakeEngine();
	const deck = await DeckOnTerminal.open(engine);
	const verify = (wim: string) =>
		jobView(1, { findings: findings(), request: { verb: 'verify', values: { wim } } });
	engine.jobs.set([verify('/srv/other.wim')]);
	assert.deepEqual(deck.app.store.get().damage.findings, []);
	engine.jobs.set([verify('/srv/sources/install.wim')]);
	assert.equal(deck.app.store.get().damage.findings.length, findings().length);
	// Once the file was written anew, nothing of that holds.
	const done = { state: 'done', endedMs: 1 } as const;
	const optimize = jobView(2, { verb: 'optimize', writes: ['/srv/sources/install.wim'] });
	engine.jobs.set([optimize]);
	engine.jobs.set([{ ...optimize, ...done }]);
	assert.deepEqual(deck.app.store.get().damage.findings, []);
	deck.close();
});

test('no name, path or error of a dialog reaches the terminal as a control sequence', async () => {
	const EVIL = 'evil\x1b]0;owned\x07\x9b2J\u202e';
	const file = new FakeFile();
	Object.assign(file, { images: IMAGES.map((image) => ({ ...image, name: EVIL })) });
	const engine = new FakeEngine(file);
	engine.jobs.check_ = { errors: { target: EVIL, '': EVIL }, replaces: null };
	engine.jobs.estimate_ = { notes: [EVIL], warnings: [EVIL] };
	engine.hostNames.push({ name: EVIL, isFolder: true }, { name: `${EVIL}2`, isFolder: true });
	for (const one of DIALOGS) {
		const deck = await opened(one, {}, engine);
		await deck.quiet();
		await deck.press(SUBMIT);
		await deck.settle();
		assert.match(deck.screen(), /evil\^\[\]0;owned/, one.name);
		assert.deepEqual(deck.terminal.events, { titles: [], bells: [], copies: [] }, one.name);
		// Only what the writer itself sends: positions, erasing, styles, status requests.
		const rest = deck.terminal.sent.replace(/\x1b\[[\d;?]*[HGKJmnhl]/g, '');
		assert.doesNotMatch(rest, /[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/, one.name);
		deck.close();
	}
});

test('a retry opens the form of the job, about its images and not those under the cursor', async () => {
	const engine = new FakeEngine();
	const deck = await DeckOnTerminal.open(engine);
	await deck.press('j', 'D', SUBMIT);
	await deck.until(/Keep/);
	await deck.press('right', 'enter');
	await deck.until(/Job 1 started/);
	engine.jobs.update(1, { state: 'failed', endedMs: 1, summary: 'no' });
	await deck.press('j', 'j', '4', 'r');
	await deck.until(/#2 Windows 11 Home N/);
	await deck.press(SUBMIT);
	await deck.until(/Delete 1 image\?/);
	await deck.press('right', 'enter');
	await deck.until(/Job 2 started/);
	assert.deepEqual(engine.jobs.started[1]?.values['images'], [2]);
	deck.close();
});
