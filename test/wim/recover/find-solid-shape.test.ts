import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import type { ProgressEvent, Run } from '../../../source/base/run.ts';
import type { Compression } from '../../../source/codec/compression.ts';
import { Encoder } from '../../../source/codec/encoder.ts';
import { ChunkSeeker } from '../../../source/pool/chunk-seeker.ts';
import { InlinePool, openPool, type Pool } from '../../../source/pool/pool.ts';
import { MemorySource } from '../../../source/storage/memory-source.ts';
import { findSolidShape } from '../../../source/wim/recover/find-solid-shape.ts';
import { RecoveryTools } from '../../../source/wim/recover/recovery-tools.ts';
import type { Resource } from '../../../source/wim/resource.ts';
import { openWim } from '../../../source/wim/wim.ts';
import { seeded } from '../../support/damage-kit.ts';
import { captureAs, rescueTree } from '../../support/rescue-kit.ts';
import { subfolder, tempFolder } from '../../support/temp-tree.ts';
import { testRun } from '../../support/test-run.ts';
import { contentsOf } from '../../support/written.ts';

/** The solid resource of a captured tree, and the file. */
async function solidFile(
	t: TestContext,
	compression: Compression,
	solidChunkSize: number,
): Promise<{ bytes: Uint8Array; resource: Resource; starts: number[] }> {
	const folder = tempFolder(t);
	const tree = subfolder(folder, 'tree');
	rescueTree(tree);
	const file = path.join(folder, 'solid.wim');
	await captureAs({ name: compression, compression, solid: true, solidChunkSize }, tree, file);
	await using wim = await openWim(file);
	const [blob] = wim.blobs.values();
	assert.ok(blob);
	const { resource } = blob;
	const bytes = readFileSync(file);
	const count = Math.ceil(resource.originalSize / resource.chunkSize);
	let at = resource.offset + 16 + 4 * count;
	const starts = Array.from({ length: count }, (_, k) => {
		const start = at;
		at += bytes.readUInt32LE(resource.offset + 16 + 4 * k);
		return start;
	});
	return { bytes: new Uint8Array(bytes), resource, starts };
}

function search(bytes: Uint8Array, resource: Resource, run: Run, pool: Pool = new InlinePool()) {
	const seeker = new ChunkSeeker(pool, run.signal);
	return findSolidShape(new MemorySource('hurt', bytes), resource, seeker, run);
}

/** What is overwritten with zeros, up to which offset; the file ends at `cut`. */
const HURTS: Readonly<
	Record<string, (starts: readonly number[]) => { wiped: number; cut?: number }>
> = {
	'header and sizes are lost': ([first = 0]) => ({ wiped: first }),
	'the first chunk is hurt too': ([first = 0]) => ({ wiped: first + 100 }),
	'the end is lost too': (starts) => ({ wiped: starts[0] ?? 0, cut: (starts.at(-1) ?? 0) + 9 }),
};

for (const [compression, chunkSize] of [
	['xpress', 16_384],
	['xpress', 65_536],
	['lzx', 32_768],
	['lzx', 131_072],
	['lzms', 32_768],
	['lzms', 262_144],
] as const)
	for (const [name, hurt] of Object.entries(HURTS))
		test(`a solid resource is worked out when ${name}: ${compression}, chunks of ${chunkSize}`, async (t) => {
			const { bytes, resource, starts } = await solidFile(t, compression, chunkSize);
			assert.ok(starts.length > 2, `${starts.length} chunks`);
			const { wiped, cut = bytes.length } = hurt(starts);
			const left = bytes.slice(0, cut).fill(0, resource.offset, wiped);
			const shape = await search(left, resource, testRun());
			assert.ok(shape !== null);
			assert.equal(shape.compression, compression);
			assert.equal(shape.chunkSize, chunkSize);
			assert.equal(shape.chunkCount, starts.length);
			assert.equal(shape.originalSize, resource.originalSize);
		});

test('of two chunks one is enough', async (t) => {
	const { bytes, resource, starts } = await solidFile(t, 'lzms', 524_288);
	assert.equal(starts.length, 2);
	const [first = 0, second = 0] = starts;
	for (const [from, to] of [
		[resource.offset, first + 100],
		[second + 10, second + 50],
	] as const) {
		const hurt = bytes.slice().fill(0, resource.offset, first).fill(0, from, to);
		const shape = await search(hurt, resource, testRun());
		assert.equal(shape?.chunkSize, 524_288);
	}
});

