import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { CanceledError } from '../../source/base/errors.ts';
import { Span } from '../../source/bytes/span.ts';
import { FileSource } from '../../source/storage/file-source.ts';
import { MemorySource } from '../../source/storage/memory-source.ts';
import { NewFile } from '../../source/storage/output-file.ts';
import type { Source } from '../../source/storage/source.ts';
import { copyBlobs, HeadStart } from '../../source/wim/copy-resources.ts';
import { HEADER_SIZE, PartHeader } from '../../source/wim/part-header.ts';
import type { Blob, Part } from '../../source/wim/resource.ts';
import { tempFolder } from '../support/temp-tree.ts';
import { testRun } from '../support/test-run.ts';

const header = PartHeader.parse(new Span(new Uint8Array(HEADER_SIZE), 'empty header'));

interface TestPart {
	readonly part: Part;
	readonly bytes: Uint8Array;
	readonly blobs: readonly Blob[];
}

/**
 * A part of the given resources, with gaps of other bytes between them.
 *
 * @param source of its bytes
 */
async function partOf(
	sizes: readonly (readonly [gap: number, size: number])[],
	sourceOf: (bytes: Uint8Array) => Source | Promise<Source>,
): Promise<TestPart> {
	const total = sizes.reduce((sum, [gap, size]) => sum + gap + size, HEADER_SIZE);
	const bytes = new Uint8Array(total).map((_, k) => (k * 37 + (k >> 8)) & 255);
	const part = { source: await sourceOf(bytes), header, pipable: false };
	let at = HEADER_SIZE;
	const blobs = sizes.map(([gap, size], k): Blob => {
		at += gap;
		const resource = {
			part,
			offset: at,
			storedSize: size,
			originalSize: size,
			layout: 'raw' as const,
			compression: 'none' as const,
			chunkSize: 0,
			flags: 0,
		};
		at += size;
		const sha1 = k.toString(16).padStart(40, '0');
		return { sha1, size, referenceCount: 1, resource, offsetInResource: 0, defect: null };
	});
	return { part, bytes, blobs };
}

const inMemory = (bytes: Uint8Array) => new MemorySource('part', bytes);

test('whatever of a head start is needed after all, every blob stands where it is said to', async (t) => {
	const folder = tempFolder(t);
	const inFile = (bytes: Uint8Array) => {
		writeFileSync(path.join(folder, 'part.wim'), bytes);
		return FileSource.open(path.join(folder, 'part.wim'));
	};
	const sizes = fc.array(
		fc.tuple(
			fc.oneof({ arbitrary: fc.constant(0), weight: 4 }, fc.nat(900)),
			fc.oneof(fc.integer({ min: 1, max: 5000 }), fc.integer({ min: 1, max: 3 << 20 })),
		),
		{ minLength: 1, maxLength: 12 },
	);
	await fc.assert(
		fc.asyncProperty(
			sizes,
			fc.array(fc.nat(5), { minLength: 12, maxLength: 12 }),
			fc.nat(40),
			fc.nat(6 << 20),
			fc.boolean(),
			fc.array(fc.record({ cut: fc.constantFrom(0, 0, 700), end: fc.nat(6 << 20) }), {
				maxLength: 2,
			}),
			async (shape, drops, waits, end, isFile, others) => {
				const first = await partOf(shape, isFile ? inFile : inMemory);
				await using _source = first.part.source;
				const further = await Promise.all(others.map(() => partOf(shape, inMemory)));
				const parts = [first, ...further];
				const from = first.blobs[0]?.resource.offset ?? 0;
				// Most blobs are wanted, as a rule in the order of the parts.
				const isDropped = (k: number) => drops[k % drops.length] === 0;
				const wanted = parts.flatMap(({ blobs }) => blobs).filter((_, k) => !isDropped(k));
				if (drops[0] === 1) wanted.reverse();
				await using file = await NewFile.create(path.join(folder, 'a.wim'));
				await file.append(new Uint8Array(HEADER_SIZE));
				const ahead = new HeadStart(file, first.part, from, from + end, testRun());
				const [{ cut } = { cut: 0 }] = others;
				ahead.goOn(
					first.bytes.length - cut,
					further.map(({ part }, k) => ({ part, from, end: from + (others[k]?.end ?? 0) })),
				);
				for (let k = 0; k < waits; k++) await new Promise((resolve) => setImmediate(resolve));
				const copied = await copyBlobs(file, wanted, testRun(), ahead);
				await file.append(new Uint8Array([1, 2, 3]));
				let expected = HEADER_SIZE;
				for (const [k, { resource }] of copied.entries()) {
					assert.equal(resource.offset, expected);
					expected += resource.storedSize;
					const back = new Uint8Array(resource.storedSize);
					await file.readAt(resource.offset, back);
					const origin = wanted[k]?.resource;
					const start = origin?.offset ?? 0;
					const bytes = parts.find(({ part }) => part === origin?.part)?.bytes ?? new Uint8Array();
					assert.ok(Buffer.from(back).equals(bytes.subarray(start, start + back.length)));
				}
				assert.equal(file.position, expected + 3);
			},
		),
		{ numRuns: 60 },
	);
});

test('a head start that is canceled fails nothing by itself', async (t) => {
	const { part, blobs } = await partOf([[0, 9 << 20]], inMemory);
	const abort = new AbortController();
	const run = { ...testRun(), signal: abort.signal };
	await using file = await NewFile.create(path.join(tempFolder(t), 'a.wim'));
	const ahead = new HeadStart(file, part, HEADER_SIZE, 9 << 20, run);
	abort.abort();
	await assert.rejects(copyBlobs(file, blobs, run, ahead), CanceledError);
	assert.ok((await ahead.end()).every(({ end }) => end < 9 << 20));
});
