import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
	chmodSync,
	closeSync,
	ftruncateSync,
	linkSync,
	mkdirSync,
	openSync,
	symlinkSync,
	utimesSync,
	writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { InputError } from '../../source/base/errors.ts';
import { forFs } from '../../source/host/host-path.ts';
import { type ScanOptions, scanTree } from '../../source/host/scan.ts';
import { tempFolder } from '../support/temp-tree.ts';
import { testRun } from '../support/test-run.ts';

const ALL: Omit<ScanOptions, 'linkGroups'> = {
	dereference: false,
	followRoot: true,
	keepSpecials: true,
	isExcluded: () => false,
};

async function scanned(root: string, options: Partial<ScanOptions> = {}) {
	const run = testRun();
	const scan = scanTree(root, { ...ALL, linkGroups: new Map(), ...options }, run);
	await scan.finish();
	const paths = scan.entries.map((_, position) => scan.pathOf(position));
	const at = (wanted: string) => scan.entries[paths.indexOf(wanted)]!;
	return { scan, run, paths, at };
}

test('a scan gives parents before children, the children of a folder together and in the order of their units', async (t) => {
	const root = tempFolder(t);
	mkdirSync(path.join(root, 'b/inner'), { recursive: true });
	mkdirSync(path.join(root, 'A'));
	for (const name of ['c', 'b/z', 'b/Y', 'b/inner/x', 'A/f'])
		writeFileSync(path.join(root, name), name);
	const { scan, paths } = await scanned(root);
	assert.deepEqual(paths, [
		'/',
		'/A',
		'/b',
		'/c',
		'/A/f',
		'/b/Y',
		'/b/inner',
		'/b/z',
		'/b/inner/x',
	]);
	const children = (position: number) => {
		const { firstChild, childCount } = scan.entries[position]!;
		return paths.slice(firstChild, firstChild + childCount);
	};
	assert.deepEqual(children(2), ['/b/Y', '/b/inner', '/b/z']);
	assert.deepEqual(children(0), ['/A', '/b', '/c']);
	assert.equal(scan.entries[8]!.parent, 6);
	assert.equal(scan.hostPathOf(8), path.join(root, 'b/inner/x'));
});

test('names of one file share a group, holes are seen, and times keep their ticks', async (t) => {
	const root = tempFolder(t);
	writeFileSync(path.join(root, 'one'), 'x');
	linkSync(path.join(root, 'one'), path.join(root, 'two'));
	writeFileSync(path.join(root, 'alone'), 'y');
	const sparse = openSync(path.join(root, 'sparse'), 'w');
	ftruncateSync(sparse, 1 << 20);
	closeSync(sparse);
	utimesSync(path.join(root, 'alone'), 0, 1.5);
	chmodSync(path.join(root, 'alone'), 0o640);
	const { at } = await scanned(root);
	assert.equal(at('/one').linkGroup, at('/two').linkGroup);
	assert.notEqual(at('/one').linkGroup, 0);
	assert.equal(at('/alone').linkGroup, 0);
	assert.equal(at('/alone').mode, 0o100640);
	assert.equal(at('/alone').writeTime, 116_444_736_000_000_000n + 15_000_000n);
	assert.deepEqual([at('/sparse').size, at('/sparse').isSparse], [1 << 20, true]);
	assert.equal(at('/alone').isSparse, false);
});

test('symbolic links keep their text and say whether they lead to a folder', async (t) => {
	const root = tempFolder(t);
	mkdirSync(path.join(root, 'folder'));
	symlinkSync('folder', path.join(root, 'to-folder'));
	symlinkSync('nowhere', path.join(root, 'broken'));
	const { at } = await scanned(root);
	assert.deepEqual(
		[at('/to-folder').linkTarget, at('/to-folder').linksToDirectory],
		['folder', true],
	);
	assert.deepEqual([at('/broken').linkTarget, at('/broken').linksToDirectory], ['nowhere', false]);
	assert.equal(at('/to-folder').childCount, 0);
});

