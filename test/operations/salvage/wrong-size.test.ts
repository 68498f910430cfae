import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { isComplete } from '../../../source/operations/salvage/report.ts';
import { salvage } from '../../../source/operations/salvage/salvage.ts';
import { blobTable } from '../../support/damage-kit.ts';
import { inlineWriter } from '../../support/inline-writer.ts';
import { captureAs, hurtFile, USUAL_SALVAGE } from '../../support/rescue-kit.ts';
import { subfolder, tempFolder } from '../../support/temp-tree.ts';
import { testRun } from '../../support/test-run.ts';

const ENTRY_SIZE = 50;
const ORIGINAL_SIZE = 16;

test('contents come back whose entry is wrong in nothing but the original size', async (t) => {
	const folder = tempFolder(t);
	const tree = subfolder(folder, 'tree');
	const line = 'a line of text that is there again and again\r\n';
	for (let k = 0; k < 5; k++)
		writeFileSync(path.join(tree, `file ${k}.txt`), `${k} ${line}`.repeat(30 + k));
	for (const compression of ['xpress', 'lzx', 'lzms'] as const) {
		const file = path.join(folder, `${compression}.wim`);
		await captureAs({ name: compression, compression }, tree, file);
		hurtFile(file, file, (bytes) => {
			const { at, size } = blobTable(bytes);
			// The last entry is one of a file, the first that of the metadata.
			const field = at + size - ENTRY_SIZE + ORIGINAL_SIZE;
			bytes.writeBigUInt64LE(bytes.readBigUInt64LE(field) ^ 0x100n, field);
		});
		const out = path.join(folder, `out ${compression}`);
		const report = await salvage(file, out, inlineWriter, USUAL_SALVAGE, testRun());
		for (let k = 0; k < 5; k++)
			assert.deepEqual(
				readFileSync(path.join(out, `file ${k}.txt`)),
				readFileSync(path.join(tree, `file ${k}.txt`)),
				`${compression}, file ${k}`,
			);
		assert.ok(isComplete(report), compression);
	}
});
