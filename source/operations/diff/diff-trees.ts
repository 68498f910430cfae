/** Compares two trees name by name: images as they are stored, folders of this machine as they were captured. */

import { breathe, type Run } from '../../base/run.ts';
import { encodeHex } from '../../bytes/hex.ts';
import { isEmptyStream, type Sha1, ZERO_SHA1 } from '../../bytes/sha1.ts';
import { Attribute } from '../../image/dentry.ts';
import {
	type EditNode,
	type EditTree,
	type Inode,
	inodeAt,
	isDirectory,
} from '../../image/edit-tree.ts';
import { type DentryPosition, type ImageTree, ROOT } from '../../image/tree.ts';
import type { Wim } from '../../wim/wim.ts';

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
			readonly isFolder: boolean;
			readonly aspects: readonly DiffAspect[];
			readonly sizeBefore: number;
			readonly size: number;
	  };

/** A name of a tree, made when it is looked at. */
export interface DiffNode {
	/** '' for the root. */
	readonly name: string;
	readonly shortName: string;
	readonly inode: Inode;
	/** None for what cannot have any. */
	children(): Iterable<DiffNode>;
}

/** A tree that can be compared. */
export interface DiffTree {
	readonly root: DiffNode;
	/** Inodes name them by position. */
	readonly descriptors: readonly Uint8Array[];
	/** Original size of the contents of a file. */
	readonly sizeOf: (inode: Inode) => number;
	/** A folder has no attributes, ACLs, short names or creation times of Windows; and no hashes unless asked for. */
	readonly isFolder: boolean;
	readonly hasHashes: boolean;
}

/** A name of an image. What is asked of it is read from the metadata then: a folder may have 300,000, and inodes are large. */
class ImageDiffNode implements DiffNode {
	readonly #tree: ImageTree;
	readonly #dentry: DentryPosition;

	constructor(tree: ImageTree, dentry: DentryPosition) {
		this.#tree = tree;
		this.#dentry = dentry;
	}

	get name(): string {
		return this.#tree.name(this.#dentry);
	}

	get shortName(): string {
		return this.#tree.shortName(this.#dentry);
	}

