/**
 * Writes the tree of an image as a metadata resource (wim.md §4.9): security data, root, then the child lists depth
 * first, names sorted ignoring case, streams laid out as Microsoft's software does it (§4.6).
 */
import { InputError } from '../base/errors.ts';
import { NAME_UNITS_MAX } from '../base/limits.ts';
import { decodeHex } from '../bytes/hex.ts';
import { type Sha1, ZERO_SHA1 } from '../bytes/sha1.ts';
import type { Sha1Counts } from '../bytes/sha1-counts.ts';
import { compareNames } from '../bytes/upper-case.ts';
import { Attribute, align8, Dentry, StreamEntry } from './dentry.ts';
import {
	type EditNode,
	type EditStream,
	type EditTree,
	type Inode,
	isDirectory,
	nodePath,
	streamsOf,
} from './edit-tree.ts';

/** How the streams of an inode are written. */
interface StreamLayout {
	readonly main: Sha1;
	readonly extra: readonly EditStream[];
}

/** The layout of Microsoft's software (wim.md §4.6, writing rules). */
function layoutOf(inode: Inode): StreamLayout {
	const isFolder = (inode.attributes & Attribute.directory) !== 0;
	if (inode.attributes & Attribute.encrypted && !isFolder)
		return { main: inode.data?.sha1 ?? ZERO_SHA1, extra: [] };
	const unnamed: EditStream[] = [];
	if (inode.reparse !== null) unnamed.push(inode.reparse);
	if (!isFolder && inode.data !== null) unnamed.push(inode.data);
	if (inode.named.length === 0 && unnamed.length <= 1)
		return { main: unnamed[0]?.sha1 ?? ZERO_SHA1, extra: [] };
	return { main: ZERO_SHA1, extra: [...unnamed, ...inode.named] };
}

function nameSize(name: string): number {
	return name === '' ? 0 : name.length * 2 + 2;
}

function dentrySize(node: EditNode): number {
	const names = nameSize(node.name) + nameSize(node.shortName);
	return align8(Dentry.size + names) + align8(node.inode.tail.length);
}

function streamEntrySize(stream: EditStream): number {
	return align8(StreamEntry.size + nameSize(stream.name));
}

/** Of a dentry with the stream entries behind it, in bytes. */
function wholeSize(node: EditNode): number {
	const { inode } = node;
	let size = dentrySize(node);
	// The ordinary file: everything stands in the dentry.
	if (inode.named.length === 0 && inode.reparse === null) return size;
	for (const stream of layoutOf(inode).extra) size += streamEntrySize(stream);
	return size;
}

interface Listing {
	readonly node: EditNode;
	/** Of the first child, from the start of the resource. */
	readonly offset: number;
	readonly children: readonly EditNode[];
}

/** Where every child list goes, in the order in which they are written. */
function place(tree: EditTree, start: number): { listings: Listing[]; size: number } {
	const listings: Listing[] = [];
	let at = start;
	const pending = [tree.root];
	for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
		const children = [...(node.children?.values() ?? [])];
		children.sort((a, b) => compareNames(a.name, b.name));
		listings.push({ node, offset: at, children });
		for (const child of children) at += wholeSize(child);
		at += 8;
		for (let k = children.length - 1; k >= 0; k--) {
			const child = children[k];
			if (child?.children) pending.push(child);
		}
	}
	return { listings, size: at };
}

/** Stored group numbers stay where nothing contradicts them, new ones count up from there (wim.md §4.8). */
function numberLinks(tree: EditTree): ReadonlyMap<Inode, bigint> {
	const numbers = new Map<Inode, bigint>();
	const used = new Set<bigint>();
	const unnumbered: Inode[] = [];
	for (const inode of tree.inodes()) {
		if (inode.nameCount < 2 || inode.attributes & Attribute.reparsePoint) continue;
		if (inode.linkGroup !== 0n && !used.has(inode.linkGroup)) {
			used.add(inode.linkGroup);
			numbers.set(inode, inode.linkGroup);
		} else unnumbered.push(inode);
	}
	let next = 1n;
	for (const inode of unnumbered) {
		while (used.has(next)) next++;
		numbers.set(inode, next++);
	}
	return numbers;
}

function securitySizeOf(tree: EditTree): number {
	return align8(8 + tree.security.list.reduce((sum, { length }) => sum + 8 + length, 0));
}

/** How many bytes `encodeTree` gives. */
export function treeSize(tree: EditTree): number {
	let size = securitySizeOf(tree) + 8;
	// Each list of children ends with a zero.
	for (const node of tree.nodes()) size += wholeSize(node) + (node.children === null ? 0 : 8);
	return size;
}

/**
 * The metadata resource of a tree. Two calls for the same tree give the same bytes.
 *
 * @throws {InputError} when a name is longer than the format or any Windows program allows
 */
export function encodeTree(tree: EditTree): Uint8Array {
	const securitySize = securitySizeOf(tree);
	const { listings, size } = place(tree, securitySize + wholeSize(tree.root) + 8);
	const writer = new TreeWriter(new Uint8Array(size), numberLinks(tree));
	writer.security(tree.security.list, securitySize);
	const offsets = new Map(listings.map(({ node, offset }) => [node, offset]));
	writer.node(tree.root, securitySize, offsets.get(tree.root) ?? 0);
	for (const { offset, children } of listings) {
		let at = offset;
		for (const child of children) at += writer.node(child, at, offsets.get(child) ?? 0);
	}
	return writer.bytes;
}

