import assert from 'node:assert/strict';
import {
	createWriteStream,
	existsSync,
	lstatSync,
	mkdirSync,
	readdirSync,
	readFileSync,
} from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { append } from '../../source/operations/capture/append.ts';
import { type CaptureOptions, capture } from '../../source/operations/capture/capture.ts';
import { exportImages } from '../../source/operations/rewrite/export.ts';
import { join } from '../../source/operations/rewrite/join.ts';
import { optimize } from '../../source/operations/rewrite/optimize.ts';
import { split } from '../../source/operations/rewrite/split.ts';
import type { ChunkEncoder, EncodeReply, EncodeRequest } from '../../source/pool/tasks/encode.ts';
import { InlineEncoder } from '../../source/pool/tasks/encode.ts';
import type { IntakeReply, IntakeRequest } from '../../source/pool/tasks/intake.ts';
import { StreamOutput } from '../../source/storage/output-stream.ts';
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
	type TreeItem,
	tools,
	treeItems,
	USUAL_EXPORT,
} from '../support/written.ts';

/** Every kind of file that is written, small enough to be tried often. */
const FORMATS: Readonly<Record<string, Partial<CaptureOptions>>> = {
	none: { compression: compressed('none') },
	'XPRESS 4K': { compression: compressed('xpress', { chunkSize: 4096 }) },
	'XPRESS 32K': { compression: compressed('xpress'), integrity: true },
	'XPRESS 64K': { compression: compressed('xpress', { chunkSize: 65536 }) },
	'LZX 32K': { compression: compressed('lzx') },
	'LZX 32K thorough': { compression: compressed('lzx', { level: 100 }) },
	'LZX 2M': { compression: compressed('lzx', { chunkSize: 2 ** 21 }) },
	'LZMS 128K': { compression: compressed('lzms'), integrity: true },
	'LZMS 32K': { compression: compressed('lzms', { chunkSize: 32768 }) },
	'solid LZMS': { compression: compressed('lzms', { solid: true, solidChunkSize: 2 ** 17 }) },
	'solid LZX in LZX': {
		compression: compressed('lzx', { solid: true, solidCompress: { type: 'lzx', level: 20 } }),
	},
	'pipable none': { compression: compressed('none'), pipable: true },
	'pipable XPRESS': { compression: compressed('xpress'), pipable: true, integrity: true },
	'pipable LZX': { compression: compressed('lzx'), pipable: true },
};

const SAMPLE: TreeItem[] = [
	{ kind: 'folder', parent: 0, name: 'sub', seed: 0, size: 0 },
	{ kind: 'folder', parent: 1, name: 'Deep', seed: 0, size: 0 },
	{ kind: 'file', parent: 0, name: 'noise.bin', seed: 1, size: 150_000 },
	{ kind: 'file', parent: 1, name: 'text.txt', seed: 0, size: 90_000 },
	{ kind: 'file', parent: 2, name: 'text copy.txt', seed: 0, size: 90_000 },
	{ kind: 'file', parent: 2, name: 'empty', seed: 0, size: 0 },
	{ kind: 'file', parent: 0, name: 'one chunk', seed: 2, size: 32_768 },
	{ kind: 'file', parent: 0, name: 'tiny', seed: 4, size: 3 },
	{ kind: 'link', parent: 1, name: 'relative', seed: 2, size: 0 },
	{ kind: 'link', parent: 1, name: 'absolute', seed: 1, size: 0 },
	{ kind: 'twin', parent: 2, name: 'hard link', seed: 1, size: 0 },
	{ kind: 'file', parent: 0, name: 'ünïcödé 𝄞', seed: 5, size: 5000 },
];

for (const [name, format] of Object.entries(FORMATS)) {
	test(
		`${name}: wimlib verifies and applies the identical tree, 7-Zip finds no fault`,
		oracle('wimlib-imagex', '7zz'),
		async (t) => {
			const folder = tempFolder(t);
			const source = path.join(folder, 'source');
			makeTree(source, SAMPLE);
			const file = path.join(folder, 'a.wim');
			const run = testRun();
			await capture(
				[{ path: source, target: '/' }],
				file,
				captureOptions('one', format),
				tools,
				run,
			);
			const more = { ...captureOptions('two', format), integrity: null, rebuild: false };
			await append([{ path: source, target: '/' }], file, more, tools, run);
			assert.deepEqual(run.problems(), []);
			runOracle('wimlib-imagex', 'verify', file);
			for (const index of ['1', '2']) {
				const target = path.join(folder, `applied ${index}`);
				runOracle('wimlib-imagex', 'apply', file, index, target);
				assert.deepEqual(listTree(target, { times: true }), listTree(source, { times: true }));
			}
			if (!format.pipable) runOracle('7zz', 't', file);
		},
	);
}

