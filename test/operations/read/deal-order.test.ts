import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dealOrder } from '../../../source/operations/read/deal-order.ts';
import type { PlannedBatch, Wanted } from '../../../source/operations/read/plan-reads.ts';
import type { Blob, Resource } from '../../../source/wim/resource.ts';

const CHUNK_SIZE = 64 << 20;

/** Batches of one chunk each, and others between them; a number is the stored size of a chunk in MB. */
function order(...batches: readonly (number | string | null | { stored: number; head: number })[]) {
	const names = new Map<PlannedBatch<Wanted>, number | string>();
	const sizes = new Map<PlannedBatch<Wanted>, number>();
	const planned = batches.map((one) => {
		if (one === null) return null;
		const head = typeof one === 'object' ? one.head : 0;
		const blob = { sha1: '', size: 2 * head, offsetInResource: -head } as unknown as Blob;
		const piece = { wanted: { blob }, start: 0, end: head || 1000, isWhole: head === 0 };
		const resource = { chunkSize: CHUNK_SIZE } as unknown as Resource;
		const batch = { stretches: [{ resource, pieces: [piece] }], size: 0, chunkSize: CHUNK_SIZE };
		const stored = typeof one === 'object' ? one.stored : one;
		names.set(batch, stored);
		if (typeof stored === 'number') sizes.set(batch, stored);
		return batch;
	});
	const dealt = [...dealOrder(planned, (batch) => sizes.get(batch) ?? null)];
	return dealt.map((batch) => (batch === null ? null : names.get(batch)));
}

for (const { name, from, to } of [
	{ name: 'no chunk', from: [], to: [] },
	{ name: 'one chunk', from: [7], to: [7] },
	{
		name: 'a few chunks: from the longest on',
		from: [6, 10, 11, 9, 14, 1],
		to: [14, 11, 10, 9, 6, 1],
	},
	{
		name: 'of many chunks only the last ones are sorted',
		from: [10, 11, 12, 5, 10, 13, 14, 15, 16, 9, 8, 17, 3],
		to: [10, 11, 12, 5, 10, 13, 14, 17, 16, 15, 9, 8, 3],
	},
	{
		name: 'other batches stay where they are, and so do chunks before and behind them',
		from: ['a', 3, 8, 'b', 7, 9, 'c'],
		to: ['a', 8, 3, 'b', 9, 7, 'c'],
	},
	{ name: 'that planning gave way is passed on at once', from: [5, null, 7], to: [null, 7, 5] },
])
	test(`large chunks are dealt out: ${name}`, () => {
		assert.deepEqual(order(...from), to);
	});

test('a chunk that begins with much of a blob comes after the chunk before it', () => {
	const large = { stored: 20, head: 9 << 20 };
	assert.deepEqual(order(3, 6, large, 30), [6, 3, 30, 20]);
	const small = { stored: 20, head: 1 << 20 };
	assert.deepEqual(order(3, 11, small, 30), [30, 20, 11, 3]);
});
