/**
 * A list whose elements may be put together when they are asked for: there can be 300,000. Asking twice may give two
 * objects. An array is such a list, too.
 */
export interface List<T> extends Iterable<T> {
	readonly length: number;
	/** The element at a position from 0 on; undefined behind the end. Do not ask for others: an array counts back. */
	at(position: number): T | undefined;
}

/** A list by what makes its elements. */
export class LazyList<T> implements List<T> {
	readonly length: number;
	readonly #make: (position: number) => T;

	constructor(length: number, make: (position: number) => T) {
		this.length = length;
		this.#make = make;
	}

	at(position: number): T | undefined {
		return position >= 0 && position < this.length ? this.#make(position) : undefined;
	}

	*[Symbol.iterator](): Generator<T, void, undefined> {
		for (let k = 0; k < this.length; k++) yield this.#make(k);
	}
}

/** Every element of a list as something else. */
export function mapped<T, U>(list: List<T>, make: (element: T) => U): List<U> {
	return new LazyList(list.length, (k) => make(list.at(k) as T));
}
