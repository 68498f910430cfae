import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { NameFolding } from '../../../source/host/names.ts';
import { Attribute } from '../../../source/image/dentry.ts';
import { encodeExtendedAttributes, encodeUnixData } from '../../../source/image/tagged-items.ts';
import { ROOT } from '../../../source/image/tree.ts';
import { type PlanOptions, planExtract } from '../../../source/operations/extract/extract-plan.ts';
import { type TestFolder, testSource } from '../../support/extract-source.ts';
import { testRun } from '../../support/test-run.ts';

const OPTIONS: PlanOptions = {
	unixData: false,
	acls: 'restore',
	attributes: true,
	includeInvalidNames: false,
};
const EXACT: NameFolding = { ignoresCase: false, normalises: false };

async function planned(
	folder: TestFolder,
	options: Partial<PlanOptions> = {},
	folding: NameFolding = EXACT,
) {
	const { source } = testSource(folder);
	const roots = [{ dentry: ROOT, names: [], withChildren: true }];
	const plan = await planExtract(source, roots, folding, { ...OPTIONS, ...options }, testRun());
	const paths = (items: Iterable<{ path: string }>) => Array.from(items, ({ path }) => path);
	return {
		plan,
		folders: paths(plan.folders),
		files: paths([...plan.files.holders]),
		empty: paths(plan.emptyFiles),
		links: paths([...plan.links.holders]),
		problems: plan.problems.map(({ message }) => message),
	};
}

test('every name gets one role, parents before children', async () => {
	const { plan, folders, files, empty, links } = await planned({
		a: { b: { file: 'text' } },
		empty: '',
		one: { contents: 'linked', mark: 'x' },
		two: { contents: 'linked', mark: 'x' },
		same: 'text',
		link: { link: 'one', isRelative: true },
	});
	assert.deepEqual(folders, ['', 'a', 'a/b']);
	assert.deepEqual(empty, ['empty']);
	assert.deepEqual(links, ['link']);
	assert.deepEqual(files.sort(), ['a/b/file', 'one', 'same']);
	assert.deepEqual(
		Array.from(plan.hardLinks, ({ item, first }) => [item.path, first.path]),
		[['two', 'one']],
	);
	assert.equal(plan.files.size, 2);
	assert.deepEqual([plan.blobBytes, plan.fileBytes, plan.nameCount], [10, 3 * 4096, 9]);
});

test('names that would leave the target stay behind, each with its reason', async () => {
	const { folders, files, problems } = await planned({
		'/etc': { passwd: 'x' },
		'a/../../b': 'y',
		ok: 'z',
		[`long${'ü'.repeat(127)}`]: 'w',
	});
	assert.deepEqual([folders, files], [[''], ['ok']]);
	assert.equal(problems.length, 3);
	assert.match(problems.join('\n'), /under its name: it holds the character "\/"/);
	assert.match(problems.join('\n'), /it has 258 bytes, more than 255/);
});

test('on request such names are replaced, and never by one that is taken', async () => {
	const { files, problems } = await planned(
		{ 'a/b': 'x', 'a?b (invalid filename #1)': 'y', 'c\\d': 'z' },
		{ includeInvalidNames: true },
	);
	assert.deepEqual(problems, []);
	assert.deepEqual(files.sort(), [
		'a?b (invalid filename #1)',
		'a?b (invalid filename #1) (invalid filename #2)',
		'c\\d',
	]);
});

test('where case does not count, twins collide instead of overwriting each other', async () => {
	const tree = { Link: { link: '..', isRelative: true }, link: { escaped: 'x' }, other: 'y' };
	const ignoring = await planned(tree, {}, { ignoresCase: true, normalises: false });
	assert.deepEqual(ignoring.links, ['Link']);
	assert.deepEqual(ignoring.files, ['other']);
	assert.match(
		ignoring.problems[0]!,
		/"\/link" under its name: this file system takes it for "Link"/,
	);
	assert.deepEqual((await planned(tree)).problems, []);
	const composed = { 'caf\u00e9': 'x', 'cafe\u0301': 'y' };
	const normalising = await planned(composed, {}, { ignoresCase: false, normalises: true });
	assert.equal(normalising.problems.length, 1);
});

