// XPRESS encoder (xpress.md): a lazy parse on the row finder, or the cheapest parse on the tree finder.

import { buildCode } from './huffman-build';
import { FINDER_END, fillCache, filledTo, resetCovered, resetFinder } from './match-finder';
import { looksRandom } from './probe';
import { enterAll, enterFours, longestMatch, resetRows } from './row-finder';

const TABLES: usize = (FINDER_END + 0xffff) & ~0xffff;
const COUNTS: usize = TABLES; //             u32[512]
const CODES: usize = COUNTS + 0x800; //      u32[512]: codeword << 8 | number of offset bits << 4 | length
const LENGTHS: usize = CODES + 0x800; //     u8[512]
const COSTS: usize = LENGTHS + 0x200; //     u32[512]
const ITEMS: usize = COSTS + 0x800; //       u32[65536 + 16]: symbol | the bits behind it << 9
const NODES: usize = ITEMS + 0x40100; //     u64[65536 + 16]: cost << 32 | literal, or offset << 16 | length - 3
const LONG: usize = NODES + 0x80100; //      u16[65536 / 18 + 16]: length - 3 of each match whose symbol does not tell it, in order
const CACHE: usize = LONG + 0x2000;
const CACHE_END: usize = 0x7f0000;

/** The code lengths alone take 256 bytes. */
const SIZE_MIN: u32 = 300;
const END_SYMBOL: usize = 256;
/** In all symbols of matches whose length stands behind them, these bits are set, and in no others. */
const LONG_MASK: u32 = 0x10f;
const BIT: u32 = 16;

@inline function bump(at: usize): void { store<u32>(at, load<u32>(at) + 1); }

@inline function symbolOf(offset: u32, extra: u32): usize { return 256 | <usize>((31 - clz(offset)) << 4) | <usize>min<u32>(extra, 15); }

/** End of the lengths at LONG. */
let longEnd: usize = 0;
/** How many raw bytes these lengths will take. */
let rawSize: u32 = 0;

/** Appends a match of length `extra` + 3 to the items, and counts it. */
@inline function matchItem(items: usize, offset: u32, extra: u32): usize {
	const symbol = symbolOf(offset, extra);
	store<u32>(items, <u32>symbol | ((offset ^ (1 << (31 - clz(offset)))) << 9));
	bump(COUNTS + (symbol << 2));
	if (extra >= 15) {
		store<u16>(longEnd, extra);
		longEnd += 2;
		rawSize += extra < 270 ? 1 : 3;
	}
	return items + 4;
}

@inline function resetItems(): void {
	memory.fill(COUNTS, 0, 0x800);
	longEnd = LONG;
	rawSize = 0;
}

/** Bytes of workspace that a chunk needs: a copy with room to read beyond its end. */
export function xpressWorkspaceSize(chunkSize: u32): u32 { return chunkSize + 1024; }

/** Encodes one chunk. Returns the stored size, or 0 when that would not be less than `size`. */
export function xpressEncode(level: u32, input: usize, size: u32, output: usize, workspace: usize): u32 {
	if (size < SIZE_MIN) return 0;
	memory.copy(workspace, input, size);
	memory.fill(workspace + size, 0, 320);
	if (level >= 60 && level < 100 && looksRandom(workspace, size)) return 0;
	resetItems();
	let end: usize;
	if (level < 60) {
		const depth: u32 = level < 30 ? 5 + (level >> 2) : 16;
		end = lazyOf(workspace, size, depth, 8 + level, level >= 30);
	} else if (level < 80) end = cheapest(workspace, size, 16, 32, 1);
	else if (level < 100) end = cheapest(workspace, size, 24, 48, 2);
	else end = cheapest(workspace, size, 56, 112, 4);
	return write(size, end, output);
}

function lazyOf(buf: usize, size: u32, depth: u32, nice: u32, wait: bool): usize {
	return size <= 0x2000 ? lazy<i16>(buf, size, depth, nice, wait) : lazy<u16>(buf, size, depth, nice, wait);
}

/** So many positions at either end of a long match are made known to the finder. */
const EDGE: u32 = 8;

/** What a match saves, in quarters of what a byte costs, less its offset bits. */
@inline function worth(length: u32, offset: u32): u32 { return length * 4 + clz(offset); }

