import assert from 'node:assert/strict';
import { test } from 'node:test';
import { withDeck } from '../../support/deck.ts';
import { jobView } from '../../support/fake-engine.ts';

// What rows and logs of jobs tell, in the room that they have.

test('a job that failed shows its reason and the key of its log, however long the reason is', () =>
	withDeck(async (deck, engine) => {
		const summary = `Cannot write "/srv/${'long '.repeat(20)}": the disk is full`;
		engine.jobs.set([jobView(1, { state: 'failed', summary, endedMs: 1 })]);
		const screen = await deck.until(/FAILED/);
		assert.match(screen, /FAILED Cannot write "\/srv\/long.*~ {2,3}Enter log/);
	}));

test('a job that failed does not repeat its target before the reason', () =>
	withDeck(async (deck, engine) => {
		const summary = 'Cannot write "/srv/full/new.wim": the disk is full. Free some space';
		const job = jobView(1, { title: 'tui -> new.wim', verb: 'append' });
		engine.jobs.set([job]);
		await deck.until(/1 running/);
		engine.jobs.set([{ ...job, state: 'failed', summary, endedMs: 1 }]);
		const screen = await deck.until(/FAILED/);
		assert.match(screen, /tui -> new\.wim +FAILED the disk is full\. /);
		assert.match(screen, /append tui -> new\.wim: the disk is full\. Free some space/);
	}));

test('at 40 columns the title of a log ends with its rows', () =>
	withDeck(
		async (deck, engine) => {
			const title = 'from a long name to another';
			engine.jobs.set([jobView(1, { title, state: 'done', endedMs: 1, log: ['done'] })]);
			await deck.press('4', 'enter');
			await deck.until(/┌─ Log of job 1: .*~ {3}1-1 of 1 ─/);
		},
		{ columns: 40, rows: 10 },
	));

test('a killed job has its number in its log, and keys that fit whole or are left out', () =>
	withDeck(async (deck, engine) => {
		const killed = { ...jobView(-17), label: '#17', state: 'interrupted', endedMs: 1 } as const;
		const leftovers = ['left: .a.wim.wimdeck-new'];
		const title = 'a rather long name of a file.wim';
		engine.jobs.set([{ ...killed, title: 'a.wim', summary: 'left 1.7 M', leftovers }]);
		await deck.until(/INTERRUPTED, left 1\.7 M {3}c clean {2}r again *$/m);
		engine.jobs.set([{ ...killed, verb: 'optimize', title, summary: 'left 1.7 M', leftovers }]);
		await deck.until(/INTERRUPTED, left 1\.7 M {3}c clean *$/m);
		const whyOnce = 'its list of 5,000 commands or paths was not kept';
		engine.jobs.set([{ ...killed, title: 'a.wim', summary: 'left 1.7 M', leftovers, whyOnce }]);
		await deck.until(/INTERRUPTED, left 1\.7 M {3}c clean *$/m);
		await deck.press('4', 'r');
		await deck.until(/run again: its list of 5,000 commands or paths was not kept/i);
		engine.jobs.set([{ ...killed, verb: 'optimize', title, summary: 'left 1.7 M', leftovers }]);
		await deck.press('enter');
		await deck.until(/Log of job #17: optimize a rather long/);
	}));

for (const [kind, writes, text] of [
	['a mount', [], /The folder is unmounted\.\s/],
	['a mount for changes', ['/srv/a.wim'], /its changes are dropped[\s\S]*unmount[\s\S]*--commit/],
] as const)
	test(`what becomes of ${kind} that is canceled`, () =>
		withDeck(async (deck, engine) => {
			engine.jobs.set([jobView(-3, { verb: 'mount', label: '#3', isForeign: true, writes })]);
			await deck.press('4', 'x');
			await deck.until(/Cancel job #3\?/);
			assert.match(deck.screen(), text);
		}));
