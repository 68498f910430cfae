// XPRESS encoder (xpress.md): a lazy parse on the row finder, or the cheapest parse on the tree finder.

import { buildCode } from './huffman-build';
import { FINDER_END, fillCache, resetCovered, resetFinder } from './match-finder';
import { ROWS_END, enterAll, longestMatch, resetRows } from './row-finder';

const TABLES: usize = (max<usize>(FINDER_END, ROWS_END) + 0xffff) & ~0xffff;
const COUNTS: usize = TABLES; //             u32[512]
const CODES: usize = COUNTS + 0x800; //      u32[512]: codeword << 4 | length
const LENGTHS: usize = CODES + 0x800; //     u8[512]
const COSTS: usize = LENGTHS + 0x200; //     u32[512]
const ITEMS: usize = COSTS + 0x800; //       u32[65536 + 16]: literal, or offset << 16 | length - 3
const NODES: usize = ITEMS + 0x40100; //     u64[65536 + 16]: cost << 32 | item
const CACHE: usize = NODES + 0x80100;
const CACHE_END: usize = 0x7f0000;

/** The code lengths alone take 256 bytes. */
const SIZE_MIN: u32 = 300;
const END_SYMBOL: usize = 256;
const BIT: u32 = 16;

@inline function bump(at: usize): void { store<u32>(at, load<u32>(at) + 1); }

@inline function symbolOf(offset: u32, extra: u32): usize { return 256 | <usize>((31 - clz(offset)) << 4) | <usize>min<u32>(extra, 15); }

/** Bytes of workspace that a chunk needs: a copy with room to read beyond its end. */
export function xpressWorkspaceSize(chunkSize: u32): u32 { return chunkSize + 1024; }

/** Encodes one chunk. Returns the stored size, or 0 when that would not be less than `size`. */
export function xpressEncode(level: u32, input: usize, size: u32, output: usize, workspace: usize): u32 {
	if (size < SIZE_MIN) return 0;
	memory.copy(workspace, input, size);
	memory.fill(workspace + size, 0, 320);
	memory.fill(COUNTS, 0, 0x800);
	let end: usize;
	if (level < 60) {
		const depth: u32 = level < 30 ? 5 + (level >> 2) : 16;
		end = lazy(workspace, size, depth, 8 + level, level >= 30);
	} else if (level < 80) end = cheapest(workspace, size, 16, 32, 1);
	else if (level < 100) end = cheapest(workspace, size, 24, 48, 2);
	else end = cheapest(workspace, size, 56, 112, 4);
	return write(workspace, size, end, output);
}

/** Takes longest matches, or one that begins a byte later when it is longer. Returns the end of the items. */
function lazy(buf: usize, size: u32, depth: u32, nice: u32, wait: bool): usize {
	resetRows<u16>();
	let items = ITEMS;
	let i: u32 = 0;
	// The last bytes are literals unless a match runs into them: reading four bytes there is not worth a test each.
	const last = size - 8;
	const far: u32 = size > 0x2000 ? 4096 : 2048;
	while (i < last) {
		let match = longestMatch<u16>(buf, i, 2, depth, nice, size - i);
		let length = <u32>match;
		let offset = <u32>(match >> 32);
		if (length == 0 || (length == 3 && offset > far)) {
			items = literal(items, load<u8>(buf + i));
			i++;
			continue;
		}
		let entered = i + 1;
		if (wait) while (length < nice && i + 1 < last) {
			match = longestMatch<u16>(buf, i + 1, length, depth >> 1, nice, size - i - 1);
			entered++;
			if (<u32>match <= length) break;
			items = literal(items, load<u8>(buf + i));
			length = <u32>match;
			offset = <u32>(match >> 32);
			i++;
		}
		store<u32>(items, (offset << 16) | (length - 3));
		items += 4;
		bump(COUNTS + (symbolOf(offset, length - 3) << 2));
		i += length;
		enterAll<u16>(buf, entered, min(i, last));
	}
	for (; i < size; i++) items = literal(items, load<u8>(buf + i));
	return items;
}

@inline function literal(items: usize, byte: u32): usize {
	store<u32>(items, byte);
	bump(COUNTS + (<usize>byte << 2));
	return items + 4;
}

