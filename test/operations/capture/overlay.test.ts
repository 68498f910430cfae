/** What becomes of a folder over which another one is laid: `add` onto it, several sources, missing folders above. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { openImage } from '../../../source/image/open.ts';
import { pathOf } from '../../../source/image/paths.ts';
import { parseUpdateCommand } from '../../../source/image/update-commands.ts';
import { capture } from '../../../source/operations/capture/capture.ts';
import { update } from '../../../source/operations/capture/update.ts';
import { openWim } from '../../../source/wim/wim.ts';
import { fixture } from '../../support/fixture.ts';
import { tempFolder } from '../../support/temp-tree.ts';
import { testRun } from '../../support/test-run.ts';
import { captureOptions, tools } from '../../support/written.ts';

/** FILETIME of a whole second of Unix time. */
const filetime = (seconds: number) => (BigInt(seconds) + 11_644_473_600n) * 10_000_000n;

/** A folder NAME with one subfolder `sub`, both written at that time, and a file of that name in it. */
function makeFolder(top: string, name: string, seconds: number): string {
	const folder = path.join(top, name);
	mkdirSync(path.join(folder, 'sub'), { recursive: true });
	writeFileSync(path.join(folder, 'sub', name), name);
	utimesSync(path.join(folder, 'sub'), seconds, seconds);
	utimesSync(folder, seconds, seconds);
	return folder;
}

/** Write time and security descriptor of folders of image 1. */
async function foldersOf(file: string, ...paths: string[]) {
	await using wim = await openWim(file);
	const { tree } = await openImage(wim, wim.image(1));
	return paths.map((inside) => {
		const dentry = [...Array(tree.count).keys()].find((at) => pathOf(tree, at) === inside);
		assert.notEqual(dentry, undefined, inside);
		const id = tree.securityId(dentry!);
		return {
			time: tree.lastWriteTime(dentry!),
			attributes: tree.attributes(dentry!),
			descriptor: id === null ? null : Buffer.from(tree.security.descriptors[id]!).toString('hex'),
		};
	});
}

async function run(target: string, commands: readonly string[]): Promise<void> {
	await update(
		target,
		{
			image: '1',
			commands: commands.map((line) => parseUpdateCommand(line)),
			rules: { exclusions: [], exceptions: [] },
			rebuild: false,
			integrity: null,
			dryRun: false,
			done() {},
		},
		tools,
		testRun(),
	);
}

test('add onto a folder leaves its times, attributes and security descriptor alone', async (t) => {
	const top = tempFolder(t);
	const target = path.join(top, 't.wim');
	copyFileSync(fixture('vectors/v08-ntfs-current.wim'), target);
	const folder = '/dirads';
	const before = await foldersOf(target, '/', folder);
	for (const { descriptor } of before) assert.notEqual(descriptor, null);
	const source = makeFolder(top, 'new', 1_000_000_000);
	await run(target, [`add ${source} /`, `add ${source} ${folder}`]);
	assert.deepEqual(await foldersOf(target, '/', folder), before);
	const [added] = await foldersOf(target, `${folder}/sub`);
	assert.equal(added?.time, filetime(1_000_000_000));
});

test('of several sources the first gives a folder its facts, also one that had to be made before', async (t) => {
	const top = tempFolder(t);
	const one = makeFolder(top, 'one', 1_000_000_000);
	const two = makeFolder(top, 'two', 1_100_000_000);
	const target = path.join(top, 't.wim');
	const sources = [
		{ path: one, target: '/made/deep' },
		{ path: two, target: '/made' },
		{ path: one, target: '/made' },
		{ path: one, target: '/' },
		{ path: two, target: '/' },
	];
	await capture(sources, target, captureOptions('all'), tools, testRun());
	const seen = await foldersOf(target, '/', '/sub', '/made', '/made/sub', '/made/deep');
	assert.deepEqual(
		seen.map(({ time }) => time),
		[1_000_000_000, 1_000_000_000, 1_100_000_000, 1_100_000_000, 1_000_000_000].map(filetime),
	);
	for (const file of ['/sub/one', '/sub/two', '/made/sub/one', '/made/sub/two'])
		await foldersOf(target, file);
});
