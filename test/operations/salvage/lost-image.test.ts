import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { isComplete } from '../../../source/operations/salvage/report.ts';
import { salvage } from '../../../source/operations/salvage/salvage.ts';
import { makeTree } from '../../support/damage-formats.ts';
import { blobTable, metadataPlaces } from '../../support/damage-kit.ts';
import { inlineWriter } from '../../support/inline-writer.ts';
import { oracle, runOracle } from '../../support/oracles.ts';
import { USUAL_SALVAGE } from '../../support/rescue-kit.ts';
import { tempFolder } from '../../support/temp-tree.ts';
import { testRun } from '../../support/test-run.ts';

const ENTRY_SIZE = 50;

test(
	'an image that is gone with its entry is missed: the header counts it',
	oracle('wimlib-imagex'),
	async (t) => {
		const folder = tempFolder(t);
		const tree = path.join(folder, 'tree');
		makeTree(tree);
		const file = path.join(folder, 'two.wim');
		runOracle('wimlib-imagex', 'capture', tree, file, 'First', '--compress=xpress');
		writeFileSync(path.join(tree, 'more.txt'), 'what only the second image names\r\n'.repeat(9));
		runOracle('wimlib-imagex', 'append', tree, file, 'Second');
		const bytes = readFileSync(file);
		const [, second] = metadataPlaces(bytes);
		assert.ok(second !== undefined);
		bytes.fill(0, second.at, second.at + second.size);
		// Entries of metadata stand first, in the order of the images.
		const entry = blobTable(bytes).at + ENTRY_SIZE;
		bytes.fill(0, entry, entry + ENTRY_SIZE);
		writeFileSync(file, bytes);
		const report = await salvage(
			file,
			path.join(folder, 'out'),
			inlineWriter,
			USUAL_SALVAGE,
			testRun(),
		);
		assert.deepEqual(
			report.images.map(({ name, state }) => `${name}: ${state}`),
			['First: whole'],
		);
		assert.ok(!isComplete(report), report.findings.join('; '));
		assert.ok(report.findings.includes('1 image that the header counts is lost'));
	},
);
