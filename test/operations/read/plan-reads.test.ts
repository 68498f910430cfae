import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { inFileOrder } from '../../../source/operations/read/file-order.ts';
import {
	BATCH_SIZE,
	cutBlob,
	type PlannedBatch,
	planReads,
	type Wanted,
} from '../../../source/operations/read/plan-reads.ts';
import type { Blob, Part, Resource } from '../../../source/wim/resource.ts';
import { testRun } from '../../support/test-run.ts';

const KIB = 1024;
const MIB = 1024 * KIB;

function partNamed(name: string): Part {
	return { source: { name }, pipable: false } as unknown as Part;
}

const part = partNamed('a.wim');

function resource(offset: number, size: number, more: Partial<Resource> = {}): Resource {
	return {
		part,
		offset,
		storedSize: size,
		originalSize: size,
		layout: 'chunked',
		compression: 'lzx',
		chunkSize: 32 * KIB,
		flags: 0,
		...more,
	};
}

function blobIn(home: Resource, offsetInResource: number, size: number): Blob {
	return { sha1: '', size, referenceCount: 1, resource: home, offsetInResource, defect: null };
}

/** Ordinary blobs of these sizes, one after the other. */
function blobs(...sizes: readonly number[]): Wanted[] {
	let offset = 208;
	return sizes.map((size) => {
		const home = resource(offset, size);
		offset += size;
		return { blob: blobIn(home, 0, size) };
	});
}

/** Blobs of these sizes in one solid resource. */
function solidBlobs(chunkSize: number, ...sizes: readonly number[]): Wanted[] {
	const total = sizes.reduce((sum, size) => sum + size, 0);
	const home = resource(208, total, { layout: 'solid', chunkSize });
	let at = 0;
	return sizes.map((size) => {
		at += size;
		return { blob: blobIn(home, at - size, size) };
	});
}

function plan(wanted: readonly Wanted[], laneCount = 2): PlannedBatch<Wanted>[] {
	const totalSize = wanted.reduce((sum, { blob }) => sum + blob.size, 0);
	return [...planReads(wanted, { laneCount, totalSize })].filter((batch) => batch !== null);
}

/** Each batch as the stretches of blobs in it: `0:0-100`, and `+` where it is not the whole blob. */
function shown(batches: readonly PlannedBatch<Wanted>[], wanted: readonly Wanted[]): string[] {
	return batches.map(({ stretches }) =>
		stretches
			.flatMap(({ pieces }) => pieces)
			.map(({ wanted: item, start, end, isWhole }) => {
				const shift = item.blob.offsetInResource;
				const number = wanted.indexOf(item);
				return `${number}:${(start - shift) / MIB}-${(end - shift) / MIB}${isWhole ? '' : '+'}`;
			})
			.join(' '),
	);
}

test('small blobs share a batch up to its size', () => {
	const wanted = blobs(MIB, 2 * MIB, MIB, 3 * MIB, MIB, MIB);
	assert.deepEqual(shown(plan(wanted), wanted), ['0:0-1 1:0-2 2:0-1', '3:0-3 4:0-1', '5:0-1']);
});

test('many tiny blobs are not put into one batch', () => {
	const batches = plan(blobs(...new Array<number>(2000).fill(10)));
	assert.ok(batches.length >= 4);
	for (const { stretches } of batches) assert.ok(stretches.length <= 512);
});

test('a large blob goes to one lane while enough is left for the others', () => {
	const wanted = blobs(MIB, 10 * MIB, 4 * MIB, 4 * MIB, 4 * MIB);
	assert.deepEqual(shown(plan(wanted), wanted), ['0:0-1', '1:0-10', '2:0-4', '3:0-4', '4:0-4']);
});

test('a large blob at the end is spread over all lanes', () => {
	const wanted = blobs(MIB, 10 * MIB);
	assert.deepEqual(shown(plan(wanted), wanted), ['0:0-1', '1:0-4+', '1:4-8+', '1:8-10+']);
	assert.deepEqual(shown(plan(wanted, 1), wanted), ['0:0-1', '1:0-10']);
});

test('a large solid chunk is one batch, whatever blobs begin or end in it', () => {
	const wanted = solidBlobs(8 * MIB, 3 * MIB, 4 * MIB, 2 * MIB, 20 * MIB, MIB);
	assert.deepEqual(shown(plan(wanted), wanted), [
		'0:0-3 1:0-4 2:0-1+',
		'2:1-2+ 3:0-7+',
		'3:7-15+',
		'3:15-20+ 4:0-1',
	]);
});

test('solid chunks that nobody wants are left out', () => {
	const wanted = solidBlobs(8 * MIB, MIB, 30 * MIB, MIB).filter((_, k) => k !== 1);
	assert.deepEqual(shown(plan(wanted), wanted), ['0:0-1', '1:0-1']);
});

