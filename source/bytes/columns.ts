/** Columns of numbers that grow: a few bytes a row, where an array of objects takes a hundred. */

const FIRST_CAPACITY = 64;

/** 32-bit numbers from 0 on. */
export class Uint32Column {
	#values: Uint32Array;
	#length = 0;

	/** @param capacity rows that are expected */
	constructor(capacity = FIRST_CAPACITY) {
		this.#values = new Uint32Array(capacity);
	}

	get length(): number {
		return this.#length;
	}

	/** @returns the row */
	push(value: number): number {
		if (this.#length === this.#values.length) {
			const grown = new Uint32Array(Math.max(FIRST_CAPACITY, this.#length * 2));
			grown.set(this.#values);
			this.#values = grown;
		}
		this.#values[this.#length] = value;
		return this.#length++;
	}

	/** The value of a row that is there. */
	get(row: number): number {
		return this.#values[row] ?? 0;
	}

	set(row: number, value: number): void {
		this.#values[row] = value;
	}

	/** The rows so far, without copying; valid until the next `push`. */
	values(): Uint32Array {
		return this.#values.subarray(0, this.#length);
	}
}

/** A set of numbers that are added first and asked for later: 8 bytes each. */
export class NumberSet {
	#values = new Float64Array(FIRST_CAPACITY);
	#length = 0;
	#isSorted = true;

	add(value: number): void {
		if (this.#length === this.#values.length) {
			const grown = new Float64Array(this.#length * 2);
			grown.set(this.#values);
			this.#values = grown;
		}
		this.#isSorted &&= this.#length === 0 || value >= (this.#values[this.#length - 1] ?? 0);
		this.#values[this.#length++] = value;
	}

	has(value: number): boolean {
		if (!this.#isSorted) this.#values.subarray(0, this.#length).sort();
		this.#isSorted = true;
		let low = 0;
		let high = this.#length;
		while (low < high) {
			const middle = (low + high) >>> 1;
			if ((this.#values[middle] ?? 0) < value) low = middle + 1;
			else high = middle;
		}
		return low < this.#length && this.#values[low] === value;
	}
}
