import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Run } from '../../../source/base/run.ts';
import { openImage } from '../../../source/image/open.ts';
import { salvageToWim } from '../../../source/operations/rescue/salvage-to-wim.ts';
import { isComplete, type SalvageReport } from '../../../source/operations/salvage/report.ts';
import { salvage } from '../../../source/operations/salvage/salvage.ts';
import { InlinePool } from '../../../source/pool/pool.ts';
import { openWim } from '../../../source/wim/wim.ts';
import { eraseBlobTable } from '../../support/damage-kit.ts';
import { inlineWriter } from '../../support/inline-writer.ts';
import { captureAs, hurtFile, objectionsOf, USUAL_SALVAGE } from '../../support/rescue-kit.ts';
import { subfolder, tempFolder } from '../../support/temp-tree.ts';
import { testRun } from '../../support/test-run.ts';
import { tools } from '../../support/written.ts';

const FILE_SIZE = 17 << 20;
const NAMES = ['a.wav', 'b.wav', 'c.wav', 'd.wav'];

/** A file that tells its own length, so that a search takes no time. */
function sound(seed: number): Buffer {
	const bytes = Buffer.alloc(FILE_SIZE, `line ${seed}\r\n`);
	bytes.write('RIFF', 'latin1');
	bytes.writeUInt32LE(FILE_SIZE - 8, 4);
	return bytes;
}

/** An uncompressed file without its blob table, and a run that cancels in the middle of its search. */
async function searched(t: TestContext) {
	const folder = tempFolder(t);
	const tree = subfolder(folder, 'tree');
	for (const [k, name] of NAMES.entries()) writeFileSync(path.join(tree, name), sound(k + 1));
	const file = path.join(folder, 'hurt.wim');
	await captureAs({ name: 'none', compression: 'none' }, tree, file);
	hurtFile(file, file, eraseBlobTable);
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
			// The tables, the trees, the contents: in the last file, when the first of two ranges is done.
			if (searches === 3 && bytes > FILE_SIZE * 3) run.cancel();
		},
	};
	return { folder, tree, file, watched };
}

/** @returns the names that are lost */
function lostOf(report: SalvageReport): ReadonlySet<string> {
	const [image] = report.images;
	assert.ok(image !== undefined && image.wholeCount > 0 && image.lostCount > 0);
	assert.equal(isComplete(report), false);
	assert.match(report.findings.join('\n'), /search was canceled/);
	const lost = new Set(report.lost.map((one) => path.basename(one.path)));
	assert.equal(lost.size, image.lostCount);
	return lost;
}

test('a search that is canceled keeps what it has found until then', async (t) => {
	const { folder, tree, file, watched } = await searched(t);
	const target = path.join(folder, 'target');
	const report = await salvage(file, target, inlineWriter, USUAL_SALVAGE, watched);
	assert.ok(watched.signal.aborted);
	const lost = lostOf(report);
	for (const name of NAMES) {
		const written = path.join(target, name);
		assert.equal(existsSync(written), !lost.has(name), name);
		if (!lost.has(name))
			assert.deepEqual(readFileSync(written), readFileSync(path.join(tree, name)));
	}
	assert.ok(existsSync(path.join(target, 'wimdeck-salvage.json')));

	const whole = path.join(folder, 'whole');
	assert.ok(isComplete(await salvage(file, whole, inlineWriter, USUAL_SALVAGE, testRun())));
});

test('a search that is canceled still makes a WIM of what it has found', async (t) => {
	const { folder, file, watched } = await searched(t);
	const target = path.join(folder, 'new.wim');
	const options = { references: [], image: null, lost: 'omit', dryRun: false } as const;
	const rescueTools = { ...tools, pool: new InlinePool() };
	const report = await salvageToWim(file, target, options, rescueTools, watched);
	assert.ok(watched.signal.aborted);
	const lost = lostOf(report);
	assert.deepEqual(objectionsOf(target), []);
	const found: string[] = [];
	await using wim = await openWim(target);
	const { tree } = await openImage(wim, wim.image('1'));
	for (let dentry = 0; dentry < tree.count; dentry++)
		if (!tree.isDirectory(dentry)) found.push(tree.name(dentry));
	assert.deepEqual(
		found.sort(),
		NAMES.filter((name) => !lost.has(name)),
	);
});

test('--to-wim that is canceled while it writes leaves nothing', async (t) => {
	const { folder, file } = await searched(t);
	const run = testRun();
	const watched: Run = {
		...run,
		report(event) {
			if (event.type === 'phase' && event.phase === 'write') run.cancel();
		},
	};
	const target = path.join(folder, 'new.wim');
	const options = { references: [], image: null, lost: 'mark', dryRun: false } as const;
	const rescueTools = { ...tools, pool: new InlinePool() };
	await assert.rejects(salvageToWim(file, target, options, rescueTools, watched), /cancel/i);
	assert.deepEqual(readdirSync(folder).sort(), ['hurt.wim', 'tree']);
});
