import assert from 'node:assert/strict';
import { test } from 'node:test';
import { widthOf } from '../../../source/tui/parts/text.ts';
import {
	ENCODINGS,
	guessEncoding,
	looksBinary,
	nextEncoding,
	textLines,
	textRows,
} from '../../../source/tui/view/content.ts';

const utf16 = (text: string, order: 'le' | 'be', mark: boolean): Uint8Array => {
	const bytes = Buffer.from((mark ? '\ufeff' : '') + text, 'utf16le');
	return new Uint8Array(order === 'le' ? bytes : bytes.swap16());
};

const TEXT = '[Setup]\r\nName=Grüße\r\n';

const GUESSES: readonly [name: string, bytes: Uint8Array, encoding: string][] = [
	['UTF-16 LE with a mark', utf16(TEXT, 'le', true), 'UTF-16LE'],
	['UTF-16 BE with a mark', utf16(TEXT, 'be', true), 'UTF-16BE'],
	['UTF-16 LE without', utf16(TEXT, 'le', false), 'UTF-16LE'],
	['UTF-16 BE without', utf16(TEXT, 'be', false), 'UTF-16BE'],
	['UTF-8', new TextEncoder().encode(TEXT), 'UTF-8'],
	['UTF-8 with a mark', new TextEncoder().encode(`\ufeff${TEXT}`), 'UTF-8'],
	['a code page', new Uint8Array(Buffer.from(TEXT, 'latin1')), 'Windows-1252'],
];

for (const [name, bytes, encoding] of GUESSES)
	test(`${name} is seen and read`, () => {
		assert.equal(guessEncoding(bytes), encoding);
		assert.equal(looksBinary(bytes), false);
		assert.deepEqual(textLines(bytes), ['[Setup]', 'Name=Grüße', '']);
	});

test('other code pages are read when they are asked for', () => {
	const russian = Uint8Array.from([0xcf, 0xf0, 0xe8, 0xe2, 0xe5, 0xf2]);
	assert.deepEqual(textLines(russian, 'windows-1251'), ['Привет']);
	assert.deepEqual(textLines(Uint8Array.from([0x8f, 0xe0]), 'IBM866'), ['Пр']);
	assert.deepEqual(textLines(Uint8Array.from([0x93, 0xfa]), 'Shift_JIS'), ['日']);
	assert.deepEqual(textLines(Uint8Array.from([0xc4, 0xe3]), 'GBK'), ['你']);
});

test('every encoding is known here, and the round leads back to the guessed one', () => {
	const bytes = new TextEncoder().encode('plain');
	const seen: string[] = [];
	let encoding: string | null = null;
	do {
		encoding = nextEncoding(bytes, encoding);
		if (encoding !== null) seen.push(encoding);
	} while (encoding !== null && seen.length < 50);
	assert.deepEqual(seen, ENCODINGS.slice(1));
	for (const name of ENCODINGS) assert.ok(textLines(bytes, name).length > 0, name);
});

test('a program shown as text is in rows of the width asked for, whole', () => {
	const bytes = Uint8Array.from({ length: 64 * 1024 }, (_, i) => (i * 167 + (i >> 8)) & 0xff);
	const rows = textRows(bytes, null, 31);
	for (const row of rows) assert.ok(widthOf(row) <= 31);
	assert.equal(rows.join('').replaceAll(' ', ''), textLines(bytes).join('').replaceAll(' ', ''));
	assert.equal(textRows(bytes, null, 31), rows);
	assert.ok(textRows(bytes, null, 62).length < rows.length);
});
