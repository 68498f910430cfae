import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { METADATA_SIZE_MAX } from '../../source/base/limits.ts';
import { atOnce } from '../../source/base/slices.ts';
import { sha1, ZERO_SHA1 } from '../../source/bytes/sha1.ts';
import { Sha1Counts } from '../../source/bytes/sha1-counts.ts';
import { Span } from '../../source/bytes/span.ts';
import { countBlobs, visitBlobs } from '../../source/image/blob-users.ts';
import { Attribute } from '../../source/image/dentry.ts';
import {
	addNode,
	type EditNode,
	EditTree,
	newInode,
	removeNode,
} from '../../source/image/edit-tree.ts';
import { countReferences, encodeTree, treeStatistics } from '../../source/image/encode-tree.ts';
import { pathOf } from '../../source/image/paths.ts';
import { ImageTree } from '../../source/image/tree.ts';
import { readWholeResource } from '../../source/wim/read-resource.ts';
import { openWim } from '../../source/wim/wim.ts';
import { fixture } from '../support/fixture.ts';

/** Files in the older stream layout, which a writer does not reproduce (fixtures: README of the vectors). */
const LEGACY = ['v07-ntfs-legacy.wim', 'v09.wim'];

type Four = [Sha1Counts, Sha1Counts, Sha1Counts, Sha1Counts];

test('the metadata of every sample is rebuilt byte for byte', async () => {
	let rebuilt = 0;
	for (const name of readdirSync(fixture('vectors'))) {
		if (!/\.(wim|swm|esd|pwm)$/.test(name) || /part2/.test(name)) continue;
		await using wim = await openWim(fixture(`vectors/${name}`));
		for (const image of wim.images) {
			const bytes = await readWholeResource(image.metadata.resource, METADATA_SIZE_MAX);
			const tree = ImageTree.parse(new Span(bytes, name));
			const again = encodeTree(EditTree.from(tree));
			if (LEGACY.includes(name)) {
				const reread = ImageTree.parse(new Span(again, name));
				assert.equal(reread.count, tree.count);
				for (let dentry = 0; dentry < tree.count; dentry++)
					assert.deepEqual(reread.streams(dentry), tree.streams(dentry), name);
				continue;
			}
			assert.deepEqual(again, bytes, `${name} image ${image.index}`);
			const facts = treeStatistics(EditTree.from(tree), (hash) => wim.blobs.get(hash)?.size ?? 0);
			if (!name.startsWith('v11')) {
				assert.equal(facts.directoryCount, image.facts.directoryCount, name);
				assert.equal(facts.fileCount, image.facts.fileCount, name);
				assert.equal(facts.totalBytes, image.facts.totalBytes, name);
				assert.equal(facts.hardLinkBytes, image.facts.hardLinkBytes, name);
			}
			rebuilt++;
		}
	}
	assert.ok(rebuilt >= 12, String(rebuilt));
});

const name = fc
	.string({ unit: 'binary', minLength: 1, maxLength: 12 })
	.filter((text) => !/[\0/\\]/.test(text) && text !== '.' && text !== '..' && text.length < 100);
const bits = fc.bigInt({ min: 0n, max: (1n << 63n) - 1n });
const item = fc.record({
	parent: fc.nat(),
	name,
	shortName: fc.option(fc.constantFrom('A~1', 'LONGNA~1.TXT'), { nil: '' }),
	kind: fc.constantFrom('file', 'directory', 'link', 'junction', 'efs', 'twin' as const),
	times: fc.tuple(bits, bits, bits),
	hash: fc.option(fc.nat(9), { nil: null }),
	streams: fc.uniqueArray(name, { maxLength: 2 }),
	security: fc.option(fc.nat(3), { nil: null }),
	tail: fc.constantFrom(0, 16, 24),
});

