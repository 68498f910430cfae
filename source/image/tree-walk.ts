/**
 * Reads the lists of children of a metadata resource, depth first, into columns of numbers (wim.md §4.4, §12.1). Every
 * number is checked before it is used; what reading can work around becomes a warning.
 */
import { FormatError, type WimError } from '../base/errors.ts';
import { TREE_DEPTH_MAX } from '../base/limits.ts';
import type { Span } from '../bytes/span.ts';
import { whole } from '../bytes/struct.ts';
import { decodeUtf16 } from '../bytes/utf16.ts';
import { Attribute, align8, Dentry, NO_SECURITY, StreamEntry } from './dentry.ts';
import type { SecurityData } from './security.ts';

const FIXED = Dentry.size;
const AT = Dentry.offsets;
/** The least length of a dentry that has a place in a tree: the fixed part, padded. */
const LEAST = align8(FIXED);

/** Dentries between two pauses: some ms of work. */
const SLICE = 256;

/** Something odd in a tree that reading works around. */
export interface TreeWarning {
	readonly message: string;
	/** In the metadata resource, in bytes. */
	readonly offset: number;
}

/** A length field as a number; absurd ones come out absurdly large. */
export function lengthAt(view: DataView, at: number): number {
	return whole(view.getUint32(at + 4, true), view.getUint32(at, true));
}

/** Bytes of both names with their NULs. */
export function namesSize(view: DataView, at: number): number {
	const short = view.getUint16(at + AT.shortNameSize, true);
	const long = view.getUint16(at + AT.nameSize, true);
	return (long === 0 ? 0 : long + 2) + (short === 0 ? 0 : short + 2);
}

/** Reads the lists of children, depth first, with an explicit stack. */
export class TreeWalk {
	count = 0;
	/** Where the last list ends, in bytes from the start of the resource. */
	end = 0;
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
	/** FNV-1a over the units of the name that was accepted last. */
	private nameHash = 0;

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
		const stack: { dentry: number; depth: number }[] = [{ dentry: 0, depth: 1 }];
		for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
			const { dentry, depth } = top;
			try {
				if (depth > TREE_DEPTH_MAX)
					throw this.fail(this.at[dentry] ?? 0, `the tree is deeper than ${TREE_DEPTH_MAX}`);
				yield* this.list(dentry);
			} catch (error) {
				if (!this.tolerant || !(error instanceof FormatError)) throw error;
				this.faults.push(error);
			}
			const first = this.firsts[dentry] ?? 0;
			for (let child = first + (this.counts[dentry] ?? 0) - 1; child >= first; child--)
				if (this.hasList(child)) stack.push({ dentry: child, depth: depth + 1 });
		}
	}

	private root(): void {
		const at = this.rootAt;
		this.span.need(at, FIXED, 'root dentry');
		this.check(at, 'root dentry');
		const attributes = this.view.getUint32(at + AT.attributes, true);
		if (!(attributes & Attribute.directory))
			throw this.fail(at, 'the root dentry is not a directory');
		if (namesSize(this.view, at) > 0) this.warn(at, 'The root dentry has a name, which is ignored');
		this.at[0] = at;
		this.count = 1;
	}

	private hasList(dentry: number): boolean {
		const at = this.at[dentry] ?? 0;
		const attributes = this.view.getUint32(at + AT.attributes, true);
		const subdir = lengthAt(this.view, at + AT.subdirOffset);
		if (subdir === 0) return false;
		if ((attributes & (Attribute.directory | Attribute.reparsePoint)) === Attribute.directory)
			return true;
		this.warn(at, 'The children of something that is not a directory are ignored');
		return false;
	}

	/** Reads the list of children of a directory up to its terminator. */
	private *list(dentry: number): Generator<void, void, undefined> {
		const owner = this.at[dentry] ?? 0;
		const listAt = lengthAt(this.view, owner + AT.subdirOffset);
		this.firsts[dentry] = this.count;
		if (listAt === 0) return;
		if (listAt % 8 !== 0 || listAt > this.span.size - 8 || listAt <= this.rootAt)
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
			this.span.need(at, 8, 'length of a dentry');
			const length = lengthAt(this.view, at);
			if (length <= 8) {
				this.end = Math.max(this.end, at + 8);
				return;
			}
			this.span.need(at, FIXED, 'dentry');
			const next = this.check(at, 'dentry');
			if (this.accept(at, seen)) {
				if (this.count >= this.at.length)
					throw this.fail(at, 'there are more dentries than the metadata has room for');
				seen.set(this.nameHash, this.count);
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
			this.warn(at, `Security id ${id} is ignored: there are ${this.descriptorCount} descriptors`);
	}

	/** Checks lengths (wim.md §12.1 #15, #16). @returns where the next dentry begins */
	private check(at: number, what: string): number {
		const length = lengthAt(this.view, at);
		if (length < FIXED) throw this.fail(at, `a ${what} of ${length} bytes is too short`);
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
			this.span.need(entry, StreamEntry.size, 'stream entry');
			const size = lengthAt(this.view, entry);
			const streamNameSize = this.view.getUint16(entry + StreamEntry.offsets.nameSize, true);
			if (size < StreamEntry.size || StreamEntry.size + streamNameSize > size)
				throw this.fail(
					entry,
					`a stream entry of ${size} bytes with a name of ${streamNameSize} bytes is broken`,
				);
			if (streamNameSize % 2 !== 0)
				throw this.fail(entry, `a stream name of ${streamNameSize} bytes is not UTF-16`);
			this.span.need(entry, align8(size), 'stream entry');
			entry += align8(size);
		}
		return entry;
	}

	/** Names that are dropped with a warning (wim.md §4.7). */
	private accept(at: number, seen: ReadonlyMap<number, number>): boolean {
		const size = this.view.getUint16(at + AT.nameSize, true);
		if (size === 0) return this.drop(at, 'An entry without a name is ignored');
		const units = size / 2;
		const { view } = this;
		const end = at + FIXED + size;
		let hash = 0x811c_9dc5;
		let isDots = units <= 2;
		for (let k = at + FIXED; k < end; k += 2) {
			const unit = view.getUint16(k, true);
			if (unit === 0) return this.drop(at, 'An entry with a NUL in its name is ignored');
			if (isDots && unit !== 0x2e) isDots = false;
			hash = Math.imul(hash ^ unit, 0x0100_0193);
		}
		if (isDots) return this.drop(at, `An entry named "${'.'.repeat(units)}" is ignored`);
		this.nameHash = hash;
		const twin = seen.get(hash);
		if (twin === undefined) return true;
		const name = this.nameAt(at);
		for (let other = twin; other >= 0 && this.parents[other] === this.parents[twin]; other--)
			if (this.nameAt(this.at[other] ?? 0) === name)
				return this.drop(at, 'A second entry of the same name is ignored');
		return true;
	}

	private nameAt(at: number): string {
		const size = this.view.getUint16(at + AT.nameSize, true);
		return decodeUtf16(this.span.bytes.subarray(at + FIXED, at + FIXED + size));
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
