import assert from 'node:assert/strict';
import { readFileSync, statSync, truncateSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { FileSource } from '../../source/storage/file-source.ts';
import { MemorySource } from '../../source/storage/memory-source.ts';
import { hadIntegrityTable } from '../../source/wim/recover/had-integrity-table.ts';
import { surveyPart } from '../../source/wim/recover/survey.ts';
import { openWim } from '../../source/wim/wim.ts';
import { HEADER_SIZE, xmlData } from '../support/damage-kit.ts';
import { captureAs, hurtFile, rescueTree } from '../support/rescue-kit.ts';
import { subfolder, tempFolder } from '../support/temp-tree.ts';
import { testRun } from '../support/test-run.ts';

async function made(t: Parameters<typeof tempFolder>[0]): Promise<{ whole: string; hurt: string }> {
	const folder = tempFolder(t);
	const tree = subfolder(folder, 'tree');
	rescueTree(tree);
	const whole = path.join(folder, 'whole.wim');
	await captureAs({ name: 'lzx', compression: 'lzx' }, tree, whole);
	return { whole, hurt: path.join(folder, 'hurt.wim') };
}

test('a file that is cut inside its XML data is told to be cut, not to have a damaged header', async (t) => {
	const { whole, hurt } = await made(t);
	hurtFile(whole, hurt, () => {});
	const end = xmlData(readFileSync(whole)).at + 100;
	truncateSync(hurt, end);
	const missing = statSync(whole).size - end;
	await using source = await FileSource.open(hurt);
	const { findings } = await surveyPart(source, false, testRun());
	assert.match(findings.join('\n'), new RegExp(`cut short: .*, ${missing} are missing`));
	assert.doesNotMatch(findings.join('\n'), /header is damaged/);
});

test('without its header a part had an integrity table if one stands behind the XML data', async (t) => {
	const { whole, hurt } = await made(t);
	hurtFile(whole, hurt, (bytes) => bytes.fill(0, 0, HEADER_SIZE));
	{
		await using source = await FileSource.open(hurt);
		assert.equal(await hadIntegrityTable(await surveyPart(source, true, testRun())), true);
	}
	await using wim = await openWim(whole);
	const integrity = wim.parts[0]?.header.integrity ?? assert.fail();
	assert.ok(integrity.offset > 0);
	truncateSync(hurt, integrity.offset);
	await using source = await FileSource.open(hurt);
	assert.equal(await hadIntegrityTable(await surveyPart(source, true, testRun())), false);
});

test('a file is looked through in small pieces, and a table that several of them hold is one', async () => {
	const count = 50_000;
	const offset = (3 << 20) + 17;
	const bytes = Buffer.alloc(offset + 50 * count + (3 << 20));
	for (let k = 0; k < count; k++) {
		const at = offset + 50 * k;
		// Raw contents of 8 bytes, one behind the other.
		bytes.writeUInt32LE(8, at);
		bytes.writeUInt32LE(HEADER_SIZE + 8 * k, at + 8);
		bytes.writeUInt32LE(8, at + 16);
		bytes.writeUInt16LE(1, at + 24);
		bytes.writeUInt32LE(1, at + 26);
		bytes.writeUInt32LE(k + 1, at + 30);
		bytes.writeUInt32LE(0x0102_0304, at + 46);
	}
	const run = testRun();
	const survey = await surveyPart(new MemorySource('hurt', bytes), true, run);
	const entries = survey.generations.flatMap(({ table }) => table.entries);
	assert.equal(entries.length, count);
	const steps = run.events.flatMap((event) => (event.type === 'advance' ? [event.bytes] : []));
	assert.ok(Math.max(...steps) <= 2 << 20, `${Math.max(...steps)} bytes at once`);
	assert.equal(
		steps.reduce((sum, size) => sum + size, 0),
		bytes.length,
	);
});

test('what fell out of a file is not looked through, however much the tables say it was', async () => {
	const end = 2 ** 44;
	let reads = 0;
	const source = {
		name: 'far',
		size: end + 1000,
		holes: [{ start: 300, end }],
		async read(_offset: number, into: Uint8Array) {
			reads++;
			assert.ok(reads < 100, 'the hole is read');
			return into.fill(0).length;
		},
		share: () => null,
		async [Symbol.asyncDispose]() {},
	};
	const run = testRun();
	assert.equal((await surveyPart(source, true, run)).isScanned, true);
	const steps = run.events.flatMap((event) => (event.type === 'advance' ? [event.bytes] : []));
	assert.equal(
		steps.reduce((sum, size) => sum + size, 0),
		source.size,
	);
});

test('beginnings of XML data without an end are not read on and on', async () => {
	const start = [0xff, 0xfe, ...Buffer.from('<WIM>', 'utf16le')];
	const bytes = Uint8Array.from({ length: 12 << 20 }, (_, k) => start[k % start.length] ?? 0);
	class Counted extends MemorySource {
		wanted = 0;
		override async read(offset: number, into: Uint8Array): Promise<number> {
			this.wanted += into.length;
			assert.ok(this.wanted < 2 ** 31, 'too much is read');
			return super.read(offset, into);
		}
	}
	const survey = await surveyPart(new Counted('starts', bytes), true, testRun());
	assert.deepEqual(survey.xmls, []);
});
