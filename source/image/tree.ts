/**
 * The directory tree of one image over the bytes of its metadata resource (wim.md §4). A dentry is a position, a plain
 * number; the root is 0, and the children of a directory have consecutive positions. Columns of numbers hold the shape of
 * the tree, everything else is read from the bytes when it is asked for, so that 300,000 dentries cost some MB.
 */
import { FormatError, type WimError } from "../base/errors.ts";
import { TREE_DEPTH_MAX } from "../base/limits.ts";
import { isEmptyStream, type Sha1, sha1At, ZERO_SHA1 } from "../bytes/sha1.ts";
import type { Span } from "../bytes/span.ts";
import { decodeUtf16 } from "../bytes/utf16.ts";
import {
	Attribute,
	align8,
	Dentry,
	NO_SECURITY,
	StreamEntry,
} from "./dentry.ts";
import { parseSecurityData, type SecurityData } from "./security.ts";

/** The position of a dentry in its tree; 0 is the root. */
export type DentryPosition = number;

export const ROOT: DentryPosition = 0;

/** Ties a blob to an inode. */
export interface Stream {
	readonly type: "data" | "named" | "reparse" | "efs";
	/** Empty unless `named`. */
	readonly name: string;
	/** `ZERO_SHA1` for an empty stream. */
	readonly sha1: Sha1;
}

/** Something odd in a tree that reading works around. */
export interface TreeWarning {
	readonly message: string;
	/** In the metadata resource, in bytes. */
	readonly offset: number;
}

const FIXED = Dentry.size;
const AT = Dentry.offsets;
/** The least length of a dentry that has a place in a tree: the fixed part, padded. */
const LEAST = align8(FIXED);

/** Dentries between two pauses: some ms of work. */
const SLICE = 16_384;

export interface TreeOptions {
	/** Goes on where a list of children is broken: the rest of that list is missing, and `faults` says why. */
	readonly tolerant: boolean;
}

export class ImageTree {
	/** The metadata resource. */
	readonly span: Span;
	readonly security: SecurityData;
	/** Of dentries, the root included. */
	readonly count: number;
	readonly warnings: readonly TreeWarning[];
	/** What stopped the reading of single lists of children; empty unless `tolerant`. */
	readonly faults: readonly WimError[];
	private readonly view: DataView;
	private readonly at: Uint32Array;
	private readonly parents: Uint32Array;
	private readonly firsts: Uint32Array;
	private readonly counts: Uint32Array;
	private groups: ReadonlyMap<
		DentryPosition,
		readonly DentryPosition[]
	> | null = null;

	private constructor(span: Span, security: SecurityData, walk: Walk) {
		this.span = span;
		this.view = span.view;
		this.security = security;
		this.count = walk.count;
		this.warnings = walk.warnings;
		this.faults = walk.faults;
		this.at = walk.at;
		this.parents = walk.parents;
		this.firsts = walk.firsts;
		this.counts = walk.counts;
	}

