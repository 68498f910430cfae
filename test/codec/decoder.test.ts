import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FormatError, HostError } from '../../source/base/errors.ts';
import type { Compression } from '../../source/codec/compression.ts';
import { Decoder } from '../../source/codec/decoder.ts';
import { makeXpress, randomXpressItems } from '../support/make-xpress.ts';
import { seededRandom } from '../support/prefix-code.ts';
import { LZMS_VECTOR, LZX_VECTOR, SAMPLE, XPRESS_VECTOR } from '../support/vectors.ts';

const VECTORS = [
	['xpress', XPRESS_VECTOR],
	['lzx', LZX_VECTOR],
	['lzms', LZMS_VECTOR],
] as const;

test('chunks of all formats lie back to back and decode in any order', () => {
	const decoder = new Decoder();
	const list = [...VECTORS, ...VECTORS, ...VECTORS];
	decoder.reserve(list.length * 400, list.length * SAMPLE.length);
	let inputAt = 0;
	const places = list.map(([compression, stored], k) => {
		decoder.inputBytes.set(stored, inputAt);
		const place = {
			inputAt,
			storedSize: stored.length,
			outputAt: k * SAMPLE.length,
			originalSize: SAMPLE.length,
		};
		inputAt += stored.length;
		return { compression, place };
	});
	for (const step of [4, 7]) {
		decoder.outputBytes.fill(0);
		for (let k = 0; k < places.length; k++) {
			const { compression, place } = places[(k * step) % places.length]!;
			decoder.decodeAt(compression, 32768, place);
		}
		for (const { place } of places)
			assert.deepEqual(
				decoder.outputBytes.slice(place.outputAt, place.outputAt + SAMPLE.length),
				SAMPLE,
			);
	}
});

test('a chunk whose sizes are equal is stored raw, whatever the format', () => {
	const decoder = new Decoder();
	for (const compression of ['none', 'xpress', 'lzx', 'lzms'] as const)
		assert.deepEqual(decoder.decodeBytes(compression, 32768, SAMPLE, SAMPLE.length), SAMPLE);
});

test('a single chunk goes from its input to a view of its output', () => {
	const decoder = new Decoder();
	const random = seededRandom(9);
	// Each output is larger than the room so far; the input must survive the growth.
	for (const size of [700, 4000, 30_000, 65_536]) {
		const { stored, original } = makeXpress(randomXpressItems(random, size), random, true);
		if (stored.length >= original.length) continue;
		decoder.input(stored.length).set(stored);
		assert.deepEqual(decoder.decode('xpress', 65536, stored.length, original.length), original);
	}
});

test('memory grows with what is asked for and is kept', () => {
	const decoder = new Decoder();
	const small = decoder.memorySize;
	assert.ok(small <= 1 << 20);
	decoder.reserve(1 << 20, 8 << 20);
	const large = decoder.memorySize;
	assert.ok(large > 9 << 20 && large < 10 << 20);
	assert.ok(decoder.inputBytes.length >= 1 << 20 && decoder.outputBytes.length >= 8 << 20);
	decoder.reserve(100, 100);
	assert.equal(decoder.memorySize, large);
	assert.deepEqual(decoder.decodeBytes('lzx', 32768, LZX_VECTOR, 830), SAMPLE);
});

test('memory that cannot be had is an error of the machine, and the decoder stays usable', () => {
	const decoder = new Decoder();
	assert.throws(
		() => decoder.reserve(2 ** 32, 2 ** 32),
		(error) => error instanceof HostError && /fewer threads/.test(error.facts.hint ?? ''),
	);
	assert.deepEqual(decoder.decodeBytes('lzx', 32768, LZX_VECTOR, 830), SAMPLE);
});

const refused: readonly (readonly [
	compression: Compression,
	chunkSize: number,
	storedSize: number,
	originalSize: number,
	message: string,
])[] = [
	['lzx', 32768, 0, 10, 'Cannot decode LZX chunk: its stored size is 0'],
	[
		'lzx',
		32768,
		11,
		10,
		'Cannot decode LZX chunk: its stored size (11) is larger than its original size (10)',
	],
	['none', 0, 9, 10, 'Cannot decode raw chunk: it has 9 bytes, expected 10'],
	['xpress', 2048, 9, 10, 'Cannot decode XPRESS chunk: 2048 is no chunk size'],
	['lzx', 40000, 9, 10, 'Cannot decode LZX chunk: 40000 is no chunk size'],
	[
		'lzms',
		32768,
		9,
		40000,
		'Cannot decode LZMS chunk: its original size (40000) is larger than the chunk size (32768)',
	],
];

test('sizes that cannot be right are refused before decoding', () => {
	const decoder = new Decoder();
	for (const [compression, chunkSize, storedSize, originalSize, message] of refused)
		assert.throws(
			() => decoder.decodeBytes(compression, chunkSize, new Uint8Array(storedSize), originalSize),
			(error) => error instanceof FormatError && error.message === message,
			message,
		);
});

test('chunks outside the areas are a bug of the caller', () => {
	const decoder = new Decoder();
	decoder.reserve(1000, 1000);
	const room = decoder.inputBytes.length;
	for (const place of [
		{ inputAt: room - 100, storedSize: 108, outputAt: 0, originalSize: 830 },
		{ inputAt: -1, storedSize: 108, outputAt: 0, originalSize: 830 },
		{ inputAt: 0, storedSize: 108, outputAt: decoder.outputBytes.length - 829, originalSize: 830 },
	])
		assert.throws(() => decoder.decodeAt('lzx', 32768, place), /lies outside the/);
});

test('instances made from one compiled module do not share memory', () => {
	const first = new Decoder(Decoder.module());
	const second = new Decoder(Decoder.module());
	first.input(LZX_VECTOR.length).set(LZX_VECTOR);
	second.input(LZX_VECTOR.length).fill(0);
	assert.deepEqual(first.decode('lzx', 32768, LZX_VECTOR.length, 830), SAMPLE);
});