class TreeWriter {
	readonly bytes: Uint8Array;
	readonly #view: DataView;
	readonly #links: ReadonlyMap<Inode, bigint>;

	constructor(bytes: Uint8Array, links: ReadonlyMap<Inode, bigint>) {
		this.bytes = bytes;
		this.#view = new DataView(bytes.buffer);
		this.#links = links;
	}

	security(descriptors: readonly Uint8Array[], size: number): void {
		this.#view.setUint32(0, size, true);
		this.#view.setUint32(4, descriptors.length, true);
		let at = 8 + 8 * descriptors.length;
		for (const [k, descriptor] of descriptors.entries()) {
			this.#view.setUint32(8 + 8 * k, descriptor.length, true);
			this.bytes.set(descriptor, at);
			at += descriptor.length;
		}
	}

	/** Writes one dentry with its stream entries; gives their size. */
	node(node: EditNode, at: number, subdirOffset: number): number {
		const { inode } = node;
		const layout = layoutOf(inode);
		const view = this.#view;
		const size = dentrySize(node);
		const offsets = Dentry.offsets;
		if (node.name.length > NAME_UNITS_MAX)
			throw new InputError(
				`Cannot store "${nodePath(node)}": the name has ${node.name.length} units`,
				{
					path: nodePath(node),
					hint: `Shorten it to ${NAME_UNITS_MAX} units.`,
				},
			);
		view.setUint32(at + offsets.length, size, true);
		view.setUint32(at + offsets.attributes, inode.attributes, true);
		view.setUint32(at + offsets.securityId, inode.securityId, true);
		const isListed = isDirectory(inode);
		view.setBigUint64(at + offsets.subdirOffset, isListed ? BigInt(subdirOffset) : 0n, true);
		view.setBigUint64(at + offsets.creationTime, inode.creationTime, true);
		view.setBigUint64(at + offsets.lastAccessTime, inode.lastAccessTime, true);
		view.setBigUint64(at + offsets.lastWriteTime, inode.lastWriteTime, true);
		this.#hash(at + offsets.mainHash, layout.main);
		view.setUint32(at + offsets.unknown, inode.unknown, true);
		if (inode.attributes & Attribute.reparsePoint) {
			view.setUint32(at + offsets.union, inode.reparseTag, true);
			view.setUint16(at + offsets.union + 4, inode.reparseReserved, true);
			view.setUint16(at + offsets.union + 6, inode.reparseFlags, true);
		} else view.setBigUint64(at + offsets.union, this.#links.get(inode) ?? 0n, true);
		view.setUint16(at + offsets.streamCount, layout.extra.length, true);
		view.setUint16(at + offsets.shortNameSize, node.shortName.length * 2, true);
		view.setUint16(at + offsets.nameSize, node.name.length * 2, true);
		const names = at + Dentry.size;
		this.#text(names, node.name);
		this.#text(names + nameSize(node.name), node.shortName);
		this.bytes.set(inode.tail, at + size - align8(inode.tail.length));
		let end = at + size;
		for (const stream of layout.extra) end += this.#stream(stream, end);
		return end - at;
	}

	#stream(stream: EditStream, at: number): number {
		const size = streamEntrySize(stream);
		const { offsets } = StreamEntry;
		this.#view.setUint32(at + offsets.length, size, true);
		this.#hash(at + offsets.sha1, stream.sha1);
		this.#view.setUint16(at + offsets.nameSize, stream.name.length * 2, true);
		this.#text(at + StreamEntry.size, stream.name);
		return size;
	}

	#hash(at: number, sha1: Sha1): void {
		if (sha1 !== ZERO_SHA1) this.bytes.set(decodeHex(sha1), at);
	}

	#text(at: number, text: string): void {
		for (let k = 0; k < text.length; k++)
			this.#view.setUint16(at + 2 * k, text.charCodeAt(k), true);
	}
}

/** The numbers that the XML data tells of an image (wim.md §5.3). */
export interface TreeStatistics {
	readonly directoryCount: number;
	readonly fileCount: number;
	readonly totalBytes: number;
	readonly hardLinkBytes: number;
}

/**
 * @param sizeOf original size of a blob in bytes; 0 for one that is nowhere
 */
export function treeStatistics(tree: EditTree, sizeOf: (sha1: Sha1) => number): TreeStatistics {
	let directoryCount = 0;
	let fileCount = 0;
	let totalBytes = 0;
	let hardLinkBytes = 0;
	for (const { inode } of tree.nodes())
		if (isDirectory(inode)) directoryCount++;
		else fileCount++;
	for (const inode of tree.inodes()) {
		let size = 0;
		for (const { sha1 } of streamsOf(inode)) if (sha1 !== ZERO_SHA1) size += sizeOf(sha1);
		totalBytes += size * inode.nameCount;
		hardLinkBytes += size * (inode.nameCount - 1);
	}
	return { directoryCount, fileCount, totalBytes, hardLinkBytes };
}

/** Adds how often each blob is referenced: once for every stream of every name (wim.md §3.6). */
export function countReferences(tree: EditTree, counts: Pick<Sha1Counts, 'add'>): void {
	for (const inode of tree.inodes())
		for (const { sha1 } of streamsOf(inode))
			if (sha1 !== ZERO_SHA1) counts.add(sha1, inode.nameCount);
}
