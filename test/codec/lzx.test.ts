import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FormatError } from '../../source/base/errors.ts';
import { Decoder } from '../../source/codec/decoder.ts';
import { assertAgreement, damage, decodeByKernel } from '../support/agreement.ts';
import { BitWriter, type LzxBlock, makeLzx } from '../support/make-lzx.ts';
import { decodeLzxPlainly, translateE8 } from '../support/oracle-lzx.ts';
import { type Random, seededRandom } from '../support/prefix-code.ts';
import { E8_VECTOR, LZX_VECTOR, SAMPLE } from '../support/vectors.ts';

const CHUNK_SIZES = [15, 16, 17, 18, 19, 20, 21].map((order) => 2 ** order);
const KINDS = ['verbatim', 'aligned', 'uncompressed'] as const;

/** One to four blocks of any kind. */
function randomBlocks(random: Random, total: number): LzxBlock[] {
	const blocks: LzxBlock[] = [];
	for (let left = total; left > 0; ) {
		const size = blocks.length === 3 || random(3) === 0 ? left : 1 + random(left);
		blocks.push({ kind: KINDS[random(3)]!, size });
		left -= size;
	}
	return blocks;
}

test('the vectors of lzx.md decode, by the kernel and by the transcription', () => {
	assert.deepEqual(new Decoder().decodeBytes('lzx', 32768, LZX_VECTOR, 830), SAMPLE);
	assert.deepEqual(decodeLzxPlainly(LZX_VECTOR, 32768, 830), SAMPLE);
	const data = E8_VECTOR[0].slice();
	translateE8(data);
	assert.deepEqual(data, E8_VECTOR[1]);
});

test('valid LZX chunks of one to four blocks of any kind and every window decode to what they mean', () => {
	fc.assert(
		fc.property(
			fc.integer(),
			fc.constantFrom(...CHUNK_SIZES),
			fc.integer({ min: 700, max: 12000 }),
			fc.boolean(),
			(seed, chunkSize, size, pad) => {
				const random = seededRandom(seed);
				const chunk = makeLzx(chunkSize, randomBlocks(random, size), random, pad);
				fc.pre(chunk.stored.length < size);
				assert.deepEqual(decodeByKernel('lzx', chunkSize, chunk.stored, size), chunk.original);
				assertAgreement('lzx', chunkSize, chunk.stored, size);
			},
		),
		{ numRuns: 150 },
	);
});

test('LZX blocks of 32768 bytes, sent with the one-bit size or in full, decode in every larger window', () => {
	for (const chunkSize of CHUNK_SIZES.slice(1)) {
		const random = seededRandom(chunkSize);
		const blocks: LzxBlock[] = [
			{ kind: KINDS[random(3)]!, size: 32768 },
			{ kind: 'aligned', size: 32768 },
		];
		const chunk = makeLzx(chunkSize, blocks, random);
		assert.deepEqual(decodeByKernel('lzx', chunkSize, chunk.stored, 65536), chunk.original);
		assertAgreement('lzx', chunkSize, chunk.stored, 65536);
	}
});

test('far matches reach back through a full window of 2 MiB', () => {
	const random = seededRandom(21);
	const blocks: LzxBlock[] = [
		{ kind: 'uncompressed', size: 1 << 20 },
		{ kind: 'verbatim', size: 500_001 },
		{ kind: 'aligned', size: (1 << 20) - 500_001 },
	];
	const chunk = makeLzx(1 << 21, blocks, random);
	assert.deepEqual(decodeByKernel('lzx', 1 << 21, chunk.stored, 1 << 21), chunk.original);
});

test('uncompressed LZX blocks decode at all 16 bit positions, odd and even, with and without the last padding', () => {
	// What stands before the header decides where it begins; many tries hit every position.
	const seen = new Set<number>();
	for (let seed = 0; seed < 400; seed++) {
		const random = seededRandom(seed);
		const chunkSize = CHUNK_SIZES[seed % 3]!;
		const before = 300 + random(300);
		const size = random(2) === 0 ? 32768 : 1 + random(40);
		const after = seed % 2 === 0 ? 0 : 300;
		const blocks: LzxBlock[] = [
			{ kind: 'verbatim', size: before },
			{ kind: 'uncompressed', size },
		];
		if (after > 0) blocks.push({ kind: 'aligned', size: after });
		const total = before + size + after;
		if (total > chunkSize) continue;
		const chunk = makeLzx(chunkSize, blocks, random, seed % 4 === 0);
		if (chunk.stored.length >= total) continue;
		seen.add(chunk.phases[1]!);
		assert.deepEqual(decodeByKernel('lzx', chunkSize, chunk.stored, total), chunk.original);
		assertAgreement('lzx', chunkSize, chunk.stored, total);
	}
	assert.equal(seen.size, 16);
});

