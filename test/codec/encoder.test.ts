import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import fc from 'fast-check';
import { UnsupportedError } from '../../source/base/errors.ts';
import type { Compression } from '../../source/codec/compression.ts';
import { Decoder } from '../../source/codec/decoder.ts';
import { Encoder, LEVEL_FAST, LEVEL_NORMAL, LEVEL_THOROUGH } from '../../source/codec/encoder.ts';
import { CONTENT_KINDS, content } from '../support/contents.ts';
import { oracle, runOracle } from '../support/oracles.ts';
import { randomSource } from '../support/random.ts';
import { sampleFiles } from '../support/sample-data.ts';
import { smallWim } from '../support/small-wim.ts';
import { subfolder, tempFolder } from '../support/temp-tree.ts';

type Format = 'xpress' | 'lzx';

const encoder = new Encoder();
const decoder = new Decoder();

/** One level of every strategy. */
const LEVELS: Readonly<Record<Format, readonly number[]>> = {
	xpress: [1, LEVEL_FAST, LEVEL_NORMAL, 60, 80, LEVEL_THOROUGH],
	lzx: [1, 10, LEVEL_FAST, 35, LEVEL_NORMAL, 70, LEVEL_THOROUGH],
};
const CHUNK_SIZES: Readonly<Record<Format, readonly number[]>> = {
	xpress: [12, 13, 14, 15, 16].map((order) => 2 ** order),
	lzx: [15, 16, 17, 18, 19, 20, 21].map((order) => 2 ** order),
};
const FORMATS = ['xpress', 'lzx'] as const;
/** What other programs get to read. */
const WRITTEN: readonly (readonly [Format, number])[] = [
	['xpress', 2 ** 12],
	['xpress', 2 ** 15],
	['xpress', 2 ** 16],
	['lzx', 2 ** 15],
	['lzx', 2 ** 17],
	['lzx', 2 ** 21],
];

/** Encodes and decodes one chunk; gives the stored size, or the original one for a raw chunk. */
function roundTrip(
	format: Format,
	chunkSize: number,
	level: number,
	original: Uint8Array,
	what = '',
): number {
	const where = `${format} ${chunkSize} level ${level} ${what} ${original.length} bytes`;
	const stored = encoder.encodeBytes(format, chunkSize, level, original);
	const input = encoder.input(original.length);
	assert.ok(Buffer.compare(input, original) === 0, `${where}: the input has changed`);
	if (stored === null) return original.length;
	assert.ok(stored.length < original.length, `${where}: not smaller than the input`);
	const back = decoder.decodeBytes(format, chunkSize, stored, original.length);
	assert.ok(Buffer.compare(back, original) === 0, `${where}: decodes to other bytes`);
	assert.equal(decoder.lastConsumed().front, stored.length, `${where}: bytes left over`);
	return stored.length;
}

