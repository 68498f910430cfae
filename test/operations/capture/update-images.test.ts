import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { parseUpdateCommand } from '../../../source/image/update-commands.ts';
import { append } from '../../../source/operations/capture/append.ts';
import { capture } from '../../../source/operations/capture/capture.ts';
import { type UpdateOptions, update } from '../../../source/operations/capture/update.ts';
import { undo } from '../../../source/operations/rewrite/undo.ts';
import { openWim } from '../../../source/wim/wim.ts';
import { oracle, runOracle } from '../../support/oracles.ts';
import { tempFolder } from '../../support/temp-tree.ts';
import { testRun } from '../../support/test-run.ts';
import {
	captureOptions,
	compressed,
	imageOptions,
	listImages,
	makeTree,
	miscount,
	noise,
	tools,
} from '../../support/written.ts';

const compression = compressed('xpress');
const same = { integrity: null, dryRun: false };

function optionsOf(commands: readonly string[], more: Partial<UpdateOptions> = {}): UpdateOptions {
	return {
		image: null,
		commands: commands.map((line) => parseUpdateCommand(line)),
		rules: { exclusions: [], exceptions: [] },
		rebuild: false,
		done() {},
		...same,
		...more,
	};
}

/** Three images, each with `/a`, `/b` and one file of its own. */
async function threeImages(
	top: string,
	{ pipable = false, solid = false }: { pipable?: boolean; solid?: boolean } = {},
): Promise<string> {
	const target = path.join(top, 't.wim');
	const ways = solid ? { ...compression, solid: true } : compression;
	for (const [k, name] of ['One', 'Two', 'Three'].entries()) {
		const source = path.join(top, name);
		const file = (of: string, seed: number, size: number) =>
			({ kind: 'file', parent: 0, name: of, seed, size }) as const;
		makeTree(source, [file('a', 1, 5000), file('b', 2, 7000), file(`own${k}`, 10 + k, 3000)]);
		const sources = [{ path: source, target: '/' }];
		const image = imageOptions(name);
		const options = { image, compression: ways, pipable, ...same };
		if (k === 0)
			await capture(
				sources,
				target,
				{ ...captureOptions(name), ...options, integrity: true },
				tools,
				testRun(),
			);
		else await append(sources, target, { ...options, rebuild: false }, tools, testRun());
	}
	return target;
}

const namesOf = async (target: string): Promise<string[]> =>
	(await listImages(target)).map((lines) =>
		lines.map((line) => line.split(' ')[0] ?? '').join(' '),
	);

const BEFORE = ['/ /a /b /own0', '/ /a /b /own1', '/ /a /b /own2'];

const WAYS = [
	['in place', {}, {}],
	['written anew', {}, { rebuild: true }],
	['with solid resources', { solid: true }, {}],
	['pipable', { pipable: true }, {}],
] as const;

for (const [way, kind, more] of WAYS)
	test(`one run changes several images: ${way}`, oracle('wimlib-imagex'), async (t) => {
		const top = tempFolder(t);
		const target = await threeImages(top, kind);
		const added = path.join(top, 'added');
		writeFileSync(added, noise(50_000));
		const commands = [
			'image Three',
			`add ${added} /new`,
			'delete /own2',
			'image 1',
			'rename /b /c',
			`add ${added} /deep/new`,
			'image 3',
			'rename /new /newer',
		];
		const before = statSync(target).size;
		const dry = await update(
			target,
			optionsOf(commands, { ...more, dryRun: true }),
			tools,
			testRun(),
		);
		assert.deepEqual(await namesOf(target), BEFORE);
		const done: string[] = [];
		const options = optionsOf(commands, { ...more, done: (text) => done.push(text) });
		const summary = await update(target, options, tools, testRun());
		assert.deepEqual(await namesOf(target), [
			'/ /a /c /deep /deep/new /own0',
			'/ /a /b /own1',
			'/ /a /b /newer',
		]);
		assert.deepEqual(summary.images, [
			{ index: 3, commandCount: 3, nameCount: 4 },
			{ index: 1, commandCount: 2, nameCount: 6 },
		]);
		assert.deepEqual(dry.images, summary.images);
		assert.ok(dry.fileSize >= summary.fileSize, `${dry.fileSize} ${summary.fileSize}`);
		assert.equal(done.filter((line) => line.startsWith('Image 3: ')).length, 3);
		// What both got is stored once.
		assert.ok(statSync(target).size < before + 2 * 50_000, String(statSync(target).size - before));
		assert.equal(await miscount(target), null);
		runOracle('wimlib-imagex', 'verify', target);
		if (way !== 'in place') return;
		await undo(target, { dryRun: false }, testRun());
		assert.deepEqual(await namesOf(target), BEFORE);
		runOracle('wimlib-imagex', 'verify', target);
	});

test('a command that fails in one image leaves all of them as they were, and says which', async (t) => {
	const top = tempFolder(t);
	const target = await threeImages(top);
	const before = readFileSync(target);
	for (const [commands, message] of [
		[['image 1', 'delete /a', 'image 2', 'delete /nope'], /^Image 2: Cannot delete "\/nope"/],
		[
			['image 1', 'delete /a', 'image 7', 'delete /a'],
			/^Cannot choose image "7" of ".*": there is no such image$/,
		],
		[['image 1', 'delete /a', 'image 3', `add ${top}/none /x`], /^Image 3: /],
		[['delete /a', 'image 2', 'delete /a'], /holds 3 images: name one/],
	] as const) {
		await assert.rejects(update(target, optionsOf(commands), tools, testRun()), { message });
		assert.ok(readFileSync(target).equals(before), String(message));
	}
});

test('the image of the command line is that of the first commands; unnamed others stay', async (t) => {
	const top = tempFolder(t);
	const target = await threeImages(top);
	const metadata = async () => {
		await using wim = await openWim(target);
		return wim.images.map((image) => image.metadata.sha1);
	};
	const before = await metadata();
	const commands = ['delete /a', 'image 3'];
	const summary = await update(target, optionsOf(commands, { image: 'Two' }), tools, testRun());
	assert.deepEqual(summary.images, [{ index: 2, commandCount: 1, nameCount: 3 }]);
	const after = await metadata();
	assert.deepEqual([after[0], after[2]], [before[0], before[2]]);
	assert.notEqual(after[1], before[1]);
});
