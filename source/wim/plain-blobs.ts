/**
 * Blobs that are only to be copied, as columns of numbers: all are resources of their own, sound as far as their table tells,
 * and stand one behind the other. 5,000 of them as objects, from table to table, keep a thread busy for 40 ms, in which
 * the system copies as many MB.
 */
import { assert } from '../base/errors.ts';
import type { Sha1 } from '../bytes/sha1.ts';
import { RowCounts } from '../bytes/sha1-counts.ts';
import { u64 } from '../bytes/struct.ts';
import { BLOB_ENTRY_SIZE, ENTRY_AT } from './blob-entries.ts';
import { BlobRows, type PartBlobs } from './part-blobs.ts';
import type { Blob, Part } from './resource.ts';

/** Rows between two pauses: about a millisecond of work. */
const SLICE = 512;

/** By position, in the order in which the blobs stand. */
interface Columns {
	readonly blobs: BlobRows;
	/** In `blobs`. */
	readonly row: number[];
	/** The position of its table among those of `blobs`. */
	readonly part: number[];
	/** In that table. */
	readonly entry: number[];
	/** In its part, in bytes. */
	readonly offset: number[];
	readonly storedSize: number[];
	/** Of the contents, in bytes. */
	readonly size: number[];
	/** How often images reference it; 0 until that is known. */
	readonly count: number[];
}

const emptyColumns = (blobs: BlobRows): Columns => ({
	blobs,
	row: [],
	part: [],
	entry: [],
	offset: [],
	storedSize: [],
	size: [],
	count: [],
});

/** Those at some positions. */
function chosen(columns: Columns, positions: readonly number[]): Columns {
	const from = (column: readonly number[]) => positions.map((k) => column[k]!);
	return {
		blobs: columns.blobs,
		row: from(columns.row),
		part: from(columns.part),
		entry: from(columns.entry),
		offset: from(columns.offset),
		storedSize: from(columns.storedSize),
		size: from(columns.size),
		count: from(columns.count),
	};
}

/** In the order of the files; null when some share bytes. */
function sorted(columns: Columns): Columns | null {
	const { part, offset, storedSize } = columns;
	const positions = columns.row.map((_, k) => k);
	positions.sort((a, b) => part[a]! - part[b]! || offset[a]! - offset[b]!);
	const isShared = positions.some((k, n) => {
		const next = positions[n + 1];
		return (
			next !== undefined && part[next] === part[k] && offset[next]! < offset[k]! + storedSize[k]!
		);
	});
	return isShared ? null : chosen(columns, positions);
}

/** Neighbours without a gap between them. */
export interface PlainPiece {
	readonly part: Part;
	/** In the part, in bytes. */
	readonly offset: number;
	readonly storedSize: number;
	/** Of the contents, in bytes. */
	readonly size: number;
	/** Positions, from 0. */
	readonly from: number;
	readonly end: number;
}

/** Where a piece stands in another file, in bytes. */
export interface PlacedPiece extends PlainPiece {
	readonly target: number;
}

/** A stretch of them. */
export class PlainBlobs {
	readonly length: number;
	readonly #columns: Columns;
	/** Positions in the columns. */
	readonly #from: number;
	readonly #end: number;

	private constructor(columns: Columns, from = 0, end = columns.row.length) {
		this.#columns = columns;
		this.#from = from;
		this.#end = end;
		this.length = end - from;
	}

	/**
	 * All blobs of some tables; yields now and then.
	 *
	 * @returns null when some of them need more than copying
	 */
	static *find(blobs: ReadonlyMap<Sha1, Blob>): Generator<void, PlainBlobs | null, undefined> {
		if (!(blobs instanceof BlobRows)) return null;
		const columns = emptyColumns(blobs);
		const { parts } = blobs;
		let isInOrder = true;
		let last = 0;
		let end = 0;
		for (let row = 0; row < blobs.size; row++) {
			if (row % SLICE === SLICE - 1) yield;
			const position = blobs.partAt(row);
			const entry = blobs.ownEntryAt(row);
			const part = parts[position];
			if (part === undefined || entry < 0) return null;
			const { table } = part;
			const offset = table.offset(entry);
			const storedSize = table.storedSize(entry);
			const size = table.originalSize(entry);
			if (!part.isPlain(entry, offset, storedSize, size)) return null;
			columns.row.push(row);
			columns.part.push(position);
			columns.entry.push(entry);
			columns.offset.push(offset);
			columns.storedSize.push(storedSize);
			columns.size.push(size);
			columns.count.push(0);
			if (position === last ? offset < end : position < last) isInOrder = false;
			last = position;
			end = offset + storedSize;
		}
		const ordered = isInOrder ? columns : sorted(columns);
		return ordered === null ? null : new PlainBlobs(ordered);
	}

