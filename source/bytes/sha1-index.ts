/**
 * Numbers SHA-1s in the order in which they are added, in 28 bytes each and without an object or a string for any: an
 * image has hundreds of thousands.
 */
import { randomFillSync } from 'node:crypto';
import { assert } from '../base/errors.ts';
import type { Sha1 } from './sha1.ts';

const WORDS = 5;
const SIZE = 4 * WORDS;
const FIRST_CAPACITY = 64;

const IS_LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/**
 * Up to so many slots it does not matter where SHA-1s meet: to look at 8,000 that all meet in one takes a fraction of a
 * second, and Node's cryptography, 5 ms, need not be loaded.
 */
const OPEN_SLOTS = 16_384;
/** Odd numbers of no meaning. */
const OPEN_FACTORS = Int32Array.of(0x9e37_79b1, 0x85eb_ca77, 0xc2b2_ae3d, 0x27d4_eb2f, 0x1656_67b1);

let secretFactors: Int32Array | null = null;

/** Odd numbers that nobody outside knows, so that no file can be made whose SHA-1s all meet in one slot. */
function factorsFor(slots: number): Int32Array {
	if (slots <= OPEN_SLOTS) return OPEN_FACTORS;
	secretFactors ??= randomFillSync(new Int32Array(WORDS)).map((word) => word | 1);
	return secretFactors;
}

/** The words of a SHA-1 that is given as a name. */
const namedWords = new Int32Array(WORDS);
const namedBytes = Buffer.from(namedWords.buffer);

/**
 * The words of a SHA-1 are in the order of this machine: they are only compared. They have a sign because V8 keeps larger
 * numbers as objects, until it has optimized a function; for most files it never does.
 */
export class Sha1Index {
	#count = 0;
	#words: Int32Array<ArrayBuffer>;
	#bytes: Buffer;
	/** Row + 1; 0 is free. At most half of them are taken. */
	#slots: Int32Array;
	/** The highest bits of a hash choose the slot. */
	#shift: number;
	#factors: Int32Array;

	/** @param capacity rows that are expected */
	constructor(capacity = FIRST_CAPACITY) {
		const order = Math.max(4, Math.ceil(Math.log2(Math.max(1, capacity) * 2)));
		this.#words = new Int32Array(capacity * WORDS);
		this.#bytes = Buffer.from(this.#words.buffer);
		this.#slots = new Int32Array(2 ** order);
		this.#shift = 32 - order;
		this.#factors = factorsFor(this.#slots.length);
	}

	/** Of rows. */
	get size(): number {
		return this.#count;
	}

	/** The row of a SHA-1, a new one if it has none yet: `size` tells which. */
	add(name: Sha1): number {
		assert(ask(name), `"${name}" is no SHA-1`);
		return this.#addWords(namedWords, 0);
	}