/** Takes longest matches, or one that begins a byte later when it is longer. Returns the end of the items. */
function lazy<T>(buf: usize, size: u32, depth: u32, nice: u32, wait: bool): usize {
	resetRows<T>();
	enterAll<T>(buf, 0, 1);
	let items = literal(ITEMS, load<u8>(buf));
	let i: u32 = 1;
	// The last bytes are literals unless a match runs into them: reading four bytes there is not worth a test each.
	const last = size - 8;
	// A match this long is hardly ever worth putting off.
	const good = min<u32>(nice, 8);
	// Three bytes from farther away cost more than as many literals, nearly always; and so do four.
	const far: u32 = size > 0x2000 ? 512 : 256;
	while (i < last) {
		let match = longestMatch<T>(buf, i, 2, depth, nice, size - i);
		let length = <u32>match;
		let offset = <u32>(match >> 32);
		if (length == 0 || (length == 3 && offset > far) || (length == 4 && offset > 16 * far)) {
			items = literal(items, load<u8>(buf + i));
			i++;
			continue;
		}
		let entered = i + 1;
		if (wait) while (length < good && i + 1 < last) {
			match = longestMatch<T>(buf, i + 1, length - 1, depth >> 1, nice, size - i - 1);
			entered++;
			if (worth(<u32>match, <u32>(match >> 32)) <= worth(length, offset) + 2) break;
			items = literal(items, load<u8>(buf + i));
			length = <u32>match;
			offset = <u32>(match >> 32);
			i++;
		}
		items = matchItem(items, offset, length - 3);
		i += length;
		if (i < last) {
			// What is inside a long match is inside of where that came from as well: its ends are enough.
			if (i - entered > 2 * EDGE + 4) {
				enterFours<T>(buf, entered, entered + EDGE);
				entered = i - EDGE;
			}
			enterFours<T>(buf, entered, i);
		}
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
	// The symbols of a quick parse give the first costs.
	lazyOf(buf, size, 8, 32, true);
	resetFinder<u16>();
	resetCovered();
	let cacheEnd = fillCache<u16, u16>(buf, 0, size, size, CACHE, CACHE_END, depth, nice, 65535, 0);
	if (filledTo < size) {
		// Too many matches to remember. With this depth a position needs 18 words at most, and 64 Ki of them have room.
		resetFinder<u16>();
		resetCovered();
		cacheEnd = fillCache<u16, u16>(buf, 0, size, size, CACHE, CACHE_END, 16, nice, 65535, 0);
	}
	let items: usize = ITEMS;
	for (let pass: u32 = 0; pass < passes; pass++) {
		costsFromCounts();
		search(buf, size, cacheEnd);
		resetItems();
		items = collect(size);
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

function collect(size: u32): usize {
	let items = ITEMS;
	let i: u32 = 0;
	while (i < size) {
		const item = load<u32>(NODES + (<usize>i << 3));
		if (item >> 16 == 0) {
			items = literal(items, item);
			i++;
		} else {
			items = matchItem(items, item >> 16, item & 0xffff);
			i += (item & 0xffff) + 3;
		}
	}
	return items;
}

// ---------------------------------------------------------------- writing

/** The size that writing the counted items will take; completes the codes by the number of offset bits. */
function storedSize(): u32 {
	let bits: u64 = 0;
	for (let s: usize = 0; s < 512; s++) {
		const extra: u32 = s < 256 ? 0 : <u32>(s >> 4) & 15;
		const length = <u32>load<u8>(LENGTHS + s);
		bits += <u64>load<u32>(COUNTS + (s << 2)) * (length + extra);
		store<u32>(CODES + (s << 2), (load<u32>(CODES + (s << 2)) << 8) | (extra << 4) | length);
	}
	return 256 + rawSize + 2 * (<u32>((bits + 15) >> 4) + 1);
}

function write(size: u32, end: usize, output: usize): u32 {
	bump(COUNTS + (END_SYMBOL << 2));
	buildCode(COUNTS, 512, 15, LENGTHS, CODES);
	if (storedSize() >= size) return 0;
	for (let b: usize = 0; b < 256; b++) store<u8>(output + b, load<u8>(LENGTHS + 2 * b) | (load<u8>(LENGTHS + 2 * b + 1) << 4));
	// Places of whole words are set aside early (xpress.md section 3): w1 and w2 are the next two. As long as no raw byte
	// comes in between, two words may go out together and late.
	let acc: u64 = 0;
	let held: u32 = 0;
	let w1 = output + 256;
	let w2 = output + 258;
	let next = output + 260;
	let long = LONG;
	// A match of length 3 at offset 1 has the symbol of the end, and no further bits.
	store<u32>(end, <u32>END_SYMBOL);
	for (let at = ITEMS; at <= end; at += 4) {
		const item = load<u32>(at);
		const code = load<u32>(CODES + (<usize>(item & 511) << 2));
		const offsetBits = (code >> 4) & 15;
		let value = ((code >> 8) << offsetBits) | (item >> 9);
		let count = (code & 15) + offsetBits;
		if ((item & LONG_MASK) == LONG_MASK) {
			acc = (acc << <u64>(code & 15)) | <u64>(code >> 8);
			held += code & 15;
			while (held > 16) {
				held -= 16;
				store<u16>(w1, <u32>(acc >> <u64>held));
				w1 = w2;
				w2 = next;
				next += 2;
			}
			value = item >> 9;
			count = offsetBits;
			const extra = <u32>load<u16>(long);
			long += 2;
			if (extra < 270) store<u8>(next++, extra - 15);
			else {
				store<u8>(next, 255);
				store<u16>(next + 1, extra);
				next += 3;
			}
		}
		acc = (acc << <u64>count) | <u64>value;
		held += count;
		// What is stored before two words are full is stored again when they are: that costs less than a branch.
		const full = held > 32;
		store<u16>(w1, <u32>(acc >> <u64>((held - 16) & 63)));
		store<u16>(w2, <u32>(acc >> <u64>((held - 32) & 63)));
		w1 = select<usize>(next, w1, full);
		w2 = select<usize>(next + 2, w2, full);
		next = select<usize>(next + 4, next, full);
		held = select<u32>(held - 32, held, full);
	}
	if (held > 16) {
		held -= 16;
		store<u16>(w1, <u32>(acc >> <u64>held));
		w1 = w2;
		w2 = next;
		next += 2;
	}
	store<u16>(w1, <u32>(acc << <u64>(16 - held)));
	store<u16>(w2, 0);
	return <u32>(next - output);
}