test('a random tree comes back from every kind of file, alone and after a second image', async () => {
	const formats = fc.constantFrom(...Object.keys(FORMATS));
	await fc.assert(
		fc.asyncProperty(treeItems, treeItems, formats, (first, second, format) =>
			inFolder(async (folder) => {
				const run = testRun();
				const file = path.join(folder, 'a.wim');
				const [one, two] = ['one', 'two'].map((name) => path.join(folder, name)) as [
					string,
					string,
				];
				makeTree(one, first);
				makeTree(two, second);
				const options = captureOptions('one', FORMATS[format]);
				await capture([{ path: one, target: '/' }], file, options, tools, run);
				assert.deepEqual(await listImages(file), [listTree(one)]);
				const more = { ...options, image: imageOptions('two'), integrity: null, rebuild: false };
				await append([{ path: two, target: '/' }], file, more, tools, run);
				assert.deepEqual(await listImages(file), [listTree(one), listTree(two)]);
				assert.deepEqual(run.problems(), []);
			}),
		),
		{ numRuns: 40 },
	);
});

/** Gives replies in an order of its own. */
class ShuffledEncoder implements ChunkEncoder {
	readonly lanes = 3;
	readonly #inner = new InlineEncoder();
	#count = 0;

	async encode(request: EncodeRequest): Promise<EncodeReply> {
		await this.#dawdle();
		return this.#inner.encode(request);
	}

	async intake(request: IntakeRequest): Promise<IntakeReply> {
		await this.#dawdle();
		return this.#inner.intake(request);
	}

