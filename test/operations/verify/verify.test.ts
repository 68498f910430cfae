import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { type VerifyOptions, verify } from '../../../source/operations/verify/verify.ts';
import { drawMap } from '../../../source/operations/verify/verify-map.ts';
import type {
	CellState,
	Fault,
	VerifyReport,
} from '../../../source/operations/verify/verify-report.ts';
import { MemorySource } from '../../../source/storage/memory-source.ts';
import { openWim } from '../../../source/wim/wim.ts';
import { fixture } from '../../support/fixture.ts';
import { simpleChecker } from '../../support/simple-checker.ts';
import { type TestRun, testRun } from '../../support/test-run.ts';

const ALL: VerifyOptions = { integrity: true, fast: false };

interface Verified {
	readonly report: VerifyReport;
	readonly run: TestRun;
	readonly told: readonly Fault[];
}

async function verified(
	from: string | Uint8Array,
	options: VerifyOptions = ALL,
	references: readonly string[] = [],
): Promise<Verified> {
	const input =
		typeof from === 'string' ? fixture(`vectors/${from}`) : new MemorySource('x.wim', from);
	await using wim = await openWim(input, { tolerant: true, references });
	const run = testRun();
	const told: Fault[] = [];
	const report = await verify(wim, options, simpleChecker, run, (fault) => told.push(fault));
	return { report, run, told };
}

const bytesOf = (name: string) => new Uint8Array(readFileSync(fixture(`vectors/${name}`)));

function flipped(name: string, ...offsets: readonly number[]): Uint8Array {
	const bytes = bytesOf(name);
	for (const offset of offsets) bytes[offset] = (bytes[offset] ?? 0) ^ 0x10;
	return bytes;
}

for (const name of [
	'v01.wim',
	'v02.wim',
	'v03.wim',
	'v04-part.swm',
	'v05.esd',
	'v05b.esd',
	'v06.pwm',
	'v08-ntfs-current.wim',
	'v09.wim',
	'v12-nested.wim',
])
	test(`${name} has no faults, and all of it was checked`, async () => {
		const { report, run } = await verified(name);
		assert.deepEqual(report.faults, []);
		assert.deepEqual(run.problems(), []);
		const { coverage } = report;
		assert.equal(coverage.blobsChecked, coverage.blobs);
		assert.equal(coverage.blobBytesChecked, coverage.blobBytes);
		assert.equal(coverage.imagesRead, coverage.images);
	});

test('a damaged blob names every file of every image that holds it', async () => {
	// The blob of lines.txt: two names in image 1, one in image 2 (vectors README).
	const { report, run } = await verified(flipped('v02.wim', 0x300));
	assert.equal(report.faults.length, 1);
	const [fault] = report.faults;
	assert.equal(fault?.class, 'blob');
	assert.equal(fault?.sha1, '897e3867ade9f24e1fdccdde0cda3d1109d24084');
	assert.deepEqual(fault?.range, { offset: 220, size: 1862 });
	assert.equal(fault?.blobSize, 39600);
	assert.deepEqual(fault?.files, [
		{ image: 1, path: '/hardlink.txt' },
		{ image: 1, path: '/lines.txt' },
		{ image: 2, path: '/lines.txt' },
	]);
	assert.deepEqual(fault?.images, [1, 2]);
	assert.equal(run.problems().length, 1);
	assert.equal(report.coverage.blobsBad, 1);
});

test('a fault is told when it is found, when copies were looked for, and with the files it hits', async () => {
	const { told } = await verified(flipped('v02.wim', 0x300));
	assert.deepEqual(
		told.map(({ id, files }) => [id, files.length]),
		[
			[1, 0],
			[1, 0],
			[1, 3],
		],
	);
});

