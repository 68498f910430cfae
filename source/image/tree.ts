/**
 * The directory tree of one image over the bytes of its metadata resource (wim.md §4). A dentry is a position, a plain
 * number; the root is 0, and the children of a directory have consecutive positions. Columns of numbers hold the shape of
 * the tree, everything else is read from the bytes when it is asked for, so that 300,000 dentries cost some MB.
 */
import type { WimError } from '../base/errors.ts';
import { atOnce, inSlices } from '../base/slices.ts';
import { encodeHex } from '../bytes/hex.ts';
import { isEmptyStream, type Sha1, sha1At, ZERO_SHA1 } from '../bytes/sha1.ts';
import type { Span } from '../bytes/span.ts';
import { decodeUtf16 } from '../bytes/utf16.ts';
import { Attribute, align8, Dentry, StreamEntry } from './dentry.ts';
import { HardLinks } from './hard-links.ts';
import { parseSecurityData, type SecurityData } from './security.ts';
import { lengthAt, namesSize, TreeWalk, type TreeWarning } from './tree-walk.ts';

/** The position of a dentry in its tree; 0 is the root. */
export type DentryPosition = number;

/** Every tree has this position. */
export const ROOT: DentryPosition = 0;

/** Ties a blob to an inode. */
export interface Stream {
	readonly type: 'data' | 'named' | 'reparse' | 'efs';
	/** Empty unless `named`. */
	readonly name: string;
	/** `ZERO_SHA1` for an empty stream. */
	readonly sha1: Sha1;
}

const FIXED = Dentry.size;
const AT = Dentry.offsets;

export interface TreeOptions {
	/** Goes on where a list of children is broken: the rest of that list is missing, and `faults` says why. */
	readonly tolerant: boolean;
}

/** A parsed tree; positions are valid for this tree only. */
export class ImageTree {
	/** The metadata resource. */
	readonly span: Span;
	readonly security: SecurityData;
	/** Of dentries, the root included. */
	readonly count: number;
	readonly warnings: readonly TreeWarning[];
	/** Where the last list of children ends: the size of the resource, if nothing lies behind it. */
	readonly end: number;
	/** What stopped the reading of single lists of children; empty unless `tolerant`. */
	readonly faults: readonly WimError[];
	readonly view: DataView;
	private readonly at: Uint32Array;
	private readonly parents: Uint32Array;
	private readonly firsts: Uint32Array;
	private readonly counts: Uint32Array;
	private hardLinks: HardLinks | null = null;

	/** A tree whose shape was found in another way than by following its offsets. */
	static fromColumns(
		span: Span,
		security: SecurityData,
		columns: Pick<TreeWalk, 'count' | 'at' | 'parents' | 'firsts' | 'counts'>,
	): ImageTree {
		return new ImageTree(span, security, { ...columns, warnings: [], faults: [], end: span.size });
	}

	private constructor(
		span: Span,
		security: SecurityData,
		walk: Pick<
			TreeWalk,
			'count' | 'at' | 'parents' | 'firsts' | 'counts' | 'warnings' | 'faults' | 'end'
		>,
	) {
		this.span = span;
		this.view = span.view;
		this.security = security;
		this.count = walk.count;
		this.warnings = walk.warnings;
		this.faults = walk.faults;
		this.end = walk.end;
		// They were made for the most dentries that there might be.
		this.at = walk.at.slice(0, walk.count);
		this.parents = walk.parents.slice(0, walk.count);
		this.firsts = walk.firsts.slice(0, walk.count);
		this.counts = walk.counts.slice(0, walk.count);
	}

	/**
	 * Reads the tree.
	 *
	 * @throws {FormatError} with the offset in the metadata resource
	 */
	static parse(span: Span, options: TreeOptions = { tolerant: false }): ImageTree {
		const security = parseSecurityData(span);
		const walk = new TreeWalk(span, security, options.tolerant);
		atOnce(walk.run());
		return new ImageTree(span, security, walk);
	}

	/**
	 * Reads the tree in slices of some ms, so that the calling thread stays alive.
	 *
	 * @param pause awaited between slices; it may throw to cancel
	 * @throws {FormatError} with the offset in the metadata resource
	 */
	static async parseInSlices(
		span: Span,
		options: TreeOptions,
		pause: () => Promise<void>,
	): Promise<ImageTree> {
		const security = parseSecurityData(span);
		const walk = new TreeWalk(span, security, options.tolerant);
		await inSlices(walk.run(), pause);
		return new ImageTree(span, security, walk);
	}

	/** Where a dentry begins in the metadata resource, in bytes. */
	offset(dentry: DentryPosition): number {
		return this.at[dentry] ?? 0;
	}

	/** The root is its own parent. */
	parent(dentry: DentryPosition): DentryPosition {
		return this.parents[dentry] ?? 0;
	}

	/** The position of the first child; the others follow. Meaningless without children. */
	firstChild(dentry: DentryPosition): DentryPosition {
		return this.firsts[dentry] ?? 0;
	}

