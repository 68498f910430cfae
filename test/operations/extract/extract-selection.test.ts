import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OpenImage } from '../../../source/image/open.ts';
import {
	type SelectionOptions,
	selectPaths,
} from '../../../source/operations/extract/extract-selection.ts';
import { testSource } from '../../support/extract-source.ts';
import { testRun } from '../../support/test-run.ts';

const { tree } = testSource({
	Windows: { System32: { 'a.dll': '1', 'B.DLL': '2', config: { SAM: '3' } }, 'notes.txt': '4' },
	Users: { 'a.dll': '5' },
	'a[1].txt': '6',
	'star*': '7',
	twin: '8',
	TWIN: '9',
}).source;
const image = {
	tree,
	wim: { name: 'x.wim' },
	image: { index: 1, facts: { name: 'Pro' } },
} as unknown as OpenImage;

function chosen(
	paths: readonly string[],
	keepFolders = false,
	options: Partial<SelectionOptions> = {},
) {
	const run = testRun();
	const roots = selectPaths(
		image,
		paths.map((path) => ({ path, keepFolders })),
		{ globs: true, nullGlob: false, ...options },
		run,
	);
	return {
		run,
		places: roots.map(
			({ names, withChildren }) => names.join('/') + (withChildren ? '' : ' (folder)'),
		),
	};
}

for (const [paths, expected] of [
	[['/Windows/System32/a.dll'], ['a.dll']],
	[['windows\\SYSTEM32\\A.DLL'], ['a.dll']],
	[['Windows/System32/*.dll'], ['a.dll']],
	[['Windows/System32/*.Dll'], ['a.dll', 'B.DLL']],
	[['/Windows/*/config'], ['config']],
	[['*/a.dll'], ['a.dll']],
	[['/'], ['']],
	[['a[1].txt'], ['a[1].txt']],
	[['twin'], ['twin']],
	[['????'], ['TWIN', 'twin']],
] as const) {
	test(`${paths.join(', ')} chooses ${expected.join(', ')}`, () => {
		assert.deepEqual([...chosen(paths).places].sort(), [...expected].sort());
	});
}

test('folders above are kept on request, and nothing is chosen twice', () => {
	assert.deepEqual(chosen(['/Windows/System32/a.dll', '/Windows/notes.txt'], true).places, [
		'Windows (folder)',
		'Windows/System32 (folder)',
		'Windows/System32/a.dll',
		'Windows/notes.txt',
	]);
	assert.deepEqual(chosen(['/Windows/System32/a.dll', '/Windows'], true).places, ['Windows']);
	assert.deepEqual(chosen(['/Windows', '/Windows/System32'], false).places, [
		'Windows',
		'System32',
	]);
	assert.deepEqual(chosen(['/', '/Users'], true).places, ['']);
	assert.deepEqual(chosen(['/', '/Users'], false).places, ['']);
});

test('a path that names nothing is an error, or with --nullglob a warning', () => {
	for (const path of ['/none', 'Windows/*.exe'])
		assert.throws(() => chosen([path]), {
			code: 'bad-input',
			message: new RegExp(
				`Cannot find "${path.replaceAll('*', '\\*')}" in image 1 "Pro" of "x.wim"`,
			),
		});
	const { run, places } = chosen(['/none', 'Windows/*.exe', 'twin'], false, { nullGlob: true });
	assert.deepEqual(places, ['twin']);
	assert.equal(run.warnings().length, 2);
});

test('without globs a star is a star', () => {
	assert.deepEqual(chosen(['star*'], false, { globs: false }).places, ['star*']);
	assert.throws(() => chosen(['*.txt'], false, { globs: false }), { code: 'bad-input' });
});

test('a path that only case tells apart must be exact', () => {
	assert.throws(() => chosen(['Twin']), {
		code: 'bad-input',
		message: /differ from "Twin" only in case/,
	});
});
