/** The entries of a blob table as they stand in its bytes (wim.md §3.1): columns to be asked, objects only on request. */
import { decodeHex } from '../bytes/hex.ts';
import { type Sha1, sha1At } from '../bytes/sha1.ts';
import type { Span } from '../bytes/span.ts';
import { whole } from '../bytes/struct.ts';
import { ResourceFlag } from './part-header.ts';

/** An entry is 50 bytes, unpadded. */
export const BLOB_ENTRY_SIZE = 50;

/** The original size that marks the entry of a solid resource itself. */
export const SOLID_RESOURCE_MARK = 0x1_0000_0000;

/** Where the fields of an entry stand. */
export const ENTRY_AT = {
	storedSize: 0,
	flags: 7,
	offset: 8,
	originalSize: 16,
	partNumber: 24,
	referenceCount: 26,
	sha1: 30,
} as const;

/**
 * One entry as it stands. Amounts that a number cannot hold exactly come out as rounded, absurdly large ones, which
 * every check refuses.
 */
export interface BlobEntry {
	readonly storedSize: number;
	readonly flags: number;
	readonly offset: number;
	readonly originalSize: number;
	readonly partNumber: number;
	readonly referenceCount: number;
	readonly sha1: Sha1;
	/** In the table, in bytes. */
	readonly at: number;
}

/** All whole entries of a table, by their position. */
export class BlobEntries implements Iterable<BlobEntry> {
	static readonly NONE = new BlobEntries(new Uint8Array(0));

	readonly length: number;
	readonly bytes: Uint8Array;
	/** Of the same bytes. */
	readonly view: DataView;
	/** Where each entry stands in its table; null when these bytes are the table. */
	readonly #places: readonly number[] | null;

	private constructor(bytes: Uint8Array, places: readonly number[] | null = null) {
		this.bytes = bytes;
		this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
		this.#places = places;
		this.length = Math.floor(bytes.length / BLOB_ENTRY_SIZE);
	}

	/** Keeps the bytes. */
	static parse({ bytes }: Span): BlobEntries {
		return new BlobEntries(bytes);
	}

	/** Entries that were chosen one by one. */
	static of(entries: readonly BlobEntry[]): BlobEntries {
		const bytes = new Uint8Array(entries.length * BLOB_ENTRY_SIZE);
		const view = new DataView(bytes.buffer);
		for (const [k, entry] of entries.entries()) {
			const at = k * BLOB_ENTRY_SIZE;
			setAmount(view, at + ENTRY_AT.storedSize, entry.storedSize, 7);
			view.setUint8(at + ENTRY_AT.flags, entry.flags);
			setAmount(view, at + ENTRY_AT.offset, entry.offset, 8);
			setAmount(view, at + ENTRY_AT.originalSize, entry.originalSize, 8);
			view.setUint16(at + ENTRY_AT.partNumber, entry.partNumber, true);
			view.setUint32(at + ENTRY_AT.referenceCount, entry.referenceCount, true);
			bytes.set(decodeHex(entry.sha1), at + ENTRY_AT.sha1);
		}
		return new BlobEntries(
			bytes,
			entries.map(({ at }) => at),
		);
	}

	storedSize(k: number): number {
		const at = k * BLOB_ENTRY_SIZE + ENTRY_AT.storedSize;
		const high = this.view.getUint16(at + 4, true) + this.view.getUint8(at + 6) * 0x1_0000;
		return whole(high, this.view.getUint32(at, true));
	}

	flags(k: number): number {
		return this.view.getUint8(k * BLOB_ENTRY_SIZE + ENTRY_AT.flags);
	}

	offset(k: number): number {
		return this.#u64(k * BLOB_ENTRY_SIZE + ENTRY_AT.offset);
	}

	originalSize(k: number): number {
		return this.#u64(k * BLOB_ENTRY_SIZE + ENTRY_AT.originalSize);
	}

	partNumber(k: number): number {
		return this.view.getUint16(k * BLOB_ENTRY_SIZE + ENTRY_AT.partNumber, true);
	}

	referenceCount(k: number): number {
		return this.view.getUint32(k * BLOB_ENTRY_SIZE + ENTRY_AT.referenceCount, true);
	}

	sha1(k: number): Sha1 {
		return sha1At(this.bytes, this.sha1Place(k));
	}

	/** Where the SHA-1 stands in `bytes`. */
	sha1Place(k: number): number {
		return k * BLOB_ENTRY_SIZE + ENTRY_AT.sha1;
	}

	/** False when the SHA-1 is all zero. */
	hasSha1(k: number): boolean {
		const at = this.sha1Place(k);
		for (let byte = at; byte < at + 20; byte += 4) if (this.view.getUint32(byte) !== 0) return true;
		return false;
	}

	/** In its table, in bytes. */
	at(k: number): number {
		return this.#places?.[k] ?? k * BLOB_ENTRY_SIZE;
	}

	/** True for the entry of a solid resource itself. */
	isSolidResource(k: number): boolean {
		return (
			(this.flags(k) & ResourceFlag.solid) !== 0 && this.originalSize(k) === SOLID_RESOURCE_MARK
		);
	}

	get(k: number): BlobEntry {
		return {
			storedSize: this.storedSize(k),
			flags: this.flags(k),
			offset: this.offset(k),
			originalSize: this.originalSize(k),
			partNumber: this.partNumber(k),
			referenceCount: this.referenceCount(k),
			sha1: this.sha1(k),
			at: this.at(k),
		};
	}

	*[Symbol.iterator](): Generator<BlobEntry, void, undefined> {
		for (let k = 0; k < this.length; k++) yield this.get(k);
	}

	#u64(at: number): number {
		return whole(this.view.getUint32(at + 4, true), this.view.getUint32(at, true));
	}
}

/** Reads all whole entries. */
export function parseBlobEntries(span: Span): BlobEntry[] {
	return [...BlobEntries.parse(span)];
}

/** True for the entry of a solid resource itself. */
export function isSolidResourceEntry({ flags, originalSize }: BlobEntry): boolean {
	return (flags & ResourceFlag.solid) !== 0 && originalSize === SOLID_RESOURCE_MARK;
}

/** Writes an amount; one that was rounded when it was parsed stays absurdly large. */
function setAmount(view: DataView, at: number, amount: number, size: 7 | 8): void {
	const most = 2n ** BigInt(8 * size) - 1n;
	const exact = BigInt(amount) > most ? most : BigInt(amount);
	for (let k = 0; k < size; k++) view.setUint8(at + k, Number((exact >> BigInt(8 * k)) & 0xffn));
}