for (const format of FORMATS) {
	test(`${format} decoding undoes encoding for every kind of content, size and level`, () => {
		const sizes = [1, 2, 7, 8, 9, 63, 64, 65, 299, 300, 301, 1000, 4095, 4096, 32_767, 32_768];
		for (const kind of CONTENT_KINDS)
			for (const size of sizes)
				for (const level of size > 5000 ? [LEVEL_FAST, LEVEL_NORMAL] : LEVELS[format])
					roundTrip(format, 32_768, level, content(kind, size, size + level), kind);
	});

	test(`${format} chunks of every legal size decode, whole and one byte short`, () => {
		for (const chunkSize of CHUNK_SIZES[format])
			for (const level of chunkSize > 2 ** 17 ? [LEVEL_FAST, LEVEL_NORMAL] : LEVELS[format])
				for (const less of [0, 1])
					roundTrip(format, chunkSize, level, content('mixed', chunkSize - less, level));
	});

	test(`${format} decoding undoes encoding for any size, seed and level`, () => {
		fc.assert(
			fc.property(
				fc.constantFrom(...CONTENT_KINDS),
				fc.constantFrom(...CHUNK_SIZES[format].slice(0, 4)),
				fc.double({ min: 0, max: 1, noNaN: true }),
				fc.integer({ min: 0, max: 2 ** 31 }),
				fc.integer({ min: 1, max: 100 }),
				(kind, chunkSize, part, seed, level) => {
					const size = 1 + Math.floor(part * part * (chunkSize - 1));
					roundTrip(format, chunkSize, level, content(kind, size, seed), `${kind} ${seed}`);
				},
			),
			{ numRuns: 150 },
		);
	});

	test(`${format} decoding undoes encoding for arbitrary inputs of few different bytes`, () => {
		const byte = fc.constantFrom(0, 1, 2, 0x48, 0x8d, 0xe8, 0xff, 0x15);
		fc.assert(
			fc.property(
				fc.array(byte, { minLength: 1, maxLength: 700 }),
				fc.constantFrom(...LEVELS[format]),
				(bytes, level) => {
					roundTrip(format, 32_768, level, Uint8Array.from(bytes));
				},
			),
			{ numRuns: 300 },
		);
	});

	test(`${format} output depends on nothing but the chunk and its settings`, () => {
		const chunks = CONTENT_KINDS.map((kind, seed) => content(kind, 20_000 + 911 * seed, seed));
		for (const level of LEVELS[format]) {
			const fresh = chunks.map((chunk) => new Encoder().encodeBytes(format, 32_768, level, chunk));
			for (const [position, chunk] of [...chunks.entries()].reverse()) {
				const other = FORMATS[position % 2]!;
				encoder.encodeBytes(other, 2 ** 16, 101 - level, content('mixed', 50_000, position));
				assert.deepEqual(encoder.encodeBytes(format, 32_768, level, chunk), fresh[position]);
				assert.deepEqual(encoder.encodeBytes(format, 32_768, level, chunk), fresh[position]);
			}
		}
	});

	test(`higher ${format} levels do not make ordinary content larger`, () => {
		for (const kind of ['text', 'code', 'tables', 'mixed'] as const) {
			const original = content(kind, 32_768, 3);
			const sizes = [LEVEL_FAST, LEVEL_NORMAL, LEVEL_THOROUGH].map((level) =>
				roundTrip(format, 32_768, level, original, kind),
			);
			// Greedy and lazy parses guess: on single chunks either may win by a little.
			assert.ok(sizes[1]! <= sizes[0]! * 1.005, `${kind}: ${sizes}`);
			assert.ok(sizes[2]! <= sizes[1]! * 1.002, `${kind}: ${sizes}`);
		}
	});

	test(`${format} says at every level that random and tiny chunks are to be stored raw`, () => {
		for (const level of LEVELS[format]) {
			const random = content('random', 32_768, level);
			assert.equal(encoder.encodeBytes(format, 32_768, level, random), null);
			assert.equal(encoder.encodeBytes(format, 32_768, level, Uint8Array.of(7)), null);
		}
	});

	test(`${format} makes almost nothing of a chunk of one value`, () => {
		const limit = { xpress: 300, lzx: 400 }[format];
		for (const level of LEVELS[format])
			assert.ok(roundTrip(format, 32_768, level, new Uint8Array(32_768).fill(0x20)) < limit);
	});
}

test('an E8 at every place of a chunk survives the translation of call targets', () => {
	const calls = Uint8Array.from({ length: 4096 }, (_, at) => (at % 5 === 0 ? 0xe8 : 0));
	const dense = new Uint8Array(4096).fill(0xe8);
	const edge = content('code', 4096, 1);
	edge.set([0xe8, 0xff, 0xff, 0xff, 0xff, 0xe8, 0x00, 0x1b, 0xb7, 0x00], 4096 - 15);
	for (const level of LEVELS.lzx)
		for (const original of [calls, dense, edge])
			for (const size of [4096, 4091, 4087, 4086, 4085]) {
				roundTrip('lzx', 32_768, level, original.subarray(0, size));
			}
});

