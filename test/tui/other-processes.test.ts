import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { fixture, root } from '../support/fixture.ts';
import { oracle } from '../support/oracles.ts';
import { tempFolder } from '../support/temp-tree.ts';
import { Tmux } from '../support/tmux.ts';

// Jobs of one process as another one sees them: real processes, real terminals, one journal.

const PROGRAM = path.join(root, 'dist', 'wimdeck.js');
const WIM = path.join(fixture('vectors'), 'v02.wim');
const tmux = oracle('tmux');

interface Place {
	readonly folder: string;
	readonly env: Readonly<Record<string, string>>;
}

function placeFor(t: TestContext): Place {
	const folder = tempFolder(t);
	mkdirSync(path.join(folder, 'source'));
	return { folder, env: { XDG_STATE_HOME: path.join(folder, 'state') } };
}

const deckOn = (place: Place, wim: string, ...args: readonly string[]): Tmux =>
	new Tmux({
		command: [process.execPath, PROGRAM, ...args, wim],
		env: { LC_ALL: 'C.UTF-8', TERM: 'xterm-256color', ...place.env },
	});

/** A capture that takes longer than any test: what compresses a little, at the slowest level. Noise is passed over quickly. */
function startCapture(t: TestContext, { folder, env }: Place): ChildProcess {
	const text = randomFillSync(Buffer.alloc(72 << 20)).toString('base64');
	writeFileSync(path.join(folder, 'source', 'text'), text);
	const child = spawn(
		process.execPath,
		[PROGRAM, 'capture', 'source', 'new.wim', '--compress=lzms:100', '--threads=1'],
		{ cwd: folder, env: { ...process.env, ...env }, stdio: 'ignore' },
	);
	t.after(() => child.kill('SIGKILL'));
	return child;
}

const exitOf = (child: ChildProcess): Promise<number | null> =>
	new Promise((resolve) => child.on('exit', (code) => resolve(code)));

test('a capture of a command is seen, held, let go and canceled from a deck', tmux, async (t) => {
	const place = placeFor(t);
	const child = startCapture(t, place);
	const exit = exitOf(child);
	using deck = deckOn(place, WIM);
	await deck.until(/#1 capture .*\d%/);
	await deck.press('4', 'p');
	await deck.until(/#1 capture .*paused/);
	await deck.press('p');
	await deck.until(/#1 capture (?!.*paused).*\d%/);
	await deck.press('x');
	await deck.until(/Cancel job #1/);
	await deck.press('Tab', 'Enter');
	await deck.until(/canceled/);
	assert.equal(await exit, 130);
	assert.deepEqual(readdirSync(place.folder).sort(), ['source', 'state']);
	await deck.press('q');
	await deck.until(/EXIT=0/);
});

test(
	'a killed capture is shown with what it left, and one key clears that away',
	tmux,
	async (t) => {
		const place = placeFor(t);
		const child = startCapture(t, place);
		using deck = deckOn(place, WIM);
		await deck.until(/#1 capture .*\d%/);
		child.kill('SIGKILL');
		await deck.until(/INTERRUPTED, left .*c clean/);
		assert.ok(readdirSync(place.folder).includes('.new.wim.wimdeck-new'));
		await deck.press('4', 'c');
		await deck.until(/\.new\.wim\.wimdeck-new/);
		await deck.press('Tab', 'Enter');
		await deck.until(/2 files removed/);
		assert.deepEqual(readdirSync(place.folder).sort(), ['source', 'state']);
		await deck.press('q');
		await deck.until(/EXIT=0/);
	},
);

/** A WIM whose check does not end before somebody can hold it. */
function largeWim({ folder }: Place): string {
	writeFileSync(path.join(folder, 'source', 'noise'), randomFillSync(Buffer.alloc(200 << 20)));
	const wim = path.join(folder, 'large.wim');
	const { status } = spawnSync(
		process.execPath,
		[PROGRAM, 'capture', path.join(folder, 'source'), wim, '--compress=none', '--quiet'],
		{ env: { ...process.env, XDG_STATE_HOME: path.join(folder, 'other') } },
	);
	assert.equal(status, 0);
	return wim;
}

async function withHeldCheck(place: Place, wim: string, ...args: readonly string[]): Promise<Tmux> {
	const deck = deckOn(place, wim, ...args);
	await deck.until(/1 source/);
	// At once: between two keys the check might come to its end.
	deck.type('V4p');
	await deck.until(/verify .*paused/);
	return deck;
}

test(
	'a deck whose line drops goes on with its jobs, and a new one shows how they end',
	tmux,
	async (t) => {
		const place = placeFor(t);
		const wim = largeWim(place);
		const first = await withHeldCheck(place, wim);
		first.hangUp();
		using second = deckOn(place, WIM);
		await second.until(/#1 verify .*paused/);
		await second.press('4', 'p');
		await second.until(/#1 verify .*done in/);
		await second.press('q');
		await second.until(/EXIT=0/);
		// Nobody saw it end but us; a third deck shows it too, until somebody removes it.
		using third = deckOn(place, WIM);
		await third.until(/#1 verify .*done in/);
		await third.press('4', 'd');
		await third.until(/^(?![\s\S]*#1 verify)[\s\S]*Images/);
		await third.press('q');
		await third.until(/EXIT=0/);
	},
);

test('with --on-hangup=cancel the jobs end with the line', tmux, async (t) => {
	const place = placeFor(t);
	const wim = largeWim(place);
	const first = await withHeldCheck(place, wim, '--on-hangup=cancel');
	first.hangUp();
	using second = deckOn(place, WIM);
	await second.until(/2 Files/);
	await second.press(':');
	second.type('jobs of the past');
	await second.press('Enter');
	await second.until(/#1 verify .*canceled/);
	await second.press('q');
	await second.until(/EXIT=0/);
});

test('a check so short that nobody saw it run is shown in another deck too', tmux, async (t) => {
	const place = placeFor(t);
	using second = deckOn(place, WIM);
	await second.until(/2 Files[\s\S]*help/);
	using first = deckOn(place, WIM);
	await first.until(/2 Files[\s\S]*help/);
	await first.press('V');
	await first.until(/verify .*done/);
	await second.until(/#1 verify .*done/);
	for (const deck of [first, second]) await deck.press('q');
});
