import assert from 'node:assert/strict';
import { copyFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { FormatError, HostError, InputError } from '../../source/base/errors.ts';
import { FileSource } from '../../source/storage/file-source.ts';
import { NewFile } from '../../source/storage/output-file.ts';
import { WriteLock } from '../../source/storage/write-lock.ts';
import { HeadStart } from '../../source/wim/copy-resources.ts';
import { EarlyCopy } from '../../source/wim/early-copy.ts';
import { HEADER_SIZE, HeaderFlag, PartHeader } from '../../source/wim/part-header.ts';
import type { Part } from '../../source/wim/resource.ts';
import { openWim } from '../../source/wim/wim.ts';
import { EditableWim } from '../../source/wim/write-session.ts';
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

test('a file that is to be replaced is copied under its own lock, which outlives the copy', async (t) => {
	const folder = tempFolder(t);
	const target = path.join(folder, 'edited.wim');
	copyFileSync(SOURCE, target);
	{
		await using edited = await EditableWim.open(target, testRun(), false, everything);
		await assert.rejects(WriteLock.take(target), HostError);
		const { early } = edited;
		assert.ok(early);
		const { file, ahead } = await early.take();
		await using _file = file;
		await ahead?.end();
		assert.equal(file.position, edited.wim.header.blobTable.offset);
	}
	assert.deepEqual(readdirSync(folder), ['edited.wim']);
	assert.deepEqual(readFileSync(target), readFileSync(SOURCE));
});

test('of a file that must not be changed no copy is left', async (t) => {
	const folder = tempFolder(t);
	const target = path.join(folder, 'marked.wim');
	const bytes = readFileSync(SOURCE);
	const { flags } = PartHeader.offsets;
	bytes.writeUInt32LE(bytes.readUInt32LE(flags) | HeaderFlag.readonly, flags);
	writeFileSync(target, bytes);
	await assert.rejects(EditableWim.open(target, testRun(), false, everything), InputError);
	assert.deepEqual(readdirSync(folder), ['marked.wim']);
	assert.deepEqual(readFileSync(target), bytes);
});

test('opening goes on when copying has begun, or cannot begin', async (t) => {
	const target = path.join(tempFolder(t), 'copy.wim');
	await using file = await NewFile.create(target);
	await using wim = await openWim(SOURCE);
	const { offset } = wim.header.blobTable;
	await file.append(new Uint8Array(HEADER_SIZE));
	const ahead = new HeadStart(file, wim.first, HEADER_SIZE, offset, testRun());
	await ahead.hasBegun;
	await ahead.isDone;
	assert.equal(file.position, offset);
	const nowhere = {
		...wim.first,
		source: { ...wim.first.source, read: () => Promise.reject(new Error('gone')) },
	};
	const failed = new HeadStart(file, nowhere, HEADER_SIZE, offset, testRun());
	await failed.hasBegun;
	assert.deepEqual(
		(await failed.end()).map(({ from, end }) => end - from),
		[0],
	);
});

test('tables are read while whoever asked for the header is at work with it', async () => {
	const source = await FileSource.open(SOURCE);
	const { read } = source;
	const asked = new Set<number>();
	let tell = () => {};
	source.read = (offset, into) => {
		asked.add(offset);
		tell();
		return read.call(source, offset, into);
	};
	const isAsked = (offset: number) =>
		new Promise<void>((resolve) => {
			tell = () => asked.has(offset) && resolve();
			tell();
		});
	await using wim = await openWim(source, {
		async onHeader({ header }) {
			await isAsked(header.xml.offset);
			await isAsked(header.blobTable.offset);
		},
	});
	assert.ok(wim.images.length > 0);
});
