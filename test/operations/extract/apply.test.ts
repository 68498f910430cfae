import assert from 'node:assert/strict';
import {
	chmodSync,
	closeSync,
	createReadStream,
	ftruncateSync,
	linkSync,
	mkdirSync,
	openSync,
	readdirSync,
	readFileSync,
	readlinkSync,
	statSync,
	symlinkSync,
	utimesSync,
	writeFileSync,
	writeSync,
} from 'node:fs';
import path from 'node:path';
import { type TestContext, test } from 'node:test';
import type { ProgressEvent } from '../../../source/base/run.ts';
import { openImage } from '../../../source/image/open.ts';
import {
	applyAllImages,
	applyImage,
	folderNames,
} from '../../../source/operations/extract/apply.ts';
import { applyFromPipe } from '../../../source/operations/extract/apply-pipe.ts';
import type { ExtractOptions } from '../../../source/operations/extract/extraction.ts';
import { poolBlobWriter } from '../../../source/operations/extract/pool-blob-writer.ts';
import { InlinePool } from '../../../source/pool/pool.ts';
import { PipeReader } from '../../../source/wim/pipe-reader.ts';
import { openWim, type WimImage } from '../../../source/wim/wim.ts';
import { fixture } from '../../support/fixture.ts';
import { oracle, runOracle } from '../../support/oracles.ts';
import { listTree, subfolder, type TreeOptions, tempFolder } from '../../support/temp-tree.ts';
import { type TestRun, testRun } from '../../support/test-run.ts';

const OPTIONS: ExtractOptions = {
	unixData: false,
	acls: 'restore',
	attributes: true,
	includeInvalidNames: false,
	recoverData: false,
	rpfix: false,
	dryRun: false,
};

/** Applies as the command does: rpfix as the header says. */
async function apply(
	file: string,
	image: string,
	target: string,
	options: Partial<ExtractOptions> = {},
	references: readonly string[] = [],
	watch: (event: ProgressEvent) => void = () => {},
): Promise<TestRun> {
	const recorded = testRun();
	const report = (event: ProgressEvent) => {
		recorded.report(event);
		watch(event);
	};
	const run = { ...recorded, report };
	await using pool = new InlinePool();
	await using wim = await openWim(file, { references });
	const all = { ...OPTIONS, rpfix: wim.hasRpFix, ...options };
	const writer = poolBlobWriter(pool, wim.blobs);
	if (image === 'all') await applyAllImages(wim, target, writer, all, run);
	else await applyImage(await openImage(wim, wim.image(image)), target, writer, all, run);
	return run;
}

/** Two applied trees agree; a link may differ in the name of its own target folder. */
function assertSameTrees(ours: string, theirs: string, options: TreeOptions): void {
	const lines = (root: string) =>
		listTree(root, options).map((line) => line.replaceAll(root, 'TARGET'));
	assert.deepEqual(lines(ours), lines(theirs));
}

const isRoot = process.getuid?.() === 0;

/** One of everything that a folder of this machine can hold without rights of its own. */
function makeTree(root: string): void {
	mkdirSync(path.join(root, 'folder/deeper'), { recursive: true });
	mkdirSync(path.join(root, 'empty folder'));
	writeFileSync(path.join(root, 'empty'), '');
	writeFileSync(path.join(root, 'folder/text'), 'some text\n'.repeat(9000));
	writeFileSync(path.join(root, 'folder/same text'), 'some text\n'.repeat(9000));
	linkSync(path.join(root, 'folder/text'), path.join(root, 'folder/deeper/linked'));
	writeFileSync(path.join(root, 'back\\slash'), 'x');
	writeFileSync(path.join(root, 'Ünïcode 🎉'), 'y');
	writeFileSync(Buffer.concat([Buffer.from(`${root}/lone`), Buffer.of(0xed, 0xa0, 0x80)]), 'z');
	symlinkSync('text', path.join(root, 'folder/relative'));
	symlinkSync('../folder/deeper', path.join(root, 'folder/to folder'));
	symlinkSync('nowhere/at all', path.join(root, 'broken'));
	symlinkSync('/etc/hostname', path.join(root, 'outside'));
	symlinkSync(path.join(root, 'folder/text'), path.join(root, 'inside'));
	const sparse = openSync(path.join(root, 'sparse'), 'w');
	ftruncateSync(sparse, 3 << 20);
	writeSync(sparse, 'in the middle', 1 << 20);
	closeSync(sparse);
	chmodSync(path.join(root, 'folder/text'), 0o640);
	chmodSync(path.join(root, 'empty'), 0o4711);
	for (const [at, name] of ['folder/text', 'empty', 'empty folder', 'folder'].entries())
		utimesSync(path.join(root, name), 1e9 + at, 1.1e9 + at / 7);
}

