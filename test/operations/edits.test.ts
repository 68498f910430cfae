import assert from 'node:assert/strict';
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { InputError, MissingError } from '../../source/base/errors.ts';
import { parseUpdateCommand } from '../../source/image/update-commands.ts';
import { append } from '../../source/operations/capture/append.ts';
import { capture } from '../../source/operations/capture/capture.ts';
import { type UpdateOptions, update } from '../../source/operations/capture/update.ts';
import { diff } from '../../source/operations/diff/diff.ts';
import { deleteImages } from '../../source/operations/rewrite/delete.ts';
import { editProperties } from '../../source/operations/rewrite/edit-properties.ts';
import { exportImages } from '../../source/operations/rewrite/export.ts';
import { join } from '../../source/operations/rewrite/join.ts';
import { optimize } from '../../source/operations/rewrite/optimize.ts';
import { split } from '../../source/operations/rewrite/split.ts';
import { undo } from '../../source/operations/rewrite/undo.ts';
import { openWim } from '../../source/wim/wim.ts';
import { oracle, runOracle } from '../support/oracles.ts';
import { listTree, tempFolder } from '../support/temp-tree.ts';
import { testRun } from '../support/test-run.ts';
import {
	captureOptions,
	compressed,
	imageOptions,
	inFolder,
	listImages,
	makeTree,
	miscount,
	type TreeItem,
	tools,
	treeItems,
	USUAL_EXPORT,
	xmlOf,
} from '../support/written.ts';

const compression = compressed('xpress');
const same = { integrity: null, dryRun: false };
const file = (name: string, size = 5000, seed = 1): TreeItem => ({
	kind: 'file',
	parent: 0,
	name,
	seed,
	size,
});
const folder = (name: string): TreeItem => ({ kind: 'folder', parent: 0, name, seed: 0, size: 0 });

function updateOptions(
	commands: readonly string[],
	more: Partial<UpdateOptions> = {},
): UpdateOptions {
	return {
		image: '1',
		commands: commands.map((line) => parseUpdateCommand(line)),
		rules: { exclusions: [], exceptions: [] },
		rebuild: false,
		done() {},
		...same,
		...more,
	};
}

/** One step of a random history: which verb, and which image or tree it is about. */
const step = fc.record({
	verb: fc.constantFrom(
		'append',
		'append',
		'rebuilt append',
		'delete',
		'soft delete',
		'rename',
		'optimize',
		'export into',
		'undo',
		'update',
		'update all',
	),
	which: fc.nat(5),
});

