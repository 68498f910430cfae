import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import { openImage } from '../../../source/image/open.ts';
import { extractPaths, extractToStream } from '../../../source/operations/extract/extract.ts';
import { poolBlobWriter } from '../../../source/operations/extract/pool-blob-writer.ts';
import { InlinePool } from '../../../source/pool/pool.ts';
import { openWim } from '../../../source/wim/wim.ts';
import { fixture } from '../../support/fixture.ts';
import { oracle, runOracle } from '../../support/oracles.ts';
import { listTree, subfolder, tempFolder } from '../../support/temp-tree.ts';
import { testRun } from '../../support/test-run.ts';

const OPTIONS = {
	unixData: false,
	acls: 'restore',
	attributes: true,
	includeInvalidNames: false,
	recoverData: false,
	dryRun: false,
	globs: true,
	nullGlob: false,
} as const;

async function extract(
	file: string,
	paths: readonly string[],
	target: string,
	keepFolders = false,
) {
	const run = testRun();
	await using pool = new InlinePool();
	await using wim = await openWim(file);
	const image = await openImage(wim, wim.image(1));
	const chosen = paths.map((name) => ({ path: name, keepFolders }));
	const writer = poolBlobWriter(pool, wim.blobs);
	await extractPaths(image, chosen, target, writer, OPTIONS, run);
	return run;
}

/** A WIM of a small tree, made by wimlib. */
function makeWim(t: TestContext): string {
	const folder = tempFolder(t);
	const tree = subfolder(folder, 'tree');
	for (const [name, text] of Object.entries({
		'a/b/one.txt': 'one',
		'a/b/two.txt': 'two',
		'a/other.dat': 'other',
		'top.txt': 'top',
	})) {
		subfolder(tree, path.dirname(name));
		writeFileSync(path.join(tree, name), text);
	}
	runOracle('wimlib-imagex', 'capture', tree, path.join(folder, 'x.wim'));
	return path.join(folder, 'x.wim');
}

for (const [paths, flags] of [
	[['/a/b/one.txt'], []],
	[['/a/b'], []],
	[['/a/*/*.txt', '/TOP.TXT'], []],
	[['/a/b/*', '/top.txt'], ['--preserve-dir-structure']],
	[['/'], []],
] as const)
	test(
		`extracting ${paths.join(' ')} ${flags.join('')} gives what wimlib gives`,
		oracle('wimlib-imagex'),
		async (t) => {
			const file = makeWim(t);
			const [ours, theirs] = [path.join(tempFolder(t), 'x'), path.join(tempFolder(t), 'x')];
			// Case counts for wimlib on Linux unless it is told otherwise.
			const exact = paths.map((name) => name.replace('TOP.TXT', 'top.txt'));
			runOracle('wimlib-imagex', 'extract', file, '1', ...exact, `--dest-dir=${theirs}`, ...flags);
			const run = await extract(file, paths, ours, flags.length > 0);
			assert.deepEqual(run.problems(), []);
			assert.deepEqual(
				listTree(ours, { times: true }).slice(1),
				listTree(theirs, { times: true }).slice(1),
			);
		},
	);

test('nothing is made when a path names nothing', async (t) => {
	const target = tempFolder(t);
	await assert.rejects(
		extract(fixture('vectors/v01.wim'), ['hello.txt', 'none'], path.join(target, 'x')),
		{
			code: 'bad-input',
		},
	);
	assert.deepEqual(readdirSync(target), []);
});

async function toText(file: string, paths: readonly string[], recoverData = false) {
	const run = testRun();
	await using pool = new InlinePool();
	await using wim = await openWim(file);
	const image = await openImage(wim, wim.image(1));
	const pieces: Uint8Array[] = [];
	const chosen = paths.map((name) => ({ path: name, keepFolders: false }));
	await extractToStream(
		image,
		chosen,
		pool,
		{ globs: true, nullGlob: false, recoverData },
		async (bytes) => void pieces.push(bytes.slice()),
		run,
	);
	return { text: Buffer.concat(pieces).toString(), run };
}

test('contents go to a stream one after the other, empty ones too', async () => {
	const file = fixture('vectors/v01.wim');
	const hello = (await toText(file, ['hello.txt'])).text;
	assert.equal(hello.length, 12);
	assert.equal(
		(await toText(file, ['/empty.txt', 'hello.txt', 'sub/same.txt'])).text,
		hello + hello,
	);
});

test('a folder has no contents for a stream, and nothing is written before that is known', async () => {
	await assert.rejects(toText(fixture('vectors/v01.wim'), ['hello.txt', 'sub']), {
		code: 'bad-input',
		message: /^Cannot write "\/sub" to standard output: it is no file$/,
	});
});

test('a link has no contents for a stream either', async () => {
	for (const name of ['abs', 'rel', 'dirlink'])
		await assert.rejects(toText(fixture('vectors/v09.wim'), ['file.txt', name]), {
			code: 'bad-input',
			message: /^Cannot write "\/[a-z]+" to standard output: it is (no file|a link)/,
		});
});

test('wrong contents in a stream are an error with the path, or with --recover-data a problem', async () => {
	const file = fixture('vectors/malformed/m19-wrong-data.wim');
	await assert.rejects(toText(file, ['a']), (error: { code: string; facts: object }) => {
		assert.equal(error.code, 'bad-digest');
		assert.equal((error.facts as { path: string }).path, '/a');
		return true;
	});
	const { run, text } = await toText(file, ['a'], true);
	assert.equal(text.length, 2);
	assert.match(run.problems()[0]!.message, /^Contents of "\/a" are damaged/);
});

test('an extracted link keeps its target, whatever the header says about moving links', async (t) => {
	const target = path.join(tempFolder(t), 'x');
	await extract(fixture('vectors/v09.wim'), ['abs', 'file.txt'], target);
	assert.match(listTree(target).join('\n'), /\/abs link -> \/etc\/hostname/);
	assert.equal(readFileSync(path.join(target, 'file.txt')).length, 5);
});
