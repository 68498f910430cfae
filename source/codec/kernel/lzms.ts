// The LZMS decoder: shared/format/lzms.md. The range coder reads words from the front of the chunk, the bit stream of the
// Huffman codes from its back. Of a large chunk only a window around each of the two is in memory.

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
	MORE,
	OFFSET_ROWS,
	SYMBOL_UNKNOWN,
} from './layout';
import { LENGTH_SLOTS, slotsFor, writeLengthSlots, writeOffsetSlots } from './slots';
import { decodeX86, FILTER_TAIL } from './x86';

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

/** The range coder is this many bytes ahead of what it has used, and may be so at the end. */
const AHEAD: usize = 4;

writeOffsetSlots(OFFSET_ROWS);
writeLengthSlots(LENGTH_ROWS);

/**
 * A window that goes on is left this far before its end: between two looks at it, 1024 literals and two matches take less
 * than 2200 bytes of either stream.
 */
const MARGIN: usize = 4096;

/** A chunk with windows gives way after so many original bytes: whoever decodes it looks at the memory they take. */
const PAUSE_SIZE: usize = 1 << 20;

/** Where the next words of both streams stand after the last chunk, as far as their bits were used; from its start. */
export let lzmsFront: u32 = 0;
export let lzmsBack: u32 = 0;
/** Up to where the last chunk was decoded that turned out to be broken. */
export let lzmsReached: usize = 0;

/** Splits the range: the probability of a 0 is the number of zeros among the last 64 bits, 1 to 63, of 64. */
// @ts-ignore: decorator
@inline
function split(range: u32, history: u64): u32 {
	const ones = <u32>popcnt(history);
	return (range >> 6) * (64 - (ones + <u32>(ones == 0) - (ones >> 6)));
}

// What a chunk is made of, and its state between two runs of the hot loop. The loop itself works on local variables and
// calls nothing, since V8 keeps hardly anything in registers across calls: it returns for what is rare.
let keptStoredSize: usize = 0;
// Where the first byte of the chunk would lie if its window were the whole chunk; and how far each reader may go.
let frontBase: usize = 0;
let backBase: usize = 0;
let frontLimit: usize = 0;
let backLimit: usize = 0;
/** Whether the window reaches the end that the reader goes for. */
let frontIsLast: bool = false;
let backIsLast: bool = false;
let keptStop: usize = 0;
/** A chunk with windows gives way about here. */
let keptPause: usize = 0;
let keptOutput: usize = 0;
let keptOutEnd: usize = 0;
let keptOut: usize = 0;
let keptRange: u32 = 0;
let keptCode: u32 = 0;
let keptFront: usize = 0;
let keptBits: u64 = 0;
let keptHeld: u32 = 0;
let keptBack: usize = 0;
let keptMainState: u32 = 0;
let keptMatchState: u32 = 0;
let keptLzState: u32 = 0;
let keptRepeatState: u32 = 0;
let keptRepeat2State: u32 = 0;
let keptLiteralsLeft: u32 = 0;
let keptLengthsLeft: u32 = 0;
let keptOffsetsLeft: u32 = 0;
let keptL0: u32 = 0;
let keptL1: u32 = 0;
let keptL2: u32 = 0;
let keptL3: u32 = 0;
// Where the last match of each kind ended: right behind it, its own offset cannot be named.
let keptLzEnd: usize = 0;
let deltaEnd: usize = 0;
/** How many symbols the two offset codes have. */
let offsetSymbols: u32 = 0;

// The state of delta matches.
let deltaState: u32 = 0;
let deltaRepeatState: u32 = 0;
let deltaRepeat2State: u32 = 0;
let deltaOffsetsLeft: u32 = 0;
let powersLeft: u32 = 0;
// Recent pairs as `power << 32 | raw`.
let d0: u64 = 0;
let d1: u64 = 0;
let d2: u64 = 0;
let d3: u64 = 0;

const NO_PAIR: u64 = 0xffffffffffffffff;

