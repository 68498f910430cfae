// LZMS encoder: range coder, bit stream, and the writing of items (sections 3, 6 and 10 of the description).
//
// The range coder writes words upward from the start of the output area, the bit stream downward from its end.

import { OFFSET_BASE, OFFSET_EXTRA, LENGTH_BASE, LENGTH_EXTRA, BIT_PRICE, LITERAL_CODE, OFFSET_CODE, LENGTH_CODE, DELTA_OFFSET_CODE, POWER_CODE, ENTRY, DECISION_PRICE } from './lzms-encode-layout';
import { codeword, countDeltaOffset, countLength, countLiteral, countOffset, countPower } from './lzms-encode-codes';
import { afterDelta, afterDeltaRecent, afterExplicit, afterLiteral, afterRecent, DELTA, DELTA_EXPLICIT, DELTA_LATER, DELTA_RECENT, DELTA_THIRD, deltaHistory, deltaLaterHistory, deltaThirdHistory, ENTRIES, EXPLICIT, isDelta, LZ, LZ_LATER, LZ_THIRD, lzHistory, lzLaterHistory, lzThirdHistory, MAIN, MATCH, mainHistory, matchHistory, RECENT } from './lzms-encode-state';
import { lengthSlot, offsetSlot } from './lzms-encode-tables';


let low: u64 = 0;
let range: u32 = 0;
let cache: u32 = 0;
let pending: u32 = 0;
let discard: bool = false;
let front: usize = 0;
let back: usize = 0;
let outputStart: usize = 0;
let outputEnd: usize = 0;
let bits: u64 = 0;
let bitCount: u32 = 0;
/** Whether the two streams met: the output is lost, but stays within its area. */
let full: bool = false;
/** The decision histories after the last item written. */
export let written: u64 = 0;

export function startWriter(output: usize, size: usize): void {
	for (let i: usize = 0; i < <usize>ENTRIES; i++) {
		store<u64>(ENTRY + (i << 4), 0x0000_0000_5555_5555);
		store<u32>(ENTRY + (i << 4), 48, 8);
		store<u32>(DECISION_PRICE + (i << 3), load<u32>(BIT_PRICE + 48 * 4));
		store<u32>(DECISION_PRICE + (i << 3), load<u32>(BIT_PRICE + 16 * 4), 4);
	}
	low = 0;
	range = 0xffff_ffff;
	cache = 0;
	pending = 1;
	discard = true;
	front = output;
	outputStart = output;
	outputEnd = output + (size & ~1);
	full = false;
	back = outputEnd;
	bits = 0;
	bitCount = 0;
	written = 0;
}

/** Whether the output has come to the size of the input: the chunk has to be stored raw. */
export function isFull(): bool {
	return full || front + (<usize>pending << 1) >= back;
}

/** Completes both streams and joins them; returns their size, or 0 when they do not fit. */
export function finishWriter(): usize {
	for (let i = 0; i < 4; i++) shiftLow();
	if (bitCount > 0) putBits(0, 16 - bitCount);
	if (full) return 0;
	const size = outputEnd - back;
	memory.copy(front, back, size);
	return front - outputStart + size;
}

function putWord(word: u32): void {
	if (front + 2 > back) {
		full = true;
		return;
	}
	store<u16>(front, <u16>word);
	front += 2;
}

function shiftLow(): void {
	if (low < 0xffff_0000 || low >= 0x1_0000_0000) {
		const carry = <u32>(low >> 32);
		if (!discard) putWord(cache + carry);
		discard = false;
		for (; pending > 1; pending--) putWord(0xffff + carry);
		pending = 0;
		cache = (<u32>low >> 16) & 0xffff;
	}
	pending++;
	low = (low & 0xffff) << 16;
}

