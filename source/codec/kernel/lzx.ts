// The LZX decoder: shared/format/lzx.md, the flavour of [MS-PATCH] and cabinet LZX that WIM files use.

import { fourWords, refillStep } from './bits';
import { copyMatch } from './copy';
import { decodeE8 } from './e8';
import { buildTable, COMPLETE, EMPTY, LONG, longSymbol, NO_SYMBOL, WRONG } from './huffman';
import {
	BLOCK_SIZE,
	BLOCK_TYPE,
	CODE_INCOMPLETE,
	DONE,
	ENDS_EARLY,
	LENGTH_LENGTHS,
	LENGTH_LONG,
	LENGTH_TABLE,
	LENGTHS_BROKEN,
	LZX_SLOTS,
	MAIN_LENGTHS,
	MAIN_LONG,
	MAIN_TABLE,
	MATCH_BEFORE_START,
	MATCH_PAST_BLOCK,
	RECENT_OFFSET,
	SMALL_LENGTHS,
	SMALL_LONG,
	SMALL_TABLE,
	SYMBOL_UNKNOWN,
} from './layout';

const MAIN_BITS: u32 = 12;
const MAIN_SHIFT: u64 = 52;
const LENGTH_BITS: u32 = 10;
const LENGTH_SHIFT: u64 = 54;
const SMALL_BITS: u32 = 7;
const SMALL_SHIFT: u64 = 57;
const FIRST_MATCH: u32 = 256 << 6;
const LENGTH_SYMBOLS: u32 = 249;

const VERBATIM: u32 = 1;
const ALIGNED: u32 = 2;
const UNCOMPRESSED: u32 = 3;

// Slots 0..2 stand for the recent offsets; their bases are not used.
let slotBase: u32 = <u32>-2;
for (let slot: u32 = 0; slot < 50; slot++) {
	const extra = slot < 4 ? 0 : min<u32>(17, (slot >> 1) - 1);
	store<u32>(LZX_SLOTS + (<usize>slot << 3), slotBase);
	store<u32>(LZX_SLOTS + (<usize>slot << 3) + 4, extra);
	slotBase += <u32>1 << extra;
}

// The state of the bit stream between blocks.
let pointer: usize = 0;
let buffer: u64 = 0;
let fetched: u32 = 0;

let recent0: u32 = 1;
let recent1: u32 = 1;
let recent2: u32 = 1;

/** Where the word after the last one used stands, after the last chunk. */
export let lzxEnd: usize = 0;

/** Main symbols for a window order of 15 to 21. */
function mainSymbols(order: u32): u32 {
	const last = (<u32>1 << order) - 3;
	let slots: u32 = 30;
	while (slots < 50 && load<u32>(LZX_SLOTS + (<usize>slots << 3)) <= last) slots += 1;
	return 256 + 8 * slots;
}

// @ts-ignore: decorator
@inline
function refill(): void {
	buffer |= fourWords(pointer) >> (<u64>fetched);
	pointer += refillStep(fetched);
	fetched |= 48;
}

/** The next 1 to 32 bits; at least as many must be held. */
// @ts-ignore: decorator
@inline
function take(count: u32): u32 {
	const value = <u32>(buffer >> <u64>(64 - count));
	buffer <<= <u64>count;
	fetched -= count;
	return value;
}

// @ts-ignore: decorator
@inline
function pretreeSymbol(): u32 {
	let e = <u32>load<u16>(SMALL_TABLE + (<usize>(buffer >> SMALL_SHIFT) << 1));
	if (e >= LONG) {
		e = longSymbol(SMALL_LONG, <u32>(buffer >> 48), SMALL_BITS);
		if (e == NO_SYMBOL) return NO_SYMBOL;
	}
	buffer <<= <u64>e;
	fetched -= e;
	return e >> 6;
}

