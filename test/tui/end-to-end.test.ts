import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { root } from '../support/fixture.ts';
import { oracle } from '../support/oracles.ts';
import { Tmux, type TmuxOptions } from '../support/tmux.ts';

const PROGRAM = path.join(root, 'dist', 'wimdeck.js');
const WIM = path.join(root, 'fixtures', 'vectors', 'v02.wim');
const tmux = oracle('tmux');

const start = (options: Partial<TmuxOptions> & { readonly args?: readonly string[] } = {}): Tmux =>
	new Tmux({
		...options,
		command: [process.execPath, PROGRAM, ...(options.args ?? [WIM])],
		env: { LC_ALL: 'C.UTF-8', TERM: 'xterm-256color', ...options.env },
	});

/** What every way out leaves: the normal screen, a cursor, a line that echoes. */
async function assertRestored(terminal: Tmux, exit: number): Promise<string> {
	const screen = await terminal.until(/END/);
	assert.match(screen, new RegExp(`EXIT=${exit}\\b`));
	assert.match(screen, /^(icanon echo|echo icanon) END$/m);
	assert.equal(terminal.fact('alternate_on'), '0');
	assert.equal(terminal.fact('cursor_flag'), '1');
	return screen;
}

test('a walk with real keys: open, filter, extract, verify, resize, quit', tmux, async () => {
	const folder = mkdtempSync(path.join(os.tmpdir(), 'wimdeck-'));
	using terminal = start();
	try {
		await terminal.until(/> ?1 One|>2 Two/);
		await terminal.press('Enter');
		await terminal.until(/\[2 Files\] \d: \\/);
		await terminal.until(/name\^ [1-9]/);
		await terminal.press('*', 'e');
		await terminal.until(/Extract files/);
		await terminal.press('C-u');
		terminal.type(`${folder}/out`);
		await terminal.press('C-x');
		await terminal.until(/done in/);
		assert.ok(readdirSync(path.join(folder, 'out')).length > 0);
		await terminal.press('V');
		await terminal.until(/no damage/);
		await terminal.press('?');
		await terminal.until(/Keys: files/);
		await terminal.press('C-c');
		const before = await terminal.until(
			(screen) => /4 Jobs/.test(screen) && !/Keys: files/.test(screen),
		);
		terminal.resize(40, 10);
		await terminal.until((screen) => !/4 Jobs/.test(screen) && /\d: \\/.test(screen));
		terminal.resize(120, 40);
		await terminal.until(/3 Details/);
		terminal.resize(80, 24);
		// Back as it was, to the last cell.
		await terminal.until((screen) => screen === before);
		await terminal.press('q');
		await assertRestored(terminal, 0);
	} finally {
		rmSync(folder, { recursive: true, force: true });
	}
});

test('suspended and continued: the shell gets its terminal and we get it back', tmux, async () => {
	using terminal = start();
	await terminal.until(/Images/);
	await terminal.press('C-z');
	await terminal.until(/Stopped|Suspended/);
	assert.equal(terminal.fact('alternate_on'), '0');
	terminal.type('clear; fg');
	await terminal.press('Enter');
	await terminal.until(/Images/);
	assert.equal(terminal.fact('alternate_on'), '1');
	await terminal.press('q');
	await terminal.untilFact('alternate_on', '0');
	await terminal.untilFact('cursor_flag', '1');
});

test('a terminal that got another size while we were stopped is filled', tmux, async () => {
	using terminal = start();
	await terminal.until(/Images/);
	await terminal.press('C-z');
	await terminal.until(/Stopped|Suspended/);
	terminal.resize(120, 40);
	await terminal.untilFact('pane_width', '120');
	terminal.type('clear; fg');
	await terminal.press('Enter');
	await terminal.until(/WIM LZX {3}\d images/);
	await terminal.press('q');
	await terminal.untilFact('alternate_on', '0');
});

const SIGNALS: readonly [signal: NodeJS.Signals, exit: number][] = [
	['SIGTERM', 143],
	['SIGINT', 130],
	['SIGQUIT', 131],
	['SIGHUP', 129],
];

for (const [signal, exit] of SIGNALS)
	test(`${signal} restores the terminal`, tmux, async () => {
		using terminal = start();
		await terminal.until(/Images/);
		const [pid] = terminal.pids('wimdeck.js');
		assert.ok(pid);
		process.kill(pid, signal);
		await assertRestored(terminal, exit);
	});

