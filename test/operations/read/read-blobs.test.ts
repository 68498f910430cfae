import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CanceledError, DigestError, FormatError, HostError } from '../../../source/base/errors.ts';
import { formatHex } from '../../../source/base/print.ts';
import type { Compression } from '../../../source/codec/compression.ts';
import { BATCH_SIZE } from '../../../source/operations/read/plan-reads.ts';
import {
	type BlobResult,
	readBlobs,
	type WantedBlob,
} from '../../../source/operations/read/read-blobs.ts';
import { InlinePool, type Pool } from '../../../source/pool/pool.ts';
import type { ReadInput } from '../../../source/pool/tasks/read.ts';
import { readChunkTable } from '../../../source/wim/read-resource.ts';
import { openWim } from '../../../source/wim/wim.ts';
import { fixture } from '../../support/fixture.ts';
import {
	easyBytes,
	PrivateSource,
	pooledWim,
	readAll,
	testPool,
	threadsOnly,
	variousFiles,
} from '../../support/pooled-wim.ts';
import { testRun } from '../../support/test-run.ts';

const MIB = 1 << 20;
const FORMATS: readonly [Compression, number, number | null][] = [
	['none', 0, null],
	['xpress', 4096, null],
	['xpress', 65_536, null],
	['lzx', 32_768, null],
	['lzx', 2 * MIB, null],
	['lzms', 131_072, null],
	['lzms', 131_072, MIB],
	['lzx', 32_768, 32_768],
	['xpress', 32_768, 32_768],
];

function outline(results: Map<string, BlobResult<WantedBlob>>) {
	return [...results]
		.map(([sha1, { error, bytes, badRanges, isKept }]) => ({
			sha1,
			error: error?.message ?? null,
			size: bytes?.length ?? null,
			badRanges,
			isKept,
		}))
		.sort((a, b) => (a.sha1 < b.sha1 ? -1 : 1));
}

for (const [compression, chunkSize, solidChunkSize] of FORMATS)
	test(`all lanes, one lane, no thread and a private source give the same bytes: ${compression} ${chunkSize}${solidChunkSize ? ` solid ${solidChunkSize}` : ''}`, async (t) => {
		const files = variousFiles();
		const shape = { compression, chunkSize, ...(solidChunkSize ? { solidChunkSize } : {}) };
		const { wim } = await pooledWim(t, files, shape);
		const wanted = [...wim.blobs.values()].map((blob) => ({ blob, wantsBytes: true }));
		const pools: Pool[] = [
			new InlinePool(),
			threadsOnly(testPool(t, 1)),
			threadsOnly(testPool(t, 3)),
		];
		const outlines: unknown[] = [];
		for (const pool of pools) {
			const { results, advanced } = await readAll(pool, wanted);
			for (const bytes of Object.values(files)) {
				const blob = [...results.values()].find(({ bytes: read }) => read?.length === bytes.length);
				assert.ok(blob?.bytes && Buffer.compare(blob.bytes, bytes) === 0);
				assert.equal(blob.sha1, blob.wanted.blob.sha1);
			}
			assert.equal(
				advanced,
				Object.values(files).reduce((sum, { length }) => sum + length, 0),
			);
			outlines.push(outline(results));
		}
		const closed = await pooledWim(t, files, {
			...shape,
			source: (bytes) => new PrivateSource('private.wim', bytes),
		});
		const { results } = await readAll(
			testPool(t, 2),
			[...closed.wim.blobs.values()].map((blob) => ({ blob, wantsBytes: true })),
		);
		outlines.push(outline(results));
		for (const other of outlines) assert.deepEqual(other, outlines[0]);
	});

