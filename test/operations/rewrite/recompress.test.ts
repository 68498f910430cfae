import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { WimError } from '../../../source/base/errors.ts';
import { sha1 } from '../../../source/bytes/sha1.ts';
import { capture } from '../../../source/operations/capture/capture.ts';
import { type ExportOptions, exportImages } from '../../../source/operations/rewrite/export.ts';
import { openPool } from '../../../source/pool/pool.ts';
import { PoolEncoder } from '../../../source/pool/pool-encoder.ts';
import { InlineEncoder } from '../../../source/pool/tasks/encode.ts';
import { BlobContents } from '../../../source/wim/blob-content.ts';
import { readWholeResource } from '../../../source/wim/read-resource.ts';
import type { Blob } from '../../../source/wim/resource.ts';
import { openWim } from '../../../source/wim/wim.ts';
import { tempFolder } from '../../support/temp-tree.ts';
import { testRun } from '../../support/test-run.ts';
import {
	captureOptions,
	compressed,
	contentsOf,
	makeTree,
	noise,
	tools,
	USUAL_EXPORT,
} from '../../support/written.ts';

/** More than one lane takes in alone; most of it does not compress. */
const LARGE = 5_500_000;

const WAYS: Readonly<Record<string, Partial<ExportOptions>>> = {
	none: { compression: compressed('none') },
	'XPRESS 4K': { compression: compressed('xpress', { chunkSize: 4096 }) },
	'XPRESS 64K': { compression: compressed('xpress', { chunkSize: 65_536 }) },
	'LZX 2M': { compression: compressed('lzx', { chunkSize: 1 << 21 }) },
	LZMS: { compression: compressed('lzms') },
	'the same again': { recompress: true },
	'pipable XPRESS': { compression: compressed('xpress'), pipable: true },
	'pipable none': { compression: compressed('none'), pipable: true },
};

/** A solid WIM of two chunks, so large that a lane decodes them. */
const SOLID = {
	solid: true,
	solidChunkSize: 1 << 22,
	solidCompress: { type: 'lzms', level: 20 },
} as const;

/** A WIM of a few files, with large ones that differ from one another. */
async function captured(
	t: TestContext,
	type: 'none' | 'xpress' | 'lzx' | 'solid',
	chunkSize: number,
) {
	const folder = tempFolder(t);
	const source = path.join(folder, 'source');
	makeTree(
		source,
		[0, 40, 4096, 32_768, 32_769, 100_000, 700_001].map((size, k) => ({
			kind: 'file',
			parent: 0,
			name: `f${k}`,
			seed: k,
			size,
		})),
	);
	writeFileSync(path.join(source, 'noise'), noise(LARGE));
	writeFileSync(path.join(source, 'mixed'), contentsOf(1, LARGE + 1));
	const file = path.join(folder, 'from.wim');
	const compression =
		type === 'solid'
			? compressed('lzx', SOLID)
			: compressed(type, type === 'none' ? {} : { chunkSize });
	const sources = [{ path: source, target: '/' }];
	await capture(sources, file, captureOptions('x', { compression }), tools, testRun());
	return { folder, file };
}

for (const [type, chunkSize] of [
	['none', 0],
	['xpress', 65_536],
	['lzx', 32_768],
] as const)
	test(`from ${type} to anything, lanes on threads write the same bytes as one`, async (t) => {
		const { folder, file } = await captured(t, type, chunkSize);
		await using pool = openPool(2);
		for (const [name, way] of Object.entries(WAYS)) {
			const options = { ...USUAL_EXPORT, ...way };
			const files = ['one.wim', 'two.wim'].map((to) => path.join(folder, `${name} ${to}`));
			for (const [k, encoder] of [new InlineEncoder(), new PoolEncoder(pool)].entries())
				await exportImages(file, files[k] ?? '', options, { encoder, pool }, testRun());
			const [one, two] = files.map((to) => readFileSync(to));
			assert.ok(one?.equals(two ?? Buffer.alloc(0)), name);
			await using before = await openWim(file);
			await using after = await openWim(files[0] ?? '');
			assert.deepEqual([...after.blobs.keys()].sort(), [...before.blobs.keys()].sort(), name);
			for (const blob of after.blobs.values())
				assert.equal(sha1(await readWholeResource(blob.resource, 1 << 23)), blob.sha1, name);
		}
	});