	/**
	 * Reads the tree.
	 *
	 * @throws {FormatError} with the offset in the metadata resource
	 */
	static parse(
		span: Span,
		options: TreeOptions = { tolerant: false },
	): ImageTree {
		const security = parseSecurityData(span);
		const walk = new Walk(span, security, options.tolerant);
		for (const _ of walk.run());
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
		const walk = new Walk(span, security, options.tolerant);
		for (const _ of walk.run()) await pause();
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
	*children(
		dentry: DentryPosition,
	): Generator<DentryPosition, void, undefined> {
		const first = this.firstChild(dentry);
		const end = first + this.childCount(dentry);
		for (let child = first; child < end; child++) yield child;
	}

	/** The name as stored: any UTF-16 units, unpaired surrogates included; empty for the root. */
	name(dentry: DentryPosition): string {
		const at = this.offset(dentry);
		const size =
			dentry === ROOT ? 0 : this.view.getUint16(at + AT.nameSize, true);
		return decodeUtf16(this.span.bytes.subarray(at + FIXED, at + FIXED + size));
	}

	/** The 8.3 name; empty when there is none. */
	shortName(dentry: DentryPosition): string {
		const at = this.offset(dentry);
		const size = this.view.getUint16(at + AT.shortNameSize, true);
		if (size === 0 || dentry === ROOT) return "";
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
		return (
			(attributes & (Attribute.directory | Attribute.reparsePoint)) ===
			Attribute.directory
		);
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
		return this.view.getBigUint64(
			this.offset(dentry) + AT.lastAccessTime,
			true,
		);
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
	reparse(
		dentry: DentryPosition,
	): { tag: number; reserved: number; flags: number } | null {
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
			const size = this.view.getUint16(
				entry + StreamEntry.offsets.nameSize,
				true,
			);
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
			const unnamed = [
				mainHash,
				...extra.filter(({ name }) => name === "").map((e) => e.sha1),
			];
			const sha1 = unnamed.find((hash) => !isEmptyStream(hash)) ?? ZERO_SHA1;
			return [{ type: "efs", name: "", sha1 }];
		}
		let reparse: Sha1 | null = null;
		let data: Sha1 | null = null;
		const named: Stream[] = [];
		const place = (sha1: Sha1) => {
			if (attributes & Attribute.reparsePoint && reparse === null)
				reparse = sha1;
			else data ??= sha1;
		};
		if (mainHash !== ZERO_SHA1) place(mainHash);
		for (const { name, sha1 } of extra) {
			if (name === "") place(sha1);
			else if (!named.some((stream) => stream.name === name))
				named.push({ type: "named", name, sha1: normal(sha1) });
		}
		const streams: Stream[] = [];
		if (attributes & Attribute.reparsePoint)
			streams.push({ type: "reparse", name: "", sha1: normal(reparse) });
		if (!isDirectory)
			streams.push({ type: "data", name: "", sha1: normal(data) });
		return [...streams, ...named];
	}

	/** The SHA-1 of the contents (or of the raw EFS stream); `ZERO_SHA1` when empty, and for directories. */
	dataSha1(dentry: DentryPosition): Sha1 {
		const at = this.offset(dentry);
		const plain =
			Attribute.directory | Attribute.reparsePoint | Attribute.encrypted;
		if (
			this.view.getUint16(at + AT.streamCount, true) === 0 &&
			!(this.attributes(dentry) & plain)
		)
			return normal(sha1At(this.span.bytes, at + AT.mainHash));
		const stream = this.streams(dentry).find(
			({ type }) => type === "data" || type === "efs",
		);
		return stream?.sha1 ?? ZERO_SHA1;
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
		return this.links().get(dentry)?.[0] ?? dentry;
	}

	/** All names of the file, this one included, in order of position. */
	linksOf(dentry: DentryPosition): readonly DentryPosition[] {
		return this.links().get(dentry) ?? [dentry];
	}

	/** Every dentry that shares its file with others, to all names of that file. */
	private links(): ReadonlyMap<DentryPosition, readonly DentryPosition[]> {
		this.groups ??= this.findLinks();
		return this.groups;
	}

	private findLinks(): ReadonlyMap<DentryPosition, readonly DentryPosition[]> {
		const byGroup = new Map<bigint, DentryPosition[]>();
		const { view, at } = this;
		const excluded = Attribute.directory | Attribute.reparsePoint;
		for (let dentry = 0; dentry < this.count; dentry++) {
			const offset = at[dentry] ?? 0;
			const group = offset + AT.union;
			if (
				view.getUint32(group, true) === 0 &&
				view.getUint32(group + 4, true) === 0
			)
				continue;
			if (view.getUint32(offset + AT.attributes, true) & excluded) continue;
			const id = view.getBigUint64(group, true);
			const members = byGroup.get(id);
			if (members) members.push(dentry);
			else byGroup.set(id, [dentry]);
		}
		const links = new Map<DentryPosition, readonly DentryPosition[]>();
		for (const members of byGroup.values()) {
			if (members.length < 2) continue;
			const byContents = new Map<Sha1, DentryPosition[]>();
			for (const dentry of members) {
				const sha1 = this.dataSha1(dentry);
				const same = byContents.get(sha1);
				if (same) same.push(dentry);
				else byContents.set(sha1, [dentry]);
			}
			for (const same of byContents.values())
				if (same.length > 1) for (const dentry of same) links.set(dentry, same);
		}
		return links;
	}
}

function normal(sha1: Sha1 | null): Sha1 {
	return sha1 === null || isEmptyStream(sha1) ? ZERO_SHA1 : sha1;
}

/** A length field as a number; absurd ones come out absurdly large. */
function lengthAt(view: DataView, at: number): number {
	return (
		view.getUint32(at, true) + view.getUint32(at + 4, true) * 0x1_0000_0000
	);
}

/** Bytes of both names with their NULs. */
function namesSize(view: DataView, at: number): number {
	const short = view.getUint16(at + AT.shortNameSize, true);
	const long = view.getUint16(at + AT.nameSize, true);
	return (long === 0 ? 0 : long + 2) + (short === 0 ? 0 : short + 2);
}

/** Reads the lists of children, depth first, with an explicit stack. */
class Walk {
	count = 0;
	readonly warnings: TreeWarning[] = [];
	readonly faults: WimError[] = [];
	readonly at: Uint32Array;
	readonly parents: Uint32Array;
	readonly firsts: Uint32Array;
	readonly counts: Uint32Array;
	private readonly span: Span;
	private readonly view: DataView;
	private readonly rootAt: number;
	private readonly tolerant: boolean;
	private readonly descriptorCount: number;
	private readonly visited = new Set<number>();