const VECTORS = readdirSync(fixture('vectors')).filter((name) => /^v.*\.(wim|esd|pwm)$/.test(name));
for (const name of [...VECTORS, 'v04-part.swm'])
	test(`${name} is applied as wimlib applies it`, oracle('wimlib-imagex'), async (t) => {
		const folder = tempFolder(t);
		const file = fixture(`vectors/${name}`);
		const references = name.startsWith('v11') ? [fixture('vectors/v04-whole.wim')] : [];
		// We find the other parts by their names, wimlib wants to be told.
		const told = name.endsWith('.swm') ? [fixture('vectors/v04-part*.swm')] : references;
		const wim = await openWim(file, { references });
		const count = wim.images.length;
		await wim[Symbol.asyncDispose]();
		for (let index = 1; index <= count; index++) {
			for (const unixData of isRoot ? [false, true] : [false]) {
				const [ours, theirs] = [`${folder}/o${index}${unixData}`, `${folder}/t${index}${unixData}`];
				const flags = unixData ? ['--unix-data'] : [];
				const refs = told.map((reference) => `--ref=${reference}`);
				runOracle('wimlib-imagex', 'apply', file, String(index), theirs, ...flags, ...refs);
				const run = await apply(file, String(index), ours, { unixData }, references);
				assert.deepEqual(run.problems(), []);
				assertSameTrees(ours, theirs, { times: true, unixData });
			}
		}
	});

for (const flags of [
	['--compress=none'],
	['--compress=XPRESS', '--chunk-size=4096'],
	['--compress=LZX'],
	['--compress=LZX', '--chunk-size=2097152'],
	['--compress=LZMS'],
	['--solid'],
	['--compress=LZX', '--unix-data', '--check'],
	['--compress=XPRESS', '--pipable'],
	['--compress=LZX', '--norpfix'],
])
	test(
		`what wimlib captured with ${flags.join(' ')} becomes the original tree`,
		oracle('wimlib-imagex'),
		async (t) => {
			const folder = tempFolder(t);
			const tree = subfolder(folder, 'tree');
			makeTree(tree);
			const file = path.join(folder, 'x.wim');
			runOracle('wimlib-imagex', 'capture', tree, file, ...flags);
			const target = path.join(folder, 'target');
			const unixData = flags.includes('--unix-data');
			const run = await apply(file, '1', target, { unixData });
			assert.deepEqual(run.problems(), []);
			if (flags.includes('--norpfix')) {
				assert.equal(readlinkSync(path.join(target, 'inside')), path.join(tree, 'folder/text'));
				return;
			}
			assertSameTrees(target, tree, { times: true, unixData });
			assert.ok(statSync(path.join(target, 'sparse')).blocks * 512 < 1 << 20, 'holes stay holes');
		},
	);

test(
	'applying twice gives the same tree, and replaces what changed',
	oracle('wimlib-imagex'),
	async (t) => {
		const folder = tempFolder(t);
		makeTree(subfolder(folder, 'tree'));
		const file = path.join(folder, 'x.wim');
		runOracle('wimlib-imagex', 'capture', path.join(folder, 'tree'), file);
		const target = path.join(folder, 'target');
		await apply(file, '1', target);
		const once = listTree(target, { times: true });
		writeFileSync(path.join(target, 'folder/text'), 'changed, and with it its other name');
		symlinkSync('/etc/passwd', path.join(target, 'empty folder/added'));
		await apply(file, '1', target);
		const twice = listTree(target, { times: true });
		assert.deepEqual(
			twice.filter((line) => !line.startsWith('/empty folder/added')),
			once,
		);
	},
);

test('all images go into folders of their own', async (t) => {
	const target = path.join(tempFolder(t), 'target');
	const file = fixture('vectors/v02.wim');
	await apply(file, 'all', target);
	const wim = await openWim(file);
	assert.deepEqual(readdirSync(target).sort(), folderNames(wim.images).sort());
	for (const [at, { index }] of wim.images.entries()) {
		const single = path.join(tempFolder(t), 'single');
		await apply(file, String(index), single);
		assertSameTrees(path.join(target, folderNames(wim.images)[at]!), single, { times: true });
	}
	await wim[Symbol.asyncDispose]();
});

