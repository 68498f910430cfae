import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sha1 } from '../../../source/bytes/sha1.ts';
import { Finder, WantedSet } from '../../../source/codec/finder.ts';
import { boundariesOf } from '../../../source/pool/search/boundaries.ts';
import { BlobCutter } from '../../../source/pool/search/cut-blobs.ts';
import type { SearchRange } from '../../../source/pool/search/found.ts';
import { seeded } from '../../support/damage-kit.ts';

/** Words of a vocabulary of their own, as in a program. */
function words(size: number, seed: number): Buffer {
	const random = seeded(seed);
	const vocabulary = Array.from({ length: 100 }, () => Math.floor(random() * 0xffff_ffff));
	const bytes = Buffer.alloc(size);
	for (let at = 0; at + 4 <= size; at += 4)
		bytes.writeUInt32LE(vocabulary[Math.floor(random() * random() * 100)] ?? 0, at);
	return bytes;
}

/** Bytes that look like nothing. */
function noise(size: number, seed: number): Buffer {
	const random = seeded(seed);
	return Buffer.from(Array.from({ length: size }, () => random() * 256));
}

/** What is found of blobs that lie back to back, some of them damaged. */
function found(blobs: readonly Buffer[], damaged: readonly number[], effort: number): number[] {
	const wanted = new WantedSet(blobs.map((blob) => sha1(blob)));
	const hurt = blobs.map((blob, k) => {
		const copy = Buffer.from(blob);
		if (damaged.includes(k)) copy.fill(0x55, copy.length >> 1, (copy.length >> 1) + 16);
		return copy;
	});
	const bytes = Buffer.concat(hurt);
	const at = (offset: number, size: number) => bytes.subarray(offset, offset + size);
	const window = { at, lostIn: () => [], lostUntil: (offset: number) => offset };
	const range: SearchRange = {
		start: 0,
		isSynced: true,
		stop: bytes.length,
		end: bytes.length,
		compression: 'none',
		chunkSize: 0,
		isQuick: false,
		effort,
		hints: [],
	};
	const cutter = new BlobCutter(window, new Finder(), range, { wanted, sizes: [] });
	const steps = cutter.cut(0, bytes.length, true);
	let step = steps.next();
	while (step.done !== true) step = steps.next();
	const names = blobs.map((blob) => sha1(blob));
	return step.value.map(({ ends }) => names.indexOf(ends[0]?.sha1 ?? ''));
}

test('what comes before a known place is found from behind, whatever it looks like', () => {
	const blobs = [noise(9000, 1), noise(5001, 2), noise(20_003, 3), noise(31, 4)];
	assert.deepEqual(found(blobs, [0], 1 << 26), [1, 2, 3]);
});

test('between two damaged blobs others are found where the contents change, and their neighbours from there', () => {
	const blobs = [words(9000, 1), noise(3000, 9), words(8004, 2), words(9002, 3)];
	const more = [words(6004, 4), noise(5000, 5), words(10_000, 6), noise(200, 7)];
	assert.deepEqual(found([...blobs, ...more], [0, 6], 1 << 26), [1, 2, 3, 4, 5, 7]);
});

test('short blobs are found between damaged ones without anything to go by', () => {
	const blobs = [noise(900, 1), noise(700, 2), noise(1200, 3)];
	assert.deepEqual(found(blobs, [0, 2], 1 << 26), [1]);
});

test('boundaries are where formats, lines, texts and vocabularies begin', () => {
	const first = Buffer.from('a line\nand another one without an end');
	const second = Buffer.concat([Buffer.of(0x80), words(4000, 1)]);
	const third = words(4000, 2);
	const bytes = Buffer.concat([first, second, third, Buffer.from('MZ\x90\0\x03', 'latin1')]);
	const places = [...boundariesOf(bytes)];
	for (const place of [
		7,
		first.length,
		first.length + second.length,
		first.length + second.length + third.length,
	])
		assert.ok(places.includes(place), `${place}`);
	assert.ok(places.length < bytes.length / 20, `${places.length} places`);
});
