import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sha1 } from '../../../source/bytes/sha1.ts';
import { Attribute, NO_SECURITY } from '../../../source/image/dentry.ts';
import type { Inode } from '../../../source/image/edit-tree.ts';
import {
	compareTrees,
	type DiffNode,
	type DiffTree,
} from '../../../source/operations/diff/diff-trees.ts';
import { fakeClock } from '../../support/fake-clock.ts';

/** A tree as text: names to contents; folders to more of it. */
interface Sketch {
	readonly [name: string]: string | Sketch;
}

function inodeOf(content: string | Sketch): Inode {
	const isFolder = typeof content !== 'string';
	return {
		attributes: isFolder ? Attribute.directory : Attribute.archive,
		securityId: NO_SECURITY,
		creationTime: 0n,
		lastAccessTime: 0n,
		lastWriteTime: 0n,
		unknown: 0,
		reparseTag: 0,
		reparseReserved: 0,
		reparseFlags: 0,
		linkGroup: 0n,
		data: isFolder ? null : { name: '', sha1: sha1(new TextEncoder().encode(content)) },
		reparse: null,
		named: [],
		tail: new Uint8Array(0),
		nameCount: 1,
	};
}

function nodeOf(name: string, content: string | Sketch): DiffNode {
	return {
		name,
		shortName: '',
		inode: inodeOf(content),
		*children() {
			if (typeof content === 'string') return;
			for (const [child, below] of Object.entries(content)) yield nodeOf(child, below);
		},
	};
}

const treeOf = (sketch: Sketch): DiffTree => ({
	root: nodeOf('', sketch),
	descriptors: [],
	sizeOf: () => 1,
	isFolder: false,
	hasHashes: true,
});

async function movesOf(before: Sketch, after: Sketch): Promise<readonly string[]> {
	const run = { signal: new AbortController().signal, report: () => {}, clock: fakeClock() };
	const { changes } = await compareTrees(treeOf(before), treeOf(after), run);
	return changes
		.map((change) =>
			change.type === 'moved' ? `${change.from} > ${change.path}` : `${change.type} ${change.path}`,
		)
		.sort();
}

test('a file that went elsewhere is paired by its contents, by name first, and each once', async () => {
	const before = { a: { one: 'same', two: 'same', three: 'same' }, b: {} };
	// The nameless one comes first, and must not take the place of those with names.
	const after = { a: {}, b: { other: 'same', two: 'same', one: 'same', more: 'same' } };
	assert.deepEqual(await movesOf(before, after), [
		'/a/one > /b/one',
		'/a/three > /b/other',
		'/a/two > /b/two',
		'added /b/more',
	]);
});

test('empty files and folders are no moves', async () => {
	assert.deepEqual(await movesOf({ a: '', d: { x: '1' } }, { b: '', e: { x: '1' } }), [
		'/d/x > /e/x',
		'added /b',
		'added /e',
		'removed /a',
		'removed /d',
	]);
});

test('thousands of equal contents that moved are paired without looking at each other', async () => {
	const names = Array.from({ length: 20_000 }, (_, k) => [`f${k}`, 'same'] as const);
	const moved = names.map(([name, text]) => [`${name}.new`, text] as const);
	const changes = await movesOf(
		{ a: Object.fromEntries(names), b: {} },
		{ a: {}, b: Object.fromEntries(moved) },
	);
	assert.equal(changes.length, 20_000);
	assert.ok(changes.every((change) => change.includes(' > ')));
});