/** Reads one delta-coded set of lengths over the old ones. */
function readLengths(at: usize, count: u32, inLimit: usize): u32 {
	refill();
	for (let s: usize = 0; s < 20; s++) {
		if ((fetched & 63) < 4) refill();
		store<u8>(SMALL_LENGTHS + s, <u8>take(4));
	}
	if (buildTable(SMALL_LENGTHS, 20, SMALL_TABLE, SMALL_BITS, SMALL_LONG) != COMPLETE) return CODE_INCOMPLETE;
	const end = at + <usize>count;
	let to = at;
	while (to < end) {
		if (pointer > inLimit) return ENDS_EARLY;
		// Two symbols and the bits of a run need at most 15 + 1 + 15.
		if ((fetched & 63) < 31) refill();
		const symbol = pretreeSymbol();
		if (symbol < 17) {
			const length = <i32>load<u8>(to) - <i32>symbol;
			store<u8>(to, <u8>(length + ((length >> 31) & 17)));
			to += 1;
			continue;
		}
		if (symbol > 19) return SYMBOL_UNKNOWN;
		let run: usize;
		let value: u8 = 0;
		if (symbol == 17) run = <usize>take(4) + 4;
		else if (symbol == 18) run = <usize>take(5) + 20;
		else {
			run = <usize>take(1) + 4;
			const delta = pretreeSymbol();
			if (delta > 16) return LENGTHS_BROKEN;
			const length = <i32>load<u8>(to) - <i32>delta;
			value = <u8>(length + ((length >> 31) & 17));
		}
		if (run > end - to) return LENGTHS_BROKEN;
		for (const stop = to + run; to < stop; to++) store<u8>(to, value);
	}
	return DONE;
}

/** Reads the codes of a verbatim or aligned block and builds their tables. */
function readCodes(type: u32, mains: u32, inLimit: usize): u32 {
	if (type == ALIGNED) {
		refill();
		for (let s: usize = 0; s < 8; s++) store<u8>(SMALL_LENGTHS + 32 + s, <u8>take(3));
	}
	let code = readLengths(MAIN_LENGTHS, 256, inLimit);
	if (code != DONE) return code;
	code = readLengths(MAIN_LENGTHS + 256, mains - 256, inLimit);
	if (code != DONE) return code;
	code = readLengths(LENGTH_LENGTHS, LENGTH_SYMBOLS, inLimit);
	if (code != DONE) return code;
	if (buildTable(MAIN_LENGTHS, mains, MAIN_TABLE, MAIN_BITS, MAIN_LONG) != COMPLETE) return CODE_INCOMPLETE;
	if (buildTable(LENGTH_LENGTHS, LENGTH_SYMBOLS, LENGTH_TABLE, LENGTH_BITS, LENGTH_LONG) == WRONG)
		return CODE_INCOMPLETE;
	if (type == ALIGNED && buildTable(SMALL_LENGTHS + 32, 8, SMALL_TABLE, SMALL_BITS, SMALL_LONG) == WRONG)
		return CODE_INCOMPLETE;
	return DONE;
}

/**
 * Decodes one chunk. Reads up to 40 bytes behind `inEnd`, which must be zero; writes up to 15 behind `outEnd`.
 *
 * @param order of the window: 15 to 21
 * @returns a code of layout.ts
 */
export function decodeLzx(input: usize, inEnd: usize, output: usize, outEnd: usize, order: u32): u32 {
	const mains = mainSymbols(order);
	memory.fill(MAIN_LENGTHS, 0, <usize>mains);
	memory.fill(LENGTH_LENGTHS, 0, <usize>LENGTH_SYMBOLS);
	pointer = input;
	buffer = 0;
	fetched = 0;
	recent0 = 1;
	recent1 = 1;
	recent2 = 1;
	const inLimit = inEnd + 8;
	let out = output;
	let calls = false;
	while (out < outEnd) {
		if (pointer > inLimit) return ENDS_EARLY;
		refill();
		const type = take(3);
		let size: usize = 32768;
		if (take(1) == 0) size = <usize>take(order == 15 ? 16 : 24);
		if (type < VERBATIM || type > UNCOMPRESSED) return BLOCK_TYPE;
		if (size == 0 || size > outEnd - out) return BLOCK_SIZE;
		let code: u32;
		if (type == UNCOMPRESSED) {
			code = copyBlock(inEnd, out, size);
			calls = true;
		} else {
			code = readCodes(type, mains, inLimit);
			if (code != DONE) return code;
			if (load<u8>(MAIN_LENGTHS + 0xe8) != 0) calls = true;
			code = decodeBlock(output, out, out + size, inLimit, type == ALIGNED ? 8 : 50);
		}
		if (code != DONE) return code;
		out += size;
	}
	if (pointer - <usize>((fetched & 63) >> 3) > inEnd) return ENDS_EARLY;
	lzxEnd = pointer - <usize>(((fetched >> 4) & 3) << 1);
	if (calls) decodeE8(output, outEnd);
	return DONE;
}

