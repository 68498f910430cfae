/**
 * Which dentries are names of one file (wim.md §4.8): those of the same hard link group with the same contents. Columns
 * of 8 bytes a dentry, since half of the 300,000 files of a Windows image have several names.
 */
import { randomFillSync } from 'node:crypto';
import type { Sha1 } from '../bytes/sha1.ts';
import { Attribute, Dentry } from './dentry.ts';

const AT = Dentry.offsets;

/** Odd numbers that nobody outside knows, so that no image can be made whose groups all meet in one slot. */
let secretFactors: readonly number[] | null = null;

/** Made when they are needed: loading Node's cryptography takes 5 ms. */
function factors(): readonly number[] {
	secretFactors ??= [...randomFillSync(new Uint32Array(2))].map((word) => word | 1);
	return secretFactors;
}

/** Dentries or groups that are worked through in one step: a few ms. */
const STEP = 4096;

/** What of a tree says which names belong together. */
export interface LinkedDentries {
	readonly count: number;
	readonly view: DataView;
	/** Where a dentry begins, in bytes. */
	offset(dentry: number): number;
	/** The SHA-1 of the contents. */
	dataSha1(dentry: number): Sha1;
}

export class HardLinks {
	readonly #dentries: LinkedDentries;
	/** By dentry: the first name of its file. */
	readonly #inodes: Uint32Array;
	/** By dentry: the next name of its file; 0 = there is none. */
	readonly #nexts: Uint32Array;
	readonly #factors: readonly number[] = factors();

	constructor(dentries: LinkedDentries) {
		this.#dentries = dentries;
		this.#inodes = new Uint32Array(dentries.count);
		for (let dentry = 0; dentry < dentries.count; dentry++) this.#inodes[dentry] = dentry;
		this.#nexts = new Uint32Array(dentries.count);
	}

	/** Finds them; nothing else may be asked before. Yields after every few ms of work. */
	*find(): Generator<void, void, undefined> {
		let steps = 0;
		for (const first of yield* this.#chainGroups()) {
			if (++steps % STEP === 0) yield;
			this.#settle(first);
		}
	}

	/** The first name of the file that a dentry is a name of. */
	inode(dentry: number): number {
		return this.#inodes[dentry] ?? dentry;
	}

	isAlone(dentry: number): boolean {
		return this.inode(dentry) === dentry && this.#next(dentry) === 0;
	}

	/** Names beyond the first of each file. */
	get count(): number {
		let count = 0;
		for (let dentry = 0; dentry < this.#inodes.length; dentry++)
			if (this.#inodes[dentry] !== dentry) count++;
		return count;
	}

	/** All names of the file, in order of position. */
	names(dentry: number): number[] {
		const names: number[] = [];
		let name = this.inode(dentry);
		do {
			names.push(name);
			name = this.#next(name);
		} while (name !== 0);
		return names;
	}

	#next(dentry: number): number {
		return this.#nexts[dentry] ?? 0;
	}

	/** Chains the members of each group. @returns the first member of each that has several */
	*#chainGroups(): Generator<void, Iterable<number>, undefined> {
		const { count } = this.#dentries;
		let members = 0;
		for (let dentry = 0; dentry < count; dentry++) {
			if (dentry % STEP === STEP - 1) yield;
			if (this.#hasGroup(dentry)) members++;
		}
		const order = Math.max(4, Math.ceil(Math.log2(2 * members + 1)));
		/** By hash of the group: its first member + 1. */
		const slots = new Uint32Array(members === 0 ? 0 : 2 ** order);
		/** By first member: the last one so far. */
		const lasts = new Map<number, number>();
		for (let dentry = 0; dentry < count && members > 0; dentry++) {
			if (dentry % STEP === STEP - 1) yield;
			if (!this.#hasGroup(dentry)) continue;
			let slot = this.#hash(dentry) >>> (32 - order);
			let first = slots[slot] ?? 0;
			while (first !== 0 && !this.#isSameGroup(first - 1, dentry)) {
				slot = (slot + 1) & (slots.length - 1);
				first = slots[slot] ?? 0;
			}
			if (first === 0) slots[slot] = dentry + 1;
			else {
				this.#nexts[lasts.get(first - 1) ?? first - 1] = dentry;
				lasts.set(first - 1, dentry);
			}
		}
		return lasts.keys();
	}

	/** Folders and reparse points have other things in this field. */
	#hasGroup(dentry: number): boolean {
		const { view } = this.#dentries;
		const at = this.#dentries.offset(dentry);
		if (view.getUint32(at + AT.union) === 0 && view.getUint32(at + AT.union + 4) === 0)
			return false;
		const excluded = Attribute.directory | Attribute.reparsePoint;
		return (view.getUint32(at + AT.attributes, true) & excluded) === 0;
	}

	#hash(dentry: number): number {
		const { view } = this.#dentries;
		const at = this.#dentries.offset(dentry) + AT.union;
		const [first = 1, second = 1] = this.#factors;
		const low = Math.imul(view.getUint32(at), first);
		return (low + Math.imul(view.getUint32(at + 4), second)) | 0;
	}

	#isSameGroup(one: number, other: number): boolean {
		const { view } = this.#dentries;
		const a = this.#dentries.offset(one) + AT.union;
		const b = this.#dentries.offset(other) + AT.union;
		return (
			view.getUint32(a) === view.getUint32(b) && view.getUint32(a + 4) === view.getUint32(b + 4)
		);
	}

	/** Members of one group that have the same contents belong together (a defect of some Windows 7 images). */
	#settle(first: number): void {
		const members = this.names(first);
		if (members.every((dentry) => this.#hasSameMainHash(first, dentry))) {
			for (const dentry of members) this.#inodes[dentry] = first;
			return;
		}
		const lasts = new Map<Sha1, number>();
		for (const dentry of members) {
			const sha1 = this.#dentries.dataSha1(dentry);
			const last = lasts.get(sha1);
			this.#nexts[dentry] = 0;
			if (last !== undefined) {
				this.#nexts[last] = dentry;
				this.#inodes[dentry] = this.inode(last);
			}
			lasts.set(sha1, dentry);
		}
	}

	/** True when both have their contents in the main hash, and it is the same. */
	#hasSameMainHash(one: number, other: number): boolean {
		const { view } = this.#dentries;
		const a = this.#dentries.offset(one);
		const b = this.#dentries.offset(other);
		for (const at of [a, b]) if (view.getUint16(at + AT.streamCount, true) !== 0) return false;
		for (let k = 0; k < 20; k += 4)
			if (view.getUint32(a + AT.mainHash + k) !== view.getUint32(b + AT.mainHash + k)) return false;
		return true;
	}
}