test(
	'after any history of edits the file holds what a plain list of trees says',
	oracle('wimlib-imagex'),
	async () => {
		await fc.assert(
			fc.asyncProperty(
				fc.array(treeItems, { minLength: 3, maxLength: 3 }),
				fc.array(step, { minLength: 1, maxLength: 8 }),
				fc.boolean(),
				(trees, steps, integrity) =>
					inFolder(async (top) => {
						const target = path.join(top, 't.wim');
						const run = testRun();
						const sources = trees.map((items, k) => {
							makeTree(path.join(top, `tree${k}`), items);
							return path.join(top, `tree${k}`);
						});
						const lists = sources.map((source) => listTree(source));
						let count = 0;
						const named = () => imageOptions(`image ${++count}`);
						const at = (which: number) => ({ path: sources[which % 3] ?? '', target: '/' });
						await capture(
							[at(0)],
							target,
							{ ...captureOptions(''), image: named(), compression, integrity },
							tools,
							run,
						);
						let model = [lists[0]];
						/** What `undo` brings back; null when the last change was no edit in place. */
						let former: typeof model | null = null;
						for (const { verb, which } of steps) {
							const index = (which % Math.max(1, model.length)) + 1;
							const before = [...model];
							let isInPlace = false;
							if (verb === 'append' || verb === 'rebuilt append') {
								const rebuild = verb !== 'append';
								await append(
									[at(which)],
									target,
									{ image: named(), compression, rebuild, pipable: null, ...same },
									tools,
									run,
								);
								model.push(lists[which % 3]);
								isInPlace = !rebuild;
							} else if (verb === 'delete' || verb === 'soft delete') {
								if (model.length === 0) continue;
								const soft = verb !== 'delete';
								await deleteImages(target, { images: [String(index)], soft, ...same }, tools, run);
								model = model.filter((_, k) => k !== index - 1);
								isInPlace = soft;
							} else if (verb === 'rename') {
								if (model.length === 0) continue;
								const change = {
									image: String(index),
									name: `image ${++count}`,
									description: 'x',
									properties: [],
								};
								await editProperties(target, { change, boot: String(index), ...same }, tools, run);
								isInPlace = true;
							} else if (verb === 'optimize') {
								const options = {
									compression: compressed(which % 2 === 0 ? 'xpress' : 'lzx'),
									pipable: null,
								};
								await optimize(
									target,
									{ ...options, compression, recompress: which % 3 === 0, ...same },
									tools,
									run,
								);
							} else if (verb === 'export into') {
								const other = path.join(top, 'other.wim');
								rmSync(other, { force: true });
								await capture(
									[at(which)],
									other,
									{ ...captureOptions(''), image: named() },
									tools,
									run,
								);
								await exportImages(other, target, USUAL_EXPORT, tools, run);
								model.push(lists[which % 3]);
								isInPlace = true;
							} else if (verb === 'update') {
								if (model.length === 0) continue;
								const commands = ['delete --recursive /', `add ${at(which).path} /`];
								await update(target, updateOptions(commands, { image: String(index) }), tools, run);
								model[index - 1] = lists[which % 3];
								isInPlace = true;
							} else if (verb === 'update all') {
								const commands = model.flatMap((_, k) => [
									`image ${model.length - k}`,
									'delete --recursive /',
									`add ${at(which + k).path} /`,
								]);
								if (model.length === 0) continue;
								const rebuild = which % 2 === 1;
								await update(target, updateOptions(commands, { image: null, rebuild }), tools, run);
								model = model.map((_, k) => lists[(which + model.length - 1 - k) % 3]);
								isInPlace = !rebuild;
							} else if (former !== null) {
								await undo(target, { dryRun: false }, run);
								model = former;
								former = null;
								assert.deepEqual(await listImages(target), model);
								assert.equal(await miscount(target), null, verb);
								continue;
							} else continue;
							former = isInPlace ? before : null;
							assert.deepEqual(await listImages(target), model, verb);
							assert.equal(await miscount(target), null, verb);
						}
						runOracle('wimlib-imagex', 'verify', target);
						await using wim = await openWim(target);
						assert.equal(wim.header.integrity.offset !== 0, integrity);
						assert.deepEqual(wim.warnings, []);
					}),
			),
			{ numRuns: 25 },
		);
	},
);

async function oneImage(top: string, items: readonly TreeItem[], boot = false): Promise<string> {
	const target = path.join(top, 't.wim');
	makeTree(path.join(top, 'one'), items);
	const image = imageOptions('one', { boot });
	const options = { ...captureOptions('one'), image, compression };
	await capture([{ path: path.join(top, 'one'), target: '/' }], target, options, tools, testRun());
	return target;
}

test('of several commands all count or none', async (t) => {
	const top = tempFolder(t);
	const target = await oneImage(top, [file('a'), folder('d')]);
	const before = readFileSync(target);
	for (const [commands, message] of [
		[['delete /a', 'delete /nope'], /Cannot delete "\/nope"/],
		[['rename /a /b', 'rename /a /c'], /Cannot rename "\/a" to "\/c": there is no such path/],
		[['delete /a', `add ${top}/missing /x`], /Cannot scan/],
		[[`add ${top}/one /a`], /Cannot put a folder at "\/a"/],
		[[`add ${top}/one/a /d`], /Cannot put a file at "\/d"/],
		[[`add ${top}/one/a /`], /Cannot put a file at "\/"/],
		[[`add --no-replace ${top}/one/a /a`], /there is one already/],
		[['delete /'], /it is a folder/],
		[['rename /d /d/e'], /cannot be moved below itself/],
	] as const) {
		await assert.rejects(update(target, updateOptions(commands), tools, testRun()), (error) => {
			assert.ok(error instanceof InputError);
			assert.match(error.message, message);
			return true;
		});
		assert.ok(readFileSync(target).equals(before), String(message));
	}
});

