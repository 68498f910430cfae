import assert from 'node:assert/strict';
import path from 'node:path';
import { test } from 'node:test';
import { capture } from '../../../source/operations/capture/capture.ts';
import { copyAhead, shapeLike } from '../../../source/operations/rewrite/rebuild.ts';
import { openWim } from '../../../source/wim/wim.ts';
import { NewSession } from '../../../source/wim/write-session.ts';
import { tempFolder } from '../../support/temp-tree.ts';
import { testRun } from '../../support/test-run.ts';
import { captureOptions, compressed, makeTree, tools } from '../../support/written.ts';

test('what was copied while the images were looked through is not copied again', async (t) => {
	const folder = tempFolder(t);
	const tree = path.join(folder, 'tree');
	const made = path.join(folder, 'made.wim');
	const items = [1, 2, 4].map((seed) => ({ seed, name: `${seed}`, size: 50_000 }));
	makeTree(
		tree,
		items.map((item) => ({ kind: 'file', parent: 0, ...item })),
	);
	const run = testRun();
	const options = captureOptions('one', { compression: compressed('xpress') });
	await capture([{ path: tree, target: '/' }], made, options, tools, run);

	await using wim = await openWim(made);
	const settings = { level: 20, integrity: false, ...tools, foreign: new Map() };
	const target = path.join(folder, 'copy.wim');
	await using session = await NewSession.create(target, shapeLike(wim), wim.xml, settings, run);
	await copyAhead(session, wim, wim.images, 1 << 30);
	const { output } = session;
	t.mock.method(output, 'copy', () => assert.fail('copied twice'));
	const blobs = [...wim.blobs.values()].sort((a, b) => a.resource.offset - b.resource.offset);
	const copied = await session.copyBlobs(blobs);
	assert.equal(copied.length, items.length);
	for (const [k, { resource }] of copied.entries()) {
		assert.equal(resource.offset, blobs[k]?.resource.offset);
		const [there, was] = [new Uint8Array(resource.storedSize), new Uint8Array(resource.storedSize)];
		await output.readAt(resource.offset, there);
		await wim.first.source.read(resource.offset, was);
		assert.deepEqual(there, was);
	}
});