// @ts-ignore: decorator
@inline
function decide(entryNumber: u32, bit: u32): void {
	if (range < 65536) {
		range <<= 16;
		shiftLow();
	}
	const entry = ENTRY + (<usize>entryNumber << 4);
	const zeros = load<u32>(entry, 8);
	const bound = (range >> 6) * (zeros + <u32>(zeros == 0) - (zeros >> 6));
	low += bit != 0 ? <u64>bound : 0;
	range = bit != 0 ? range - bound : bound;
	const history = load<u64>(entry);
	const now = zeros + <u32>(history >> 63) - bit;
	store<u64>(entry, (history << 1) | bit);
	store<u32>(entry, now, 8);
	const price = DECISION_PRICE + (<usize>entryNumber << 3);
	store<u32>(price, load<u32>(BIT_PRICE + (<usize>now << 2)));
	store<u32>(price, load<u32>(BIT_PRICE + 256 - (<usize>now << 2)), 4);
}

function putBits(value: u32, count: u32): void {
	bits = (bits << count) | value;
	bitCount += count;
	while (bitCount >= 16) {
		bitCount -= 16;
		if (back < front + 2) {
			full = true;
			return;
		}
		back -= 2;
		store<u16>(back, <u16>(bits >> bitCount));
	}
}

// @ts-ignore: decorator
@inline
function putSymbol(code: usize, symbol: u32): void {
	const word = codeword(code, symbol);
	putBits(word >> 4, word & 15);
}

export function writeLiteral(byte: u32): void {
	decide(MAIN + mainHistory(written), 0);
	written = afterLiteral(written);
	putSymbol(LITERAL_CODE, byte);
	countLiteral(byte);
}

/** Writes a match of either kind; the item is anything but a literal or a compound. */
export function writeMatch(item: u32, length: u32): void {
	decide(MAIN + mainHistory(written), 1);
	if (isDelta(item)) writeDelta(item);
	else writeLz(item);
	const slot = lengthSlot(length);
	putSymbol(LENGTH_CODE, slot);
	putBits(length - load<u32>(LENGTH_BASE + (<usize>slot << 2)), load<u8>(LENGTH_EXTRA + slot));
	countLength(slot);
}

function writeLz(item: u32): void {
	decide(MATCH + matchHistory(written), 0);
	if (item >= EXPLICIT) {
		decide(LZ + lzHistory(written), 0);
		written = afterExplicit(written);
		const offset = item - EXPLICIT;
		const slot = offsetSlot(offset);
		putSymbol(OFFSET_CODE, slot);
		putBits(offset - load<u32>(OFFSET_BASE + (<usize>slot << 2)), load<u8>(OFFSET_EXTRA + slot));
		countOffset(slot);
		return;
	}
	const index = item - RECENT;
	decide(LZ + lzHistory(written), 1);
	decide(LZ_LATER + lzLaterHistory(written), index == 0 ? 0 : 1);
	if (index > 0) decide(LZ_THIRD + lzThirdHistory(written), index - 1);
	written = afterRecent(written, index);
}

function writeDelta(item: u32): void {
	decide(MATCH + matchHistory(written), 1);
	if (item >= DELTA) {
		decide(DELTA_EXPLICIT + deltaHistory(written), 0);
		written = afterDelta(written);
		const power = (item >> 28) & 7;
		const raw = item & 0x0fffffff;
		putSymbol(POWER_CODE, power);
		countPower(power);
		const slot = offsetSlot(raw);
		putSymbol(DELTA_OFFSET_CODE, slot);
		putBits(raw - load<u32>(OFFSET_BASE + (<usize>slot << 2)), load<u8>(OFFSET_EXTRA + slot));
		countDeltaOffset(slot);
		return;
	}
	const index = item - DELTA_RECENT;
	decide(DELTA_EXPLICIT + deltaHistory(written), 1);
	decide(DELTA_LATER + deltaLaterHistory(written), index == 0 ? 0 : 1);
	if (index > 0) decide(DELTA_THIRD + deltaThirdHistory(written), index - 1);
	written = afterDeltaRecent(written, index);
}
