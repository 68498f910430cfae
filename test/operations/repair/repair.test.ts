import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { WimError } from '../../../source/base/errors.ts';
import { sha1 } from '../../../source/bytes/sha1.ts';
import { repair } from '../../../source/operations/repair/repair.ts';
import type { RepairOptions } from '../../../source/operations/repair/repair-options.ts';
import { isRepaired, type RepairReport } from '../../../source/operations/repair/report.ts';
import { split } from '../../../source/operations/rewrite/split.ts';
import { InlinePool } from '../../../source/pool/pool.ts';
import { type ChunkEncoder, InlineEncoder } from '../../../source/pool/tasks/encode.ts';
import { openWim } from '../../../source/wim/wim.ts';
import { seeded } from '../../support/damage-kit.ts';
import {
	captureAs,
	hurtFile,
	objectionsOf,
	placesOf,
	RESCUE_FORMATS,
	type RescueFormat,
	rescueTree,
	USUAL_REPAIR,
} from '../../support/rescue-kit.ts';
import { subfolder, tempFolder } from '../../support/temp-tree.ts';
import { overrunsOf, testRun } from '../../support/test-run.ts';
import { listImages, tools } from '../../support/written.ts';

const repairTools = { ...tools, pool: new InlinePool() };

async function repaired(
	file: string,
	target: string,
	options: Partial<RepairOptions> = {},
): Promise<RepairReport> {
	const before = readFileSync(file);
	const run = testRun();
	const report = await repair(file, target, { ...USUAL_REPAIR, ...options }, repairTools, run);
	assert.deepEqual(overrunsOf(run), [], 'progress went past its end');
	assert.deepEqual(readFileSync(file), before, 'the damaged file was touched');
	assert.deepEqual(JSON.parse(JSON.stringify(report)), report, 'the report is plain data');
	return report;
}

interface Made {
	readonly folder: string;
	readonly tree: string;
	readonly whole: string;
	readonly hurt: string;
	readonly target: string;
}

async function make(t: Parameters<typeof tempFolder>[0], format: RescueFormat): Promise<Made> {
	const folder = tempFolder(t);
	const tree = subfolder(folder, 'tree');
	rescueTree(tree);
	const whole = path.join(folder, 'whole.wim');
	await captureAs(format, tree, whole);
	const hurt = path.join(folder, 'hurt.wim');
	return { folder, tree, whole, hurt, target: path.join(folder, 'new.wim') };
}

const [NONE, XPRESS, LZX, , SOLID] = RESCUE_FORMATS as [
	RescueFormat,
	RescueFormat,
	RescueFormat,
	RescueFormat,
	RescueFormat,
];

/** Overwrites three stretches of the resources, the same for the same seed. */
function overwrite(bytes: Buffer, seed: number): void {
	const random = seeded(seed);
	for (let k = 0; k < 3; k++) {
		const at = 400 + Math.floor(random() * (bytes.length * 0.7));
		for (let n = at; n < at + 600; n++) bytes[n] = Math.floor(random() * 256);
	}
}

for (const format of RESCUE_FORMATS)
	for (const donor of ['other compression', 'folder', 'damaged twin', 'part set'])
		test(`${format.name}: overwritten stretches come back from a donor: ${donor}`, async (t) => {
			const made = await make(t, format);
			hurtFile(made.whole, made.hurt, (bytes) => overwrite(bytes, 5));
			let given = made.tree;
			if (donor !== 'folder') {
				given = path.join(made.folder, 'donor.wim');
				await captureAs(format.compression === 'lzx' ? XPRESS : LZX, made.tree, given);
			}
			if (donor === 'part set') {
				const first = path.join(made.folder, 'donor.swm');
				await split(
					given,
					first,
					{ partSize: 150_000, integrity: false, dryRun: false },
					tools,
					testRun(),
				);
				assert.ok(existsSync(path.join(made.folder, 'donor2.swm')));
				given = first;
			}
			if (donor === 'damaged twin') hurtFile(given, given, (bytes) => void bytes.fill(0, 0, 208));
			const report = await repaired(made.hurt, made.target, { donors: [given] });
			assert.ok(isRepaired(report), JSON.stringify(report.lost));
			assert.ok(report.repaired.length + report.images.filter((i) => i.remedy).length > 0);
			assert.equal(
				report.intactCount + report.repaired.length,
				report.blobCount,
				'every content is counted once',
			);
			assert.deepEqual(await listImages(made.target), await listImages(made.whole));
			assert.deepEqual(objectionsOf(made.target, format.pipable), []);
		});

