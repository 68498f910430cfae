import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { fixture, root } from '../support/fixture.ts';
import { oracle } from '../support/oracles.ts';
import { Patience } from '../support/patience.ts';
import { Pty } from '../support/pty.ts';
import { tempFolder } from '../support/temp-tree.ts';

// Whoever gives the terminal away waits for an answer that it owes, and drops the keys that follow (tui.md §11.2).

const PROGRAM = path.join(root, 'dist', 'wimdeck.js');
const WIM = path.join(fixture('vectors'), 'v02.wim');
const script = oracle('script');

/** What the shell would get: the terminal echoes it once it is no longer raw. */
const ECHOED = /\^\[\[0n|zz/;
const LEFT = '\x1b[?2004l\x1b[?25h\x1b[?1049l';

/**
 * Beside the deck: a file tells that the signal was delivered, SIGUSR2 is a defect, and neither the wait of 300 ms nor
 * the frame writer's of 2 s has an end, so that a loaded machine cannot be late with the answer.
 */
const BESIDE = (file: string): string =>
	`--import=data:text/javascript,${encodeURIComponent(`
	import { writeFileSync } from 'node:fs';
	const timeout = setTimeout;
	globalThis.setTimeout = (f, ms, ...rest) => timeout(f, ms === 300 || ms === 2000 ? 600_000 : ms, ...rest);
	for (const signal of ['SIGINT', 'SIGTERM', 'SIGQUIT', 'SIGHUP'])
		process.on(signal, () => writeFileSync(${JSON.stringify(file)}, ''));
	process.on('SIGUSR2', () => { writeFileSync(${JSON.stringify(file)}, ''); throw new Error('boom'); });`)}`;

async function written(file: string): Promise<void> {
	const patience = new Patience(30_000);
	while (!existsSync(file)) {
		assert.ok(!patience.isOver, 'the signal was never delivered');
		await pause(20);
	}
}

/** A deck whose terminal was asked for its status and has not answered yet; nothing more is painted until it does. */
async function asked(state: string, file: string): Promise<Pty> {
	const pty = new Pty({
		command: [process.execPath, PROGRAM, WIM],
		env: { XDG_STATE_HOME: state, NODE_OPTIONS: BESIDE(file) },
	});
	const isAsked = (output: string): boolean => output.includes('\x1b[5n');
	await pty.until((output) => output.includes('1 Images') || isAsked(output));
	// A whole screen is more than a kilobyte, after which the terminal is asked.
	pty.type('\x0c');
	await pty.until(isAsked);
	return pty;
}

const ENDINGS: readonly [what: NodeJS.Signals, exit: number][] = [
	['SIGINT', 130],
	['SIGTERM', 143],
	['SIGQUIT', 131],
	['SIGHUP', 129],
	['SIGUSR2', 1],
];

for (const [signal, exit] of ENDINGS)
	test(
		`${signal === 'SIGUSR2' ? 'a defect' : signal}: the screen is left once the open answer has come, keys are dropped`,
		script,
		async (t) => {
			const folder = tempFolder(t);
			const file = path.join(folder, 'delivered');
			using pty = await asked(folder, file);
			process.kill(pty.pid, signal);
			await written(file);
			pty.type('zz');
			assert.ok(!pty.output.includes(LEFT), 'left before the answer');
			pty.type('\x1b[0n');
			assert.equal(await pty.ended, exit);
			assert.ok(pty.output.includes(LEFT));
			assert.doesNotMatch(pty.output, ECHOED);
		},
	);

test('q: keys behind it do nothing while the open answer is waited for', script, async (t) => {
	const folder = tempFolder(t);
	using pty = await asked(folder, path.join(folder, 'delivered'));
	pty.type('qzz?');
	pty.type('\x1b[0n');
	assert.equal(await pty.ended, 0);
	assert.ok(pty.output.includes(LEFT));
	assert.doesNotMatch(pty.output, ECHOED);
	assert.doesNotMatch(pty.output, /Keys: /);
});

test('^Z where no shell could continue it: the deck takes the terminal back', script, async (t) => {
	const folder = tempFolder(t);
	using pty = await asked(folder, path.join(folder, 'delivered'));
	pty.type('\x1azz?');
	pty.type('\x1b[0n');
	await pty.until(/Cannot suspend: no shell/);
	assert.ok(pty.output.includes(LEFT));
	assert.doesNotMatch(pty.output, ECHOED);
	// It was painted anew, so it asked again.
	pty.type('\x1b[0n?');
	await pty.until(/Keys: images/i);
	pty.type('\x03q\x1b[0n');
	assert.equal(await pty.ended, 0);
});