/** Decodes a decision outside the hot loop. */
function decide(history: usize): u32 {
	if (keptRange < 0x10000) {
		keptRange <<= 16;
		keptCode = (keptCode << 16) | <u32>load<u16>(keptFront);
		keptFront += 2;
	}
	const past = load<u64>(history);
	const bound = split(keptRange, past);
	if (keptCode < bound) {
		keptRange = bound;
		store<u64>(history, past << 1);
		return 0;
	}
	keptRange -= bound;
	keptCode -= bound;
	store<u64>(history, (past << 1) | 1);
	return 1;
}

/** Decodes power and distance of a delta match. @returns the pair, or NO_PAIR for an unknown symbol */
function decodePair(shift: u32): u64 {
	let bit = decide(DELTA + (<usize>deltaState << 3));
	deltaState = ((deltaState << 1) | bit) & 63;
	if (bit == 0) {
		// Eight symbols: never more than 7 bits.
		let e = <u32>load<u16>((<usize>(keptBits >> 57) << 1) + POWER + CODE_TABLE);
		keptBits <<= <u64>e;
		keptHeld -= e;
		const power = <usize>(e >> 6);
		let slot = POWER + FREQUENCIES + (power << 2);
		store<u32>(slot, load<u32>(slot) + 1);
		powersLeft -= 1;
		if (powersLeft == 0) {
			rebuildCode(POWER, 8, POWER_BITS);
			powersLeft = SHORT_PERIOD;
		}
		keptBits |= load<u64>(keptBack - 8) >> (<u64>keptHeld);
		keptBack -= <usize>(((keptHeld >> 3) & 6) ^ 6);
		keptHeld |= 48;
		e = <u32>load<u16>((<usize>(keptBits >> 53) << 1) + DELTA_OFFSET + CODE_TABLE);
		if (e >= LONG) {
			e = longSymbol(DELTA_OFFSET + CODE_LONG, <u32>(keptBits >> 48), OFFSET_BITS);
			if (e == NO_SYMBOL) return NO_PAIR;
		}
		keptBits <<= <u64>e;
		keptHeld -= e;
		const symbol = <usize>(e >> 6);
		slot = DELTA_OFFSET + FREQUENCIES + (symbol << 2);
		store<u32>(slot, load<u32>(slot) + 1);
		const row = OFFSET_ROWS + (symbol << 3);
		const extra = load<u32>(row + 4);
		const raw = load<u32>(row) + <u32>((keptBits >> 1) >> <u64>(63 - extra));
		keptBits <<= <u64>extra;
		keptHeld -= extra;
		deltaOffsetsLeft -= 1;
		if (deltaOffsetsLeft == 0) {
			rebuildCode(DELTA_OFFSET, offsetSymbols, OFFSET_BITS);
			deltaOffsetsLeft = LONG_PERIOD;
		}
		d3 = d2;
		d2 = d1;
		d1 = d0;
		d0 = (<u64>power << 32) | <u64>raw;
		return d0;
	}
	let index = shift;
	bit = decide(DELTA_REPEAT + (<usize>deltaRepeatState << 3));
	deltaRepeatState = ((deltaRepeatState << 1) | bit) & 63;
	if (bit != 0) {
		bit = decide(DELTA_REPEAT_2 + (<usize>deltaRepeat2State << 3));
		deltaRepeat2State = ((deltaRepeat2State << 1) | bit) & 63;
		index += 1 + bit;
	}
	let pair = d0;
	if (index == 0) return pair;
	if (index == 1) {
		pair = d1;
	} else {
		if (index == 2) {
			pair = d2;
		} else {
			pair = d3;
			d3 = d2;
		}
		d2 = d1;
	}
	d1 = d0;
	d0 = pair;
	return pair;
}


// Why the hot loop returned, if not for an error of layout.ts.
const PAUSE: u32 = 100;
const DELTA_MATCH: u32 = 101;

