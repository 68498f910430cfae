import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { atOnce } from '../../source/base/slices.ts';
import { decodeHex } from '../../source/bytes/hex.ts';
import { sha1 } from '../../source/bytes/sha1.ts';
import { Sha1Counts } from '../../source/bytes/sha1-counts.ts';
import { Span } from '../../source/bytes/span.ts';
import { MemorySource } from '../../source/storage/memory-source.ts';
import { NewFile } from '../../source/storage/output-file.ts';
import { type BlobEntry, SOLID_RESOURCE_MARK } from '../../source/wim/blob-entries.ts';
import { placeBlobs } from '../../source/wim/blob-table.ts';
import { copyBlobs, copyPlain } from '../../source/wim/copy-resources.ts';
import { countedBlobs, PartBlobs, SetBlobs } from '../../source/wim/part-blobs.ts';
import {
	HEADER_SIZE,
	PartHeader,
	ResourceFlag,
	VERSION_SOLID,
} from '../../source/wim/part-header.ts';
import { PlainBlobs } from '../../source/wim/plain-blobs.ts';
import type { Blob } from '../../source/wim/resource.ts';
import { encodeBlobTable } from '../../source/wim/write-table.ts';
import { tempFolder } from '../support/temp-tree.ts';
import { testRun } from '../support/test-run.ts';

const EMPTY_HEADER = PartHeader.parse(new Span(new Uint8Array(HEADER_SIZE), 'empty header'));
const HOW = { compression: 'xpress', chunkSize: 32_768 } as const;

interface TestEntry {
	/** What it says its SHA-1 is of. */
	readonly number: number;
	/** Other bytes in front of it. */
	readonly gap: number;
	readonly storedSize: number;
	readonly isCompressed: boolean;
}

/** A part with a resource for each entry, whose table lists them in this order or the other way round. */
function partOf(shape: readonly TestEntry[], isReversed: boolean, partNumber: number): PartBlobs {
	let at: number = HEADER_SIZE;
	const entries = shape.map(({ number, gap, storedSize, isCompressed }): BlobEntry => {
		const offset = at + gap;
		at = offset + storedSize;
		return entryOf(number, { offset, storedSize, isCompressed, partNumber });
	});
	if (isReversed) entries.reverse();
	const bytes = new Uint8Array(at).map((_, k) => (k * 31 + (k >> 7) + partNumber) & 255);
	return blobsOf(bytes, partNumber, entries);
}

function blobsOf(bytes: Uint8Array, partNumber: number, entries: readonly BlobEntry[]): PartBlobs {
	const header = { ...EMPTY_HEADER, version: VERSION_SOLID, partNumber };
	const part = { source: new MemorySource(`part ${partNumber}`, bytes), header, pipable: false };
	const { blobs } = placeBlobs(part, entries, HOW, new Map());
	assert.ok(blobs instanceof PartBlobs);
	return blobs;
}

function entryOf(
	number: number,
	more: Partial<BlobEntry> & { readonly isCompressed?: boolean },
): BlobEntry {
	const { isCompressed = false, storedSize = 10, ...rest } = more;
	return {
		storedSize,
		flags: isCompressed ? ResourceFlag.compressed : 0,
		offset: HEADER_SIZE,
		originalSize: isCompressed ? storedSize + 5 : storedSize,
		partNumber: 1,
		referenceCount: 1,
		sha1: sha1(Buffer.from(String(number))),
		at: 0,
		...rest,
	};
}

const entries = fc.array(
	fc.record({
		number: fc.nat(60),
		gap: fc.oneof({ arbitrary: fc.constant(0), weight: 4 }, fc.nat(900)),
		storedSize: fc.oneof(fc.integer({ min: 1, max: 5000 }), fc.integer({ min: 1, max: 3 << 20 })),
		isCompressed: fc.boolean(),
	}),
	{ maxLength: 9 },
);

