/** An image as a file system that only reads: straight from the tree's columns, so 300,000 files cost nothing more. */
import { MissingError } from '../../base/errors.ts';
import { isEmptyStream, type Sha1, ZERO_SHA1 } from '../../bytes/sha1.ts';
import {
	type FileSystem,
	type FolderName,
	FuseError,
	Kind,
	type NodeAttributes,
	type NodeId,
	type Statistics,
} from '../../host/fuse/file-system.ts';
import { Attribute } from '../../image/dentry.ts';
import { PathFinder, pathOf } from '../../image/paths.ts';
import { parseTaggedItems, type UnixData, unixDataOf } from '../../image/tagged-items.ts';
import type { DentryPosition, ImageTree } from '../../image/tree.ts';
import type { Blob } from '../../wim/resource.ts';
import type { BlobReader } from './blob-reader.ts';
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

/** Nothing changes: the kernel may keep all it was told for a day. */
const CACHE_SECONDS = 86_400;
/** Above the positions of dentries: nodes that are named streams. */
const STREAM_NODES = 0x1_0000_0000;

/** A file, or one of its named streams. */
interface Opened {
	readonly dentry: DentryPosition;
	/** Null for the unnamed one. */
	readonly stream: string | null;
}

export class ImageFiles implements FileSystem {
	readonly cacheSeconds = CACHE_SECONDS;
	readonly #tree: ImageTree;
	readonly #view: MountView;
	readonly #reader: BlobReader;
	readonly #names: PathFinder;
	readonly #streamNodes: Opened[] = [];
	readonly #handles = new Map<number, Blob | null>();
	#lastHandle = 0;

	constructor(tree: ImageTree, reader: BlobReader, view: MountView) {
		this.#tree = tree;
		this.#reader = reader;
		this.#view = view;
		this.#names = new PathFinder(tree);
	}

