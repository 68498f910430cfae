// LZX encoder (lzx.md): near-optimal parse with a binary-tree match finder, and a lazy parse with hash chains.

import { buildCode } from './huffman-build';
import { looksRandom } from './probe';
import { ROWS_END, enterAll, longestMatch, resetRows } from './row-finder';
import { FINDER_END, covered, extend, fillCache, filledTo, resetCovered, resetFinder, treeSize } from './match-finder';

// ---------------------------------------------------------------- tables

/** Longest stretch of a chunk whose matches are cached at once; also the longest block. */
const SEGMENT_MAX: u32 = 0x18000;
const LENGTH_MAX: u32 = 257;
/** An item that joins match, literal and match is at most this long, so that the ring of states suffices. */
const JOINED_MAX: u32 = 511;

const NODES: usize = (max<usize>(FINDER_END, ROWS_END) + 0xffff) & ~0xffff; //     u64[SEGMENT_MAX + 1024]: cost << 32 | item
const JOINED: usize = NODES + ((SEGMENT_MAX + 1024) << 3); // u32[...]: first item of a joined one
const ITEMS: usize = JOINED + ((SEGMENT_MAX + 1024) << 2); // u32[...]: the items of a block, in order
const ITEMS_END: usize = ITEMS + ((SEGMENT_MAX + 1024) << 2);
const RING: usize = ITEMS_END; //                             u64[512]: recent offsets at the last positions
const MATCH_COST: usize = RING + 0x1000; //                   u64[50][8]: cost << 32 | length, of each match header; the last one without length
const ROW: usize = 64;
const LITERAL_COST: usize = MATCH_COST + 50 * ROW; //         u64[256]: cost << 32 | 1
const ALIGNED_COST: usize = LITERAL_COST + 0x800; //          u64[8]: cost << 32
const MAIN_COUNT: usize = ALIGNED_COST + 0x40; //             u32[656]
const LENGTH_COUNT: usize = MAIN_COUNT + 0xa40; //            u32[249]
const ALIGNED_COUNT: usize = LENGTH_COUNT + 0x400; //         u32[8]
const MAIN_CODE: usize = ALIGNED_COUNT + 0x20; //             u32[656]
const LENGTH_CODE: usize = MAIN_CODE + 0xa40; //              u32[249]
const ALIGNED_CODE: usize = LENGTH_CODE + 0x400; //           u32[8]
const MAIN_BITS: usize = ALIGNED_CODE + 0x20; //              u8[656]
const LENGTH_BITS: usize = MAIN_BITS + 0x2a0; //              u8[249], padded
const ALIGNED_BITS: usize = LENGTH_BITS + 0x100; //           u8[8]
const MAIN_BEFORE: usize = ALIGNED_BITS + 0x10; //            u8[656]: the lengths of the block before
const LENGTH_BEFORE: usize = MAIN_BEFORE + 0x2a0; //          u8[249]
const PRE_COUNT: usize = LENGTH_BEFORE + 0x100; //            u32[20]
const PRE_CODE: usize = PRE_COUNT + 0x60; //                  u32[20]
const PRE_BITS: usize = PRE_CODE + 0x60; //                   u8[20]
const PRE_ITEMS: usize = PRE_BITS + 0x20; //                  u32[700]
const LENGTH_COST: usize = PRE_ITEMS + 0xb00; //              u64[249]: cost << 32 | length
const FORESEEN: usize = LENGTH_COST + 0x900; //               counts that the parse will probably have
const MIXED: usize = FORESEEN + 0x1000; //                    and those mixed with what was seen
const COUNTS_SIZE: usize = MAIN_CODE - MAIN_COUNT;
const CACHE: usize = (MIXED + 0x1000 + 0xffff) & ~0xffff;
const CACHE_END: usize = 0x7f0000;

const LITERAL: u32 = 1;
const JOINED_FLAG: u32 = 0x8000_0000;
const FIELD: u64 = 0x1f_ffff;
const FIRST_STATE: u64 = 1 | (1 << 21) | (1 << 42);

const LOGS: usize = memory.data(256);

/** Costs are in 1/64 bit. */
const BIT: u32 = 64;

// ---------------------------------------------------------------- offsets

/** The slot of a formatted offset (offset + 2, at least 2). */
@inline function slotOf(formatted: u32): u32 {
	const k = 31 - clz(formatted);
	const slot = (k << 1) + ((formatted >> (k - 1)) & 1);
	return formatted < 0x80000 ? slot : 34 + (formatted >> 17);
}

@inline function extraBits(slot: u32): u32 { return slot < 4 ? 0 : min<u32>(17, (slot >> 1) - 1); }

function slotCount(chunkSize: u32): u32 {
	return chunkSize <= 0x80000 ? 2 * (31 - clz(chunkSize)) : chunkSize == 0x100000 ? 42 : 50;
}

// ---------------------------------------------------------------- bits

let bitAcc: u64 = 0;
let bitCount: u32 = 0;
let bitAt: usize = 0;
let bitEnd: usize = 0;
let full: bool = false;

/** At most 32 bits; words go out as soon as there are 32. */
@inline function put(value: u32, count: u32): void {
	bitAcc = (bitAcc << <u64>count) | <u64>value;
	bitCount += count;
	if (bitCount >= 32) {
		bitCount -= 32;
		if (bitAt + 4 > bitEnd) full = true;
		else {
			store<u32>(bitAt, rotl<u32>(<u32>(bitAcc >> <u64>bitCount), 16));
			bitAt += 4;
		}
	}
}

