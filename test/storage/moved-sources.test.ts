import assert from 'node:assert/strict';
import { test } from 'node:test';
import { DisplacedSource } from '../../source/storage/displaced-source.ts';
import { MemorySource } from '../../source/storage/memory-source.ts';
import { readShared } from '../../source/storage/read.ts';
import type { Source } from '../../source/storage/source.ts';
import { TextModeIndexer, TextModeSource } from '../../source/storage/text-mode-source.ts';
import { seeded } from '../support/damage-kit.ts';

/** Reads here and there, on this thread and as lanes do, and compares with what should be there. */
async function compareReads(source: Source, expected: Buffer): Promise<void> {
	assert.equal(source.size, expected.length);
	const shared = source.share();
	assert.ok(shared !== null);
	const random = seeded(expected.length);
	const places = [
		[0, expected.length + 5],
		[expected.length, 3],
		[expected.length - 1, 1],
	];
	for (let k = 0; k < 300; k++)
		places.push([
			Math.floor(random() * expected.length),
			Math.floor(random() * (k % 3 === 0 ? 40_000 : 9)),
		]);
	for (const [offset = 0, size = 0] of places) {
		const right = expected.subarray(offset, offset + size);
		const own = new Uint8Array(size);
		assert.equal(await source.read(offset, own), right.length);
		assert.ok(right.equals(own.subarray(0, right.length)), `${size} bytes at ${offset}`);
		const lane = new Uint8Array(size);
		assert.equal(readShared(shared, offset, lane), right.length);
		assert.deepEqual(lane, own);
	}
}

/** Bytes with many carriage returns and line feeds, alone and in rows. */
function lineEnds(size: number, seed: number): Buffer {
	const random = seeded(seed);
	const bytes = Buffer.alloc(size);
	for (let at = 0; at < size; at++)
		bytes[at] = random() < 0.3 ? [0x0d, 0x0a][Math.floor(random() * 2)]! : random() * 256;
	return bytes;
}

for (const [name, original] of [
	['line ends everywhere', lineEnds(100_000, 1)],
	['nothing but line feeds', Buffer.alloc(40_000, '\n')],
	['nothing but carriage returns', Buffer.alloc(40_000, '\r')],
	['no line ends', Buffer.alloc(40_000, 'x')],
] as const)
	test(`a file transferred as text reads as before: ${name}`, async () => {
		const text = original.toString('latin1').replaceAll('\n', '\r\n');
		const file = Buffer.from(text, 'latin1');
		// Windows of any size, whose bounds fall between the two.
		for (const size of [file.length, 16_384, 1000, 7]) {
			const indexer = new TextModeIndexer(file.length);
			for (let at = 0; at < file.length; at += size)
				indexer.add(file.subarray(at, at + size), file[at + size] ?? -1);
			const source = new TextModeSource(new MemorySource('text', file), indexer.index());
			await compareReads(source, original);
		}
	});

test('a file with pieces moved and gone reads as before, with zeros for what is gone', async () => {
	const original = lineEnds(50_000, 2);
	const gone = Buffer.from(original).fill(0, 20_000, 21_000).fill(0, 0, 100);
	const file = Buffer.concat([
		original.subarray(100, 20_000),
		original.subarray(21_000, 30_000),
		Buffer.alloc(77, 'other'),
		original.subarray(30_000),
	]);
	const source = new DisplacedSource(new MemorySource('moved', file), [
		{ start: 0, end: 100, from: null },
		{ start: 100, end: 20_000, from: 0 },
		{ start: 20_000, end: 21_000, from: null },
		{ start: 21_000, end: 30_000, from: 19_900 },
		{ start: 30_000, end: 50_000, from: 28_977 },
	]);
	await compareReads(source, gone);
	assert.deepEqual(
		source.holes.map(({ start, end }) => [start, end]),
		[
			[0, 100],
			[20_000, 21_000],
		],
	);
});