	async #dawdle(): Promise<void> {
		for (let turns = (++this.#count * 7) % 5; turns > 0; turns--)
			await new Promise((resolve) => setImmediate(resolve));
	}
}

/**
 * Reading a file changes its access time, which is stored, until that is later than the last change of the file; the
 * kernel's clock for it ticks every few milliseconds.
 */
async function readUntilSettled(source: string, folder: string): Promise<void> {
	const file = path.join(folder, 'first.wim');
	const options = captureOptions('first', FORMATS['none']);
	const isUnsettled = (name: string) => {
		const { atimeNs, ctimeNs, size } = lstatSync(path.join(source, name), { bigint: true });
		return size > 0n && atimeNs <= ctimeNs;
	};
	const names = ['', ...readdirSync(source, { recursive: true, encoding: 'utf8' })];
	for (let k = 0; k < 100; k++) {
		await capture([{ path: source, target: '/' }], file, options, tools, testRun());
		if (!names.some(isUnsettled)) return;
	}
}

test('one lane and several give the same bytes', async (t) => {
	const folder = tempFolder(t);
	const source = path.join(folder, 'source');
	makeTree(source, [
		...SAMPLE,
		...SAMPLE.map((item, k) => ({ ...item, name: `${item.name}${k}`, size: item.size * 9 + k })),
	]);
	await readUntilSettled(source, folder);
	for (const format of ['none', 'XPRESS 4K', 'LZX 32K', 'solid LZMS', 'pipable XPRESS']) {
		const files = ['one', 'several'].map((name) => path.join(folder, `${name}.wim`));
		for (const [k, encoder] of [new InlineEncoder(), new ShuffledEncoder()].entries())
			await capture(
				[{ path: source, target: '/' }],
				files[k] ?? '',
				captureOptions('x', FORMATS[format]),
				{ encoder, pool: null },
				testRun(),
			);
		const [one, several] = files.map((file) => readFileSync(file));
		assert.ok(one?.equals(several ?? Buffer.alloc(0)), format);
	}
});

test('a pipable WIM on a stream is the same as in a file', async (t) => {
	const folder = tempFolder(t);
	const source = path.join(folder, 'source');
	makeTree(source, SAMPLE);
	const options = captureOptions('x', FORMATS['pipable XPRESS']);
	const sources = [{ path: source, target: '/' }];
	await readUntilSettled(source, folder);
	await capture(
		sources,
		path.join(folder, 'file.wim'),
		{ ...options, integrity: false },
		tools,
		testRun(),
	);
	const stream = createWriteStream(path.join(folder, 'stream.wim'));
	const output = new StreamOutput('standard output', stream);
	await capture(sources, output, { ...options, integrity: false }, tools, testRun());
	await new Promise((resolve) => stream.end(resolve));
	const [file, streamed] = ['file', 'stream'].map((name) =>
		readFileSync(path.join(folder, `${name}.wim`)),
	);
	assert.equal(streamed?.length, file?.length);
	assert.ok(file?.equals(streamed ?? Buffer.alloc(0)));
});

test(
	'split and join give back the images, and part sets pass wimlib',
	oracle('wimlib-imagex'),
	async () => {
		const formats = fc.constantFrom('none', 'LZX 32K', 'solid LZMS', 'pipable XPRESS');
		await fc.assert(
			fc.asyncProperty(
				treeItems,
				formats,
				fc.integer({ min: 2000, max: 300_000 }),
				(items, format, partSize) =>
					inFolder(async (folder) => {
						const run = testRun();
						const source = path.join(folder, 'source');
						makeTree(source, items);
						const file = path.join(folder, 'a.wim');
						await capture(
							[{ path: source, target: '/' }],
							file,
							captureOptions('x', FORMATS[format]),
							tools,
							run,
						);
						mkdirSync(path.join(folder, 'parts'));
						const first = path.join(folder, 'parts', 'p.swm');
						const planned = await split(
							file,
							first,
							{ partSize, integrity: false, dryRun: true },
							tools,
							run,
						);
						assert.ok(!existsSync(first));
						const done = await split(
							file,
							first,
							{ partSize, integrity: false, dryRun: false },
							tools,
							run,
						);
						if (!planned.isEstimate) assert.deepEqual(done.parts, planned.parts);
						const parts = readdirSync(path.join(folder, 'parts')).map((name) =>
							path.join(folder, 'parts', name),
						);
						assert.equal(parts.length, done.parts.length);
						runOracle('wimlib-imagex', 'verify', first, `--ref=${folder}/parts/p*.swm`);
						const joined = path.join(folder, 'joined.wim');
						const options = { integrity: true, dryRun: true };
						const expected = await join(joined, parts, options, tools, run);
						const got = await join(joined, parts, { ...options, dryRun: false }, tools, run);
						if (!expected.isEstimate) assert.equal(got.sizeAfter, expected.sizeAfter);
						assert.deepEqual(await listImages(joined), [listTree(source)]);
					}),
			),
			{ numRuns: 12 },
		);
	},
);

test('from every kind of file to every other and back the images stay', async (t) => {
	const folder = tempFolder(t);
	const source = path.join(folder, 'source');
	makeTree(source, SAMPLE);
	const expected = [listTree(source)];
	const start = path.join(folder, 'start.wim');
	await capture([{ path: source, target: '/' }], start, captureOptions('x'), tools, testRun());
	const kinds = ['none', 'XPRESS 4K', 'LZX 32K', 'LZMS 128K', 'solid LZMS', 'pipable XPRESS'];
	let from = start;
	for (const [k, kind] of [...kinds, ...kinds.toReversed()].entries()) {
		const format = captureOptions('x', FORMATS[kind]);
		const to = path.join(folder, `${k}.wim`);
		const options = {
			...USUAL_EXPORT,
			compression: format.compression,
			pipable: format.pipable,
			dryRun: true,
		};
		const planned = await exportImages(from, to, options, tools, testRun());
		const done = await exportImages(from, to, { ...options, dryRun: false }, tools, testRun());
		if (!planned.isEstimate) assert.equal(done.sizeAfter, planned.sizeAfter, kind);
		assert.deepEqual(await listImages(to), expected, kind);
		const again = { ...options, integrity: true, recompress: k % 2 === 0, dryRun: false };
		await optimize(to, again, tools, testRun());
		assert.deepEqual(await listImages(to), expected, kind);
		from = to;
	}
});