/** Decodes the rest of a delta match, after the two decisions that announce it. */
function decodeDelta(): u32 {
	const pair = decodePair(<u32>(keptOut == deltaEnd));
	if (pair == NO_PAIR) return SYMBOL_UNKNOWN;
	const power = pair >> 32;
	const distance = (pair & 0xffffffff) << power;
	keptBits |= load<u64>(keptBack - 8) >> (<u64>keptHeld);
	keptBack -= <usize>(((keptHeld >> 3) & 6) ^ 6);
	keptHeld |= 48;
	let e = <u32>load<u16>((<usize>(keptBits >> 55) << 1) + LENGTH + CODE_TABLE);
	if (e >= LONG) {
		e = longSymbol(LENGTH + CODE_LONG, <u32>(keptBits >> 48), LENGTH_BITS);
		if (e == NO_SYMBOL) return SYMBOL_UNKNOWN;
	}
	keptBits <<= <u64>e;
	keptHeld -= e;
	const symbol = <usize>(e >> 6);
	const slot = LENGTH + FREQUENCIES + (symbol << 2);
	store<u32>(slot, load<u32>(slot) + 1);
	const row = LENGTH_ROWS + (symbol << 3);
	const extra = load<u32>(row + 4);
	const length = <usize>(load<u32>(row) + <u32>((keptBits >> 1) >> <u64>(63 - extra)));
	keptBits <<= <u64>extra;
	keptHeld -= extra;
	keptLengthsLeft -= 1;
	if (length > keptOutEnd - keptOut) return MATCH_PAST_END;
	if (distance + (<u64>1 << power) > <u64>(keptOut - keptOutput)) return DELTA_DISTANCE;
	copyDelta(keptOut, <usize>distance, <usize>1 << <usize>power, length);
	keptOut += length;
	deltaEnd = keptOut;
	return PAUSE;
}

/** Rebuilds the codes whose time has come. */
function rebuildDue(): void {
	if (keptLiteralsLeft == 0) {
		rebuildCode(LITERAL, 256, LITERAL_BITS);
		keptLiteralsLeft = LONG_PERIOD;
	}
	if (keptOffsetsLeft == 0) {
		rebuildCode(OFFSET, offsetSymbols, OFFSET_BITS);
		keptOffsetsLeft = LONG_PERIOD;
	}
	if (keptLengthsLeft == 0) {
		rebuildCode(LENGTH, LENGTH_SLOTS, LENGTH_BITS);
		keptLengthsLeft = SHORT_PERIOD;
	}
}

/**
 * Decodes one chunk. Reads up to 40 bytes before `input` and behind `inEnd`, which must be zero; writes up to 15 behind
 * `outEnd`. The stored size is even and at least 4, the original size at least 5.
 *
 * @param neededEnd what lies behind it may be anything afterwards
 * @returns a code of layout.ts
 */
export function decodeLzms(
	input: usize,
	inEnd: usize,
	output: usize,
	outEnd: usize,
	neededEnd: usize,
): u32 {
	keptStoredSize = inEnd - input;
	lzmsFrontWindow(input, 0, keptStoredSize);
	lzmsBackWindow(input, 0, keptStoredSize);
	begin(output, outEnd, neededEnd);
	keptPause = outEnd;
	return decodeLzmsOn();
}

/**
 * As `decodeLzms`, with a window around either reader.
 *
 * @param front where the first `frontSize` bytes of the chunk lie, `back` where the last `backSize` do
 * @returns MORE when a reader comes near the end of its window, and after each PAUSE_SIZE original bytes or so
 */
export function decodeLzmsWindows(
	storedSize: usize,
	front: usize,
	frontSize: usize,
	back: usize,
	backSize: usize,
	output: usize,
	outEnd: usize,
	neededEnd: usize,
): u32 {
	keptStoredSize = storedSize;
	lzmsFrontWindow(front, 0, frontSize);
	lzmsBackWindow(back, storedSize - backSize, backSize);
	begin(output, outEnd, neededEnd);
	keptPause = output + PAUSE_SIZE;
	return decodeLzmsOn();
}

/** Goes on with a chunk that returned MORE. */
export function resumeLzms(): u32 {
	keptPause = keptOut + PAUSE_SIZE;
	return decodeLzmsOn();
}

/** Where the reader from the front stands, and that from the back, from the start of the chunk. */
export function lzmsFrontAt(): u32 {
	return <u32>(keptFront - frontBase);
}

export function lzmsBackAt(): u32 {
	return <u32>(keptBack - backBase);
}

/** Whether the reader needs another window before it can go on. */
export function lzmsFrontIsDue(): bool {
	return !frontIsLast && keptFront > frontLimit;
}