test('every blob of every vector has its SHA-1', async (t) => {
	const pool = threadsOnly(testPool(t, 2));
	for (const name of [
		'v01.wim',
		'v02.wim',
		'v03.wim',
		'v05.esd',
		'v05b.esd',
		'v06.pwm',
		'v12-nested.wim',
	]) {
		await using wim = await openWim(fixture(`vectors/${name}`));
		const blobs = [...wim.blobs.values(), ...wim.images.map(({ metadata }) => metadata)];
		const { results } = await readAll(
			pool,
			blobs.map((blob) => ({ blob })),
		);
		assert.equal(results.size, new Set(blobs.map(({ sha1 }) => sha1)).size);
		for (const { error } of results.values()) assert.equal(error, null, name);
	}
});

test('a large blob is spread over lanes, and its SHA-1 follows', async (t) => {
	const files = { large: easyBytes(18 * MIB + 17, 1) };
	for (const [compression, chunkSize] of [
		['none', 0],
		['xpress', 32_768],
	] as const) {
		const { blob } = await pooledWim(t, files, { compression, chunkSize });
		const pool = testPool(t, 3);
		const { results, advanced } = await readAll(pool, [{ blob: blob('large') }]);
		const [result] = results.values();
		assert.deepEqual([result?.error, result?.sha1], [null, blob('large').sha1]);
		assert.equal(advanced, files.large.length);
	}
});

test('blobs that lie in several solid chunks are put together', async (t) => {
	const files: Record<string, Uint8Array> = {};
	for (let k = 0; k < 6; k++) files[`file ${k}`] = easyBytes(500_001 * (k + 1), k);
	const { wim } = await pooledWim(t, files, {
		compression: 'lzx',
		chunkSize: 32_768,
		solidChunkSize: 2 * MIB,
	});
	for (const threads of [1, 3]) {
		const wanted = [...wim.blobs.values()].map((blob) => ({ blob }));
		const { results, advanced } = await readAll(threadsOnly(testPool(t, threads)), wanted);
		assert.equal(results.size, 6);
		for (const { error, wanted: item, sha1 } of results.values())
			assert.deepEqual([error, sha1], [null, item.blob.sha1]);
		assert.equal(
			advanced,
			wanted.reduce((sum, { blob }) => sum + blob.size, 0),
		);
	}
});

test('a damaged chunk is named, and costs the others nothing', async (t) => {
	const files = { good: easyBytes(100_000, 1), bad: easyBytes(200_000, 2) };
	const intact = await pooledWim(t, files, { compression: 'lzx', chunkSize: 32_768 });
	const target = intact.blob('bad');
	const table = await readChunkTable(target.resource);
	const place = target.resource.offset + (table.starts[2] ?? 0);
	const broken = await pooledWim(t, files, {
		compression: 'lzx',
		chunkSize: 32_768,
		damage: (bytes) => void bytes.fill(0xff, place, place + 20),
	});
	const wanted = [broken.blob('good'), broken.blob('bad')].map((item) => ({
		blob: item,
		wantsBytes: true,
	}));
	for (const pool of [new InlinePool(), threadsOnly(testPool(t, 2))]) {
		const strict = (await readAll(pool, wanted)).results;
		assert.equal(strict.get(broken.blob('good').sha1)?.error, null);
		const failed = strict.get(broken.blob('bad').sha1);
		assert.ok(failed?.error instanceof FormatError);
		assert.match(
			failed.error.message,
			new RegExp(`resource at ${formatHex(target.resource.offset)}: chunk 2 of 7 is damaged`),
		);
		assert.equal(failed.error.facts.offset, place);
		assert.deepEqual(
			[failed.sha1, failed.bytes, failed.badRanges, failed.isKept],
			[null, null, [], false],
		);

		const lenient = (await readAll(pool, wanted, { recover: true })).results;
		const kept = lenient.get(broken.blob('bad').sha1);
		assert.ok(kept?.error instanceof FormatError);
		assert.deepEqual(kept.badRanges, [{ start: 65_536, end: 98_304 }]);
		const expected = files.bad.slice().fill(0, 65_536, 98_304);
		assert.ok(kept.bytes && Buffer.compare(kept.bytes, expected) === 0);
	}
});