/** Pads to whole words. */
function flushBits(): void {
	while (bitCount > 0) {
		if (bitAt + 2 > bitEnd) {
			full = true;
			return;
		}
		const word = bitCount >= 16 ? <u32>(bitAcc >> <u64>(bitCount - 16)) : <u32>(bitAcc << <u64>(16 - bitCount));
		store<u16>(bitAt, word);
		bitAt += 2;
		bitCount = bitCount >= 16 ? bitCount - 16 : 0;
	}
}

// ---------------------------------------------------------------- E8

/** Translates the operands of CALL instructions in place (lzx.md section 8). */
function translate(buf: usize, size: u32): void {
	if (size <= 10) return;
	const end = buf + size - 10;
	const wanted = i8x16.splat(<i8>0xe8);
	let p = buf;
	while (p < end) {
		if (load<u8>(p) != 0xe8) {
			const hits = i8x16.bitmask(i8x16.eq(v128.load(p), wanted));
			p += hits == 0 ? 16 : <usize>ctz(hits);
			continue;
		}
		const at = <i32>(p - buf);
		const x = load<i32>(p + 1);
		if (x >= -at && x < 12000000) store<i32>(p + 1, x < 12000000 - at ? x + at : x - 12000000);
		p += 5;
	}
}

// ---------------------------------------------------------------- counts and costs

function clearCounts(): void {
	memory.fill(MAIN_COUNT, 0, MAIN_CODE - MAIN_COUNT);
}

@inline function bump(at: usize): void { store<u32>(at, load<u32>(at) + 1); }

@inline function tallyMatch(formatted: u32, length: u32): void {
	const slot = formatted < 3 ? formatted : slotOf(formatted);
	const header = min<u32>(length - 2, 7);
	bump(MAIN_COUNT + (<usize>(256 + (slot << 3) + header) << 2));
	if (header == 7) bump(LENGTH_COUNT + (<usize>(length - 9) << 2));
	if (slot >= 8) bump(ALIGNED_COUNT + (<usize>(formatted & 7) << 2));
}

/** 64 * log2(x), x > 0. */
@inline function log2(x: u32): u32 {
	const k = 31 - clz(x);
	return (k << 6) + <u32>load<u8>(LOGS + <usize>(((x << (31 - k)) >>> 23) & 255));
}

let ready: bool = false;

/** Fills LOGS: the fraction of the logarithm for each mantissa of 8 bits, by repeated squaring. */
function prepareLogs(): void {
	if (ready) return;
	for (let f: u32 = 0; f < 256; f++) {
		let result: u32 = 0;
		let m = <u64>(513 + 2 * f) << 22;
		for (let b = 0; b < 6; b++) {
			m = (m * m) >> 31;
			result <<= 1;
			if (m >= 0x1_0000_0000) {
				m >>= 1;
				result |= 1;
			}
		}
		store<u8>(LOGS + f, result);
	}
	ready = true;
}

/** Costs from counts: -log2 of the share, where what does not occur counts as a fraction of one. */
@inline function cost(count: u32, total: u32, most: u32): u32 {
	return count == 0 ? most : min<u32>(total - log2(count), most);
}

function sum(counts: usize, n: u32): u32 {
	let s: u32 = 0;
	for (let i: u32 = 0; i < n; i++) s += load<u32>(counts + (<usize>i << 2));
	return s;
}

/** Sets the costs of all symbols from counts laid out like those at MAIN_COUNT. */
function setCosts(counts: usize, slots: u32): void {
	const lengths = counts + (LENGTH_COUNT - MAIN_COUNT);
	const alignments = counts + (ALIGNED_COUNT - MAIN_COUNT);
	const mainTotal = log2(max<u32>(1, sum(counts, 256 + (slots << 3))));
	const lengthTotal = log2(max<u32>(1, sum(lengths, 249)));
	const alignedTotal = log2(max<u32>(1, sum(alignments, 8)));
	for (let b: usize = 0; b < 256; b++)
		store<u64>(LITERAL_COST + (b << 3), (<u64>cost(load<u32>(counts + (b << 2)), mainTotal, mainTotal + BIT) << 32) | LITERAL);
	for (let a: usize = 0; a < 8; a++)
		store<u64>(ALIGNED_COST + (a << 3), <u64>(alignedTotal == 0 ? 3 * BIT : cost(load<u32>(alignments + (a << 2)), alignedTotal, 7 * BIT)) << 32);
	const lengthMost = lengthTotal + BIT + BIT / 2;
	for (let l: usize = 0; l < 249; l++)
		store<u64>(LENGTH_COST + (l << 3), <u64>(lengthTotal == 0 ? 5 * BIT : cost(load<u32>(lengths + (l << 2)), lengthTotal, lengthMost)) << 32 | <u64>(l + 9));
	for (let s: u32 = 0; s < slots; s++) {
		const headers = counts + (<usize>(256 + (s << 3)) << 2);
		let extra = extraBits(s);
		if (s >= 8) extra -= 3;
		for (let h: usize = 0; h < 8; h++)
			store<u64>(MATCH_COST + <usize>s * ROW + (h << 3), <u64>(cost(load<u32>(headers + (h << 2)), mainTotal, mainTotal + BIT) + extra * BIT) << 32 | <u64>(h < 7 ? h + 2 : 0));
	}
}

// ---------------------------------------------------------------- parse

