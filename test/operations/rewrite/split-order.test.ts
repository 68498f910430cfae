import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { capture } from '../../../source/operations/capture/capture.ts';
import { split } from '../../../source/operations/rewrite/split.ts';
import { hostFs } from '../../../source/storage/host-fs.ts';
import { tempFolder } from '../../support/temp-tree.ts';
import { testRun } from '../../support/test-run.ts';
import { captureOptions, compressed, makeTree, tools } from '../../support/written.ts';

test('part 1 gets its name when those of all other parts are on the disk', async (t) => {
	const folder = tempFolder(t);
	const tree = path.join(folder, 'tree');
	const made = path.join(folder, 'made.wim');
	makeTree(
		tree,
		[1, 2, 3, 4].map((seed) => ({ kind: 'file', parent: 0, seed, name: `${seed}`, size: 90_000 })),
	);
	const options = captureOptions('one', { compression: compressed('none') });
	await capture([{ path: tree, target: '/' }], made, options, tools, testRun());

	const steps: string[] = [];
	const { open, rename } = hostFs;
	t.mock.method(hostFs, 'rename', (from: string, to: string) => {
		steps.push(`name ${path.basename(to)}`);
		return rename(from, to);
	});
	t.mock.method(hostFs, 'open', (...args: Parameters<typeof open>) => {
		if (args[0] === folder) steps.push('sync folder');
		return open(...args);
	});
	const first = path.join(folder, 'part.swm');
	const { parts } = await split(
		made,
		first,
		{ partSize: 100_000, integrity: false, dryRun: false },
		tools,
		testRun(),
	);
	assert.equal(parts.length, 4);
	assert.deepEqual(steps, [
		'name part4.swm',
		'name part3.swm',
		'name part2.swm',
		'sync folder',
		'name part.swm',
		'sync folder',
	]);
});