function copyBlock(inEnd: usize, out: usize, size: usize): u32 {
	// Padding of 1 to 16 bits, then the stream goes on in whole bytes: words fetched in excess go back.
	const held = fetched & 63;
	if (held == 0) {
		pointer += 2;
	} else {
		pointer -= <usize>(((held - 1) >> 4) << 1);
	}
	buffer = 0;
	fetched = 0;
	if (pointer + 12 + size > inEnd) return ENDS_EARLY;
	recent0 = load<u32>(pointer);
	recent1 = load<u32>(pointer + 4);
	recent2 = load<u32>(pointer + 8);
	if (recent0 == 0 || recent1 == 0 || recent2 == 0) return RECENT_OFFSET;
	memory.copy(out, pointer + 12, size);
	pointer += 12 + size;
	// The padding of an odd size may be absent at the end of the chunk.
	if (size & 1 && pointer < inEnd) pointer += 1;
	return DONE;
}

/** @param aligned the first slot whose low bits use the aligned code */
function decodeBlock(output: usize, from: usize, outEnd: usize, inLimit: usize, aligned: u32): u32 {
	const lastTriple = outEnd - 3;
	let p = pointer;
	let bits = buffer;
	let held = fetched;
	let r0 = recent0;
	let r1 = recent1;
	let r2 = recent2;
	let out = from;
	while (out < outEnd) {
		// More bits than exist were taken if the pointer is this far behind the end.
		if (p > inLimit) return ENDS_EARLY;
		bits |= fourWords(p) >> (<u64>held);
		p += refillStep(held);
		held |= 48;
		let e = <u32>load<u16>(MAIN_TABLE + (<usize>(bits >> MAIN_SHIFT) << 1));
		if (e < FIRST_MATCH && out <= lastTriple) {
			bits <<= <u64>e;
			held -= e;
			store<u8>(out, <u8>(e >> 6));
			out += 1;
			e = <u32>load<u16>(MAIN_TABLE + (<usize>(bits >> MAIN_SHIFT) << 1));
			if (e < FIRST_MATCH) {
				bits <<= <u64>e;
				held -= e;
				store<u8>(out, <u8>(e >> 6));
				out += 1;
				e = <u32>load<u16>(MAIN_TABLE + (<usize>(bits >> MAIN_SHIFT) << 1));
				if (e < FIRST_MATCH) {
					bits <<= <u64>e;
					held -= e;
					store<u8>(out, <u8>(e >> 6));
					out += 1;
					continue;
				}
			}
		}
		if (e >= LONG) {
			e = longSymbol(MAIN_LONG, <u32>(bits >> 48), MAIN_BITS);
			if (e == NO_SYMBOL) return SYMBOL_UNKNOWN;
		}
		bits <<= <u64>e;
		held -= e;
		if (e < FIRST_MATCH) {
			store<u8>(out, <u8>(e >> 6));
			out += 1;
			continue;
		}
		const header = (e >> 6) - 256;
		let length = <usize>(header & 7) + 2;
		if (length == 9) {
			if ((held & 63) < 16) {
				bits |= fourWords(p) >> (<u64>held);
				p += refillStep(held);
				held |= 48;
			}
			e = <u32>load<u16>(LENGTH_TABLE + (<usize>(bits >> LENGTH_SHIFT) << 1));
			if (e >= LONG) {
				e = longSymbol(LENGTH_LONG, <u32>(bits >> 48), LENGTH_BITS);
				if (e == NO_SYMBOL) return SYMBOL_UNKNOWN;
			}
			bits <<= <u64>e;
			held -= e;
			length = <usize>(e >> 6) + 9;
		}
		// A length symbol takes up to 16 bits, and 17 are left for the offset.
		const slot = header >> 3;
		let offset: u32;
		if (slot >= 3) {
			const row = LZX_SLOTS + (<usize>slot << 3);
			offset = load<u32>(row);
			let extra = load<u32>(row + 4);
			if ((held & 63) < 17) {
				bits |= fourWords(p) >> (<u64>held);
				p += refillStep(held);
				held |= 48;
			}
			if (slot >= aligned) {
				extra -= 3;
				offset += <u32>((bits >> 1) >> <u64>(63 - extra)) << 3;
				bits <<= <u64>extra;
				held -= extra;
				if ((held & 63) < 7) {
					bits |= fourWords(p) >> (<u64>held);
					p += refillStep(held);
					held |= 48;
				}
				e = <u32>load<u16>(SMALL_TABLE + (<usize>(bits >> SMALL_SHIFT) << 1));
				if (e >= LONG) return SYMBOL_UNKNOWN;
				offset += e >> 6;
				bits <<= <u64>e;
				held -= e;
			} else {
				offset += <u32>((bits >> 1) >> <u64>(63 - extra));
				bits <<= <u64>extra;
				held -= extra;
			}
			r2 = r1;
			r1 = r0;
			r0 = offset;
		} else if (slot == 0) {
			offset = r0;
		} else if (slot == 1) {
			offset = r1;
			r1 = r0;
			r0 = offset;
		} else {
			offset = r2;
			r2 = r0;
			r0 = offset;
		}
		if (offset > <u32>(out - output)) return MATCH_BEFORE_START;
		if (length > outEnd - out) return MATCH_PAST_BLOCK;
		copyMatch(out, <usize>offset, length);
		out += length;
	}
	pointer = p;
	buffer = bits;
	fetched = held;
	recent0 = r0;
	recent1 = r1;
	recent2 = r2;
	return DONE;
}

