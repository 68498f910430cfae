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

/** Amounts. */
export class Float64Column {
	#values: Float64Array;
	#length = 0;

	/** @param capacity rows that are expected */
	constructor(capacity = FIRST_CAPACITY) {
		this.#values = new Float64Array(capacity);
	}

	get length(): number {
		return this.#length;
	}

	/** @returns the row */
	push(value: number): number {
		if (this.#length === this.#values.length) {
			const grown = new Float64Array(Math.max(FIRST_CAPACITY, this.#length * 2));
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
	values(): Float64Array {
		return this.#values.subarray(0, this.#length);
	}
}

/** A set of numbers that are added first and asked for later: 8 bytes each. */
export class NumberSet {
	readonly #values = new Float64Column();
	#isSorted = true;

	add(value: number): void {
		const row = this.#values.push(value);
		this.#isSorted &&= row === 0 || value >= this.#values.get(row - 1);
	}

	has(value: number): boolean {
		if (!this.#isSorted) this.#values.values().sort();
		this.#isSorted = true;
		let low = 0;
		let high = this.#values.length;
		while (low < high) {
			const middle = (low + high) >>> 1;
			if (this.#values.get(middle) < value) low = middle + 1;
			else high = middle;
		}
		return low < this.#values.length && this.#values.get(low) === value;
	}
}
