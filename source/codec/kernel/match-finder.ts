// Binary-tree match finder for the parsers that weigh all matches (lzx.md section 10.2).
//
// It fills a cache: for each position a u32 with the number of matches and one u32 a match, in order of strictly growing
// length and offset. In form F = u8 (for parsers that go forward) the number stands first and a match is
// (offset + 2) << 9 | length; in form F = u16 (for those that go backward) it stands last, and a match is
// offset << 16 | length - 3, and there are none of length 2. Positions are stored in T: u16 for chunks up to 64 KiB, u32 for larger ones.
// Position 0 means "empty", so nothing matches the very first byte of a chunk.

import { HUFFMAN_END } from './huffman-build';

const HEADS2: usize = HUFFMAN_END; //      T[2^12]
const HEADS3: usize = HEADS2 + 0x4000; //  T[2^14][2], the newest first
const HEADS4: usize = HEADS3 + 0x20000; // T[2^16]
const TREE16: usize = HEADS4 + 0x40000; // u16[65536][2]: children with smaller and greater suffixes
/** First byte behind the tables of this file. */
export const FINDER_END: usize = TREE16 + 0x40000;

const BITS2: u32 = 12;
const BITS3: u32 = 14;
/** Two bytes from farther away cost more than as many literals, nearly always. */
const TWO_MAX: u32 = 256;

/** Bytes of workspace that the tree of a chunk needs beside the tables here. */
export function treeSize(chunkSize: u32): u32 { return chunkSize > 0x10000 ? chunkSize << 3 : 0; }

/** Makes the finder ready for a new chunk. */
export function resetFinder<T>(): void {
	memory.fill(HEADS2, 0, (1 << BITS2) * sizeof<T>());
	memory.fill(HEADS3, 0, (2 << BITS3) * sizeof<T>());
	memory.fill(HEADS4, 0, (1 << hashBits<T>()) * sizeof<T>());
}

@inline function hashBits<T>(): u32 { return sizeof<T>() == 2 ? 15 : 16; }
@inline function get<T>(at: usize): u32 { return <u32>load<T>(at); }

@inline function entry<F>(offset: u32, length: u32): u32 {
	return sizeof<F>() == 1 ? ((offset + 2) << 9) | length : (offset << 16) | (length - 3);
}

/** Number of equal bytes at two places, from `length` on, at most `limit`; reads up to 16 bytes beyond. */
@inline export function extend(a: usize, b: usize, length: u32, limit: u32): u32 {
	while (length < limit) {
		// The first bit that is not set tells how many of sixteen bytes are equal.
		const same = <u32>ctz(~i8x16.bitmask(i8x16.eq(v128.load(a + length), v128.load(b + length))));
		length += same;
		if (same < 16) break;
	}
	return min(length, limit);
}

@inline function bucket2<T>(word: u32): usize { return HEADS2 + <usize>(((word & 0xffff) * 0x9e3779b1) >>> (32 - BITS2)) * sizeof<T>(); }
@inline function bucket3<T>(word: u32): usize { return HEADS3 + <usize>(((word << 8) * 0x9e3779b1) >>> (32 - BITS3)) * (2 * sizeof<T>()); }
@inline function bucket4<T>(word: u32): usize { return HEADS4 + <usize>((word * 0x9e3779b1) >>> (32 - hashBits<T>())) * sizeof<T>(); }

/** Where the last call of `fillCache` stopped. */
export let filledTo: u32 = 0;
/** How many positions before that the last long match covers beyond it. */
export let covered: u32 = 0;

export function resetCovered(): void { covered = 0; }

let skip: u32 = 0;
/** The position at which a walk found `nice` bytes, or 0. */
let reached: u32 = 0;

@inline function storeBoth<T>(children: usize, value: u32): void {
	if (sizeof<T>() == 2) store<u32>(children, value);
	else store<u64>(children, value);
}

/**
 * Makes position `i` the root of the tree that `node` was the root of, and records matches longer than `best`.
 *
 * @returns end of what was recorded
 */
@inline function walk<T, F>(buf: usize, i: u32, node: u32, cache: usize, best: u32, nice: u32, steps: u32, tree: usize): usize {
	const width: usize = sizeof<T>();
	if (sizeof<T>() == 2) tree = TREE16;
	const cur = buf + i;
	const text = v128.load(cur);
	let smaller: usize = tree + <usize>i * (2 * width);
	let greater: usize = smaller + width;
	do {
		const other = buf + node;
		const children = tree + <usize>node * (2 * width);
		let length = <u32>ctz(~i8x16.bitmask(i8x16.eq(v128.load(other), text)));
		if (length == 16) length = extend(cur, other, 16, nice);
		store<u32>(cache, entry<F>(i - node, min(length, nice)));
		cache += <usize>(length > best) << 2;
		if (length >= nice) {
			store<T>(smaller, load<T>(children));
			store<T>(greater, load<T>(children + width));
			if (length > best) reached = node;
			return cache;
		}
		best = max(length, best);
		if (load<u8>(other + length) < load<u8>(cur + length)) {
			store<T>(smaller, <T>node);
			smaller = children + width;
			node = get<T>(smaller);
		} else {
			store<T>(greater, <T>node);
			greater = children;
			node = get<T>(greater);
		}
		steps--;
	} while (u32(node != 0) & u32(steps != 0));
	store<T>(smaller, 0);
	store<T>(greater, 0);
	return cache;
}