	constructor(span: Span, security: SecurityData, tolerant: boolean) {
		this.span = span;
		this.view = span.view;
		this.rootAt = security.size;
		this.descriptorCount = security.descriptors.length;
		this.tolerant = tolerant;
		// Lists are never read twice, so every dentry has bytes of its own.
		const most = Math.floor(span.size / LEAST) + 1;
		this.at = new Uint32Array(most);
		this.parents = new Uint32Array(most);
		this.firsts = new Uint32Array(most);
		this.counts = new Uint32Array(most);
	}

	/** Yields after every slice of dentries. */
	*run(): Generator<void, void, undefined> {
		this.root();
		const stack: { dentry: number; depth: number }[] = [
			{ dentry: ROOT, depth: 1 },
		];
		for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
			const { dentry, depth } = top;
			try {
				if (depth > TREE_DEPTH_MAX)
					throw this.fail(
						this.at[dentry] ?? 0,
						`the tree is deeper than ${TREE_DEPTH_MAX}`,
					);
				yield* this.list(dentry);
			} catch (error) {
				if (!this.tolerant || !(error instanceof FormatError)) throw error;
				this.faults.push(error);
			}
			const first = this.firsts[dentry] ?? 0;
			for (
				let child = first + (this.counts[dentry] ?? 0) - 1;
				child >= first;
				child--
			)
				if (this.hasList(child))
					stack.push({ dentry: child, depth: depth + 1 });
		}
	}

	private root(): void {
		const at = this.rootAt;
		this.span.need(at, FIXED, "root dentry");
		this.check(at, "root dentry");
		const attributes = this.view.getUint32(at + AT.attributes, true);
		if (!(attributes & Attribute.directory))
			throw this.fail(at, "the root dentry is not a directory");
		if (namesSize(this.view, at) > 0)
			this.warn(at, "The root dentry has a name, which is ignored");
		this.at[0] = at;
		this.count = 1;
	}

	private hasList(dentry: number): boolean {
		const at = this.at[dentry] ?? 0;
		const attributes = this.view.getUint32(at + AT.attributes, true);
		const subdir = lengthAt(this.view, at + AT.subdirOffset);
		if (subdir === 0) return false;
		if (
			(attributes & (Attribute.directory | Attribute.reparsePoint)) ===
			Attribute.directory
		)
			return true;
		this.warn(
			at,
			"The children of something that is not a directory are ignored",
		);
		return false;
	}

	/** Reads the list of children of a directory up to its terminator. */
	private *list(dentry: number): Generator<void, void, undefined> {
		const owner = this.at[dentry] ?? 0;
		const listAt = lengthAt(this.view, owner + AT.subdirOffset);
		this.firsts[dentry] = this.count;
		if (listAt === 0) return;
		if (
			listAt % 8 !== 0 ||
			listAt > this.span.size - 8 ||
			listAt <= this.rootAt
		)
			throw this.fail(
				owner,
				`the list of its children at 0x${listAt.toString(16)} does not lie behind the root`,
			);
		if (this.visited.has(listAt))
			throw this.fail(
				owner,
				`the list of its children at 0x${listAt.toString(16)} belongs to another directory too (a cycle)`,
			);
		this.visited.add(listAt);
		const seen = new Map<number, number>();
		for (let at = listAt; ; ) {
			this.span.need(at, 8, "length of a dentry");
			const length = lengthAt(this.view, at);
			if (length <= 8) return;
			this.span.need(at, FIXED, "dentry");
			const next = this.check(at, "dentry");
			if (this.accept(at, seen)) {
				if (this.count >= this.at.length)
					throw this.fail(
						at,
						"there are more dentries than the metadata has room for",
					);
				seen.set(this.nameHash(at), this.count);
				this.checkSecurityId(at);
				this.at[this.count] = at;
				this.parents[this.count] = dentry;
				if (++this.count % SLICE === 0) yield;
				this.counts[dentry] = (this.counts[dentry] ?? 0) + 1;
			}
			at = next;
		}
	}

