import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { fixture, root } from '../support/fixture.ts';
import { oracle } from '../support/oracles.ts';
import { Patience } from '../support/patience.ts';
import { Pty } from '../support/pty.ts';
import { tempFolder } from '../support/temp-tree.ts';
import { Tmux } from '../support/tmux.ts';

// Terminals that behave badly, as processes meet them (tui.md §14); those that behave are in end-to-end.test.ts.

const PROGRAM = path.join(root, 'dist', 'wimdeck.js');
const WIM = path.join(fixture('vectors'), 'v02.wim');
const script = oracle('script');
const tmux = oracle('tmux');

const preloaded = (code: string): string =>
	`--import=data:text/javascript,${encodeURIComponent(code)}`;

const restored = /\x1b\[\?2004l\x1b\[\?25h\x1b\[\?1049l/;

test(
	'a terminal that never answers is asked three times; keys go on, and it is left in order',
	script,
	async (t) => {
		using pty = new Pty({
			command: [process.execPath, PROGRAM, WIM],
			env: { XDG_STATE_HOME: tempFolder(t) },
		});
		await pty.until(/1 Images/);
		const asked = (): number => pty.output.split('\x1b[5n').length - 1;
		const repaints = (output: string): number => output.split('\x1b[2J').length;
		// A repaint is more than a kilobyte, after which the terminal is asked; each time it says nothing.
		while (asked() < 3) {
			const before = repaints(pty.output);
			pty.type('\x0c');
			await pty.until((output) => repaints(output) > before);
		}
		pty.type('?');
		await pty.until(/Keys: images/i);
		assert.equal(asked(), 3);
		pty.type('\x03');
		pty.type('q');
		assert.equal(await pty.ended, 0);
		assert.match(pty.output, restored);
	},
);

/** A program beside the deck that writes how often its timer ran, when it is asked to. */
const TICKS = (file: string): string => `
	import { writeFileSync } from 'node:fs';
	let ticks = 0;
	setInterval(() => ticks++, 10).unref();
	process.on('SIGUSR2', () => writeFileSync(${JSON.stringify(file)}, String(ticks)));`;

const polled = async (isTrue: () => boolean | Promise<boolean>): Promise<void> => {
	const patience = new Patience(30_000);
	while (!(await isTrue())) {
		assert.ok(!patience.isOver, 'it never happened');
		await new Promise((resolve) => setTimeout(resolve, 20));
	}
};

test(
	'while nobody reads what it writes, timers keep running; afterwards one frame is enough',
	script,
	async (t) => {
		const folder = tempFolder(t);
		const file = path.join(folder, 'ticks');
		// A frame of this size is more than pipes and terminals take within a few repaints.
		using pty = new Pty({
			columns: 400,
			rows: 100,
			command: [process.execPath, PROGRAM, path.join(root, 'fixtures', 'vectors')],
			env: { XDG_STATE_HOME: folder, NODE_OPTIONS: preloaded(TICKS(file)) },
		});
		await pty.until(/v01\.wim/);
		const { pid } = pty;
		const ticks = async (): Promise<number> => {
			writeFileSync(file, '');
			process.kill(pid, 'SIGUSR2');
			await polled(() => readFileSync(file, 'utf8') !== '');
			return Number(readFileSync(file, 'utf8'));
		};
		pty.stall();
		// What it wants to write is far more than the buffers between us take.
		const first = await ticks();
		for (let k = 0; k < 40; k++) {
			pty.type('\x0c');
			await polled(() => true);
		}
		let last = await ticks();
		while (last < first + 300) last = await ticks();
		const read = pty.output.length;
		pty.resume();
		pty.type('?');
		await pty.until(/Keys: start/i);
		assert.ok(pty.output.length - read < 40 * 400 * 100, 'frames did not queue up');
		pty.type('\x03q');
		assert.equal(await pty.ended, 0);
	},
);

test('a crash in a component restores the terminal before it is told', tmux, async () => {
	using terminal = new Tmux({
		command: [process.execPath, PROGRAM, WIM],
		env: {
			LC_ALL: 'C.UTF-8',
			TERM: 'xterm-256color',
			NODE_OPTIONS: preloaded(
				'process.on("SIGUSR2",()=>{String.prototype.repeat=()=>{throw new Error("crash in a view")}})',
			),
		},
	});
	await terminal.until(/1 Images/);
	const [pid] = terminal.pids('wimdeck.js');
	assert.ok(pid);
	// Ink must be there: until it is, the view is drawn without components.
	await terminal.press('?');
	await terminal.until(/Keys: images/);
	await terminal.press('C-c');
	process.kill(pid, 'SIGUSR2');
	// The signal may arrive after a key: what is drawn next crashes.
	await polled(async () => {
		await terminal.press('z');
		return /END/.test(terminal.screen());
	});
	// A key that was typed after the crash is the shell's, which echoes it anywhere.
	const screen = (await terminal.until(/END/)).replaceAll('z', '');
	assert.match(screen, /crash in a view/);
	assert.match(screen, /EXIT=1\b/);
	assert.match(screen, /^(icanon echo|echo icanon) END$/m);
	assert.equal(terminal.fact('alternate_on'), '0');
	assert.equal(terminal.fact('cursor_flag'), '1');
});

test('LANG=C alone, without LC_ALL, means ASCII', tmux, async () => {
	using terminal = new Tmux({
		command: [process.execPath, PROGRAM, WIM],
		env: { LANG: 'C', LC_ALL: undefined, LC_CTYPE: undefined, TERM: 'xterm-256color' },
	});
	await terminal.until(/2 Files[\s\S]*help/);
	assert.doesNotMatch(terminal.screen(), /[^\x00-\x7f]/);
	await terminal.press('q');
	await terminal.until(/EXIT=0/);
});

test('no deck into a pipe: a sentence that names a command, and exit code 2', tmux, async (t) => {
	const out = path.join(tempFolder(t), 'out');
	using terminal = new Tmux({
		command: ['sh', '-c', '"$0" "$1" "$2" >"$3"', process.execPath, PROGRAM, WIM, out],
		env: { LC_ALL: 'C.UTF-8', TERM: 'xterm-256color' },
	});
	const screen = await terminal.until(/END/);
	assert.match(screen.replaceAll('\n', ''), /standard output is not a terminal.*wimdeck info/);
	assert.match(screen, /EXIT=2/);
	assert.equal(readFileSync(out, 'utf8'), '');
});

/** A folder with a WIM whose names try to command the terminal, also in its XML. */
function hostileFolder(t: TestContext): { folder: string; wim: string } {
	const folder = tempFolder(t);
	const source = path.join(folder, 'source');
	mkdirSync(source);
	for (const name of [
		'evil\x1b]0;owned\x07',
		'clip\x1b]52;c;b3duZWQ=\x07',
		'csi\x9b2J',
		'bell\x07',
	])
		writeFileSync(path.join(source, name), name);
	return { folder, wim: path.join(folder, 'evil\x1b]0;file\x07.wim') };
}

const HOSTILE_NAME = 'N\x1b]0;name\x07';
const HOSTILE_DESCRIPTION = 'D\x07 of it';

/** As many characters, none of which does anything. */
function harmless(text: string): string {
	return text.replaceAll('\x1b', 'E').replaceAll('\x07', 'B');
}

test(
	'names, XML values and paths cannot command the terminal, in the deck and after it',
	script,
	async (t) => {
		const { folder, wim } = hostileFolder(t);
		const captured = (name: string, description: string) =>
			new Pty({
				command: [process.execPath, PROGRAM, 'capture', `${folder}/source`, wim, name, description],
				env: { XDG_STATE_HOME: folder },
			});
		using refused = captured(HOSTILE_NAME, HOSTILE_DESCRIPTION);
		assert.equal(await refused.ended, 2);
		using capture = captured(harmless(HOSTILE_NAME), harmless(HOSTILE_DESCRIPTION));
		assert.equal(await capture.ended, 0);
		// No program writes such XML data, but a file may hold them.
		const bytes = readFileSync(wim);
		for (const text of [HOSTILE_NAME, HOSTILE_DESCRIPTION]) {
			const at = bytes.indexOf(harmless(text), 'utf16le');
			assert.ok(at > 0);
			bytes.write(text, at, 'utf16le');
		}
		writeFileSync(wim, bytes);
		using pty = new Pty({
			command: [process.execPath, PROGRAM, wim],
			env: { XDG_STATE_HOME: folder },
		});
		await pty.until(/evil\^\[\]0;owned\^G/);
		pty.type('1i');
		await pty.until(/0;name/);
		pty.type('\x03');
		pty.type('V');
		await pty.until(/checked, no damage/);
		pty.type('q');
		assert.equal(await pty.ended, 0);
		for (const output of [refused.output, capture.output, pty.output])
			assert.doesNotMatch(
				output,
				/\x1b\]|\x07|\x9b/,
				'no title, no clipboard, no bell, no 8-bit CSI',
			);
	},
);
