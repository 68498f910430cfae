// The adaptive Huffman codes of LZMS (shared/format/lzms.md §4). Decoder and encoder build the same codes.
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
	countDepths(count);
	assignLengths(code + CODE_LENGTHS, count);
	buildCounted(code + CODE_LENGTHS, count, code + CODE_TABLE, bits, code + CODE_LONG);
	const one = i32x4.splat(1);
	for (let at = code + FREQUENCIES, end = at + (<usize>count << 2); at < end; at += 16) {
		v128.store(at, i32x4.add(v128.shr<u32>(v128.load(at), 1), one));
	}
}

/** Fills SORT_KEYS with `frequency << 16 | symbol`, ascending, and one larger key behind them. */
function sortSymbols(code: usize, count: u32): void {
	const zero = i64x2.splat(0);
	for (let at: usize = SORT_COUNTS; at < SORT_COUNTS + 4 * (<usize>FREQUENT + 4); at += 16) v128.store(at, zero);
	const from = code + FREQUENCIES;
	for (let s: usize = 0; s < <usize>count; s++) {
		const slot = SORT_COUNTS + 4 + (<usize>min<u32>(load<u32>(from + (s << 2)), FREQUENT) << 2);
		store<u32>(slot, load<u32>(slot) + 4);
	}
	let sum: u32 = 0;
	for (let at: usize = SORT_COUNTS + 4; at <= SORT_COUNTS + 4 * <usize>FREQUENT; at += 4) {
		sum += load<u32>(at);
		store<u32>(at, sum);
	}
	for (let s: usize = 0; s < <usize>count; s++) {
		const frequency = load<u32>(from + (s << 2));
		const slot = SORT_COUNTS + (<usize>min<u32>(frequency, FREQUENT) << 2);
		const at = load<u32>(slot);
		store<u32>(SORT_KEYS + <usize>at, (frequency << 16) | <u32>s);
		store<u32>(slot, at + 4);
	}
	const end: usize = SORT_KEYS + (<usize>count << 2);
	store<u32>(end, 0xffffffff);
	for (let at: usize = SORT_KEYS + <usize>sum + 4; at < end; at += 4) {
		const key = load<u32>(at);
		let to = at;
		for (; to > SORT_KEYS + <usize>sum && load<u32>(to - 4) > key; to -= 4) store<u32>(to, load<u32>(to - 4));
		store<u32>(to, key);
	}
}

// Per inner node: its frequency, then its parent or its depth.
const NODE_SIZE: usize = 8;

/** Builds the tree over SORT_KEYS and puts the number of leaves of each depth into COUNTS. */
function countDepths(count: u32): void {
	let leaf: usize = SORT_KEYS;
	let inner: usize = TREE;
	let leafFrequency = load<u32>(leaf) >> 16;
	let innerFrequency: u32 = 0x10000;
	const end: usize = TREE + <usize>(count - 1) * NODE_SIZE;
	for (let node: usize = TREE; node < end; node += NODE_SIZE) {
		// Not created yet: never the lowest.
		store<u32>(node, 0x10000);
		let sum: u32 = 0;
		for (let k = 0; k < 2; k++) {
			// If both are equal the leaf is taken. A parent written in vain is written again later.
			const isLeaf = leafFrequency <= innerFrequency;
			store<u32>(inner + 4, <u32>node);
			sum += isLeaf ? leafFrequency : innerFrequency;
			leaf += <usize>isLeaf << 2;
			inner += <usize>!isLeaf << 3;
			leafFrequency = load<u32>(leaf) >> 16;
			innerFrequency = load<u32>(inner);
		}
		store<u32>(node, sum);
		store<u32>(node + NODE_SIZE, 0x10000);
		innerFrequency = load<u32>(inner);
	}
	for (let l: usize = 0; l < 64 * 4; l += 4) store<u32>(COUNTS + l, 0);
	// From the root down: an inner node at depth d takes away one leaf there and gives two at depth d + 1.
	let node = end - NODE_SIZE;
	store<u32>(node + 4, 0);
	store<u32>(COUNTS + 4, 2);
	while (node > TREE) {
		node -= NODE_SIZE;
		const depth = load<u32>(<usize>load<u32>(node + 4) + 4) + 1;
		store<u32>(node + 4, depth);
		const slot: usize = COUNTS + (<usize>depth << 2);
		store<u32>(slot, load<u32>(slot) - 1);
		store<u32>(slot + 4, load<u32>(slot + 4) + 2);
	}
}

/** The least frequent symbols get the greatest lengths. */
function assignLengths(lengths: usize, count: u32): void {
	let at: usize = SORT_KEYS;
	const end: usize = SORT_KEYS + (<usize>count << 2);
	for (let l: u32 = 16; l > 0 && at < end; l--) {
		for (const stop = at + (<usize>load<u32>(COUNTS + (<usize>l << 2)) << 2); at < stop; at += 4) {
			store<u8>(lengths + <usize>load<u16>(at), <u8>l);
		}
	}
}
