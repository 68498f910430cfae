import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { isEmpty, readChanges } from '../../../source/operations/mount/change-log.ts';
import { tempFolder } from '../../support/temp-tree.ts';

test('a log that cannot be read is not taken for one without changes', (t) => {
	const folder = tempFolder(t);
	assert.equal(readChanges(folder), null);
	mkdirSync(path.join(folder, 'changes'));
	const found = readChanges(folder);
	assert.ok(found !== null);
	assert.equal(isEmpty(found), false);
});
