// LZX encoder: the bit stream; a block's header, codes and items (lzx.md section 10.6).

import { buildCode } from './huffman-build';
import { ALIGNED_BITS, ALIGNED_CODE, ALIGNED_COUNT, bump, extraBits, LENGTH_BEFORE, LENGTH_BITS, LENGTH_CODE, LENGTH_COUNT, MAIN_BEFORE, MAIN_BITS, MAIN_CODE, MAIN_COUNT, PRE_BITS, PRE_CODE, PRE_COUNT, PRE_ITEMS, slotOf } from './lzx-encode-layout';

let bitAcc: u64 = 0;
let bitCount: u32 = 0;
let bitAt: usize = 0;
let bitEnd: usize = 0;
export let full: bool = false;

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

/** Starts a chunk: nothing before it, room for so many bytes. */
export function startBlocks(output: usize, room: u32): void {
	bitAcc = 0;
	bitCount = 0;
	bitAt = output;
	bitEnd = output + room;
	full = false;
	memory.fill(MAIN_BEFORE, 0, 0x3a0);
}

/** Completes the chunk; returns its end. */
export function endBlocks(): usize {
	flushBits();
	return bitAt;
}

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

/** Builds the codes of the counted items and writes the block of `n` bytes. */
export function writeBlock(p: usize, n: u32, itemsAt: usize, itemsEnd: usize, chunkSize: u32, slots: u32): void {
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
	writeItems(p, itemsAt, itemsEnd, aligned);
}

function writeItems(p: usize, itemsAt: usize, itemsEnd: usize, aligned: bool): void {
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
