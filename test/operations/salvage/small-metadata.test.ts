import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { isComplete } from '../../../source/operations/salvage/report.ts';
import { salvage } from '../../../source/operations/salvage/salvage.ts';
import { eraseBlobTable } from '../../support/damage-kit.ts';
import { inlineWriter } from '../../support/inline-writer.ts';
import { captureAs, hurtFile, USUAL_SALVAGE } from '../../support/rescue-kit.ts';
import { subfolder, tempFolder } from '../../support/temp-tree.ts';
import { testRun } from '../../support/test-run.ts';
import { contentsOf } from '../../support/written.ts';

test('LZMS metadata of a few files is found without a blob table', async (t) => {
	for (const count of [1, 4]) {
		const folder = tempFolder(t);
		const tree = subfolder(folder, 'tree');
		for (let k = 0; k < count; k++)
			writeFileSync(
				path.join(tree, `file ${k}.txt`),
				`${Buffer.from(contentsOf(k + 1, 900 + k)).toString('hex')}\n`.repeat(2),
			);
		const file = path.join(folder, 'small.wim');
		await captureAs({ name: 'lzms', compression: 'lzms' }, tree, file);
		hurtFile(file, file, eraseBlobTable);
		const out = path.join(folder, 'out');
		const report = await salvage(file, out, inlineWriter, USUAL_SALVAGE, testRun());
		assert.ok(isComplete(report), `${count} files`);
		for (let k = 0; k < count; k++)
			assert.deepEqual(
				readFileSync(path.join(out, `file ${k}.txt`)),
				readFileSync(path.join(tree, `file ${k}.txt`)),
			);
	}
});