test('damaged LZX chunks: kernel and transcription give the same bytes or both refuse', () => {
	fc.assert(
		fc.property(
			fc.integer(),
			fc.constantFrom(...CHUNK_SIZES),
			fc.integer({ min: 700, max: 4000 }),
			(seed, chunkSize, size) => {
				const random = seededRandom(seed);
				const { stored } = makeLzx(chunkSize, randomBlocks(random, size), random);
				fc.pre(stored.length < size);
				for (let k = 0; k < 4; k++)
					assertAgreement('lzx', chunkSize, damage(stored, size, random), size);
			},
		),
		{ numRuns: 150 },
	);
});

test('after decoding, the stored size that an LZX chunk implies is known', () => {
	const decoder = new Decoder();
	fc.assert(
		fc.property(fc.integer(), fc.integer({ min: 700, max: 5000 }), (seed, size) => {
			const random = seededRandom(seed);
			const { stored } = makeLzx(32768, randomBlocks(random, size), random);
			const longer = Uint8Array.from([...stored, 0, 0]);
			fc.pre(longer.length < size);
			decoder.decodeBytes('lzx', 32768, longer, size);
			assert.deepEqual(decoder.lastConsumed(), { front: stored.length, back: longer.length });
		}),
		{ numRuns: 50 },
	);
});

test('E8 translation by the kernel follows the vector', () => {
	// The vector as uncompressed block, then a verbatim block long enough to make the whole smaller than its output.
	const [before, after] = E8_VECTOR;
	const size = before.length;
	const chunk = makeLzx(
		32768,
		[
			{ kind: 'uncompressed', size },
			{ kind: 'verbatim', size: 3000 },
		],
		seededRandom(5),
	);
	chunk.stored.set(before, 4 + 12);
	const decoded = decodeByKernel('lzx', 32768, chunk.stored, size + 3000)!;
	// What follows lifts the rule for the last ten bytes, which the vector shows at 34.
	assert.deepEqual(decoded.subarray(0, 34), after.subarray(0, 34));
	assertAgreement('lzx', 32768, chunk.stored, size + 3000);
});

/** A verbatim block of 2000 bytes whose first set of lengths is 255 zeros and then what `last` writes. */
function firstSet(last: (writer: BitWriter) => void): Uint8Array {
	const writer = new BitWriter();
	writer.bits(1, 3);
	writer.bits(2000, 17);
	// The pretree: 17 = 0, 18 = 10, 19 = 11.
	for (let symbol = 0; symbol < 20; symbol++)
		writer.bits(symbol === 17 ? 1 : symbol === 18 || symbol === 19 ? 2 : 0, 4);
	for (let k = 0; k < 5; k++) {
		writer.bits(0b10, 2);
		writer.bits(31, 5);
	}
	last(writer);
	writer.bits(0, 1600);
	return Uint8Array.from(writer.bytes);
}

const refused: readonly (readonly [
	name: string,
	stored: Uint8Array,
	size: number,
	reason: RegExp,
])[] = [
	['an unknown block type', change(LZX_VECTOR, 1, 0x00), 830, /type of a block is not known/],
	['a block of no bytes', fromWords([0x2000, 0, 0, 0]), 830, /a block is empty/],
	['a block larger than the chunk', LZX_VECTOR, 829, /a block is empty or reaches past the end/],
	['a chunk that ends in its codes', LZX_VECTOR.slice(0, 30), 830, /not complete|ends too early/],
	['a chunk that ends in its items', LZX_VECTOR.slice(0, 90), 830, /ends too early/],
	['an uncompressed block without its bytes', fromWords([0x6033, 0xe000]), 830, /ends too early/],
	[
		'a run of zeros beyond the end of its set',
		firstSet((writer) => writer.bits(0, 5)),
		2000,
		/list of code lengths is broken/,
	],
	[
		'a run of equal lengths beyond the end of its set',
		firstSet((writer) => writer.bits(0b11_0_0, 4)),
		2000,
		/list of code lengths is broken/,
	],
	[
		'a run of equal lengths that is no length',
		Uint8Array.from(
			(() => {
				const writer = new BitWriter();
				writer.bits(1, 3);
				writer.bits(2000, 17);
				for (let symbol = 0; symbol < 20; symbol++) writer.bits(symbol >= 18 ? 1 : 0, 4);
				writer.bits(0b1_0_0, 3);
				writer.bits(0, 1600);
				return writer.bytes;
			})(),
		),
		2000,
		/list of code lengths is broken/,
	],
	[
		'a recent offset of 0',
		fromWords([0x6040, 0, 1, 0, 1, 0, 0, 0, ...new Array<number>(512).fill(0)]),
		1100,
		/a recent offset is zero/,
	],
];

for (const [name, stored, size, reason] of refused) {
	test(`LZX refuses: ${name}`, () => {
		assert.throws(
			() => new Decoder().decodeBytes('lzx', 32768, stored, size),
			(error) => error instanceof FormatError && reason.test(error.message),
		);
		assert.throws(() => decodeLzxPlainly(stored, 32768, size));
	});
}

function change(bytes: Uint8Array, at: number, value: number): Uint8Array {
	const copy = bytes.slice();
	copy[at] = value;
	return copy;
}

function fromWords(words: readonly number[]): Uint8Array {
	return Uint8Array.from(words.flatMap((word) => [word & 255, word >> 8]));
}
