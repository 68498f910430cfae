/**
 * Compares two trees: images, or an image and a folder of this machine. Images compare by metadata alone; files of a
 * folder by size and time, or, when asked for, by their contents.
 */
import { breathe, type Run } from '../base/run.ts';
import { encodeHex } from '../bytes/hex.ts';
import { isEmptyStream, type Sha1, ZERO_SHA1 } from '../bytes/sha1.ts';
import { Attribute } from '../image/dentry.ts';
import { type EditNode, EditTree, type Inode, isDirectory, nodePath } from '../image/edit-tree.ts';
import { openImage } from '../image/open.ts';
import { openWim } from '../wim/wim.ts';
import { hashContent } from '../wim/write-blobs.ts';
import { captureTree } from './capture-tree.ts';

/** One side. */
export type DiffSide =
	| {
			readonly type: 'image';
			readonly wim: string;
			readonly image: string;
			/** Patterns of further files. */
			readonly references: readonly string[];
	  }
	| { readonly type: 'folder'; readonly path: string };

export interface DiffOptions {
	/** Read the files of folders, instead of comparing size and time. */
	readonly content: boolean;
}

/** What differs between two files of the same path. */
export type DiffAspect =
	| 'kind'
	| 'content'
	| 'streams'
	| 'attributes'
	| 'creation-time'
	| 'write-time'
	| 'security'
	| 'short-name'
	| 'links'
	| 'reparse'
	| 'extra';

export type DiffChange =
	| {
			readonly type: 'added';
			readonly path: string;
			readonly size: number;
			readonly isFolder: boolean;
	  }
	| {
			readonly type: 'removed';
			readonly path: string;
			readonly size: number;
			readonly isFolder: boolean;
	  }
	/** A file whose contents stood elsewhere before, and nowhere else now. */
	| { readonly type: 'moved'; readonly path: string; readonly from: string; readonly size: number }
	| {
			readonly type: 'changed';
			readonly path: string;
			readonly aspects: readonly DiffAspect[];
			readonly sizeBefore: number;
			readonly size: number;
	  };

export interface DiffSummary {
	/** In order of path. */
	readonly changes: readonly DiffChange[];
	readonly added: number;
	readonly removed: number;
	readonly moved: number;
	readonly changed: number;
	readonly unchanged: number;
}

/** A tree that can be compared. */
interface Side {
	readonly tree: EditTree;
	/** Original size of the contents of a file. */
	readonly sizeOf: (inode: Inode) => number;
	/** A folder has no attributes, ACLs, short names or creation times of Windows; and no hashes unless asked for. */
	readonly isFolder: boolean;
	readonly hasHashes: boolean;
}

export async function diff(
	before: DiffSide,
	after: DiffSide,
	options: DiffOptions,
	run: Run,
): Promise<DiffSummary> {
	const one = await openSide(before, options, run);
	const two = await openSide(after, options, run);
	return compareSides(one, two, run);
}

async function openSide(side: DiffSide, options: DiffOptions, run: Run): Promise<Side> {
	if (side.type === 'image') {
		await using wim = await openWim(side.wim, { references: side.references });
		const image = wim.image(side.image);
		const { tree } = await openImage(wim, image, { tolerant: false }, () => breathe(run));
		const { blobs } = wim;
		return {
			tree: EditTree.from(tree),
			sizeOf: ({ data }) => blobs.get(data?.sha1 ?? ZERO_SHA1)?.size ?? 0,
			isFolder: false,
			hasHashes: true,
		};
	}
	const rules = { exclusions: [], exceptions: [] };
	const captured = await captureTree(
		side.path,
		{ rules, dereference: false, unixData: false, acls: 'store', rpFix: true },
		run,
	);
	const sizes = new Map<Inode, number>();
	for (const { inode, stream, content } of captured.pending) {
		if (stream === inode.data) sizes.set(inode, content.size);
		// Links and named streams are in memory already.
		if (options.content || stream !== inode.data) stream.sha1 = await hashContent(content, run);
	}
	return {
		tree: captured.tree,
		sizeOf: (inode) => sizes.get(inode) ?? 0,
		isFolder: true,
		hasHashes: options.content,
	};
}

