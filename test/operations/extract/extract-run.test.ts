import assert from 'node:assert/strict';
import {
	lstatSync,
	mkdirSync,
	readdirSync,
	readFileSync,
	readlinkSync,
	symlinkSync,
	writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { HostError } from '../../../source/base/errors.ts';
import { PosixTarget } from '../../../source/host/posix-target.ts';
import { encodeUnixData } from '../../../source/image/tagged-items.ts';
import { planApply } from '../../../source/operations/extract/apply.ts';
import type { BlobWriter } from '../../../source/operations/extract/extract-data.ts';
import { runExtract } from '../../../source/operations/extract/extract-run.ts';
import type { ExtractOptions } from '../../../source/operations/extract/extraction.ts';
import { type TestFolder, testSource } from '../../support/extract-source.ts';
import { listTree, subfolder, tempFolder } from '../../support/temp-tree.ts';
import { testRun } from '../../support/test-run.ts';

const OPTIONS: ExtractOptions = {
	unixData: false,
	acls: 'restore',
	attributes: true,
	includeInvalidNames: false,
	recoverData: false,
	rpfix: false,
	dryRun: false,
};

async function applied(
	t: TestContext,
	folder: TestFolder,
	options: Partial<ExtractOptions> = {},
	target = path.join(tempFolder(t), 'target'),
	writerInstead: BlobWriter | null = null,
) {
	const run = testRun();
	const { source, writer } = testSource(folder);
	const all = { ...OPTIONS, ...options };
	const part = await planApply(source, target, all, run);
	const summary = await runExtract([part], writerInstead ?? writer, all, run);
	return { target, run, summary, lines: options.dryRun ? [] : listTree(target) };
}

test('links are made last: none of them can lead a write out of the target', async (t) => {
	const outside = subfolder(tempFolder(t), 'outside');
	const { target, run } = await applied(t, {
		dir: { link: `\\??\\C:${outside.replaceAll('/', '\\')}` },
		'dir ': { file: 'x' },
		'..\\..\\evil': 'y',
	});
	assert.deepEqual(readdirSync(outside), []);
	assert.deepEqual(readdirSync(path.dirname(target)), ['target']);
	assert.deepEqual(run.problems(), []);
	assert.match(run.warnings().join('\n'), /1 name with a backslash/);
	assert.equal(readlinkSync(path.join(target, 'dir')), outside);
});

test('a target full of links and files is replaced name by name, folders are kept', async (t) => {
	const outside = tempFolder(t);
	writeFileSync(path.join(outside, 'precious'), 'precious');
	const target = subfolder(tempFolder(t), 'target');
	for (const name of ['folder', 'file', 'empty', 'link', 'hard'])
		symlinkSync(path.join(outside, name === 'folder' ? '' : 'precious'), path.join(target, name));
	mkdirSync(path.join(target, 'kept'));
	writeFileSync(path.join(target, 'kept/mine'), 'mine');
	const { lines } = await applied(
		t,
		{
			folder: { precious: 'new' },
			file: { contents: 'new', mark: 'x' },
			hard: { contents: 'new', mark: 'x' },
			empty: '',
			link: { link: 'file', isRelative: true },
			kept: { other: 'o' },
		},
		{},
		target,
	);
	assert.equal(readFileSync(path.join(outside, 'precious'), 'utf8'), 'precious');
	assert.deepEqual(readdirSync(outside), ['precious']);
	assert.deepEqual(
		lines.map((line) => line.split(' ').slice(0, 2).join(' ')),
		[
			'/ folder',
			'/empty file',
			'/file file',
			'/folder folder',
			'/folder/precious file',
			'/hard file',
			'/kept folder',
			'/kept/mine file',
			'/kept/other file',
			'/link link',
		],
	);
});

test('what one item cannot have does not stop the others', async (t) => {
	const target = subfolder(tempFolder(t), 'target');
	mkdirSync(path.join(target, 'taken'));
	mkdirSync(path.join(target, 'taken2'));
	const { run, summary } = await applied(
		t,
		{
			taken: { contents: 'text', mark: 'x' },
			taken2: '',
			zalias: { contents: 'text', mark: 'x' },
			volume: { link: '\\??\\Volume{0}\\' },
			fine: 'fine',
		},
		{},
		target,
	);
	const messages = run.problems().map(({ message }) => message);
	assert.equal(messages.length, 4);
	assert.match(
		messages.join('\n'),
		/"\/zalias": the file it is another name of could not be extracted/,
	);
	assert.match(messages.join('\n'), /target "\\\?\?\\Volume\{0\}\\" has no place on this machine/);
	assert.equal(readFileSync(path.join(target, 'fine'), 'utf8'), 'fine');
	assert.deepEqual([summary.files, summary.symbolicLinks, summary.bytes], [1, 0, 4]);
});

test('damaged contents leave no file, with --recover-data they do, and both are reported', async (t) => {
	const tree = {
		bad: { contents: 'broken', blob: 'damaged', mark: 'x' },
		'bad link': { contents: 'broken', blob: 'damaged', mark: 'x' },
		good: 'good',
	} as const;
	const strict = await applied(t, tree);
	assert.deepEqual(readdirSync(strict.target), ['good']);
	const [first] = strict.run.problems();
	assert.equal(first?.code, 'bad-digest');
	assert.match(first.message, /^Cannot extract "\/bad": chunk 0 is damaged$/);
	assert.equal(first.facts.hint, 'Pass --recover-data to keep what is readable.');
	const lenient = await applied(t, tree, { recoverData: true });
	assert.deepEqual(readdirSync(lenient.target), ['bad', 'bad link', 'good']);
	const [kept, ...others] = lenient.run.problems();
	assert.deepEqual(others, []);
	assert.match(
		kept?.message ?? '',
		/^Contents of "\/bad" are damaged, what cannot be read was written as zeros: chunk 0 is damaged$/,
	);
	assert.match(kept?.facts.hint ?? '', /wimdeck repair/);
});

test('absolute links move into the target only with rpfix, and only those that were made relative', async (t) => {
	const tree = { link: { link: '\\??\\C:\\dir\\f' }, rel: { link: '..\\x', isRelative: true } };
	const fixed = await applied(t, tree, { rpfix: true });
	assert.equal(readlinkSync(path.join(fixed.target, 'link')), `${fixed.target}/dir/f`);
	assert.equal(readlinkSync(path.join(fixed.target, 'rel')), '../x');
	const plain = await applied(t, tree);
	assert.equal(readlinkSync(path.join(plain.target, 'link')), '/dir/f');
});

test('modes come with Unix data only', async (t) => {
	const items = [
		encodeUnixData({
			uid: process.getuid?.() ?? 0,
			gid: process.getgid?.() ?? 0,
			mode: 0o100751,
			rdev: 0,
		}),
	];
	const tree = { file: { contents: 'x', items }, 'empty file': { contents: '', items } };
	const { target } = await applied(t, tree, { unixData: true });
	for (const name of Object.keys(tree))
		assert.equal(lstatSync(path.join(target, name)).mode & 0o7777, 0o751, name);
	const plain = await applied(t, tree);
	assert.equal(lstatSync(path.join(plain.target, 'file')).mode & 0o111, 0);
});

test('strict ACLs are refused before anything is written', async (t) => {
	const target = path.join(tempFolder(t), 'target');
	const tree = { a: { contents: 'x', descriptor: Uint8Array.of(1) } };
	await assert.rejects(applied(t, tree, { acls: 'strict' }, target), {
		code: 'unsupported',
		message: /Cannot restore the security descriptors of 1 file/,
	});
	assert.deepEqual(readdirSync(path.dirname(target)), []);
	assert.equal((await applied(t, tree, { acls: 'skip' })).run.warnings().length, 0);
});

test('a dry run counts and makes nothing', async (t) => {
	const root = tempFolder(t);
	const { summary } = await applied(
		t,
		{ a: { b: 'text' }, c: '' },
		{ dryRun: true },
		path.join(root, 'x'),
	);
	assert.deepEqual(readdirSync(root), []);
	const { folders, files, bytes, neededSize } = summary;
	assert.deepEqual(
		{ folders, files, bytes, neededSize },
		{ folders: 2, files: 2, bytes: 4, neededSize: 4096 },
	);
	assert.ok(summary.freeSize > 0);
});

test('too little room is said before anything is written', async (t) => {
	const run = testRun();
	const { source, writer } = testSource({ big: 'x' });
	const folder = tempFolder(t);
	const refused = async (below: string) => {
		const part = await planApply(source, path.join(folder, below), OPTIONS, run);
		const plan = { ...part.plan, fileBytes: Number.MAX_SAFE_INTEGER };
		await assert.rejects(runExtract([{ ...part, plan }], writer, OPTIONS, run), {
			code: 'host-refused',
			message: /^Cannot extract 8\.0 P into ".*": only .* are free$/,
		});
	};
	await refused('made/for/this');
	assert.deepEqual(readdirSync(folder), [], 'folders that were made for it are gone again');
	mkdirSync(path.join(folder, 'was there'));
	await refused('was there');
	assert.deepEqual(readdirSync(folder), ['was there']);
	mkdirSync(path.join(folder, 'filled'));
	const part = await planApply(source, path.join(folder, 'filled/new'), OPTIONS, run);
	writeFileSync(path.join(folder, 'filled/new/mine'), 'put there by somebody else');
	part.target.withdraw();
	assert.deepEqual(readdirSync(path.join(folder, 'filled/new')), ['mine']);
});

test('a full disk ends the run', async (t) => {
	const full = Object.assign(new Error('no space'), { code: 'ENOSPC' });
	const writer: BlobWriter = {
		async write({ files }, sink) {
			for (const { blob, files: targets } of files)
				sink.fileWritten({
					blob,
					error: null,
					isKept: true,
					refused: new Map(
						targets.map((target) => [target, new HostError('Cannot write', {}, full)]),
					),
				});
		},
	};
	await assert.rejects(applied(t, { a: 'x', b: 'y' }, {}, undefined, writer), {
		code: 'host-refused',
	});
});

test('a canceled run stops between two names', async (t) => {
	const run = testRun();
	const { source, writer } = testSource({ a: 'x' });
	const part = await planApply(source, path.join(tempFolder(t), 'target'), OPTIONS, run);
	run.cancel();
	await assert.rejects(runExtract([part], writer, OPTIONS, run), { code: 'canceled' });
	assert.deepEqual(readdirSync(part.target.root), []);
	assert.ok(part.target instanceof PosixTarget);
});
