import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import { test } from 'node:test';
import { jobsOutliveLine } from '../../../source/tui/deck.ts';
import { COMMANDS } from '../../../source/tui/keys/commands.ts';
import { createKeymap } from '../../../source/tui/keys/keymap.ts';
import { copySequence } from '../../../source/tui/terminal/osc52.ts';
import {
	type ProbeInput,
	probe,
	type TerminalProfile,
} from '../../../source/tui/terminal/probe.ts';
import {
	type LeaveReason,
	Session,
	type SessionHost,
} from '../../../source/tui/terminal/session.ts';

const UTF8 = { LANG: 'en_US.UTF-8' };

const input = (
	platform: string,
	env: Readonly<Record<string, string>>,
	more: Partial<ProbeInput> = {},
): ProbeInput => ({ platform, env, stdinIsTerminal: true, stdoutIsTerminal: true, ...more });

function profileOf(wanted: ProbeInput): TerminalProfile {
	const found = probe(wanted);
	assert.ok(!('refused' in found), JSON.stringify(found));
	return found;
}

const LEVELS: readonly [
	what: string,
	platform: string,
	env: Readonly<Record<string, string>>,
	symbols: TerminalProfile['symbols'],
	color: TerminalProfile['color'],
][] = [
	['xterm in UTF-8', 'linux', { ...UTF8, TERM: 'xterm-256color' }, 'unicode', '256'],
	['LC_ALL wins over LANG', 'linux', { ...UTF8, LC_ALL: 'C', TERM: 'xterm' }, 'ascii', '16'],
	[
		'LC_CTYPE wins over LANG',
		'linux',
		{ LANG: 'C', LC_CTYPE: 'C.UTF-8', TERM: 'xterm' },
		'unicode',
		'16',
	],
	['no locale', 'linux', { TERM: 'xterm' }, 'ascii', '16'],
	['the Linux console', 'linux', { ...UTF8, TERM: 'linux' }, 'console', '16'],
	['vt100', 'linux', { ...UTF8, TERM: 'vt100' }, 'ascii', 'never'],
	['screen', 'linux', { ...UTF8, TERM: 'screen' }, 'unicode', '16'],
	['NO_COLOR', 'linux', { ...UTF8, TERM: 'xterm-256color', NO_COLOR: '1' }, 'unicode', 'never'],
	['an empty NO_COLOR', 'linux', { ...UTF8, TERM: 'xterm', NO_COLOR: '' }, 'unicode', '16'],
	['the Windows console', 'win32', {}, 'console', '16'],
	['Windows Terminal', 'win32', { WT_SESSION: 'x' }, 'unicode', '16'],
];

for (const [what, platform, env, symbols, color] of LEVELS)
	test(`${what}: ${symbols} symbols, colour ${color}`, () => {
		const profile = profileOf(input(platform, env));
		assert.deepEqual([profile.symbols, profile.color], [symbols, color]);
	});

test('what the user asks for wins over what the terminal seems to know', () => {
	const wish = { symbols: 'ascii', color: 'never' } as const;
	const profile = profileOf(input('linux', { ...UTF8, TERM: 'xterm-256color' }, wish));
	assert.deepEqual([profile.symbols, profile.color], ['ascii', 'never']);
});

test('the Esc key: 50 ms, over SSH 150, ESCDELAY wins', () => {
	const escMs = (env: Readonly<Record<string, string>>): number =>
		profileOf(input('linux', { TERM: 'xterm', ...env })).escMs;
	assert.equal(escMs({}), 50);
	assert.equal(escMs({ SSH_CONNECTION: '1 2 3 4' }), 150);
	assert.equal(escMs({ SSH_CONNECTION: '1 2 3 4', ESCDELAY: '25' }), 25);
	assert.equal(escMs({ ESCDELAY: 'soon' }), 50);
});

test('Windows needs no TERM; elsewhere the deck refuses without one', () => {
	assert.ok('refused' in probe(input('linux', UTF8)));
	assert.ok('refused' in probe(input('linux', { ...UTF8, TERM: 'dumb' })));
	assert.ok(!('refused' in probe(input('win32', {}))));
	assert.ok('refused' in probe(input('win32', {}, { stdoutIsTerminal: false })));
});

test('a plain Windows console gets no clipboard sequence, Windows Terminal does', () => {
	assert.equal(copySequence('x', profileOf(input('win32', {})).copy), null);
	assert.notEqual(copySequence('x', profileOf(input('win32', { WT_SESSION: 'x' })).copy), null);
});

test('Windows has no ^Z: the command is neither bound nor listed', () => {
	const { canSuspend } = profileOf(input('win32', {}));
	const keymap = createKeymap(COMMANDS, { keys: {}, isReadonly: false, canSuspend });
	assert.ok(keymap.commands.every(({ id }) => id !== 'app.suspend'));
	assert.equal(keymap.byContext.get('global')?.get('C-z'), undefined);
});

test('closing the window on Windows cancels the jobs, a line that drops elsewhere does not', () => {
	assert.equal(jobsOutliveLine('linux', 'finish'), true);
	assert.equal(jobsOutliveLine('linux', 'cancel'), false);
	assert.equal(jobsOutliveLine('win32', 'finish'), false);
});

test('on Windows the screen is entered as everywhere, and a closed window is a hangup', () => {
	const written: string[] = [];
	const raw: boolean[] = [];
	const stream = (more: object) => Object.assign(new EventEmitter(), more);
	const stdin = stream({
		setEncoding: () => {},
		setRawMode: (on: boolean) => raw.push(on),
		resume: () => {},
		pause: () => {},
		ref: () => {},
		unref: () => {},
	});
	const process = new EventEmitter();
	const ends: LeaveReason[] = [];
	const session = new Session(
		{
			stdin,
			// No file has this number: nothing is written when the screen is left.
			stdout: stream({ fd: -1, rows: 24, write: (text: string) => written.push(text) }),
			stderr: new EventEmitter(),
			process,
			suspend: () => assert.fail('there is no ^Z'),
		} as unknown as SessionHost,
		profileOf(input('win32', {})),
		{
			onInput: () => {},
			onResize: () => {},
			onContinue: () => {},
			onEnd: (reason) => ends.push(reason),
		},
	);
	session.open();
	assert.match(written.join(''), /\x1b\[\?1049h\x1b\[\?2004h\x1b\[\?25l/);
	process.emit('SIGBREAK');
	process.emit('SIGHUP');
	assert.deepEqual(ends, ['SIGINT', 'hangup'], 'Ctrl+Break, then the closed window');
	session.leave();
	assert.deepEqual(raw, [true, false]);
	session.close();
});