	childCount(dentry: DentryPosition): number {
		return this.counts[dentry] ?? 0;
	}

	/** Positions of the children, in the order of the file. */
	*children(dentry: DentryPosition): Generator<DentryPosition, void, undefined> {
		const first = this.firstChild(dentry);
		const end = first + this.childCount(dentry);
		for (let child = first; child < end; child++) yield child;
	}

	/** The name as stored: any UTF-16 units, unpaired surrogates included; empty for the root. */
	name(dentry: DentryPosition): string {
		const at = this.offset(dentry);
		const size = dentry === ROOT ? 0 : this.view.getUint16(at + AT.nameSize, true);
		return decodeUtf16(this.span.bytes.subarray(at + FIXED, at + FIXED + size));
	}

	/** The 8.3 name; empty when there is none. */
	shortName(dentry: DentryPosition): string {
		const at = this.offset(dentry);
		const size = this.view.getUint16(at + AT.shortNameSize, true);
		if (size === 0 || dentry === ROOT) return '';
		const nameSize = this.view.getUint16(at + AT.nameSize, true);
		const start = at + FIXED + (nameSize === 0 ? 0 : nameSize + 2);
		return decodeUtf16(this.span.bytes.subarray(start, start + size));
	}

	attributes(dentry: DentryPosition): number {
		return this.view.getUint32(this.offset(dentry) + AT.attributes, true);
	}

	/** A directory that can have children: neither link nor other reparse point. */
	isDirectory(dentry: DentryPosition): boolean {
		const attributes = this.attributes(dentry);
		return (attributes & (Attribute.directory | Attribute.reparsePoint)) === Attribute.directory;
	}

	isReparsePoint(dentry: DentryPosition): boolean {
		return (this.attributes(dentry) & Attribute.reparsePoint) !== 0;
	}

	/** A position in `security.descriptors`, or null. */
	securityId(dentry: DentryPosition): number | null {
		const id = this.view.getUint32(this.offset(dentry) + AT.securityId, true);
		return id < this.security.descriptors.length ? id : null;
	}

	/** FILETIME. */
	creationTime(dentry: DentryPosition): bigint {
		return this.view.getBigUint64(this.offset(dentry) + AT.creationTime, true);
	}

	/** FILETIME. */
	lastAccessTime(dentry: DentryPosition): bigint {
		return this.view.getBigUint64(this.offset(dentry) + AT.lastAccessTime, true);
	}

	/** FILETIME. */
	lastWriteTime(dentry: DentryPosition): bigint {
		return this.view.getBigUint64(this.offset(dentry) + AT.lastWriteTime, true);
	}

	/** The number at 0x54, which nobody knows; preserved. */
	unknownField(dentry: DentryPosition): number {
		return this.view.getUint32(this.offset(dentry) + AT.unknown, true);
	}

	/** Null unless the dentry is a reparse point. */
	reparse(dentry: DentryPosition): { tag: number; reserved: number; flags: number } | null {
		if (!this.isReparsePoint(dentry)) return null;
		const at = this.offset(dentry) + AT.union;
		return {
			tag: this.view.getUint32(at, true),
			reserved: this.view.getUint16(at + 4, true),
			flags: this.view.getUint16(at + 6, true),
		};
	}

	/** The hard link group as stored; 0 = alone. Do not trust it: `inode` does the checks. */
	linkGroup(dentry: DentryPosition): bigint {
		if (this.isReparsePoint(dentry)) return 0n;
		return this.view.getBigUint64(this.offset(dentry) + AT.union, true);
	}

	/** The main hash and the extra stream entries as they stand, for exact copies. */
	rawStreams(dentry: DentryPosition): {
		mainHash: Sha1;
		extra: { name: string; sha1: Sha1 }[];
	} {
		const at = this.offset(dentry);
		const extra: { name: string; sha1: Sha1 }[] = [];
		let entry = at + align8(lengthAt(this.view, at));
		for (let k = this.view.getUint16(at + AT.streamCount, true); k > 0; k--) {
			const size = this.view.getUint16(entry + StreamEntry.offsets.nameSize, true);
			const start = entry + StreamEntry.size;
			extra.push({
				name: decodeUtf16(this.span.bytes.subarray(start, start + size)),
				sha1: sha1At(this.span.bytes, entry + StreamEntry.offsets.sha1),
			});
			entry += align8(lengthAt(this.view, entry));
		}
		return { mainHash: sha1At(this.span.bytes, at + AT.mainHash), extra };
	}