test('what was worked out once is known', async (t) => {
	const { bytes, resource, starts } = await solidFile(t, 'lzms', 65_536);
	const source = new MemorySource('hurt', bytes.slice().fill(0, resource.offset, starts[0]));
	const run = testRun();
	const recovery = new RecoveryTools(new InlinePool(), run);
	const shape = await recovery.solidShape(source, resource, resource.originalSize);
	assert.equal(shape?.chunkSize, 65_536);
	const count = run.events.length;
	assert.ok(count > 0);
	assert.equal(await recovery.solidShape(source, resource, resource.originalSize), shape);
	assert.equal(run.events.length, count);
	const other = await recovery.solidShape(source, resource, resource.originalSize + 5);
	assert.notEqual(other?.originalSize, shape?.originalSize);
});

test('nothing is worked out of bytes that are no chunks', async () => {
	const bytes = contentsOf(4, 200_000);
	const place = { offset: 208, storedSize: 190_000, originalSize: 700_000 } as Resource;
	assert.equal(await search(bytes, place, testRun()), null);
});

/** Bytes of chance, in which a search from behind finds nothing and has to look at everything. */
function noise(size: number): Uint8Array {
	const bytes = new Uint8Array(new SharedArrayBuffer(size));
	const random = seeded(17);
	for (let k = 0; k < size; k++) bytes[k] = random() * 256;
	return bytes;
}

for (const [name, open] of [
	['on this thread', () => new InlinePool()],
	['on lanes', () => openPool(2)],
] as const)
	test(`a search for the shape of a solid resource ends when it is canceled: ${name}`, async () => {
		await using pool = open();
		const run = testRun();
		const told: ProgressEvent[] = [];
		const watched: Run = {
			...run,
			report(event) {
				told.push(event);
				if (event.type === 'advance') run.cancel();
			},
		};
		const bytes = noise(9 << 20);
		const place = { offset: 0, storedSize: bytes.length, originalSize: 30 << 20 } as Resource;
		await assert.rejects(search(bytes, place, watched, pool), { code: 'canceled' });
		assert.equal(told.filter(({ type }) => type === 'advance').length, 1);
	});

test('a search for LZMS chunks from behind leaves the thread its turns', async () => {
	const stored = noise(2 << 20);
	const parts: number[] = [];
	const seeker = new ChunkSeeker(new InlinePool(), testRun().signal);
	const request = { bound: 'end', compression: 'lzms', chunkSize: 1 << 23, stored } as const;
	await seeker.seek({ ...request, originalSize: 1 << 23 }, (bytes) => parts.push(bytes));
	assert.ok(Math.max(...parts) <= 1 << 18, `${Math.max(...parts)} bytes in one turn`);
	assert.equal(
		parts.reduce((sum, bytes) => sum + bytes, 0),
		stored.length,
	);
});

test('a chunk is found from behind wherever it begins, on any number of lanes', async () => {
	const original = Buffer.concat(
		Array.from({ length: 30 }, (_, k) => Buffer.from(contentsOf((k % 7) + 1, 50_000 + k))),
	);
	const encoder = new Encoder();
	const before = noise(3 << 20);
	await using two = openPool(2);
	const signal = testRun().signal;
	const seekers = [new ChunkSeeker(new InlinePool(), signal), new ChunkSeeker(two, signal)];
	for (const size of [5000, 40_000, 300_000, original.length]) {
		const chunk = encoder.encodeBytes('lzms', 1 << 21, 50, original.subarray(0, size));
		assert.ok(chunk !== null);
		for (const lead of [0, 1, 2, 1 << 20, (3 << 20) - 6]) {
			const room = Math.min(size - 1, lead + chunk.length);
			const stored = new Uint8Array(new SharedArrayBuffer(room));
			const gap = room - chunk.length;
			stored.set(before.subarray(0, gap));
			stored.set(chunk, gap);
			const request = { bound: 'end', compression: 'lzms', chunkSize: 1 << 21, stored } as const;
			for (const seeker of seekers)
				assert.deepEqual(await seeker.seek({ ...request, originalSize: size }), [chunk.length]);
		}
	}
});
