import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InputError } from '../../../source/base/errors.ts';
import type { JobView } from '../../../source/tui/engine.ts';
import { DeckOnTerminal, type DeckTestOptions, withDeck } from '../../support/deck.ts';
import { FakeEngine, FakeFile, jobView } from '../../support/fake-engine.ts';
import { findings } from '../../support/fake-findings.ts';
import { assertGolden } from '../../support/golden.ts';

// Dialogs and lines that are no form of a job: each in its states, at each size and symbol level.

const CLEAR = '\x15';
const SUBMIT = '\x18';

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

interface Case {
	readonly name: string;
	readonly jobs?: readonly JobView[];
	/** Keys from the Images pane, in steps: each is shown before the next is pressed. */
	readonly steps: readonly (readonly [keys: readonly string[], shows: RegExp])[];
	readonly prepare?: (engine: FakeEngine) => void;
}

const running = jobView(1, { verb: 'capture', title: 'C: -> größe.wim #1', doneBytes: 410 });
const killed = jobView(-12, {
	label: '#12',
	verb: 'capture',
	title: 'C: -> größe.wim #1',
	state: 'interrupted',
	isForeign: true,
	request: null,
	leftovers: ['größe.wim.partial-77, 3.0 M'],
	summary: 'left 3.0 M',
});
const LOG = Array.from({ length: 40 }, (_, i) => `line ${i + 1}: größe-${i + 1}.dll`);
const toJobs = [['4'], /\[4 Jobs|jobs/] as const;
const toWindows = [
	[['enter'], /Users/],
	[['j', 'j', 'enter'], /System32/],
] as const;

const CASES: readonly Case[] = [
	{ name: 'open', steps: [[['o'], /Open a WIM/]] },
	{
		name: 'open-error',
		steps: [
			[['o'], /Open a WIM/],
			[[CLEAR, '/srv/größe.wim', SUBMIT], /! there is no such file/],
		],
		prepare: (engine) => {
			const look = engine.look.bind(engine);
			engine.look = async (path) => ({ ...(await look(path)), exists: false });
		},
	},
	{ name: 'info', steps: [[['j', 'j', 'i'], /Image 3/]] },
	{
		name: 'report',
		jobs: [jobView(1, { findings: findings(), state: 'done', endedMs: 41_000 })],
		steps: [
			[['!'], /Finding 1|ERR/],
			[['w'], /Write a damage report/],
		],
	},
	{
		name: 'report-error',
		jobs: [jobView(1, { findings: findings(), state: 'done', endedMs: 41_000 })],
		steps: [
			[['!'], /Finding 1|ERR/],
			[['w'], /Write a damage report/],
			[[SUBMIT], /! Cannot write/],
		],
		prepare: (engine) => {
			engine.writeReport = async () => {
				throw new InputError('Cannot write "größe.txt": it is there already');
			};
		},
	},
	{ name: 'log-empty', jobs: [running], steps: [toJobs, [['enter'], /nothing to report/]] },
	{
		name: 'log-following',
		jobs: [{ ...running, log: LOG, logCount: LOG.length }],
		steps: [toJobs, [['enter'], /line 40/]],
	},
	{
		name: 'log-first',
		jobs: [{ ...running, log: LOG, logCount: LOG.length }],
		steps: [toJobs, [['enter'], /line 40/], [['home'], /line 1:/]],
	},
	{ name: 'cancel', jobs: [running], steps: [toJobs, [['x'], /Cancel job 1\?/]] },
	{ name: 'clean', jobs: [killed], steps: [toJobs, [['c'], /Clean up\?/]] },
	{ name: 'again', jobs: [killed], steps: [toJobs, [['r'], /Run it again\?/]] },
	{ name: 'suspend', jobs: [running], steps: [[['\x1a'], /1 job is running/]] },
	{
		name: 'leaving',
		jobs: [running],
		steps: [
			[['q'], /1 job is running/],
			[['right', 'enter'], /capture .* 41% +\^C cancels/],
		],
	},
	{ name: 'goto', steps: [...toWindows, [['p', '\\Windows\\größe'], /GO TO/]] },
	{
		name: 'goto-nowhere',
		steps: [...toWindows, [['p', '\\größe', 'enter'], /annot|here is no|no such/]],
	},
	{ name: 'messages-none', steps: [[[':', 'messages of', 'enter'], /Messages/]] },
	{
		name: 'messages',
		steps: [
			[['u'], /nothing to undo/],
			[['4'], /There are no jobs/],
			[[':', 'messages of', 'enter'], /Messages/],
		],
	},
	{ name: 'rename', steps: [...toWindows, [['G', 'r'], /Rename or move/]] },
	{
		name: 'rename-error',
		steps: [...toWindows, [['G', 'r'], /Rename or move/], [[CLEAR, 'System32', SUBMIT], /! /]],
	},
];

for (const { name, jobs, steps, prepare } of CASES)
	for (const { name: variant, options } of VARIANTS)
		test(`dialog ${name} at ${variant}`, async () => {
			const engine = new FakeEngine();
			prepare?.(engine);
			const deck = await DeckOnTerminal.open(engine, {
				...options,
				// A sign that turns would look different each time.
				settings: { animation: false },
			});
			try {
				if (jobs) {
					engine.jobs.set(jobs);
					await deck.until((screen) => screen !== '' && deck.app.store.get().jobs.jobs.length > 0);
				}
				for (const [keys, shows] of steps) {
					await deck.press(...keys);
					await deck.until(shows);
				}
				await deck.quiet();
				assertGolden(`${variant}/dialog-${name}`, deck.screen());
				assert.deepEqual(deck.crashes, []);
			} finally {
				// A deck that waits for its jobs would wait on.
				engine.jobs.set([]);
				deck.close();
			}
		});

test('a name that Windows cannot have is told on its field, and nothing is staged', async () => {
	await withDeck(async (deck) => {
		for (const [keys, shows] of [...toWindows, [['G', 'r'], /Rename or move/]] as const) {
			await deck.press(...keys);
			await deck.until(shows);
		}
		for (const [name, reason] of [
			['new:name', /not a name for Windows: it holds the character ":"/],
			['aux.txt', /not a name for Windows: it names a device/],
			['end.', /not a name for Windows: it ends in a dot/],
		] as const) {
			await deck.press(CLEAR, name, SUBMIT);
			await deck.until(reason);
		}
		assert.equal(deck.app.store.get().staged.changes.length, 0);
	});
});

test('the repair dialog keeps the ending of the damaged file', () =>
	withDeck(
		async (deck) => {
			await deck.press('F');
			await deck.until(/To +\S*install\.repaired\.esd/);
		},
		{ path: '/srv/sources/install.esd' },
		new FakeEngine(new FakeFile({ path: '/srv/sources/install.esd' })),
	));

test('the repair dialog does not offer a name again that is taken by now', async () => {
	const engine = new FakeEngine();
	await withDeck(
		async (deck) => {
			await deck.press('F');
			await deck.until(/To +\S*install\.repaired\.wim/);
			await deck.press(CLEAR, '/srv/whole.wim');
			await deck.until(/To +\/srv\/whole\.wim/);
			await deck.press('esc');
			await deck.until((screen) => !screen.includes('Repair into'));
			await deck.press('F');
			await deck.until(/To +\/srv\/whole\.wim/);
			await deck.press('esc');
			await deck.until((screen) => !screen.includes('Repair into'));
			engine.files.set('/srv/whole.wim', new FakeFile());
			await deck.press('F');
			await deck.until(/To +\S*install\.repaired\.wim/);
		},
		{},
		engine,
	);
});

test('the repair dialog takes from what may have something to give, and tells why', () =>
	withDeck(async (deck) => {
		await deck.press('F');
		await deck.until(/Take from +\[x\] backup\.wim, a copy of it/);
		const screen = deck.screen();
		assert.match(screen, /\[x\] boot\.wim, 1,204 contents in common/);
		assert.match(screen, /\[x\] cut\.wim {2}/);
		assert.match(screen, /\[ \] linux\.wim, nothing in common/);
	}));