/** The recent offsets after a match. */
@inline function after(state: u64, formatted: u32): u64 {
	if (formatted >= 3) return (state << 21) | <u64>(formatted - 2);
	if (formatted == 0) return state;
	if (formatted == 1) return (state & ~<u64>0x3ff_ffff_ffff) | ((state >> 21) & FIELD) | ((state & FIELD) << 21);
	return (state & 0x3ff_ffe0_0000) | ((state >> 42) & FIELD) | ((state & FIELD) << 42);
}

/** Offers what costs `base` and the entries of a table at the nodes from `at` to `end`; the first entry is for `at`. */
@inline function offerAll(table: usize, node: usize, base: u64, at: usize, end: usize): void {
	const bases = i64x2.splat(base);
	for (; at < end; at += 16) {
		const price = i64x2.add(bases, v128.load(table + at));
		const old = v128.load(node + at);
		v128.store(node + at, v128.bitselect(price, old, i64x2.lt_s(price, old)));
	}
	if (at == end) {
		const price = base + load<u64>(table + at);
		const old = load<u64>(node + at);
		store<u64>(node + at, select<u64>(price, old, price < old));
	}
}

/** Offers one source of a match at all lengths from `from` to `to`; `node` is that of the position. */
@inline function offer(row: usize, node: usize, base: u64, from: u32, to: u32): void {
	if (from < 9) offerAll(row - 16, node, base, <usize>from << 3, <usize>min<u32>(to, 8) << 3);
	if (to >= 9) offerAll(LENGTH_COST - 72, node, base + load<u64>(row + 56), <usize>max<u32>(from, 9) << 3, <usize>to << 3);
}

@inline function lengthPrice(row: usize, length: u32): u64 {
	return length < 9 ? load<u64>(row + (<usize>(length - 2) << 3)) : load<u64>(row + 56) + load<u64>(LENGTH_COST + (<usize>(length - 9) << 3));
}

/** Offers the match at recent offset `r`, and what may follow it after one more literal. Returns the longest length offered so far. */
function again(r: u32, p: usize, from: usize, node: usize, price: u64, length: u32, longest: u32, left: u32): u32 {
	const l = extend(p, from, 2, longest);
	if (l <= length) return length;
	const row = MATCH_COST + <usize>r * ROW;
	offer(row, node, price | <u64>(r << 9), length + 1, l);
	const back = from + l + 1;
	if (l + 3 <= left && load<u16>(p + l + 1) == load<u16>(back))
		join(node, price + lengthPrice(row, l), (r << 9) | l, p, back, left - l - 1);
	return l;
}

/** Offers a match that costs `price` so far, one literal, and a match at the same offset again (at `back`). */
function join(node: usize, price: u64, item: u32, p: usize, back: usize, left: u32): void {
	const l = item & 511;
	const l2 = extend(p + l + 1, back, 2, min(min(JOINED_MAX - 1 - l, LENGTH_MAX), left));
	price += load<u64>(LITERAL_COST + (<usize>load<u8>(p + l) << 3)) + lengthPrice(MATCH_COST, l2);
	price = (price & 0xffff_ffff_0000_0000) | <u64>(JOINED_FLAG | (l + 1 + l2));
	const at = node + (<usize>(l + 1 + l2) << 3);
	if (price < load<u64>(at)) {
		store<u64>(at, price);
		store<u32>(JOINED + ((at - NODES) >> 1), item);
	}
}

// Where the search stands: its place in the cache, the recent offsets there, and the cost of getting there.
let atCache: usize = 0;
let atState: u64 = 0;
let atPrice: u64 = 0;

/**
 * Goes on with the search for the cheapest way through a block of `n` bytes, from `a` to `z`, under the current costs
 * (lzx.md section 10.4). NODES then leads back from each position before `z`, and from `z` itself.
 */
function search(buf: usize, start: u32, a: u32, z: u32, n: u32): void {
	let cache = atCache;
	let state = atState;
	let price: u64 = atPrice;
	const text = buf + start;
	for (let i: u32 = a; i < z; i++) {
		const p = text + i;
		const count = load<u32>(cache);
		cache += 4;
		const node = NODES + (<usize>i << 3);
		store<u64>(RING + (<usize>(i & 511) << 3), state);
		if (count != 0) {
			const longest = min(LENGTH_MAX, n - i);
			let length: u32 = 1;
			const begin = load<u16>(p);
			const from0 = p - <usize>(state & FIELD);
			const from1 = p - <usize>((state >> 21) & FIELD);
			const from2 = p - <usize>((state >> 42) & FIELD);
			const hit0 = u32(load<u16>(from0) == begin);
			const hit1 = u32(load<u16>(from1) == begin);
			const hit2 = u32(load<u16>(from2) == begin);
			if (hit0 | hit1 | hit2) {
				if (hit0) length = again(0, p, from0, node, price, length, longest, n - i);
				if (hit1) length = again(1, p, from1, node, price, length, longest, n - i);
				if (hit2) length = again(2, p, from2, node, price, length, longest, n - i);
			}
			const end = cache + (<usize>count << 2);
			let item: u32 = 0;
			do {
				item = load<u32>(cache);
				cache += 4;
				const formatted = item >> 9;
				const l = min(item & 511, longest);
				if (l > length) {
					const slot = slotOf(formatted);
					let base = price | <u64>(formatted << 9);
					if (slot >= 8) base += load<u64>(ALIGNED_COST + (<usize>(formatted & 7) << 3));
					offer(MATCH_COST + <usize>slot * ROW, node, base, length + 1, l);
					length = l;
				}
			} while (cache < end);
			// What if the longest match goes on after one more literal?
			const l = item & 511;
			const formatted = item >> 9;
			const back = p + l + 1 - (formatted - 2);
			if (l + 3 <= n - i && load<u16>(p + l + 1) == load<u16>(back)) {
				const slot = slotOf(formatted);
				let total = price + lengthPrice(MATCH_COST + <usize>slot * ROW, l);
				if (slot >= 8) total += load<u64>(ALIGNED_COST + (<usize>(formatted & 7) << 3));
				join(node, total, item, p, back, n - i - l - 1);
			}
		}
		// On to the next position: by this literal, or as it was reached already.
		price += load<u64>(LITERAL_COST + (<usize>load<u8>(p) << 3));
		const reached = load<u64>(node + 8);
		if (reached < price) {
			const item = <u32>reached;
			const origin = load<u64>(RING + (<usize>((i + 1 - (item & 511)) & 511) << 3));
			state = after(origin, (<i32>item < 0 ? load<u32>(JOINED + (<usize>(i + 1) << 2)) : item) >> 9);
			price = reached;
		} else store<u64>(node + 8, price);
		price &= 0xffff_ffff_0000_0000;
	}
	atCache = cache;
	atState = state;
	atPrice = price;
}

