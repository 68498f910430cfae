import assert from 'node:assert/strict';
import { test } from 'node:test';
import { edit, fieldOf, insert, type TextField } from '../../../source/tui/state/text-field.ts';

const at = (marked: string): TextField => ({
	text: marked.replace('|', ''),
	cursor: marked.indexOf('|'),
});
const marked = ({ text, cursor }: TextField): string =>
	`${text.slice(0, cursor)}|${text.slice(cursor)}`;

const EDITS: readonly [key: string, before: string, after: string][] = [
	['left', 'ab|c', 'a|bc'],
	['left', '|abc', '|abc'],
	['right', 'ab|c', 'abc|'],
	['home', 'ab|c', '|abc'],
	['C-e', 'a|bc', 'abc|'],
	['backspace', 'ab|c', 'a|c'],
	['backspace', 'a😀|c', 'a|c'],
	['delete', 'a|😀c', 'a|c'],
	['left', 'a😀|', 'a|😀'],
	['C-u', 'ab|c', '|c'],
	['C-k', 'ab|c', 'ab|'],
	['C-w', 'C:\\Windows\\Sys|x', 'C:\\Windows\\|x'],
	['C-w', '/srv/deploy/|', '/srv/|'],
];

for (const [key, before, after] of EDITS)
	test(`${key} turns ${before} into ${after}`, () =>
		assert.equal(marked(edit(at(before), key)!), after));

test('typing goes where the cursor is, and a paste stays on one line', () => {
	assert.equal(marked(insert(at('a|c'), 'b')), 'ab|c');
	assert.equal(marked(insert(fieldOf('x'), 'a\r\nb\tc')), 'xa b c|');
});

test('other keys edit nothing', () => {
	assert.equal(edit(fieldOf('x'), 'f5'), null);
});
