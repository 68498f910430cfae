/** Columns of numbers that grow: a few bytes a row, where an array of objects takes a hundred. */

const FIRST_CAPACITY = 64;

/** Rows of one kind of number, in an array that doubles when it is full. */
class Column<Values extends Uint32Array | Float64Array> {
	#values: Values;
	#length = 0;
	readonly #make: (capacity: number) => Values;

	constructor(capacity: number, make: (capacity: number) => Values) {
		this.#make = make;
		this.#values = make(capacity);
	}

	get length(): number {
		return this.#length;
	}

	/** @returns the row */
	push(value: number): number {
		if (this.#length === this.#values.length) {
			const grown = this.#make(Math.max(FIRST_CAPACITY, this.#length * 2));
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
	values(): Values {
		return this.#values.subarray(0, this.#length) as Values;
	}
}

/** 32-bit numbers from 0 on. */
export class Uint32Column extends Column<Uint32Array> {
	/** @param capacity rows that are expected */
	constructor(capacity = FIRST_CAPACITY) {
		super(capacity, (size) => new Uint32Array(size));
	}
}

/** Amounts. */
export class Float64Column extends Column<Float64Array> {
	/** @param capacity rows that are expected */
	constructor(capacity = FIRST_CAPACITY) {
		super(capacity, (size) => new Float64Array(size));
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
