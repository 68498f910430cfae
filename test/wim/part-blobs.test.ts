import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { sha1 } from '../../source/bytes/sha1.ts';
import { Span } from '../../source/bytes/span.ts';
import type { SolidShape } from '../../source/codec/chunk-table.ts';
import {
	BlobEntries,
	type BlobEntry,
	parseBlobEntries,
	SOLID_RESOURCE_MARK,
} from '../../source/wim/blob-entries.ts';
import { placeBlobs, placingSteps } from '../../source/wim/blob-table.ts';
import { PartBlobs, SetBlobs } from '../../source/wim/part-blobs.ts';
import { ResourceFlag, VERSION_SOLID } from '../../source/wim/part-header.ts';
import type { Part } from '../../source/wim/resource.ts';
import { openWim, type Wim } from '../../source/wim/wim.ts';
import { contentsOf, writeManyFiles } from '../support/many-files.ts';
import { tempFolder } from '../support/temp-tree.ts';

/** Part 1 of a file of this size. */
function partOfSize(size: number, version = 0x1_0d00): Part {
	return {
		source: { name: `${size}.wim`, size },
		header: { version, partNumber: 1, blobTable: { offset: 0 } },
		pipable: false,
	} as unknown as Part;
}

const HOW = { compression: 'xpress', chunkSize: 32_768 } as const;

function entry(number: number, more: Partial<BlobEntry> = {}): BlobEntry {
	return {
		storedSize: 100,
		flags: 0,
		offset: 1000 * (number + 1),
		originalSize: 100,
		partNumber: 1,
		referenceCount: 1,
		sha1: sha1(Buffer.from(String(number))),
		at: number * 50,
		...more,
	};
}

function blobsOf(part: Part, ...entries: readonly BlobEntry[]): PartBlobs {
	const { blobs } = placeBlobs(part, entries, HOW, new Map());
	assert.ok(blobs instanceof PartBlobs);
	return blobs;
}

test('entries that are written and parsed again are the same, absurd amounts included', () => {
	const entries = [
		entry(1),
		entry(2, { offset: 2 ** 40, originalSize: 2 ** 52 + 1, storedSize: 2 ** 50, flags: 0xff }),
	];
	const bytes = BlobEntries.of(entries).bytes;
	assert.deepEqual(
		parseBlobEntries(new Span(bytes, 'x')).map(({ at, ...rest }) => ({ ...rest, at: at + 50 })),
		entries,
	);
	const absurd = parseBlobEntries(new Span(new Uint8Array(50).fill(0xff), 'x'));
	const [again] = [...BlobEntries.of(absurd)];
	assert.ok(again && again.offset > Number.MAX_SAFE_INTEGER);
	assert.ok(again.storedSize > Number.MAX_SAFE_INTEGER);
});

test('an odd entry among ordinary ones is looked at more closely', () => {
	const zero = '0'.repeat(40);
	const rows: [string | null, Partial<BlobEntry>][] = [
		['An entry for part 2 is ignored in part 1', { partNumber: 2 }],
		['An entry without SHA-1 is ignored', { sha1: zero }],
		['An entry of size 0 is ignored', { storedSize: 0 }],
		['An entry of size 0 is ignored', { originalSize: 0 }],
		[`Blob ${entry(1).sha1} is listed twice; the first entry counts`, { sha1: entry(1).sha1 }],
		[null, { sha1: `${'0'.repeat(8)}${'1'.repeat(32)}` }],
		[null, { originalSize: 2 ** 32, flags: ResourceFlag.compressed }],
	];
	for (const [warning, odd] of rows) {
		const table = [entry(1), entry(2), entry(3, odd), entry(4)];
		const { blobs, resources, warnings } = placeBlobs(partOfSize(10_000), table, HOW, new Map());
		const kept = table.filter((_, k) => warning === null || k !== 2);
		assert.deepEqual(
			[...blobs.values()].map(({ sha1: name, resource }) => [name, resource.offset]),
			kept.map(({ sha1: name, offset }) => [name, offset]),
		);
		assert.deepEqual(
			resources.map(({ offset }) => offset),
			kept.map(({ offset }) => offset),
		);
		assert.deepEqual(
			warnings.map(({ message, offset }) => [message, offset]),
			warning === null ? [] : [[warning, 150]],
		);
	}
});