test('random bytes that occur twice are not taken for incompressible', () => {
	for (const [format, chunkSize] of WRITTEN)
		for (const level of LEVELS[format]) {
			const original = content('random', chunkSize, level);
			original.copyWithin(chunkSize / 2, 0, chunkSize / 2);
			const size = roundTrip(format, chunkSize, level, original, 'twice');
			// Only the largest windows lose sight of what lies a whole MiB back, and only at fast levels.
			if (chunkSize > 4096 && (level >= LEVEL_NORMAL || chunkSize <= 2 ** 15))
				assert.ok(size < chunkSize * 0.53, `${format} ${chunkSize} level ${level}: ${size}`);
		}
});

test('two kinds of content in an LZX chunk get blocks of their own: together they take what each takes alone', () => {
	const encoder = new Encoder();
	const half = 16_384;
	const { text, code, sound } = sampleFiles(randomSource(1), half);
	const sizeOf = (...contents: readonly (Uint8Array | undefined)[]) => {
		const bytes = Buffer.concat(contents.map((each) => each ?? assert.fail()));
		encoder.input(bytes.length).set(bytes);
		return encoder.encode('lzx', 32_768, LEVEL_NORMAL, bytes.length)?.length ?? bytes.length;
	};
	for (const first of [text, code, sound])
		for (const second of [text, code, sound]) {
			if (first === second) continue;
			const together = sizeOf(first, second);
			const alone = sizeOf(first) + sizeOf(second);
			assert.ok(together < alone * 1.01, `${together} bytes, ${alone} alone`);
		}
});

test('chunk sizes that a format does not have, and chunks larger than that, are refused', () => {
	const refused: [Compression, number, number][] = [
		['xpress', 2 ** 17, 100],
		['xpress', 5000, 100],
		['lzx', 2 ** 14, 100],
		['lzx', 2 ** 22, 100],
		['lzx', 2 ** 15, 2 ** 15 + 1],
	];
	for (const [compression, chunkSize, size] of refused)
		assert.throws(
			() => encoder.encodeBytes(compression, chunkSize, LEVEL_NORMAL, new Uint8Array(size)),
			(error) =>
				error instanceof UnsupportedError &&
				error.code === 'unsupported' &&
				error.message.includes(`chunk size ${chunkSize}`),
		);
	assert.equal(encoder.encodeBytes('none', 0, LEVEL_NORMAL, new Uint8Array(10)), null);
});

for (const [format, chunkSize] of WRITTEN)
	test(
		`wimlib and 7-Zip read ${format} chunks of ${chunkSize} bytes`,
		oracle('wimlib-imagex', '7zz'),
		(t) => {
			const folder = tempFolder(t);
			for (const level of LEVELS[format].filter((one) => one >= LEVEL_FAST)) {
				const files: Record<string, Uint8Array> = {};
				for (const [seed, kind] of CONTENT_KINDS.entries())
					for (const size of kind === 'mixed' ? [300_000] : [83, 2000, 32_768, 70_000])
						files[`${kind}-${size}`] = content(kind, size, seed * 7 + level);
				const file = path.join(folder, `level${level}.wim`);
				const wim = { compression: format, chunkSize, level, solidChunkSize: null } as const;
				writeFileSync(file, smallWim({ ...wim, files }));
				runOracle('wimlib-imagex', 'verify', file);
				runOracle('7zz', 't', file);
				const target = subfolder(folder, `out${level}`);
				runOracle('wimlib-imagex', 'apply', file, '1', target);
				for (const [name, bytes] of Object.entries(files))
					assert.equal(Buffer.compare(readFileSync(path.join(target, name)), bytes), 0, name);
			}
		},
	);
