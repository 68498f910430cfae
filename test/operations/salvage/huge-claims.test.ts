import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { COMPRESSIONS, type Compression } from '../../../source/codec/compression.ts';
import { isComplete } from '../../../source/operations/salvage/report.ts';
import { salvage } from '../../../source/operations/salvage/salvage.ts';
import { openWim } from '../../../source/wim/wim.ts';
import { blobTable, HEADER_SIZE, metadataPlaces, xmlData } from '../../support/damage-kit.ts';
import { inlineWriter } from '../../support/inline-writer.ts';
import { captureAs, USUAL_SALVAGE } from '../../support/rescue-kit.ts';
import { subfolder, tempFolder } from '../../support/temp-tree.ts';
import { testRun } from '../../support/test-run.ts';

interface Claim {
	readonly compression: Compression;
	readonly count: number;
	readonly chunkSize: number;
	readonly storedSize: number;
}

/** A WIM whose solid resource says that it holds so many chunks, each of a few bytes without sense. */
async function claiming(t: TestContext, claim: Claim): Promise<string> {
	const folder = tempFolder(t);
	const tree = subfolder(folder, 'tree');
	for (let k = 0; k < 5; k++)
		writeFileSync(path.join(tree, `${k}.txt`), `note ${k}\r\n`.repeat(50));
	const file = path.join(folder, 'claim.wim');
	await captureAs({ name: 'solid', compression: 'lzx', solid: true }, tree, file);
	const { count, chunkSize, storedSize, compression } = claim;
	const head = Buffer.alloc(16 + 4 * count);
	head.writeBigUInt64LE(BigInt(count) * BigInt(chunkSize), 0);
	head.writeUInt32LE(chunkSize, 8);
	head.writeUInt32LE(COMPRESSIONS.indexOf(compression), 12);
	for (let k = 0; k < count; k++) head.writeUInt32LE(storedSize, 16 + 4 * k);
	const chunks = Buffer.from(
		Array.from({ length: storedSize * count }, (_, k) => (k * 40_503) >> 7),
	);
	writeFileSync(file, withSolid(readFileSync(file), Buffer.concat([head, chunks])));
	return file;
}

/** Puts another solid resource in the place of the first one; what stands behind it moves. */
function withSolid(bytes: Buffer, solid: Buffer): Buffer {
	const behind = metadataPlaces(bytes)[0]?.at ?? 0;
	const table = blobTable(bytes);
	const xml = xmlData(bytes);
	const moved = solid.length - (behind - HEADER_SIZE);
	const whole = Buffer.concat([bytes.subarray(0, HEADER_SIZE), solid, bytes.subarray(behind)]);
	whole.writeBigUInt64LE(BigInt(table.at + moved), 0x38);
	whole.writeBigUInt64LE(BigInt(xml.at + moved), 0x50);
	whole.fill(0, 0x7c, 0x94);
	for (let entry = table.at + moved; entry < table.at + moved + table.size; entry += 50) {
		const isSolid = ((whole[entry + 7] ?? 0) & 0x10) !== 0;
		const isItself = isSolid && whole.readBigUInt64LE(entry + 16) > 0n;
		if (isItself) whole.writeBigUInt64LE(BigInt(solid.length) | (0x10n << 56n), entry);
		else if (!isSolid)
			whole.writeBigUInt64LE(whole.readBigUInt64LE(entry + 8) + BigInt(moved), entry + 8);
	}
	return whole;
}

for (const claim of [
	{ compression: 'lzms', count: 50_000, chunkSize: 2 ** 26, storedSize: 1 },
	{ compression: 'lzx', count: 20_000, chunkSize: 2 ** 21, storedSize: 20 },
	{ compression: 'xpress', count: 5000, chunkSize: 2 ** 16, storedSize: 100 },
] as const)
	test(`chunks that cannot be stored in so little are refused by the header: ${claim.compression}`, async (t) => {
		const file = await claiming(t, claim);
		await assert.rejects(openWim(file), /chunks need at least \d+ bytes/);
		const run = testRun();
		let searched = 0;
		const report = await salvage(
			file,
			path.join(path.dirname(file), 'out'),
			inlineWriter,
			USUAL_SALVAGE,
			{
				...run,
				report(event) {
					if (event.type === 'phase') searched = Math.max(searched, event.totalBytes ?? 0);
				},
			},
		);
		assert.equal(report.lost.length + report.partial.length, 5);
		assert.ok(searched < 2 ** 24, `${searched} bytes were to be searched`);
	});

test('a hundred billion bytes that are lost are passed over', async (t) => {
	// Each chunk might be right by its size. The search for the five contents takes hours if it looks at zeros.
	const file = await claiming(t, {
		compression: 'lzms',
		count: 1500,
		chunkSize: 2 ** 26,
		storedSize: 10,
	});
	const out = path.join(path.dirname(file), 'out');
	const report = await salvage(file, out, inlineWriter, USUAL_SALVAGE, testRun());
	assert.equal(isComplete(report), false);
	assert.equal(report.lost.length + report.partial.length, 5);
});