test('solid resources with small chunks are read like ordinary ones, a stretch for neighbours', () => {
	const wanted = solidBlobs(32 * KIB, MIB, 2 * MIB, 3 * MIB);
	const batches = plan(wanted);
	assert.deepEqual(shown(batches, wanted), ['0:0-1 1:0-2', '2:0-3']);
	assert.equal(batches[0]?.stretches.length, 1);
});

test('a batch has one source, so that a lane reads one file', () => {
	const other = resource(208, MIB, { part: partNamed('b.swm') });
	const wanted = [...blobs(MIB, MIB), { blob: blobIn(other, 0, MIB) }];
	assert.deepEqual(shown(plan(wanted), wanted), ['0:0-1 1:0-1', '2:0-1']);
});

test('blobs behind and before solid resources keep their order', () => {
	const first = resource(208, 8 * MIB, { layout: 'solid', chunkSize: 4 * MIB });
	const second = resource(9 * MIB, 8 * MIB, { layout: 'solid', chunkSize: 4 * MIB });
	const wanted = [
		{ blob: blobIn(first, 0, 5 * MIB) },
		{ blob: blobIn(second, 0, MIB) },
		{ blob: blobIn(resource(18 * MIB, MIB), 0, MIB) },
	];
	assert.deepEqual(shown(plan(wanted), wanted), ['0:0-4+', '0:4-5+', '1:0-1', '2:0-1']);
});

test('whatever is wanted, each byte is planned once and in order', () => {
	const sizes = fc.array(fc.integer({ min: 1, max: 12 * MIB }), { minLength: 1, maxLength: 30 });
	const chunkSizes = fc.constantFrom(32 * KIB, 2 * MIB, 16 * MIB);
	fc.assert(
		fc.property(
			sizes,
			chunkSizes,
			fc.boolean(),
			fc.integer({ min: 1, max: 8 }),
			(all, chunkSize, isSolid, lanes) => {
				const wanted = isSolid ? solidBlobs(chunkSize, ...all) : blobs(...all);
				const done = new Map<Wanted, number>(wanted.map((item) => [item, 0]));
				for (const batch of plan(wanted, lanes)) {
					let size = 0;
					for (const { resource: home, pieces } of batch.stretches)
						for (const { wanted: item, start, end, isWhole } of pieces) {
							assert.equal(item.blob.resource, home);
							assert.equal(start - item.blob.offsetInResource, done.get(item));
							assert.equal(isWhole, end - start === item.blob.size);
							done.set(item, end - item.blob.offsetInResource);
							size += end - start;
						}
					assert.equal(batch.size, size);
					const [only] = batch.stretches.flatMap(({ pieces }) => pieces);
					if (size > Math.max(BATCH_SIZE, isSolid ? chunkSize : 0)) assert.ok(only?.isWhole);
				}
				for (const [item, size] of done) assert.equal(size, item.blob.size);
			},
		),
	);
});

test('planning a chunk of many blobs gives way', () => {
	const wanted = solidBlobs(64 * MIB, ...new Array<number>(5000).fill(1000));
	const steps = [...planReads(wanted, { laneCount: 2, totalSize: 5_000_000 })];
	assert.equal(steps.filter((batch) => batch !== null).length, 1);
	assert.ok(steps.filter((batch) => batch === null).length >= 10);
});

test('a stretch of a blob is cut at chunks', () => {
	const { blob } = solidBlobs(2 * MIB, MIB, 20 * MIB)[1] as Wanted;
	const cuts = [...cutBlob(blob, 3 * MIB, 10 * MIB)].map(({ start, end }) => [
		start / MIB,
		end / MIB,
	]);
	assert.deepEqual(cuts, [
		[3, 4],
		[4, 8],
		[8, 10],
	]);
});

test('blobs are brought into the order of their files', async () => {
	const second = partNamed('b.swm');
	const solid = resource(5000, 100, { layout: 'solid' });
	const inOrder: Wanted[] = [
		{ blob: blobIn(resource(208, 10), 0, 10) },
		{ blob: blobIn(solid, 0, 10) },
		{ blob: blobIn(solid, 50, 10) },
		{ blob: blobIn(resource(9000, 10), 0, 10) },
		{ blob: blobIn(resource(300, 10, { part: second }), 0, 10) },
	];
	const [a, b, c, d, e] = inOrder as [Wanted, Wanted, Wanted, Wanted, Wanted];
	assert.deepEqual([...(await inFileOrder([d, c, a, e, b], testRun()))], inOrder);
	assert.deepEqual([...(await inFileOrder([], testRun()))], []);
});

test('a hundred thousand blobs are sorted in slices, and come out in order', async () => {
	const wanted = blobs(...new Array<number>(100_000).fill(3));
	const mixed = wanted.map((_, k) => wanted[(k * 7919) % wanted.length] as Wanted);
	assert.ok([...(await inFileOrder(mixed, testRun()))].every((item, k) => item === wanted[k]));
});