test('of a large blob that is lost at its front no more bytes come to the main thread', async (t) => {
	const files = { large: easyBytes(24 * MIB + 5, 1) };
	const { blob } = await pooledWim(t, files, {
		compression: 'lzx',
		chunkSize: 32_768,
		damage: (bytes, intact) => {
			const [{ resource } = { resource: null }] = [...intact.blobs.values()];
			const table = (Math.ceil(files.large.length / 32_768) - 1) * 4;
			const at = (resource?.offset ?? 0) + table;
			bytes.fill(0xff, at, at + 20);
		},
	});
	const inline = new InlinePool();
	const areKept: boolean[] = [];
	const pool: Pool = {
		...threadsOnly(inline),
		// One lane alone is given the blob as a whole.
		laneCount: 2,
		run(name, input, options) {
			if (name === 'read') areKept.push((input as ReadInput).keep !== null);
			return inline.run(name, input, options);
		},
		forWork: () => pool,
	};
	const lost = [{ start: 0, end: 32_768 }];
	const { results } = await readAll(pool, [{ blob: blob('large') }], { recover: true });
	const read = results.get(blob('large').sha1);
	assert.deepEqual([read?.sha1, read?.badRanges], [null, lost]);
	assert.deepEqual([areKept[0], areKept.at(-1)], [true, false]);
	// Unless somebody asks for them.
	areKept.length = 0;
	const asked = [{ blob: blob('large'), wantsBytes: true }];
	const all = (await readAll(pool, asked, { recover: true })).results.get(blob('large').sha1);
	assert.ok(areKept.length > 1 && areKept.every((isKept) => isKept));
	const expected = files.large.slice().fill(0, 0, 32_768);
	assert.ok(all?.bytes && Buffer.compare(all.bytes, expected) === 0);
});

test('a damaged solid chunk hits the blobs in it and no other', async (t) => {
	const files: Record<string, Uint8Array> = {};
	for (let k = 0; k < 6; k++) files[`file ${k}`] = easyBytes(900_001, k);
	const wim = await pooledWim(t, files, {
		compression: 'lzx',
		chunkSize: 32_768,
		solidChunkSize: MIB,
		damage: (bytes, intact) => {
			const [first] = [...intact.blobs.values()];
			const at = first?.resource.offset ?? 0;
			// The second chunk begins behind the header, six sizes, and the first chunk.
			const size = new DataView(bytes.buffer).getUint32(at + 16, true);
			bytes.fill(0xff, at + 16 + 6 * 4 + size, at + 16 + 6 * 4 + size + 30);
		},
	});
	const wanted = [...wim.wim.blobs.values()].map((blob) => ({ blob }));
	const pool = threadsOnly(testPool(t, 2));
	const strict = (await readAll(pool, wanted)).results;
	const lenient = (await readAll(pool, wanted, { recover: true })).results;
	for (let k = 0; k < 6; k++) {
		const { sha1, offsetInResource, size } = wim.blob(`file ${k}`);
		const start = Math.max(0, MIB - offsetInResource);
		const end = Math.min(size, 2 * MIB - offsetInResource);
		const isHit = start < end;
		assert.equal(strict.get(sha1)?.error !== null, isHit, `file ${k}`);
		assert.deepEqual(lenient.get(sha1)?.badRanges, isHit ? [{ start, end }] : []);
	}
});

test('bytes that decode but are not the right ones are found by their SHA-1', async (t) => {
	const files = { a: easyBytes(5000, 1), large: easyBytes(9 * MIB, 2) };
	for (const name of ['a', 'large'] as const) {
		const { blob } = await pooledWim(t, files, {
			compression: 'none',
			chunkSize: 0,
			damage: (bytes, intact) => {
				const { resource } =
					[...intact.blobs.values()].find(({ size }) => size === files[name].length) ?? {};
				const at = (resource?.offset ?? 0) + 1000;
				bytes[at] = (bytes[at] ?? 0) ^ 1;
			},
		});
		const { results } = await readAll(testPool(t, 2), [{ blob: blob(name) }]);
		const [result] = results.values();
		assert.ok(result?.error instanceof DigestError);
		assert.match(
			result.error.message,
			new RegExp(`blob ${blob(name).sha1}: the SHA-1 of its bytes is`),
		);
		const unchecked = await readAll(testPool(t, 2), [{ blob: blob(name) }], { verify: false });
		const [other] = unchecked.results.values();
		assert.deepEqual([other?.error, other?.sha1], [null, null]);
	}
});