export function lzmsBackIsDue(): bool {
	return !backIsLast && keptBack < backLimit;
}

/**
 * Says that the bytes of the chunk from `from` on lie at `address`: those where the reader stands, and twice the margin
 * more, if there are so many. Behind the last one of the chunk 64 zeros must follow.
 */
export function lzmsFrontWindow(address: usize, from: usize, size: usize): void {
	const at = keptFront - frontBase;
	frontBase = address - from;
	keptFront = frontBase + at;
	frontIsLast = from + size >= keptStoredSize;
	frontLimit = frontIsLast ? address + size + AHEAD : address + size - MARGIN;
}

/** The same for the reader from the back: the window ends where it stands, and 64 zeros stand before the first byte. */
export function lzmsBackWindow(address: usize, from: usize, size: usize): void {
	const at = keptBack - backBase;
	backBase = address - from;
	keptBack = backBase + at;
	backIsLast = from == 0;
	backLimit = backIsLast ? address - 8 : address + MARGIN;
}

/** Ends a chunk whose next bytes cannot be had: what was decoded so far is right. */
export function abandonLzms(): void {
	lzmsReached = keptOut;
	decodeX86(keptOutput, keptOut, LAST_USES);
}

/** @returns a code of layout.ts */
function decodeLzmsOn(): u32 {
	const output = keptOutput;
	const outEnd = keptOutEnd;
	while (keptOut < keptStop) {
		let reason = decodeItems();
		if (reason == DELTA_MATCH) reason = decodeDelta();
		if (reason != PAUSE && reason != MORE) {
			// What stands before the damage is right.
			lzmsReached = keptOut;
			decodeX86(output, keptOut, LAST_USES);
			return reason;
		}
		rebuildDue();
		if ((reason == MORE || keptOut >= keptPause) && keptOut < keptStop) return MORE;
	}
	if (keptOut < outEnd) {
		lzmsFront = lzmsFrontAt();
		lzmsBack = lzmsBackAt();
		decodeX86(output, keptOut, LAST_USES);
		return DONE;
	}
	// Whatever holds the last byte cannot count as right when the streams do not fit.
	lzmsReached = outEnd - 1;
	const frontAt = lzmsFrontAt();
	const backAt = lzmsBackAt();
	if (
		frontAt > <u32>(keptStoredSize + AHEAD) ||
		<i32>(backAt + ((keptHeld & 63) >> 3)) < 0
	) {
		decodeX86(output, outEnd, LAST_USES);
		return ENDS_EARLY;
	}
	lzmsFront = frontAt;
	lzmsBack = backAt + (((keptHeld >> 4) & 3) << 1);
	decodeX86(output, outEnd, LAST_USES);
	return DONE;
}

function begin(output: usize, outEnd: usize, neededEnd: usize): void {
	// The filter does not look at what begins in the last bytes it is given, which are final only at the end of the chunk.
	keptStop = min<usize>(outEnd, neededEnd + FILTER_TAIL);
	offsetSymbols = slotsFor(OFFSET_ROWS, <u32>(outEnd - output) - 1);
	for (let at: usize = HISTORIES; at < HISTORIES_END; at += 8) store<u64>(at, FIRST_HISTORY);
	startCode(LITERAL, 256, LITERAL_BITS);
	startCode(LENGTH, LENGTH_SLOTS, LENGTH_BITS);
	startCode(OFFSET, offsetSymbols, OFFSET_BITS);
	startCode(DELTA_OFFSET, offsetSymbols, OFFSET_BITS);
	startCode(POWER, 8, POWER_BITS);
	keptOutput = output;
	keptOutEnd = outEnd;
	keptOut = output;
	keptRange = 0xffffffff;
	keptCode = rotl<u32>(load<u32>(frontBase), 16);
	keptFront = frontBase + AHEAD;
	keptBack = backBase + keptStoredSize;
	keptBits = 0;
	keptHeld = 0;
	keptMainState = 0;
	keptMatchState = 0;
	keptLzState = 0;
	keptRepeatState = 0;
	keptRepeat2State = 0;
	deltaState = 0;
	deltaRepeatState = 0;
	deltaRepeat2State = 0;
	keptLiteralsLeft = LONG_PERIOD;
	keptLengthsLeft = SHORT_PERIOD;
	keptOffsetsLeft = LONG_PERIOD;
	deltaOffsetsLeft = LONG_PERIOD;
	powersLeft = SHORT_PERIOD;
	keptL0 = 1;
	keptL1 = 2;
	keptL2 = 3;
	keptL3 = 4;
	d0 = 1;
	d1 = 2;
	d2 = 3;
	d3 = 4;
	keptLzEnd = 0;
	deltaEnd = 0;
}