test('a file whose contents are missing stays behind with all its names', async () => {
	const { plan, files, problems } = await planned({
		gone: { contents: 'lost', blob: 'missing', mark: 'x' },
		alias: { contents: 'lost', mark: 'x' },
		ok: 'kept',
	});
	assert.deepEqual(files, ['ok']);
	assert.equal(plan.hardLinks.length, 0);
	assert.equal(problems.length, 1);
	assert.match(problems[0]!, /Cannot extract "\/(gone|alias)": blob \w{40} is not there/);
});

test('an encrypted file cannot be restored, other reparse points keep their contents', async () => {
	const { files, empty, folders, problems, plan } = await planned({
		secret: { contents: 'efs', attributes: Attribute.encrypted },
		'one-drive': { link: 'x', tag: 0x9000_001a, contents: 'cached' },
		volume: { link: 'x', tag: 0x8000_0007, attributes: Attribute.directory },
		bare: { link: 'x', tag: 0x8000_0007 },
	});
	assert.deepEqual([files, empty, folders], [['one-drive'], ['bare'], ['', 'volume']]);
	assert.match(problems[0]!, /"\/secret": it is encrypted, which only Windows can restore/);
	assert.match(plan.losses.join('\n'), /reparse data .* of 3 files/);
});

test('what the target cannot hold is counted, what was not asked for is not', async () => {
	const unix = encodeUnixData({ uid: 1, gid: 2, mode: 0o100644, rdev: 0 });
	const eas = encodeExtendedAttributes([{ name: 'user.x', value: Uint8Array.of(1), flags: 0 }]);
	const tree = {
		a: {
			contents: 'x',
			streams: { s: 'stream' },
			shortName: 'A~1',
			descriptor: Uint8Array.of(1, 2, 3, 4),
			attributes: Attribute.hidden | Attribute.archive,
			items: [unix, eas],
		},
	};
	const { plan } = await planned(tree);
	assert.deepEqual(plan.losses, [
		'Left out: named data streams of 1 file',
		'Left out: Windows security descriptors of 1 file',
		'Left out: short names of 1 file',
		'Left out: the attribute "hidden" of 1 file',
		'Left out: Unix owners and modes of 1 file; pass --unix-data to restore them',
		'Left out: extended attributes of 1 file; pass --unix-data to restore them',
	]);
	assert.equal(plan.descriptorCount, 1);
	const quiet = await planned(tree, { acls: 'skip', attributes: false, unixData: true });
	assert.deepEqual(quiet.plan.losses.length, 2);
});

test('FIFOs and devices have their role only with Unix data', async () => {
	const fifo = {
		attributes: 0,
		items: [encodeUnixData({ uid: 0, gid: 0, mode: 0o010644, rdev: 0 })],
	};
	const withUnix = await planned({ fifo }, { unixData: true });
	assert.deepEqual(
		Array.from(withUnix.plan.specials, ({ path }) => path),
		['fifo'],
	);
	assert.deepEqual((await planned({ fifo })).empty, ['fifo']);
});

test('chosen dentries are judged by every name on their way', async () => {
	const { source } = testSource({ 'a/b': { file: 'x' }, c: { file: 'y' } });
	const bad = [...source.tree.children(ROOT)].find((child) => source.tree.name(child) === 'a/b')!;
	const roots = [
		{ dentry: source.tree.firstChild(bad), names: ['a/b', 'file'], withChildren: true },
		{ dentry: bad, names: ['a/b'], withChildren: false },
	];
	const plan = await planExtract(source, roots, EXACT, OPTIONS, testRun());
	assert.deepEqual([plan.folders.length, plan.files.size, plan.problems.length], [0, 0, 2]);
	const renamed = await planExtract(
		source,
		[...roots].reverse(),
		EXACT,
		{ ...OPTIONS, includeInvalidNames: true },
		testRun(),
	);
	assert.deepEqual(
		[...renamed.folders, ...renamed.files.holders].map(({ path }) => path),
		['a?b (invalid filename #1)', 'a?b (invalid filename #1)/file'],
	);
});

test('two chosen things for one place: the first is extracted, the second is named', async () => {
	const { source } = testSource({ x: { same: '1' }, y: { same: '2' } });
	const [x, y] = [...source.tree.children(ROOT)];
	const roots = [x!, y!].map((folder) => ({
		dentry: source.tree.firstChild(folder),
		names: ['same'],
		withChildren: true,
	}));
	const plan = await planExtract(source, roots, EXACT, OPTIONS, testRun());
	assert.equal(plan.files.size, 1);
	assert.match(
		plan.problems[0]!.message,
		/Cannot extract "\/y\/same": "\/x\/same" is extracted to the same place, "same"/,
	);
});
