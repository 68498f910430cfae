import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import type { SalvageReport } from '../../../source/operations/salvage/report.ts';
import { salvage } from '../../../source/operations/salvage/salvage.ts';
import { InlinePool } from '../../../source/pool/pool.ts';
import type { TaskInput, TaskName, TaskOutput } from '../../../source/pool/task.ts';
import type { TaskOptions } from '../../../source/pool/task-pool.ts';
import type { Tasks } from '../../../source/pool/tasks.ts';
import { content } from '../../support/contents.ts';
import { blobTable } from '../../support/damage-kit.ts';
import { inlineWriter } from '../../support/inline-writer.ts';

import { captureAs, hurtFile, USUAL_SALVAGE } from '../../support/rescue-kit.ts';
import { subfolder, tempFolder } from '../../support/temp-tree.ts';
import { testRun } from '../../support/test-run.ts';

const NAMES = ['first.bin', 'second.bin', 'third.bin'];
const SIZE = 70_000;

/** Of an entry of the blob table: stored size and flags, offset, original size, part, count, SHA-1. */
const ENTRY_SIZE = 50;
const OFFSET_AT = 8;
const SHA1_AT = 30;

/** Counts the searches for resources that no table names. */
class WatchedPool extends InlinePool {
	searches = 0;
	override run<Name extends TaskName<Tasks>>(
		name: Name,
		input: TaskInput<Tasks, Name>,
		options?: TaskOptions,
	): Promise<TaskOutput<Tasks, Name>> {
		if (name === 'search') this.searches++;
		return super.run(name, input, options);
	}
}

interface Salvaged {
	readonly report: SalvageReport;
	readonly searches: number;
	/** Whether the content came back under its own name. */
	isBack(name: string): boolean;
}

/** Salvages an XPRESS file of contents that do not compress, whose entry of the second is given to `change`. */
async function salvaged(
	t: TestContext,
	change: (bytes: Buffer, entry: number) => void,
): Promise<Salvaged> {
	const folder = tempFolder(t);
	const tree = subfolder(folder, 'tree');
	for (const [k, name] of NAMES.entries())
		writeFileSync(path.join(tree, name), content('random', SIZE, k + 1));
	const file = path.join(folder, 'hurt.wim');
	await captureAs({ name: 'xpress', compression: 'xpress' }, tree, file);
	hurtFile(file, file, (bytes) => {
		const { at, size } = blobTable(bytes);
		const entries = Array.from({ length: size / ENTRY_SIZE }, (_, k) => at + k * ENTRY_SIZE)
			.filter((entry) => bytes.readUIntLE(entry, 6) === SIZE)
			.sort((a, b) => bytes.readUIntLE(a + OFFSET_AT, 6) - bytes.readUIntLE(b + OFFSET_AT, 6));
		assert.equal(entries.length, NAMES.length);
		change(bytes, entries[1] ?? 0);
	});
	const out = path.join(folder, 'out');
	const pool = new WatchedPool();
	const report = await salvage(file, out, inlineWriter, USUAL_SALVAGE, testRun(), pool);
	const isBack = (name: string) =>
		report.lost.every((one) => path.basename(one.path) !== name) &&
		readFileSync(path.join(out, name)).equals(readFileSync(path.join(tree, name)));
	return { report, searches: pool.searches, isBack };
}

test('a raw content that is hurt at a place that is sure is not searched for there', async (t) => {
	const { report, searches } = await salvaged(t, (bytes, entry) => {
		const hurt = bytes.readUIntLE(entry + OFFSET_AT, 6) + 1000;
		bytes.writeUInt16LE(bytes.readUInt16LE(hurt) ^ 0xaa55, hurt);
	});
	assert.equal(report.images[0]?.partialCount, 1);
	assert.equal(searches, 0);
});

test('one whose entry has a wrong SHA-1 is', async (t) => {
	const { searches, isBack } = await salvaged(t, (bytes, entry) => {
		bytes.writeUInt8(bytes.readUInt8(entry + SHA1_AT) ^ 1, entry + SHA1_AT);
	});
	assert.ok(searches > 0);
	for (const name of NAMES) assert.ok(isBack(name), name);
});

test('one whose entry has a wrong offset is', async (t) => {
	const { searches, isBack } = await salvaged(t, (bytes, entry) => {
		const offset = bytes.readUIntLE(entry + OFFSET_AT, 6);
		bytes.writeUIntLE(offset ^ 0x100, entry + OFFSET_AT, 6);
	});
	assert.ok(searches > 0);
	for (const name of NAMES) assert.ok(isBack(name), name);
});

test('one whose place two entries claim is', async (t) => {
	const { searches } = await salvaged(t, (bytes, entry) => {
		const hurt = bytes.readUIntLE(entry + OFFSET_AT, 6) + 1000;
		bytes.writeUInt16LE(bytes.readUInt16LE(hurt) ^ 0xaa55, hurt);
		// The entry of another content, now unknown, says that it lies in the same place.
		bytes.copyWithin(entry + ENTRY_SIZE, entry, entry + SHA1_AT);
	});
	assert.ok(searches > 0);
});
