import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { CanceledError, HostError } from '../../../source/base/errors.ts';
import { Pace } from '../../../source/base/run.ts';
import { sha1 } from '../../../source/bytes/sha1.ts';
import { BatchRead } from '../../../source/operations/read/batch-read.ts';
import { laneSource } from '../../../source/operations/read/fetch-stored.ts';
import { PackedBatch } from '../../../source/operations/read/packed-batch.ts';
import { planReads } from '../../../source/operations/read/plan-reads.ts';
import { Lane } from '../../../source/pool/lane.ts';
import { InlinePool, type Pool } from '../../../source/pool/pool.ts';
import { helpTask } from '../../../source/pool/tasks/help.ts';
import type { PieceResult } from '../../../source/pool/tasks/pieces.ts';
import { readTask } from '../../../source/pool/tasks/read.ts';
import { ask, enter, type OfferedSlice } from '../../../source/pool/tasks/shared-slice.ts';
import type { Blob } from '../../../source/wim/resource.ts';
import { easyBytes, pooledWim, readAll, testPool, threadsOnly } from '../../support/pooled-wim.ts';
import { testRun } from '../../support/test-run.ts';

const MIB = 1 << 20;
/** In one solid chunk. */
const COUNT = 40;

async function solidWim(t: TestContext) {
	const files: Record<string, Uint8Array> = {};
	for (let k = 0; k < COUNT; k++) files[`file ${k}`] = easyBytes(120_000 + k, k + 1);
	return pooledWim(t, files, { compression: 'lzms', chunkSize: 131_072, solidChunkSize: 8 * MIB });
}

/** A task on a lane of its own, step by step. */
type Steps = Generator<number, unknown, void>;

/** Two lanes on this thread: the one that helps runs whole as soon as the other has decoded, or as `onHelp` wants. */
function twoLanes(onHelp: (help: () => unknown, slice: never) => Promise<unknown>): Pool {
	const run = async (
		name: string,
		input: never,
		options: { onOffer?: (what: unknown) => void },
	) => {
		const lane = new Lane();
		if (name === 'help')
			return onHelp(() => lastOf(helpTask(input, lane)), (input as { slice: never }).slice);
		lane.setListener(options.onOffer ?? null);
		const steps: Steps = readTask(input, lane);
		// Up to the first piece that this lane takes.
		let step = steps.next();
		await new Promise((resolve) => setImmediate(resolve));
		while (!step.done) step = steps.next();
		return step.value;
	};
	return Object.assign(new InlinePool(), { run, laneCount: 2 }) as unknown as Pool;
}

function lastOf(steps: Steps): unknown {
	for (;;) {
		const step = steps.next();
		if (step.done) return step.value;
	}
}

/** Reads all files of the WIM as one batch, helped once. */
async function readHelped(t: TestContext, pool: Pool, signal = new AbortController().signal) {
	const { wim } = await solidWim(t);
	const wanted = [...wim.blobs.values()].map((blob) => ({ blob }));
	wanted.sort((a, b) => a.blob.offsetInResource - b.blob.offsetInResource);
	const planned = [...planReads(wanted, { laneCount: 2, totalSize: 8 * MIB })];
	const [batch] = planned.filter((one) => one !== null);
	assert.ok(batch);
	const packed = await PackedBatch.of(batch, true, new Pace(testRun()));
	assert.equal(packed.length, COUNT);
	const read: BatchRead<(typeof wanted)[0]> = new BatchRead(pool, packed, {
		signal,
		laneLimit: 2,
		recover: false,
		keep: null,
		onProgress: () => undefined,
		onDecoded: () => {
			assert.ok(read.canHelp);
			read.help();
		},
	});
	const results = [...(await read.run())];
	assert.equal(read.piecesLeft, 0);
	return results;
}

function assertEach(results: readonly PieceResult[]): void {
	const ids = results.map(({ id }) => id).sort((a, b) => a - b);
	assert.deepEqual(
		ids,
		Array.from({ length: COUNT }, (_, k) => k),
	);
}

test('a lane that has nothing to decode takes pieces that another one has decoded', async (t) => {
	let helped = 0;
	const pool = twoLanes(async (help) => {
		await null;
		const output = help() as { fine: Uint32Array };
		helped = output.fine.length;
		return output;
	});
	const results = await readHelped(t, pool);
	assertEach(results);
	for (const { error, sha1 } of results) assert.deepEqual([error, sha1?.length], [null, 40]);
	// All that the first lane had not taken by then.
	assert.equal(helped, COUNT - 1);
});

