/** Canonical Huffman codes as the format documents describe them, slow and plain: for oracles and test encoders. */

/** One bit: 0 or 1. */
export type Bit = 0 | 1;

/** Gives a number from 0 up to and without `limit`. */
export type Random = (limit: number) => number;

/** A random source that gives the same numbers for the same seed (32 bits of xorshift). */
export function seededRandom(seed: number): Random {
	let state = (seed ^ 0x9e3779b9) | 0 || 1;
	return (limit) => {
		state ^= state << 13;
		state ^= state >>> 17;
		state ^= state << 5;
		return Math.floor(((state >>> 0) / 2 ** 32) * limit);
	};
}

/** What `codewordsOf` cannot use: codes that fill more or less than the code space. */
export class CodeError extends Error {}

export interface Codeword {
	readonly symbol: number;
	readonly length: number;
	readonly bits: number;
}

/**
 * All codewords, shorter first, then by symbol.
 *
 * @throws {CodeError} unless the code is complete, or empty
 */
export function codewordsOf(lengths: readonly number[]): Codeword[] {
	const longest = Math.max(...lengths);
	const result: Codeword[] = [];
	let next = 0;
	for (let length = 1; length <= longest; length++) {
		for (let symbol = 0; symbol < lengths.length; symbol++)
			if (lengths[symbol] === length) result.push({ symbol, length, bits: next++ });
		if (next > 2 ** length) throw new CodeError('over-full code');
		if (length === longest && next !== 2 ** length) throw new CodeError('incomplete code');
		next *= 2;
	}
	return result;
}

/** A code in the form that decodes bit by bit. */
export class PrefixCode {
	readonly #symbols = new Map<number, number>();
	readonly #codewords: Codeword[] = [];
	readonly #longest: number;

	constructor(lengths: readonly number[]) {
		this.#longest = Math.max(...lengths);
		for (const codeword of codewordsOf(lengths)) {
			this.#symbols.set(codeword.length * 65536 + codeword.bits, codeword.symbol);
			this.#codewords[codeword.symbol] = codeword;
		}
	}

	/** @throws {CodeError} when no codeword begins with these bits, which only happens in an empty code */
	decode(nextBit: () => Bit): number {
		let bits = 0;
		for (let length = 1; length <= this.#longest; length++) {
			bits = bits * 2 + nextBit();
			const symbol = this.#symbols.get(length * 65536 + bits);
			if (symbol !== undefined) return symbol;
		}
		throw new CodeError('no such codeword');
	}

	codeword(symbol: number): Codeword {
		const codeword = this.#codewords[symbol];
		if (codeword === undefined) throw new CodeError(`symbol ${symbol} has no codeword`);
		return codeword;
	}
}

/**
 * Lengths of a complete code in which all symbols of `used` have a codeword. Often very uneven, so that long codewords
 * occur. A second symbol joins a single one.
 *
 * @param count how many symbols there are
 */
export function randomLengths(
	used: ReadonlySet<number>,
	count: number,
	longest: number,
	random: Random,
): number[] {
	const symbols = [...used];
	while (symbols.length < 2) {
		const symbol = random(count);
		if (!symbols.includes(symbol)) symbols.push(symbol);
	}
	// Split leaves until there are enough; splitting the newest again and again makes a comb.
	const comb = random(3) === 0;
	const leaves = [1, 1];
	while (leaves.length < symbols.length) {
		const open = leaves.map((_, at) => at).filter((at) => leaves[at]! < longest);
		const at = comb ? open[open.length - 1]! : open[random(open.length)]!;
		leaves[at]!++;
		leaves.push(leaves[at]!);
	}
	for (let at = leaves.length - 1; at > 0; at--) {
		const other = random(at + 1);
		[leaves[at], leaves[other]] = [leaves[other]!, leaves[at]!];
	}
	const lengths = new Array<number>(count).fill(0);
	symbols.forEach((symbol, at) => {
		lengths[symbol] = leaves[at]!;
	});
	return lengths;
}