test('two faults in different images are both found', async () => {
	// The blob of /lines.txt, and the metadata of image 1 at 0x822.
	const { report } = await verified(flipped('v02.wim', 0x300, 0x850));
	const classes = report.faults.map(({ class: name }) => name).sort();
	assert.deepEqual(classes, ['blob', 'metadata']);
	const metadata = report.faults.find(({ class: name }) => name === 'metadata');
	assert.deepEqual(metadata?.images, [1]);
	const blob = report.faults.find(({ class: name }) => name === 'blob');
	assert.ok(blob?.files.some(({ image, path }) => image === 2 && path === '/lines.txt'));
	assert.equal(report.coverage.imagesRead, 1);
});

test('missing blobs of a delta are named with their files, and found with its base', async () => {
	const alone = await verified('v11-delta.wim');
	const faults = alone.report.faults;
	assert.ok(faults.length > 0);
	assert.ok(faults.every((fault) => fault.class === 'missing-blob' && fault.files.length > 0));
	const whole = await verified('v11-delta.wim', ALL, [fixture('vectors/v04-whole.wim')]);
	assert.deepEqual(whole.report.faults, []);
});

test('contents that are damaged in one file and whole in another are said to be', async () => {
	const { report } = await verified(flipped('v02.wim', 0x300), ALL, [fixture('vectors/v02.wim')]);
	assert.deepEqual(report.faults[0]?.copies, [
		{ part: fixture('vectors/v02.wim'), offset: 220, isGood: true },
	]);
	assert.equal(report.faults[0]?.copiesSought, true);
	const alone = (await verified(flipped('v02.wim', 0x300))).report.faults[0];
	assert.deepEqual([alone?.copies, alone?.copiesSought, alone?.storedAs], [[], true, 'LZX']);
});

test('a changed byte in a blob is bad by the integrity table too, one in a hole is stale', async () => {
	// v01 has an integrity table over 0xD0-0x3AF.
	const bad = await verified(flipped('v01.wim', 0xd1));
	assert.deepEqual(bad.report.parts[0]?.integrity, 'bad');
	assert.deepEqual(
		bad.report.faults.map(({ class: name, severity }) => [name, severity]),
		[
			['blob', 'error'],
			['integrity', 'error'],
		],
	);
	const bytes = bytesOf('v01.wim');
	// A blob table entry's reference count: nothing relies on it.
	const view = new DataView(bytes.buffer);
	const table = Number(view.getBigUint64(0x38, true));
	view.setUint32(table + 26, 7, true);
	const stale = await verified(bytes);
	assert.equal(stale.report.parts[0]?.integrity, 'stale');
	assert.deepEqual(
		stale.report.faults.filter(({ severity }) => severity === 'error'),
		[],
	);
	assert.deepEqual(stale.run.problems(), []);
});

test('without --check the integrity table is not read, and nobody claims that it was', async () => {
	const { report } = await verified(flipped('v01.wim', 0xd1), { integrity: false, fast: false });
	assert.equal(report.parts[0]?.integrity, 'unchecked');
	assert.equal(report.coverage.integrityBytes, 0);
	assert.deepEqual(
		report.faults.map(({ class: name }) => name),
		['blob'],
	);
});

test('fast mode reads no blobs and names the files in stretches that differ', async () => {
	const { report } = await verified(flipped('v01.wim', 0xd1), { integrity: true, fast: true });
	assert.equal(report.coverage.blobsChecked, 0);
	assert.equal(report.isFast, true);
	const [fault] = report.faults;
	assert.equal(fault?.class, 'integrity');
	assert.ok((fault?.files.length ?? 0) > 0);
});

