/**
 * The tree of an image as objects that can be changed: what capture builds and update edits. A node is a name in a
 * directory; an inode is the file itself, shared by the nodes that are hard links of it.
 */
import { type Sha1, sha1, ZERO_SHA1 } from '../bytes/sha1.ts';
import { Attribute, NO_SECURITY } from './dentry.ts';
import { type DentryPosition, type ImageTree, ROOT } from './tree.ts';

/** Ties a blob to an inode. A capture fills in the SHA-1 once it knows it. */
export interface EditStream {
	/** '' for contents, EFS and reparse data. */
	readonly name: string;
	/** `ZERO_SHA1` when empty. */
	sha1: Sha1;
}

/** A file: attributes, times, security, streams. */
export interface Inode {
	/** wim.md §4.10. */
	attributes: number;
	/** A position in `EditTree.security`, or `NO_SECURITY`. */
	securityId: number;
	/** FILETIME. */
	creationTime: bigint;
	/** FILETIME. */
	lastAccessTime: bigint;
	/** FILETIME. */
	lastWriteTime: bigint;
	/** The number at 0x54 that nobody knows; preserved. */
	unknown: number;
	/** Of reparse points; their data is `streams.reparse`. */
	reparseTag: number;
	reparseReserved: number;
	reparseFlags: number;
	/** As stored; 0 lets the encoder choose. */
	linkGroup: bigint;
	/** Contents, or the raw EFS stream of an encrypted file; null for directories. */
	data: EditStream | null;
	/** Null unless a reparse point. */
	reparse: EditStream | null;
	named: readonly EditStream[];
	/** Tagged items as stored (wim.md §4.5). */
	tail: Uint8Array;
	/** How many nodes share it. */
	nameCount: number;
}

/** A name in a directory. */
export interface EditNode {
	name: string;
	/** '' when there is none. */
	shortName: string;
	/** Null for the root only. */
	parent: EditNode | null;
	inode: Inode;
	/** By exact name; null for what cannot have children. */
	children: Map<string, EditNode> | null;
}

const NO_TAIL = new Uint8Array(0);

/** An inode without streams, security or times. */
export function newInode(attributes: number): Inode {
	const isDirectory = (attributes & Attribute.directory) !== 0;
	return {
		attributes,
		securityId: NO_SECURITY,
		creationTime: 0n,
		lastAccessTime: 0n,
		lastWriteTime: 0n,
		unknown: 0,
		reparseTag: 0,
		reparseReserved: 0,
		reparseFlags: 0,
		linkGroup: 0n,
		data: isDirectory ? null : { name: '', sha1: ZERO_SHA1 },
		reparse: attributes & Attribute.reparsePoint ? { name: '', sha1: ZERO_SHA1 } : null,
		named: [],
		tail: NO_TAIL,
		nameCount: 0,
	};
}

/** All streams of an inode in the order in which they are stored. */
export function streamsOf(inode: Inode): EditStream[] {
	return [
		...(inode.reparse === null ? [] : [inode.reparse]),
		...(inode.data === null ? [] : [inode.data]),
		...inode.named,
	];
}

/** True for what can hold names: a directory that is no reparse point. */
export function isDirectory(inode: Inode): boolean {
	const both = Attribute.directory | Attribute.reparsePoint;
	return (inode.attributes & both) === Attribute.directory;
}

/** Self-relative security descriptors, each once; inodes name them by position. */
export class DescriptorTable {
	readonly list: Uint8Array[];
	readonly #ids: Map<string, number>;

	constructor(list: readonly Uint8Array[] = []) {
		this.list = [...list];
		this.#ids = new Map(list.map((bytes, id) => [sha1(bytes), id]));
	}

	/** The position of a descriptor, which is added when it is new. */
	idOf(descriptor: Uint8Array): number {
		const name = sha1(descriptor);
		const known = this.#ids.get(name);
		if (known !== undefined) return known;
		this.#ids.set(name, this.list.length);
		return this.list.push(descriptor) - 1;
	}
}

export class EditTree {
	readonly root: EditNode;
	/** Shared by trees that are put together. */
	readonly security: DescriptorTable;

	/** A tree with nothing but a root. */
	constructor(root: Inode, security: DescriptorTable = new DescriptorTable()) {
		this.security = security;
		root.nameCount = 1;
		this.root = { name: '', shortName: '', parent: null, inode: root, children: new Map() };
	}