/**
 * Decodes a chunk of unknown size block by block and notes where it may end: behind a block when the rest of the word is
 * zero. Does not undo the E8 translation. For damaged files; not part of the decoding kernel.
 *
 * @param chunkSize decodes at most this many bytes
 * @param ends receives pairs (u32): decoded size, stored size
 * @returns how many pairs; the last ones are kept when there are more than `most`
 */
export function probeLzxBlocks(
	input: usize,
	inEnd: usize,
	output: usize,
	chunkSize: u32,
	ends: usize,
	most: u32,
): u32 {
	const order = 31 - clz<u32>(chunkSize);
	const mains = mainSymbols(order);
	memory.fill(MAIN_LENGTHS, 0, <usize>mains);
	memory.fill(LENGTH_LENGTHS, 0, <usize>LENGTH_SYMBOLS);
	pointer = input;
	buffer = 0;
	fetched = 0;
	recent0 = 1;
	recent1 = 1;
	recent2 = 1;
	const inLimit = inEnd + 8;
	const outEnd = output + <usize>chunkSize;
	let out = output;
	let count: u32 = 0;
	while (out < outEnd && pointer <= inLimit) {
		refill();
		const type = take(3);
		let size: usize = 32768;
		if (take(1) == 0) size = <usize>take(order == 15 ? 16 : 24);
		if (type < VERBATIM || type > UNCOMPRESSED || size == 0 || size > outEnd - out) return count;
		if (type == UNCOMPRESSED) {
			if (copyBlock(inEnd, out, size) != DONE) return count;
		} else {
			if (readCodes(type, mains, inLimit) != DONE) return count;
			if (decodeBlock(output, out, out + size, inLimit, type == ALIGNED ? 8 : 50) != DONE) return count;
		}
		out += size;
		if (pointer - <usize>((fetched & 63) >> 3) > inEnd) return count;
		const rest = fetched & 15;
		if (rest != 0 && buffer >> <u64>(64 - rest) != 0) continue;
		if (count == most) {
			memory.copy(ends, ends + 8, <usize>(most - 1) << 3);
			count -= 1;
		}
		const end = pointer - <usize>(((fetched >> 4) & 3) << 1);
		store<u32>(ends + (<usize>count << 3), <u32>(out - output));
		store<u32>(ends + (<usize>count << 3) + 4, <u32>(end - input));
		count += 1;
	}
	return count;
}
