/** Each structure of each format is hurt, and what verify says of it is checked. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { append } from '../../../source/operations/capture/append.ts';
import { split } from '../../../source/operations/rewrite/split.ts';
import { openForVerify } from '../../../source/operations/verify/open-for-verify.ts';
import { poolBlobChecker } from '../../../source/operations/verify/pool-blob-checker.ts';
import { verify } from '../../../source/operations/verify/verify.ts';
import type { Fault, VerifyReport } from '../../../source/operations/verify/verify-report.ts';
import { InlinePool } from '../../../source/pool/pool.ts';
import { hurtFile, placesOf, RESCUE_FORMATS, rescueFiles } from '../../support/rescue-kit.ts';
import { subfolder } from '../../support/temp-tree.ts';
import { testRun } from '../../support/test-run.ts';
import { captureOptions, tools } from '../../support/written.ts';

const pool = new InlinePool();
const checker = poolBlobChecker(pool);

async function verified(file: string, fast = false): Promise<VerifyReport> {
	const run = testRun();
	await using opened = await openForVerify(file, [], pool, run);
	const { wim, failure } = opened;
	return await verify(wim, { integrity: true, fast, failure }, checker, run);
}

/** The header that counts. */
const headerOf = (bytes: Buffer) =>
	bytes.toString('latin1', 0, 5) === 'WLPWM' ? bytes.length - 208 : 0;
const tableOf = (bytes: Buffer, field: number) =>
	Number(bytes.readBigUInt64LE(headerOf(bytes) + field + 8));
const flip = (bytes: Buffer, at: number, mask = 0x10) => {
	bytes[at] = (bytes[at] ?? 0) ^ mask;
};

/** Ways to hurt a structure, and a class of fault that must be told. */
const STRUCTURES: readonly (readonly [
	what: string,
	expected: Fault['class'],
	hurt: (bytes: Buffer) => void,
])[] = [
	['the magic', 'header', (bytes) => flip(bytes, headerOf(bytes) + 1)],
	['the version', 'header', (bytes) => flip(bytes, headerOf(bytes) + 14)],
	['the chunk size', 'header', (bytes) => bytes.writeUInt32LE(12_345, headerOf(bytes) + 20)],
	['unknown flags', 'header', (bytes) => flip(bytes, headerOf(bytes) + 19, 0x40)],
	['the flag of a part set', 'header', (bytes) => flip(bytes, headerOf(bytes) + 16, 0x08)],
	[
		'a second compression',
		'header',
		(bytes) => {
			bytes[headerOf(bytes) + 18] = (bytes[headerOf(bytes) + 18] ?? 0) | 0x0e;
		},
	],
	['a reserved byte', 'header', (bytes) => flip(bytes, headerOf(bytes) + 200)],
	['the flags of the XML data', 'header', (bytes) => flip(bytes, headerOf(bytes) + 79)],
	['the image count', 'blob-table', (bytes) => bytes.writeUInt32LE(3, headerOf(bytes) + 44)],
	['the place of the blob table', 'header', (bytes) => flip(bytes, headerOf(bytes) + 0x38, 0x08)],
	['the place of the XML data', 'xml', (bytes) => flip(bytes, headerOf(bytes) + 0x50, 0x08)],
	['the size of the XML data', 'header', (bytes) => flip(bytes, headerOf(bytes) + 0x48, 0x08)],
	['the XML data', 'xml', (bytes) => flip(bytes, tableOf(bytes, 0x48) + 4)],
	['the SHA-1 in an entry', 'missing-blob', (bytes) => flip(bytes, tableOf(bytes, 0x30) + 85)],
	['the offset in an entry', 'blob', (bytes) => flip(bytes, tableOf(bytes, 0x30) + 50 + 9)],
	[
		'the size of the integrity table',
		'integrity-table',
		(bytes) => flip(bytes, tableOf(bytes, 0x7c)),
	],
	[
		'a SHA-1 in the integrity table',
		'integrity',
		(bytes) => flip(bytes, tableOf(bytes, 0x7c) + 15),
	],
];