function build(
	items: readonly (typeof item extends fc.Arbitrary<infer T> ? T : never)[],
): EditTree {
	const tree = new EditTree(newInode(Attribute.directory));
	const folders: EditNode[] = [tree.root];
	const files: EditNode[] = [];
	for (const spec of items) {
		const parent = folders[spec.parent % folders.length]!;
		if (parent.children?.has(spec.name)) continue;
		if (spec.kind === 'twin') {
			const other = files[spec.parent % Math.max(1, files.length)];
			if (other) addNode(parent, spec.name, '', other.inode);
			continue;
		}
		const inode = newInode(
			{
				file: Attribute.normal,
				directory: Attribute.directory,
				link: Attribute.reparsePoint,
				junction: Attribute.directory | Attribute.reparsePoint,
				efs: Attribute.encrypted,
			}[spec.kind],
		);
		[inode.creationTime, inode.lastAccessTime, inode.lastWriteTime] = spec.times;
		const hash = spec.hash === null ? ZERO_SHA1 : sha1(Uint8Array.of(spec.hash));
		if (inode.data !== null) inode.data.sha1 = hash;
		if (inode.reparse !== null) inode.reparse.sha1 = hash;
		if (spec.kind !== 'efs')
			inode.named = spec.streams.map((stream) => ({ name: stream, sha1: hash }));
		if (spec.security !== null)
			inode.securityId = tree.security.idOf(new Uint8Array(20 + spec.security).fill(spec.security));
		inode.tail = new Uint8Array(spec.tail).map((_, k) =>
			k === 0 ? 99 : k === 4 ? spec.tail - 8 : 0,
		);
		const node = addNode(parent, spec.name, spec.shortName, inode);
		if (spec.kind === 'directory') folders.push(node);
		if (spec.kind === 'file') files.push(node);
	}
	return tree;
}

test('a random tree reads back as it was, and encodes to the same bytes again', () => {
	fc.assert(
		fc.property(fc.array(item, { maxLength: 40 }), (items) => {
			const tree = build(items);
			const bytes = encodeTree(tree);
			const reread = ImageTree.parse(new Span(bytes, 'test'));
			assert.deepEqual(reread.warnings, []);
			const expected = [...tree.nodes()].map((node) => {
				const names: string[] = [];
				for (let at = node; at.parent !== null; at = at.parent) names.unshift(at.name);
				return `/${names.join('/')} ${node.inode.attributes} ${node.inode.lastWriteTime} ${node.inode.nameCount}`;
			});
			const found = Array.from(
				{ length: reread.count },
				(_, dentry) =>
					`${pathOf(reread, dentry)} ${reread.attributes(dentry)} ${reread.lastWriteTime(dentry)} ${reread.linksOf(dentry).length}`,
			);
			assert.deepEqual(found.sort(), expected.sort());
			assert.deepEqual(encodeTree(EditTree.from(reread)), bytes);
			const [one, two, three, four] = [0, 1, 2, 3].map(() => new Sha1Counts()) as Four;
			countReferences(tree, one);
			countReferences(EditTree.from(reread), two);
			assert.deepEqual([...one].sort(), [...two].sort());
			atOnce(countBlobs(reread, three));
			assert.deepEqual([...one].sort(), [...three].sort());
			const first = new Map<string, number>();
			atOnce(countBlobs(reread, four, (sha1, dentry) => first.set(sha1, dentry)));
			assert.deepEqual([...three], [...four]);
			const visited = new Map<string, number>();
			visitBlobs(reread, (sha1, dentry) => visited.has(sha1) || visited.set(sha1, dentry));
			assert.deepEqual(first, visited);
		}),
		{ numRuns: 200 },
	);
});

test('a folder may hold more names than a call takes arguments', () => {
	const tree = new EditTree(newInode(Attribute.directory));
	const folder = addNode(tree.root, 'folder', '', newInode(Attribute.directory));
	const file = newInode(Attribute.normal);
	for (let k = 0; k < 200_000; k++) addNode(folder, `file ${k}`, '', file);
	let count = 0;
	for (const _ of tree.nodes()) count++;
	assert.equal(count, 200_002);
	removeNode(folder);
	assert.equal(file.nameCount, 0);
});