test('the memory of a chunk goes nowhere until another lane wants to help', async (t) => {
	const { wim } = await solidWim(t);
	const offers: OfferedSlice[] = [];
	const lane = new Lane();
	lane.setListener((what) => offers.push(what as OfferedSlice));
	const [blob] = wim.blobs.values();
	assert.ok(blob);
	const wanted = [...wim.blobs.values()]
		.toSorted((one, other) => one.offsetInResource - other.offsetInResource)
		.map((each) => ({ blob: each }));
	const [batch] = [...planReads(wanted, { laneCount: 2, totalSize: 8 * MIB })].filter(
		(one) => one !== null,
	);
	assert.ok(batch);
	const packed = (await PackedBatch.of(batch, true, new Pace(testRun()))).pack(null);
	const source = await laneSource(blob.resource.part.source, batch);
	const steps = readTask({ ...packed, source, recover: false }, lane);
	for (let k = 0; k < 10; k++) steps.next();
	assert.equal(offers.length, 1);
	assert.equal(offers[0]?.memory, null);
	assert.ok(offers[0]);
	ask(offers[0]);
	for (let k = 0; k < 10; k++) steps.next();
	assert.equal(offers.length, 2);
	assert.equal(offers[1]?.memory, lane.decoder.outputBytes.buffer);
	lastOf(steps);
});

test('a piece that began in the chunk before is not offered: only its own lane has the beginning', async (t) => {
	const sizes = [3 * MIB, 2 * MIB, 3 * MIB];
	const files = Object.fromEntries(sizes.map((size, k) => [`file ${k}`, easyBytes(size, k + 1)]));
	const { wim } = await pooledWim(t, files, {
		compression: 'lzms',
		chunkSize: 131_072,
		solidChunkSize: 4 * MIB,
	});
	const blobs = [...wim.blobs.values()].sort((a, b) => a.offsetInResource - b.offsetInResource);
	const pieces = blobs.map((blob) => ({
		wanted: { blob },
		start: blob.offsetInResource,
		end: blob.offsetInResource + blob.size,
		isWhole: true,
	}));
	const [{ resource }] = blobs as [Blob];
	const batch = { stretches: [{ resource, pieces }], size: 8 * MIB, chunkSize: 4 * MIB };
	// The second one lies in both chunks.
	assert.deepEqual(
		pieces.map(({ start, end }) => [start, end - 1].map((at) => Math.floor(at / batch.chunkSize))),
		[
			[0, 0],
			[0, 1],
			[1, 1],
		],
	);
	const packed = (await PackedBatch.of(batch, true, new Pace(testRun()))).pack(null);
	const source = await laneSource(resource.part.source, batch);
	const offers: OfferedSlice[] = [];
	const lane = new Lane();
	lane.setListener((what) => offers.push(what as OfferedSlice));
	const output = lastOf(readTask({ ...packed, source, recover: false }, lane));
	assert.deepEqual(
		offers.map(({ firstId, count, start }) => ({ firstId, count, start })),
		[{ firstId: 0, count: 1, start: 0 }],
	);
	assert.deepEqual(output, { pieces: [], fine: Uint32Array.of(0, 1, 2) });
});

test('nobody waits for a helper that did not come in time', async (t) => {
	let come: () => void = () => undefined;
	const late = new Promise<void>((resolve) => {
		come = resolve;
	});
	let output: unknown;
	const pool = twoLanes(async (help) => {
		await late;
		output = help();
		return output;
	});
	assertEach(await readHelped(t, pool));
	come();
	await late;
	await new Promise((resolve) => setImmediate(resolve));
	assert.deepEqual(output, { pieces: [], fine: new Uint32Array() });
});

test('what a helper had taken when its thread ended is lost, and no more', async (t) => {
	const pool = twoLanes(async (_, slice) => {
		enter(slice, 0);
		Atomics.add((slice as { claims: Int32Array }).claims, 0, 3);
		throw new HostError('Cannot finish a batch: worker thread 2 ended (exit code 1)');
	});
	const results = await readHelped(t, pool);
	assertEach(results);
	const lost = results.filter(({ isLost }) => isLost);
	assert.deepEqual(
		lost.map(({ id, error }) => [id, error?.message]),
		[37, 38, 39].map((id) => [id, 'Cannot finish a batch: worker thread 2 ended (exit code 1)']),
	);
});

test('canceling ends a helped batch', async (t) => {
	const stop = new AbortController();
	const pool = twoLanes(async (_, slice) => {
		enter(slice, 0);
		stop.abort();
		throw new CanceledError();
	});
	await assert.rejects(readHelped(t, pool, stop.signal), CanceledError);
});

test('lanes that help one another read the same as one', async (t) => {
	const { wim, files } = await solidWim(t);
	const wanted = [...wim.blobs.values()].map((blob) => ({ blob, wantsBytes: true }));
	const { results, advanced } = await readAll(threadsOnly(testPool(t, 3)), wanted);
	for (const bytes of Object.values(files)) {
		const read = results.get(sha1(bytes));
		assert.ok(read?.bytes);
		assert.equal(Buffer.compare(read.bytes, bytes), 0);
		assert.deepEqual([read.error, read.sha1], [null, sha1(bytes)]);
	}
	assert.equal(
		advanced,
		Object.values(files).reduce((sum, { length }) => sum + length, 0),
	);
});