/**
 * One pass over a block. It may go in parts: after each, the costs for the next come from what was chosen so far and, for
 * the rest, from what was expected. One pass in a dozen parts comes out nearly as small as two whole ones.
 */
function parse(buf: usize, start: u32, n: u32, cache: usize, state: u64, slots: u32, parts: u32): void {
	atCache = cache;
	atState = state;
	atPrice = 0;
	memory.fill(NODES, 0x7f, <usize>(n + 1) << 3);
	if (parts > 1) {
		memory.copy(FORESEEN, MAIN_COUNT, COUNTS_SIZE);
		clearCounts();
	}
	let a: u32 = 0;
	for (let w: u32 = 1; w <= parts; w++) {
		const z = n * w / parts;
		setCosts(w == 1 && parts > 1 ? FORESEEN : w == 1 ? MAIN_COUNT : MIXED, slots);
		search(buf, start, a, z, n);
		if (w == parts) break;
		tallyBack(buf + start, z, a);
		a = z;
		const share = ((parts - w) << 8) / parts;
		for (let at: usize = 0; at < COUNTS_SIZE; at += 16) {
			const seen = i32x4.shl(v128.load(MAIN_COUNT + at), 4);
			const expected = i32x4.shr_u(i32x4.mul(v128.load(FORESEEN + at), i32x4.splat(share)), 8);
			v128.store(MIXED + at, i32x4.add(seen, expected));
		}
	}
	collect(buf, start, n, state);
}

/** Counts the symbols of the cheapest way to `z`, back to about `floor`. */
function tallyBack(p: usize, z: u32, floor: u32): void {
	while (z > floor) {
		let item = load<u32>(NODES + (<usize>z << 3));
		let length = item & 511;
		if (<i32>item < 0) {
			item = load<u32>(JOINED + (<usize>z << 2));
			const first = item & 511;
			tallyMatch(0, length - 1 - first);
			bump(MAIN_COUNT + (<usize>load<u8>(p + z - length + first) << 2));
			tallyMatch(item >> 9, first);
		} else if (length == 1) bump(MAIN_COUNT + (<usize>load<u8>(p + z - 1) << 2));
		else tallyMatch(item >> 9, length);
		z -= min(length, z);
	}
}

/** Where the items of the block begin and end. */
let itemsAt: usize = 0;
let itemsEnd: usize = 0;
/** Recent offsets at the end of the block. */
let endState: u64 = 0;

/** Reads the path back into a list of items and counts their symbols. */
function collect(buf: usize, start: u32, n: u32, state: u64): void {
	let at = ITEMS_END;
	for (let i = n; i > 0; ) {
		const item = load<u32>(NODES + (<usize>i << 3));
		const length = item & 511;
		if (<i32>item < 0) {
			const first = load<u32>(JOINED + (<usize>i << 2));
			at -= 12;
			store<u32>(at, first);
			store<u32>(at + 4, LITERAL);
			store<u32>(at + 8, length - 1 - (first & 511));
		} else {
			at -= 4;
			store<u32>(at, item);
		}
		i -= length;
	}
	itemsAt = at;
	itemsEnd = ITEMS_END;
	count(buf + start, at, state);
}

function count(p: usize, at: usize, state: u64): void {
	clearCounts();
	for (; at < ITEMS_END; at += 4) {
		const item = load<u32>(at);
		const length = item & 511;
		if (length == 1) bump(MAIN_COUNT + (<usize>load<u8>(p) << 2));
		else {
			tallyMatch(item >> 9, length);
			state = after(state, item >> 9);
		}
		p += length;
	}
	endState = state;
}

// ---------------------------------------------------------------- starting costs and block ends

const CLASSES: usize = LENGTH_COST + 0x7e0; // u32[10] of the block, then u32[10] new ones
let blockSeen: u32 = 0;
let newSeen: u32 = 0;
/** Cache position that belongs to the end found by `prospect`. */
let cacheNext: usize = 0;

const BLOCK_MIN: u32 = 6500;
const LOOK: u32 = 400;