for (const format of RESCUE_FORMATS)
	test(`${format.name}: without a donor the new file is valid and says what stays lost`, async (t) => {
		const made = await make(t, format);
		const [, big] = await fileAt(made, '/system/drivers/big.sys');
		hurtFile(made.whole, made.hurt, (bytes) => void bytes.fill(0xa5, big + 800, big + 1200));
		const report = await repaired(made.hurt, made.target);
		assert.equal(isRepaired(report), false);
		const names = report.lost.flatMap(({ files }) => files.map((file) => file.path));
		const marked = (await listImages(made.target))[0]?.filter((line) =>
			/\.(partial|lost)\b/.test(line),
		);
		assert.equal(marked?.length, names.length);
		for (const name of names)
			assert.ok(
				marked?.some((line) => line.includes(`${name}.partial`) || line.includes(`${name}.lost`)),
				`${name} is marked`,
			);
		assert.deepEqual(objectionsOf(made.target, format.pipable), []);
	});

/** SHA-1 and place of the stored bytes of a file of the tree; in a solid file those of the resource. */
async function fileAt(
	{ whole, tree }: Made,
	name: string,
): Promise<[sha1: string, offset: number]> {
	const found = sha1(readFileSync(path.join(tree, name)));
	const place = (await placesOf(whole)).get(found);
	assert.ok(place, `${name} is in the file`);
	return [found, place.offset];
}

test('files whose contents stay lost can be left out', async (t) => {
	const made = await make(t, LZX);
	const [lib, at] = await fileAt(made, '/system/lib3.dll');
	hurtFile(made.whole, made.hurt, (bytes) => void bytes.fill(0, at, at + 40));
	const report = await repaired(made.hurt, made.target, { lost: 'omit' });
	assert.deepEqual(
		report.lost.map((lost) => lost.sha1),
		[lib],
	);
	assert.deepEqual(report.lost[0]?.files.map((file) => file.path).sort(), [
		'/hard.dll',
		'/system/lib3.dll',
	]);
	const before = (await listImages(made.whole))[0] ?? [];
	const after = (await listImages(made.target))[0] ?? [];
	const isGone = (line: string) => /lib3\.dll|hard\.dll/.test(line);
	assert.equal(after.filter(isGone).length, 0);
	assert.equal(after.length, before.filter((line) => !isGone(line)).length);
	assert.deepEqual(objectionsOf(made.target), []);
});

test('metadata comes from a donor with the same tree, with its blobs', async (t) => {
	for (const format of [LZX, NONE, SOLID]) {
		const made = await make(t, format);
		const place = (await placesOf(made.whole)).get('metadata 1');
		assert.ok(place);
		hurtFile(
			made.whole,
			made.hurt,
			(bytes) => void bytes.fill(0x11, place.offset, place.offset + 90),
		);
		const report = await repaired(made.hurt, made.target, { donors: [made.whole] });
		assert.equal(report.images[0]?.state, 'repaired');
		assert.equal(report.images[0]?.remedy?.kind, 'donor');
		assert.ok(isRepaired(report));
		assert.deepEqual(await listImages(made.target), await listImages(made.whole));
		assert.deepEqual(objectionsOf(made.target), []);
	}
});

/** Where a table of the header is. */
function tableAt(bytes: Buffer, field: number): [at: number, size: number] {
	return [Number(bytes.readBigUInt64LE(field + 8)), Number(bytes.readBigUInt64LE(field + 16))];
}

const STRUCTURES: readonly (readonly [name: string, hurt: (bytes: Buffer) => void])[] = [
	['the header', (bytes) => void bytes.fill(0, 0, 208)],
	['the XML data', (bytes) => void bytes.fill(0, ...range(tableAt(bytes, 0x48)))],
	['the blob table', (bytes) => void bytes.fill(0, ...range(tableAt(bytes, 0x30)))],
	['the integrity table', (bytes) => void bytes.fill(0x77, ...range(tableAt(bytes, 0x7c)))],
];

function range([at, size]: [number, number]): [number, number] {
	return [at, at + size];
}

for (const [name, hurt] of STRUCTURES)
	test(`${name} is written anew`, async (t) => {
		const made = await make(t, LZX);
		hurtFile(made.whole, made.hurt, (bytes) => void hurt(bytes));
		const report = await repaired(made.hurt, made.target);
		assert.ok(isRepaired(report), JSON.stringify(report));
		await using wim = await openWim(made.target);
		assert.deepEqual(wim.faults, []);
		assert.deepEqual(wim.warnings, []);
		if (name !== 'the XML data') assert.equal(wim.images[0]?.facts.name, 'Whole');
		if (name !== 'the header') assert.notEqual(await wim.integrityTable(wim.first), null);
		assert.deepEqual(await listImages(made.target), await listImages(made.whole));
		assert.deepEqual(objectionsOf(made.target), []);
	});

