import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InputError } from '../../source/base/errors.ts';
import { HRESULT_ERRORS, WIMLIB_ERRORS, WIN32_ERRORS } from '../../source/cli/error-codes.ts';
import { explainCode, parseCode } from '../../source/cli/explain.ts';
import { cli } from '../support/cli.ts';

const KNOWN: readonly (readonly [code: string, pattern: RegExp])[] = [
	['0xC1420127', /mounted for changes already/],
	['-1052638937', /mounted for changes already/],
	['c1420127', /mounted for changes already/],
	['0x80070002', /A file was not found/],
	['0x8007000D', /data is invalid/],
	['0x800F081F', /source files were not found/],
	['0xC1510111', /may not mount and change/],
	['2', /A file was not found/],
	['5', /Access was denied/],
	['11', /format is wrong/],
	['13', /damaged or not a WIM/],
	['50', /not supported/],
	['87', /argument is wrong/],
	['1392', /damaged and cannot be read/],
	['130', /Canceled/],
];

for (const [code, pattern] of KNOWN)
	test(`explain ${code} says what it means and what to do`, async () => {
		const result = await cli(['explain', code]);
		assert.equal(result.code, 0);
		assert.match(result.out, pattern);
	});

test('a small number is explained for each program that uses it', () => {
	const origins = explainCode(2).map(({ origin }) => origin);
	assert.deepEqual(origins, ['wimdeck', 'windows', 'wimlib-imagex']);
});

test('an unknown number names where it comes from', async () => {
	const { code, err } = await cli(['explain', '0x800f0fff']);
	assert.equal(code, 2);
	assert.match(err, /Nothing is known about 0x800F0FFF\n {2}It comes from servicing/);
	assert.throws(() => parseCode('hello'), InputError);
	assert.throws(() => parseCode('99999999999'), InputError);
});

test('no number stands twice in a table, and each says what to do', () => {
	for (const table of [WIN32_ERRORS, HRESULT_ERRORS, WIMLIB_ERRORS]) {
		const codes = table.map(({ code }) => code);
		assert.equal(new Set(codes).size, codes.length);
		for (const { meaning, advice } of table) {
			assert.match(meaning, /^[A-Z].*[^.]$/);
			assert.match(advice, /^(?:[A-Z]|wimdeck).*[^ ]$/);
		}
	}
});

test('explain --json has stable keys', async () => {
	const { out } = await cli(['explain', '0xC1420127', '--json']);
	const value = JSON.parse(out);
	assert.equal(value.code, 0xc1420127);
	assert.deepEqual(Object.keys(value.meanings[0]), ['origin', 'code', 'meaning', 'advice']);
});