@inline function observe(kind: u32): void {
	bump(CLASSES + 40 + (<usize>kind << 2));
	newSeen++;
}

/** Whether the items just observed differ from the block so far; if not, they become part of it. */
function differs(): bool {
	let difference: u64 = 0;
	for (let k: usize = 0; k < 40; k += 4) {
		const a = <u64>load<u32>(CLASSES + 40 + k) * blockSeen;
		const b = <u64>load<u32>(CLASSES + k) * newSeen;
		difference += a > b ? a - b : b - a;
	}
	if (blockSeen > 0 && difference * 8 > 8 * <u64>blockSeen * newSeen) return true;
	merge();
	return false;
}

function merge(): void {
	for (let k: usize = 0; k < 40; k += 4) {
		store<u32>(CLASSES + k, load<u32>(CLASSES + k) + load<u32>(CLASSES + 40 + k));
		store<u32>(CLASSES + 40 + k, 0);
	}
	blockSeen += newSeen;
	newSeen = 0;
}

/**
 * Parses greedily from `start`, counting symbols for the first costs, until the content changes.
 *
 * @returns end of the block
 */
function prospect(buf: usize, start: u32, end: u32, cache: usize, state: u64): u32 {
	clearCounts();
	memory.fill(CLASSES, 0, 80);
	blockSeen = 0;
	newSeen = 0;
	let i = start;
	while (i < end) {
		if (newSeen >= LOOK) {
			if (i - start < BLOCK_MIN || end - i < BLOCK_MIN) merge();
			else if (differs()) break;
		}
		const p = buf + i;
		const count = load<u32>(cache);
		cache += 4 + (<usize>count << 2);
		let taken: u32 = 1;
		if (count != 0) {
			const item = load<u32>(cache - 4);
			const longest = min(LENGTH_MAX, end - i);
			let formatted = item >> 9;
			taken = min(item & 511, longest);
			let score = taken + (formatted < 4096 ? 1 : 0) + (formatted < 258 ? 1 : 0);
			if (taken == 2 || (taken == 3 && formatted > 8192)) {
				taken = 1;
				score = 3;
			}
			for (let r: u64 = 0; r < 3; r++) {
				const from = p - <usize><u32>((state >> (r * 21)) & FIELD);
				if (load<u16>(from) != load<u16>(p)) continue;
				const l = extend(p, from, 2, longest);
				if (l + 3 > score) {
					score = l + 3;
					taken = l;
					formatted = <u32>r;
				}
			}
			if (taken > 1) {
				tallyMatch(formatted, taken);
				state = after(state, formatted);
				observe(taken >= 9 ? 9 : 8);
				i += taken;
				for (let k = taken - 1; k > 0; k--) cache += 4 + (<usize>load<u32>(cache) << 2);
				continue;
			}
		}
		const byte = load<u8>(p);
		bump(MAIN_COUNT + (<usize>byte << 2));
		observe(((byte >> 5) & 6) | (byte & 1));
		i++;
	}
	cacheNext = cache;
	return i;
}

// Greedy counts differ from those of the cheapest parse in a systematic way: far matches of length 3 are mostly not worth
// it, recent offsets are used twice as often. Fitted on some 350 blocks of programs and texts of many kinds:
// final share = SHARE / 16 * greedy share + FLOOR / 32768, for each header of the slots 0 to 29; slots above are like 29.
const SHARE: usize = memory.data<u8>([
	33, 18, 31, 30, 31, 24, 37, 20,
	2, 15, 9, 5, 6, 17, 13, 11,
	2, 6, 1, 6, 6, 15, 14, 10,
	1, 14, 10, 15, 14, 17, 6, 33,
	1, 15, 13, 20, 8, 25, 4, 16,
	1, 13, 5, 11, 10, 20, 22, 15,
	1, 7, 3, 12, 17, 19, 9, 9,
	1, 20, 11, 7, 12, 14, 15, 11,
	1, 15, 6, 6, 11, 20, 21, 18,
	1, 16, 14, 8, 10, 12, 12, 18,
	1, 17, 8, 8, 14, 12, 14, 12,
	1, 12, 9, 16, 15, 10, 16, 17,
	1, 14, 8, 20, 16, 17, 16, 19,
	1, 12, 8, 14, 16, 17, 13, 18,
	1, 13, 8, 15, 15, 17, 14, 17,
	1, 11, 8, 15, 16, 15, 14, 17,
	1, 10, 8, 18, 17, 13, 13, 15,
	1, 9, 8, 16, 16, 14, 15, 14,
	1, 7, 10, 3, 14, 8, 12, 13,
	1, 7, 11, 11, 15, 9, 7, 13,
	1, 6, 9, 12, 15, 2, 14, 15,
	1, 6, 8, 13, 15, 12, 13, 13,
	1, 5, 8, 12, 15, 10, 8, 15,
	1, 5, 6, 11, 14, 13, 7, 14,
	1, 4, 8, 12, 12, 10, 7, 14,
	1, 3, 3, 12, 14, 11, 10, 15,
	1, 1, 7, 11, 12, 12, 10, 15,
	1, 1, 6, 9, 12, 12, 4, 15,
	1, 1, 4, 9, 11, 12, 6, 10,
	1, 1, 3, 4, 10, 9, 8, 11,
]);
const FLOOR: usize = memory.data<u8>([
	41, 255, 68, 47, 42, 98, 17, 255,
	49, 3, 1, 22, 5, 1, 1, 6,
	27, 34, 10, 3, 3, 2, 1, 13,
	9, 0, 0, 0, 1, 1, 2, 0,
	12, 0, 0, 0, 0, 0, 0, 0,
	38, 8, 3, 0, 0, 0, 0, 0,
	46, 40, 15, 4, 1, 0, 1, 0,
	36, 2, 6, 6, 1, 1, 2, 0,
	67, 27, 24, 13, 7, 0, 0, 0,
	42, 19, 4, 10, 5, 3, 5, 0,
	58, 18, 26, 21, 2, 7, 10, 28,
	22, 32, 19, 3, 2, 8, 2, 6,
	21, 28, 31, 0, 0, 4, 3, 0,
	7, 20, 24, 4, 0, 0, 4, 0,
	5, 12, 32, 4, 0, 1, 5, 3,
	2, 12, 25, 0, 0, 0, 3, 0,
	2, 20, 31, 0, 0, 4, 6, 12,
	1, 13, 25, 0, 0, 3, 4, 10,
	1, 28, 19, 45, 5, 11, 12, 33,
	1, 10, 12, 11, 0, 7, 13, 17,
	1, 10, 26, 9, 0, 20, 7, 6,
	0, 6, 18, 3, 0, 3, 3, 11,
	0, 1, 22, 4, 0, 7, 11, 0,
	0, 0, 16, 3, 0, 4, 8, 2,
	0, 0, 4, 1, 3, 7, 13, 0,
	0, 0, 21, 0, 0, 2, 2, 0,
	0, 4, 0, 0, 0, 3, 2, 0,
	0, 2, 0, 0, 0, 1, 6, 0,
	0, 1, 0, 0, 0, 1, 4, 7,
	0, 0, 0, 0, 0, 0, 1, 0,
]);

