import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import type { Run } from '../../source/base/run.ts';
import { parseUpdateCommand } from '../../source/image/update-commands.ts';
import { append } from '../../source/operations/capture/append.ts';
import { capture } from '../../source/operations/capture/capture.ts';
import { update } from '../../source/operations/capture/update.ts';
import { deleteImages } from '../../source/operations/rewrite/delete.ts';
import { editProperties } from '../../source/operations/rewrite/edit-properties.ts';
import { exportImages } from '../../source/operations/rewrite/export.ts';
import { optimize } from '../../source/operations/rewrite/optimize.ts';
import { undo } from '../../source/operations/rewrite/undo.ts';
import { WriteLock } from '../../source/storage/write-lock.ts';
import { tempFolder } from '../support/temp-tree.ts';
import { testRun } from '../support/test-run.ts';
import {
	captureOptions,
	compressed,
	imageOptions,
	makeTree,
	tools,
	USUAL_EXPORT,
} from '../support/written.ts';

const compression = compressed('xpress');
const dry = { integrity: null, dryRun: true };

interface Place {
	readonly tree: string;
	readonly target: string;
	/** A file to export from. */
	readonly other: string;
}

/** A file whose last change was an edit in place, and another one. */
async function place(t: TestContext): Promise<Place> {
	const top = tempFolder(t);
	const [tree, target, other] = ['tree', 'a.wim', 'b.wim'].map((name) => path.join(top, name)) as [
		string,
		string,
		string,
	];
	makeTree(tree, [{ kind: 'file', parent: 0, name: 'a', seed: 1, size: 5000 }]);
	const source = [{ path: tree, target: '/' }];
	for (const [file, name] of [
		[target, 'one'],
		[other, 'two'],
	] as const)
		await capture(
			source,
			file,
			{ ...captureOptions(''), image: imageOptions(name), compression, integrity: false },
			tools,
			testRun(),
		);
	await editProperties(
		target,
		{ change: null, boot: '1', integrity: null, dryRun: false },
		tools,
		testRun(),
	);
	return { tree, target, other };
}

const VERBS: Readonly<Record<string, (place: Place, run: Run) => Promise<unknown>>> = {
	delete: ({ target }, run) =>
		deleteImages(target, { images: ['1'], soft: false, ...dry }, tools, run),
	'soft delete': ({ target }, run) =>
		deleteImages(target, { images: ['1'], soft: true, ...dry }, tools, run),
	optimize: ({ target }, run) =>
		optimize(target, { recompress: false, pipable: null, compression, ...dry }, tools, run),
	undo: ({ target }, run) => undo(target, { dryRun: true }, run),
	info: ({ target }, run) =>
		editProperties(target, { change: null, boot: '0', ...dry }, tools, run),
	append: ({ tree, target }, run) =>
		append(
			[{ path: tree, target: '/' }],
			target,
			{ image: imageOptions('more'), compression, rebuild: false, pipable: null, ...dry },
			tools,
			run,
		),
	update: ({ target }, run) =>
		update(
			target,
			{
				image: '1',
				commands: [parseUpdateCommand('delete /a')],
				rules: { exclusions: [], exceptions: [] },
				rebuild: false,
				done() {},
				...dry,
			},
			tools,
			run,
		),
	export: ({ target, other }, run) =>
		exportImages(other, target, { ...USUAL_EXPORT, ...dry }, tools, run),
};

/** Everything that could have been changed: names, bytes and times. */
function state(folder: string): unknown {
	return readdirSync(folder)
		.sort()
		.map((name) => {
			const file = path.join(folder, name);
			const { mtimeMs, ino } = statSync(file);
			return name.endsWith('.wim')
				? { name, mtimeMs, ino, bytes: readFileSync(file).toString('latin1') }
				: { name, mtimeMs };
		});
}

for (const [verb, perform] of Object.entries(VERBS)) {
	test(`a dry run of ${verb} leaves an interrupted edit as it is, and says so`, async (t) => {
		const made = await place(t);
		const half = Buffer.concat([readFileSync(made.target), Buffer.alloc(5000, 7)]);
		half.writeUInt32LE(half.readUInt32LE(16) | 0x40, 16);
		writeFileSync(made.target, half);
		const before = state(path.dirname(made.target));
		const run = testRun();
		await perform(made, run);
		assert.deepEqual(run.warnings(), ['An interrupted edit would be taken back first']);
		assert.deepEqual(state(path.dirname(made.target)), before);
	});

	test(`a dry run of ${verb} works beside another writer, whose lock stands`, async (t) => {
		const made = await place(t);
		await using _lock = await WriteLock.take(made.target);
		const before = state(path.dirname(made.target));
		await perform(made, testRun());
		assert.deepEqual(state(path.dirname(made.target)), before);
	});
}
