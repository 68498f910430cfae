import assert from 'node:assert/strict';
import { test } from 'node:test';
import { COPY_SIZE_MAX, copySequence } from '../../../source/tui/terminal/osc52.ts';

const PLAIN = { term: 'xterm-256color', tmux: false, plainWindowsConsole: false };

const decoded = (sequence: string | null): string => {
	const [, payload] = /^\x1b\]52;c;([A-Za-z0-9+/=]*)\x07$/.exec(sequence ?? '') ?? [];
	assert.notEqual(payload, undefined, JSON.stringify(sequence));
	return Buffer.from(payload ?? '', 'base64').toString('utf8');
};

test('a path is copied whole, whatever it holds, and nothing of it is a control byte', () => {
	for (const path of ['\\Windows\\größe', '\\evil\x1b]0;x\x07', '\\日本語\\👩', ''])
		assert.equal(decoded(copySequence(path, PLAIN)), path);
});

test('inside tmux the request is wrapped and every ESC doubled', () => {
	const plain = copySequence('x', PLAIN) ?? '';
	const wrapped = copySequence('x', { ...PLAIN, tmux: true }) ?? '';
	const [, inner] = /^\x1bPtmux;(.*)\x1b\\$/s.exec(wrapped) ?? [];
	assert.equal(inner?.replaceAll('\x1b\x1b', '\x1b'), plain);
	assert.doesNotMatch(inner?.replaceAll('\x1b\x1b', '') ?? '\x1b', /\x1b/);
});

test('at most 8 KB are copied, counted in bytes', () => {
	assert.equal(decoded(copySequence('x'.repeat(COPY_SIZE_MAX), PLAIN)).length, COPY_SIZE_MAX);
	assert.equal(copySequence('x'.repeat(COPY_SIZE_MAX + 1), PLAIN), null);
	assert.equal(copySequence('ß'.repeat(COPY_SIZE_MAX / 2 + 1), PLAIN), null);
});

test('terminals without a clipboard are sent nothing', () => {
	for (const term of ['linux', 'vt100', 'vt220', 'dumb', ''])
		assert.equal(copySequence('x', { ...PLAIN, term }), null, term);
	assert.equal(copySequence('x', { ...PLAIN, plainWindowsConsole: true }), null);
});