/**
 * The hot loop: decodes until a code needs a rebuild, a delta match comes, a window or the chunk ends.
 *
 * @returns PAUSE, DELTA_MATCH or a code of layout.ts
 */
function decodeItems(): u32 {
	// The range coder. Its two words ahead may lie behind the end, no more.
	const frontEnd = frontLimit;
	let range = keptRange;
	let code = keptCode;
	let front = keptFront;

	// The bit stream: what comes next at the top of `bits`; only the low six bits of `held` count.
	const backEnd = backLimit;
	let back = keptBack;
	let bits = keptBits;
	let held = keptHeld;

	let mainState = keptMainState;
	let matchState = keptMatchState;
	let lzState = keptLzState;
	let repeatState = keptRepeatState;
	let repeat2State = keptRepeat2State;

	let literalsLeft = keptLiteralsLeft;
	let lengthsLeft = keptLengthsLeft;
	let offsetsLeft = keptOffsetsLeft;

	// Recent offsets.
	let l0 = keptL0;
	let l1 = keptL1;
	let l2 = keptL2;
	let l3 = keptL3;
	let lzEnd = keptLzEnd;

	const outEnd = keptOutEnd;
	const output = keptOutput;
	let out = keptOut;
	let reason = PAUSE;
	while (out < outEnd) {
		let history: usize;
		let past: u64;
		let bound: u32;

		// Literals, until a match comes, the chunk ends or the code needs a rebuild.
		const start = out;
		const stop = min<usize>(outEnd, out + <usize>literalsLeft);
		do {
			bits |= load<u64>(back - 8) >> (<u64>held);
			back -= <usize>(((held >> 3) & 6) ^ 6);
			held |= 48;
			if (range < 0x10000) {
				range <<= 16;
				code = (code << 16) | <u32>load<u16>(front);
				front += 2;
			}
			history = MAIN + (<usize>mainState << 3);
			past = load<u64>(history);
			bound = split(range, past);
			if (code >= bound) break;
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
		} while (out < stop);
		if (front > frontEnd || back < backEnd) {
			// More was taken than exists if the pointers are this far out. (The literals before were made of whatever lies there.)
			if ((frontIsLast && front > frontEnd) || (backIsLast && back < backEnd)) return ENDS_EARLY;
			// If a match comes, its first decision is only looked at: the next run begins with it.
			literalsLeft -= <u32>(out - start);
			reason = MORE;
			break;
		}
		literalsLeft -= <u32>(out - start);
		if (out == stop) break;

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
		let offset: u32 = 0;
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
				let index: u32 = <u32>(out == lzEnd);
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
			reason = DELTA_MATCH;
			break;
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
		if (length > outEnd - out) return MATCH_PAST_END;
		if (offset > <u32>(out - output)) return MATCH_BEFORE_START;
		copyMatch(out, <usize>offset, length);
		out += length;
		lzEnd = out;
		if (lengthsLeft == 0 || offsetsLeft == 0) break;
	}
	keptRange = range;
	keptCode = code;
	keptFront = front;
	keptBack = back;
	keptBits = bits;
	keptHeld = held;
	keptMainState = mainState;
	keptMatchState = matchState;
	keptLzState = lzState;
	keptRepeatState = repeatState;
	keptRepeat2State = repeat2State;
	keptLiteralsLeft = literalsLeft;
	keptLengthsLeft = lengthsLeft;
	keptOffsetsLeft = offsetsLeft;
	keptL0 = l0;
	keptL1 = l1;
	keptL2 = l2;
	keptL3 = l3;
	keptLzEnd = lzEnd;
	keptOut = out;
	return reason;
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