test('an image gives its folder its name only when that is unique and harmless', () => {
	const names = (...images: string[]) =>
		folderNames(images.map((name, at) => ({ index: at + 1, facts: { name } }) as WimImage));
	assert.deepEqual(names('Home', 'Pro'), ['Home', 'Pro']);
	assert.deepEqual(names('Pro', 'pro', 'X'), ['1', '2', 'X']);
	assert.deepEqual(names('', '..', 'a/b', 'CON'), ['1', '2', '3', '4']);
	assert.deepEqual(names('2', 'a/b', '3'), ['1', '2', '3']);
});

/** Feeds `file` to an apply from a pipe. */
async function applyPiped(t: TestContext, files: readonly string[], image: string, options = {}) {
	const target = path.join(tempFolder(t), 'target');
	const run = testRun();
	async function* bytes() {
		for (const file of files) yield* createReadStream(file, { highWaterMark: 5000 });
	}
	await using reader = await PipeReader.open(bytes(), 'standard input');
	const summary = await applyFromPipe(reader, image, target, { ...OPTIONS, ...options }, run);
	return { target, run, summary };
}

test(
	'a pipable file gives the same trees through a pipe as from the disk',
	oracle('wimlib-imagex'),
	async (t) => {
		const folder = tempFolder(t);
		makeTree(subfolder(folder, 'tree'));
		const file = path.join(folder, 'x.wim');
		runOracle(
			'wimlib-imagex',
			'capture',
			path.join(folder, 'tree'),
			file,
			'first',
			'--pipable',
			'--check',
		);
		let seed = 1;
		const random = () => {
			seed = (seed * 1103515245 + 12345) & 0x7fffffff;
			return seed >> 8;
		};
		for (const name of ['more', 'even more'])
			writeFileSync(path.join(folder, 'tree', name), Uint32Array.from({ length: 10_000 }, random));
		runOracle('wimlib-imagex', 'append', path.join(folder, 'tree'), file, 'second');
		const piped = await applyPiped(t, [file], 'second');
		assert.deepEqual(piped.run.problems(), []);
		await apply(file, '2', path.join(folder, 'direct'), { rpfix: false });
		assertSameTrees(piped.target, path.join(folder, 'direct'), { times: true });
		const all = await applyPiped(t, [file], 'all');
		assert.deepEqual(readdirSync(all.target), ['first', 'second']);
		assertSameTrees(path.join(all.target, 'second'), path.join(folder, 'direct'), { times: true });
		runOracle('wimlib-imagex', 'split', file, path.join(folder, 'p.swm'), '0.04');
		const parts = readdirSync(folder)
			.filter((name) => name.endsWith('.swm'))
			.sort();
		assert.ok(parts.length > 1);
		const inOrder = ['p.swm', ...parts.filter((name) => name !== 'p.swm').reverse()];
		const split = await applyPiped(
			t,
			inOrder.map((name) => path.join(folder, name)),
			'2',
		);
		assert.deepEqual(split.run.problems(), []);
		assertSameTrees(split.target, path.join(folder, 'direct'), { times: true });
		const incomplete = await applyPiped(t, [path.join(folder, 'p.swm')], '2');
		assert.equal(incomplete.run.problems()[0]?.code, 'missing-data');
	},
);

for (const flags of [['--compress=XPRESS'], ['--solid'], ['--pipable', '--compress=none']])
	test(
		`files with the same contents are not all open together (${flags.join(' ')})`,
		oracle('wimlib-imagex'),
		async (t) => {
			const folder = tempFolder(t);
			const tree = subfolder(folder, 'tree');
			for (let k = 0; k < 150; k++) writeFileSync(path.join(tree, `f${k}`), 'the same everywhere');
			for (let k = 0; k < 40; k++)
				writeFileSync(path.join(tree, `large${k}`), 'large '.repeat(200_000));
			for (let k = 0; k < 40; k++) {
				const fd = openSync(path.join(tree, `sparse${k}`), 'w');
				writeSync(fd, 'in the middle', 1 << 20);
				ftruncateSync(fd, 3 << 20);
				closeSync(fd);
			}
			const file = path.join(folder, 'x.wim');
			runOracle('wimlib-imagex', 'capture', tree, file, ...flags);
			let most = 0;
			const watch = (event: ProgressEvent) => {
				if (event.type === 'advance' && process.platform === 'linux')
					most = Math.max(most, readdirSync('/proc/self/fd').length);
			};
			const target = path.join(folder, 'direct');
			assert.deepEqual((await apply(file, '1', target, {}, [], watch)).problems(), []);
			assertSameTrees(target, tree, { times: true });
			assert.ok(statSync(path.join(target, 'sparse39')).blocks * 512 < 1 << 20);
			assert.ok(most < 120, `${most} files were open`);
			if (!flags.includes('--pipable')) return;
			const piped = await applyPiped(t, [file], '1');
			assertSameTrees(piped.target, tree, { times: true });
		},
	);

