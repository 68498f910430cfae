import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FormatError, HostError } from '../../source/base/errors.ts';
import { Decoder } from '../../source/codec/decoder.ts';
import { Encoder } from '../../source/codec/encoder.ts';
import { damage } from '../support/agreement.ts';
import { content } from '../support/contents.ts';
import { type LzmsChunk, LzmsWriter, makeRandomLzms } from '../support/make-lzms.ts';
import { type Random, seededRandom } from '../support/prefix-code.ts';

const KIB = 1024;
const CHUNK_SIZE = 1 << 20;
/** The least that the kernel takes, and some that fit nothing. */
const WINDOW_SIZES = [8192, 8193, 8250, 12_287, 40_001];
const FOREIGN = 0xa5;
/** The x86 filter leaves what begins in the last bytes it is given. */
const FILTER_TAIL = 17;

function streamed(
	decoder: Decoder,
	stored: Uint8Array,
	originalSize: number,
	windowSize: number,
	options: { readonly neededSize?: number; readonly failsAt?: number } = {},
): { readonly output: Uint8Array; readonly reads: number } {
	const { neededSize = originalSize, failsAt = -1 } = options;
	decoder.reserve(2 * (windowSize + 64), originalSize + 80);
	decoder.outputBytes.fill(FOREIGN, 0, originalSize + 80);
	let reads = 0;
	const place = { storedSize: stored.length, outputAt: 40, originalSize, neededSize };
	const read = (offset: number, into: Uint8Array) => {
		if (reads++ === failsAt) throw new HostError('Cannot read: bad sector');
		assert.ok(into.length <= windowSize || stored.length === originalSize);
		assert.ok(offset >= 0 && offset + into.length <= stored.length);
		into.set(stored.subarray(offset, offset + into.length));
	};
	decoder.decodeStreamed(CHUNK_SIZE, place, read, windowSize);
	return { output: around(decoder, originalSize), reads };
}

/** What came out; nothing around it may have changed. */
function around(decoder: Decoder, originalSize: number): Uint8Array {
	const { outputBytes } = decoder;
	assert.ok(outputBytes.subarray(0, 40).every((byte) => byte === FOREIGN));
	const behind = outputBytes.subarray(40 + originalSize, 80 + originalSize);
	assert.ok(behind.every((byte) => byte === FOREIGN));
	return outputBytes.slice(40, 40 + originalSize);
}

/** Stored bytes of what compresses to about a third, and has code in it. */
function encoded(size: number, seed: number): LzmsChunk {
	const kinds = ['text', 'code', 'random'] as const;
	const original = new Uint8Array(size);
	const random = seededRandom(seed);
	for (let at = 0; at < size; ) {
		const kind = kinds[random(kinds.length)] ?? 'text';
		const part = content(kind, Math.min(size - at, 500 + random(9000)), random(1 << 30));
		original.set(part, at);
		at += part.length;
	}
	const encoder = new Encoder();
	encoder.input(size).set(original);
	const stored = encoder.encode('lzms', CHUNK_SIZE, 20, size)?.slice();
	assert.ok(stored);
	return { stored, original };
}

/**
 * Literals whose codewords get as long as they may be, and then only those: 1024 of 15 bits between two looks of the kernel
 * at where its readers stand, while a match, which was never expected, costs the reader from the front most.
 */
function longCodewords(periods: number, random: Random): LzmsChunk {
	const writer = new LzmsWriter(periods * KIB);
	for (let period = 0; period < periods; period++)
		for (let k = 0; k < KIB; k++) {
			const isRare = period % 4 === 3;
			const byte = isRare ? 200 + random(56) : Math.min(199, Math.clz32(random(1 << 30)));
			writer.put({ kind: 'literal', byte });
		}
	return writer.finish();
}

test('a chunk that is read through windows decodes as a whole one does, wherever they end', () => {
	const decoder = new Decoder();
	const chunks = [
		encoded(300 * KIB, 1),
		encoded(299 * KIB + 1, 2),
		longCodewords(80, seededRandom(3)),
		...[4, 5, 6].map((seed) => makeRandomLzms(90_000, seededRandom(seed))),
	];
	for (const { stored, original } of chunks) {
		assert.deepEqual(decoder.decodeBytes('lzms', CHUNK_SIZE, stored, original.length), original);
		const consumed = decoder.lastConsumed();
		for (const windowSize of [...WINDOW_SIZES, stored.length - 1, stored.length, 1 << 20]) {
			const { output, reads } = streamed(decoder, stored, original.length, windowSize);
			assert.ok(Buffer.compare(output, original) === 0, `${windowSize} of ${stored.length}`);
			assert.deepEqual(decoder.lastConsumed(), consumed);
			assert.ok(reads >= Math.min(4, stored.length / windowSize), `${reads} reads`);
		}
	}
});

