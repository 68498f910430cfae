import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sha1 } from '../../source/bytes/sha1.ts';
import { readBlobs } from '../../source/operations/read/read-blobs.ts';
import { TASKS } from '../../source/pool/tasks.ts';
import { ThreadPool } from '../../source/pool/thread-pool.ts';
import { workerEntry } from '../../source/pool/worker-entry.ts';
import { easyBytes, pooledWim } from '../support/pooled-wim.ts';
import { testRun } from '../support/test-run.ts';

const MIB = 1 << 20;
const CHUNK_SIZE = 32 * MIB;

/** Some of the files lie in two chunks. */
const SIZES = [20, 20, 20, 20, 20, 1].map((size) => size * MIB);

test('lanes read the same large chunks where memory is plenty and where it is tight', async (t) => {
	const files = Object.fromEntries(SIZES.map((size, k) => [`${k}`, easyBytes(size, k + 1)]));
	const wim = await pooledWim(t, files, {
		compression: 'lzms',
		chunkSize: 1 << 17,
		solidChunkSize: CHUNK_SIZE,
	});
	const wanted = Object.keys(files).map((name) => ({ blob: wim.blob(name) }));
	for (const memorySize of [1024 * MIB, 8 * MIB]) {
		await using pool = new ThreadPool({
			laneCount: 3,
			memorySize,
			registry: TASKS,
			entry: workerEntry,
		});
		for (const round of [1, 2]) {
			const good = new Set<string>();
			await readBlobs(
				pool,
				wanted,
				{ recover: false, verify: true },
				testRun(),
				({ wanted: { blob }, error }) => {
					assert.equal(error, null);
					good.add(blob.sha1);
				},
			);
			assert.deepEqual(
				good,
				new Set(Object.values(files).map((bytes) => sha1(bytes))),
				`round ${round}`,
			);
		}
	}
});
