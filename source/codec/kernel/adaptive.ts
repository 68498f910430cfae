// The adaptive Huffman codes of LZMS (shared/format/lzms.md §4), for the decoder.
//
// A code occupies CODE_SIZE bytes: frequencies (u32), code lengths (u8), decoding table and what goes with it.

import { buildCounted, LONG_SIZE } from './huffman';
import { COUNTS, SORT_KEYS, SORT_COUNTS, TREE } from './layout';

export const FREQUENCIES: usize = 0; // 800 * 4
export const CODE_LENGTHS: usize = 3200; // 800
export const CODE_LONG: usize = 4000; // LONG_SIZE + 800 * 2 = 1736
export const CODE_TABLE: usize = 5760; // at most 2^11 * 2
export const CODE_SIZE: usize = 9856;

/** Frequencies from here on share one counter of the sort. Few symbols are that frequent, since they are diluted. */
const FREQUENT: u32 = 128;

/** Starts a code: all frequencies 1. */
export function startCode(code: usize, count: u32, bits: u32): void {
	for (let s: usize = 0; s < <usize>count; s++) store<u32>(code + FREQUENCIES + (s << 2), 1);
	// Equal frequencies give two neighbouring lengths; the first symbols have the greater one.
	const depth = 32 - clz(count - 1);
	const longer = 2 * count - (1 << depth);
	for (let l: usize = 0; l < 17 * 4; l += 4) store<u32>(COUNTS + l, 0);
	store<u32>(COUNTS + (<usize>depth << 2), longer);
	if (depth > 1) store<u32>(COUNTS + (<usize>(depth - 1) << 2), count - longer);
	memory.fill(code + CODE_LENGTHS, <u8>depth, <usize>longer);
	memory.fill(code + CODE_LENGTHS + <usize>longer, <u8>(depth - 1), <usize>(count - longer));
	buildCounted(code + CODE_LENGTHS, count, code + CODE_TABLE, bits, code + CODE_LONG);
}

/** Makes the code that the frequencies call for, and halves them. */
export function rebuildCode(code: usize, count: u32, bits: u32): void {
	sortSymbols(code, count);
	joinNodes(count);
	assignLengths(code + CODE_LENGTHS, count);
	buildCounted(code + CODE_LENGTHS, count, code + CODE_TABLE, bits, code + CODE_LONG);
	const one = i32x4.splat(1);
	for (let at = code + FREQUENCIES, end = at + (<usize>count << 2); at < end; at += 16) {
		v128.store(at, i32x4.add(v128.shr<u32>(v128.load(at), 1), one));
	}
}

/** Fills SORT_KEYS with `frequency << 16 | symbol`, ascending, and a larger key behind them. */
function sortSymbols(code: usize, count: u32): void {
	const zero = i64x2.splat(0);
	for (let at: usize = SORT_COUNTS; at < SORT_COUNTS + 4 * (<usize>FREQUENT + 4); at += 16) v128.store(at, zero);
	const from = code + FREQUENCIES;
	const stop = from + (<usize>count << 2);
	for (let at = from; at < stop; at += 4) {
		const slot = SORT_COUNTS + 4 + (<usize>min<u32>(load<u32>(at), FREQUENT) << 2);
		store<u32>(slot, load<u32>(slot) + 4);
	}
	let sum: u32 = 0;
	for (let at: usize = SORT_COUNTS + 4; at <= SORT_COUNTS + 4 * <usize>FREQUENT; at += 4) {
		sum += load<u32>(at);
		store<u32>(at, sum);
	}
	for (let at = from; at < stop; at += 4) {
		const frequency = load<u32>(at);
		const slot = SORT_COUNTS + (<usize>min<u32>(frequency, FREQUENT) << 2);
		const to = load<u32>(slot);
		store<u32>(SORT_KEYS + <usize>to, (frequency << 16) | ((<u32>(at - from)) >> 2));
		store<u32>(slot, to + 4);
	}
	const end: usize = SORT_KEYS + (<usize>count << 2);
	store<u32>(end, 0x7fffffff);
	store<u32>(end + 4, 0x7fffffff);
	for (let at: usize = SORT_KEYS + <usize>sum + 4; at < end; at += 4) {
		const key = load<u32>(at);
		let to = at;
		for (; to > SORT_KEYS + <usize>sum && load<u32>(to - 4) > key; to -= 4) store<u32>(to, load<u32>(to - 4));
		store<u32>(to, key);
	}
}

// An inner node: its frequency, and where both queues stood before it took its two children from their fronts.
const NODE_SIZE: usize = 12;
/** Greater than every sum of frequencies. */
const NEVER: u32 = 0x7fff;

/**
 * Huffman's algorithm with two queues: the leaves in SORT_KEYS, and the inner nodes in TREE in the order in which they
 * are made.
 */
function joinNodes(count: u32): void {
	let leaf: usize = SORT_KEYS;
	let inner: usize = TREE;
	const end: usize = TREE + <usize>(count - 1) * NODE_SIZE;
	store<u32>(TREE, NEVER);
	store<u32>(TREE + NODE_SIZE, NEVER);
	for (let node: usize = TREE; node < end; node += NODE_SIZE) {
		store<u32>(node + 4, <u32>leaf);
		store<u32>(node + 8, <u32>inner);
		const leaf0 = load<u32>(leaf) >> 16;
		const leaf1 = load<u32>(leaf, 4) >> 16;
		const inner0 = load<u32>(inner);
		let sum: u32;
		if (leaf1 <= inner0) {
			// Leaves go first if both are equal.
			sum = leaf0 + leaf1;
			leaf += 8;
		} else {
			const inner1 = load<u32>(inner, NODE_SIZE);
			if (inner1 < leaf0) {
				sum = inner0 + inner1;
				inner += 2 * NODE_SIZE;
			} else {
				sum = leaf0 + inner0;
				leaf += 4;
				inner += NODE_SIZE;
			}
		}
		store<u32>(node, sum);
		// The next one is not made yet: never the lowest.
		store<u32>(node + NODE_SIZE, NEVER);
		store<u32>(node + 2 * NODE_SIZE, NEVER);
	}
}

/**
 * Writes the length of each symbol, and how many symbols have each length to COUNTS. Both queues are in the order of
 * depth, so the nodes of one depth lie side by side, and so do their children.
 */
function assignLengths(lengths: usize, count: u32): void {
	for (let l: usize = 0; l < 17 * 4; l += 4) store<u32>(COUNTS + l, 0);
	let inner: usize = TREE + <usize>(count - 2) * NODE_SIZE;
	let leafEnd: usize = SORT_KEYS + (<usize>count << 2);
	for (let length: u32 = 1; length <= 16; length++) {
		// The first node of this depth: its queue positions begin the children.
		const leaf = <usize>load<u32>(inner, 4);
		store<u32>(COUNTS + (<usize>length << 2), <u32>(leafEnd - leaf) >> 2);
		for (let at = leaf; at < leafEnd; at += 4) store<u8>(lengths + <usize>load<u16>(at), <u8>length);
		if (leaf == SORT_KEYS) break;
		leafEnd = leaf;
		inner = <usize>load<u32>(inner, 8);
	}
}
