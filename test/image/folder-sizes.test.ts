import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Sha1, sha1, ZERO_SHA1 } from '../../source/bytes/sha1.ts';
import { Span } from '../../source/bytes/span.ts';
import { Attribute } from '../../source/image/dentry.ts';
import { addNode, type EditNode, EditTree, newInode } from '../../source/image/edit-tree.ts';
import { encodeTree } from '../../source/image/encode-tree.ts';
import { type FolderSizes, folderSizeSteps } from '../../source/image/folder-sizes.ts';
import { PathFinder, pathOf } from '../../source/image/paths.ts';
import { ImageTree } from '../../source/image/tree.ts';

const contents = new Map<Sha1, { size: number; storedSize: number }>();

/** The name of a content of this size; stored in half of it. */
function content(size: number): Sha1 {
	const hash = sha1(Uint8Array.of(size & 255, size >> 8));
	contents.set(hash, { size, storedSize: size / 2 });
	return hash;
}

function folder(parent: EditNode, name: string): EditNode {
	return addNode(parent, name, '', newInode(Attribute.directory));
}

function file(parent: EditNode, name: string, size: number): EditNode {
	const inode = newInode(0x20);
	inode.data = { name: '', sha1: size === 0 ? ZERO_SHA1 : content(size) };
	return addNode(parent, name, '', inode);
}

const parsed = (tree: EditTree): ImageTree =>
	ImageTree.parse(new Span(encodeTree(tree), 'metadata'));

function sizesOf(tree: ImageTree): FolderSizes & { steps: number } {
	const steps = folderSizeSteps(tree, (hash) => contents.get(hash) ?? null);
	for (let count = 0; ; count++) {
		const step = steps.next();
		if (step.done) return { ...step.value, steps: count };
	}
}

test('sizes flow up; links count once a folder, equal contents are stored once a folder', () => {
	const tree = new EditTree(newInode(Attribute.directory));
	const a = folder(tree.root, 'a');
	const deep = folder(a, 'deep');
	const b = folder(tree.root, 'b');
	file(tree.root, 'top', 10);
	const linked = file(deep, 'one', 100);
	addNode(a, 'two', '', linked.inode);
	addNode(b, 'three', '', linked.inode);
	file(b, 'copy of top', 10);
	file(b, 'empty', 0);
	const missing = file(b, 'missing', 0);
	missing.inode.data = { name: '', sha1: sha1(new TextEncoder().encode('not there')) };
	const image = parsed(tree);
	const { sizes, storedSizes, fileCounts, folderCounts } = sizesOf(image);
	const finder = new PathFinder(image);
	const rows = ['/', '/a', '/a/deep', '/b', '/top'].map((path) => {
		const at = finder.need(path, 'the test');
		return [path, sizes[at], storedSizes[at], fileCounts[at], folderCounts[at]];
	});
	assert.deepEqual(rows, [
		['/', 120, 55, 7, 3],
		['/a', 100, 50, 2, 2],
		['/a/deep', 100, 50, 1, 1],
		['/b', 110, 55, 4, 1],
		['/top', 10, 5, 1, 0],
	]);
});

test('named streams count; a content that a file holds twice is stored once', () => {
	const tree = new EditTree(newInode(Attribute.directory));
	const node = file(tree.root, 'f', 30);
	node.inode.named = [
		{ name: 'same', sha1: content(30) },
		{ name: 'other', sha1: content(4) },
	];
	const image = parsed(tree);
	const { sizes, storedSizes } = sizesOf(image);
	assert.deepEqual([sizes[0], storedSizes[0]], [64, 17]);
});

const entry = fc.record({
	parent: fc.nat(),
	isFolder: fc.boolean(),
	size: fc.nat(6),
	twin: fc.nat(5),
});

test('every folder has the sums of its different files and contents', () => {
	fc.assert(
		fc.property(fc.array(entry, { maxLength: 60 }), (entries) => {
			const tree = new EditTree(newInode(Attribute.directory));
			const folders = [tree.root];
			const files: EditNode[] = [];
			for (const [i, { parent, isFolder, size, twin }] of entries.entries()) {
				const into = folders[parent % folders.length]!;
				if (isFolder) folders.push(folder(into, `d${i}`));
				else if (twin < 2 && files.length > 0)
					addNode(into, `l${i}`, '', files[i % files.length]!.inode);
				else files.push(file(into, `f${i}`, size));
			}
			const image = parsed(tree);
			const { sizes, storedSizes, fileCounts } = sizesOf(image);
			for (let at = 0; at < image.count; at++) {
				const below: number[] = [];
				const pending = [at];
				for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
					below.push(next);
					pending.push(...image.children(next));
				}
				const leaves = below.filter((one) => !image.isDirectory(one));
				const inodes = new Set(leaves.map((one) => image.inode(one)));
				const hashes = new Set(leaves.map((one) => image.dataSha1(one)));
				hashes.delete(ZERO_SHA1);
				const sum = (values: Iterable<number>): number => [...values].reduce((a, b) => a + b, 0);
				const where = pathOf(image, at);
				assert.equal(fileCounts[at], leaves.length, where);
				assert.equal(
					sizes[at],
					sum([...inodes].map((one) => contents.get(image.dataSha1(one))?.size ?? 0)),
					where,
				);
				assert.equal(
					storedSizes[at],
					sum([...hashes].map((hash) => contents.get(hash)?.storedSize ?? 0)),
					where,
				);
			}
		}),
	);
});

test('a large image is walked in many short steps', () => {
	const tree = new EditTree(newInode(Attribute.directory));
	for (let i = 0; i < 5000; i++) file(tree.root, `f${i}`, 1 + (i % 9));
	assert.ok(sizesOf(parsed(tree)).steps >= 5000 / 256 - 1);
});

test('hard links that are grouped in slices are those that are grouped at once', async () => {
	const tree = new EditTree(newInode(Attribute.directory));
	for (let i = 0; i < 9000; i++) {
		const node = file(tree.root, `f${i}`, 1 + (i % 9));
		if (i % 3 === 0) addNode(tree.root, `twin${i}`, '', node.inode);
	}
	const sliced = parsed(tree);
	const whole = parsed(tree);
	let pauses = 0;
	await sliced.groupLinks(async () => void pauses++);
	assert.ok(pauses > 0, String(pauses));
	for (let at = 0; at < whole.count; at++) assert.deepEqual(sliced.linksOf(at), whole.linksOf(at));
});
