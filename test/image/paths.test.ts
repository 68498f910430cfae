import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Span } from '../../source/bytes/span.ts';
import { Attribute } from '../../source/image/dentry.ts';
import { addNode, EditTree, newInode } from '../../source/image/edit-tree.ts';
import { encodeTree } from '../../source/image/encode-tree.ts';
import { PathFinder } from '../../source/image/paths.ts';
import { ImageTree } from '../../source/image/tree.ts';

/** 2,000 folders in the root, a file in each; two names that differ in case. */
function wideTree(): ImageTree {
	const tree = new EditTree(newInode(Attribute.directory));
	for (let k = 0; k < 2000; k++) {
		const folder = addNode(tree.root, `Folder ${k}`, '', newInode(Attribute.directory));
		addNode(folder, 'File.txt', '', newInode(Attribute.archive));
	}
	addNode(tree.root, 'twin', '', newInode(Attribute.archive));
	addNode(tree.root, 'TWIN', '', newInode(Attribute.archive));
	return ImageTree.parse(new Span(encodeTree(tree), 'metadata'));
}

test('a path is looked up in slices, and found as without them', async () => {
	const tree = wideTree();
	for (const path of [
		'\\Folder 1999\\File.txt',
		'/folder 7/FILE.TXT',
		'/Twin',
		'/Folder 3/none',
		'/none/File.txt',
		'/',
	]) {
		let pauses = 0;
		const finder = new PathFinder(tree);
		const slices = {
			isUsedUp: true,
			pause: async () => {
				pauses++;
			},
		};
		await finder.prepare(path, slices);
		assert.deepEqual(finder.find(path), new PathFinder(tree).find(path), path);
		assert.ok(path === '/' ? pauses === 0 : pauses >= 7, `${path}: ${pauses} pauses`);
		const before = pauses;
		await finder.prepare(path, slices);
		assert.equal(pauses, before, 'what was made is kept');
	}
});