test('following links stops where a link leads back up, and names it', async (t) => {
	const root = tempFolder(t);
	mkdirSync(path.join(root, 'a/b'), { recursive: true });
	symlinkSync('../..', path.join(root, 'a/b/up'));
	symlinkSync('a', path.join(root, 'other'));
	writeFileSync(path.join(root, 'a/f'), 'x');
	const { paths, run } = await scanned(root, { dereference: true });
	assert.ok(paths.includes('/other/f') && paths.includes('/other/b'));
	assert.equal(run.problems().length, 2);
	assert.ok(run.problems()[0] instanceof InputError);
	assert.match(run.problems()[0]!.message, /leads to a folder that holds it/);
});

test('a link that is followed is one more name of its file', async (t) => {
	const root = tempFolder(t);
	writeFileSync(path.join(root, 'file'), 'x');
	writeFileSync(path.join(root, 'other'), 'x');
	symlinkSync('file', path.join(root, 'link'));
	const { at } = await scanned(root, { dereference: true });
	assert.equal(at('/link').linkGroup, at('/file').linkGroup);
	assert.notEqual(at('/other').linkGroup, at('/file').linkGroup);
});

test('an excluded folder is not entered, and special files are left out unless asked for', async (t) => {
	const root = tempFolder(t);
	mkdirSync(path.join(root, 'skip/in'), { recursive: true });
	writeFileSync(path.join(root, 'keep'), 'x');
	execFileSync('mkfifo', [path.join(root, 'pipe')]);
	const asked: string[] = [];
	const { paths, run } = await scanned(root, {
		keepSpecials: false,
		isExcluded: (name) => {
			asked.push(name);
			return name === '/skip';
		},
	});
	assert.deepEqual(paths, ['/', '/keep']);
	assert.deepEqual(asked, ['/keep', '/pipe', '/skip']);
	assert.match(run.warnings()[0]!, /a fifo is stored with --unix-data only/);
});

test('a name that is no UTF-8 is reported and left out, surrogate bytes become single units', async (t) => {
	const root = tempFolder(t);
	const inRoot = (...bytes: number[]) =>
		Buffer.concat([Buffer.from(`${root}/`), Buffer.from(bytes)]);
	writeFileSync(inRoot(0x61, 0xff), 'x');
	writeFileSync(inRoot(0x62, 0xed, 0xa0, 0x80), 'y');
	const { scan, paths, run } = await scanned(root);
	assert.deepEqual(paths, ['/', '/b\ud800']);
	assert.deepEqual(forFs(scan.hostPathOf(1)), inRoot(0x62, 0xed, 0xa0, 0x80));
	assert.match(run.problems()[0]!.message, /a\\xFF": its name is not UTF-8/);
});

test('a missing root is refused, a single file is a scan of one entry', async (t) => {
	const root = tempFolder(t);
	assert.throws(
		() => scanTree(path.join(root, 'none'), { ...ALL, linkGroups: new Map() }, testRun()),
		{
			code: 'bad-input',
			message: /Cannot scan ".*none": there is no such file or folder/,
		},
	);
	writeFileSync(path.join(root, 'single'), 'x');
	const { scan } = await scanned(path.join(root, 'single'));
	assert.deepEqual([scan.entries.length, scan.entries[0]!.kind], [1, 'file']);
});

test('a canceled scan stops', async (t) => {
	const root = tempFolder(t);
	for (let k = 0; k < 200; k++) writeFileSync(path.join(root, String(k)), '');
	const run = testRun();
	const scan = scanTree(root, { ...ALL, linkGroups: new Map() }, run);
	run.cancel();
	// The clock of the test moves 10 ms a look, so every look at it ends a slice.
	await assert.rejects(scan.finish(), { code: 'canceled' });
});

test('links in a circle and with targets that no file can have are kept', async (t) => {
	const root = tempFolder(t);
	symlinkSync('b', path.join(root, 'a'));
	symlinkSync('a', path.join(root, 'b'));
	symlinkSync('x'.repeat(3000), path.join(root, 'long'));
	const { run, paths, at } = await scanned(root);
	assert.deepEqual(run.problems(), []);
	assert.deepEqual(paths, ['/', '/a', '/b', '/long']);
	assert.equal(at('/a').linkTarget, 'b');
	assert.equal(at('/long').linksToDirectory, false);
});