test('plain blobs are copied and listed as others are', async (t) => {
	const folder = tempFolder(t);
	await fc.assert(
		fc.asyncProperty(
			fc.array(fc.tuple(entries, fc.boolean()), { minLength: 1, maxLength: 3 }),
			fc.array(fc.nat(3), { minLength: 61, maxLength: 61 }),
			fc.nat(8),
			async (shapes, uses, cut) => {
				const parts = shapes.map(([shape, isReversed], k) => partOf(shape, isReversed, k + 1));
				const [first] = parts;
				assert.ok(first);
				const blobs = parts.length === 1 ? first : new SetBlobs(parts);
				const counts = new Sha1Counts();
				for (const [number, count] of uses.entries())
					if (count > 0) counts.set(sha1(Buffer.from(String(number))), count);

				const rank = ({ resource }: Blob) =>
					parts.findIndex(({ part }) => part.source === resource.part.source);
				const others = atOnce(countedBlobs(blobs, counts)).sort(
					(a, b) => rank(a) - rank(b) || a.resource.offset - b.resource.offset,
				);
				const all = atOnce(PlainBlobs.find(blobs));
				assert.ok(all !== null);
				assert.equal(all.length, blobs.size);
				const counter = all.counter();
				for (const [name, count] of counts) {
					counter.add(name, count - 1);
					counter.addAt(new DataView(decodeHex(`00${name}`).buffer), 1);
				}
				assert.equal(counter.others.size, counts.size - others.length);
				const plain = atOnce(all.counted(counter));
				assert.equal(plain === all, others.length === blobs.size);
				assert.equal(plain.length, others.length);

				// Some of them, as a part of a set has them.
				const from = Math.min(cut, plain.length);
				const some = plain.slice(from, plain.length);
				const wanted = others.slice(from);
				const sum = (sizeOf: (blob: Blob) => number) =>
					wanted.reduce((total, blob) => total + sizeOf(blob), 0);
				assert.equal(
					some.storedSize,
					sum(({ resource }) => resource.storedSize),
				);
				assert.equal(
					some.size,
					sum(({ size }) => size),
				);

				await using a = await NewFile.create(path.join(folder, 'a.wim'));
				await using b = await NewFile.create(path.join(folder, 'b.wim'));
				for (const file of [a, b]) await file.append(new Uint8Array(HEADER_SIZE));
				const run = testRun();
				const pieces = await copyPlain(a, some, run);
				const copied = await copyBlobs(b, wanted, testRun());
				const told = run.events.map((event) => (event.type === 'advance' ? event.bytes : 0));
				assert.equal(
					told.reduce((total, bytes) => total + bytes),
					some.size,
				);
				assert.equal(a.position, b.position);
				const [there, expected] = [new Uint8Array(a.position), new Uint8Array(b.position)];
				await a.readAt(0, there);
				await b.readAt(0, expected);
				assert.ok(Buffer.from(there).equals(expected), 'the same bytes');

				const rest = { metadata: [], partNumber: 7, countOf: ({ count = 0 }) => count };
				const placed = { blobs: some, pieces };
				assert.deepEqual(
					encodeBlobTable({ ...rest, plain: placed, blobs: [] }),
					encodeBlobTable({ ...rest, plain: null, blobs: copied }),
				);
			},
		),
		{ numRuns: 40 },
	);
});

test('a stretch reaches over blobs of one part', () => {
	const parts = [1, 2].map((number) =>
		partOf(
			[10, 20, 30].map((storedSize, k) => ({
				number: number * 10 + k,
				gap: k,
				storedSize,
				isCompressed: false,
			})),
			false,
			number,
		),
	);
	const all = atOnce(PlainBlobs.find(new SetBlobs(parts)));
	assert.ok(all !== null);
	const { from, end, part } = all.slice(1, 3).stretch ?? {};
	assert.deepEqual([part?.source.name, from, end], ['part 1', 219, 271]);
	assert.equal(all.slice(2, 4).stretch, null);
	assert.equal(all.slice(2, 2).stretch, null);
});

test('blobs of two parts are two pieces, though one begins where the other ends', () => {
	const entry = { number: 1, gap: 0, storedSize: 40, isCompressed: false };
	const second = partOf([{ ...entry, number: 2, gap: 40 }], false, 2);
	const all = atOnce(PlainBlobs.find(new SetBlobs([partOf([entry], false, 1), second])));
	assert.deepEqual(
		[...(all?.pieces(1 << 20) ?? [])].map(({ part, offset, from, end }) => [
			part.source.name,
			offset,
			from,
			end,
		]),
		[
			['part 1', HEADER_SIZE, 0, 1],
			['part 2', HEADER_SIZE + 40, 1, 2],
		],
	);
});

test('blobs that need more than copying are not plain', () => {
	const bytes = new Uint8Array(1000);
	const rows: [string, BlobEntry[]][] = [
		['outside the file', [entryOf(1, { offset: 995 })]],
		['in the header', [entryOf(1, { offset: HEADER_SIZE - 1 })]],
		['raw with two sizes', [entryOf(1, { originalSize: 11 })]],
		[
			'more chunks than bytes',
			[entryOf(1, { isCompressed: true, storedSize: 10, originalSize: 32_768 * 3 })],
		],
		['sharing bytes', [entryOf(1, { offset: 300 }), entryOf(2, { offset: 309 })]],
		[
			'sharing bytes, the other way round',
			[entryOf(1, { offset: 309 }), entryOf(2, { offset: 300 })],
		],
		[
			'solid',
			[
				entryOf(1, { flags: ResourceFlag.solid, originalSize: SOLID_RESOURCE_MARK }),
				entryOf(2, { flags: ResourceFlag.solid, offset: 0 }),
			],
		],
	];
	for (const [why, table] of rows)
		assert.equal(atOnce(PlainBlobs.find(blobsOf(bytes, 1, table))), null, why);
	for (const table of rows.slice(0, 4).map(([, entries]) => entries))
		assert.notEqual([...blobsOf(bytes, 1, table).values()][0]?.defect, null);
	const sound = blobsOf(bytes, 1, [entryOf(1, { offset: 990 }), entryOf(2, { offset: 300 })]);
	assert.equal(atOnce(PlainBlobs.find(sound))?.length, 2);
	assert.equal(atOnce(PlainBlobs.find(new Map(sound))), null);
});