test('of a file that is cut short the first part can be recovered', async (t) => {
	const files = { raw: easyBytes(300_000, 1) };
	const { blob, bytes } = await pooledWim(t, files, { compression: 'none', chunkSize: 0 });
	const { resource } = blob('raw');
	const end = resource.offset + 100_000;
	const source = new PrivateSource('cut.wim', bytes.subarray(0, end));
	const cut = {
		...blob('raw'),
		defect: 'its resource does not lie inside the file',
		resource: { ...resource, part: { ...resource.part, source } },
	};
	const pool = threadsOnly(testPool(t, 2));
	const strict = (await readAll(pool, [{ blob: cut }])).results.get(cut.sha1);
	assert.match(strict?.error?.message ?? '', /does not lie inside the file/);
	const wanted = [{ blob: cut, wantsBytes: true }];
	const kept = (await readAll(pool, wanted, { recover: true })).results.get(cut.sha1);
	assert.match(kept?.error?.message ?? '', /the file ends before byte/);
	const [range] = kept?.badRanges ?? [];
	assert.ok(range && range.start <= 100_000 && range.start > 100_000 - 4096);
	assert.equal(range.end, 300_000);
	assert.ok(
		kept?.bytes &&
			Buffer.compare(kept.bytes.subarray(0, range.start), files.raw.subarray(0, range.start)) === 0,
	);
});

test('a chunk table that cannot be is told for its blob only', async (t) => {
	const files = { good: easyBytes(100_000, 1), bad: easyBytes(200_000, 2) };
	const { blob } = await pooledWim(t, files, {
		compression: 'xpress',
		chunkSize: 32_768,
		damage: (bytes, intact) => {
			const { resource } = [...intact.blobs.values()].find(({ size }) => size === 200_000) ?? {};
			bytes.fill(0xff, resource?.offset, (resource?.offset ?? 0) + 4);
		},
	});
	const { results } = await readAll(
		new InlinePool(),
		[blob('good'), blob('bad')].map((item) => ({ blob: item })),
	);
	assert.equal(results.get(blob('good').sha1)?.error, null);
	const { error } = results.get(blob('bad').sha1) ?? {};
	assert.match(
		error?.message ?? '',
		/chunk 0 of 7 is damaged \(its bounds in the chunk table are wrong\)/,
	);
});

/** Passes everything on, and keeps count of the original bytes under way. */
function counting(pool: Pool): { pool: Pool; most(): number } {
	let now = 0;
	let most = 0;
	const counted: Pool = {
		...threadsOnly(pool),
		async run(name, input, options) {
			now += options?.weight ?? 0;
			most = Math.max(most, now);
			try {
				return await pool.run(name, input, options);
			} finally {
				now -= options?.weight ?? 0;
			}
		},
		forWork: () => counted,
	};
	return { pool: counted, most: () => most };
}

test('no more than two batches a lane are under way, however much is wanted', async (t) => {
	const files: Record<string, Uint8Array> = {};
	for (let k = 0; k < 40; k++) files[`file ${k}`] = easyBytes(2 * MIB + k, k);
	const { wim } = await pooledWim(t, files, { compression: 'none', chunkSize: 0 });
	const { pool, most } = counting(testPool(t, 2));
	await readAll(
		pool,
		[...wim.blobs.values()].map((blob) => ({ blob })),
	);
	assert.ok(most() > BATCH_SIZE, 'lanes had something to do');
	assert.ok(most() <= 4 * BATCH_SIZE, `${most()} bytes were under way`);
});

