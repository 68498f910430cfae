import assert from 'node:assert/strict';
import { copyFileSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { originalSizeOf, storedSizeOf } from '../../../source/codec/chunk-table.ts';
import { repair } from '../../../source/operations/repair/repair.ts';
import { isRepaired, type RepairReport } from '../../../source/operations/repair/report.ts';
import { InlinePool } from '../../../source/pool/pool.ts';
import type { ChunkEncoder, EncodeRequest } from '../../../source/pool/tasks/encode.ts';
import { InlineEncoder } from '../../../source/pool/tasks/encode.ts';
import { readChunkTable } from '../../../source/wim/read-resource.ts';
import { openWim } from '../../../source/wim/wim.ts';
import {
	captureAs,
	hurtFile,
	objectionsOf,
	type RescueFormat,
	rescueTree,
	USUAL_REPAIR,
} from '../../support/rescue-kit.ts';
import { subfolder, tempFolder } from '../../support/temp-tree.ts';
import { testRun } from '../../support/test-run.ts';
import { listImages } from '../../support/written.ts';

const FORMATS: readonly RescueFormat[] = [
	{ name: 'XPRESS', compression: 'xpress', solid: true, solidChunkSize: 65_536 },
	{ name: 'LZX', compression: 'lzx', solid: true, solidChunkSize: 65_536 },
	{ name: 'LZMS', compression: 'lzms', solid: true, solidChunkSize: 131_072 },
];

/** Notes what is compressed in large chunks; the tree and the like come in small ones. */
class WatchedEncoder implements ChunkEncoder {
	readonly lanes = 1;
	readonly sizes: number[] = [];
	readonly #encoder = new InlineEncoder();
	readonly #chunkSize: number;

	constructor(chunkSize: number) {
		this.#chunkSize = chunkSize;
	}

	encode(request: EncodeRequest) {
		if (request.chunkSize === this.#chunkSize) this.sizes.push(...request.sizes);
		return this.#encoder.encode(request);
	}

	intake: ChunkEncoder['intake'] = (request) => this.#encoder.intake(request);
}

interface Chunk {
	readonly offset: number;
	readonly storedSize: number;
	readonly originalSize: number;
}

/** The chunks of the only solid resource of a file. */
async function chunksOf(file: string): Promise<Chunk[]> {
	await using wim = await openWim(file);
	const [blob] = [...wim.blobs.values()].filter(({ resource }) => resource.layout === 'solid');
	assert.ok(blob);
	const table = await readChunkTable(blob.resource);
	return Array.from({ length: table.chunkCount }, (_, k) => ({
		offset: blob.resource.offset + (table.starts[k] ?? 0),
		storedSize: storedSizeOf(table, k),
		originalSize: originalSizeOf(table, k),
	}));
}

async function make(t: TestContext, format: RescueFormat) {
	const folder = tempFolder(t);
	const tree = subfolder(folder, 'tree');
	rescueTree(tree);
	const at = (name: string) => path.join(folder, name);
	await captureAs(format, tree, at('whole.wim'));
	return { tree, whole: at('whole.wim'), hurt: at('hurt.wim'), target: at('new.wim'), at };
}

async function repaired(
	{ hurt, target }: { readonly hurt: string; readonly target: string },
	donor: string,
	encoder: ChunkEncoder,
	lost: 'mark' | 'omit' = 'mark',
): Promise<RepairReport> {
	const options = { ...USUAL_REPAIR, donors: donor === '' ? [] : [donor], lost };
	return repair(hurt, target, options, { encoder, pool: new InlinePool() }, testRun());
}

function storedBytes(file: string, chunks: readonly Chunk[]): Buffer[] {
	const bytes = readFileSync(file);
	return chunks.map(({ offset, storedSize }) => bytes.subarray(offset, offset + storedSize));
}

for (const format of FORMATS) {
	test(`${format.name}: of a solid resource only the hurt chunk is compressed anew`, async (t) => {
		const made = await make(t, format);
		const chunks = await chunksOf(made.whole);
		assert.ok(chunks.length >= 3);
		const [, chunk] = chunks;
		assert.ok(chunk);
		const middle = chunk.offset + (chunk.storedSize >> 1);
		hurtFile(made.whole, made.hurt, (bytes) => void bytes.fill(0x5a, middle, middle + 300));
		const encoder = new WatchedEncoder(format.solidChunkSize ?? 0);
		const report = await repaired(made, made.tree, encoder);
		assert.ok(isRepaired(report), JSON.stringify(report.lost));
		assert.ok(report.repaired.length > 0);
		assert.deepEqual(encoder.sizes, [chunk.originalSize]);
		const others = (list: readonly Buffer[]) => list.filter((_, k) => k !== 1);
		assert.deepEqual(
			others(storedBytes(made.target, await chunksOf(made.target))),
			others(storedBytes(made.hurt, chunks)),
		);
		assert.deepEqual(await listImages(made.target), await listImages(made.whole));
		assert.deepEqual(objectionsOf(made.target), []);
	});

	test(`${format.name}: another copy of the file lends its chunk as it is stored`, async (t) => {
		const made = await make(t, format);
		const chunks = await chunksOf(made.whole);
		const [, chunk] = chunks;
		assert.ok(chunk);
		hurtFile(made.whole, made.hurt, (bytes) => {
			bytes.fill(0x5a, chunk.offset + 100, chunk.offset + 400);
		});
		const donor = made.at('donor.wim');
		copyFileSync(made.whole, donor);
		const encoder = new WatchedEncoder(format.solidChunkSize ?? 0);
		assert.ok(isRepaired(await repaired(made, donor, encoder)));
		assert.deepEqual(encoder.sizes, []);
		assert.deepEqual(
			storedBytes(made.target, await chunksOf(made.target)),
			storedBytes(made.whole, chunks),
		);
		assert.deepEqual(await listImages(made.target), await listImages(made.whole));
		assert.deepEqual(objectionsOf(made.target), []);
	});

	test(`${format.name}: two copies that are hurt in different chunks make a whole one`, async (t) => {
		const made = await make(t, format);
		const [, second, third] = await chunksOf(made.whole);
		assert.ok(second && third);
		const spoil = (file: string, { offset, storedSize }: Chunk) =>
			hurtFile(made.whole, file, (bytes) => void bytes.fill(0x5a, offset, offset + storedSize));
		spoil(made.hurt, second);
		const donor = made.at('donor.wim');
		spoil(donor, third);
		const report = await repaired(made, donor, new WatchedEncoder(format.solidChunkSize ?? 0));
		assert.ok(isRepaired(report), JSON.stringify(report.lost));
		assert.deepEqual(await listImages(made.target), await listImages(made.whole));
		assert.deepEqual(objectionsOf(made.target), []);
	});

	for (const lost of ['mark', 'omit'] as const)
		test(`${format.name}: what stays lost does not spoil the chunks around it (${lost})`, async (t) => {
			const made = await make(t, format);
			const [, chunk] = await chunksOf(made.whole);
			assert.ok(chunk);
			hurtFile(made.whole, made.hurt, (bytes) => {
				bytes.fill(0x5a, chunk.offset + 1000, chunk.offset + 1400);
			});
			const encoder = new WatchedEncoder(format.solidChunkSize ?? 0);
			const report = await repaired(made, '', encoder, lost);
			assert.ok(report.lost.length > 0 && report.intactCount > 0);
			assert.deepEqual(objectionsOf(made.target), []);
		});
}