test('commands do what their words say, and leave other names of a file alone', async (t) => {
	const top = tempFolder(t);
	const twin: TreeItem = { kind: 'twin', parent: 0, name: 'twin', seed: 0, size: 0 };
	const target = await oneImage(top, [file('a'), twin, folder('d')]);
	writeFileSync(path.join(top, 'new'), 'new contents');
	const commands = [
		`add ${top}/new /x/y/z`,
		`add ${top}/new /a`,
		'rename /d /e',
		'delete --force /nope',
		'rename /x/y/z /e/moved',
	];
	await update(target, updateOptions(commands), tools, testRun());
	const [lines = []] = await listImages(target);
	assert.deepEqual(
		lines.map((line) => line.split(' ').slice(0, 3).join(' ')),
		[
			'/ folder',
			'/a file 12',
			'/e folder',
			'/e/moved file 12',
			'/twin file 5000',
			'/x folder',
			'/x/y folder',
		],
	);
});

test('a folder merges with one that differs in case, and no file of either case is lost', async (t) => {
	const top = tempFolder(t);
	const target = await oneImage(top, [folder('Windows'), { ...file('Keep'), parent: 1 }]);
	makeTree(path.join(top, 'new'), [
		folder('WINDOWS'),
		...['keep', 'KEEP', 'x', 'X'].map((name, k) => ({ ...file(name, 10 + k), parent: 1 })),
	]);
	await update(target, updateOptions([`add ${top}/new /`]), tools, testRun());
	const [lines = []] = await listImages(target);
	assert.deepEqual(
		lines.map((line) => line.split(' ')[0]),
		['/', '/Windows', '/Windows/Keep', '/Windows/X', '/Windows/keep', '/Windows/x'],
	);
});

test('the boot index follows its image', async (t) => {
	const top = tempFolder(t);
	const target = await oneImage(top, [file('a')]);
	const source = [{ path: path.join(top, 'one'), target: '/' }];
	for (const name of ['two', 'three'])
		await append(
			source,
			target,
			{
				image: imageOptions(name, { boot: name === 'two' }),
				compression,
				rebuild: false,
				pipable: null,
				...same,
			},
			tools,
			testRun(),
		);
	const bootOf = async () => {
		await using wim = await openWim(target);
		return wim.bootIndex;
	};
	assert.equal(await bootOf(), 2);
	await deleteImages(target, { images: ['one'], soft: true, ...same }, tools, testRun());
	assert.equal(await bootOf(), 1);
	const copy = path.join(top, 'copy.wim');
	await exportImages(target, copy, { ...USUAL_EXPORT, boot: true }, tools, testRun());
	await using exported = await openWim(copy);
	assert.equal(exported.bootIndex, 1);
	await deleteImages(target, { images: ['two'], soft: false, ...same }, tools, testRun());
	assert.equal(await bootOf(), 0);
	await editProperties(target, { change: null, boot: '1', ...same }, tools, testRun());
	assert.equal(await bootOf(), 1);
	await editProperties(target, { change: null, boot: '0', ...same }, tools, testRun());
	assert.equal(await bootOf(), 0);
});

