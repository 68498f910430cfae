import assert from 'node:assert/strict';
import { lstatSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { sha1 } from '../../../source/bytes/sha1.ts';
import type { Compression } from '../../../source/codec/compression.ts';
import { isComplete } from '../../../source/operations/salvage/report.ts';
import { salvage } from '../../../source/operations/salvage/salvage.ts';
import { findWipedSolid } from '../../../source/operations/salvage/wiped-solid.ts';
import { InlinePool } from '../../../source/pool/pool.ts';
import { FileSource } from '../../../source/storage/file-source.ts';
import { readWholeResource } from '../../../source/wim/read-resource.ts';
import { openWim } from '../../../source/wim/wim.ts';
import { blobTable, eraseBlobTable, HEADER_SIZE } from '../../support/damage-kit.ts';
import { inlineWriter } from '../../support/inline-writer.ts';
import { captureAs, hurtFile, rescueTree, USUAL_SALVAGE } from '../../support/rescue-kit.ts';
import { subfolder, tempFolder } from '../../support/temp-tree.ts';
import { testRun } from '../../support/test-run.ts';

/** A WIM with one solid resource of several chunks, and the tree that it holds. */
async function solidFile(
	t: TestContext,
	compression: Compression,
	solidChunkSize = 65_536,
): Promise<{ folder: string; tree: string; file: string }> {
	const folder = tempFolder(t);
	const tree = subfolder(folder, 'tree');
	rescueTree(tree);
	const file = path.join(folder, 'hurt.wim');
	await captureAs({ name: compression, compression, solid: true, solidChunkSize }, tree, file);
	return { folder, tree, file };
}

async function assertComesBack(folder: string, tree: string, file: string): Promise<void> {
	const out = path.join(folder, 'out');
	const report = await salvage(file, out, inlineWriter, USUAL_SALVAGE, testRun());
	assert.ok(isComplete(report));
	for (const name of ['system/drivers/big.sys', 'system/lib7.dll', 'note 3.txt'])
		assert.deepEqual(readFileSync(path.join(out, name)), readFileSync(path.join(tree, name)));
}

for (const compression of ['xpress', 'lzx', 'lzms'] as const)
	test(`a solid resource without the sizes of its chunks comes back whole: ${compression}`, async (t) => {
		const { folder, tree, file } = await solidFile(t, compression);
		const bytes = readFileSync(file);
		const originalSize = Number(bytes.readBigUInt64LE(HEADER_SIZE));
		const count = Math.ceil(originalSize / bytes.readUInt32LE(HEADER_SIZE + 8));
		assert.ok(count > 3, `${count} chunks`);
		bytes.fill(0, HEADER_SIZE + 16, HEADER_SIZE + 16 + 4 * count);
		writeFileSync(file, bytes);
		await assertComesBack(folder, tree, file);
	});

for (const compression of ['xpress', 'lzx', 'lzms'] as const)
	test(`a solid resource without its header comes back whole, the blob table lost too: ${compression}`, async (t) => {
		const { folder, tree, file } = await solidFile(t, compression);
		hurtFile(file, file, (bytes) => {
			bytes.fill(0, HEADER_SIZE, HEADER_SIZE + 16);
			eraseBlobTable(bytes);
		});
		await assertComesBack(folder, tree, file);
	});

for (const compression of ['xpress', 'lzx', 'lzms'] as const)
	test(`of a solid resource without header, sizes and end the chunks come out that are left: ${compression}`, async (t) => {
		const { file, folder } = await solidFile(t, compression);
		const bytes = readFileSync(file);
		const chunkSize = bytes.readUInt32LE(HEADER_SIZE + 8);
		const count = Math.ceil(Number(bytes.readBigUInt64LE(HEADER_SIZE)) / chunkSize);
		const start = HEADER_SIZE + 16 + 4 * count;
		const sizes = Array.from({ length: count }, (_, k) =>
			bytes.readUInt32LE(HEADER_SIZE + 16 + 4 * k),
		);
		await using wim = await openWim(file);
		const [resource] =
			wim.parts[0]?.table.resources.filter(({ layout }) => layout === 'solid') ?? [];
		assert.ok(resource);
		const before = await readWholeResource(resource, 1 << 30);
		// The fourth chunk is cut in its middle.
		const kept = sizes.slice(0, 3).reduce((sum, size) => sum + size, 0);
		bytes.fill(0, HEADER_SIZE, start);
		const cut = path.join(folder, 'cut.wim');
		writeFileSync(cut, bytes.subarray(0, start + kept + Math.floor((sizes[3] ?? 0) / 2)));
		await using source = await FileSource.open(cut);
		const gap = { start: HEADER_SIZE, end: source.size };
		const found = await findWipedSolid(source, gap, new InlinePool(), testRun());
		assert.ok(found);
		assert.equal(found.end, start + kept);
		const decoded = new Uint8Array(found.decoded.size);
		await found.decoded.read(0, decoded);
		assert.deepEqual(decoded, before.subarray(0, 3 * chunkSize));
	});

for (const [compression, chunkSize] of [
	['xpress', 65_536],
	['lzx', 65_536],
	['lzms', 65_536],
	// One chunk holds everything.
	['lzx', 2_097_152],
	['lzms', 2_097_152],
] as const)
	for (const isTableLost of [false, true])
		test(`a solid resource comes back whole without header and chunk sizes${isTableLost ? ', the blob table lost too' : ''}: ${compression}, chunks of ${chunkSize}`, async (t) => {
			const { folder, tree, file } = await solidFile(t, compression, chunkSize);
			hurtFile(file, file, (bytes) => {
				const originalSize = Number(bytes.readBigUInt64LE(HEADER_SIZE));
				const count = Math.ceil(originalSize / bytes.readUInt32LE(HEADER_SIZE + 8));
				assert.equal(count > 1, chunkSize === 65_536);
				bytes.fill(0, HEADER_SIZE, HEADER_SIZE + 16 + 4 * count);
				if (isTableLost) eraseBlobTable(bytes);
			});
			await assertComesBack(folder, tree, file);
		});

for (const compression of ['xpress', 'lzx', 'lzms'] as const)
	test(`of a solid resource whose first chunk is lost with all sizes the others come back: ${compression}`, async (t) => {
		const { folder, tree, file } = await solidFile(t, compression);
		const intact = new Set<string>();
		{
			await using wim = await openWim(file);
			for (const [name, { offsetInResource, resource }] of wim.blobs)
				if (offsetInResource >= resource.chunkSize) intact.add(name);
		}
		assert.ok(intact.size > 5, `${intact.size} contents behind the first chunk`);
		const bytes = readFileSync(file);
		bytes.fill(0, 0, 512);
		writeFileSync(file, bytes);
		const out = path.join(folder, 'out');
		const report = await salvage(file, out, inlineWriter, USUAL_SALVAGE, testRun());
		const hurt = [...report.partial, ...report.lost];
		assert.ok(hurt.length > 0);
		assert.deepEqual(
			hurt.filter(({ sha1 }) => intact.has(sha1)),
			[],
		);
		let count = 0;
		for (const name of readdirSync(tree, { recursive: true, encoding: 'utf8' })) {
			if (!lstatSync(path.join(tree, name)).isFile()) continue;
			const contents = readFileSync(path.join(tree, name));
			if (!intact.has(sha1(contents))) continue;
			assert.deepEqual(readFileSync(path.join(out, name)), contents, name);
			count++;
		}
		assert.ok(count > 5, `${count} files`);
	});

test('an entry that points terabytes behind its solid resource holds up nothing', async (t) => {
	const { folder, tree, file } = await solidFile(t, 'lzx');
	const bytes = readFileSync(file);
	const { at, size } = blobTable(bytes);
	const entries = Array.from({ length: size / 50 }, (_, k) => at + 50 * k);
	// A solid blob is told from the resource by its original size, which stands in another entry.
	const blobs = entries.filter(
		(entry) => ((bytes[entry + 7] ?? 0) & 0x10) !== 0 && bytes.readBigUInt64LE(entry + 16) === 0n,
	);
	const [metadata = 0] = entries.filter((entry) => ((bytes[entry + 7] ?? 0) & 0x02) !== 0);
	const far = blobs.at(-1) ?? 0;
	bytes[far + 8 + 5] = 0x08;
	bytes[far + 30] = (bytes[far + 30] ?? 0) ^ 1;
	bytes.fill(0, metadata, metadata + 50);
	writeFileSync(file, bytes);
	const run = testRun();
	const tooLong: number[] = [];
	const report = await salvage(file, path.join(folder, 'out'), inlineWriter, USUAL_SALVAGE, {
		...run,
		report(event) {
			run.report(event);
			if (event.type !== 'phase' || (event.totalBytes ?? 0) <= 4 * bytes.length + 2 ** 24) return;
			tooLong.push(event.totalBytes ?? 0);
			run.cancel();
		},
	});
	assert.deepEqual(tooLong, []);
	assert.ok(isComplete(report), 'nothing is lost');
	const name = 'system/drivers/big.sys';
	assert.deepEqual(
		readFileSync(path.join(folder, 'out', name)),
		readFileSync(path.join(tree, name)),
	);
});
