// The bit stream of an LZMS chunk, read from an end that is only tried, and the adaptive codes in it.

import { CODE_LONG, CODE_SIZE, CODE_TABLE, FREQUENCIES } from './adaptive';
import { LONG, longSymbol, NO_SYMBOL } from './huffman';
import { CODES } from './layout';

export const LITERAL: usize = CODES;
export const LENGTH: usize = CODES + CODE_SIZE;
export const OFFSET: usize = CODES + 2 * CODE_SIZE;
export const DELTA_OFFSET: usize = CODES + 3 * CODE_SIZE;
export const POWER: usize = CODES + 4 * CODE_SIZE;
export const LITERAL_BITS: u32 = 10;
export const LENGTH_BITS: u32 = 9;
export const OFFSET_BITS: u32 = 11;
export const POWER_BITS: u32 = 7;
export const LONG_PERIOD: u32 = 1024;
export const SHORT_PERIOD: u32 = 512;

/** What a search did: items of range coder or bit stream, ends that were tried. Each takes some 15 ns. */
export let workDone: u32 = 0;

export function startWork(): void {
	workDone = 0;
}

// @ts-ignore: decorator
@inline
export function work(steps: u32): void {
	workDone += steps;
}

// The bit stream of a trial.
let bitEnd: usize = 0;
export let bitAt: usize = 0;

export function startBits(end: usize): void {
	bitEnd = end;
	bitAt = 0;
}

// @ts-ignore: decorator
@inline
export function skipBits(count: usize): void {
	bitAt += count;
}

export function goToBit(at: usize): void {
	bitAt = at;
}

/** At least 48 of the next bits, at the top. */
// @ts-ignore: decorator
@inline
export function peek(): u64 {
	return load<u64>(bitEnd - 8 - ((bitAt >> 4) << 1)) << <u64>(bitAt & 15);
}

/** Where the last word begins of which bits were used. */
// @ts-ignore: decorator
@inline
export function back(): usize {
	return bitEnd - (((bitAt + 15) >> 4) << 1);
}

/** The symbol of a code whose frequencies are all equal. */
export function freshSymbol(count: u32): u32 {
	const symbol = freshSymbolOf(peek(), count);
	const depth = 32 - clz(count - 1);
	// The last symbols have the shorter codewords.
	bitAt += <usize>(depth - <u32>(symbol >= 2 * count - ((<u32>1) << depth)));
	return symbol;
}

export function freshSymbolOf(bits: u64, count: u32): u32 {
	const depth = 32 - clz(count - 1);
	const shorter = ((<u32>1) << depth) - count;
	const top = <u32>(bits >> <u64>(64 - depth));
	return top >> 1 < shorter ? count - shorter + (top >> 1) : top - 2 * shorter;
}

/** A slot's base and the extra bits behind it. */
export function slotValue(rows: usize, symbol: u32): u32 {
	const row = rows + (<usize>symbol << 3);
	const extra = load<u32>(row, 4);
	const value = load<u32>(row) + <u32>((peek() >> 1) >> <u64>(63 - extra));
	bitAt += <usize>extra;
	return value;
}

/** Starts a code without its tables: most trials end before it is rebuilt. */
export function startFrequencies(at: usize, count: u32): void {
	const ones = i32x4.splat(1);
	for (let to = at + FREQUENCIES, end = to + (<usize>count << 2); to < end; to += 16) v128.store(to, ones);
}

/**
 * Decodes a symbol of an adaptive code; NO_SYMBOL when its codeword is unknown.
 *
 * @param fresh the number of symbols of a code that was not rebuilt yet, else 0
 */
export function adaptiveSymbol(at: usize, bits: u32, fresh: u32): u32 {
	if (fresh > 0) {
		const symbol = freshSymbol(fresh);
		const slot = at + FREQUENCIES + (<usize>symbol << 2);
		store<u32>(slot, load<u32>(slot) + 1);
		return symbol;
	}
	const next = peek();
	let e = <u32>load<u16>(at + CODE_TABLE + (<usize>(next >> <u64>(64 - bits)) << 1));
	if (e >= LONG) {
		e = longSymbol(at + CODE_LONG, <u32>(next >> 48), bits);
		if (e == NO_SYMBOL) return NO_SYMBOL;
	}
	bitAt += <usize>(e & 63);
	const symbol = e >> 6;
	const slot = at + FREQUENCIES + (<usize>symbol << 2);
	store<u32>(slot, load<u32>(slot) + 1);
	return symbol;
}

/** Of the word that the bit stream stands in nothing but zeros is left. */
export function endsInZeros(): bool {
	const rest = <u64>((16 - (bitAt & 15)) & 15);
	return rest == 0 || peek() >> (64 - rest) == 0;
}