for (const format of RESCUE_FORMATS)
	test(`${format.name}: damage to each structure is told by its name`, async (t) => {
		const { whole, hurt } = await rescueFiles(t, format);
		const clean = await verified(whole);
		assert.deepEqual(clean.faults, []);
		for (const [what, expected, damage] of STRUCTURES) {
			// In a solid file the first entries are the resource itself and blobs with offsets inside it.
			if (format.solid && what.endsWith('in an entry')) continue;
			if (
				format.compression === 'none' &&
				['the chunk size', 'a second compression'].includes(what)
			)
				continue;
			hurtFile(whole, hurt, damage);
			const { faults } = await verified(hurt);
			const classes = faults.map((fault) => fault.class);
			assert.ok(classes.includes(expected), `${what}: ${classes.join(' ')}`);
			assert.ok(
				faults.every(({ part, range }) => part === null || range !== null || part === hurt),
				what,
			);
		}
	});

test('a file without a usable header is verified all the same, by what searching finds', async (t) => {
	const { whole, hurt } = await rescueFiles(t, { name: 'lzx', compression: 'lzx' });
	const place = (await placesOf(whole)).get('metadata 1');
	assert.ok(place);
	hurtFile(whole, hurt, (bytes) => {
		bytes.fill(0, 0, 208);
		flip(bytes, 300);
	});
	const report = await verified(hurt);
	assert.deepEqual(
		report.faults.map((fault) => [fault.class, fault.severity]),
		[
			['header', 'error'],
			['blob', 'error'],
		],
	);
	assert.equal(report.coverage.imagesRead, 1);
	assert.ok((report.faults[1]?.files.length ?? 0) > 0);
});

test('pipable: damage that only a reader from a pipe meets is told as such', async (t) => {
	const { whole, hurt } = await rescueFiles(t, {
		name: 'pipable',
		compression: 'lzx',
		pipable: true,
	});
	const bytes = readFileSync(whole);
	const place = (await placesOf(whole)).get('metadata 1');
	assert.ok(place);
	const spots: readonly (readonly [string, number])[] = [
		['leading header', 45],
		['leading XML data', 208 + 40 + 20],
		['header of the leading XML data', 208 + 20],
		['header before a resource', place.offset - 30],
		['size before a chunk', place.offset],
		['header before the blob table', tableOf(bytes, 0x30) - 10],
	];
	for (const [what, at] of spots) {
		hurtFile(whole, hurt, (copy) => flip(copy, at, 0x01));
		const report = await verified(hurt);
		const [fault] = report.faults;
		assert.equal(fault?.class, 'pipable', what);
		assert.equal(report.coverage.blobsBad, 0, what);
		// The integrity table begins behind the header.
		assert.equal(report.parts[0]?.integrity, at < 208 ? 'good' : 'bad', what);
		const range = fault.range ?? { offset: 0, size: 0 };
		assert.ok(at >= range.offset && at < range.offset + range.size, `${what}: ${range.offset}`);
	}
});

for (const format of RESCUE_FORMATS)
	test(`${format.name}: damaged chunks are told with what of the contents is lost`, async (t) => {
		const { whole, hurt } = await rescueFiles(t, format);
		const places = [...(await placesOf(whole))].filter(([name]) => !name.startsWith('metadata'));
		const [, largest] = places.reduce((a, b) => (b[1].size > a[1].size ? b : a));
		const at = largest.offset + Math.floor(largest.size / 2);
		hurtFile(whole, hurt, (bytes) => void bytes.fill(0xff, at, at + 300));
		const { faults, coverage, parts } = await verified(hurt);
		const blobs = faults.filter((fault) => fault.class === 'blob');
		assert.ok(blobs.length > 0);
		assert.equal(coverage.blobsBad, blobs.length);
		for (const { files, blobSize, lost, range } of blobs) {
			assert.ok(files.length > 0);
			assert.ok(range !== null && range.offset <= at && range.offset + range.size > at);
			for (const stretch of lost ?? []) assert.ok(stretch.offset + stretch.size <= (blobSize ?? 0));
		}
		const [integrity] = faults.filter((fault) => fault.class === 'integrity');
		assert.equal(integrity?.severity, 'error');
		assert.match(integrity.notes.join(' '), /^In it: faults? [\d, -]+\.$/);
		assert.equal(parts[0]?.integrity, 'bad');
	});