	/** Hard links are one node. */
	#nodeOf(dentry: DentryPosition): NodeId {
		return this.#tree.inode(dentry) + 1;
	}

	#opened(node: NodeId): Opened {
		if (node >= STREAM_NODES) {
			const opened = this.#streamNodes[node - STREAM_NODES];
			if (opened === undefined) throw new FuseError('ENOENT');
			return opened;
		}
		if (node < 1 || node > this.#tree.count) throw new FuseError('ENOENT');
		return { dentry: node - 1, stream: null };
	}

	#folder(node: NodeId): DentryPosition {
		const { dentry, stream } = this.#opened(node);
		if (stream !== null || !(this.#tree.attributes(dentry) & Attribute.directory))
			throw new FuseError('ENOTDIR');
		return dentry;
	}

	lookup(folder: NodeId, name: Uint8Array): NodeId | null {
		const dentry = this.#folder(folder);
		const text = nameText(name);
		const child = this.#names.child(dentry, text);
		if (child !== null) return nameBytes(text) === null ? null : this.#nodeOf(child);
		return this.#view.streams === 'windows' ? this.#lookupStream(dentry, text) : null;
	}

	#lookupStream(folder: DentryPosition, text: string): NodeId | null {
		const split = splitStreamName(text);
		const dentry = split === null ? null : this.#names.child(folder, split.file);
		if (split === null || dentry === null || this.#named(dentry, split.stream) === null)
			return null;
		const inode = this.#tree.inode(dentry);
		const same = (other: Opened) => other.dentry === inode && other.stream === split.stream;
		const known = this.#streamNodes.findIndex(same);
		if (known >= 0) return STREAM_NODES + known;
		this.#streamNodes.push({ dentry: inode, stream: split.stream });
		return STREAM_NODES + this.#streamNodes.length - 1;
	}

	/** The SHA-1 of a named stream; null when there is none. */
	#named(dentry: DentryPosition, name: string): Sha1 | null {
		const streams = this.#tree.streams(dentry);
		return streams.find((stream) => stream.type === 'named' && stream.name === name)?.sha1 ?? null;
	}

	#unix(dentry: DentryPosition): UnixData | null {
		const tail = this.#tree.tail(dentry);
		if (!this.#view.unixData || tail.length < 24) return null;
		return unixDataOf(parseTaggedItems(tail).items);
	}

	#facts(dentry: DentryPosition) {
		const tree = this.#tree;
		return {
			attributes: tree.attributes(dentry),
			reparseTag: tree.reparse(dentry)?.tag ?? 0,
			unix: this.#unix(dentry),
			linkCount: tree.isDirectory(dentry) ? 2 : tree.linksOf(dentry).length,
			lastAccessTime: tree.lastAccessTime(dentry),
			lastWriteTime: tree.lastWriteTime(dentry),
		};
	}

	attributes(node: NodeId): NodeAttributes {
		const { dentry, stream } = this.#opened(node);
		const facts = this.#facts(dentry);
		const sha1 = stream === null ? this.#tree.dataSha1(dentry) : this.#named(dentry, stream);
		const size = isEmptyStream(sha1 ?? ZERO_SHA1) ? 0 : (this.#view.blob(sha1 ?? '')?.size ?? 0);
		const attributes = nodeAttributes({ ...facts, size }, this.#view);
		if (stream === null) return attributes;
		return { ...attributes, size, mode: Kind.file | (attributes.mode & 0o777) };
	}

	entries(folder: NodeId): readonly FolderName[] {
		const dentry = this.#folder(folder);
		const names: FolderName[] = [];
		for (const child of this.#tree.children(dentry)) {
			const name = nameBytes(this.#tree.name(child));
			if (name !== null)
				names.push({ name, node: this.#nodeOf(child), kind: kindOf(this.#facts(child)) });
		}
		return names;
	}

	async readLink(node: NodeId): Promise<Uint8Array> {
		const { dentry } = this.#opened(node);
		const reparse = this.#tree.reparse(dentry);
		const stream = this.#tree.streams(dentry).find(({ type }) => type === 'reparse');
		if (reparse === null || stream === undefined) throw new FuseError('EINVAL');
		const blob = this.#blob(stream.sha1, dentry);
		const data = blob === null ? new Uint8Array(0) : await this.#reader.read(blob, 0, blob.size);
		return linkText(reparse.tag, reparse.flags, data, this.#view);
	}

	/** @returns null for an empty stream */
	#blob(sha1: Sha1, dentry: DentryPosition): Blob | null {
		if (isEmptyStream(sha1)) return null;
		const blob = this.#view.blob(sha1);
		if (blob === undefined)
			throw new MissingError(`Cannot read blob ${sha1}: this file does not hold it`, {
				path: pathOf(this.#tree, dentry),
				hint: 'Name the other parts, or the base, with --ref.',
			});
		return blob;
	}

	async open(node: NodeId, forWriting: boolean): Promise<number> {
		if (forWriting) throw new FuseError('EROFS');
		const { dentry, stream } = this.#opened(node);
		// The raw EFS stream is no contents that a program could use.
		if (this.#tree.attributes(dentry) & Attribute.encrypted && stream === null)
			throw new FuseError('EACCES');
		const sha1 = stream === null ? this.#tree.dataSha1(dentry) : this.#named(dentry, stream);
		const handle = ++this.#lastHandle;
		this.#handles.set(handle, this.#blob(sha1 ?? ZERO_SHA1, dentry));
		return handle;
	}

	async read(handle: number, offset: number, size: number): Promise<Uint8Array> {
		const blob = this.#handles.get(handle);
		if (blob === undefined) throw new FuseError('EBADF');
		return blob === null ? new Uint8Array(0) : this.#reader.read(blob, offset, size);
	}

	async release(handle: number): Promise<void> {
		this.#handles.delete(handle);
	}

	xattrNames(node: NodeId): readonly Uint8Array[] {
		const { dentry, stream } = this.#opened(node);
		if (this.#view.streams !== 'xattr' || stream !== null) return [];
		return this.#tree
			.streams(dentry)
			.filter(({ type }) => type === 'named')
			.flatMap(({ name }) => xattrName(name) ?? []);
	}

	async xattr(node: NodeId, name: Uint8Array): Promise<Uint8Array | null> {
		const { dentry } = this.#opened(node);
		const stream = this.#view.streams === 'xattr' ? streamOfXattr(name) : null;
		const sha1 = stream === null ? null : this.#named(dentry, stream);
		if (sha1 === null) return null;
		const blob = this.#blob(sha1, dentry);
		return blob === null ? new Uint8Array(0) : this.#reader.read(blob, 0, blob.size);
	}

	statistics(): Statistics {
		return { blocks: 0, freeBlocks: 0, files: this.#tree.count };
	}

	forget(): void {}
}
