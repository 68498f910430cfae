import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { StreamFiles } from '../../../source/operations/extract/stream-files.ts';
import { subfolder, tempFolder } from '../../support/temp-tree.ts';
import { testRun } from '../../support/test-run.ts';

const bytes = new TextEncoder().encode('new');

test('the name of a stream leads nowhere else, and what cannot be made is a problem', (t) => {
	const top = tempFolder(t);
	const folder = subfolder(top, 'target');
	// With it the path would be one that exists.
	subfolder(folder, 'a:');
	const run = testRun();
	const streams = new StreamFiles(run);
	const names = ['/../../outside', '..\\outside', 'b:c', 'zero\0'];
	for (const name of names) streams.add(path.join(folder, `a:${name}`), name, null, bytes);
	streams.add(path.join(folder, 'missing', 'a:b'), 'b', null, bytes);
	assert.deepEqual(readdirSync(top), ['target']);
	assert.deepEqual(readdirSync(folder), ['a:']);
	const problems = run.problems().map(({ message }) => message);
	assert.equal(problems.length, names.length + 1);
	for (const message of problems.slice(0, -1)) assert.match(message, /name is not allowed/);
	assert.match(problems.at(-1) ?? '', /Cannot create ".*missing\/a:b"/);
});

test('a stream that is there already is replaced', (t) => {
	const file = path.join(tempFolder(t), 'a:b');
	writeFileSync(file, 'an older and longer one');
	const run = testRun();
	new StreamFiles(run).add(file, 'b', null, bytes);
	assert.deepEqual(run.problems(), []);
	assert.equal(readFileSync(file, 'utf8'), 'new');
});
