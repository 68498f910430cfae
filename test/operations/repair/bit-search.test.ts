import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { sha1 } from '../../../source/bytes/sha1.ts';
import { repair } from '../../../source/operations/repair/repair.ts';
import { isRepaired, type RepairReport } from '../../../source/operations/repair/report.ts';
import { InlinePool } from '../../../source/pool/pool.ts';
import type { Blob } from '../../../source/wim/resource.ts';
import { openWim } from '../../../source/wim/wim.ts';
import { seeded } from '../../support/damage-kit.ts';
import {
	captureAs,
	hurtFile,
	objectionsOf,
	RESCUE_FORMATS,
	type RescueFormat,
	USUAL_REPAIR,
} from '../../support/rescue-kit.ts';
import { subfolder, tempFolder } from '../../support/temp-tree.ts';
import { testRun } from '../../support/test-run.ts';
import { contentsOf, listImages, tools } from '../../support/written.ts';

const repairTools = { ...tools, pool: new InlinePool() };

/** Text of few different words: it compresses to short chunks, each of whose bits counts. */
function wordy(size: number, seed: number): Buffer {
	const random = seeded(seed);
	const words = Array.from({ length: 40 }, () => Math.floor(random() * 1e9).toString(36));
	let text = '';
	while (text.length < size) text += `${words[Math.floor(random() * words.length)]} `;
	return Buffer.from(text.slice(0, size));
}

interface Made {
	readonly whole: string;
	readonly hurt: string;
	readonly target: string;
	readonly blobs: ReadonlyMap<string, Blob>;
	readonly metadata: Blob;
}

const SMALL = wordy(1800, 3);
/** Three chunks of 4 KiB, two at 8. */
const LARGE = contentsOf(1, 9000);

async function make(t: TestContext, format: RescueFormat): Promise<Made> {
	const folder = tempFolder(t);
	const tree = subfolder(folder, 'tree');
	mkdirSync(path.join(tree, 'sub'));
	writeFileSync(path.join(tree, 'small.txt'), SMALL);
	writeFileSync(path.join(tree, 'sub/large.bin'), LARGE);
	writeFileSync(path.join(tree, 'sub/other.txt'), wordy(700, 8));
	const whole = path.join(folder, 'whole.wim');
	await captureAs(format, tree, whole);
	await using wim = await openWim(whole);
	const [image] = wim.images;
	assert.ok(image);
	return {
		whole,
		hurt: path.join(folder, 'hurt.wim'),
		target: path.join(folder, 'new.wim'),
		blobs: new Map(wim.blobs),
		metadata: image.metadata,
	};
}

function blobOf({ blobs }: Made, bytes: Uint8Array): Blob {
	const blob = blobs.get(sha1(bytes));
	assert.ok(blob);
	return blob;
}

async function flipped(made: Made, at: number, mask: number): Promise<RepairReport> {
	hurtFile(made.whole, made.hurt, (bytes) => {
		bytes[at] = (bytes[at] ?? 0) ^ mask;
	});
	const options = { ...USUAL_REPAIR, bitSearchSeconds: 3600 };
	return repair(made.hurt, made.target, options, repairTools, testRun());
}

/** Everything is as it was, and the report says where the bit was. */
async function checkFound(made: Made, report: RepairReport, format: RescueFormat): Promise<void> {
	assert.ok(isRepaired(report), JSON.stringify(report.lost));
	assert.deepEqual(await listImages(made.target), await listImages(made.whole));
	assert.deepEqual(objectionsOf(made.target, format.pipable), []);
}

const small = RESCUE_FORMATS.map((format) => ({
	...format,
	...(format.compression === 'xpress' ? { chunkSize: 4096 } : {}),
}));

for (const format of small)
	test(`${format.name}: a flipped bit in stored bytes is found`, async (t) => {
		const made = await make(t, format);
		const { resource } = blobOf(made, SMALL);
		const isSolid = format.solid === true;
		// Solid: 9 KB of chunk, so a bit near its middle; else somewhere in the only chunk.
		const at = resource.offset + (isSolid ? 40 : Math.floor(resource.storedSize * 0.6));
		const report = await flipped(made, at, 0x08);
		await checkFound(made, report, format);
		assert.ok(report.repaired.length > 0);
		for (const { remedy } of report.repaired) {
			assert.equal(remedy.kind, 'bit');
			assert.equal(remedy.offset, at);
		}
		assert.equal(report.bitSearch?.found, report.repaired.length);
	});