/** Turns the counts of `prospect` into 16 times those that the parse will probably have. */
function foresee(slots: u32): void {
	const total = sum(MAIN_COUNT, 256 + (slots << 3));
	const literals = sum(MAIN_COUNT, 256);
	const factor = 11 + (literals == 0 ? 0 : min<u32>(64, (total * 50 / literals) >> 4));
	for (let b: usize = 0; b < 256; b++) store<u32>(MAIN_COUNT + (b << 2), load<u32>(MAIN_COUNT + (b << 2)) * factor);
	for (let h: usize = 0; h < <usize>(slots << 3); h++) {
		const k = h < 240 ? h : 232 + (h & 7);
		const at = MAIN_COUNT + 0x400 + (h << 2);
		store<u32>(at, load<u32>(at) * <u32>load<u8>(SHARE + k) + ((total * <u32>load<u8>(FLOOR + k)) >> 11));
	}
	for (let l: usize = 0; l < 249; l++) {
		const at = LENGTH_COUNT + (l << 2);
		store<u32>(at, load<u32>(at) * 16 + (l < 40 ? total >> 8 : total >> 11));
	}
}

// ---------------------------------------------------------------- writing

/** Codes `n` lengths as differences to those of the block before (lzx.md section 5). */
function writeLengths(now: usize, before: usize, n: u32): void {
	memory.fill(PRE_COUNT, 0, 80);
	let at = PRE_ITEMS;
	let i: u32 = 0;
	while (i < n) {
		const length = <u32>load<u8>(now + i);
		let run: u32 = 1;
		while (i + run < n && load<u8>(now + i + run) == <u8>length) run++;
		let left = run;
		if (length == 0) {
			while (left >= 20) {
				const r = min<u32>(left, 51);
				at = preItem(at, 18, r - 20);
				left -= r;
			}
			if (left >= 4) {
				at = preItem(at, 17, left - 4);
				left = 0;
			}
		} else {
			while (left >= 4) {
				const r: u32 = left > 4 ? 5 : 4;
				const delta = difference(before + i + (run - left), length);
				at = preItem(at, 19, (r - 4) | (delta << 8));
				bump(PRE_COUNT + (<usize>delta << 2));
				left -= r;
			}
		}
		while (left > 0) {
			at = preItem(at, difference(before + i + (run - left), length), 0);
			left--;
		}
		i += run;
	}
	buildCode(PRE_COUNT, 20, 15, PRE_BITS, PRE_CODE);
	for (let s: usize = 0; s < 20; s++) put(load<u8>(PRE_BITS + s), 4);
	for (let q = PRE_ITEMS; q < at; q += 4) {
		const item = load<u32>(q);
		const symbol = item & 31;
		const value = item >> 5;
		putPre(symbol);
		if (symbol == 17) put(value, 4);
		else if (symbol == 18) put(value, 5);
		else if (symbol == 19) {
			put(value & 1, 1);
			putPre(value >> 8);
		}
	}
}

@inline function difference(before: usize, length: u32): u32 {
	const d = <i32>load<u8>(before) - <i32>length;
	return <u32>(d < 0 ? d + 17 : d);
}

function preItem(at: usize, symbol: u32, value: u32): usize {
	bump(PRE_COUNT + (<usize>symbol << 2));
	store<u32>(at, symbol | (value << 5));
	return at + 4;
}

@inline function putPre(symbol: u32): void { put(load<u32>(PRE_CODE + (<usize>symbol << 2)), load<u8>(PRE_BITS + symbol)); }