// ---------------------------------------------------------------- cheapest parse

/** Finds the cheapest items, backwards from the end (xpress.md section 5.3). Returns the end of the items. */
function cheapest(buf: usize, size: u32, depth: u32, nice: u32, passes: u32): usize {
	resetFinder<u16>();
	resetCovered();
	const cacheEnd = fillCache<u16, u16>(buf, 0, size, size, CACHE, CACHE_END, depth, nice, 65535, 0);
	startingCosts(buf, size, cacheEnd);
	let items: usize = ITEMS;
	for (let pass: u32 = 0; pass < passes; pass++) {
		if (pass > 0) costsFromCounts();
		search(buf, size, cacheEnd);
		memory.fill(COUNTS, 0, 0x800);
		items = collect(buf, size);
	}
	return items;
}

@inline function cost(symbol: usize): u32 { return load<u32>(COSTS + (symbol << 2)); }

/** 16 * log2(x), x > 0. */
function log2(x: u32): u32 {
	const k = 31 - clz(x);
	let result = k;
	let m = <u64>x << (31 - k);
	for (let b = 0; b < 4; b++) {
		m = (m * m) >> 31;
		result <<= 1;
		if (m >= 0x1_0000_0000) {
			m >>= 1;
			result |= 1;
		}
	}
	return result;
}

function costsFromCounts(): void {
	let total: u32 = 0;
	for (let s: usize = 0; s < 512; s++) total += load<u32>(COUNTS + (s << 2));
	const all = log2(max<u32>(total, 1));
	const most = min<u32>(all + BIT, 15 * BIT);
	for (let s: usize = 0; s < 512; s++) {
		const c = load<u32>(COUNTS + (s << 2));
		store<u32>(COSTS + (s << 2), c == 0 ? most : max<u32>(BIT / 2, min<u32>(all - log2(c), most)));
	}
}

/** First costs, from a greedy walk backwards over the cached matches. */
function startingCosts(buf: usize, size: u32, cache: usize): void {
	let i = size;
	let covered: u32 = size;
	while (i > 0) {
		i--;
		const count = load<u32>(cache - 4);
		const first = cache - 4 - (<usize>count << 2);
		if (i < covered) {
			if (count != 0) {
				// The longest match that ends about here: a crude stand-in for the parse.
				const item = load<u32>(cache - 8);
				const length = (item & 0xffff) + 3;
				if (i + length <= covered + 2 && (length > 3 || item >> 16 <= 4096)) {
					bump(COUNTS + (symbolOf(item >> 16, length - 3) << 2));
					covered = i;
				} else bump(COUNTS + (<usize>load<u8>(buf + i) << 2));
			} else bump(COUNTS + (<usize>load<u8>(buf + i) << 2));
		}
		cache = first;
	}
	costsFromCounts();
}

function search(buf: usize, size: u32, cache: usize): void {
	store<u64>(NODES + (<usize>size << 3), 0);
	for (let i = <i32>size - 1; i >= 0; i--) {
		const node = NODES + (<usize>i << 3);
		const byte = <u32>load<u8>(buf + i);
		let best = (load<u64>(node + 8) & 0xffff_ffff_0000_0000) + (<u64>cost(byte) << 32) + <u64>byte;
		const count = load<u32>(cache - 4);
		const end = cache - 4;
		cache = end - (<usize>count << 2);
		if (count != 0) {
			let length: u32 = 0; // length - 3, from here on
			for (let at = cache; at < end; at += 4) {
				const match = load<u32>(at);
				const most = match & 0xffff;
				const offset = match >> 16;
				const k = 31 - clz(offset);
				const symbols = COSTS + (<usize>(256 | (k << 4)) << 2);
				const item = <u64>(offset << 16);
				const base = (<u64>(k * BIT) << 32) + item;
				if (most >= 2000) length = most;
				for (; length < 15 && length <= most; length++) {
					const price = (load<u64>(node + (<usize>(length + 3) << 3)) & 0xffff_ffff_0000_0000) + (<u64>load<u32>(symbols + (<usize>length << 2)) << 32) + base + <u64>length;
					best = select<u64>(price, best, price < best);
				}
				if (length > most) continue;
				const long = base + (<u64>(load<u32>(symbols + 60) + 8 * BIT) << 32);
				for (; length <= most; length++) {
					let price = (load<u64>(node + (<usize>(length + 3) << 3)) & 0xffff_ffff_0000_0000) + long + <u64>length;
					if (length >= 270) price += <u64>(16 * BIT) << 32;
					best = select<u64>(price, best, price < best);
				}
			}
		}
		store<u64>(node, best);
	}
}