for (const format of small.filter(({ name }) => name !== 'none'))
	test(`${format.name}: a flipped bit in the chunk table is found, or does not matter`, async (t) => {
		const made = await make(t, format.solid ? format : { ...format, chunkSize: smallest(format) });
		const { resource } = blobOf(made, contentsOf(1, 9000));
		const at = tableOf(resource);
		if (at === null) return assert.equal(resource.originalSize <= resource.chunkSize, true);
		const report = await flipped(made, at, 0x04);
		await checkFound(made, report, format);
		return undefined;
	});

function smallest({ compression }: RescueFormat): number {
	return compression === 'xpress' ? 4096 : 32_768;
}

/** Where the first entry of the chunk table is; null for a single chunk. */
function tableOf({ layout, offset, storedSize, originalSize, chunkSize }: Blob['resource']) {
	if (layout === 'solid') return offset + 16;
	if (layout === 'raw' || originalSize <= chunkSize) return null;
	const size = (Math.ceil(originalSize / chunkSize) - 1) * 4;
	return layout === 'pipable' ? offset + storedSize - size : offset;
}

for (const format of small)
	test(`${format.name}: a flipped bit in the metadata is found`, async (t) => {
		const made = await make(t, format);
		const { offset, storedSize } = made.metadata.resource;
		const report = await flipped(made, offset + Math.floor(storedSize * 0.5), 0x10);
		await checkFound(made, report, format);
		const [image] = report.images;
		assert.equal(image?.state, 'repaired');
		assert.equal(image?.remedy?.kind, 'bit');
	});

for (const [name, at] of [
	['offset', 8],
	['stored size', 0],
	['original size', 16],
] as const)
	test(`a flipped bit of the ${name} in the blob table is found`, async (t) => {
		const format = { name: 'lzx', compression: 'lzx' } as const;
		const made = await make(t, format);
		const { sha1: wanted } = blobOf(made, SMALL);
		const bytes = readFileSync(made.whole);
		const table = Number(bytes.readBigUInt64LE(0x38));
		const entry = bytes.indexOf(Buffer.from(wanted, 'hex'), table) - 30;
		const report = await flipped(made, entry + at, 0x02);
		await checkFound(made, report, format);
	});

test('the search ends when its time is up, and says what is left and how long that would take', async (t) => {
	const format = { name: 'none', compression: 'none' } as const;
	const made = await make(t, format);
	const { resource } = blobOf(made, LARGE);
	hurtFile(
		made.whole,
		made.hurt,
		(bytes) => void bytes.fill(0, resource.offset, resource.offset + 99),
	);
	const options = { ...USUAL_REPAIR, bitSearchSeconds: 1 };
	const report = await repair(made.hurt, made.target, options, repairTools, testRun());
	assert.equal(report.bitSearch?.found, 0);
	assert.equal(report.bitSearch.unfinished, 1);
	assert.equal(report.lost.length, 1);
	assert.equal(isRepaired(report), false);
	assert.deepEqual(objectionsOf(made.target), []);
});

test('a search can be canceled, and leaves nothing behind', async (t) => {
	const made = await make(t, { name: 'none', compression: 'none' });
	const { resource } = blobOf(made, LARGE);
	hurtFile(
		made.whole,
		made.hurt,
		(bytes) => void bytes.fill(0, resource.offset, resource.offset + 99),
	);
	const run = testRun();
	const canceling = {
		...run,
		report(event: Parameters<typeof run.report>[0]) {
			if (event.type === 'item' && event.path.startsWith('blob ')) run.cancel();
		},
	};
	const options = { ...USUAL_REPAIR, bitSearchSeconds: 3600 };
	await assert.rejects(repair(made.hurt, made.target, options, repairTools, canceling), {
		name: 'CanceledError',
	});
	assert.throws(() => readFileSync(made.target), { code: 'ENOENT' });
});
