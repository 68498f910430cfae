import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FormatError } from '../../../source/base/errors.ts';
import { sha1 } from '../../../source/bytes/sha1.ts';
import { SolidHeader } from '../../../source/codec/chunk-table.ts';
import { COMPRESSIONS } from '../../../source/codec/compression.ts';
import { Encoder } from '../../../source/codec/encoder.ts';
import { BlobReader } from '../../../source/operations/mount/blob-reader.ts';
import { MemorySource } from '../../../source/storage/memory-source.ts';
import type { PartHeader } from '../../../source/wim/part-header.ts';
import type { Blob } from '../../../source/wim/resource.ts';
import { randomSource } from '../../support/random.ts';
import { sampleFiles } from '../../support/sample-data.ts';

const SIZE = 4 << 20;
const BLOB_SIZE = 1 << 18;

/** Counts how often stored chunks are fetched; the header and the sizes before them do not count. */
class CountingSource extends MemorySource {
	chunkReads = 0;

	override read(offset: number, into: Uint8Array): Promise<number> {
		if (offset >= SolidHeader.size + 4) this.chunkReads++;
		return super.read(offset, into);
	}
}

const { text = new Uint8Array(0) } = sampleFiles(randomSource(7), SIZE);

/** A file with one solid resource of one chunk, and its blobs. */
function makeSolid(): { readonly bytes: Uint8Array; readonly storedSize: number } {
	const encoder = new Encoder();
	encoder.input(SIZE).set(text);
	const stored = encoder.encode('lzms', SIZE, 20, SIZE);
	assert.ok(stored);
	const bytes = new Uint8Array(SolidHeader.size + 4 + stored.length);
	bytes.set(
		SolidHeader.encode({
			originalSize: SIZE,
			chunkSize: SIZE,
			format: COMPRESSIONS.indexOf('lzms'),
		}),
	);
	new DataView(bytes.buffer).setUint32(SolidHeader.size, stored.length, true);
	bytes.set(stored, SolidHeader.size + 4);
	return { bytes, storedSize: stored.length };
}

const solid = makeSolid();

function open(bytes: Uint8Array): { readonly source: CountingSource; readonly blobs: Blob[] } {
	const source = new CountingSource('solid.wim', bytes);
	const resource = {
		part: { source, header: { partNumber: 1 } as PartHeader, pipable: false },
		offset: 0,
		storedSize: bytes.length,
		originalSize: SIZE,
		layout: 'solid',
		compression: 'lzms',
		chunkSize: SIZE,
		flags: 0,
	} as const;
	const blobs: Blob[] = [];
	for (let at = 0; at < SIZE; at += BLOB_SIZE) {
		const name = sha1(text.subarray(at, at + BLOB_SIZE));
		blobs.push({
			sha1: name,
			size: BLOB_SIZE,
			referenceCount: 1,
			resource,
			offsetInResource: at,
			defect: null,
		});
	}
	return { source, blobs };
}

test('a mounted solid chunk is decoded twice at most, in whatever order its files are read', async () => {
	const { source, blobs } = open(solid.bytes);
	const reader = new BlobReader();
	for (const position of [3, 1, 4, 15, 0, 9, 2, 6, 5, 3]) {
		const blob = blobs[position];
		assert.ok(blob);
		const got = await reader.read(blob, 1000, 5000);
		const start = position * BLOB_SIZE + 1000;
		assert.ok(Buffer.compare(got, text.subarray(start, start + 5000)) === 0, `file ${position}`);
	}
	assert.equal(source.chunkReads, 2);
});

test('files before the damage of a mounted solid chunk can be read, also after one behind it was asked for', async () => {
	const bytes = solid.bytes.slice();
	// LZMS is read from both ends: the middle of the stored bytes belongs to the last original ones.
	const middle = SolidHeader.size + 4 + Math.floor(solid.storedSize / 2);
	bytes.fill(0xa5, middle - 4000, middle + 4000);
	const { blobs } = open(bytes);
	const reader = new BlobReader();
	const [first, second] = blobs;
	const last = blobs.at(-1);
	assert.ok(first && second && last);
	const whole = async (blob: Blob) => {
		const got = await reader.read(blob, 0, BLOB_SIZE);
		assert.equal(sha1(got), blob.sha1);
	};
	await whole(first);
	await assert.rejects(reader.read(last, 0, BLOB_SIZE), FormatError);
	await whole(second);
	await whole(first);
});
