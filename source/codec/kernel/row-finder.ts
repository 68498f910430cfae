// Match finder for the lazy parsers: rows of recent positions with one tag byte each.
//
// The hash of four bytes chooses a row of 16 positions and a tag; one vector comparison of the 16 tags tells which of
// them are worth looking at, newest first. Nothing is chased through memory, unlike in hash chains. A table with the most
// recent position of each three bytes finds the matches of length 3. An empty place holds position 0, which is as good a
// candidate as any other: whoever parses begins at position 1, after `enterAll` of position 0.

import { HUFFMAN_END } from './huffman-build';
import { extend } from './match-finder';

const TAGS: usize = HUFFMAN_END; //       u8[rows][16]
const PLACES: usize = TAGS + 0x40000; //  T[rows][16]
const NEWEST: usize = PLACES + 0x100000; // u8[rows]: where the newest entry of a row is
const HEADS3: usize = NEWEST + 0x4000; // T[2^13]
/** First byte behind the tables of this file. */
export const ROWS_END: usize = HEADS3 + 0x10000;

// T also says how large the tables are: i16 for chunks up to 8 KiB, u16 up to 64 KiB, u32 above.
@inline function headBits<T>(): u32 { return isSigned<T>() ? 11 : 13; }
@inline function rowBits<T>(): u32 { return isSigned<T>() ? 8 : sizeof<T>() == 2 ? 11 : 14; }

/** Makes the finder ready for a new chunk. */
export function resetRows<T>(): void {
	memory.fill(TAGS, 0, <usize>16 << rowBits<T>());
	memory.fill(PLACES, 0, (<usize>16 << rowBits<T>()) * sizeof<T>());
	memory.fill(NEWEST, 0, <usize>1 << rowBits<T>());
	memory.fill(HEADS3, 0, (<usize>1 << headBits<T>()) * sizeof<T>());
}

@inline function hash(word: u32): u32 { return word * 0x9e3779b1; }
@inline function rowOf<T>(h: u32): u32 { return h >>> (32 - rowBits<T>()); }
@inline function tagOf<T>(h: u32): u32 { return (h >>> (24 - rowBits<T>())) & 255; }
@inline function head3<T>(word: u32): usize { return HEADS3 + <usize>(((word << 8) * 0x9e3779b1) >>> (32 - headBits<T>())) * sizeof<T>(); }

@inline function enter<T>(row: u32, tag: u32, i: u32): void {
	const slot = (<u32>load<u8>(NEWEST + row) - 1) & 15;
	store<u8>(NEWEST + row, slot);
	const at = <usize>((row << 4) | slot);
	store<u8>(TAGS + at, tag);
	store<T>(PLACES + at * sizeof<T>(), <T>i);
}

/** Makes the positions from `from` to `to` known. */
@inline export function enterAll<T>(buf: usize, from: u32, to: u32): void {
	for (let i = from; i < to; i++) {
		const word = load<u32>(buf + i);
		store<T>(head3<T>(word), <T>i);
		const h = hash(word);
		enter<T>(rowOf<T>(h), tagOf<T>(h), i);
	}
}

/**
 * Finds the longest match at position `i` that is longer than `least`, and makes `i` known.
 *
 * @param least at least 2
 * @returns offset << 32 | length, or 0
 */
@inline export function longestMatch<T>(buf: usize, i: u32, least: u32, depth: u32, nice: u32, cap: u32): u64 {
	const cur = buf + i;
	const word = load<u32>(cur);
	const h = hash(word);
	const row = rowOf<T>(h);
	const tag = tagOf<T>(h);
	const text = load<u64>(cur);
	let found: u32 = i;
	let best = max<u32>(least, 3);
	const at3 = head3<T>(word);
	if (least < 3) {
		const old = <u32>load<T>(at3);
		found = select<u32>(old, i, load<u32>(buf + old) << 8 == word << 8);
	}
	store<T>(at3, <T>i);
	const newest = load<u8>(NEWEST + row);
	let hits = <u32>i8x16.bitmask(i8x16.eq(v128.load(TAGS + (<usize>row << 4)), i8x16.splat(<i8>tag)));
	hits = (((hits << 16) | hits) >> newest) & 0xffff;
	while (hits != 0) {
		const slot = (ctz(hits) + newest) & 15;
		hits &= hits - 1;
		const other = <u32>load<T>(PLACES + <usize>((row << 4) | slot) * sizeof<T>());
		const from = buf + other;
		const x = load<u64>(from) ^ text;
		let length = <u32>(ctz(x) >> 3);
		if (x == 0) {
			if (best >= 8 && load<u32>(from + best - 3) != load<u32>(cur + best - 3)) continue;
			length = extend(from, cur, 8, cap);
			if (length >= nice) hits = 0;
		}
		const better = length > best;
		best = select<u32>(length, best, better);
		found = select<u32>(other, found, better);
		if (--depth == 0) break;
	}
	enter<T>(row, tag, i);
	if (found == i) return 0;
	return (<u64>(i - found) << 32) | <u64>min(best, cap);
}
