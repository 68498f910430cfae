import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { WimError } from '../../../source/base/errors.ts';
import { openDamaged } from '../../../source/operations/salvage/open-damaged.ts';
import { salvage } from '../../../source/operations/salvage/salvage.ts';
import { openForVerify } from '../../../source/operations/verify/open-for-verify.ts';
import { InlinePool } from '../../../source/pool/pool.ts';
import { RecoveryTools } from '../../../source/wim/recover/recovery-tools.ts';
import { MOVED } from '../../support/damage-cases.ts';
import { makeSpecimen } from '../../support/damage-formats.ts';
import { blobTable, metadataPlaces } from '../../support/damage-kit.ts';
import { salvageHurt } from '../../support/damage-run.ts';
import { inlineWriter } from '../../support/inline-writer.ts';
import { oracle } from '../../support/oracles.ts';
import { USUAL_SALVAGE } from '../../support/rescue-kit.ts';
import { tempFolder } from '../../support/temp-tree.ts';
import { testRun } from '../../support/test-run.ts';

const needsWimlib = oracle('wimlib-imagex');

for (const format of ['none', 'LZX', 'split LZX', 'pipable LZX', 'appended XPRESS'])
	test(`what a transfer moved comes back: ${format}`, needsWimlib, async (t) => {
		const folder = tempFolder(t);
		const specimen = makeSpecimen(format, folder);
		const failures: string[] = [];
		for (const damage of MOVED) {
			const { broken, report } = await salvageHurt(specimen, damage, 1, folder);
			failures.push(...broken.map((promise) => `${damage.name}: ${promise}`));
			if (
				report?.images.some(({ wholeCount }) => wholeCount > 0) !== true &&
				report?.unnamed.length === 0
			)
				failures.push(`${damage.name}: nothing came back`);
		}
		assert.deepEqual(failures, []);
	});

test('a file of which a transfer took the highest bits says so', needsWimlib, async (t) => {
	const folder = tempFolder(t);
	const { files } = makeSpecimen('LZX', folder);
	const file = path.join(folder, 'seven.wim');
	writeFileSync(file, files.get('whole.wim')?.map((byte) => byte & 0x7f) ?? '');
	const run = testRun();
	const report = await salvage(file, path.join(folder, 'out'), inlineWriter, USUAL_SALVAGE, run);
	assert.match(report.findings.join('\n'), /highest bit/);
	// Of half of it nothing is left that could be checked.
	const half = path.join(folder, 'half.wim');
	const bytes = readFileSync(file);
	writeFileSync(half, bytes.subarray(0, bytes.length / 2));
	await assert.rejects(
		async () => openForVerify(half, [], new InlinePool(), run),
		(error: WimError) => error.code === 'bad-format' && /highest bit/.test(error.facts.hint ?? ''),
	);
});

test('an entry that calls contents compressed in a file that is not', needsWimlib, async (t) => {
	const folder = tempFolder(t);
	const { images } = makeSpecimen('none', folder);
	const file = path.join(folder, 'whole.wim');
	const bytes = readFileSync(file);
	const { at } = blobTable(bytes);
	// The second entry is one of contents. Header and tree go, so that nothing but the table tells.
	bytes[at + 50 + 7] = 0x04;
	bytes.writeUInt32LE(bytes.readUInt32LE(at + 50 + 16) + 1, at + 50 + 16);
	for (const { at: start, size } of metadataPlaces(bytes)) bytes.fill(0, start, start + size);
	bytes.fill(0, 0, 208);
	writeFileSync(file, bytes);
	const run = testRun();
	const tools = new RecoveryTools(new InlinePool(), run);
	await using damaged = await openDamaged(file, [], true, tools, run);
	const blobs = [...damaged.candidates.values()].flat();
	assert.ok(blobs.length > 30);
	// A lane that was to read such contents ended with a defect.
	assert.ok(blobs.every(({ resource }) => resource.layout === 'raw' || resource.chunkSize > 0));
	const target = path.join(folder, 'out');
	const report = await salvage(file, target, inlineWriter, USUAL_SALVAGE, run);
	const names = new Set(images[0]?.contents.values());
	const saved = report.unnamed.filter(({ sha1 }) => names.has(sha1));
	// All but the empty one and that of the entry, which is among the raw bytes.
	assert.equal(saved.length, names.size - 2);
});

test(
	'a part of another set in place of one is told, and that the right one is missing',
	needsWimlib,
	async (t) => {
		const folder = tempFolder(t);
		const make = (name: string) => {
			const home = path.join(folder, name);
			mkdirSync(home);
			return makeSpecimen(name === 'own' ? 'split LZX' : 'split LZMS', home);
		};
		const own = make('own');
		const other = make('other');
		const second = path.join(folder, 'own', 'set2.swm');
		writeFileSync(second, other.files.get('set2.swm') ?? '');
		const first = path.join(folder, 'own', 'set.swm');
		const target = path.join(folder, 'out');
		const report = await salvage(first, target, inlineWriter, USUAL_SALVAGE, testRun());
		const findings = report.findings.join('\n');
		assert.match(findings, /set2\.swm is a part of another set/);
		assert.match(findings, /1 part of the set missing: 2/);
		assert.ok(own.files.size > 2);
		// The other set holds the same contents, though not compressed in the same way: they are as good.
		assert.ok(report.images.every(({ wholeCount }) => wholeCount > 0));
	},
);
