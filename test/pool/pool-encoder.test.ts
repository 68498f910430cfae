import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CanceledError } from '../../source/base/errors.ts';
import { openPool } from '../../source/pool/pool.ts';
import { PoolEncoder } from '../../source/pool/pool-encoder.ts';
import { InlineEncoder } from '../../source/pool/tasks/encode.ts';
import { contentsOf } from '../support/written.ts';

test('lanes on threads compress to the same bytes as the calling thread', async () => {
	await using pool = openPool(2);
	const lanes = new PoolEncoder(pool);
	const inline = new InlineEncoder();
	for (const compression of ['xpress', 'lzx', 'lzms'] as const)
		for (const seed of [1, 3, 4]) {
			const request = () => ({
				compression,
				chunkSize: 32768,
				level: 20,
				bytes: contentsOf(seed, 500_000) as Uint8Array<ArrayBuffer>,
				sizes: [...Array.from({ length: 15 }, () => 32768), 500_000 - 15 * 32768],
			});
			const [one, other] = await Promise.all([inline.encode(request()), lanes.encode(request())]);
			assert.deepEqual(one.sizes, other.sizes);
			assert.deepEqual(Buffer.from(one.bytes), Buffer.from(other.bytes));
			assert.ok(one.bytes.length < 500_000);
		}
});

test('a canceled request ends with the sentence for it', async () => {
	await using pool = openPool(1);
	const controller = new AbortController();
	controller.abort();
	const bytes = new Uint8Array(1 << 20);
	const request = {
		compression: 'lzx',
		chunkSize: 32768,
		level: 50,
		bytes,
		sizes: Array.from({ length: 32 }, () => 32768),
	} as const;
	await assert.rejects(new PoolEncoder(pool).encode(request, controller.signal), CanceledError);
});