test('names are not taken twice, and numbers that describe the tree cannot be set', async (t) => {
	const top = tempFolder(t);
	const target = await oneImage(top, [file('a')]);
	const source = [{ path: path.join(top, 'one'), target: '/' }];
	const more = { image: imageOptions('one'), compression, rebuild: false, pipable: null, ...same };
	await assert.rejects(append(source, target, more, tools, testRun()), /Cannot use the name "one"/);
	await assert.rejects(
		exportImages(target, target, USUAL_EXPORT, tools, testRun()),
		/Cannot use the name "one"/,
	);
	const change = { image: '1', name: null, description: null };
	for (const name of ['TOTALBYTES', 'DIRCOUNT', 'CREATIONTIME/LOWPART'])
		await assert.rejects(
			editProperties(
				target,
				{ change: { ...change, properties: [{ path: name, text: '1' }] }, boot: null, ...same },
				tools,
				testRun(),
			),
			InputError,
		);
	const properties = [{ path: 'WINDOWS/VERSION/BUILD', text: '26100' }];
	await editProperties(
		target,
		{ change: { ...change, properties }, boot: null, ...same },
		tools,
		testRun(),
	);
	assert.match(await xmlOf(target), /<BUILD>26100<\/BUILD>/);
	const again = await editProperties(
		target,
		{ change: { ...change, properties }, boot: null, ...same },
		tools,
		testRun(),
	);
	assert.equal(again.isChanged, false);
});

test('an append of what is there writes metadata and tables only, and with an earlier image reads no file', async (t) => {
	const top = tempFolder(t);
	const target = await oneImage(top, [file('a', 190_000), file('b', 150_000, 2)]);
	const source = [{ path: path.join(top, 'one'), target: '/' }];
	const image = imageOptions('two', { updateOf: { wim: null, image: '1' } });
	const summary = await append(
		source,
		target,
		{ image, compression, rebuild: false, pipable: null, ...same },
		tools,
		testRun(),
	);
	assert.equal(summary.sourceBytes, 0);
	assert.ok(summary.writtenBytes < 4000, String(summary.writtenBytes));
	const [one, two] = await listImages(target);
	assert.deepEqual(one, two);
});

test('a delta holds only what its base lacks, and cannot be exported without it', async (t) => {
	const top = tempFolder(t);
	const base = await oneImage(top, [file('a', 190_000)]);
	makeTree(path.join(top, 'two'), [file('a', 190_000), file('new', 100, 3)]);
	const delta = path.join(top, 'delta.wim');
	const image = imageOptions('delta', { deltaFrom: [base] });
	await capture(
		[{ path: path.join(top, 'two'), target: '/' }],
		delta,
		{ ...captureOptions(''), image },
		tools,
		testRun(),
	);
	await using wim = await openWim(delta);
	assert.equal(wim.blobs.size, 1);
	assert.deepEqual(await listImages(delta, base), [listTree(path.join(top, 'two'))]);
	const whole = path.join(top, 'whole.wim');
	await assert.rejects(exportImages(delta, whole, USUAL_EXPORT, tools, testRun()), MissingError);
	await exportImages(delta, whole, { ...USUAL_EXPORT, references: [base] }, tools, testRun());
	assert.deepEqual(await listImages(whole), [listTree(path.join(top, 'two'))]);
});

test('several sources make one image', async (t) => {
	const top = tempFolder(t);
	makeTree(path.join(top, 'x'), [file('a', 10)]);
	makeTree(path.join(top, 'y'), [file('b', 20, 2)]);
	const target = path.join(top, 't.wim');
	const sources = [
		{ path: path.join(top, 'x'), target: '/' },
		{ path: path.join(top, 'y'), target: '/deep/er' },
		{ path: path.join(top, 'y/b'), target: '/c' },
	];
	await capture(sources, target, captureOptions('all'), tools, testRun());
	const [lines = []] = await listImages(target);
	assert.deepEqual(
		lines.map((line) => line.split(' ').slice(0, 2).join(' ')),
		['/ folder', '/a file', '/c file', '/deep folder', '/deep/er folder', '/deep/er/b file'],
	);
});

