// LZX encoder: counts of symbols, and what each symbol costs by them, in 1/64 bit.

import { ALIGNED_COST, ALIGNED_COUNT, BIT, bump, extraBits, LENGTH_COST, LENGTH_COUNT, LITERAL, LITERAL_COST, MAIN_CODE, MAIN_COUNT, MATCH_COST, ROW, slotOf } from './lzx-encode-layout';

const LOGS: usize = memory.data(256);

export function clearCounts(): void {
	memory.fill(MAIN_COUNT, 0, MAIN_CODE - MAIN_COUNT);
}

@inline export function tallyMatch(formatted: u32, length: u32): void {
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
export function prepareLogs(): void {
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

export function sum(counts: usize, n: u32): u32 {
	let s: u32 = 0;
	for (let i: u32 = 0; i < n; i++) s += load<u32>(counts + (<usize>i << 2));
	return s;
}

/** Sets the costs of all symbols from counts laid out like those at MAIN_COUNT. */
export function setCosts(counts: usize, slots: u32): void {
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
