import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InputError } from '../../source/base/errors.ts';
import { encodeUtf16 } from '../../source/bytes/utf16.ts';
import { splitArguments } from '../../source/image/text-file.ts';
import {
	NO_DEFAULTS,
	parseSourceList,
	parseUpdateCommand,
	parseUpdateFile,
} from '../../source/image/update-commands.ts';

const TEXT = `# comment\n\n  add 'b c' "/q r"\nDELETE /a --force\n; more\r\nrename x\ty\n`;

test('commands read the same in every Unicode encoding', () => {
	const utf16 = encodeUtf16(TEXT);
	const swapped = utf16.slice();
	for (let k = 0; k < swapped.length; k += 2)
		[swapped[k], swapped[k + 1]] = [swapped[k + 1] ?? 0, swapped[k] ?? 0];
	const join = (...parts: number[][]) => Uint8Array.from(parts.flat());
	const utf8 = [...new TextEncoder().encode(TEXT)];
	const expected = parseUpdateFile(Uint8Array.from(utf8), 'c');
	assert.deepEqual(expected, [
		{ type: 'add', source: 'b c', target: '/q r', flags: NO_DEFAULTS.add },
		{ type: 'delete', path: '/a', force: true, recursive: false },
		{ type: 'rename', from: 'x', to: 'y' },
	]);
	for (const bytes of [
		join([0xef, 0xbb, 0xbf], utf8),
		utf16,
		join([0xff, 0xfe], [...utf16]),
		swapped,
		join([0xfe, 0xff], [...swapped]),
	])
		assert.deepEqual(parseUpdateFile(bytes, 'c'), expected);
});

test('a quote closes at the next one of its kind, inside a word it is ordinary', () => {
	assert.deepEqual(splitArguments(`add "b c"x a'b'c`), ['add', 'b c', 'x', `a'b'c`]);
	assert.deepEqual(splitArguments(`''a''`), ['', `a''`]);
	assert.throws(() => splitArguments('delete "/a'), /Missing closing quote: "\/a/);
});

test('what a command does not take is refused with its line', () => {
	for (const [line, message] of [
		['delete /a # no', 'Unexpected argument "#"'],
		['add a', 'Not enough arguments'],
		['frob x', 'Unknown update command "frob"'],
		['rename --force a b', 'Unknown option "--force"'],
		['image', 'Not enough arguments'],
		['image 1 2', 'Unexpected argument "2"'],
	] as const)
		assert.throws(
			() => parseUpdateFile(new TextEncoder().encode(`\n${line}`), 'cmds'),
			(error) =>
				error instanceof InputError && error.message.startsWith(`cmds, line 2: ${message}`),
		);
});

test('options of the run count for every command, and -- ends options', () => {
	const command = parseUpdateCommand('delete -- --force', { ...NO_DEFAULTS, recursive: true });
	assert.deepEqual(command, { type: 'delete', path: '--force', force: false, recursive: true });
});

test('a source list names source and place', () => {
	const list = parseSourceList(new TextEncoder().encode('a /\n# x\n"b b" \'c c\'\n'), 'l');
	assert.deepEqual(list, [
		{ source: 'a', target: '/' },
		{ source: 'b b', target: 'c c' },
	]);
	assert.throws(() => parseSourceList(new TextEncoder().encode('a b c'), 'l'), /l, line 1/);
});
