import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import {
	CanceledError,
	DigestError,
	FormatError,
	InputError,
} from '../../../source/base/errors.ts';
import { sha1 } from '../../../source/bytes/sha1.ts';
import { readBlobToMemory, streamBlob } from '../../../source/operations/read/stream-blob.ts';
import { InlinePool } from '../../../source/pool/pool.ts';
import { MemorySource } from '../../../source/storage/memory-source.ts';
import {
	easyBytes,
	PrivateSource,
	pooledWim,
	testPool,
	threadsOnly,
} from '../../support/pooled-wim.ts';
import { tempFolder } from '../../support/temp-tree.ts';
import { testRun } from '../../support/test-run.ts';

const MIB = 1 << 20;

async function join(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
	const all: Uint8Array[] = [];
	for await (const piece of pieces) all.push(piece);
	return Buffer.concat(all);
}

const SHAPES = [
	{ compression: 'none', chunkSize: 0 },
	{ compression: 'xpress', chunkSize: 32_768 },
	{ compression: 'lzx', chunkSize: 32_768, solidChunkSize: 2 * MIB },
] as const;

for (const shape of SHAPES)
	test(`a stretch of a blob is what stands there: ${shape.compression}${'solidChunkSize' in shape ? ' solid' : ''}`, async (t) => {
		const files = { before: easyBytes(777_777, 1), file: easyBytes(9 * MIB + 3, 2) };
		const { blob } = await pooledWim(t, files, shape);
		const closed = await pooledWim(t, files, {
			...shape,
			source: (bytes) => new PrivateSource('private.wim', bytes),
		});
		const size = files.file.length;
		const pool = testPool(t, 2);
		for (const [start, end] of [
			[0, size],
			[0, 65_536],
			[5 * MIB + 1, 5 * MIB + 2],
			[3 * MIB, 8 * MIB + 9],
			[size - 10, size + 10],
			[7, 7],
			[size + 5, size + 9],
		] as const)
			for (const from of [blob('file'), closed.blob('file')]) {
				const bytes = await join(streamBlob(pool, from, testRun(), { start, end }));
				assert.equal(bytes.compare(files.file.subarray(start, end)), 0, `${start} to ${end}`);
			}
		assert.equal(
			sha1(await join(streamBlob(new InlinePool(), blob('file'), testRun()))),
			blob('file').sha1,
		);
	});

test('only the chunks of the stretch are decoded', async (t) => {
	const files = { file: easyBytes(3 * MIB, 2) };
	const { blob } = await pooledWim(t, files, {
		compression: 'xpress',
		chunkSize: 32_768,
		damage: (bytes, intact) => {
			const [{ resource } = { resource: null }] = [...intact.blobs.values()];
			assert.ok(resource);
			const end = resource.offset + resource.storedSize;
			bytes.fill(0xff, end - 100, end - 50);
		},
	});
	const pool = testPool(t, 1);
	const head = await join(streamBlob(pool, blob('file'), testRun(), { end: 65_536 }));
	assert.equal(head.compare(files.file.subarray(0, 65_536)), 0);
	await assert.rejects(join(streamBlob(pool, blob('file'), testRun())), (error) => {
		assert.ok(error instanceof FormatError);
		assert.match(error.message, /chunk 95 of 96 is damaged/);
		return true;
	});
	const kept = await join(streamBlob(pool, blob('file'), testRun(), { recover: true }));
	assert.equal(kept.compare(files.file.slice().fill(0, 95 * 32_768)), 0);
});

test('a wrong SHA-1 is told when all bytes were read', async (t) => {
	const files = { file: easyBytes(100_000, 2) };
	const { blob } = await pooledWim(t, files, { compression: 'none', chunkSize: 0 });
	const wrong = { ...blob('file'), sha1: '0'.repeat(40) };
	await assert.rejects(join(streamBlob(new InlinePool(), wrong, testRun())), DigestError);
	await assert.rejects(readBlobToMemory(new InlinePool(), wrong, MIB, testRun()), DigestError);
	const bytes = await readBlobToMemory(new InlinePool(), blob('file'), 100_000, testRun());
	assert.equal(Buffer.compare(bytes, files.file), 0);
	const tooLarge = readBlobToMemory(new InlinePool(), blob('file'), 99_999, testRun());
	await assert.rejects(tooLarge, InputError);
});

test('a reader that stops early frees the lanes, a canceled one throws', async (t) => {
	const files = { file: easyBytes(30 * MIB, 2) };
	const { blob } = await pooledWim(t, files, { compression: 'none', chunkSize: 0 });
	const pool = threadsOnly(testPool(t, 2));
	for await (const piece of streamBlob(pool, blob('file'), testRun())) {
		assert.ok(piece.length > 0);
		break;
	}
	const run = testRun();
	await assert.rejects(async () => {
		for await (const _ of streamBlob(pool, blob('file'), run)) run.cancel();
	}, CanceledError);
	assert.deepEqual((await pool.run('hash', { items: [] })).results, []);
});

test('stretches and files are hashed, and what is not there is told', async (t) => {
	const bytes = easyBytes(3 * MIB, 1);
	const name = path.join(tempFolder(t), 'file');
	writeFileSync(name, bytes);
	const source = new MemorySource('memory', bytes).share();
	const items = [
		{ path: name },
		{ source, offset: 1000, size: 2 * MIB },
		{ source, offset: 3 * MIB - 5, size: 10 },
		{ path: `${name} missing` },
	];
	for (const pool of [new InlinePool(), threadsOnly(testPool(t, 1))]) {
		const { results } = await pool.run('hash', { items });
		assert.deepEqual(
			results.map((result) => [result.sha1, result.size, result.error?.code ?? null]),
			[
				[sha1(bytes), bytes.length, null],
				[sha1(bytes.subarray(1000, 1000 + 2 * MIB)), 2 * MIB, null],
				[null, 0, 'bad-format'],
				[null, 0, 'bad-input'],
			],
		);
	}
});
