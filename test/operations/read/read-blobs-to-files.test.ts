import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { CanceledError, HostError } from '../../../source/base/errors.ts';
import { SMALL_SIZE_MAX } from '../../../source/operations/extract/extract-data.ts';
import { poolBlobWriter } from '../../../source/operations/extract/pool-blob-writer.ts';
import { readBlobs } from '../../../source/operations/read/read-blobs.ts';
import { InlinePool } from '../../../source/pool/pool.ts';
import { plainTarget } from '../../../source/storage/target-file.ts';
import {
	easyBytes,
	type PooledWim,
	pooledWim,
	readAll,
	testPool,
	threadsOnly,
	variousFiles,
} from '../../support/pooled-wim.ts';
import { tempFolder } from '../../support/temp-tree.ts';
import { testRun } from '../../support/test-run.ts';

const MIB = 1 << 20;

function targets(wim: PooledWim, folder: string, more: object = {}) {
	return Object.keys(wim.files).map((name) => ({
		blob: wim.blob(name),
		targets: [{ ...plainTarget(path.join(folder, name)), ...more }],
	}));
}

function assertFiles(wim: PooledWim, folder: string): void {
	assert.deepEqual(readdirSync(folder).sort(), Object.keys(wim.files).sort());
	for (const [name, bytes] of Object.entries(wim.files))
		assert.equal(Buffer.compare(readFileSync(path.join(folder, name)), bytes), 0, name);
}

/** Small files, and one that no lane writes alone. */
async function mixedWim(t: TestContext): Promise<PooledWim> {
	const files = { ...variousFiles(), large: easyBytes(13 * MIB + 5, 9) };
	return pooledWim(t, files, { compression: 'xpress', chunkSize: 32_768 });
}

for (const threads of [0, 1, 3])
	test(`every file gets its bytes, mode and times (${threads} threads)`, async (t) => {
		const wim = await mixedWim(t);
		const folder = tempFolder(t);
		const pool = threads === 0 ? new InlinePool() : testPool(t, threads);
		const wanted = targets(wim, folder, { mode: 0o640, times: [1e9, 1.5e9] });
		const { results } = await readAll(pool, wanted);
		for (const { error, targetErrors, isKept } of results.values())
			assert.deepEqual([error, targetErrors.size, isKept], [null, 0, true]);
		for (const name of Object.keys(wim.files)) {
			const stat = statSync(path.join(folder, name));
			assert.deepEqual([stat.mode & 0o777, stat.mtimeMs], [0o640, 1.5e12], name);
		}
		assertFiles(wim, folder);
	});

test('solid blobs over several chunks become files', async (t) => {
	const files: Record<string, Uint8Array> = {};
	for (let k = 0; k < 6; k++) files[`file ${k}`] = easyBytes(500_001 * (k + 1), k);
	const shape = { compression: 'lzx', chunkSize: 32_768, solidChunkSize: 2 * MIB } as const;
	const wim = await pooledWim(t, files, shape);
	const folder = tempFolder(t);
	await readAll(testPool(t, 2), targets(wim, folder));
	assertFiles(wim, folder);
});

test('all targets of a blob get its bytes, and a refused one is told by itself', async (t) => {
	const wim = await mixedWim(t);
	const folder = tempFolder(t);
	mkdirSync(path.join(folder, 'taken'));
	for (const name of ['text', 'large']) {
		const good = ['a', 'b'].map((letter) => plainTarget(path.join(folder, `${name} ${letter}`)));
		const taken = plainTarget(path.join(folder, 'taken'));
		const [first, second] = good;
		assert.ok(first && second);
		const wanted = [{ blob: wim.blob(name), targets: [first, taken, second] }];
		const { results } = await readAll(testPool(t, 2), wanted);
		const [result] = results.values();
		assert.deepEqual([...(result?.targetErrors.keys() ?? [])], [taken]);
		assert.ok(result?.targetErrors.get(taken) instanceof HostError);
		assert.deepEqual([result?.error, result?.isKept], [null, true]);
		for (const target of good)
			assert.equal(
				Buffer.compare(readFileSync(String(target.path)), wim.files[name] ?? Buffer.of()),
				0,
			);
	}
});

