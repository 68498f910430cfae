import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { repair } from '../../../source/operations/repair/repair.ts';
import { salvage } from '../../../source/operations/salvage/salvage.ts';
import { InlinePool } from '../../../source/pool/pool.ts';
import { digests, makeTree } from '../../support/damage-formats.ts';
import { type ListedBlob, listBlobs, readFiles } from '../../support/damage-kit.ts';
import { inlineWriter } from '../../support/inline-writer.ts';
import { oracle, runOracle } from '../../support/oracles.ts';
import { objectionsOf, USUAL_REPAIR, USUAL_SALVAGE } from '../../support/rescue-kit.ts';
import { tempFolder } from '../../support/temp-tree.ts';
import { testRun } from '../../support/test-run.ts';
import { tools } from '../../support/written.ts';

/** One solid chunk that holds everything, with a hole of 512 bytes at a share of its stored bytes. */
function holed(t: TestContext, share: number) {
	const folder = tempFolder(t);
	makeTree(path.join(folder, 'tree'));
	const file = path.join(folder, 'one-chunk.esd');
	const tree = path.join(folder, 'tree');
	runOracle('wimlib-imagex', 'capture', tree, file, '--solid', '--solid-chunk-size=4194304');
	const blobs = listBlobs(folder, readFiles(folder, ['one-chunk.esd']));
	const solid = blobs.map((blob) => blob.solid).find((one) => one !== null) ?? null;
	assert.ok(solid !== null && solid.originalSize < 4_194_304);
	const bytes = readFileSync(file);
	const at = solid.resourceOffset + 20 + Math.floor((solid.resourceSize - 532) * share);
	bytes.fill(0, at, at + 512);
	writeFileSync(file, bytes);
	// Not the target of the link.
	const contents = new Set(digests(tree).values());
	return { folder, file, blobs: blobs.filter(({ sha1 }) => contents.has(sha1)), total: solid };
}

/** The contents that came back are those up to some place in the chunk: what stands before the damage. */
function reach(blobs: readonly ListedBlob[], got: ReadonlySet<string>): number {
	const inOrder = [...blobs].sort((a, b) => (a.solid?.offset ?? 0) - (b.solid?.offset ?? 0));
	const first = inOrder.findIndex(({ sha1 }) => !got.has(sha1));
	assert.ok(first > 0, 'nothing came back');
	assert.deepEqual(
		inOrder.slice(first).filter(({ sha1 }) => got.has(sha1)),
		[],
		'something behind the damage came back',
	);
	return inOrder[first]?.solid?.offset ?? 0;
}

for (const share of [0.3, 0.5, 0.7])
	test(
		`files before the damage in their solid chunk come back whole: hole at ${share * 100} %`,
		oracle('wimlib-imagex'),
		async (t) => {
			const { folder, file, blobs, total } = holed(t, share);
			const target = path.join(folder, 'target');
			const report = await salvage(file, target, inlineWriter, USUAL_SALVAGE, testRun());
			const wholeNames = [...digests(target)].filter(([name]) => !/partial$|salvage/.test(name));
			const reached = reach(blobs, new Set(wholeNames.map(([, sha1]) => sha1)));
			assert.ok(reached > total.originalSize * 0.1, `only ${reached} bytes were reached`);
			assert.equal(report.partial.length, 0);
			const repaired = path.join(folder, 'repaired.esd');
			const rescueTools = { ...tools, pool: new InlinePool() };
			const usual = { ...USUAL_REPAIR, bitSearchSeconds: 0 };
			const { lost } = await repair(file, repaired, usual, rescueTools, testRun());
			const gone = new Set(lost.map(({ sha1 }) => sha1));
			const left = blobs.filter(({ sha1 }) => !gone.has(sha1)).map(({ sha1 }) => sha1);
			assert.equal(reach(blobs, new Set(left)), reached);
			assert.deepEqual(objectionsOf(repaired), []);
		},
	);