	get inode(): Inode {
		const tree = this.#tree;
		const nameCount = tree.linksOf(this.#dentry).length;
		return { ...inodeAt(tree, tree.inode(this.#dentry)), nameCount };
	}

	*children(): Iterable<DiffNode> {
		for (const child of this.#tree.children(this.#dentry))
			yield new ImageDiffNode(this.#tree, child);
	}
}

/** An image. Nodes are read from its metadata one by one, so that comparing 300,000 of them holds but a few. */
export function imageDiffTree(wim: Pick<Wim, 'blobs'>, tree: ImageTree): DiffTree {
	return {
		root: new ImageDiffNode(tree, ROOT),
		descriptors: tree.security.descriptors,
		sizeOf: ({ data }) => wim.blobs.get(data?.sha1 ?? ZERO_SHA1)?.size ?? 0,
		isFolder: false,
		hasHashes: true,
	};
}

/** A captured folder of this machine. */
export function folderDiffTree(
	tree: EditTree,
	sizeOf: (inode: Inode) => number,
	hasHashes: boolean,
): DiffTree {
	const nodeOf = ({ name, shortName, inode, children }: EditNode): DiffNode => ({
		name,
		shortName,
		inode,
		*children() {
			for (const child of children?.values() ?? []) yield nodeOf(child);
		},
	});
	return {
		root: nodeOf(tree.root),
		descriptors: tree.security.list,
		sizeOf,
		isFolder: true,
		hasHashes,
	};
}

/** A name of one tree only. */
interface Lone {
	readonly path: string;
	readonly name: string;
	readonly isFolder: boolean;
	/** By which it is known again elsewhere, or null. */
	readonly sha1: Sha1 | null;
	readonly size: number;
}

const below = (path: string, name: string): string =>
	path === '/' ? `/${name}` : `${path}/${name}`;

/** What is kept of a name: hundreds of thousands may stand in one tree only, and an inode is large. */
const loneOf = (path: string, { name, inode }: DiffNode, tree: DiffTree): Lone => ({
	path,
	name,
	isFolder: isDirectory(inode),
	sha1: movable(inode),
	size: tree.sizeOf(inode),
});

/** Nodes looked at between two breaths. */
const BREATH_NODES = 1024;

/** Everything that differs, in no particular order. Paths begin with `/` and have slashes. */
export async function compareTrees(
	one: DiffTree,
	two: DiffTree,
	run: Run,
): Promise<{ changes: DiffChange[]; unchanged: number }> {
	const added: Lone[] = [];
	const removed: Lone[] = [];
	const changes: DiffChange[] = [];
	let unchanged = 0;
	let visited = 0;
	const lone = async (into: Lone[], tree: DiffTree, top: DiffNode, at: string): Promise<void> => {
		const pending = [{ node: top, path: at }];
		for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
			const { node, path } = next;
			if (++visited % BREATH_NODES === 0) await breathe(run);
			into.push(loneOf(path, node, tree));
			for (const child of node.children())
				pending.push({ node: child, path: below(path, child.name) });
		}
	};
	const pending = [{ left: one.root, right: two.root, path: '/' }];
	for (let pair = pending.pop(); pair !== undefined; pair = pending.pop()) {
		const { left, right, path } = pair;
		if (++visited % BREATH_NODES === 0) await breathe(run);
		const aspects = compareNodes(left, right, one, two);
		if (aspects.length === 0) unchanged++;
		// Read again: most are unchanged.
		else
			changes.push({
				type: 'changed',
				path,
				isFolder: isDirectory(right.inode),
				aspects,
				sizeBefore: one.sizeOf(left.inode),
				size: two.sizeOf(right.inode),
			});
		const others = new Map<string, DiffNode>();
		for (const child of right.children()) {
			others.set(child.name, child);
			if (++visited % BREATH_NODES === 0) await breathe(run);
		}
		for (const child of left.children()) {
			if (++visited % BREATH_NODES === 0) await breathe(run);
			const { name } = child;
			const at = below(path, name);
			const other = others.get(name);
			others.delete(name);
			if (other === undefined) await lone(removed, one, child, at);
			else pending.push({ left: child, right: other, path: at });
		}
		for (const child of others.values()) await lone(added, two, child, below(path, child.name));
	}
	const moves = one.hasHashes && two.hasHashes ? await findMoves(removed, added, run) : new Map();
	const gone = new Set(moves.values());
	for (const { path, size, isFolder } of added) {
		if (++visited % BREATH_NODES === 0) await breathe(run);
		const from = moves.get(path);
		if (from !== undefined) changes.push({ type: 'moved', path, from, size });
		else changes.push({ type: 'added', path, size, isFolder });
	}
	for (const { path, size, isFolder } of removed)
		if (!gone.has(path)) changes.push({ type: 'removed', path, size, isFolder });
	return { changes, unchanged };
}

/** Pairs what came with what went by contents: new path to old. Where several fit, by name first, and each once. */
async function findMoves(
	removed: readonly Lone[],
	added: readonly Lone[],
	run: Run,
): Promise<Map<string, string>> {
	let visited = 0;
	const byHash = new Map<Sha1, Map<string, Lone[]>>();
	// From the last to the first: a list gives its last one, which is then the first of the tree.
	for (let at = removed.length - 1; at >= 0; at--) {
		if (++visited % BREATH_NODES === 0) await breathe(run);
		const node = removed[at]!;
		const { sha1 } = node;
		if (sha1 === null) continue;
		const byName = byHash.get(sha1) ?? new Map<string, Lone[]>();
		byHash.set(sha1, byName);
		const same = byName.get(node.name);
		if (same) same.push(node);
		else byName.set(node.name, [node]);
	}
	const moves = new Map<string, string>();
	const others: Lone[] = [];
	for (const node of added) {
		if (++visited % BREATH_NODES === 0) await breathe(run);
		const byName = byHash.get(node.sha1 ?? '');
		const from = byName?.get(node.name)?.pop();
		if (from !== undefined) moves.set(node.path, from.path);
		else if (byName) others.push(node);
	}
	for (const node of others) {
		if (++visited % BREATH_NODES === 0) await breathe(run);
		const byName = byHash.get(node.sha1 ?? '')!;
		for (const [name, left] of byName) {
			const from = left.pop();
			// What is used up is not looked at again.
			if (left.length === 0) byName.delete(name);
			if (from === undefined) continue;
			moves.set(node.path, from.path);
			break;
		}
	}
	return moves;
}

/** The contents by which a file is known again elsewhere. */
function movable(inode: Inode): Sha1 | null {
	const sha1 = inode.data?.sha1 ?? ZERO_SHA1;
	return isEmptyStream(sha1) || inode.reparse !== null ? null : sha1;
}

/** What differs; times of the root do not count. */
function compareNodes(left: DiffNode, right: DiffNode, one: DiffTree, two: DiffTree): DiffAspect[] {
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
	add('write-time', a.lastWriteTime !== b.lastWriteTime && left.name !== '');
	add('links', a.nameCount !== b.nameCount && !isMixed);
	if (isMixed) return aspects;
	const ignored = Attribute.normal;
	add('attributes', (a.attributes | ignored) !== (b.attributes | ignored));
	add('creation-time', a.creationTime !== b.creationTime);
	add('streams', streamsText(a) !== streamsText(b));
	add('security', securityText(a, one) !== securityText(b, two));
	add('short-name', left.shortName !== right.shortName);
	add('extra', !equal(a.tail, b.tail));
	return aspects;
}

function isSameContent(a: Inode, b: Inode, one: DiffTree, two: DiffTree): boolean {
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

const descriptorTexts = new WeakMap<DiffTree, Map<number, string>>();

/** A descriptor as a text to compare; each is spelled once a tree, since thousands of files share it. */
function securityText({ securityId }: Inode, tree: DiffTree): string {
	const texts = descriptorTexts.get(tree) ?? new Map<number, string>();
	descriptorTexts.set(tree, texts);
	const known = texts.get(securityId);
	if (known !== undefined) return known;
	const descriptor = tree.descriptors[securityId];
	const text = descriptor === undefined ? '' : encodeHex(descriptor);
	texts.set(securityId, text);
	return text;
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
	return a.length === b.length && a.every((byte, k) => byte === b[k]);
}
