import assert from 'node:assert/strict';
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { WimError } from '../../../source/base/errors.ts';
import { append } from '../../../source/operations/capture/append.ts';
import { repair } from '../../../source/operations/repair/repair.ts';
import { isRepaired, type RepairReport } from '../../../source/operations/repair/report.ts';
import { exportImages } from '../../../source/operations/rewrite/export.ts';
import { optimize } from '../../../source/operations/rewrite/optimize.ts';
import { InlinePool } from '../../../source/pool/pool.ts';
import { openWim } from '../../../source/wim/wim.ts';
import {
	captureAs,
	hurtFile,
	objectionsOf,
	placesOf,
	RESCUE_FORMATS,
	type RescueFiles,
	type RescueFormat,
	rescueFiles,
	USUAL_REPAIR,
} from '../../support/rescue-kit.ts';
import { subfolder } from '../../support/temp-tree.ts';
import { testRun } from '../../support/test-run.ts';
import {
	compressed,
	imageOptions,
	listImages,
	tools,
	USUAL_EXPORT,
} from '../../support/written.ts';

const repairTools = { ...tools, pool: new InlinePool() };

const [, XPRESS, LZX] = RESCUE_FORMATS as [RescueFormat, RescueFormat, RescueFormat];

/** Keeps the first part of a file. */
function cut(from: string, to: string, share: number): void {
	const bytes = readFileSync(from);
	writeFileSync(to, bytes.subarray(0, Math.floor(bytes.length * share)));
}

function wipeHeader(file: string): void {
	hurtFile(file, file, (bytes) => void bytes.fill(0, 0, 208));
}

async function repaired({ hurt, target }: RescueFiles, ...donors: string[]): Promise<RepairReport> {
	const before = readFileSync(hurt);
	const report = await repair(hurt, target, { ...USUAL_REPAIR, donors }, repairTools, testRun());
	assert.deepEqual(readFileSync(hurt), before, 'the damaged file was touched');
	assert.deepEqual(report.lost, []);
	return report;
}

async function assertSame({ target, whole }: RescueFiles, isPipable = false): Promise<void> {
	assert.deepEqual(await listImages(target), await listImages(whole));
	assert.deepEqual(objectionsOf(target, isPipable), []);
	await using wim = await openWim(target);
	assert.equal(wim.images[0]?.facts.name, 'Whole');
	assert.equal(wim.images[0]?.facts.description, 'as it was');
}

for (const format of RESCUE_FORMATS) {
	// Their tree and XML data stand in front.
	const { pipable = false } = format;
	test(`${format.name}: a file cut in half comes back with the tree of a donor that has its GUID`, async (t) => {
		const made = await rescueFiles(t, format);
		cut(made.whole, made.hurt, 0.5);
		const report = await repaired(made, made.whole);
		const from = { donor: made.whole, proof: 'guid', hasTables: true };
		assert.deepEqual(report.imagesFrom, pipable ? null : from);
		assert.ok(isRepaired(report), JSON.stringify(report.findings));
		assert.equal(report.images[0]?.state, pipable ? 'whole' : 'repaired');
		assert.equal(report.images[0]?.remedy?.kind, pipable ? undefined : 'donor');
		assert.ok(report.intactCount > 0, 'what the half holds is used');
		assert.ok(report.repaired.length > 0);
		await assertSame(made, format.pipable);
	});

	test(`${format.name}: without its header, too, though nothing proves its names`, async (t) => {
		const made = await rescueFiles(t, format);
		cut(made.whole, made.hurt, 0.6);
		wipeHeader(made.hurt);
		const report = await repaired(made, made.whole);
		const from = { donor: made.whole, proof: 'contents', hasTables: true };
		assert.deepEqual(report.imagesFrom, pipable ? null : from);
		assert.equal(isRepaired(report), pipable);
		assert.equal(/Nothing else tells which images/.test(report.findings.join('\n')), !pipable);
		assert.ok(report.intactCount > 0);
		await assertSame(made, format.pipable);
	});
}

test('a donor of another compression is known by the contents that both hold', async (t) => {
	const made = await rescueFiles(t, LZX);
	cut(made.whole, made.hurt, 0.6);
	wipeHeader(made.hurt);
	const donor = path.join(made.folder, 'donor.wim');
	await captureAs(XPRESS, made.tree, donor);
	hurtFile(donor, donor, (bytes) => void bytes.fill(0xee, 0x18, 0x28));
	const report = await repaired(made, donor);
	assert.deepEqual(report.imagesFrom, { donor, proof: 'contents', hasTables: false });
	assert.ok(!isRepaired(report));
	assert.ok(report.intactCount > 0);
	await assertSame(made);
});