test('damaged metadata is told with what can still be recognised in it', async (t) => {
	const { whole, hurt } = await rescueFiles(t, { name: 'none', compression: 'none' });
	const place = (await placesOf(whole)).get('metadata 1');
	assert.ok(place);
	// The lengths of some entries: the tree cannot be followed any more.
	hurtFile(
		whole,
		hurt,
		(bytes) =>
			void bytes.fill(0, place.offset + place.size / 2, place.offset + place.size / 2 + 240),
	);
	const { faults } = await verified(hurt);
	const metadata = faults.filter((fault) => fault.class === 'metadata');
	assert.ok(metadata.length > 0);
	assert.deepEqual(metadata[0]?.images, [1]);
});

test('the parts of a set that are not there count in the coverage, not as checked', async (t) => {
	const { whole } = await rescueFiles(t, { name: 'xpress', compression: 'xpress' });
	const first = path.join(path.dirname(whole), 'set.swm');
	const options = { partSize: 120_000, integrity: false, dryRun: false };
	const { parts } = await split(whole, first, options, tools, testRun());
	writeFileSync(parts[1]?.path ?? '', '');
	const report = await verified(first);
	assert.equal(report.parts.length, parts.length - 1);
	const missing = report.faults.filter((fault) => fault.class === 'missing-part');
	assert.equal(missing.length, 1);
	const blobs = report.faults.filter((fault) => fault.class === 'missing-blob');
	assert.ok(blobs.length > 0 && blobs.every(({ files }) => files.length > 0));
	assert.ok(report.coverage.blobsChecked === report.coverage.blobs);
});

test('a count in the blob table that the images contradict is not called a stale integrity table', async (t) => {
	const { whole, hurt } = await rescueFiles(t, { name: 'xpress', compression: 'xpress' });
	const entry = (bytes: Buffer) => tableOf(bytes, 0x30) + 2 * 50;
	hurtFile(whole, hurt, (bytes) => flip(bytes, entry(bytes) + 26));
	const { faults, parts, coverage } = await verified(hurt);
	assert.deepEqual(
		faults.map(({ class: name, severity }) => [name, severity]),
		[
			['blob-table', 'error'],
			['integrity', 'error'],
		],
	);
	assert.match(faults[0]?.message ?? '', /1 reference count: [0-9a-f]{40} is said to be used/);
	assert.deepEqual(faults[1]?.notes, ['In it: fault 1.']);
	assert.equal(parts[0]?.integrity, 'bad');
	assert.equal(coverage.blobsBad, 0);
});

test('an older blob table found by searching does not make the integrity table stale', async (t) => {
	const { whole, hurt } = await rescueFiles(t, { name: 'xpress', compression: 'xpress' });
	const tree = subfolder(path.dirname(whole), 'more');
	writeFileSync(path.join(tree, 'second.txt'), 'what only the second image has');
	const options = captureOptions('Second', { integrity: true });
	await append(
		[{ path: tree, target: '/' }],
		whole,
		{ ...options, rebuild: false },
		tools,
		testRun(),
	);
	hurtFile(whole, hurt, (bytes) => {
		const at = tableOf(bytes, 0x30);
		bytes.fill(0, at, at + Number(bytes.readBigUInt64LE(0x30) & 0xff_ffff_ffff_ffffn));
	});
	const { faults, parts, coverage } = await verified(hurt);
	assert.ok(faults.some((fault) => fault.class === 'blob-table'));
	assert.ok(parts.every(({ integrity }) => integrity !== 'stale' && integrity !== 'good'));
	assert.equal(coverage.images, 2);
	assert.equal(coverage.imagesRead, 1);
});