test('the blobs of a part are a map in the order of its table', () => {
	const blobs = blobsOf(
		partOfSize(10_000),
		entry(3),
		entry(1),
		entry(2),
		entry(1, { offset: 9999 }),
	);
	assert.deepEqual(
		[...blobs.keys()],
		[3, 1, 2].map((k) => entry(k).sha1),
	);
	assert.equal(blobs.size, 3);
	assert.equal(blobs.get(entry(1).sha1)?.resource.offset, 2000);
	assert.equal(blobs.has(entry(4).sha1), false);
	assert.equal(blobs.get(entry(4).sha1), undefined);
	const seen: string[] = [];
	blobs.forEach((blob, name) => {
		assert.equal(blob.sha1, name);
		seen.push(name);
	});
	assert.deepEqual(
		seen,
		[...blobs.values()].map((blob) => blob.sha1),
	);
	assert.deepEqual([...blobs], [...blobs.entries()]);
});

test('a large table is placed in many short steps, to the same end', () => {
	const part = partOfSize(1e9);
	const entries = Array.from({ length: 40_000 }, (_, k) => entry(k));
	const steps = placingSteps(part, entries, HOW, new Map());
	let pauses = 0;
	let step = steps.next();
	for (; !step.done; step = steps.next()) pauses++;
	assert.ok(pauses >= 4, `${pauses} pauses`);
	assert.deepEqual([...step.value.blobs.keys()], [...blobsOf(part, ...entries).keys()]);
});

test('the contents of one large solid resource are placed in many short steps, to the same end', () => {
	const part = partOfSize(1e9, VERSION_SOLID);
	const contents = 40_000;
	const resource = entry(-1, {
		flags: ResourceFlag.solid,
		offset: 208,
		storedSize: 1e8,
		originalSize: SOLID_RESOURCE_MARK,
	});
	const inside = Array.from({ length: contents }, (_, k) =>
		entry(k, { flags: ResourceFlag.solid, offset: 100 * k }),
	);
	const shape: SolidShape = {
		storedSize: 1e8,
		originalSize: 100 * contents,
		chunkSize: 1 << 26,
		compression: 'lzms',
		chunkCount: 1,
		tableOffset: 224,
		tableSize: 4,
	};
	// In the order of their places, and in another one.
	for (const entries of [
		[resource, ...inside],
		[...inside.toReversed(), resource],
	]) {
		const steps = placingSteps(part, entries, HOW, new Map([[208, shape]]));
		let pauses = 0;
		let step = steps.next();
		for (; !step.done; step = steps.next()) pauses++;
		assert.ok(pauses >= 8, `${pauses} pauses`);
		const { blobs, warnings } = step.value;
		assert.deepEqual(warnings, []);
		assert.equal(blobs.size, contents);
		const blob = blobs.get(entry(12_345).sha1);
		assert.deepEqual([blob?.offsetInResource, blob?.resource.layout], [1_234_500, 'solid']);
	}
});

test('of blobs in several parts the first one counts that can be read', () => {
	const cut = blobsOf(partOfSize(2500), entry(0), entry(1), entry(2));
	const whole = blobsOf(partOfSize(9000), entry(2), entry(1), entry(5));
	const set = new SetBlobs([cut, whole]);
	assert.equal(set.size, 4);
	const partSize = (k: number) => set.get(entry(k).sha1)?.resource.part.source.size;
	assert.deepEqual([0, 1, 2, 5].map(partSize), [2500, 2500, 9000, 9000]);
	assert.deepEqual(
		[...set.keys()],
		[0, 1, 2, 5].map((k) => entry(k).sha1),
	);
});

test('the table of a large file costs less than 120 bytes a blob', async (t) => {
	setFlagsFromString('--expose-gc');
	const collect = runInNewContext('gc') as () => void;
	// Buffers that nobody holds are given back in the background, turns after the collection that found them.
	const used = async () => {
		let least = Number.POSITIVE_INFINITY;
		for (let pass = 0; pass < 10; pass++) {
			collect();
			await new Promise(setImmediate);
			const { heapUsed, arrayBuffers } = process.memoryUsage();
			least = Math.min(least, heapUsed + arrayBuffers);
		}
		return least;
	};
	const folder = tempFolder(t);
	const contents = 40_000;
	const file = path.join(folder, 'many.wim');
	writeManyFiles(file, { files: 100, contents, filesPerFolder: 10, seed: 3 });
	const opened: Wim[] = [await openWim(file)];
	const before = await used();
	// Several times, so that what else lives in this process does not count.
	while (opened.length <= 10) opened.push(await openWim(file));
	const perBlob = ((await used()) - before) / contents / 10;
	t.diagnostic(`${perBlob.toFixed(1)} bytes a blob`);
	assert.ok(perBlob < 120, `${perBlob} bytes a blob`);
	const [wim] = opened;
	assert.ok(wim);
	assert.equal(wim.blobs.size, contents);
	const some = contentsOf(12_345, 3);
	assert.equal(wim.blobs.get(sha1(some))?.size, some.length);
	for (const one of opened) await one[Symbol.asyncDispose]();
});