test('a donor that was recompressed still has the GUID', async (t) => {
	const made = await rescueFiles(t, LZX);
	cut(made.whole, made.hurt, 0.5);
	const donor = path.join(made.folder, 'donor.wim');
	copyFileSync(made.whole, donor);
	const options = { recompress: true, pipable: null, integrity: null, dryRun: false };
	await optimize(donor, { ...options, compression: compressed('xpress') }, tools, testRun());
	const report = await repaired(made, donor);
	assert.deepEqual(report.imagesFrom, { donor, proof: 'guid', hasTables: false });
	assert.ok(isRepaired(report), JSON.stringify(report.findings));
	await assertSame(made);
});

test('XML data that is left tells which image of a donor it was', async (t) => {
	const made = await rescueFiles(t, LZX);
	const { offset, size } = (await placesOf(made.whole)).get('metadata 1') ?? assert.fail();
	hurtFile(made.whole, made.hurt, (bytes) => {
		const table = Number(bytes.readBigUInt64LE(0x38));
		const xml = Number(bytes.readBigUInt64LE(0x50));
		bytes
			.fill(0, 0, 208)
			.fill(0, offset, offset + size)
			.fill(0, table, xml);
	});
	const donor = path.join(made.folder, 'donor.wim');
	await captureAs(XPRESS, subfolder(made.folder, 'other'), donor);
	const twice = { ...USUAL_EXPORT, name: null, compression: compressed('xpress') };
	await exportImages(
		made.whole,
		donor,
		{ ...twice, images: ['1'], name: 'Exported' },
		tools,
		testRun(),
	);
	const report = await repaired(made, donor);
	assert.deepEqual(report.imagesFrom, { donor, proof: 'xml', hasTables: false });
	assert.ok(isRepaired(report), JSON.stringify(report.findings));
	assert.ok(report.intactCount > 0);
	await assertSame(made);
});

test('an image that the header counts and the donor lacks is told as lost', async (t) => {
	const made = await rescueFiles(t, LZX);
	const donor = path.join(made.folder, 'donor.wim');
	copyFileSync(made.whole, donor);
	const more = subfolder(made.folder, 'more');
	writeFileSync(path.join(more, 'added.txt'), 'added'.repeat(30));
	const image = imageOptions('Added', { boot: true });
	const options = { image, rebuild: false, pipable: null, integrity: null, dryRun: false };
	const asked = { ...options, compression: compressed('lzx') };
	await append([{ path: more, target: '/' }], made.whole, asked, tools, testRun());
	cut(made.whole, made.hurt, 0.5);
	const report = await repaired(made, donor);
	assert.equal(report.imagesFrom?.proof, 'guid');
	assert.ok(!isRepaired(report));
	assert.match(report.findings.join('\n'), /The file held 2 images; .* has 1 of them/);
	assert.deepEqual(await listImages(made.target), await listImages(donor));
	assert.deepEqual(objectionsOf(made.target), []);
	// With a donor that has both the second one is there, and boots.
	const second = { ...made, target: path.join(made.folder, 'second.wim') };
	assert.ok(isRepaired(await repaired(second, made.whole)));
	await assertSame(second);
	await using wim = await openWim(second.target);
	assert.equal(wim.bootIndex, 2);
});

test('two files that lack different parts make a whole one', async (t) => {
	for (const format of [LZX, XPRESS]) {
		const made = await rescueFiles(t, format);
		cut(made.whole, made.hurt, 0.7);
		const donor = path.join(made.folder, 'donor.wim');
		hurtFile(made.whole, donor, (bytes) => void bytes.fill(0x33, 300, bytes.length >> 1));
		const report = await repaired(made, donor);
		assert.ok(isRepaired(report), JSON.stringify(report.findings));
		await assertSame(made);
	}
});

test('donors that are not the same are told, with what to do', async (t) => {
	const made = await rescueFiles(t, LZX);
	cut(made.whole, made.hurt, 0.5);
	const other = path.join(made.folder, 'other.wim');
	const tree = subfolder(made.folder, 'other');
	writeFileSync(path.join(tree, 'a.txt'), 'something else'.repeat(50));
	await captureAs(LZX, tree, other);
	hurtFile(other, other, (bytes) => void bytes.fill(0xee, 0x18, 0x28));
	const rows: [donors: string[], message: RegExp, hint: RegExp][] = [
		[[], /metadata of every image is lost$/, /--from, or run wimdeck salvage/],
		[[other], /no donor is known to hold the same images/, /--from, or run wimdeck salvage/],
		[[made.tree], /metadata of every image is lost$/, /a folder gives contents, not the tree/],
	];
	for (const [donors, message, hint] of rows)
		await assert.rejects(
			repair(made.hurt, made.target, { ...USUAL_REPAIR, donors }, repairTools, testRun()),
			(error) =>
				error instanceof WimError &&
				error.code === 'bad-format' &&
				message.test(error.message) &&
				hint.test(error.facts.hint ?? ''),
		);
	assert.equal(existsSync(made.target), false);
});
