// LZX encoder (lzx.md): near-optimal parse with a binary-tree match finder, and a lazy parse with rows of positions.

import { encodeE8 } from './e8';
import { endsBlock, observe, startBlock } from './lzx-encode-blocks';
import { clearCounts, prepareLogs, tallyMatch } from './lzx-encode-costs';
import { after, bump, CACHE, CACHE_END, FIELD, FIRST_STATE, ITEMS, ITEMS_END, LENGTH_MAX, LITERAL, MAIN_COUNT, SEGMENT_MAX, slotCount } from './lzx-encode-layout';
import { endState, itemsAt, parse } from './lzx-encode-parse';
import { pieceCache, pieceCount, pieceEnd, takeCounts } from './lzx-encode-pieces';
import { foresee, prospect } from './lzx-encode-prospect';
import { endBlocks, full, startBlocks, writeBlock } from './lzx-encode-writer';
import { extend, fillCache, filledTo, resetCovered, resetFinder, treeSize } from './match-finder';
import { looksRandom } from './probe';
import { enterAll, longestMatch, resetRows } from './row-finder';

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
	encodeE8(buf, size);
	startBlocks(output, size - 1);
	if (chunkSize <= 0x10000) encodeWith<u16>(chunkSize, buf, size, tree);
	else encodeWith<u32>(chunkSize, buf, size, tree);
	const end = endBlocks();
	return full ? 0 : <u32>(end - output);
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
	else if (level < 70) effort(14, 44, 1, 10);
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
		prospect(buf, start, segmentEnd, cache, state, slots);
		for (let piece: usize = 0; piece < pieceCount && !full; piece++) {
			const end = pieceEnd(piece);
			const n = end - start;
			takeCounts(piece);
			foresee(slots);
			if (sizeof<T>() == 2 && passes == 1) parse<u8>(buf, start, n, cache, state, slots, parts);
			else for (let pass: u32 = 0; pass < passes; pass++) parse<u16>(buf, start, n, cache, state, slots, pass == 0 ? parts : 1);
			writeBlock(buf + start, n, itemsAt, ITEMS_END, chunkSize, slots);
			state = endState;
			start = end;
			cache = pieceCache(piece);
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
		startBlock();
		let items = ITEMS;
		let i = start;
		// Blocks end at an item, at most one match behind this limit.
		const limit = min(last, start + SEGMENT_MAX);
		while (i < limit) {
			if (endsBlock(i - start, size - i)) break;
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
		writeBlock(buf + start, i - start, ITEMS, items, chunkSize, slots);
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
