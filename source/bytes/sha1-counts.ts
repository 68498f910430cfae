import { Uint32Column } from './columns.ts';
import { isEmptyStreamAt, type Sha1 } from './sha1.ts';
import { Sha1Index } from './sha1-index.ts';

/** What streams are counted into. */
export interface StreamCounter {
	/** Of different SHA-1s; 0 where nobody asks. */
	readonly size: number;
	add(name: Sha1, count: number): void;
	/** Counts the SHA-1 of the 20 bytes at `at` once more, unless it stands for an empty stream. */
	addAt(view: DataView, at: number): void;
}

/** How often something has each SHA-1 of an index: it is looked up once. */
export class RowCounts implements StreamCounter {
	readonly size = 0;
	/** What the index does not have. */
	readonly others = new Sha1Counts();
	readonly #index: Sha1Index;
	readonly #counts: Int32Array;

	constructor(index: Sha1Index) {
		this.#index = index;
		this.#counts = new Int32Array(index.size);
	}

	/** Of a row; 0 when it was not counted. */
	at(row: number): number {
		return this.#counts[row]!;
	}

	add(name: Sha1, count: number): void {
		const row = this.#index.find(name);
		if (row < 0) this.others.add(name, count);
		else this.#counts[row]! += count;
	}

	addAt(view: DataView, at: number): void {
		if (isEmptyStreamAt(view, at)) return;
		const row = this.#index.findAt(view, at);
		if (row < 0) this.others.addAt(view, at);
		else this.#counts[row]!++;
	}
}

/** How often something has each SHA-1: columns, because an image names hundreds of thousands. */
export class Sha1Counts implements Iterable<[Sha1, number]>, StreamCounter {
	readonly #index: Sha1Index;
	readonly #counts: Uint32Column;
	#changes = 0;

	/** @param capacity SHA-1s that are expected */
	constructor(capacity?: number) {
		this.#index = new Sha1Index(capacity);
		this.#counts = new Uint32Column(capacity);
	}

	/** How often something was counted or set: what was looked up holds until then. */
	get changes(): number {
		return this.#changes;
	}

	/** Of different ones. */
	get size(): number {
		return this.#index.size;
	}

	has(name: Sha1): boolean {
		return this.#index.find(name) >= 0;
	}

	/** As `get`, for a row of an index. */
	getRow(index: Sha1Index, row: number): number | undefined {
		const found = this.#index.findFrom(index, row);
		return found < 0 ? undefined : this.#counts.get(found);
	}

	get(name: Sha1): number | undefined {
		const row = this.#index.find(name);
		return row < 0 ? undefined : this.#counts.get(row);
	}

	set(name: Sha1, count: number): void {
		this.#put(this.#index.add(name), count, false);
	}

	add(name: Sha1, count: number): void {
		this.#put(this.#index.add(name), count, true);
	}

	addAt(view: DataView, at: number): void {
		if (!isEmptyStreamAt(view, at)) this.#put(this.#index.addAt(view, at), 1, true);
	}

	addAll(other: Sha1Counts): void {
		for (let row = 0; row < other.size; row++)
			this.#put(this.#index.addFrom(other.#index, row), other.#counts.get(row), true);
	}

	copy(): Sha1Counts {
		const copy = new Sha1Counts(this.size);
		copy.addAll(this);
		return copy;
	}

	#put(row: number, count: number, isMore: boolean): void {
		this.#changes++;
		if (row === this.#counts.length) this.#counts.push(count);
		else this.#counts.set(row, count + (isMore ? this.#counts.get(row) : 0));
	}

	*keys(): Generator<Sha1, void, undefined> {
		for (let row = 0; row < this.size; row++) yield this.#index.name(row);
	}

	*[Symbol.iterator](): Generator<[Sha1, number], void, undefined> {
		for (let row = 0; row < this.size; row++) yield [this.#index.name(row), this.#counts.get(row)];
	}
}
