// The LZMS decoder: shared/format/lzms.md. The range coder reads words from the front of the chunk, the bit stream of the
// Huffman codes from its back.

import {
	CODE_LONG,
	CODE_SIZE,
	CODE_TABLE,
	FREQUENCIES,
	rebuildCode,
	startCode,
} from './adaptive';
import { copyMatch } from './copy';
import { LONG, longSymbol, NO_SYMBOL } from './huffman';
import {
	CODES,
	DELTA_DISTANCE,
	DONE,
	ENDS_EARLY,
	HISTORIES,
	LAST_USES,
	LENGTH_ROWS,
	MATCH_BEFORE_START,
	MATCH_PAST_END,
	OFFSET_ROWS,
	SYMBOL_UNKNOWN,
} from './layout';
import { LENGTH_SLOTS, slotsFor, writeLengthSlots, writeOffsetSlots } from './slots';
import { filterX86 } from './x86';

// Histories of the decision classes: the last 64 bits of each state, 8 bytes.
const MAIN: usize = HISTORIES; // 16 states
const MATCH: usize = MAIN + 16 * 8; // 32 states
const LZ: usize = MATCH + 32 * 8; // 64 states, like all below
const LZ_REPEAT: usize = LZ + 64 * 8;
const LZ_REPEAT_2: usize = LZ_REPEAT + 64 * 8;
const DELTA: usize = LZ_REPEAT_2 + 64 * 8;
const DELTA_REPEAT: usize = DELTA + 64 * 8;
const DELTA_REPEAT_2: usize = DELTA_REPEAT + 64 * 8;
const HISTORIES_END: usize = DELTA_REPEAT_2 + 64 * 8;
const FIRST_HISTORY: u64 = 0x55555555;

// The five codes, and how many bits their tables take.
const LITERAL: usize = CODES;
const LENGTH: usize = CODES + CODE_SIZE;
const OFFSET: usize = CODES + 2 * CODE_SIZE;
const DELTA_OFFSET: usize = CODES + 3 * CODE_SIZE;
const POWER: usize = CODES + 4 * CODE_SIZE;
const LITERAL_BITS: u32 = 10;
const LENGTH_BITS: u32 = 9;
const OFFSET_BITS: u32 = 11;
const POWER_BITS: u32 = 7;

/** Symbols between two rebuilds of a code. */
const LONG_PERIOD: u32 = 1024;
const SHORT_PERIOD: u32 = 512;

writeOffsetSlots(OFFSET_ROWS);
writeLengthSlots(LENGTH_ROWS);

/** Where the next words of both streams stand after the last chunk, as far as their bits were used. */
export let lzmsFront: usize = 0;
export let lzmsBack: usize = 0;

/** Splits the range: the probability of a 0 is the number of zeros among the last 64 bits, 1 to 63, of 64. */
// @ts-ignore: decorator
@inline
function split(range: u32, history: u64): u32 {
	const ones = <u32>popcnt(history);
	return (range >> 6) * (64 - (ones + <u32>(ones == 0) - (ones >> 6)));
}

/**
 * Decodes one chunk. Reads up to 40 bytes before `input` and behind `inEnd`, which must be zero; writes up to 15 behind
 * `outEnd`. The stored size is even and at least 4, the original size at least 5.
 *
 * @returns a code of layout.ts
 */