test('a chunk of a few bytes fits into its windows', () => {
	const decoder = new Decoder();
	fc.assert(
		fc.property(fc.integer(), fc.integer({ min: 20, max: 3000 }), (seed, size) => {
			const { stored, original } = makeRandomLzms(size, seededRandom(seed));
			fc.pre(stored.length < size);
			const { output } = streamed(decoder, stored, size, 8192);
			assert.deepEqual(output, original);
		}),
		{ numRuns: 40 },
	);
});

test('no more is decoded of a chunk in windows than is needed, and read', () => {
	const decoder = new Decoder();
	const { stored, original } = encoded(400 * KIB, 7);
	const { reads: all } = streamed(decoder, stored, original.length, 8192);
	for (const neededSize of [1, 1000, 40_000, 399 * KIB]) {
		const { output, reads } = streamed(decoder, stored, original.length, 8192, { neededSize });
		assert.ok(
			Buffer.compare(output.subarray(0, neededSize), original.subarray(0, neededSize)) === 0,
		);
		assert.ok(reads <= 4 + (all * neededSize * 1.5) / original.length, `${reads} of ${all}`);
	}
});

test('a chunk that is stored as it is goes straight to where it comes out', () => {
	const decoder = new Decoder();
	const bytes = content('random', 50_000, 1);
	const { output, reads } = streamed(decoder, bytes, bytes.length, 8192);
	assert.deepEqual(output, bytes);
	assert.equal(reads, 1);
});

test('where the next bytes of a chunk cannot be read, those before are right', () => {
	const decoder = new Decoder();
	const { stored, original } = encoded(400 * KIB, 9);
	const { reads } = streamed(decoder, stored, original.length, 8192);
	let last = 0;
	for (let failsAt = 0; failsAt < reads; failsAt++) {
		assert.throws(() => streamed(decoder, stored, original.length, 8192, { failsAt }), HostError);
		const output = around(decoder, original.length);
		const decoded = decoder.lastDecoded;
		assert.ok(failsAt < 2 ? decoded === 0 : decoded >= last, `${decoded} after ${last}`);
		last = decoded;
		const right = Math.max(0, decoded - FILTER_TAIL);
		assert.ok(Buffer.compare(output.subarray(0, right), original.subarray(0, right)) === 0);
		const untouched = output.subarray(decoder.lastTouched);
		assert.ok(untouched.every((byte) => byte === FOREIGN));
		// The decoder is none the worse for it.
		if (failsAt % 8 === 0)
			assert.deepEqual(streamed(decoder, stored, original.length, 9000).output, original);
	}
	assert.ok(last > original.length / 2);
});

test('a damaged chunk is refused in windows as it is as a whole, or decodes to the same', () => {
	const decoder = new Decoder();
	const random = seededRandom(11);
	const { stored, original } = encoded(200 * KIB, 12);
	let refused = 0;
	for (let k = 0; k < 60; k++) {
		const damaged = damage(stored, original.length, random);
		const bytes = damaged.subarray(0, damaged.length & ~1);
		let whole: Uint8Array | null = null;
		let wholeDecoded = 0;
		try {
			whole = decoder.decodeBytes('lzms', CHUNK_SIZE, bytes, original.length);
		} catch (error) {
			assert.ok(error instanceof FormatError);
			wholeDecoded = decoder.lastDecoded;
		}
		try {
			const { output } = streamed(decoder, bytes, original.length, 8192);
			assert.ok(whole !== null && Buffer.compare(output, whole) === 0);
		} catch (error) {
			assert.ok(error instanceof FormatError, `${error}`);
			assert.equal(whole, null);
			assert.ok(decoder.lastDecoded >= wholeDecoded);
			refused++;
		}
	}
	assert.ok(refused > 5 && refused < 60, `${refused} of 60`);
});

test('chunks in windows and others take turns', () => {
	const decoder = new Decoder();
	const large = encoded(200 * KIB, 13);
	const small = makeRandomLzms(2000, seededRandom(14));
	for (let k = 0; k < 3; k++) {
		assert.deepEqual(
			streamed(decoder, large.stored, large.original.length, 8192).output,
			large.original,
		);
		assert.deepEqual(
			decoder.decodeBytes('lzms', 32_768, small.stored, small.original.length),
			small.original,
		);
	}
});
