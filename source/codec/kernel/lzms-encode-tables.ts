// LZMS encoder: the slots of offsets and lengths, prices of binary decisions, and where the small tables lie.
// Knowledge: the description of LZMS in WIM resources (sections 3-5); prices are -log2 of a probability.
//
// A price counts 1/64 bit in the upper 24 bits of a 32-bit number (bits << 14). The lower eight bits stay free:
// the parser puts the length of an item there, so that one comparison settles price and item at once.

import { OFFSET_BASE, OFFSET_EXTRA, LENGTH_BASE, LENGTH_EXTRA, LENGTH_SLOT, NEAR_SLOT, MIDDLE_SLOT, FAR_SLOT, BIT_PRICE } from './lzms-encode-layout';

export const PRICE_SHIFT: u32 = 14;

export const OFFSET_SLOTS: u32 = 799;
export const LENGTH_SLOTS: u32 = 54;
export const POWERS: u32 = 8;


// All slots from 84 on begin at 0xA5 modulo 256, from 354 on at 0x64A5 modulo 32768: so three tables with growing
// steps give the slot of any offset.
const NEAR_END: u32 = 0x10a5;
const MIDDLE_END: u32 = 0x1964a5;
const FAR_END: u32 = 0x65be4a5;


let ready: bool = false;

/** Number of consecutive slots that have 0, 1, 2, ... extra bits; 0xff jumps to the last slot. */
const OFFSET_RUNS: usize = memory.data<u8>([
	8, 0, 9, 7, 10, 15, 15, 20, 20, 30, 33, 40, 42, 45, 60, 73, 80, 85, 95, 105, 6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
]);
const LENGTH_RUNS: usize = memory.data<u8>([
	26, 4, 6, 4, 5, 2, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
]);

/** To be called when other codecs may have used the region of the tables. */
export function forgetTables(): void {
	ready = false;
}

/** Fills the tables unless they are there. */
export function prepareTables(): void {
	if (ready) return;
	ready = true;
	fillSlots(OFFSET_RUNS, OFFSET_BASE, OFFSET_EXTRA);
	fillSlots(LENGTH_RUNS, LENGTH_BASE, LENGTH_EXTRA);
	let slot: u32 = 0;
	for (let length: u32 = 1; length < 256; length++) {
		while (load<u32>(LENGTH_BASE + ((slot + 1) << 2)) <= length) slot++;
		store<u8>(LENGTH_SLOT + length, <u8>slot);
	}
	slot = 0;
	for (let offset: u32 = 1; offset < NEAR_END; offset++) {
		while (load<u32>(OFFSET_BASE + ((slot + 1) << 2)) <= offset) slot++;
		store<u16>(NEAR_SLOT + (offset << 1), <u16>slot);
	}
	for (let offset: u32 = NEAR_END; offset < MIDDLE_END; offset += 256) {
		while (load<u32>(OFFSET_BASE + ((slot + 1) << 2)) <= offset) slot++;
		store<u16>(MIDDLE_SLOT + (((offset - 0xa5) >> 8) << 1), <u16>slot);
	}
	for (let offset: u32 = MIDDLE_END; offset < FAR_END; offset += 32768) {
		while (load<u32>(OFFSET_BASE + ((slot + 1) << 2)) <= offset) slot++;
		store<u16>(FAR_SLOT + (((offset - 0x64a5) >> 15) << 1), <u16>slot);
	}
	for (let p: u32 = 0; p <= 64; p++) {
		const q = p == 0 ? 1 : p == 64 ? 63 : p;
		store<u32>(BIT_PRICE + (p << 2), fineLog2(q) << 8);
	}
}

function fillSlots(runs: usize, bases: usize, extras: usize): void {
	let base: u32 = 1;
	let slot: usize = 0;
	for (let extra: u32 = 0; extra <= 30; extra++) {
		for (let left: u32 = load<u8>(runs + extra); left > 0; left--) {
			store<u32>(bases + (slot << 2), base);
			store<u8>(extras + slot, <u8>extra);
			base += (<u32>1) << extra;
			slot++;
		}
	}
	store<u32>(bases + (slot << 2), 0xffffffff);
}

/** 64 * -log2(p / 64), rounded, by repeated squaring in integers: the same on every machine. */
function fineLog2(p: u32): u32 {
	// Normalise p to x in [2^31, 2^32): p/64 = x / 2^32 * 2^-whole.
	let whole: u32 = clz(p) - 26;
	let x: u64 = (<u64>p) << clz(p);
	// log2(x / 2^31) with 12 fractional bits.
	let fraction: u32 = 0;
	for (let i = 0; i < 12; i++) {
		x = (x * x) >> 31;
		fraction <<= 1;
		if (x >= (<u64>1) << 32) {
			x >>= 1;
			fraction |= 1;
		}
	}
	return (((whole + 1) << 12) - fraction + 32) >> 6;
}

/** Slot of an offset, which is at least 1. */
// @ts-ignore: decorator
@inline
export function offsetSlot(offset: u32): u32 {
	if (offset < NEAR_END) return load<u16>(NEAR_SLOT + (<usize>offset << 1));
	if (offset < MIDDLE_END) return load<u16>(MIDDLE_SLOT + (<usize>((offset - 0xa5) >> 8) << 1));
	if (offset < FAR_END) return load<u16>(FAR_SLOT + (<usize>((offset - 0x64a5) >> 15) << 1));
	return 798;
}

/** Slot of any length. */
export function lengthSlot(length: u32): u32 {
	if (length < 256) return load<u8>(LENGTH_SLOT + length);
	let slot: u32 = 47;
	while (load<u32>(LENGTH_BASE + ((slot + 1) << 2)) <= length) slot++;
	return slot;
}
