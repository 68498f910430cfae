import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
	asciiEscaped,
	asciiOnly,
	cut,
	cutStart,
	fit,
	fitRight,
	type Shown,
	safe,
	shown,
	spread,
	widthOf,
	wrapped,
} from '../../../source/tui/parts/text.ts';
import { graphemesOf } from '../../../source/tui/terminal/cell.ts';

const SAFE: readonly [what: string, raw: string, shown: string][] = [
	['plain text', 'win.ini', 'win.ini'],
	['escape sequences', 'evil\x1b]0;x\x07.txt', 'evil^[]0;x^G.txt'],
	['one-character CSI', 'a\x9b31mb', 'a<009B>31mb'],
	['direction overrides', 'rtl\u202etxt.exe', 'rtl<202E>txt.exe'],
	['half a surrogate pair', 'lone\ud800.dat', 'lone<D800>.dat'],
	['zero-width characters', 'a\u200bb', 'a<200B>b'],
	['line breaks and tabs', 'a\r\n\tb', 'a^M^J^Ib'],
	['a mark without a letter', '\u0301x', '<0301>x'],
	['tag characters', 'a\u{e0041}', 'a<E0041>'],
	['letters of other scripts', 'Ümläut 日本 กิน', 'Ümläut 日本 กิน'],
	['a pile of marks', `a${'\u0301'.repeat(30)}b`, `a${'\u0301'.repeat(4)}b`],
];

for (const [what, raw, expected] of SAFE)
	test(`safe text: ${what}`, () => assert.equal(safe(raw), expected));

const anyText = fc.string({ unit: 'binary', maxLength: 60 });
const width = fc.integer({ min: 0, max: 40 });

test('no text, however hostile, keeps a control character', () => {
	fc.assert(
		fc.property(fc.string({ unit: 'binary-ascii' }), anyText, (a, b) => {
			assert.doesNotMatch(safe(a + b), /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
		}),
	);
});

test('safe text is safe already', () => {
	fc.assert(fc.property(anyText, (raw) => assert.equal(safe(safe(raw)), safe(raw))));
});

test('fitted text is exactly as wide as asked, also beside other text', () => {
	fc.assert(
		fc.property(anyText, width, (raw, columns) => {
			assert.equal(widthOf(fit(safe(raw), columns)), columns);
			assert.equal(widthOf(fitRight(safe(raw), columns)), columns);
			// What stands beside it must not melt into it.
			assert.equal(widthOf(shown`> ${fit(safe(raw), columns)}|`), columns + 3);
		}),
	);
});

test('cut text is never wider than asked, and says that it was cut', () => {
	fc.assert(
		fc.property(anyText, width, (raw, columns) => {
			const text = safe(raw);
			const short = cut(text, columns);
			assert.ok(widthOf(short) <= columns);
			if (columns > 0 && widthOf(text) > columns) assert.ok(short.endsWith('~'));
			assert.ok(widthOf(cutStart(text, columns)) <= columns);
		}),
	);
});

test('wrapped lines fit and lose nothing but spaces', () => {
	fc.assert(
		fc.property(anyText, fc.integer({ min: 2, max: 40 }), (raw, columns) => {
			const text = safe(raw);
			const lines = wrapped(text, columns);
			for (const line of lines) assert.ok(widthOf(line) <= columns);
			assert.equal(lines.join('').replaceAll(' ', ''), text.replaceAll(' ', ''));
		}),
	);
});

test('graphemes of long texts are those of the whole text', () => {
	const whole = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
	// Marks, flags, families and Hangul: what joins across the edge of a window.
	const joining = fc.constantFrom(
		'a',
		'\u0301',
		'🇩',
		'👩',
		'\u200d',
		'\u{e0100}',
		'\ud83d',
		'ᄀ',
		'ᅡ',
		'日',
	);
	const long = fc.array(joining, { minLength: 200, maxLength: 900 }).map((parts) => parts.join(''));
	fc.assert(
		fc.property(long, (text) => {
			const parts = [...graphemesOf(text)].map(({ segment }) => segment);
			assert.deepEqual(
				parts,
				Array.from(whole.segment(text), ({ segment }) => segment),
			);
		}),
	);
	const pile = `x${'\u0301'.repeat(3000)}y`;
	assert.deepEqual(
		Array.from(graphemesOf(pile), ({ index }) => index),
		[0, 3001],
	);
});

test('a word of many lines is wrapped in one pass, with and without other alphabets', () => {
	for (const letter of ['a', 'ж', '日']) {
		const word = safe(letter.repeat(300_000));
		const perLine = 30 / widthOf(safe(letter));
		const lines = wrapped(word, 30);
		assert.equal(lines.length, 300_000 / perLine);
		assert.ok(lines.every((line) => line.length === perLine));
	}
});

test('two texts at the ends of a row: the right one stays whole', () => {
	assert.equal(spread(safe('a long path'), safe('12'), 8), 'a lon~12');
	assert.equal(spread(safe('a'), safe('12'), 8), 'a     12');
});

test('without Unicode a list shows question marks and details the exact characters', () => {
	assert.equal(asciiOnly(safe('é日.txt')), '??.txt');
	assert.equal(asciiEscaped(safe('é日.txt')), '\\u{E9}\\u{65E5}.txt');
	const styles = '\x1b[7mé\x1b[27m' as Shown;
	assert.equal(asciiOnly(styles), '\x1b[7m?\x1b[27m');
});
