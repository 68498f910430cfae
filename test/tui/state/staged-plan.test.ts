import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
	changeOfError,
	conflictOf,
	type Occupant,
	planCommands,
	without,
} from '../../../source/tui/state/staged-plan.ts';
import type { StagedChange } from '../../../source/tui/state/staged-state.ts';

const facts = { id: 1, imageIndex: 1, isFolder: false, size: 1, fileCount: 1, error: null };
const add = (source: string, path: string): StagedChange => ({
	...facts,
	type: 'add',
	source,
	path,
	replaces: null,
});
const remove = (path: string): StagedChange => ({ ...facts, type: 'delete', path, position: 1 });
const rename = (path: string, to: string): StagedChange => ({
	...facts,
	type: 'rename',
	path,
	to,
	position: 1,
});

const imageTwo = (change: StagedChange): StagedChange => ({ ...change, imageIndex: 2 });

test('each image gets its own commands, and an error finds the change of its image', () => {
	const changes = [imageTwo(remove('\\x')), add('/host/x', '\\x'), imageTwo(add('/host/x', '\\x'))];
	assert.deepEqual(planCommands(changes), [
		{ type: 'image', image: '1' },
		{ type: 'add', source: '/host/x', target: '/x' },
		{ type: 'image', image: '2' },
		{ type: 'delete', path: '/x' },
		{ type: 'add', source: '/host/x', target: '/x' },
	]);
	const message = 'Cannot put a file at "/x": there is a folder';
	assert.equal(changeOfError(changes, `Image 1: ${message}`), changes[1]);
	assert.equal(changeOfError(changes, `Image 2: ${message}`), changes[0]);
});

const FILE: Occupant = { isFolder: false, size: 5 };
const FOLDER: Occupant = { isFolder: true, size: 0 };

const CONFLICTS: readonly [
	name: string,
	staged: readonly StagedChange[],
	change: Parameters<typeof conflictOf>[1],
	occupant: Occupant | null,
	expected: RegExp | null,
][] = [
	['adding where nothing is', [], { type: 'add', path: '\\a', isFolder: false }, null, null],
	['replacing a file', [], { type: 'add', path: '\\a', isFolder: false }, FILE, null],
	['merging a folder', [], { type: 'add', path: '\\a', isFolder: true }, FOLDER, null],
	[
		'a file over a folder',
		[],
		{ type: 'add', path: '\\a', isFolder: false },
		FOLDER,
		/There is a folder/,
	],
	[
		'a folder over a file',
		[],
		{ type: 'add', path: '\\a', isFolder: true },
		FILE,
		/There is a file/,
	],
	[
		'adding below what is deleted',
		[remove('\\D')],
		{ type: 'add', path: '\\d\\x', isFolder: false },
		null,
		/"\\d" is staged to be deleted/,
	],
	[
		'adding in the place of what is deleted',
		[remove('\\d')],
		{ type: 'add', path: '\\d', isFolder: false },
		FILE,
		null,
	],
	[
		'a folder in the place of a file that is deleted',
		[remove('\\d')],
		{ type: 'add', path: '\\d', isFolder: true },
		FILE,
		null,
	],
	[
		'adding where something is renamed to',
		[rename('\\a', '\\b')],
		{ type: 'add', path: '\\B', isFolder: false },
		null,
		/"\\a" is staged to become/,
	],
	[
		'renaming to a name that is taken',
		[],
		{ type: 'rename', path: '\\a', to: '\\b' },
		FILE,
		/already; delete it first/,
	],
	[
		'renaming to a name that becomes free',
		[remove('\\b')],
		{ type: 'rename', path: '\\a', to: '\\b' },
		FILE,
		null,
	],
	['renaming only the case', [], { type: 'rename', path: '\\a', to: '\\A' }, FILE, null],
	[
		'renaming what is deleted',
		[remove('\\d')],
		{ type: 'rename', path: '\\d\\x', to: '\\y' },
		null,
		/staged to be deleted/,
	],
	[
		'renaming below itself',
		[],
		{ type: 'rename', path: '\\a', to: '\\a\\b' },
		null,
		/below itself/,
	],
	[
		'renaming again',
		[rename('\\a', '\\b')],
		{ type: 'rename', path: '\\a', to: '\\c' },
		null,
		null,
	],
	[
		'two to one name',
		[rename('\\a', '\\c')],
		{ type: 'rename', path: '\\b', to: '\\C' },
		null,
		/staged to become/,
	],
	[
		'renaming to what is added',
		[add('/h', '\\n')],
		{ type: 'rename', path: '\\b', to: '\\n' },
		null,
		/staged to be added/,
	],
	['deleting the root', [], { type: 'delete', path: '\\' }, null, /The root of an image stays/],
	[
		'a name that only begins like a deleted one',
		[remove('\\d')],
		{ type: 'add', path: '\\d2\\x', isFolder: false },
		null,
		null,
	],
];

for (const [name, staged, change, occupant, expected] of CONFLICTS)
	test(`staging: ${name} ${expected ? 'is refused' : 'is fine'}`, () => {
		const reason = conflictOf(staged, change, occupant);
		if (expected) assert.match(reason ?? '', expected);
		else assert.equal(reason, null);
	});

test('deletions come first, then the deepest renames, then additions below the new names', () => {
	const commands = planCommands([
		add('/host/n', '\\a\\deep\\n'),
		rename('\\a', '\\b'),
		remove('\\gone'),
		rename('\\a\\deep', '\\a\\low'),
		add('/host/m', '\\m'),
	]);
	assert.deepEqual(commands, [
		{ type: 'image', image: '1' },
		{ type: 'delete', path: '/gone' },
		{ type: 'rename', from: '/a/deep', to: '/a/low' },
		{ type: 'rename', from: '/a', to: '/b' },
		{ type: 'add', source: '/host/n', target: '/b/low/n' },
		{ type: 'add', source: '/host/m', target: '/m' },
	]);
});

test('deleting takes back what was staged there and below', () => {
	const staged = [
		add('/h', '\\d\\n'),
		rename('\\d\\x', '\\y'),
		rename('\\q', '\\d\\q'),
		remove('\\d\\z'),
		remove('\\e'),
	];
	assert.deepEqual(
		without(staged, { type: 'delete', path: '\\d' }).map(({ path }) => path),
		['\\e'],
	);
});

test('an error is put at the change that it names', () => {
	const staged = [remove('\\a\\b'), rename('\\x', '\\y'), add('/host/in', '\\in')];
	const at = (message: string) => changeOfError(staged, message)?.path ?? null;
	assert.equal(at('Cannot delete "/a/b": there is no such path in the image'), '\\a\\b');
	assert.equal(at('Cannot rename "/x" to "/y": there is a file'), '\\x');
	assert.equal(at('Cannot read "/host/in/secret": permission denied'), '\\in');
	assert.equal(at('The disk is full'), null);
	const alike = [add('/host/a', '\\a'), add('/host/a.dll', '\\b')];
	for (const name of ['/host/a.dll', '/host/a.dll/sub'])
		assert.equal(changeOfError(alike, `Cannot read "${name}": permission denied`), alike[1]);
	assert.equal(changeOfError(alike, 'Cannot read "/host/a/sub": permission denied'), alike[0]);
});

test('what moves into a renamed folder moves before the folder', () => {
	const commands = planCommands([rename('\\a', '\\c\\d\\b'), rename('\\f', '\\a\\f')]);
	assert.deepEqual(
		commands.flatMap((command) => (command.type === 'rename' ? [command.from] : [])),
		['/f', '/a'],
	);
});