export function decodeLzms(input: usize, inEnd: usize, output: usize, outEnd: usize): u32 {
	const offsets = slotsFor(OFFSET_ROWS, <u32>(outEnd - output) - 1);
	for (let at: usize = HISTORIES; at < HISTORIES_END; at += 8) store<u64>(at, FIRST_HISTORY);
	startCode(LITERAL, 256, LITERAL_BITS);
	startCode(LENGTH, LENGTH_SLOTS, LENGTH_BITS);
	startCode(OFFSET, offsets, OFFSET_BITS);
	startCode(DELTA_OFFSET, offsets, OFFSET_BITS);
	startCode(POWER, 8, POWER_BITS);

	// The range coder. Its two words ahead may lie behind the end, no more.
	const frontLimit = inEnd + 4;
	let range: u32 = 0xffffffff;
	let code = rotl<u32>(load<u32>(input), 16);
	let front = input + 4;

	// The bit stream: what comes next at the top of `bits`; only the low six bits of `held` count.
	const backLimit = input - 8;
	let back = inEnd;
	let bits: u64 = 0;
	let held: u32 = 0;

	let mainState: u32 = 0;
	let matchState: u32 = 0;
	let lzState: u32 = 0;
	let repeatState: u32 = 0;
	let repeat2State: u32 = 0;
	let deltaState: u32 = 0;
	let deltaRepeatState: u32 = 0;
	let deltaRepeat2State: u32 = 0;

	let literalsLeft = LONG_PERIOD;
	let lengthsLeft = SHORT_PERIOD;
	let offsetsLeft = LONG_PERIOD;
	let deltaOffsetsLeft = LONG_PERIOD;
	let powersLeft = SHORT_PERIOD;

	// Recent offsets, and recent pairs as `power << 32 | raw`.
	let l0: u32 = 1;
	let l1: u32 = 2;
	let l2: u32 = 3;
	let l3: u32 = 4;
	let d0: u64 = 1;
	let d1: u64 = 2;
	let d2: u64 = 3;
	let d3: u64 = 4;
	// Whether the item before was a match of the same kind, whose offset cannot be named.
	let afterLz = false;
	let afterDelta = false;

	let out = output;
	while (out < outEnd) {
		// More was taken than exists if the pointers are this far out.
		if (front > frontLimit || back < backLimit) return ENDS_EARLY;
		bits |= load<u64>(back - 8) >> (<u64>held);
		back -= <usize>(((held >> 3) & 6) ^ 6);
		held |= 48;

		if (range < 0x10000) {
			range <<= 16;
			code = (code << 16) | <u32>load<u16>(front);
			front += 2;
		}
		let history = MAIN + (<usize>mainState << 3);
		let past = load<u64>(history);
		let bound = split(range, past);
		if (code < bound) {
			range = bound;
			store<u64>(history, past << 1);
			mainState = (mainState << 1) & 15;
			let e = <u32>load<u16>((<usize>(bits >> 54) << 1) + LITERAL + CODE_TABLE);
			if (e >= LONG) {
				e = longSymbol(LITERAL + CODE_LONG, <u32>(bits >> 48), LITERAL_BITS);
				if (e == NO_SYMBOL) return SYMBOL_UNKNOWN;
			}
			bits <<= <u64>e;
			held -= e;
			const symbol = e >> 6;
			store<u8>(out, <u8>symbol);
			out += 1;
			const slot = LITERAL + FREQUENCIES + (<usize>symbol << 2);
			store<u32>(slot, load<u32>(slot) + 1);
			afterLz = false;
			afterDelta = false;
			literalsLeft -= 1;
			if (literalsLeft == 0) {
				rebuildCode(LITERAL, 256, LITERAL_BITS);
				literalsLeft = LONG_PERIOD;
			}
			continue;
		}
		range -= bound;
		code -= bound;
		store<u64>(history, (past << 1) | 1);
		mainState = ((mainState << 1) | 1) & 15;

		if (range < 0x10000) {
			range <<= 16;
			code = (code << 16) | <u32>load<u16>(front);
			front += 2;
		}
		history = MATCH + (<usize>matchState << 3);
		past = load<u64>(history);
		bound = split(range, past);
		let isDelta = false;
		let offset: u32 = 0;
		let power: u32 = 0;
		if (code < bound) {
			range = bound;
			store<u64>(history, past << 1);
			matchState = (matchState << 1) & 31;

			if (range < 0x10000) {
				range <<= 16;
				code = (code << 16) | <u32>load<u16>(front);
				front += 2;
			}
			history = LZ + (<usize>lzState << 3);
			past = load<u64>(history);
			bound = split(range, past);
			if (code < bound) {
				range = bound;
				store<u64>(history, past << 1);
				lzState = (lzState << 1) & 63;
				let e = <u32>load<u16>((<usize>(bits >> 53) << 1) + OFFSET + CODE_TABLE);
				if (e >= LONG) {
					e = longSymbol(OFFSET + CODE_LONG, <u32>(bits >> 48), OFFSET_BITS);
					if (e == NO_SYMBOL) return SYMBOL_UNKNOWN;
				}
				bits <<= <u64>e;
				held -= e;
				const symbol = <usize>(e >> 6);
				const slot = OFFSET + FREQUENCIES + (symbol << 2);
				store<u32>(slot, load<u32>(slot) + 1);
				const row = OFFSET_ROWS + (symbol << 3);
				const extra = load<u32>(row + 4);
				offset = load<u32>(row) + <u32>((bits >> 1) >> <u64>(63 - extra));
				bits <<= <u64>extra;
				held -= extra;
				offsetsLeft -= 1;
				if (offsetsLeft == 0) {
					rebuildCode(OFFSET, offsets, OFFSET_BITS);
					offsetsLeft = LONG_PERIOD;
				}
				l3 = l2;
				l2 = l1;
				l1 = l0;
			} else {
				range -= bound;
				code -= bound;
				store<u64>(history, (past << 1) | 1);
				lzState = ((lzState << 1) | 1) & 63;

				if (range < 0x10000) {
					range <<= 16;
					code = (code << 16) | <u32>load<u16>(front);
					front += 2;
				}
				history = LZ_REPEAT + (<usize>repeatState << 3);
				past = load<u64>(history);
				bound = split(range, past);
				let index: u32 = <u32>afterLz;
				if (code < bound) {
					range = bound;
					store<u64>(history, past << 1);
					repeatState = (repeatState << 1) & 63;
				} else {
					range -= bound;
					code -= bound;
					store<u64>(history, (past << 1) | 1);
					repeatState = ((repeatState << 1) | 1) & 63;

					if (range < 0x10000) {
						range <<= 16;
						code = (code << 16) | <u32>load<u16>(front);
						front += 2;
					}
					history = LZ_REPEAT_2 + (<usize>repeat2State << 3);
					past = load<u64>(history);
					bound = split(range, past);
					if (code < bound) {
						range = bound;
						store<u64>(history, past << 1);
						repeat2State = (repeat2State << 1) & 63;
						index += 1;
					} else {
						range -= bound;
						code -= bound;
						store<u64>(history, (past << 1) | 1);
						repeat2State = ((repeat2State << 1) | 1) & 63;
						index += 2;
					}
				}
				if (index == 0) {
					offset = l0;
				} else if (index == 1) {
					offset = l1;
					l1 = l0;
				} else if (index == 2) {
					offset = l2;
					l2 = l1;
					l1 = l0;
				} else {
					offset = l3;
					l3 = l2;
					l2 = l1;
					l1 = l0;
				}
			}
			l0 = offset;
		} else {
			range -= bound;
			code -= bound;
			store<u64>(history, (past << 1) | 1);
			matchState = ((matchState << 1) | 1) & 31;
			isDelta = true;

			if (range < 0x10000) {
				range <<= 16;
				code = (code << 16) | <u32>load<u16>(front);
				front += 2;
			}
			history = DELTA + (<usize>deltaState << 3);
			past = load<u64>(history);
			bound = split(range, past);
			let pair: u64;
			if (code < bound) {
				range = bound;
				store<u64>(history, past << 1);
				deltaState = (deltaState << 1) & 63;
				// Eight symbols: never more than 7 bits.
				let e = <u32>load<u16>((<usize>(bits >> 57) << 1) + POWER + CODE_TABLE);
				bits <<= <u64>e;
				held -= e;
				const symbolPower = <usize>(e >> 6);
				let slot = POWER + FREQUENCIES + (symbolPower << 2);
				store<u32>(slot, load<u32>(slot) + 1);
				powersLeft -= 1;
				if (powersLeft == 0) {
					rebuildCode(POWER, 8, POWER_BITS);
					powersLeft = SHORT_PERIOD;
				}
				bits |= load<u64>(back - 8) >> (<u64>held);
				back -= <usize>(((held >> 3) & 6) ^ 6);
				held |= 48;
				e = <u32>load<u16>((<usize>(bits >> 53) << 1) + DELTA_OFFSET + CODE_TABLE);
				if (e >= LONG) {
					e = longSymbol(DELTA_OFFSET + CODE_LONG, <u32>(bits >> 48), OFFSET_BITS);
					if (e == NO_SYMBOL) return SYMBOL_UNKNOWN;
				}
				bits <<= <u64>e;
				held -= e;
				const symbol = <usize>(e >> 6);
				slot = DELTA_OFFSET + FREQUENCIES + (symbol << 2);
				store<u32>(slot, load<u32>(slot) + 1);
				const row = OFFSET_ROWS + (symbol << 3);
				const extra = load<u32>(row + 4);
				pair = (<u64>symbolPower << 32) | <u64>(load<u32>(row) + <u32>((bits >> 1) >> <u64>(63 - extra)));
				bits <<= <u64>extra;
				held -= extra;
				deltaOffsetsLeft -= 1;
				if (deltaOffsetsLeft == 0) {
					rebuildCode(DELTA_OFFSET, offsets, OFFSET_BITS);
					deltaOffsetsLeft = LONG_PERIOD;
				}
				d3 = d2;
				d2 = d1;
				d1 = d0;
			} else {
				range -= bound;
				code -= bound;
				store<u64>(history, (past << 1) | 1);
				deltaState = ((deltaState << 1) | 1) & 63;

				if (range < 0x10000) {
					range <<= 16;
					code = (code << 16) | <u32>load<u16>(front);
					front += 2;
				}
				history = DELTA_REPEAT + (<usize>deltaRepeatState << 3);
				past = load<u64>(history);
				bound = split(range, past);
				let index: u32 = <u32>afterDelta;
				if (code < bound) {
					range = bound;
					store<u64>(history, past << 1);
					deltaRepeatState = (deltaRepeatState << 1) & 63;
				} else {
					range -= bound;
					code -= bound;
					store<u64>(history, (past << 1) | 1);
					deltaRepeatState = ((deltaRepeatState << 1) | 1) & 63;

					if (range < 0x10000) {
						range <<= 16;
						code = (code << 16) | <u32>load<u16>(front);
						front += 2;
					}
					history = DELTA_REPEAT_2 + (<usize>deltaRepeat2State << 3);
					past = load<u64>(history);
					bound = split(range, past);
					if (code < bound) {
						range = bound;
						store<u64>(history, past << 1);
						deltaRepeat2State = (deltaRepeat2State << 1) & 63;
						index += 1;
					} else {
						range -= bound;
						code -= bound;
						store<u64>(history, (past << 1) | 1);
						deltaRepeat2State = ((deltaRepeat2State << 1) | 1) & 63;
						index += 2;
					}
				}
				if (index == 0) {
					pair = d0;
				} else if (index == 1) {
					pair = d1;
					d1 = d0;
				} else if (index == 2) {
					pair = d2;
					d2 = d1;
					d1 = d0;
				} else {
					pair = d3;
					d3 = d2;
					d2 = d1;
					d1 = d0;
				}
			}
			d0 = pair;
			power = <u32>(pair >> 32);
			const distance = (pair & 0xffffffff) << <u64>power;
			if (distance > 0xffffffff) return DELTA_DISTANCE;
			offset = <u32>distance;
		}

		// The length, of both kinds of matches.
		bits |= load<u64>(back - 8) >> (<u64>held);
		back -= <usize>(((held >> 3) & 6) ^ 6);
		held |= 48;
		let e = <u32>load<u16>((<usize>(bits >> 55) << 1) + LENGTH + CODE_TABLE);
		if (e >= LONG) {
			e = longSymbol(LENGTH + CODE_LONG, <u32>(bits >> 48), LENGTH_BITS);
			if (e == NO_SYMBOL) return SYMBOL_UNKNOWN;
		}
		bits <<= <u64>e;
		held -= e;
		const symbol = <usize>(e >> 6);
		const slot = LENGTH + FREQUENCIES + (symbol << 2);
		store<u32>(slot, load<u32>(slot) + 1);
		const row = LENGTH_ROWS + (symbol << 3);
		const extra = load<u32>(row + 4);
		const length = <usize>(load<u32>(row) + <u32>((bits >> 1) >> <u64>(63 - extra)));
		bits <<= <u64>extra;
		held -= extra;
		lengthsLeft -= 1;
		if (lengthsLeft == 0) {
			rebuildCode(LENGTH, LENGTH_SLOTS, LENGTH_BITS);
			lengthsLeft = SHORT_PERIOD;
		}

		if (length > outEnd - out) return MATCH_PAST_END;
		if (isDelta) {
			if (<u64>offset + (<u64>1 << <u64>power) > <u64>(out - output)) return DELTA_DISTANCE;
			copyDelta(out, <usize>offset, <usize>1 << <usize>power, length);
			afterLz = false;
			afterDelta = true;
		} else {
			if (offset > <u32>(out - output)) return MATCH_BEFORE_START;
			copyMatch(out, <usize>offset, length);
			afterLz = true;
			afterDelta = false;
		}
		out += length;
	}
	if (front > frontLimit || back + <usize>((held & 63) >> 3) < input) return ENDS_EARLY;
	lzmsFront = front;
	lzmsBack = back + <usize>(((held >> 4) & 3) << 1);
	filterX86(output, outEnd, LAST_USES, true);
	return DONE;
}

function copyDelta(out: usize, offset: usize, span: usize, length: usize): void {
	const end = out + length;
	for (let to = out; to < end; to++) {
		store<u8>(
			to,
			<u8>(<u32>load<u8>(to - offset) + <u32>load<u8>(to - span) - <u32>load<u8>(to - span - offset)),
		);
	}
}