	/**
	 * The streams of a file by the reading rules of wim.md §4.6: at most one of `data`, `reparse` and `efs` each, and
	 * named ones with different names. A file always has a `data` stream, a reparse point a `reparse` stream; empty ones
	 * carry `ZERO_SHA1`. A directory has no `data`.
	 */
	streams(dentry: DentryPosition): Stream[] {
		const attributes = this.attributes(dentry);
		const isDirectory = (attributes & Attribute.directory) !== 0;
		const { mainHash, extra } = this.rawStreams(dentry);
		if (attributes & Attribute.encrypted && !isDirectory) {
			const unnamed = [mainHash, ...extra.filter(({ name }) => name === '').map((e) => e.sha1)];
			const sha1 = unnamed.find((hash) => !isEmptyStream(hash)) ?? ZERO_SHA1;
			return [{ type: 'efs', name: '', sha1 }];
		}
		let reparse: Sha1 | null = null;
		let data: Sha1 | null = null;
		const named: Stream[] = [];
		const place = (sha1: Sha1) => {
			if (attributes & Attribute.reparsePoint && reparse === null) reparse = sha1;
			else data ??= sha1;
		};
		if (mainHash !== ZERO_SHA1) place(mainHash);
		for (const { name, sha1 } of extra) {
			if (name === '') place(sha1);
			else if (!named.some((stream) => stream.name === name))
				named.push({ type: 'named', name, sha1: normal(sha1) });
		}
		const streams: Stream[] = [];
		if (attributes & Attribute.reparsePoint)
			streams.push({ type: 'reparse', name: '', sha1: normal(reparse) });
		if (!isDirectory) streams.push({ type: 'data', name: '', sha1: normal(data) });
		return [...streams, ...named];
	}

	/**
	 * Where the one SHA-1 of a dentry without further streams stands in `span.bytes`; -1 for a directory without streams,
	 * and null for all others: `streams` tells.
	 */
	plainHashAt(dentry: DentryPosition): number | null {
		const at = this.offset(dentry);
		if (this.view.getUint16(at + AT.streamCount, true) !== 0) return null;
		const attributes = this.attributes(dentry);
		if (attributes & (Attribute.reparsePoint | Attribute.encrypted)) return null;
		return attributes & Attribute.directory ? -1 : at + AT.mainHash;
	}

	/** The SHA-1 of the contents (or of the raw EFS stream); `ZERO_SHA1` when empty, and for directories. */
	dataSha1(dentry: DentryPosition): Sha1 {
		const at = this.offset(dentry);
		const plain = Attribute.directory | Attribute.reparsePoint | Attribute.encrypted;
		if (this.view.getUint16(at + AT.streamCount, true) === 0 && !(this.attributes(dentry) & plain))
			return normal(sha1At(this.span.bytes, at + AT.mainHash));
		const stream = this.streams(dentry).find(({ type }) => type === 'data' || type === 'efs');
		return stream?.sha1 ?? ZERO_SHA1;
	}

	/** Those of the dentries from `from` up to `end` whose contents have this SHA-1; fast enough for a whole image at a key. */
	withContents(digest: Uint8Array, from: number, end: number): DentryPosition[] {
		const { view } = this;
		const wanted = new DataView(digest.buffer, digest.byteOffset, digest.byteLength);
		const first = wanted.getUint32(0);
		const hash = encodeHex(digest);
		const found: DentryPosition[] = [];
		for (let dentry = from; dentry < end; dentry++) {
			const at = this.offset(dentry);
			const isPlain = view.getUint16(at + AT.streamCount, true) === 0;
			if (isPlain && view.getUint32(at + AT.mainHash) !== first) continue;
			if (this.dataSha1(dentry) === hash) found.push(dentry);
		}
		return found;
	}

	/** The bytes between the end of the names and the end of the dentry: tagged items, or junk. */
	tail(dentry: DentryPosition): Uint8Array {
		const at = this.offset(dentry);
		const length = lengthAt(this.view, at);
		return this.span.bytes.subarray(
			at + Math.min(length, align8(FIXED + namesSize(this.view, at))),
			at + length,
		);
	}

	/**
	 * The first dentry of the file that this one is a name of. A file has one or more names: dentries of the same hard link
	 * group with the same contents (wim.md §4.8).
	 */
	inode(dentry: DentryPosition): DentryPosition {
		return this.links().inode(dentry);
	}

	/** All names of the file, this one included, in order of position. */
	linksOf(dentry: DentryPosition): readonly DentryPosition[] {
		return this.links().names(dentry);
	}

	/** Names that files have beyond their first. */
	get linkCount(): number {
		return this.links().count;
	}

	/** Whether the file has another name. */
	isLinked(dentry: DentryPosition): boolean {
		return !this.links().isAlone(dentry);
	}

	private links(): HardLinks {
		if (this.hardLinks === null) {
			const links = new HardLinks(this);
			atOnce(links.find());
			this.hardLinks = links;
		}
		return this.hardLinks;
	}

	/** Groups the hard links in slices, so that the first question about them does not stop the calling thread. */
	async groupLinks(pause: () => Promise<void>): Promise<void> {
		if (this.hardLinks !== null) return;
		const links = new HardLinks(this);
		await inSlices(links.find(), pause);
		this.hardLinks = links;
	}
}

function normal(sha1: Sha1 | null): Sha1 {
	return sha1 === null || isEmptyStream(sha1) ? ZERO_SHA1 : sha1;
}
