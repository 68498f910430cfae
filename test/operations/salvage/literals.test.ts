import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { isComplete } from '../../../source/operations/salvage/report.ts';
import { salvage } from '../../../source/operations/salvage/salvage.ts';
import { eraseBlobTable, seeded } from '../../support/damage-kit.ts';
import { inlineWriter } from '../../support/inline-writer.ts';
import { captureAs, hurtFile, USUAL_SALVAGE } from '../../support/rescue-kit.ts';
import { subfolder, tempFolder } from '../../support/temp-tree.ts';
import { testRun } from '../../support/test-run.ts';

test('LZMS contents in which nothing repeats for long come back without a blob table', async (t) => {
	// As code pages and keys are: every letter is as likely as every other, so that no wrong end is found out early.
	const random = seeded(4);
	const letters = (count: number) =>
		Buffer.from(Array.from({ length: count }, () => 48 + Math.floor(random() * 64)));
	const folder = tempFolder(t);
	const tree = subfolder(folder, 'tree');
	const last = letters(12_000);
	const contents = new Map([
		['a.txt', Buffer.from('before\r\n'.repeat(300))],
		['keys.txt', Buffer.concat([letters(32_768), last, last.subarray(0, 500)])],
		['z.txt', Buffer.from('behind\r\n'.repeat(500))],
	]);
	for (const [name, bytes] of contents) writeFileSync(path.join(tree, name), bytes);
	const file = path.join(folder, 'letters.wim');
	await captureAs({ name: 'lzms', compression: 'lzms', chunkSize: 32_768 }, tree, file);
	hurtFile(file, file, eraseBlobTable);
	const out = path.join(folder, 'out');
	const report = await salvage(file, out, inlineWriter, USUAL_SALVAGE, testRun());
	for (const [name, bytes] of contents)
		assert.deepEqual(readFileSync(path.join(out, name)), bytes, name);
	assert.ok(isComplete(report));
});