test('an entry of the blob table with a wrong SHA-1 is found out by reading what it names', async (t) => {
	const made = await make(t, LZX);
	const [lib] = await fileAt(made, '/system/lib5.dll');
	hurtFile(made.whole, made.hurt, (bytes) => {
		const at = bytes.indexOf(Buffer.from(lib, 'hex'), tableAt(bytes, 0x30)[0]);
		bytes[at + 3] = (bytes[at + 3] ?? 0) ^ 4;
	});
	const report = await repaired(made.hurt, made.target);
	assert.ok(isRepaired(report), JSON.stringify(report));
	assert.deepEqual(
		report.repaired.map(({ sha1: name, remedy }) => [name, remedy.kind]),
		[[lib, 'blob-table']],
	);
	assert.deepEqual(await listImages(made.target), await listImages(made.whole));
});

test('a set with a missing part becomes one whole file with a donor, and tells what is lost without', async (t) => {
	const made = await make(t, XPRESS);
	const first = path.join(made.folder, 'set.swm');
	const options = { partSize: 100_000, integrity: false, dryRun: false };
	const { parts } = await split(made.whole, first, options, tools, testRun());
	assert.ok(parts.length >= 3);
	writeFileSync(path.join(made.folder, 'set2.swm'), '');
	const alone = await repaired(first, made.target);
	assert.ok(alone.lost.length > 0);
	assert.deepEqual(objectionsOf(made.target), []);
	const second = path.join(made.folder, 'second.wim');
	const report = await repaired(first, second, { donors: [made.tree] });
	assert.ok(isRepaired(report), JSON.stringify(report.lost));
	assert.deepEqual(await listImages(second), await listImages(made.whole));
	assert.deepEqual(objectionsOf(second), []);
});

test('a dry run says the same and writes nothing', async (t) => {
	const made = await make(t, LZX);
	hurtFile(made.whole, made.hurt, (bytes) => overwrite(bytes, 9));
	const dry = await repaired(made.hurt, made.target, { donors: [made.tree], dryRun: true });
	assert.equal(existsSync(made.target), false);
	const wet = await repaired(made.hurt, made.target, { donors: [made.tree] });
	const { isDryRun, sizeAfter, readBack, ...said } = dry;
	const { isDryRun: _, sizeAfter: size, readBack: checked, ...done } = wet;
	assert.equal(isDryRun, true);
	assert.equal(readBack, null);
	assert.ok(checked !== null && checked.blobCount > 0);
	assert.deepEqual(said, done);
	assert.ok(size <= sizeAfter + 4096, `${size} bytes, at most ${sizeAfter} were said`);
});

test('the target must be free and another file, and a donor must be there and another file', async (t) => {
	const made = await make(t, LZX);
	writeFileSync(made.target, 'mine');
	await assert.rejects(repaired(made.whole, made.target), { code: 'bad-input' });
	assert.equal(readFileSync(made.target, 'latin1'), 'mine');
	await assert.rejects(repaired(made.whole, made.whole), { code: 'bad-input' });
	const other = path.join(made.folder, 'other.wim');
	await assert.rejects(repaired(made.whole, other, { donors: [made.whole] }), {
		code: 'bad-input',
	});
	const absent = path.join(made.folder, 'absent.wim');
	await assert.rejects(repaired(made.whole, other, { donors: [absent] }), { code: 'bad-input' });
	assert.equal(existsSync(other), false);
});

test('a new file that cannot be read back does not get its name', async (t) => {
	const made = await make(t, LZX);
	hurtFile(made.whole, made.hurt, (bytes) => overwrite(bytes, 5));
	const whole = new InlineEncoder();
	let count = 0;
	// As bad memory would have it.
	const hurt = (bytes: Uint8Array) => {
		if (count++ === 0) bytes[5] = (bytes[5] ?? 0) ^ 4;
	};
	const encoder: ChunkEncoder = {
		lanes: 1,
		async encode(request) {
			const reply = await whole.encode(request);
			hurt(reply.bytes);
			return reply;
		},
		async intake(request) {
			const reply = await whole.intake(request);
			hurt(new Uint8Array(request.room));
			return reply;
		},
	};
	const options = { ...USUAL_REPAIR, donors: [made.tree] };
	const bad = { encoder, pool: new InlinePool() };
	await assert.rejects(
		repair(made.hurt, made.target, options, bad, testRun()),
		(error) =>
			error instanceof WimError &&
			error.code === 'bad-digest' &&
			/reading it back/.test(error.message),
	);
	assert.ok(count > 0);
	assert.deepEqual(
		readdirSync(made.folder).filter((name) => name.includes('new.wim')),
		[],
	);
});

test('canceling leaves nothing behind', async (t) => {
	const made = await make(t, LZX);
	const run = testRun();
	run.cancel();
	await assert.rejects(repair(made.whole, made.target, USUAL_REPAIR, repairTools, run), /cancel/i);
	assert.equal(existsSync(made.target), false);
});