/** What verify must find in the malformed vectors; a class may occur more than once. */
const MALFORMED: readonly (readonly [
	name: string,
	classes: readonly Fault['class'][],
	exact?: true,
])[] = [
	['m01-dot-names', ['oddity']],
	['m04-cycle', ['metadata']],
	['m07-stream-count-too-big', ['metadata']],
	['m08-blob-missing', ['missing-blob'], true],
	['m10-raw-size-mismatch', ['blob']],
	['m11-offset-past-end', ['blob']],
	['m12-offset-wraps', ['blob']],
	['m19-wrong-data', ['blob'], true],
	['m20-subdir-past-end', ['metadata']],
	['m21-security-data-too-long', ['metadata']],
	['m22-odd-name-length', ['metadata']],
	['m23-name-past-dentry', ['metadata']],
	['m40-solid-straddle', ['blob']],
	['m42-chunk-table-decreasing', ['blob']],
	['m43-chunk-size-zero', ['blob']],
	['m44-chunk-table-past-end', ['blob']],
	['m45-absurd-original-size', ['blob']],
];

for (const [name, classes, exact] of MALFORMED)
	test(`malformed ${name} is told as ${classes.join(' and ')}`, async () => {
		const { report, run } = await verified(`malformed/${name}.wim`);
		const found = new Set(report.faults.map(({ class: fault }) => fault));
		for (const expected of classes) assert.ok(found.has(expected), [...found].join(' '));
		if (exact) assert.deepEqual([...found], [...classes]);
		const errors = report.faults.filter(({ severity }) => severity === 'error').length;
		assert.equal(run.problems().length, errors, 'what costs data counts as a problem');
	});

test('a report survives being written as JSON', async () => {
	const { report } = await verified(flipped('v02.wim', 0x300, 0x850));
	assert.deepEqual(JSON.parse(JSON.stringify(report)), report);
});

test('broken XML data are one fault, and everything else is checked all the same', async () => {
	// The XML data begin at 3639 (vectors README); the byte order mark stays.
	const { report } = await verified(flipped('v02.wim', 3641));
	const [fault] = report.faults.filter(({ severity }) => severity === 'error');
	assert.equal(fault?.class, 'xml');
	assert.deepEqual(fault?.range, { offset: 3639, size: 1464 });
	assert.equal(report.coverage.imagesRead, 2);
	assert.equal(report.coverage.blobsChecked, 3);
});

test('canceling stops it', async () => {
	await using wim = await openWim(fixture('vectors/v02.wim'), { tolerant: true });
	const run = testRun();
	run.cancel();
	await assert.rejects(verify(wim, ALL, simpleChecker, run), { name: 'CanceledError' });
});

test('the map of a part has no gaps, and shows what is bad', async () => {
	const { report } = await verified(flipped('v02.wim', 0x300));
	const [part] = report.parts;
	const map = part?.map ?? [];
	let at = 0;
	for (const range of map) {
		assert.equal(range.offset, at);
		at += range.size;
	}
	assert.equal(at, part?.size);
	const states = (state: CellState) => map.filter((range) => range.state === state);
	assert.deepEqual(states('bad'), [{ offset: 220, size: 1862, state: 'bad' }]);
	assert.equal(
		states('unreferenced').reduce((sum, { size }) => sum + size, 0),
		0xc82 - 0x8e2,
	);
});

test('a map of any stretches is a row without gaps in which the worst state wins', () => {
	const state = fc.constantFrom<CellState>('bad', 'good', 'structure', 'unchecked');
	const range = fc.record({ offset: fc.nat(60), size: fc.nat(30), state });
	const order: readonly CellState[] = ['unreferenced', 'unchecked', 'good', 'structure', 'bad'];
	fc.assert(
		fc.property(fc.array(range, { maxLength: 12 }), (ranges) => {
			const row = drawMap(64, ranges).flatMap(({ size, state: name }) =>
				new Array<CellState>(size).fill(name),
			);
			const expected = Array.from({ length: 64 }, (_, at) =>
				ranges
					.filter(({ offset, size }) => at >= offset && at < offset + size)
					.map(({ state: name }) => name)
					.reduce<CellState>(
						(worst, name) => (order.indexOf(name) > order.indexOf(worst) ? name : worst),
						'unreferenced',
					),
			);
			assert.deepEqual(row, expected);
		}),
	);
});