test('wrong data never stand under their name, unless asked for, and both times are reported', async (t) => {
	const file = fixture('vectors/malformed/m19-wrong-data.wim');
	const strict = path.join(tempFolder(t), 'strict');
	const run = await apply(file, '1', strict);
	assert.deepEqual(readdirSync(strict), []);
	assert.match(run.problems()[0]!.message, /^Cannot extract "\/a": /);
	assert.equal(run.problems()[0]!.code, 'bad-digest');
	const lenient = path.join(tempFolder(t), 'lenient');
	assert.equal((await apply(file, '1', lenient, { recoverData: true })).problems().length, 1);
	assert.deepEqual(readdirSync(lenient), ['a']);
});

test('a missing blob costs its file only', async (t) => {
	const target = path.join(tempFolder(t), 'target');
	const run = await apply(fixture('vectors/malformed/m08-blob-missing.wim'), '1', target);
	assert.deepEqual(readdirSync(target), ['ok']);
	assert.deepEqual(
		run.problems().map(({ code, facts }) => [code, facts.path]),
		[['missing-data', '/x']],
	);
});

for (const [name, expected] of [
	['m02-slash-names', ['..\\..\\evil', 'c\\d', 'ok']],
	['m26-windows-names', ['\u0001ctl', 'CON', 'a:b', 'ok', 'q?*<>|"', 'trail ', 'trail.']],
	['m25-case-symlink-escape', ['Link', 'link']],
	['m28-surrogates', ['ok😀', '\ufffd\ufffd\ufffdlone']],
] as const)
	test(`${name} stays inside its target`, async (t) => {
		const folder = tempFolder(t);
		const target = path.join(folder, 'a/b/target');
		await apply(fixture(`vectors/malformed/${name}.wim`), '1', target);
		assert.deepEqual(readdirSync(target).sort(), [...expected].sort());
		assert.deepEqual(readdirSync(path.join(folder, 'a/b')), ['target']);
		assert.deepEqual(readdirSync(path.join(folder, 'a')), ['b']);
		assert.ok(!readdirSync(folder).includes('evil'));
	});

test('an interrupted run leaves no half-written file', oracle('wimlib-imagex'), async (t) => {
	const folder = tempFolder(t);
	const tree = subfolder(folder, 'tree');
	let seed = 1;
	const random = () => {
		seed = (seed * 1103515245 + 12345) & 0x7fffffff;
		return seed >> 8;
	};
	for (let k = 0; k < 100; k++)
		writeFileSync(path.join(tree, `f${k}`), Uint32Array.from({ length: 40_000 }, random));
	const file = path.join(folder, 'x.wim');
	runOracle('wimlib-imagex', 'capture', tree, file, '--compress=XPRESS');
	const run = testRun();
	const target = path.join(folder, 'target');
	await using pool = new InlinePool();
	await using wim = await openWim(file);
	const image = await openImage(wim, wim.image(1));
	let written = 0;
	const stopping = {
		...run,
		report: (event: Parameters<typeof run.report>[0]) => {
			run.report(event);
			if (event.type === 'item' && ++written === 5) run.cancel();
		},
	};
	await assert.rejects(
		applyImage(image, target, poolBlobWriter(pool, wim.blobs), OPTIONS, stopping),
		{ code: 'canceled' },
	);
	const names = readdirSync(target);
	assert.ok(names.length < 100);
	for (const name of names)
		assert.deepEqual(
			readFileSync(path.join(target, name)),
			readFileSync(path.join(tree, name)),
			name,
		);
});
