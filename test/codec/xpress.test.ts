import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FormatError } from '../../source/base/errors.ts';
import { Decoder } from '../../source/codec/decoder.ts';
import { assertAgreement, damage, decodeByKernel } from '../support/agreement.ts';
import { makeXpress, randomXpressItems, type XpressItem } from '../support/make-xpress.ts';
import { decodeXpressPlainly } from '../support/oracle-xpress.ts';
import { seededRandom } from '../support/prefix-code.ts';
import { SAMPLE, XPRESS_VECTOR } from '../support/vectors.ts';

const sizes = fc.oneof(fc.integer({ min: 600, max: 5000 }), fc.integer({ min: 5000, max: 65536 }));

test('the vector of xpress.md decodes, by the kernel and by the transcription', () => {
	assert.deepEqual(new Decoder().decodeBytes('xpress', 32768, XPRESS_VECTOR, 830), SAMPLE);
	assert.deepEqual(decodeXpressPlainly(XPRESS_VECTOR, 830), SAMPLE);
});

test('valid XPRESS chunks of every kind decode to what they mean', () => {
	let count = 0;
	fc.assert(
		fc.property(fc.integer(), sizes, fc.boolean(), (seed, size, endMarker) => {
			const random = seededRandom(seed);
			const { stored, original } = makeXpress(randomXpressItems(random, size), random, endMarker);
			fc.pre(stored.length < original.length);
			count += 1;
			assert.deepEqual(decodeByKernel('xpress', 65536, stored, original.length), original);
			assertAgreement('xpress', 65536, stored, original.length);
		}),
		{ numRuns: 150 },
	);
	assert.equal(count, 150);
});

test('damaged XPRESS chunks: kernel and transcription give the same bytes or both refuse', () => {
	fc.assert(
		fc.property(fc.integer(), fc.integer({ min: 600, max: 3000 }), (seed, size) => {
			const random = seededRandom(seed);
			const { stored, original } = makeXpress(randomXpressItems(random, size), random, true);
			fc.pre(stored.length < original.length);
			for (let k = 0; k < 4; k++)
				assertAgreement('xpress', 32768, damage(stored, original.length, random), original.length);
		}),
		{ numRuns: 150 },
	);
});

test('after decoding, the stored size that an XPRESS chunk implies is known', () => {
	const decoder = new Decoder();
	fc.assert(
		fc.property(fc.integer(), sizes, (seed, size) => {
			const random = seededRandom(seed);
			const { stored, original } = makeXpress(randomXpressItems(random, size), random, true);
			const longer = Uint8Array.from([...stored, 0, 0, 0, 0]);
			fc.pre(longer.length < original.length);
			decoder.decodeBytes('xpress', 65536, longer, original.length);
			assert.deepEqual(decoder.lastConsumed(), { front: stored.length, back: longer.length });
		}),
		{ numRuns: 50 },
	);
});

test('XPRESS chunks cut by a few bytes: missing bits and bytes are never made up', () => {
	// The bytes that are cut off are often zero, so that a decoder that makes up zeros would get through.
	const endings: readonly XpressItem[][] = [
		[{ offset: 1, length: 18 }],
		[{ offset: 1, length: 203 }],
		[{ offset: 1024, length: 3 }],
		[{ literal: 7 }],
	];
	for (let seed = 0; seed < 600; seed++) {
		const random = seededRandom(seed);
		const items: XpressItem[] = [{ literal: 7 }, { offset: 1, length: 1100 + random(30) }];
		for (let k = random(20); k > 0; k--) items.push({ literal: 7 });
		items.push(...endings[seed % 4]!);
		const { stored, original } = makeXpress(items, random, false);
		for (let cut = 0; cut < 6; cut++)
			assertAgreement('xpress', 32768, stored.subarray(0, stored.length - cut), original.length);
	}
});

const refused: readonly (readonly [
	name: string,
	stored: Uint8Array,
	size: number,
	reason: RegExp,
])[] = [
	['less than 256 bytes', XPRESS_VECTOR.slice(0, 255), 830, /ends too early/],
	['no symbol has a codeword', new Uint8Array(400), 830, /code is not complete/],
	['a code with a gap', change(XPRESS_VECTOR, 5, 0), 830, /code is not complete/],
	['an over-full code', change(XPRESS_VECTOR, 5, 0x11), 830, /code is not complete/],
	['cut in the bit stream', XPRESS_VECTOR.slice(0, 290), 830, /ends too early/],
	['cut before a raw length', XPRESS_VECTOR.slice(0, 329), 830, /ends too early/],
	['cut behind the first byte of a raw length', XPRESS_VECTOR.slice(0, 330), 830, /ends too early/],
	['cut inside a raw length', XPRESS_VECTOR.slice(0, 331), 830, /ends too early/],
	['longer than the original size', XPRESS_VECTOR, 829, /match reaches past the end/],
	[
		'a match before the start',
		fromItems([{ literal: 1 }, { offset: 2, length: 900 }]),
		901,
		/before the chunk/,
	],
];

for (const [name, stored, size, reason] of refused) {
	test(`XPRESS refuses: ${name}`, () => {
		assert.throws(
			() => new Decoder().decodeBytes('xpress', 32768, stored, size),
			(error) => error instanceof FormatError && reason.test(error.message),
		);
		assert.throws(() => decodeXpressPlainly(stored, size));
	});
}

test('XPRESS refuses a match length in the long form below 15', () => {
	const items: XpressItem[] = [{ literal: 7 }, { offset: 1, length: 18 + 300 }];
	const { stored } = makeXpress(items, seededRandom(1), true);
	const at = stored.lastIndexOf(255);
	const wrong = change(change(stored, at + 1, 14), at + 2, 0);
	assert.throws(
		() => new Decoder().decodeBytes('xpress', 32768, wrong, 319),
		/longer form than it needs/,
	);
	assertAgreement('xpress', 32768, wrong, 319);
});

function change(bytes: Uint8Array, at: number, value: number): Uint8Array {
	const copy = bytes.slice();
	copy[at] = value;
	return copy;
}

function fromItems(items: readonly XpressItem[]): Uint8Array {
	return makeXpress(items, seededRandom(3), true).stored;
}
