import assert from 'node:assert/strict';
import { closeSync, openSync, readFileSync, readSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import fc from 'fast-check';
import { Decoder } from '../../source/codec/decoder.ts';
import { Encoder } from '../../source/codec/encoder.ts';
import { CONTENT_KINDS, content } from '../support/contents.ts';
import { oracle, runOracle } from '../support/oracles.ts';
import { smallWim } from '../support/small-wim.ts';
import { subfolder, tempFolder } from '../support/temp-tree.ts';
import { readTinyWim } from '../support/tiny-wim.ts';

const encoder = new Encoder();
const decoder = new Decoder();
const LEVELS = [1, 20, 40, 50, 100];
const SOLID = 2 ** 26;

/** Encodes and decodes; gives the stored size, or the original one for a raw chunk. */
function roundTrip(original: Uint8Array, level: number, what: string): number {
	const stored = encoder.encodeBytes('lzms', SOLID, level, original);
	assert.deepEqual(
		Buffer.from(encoder.input(original.length)),
		Buffer.from(original),
		`${what}: the input has changed`,
	);
	if (stored === null) return original.length;
	assert.ok(stored.length < original.length, `${what}: not smaller than the input`);
	assert.equal(stored.length % 2, 0, `${what}: odd size`);
	const back = decoder.decodeBytes('lzms', SOLID, stored, original.length);
	if (Buffer.compare(back, original) !== 0) assert.fail(`${what}: decodes to other bytes`);
	return stored.length;
}

test('LZMS decoding undoes encoding for every kind of content, size and level', () => {
	const sizes = [1, 2, 3, 4, 5, 17, 18, 64, 1000, 4096, 131_072, 700_001];
	for (const kind of CONTENT_KINDS)
		for (const size of sizes)
			for (const level of size > 5000 ? [20, 50] : LEVELS)
				roundTrip(content(kind, size, size + level), level, `${kind} ${size} level ${level}`);
});

test('LZMS decoding undoes encoding for any size, seed and level', () => {
	fc.assert(
		fc.property(
			fc.constantFrom(...CONTENT_KINDS),
			fc.integer({ min: 1, max: 40_000 }),
			fc.integer({ min: 0, max: 2 ** 31 }),
			fc.integer({ min: 1, max: 100 }),
			(kind, size, seed, level) => {
				roundTrip(content(kind, size, seed), level, `${kind} ${size} ${seed} level ${level}`);
			},
		),
		{ numRuns: 150 },
	);
});

test('LZMS decoding undoes encoding for arbitrary short inputs', () => {
	fc.assert(
		fc.property(
			fc.array(fc.constantFrom(0, 1, 2, 0x48, 0x8d, 0xe8, 0xff, 0x15), { maxLength: 300 }),
			fc.constantFrom(...LEVELS),
			(bytes, level) => {
				if (bytes.length > 0) roundTrip(Uint8Array.from(bytes), level, `level ${level}`);
			},
		),
		{ numRuns: 300 },
	);
});

test('a large LZMS chunk with far repeats decodes, and reports its progress', () => {
	const size = 6 << 20;
	const original = content('mixed', size, 5);
	original.copyWithin(5 << 20, 1000, 900_000);
	const far = roundTrip(original, 50, 'mixed');
	assert.ok(far < size * 0.8);
	const seen: number[] = [];
	encoder.input(size).set(original);
	const stored = encoder.encode('lzms', SOLID, 20, size, (done) => seen.push(done));
	assert.ok(stored !== null && seen.length >= 5);
	assert.equal(seen.at(-1), size);
	assert.deepEqual(
		seen,
		[...seen].sort((a, b) => a - b),
	);
});

test('an LZMS chunk that is given up leaves its input as it was, and the encoder usable', () => {
	const original = content('code', 3 << 20, 9);
	encoder.input(original.length).set(original);
	const stop = new Error('enough');
	const encode = (between: () => void): Uint8Array | null =>
		encoder.encode('lzms', SOLID, 50, original.length, between);
	assert.throws(
		() =>
			encode(() => {
				throw stop;
			}),
		stop,
	);
	assert.equal(Buffer.compare(encoder.input(original.length), original), 0);
	roundTrip(original, 20, 'afterwards');
});

test('LZMS output depends on nothing but the chunk and the level', () => {
	const chunks = CONTENT_KINDS.map((kind, seed) => content(kind, 30_000 + 7919 * seed, seed));
	const fresh = chunks.map((chunk) => new Encoder().encodeBytes('lzms', 2 ** 17, 50, chunk));
	const used = new Encoder();
	for (const [position, chunk] of [...chunks.entries()].reverse()) {
		used.encodeBytes('lzx', 2 ** 18, 50, chunk);
		assert.deepEqual(used.encodeBytes('lzms', 2 ** 17, 50, chunk), fresh[position]);
		assert.deepEqual(used.encodeBytes('lzms', 2 ** 17, 50, chunk), fresh[position]);
	}
});

test('higher LZMS levels do not make ordinary content larger', () => {
	for (const kind of ['text', 'code', 'tables', 'mixed'] as const) {
		const original = content(kind, 300_000, 3);
		const sizes = [20, 50, 100].map((level) => roundTrip(original, level, kind));
		assert.ok(sizes[1]! <= sizes[0]! * 1.002, `${kind}: ${sizes}`);
		assert.ok(sizes[2]! <= sizes[1]! * 1.002, `${kind}: ${sizes}`);
	}
});

test('LZMS expresses linear tables as delta matches', () => {
	const original = new Uint8Array(100_000);
	const view = new DataView(original.buffer);
	for (let at = 0; at + 4 <= original.length; at += 4)
		view.setUint32(at, 0x40_1000 + at * 37, true);
	assert.ok(roundTrip(original, 50, 'table') < 6000);
});

for (const solidChunkSize of [null, 2 ** 20, SOLID])
	test(
		`wimlib and 7-Zip read LZMS ${solidChunkSize === null ? 'resources' : `solid chunks of ${solidChunkSize}`}`,
		oracle('wimlib-imagex', '7zz'),
		(t) => {
			const folder = tempFolder(t);
			for (const level of [20, 50, 100]) {
				const files: Record<string, Uint8Array> = {};
				for (const [seed, kind] of CONTENT_KINDS.entries())
					for (const size of kind === 'mixed' ? [300_000] : [83, 2000, 131_072, 300_000])
						files[`${kind}-${size}`] = content(kind, size, seed * 7 + level);
				const file = path.join(folder, `level${level}.wim`);
				const wim = { compression: 'lzms', chunkSize: 2 ** 17, level, solidChunkSize } as const;
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

/** Machine code and its tables: the middle of the program that runs this test. */
function programPart(size: number): Uint8Array {
	const bytes = new Uint8Array(size);
	const file = openSync(process.execPath, 'r');
	readSync(file, bytes, 0, size, Math.floor(statSync(process.execPath).size * 0.4));
	closeSync(file);
	return bytes;
}

test(
	'a large LZMS chunk of a program comes out as small as with wimlib, and smaller at the thorough level',
	oracle('wimlib-imagex'),
	(t) => {
		const original = programPart(6 << 20);
		const folder = tempFolder(t);
		writeFileSync(path.join(subfolder(folder, 'tree'), 'program'), original);
		const wim = path.join(folder, 'program.wim');
		runOracle('wimlib-imagex', 'capture', path.join(folder, 'tree'), wim, '--solid');
		const stored = readTinyWim(wim).flatMap(({ compression, chunkSize, chunks }) =>
			compression === 'lzms' && chunkSize === SOLID ? chunks.map((one) => one.stored.length) : [],
		);
		const [reference] = stored;
		assert.ok(reference !== undefined && stored.length === 1, `chunks: ${stored}`);
		const sizes = [50, 100].map(
			(level) => roundTrip(original, level, `level ${level}`) / reference,
		);
		assert.ok(sizes[0]! <= 1.005, `ours to wimlib's: ${sizes}`);
		assert.ok(sizes[1]! <= 1, `ours to wimlib's: ${sizes}`);
	},
);
