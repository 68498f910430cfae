// Match finder for the lazy parsers: rows of recent positions with one tag byte each.
//
// The hash of four bytes chooses a row of 16 positions and a tag; one vector comparison of the 16 tags tells which of
// them are worth looking at, newest first. Nothing is chased through memory, unlike in hash chains. A table with the most
// recent position of each three bytes finds the matches of length 3. An empty place holds position 0, which is as good a
// candidate as any other: whoever parses begins at position 1, after `enterAll` of position 0.

import { HUFFMAN_END } from './huffman-build';
import { extend, FINDER_END } from './match-finder';

// A row stands in one cache line, or two with wide places: u8[16] tags, T[16] places, u8: which is the newest.
const HEADS3: usize = HUFFMAN_END; //        T[2^13]
const NARROW_ROWS: usize = HEADS3 + 0x10000;
/** First byte behind the tables of this file, except those with wide places. The parsers' own begin at FINDER_END. */
const ROWS_END: usize = NARROW_ROWS + 0x20000;
/** Where the other parsers keep their caches, up to the end of all tables. */
const WIDE_ROWS: usize = 0x5f0000;
const PLACES: usize = 16;

// T also says how large the tables are: i16 for chunks up to 8 KiB, u16 up to 64 KiB, u32 above.
@inline function headBits<T>(): u32 { return isSigned<T>() ? 11 : 13; }
@inline function rowBits<T>(): u32 { return isSigned<T>() ? 8 : sizeof<T>() == 2 ? 11 : 14; }
@inline function rows<T>(): usize { return sizeof<T>() == 2 ? NARROW_ROWS : WIDE_ROWS; }
@inline function rowSizeBits<T>(): u32 { return sizeof<T>() == 2 ? 6 : 7; }
@inline function newestIn<T>(): usize { return PLACES + 16 * sizeof<T>(); }

/** Makes the finder ready for a new chunk. */
export function resetRows<T>(): void {
	if (ROWS_END > FINDER_END) ERROR('The tables of rows reach into those of the parsers');
	memory.fill(rows<T>(), 0, <usize>1 << (rowBits<T>() + rowSizeBits<T>()));
	memory.fill(HEADS3, 0, (<usize>1 << headBits<T>()) * sizeof<T>());
}

@inline function hash(word: u32): u32 { return word * 0x9e3779b1; }
@inline function rowOf<T>(h: u32): usize { return rows<T>() + <usize>(h >>> (32 - rowBits<T>()) << rowSizeBits<T>()); }
@inline function tagOf<T>(h: u32): u32 { return (h >>> (24 - rowBits<T>())) & 255; }
@inline function head3<T>(word: u32): usize { return HEADS3 + <usize>(((word << 8) * 0x9e3779b1) >>> (32 - headBits<T>())) * sizeof<T>(); }

@inline function enter<T>(row: usize, tag: u32, i: u32): void {
	const slot = (<usize>load<u8>(row + newestIn<T>()) - 1) & 15;
	store<u8>(row + newestIn<T>(), slot);
	store<u8>(row + slot, tag);
	store<T>(row + slot * sizeof<T>(), <T>i, PLACES);
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

/** Makes the positions from `from` to `to` known, for matches of length 4 and more. */
@inline export function enterFours<T>(buf: usize, from: u32, to: u32): void {
	for (let i = from; i < to; i++) {
		const h = hash(load<u32>(buf + i));
		enter<T>(rowOf<T>(h), tagOf<T>(h), i);
	}
}

/**
 * Finds the longest match at position `i` that is longer than `least`, and makes `i` known.
 *
 * @param least at least 2
 * @param depth so many of the newest places of the row are looked at, at most 16
 * @returns offset << 32 | length, or 0
 */
@inline export function longestMatch<T>(buf: usize, i: u32, least: u32, depth: u32, nice: u32, cap: u32): u64 {
	const cur = buf + i;
	const word = load<u32>(cur);
	const h = hash(word);
	const row = rowOf<T>(h);
	const tag = tagOf<T>(h);
	const text = v128.load(cur);
	// Length and place of the best match so far: of matches of equal length the newest counts.
	let best: u64 = (<u64>max<u32>(least, 3) << 32) + 0xffff_ffff;
	const at3 = head3<T>(word);
	const old = <u32>load<T>(at3);
	store<T>(at3, <T>i);
	const newest = <u32>load<u8>(row + newestIn<T>());
	let hits = <u32>i8x16.bitmask(i8x16.eq(v128.load(row), i8x16.splat(<i8>tag)));
	hits = (((hits << 16) | hits) >> newest) & ((1 << depth) - 1);
	while (hits != 0) {
		const slot = (ctz(hits) + newest) & 15;
		hits &= hits - 1;
		const other = <u32>load<T>(row + <usize>slot * sizeof<T>(), PLACES);
		const from = buf + other;
		// The first bit that is not set tells how many of sixteen bytes are equal.
		let length = <u32>ctz(~i8x16.bitmask(i8x16.eq(v128.load(from), text)));
		if (length == 16) {
			const most = <u32>(best >> 32);
			if (most >= 16 && load<u32>(from + most - 3) != load<u32>(cur + most - 3)) continue;
			length = extend(from, cur, 16, cap);
			if (length >= nice) hits = 0;
		}
		best = max<u64>(best, (<u64>length << 32) | <u64>other);
	}
	enter<T>(row, tag, i);
	if (<u32>best == 0xffff_ffff) {
		if (least < 3 && load<u32>(buf + old) << 8 == word << 8) return (<u64>(i - old) << 32) | 3;
		return 0;
	}
	return (<u64>(i - <u32>best) << 32) | <u64>min<u32>(<u32>(best >> 32), cap);
}
