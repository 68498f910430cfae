import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { encodeWtf8 } from '../../source/bytes/utf16.ts';
import { foldName, isHarmlessName, nameFault, replacementName } from '../../source/host/names.ts';

const LONG = 'ü'.repeat(128);

for (const [name, posix, windows] of [
	['file.txt', null, null],
	['', /empty/, /empty/],
	['.', /stands for a folder/, /stands for a folder/],
	['..', /stands for a folder/, /stands for a folder/],
	['a/b', /holds the character "\/"/, /holds the character "\/"/],
	['a\0b', /holds the character 0/, /holds the character 0/],
	['a\\b', null, /holds the character "\\"/],
	['a:b', null, /holds the character ":"/],
	['a\u001fb', null, /holds the character 31/],
	['CON', null, /names a device/],
	['nul.txt', null, /names a device/],
	['com1 .x', null, /names a device/],
	['console', null, null],
	['dot.', null, /ends in a dot or a blank/],
	['blank ', null, /ends in a dot or a blank/],
	['...', null, /ends in a dot or a blank/],
	['a'.repeat(255), null, null],
	['a'.repeat(256), /256 bytes, more than 255/, /more than 255 units/],
	[LONG, /256 bytes, more than 255/, null],
	['\ud800', null, null],
] as const) {
	test(`the name ${JSON.stringify(name.slice(0, 20))} is judged for Unix and for Windows`, () => {
		for (const [rules, expected] of [
			['posix', posix],
			['windows', windows],
		] as const) {
			const fault = nameFault(name, rules);
			if (expected === null) assert.equal(fault, null, rules);
			else assert.match(fault ?? '', expected, rules);
		}
	});
}

test('a refused name is made usable the way wimlib does it, and stays apart from its neighbours', () => {
	assert.equal(replacementName('a/b', 'posix', 1), 'a?b (invalid filename #1)');
	assert.equal(replacementName('a:b', 'windows', 12), 'a\ufffdb (invalid filename #12)');
	assert.equal(replacementName('..', 'posix', 3), '.. (invalid filename #3)');
	assert.equal(encodeWtf8(replacementName(LONG, 'posix', 1)).length, 254);
});

test('whatever a name holds, its replacement is usable', () => {
	fc.assert(
		fc.property(
			fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 400 }),
			fc.constantFrom('posix', 'windows'),
			(units, rules) => {
				const name = String.fromCharCode(...units);
				assert.equal(nameFault(replacementName(name, rules, 7), rules), null);
			},
		),
	);
});

test('twins are names that a file system cannot tell apart', () => {
	const same = (a: string, b: string, ignoresCase: boolean, normalises: boolean) =>
		foldName(a, { ignoresCase, normalises }) === foldName(b, { ignoresCase, normalises });
	assert.ok(same('Readme', 'README', true, false));
	assert.ok(!same('Readme', 'README', false, true));
	assert.ok(same('\u00e9', 'e\u0301', false, true));
	assert.ok(!same('\u00e9', 'e\u0301', true, false));
	assert.ok(same('σ', 'ς', true, false));
});

test('an image name becomes a folder name only where every system takes it', () => {
	assert.ok(isHarmlessName('Windows 11 Pro'));
	for (const name of ['', '..', 'a/b', 'a\\b', 'NUL', 'x'.repeat(300)])
		assert.ok(!isHarmlessName(name));
});