	/** An image's tree, ready to be changed. */
	static from(tree: ImageTree): EditTree {
		const table = new DescriptorTable(tree.security.descriptors);
		const edited = new EditTree(inodeAt(tree, ROOT), table);
		const nodes: EditNode[] = [edited.root];
		const shared = new Map<DentryPosition, Inode>();
		// Positions are in an order in which parents come first.
		for (const [dentry, node] of walkPositions(tree, nodes)) {
			for (const child of tree.children(dentry)) {
				const first = tree.inode(child);
				const isShared = tree.linksOf(child).length > 1;
				const inode = (isShared ? shared.get(first) : undefined) ?? inodeAt(tree, first);
				if (isShared) shared.set(first, inode);
				nodes[child] = addNode(node, tree.name(child), tree.shortName(child), inode);
			}
		}
		return edited;
	}

	/** All nodes, parents before their children, in the order of the maps. */
	*nodes(from: EditNode = this.root): Generator<EditNode, void, undefined> {
		const pending = [from];
		for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
			yield node;
			// One by one: a folder may have more children than a call takes arguments.
			for (const child of [...(node.children?.values() ?? [])].reverse()) pending.push(child);
		}
	}

	/** All inodes, each once. */
	*inodes(): Generator<Inode, void, undefined> {
		const seen = new Set<Inode>();
		for (const { inode } of this.nodes()) {
			if (inode.nameCount > 1) {
				if (seen.has(inode)) continue;
				seen.add(inode);
			}
			yield inode;
		}
	}
}

function* walkPositions(
	tree: ImageTree,
	nodes: readonly EditNode[],
): Generator<[DentryPosition, EditNode], void, undefined> {
	const pending: DentryPosition[] = [ROOT];
	for (let dentry = pending.pop(); dentry !== undefined; dentry = pending.pop()) {
		const node = nodes[dentry];
		if (node === undefined) throw new Error('A child was visited before its parent');
		yield [dentry, node];
		for (const child of tree.children(dentry)) if (tree.childCount(child) > 0) pending.push(child);
	}
}

/** The file behind a dentry as it is stored; no node holds it yet. */
export function inodeAt(tree: ImageTree, dentry: DentryPosition): Inode {
	const inode = newInode(tree.attributes(dentry));
	inode.securityId = tree.securityId(dentry) ?? NO_SECURITY;
	inode.creationTime = tree.creationTime(dentry);
	inode.lastAccessTime = tree.lastAccessTime(dentry);
	inode.lastWriteTime = tree.lastWriteTime(dentry);
	inode.unknown = tree.unknownField(dentry);
	const reparse = tree.reparse(dentry);
	if (reparse !== null) {
		inode.reparseTag = reparse.tag;
		inode.reparseReserved = reparse.reserved;
		inode.reparseFlags = reparse.flags;
	}
	inode.linkGroup = tree.linkGroup(dentry);
	inode.tail = tree.tail(dentry);
	const named: EditStream[] = [];
	for (const { type, name, sha1 } of tree.streams(dentry)) {
		if (type === 'named') named.push({ name, sha1 });
		else if (type === 'reparse') inode.reparse = { name: '', sha1 };
		else inode.data = { name: '', sha1 };
	}
	inode.named = named;
	return inode;
}

/** Puts a name into a directory; the name must be free. */
export function addNode(parent: EditNode, name: string, shortName: string, inode: Inode): EditNode {
	const node: EditNode = {
		name,
		shortName,
		parent,
		inode,
		children: isDirectory(inode) ? new Map() : null,
	};
	if (parent.children === null || parent.children.has(name))
		throw new Error(`Cannot put "${name}" there`);
	parent.children.set(name, node);
	inode.nameCount++;
	return node;
}

/** Takes a node and everything below it out of its tree. The root cannot be taken out. */
export function removeNode(node: EditNode): void {
	node.parent?.children?.delete(node.name);
	node.parent = null;
	const pending = [node];
	for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
		next.inode.nameCount--;
		for (const child of next.children?.values() ?? []) pending.push(child);
	}
}

/** `/` for the root, else `/a/b`. */
export function nodePath(node: EditNode): string {
	const names: string[] = [];
	for (let at: EditNode = node; at.parent !== null; at = at.parent) names.push(at.name);
	return `/${names.reverse().join('/')}`;
}