	/** Those of them that are counted; yields now and then. The same object, when that are all. */
	*counted(counts: RowCounts): Generator<void, PlainBlobs, undefined> {
		const { row, count } = this.#columns;
		const positions: number[] = [];
		for (let k = this.#from; k < this.#end; k++) {
			if (k % SLICE === SLICE - 1) yield;
			count[k] = counts.at(row[k]!);
			if (count[k] === 0) continue;
			positions.push(k);
		}
		if (positions.length === this.length) return this;
		return new PlainBlobs(chosen(this.#columns, positions));
	}

	/** What counts how often something has each of them. */
	counter(): RowCounts {
		return new RowCounts(this.#columns.blobs.index);
	}

	/** Where they lie. */
	get parts(): readonly PartBlobs[] {
		return this.#columns.blobs.parts;
	}

	slice(from: number, end: number): PlainBlobs {
		return new PlainBlobs(this.#columns, this.#from + from, this.#from + end);
	}

	storedSizeAt(position: number): number {
		return this.#columns.storedSize[this.#from + position]!;
	}

	/** Of all of them, in bytes. */
	get storedSize(): number {
		return this.#sum(this.#columns.storedSize);
	}

	/** Of their contents, in bytes. */
	get size(): number {
		return this.#sum(this.#columns.size);
	}

	#sum(column: readonly number[]): number {
		let sum = 0;
		for (let k = this.#from; k < this.#end; k++) sum += column[k]!;
		return sum;
	}

	/** From the first of them to the end of the last one, as long as they lie in one part. */
	get stretch(): { readonly part: Part; readonly from: number; readonly end: number } | null {
		const { part, offset, storedSize } = this.#columns;
		const last = this.#end - 1;
		if (this.length === 0 || part[this.#from] !== part[last]) return null;
		const end = offset[last]! + storedSize[last]!;
		return { part: this.#part(last).part, from: offset[this.#from]!, end };
	}

	/** All of them, as many at a time as stand together, up to a size if there are several. */
	*pieces(storedMax: number): Generator<PlainPiece, void, undefined> {
		const { part, offset, storedSize, size: sizes } = this.#columns;
		for (let k = this.#from; k < this.#end; ) {
			const from = k;
			const start = offset[k]!;
			let end = start;
			let size = 0;
			do {
				end += storedSize[k]!;
				size += sizes[k]!;
				k++;
			} while (
				k < this.#end &&
				offset[k] === end &&
				part[k] === part[from] &&
				end + storedSize[k]! - start <= storedMax
			);
			yield {
				part: this.#part(from).part,
				offset: start,
				storedSize: end - start,
				size,
				from: from - this.#from,
				end: k - this.#from,
			};
		}
	}

	/**
	 * Puts their entries into a table.
	 *
	 * @param pieces all of them, in order, where they are now
	 * @param at where the first entry goes
	 * @returns where the last one ends
	 */
	encode(
		pieces: readonly PlacedPiece[],
		partNumber: number,
		table: Uint8Array,
		at: number,
	): number {
		const { entry, offset, count } = this.#columns;
		const view = new DataView(table.buffer, table.byteOffset, table.byteLength);
		let place = at;
		for (const { from, end, target, offset: origin } of pieces) {
			const { bytes } = this.#part(this.#from + from).table;
			const last = this.#from + end;
			for (let k = this.#from + from; k < last; ) {
				const first = entry[k]!;
				let next = k + 1;
				while (next < last && entry[next] === first + next - k) next++;
				const start = first * BLOB_ENTRY_SIZE;
				table.set(bytes.subarray(start, start + (next - k) * BLOB_ENTRY_SIZE), place);
				for (; k < next; k++) {
					const references = count[k]!;
					assert(references > 0, 'blobs are counted before their table is written');
					u64.write(view, place + ENTRY_AT.offset, offset[k]! + target - origin);
					view.setUint16(place + ENTRY_AT.partNumber, partNumber, true);
					view.setUint32(place + ENTRY_AT.referenceCount, Math.min(references, 0xffff_ffff), true);
					place += BLOB_ENTRY_SIZE;
				}
			}
		}
		return place;
	}

	#part(k: number): PartBlobs {
		const part = this.parts[this.#columns.part[k]!];
		assert(part !== undefined, 'every blob lies in a part');
		return part;
	}
}