	private checkSecurityId(at: number): void {
		const id = this.view.getUint32(at + AT.securityId, true);
		if (id >= this.descriptorCount && id !== NO_SECURITY)
			this.warn(
				at,
				`Security id ${id} is ignored: there are ${this.descriptorCount} descriptors`,
			);
	}

	/** Checks lengths (wim.md §12.1 #15, #16). @returns where the next dentry begins */
	private check(at: number, what: string): number {
		const length = lengthAt(this.view, at);
		if (length < FIXED)
			throw this.fail(at, `a ${what} of ${length} bytes is too short`);
		this.span.need(at, length, what);
		const nameSize = this.view.getUint16(at + AT.nameSize, true);
		const shortNameSize = this.view.getUint16(at + AT.shortNameSize, true);
		if (nameSize % 2 !== 0 || shortNameSize % 2 !== 0)
			throw this.fail(
				at,
				`a name of ${nameSize % 2 !== 0 ? nameSize : shortNameSize} bytes is not UTF-16`,
			);
		if (FIXED + namesSize(this.view, at) > align8(length))
			throw this.fail(
				at,
				`names of ${nameSize} and ${shortNameSize} bytes do not fit into a dentry of ${length} bytes`,
			);
		let entry = at + align8(length);
		for (let k = this.view.getUint16(at + AT.streamCount, true); k > 0; k--) {
			this.span.need(entry, StreamEntry.size, "stream entry");
			const size = lengthAt(this.view, entry);
			const streamNameSize = this.view.getUint16(
				entry + StreamEntry.offsets.nameSize,
				true,
			);
			if (size < StreamEntry.size || StreamEntry.size + streamNameSize > size)
				throw this.fail(
					entry,
					`a stream entry of ${size} bytes with a name of ${streamNameSize} bytes is broken`,
				);
			if (streamNameSize % 2 !== 0)
				throw this.fail(
					entry,
					`a stream name of ${streamNameSize} bytes is not UTF-16`,
				);
			this.span.need(entry, align8(size), "stream entry");
			entry += align8(size);
		}
		return entry;
	}

	/** Names that are dropped with a warning (wim.md §4.7). */
	private accept(at: number, seen: ReadonlyMap<number, number>): boolean {
		const size = this.view.getUint16(at + AT.nameSize, true);
		if (size === 0) return this.drop(at, "An entry without a name is ignored");
		const units = size / 2;
		let dots = 0;
		for (let k = 0; k < units; k++) {
			const unit = this.view.getUint16(at + FIXED + 2 * k, true);
			if (unit === 0)
				return this.drop(at, "An entry with a NUL in its name is ignored");
			if (unit === 0x2e) dots++;
		}
		if (dots === units && units <= 2)
			return this.drop(at, `An entry named "${".".repeat(units)}" is ignored`);
		const twin = seen.get(this.nameHash(at));
		if (twin === undefined) return true;
		const name = this.nameAt(at);
		for (
			let other = twin;
			other >= 0 && this.parents[other] === this.parents[twin];
			other--
		)
			if (this.nameAt(this.at[other] ?? 0) === name)
				return this.drop(at, "A second entry of the same name is ignored");
		return true;
	}

	private nameAt(at: number): string {
		const size = this.view.getUint16(at + AT.nameSize, true);
		return decodeUtf16(this.span.bytes.subarray(at + FIXED, at + FIXED + size));
	}

	/** FNV-1a over the units of the name. */
	private nameHash(at: number): number {
		const units = this.view.getUint16(at + AT.nameSize, true) / 2;
		let hash = 0x811c_9dc5;
		for (let k = 0; k < units; k++)
			hash = Math.imul(
				hash ^ this.view.getUint16(at + FIXED + 2 * k, true),
				0x0100_0193,
			);
		return hash;
	}

	private drop(at: number, message: string): false {
		this.warn(at, message);
		return false;
	}

	private warn(at: number, message: string): void {
		this.warnings.push({ message, offset: this.span.origin + at });
	}

	private fail(at: number, why: string): FormatError {
		return this.span.error(at, `Cannot read the metadata: ${why}`);
	}
}