	/** As `add`, for the 20 bytes at `at`. */
	addAt(view: DataView, at: number): number {
		return this.#add(
			view.getInt32(at, IS_LITTLE_ENDIAN),
			view.getInt32(at + 4, IS_LITTLE_ENDIAN),
			view.getInt32(at + 8, IS_LITTLE_ENDIAN),
			view.getInt32(at + 12, IS_LITTLE_ENDIAN),
			view.getInt32(at + 16, IS_LITTLE_ENDIAN),
		);
	}

	/** As `add`, for a row of another index. */
	addFrom(other: Sha1Index, row: number): number {
		return this.#addWords(other.#words, row * WORDS);
	}

	/** The row of a SHA-1, or -1. */
	find(name: Sha1): number {
		return ask(name) ? this.#findWords(namedWords, 0) : -1;
	}

	/** As `find`, for the 20 bytes at `at`. */
	findAt(view: DataView, at: number): number {
		const slot = this.#slot(
			view.getInt32(at, IS_LITTLE_ENDIAN),
			view.getInt32(at + 4, IS_LITTLE_ENDIAN),
			view.getInt32(at + 8, IS_LITTLE_ENDIAN),
			view.getInt32(at + 12, IS_LITTLE_ENDIAN),
			view.getInt32(at + 16, IS_LITTLE_ENDIAN),
		);
		return this.#slots[slot]! - 1;
	}

	/** As `find`, for a row of another index. */
	findFrom(other: Sha1Index, row: number): number {
		return this.#findWords(other.#words, row * WORDS);
	}

	/** The SHA-1 of a row. */
	name(row: number): Sha1 {
		return this.#bytes.toString('hex', row * SIZE, (row + 1) * SIZE);
	}

	#findWords(words: Int32Array, at: number): number {
		const slot = this.#slot(
			words[at]!,
			words[at + 1]!,
			words[at + 2]!,
			words[at + 3]!,
			words[at + 4]!,
		);
		return this.#slots[slot]! - 1;
	}

	#addWords(words: Int32Array, at: number): number {
		return this.#add(words[at]!, words[at + 1]!, words[at + 2]!, words[at + 3]!, words[at + 4]!);
	}

	#add(a: number, b: number, c: number, d: number, e: number): number {
		const slot = this.#slot(a, b, c, d, e);
		const known = this.#slots[slot]!;
		if (known > 0) return known - 1;
		const row = this.#count++;
		const at = row * WORDS;
		if (at === this.#words.length) this.#grow();
		const words = this.#words;
		words[at] = a;
		words[at + 1] = b;
		words[at + 2] = c;
		words[at + 3] = d;
		words[at + 4] = e;
		this.#slots[slot] = row + 1;
		if (this.#count * 2 > this.#slots.length) this.#rehash();
		return row;
	}

	/** Where a SHA-1 stands, or would stand. */
	#slot(a: number, b: number, c: number, d: number, e: number): number {
		const slots = this.#slots;
		const words = this.#words;
		let slot = hash(this.#factors, a, b, c, d, e) >>> this.#shift;
		for (;;) {
			const row = slots[slot]!;
			if (row === 0) return slot;
			const at = (row - 1) * WORDS;
			if (
				words[at] === a &&
				words[at + 1] === b &&
				words[at + 2] === c &&
				words[at + 3] === d &&
				words[at + 4] === e
			)
				return slot;
			slot = (slot + 1) & (slots.length - 1);
		}
	}

	#grow(): void {
		const grown = new Int32Array(Math.max(FIRST_CAPACITY * WORDS, this.#words.length * 2));
		grown.set(this.#words);
		this.#words = grown;
		this.#bytes = Buffer.from(grown.buffer);
	}

	#rehash(): void {
		this.#slots = new Int32Array(this.#slots.length * 2);
		this.#shift--;
		this.#factors = factorsFor(this.#slots.length);
		const mask = this.#slots.length - 1;
		for (let row = 0; row < this.#count; row++) {
			const at = row * WORDS;
			const [a = 0, b = 0, c = 0, d = 0, e = 0] = this.#words.subarray(at, at + WORDS);
			let slot = hash(this.#factors, a, b, c, d, e) >>> this.#shift;
			while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
			this.#slots[slot] = row + 1;
		}
	}
}

/** Multilinear: whatever the words, with unknown factors they spread evenly over the highest bits. */
function hash(factors: Int32Array, a: number, b: number, c: number, d: number, e: number): number {
	return (
		(Math.imul(a, factors[0]!) +
			Math.imul(b, factors[1]!) +
			Math.imul(c, factors[2]!) +
			Math.imul(d, factors[3]!) +
			Math.imul(e, factors[4]!)) |
		0
	);
}

/** @returns false when the name is none */
function ask(name: Sha1): boolean {
	if (name.length !== 2 * SIZE || namedBytes.write(name, 0, SIZE, 'hex') !== SIZE) return false;
	return name === name.toLowerCase();
}