test('a file whose bytes are damaged is not left, unless recovering', async (t) => {
	const files = { small: easyBytes(100_000, 1), large: easyBytes(13 * MIB, 2) };
	for (const name of ['small', 'large'] as const) {
		const wim = await pooledWim(t, files, {
			compression: 'xpress',
			chunkSize: 32_768,
			damage: (bytes, intact) => {
				const blob = [...intact.blobs.values()].find(({ size }) => size === files[name].length);
				const end = (blob?.resource.offset ?? 0) + (blob?.resource.storedSize ?? 0);
				bytes.fill(0xff, end - 600, end - 500);
			},
		});
		const folder = tempFolder(t);
		const pool = testPool(t, 2);
		const strict = (await readAll(pool, targets(wim, folder))).results.get(wim.blob(name).sha1);
		assert.equal(strict?.error?.code, 'bad-format');
		assert.equal(strict?.isKept, false);
		assert.deepEqual(readdirSync(folder), [name === 'small' ? 'large' : 'small']);
		const other = tempFolder(t);
		const kept = (await readAll(pool, targets(wim, other), { recover: true })).results.get(
			wim.blob(name).sha1,
		);
		assert.equal(kept?.isKept, true);
		const [range] = kept?.badRanges ?? [];
		assert.ok(range && range.end - range.start <= 32_768);
		const expected = files[name].slice().fill(0, range.start, range.end);
		assert.equal(Buffer.compare(readFileSync(path.join(other, name)), expected), 0);
	}
});

test('a canceled run leaves no half-written file', async (t) => {
	const files = { small: easyBytes(3 * MIB, 1), large: easyBytes(40 * MIB, 2) };
	const wim = await pooledWim(t, files, { compression: 'none', chunkSize: 0 });
	for (const threads of [1, 2]) {
		const folder = tempFolder(t);
		const run = testRun();
		const pool = threadsOnly(testPool(t, threads));
		const wanted = targets(wim, folder);
		const stopping = {
			...run,
			report: (event: Parameters<typeof run.report>[0]) => {
				// By now the large file has been begun.
				if (event.type === 'advance' && existsSync(path.join(folder, 'large'))) run.cancel();
			},
		};
		const reading = readBlobs(pool, wanted, { recover: false, verify: true }, stopping, () => {});
		await assert.rejects(reading, CanceledError);
		assert.equal(existsSync(path.join(folder, 'large')), false, `${threads} threads`);
		if (existsSync(path.join(folder, 'small')))
			assert.equal(statSync(path.join(folder, 'small')).size, files.small.length);
	}
});

test('sparse files keep their zeros as holes, also when lanes share the work', async (t) => {
	const holey = new Uint8Array(20 * MIB).fill(1, 5 * MIB, 5 * MIB + 10).fill(2, 19 * MIB);
	const files = { holey, small: holey.slice(4 * MIB, 6 * MIB) };
	const wim = await pooledWim(t, files, { compression: 'xpress', chunkSize: 32_768 });
	const folder = tempFolder(t);
	await readAll(threadsOnly(testPool(t, 2)), targets(wim, folder, { isSparse: true }));
	assertFiles(wim, folder);
	assert.ok(statSync(path.join(folder, 'holey')).blocks * 512 <= 2 * MIB);
	assert.ok(statSync(path.join(folder, 'small')).blocks * 512 <= 64 << 10);
});

test('the writer of extract tells files, refusals and small contents in one pass', async (t) => {
	const tooLarge = SMALL_SIZE_MAX + 1;
	const files = { a: easyBytes(9000, 1), b: easyBytes(300, 2), huge: easyBytes(tooLarge, 3) };
	const wim = await pooledWim(t, files, { compression: 'lzx', chunkSize: 32_768 });
	const folder = tempFolder(t);
	writeFileSync(path.join(folder, 'taken'), 'old');
	const file = (name: string) => ({ path: path.join(folder, name), times: null, isSparse: false });
	const [one, two, taken] = [file('one'), file('two'), file('taken')];
	const missing = { sha1: 'f'.repeat(40), size: 5 };
	const told: unknown[] = [];
	await poolBlobWriter(testPool(t, 2), wim.wim.blobs).write(
		{
			files: [
				{ blob: wim.blob('a'), files: [one, taken] },
				{ blob: wim.blob('b'), files: [two] },
				{ blob: missing, files: [file('three')] },
			],
			small: [wim.blob('b'), wim.blob('huge')],
			recoverData: false,
		},
		{
			fileWritten: ({ blob, error, isKept, refused }) =>
				told.push([blob.size, error?.code ?? null, isKept, [...refused.keys()]]),
			smallRead: ({ blob, error }, bytes) =>
				told.push(['small', blob.size, error?.code ?? null, bytes?.length ?? null]),
		},
		testRun(),
	);
	const sorted = told.map((entry) => JSON.stringify(entry)).sort();
	assert.deepEqual(
		sorted,
		[
			[5, 'missing-data', false, []],
			[300, null, true, []],
			[9000, null, true, [taken]],
			['small', 300, null, 300],
			['small', tooLarge, 'bad-format', null],
		]
			.map((entry) => JSON.stringify(entry))
			.sort(),
	);
	assert.equal(readFileSync(path.join(folder, 'taken'), 'utf8'), 'old');
	assert.deepEqual(readdirSync(folder).sort(), ['one', 'taken', 'two']);
});