/**
 * Finds matches for the positions from `from` to `to` and writes them to the cache.
 *
 * A match of `nice` bytes is taken as it is: it is extended up to `longest`, and nothing is recorded where it covers.
 *
 * @param cache where to write; the end may be reached early: see `filledTo`
 * @param longest longest match of the format
 * @param tree workspace for the tree of a large chunk
 * @returns end of what was written
 */
export function fillCache<T, F>(buf: usize, from: u32, to: u32, size: u32, cache: usize, cacheEnd: usize, depth: u32, nice: u32, longest: u32, tree: usize): usize {
	const width: usize = sizeof<T>();
	if (sizeof<T>() == 2) tree = TREE16;
	const forward = sizeof<F>() == 1;
	const room = cacheEnd - (<usize>(depth + 4) << 2);
	// The buckets of a position are looked up while the one before is being dealt with, so that nothing waits for memory.
	let word = load<u32>(buf + from);
	let at2 = bucket2<T>(word);
	let at3 = bucket3<T>(word);
	let at4 = bucket4<T>(word);
	let old2 = get<T>(at2);
	let old3 = get<T>(at3);
	let older3 = get<T>(at3 + width);
	let node = get<T>(at4);
	skip = covered;
	// Where nothing is recorded, a tree that is less well ordered does little harm.
	const skipDepth = forward && width == 2 ? depth >> 1 : depth;
	const last: u32 = size < 8 ? 0 : min<u32>(to, size - 7);
	let i = from;
	for (; i < last && cache <= room; i++) {
		const head = cache;
		if (forward) cache += 4;
		if (forward) store<T>(at2, <T>i);
		store<T>(at3, <T>i);
		store<T>(at3 + width, <T>old3);
		store<T>(at4, <T>i);
		const children = tree + <usize>i * (2 * width);
		if (skip > 0) {
			skip--;
			word = load<u32>(buf + i + 1);
			if (forward) at2 = bucket2<T>(word);
			at3 = bucket3<T>(word);
			at4 = bucket4<T>(word);
			const nextNode = get<T>(at4);
			if (node != 0) walk<T, F>(buf, i, node, cache, 0xffff, min(nice, size - i), skipDepth, tree);
			else storeBoth<T>(children, 0);
			node = nextNode;
		} else {
			const x = word << 8;
			if (forward) {
				store<u32>(cache, entry<F>(i - old2, 2));
				cache += <usize>(u32(i - old2 < TWO_MAX) & u32(old2 != 0) & u32(old2 != old3) & u32(load<u16>(buf + old2) == <u16>word)) << 2;
			}
			const first = u32(old3 != 0) & u32(load<u32>(buf + old3) << 8 == x);
			const second = u32(older3 != 0) & u32(load<u32>(buf + older3) << 8 == x);
			store<u32>(cache, entry<F>(i - select<u32>(old3, older3, first != 0), 3));
			cache += <usize>(first | second) << 2;
			word = load<u32>(buf + i + 1);
			if (forward) at2 = bucket2<T>(word);
			at3 = bucket3<T>(word);
			at4 = bucket4<T>(word);
			const nextNode = get<T>(at4);
			if (node != 0) {
				cache = walk<T, F>(buf, i, node, cache, 3, min(nice, size - i), depth, tree);
				if (reached != 0) {
					const full = extend(buf + i, buf + reached, nice, min(size - i, longest));
					store<u32>(cache - 4, entry<F>(i - reached, full));
					skip = full - 1;
					reached = 0;
				}
			} else storeBoth<T>(children, 0);
			node = nextNode;
		}
		if (forward) {
			store<u32>(head, <u32>(cache - head - 4) >> 2);
			old2 = get<T>(at2);
		} else {
			store<u32>(cache, <u32>(cache - head) >> 2);
			cache += 4;
		}
		old3 = get<T>(at3);
		older3 = get<T>(at3 + width);
	}
	// The last bytes begin no match.
	if (i == last) for (; i < to; i++) {
		store<u32>(cache, 0);
		cache += 4;
		if (skip > 0) skip--;
	}
	filledTo = i;
	covered = skip;
	return cache;
}
