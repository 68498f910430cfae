import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { FormatError, HostError } from '../../source/base/errors.ts';
import { WriteLock } from '../../source/storage/write-lock.ts';
import { EarlyCopy } from '../../source/wim/early-copy.ts';
import { HEADER_SIZE } from '../../source/wim/part-header.ts';
import type { Part } from '../../source/wim/resource.ts';
import { openWim } from '../../source/wim/wim.ts';
import { fixture } from '../support/fixture.ts';
import { tempFolder } from '../support/temp-tree.ts';
import { testRun } from '../support/test-run.ts';

const SOURCE = fixture('demo/install.wim');
const everything = ({ header }: Part) => header.blobTable.offset;

test('copying begins with the header, and goes as far as was asked', async (t) => {
	const target = path.join(tempFolder(t), 'copy.wim');
	await using early = new EarlyCopy(target, everything, testRun());
	await using wim = await openWim(SOURCE, early);
	const { file, ahead } = await early.take();
	await using _file = file;
	const [stretch] = (await ahead?.end()) ?? [];
	const size = (stretch?.end ?? 0) - (stretch?.from ?? 0);
	assert.equal(HEADER_SIZE + size, wim.header.blobTable.offset);
	assert.equal(file.position, wim.header.blobTable.offset);
	const copied = new Uint8Array(size);
	await file.readAt(HEADER_SIZE, copied);
	assert.ok(readFileSync(SOURCE).subarray(HEADER_SIZE, file.position).equals(copied));
});

test('what the header does not ask for is not copied', async (t) => {
	const target = path.join(tempFolder(t), 'copy.wim');
	await using early = new EarlyCopy(target, () => 0, testRun());
	await using _wim = await openWim(SOURCE, early);
	const { file, ahead } = await early.take();
	await using _file = file;
	assert.equal(ahead, null);
	assert.equal(file.position, 0);
});

test('nothing is left when the file cannot be opened after all', async (t) => {
	const folder = tempFolder(t);
	const broken = path.join(folder, 'broken.wim');
	const bytes = readFileSync(SOURCE);
	{
		await using wim = await openWim(SOURCE);
		const { offset, storedSize } = wim.header.xml;
		bytes.fill(0, offset, offset + storedSize);
	}
	writeFileSync(broken, bytes);
	{
		await using early = new EarlyCopy(path.join(folder, 'copy.wim'), everything, testRun());
		await assert.rejects(openWim(broken, early), FormatError);
	}
	assert.deepEqual(readdirSync(folder), ['broken.wim']);
});

test('that somebody else writes the target is told when the file is wanted', async (t) => {
	const target = path.join(tempFolder(t), 'copy.wim');
	await using _lock = await WriteLock.take(target);
	await using early = new EarlyCopy(target, everything, testRun());
	await using _wim = await openWim(SOURCE, early);
	await assert.rejects(early.take(), HostError);
});