/** Builds the codes of the counted items and writes the block. */
function writeBlock(p: usize, n: u32, chunkSize: u32, slots: u32): void {
	const mainSymbols = 256 + (slots << 3);
	buildCode(MAIN_COUNT, mainSymbols, 16, MAIN_BITS, MAIN_CODE);
	buildCode(LENGTH_COUNT, 249, 16, LENGTH_BITS, LENGTH_CODE);
	buildCode(ALIGNED_COUNT, 8, 7, ALIGNED_BITS, ALIGNED_CODE);
	let plain: u32 = 0;
	let coded: u32 = 24;
	for (let a: usize = 0; a < 8; a++) {
		const c = load<u32>(ALIGNED_COUNT + (a << 2));
		plain += 3 * c;
		coded += c * load<u8>(ALIGNED_BITS + a);
	}
	const aligned = coded < plain;
	put(aligned ? 2 : 1, 3);
	if (n == 32768) put(1, 1);
	else {
		put(0, 1);
		put(n, chunkSize > 32768 ? 24 : 16);
	}
	if (aligned) for (let a: usize = 0; a < 8; a++) put(load<u8>(ALIGNED_BITS + a), 3);
	writeLengths(MAIN_BITS, MAIN_BEFORE, 256);
	writeLengths(MAIN_BITS + 256, MAIN_BEFORE + 256, mainSymbols - 256);
	writeLengths(LENGTH_BITS, LENGTH_BEFORE, 249);
	memory.copy(MAIN_BEFORE, MAIN_BITS, mainSymbols);
	memory.copy(LENGTH_BEFORE, LENGTH_BITS, 249);
	writeItems(p, aligned);
}

function writeItems(p: usize, aligned: bool): void {
	for (let at = itemsAt; at < itemsEnd && !full; at += 4) {
		const item = load<u32>(at);
		const length = item & 511;
		if (length == 1) {
			const byte = <usize>load<u8>(p);
			put(load<u32>(MAIN_CODE + (byte << 2)), load<u8>(MAIN_BITS + byte));
			p++;
			continue;
		}
		p += length;
		const formatted = item >> 9;
		const slot = formatted < 3 ? formatted : slotOf(formatted);
		const header = min<u32>(length - 2, 7);
		const symbol = <usize>(256 + (slot << 3) + header);
		put(load<u32>(MAIN_CODE + (symbol << 2)), load<u8>(MAIN_BITS + symbol));
		if (header == 7) {
			const s = <usize>(length - 9);
			put(load<u32>(LENGTH_CODE + (s << 2)), load<u8>(LENGTH_BITS + s));
		}
		if (slot < 4) continue;
		const extra = extraBits(slot);
		const value = formatted & ((1 << extra) - 1);
		if (aligned && extra >= 3) {
			const a = <usize>(formatted & 7);
			put(value >> 3, extra - 3);
			put(load<u32>(ALIGNED_CODE + (a << 2)), load<u8>(ALIGNED_BITS + a));
		} else put(value, extra);
	}
}

// ---------------------------------------------------------------- entry

/** Bytes of workspace that a chunk needs: its translated copy, and a tree when it is large. */
export function lzxWorkspaceSize(chunkSize: u32): u32 { return chunkSize + 1024 + treeSize(chunkSize); }

/** Encodes one chunk. Returns the stored size, or 0 when that would not be less than `size`. */
export function lzxEncode(chunkSize: u32, level: u32, input: usize, size: u32, output: usize, workspace: usize): u32 {
	if (size < 64) return 0;
	prepareLogs();
	const buf = workspace + 16;
	const tree = workspace + ((chunkSize + 512) & ~63);
	memory.copy(buf, input, size);
	memory.fill(buf + size, 0, 320);
	setEffort(level);
	if (passes > 0 && level < 100 && looksRandom(buf, size)) return 0;
	// No match at the recent offset 1 may begin at the very first byte.
	store<u8>(buf - 1, ~load<u8>(buf));
	translate(buf, size);
	bitAcc = 0;
	bitCount = 0;
	bitAt = output;
	bitEnd = output + size - 1;
	full = false;
	memory.fill(MAIN_BEFORE, 0, 0x3a0);
	if (chunkSize <= 0x10000) encodeWith<u16>(chunkSize, buf, size, tree);
	else encodeWith<u32>(chunkSize, buf, size, tree);
	flushBits();
	return full ? 0 : <u32>(bitAt - output);
}

/** How hard to try: nodes or candidates to look at, the length that is good enough, passes (0: lazy), parts and refinements of a pass. */
let depth: u32 = 0;
let nice: u32 = 0;
let passes: u32 = 0;
let parts: u32 = 0;

function effort(d: u32, n: u32, p: u32, w: u32): void {
	depth = d;
	nice = n;
	passes = p;
	parts = w;
}

function setEffort(level: u32): void {
	if (level < 10) effort(4, 16, 0, 1);
	else if (level < 20) effort(8, 32, 0, 1);
	else if (level < 35) effort(16, 48, 0, 1);
	else if (level < 50) effort(12, 32, 1, 6);
	else if (level < 70) effort(16, 48, 1, 12);
	else if (level < 100) effort(32, 96, 2, 12);
	else effort(48, 128, 4, 12);
}

function encodeWith<T>(chunkSize: u32, buf: usize, size: u32, tree: usize): void {
	if (passes > 0) nearOptimal<T>(chunkSize, buf, size, tree);
	else lazy<T>(chunkSize, buf, size);
}