const DEFECTS = {
	'a thrown error': 'throw new Error("boom\\x1b[2J")',
	'a rejection that nobody handles': 'void Promise.reject(new Error("boom\\x1b[2J"))',
};

for (const [what, code] of Object.entries(DEFECTS))
	test(`${what} restores the terminal before it is told`, tmux, async () => {
		const preload = `process.on("SIGUSR2",()=>{${code}})`;
		using terminal = start({
			env: {
				NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(preload)}`,
			},
		});
		await terminal.until(/Images/);
		const [pid] = terminal.pids('wimdeck.js');
		assert.ok(pid);
		process.kill(pid, 'SIGUSR2');
		const screen = await assertRestored(terminal, 1);
		assert.match(screen, /This is a defect of wimdeck: boom\^\[\[2J/);
		assert.match(screen, /Please report this/);
	});

const CONDITIONS: readonly {
	readonly what: string;
	readonly env: Readonly<Record<string, string | undefined>>;
	readonly check: (terminal: Tmux) => void;
}[] = [
	{
		what: 'TERM=xterm-256color',
		env: {},
		check: (terminal) => assert.equal(terminal.fact('alternate_on'), '1'),
	},
	{
		what: 'TERM=screen',
		env: { TERM: 'screen' },
		check: (terminal) => assert.match(terminal.screen(), /│/),
	},
	{
		what: 'TERM=linux',
		env: { TERM: 'linux' },
		check: (terminal) => assert.match(terminal.screen(), /│/),
	},
	{
		what: 'TERM=vt100',
		env: { TERM: 'vt100' },
		check: (terminal) => {
			assert.equal(terminal.fact('alternate_on'), '0');
			assert.match(terminal.screen(), /1 Images.*\|/);
			assert.doesNotMatch(terminal.styledScreen(), /\x1b\[[\d;]*(3[0-7]|9[0-7])m/);
		},
	},
	{
		what: 'LC_ALL=C',
		env: { LC_ALL: 'C' },
		check: (terminal) => assert.doesNotMatch(terminal.screen(), /[^\x00-\x7f]/),
	},
	{
		what: 'NO_COLOR',
		env: { NO_COLOR: '1' },
		check: (terminal) => {
			assert.doesNotMatch(terminal.styledScreen(), /\x1b\[[\d;]*(3[0-7]|9[0-7])m/);
			assert.match(terminal.styledScreen(), /\x1b\[[\d;]*7m/);
		},
	},
	{
		what: 'CI=1',
		env: { CI: '1' },
		check: (terminal) => assert.match(terminal.screen(), /Images/),
	},
	{
		what: 'CI empty',
		env: { CI: '' },
		check: (terminal) => assert.match(terminal.screen(), /Images/),
	},
];

for (const { what, env, check } of CONDITIONS)
	test(`the deck under ${what}`, tmux, async () => {
		using terminal = start({ env });
		await terminal.until(/2 Files[\s\S]*help/);
		check(terminal);
		await terminal.press('q');
		await assertRestored(terminal, 0);
	});

for (const term of ['dumb', ''])
	test(
		`no deck with TERM ${term === '' ? 'unset' : term}: a sentence and exit code 2`,
		tmux,
		async () => {
			using terminal = start({ env: { TERM: term === '' ? undefined : term } });
			const screen = await terminal.until(/END/);
			assert.match(screen, /EXIT=2/);
			assert.match(screen.replaceAll('\n', ''), /Cannot open the deck.*wimdeck info/);
		},
	);

test('no deck without a terminal: a sentence and exit code 2, and Ink is never loaded', () => {
	const { status, stderr, stdout } = spawnSync(process.execPath, [PROGRAM, WIM], {
		encoding: 'utf8',
		stdio: ['pipe', 'pipe', 'pipe'],
	});
	assert.equal(status, 2);
	assert.equal(stdout, '');
	assert.match(stderr, /Cannot open the deck: standard input is not a terminal/);
});

test('a folder opens the start screen, and a file chosen there the deck', tmux, async () => {
	using terminal = start({ args: [path.join(root, 'fixtures', 'vectors')] });
	await terminal.until(/v01\.wim/);
	await terminal.press('/');
	terminal.type('v02');
	await terminal.press('Enter', 'Enter');
	await terminal.until(/v02\.wim +WIM/);
	await terminal.press('q');
	await assertRestored(terminal, 0);
	assert.ok(existsSync(WIM));
});