function collect(buf: usize, size: u32): usize {
	let items = ITEMS;
	let i: u32 = 0;
	while (i < size) {
		const item = load<u32>(NODES + (<usize>i << 3));
		store<u32>(items, item);
		items += 4;
		const offset = item >> 16;
		if (offset == 0) {
			bump(COUNTS + (<usize>item << 2));
			i++;
		} else {
			bump(COUNTS + (symbolOf(offset, item & 0xffff) << 2));
			i += (item & 0xffff) + 3;
		}
	}
	return items;
}

// ---------------------------------------------------------------- writing

let acc: u64 = 0;
let held: u32 = 0;
let word1: usize = 0;
let word2: usize = 0;
let next: usize = 0;

/** Appends at most 16 bits; the places of whole words were set aside before (xpress.md section 3). */
@inline function put(value: u32, count: u32): void {
	acc = (acc << <u64>count) | <u64>value;
	held += count;
	if (held > 16) {
		held -= 16;
		store<u16>(word1, <u32>(acc >> <u64>held));
		word1 = word2;
		word2 = next;
		next += 2;
	}
}

@inline function putSymbol(symbol: usize): void {
	const code = load<u32>(CODES + (symbol << 2));
	put(code >> 4, code & 15);
}

/** The size that writing the counted items will take. */
function storedSize(end: usize): u32 {
	let bits: u64 = 0;
	for (let s: usize = 0; s < 512; s++) {
		const extra: u32 = s < 256 ? 0 : <u32>(s >> 4) & 15;
		bits += <u64>load<u32>(COUNTS + (s << 2)) * (load<u8>(LENGTHS + s) + extra);
	}
	// Each symbol with the header length 15 has one raw byte, and long ones two more.
	let raw: u32 = 0;
	for (let s: usize = 256 + 15; s < 512; s += 16) raw += load<u32>(COUNTS + (s << 2));
	if (raw > 0) for (let at = ITEMS; at < end; at += 4) {
		const item = load<u32>(at);
		if (item >> 16 != 0 && (item & 0xffff) >= 270) raw += 2;
	}
	return 256 + raw + 2 * (<u32>((bits + 15) >> 4) + 1);
}

function write(buf: usize, size: u32, end: usize, output: usize): u32 {
	bump(COUNTS + (END_SYMBOL << 2));
	buildCode(COUNTS, 512, 15, LENGTHS, CODES);
	if (storedSize(end) >= size) return 0;
	for (let s: usize = 0; s < 512; s++) store<u32>(CODES + (s << 2), (load<u32>(CODES + (s << 2)) << 4) | load<u8>(LENGTHS + s));
	for (let b: usize = 0; b < 256; b++) store<u8>(output + b, load<u8>(LENGTHS + 2 * b) | (load<u8>(LENGTHS + 2 * b + 1) << 4));
	acc = 0;
	held = 0;
	word1 = output + 256;
	word2 = output + 258;
	next = output + 260;
	for (let at = ITEMS; at < end; at += 4) {
		const item = load<u32>(at);
		const offset = item >> 16;
		if (offset == 0) {
			putSymbol(item);
			continue;
		}
		const extra = item & 0xffff;
		putSymbol(symbolOf(offset, extra));
		if (extra >= 15) {
			if (extra < 270) store<u8>(next++, extra - 15);
			else {
				store<u8>(next, 255);
				store<u16>(next + 1, extra);
				next += 3;
			}
		}
		const k = 31 - clz(offset);
		put(offset - (1 << k), k);
	}
	putSymbol(END_SYMBOL);
	store<u16>(word1, <u32>(acc << <u64>(16 - held)));
	store<u16>(word2, 0);
	return <u32>(next - output);
}
