/**
 * An image as a file system that can be changed: the tree is edited in memory, contents that are written go to staging
 * files, and the WIM stays as it is until the tree is committed.
 */
import { filetimeFromMs, filetimeFromNs } from '../../bytes/filetime.ts';
import { ZERO_SHA1 } from '../../bytes/sha1.ts';
import { decodeWtf8 } from '../../bytes/utf16.ts';
import {
	type AttributeChange,
	type FileSystem,
	type FolderName,
	FuseError,
	Kind,
	type NodeAttributes,
	type NodeId,
	type Owner,
	type Place,
	type Statistics,
	type WritableFileSystem,
	type XattrMode,
} from '../../host/fuse/file-system.ts';
import { windowsTarget } from '../../host/links.ts';
import { Attribute, REPARSE_NOT_FIXED } from '../../image/dentry.ts';
import {
	addNode,
	type EditNode,
	type EditStream,
	type EditTree,
	type Inode,
	newInode,
	removeNode,
	streamsOf,
} from '../../image/edit-tree.ts';
import { encodeLinkTarget, ReparseTag } from '../../image/reparse.ts';
import {
	encodeTaggedItems,
	encodeUnixData,
	ItemTag,
	parseTaggedItems,
	type UnixData,
	unixDataOf,
} from '../../image/tagged-items.ts';
import { BytesContent } from '../../storage/content.ts';
import type { PendingStream } from '../capture/capture-tree.ts';
import {
	kindOf,
	linkText,
	type MountView,
	nameBytes,
	nameText,
	nodeAttributes,
	splitStreamName,
	streamOfXattr,
	xattrName,
} from './mount-view.ts';
import { StagedContents, type StagedContentsOptions } from './staged-contents.ts';

/** The kernel tells us of every change first, and keeps its own view of a file right for so long. */
const CACHE_SECONDS = 1;

/** A file, or one of its named streams. */
interface Opened {
	readonly inode: Inode;
	/** Null for folders and links. */
	readonly stream: EditStream | null;
}

interface Handle extends Opened {
	readonly forWriting: boolean;
}

export interface StagedFilesOptions extends StagedContentsOptions {
	readonly view: MountView;
	/** FILETIME of now. */
	readonly now: () => bigint;
	/** Of 4 KiB, on the disk of the staging folder. */
	readonly freeBlocks: () => number;
}

export class StagedFiles implements FileSystem, WritableFileSystem {
	readonly cacheSeconds = CACHE_SECONDS;
	/** Whether anything differs from the image as it was. */
	isChanged = false;
	/** While a commit runs, and after it, nothing may change. */
	isFrozen = false;
	readonly #tree: EditTree;
	readonly #options: StagedFilesOptions;
	readonly #view: MountView;
	readonly #opened: (Opened | null)[] = [null];
	readonly #nodes = new Map<Inode | EditStream, NodeId>();
	readonly #folders = new Map<Inode, EditNode>();
	readonly #contents: StagedContents;
	readonly #linkData = new Map<EditStream, Uint8Array>();
	readonly #handles = new Map<number, Handle>();
	#lastHandle = 0;
	#nameCount = 0;

	constructor(tree: EditTree, options: StagedFilesOptions) {
		this.#tree = tree;
		this.#options = options;
		this.#view = options.view;
		this.#contents = new StagedContents(options);
		for (const node of tree.nodes()) {
			this.#nameCount++;
			if (node.children !== null) this.#folders.set(node.inode, node);
		}
		this.#node({ inode: tree.root.inode, stream: null });
	}

	get writable(): WritableFileSystem {
		return this;
	}

	/** How many programs have files open for writing. */
	get writerCount(): number {
		let count = 0;
		for (const { forWriting } of this.#handles.values()) if (forWriting) count++;
		return count;
	}

	#node(opened: Opened): NodeId {
		const isMain = opened.stream === null || opened.stream === opened.inode.data;
		const key = isMain || opened.stream === null ? opened.inode : opened.stream;
		const known = this.#nodes.get(key);
		if (known !== undefined) return known;
		this.#opened.push(opened);
		this.#nodes.set(key, this.#opened.length - 1);
		return this.#opened.length - 1;
	}