for (const threads of [0, 2])
	test(`a canceled run ends with no result afterwards (${threads} threads)`, async (t) => {
		const files: Record<string, Uint8Array> = {};
		for (let k = 0; k < 30; k++) files[`file ${k}`] = easyBytes(MIB + k, k);
		const { wim } = await pooledWim(t, files, { compression: 'none', chunkSize: 0 });
		const pool = threads === 0 ? new InlinePool() : threadsOnly(testPool(t, threads));
		const run = testRun();
		let count = 0;
		const wanted = [...wim.blobs.values()].map((blob) => ({ blob }));
		const reading = readBlobs(pool, wanted, { recover: false, verify: true }, run, () => {
			count++;
			run.cancel();
		});
		await assert.rejects(reading, CanceledError);
		const atEnd = count;
		assert.ok(atEnd < 30);
		assert.equal(await pool.run('hash', { items: [] }).then(({ results }) => results.length), 0);
		assert.equal(count, atEnd);
	});

test('what the listener throws ends the reading', async (t) => {
	const { wim } = await pooledWim(t, variousFiles(), { compression: 'none', chunkSize: 0 });
	const wanted = [...wim.blobs.values()].map((blob) => ({ blob }));
	const reading = readBlobs(
		testPool(t, 2),
		wanted,
		{ recover: false, verify: true },
		testRun(),
		() => {
			throw new HostError('Cannot go on: the disk is full');
		},
	);
	await assert.rejects(reading, /the disk is full/);
});

test('a lane that dies is told for each of its blobs, and the rest is read', async (t) => {
	const files: Record<string, Uint8Array> = {};
	for (let k = 0; k < 12; k++) files[`file ${k}`] = easyBytes(3 * MIB + k, k);
	const { wim } = await pooledWim(t, files, { compression: 'none', chunkSize: 0 });
	let isFirst = true;
	const pool = threadsOnly(testPool(t, 2));
	const dying: Pool = {
		...pool,
		forWork: () => dying,
		run(name, input, options) {
			if (!isFirst || name !== 'read') return pool.run(name, input, options);
			isFirst = false;
			return Promise.reject(new HostError('Cannot finish a batch: worker thread 1 ended'));
		},
	};
	const { results, advanced } = await readAll(
		dying,
		[...wim.blobs.values()].map((blob) => ({ blob })),
	);
	assert.equal(results.size, 12);
	const failed = [...results.values()].filter(({ error }) => error !== null);
	assert.equal(failed.length, 1);
	assert.ok(failed[0]?.error instanceof HostError);
	assert.equal(
		advanced,
		[...wim.blobs.values()].reduce((sum, { size }) => sum + size, 0),
	);
});

test('many files of one chunk are told in slices, so that keys get their turns', async (t) => {
	const files: Record<string, Uint8Array> = {};
	for (let k = 0; k < 300; k++) files[`file ${k}`] = easyBytes(500 + k, k);
	const shape = { compression: 'lzx', chunkSize: 32_768, solidChunkSize: 2 * MIB } as const;
	const { wim } = await pooledWim(t, files, shape);
	let turn = 0;
	let isDone = false;
	const count = () => {
		turn++;
		if (!isDone) setImmediate(count);
	};
	setImmediate(count);
	const told = new Map<number, number>();
	const wanted = [...wim.blobs.values()].map((blob) => ({ blob }));
	// Its clock says that every step takes 10 ms.
	const run = testRun();
	await readBlobs(testPool(t, 2), wanted, { recover: false, verify: true }, run, () =>
		told.set(turn, (told.get(turn) ?? 0) + 1),
	);
	isDone = true;
	assert.equal(
		[...told.values()].reduce((sum, blobs) => sum + blobs, 0),
		300,
	);
	assert.ok(Math.max(...told.values()) <= 2, `${Math.max(...told.values())} in one turn`);
});
