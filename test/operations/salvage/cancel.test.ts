import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { Run } from '../../../source/base/run.ts';
import { isComplete } from '../../../source/operations/salvage/report.ts';
import { salvage } from '../../../source/operations/salvage/salvage.ts';
import { blobTable } from '../../support/damage-kit.ts';
import { inlineWriter } from '../../support/inline-writer.ts';
import { captureAs, hurtFile } from '../../support/rescue-kit.ts';
import { subfolder, tempFolder } from '../../support/temp-tree.ts';
import { testRun } from '../../support/test-run.ts';

const FILE_SIZE = 17 << 20;
const NAMES = ['a.wav', 'b.wav', 'c.wav', 'd.wav'];

/** A file that tells its own length, so that a search takes no time. */
function sound(seed: number): Buffer {
	const bytes = Buffer.alloc(FILE_SIZE, `line ${seed}\r\n`);
	bytes.write('RIFF', 'latin1');
	bytes.writeUInt32LE(FILE_SIZE - 8, 4);
	return bytes;
}

const OPTIONS = {
	references: [],
	image: null,
	unixData: false,
	includeInvalidNames: false,
	dryRun: false,
};

test('a search that is canceled keeps what it has found until then', async (t) => {
	const folder = tempFolder(t);
	const tree = subfolder(folder, 'tree');
	for (const [k, name] of NAMES.entries()) writeFileSync(path.join(tree, name), sound(k + 1));
	const file = path.join(folder, 'hurt.wim');
	await captureAs({ name: 'none', compression: 'none' }, tree, file);
	hurtFile(file, file, (bytes) => {
		const { at, size } = blobTable(bytes);
		bytes.fill(0, at, at + size);
	});

	const target = path.join(folder, 'target');
	const run = testRun();
	let searches = 0;
	let bytes = 0;
	const watched: Run = {
		...run,
		report(event) {
			run.report(event);
			if (event.type === 'phase' && event.phase === 'search') {
				searches++;
				bytes = 0;
			} else if (event.type === 'advance') bytes += event.bytes;
			// The tables twice, the trees, the contents: in the last file, when the first of two ranges is done.
			if (searches === 4 && bytes > FILE_SIZE * 3) run.cancel();
		},
	};
	const report = await salvage(file, target, inlineWriter, OPTIONS, watched);
	assert.ok(run.signal.aborted, `${searches} searches, ${bytes} bytes in the last`);
	const [image] = report.images;
	assert.ok(image !== undefined && image.wholeCount > 0 && image.lostCount > 0);
	assert.equal(isComplete(report), false);
	assert.match(report.findings.join('\n'), /search was canceled/);
	const lost = new Set(report.lost.map((one) => path.basename(one.path)));
	assert.equal(lost.size, image.lostCount);
	for (const name of NAMES) {
		const written = path.join(target, name);
		assert.equal(existsSync(written), !lost.has(name), name);
		if (!lost.has(name))
			assert.deepEqual(readFileSync(written), readFileSync(path.join(tree, name)));
	}
	assert.ok(existsSync(path.join(target, 'wimdeck-salvage.json')));

	const whole = path.join(folder, 'whole');
	assert.ok(isComplete(await salvage(file, whole, inlineWriter, OPTIONS, testRun())));
});