async function compareSides(one: Side, two: Side, run: Run): Promise<DiffSummary> {
	const added: EditNode[] = [];
	const removed: EditNode[] = [];
	const changes: DiffChange[] = [];
	let unchanged = 0;
	const pending: [EditNode, EditNode][] = [[one.tree.root, two.tree.root]];
	let visited = 0;
	for (let pair = pending.pop(); pair !== undefined; pair = pending.pop()) {
		const [left, right] = pair;
		if (++visited % 4096 === 0) await breathe(run);
		const aspects = compareNodes(left, right, one, two);
		if (aspects.length === 0) unchanged++;
		else
			changes.push({
				type: 'changed',
				path: nodePath(right),
				aspects,
				sizeBefore: one.sizeOf(left.inode),
				size: two.sizeOf(right.inode),
			});
		for (const child of left.children?.values() ?? []) {
			const other = right.children?.get(child.name);
			if (other === undefined) removed.push(...one.tree.nodes(child));
			else pending.push([child, other]);
		}
		for (const child of right.children?.values() ?? [])
			if (!left.children?.has(child.name)) added.push(...two.tree.nodes(child));
	}
	const moves = findMoves(removed, added, one.hasHashes && two.hasHashes);
	const gone = new Set(moves.values());
	for (const node of added) {
		const from = moves.get(node);
		const size = two.sizeOf(node.inode);
		const path = nodePath(node);
		if (from !== undefined) changes.push({ type: 'moved', path, from: nodePath(from), size });
		else changes.push({ type: 'added', path, size, isFolder: node.children !== null });
	}
	for (const node of removed)
		if (!gone.has(node))
			changes.push({
				type: 'removed',
				path: nodePath(node),
				size: one.sizeOf(node.inode),
				isFolder: node.children !== null,
			});
	changes.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
	const count = (type: DiffChange['type']) =>
		changes.filter((change) => change.type === type).length;
	return {
		changes,
		added: count('added'),
		removed: count('removed'),
		moved: count('moved'),
		changed: count('changed'),
		unchanged,
	};
}

/** Pairs what came with what went by contents; where several fit, by name, and each once. */
function findMoves(
	removed: readonly EditNode[],
	added: readonly EditNode[],
	hasHashes: boolean,
): Map<EditNode, EditNode> {
	const moves = new Map<EditNode, EditNode>();
	if (!hasHashes) return moves;
	const byHash = new Map<Sha1, EditNode[]>();
	for (const node of removed) {
		const sha1 = movable(node);
		if (sha1 === null) continue;
		const same = byHash.get(sha1);
		if (same) same.push(node);
		else byHash.set(sha1, [node]);
	}
	for (const node of added) {
		const candidates = byHash.get(movable(node) ?? '') ?? [];
		const named = candidates.findIndex(({ name }) => name === node.name);
		const [from] = candidates.splice(Math.max(0, named), 1);
		if (from !== undefined) moves.set(node, from);
	}
	return moves;
}

function movable({ inode }: EditNode): Sha1 | null {
	const sha1 = inode.data?.sha1 ?? ZERO_SHA1;
	return isEmptyStream(sha1) || inode.reparse !== null ? null : sha1;
}

function compareNodes(left: EditNode, right: EditNode, one: Side, two: Side): DiffAspect[] {
	const a = left.inode;
	const b = right.inode;
	if (isDirectory(a) !== isDirectory(b) || (a.reparse === null) !== (b.reparse === null))
		return ['kind'];
	const aspects: DiffAspect[] = [];
	const isMixed = one.isFolder !== two.isFolder;
	const add = (aspect: DiffAspect, differs: boolean) => {
		if (differs) aspects.push(aspect);
	};
	add('content', !isSameContent(a, b, one, two));
	add('reparse', a.reparseTag !== b.reparseTag || a.reparse?.sha1 !== b.reparse?.sha1);
	add('write-time', a.lastWriteTime !== b.lastWriteTime && left.parent !== null);
	add('links', a.nameCount !== b.nameCount && !isMixed);
	if (isMixed) return aspects;
	const ignored = Attribute.normal;
	add('attributes', (a.attributes | ignored) !== (b.attributes | ignored));
	add('creation-time', a.creationTime !== b.creationTime);
	add('streams', streamsText(a) !== streamsText(b));
	add('security', securityText(a, one.tree) !== securityText(b, two.tree));
	add('short-name', left.shortName !== right.shortName);
	add('extra', !equal(a.tail, b.tail));
	return aspects;
}

function isSameContent(a: Inode, b: Inode, one: Side, two: Side): boolean {
	if (one.hasHashes && two.hasHashes)
		return (a.data?.sha1 ?? ZERO_SHA1) === (b.data?.sha1 ?? ZERO_SHA1);
	if (one.sizeOf(a) !== two.sizeOf(b)) return false;
	return one.sizeOf(a) === 0 || a.lastWriteTime === b.lastWriteTime;
}

function streamsText(inode: Inode): string {
	return inode.named
		.map(({ name, sha1 }) => `${name}:${sha1}`)
		.sort()
		.join('/');
}

function securityText(inode: Inode, tree: EditTree): string {
	const descriptor = tree.descriptors[inode.securityId];
	return descriptor === undefined ? '' : encodeHex(descriptor);
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
	return a.length === b.length && a.every((byte, k) => byte === b[k]);
}