	#at(node: NodeId): Opened {
		const opened = this.#opened[node];
		if (!opened) throw new FuseError('ENOENT');
		return opened;
	}

	#folder(node: NodeId): EditNode & { readonly children: Map<string, EditNode> } {
		const { inode } = this.#at(node);
		const folder = this.#folders.get(inode);
		if (folder === undefined || folder.children === null) throw new FuseError('ENOTDIR');
		return folder as EditNode & { readonly children: Map<string, EditNode> };
	}

	#nodeOf({ inode }: EditNode): NodeId {
		return this.#node({ inode, stream: inode.data });
	}

	lookup(folder: NodeId, name: Uint8Array): NodeId | null {
		const { children } = this.#folder(folder);
		const text = nameText(name);
		const child = children.get(text);
		if (child !== undefined) return nameBytes(text) === null ? null : this.#nodeOf(child);
		const split = this.#view.streams === 'windows' ? splitStreamName(text) : null;
		const file = split === null ? undefined : children.get(split.file);
		const stream = file?.inode.named.find((named) => named.name === split?.stream);
		return file === undefined || stream === undefined
			? null
			: this.#node({ inode: file.inode, stream });
	}

	#unix(inode: Inode): UnixData | null {
		if (!this.#view.unixData || inode.tail.length < 24) return null;
		return unixDataOf(parseTaggedItems(inode.tail).items);
	}

	#facts(inode: Inode) {
		return {
			attributes: inode.attributes,
			reparseTag: inode.reparseTag,
			unix: this.#unix(inode),
			linkCount: this.#folders.has(inode) ? 2 : inode.nameCount,
			lastAccessTime: inode.lastAccessTime,
			lastWriteTime: inode.lastWriteTime,
		};
	}

	attributes(node: NodeId): NodeAttributes {
		const { inode, stream } = this.#at(node);
		const size = stream === null ? 0 : this.#contents.size(stream);
		const attributes = nodeAttributes({ ...this.#facts(inode), size }, this.#view);
		if (stream === null || stream === inode.data) return attributes;
		return { ...attributes, size, mode: Kind.file | (attributes.mode & 0o777) };
	}

	entries(folder: NodeId): readonly FolderName[] {
		const names: FolderName[] = [];
		for (const child of this.#folder(folder).children.values()) {
			const name = nameBytes(child.name);
			if (name !== null)
				names.push({ name, node: this.#nodeOf(child), kind: kindOf(this.#facts(child.inode)) });
		}
		return names;
	}

	async readLink(node: NodeId): Promise<Uint8Array> {
		const { inode } = this.#at(node);
		if (inode.reparse === null) throw new FuseError('EINVAL');
		const data =
			this.#linkData.get(inode.reparse) ?? (await this.#contents.read(inode.reparse, 0, 1 << 16));
		return linkText(inode.reparseTag, inode.reparseFlags, data, this.#view);
	}

	async open(node: NodeId, forWriting: boolean, truncate: boolean): Promise<number> {
		const { inode, stream } = this.#at(node);
		if (stream === null) throw new FuseError('EISDIR');
		if (inode.attributes & Attribute.encrypted && stream === inode.data)
			throw new FuseError('EACCES');
		if (forWriting) {
			this.#mayChange();
			if (truncate) {
				await this.#contents.resize(stream, 0);
				this.#touch(inode);
			}
		}
		const handle = ++this.#lastHandle;
		this.#handles.set(handle, { inode, stream, forWriting });
		return handle;
	}

	#handle(handle: number): Handle & { readonly stream: EditStream } {
		const opened = this.#handles.get(handle);
		if (opened === undefined || opened.stream === null) throw new FuseError('EBADF');
		return opened as Handle & { readonly stream: EditStream };
	}

	async read(handle: number, offset: number, size: number): Promise<Uint8Array> {
		return this.#contents.read(this.#handle(handle).stream, offset, size);
	}

	async release(handle: number): Promise<void> {
		this.#handles.delete(handle);
	}

	xattrNames(node: NodeId): readonly Uint8Array[] {
		const { inode, stream } = this.#at(node);
		if (this.#view.streams !== 'xattr' || (stream !== null && stream !== inode.data)) return [];
		return inode.named.flatMap(({ name }) => xattrName(name) ?? []);
	}

	#named(inode: Inode, name: Uint8Array): EditStream | null {
		const text = this.#view.streams === 'xattr' ? streamOfXattr(name) : null;
		return inode.named.find((stream) => stream.name === text) ?? null;
	}

	async xattr(node: NodeId, name: Uint8Array): Promise<Uint8Array | null> {
		const stream = this.#named(this.#at(node).inode, name);
		return stream === null ? null : this.#contents.read(stream, 0, this.#contents.size(stream));
	}

	statistics(): Statistics {
		const freeBlocks = this.#options.freeBlocks();
		return { blocks: freeBlocks, freeBlocks, files: this.#nameCount };
	}

	forget(node: NodeId): void {
		const opened = this.#opened[node];
		if (!opened || opened.inode.nameCount > 0) return;
		this.#opened[node] = null;
		const { inode, stream } = opened;
		this.#nodes.delete(stream === null || stream === inode.data ? inode : stream);
		for (const each of streamsOf(inode)) this.#contents.drop(each);
	}

	// Changes.

	#mayChange(): void {
		if (this.isFrozen) throw new FuseError('EROFS');
	}

	#touch(inode: Inode | null): void {
		this.isChanged = true;
		if (inode !== null) inode.lastWriteTime = this.#options.now();
	}

	async write(handle: number, offset: number, bytes: Uint8Array): Promise<number> {
		this.#mayChange();
		const { inode, stream, forWriting } = this.#handle(handle);
		if (!forWriting) throw new FuseError('EBADF');
		await this.#contents.write(stream, offset, bytes);
		this.#touch(inode);
		return bytes.length;
	}

	/** A free name in a folder. */
	#freePlace(folder: NodeId, name: Uint8Array): { parent: EditNode; text: string } {
		this.#mayChange();
		const parent = this.#folder(folder);
		const text = nameText(name);
		if (text.length > 255) throw new FuseError('ENAMETOOLONG');
		if (parent.children.has(text)) throw new FuseError('EEXIST');
		return { parent, text };
	}

	#make(folder: NodeId, name: Uint8Array, inode: Inode, mode: number, rdev: number, owner: Owner) {
		const { parent, text } = this.#freePlace(folder, name);
		const now = this.#options.now();
		Object.assign(inode, { creationTime: now, lastAccessTime: now, lastWriteTime: now });
		if (this.#view.unixData) setUnix(inode, { ...owner, mode, rdev });
		else if (inode.attributes & Attribute.normal && (mode & 0o222) === 0)
			inode.attributes = Attribute.readonly;
		const node = addNode(parent, text, '', inode);
		if (node.children !== null) this.#folders.set(inode, node);
		this.#nameCount++;
		this.#touch(parent.inode);
		return this.#nodeOf(node);
	}

	makeFile(folder: NodeId, name: Uint8Array, mode: number, rdev: number, owner: Owner): NodeId {
		const split = this.#view.streams === 'windows' ? splitStreamName(nameText(name)) : null;
		if (split !== null) return this.#makeStream(folder, split);
		const isFile = (mode & Kind.mask) === Kind.file;
		// Only Unix data can say that a file is a device.
		if (!isFile && !this.#view.unixData) throw new FuseError('EPERM');
		const inode = newInode(isFile ? Attribute.normal : 0);
		return this.#make(folder, name, inode, mode, rdev, owner);
	}

	#makeStream(folder: NodeId, { file, stream }: { file: string; stream: string }): NodeId {
		this.#mayChange();
		const inode = this.#folder(folder).children.get(file)?.inode;
		if (inode === undefined) throw new FuseError('ENOENT');
		const made: EditStream = { name: stream, sha1: ZERO_SHA1 };
		inode.named = [...inode.named, made];
		this.#touch(inode);
		return this.#node({ inode, stream: made });
	}

	makeFolder(folder: NodeId, name: Uint8Array, mode: number, owner: Owner): NodeId {
		const inode = newInode(Attribute.directory);
		return this.#make(folder, name, inode, Kind.folder | mode, 0, owner);
	}

	makeSymbolicLink(folder: NodeId, name: Uint8Array, target: Uint8Array, owner: Owner): NodeId {
		const text = decodeWtf8(target);
		if (text === null) throw new FuseError('EILSEQ');
		const inode = newInode(Attribute.reparsePoint);
		inode.reparseTag = ReparseTag.symbolicLink;
		inode.reparseFlags = REPARSE_NOT_FIXED;
		const node = this.#make(folder, name, inode, Kind.link | 0o777, 0, owner);
		const data = encodeLinkTarget({ kind: 'symbolic-link', ...windowsTarget(text) });
		if (inode.reparse !== null) this.#linkData.set(inode.reparse, data);
		return node;
	}

	link(node: NodeId, folder: NodeId, name: Uint8Array): void {
		const { inode, stream } = this.#at(node);
		// wim.md §4.8: neither folders nor reparse points have several names.
		if (stream === null || stream !== inode.data || inode.reparse !== null)
			throw new FuseError('EPERM');
		const { parent, text } = this.#freePlace(folder, name);
		addNode(parent, text, '', inode);
		this.#nameCount++;
		this.#touch(parent.inode);
	}

	unlink(folder: NodeId, name: Uint8Array): void {
		this.#mayChange();
		const parent = this.#folder(folder);
		const text = nameText(name);
		const child = parent.children.get(text);
		if (child === undefined) {
			this.#unlinkStream(parent, text);
			return;
		}
		if (child.children !== null) throw new FuseError('EISDIR');
		removeNode(child);
		this.#nameCount--;
		this.#touch(parent.inode);
	}

	#unlinkStream(parent: EditNode, text: string): void {
		const split = this.#view.streams === 'windows' ? splitStreamName(text) : null;
		const inode = parent.children?.get(split?.file ?? '')?.inode;
		const stream = inode?.named.find(({ name }) => name === split?.stream);
		if (inode === undefined || stream === undefined) throw new FuseError('ENOENT');
		this.#dropStream(inode, stream);
	}

	#dropStream(inode: Inode, stream: EditStream): void {
		inode.named = inode.named.filter((other) => other !== stream);
		this.#contents.drop(stream);
		this.#touch(inode);
	}

	removeFolder(folder: NodeId, name: Uint8Array): void {
		this.#mayChange();
		const parent = this.#folder(folder);
		const child = parent.children.get(nameText(name));
		if (child === undefined) throw new FuseError('ENOENT');
		if (child.children === null) throw new FuseError('ENOTDIR');
		if (child.children.size > 0) throw new FuseError('ENOTEMPTY');
		removeNode(child);
		this.#folders.delete(child.inode);
		this.#nameCount--;
		this.#touch(parent.inode);
	}

	rename(from: Place, to: Place, { noReplace }: { readonly noReplace: boolean }): void {
		this.#mayChange();
		const [source, target] = [this.#folder(from.folder), this.#folder(to.folder)];
		const node = source.children.get(nameText(from.name));
		const text = nameText(to.name);
		const old = target.children.get(text);
		if (node === undefined) throw new FuseError('ENOENT');
		if (text.length > 255) throw new FuseError('ENAMETOOLONG');
		for (let above: EditNode | null = target; above !== null; above = above.parent)
			if (above === node) throw new FuseError('EINVAL');
		if (old !== undefined) {
			if (noReplace) throw new FuseError('EEXIST');
			if (old.inode === node.inode) return;
			if (old.children !== null && node.children === null) throw new FuseError('EISDIR');
			if (old.children === null && node.children !== null) throw new FuseError('ENOTDIR');
			if ((old.children?.size ?? 0) > 0) throw new FuseError('ENOTEMPTY');
			removeNode(old);
			this.#folders.delete(old.inode);
			this.#nameCount--;
		}
		source.children.delete(node.name);
		// A short name belongs to the long one.
		Object.assign(node, { name: text, shortName: '', parent: target });
		target.children.set(text, node);
		this.#touch(source.inode);
		this.#touch(target.inode);
	}

	async setAttributes(node: NodeId, change: AttributeChange): Promise<void> {
		this.#mayChange();
		const { inode, stream } = this.#at(node);
		const { mode, uid, gid, size, accessNs, writeNs } = change;
		if (size !== undefined) {
			if (stream === null) throw new FuseError('EISDIR');
			await this.#contents.resize(stream, size);
			this.#touch(inode);
		}
		if (mode !== undefined || uid !== undefined || gid !== undefined) this.#setOwner(inode, change);
		if (accessNs !== undefined) inode.lastAccessTime = filetimeFromNs(accessNs);
		if (writeNs !== undefined) inode.lastWriteTime = filetimeFromNs(writeNs);
		this.isChanged = true;
	}

	#setOwner(inode: Inode, { mode, uid, gid }: AttributeChange): void {
		const now = nodeAttributes({ ...this.#facts(inode), size: 0 }, this.#view);
		if (this.#view.unixData) {
			const all = mode === undefined ? now.mode : (now.mode & Kind.mask) | (mode & 0o7777);
			setUnix(inode, { uid: uid ?? now.uid, gid: gid ?? now.gid, mode: all, rdev: now.rdev });
			return;
		}
		// Without Unix data there is one owner, and of the mode only what Windows knows: may it be written?
		if ((uid ?? now.uid) !== now.uid || (gid ?? now.gid) !== now.gid) throw new FuseError('EPERM');
		if (mode === undefined || this.#folders.has(inode)) return;
		const { readonly, normal } = Attribute;
		if ((mode & 0o222) === 0) inode.attributes = (inode.attributes & ~normal) | readonly;
		else inode.attributes = inode.attributes & ~readonly || normal;
	}

	async setXattr(
		node: NodeId,
		name: Uint8Array,
		value: Uint8Array,
		mode: XattrMode,
	): Promise<void> {
		this.#mayChange();
		const { inode } = this.#at(node);
		const text = this.#view.streams === 'xattr' ? streamOfXattr(name) : null;
		if (text === null) throw new FuseError('EOPNOTSUPP');
		const known = this.#named(inode, name);
		if (known !== null && mode === 'create') throw new FuseError('EEXIST');
		if (known === null && mode === 'replace') throw new FuseError('ENODATA');
		const stream = known ?? { name: text, sha1: ZERO_SHA1 };
		if (known === null) inode.named = [...inode.named, stream];
		await this.#contents.resize(stream, 0);
		await this.#contents.write(stream, 0, value);
		this.#touch(inode);
	}

	removeXattr(node: NodeId, name: Uint8Array): void {
		this.#mayChange();
		const { inode } = this.#at(node);
		const stream = this.#named(inode, name);
		if (stream === null) throw new FuseError('ENODATA');
		this.#dropStream(inode, stream);
	}

	/** The number of the staging file of a node; null when it has none. */
	stagedNumber(node: NodeId): number | null {
		const { stream } = this.#at(node);
		return stream === null ? null : this.#contents.stagedNumber(stream);
	}

	/** Gives a node the contents that an earlier process staged. */
	async takeStaged(node: NodeId, number: number): Promise<void> {
		const { inode, stream } = this.#at(node);
		const writeTimeMs = stream === null ? null : await this.#contents.use(stream, number);
		if (writeTimeMs === null) return;
		this.isChanged = true;
		inode.lastWriteTime = filetimeFromMs(writeTimeMs);
	}

	/** What is to be stored when the tree is committed. Nothing may be written until then. */
	async pending(): Promise<readonly PendingStream[]> {
		const pending: PendingStream[] = [];
		const named = new Set<Inode>();
		for (const { inode, name } of this.#tree.nodes()) {
			if (named.has(inode)) continue;
			named.add(inode);
			for (const stream of streamsOf(inode)) {
				const link = this.#linkData.get(stream);
				if (link !== undefined) {
					const content = new BytesContent(`link ${name}`, link);
					pending.push({ stream, content, inode, fileName: '' });
				} else {
					const content = await this.#contents.content(stream);
					if (content !== null) pending.push({ stream, content, inode, fileName: name });
				}
			}
		}
		return pending;
	}
}

/** Puts Unix data in place of those that are there. */
function setUnix(inode: Inode, unix: UnixData): void {
	const { items, rest } = parseTaggedItems(inode.tail);
	const others = items.filter(({ tag }) => tag !== ItemTag.unixData);
	inode.tail = encodeTaggedItems({ items: [...others, encodeUnixData(unix)], rest });
}