test('parts of a set, files marked read-only and missing parts are refused with what to do', async (t) => {
	const top = tempFolder(t);
	const target = await oneImage(top, [file('a', 150_000), file('b', 160_000, 2)]);
	const first = path.join(top, 'p.swm');
	await split(
		target,
		first,
		{ partSize: 50_000, integrity: false, dryRun: false },
		tools,
		testRun(),
	);
	await assert.rejects(
		optimize(first, { compression, recompress: false, pipable: null, ...same }, tools, testRun()),
		(error) => error instanceof InputError && /Join/.test(error.facts.hint ?? ''),
	);
	const parts = path.join(top, 'p2.swm');
	rmSync(parts);
	await assert.rejects(
		join(path.join(top, 'j.wim'), [first], { integrity: false, dryRun: false }, tools, testRun()),
		(error) => error instanceof MissingError && /part 2/.test(error.message),
	);
	const marked = readFileSync(target);
	marked.writeUInt32LE(marked.readUInt32LE(16) | 4, 16);
	writeFileSync(target, marked);
	await assert.rejects(
		deleteImages(target, { images: ['1'], soft: false, ...same }, tools, testRun()),
		/marked as read-only/,
	);
});

test('an interrupted edit is taken back by the next one', async (t) => {
	const top = tempFolder(t);
	const target = await oneImage(top, [file('a')]);
	const clean = readFileSync(target);
	const half = Buffer.concat([clean, Buffer.alloc(5000, 7)]);
	half.writeUInt32LE(half.readUInt32LE(16) | 0x40, 16);
	writeFileSync(target, half);
	const run = testRun();
	await editProperties(target, { change: null, boot: null, ...same }, tools, run);
	assert.deepEqual(run.warnings(), ['An interrupted edit was taken back']);
	assert.ok(readFileSync(target).equals(clean));
});

test('undo brings the file back byte for byte, and only where an edit in place was last', async (t) => {
	const top = tempFolder(t);
	const target = await oneImage(top, [file('a')]);
	const former = path.join(top, 'former.wim');
	copyFileSync(target, former);
	await assert.rejects(undo(target, { dryRun: false }, testRun()), InputError);
	await editProperties(
		target,
		{ change: { image: '1', name: 'x', description: null, properties: [] }, boot: '1', ...same },
		tools,
		testRun(),
	);
	await update(target, updateOptions(['delete /a']), tools, testRun());
	await undo(target, { dryRun: false }, testRun());
	await undo(target, { dryRun: false }, testRun());
	assert.ok(readFileSync(target).equals(readFileSync(former)));
});

test('diff says what was added, removed, moved and changed', async (t) => {
	const top = tempFolder(t);
	const target = await oneImage(top, [
		file('same', 40, 1),
		file('old', 50, 2),
		file('edited', 60, 1),
		file('away', 70, 5),
		folder('d'),
	]);
	const commands = [`add ${top}/one/same /added`, 'rename /old /d/new name', 'delete /away'];
	const source = [{ path: path.join(top, 'one'), target: '/' }];
	await append(
		source,
		target,
		{ image: imageOptions('two'), compression, rebuild: false, pipable: null, ...same },
		tools,
		testRun(),
	);
	writeFileSync(path.join(top, 'text'), 'edited');
	const all = [
		...commands.slice(0, 1),
		'rename /old "/d/new name"',
		'delete /away',
		`add ${top}/text /edited`,
	];
	await update(target, updateOptions(all, { image: '2' }), tools, testRun());
	const side = (image: string) => ({ type: 'image', wim: target, image, references: [] }) as const;
	const found = await diff(side('1'), side('2'), { content: false }, testRun());
	const text = found.changes.map(
		(change) =>
			`${change.type} ${change.path}${change.type === 'changed' ? ` ${change.aspects.includes('content')}` : ''}`,
	);
	assert.deepEqual(text, [
		'added /added',
		'removed /away',
		'moved /d/new name',
		'changed /edited true',
	]);
	const folderSide = { type: 'folder', path: path.join(top, 'one') } as const;
	for (const content of [false, true]) {
		const none = await diff(side('1'), folderSide, { content }, testRun());
		assert.deepEqual(none.changes, []);
	}
});