function nearOptimal<T>(chunkSize: u32, buf: usize, size: u32, tree: usize): void {
	const slots = slotCount(chunkSize);
	resetFinder<T>();
	resetCovered();
	let state = FIRST_STATE;
	let start: u32 = 0;
	while (start < size && !full) {
		const limit = min(size, start + SEGMENT_MAX);
		fillCache<T, u8>(buf, start, limit, size, CACHE, CACHE_END, depth, nice, LENGTH_MAX, tree);
		const segmentEnd = filledTo;
		let cache = CACHE;
		while (start < segmentEnd && !full) {
			const end = prospect(buf, start, segmentEnd, cache, state);
			const n = end - start;
			foresee(slots);
			for (let pass: u32 = 0; pass < passes; pass++) parse(buf, start, n, cache, state, slots, pass == 0 ? parts : 1);
			writeBlock(buf + start, n, chunkSize, slots);
			state = endState;
			start = end;
			cache = cacheNext;
		}
	}
}

/** Takes longest matches, preferring recent offsets, or what begins a byte later when that is better (lzx.md section 10.3). */
function lazy<T>(chunkSize: u32, buf: usize, size: u32): void {
	const slots = slotCount(chunkSize);
	resetRows<T>();
	let state = FIRST_STATE;
	let start: u32 = 0;
	const last = size - 8;
	enterAll<T>(buf, 0, 1);
	let entered: u32 = 1;
	while (start < size && !full) {
		clearCounts();
		memory.fill(CLASSES, 0, 80);
		blockSeen = 0;
		newSeen = 0;
		let items = ITEMS;
		let i = start;
		// Blocks end at an item, at most one match behind this limit.
		const limit = min(last, start + SEGMENT_MAX);
		while (i < limit) {
			if (newSeen >= LOOK) {
				if (i - start < BLOCK_MIN || size - i < BLOCK_MIN) merge();
				else if (differs()) break;
			}
			let cap = min(LENGTH_MAX, size - i);
			let match: u64 = 0;
			if (entered <= i) {
				match = longestMatch<T>(buf, i, 2, depth, nice, cap);
				entered = i + 1;
			}
			let length = <u32>match;
			let formatted = <u32>(match >> 32) + 2;
			if (length == 3 && formatted > 8192) length = 0;
			let score = scoreOf(length, formatted);
			const again = recentMatch(buf + i, state, cap);
			if (again != 0 && (again >> 2) + 3 >= score) {
				length = again >> 2;
				formatted = again & 3;
			} else if (length == 0) {
				items = lazyLiteral(items, load<u8>(buf + i));
				i++;
				continue;
			} else while (length < nice && i + 1 < last) {
				cap = min(LENGTH_MAX, size - i - 1);
				match = longestMatch<T>(buf, i + 1, length - 1, depth >> 1, nice, cap);
				entered = i + 2;
				const nextScore = scoreOf(<u32>match, <u32>(match >> 32) + 2);
				const nextAgain = recentMatch(buf + i + 1, state, cap);
				if (nextAgain != 0 && (nextAgain >> 2) + 3 > score && (nextAgain >> 2) + 3 >= nextScore) {
					items = lazyLiteral(items, load<u8>(buf + i));
					i++;
					length = nextAgain >> 2;
					formatted = nextAgain & 3;
					break;
				}
				if (nextScore <= score) break;
				items = lazyLiteral(items, load<u8>(buf + i));
				i++;
				score = nextScore;
				length = <u32>match;
				formatted = <u32>(match >> 32) + 2;
			}
			store<u32>(items, (formatted << 9) | length);
			items += 4;
			tallyMatch(formatted, length);
			state = after(state, formatted);
			observe(length >= 9 ? 9 : 8);
			i += length;
			const end = min(i, last);
			if (entered < end) {
				enterAll<T>(buf, entered, end);
				entered = end;
			}
		}
		if (i >= last) for (; i < size; i++) items = lazyLiteral(items, load<u8>(buf + i));
		itemsAt = ITEMS;
		itemsEnd = items;
		writeBlock(buf + start, i - start, chunkSize, slots);
		start = i;
	}
}

@inline function scoreOf(length: u32, formatted: u32): u32 {
	return length == 0 ? 0 : length + u32(formatted < 4098) + u32(formatted < 258);
}

@inline function lazyLiteral(items: usize, byte: u32): usize {
	store<u32>(items, LITERAL);
	bump(MAIN_COUNT + (<usize>byte << 2));
	observe(((byte >> 5) & 6) | (byte & 1));
	return items + 4;
}

/** The longest match of 3 bytes or more at a recent offset: length << 2 | which, or 0. */
@inline function recentMatch(p: usize, state: u64, cap: u32): u32 {
	const begin = load<u32>(p) << 8;
	const from0 = p - <usize>(state & FIELD);
	const from1 = p - <usize>((state >> 21) & FIELD);
	const from2 = p - <usize>((state >> 42) & FIELD);
	const hit0 = u32(load<u32>(from0) << 8 == begin);
	const hit1 = u32(load<u32>(from1) << 8 == begin);
	const hit2 = u32(load<u32>(from2) << 8 == begin);
	if ((hit0 | hit1 | hit2) == 0) return 0;
	let best: u32 = 0;
	if (hit0) best = extend(p, from0, 3, cap) << 2;
	if (hit1) {
		const l = extend(p, from1, 3, cap);
		if (l > best >> 2) best = (l << 2) | 1;
	}
	if (hit2) {
		const l = extend(p, from2, 3, cap);
		if (l > best >> 2) best = (l << 2) | 2;
	}
	return best;
}
