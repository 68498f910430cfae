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

/** An entry of a blob table in every respect but that its SHA-1 is of nothing. */
function looksLikeEntry(offset: number): Buffer {
	const entry = Buffer.alloc(50);
	entry.writeUInt32LE(300, 0);
	entry.writeUInt32LE(offset, 8);
	entry.writeUInt32LE(300, 16);
	entry.writeUInt16LE(1, 24);
	entry.writeUInt32LE(1, 26);
	entry.fill(0xa7, 30);
	return entry;
}

test('bytes that look like a blob table do not hide the file that they stand in', async (t) => {
	const folder = tempFolder(t);
	const tree = subfolder(folder, 'tree');
	const contents = Buffer.concat([
		contentsOf(1, 30_000),
		looksLikeEntry(300),
		looksLikeEntry(800),
		contentsOf(2, 50_000),
	]);
	writeFileSync(path.join(tree, 'program.dll'), contents);
	writeFileSync(path.join(tree, 'other.dll'), contentsOf(3, 9000));
	const file = path.join(folder, 'hurt.wim');
	await captureAs({ name: 'none', compression: 'none' }, tree, file);
	hurtFile(file, file, eraseBlobTable);
	const out = path.join(folder, 'out');
	const report = await salvage(file, out, inlineWriter, USUAL_SALVAGE, testRun());
	assert.ok(isComplete(report), report.findings.join('; '));
	assert.deepEqual(readFileSync(path.join(out, 'program.dll')), contents);
});