test('from solid to anything, large chunks decoded on a lane give the same bytes', async (t) => {
	const { folder, file } = await captured(t, 'solid', 0);
	await using pool = openPool(2);
	const ways: Readonly<Record<string, Partial<ExportOptions>>> = {
		...WAYS,
		'solid again': { recompress: true, compression: compressed('lzx', SOLID) },
	};
	for (const [name, way] of Object.entries(ways)) {
		const options = { ...USUAL_EXPORT, ...way };
		const files = ['one.wim', 'two.wim'].map((to) => path.join(folder, `${name} ${to}`));
		const encoder = new PoolEncoder(pool);
		let unpacked = 0;
		const counting: typeof pool = Object.assign(Object.create(pool), {
			run(...args: Parameters<typeof pool.run>) {
				if (args[0] === 'unpack') unpacked++;
				return pool.run(...args);
			},
		});
		await exportImages(file, files[0] ?? '', options, { encoder, pool: null }, testRun());
		await exportImages(file, files[1] ?? '', options, { encoder, pool: counting }, testRun());
		const [one, two] = files.map((to) => readFileSync(to));
		assert.ok(one?.equals(two ?? Buffer.alloc(0)), name);
		assert.equal(unpacked, 3, `each chunk once: ${name}`);
	}
});

test('a damaged solid chunk is refused on a lane as it is here', async (t) => {
	const { folder, file } = await captured(t, 'solid', 0);
	const bytes = readFileSync(file);
	{
		await using wim = await openWim(file);
		const [blob] = wim.blobs.values();
		assert.ok(blob);
		const { offset } = blob.resource;
		bytes.fill(0xff, offset + 3000, offset + 60_000);
	}
	writeFileSync(file, bytes);
	await using pool = openPool(2);
	const target = path.join(folder, 'to.wim');
	const options = { ...USUAL_EXPORT, compression: compressed('xpress') };
	const complaints: unknown[] = [];
	for (const tools of [
		{ encoder: new InlineEncoder(), pool: null },
		{ encoder: new PoolEncoder(pool), pool },
	])
		await assert.rejects(exportImages(file, target, options, tools, testRun()), (error) => {
			assert.ok(error instanceof WimError);
			assert.equal(error.code, 'bad-format');
			complaints.push([error.name, error.message, error.facts]);
			return true;
		});
	assert.deepEqual(complaints[0], complaints[1]);
	assert.equal(existsSync(target), false);
});

/** What reading a blob on this thread says. */
async function complaint(blob: Blob): Promise<WimError> {
	const reader = await new BlobContents().content(blob).open();
	try {
		await reader.read(new Uint8Array(blob.size));
	} catch (error) {
		assert.ok(error instanceof WimError);
		return error;
	} finally {
		await reader.close();
	}
	throw new Error('Nothing is wrong with it');
}

for (const size of [40, 100_000, LARGE, LARGE + 1])
	test(`a damaged blob of ${size} bytes is refused as if it was read here`, async (t) => {
		const { folder, file } = await captured(t, 'lzx', 32_768);
		const bytes = readFileSync(file);
		{
			await using wim = await openWim(file);
			const hurt = [...wim.blobs.values()].find((blob) => blob.size === size);
			assert.ok(hurt);
			const at = hurt.resource.offset + hurt.resource.storedSize - 20;
			for (let k = at; k < at + 6; k++) bytes[k] = (bytes[k] ?? 0) ^ 0x5a;
		}
		writeFileSync(file, bytes);
		await using wim = await openWim(file);
		const blob = [...wim.blobs.values()].find((one) => one.size === size);
		assert.ok(blob);
		const expected = await complaint(blob);
		await using pool = openPool(2);
		const target = path.join(folder, 'to.wim');
		for (const encoder of [new InlineEncoder(), new PoolEncoder(pool)]) {
			const options = { ...USUAL_EXPORT, compression: compressed('xpress') };
			await assert.rejects(exportImages(file, target, options, { encoder, pool }, testRun()), {
				name: expected.name,
				message: expected.message,
				code: expected.code,
				facts: expected.facts,
			});
			assert.equal(existsSync(target), false);
		}
	});

for (const type of ['xpress', 'solid'] as const)
	test(`once canceled, lanes that take in blobs of ${type} stop, and nothing is left`, async (t) => {
		const { folder, file } = await captured(t, type, 32_768);
		await using pool = openPool(2);
		const run = testRun();
		const canceling: typeof run = {
			...run,
			report(event) {
				if (event.type === 'advance') run.cancel();
			},
		};
		const target = path.join(folder, 'to.wim');
		const options = { ...USUAL_EXPORT, compression: compressed('lzx') };
		const encoder = new PoolEncoder(pool);
		await assert.rejects(exportImages(file, target, options, { encoder, pool }, canceling), {
			code: 'canceled',
		});
		assert.equal(existsSync(target), false);
	});
