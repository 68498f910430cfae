// Canonical Huffman codes: decoding tables from code lengths.
//
// A table has 2^bits entries of 16 bits, indexed by the next bits of the stream: `symbol << 6 | length`. The length
// stands in the low six bits, so that shifting a 64-bit buffer by the whole entry shifts by the length. Codewords longer
// than the table are found by comparing with the first codeword of each length; their entries hold LONG.

import { COUNTS, POSITIONS, USED } from './layout';

/** The symbol part is larger than that of any symbol (798); the length part is 0. */
export const LONG: u32 = 0xffc0;

/** No codeword has this prefix. */
export const NO_SYMBOL: u32 = 0xffffffff;

/** What `buildTable` found. */
export const COMPLETE: u32 = 0;
export const EMPTY: u32 = 1;
export const WRONG: u32 = 2;

/** Bytes of what `longSymbol` needs, for a code of `count` symbols: LONG_SIZE + 2 * count. */
export const LONG_SIZE: usize = 136;

/** Offset of the sorted symbols (u16) within the part of a table for long codewords; before it, two u32 per length 0..16. */
const SORTED: usize = LONG_SIZE;

/**
 * Fills a table from code lengths of 0 to 16.
 *
 * @param lengths one byte per symbol; up to 15 bytes behind the last are read and must be 0
 * @param long where to put what `longSymbol` needs: 136 + 2 * count bytes
 * @returns COMPLETE, EMPTY (no symbol has a codeword; every lookup gives LONG) or WRONG
 */
export function buildTable(lengths: usize, count: u32, table: usize, bits: u32, long: usize): u32 {
	for (let l: usize = 0; l < 17 * 4; l += 4) store<u32>(COUNTS + l, 0);
	// Most symbols of most codes are not used: list the others, as `length << 16 | symbol`.
	const zero = i64x2.splat(0);
	let listEnd: usize = USED;
	for (let s: u32 = 0; s < count; s += 16) {
		let used = <u32>i8x16.bitmask(i8x16.ne(v128.load(lengths + <usize>s), zero));
		while (used != 0) {
			const symbol = s + ctz(used);
			const l = <u32>load<u8>(lengths + <usize>symbol);
			const slot = COUNTS + (<usize>l << 2);
			store<u32>(slot, load<u32>(slot) + 1);
			store<u32>(listEnd, (l << 16) | symbol);
			listEnd += 4;
			used &= used - 1;
		}
	}
	const total = beginCode(long);
	if (total != 65536 && listEnd != USED) return WRONG;
	const sorted = long + SORTED;
	for (let from: usize = USED; from < listEnd; from += 4) {
		const slot = POSITIONS + (<usize>load<u16>(from, 2) << 2);
		const at = load<u32>(slot);
		store<u16>(sorted + (<usize>at << 1), load<u16>(from));
		store<u32>(slot, at + 1);
	}
	fillTable(table, bits, sorted);
	return listEnd == USED ? EMPTY : COMPLETE;
}

/** As `buildTable`, for a complete code of which all symbols are used, when COUNTS holds how many have each length. */
export function buildCounted(lengths: usize, count: u32, table: usize, bits: u32, long: usize): void {
	beginCode(long);
	const sorted = long + SORTED;
	for (let s: u32 = 0; s < count; s++) {
		const slot = POSITIONS + (<usize>load<u8>(lengths + s) << 2);
		const at = load<u32>(slot);
		store<u16>(sorted + (<usize>at << 1), <u16>s);
		store<u32>(slot, at + 1);
	}
	fillTable(table, bits, sorted);
}

/** From COUNTS: where each length begins among the sorted symbols, and its codewords. @returns 65536 for a complete code */
function beginCode(long: usize): u32 {
	// Codewords are handed out from 0 upward; `code` counts in units of 2^-16.
	let code: u32 = 0;
	let position: u32 = 0;
	for (let l: u32 = 1; l <= 16; l++) {
		const n = load<u32>(COUNTS + (<usize>l << 2));
		store<u32>(POSITIONS + (<usize>l << 2), position);
		store<u32>(long + (<usize>l << 3) + 4, position - (code >> (16 - l)));
		code += n << (16 - l);
		position += n;
		store<u32>(long + (<usize>l << 3), code);
	}
	return code;
}

/** Writes the entries in the order of the codewords, which is the order of the table. Needs COUNTS. */
function fillTable(table: usize, bits: u32, sorted: usize): void {
	let to = table;
	let from = sorted;
	const end = table + (<usize>2 << bits);
	let l: u32 = 1;
	for (; l + 3 <= bits; l++) {
		const width = <usize>2 << (bits - l);
		for (let n = load<u32>(COUNTS + (<usize>l << 2)); n > 0; n--) {
			const entry = i16x8.splat(<i16>((<u32>load<u16>(from) << 6) | l));
			from += 2;
			const stop = to + width;
			do {
				v128.store(to, entry);
				to += 16;
			} while (to < stop);
		}
	}
	for (; l <= bits; l++) {
		const width = <usize>2 << (bits - l);
		for (let n = load<u32>(COUNTS + (<usize>l << 2)); n > 0; n--) {
			const entry = <u64>((<u32>load<u16>(from) << 6) | l) * 0x0001000100010001;
			from += 2;
			// The overrun of narrow entries is written over by the next ones; the last of all must not overrun.
			if (to + 8 <= end) store<u64>(to, entry);
			else {
				for (let at = to; at < to + width; at += 2) store<u16>(at, <u16>entry);
			}
			to += width;
		}
	}
	const none = i16x8.splat(<i16>LONG);
	for (; to + 16 <= end; to += 16) v128.store(to, none);
	for (; to < end; to += 2) store<u16>(to, <u16>LONG);
}

/**
 * Finds a codeword longer than the table.
 *
 * @param top the next 16 bits of the stream
 * @returns `symbol << 6 | length`, or NO_SYMBOL
 */
export function longSymbol(long: usize, top: u32, bits: u32): u32 {
	for (let l = bits + 1; l <= 16; l++) {
		const row = long + (<usize>l << 3);
		if (top < load<u32>(row)) {
			const position = load<u32>(row + 4) + (top >> (16 - l));
			return (<u32>load<u16>(long + SORTED + (<usize>position << 1)) << 6) | l;
		}
	}
	return NO_SYMBOL;
}
