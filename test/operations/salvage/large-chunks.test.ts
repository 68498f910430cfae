import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { sha1 } from '../../../source/bytes/sha1.ts';
import { capture } from '../../../source/operations/capture/capture.ts';
import { DamagedContent } from '../../../source/operations/rescue/damaged-content.ts';
import { surveyContents } from '../../../source/operations/rescue/find-contents.ts';
import { readDamaged } from '../../../source/operations/salvage/read-damaged.ts';
import { LargeChunks } from '../../../source/pool/large-chunks.ts';
import { openPool, type Pool } from '../../../source/pool/pool.ts';
import type { Blob, Resource } from '../../../source/wim/resource.ts';
import { openWim } from '../../../source/wim/wim.ts';
import { tempFolder } from '../../support/temp-tree.ts';
import { testRun } from '../../support/test-run.ts';
import { captureOptions, compressed, contentsOf, makeTree, tools } from '../../support/written.ts';

/** A solid file of two chunks of 4 MiB with files all over, hurt as asked. */
async function hurtSolid(
	t: TestContext,
	hurt: (bytes: Buffer, resource: Resource) => void,
): Promise<string> {
	const folder = tempFolder(t);
	const source = path.join(folder, 'source');
	makeTree(
		source,
		Array.from({ length: 40 }, (_, k) => ({
			kind: 'file' as const,
			parent: 0,
			name: `f${k}`,
			seed: k,
			size: 90_000 + k,
		})),
	);
	writeFileSync(path.join(source, 'large'), contentsOf(3, 3_000_000));
	const file = path.join(folder, 'solid.wim');
	const compression = compressed('lzx', {
		solid: true,
		solidChunkSize: 1 << 22,
		solidCompress: { type: 'lzms', level: 20 },
	});
	const sources = [{ path: source, target: '/' }];
	await capture(sources, file, captureOptions('x', { compression }), tools, testRun());
	const bytes = readFileSync(file);
	{
		await using wim = await openWim(file);
		const [blob] = wim.blobs.values();
		assert.ok(blob);
		hurt(bytes, blob.resource);
	}
	writeFileSync(file, bytes);
	return file;
}

const HURTS: Readonly<Record<string, (bytes: Buffer, resource: Resource) => void>> = {
	'nothing is hurt': () => {},
	'a chunk breaks in its middle': (bytes, { offset, storedSize }) =>
		bytes.fill(0xff, offset + Math.floor(storedSize / 4), offset + Math.floor(storedSize / 3)),
	// Header of 16 bytes, then the sizes of two chunks.
	'a size in the chunk table is wrong': (bytes, { offset }) =>
		bytes.fill(0, offset + 16, offset + 20),
};

for (const [name, hurt] of Object.entries(HURTS))
	test(`large chunks read with lanes are what this thread reads: ${name}`, async (t) => {
		const file = await hurtSolid(t, hurt);
		await using pool = openPool(2);
		const lanes = new LargeChunks(pool, testRun().signal);
		await using wim = await openWim(file);
		const blobs = [...wim.blobs.values()].sort((a, b) => a.offsetInResource - b.offsetInResource);
		const [first] = blobs;
		assert.ok(first);
		assert.ok(first.resource.originalSize > 1 << 22);
		const pieces = async (how: LargeChunks | null) => {
			const told: unknown[] = [];
			for await (const { start, bytes, isGood, guess } of readDamaged(
				first.resource,
				0,
				undefined,
				how,
			))
				told.push([start, isGood, sha1(bytes), guess && sha1(guess)]);
			return told;
		};
		assert.deepEqual(await pieces(lanes), await pieces(null));
		const read = async (blob: Blob, how: LargeChunks | null) => {
			const survey = await surveyContents(blob, testRun(), how);
			const bytes = new Uint8Array(blob.size);
			const reader = new DamagedContent(blob, how, true).open();
			await reader.read(bytes);
			await reader.close();
			return [survey, sha1(bytes)];
		};
		for (const blob of blobs) assert.deepEqual(await read(blob, lanes), await read(blob, null));
	});

test('reading of large damaged chunks stops when it is canceled', async (t) => {
	const file = await hurtSolid(t, () => {});
	await using pool = openPool(2);
	const run = testRun();
	run.cancel();
	await using wim = await openWim(file);
	const [blob] = wim.blobs.values();
	assert.ok(blob);
	const reading = readDamaged(blob.resource, 0, undefined, new LargeChunks(pool, run.signal));
	await assert.rejects(reading.next(), { code: 'canceled' });
});

test('the end of a lost chunk is looked for once, however many contents were in it', async (t) => {
	const file = await hurtSolid(t, (bytes, { offset }) =>
		// The sizes of both chunks, and the beginning of the first one.
		bytes.fill(0xff, offset + 16, offset + 100),
	);
	await using pool = openPool(2);
	let seeks = 0;
	const counting: Pool = Object.create(pool, {
		run: {
			value: (...args: Parameters<Pool['run']>) => {
				if (args[0] === 'seek') seeks++;
				return pool.run(...args);
			},
		},
		forWork: { value: () => counting },
		lanesFor: { value: () => 1 },
	});
	const lanes = new LargeChunks(counting, testRun().signal);
	await using wim = await openWim(file, { tolerant: true });
	const lost = [...wim.blobs.values()]
		.filter(({ offsetInResource, size }) => offsetInResource + size <= 1 << 22)
		.sort((a, b) => a.offsetInResource - b.offsetInResource);
	assert.ok(lost.length > 5, `${lost.length} contents`);
	const counts: number[] = [];
	for (const blob of lost) {
		assert.ok((await surveyContents(blob, testRun(), lanes)).badRanges.length > 0);
		counts.push(seeks);
	}
	const [first = 0] = counts;
	assert.ok(first > 0);
	assert.deepEqual(new Set(counts), new Set([first]));
});
