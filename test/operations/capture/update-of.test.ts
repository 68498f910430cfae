import assert from 'node:assert/strict';
import { copyFileSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { append } from '../../../source/operations/capture/append.ts';
import { type CaptureSummary, capture } from '../../../source/operations/capture/capture.ts';
import { deleteImages } from '../../../source/operations/rewrite/delete.ts';
import { exportImages } from '../../../source/operations/rewrite/export.ts';
import { openWim } from '../../../source/wim/wim.ts';
import { oracle, runOracle } from '../../support/oracles.ts';
import { subfolder, tempFolder } from '../../support/temp-tree.ts';
import { testRun } from '../../support/test-run.ts';
import {
	captureOptions,
	compressed,
	imageOptions,
	listImages,
	noise,
	tools,
	USUAL_EXPORT,
} from '../../support/written.ts';

const FILE_SIZE = 200_000;
const compression = compressed('none');

interface Made {
	readonly tree: string;
	readonly file: string;
}

async function made(t: TestContext): Promise<Made> {
	const folder = tempFolder(t);
	const [tree, file] = [subfolder(folder, 'tree'), path.join(folder, 'a.wim')];
	for (let k = 0; k < 20; k++)
		writeFileSync(path.join(subfolder(tree, `folder ${k % 3}`), `file ${k}`), noise(FILE_SIZE));
	const options = captureOptions('one', { compression, integrity: true });
	await capture([{ path: tree, target: '/' }], file, options, tools, testRun());
	return { tree, file };
}

/** What is behind the header, up to where a file ended before. */
const bodyOf = (file: string, end: number) => readFileSync(file).subarray(208, end);

async function appended(
	{ tree, file }: Made,
	name: string,
	updateOf: string | null,
): Promise<CaptureSummary> {
	const before = statSync(file).size;
	const body = bodyOf(file, before);
	const base = updateOf === null ? null : { wim: null, image: updateOf };
	const image = imageOptions(name, { updateOf: base });
	const options = { image, compression, integrity: null, rebuild: false, pipable: null };
	const how = { ...options, dryRun: false };
	const summary = await append([{ path: tree, target: '/' }], file, how, tools, testRun());
	assert.equal(summary.writtenBytes, statSync(file).size - before);
	assert.deepEqual(bodyOf(file, before), body, 'nothing but the header is written over');
	runOracle('wimlib-imagex', 'verify', file);
	return summary;
}

/** Tables, metadata and XML data of this tree: far less than any of its files. */
const OVERHEAD_MAX = 20_000;

test(
	'an append of an unchanged tree writes metadata and tables only',
	oracle('wimlib-imagex'),
	async (t) => {
		const place = await made(t);
		const { writtenBytes } = await appended(place, 'two', null);
		assert.ok(writtenBytes < OVERHEAD_MAX, `${writtenBytes} bytes written`);
		const [one, two] = await listImages(place.file);
		assert.deepEqual(two, one);
	},
);

test(
	'with an earlier image the contents of unchanged files are not read, those of others are',
	oracle('wimlib-imagex'),
	async (t) => {
		const place = await made(t);
		const { mtime } = statSync(path.join(place.tree, 'folder 0/file 0'));
		const rewrite = (name: string, size: number, touched: boolean) => {
			const file = path.join(place.tree, name);
			const { atime, mtime: written } = statSync(file, { throwIfNoEntry: false }) ?? {
				atime: mtime,
				mtime,
			};
			writeFileSync(file, noise(size));
			const time = touched ? new Date(written.getTime() + 10_000) : written;
			utimesSync(file, atime, time);
		};
		// Times are set to whole milliseconds, so the first image gets these as well.
		for (let k = 0; k < 20; k++) rewrite(`folder ${k % 3}/file ${k}`, FILE_SIZE, false);
		const options = captureOptions('one', { compression, integrity: true });
		const sources = [{ path: place.tree, target: '/' }];
		await capture(sources, place.file, options, tools, testRun());
		// Whoever reads these would find other contents under the same size and time.
		for (let k = 0; k < 20; k++) rewrite(`folder ${k % 3}/file ${k}`, FILE_SIZE, false);
		const unread = await appended(place, 'two', '1');
		assert.equal(unread.sourceBytes, 0);
		assert.ok(unread.writtenBytes < OVERHEAD_MAX, `${unread.writtenBytes} bytes written`);
		const [one, two] = await listImages(place.file);
		assert.deepEqual(two, one);
		rewrite('folder 0/file 0', FILE_SIZE, true);
		rewrite('folder 1/file 1', FILE_SIZE + 1, false);
		rewrite('folder 2/new', FILE_SIZE, false);
		await using wim = await openWim(place.file);
		const { size: blobCount } = wim.blobs;
		const third = await appended(place, 'three', '1');
		assert.equal(third.sourceBytes, 3 * FILE_SIZE + 1);
		await using later = await openWim(place.file);
		assert.equal(later.blobs.size, blobCount + 3);
		const three = (await listImages(place.file))[2] ?? [];
		const changed = three
			.filter((line) => !(one ?? []).includes(line))
			.map((line) => line.split(' file ')[0]);
		assert.deepEqual(changed, ['/folder 0/file 0', '/folder 1/file 1', '/folder 2/new']);
	},
);

/** How a file is written anew by an append. */
const REBUILT = {
	'on request': { rebuild: true },
	'because it becomes pipable': { pipable: true },
};

for (const [why, how] of Object.entries(REBUILT)) {
	const options = { compression, integrity: null, dryRun: false, rebuild: false, pipable: null };

	test(`an append that writes the file anew ${why} keeps contents that were taken over unread`, async (t) => {
		const { tree, file } = await made(t);
		const base = `${file}.base`;
		copyFileSync(file, base);
		await deleteImages(
			file,
			{ images: ['1'], soft: true, integrity: null, dryRun: false },
			tools,
			testRun(),
		);
		const image = imageOptions('two', { updateOf: { wim: base, image: '1' } });
		const sources = [{ path: tree, target: '/' }];
		await append(sources, file, { ...options, image, ...how }, tools, testRun());
		assert.deepEqual(await listImages(file), await listImages(base));
	});

	test(`a delta that is appended, the file written anew ${why}, takes nothing from the images before`, async (t) => {
		const { tree, file } = await made(t);
		const base = `${file}.base`;
		copyFileSync(file, base);
		writeFileSync(path.join(tree, 'new'), noise(FILE_SIZE));
		const image = imageOptions('two', { deltaFrom: [base] });
		const sources = [{ path: tree, target: '/' }];
		await append(sources, file, { ...options, image, ...how }, tools, testRun());
		const [first, second] = await listImages(file);
		assert.deepEqual(first, (await listImages(base))[0]);
		assert.equal(second?.length, (first?.length ?? 0) + 1);
	});
}

test('a delta that is exported into its base takes contents that only a soft-deleted image had', async (t) => {
	const { tree, file } = await made(t);
	const delta = `${file}.delta`;
	const sources = [{ path: tree, target: '/' }];
	const image = imageOptions('two', { deltaFrom: [file] });
	await capture(sources, delta, { ...captureOptions('two'), image }, tools, testRun());
	const [expected] = await listImages(delta, file);
	const soft = { images: ['1'], soft: true, integrity: null, dryRun: false };
	await deleteImages(file, soft, tools, testRun());
	for (const rebuild of [false, true]) {
		const target = `${file}.${rebuild}`;
		copyFileSync(file, target);
		await exportImages(delta, target, { ...USUAL_EXPORT, rebuild }, tools, testRun());
		assert.deepEqual(await listImages(target), [expected]);
	}
});
