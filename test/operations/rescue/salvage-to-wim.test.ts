import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { ZERO_SHA1 } from '../../../source/bytes/sha1.ts';
import { openImage } from '../../../source/image/open.ts';
import { pathOf } from '../../../source/image/paths.ts';
import {
	type SalvageToWimOptions,
	salvageToWim,
} from '../../../source/operations/rescue/salvage-to-wim.ts';
import { isComplete, type SalvageReport } from '../../../source/operations/salvage/report.ts';
import { InlinePool } from '../../../source/pool/pool.ts';
import { openWim } from '../../../source/wim/wim.ts';
import { DAMAGES } from '../../support/damage-cases.ts';
import { intactBlobs, listBlobs, seeded } from '../../support/damage-kit.ts';
import { oracle } from '../../support/oracles.ts';
import {
	captureAs,
	objectionsOf,
	placesOf,
	RESCUE_FORMATS,
	rescueTree,
} from '../../support/rescue-kit.ts';
import { subfolder, tempFolder } from '../../support/temp-tree.ts';
import { overrunsOf, testRun } from '../../support/test-run.ts';
import { listImages, tools } from '../../support/written.ts';

const rescueTools = { ...tools, pool: new InlinePool() };
const OPTIONS: SalvageToWimOptions = { references: [], image: null, lost: 'mark', dryRun: false };

async function salvaged(
	file: string,
	target: string,
	options: Partial<SalvageToWimOptions> = {},
): Promise<SalvageReport> {
	const run = testRun();
	const report = await salvageToWim(file, target, { ...OPTIONS, ...options }, rescueTools, run);
	assert.deepEqual(overrunsOf(run), [], 'progress went past its end');
	return report;
}

/** Path to SHA-1 of all files of all images. */
async function filesOf(file: string): Promise<Map<string, string>> {
	const files = new Map<string, string>();
	await using wim = await openWim(file);
	for (const image of wim.images) {
		const { tree } = await openImage(wim, image);
		for (let dentry = 0; dentry < tree.count; dentry++)
			if (!tree.isDirectory(dentry)) files.set(pathOf(tree, dentry), tree.dataSha1(dentry));
	}
	return files;
}

/** A part of the kit; salvage's own tests go through all of it. */
const HURT: ReadonlySet<string> = new Set([
	'five flipped bits',
	'four sectors of zeros',
	'a block of 16 KiB overwritten',
	'header: flags overwritten',
	'header: blob table place overwritten',
	'XML data zeroed',
	'cut inside the XML data',
	'the flag of a running write set',
]);
/** Damage after which every byte is searched: salvage's own tests do that for formats where it takes long. */
const SEARCHED: ReadonlySet<string> = new Set([
	'header zeroed',
	'five entries of the blob table zeroed',
	'blob table zeroed',
	'header, blob table and XML data zeroed',
	'cut inside the blob table',
	'cut after 50 %',
]);
const SLOW: ReadonlySet<string> = new Set(['none', 'lzms']);

const isMarked = (name: string) => /\.(partial|lost)$/.test(name);

for (const format of RESCUE_FORMATS)
	test(
		`${format.name}: what is left of a damaged file makes a valid WIM`,
		oracle('wimlib-imagex'),
		async (t) => {
			const folder = tempFolder(t);
			const tree = subfolder(folder, 'tree');
			rescueTree(tree);
			const whole = path.join(folder, 'whole.wim');
			await captureAs(format, tree, whole);
			const files = new Map([['whole.wim', readFileSync(whole)]]);
			const blobs = listBlobs(folder, files);
			const expected = await filesOf(whole);
			for (const [k, damage] of DAMAGES.entries()) {
				const isSearched = SEARCHED.has(damage.name);
				if (!HURT.has(damage.name) && (!isSearched || SLOW.has(format.name))) continue;
				const context = `${format.name}, ${damage.name}`;
				const after = damage.hurt(files, seeded(k + 1));
				const hurt = after.get('whole.wim') ?? Buffer.alloc(0);
				const file = path.join(folder, `hurt ${k}.wim`);
				writeFileSync(file, hurt);
				const target = path.join(folder, `new ${k}.wim`);
				const report = await salvaged(file, target);
				assert.deepEqual(readFileSync(file), hurt, `${context}: the damaged file was touched`);
				assert.deepEqual(objectionsOf(target, format.pipable), [], context);
				const intact = intactBlobs(blobs, files, after);
				const found = await filesOf(target);
				for (const [name, sha1] of found)
					if (!isMarked(name) && expected.has(name))
						assert.equal(sha1, expected.get(name), `${context}: ${name} has wrong contents`);
				const isNamed = blobs
					.filter((blob) => blob.isMetadata)
					.every(({ sha1 }) => intact.has(sha1));
				if (!isNamed) continue;
				for (const [name, sha1] of expected)
					if (sha1 === ZERO_SHA1 || intact.has(sha1))
						assert.equal(found.get(name), sha1, `${context}: ${name} is intact but is not there`);
				if (intact.size === blobs.length) assert.ok(isComplete(report), context);
			}
		},
	);

async function hurtMetadata(
	t: TestContext,
): Promise<{ file: string; target: string; whole: string }> {
	const folder = tempFolder(t);
	const tree = subfolder(folder, 'tree');
	rescueTree(tree);
	const whole = path.join(folder, 'whole.wim');
	await captureAs({ name: 'lzx', compression: 'lzx' }, tree, whole);
	const file = path.join(folder, 'hurt.wim');
	const bytes = readFileSync(whole);
	const place = (await placesOf(whole)).get('metadata 1');
	assert.ok(place);
	bytes.fill(0, place.offset, place.offset + place.size);
	writeFileSync(file, bytes);
	return { file, target: path.join(folder, 'new.wim'), whole };
}

test('contents without a tree stand in an image of their own, under their SHA-1', async (t) => {
	const { file, target, whole } = await hurtMetadata(t);
	const report = await salvaged(file, target);
	assert.equal(isComplete(report), false);
	assert.deepEqual(objectionsOf(target), []);
	const contents = new Set(
		[...(await filesOf(whole)).values()].filter((sha1) => sha1 !== ZERO_SHA1),
	);
	const files = await filesOf(target);
	assert.ok(files.size > 0);
	for (const [name, sha1] of files) assert.ok(name.startsWith(`/(unnamed)/${sha1}.`), name);
	const found = new Set(files.values());
	for (const sha1 of contents) assert.ok(found.has(sha1), sha1);
	assert.equal(report.unnamed.length, files.size);
});

test('a dry run writes nothing, and nothing is ever overwritten', async (t) => {
	const { file, target } = await hurtMetadata(t);
	await salvaged(file, target, { dryRun: true });
	assert.equal(existsSync(target), false);
	writeFileSync(target, 'mine');
	await assert.rejects(salvaged(file, target), { code: 'bad-input' });
	assert.equal(readFileSync(target, 'latin1'), 'mine');
});

test('an undamaged file comes out as it is', async (t) => {
	const folder = tempFolder(t);
	const tree = subfolder(folder, 'tree');
	rescueTree(tree);
	const whole = path.join(folder, 'whole.wim');
	await captureAs({ name: 'xpress', compression: 'xpress' }, tree, whole);
	const target = path.join(folder, 'new.wim');
	assert.ok(isComplete(await salvaged(whole, target)));
	assert.deepEqual(await listImages(target), await listImages(whole));
	assert.deepEqual(readFileSync(target).subarray(208), readFileSync(whole).subarray(208));
});
