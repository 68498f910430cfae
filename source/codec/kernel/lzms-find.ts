// Finds where an LZMS chunk ends whose start is known, or starts whose end is known (wim.md §13.4 C).
//
// The range coder reads from the front and is not touched by what the bit stream says: the kinds of all items follow from
// the start alone (the plan). So a wrong end is found out by the bit stream, whose codes are those of a fresh chunk for
// hundreds of items: at the first explicit offset hardly any size of the chunk gives one that lies inside what was decoded.
// What gets through the plan is decoded in full; at the true end of all chunks that were looked at (wimlib's and ours) one
// word of zeros lies between what both readers have fetched, the rest of the last word is zero too, and so is what the range
// coder holds.

import {
	CODE_LONG,
	CODE_SIZE,
	CODE_TABLE,
	FREQUENCIES,
	rebuildCode,
} from './adaptive';
import { copyMatch } from './copy';
import { LONG, longSymbol, NO_SYMBOL } from './huffman';
import { CODES, HISTORIES, LENGTH_ROWS, OFFSET_ROWS } from './layout';
import { LENGTH_SLOTS, slotsFor, writeLengthSlots, writeOffsetSlots } from './slots';

// Histories of the decision classes, as in lzms.ts.
const MAIN: usize = HISTORIES;
const MATCH: usize = MAIN + 16 * 8;
const LZ: usize = MATCH + 32 * 8;
const LZ_REPEAT: usize = LZ + 64 * 8;
const LZ_REPEAT_2: usize = LZ_REPEAT + 64 * 8;
const DELTA: usize = LZ_REPEAT_2 + 64 * 8;
const DELTA_REPEAT: usize = DELTA + 64 * 8;
const DELTA_REPEAT_2: usize = DELTA_REPEAT + 64 * 8;
const HISTORIES_END: usize = DELTA_REPEAT_2 + 64 * 8;
const FIRST_HISTORY: u64 = 0x55555555;

const LITERAL: usize = CODES;
const LENGTH: usize = CODES + CODE_SIZE;
const OFFSET: usize = CODES + 2 * CODE_SIZE;
const DELTA_OFFSET: usize = CODES + 3 * CODE_SIZE;
const POWER: usize = CODES + 4 * CODE_SIZE;
const LITERAL_BITS: u32 = 10;
const LENGTH_BITS: u32 = 9;
const OFFSET_BITS: u32 = 11;
const POWER_BITS: u32 = 7;
const LONG_PERIOD: u32 = 1024;
const SHORT_PERIOD: u32 = 512;

/** Matches of a plan, 12 bytes each: literals before it (u32), its kind (u32), where the range coder stands then (u32). */
const PLAN: usize = 123008;
/** So many matches and literals come before any code is rebuilt. */
const PLAN_MAX: u32 = 480;
const PLAN_ROW: usize = 12;
const PLAN_LITERALS_MAX: u32 = 1000;
/** With fewer matches a plan still turns down nearly all wrong starts. */
const SHORT_PLAN: u32 = 6;

// Kinds of matches; recent ones count the index up from the second value.
const LZ_EXPLICIT: u32 = 0;
const LZ_RECENT: u32 = 1;
const DELTA_EXPLICIT: u32 = 8;
const DELTA_RECENT: u32 = 9;

/** Unused bytes between the two readers at the end of a chunk. */
const GAP: i32 = 2;
/** Bytes of a hit: stored size, original size (u32 each). */
const HIT: usize = 8;
/** Candidates for the size of one chunk. */
const SIZES_MAX: u32 = 2;
/** For starts: how many are tried without an explicit offset to go by. */
const BLIND_STARTS: u32 = 20000;
/** Hits after which a search of ends without an explicit offset to go by pauses: before the true end most are. */
const BLIND_HITS: u32 = 1000;
/** So many items of one trial count like an end more. */
const LONG_TRIAL: u32 = 4096;
const ITEMS_ALL: u32 = 0xffffffff;
/** The least that any chunk is stored in, in bytes. */
const STORED_MIN: usize = 8;

writeOffsetSlots(OFFSET_ROWS);
writeLengthSlots(LENGTH_ROWS);

// The range coder.
let range: u32 = 0;
let code: u32 = 0;
let front: usize = 0;
let mainState: u32 = 0;
let matchState: u32 = 0;
let lzState: u32 = 0;
let repeatState: u32 = 0;
let repeat2State: u32 = 0;
let deltaState: u32 = 0;
let deltaRepeatState: u32 = 0;
let deltaRepeat2State: u32 = 0;
/** Kind of the item before: 0 literal, 1 LZ, 2 delta. Right behind a match its own offset cannot be named. */
let before: u32 = 0;

// Recent offsets and pairs (`power << 32 | raw`).
let l0: u32 = 0;
let l1: u32 = 0;
let l2: u32 = 0;
let l3: u32 = 0;
let d0: u64 = 0;
let d1: u64 = 0;
let d2: u64 = 0;
let d3: u64 = 0;

function startRangeCoder(input: usize): void {
	const first = i64x2.splat(FIRST_HISTORY);
	for (let at: usize = HISTORIES; at < HISTORIES_END; at += 16) v128.store(at, first);
	range = 0xffffffff;
	code = rotl<u32>(load<u32>(input), 16);
	front = input + 4;
	mainState = 0;
	matchState = 0;
	lzState = 0;
	repeatState = 0;
	repeat2State = 0;
	deltaState = 0;
	deltaRepeatState = 0;
	deltaRepeat2State = 0;
	before = 0;
}

function startRecents(): void {
	l0 = 1;
	l1 = 2;
	l2 = 3;
	l3 = 4;
	d0 = 1;
	d1 = 2;
	d2 = 3;
	d3 = 4;
}

function decide(history: usize): u32 {
	if (range < 0x10000) {
		range <<= 16;
		code = (code << 16) | <u32>load<u16>(front);
		front += 2;
	}
	const past = load<u64>(history);
	const ones = <u32>popcnt(past);
	const bound = (range >> 6) * (64 - (ones + <u32>(ones == 0) - (ones >> 6)));
	if (code < bound) {
		range = bound;
		store<u64>(history, past << 1);
		return 0;
	}
	range -= bound;
	code -= bound;
	store<u64>(history, (past << 1) | 1);
	return 1;
}

function isMatch(): bool {
	const bit = decide(MAIN + (<usize>mainState << 3));
	mainState = ((mainState << 1) | bit) & 15;
	return bit != 0;
}

/** Decides the kind of a match, behind the decision that it is one. */
function matchKind(): u32 {
	let bit = decide(MATCH + (<usize>matchState << 3));
	matchState = ((matchState << 1) | bit) & 31;
	if (bit == 0) {
		let index = <u32>(before == 1);
		before = 1;
		bit = decide(LZ + (<usize>lzState << 3));
		lzState = ((lzState << 1) | bit) & 63;
		if (bit == 0) return LZ_EXPLICIT;
		bit = decide(LZ_REPEAT + (<usize>repeatState << 3));
		repeatState = ((repeatState << 1) | bit) & 63;
		if (bit != 0) {
			bit = decide(LZ_REPEAT_2 + (<usize>repeat2State << 3));
			repeat2State = ((repeat2State << 1) | bit) & 63;
			index += 1 + bit;
		}
		return LZ_RECENT + index;
	}
	let index = <u32>(before == 2);
	before = 2;
	bit = decide(DELTA + (<usize>deltaState << 3));
	deltaState = ((deltaState << 1) | bit) & 63;
	if (bit == 0) return DELTA_EXPLICIT;
	bit = decide(DELTA_REPEAT + (<usize>deltaRepeatState << 3));
	deltaRepeatState = ((deltaRepeatState << 1) | bit) & 63;
	if (bit != 0) {
		bit = decide(DELTA_REPEAT_2 + (<usize>deltaRepeat2State << 3));
		deltaRepeat2State = ((deltaRepeat2State << 1) | bit) & 63;
		index += 1 + bit;
	}
	return DELTA_RECENT + index;
}

/** Takes a recent offset to the front of its list. */
function recentOffset(index: u32): u32 {
	const offset = index == 0 ? l0 : index == 1 ? l1 : index == 2 ? l2 : l3;
	if (index > 2) l3 = l2;
	if (index > 1) l2 = l1;
	if (index > 0) l1 = l0;
	l0 = offset;
	return offset;
}

function recentPair(index: u32): u64 {
	const pair = index == 0 ? d0 : index == 1 ? d1 : index == 2 ? d2 : d3;
	if (index > 2) d3 = d2;
	if (index > 1) d2 = d1;
	if (index > 0) d1 = d0;
	d0 = pair;
	return pair;
}

function newOffset(offset: u32): void {
	l3 = l2;
	l2 = l1;
	l1 = l0;
	l0 = offset;
}

function newPair(pair: u64): void {
	d3 = d2;
	d2 = d1;
	d1 = d0;
	d0 = pair;
}

let planCount: u32 = 0;
/** The least original size that is asked for. */
let sizeAtLeast: u32 = 0;
/** Position in the plan of the first match with an explicit offset. */
let planFirst: u32 = 0;

/** Writes the kinds of the first items of the chunk at `input` to PLAN. */
function makePlan(input: usize, most: u32): void {
	startRangeCoder(input);
	planCount = 0;
	planFirst = most;
	let literals: u32 = 0;
	let run: u32 = 0;
	while (planCount < most && literals < PLAN_LITERALS_MAX) {
		if (!isMatch()) {
			before = 0;
			run += 1;
			literals += 1;
			continue;
		}
		const kind = matchKind();
		const row = PLAN + <usize>planCount * PLAN_ROW;
		store<u32>(row, run);
		store<u32>(row, kind, 4);
		store<u32>(row, <u32>(front - input), 8);
		if (planFirst == most && (kind == LZ_EXPLICIT || kind == DELTA_EXPLICIT)) planFirst = planCount;
		planCount += 1;
		run = 0;
	}
}

/** The most bits that a literal and a match take: codewords, and the extra bits of offset and length. */
const LITERAL_BITS_MAX: usize = 15;
const MATCH_BITS_MAX: usize = 112;

let reachInput: usize = 0;
let reachEnd: usize = 0;
/** The last item behind which the chunk may end, counted from 1. */
let reachItems: u32 = 0;

/**
 * The farthest end that the chunk at `input` can have: at its end the range coder holds nothing, and where it does for the
 * last time follows from the start alone. The start itself when it never does.
 *
 * @param limit what may be read ends there
 * @param most items
 */
function farthestEnd(input: usize, limit: usize, most: u32): usize {
	if (input == reachInput) return reachEnd;
	startRangeCoder(input);
	let bits: usize = 0;
	reachInput = input;
	reachEnd = input;
	reachItems = 0;
	for (let items: u32 = 0; items < most && front <= limit; items++) {
		if (isMatch()) {
			matchKind();
			bits += MATCH_BITS_MAX;
		} else {
			before = 0;
			bits += LITERAL_BITS_MAX;
		}
		if (code != 0) continue;
		reachEnd = front + <usize>GAP + (((bits + 15) >> 4) << 1);
		reachItems = items + 1;
	}
	return reachEnd;
}

// The bit stream of a trial.
let bitEnd: usize = 0;
let bitAt: usize = 0;

/** At least 48 of the next bits, at the top. */
// @ts-ignore: decorator
@inline
function peek(): u64 {
	return load<u64>(bitEnd - 8 - ((bitAt >> 4) << 1)) << <u64>(bitAt & 15);
}

/** Where the last word begins of which bits were used. */
// @ts-ignore: decorator
@inline
function back(): usize {
	return bitEnd - (((bitAt + 15) >> 4) << 1);
}

/** The symbol of a code whose frequencies are all equal. */
function freshSymbol(count: u32): u32 {
	const symbol = freshSymbolOf(peek(), count);
	const depth = 32 - clz(count - 1);
	// The last symbols have the shorter codewords.
	bitAt += <usize>(depth - <u32>(symbol >= 2 * count - ((<u32>1) << depth)));
	return symbol;
}

function freshSymbolOf(bits: u64, count: u32): u32 {
	const depth = 32 - clz(count - 1);
	const shorter = ((<u32>1) << depth) - count;
	const top = <u32>(bits >> <u64>(64 - depth));
	return top >> 1 < shorter ? count - shorter + (top >> 1) : top - 2 * shorter;
}

/** A slot's base and the extra bits behind it. */
function slotValue(rows: usize, symbol: u32): u32 {
	const row = rows + (<usize>symbol << 3);
	const extra = load<u32>(row, 4);
	const value = load<u32>(row) + <u32>((peek() >> 1) >> <u64>(63 - extra));
	bitAt += <usize>extra;
	return value;
}

/** How much a trial has decoded. */
let position: u32 = 0;

/** The word between the readers at the end is zero: whether there is one between a match of the plan and the one before. */
function mayMeet(input: usize, k: u32): u32 {
	if (position < sizeAtLeast) return 0;
	const row = PLAN + <usize>k * PLAN_ROW;
	let at = input + 4;
	if (k > 0) at = input + <usize>load<u32>(row - PLAN_ROW, 8);
	for (const last = input + <usize>load<u32>(row, 8); at <= last; at += 2) if (load<u16>(at) == 0) return 2;
	return 0;
}

/**
 * Runs matches of the plan through the bit stream.
 *
 * @returns 0: impossible; 1: possible so far; 2: the readers may have met before
 */
function walk(input: usize, from: u32, to: u32, symbols: u32, limit: u32): u32 {
	for (let k = from; k < to; k++) {
		const row = PLAN + <usize>k * PLAN_ROW;
		const run = load<u32>(row);
		const kind = load<u32>(row, 4);
		bitAt += <usize>run << 3;
		position += run;
		if (back() < input + <usize>load<u32>(row, 8)) return mayMeet(input, k);
		let distance: u64;
		if (kind < DELTA_EXPLICIT) {
			let offset: u32;
			if (kind == LZ_EXPLICIT) {
				offset = slotValue(OFFSET_ROWS, freshSymbol(symbols));
				newOffset(offset);
			} else {
				offset = recentOffset(kind - LZ_RECENT);
			}
			distance = <u64>offset;
		} else {
			let pair: u64;
			if (kind == DELTA_EXPLICIT) {
				const power = freshSymbol(8);
				pair = (<u64>power << 32) | <u64>slotValue(OFFSET_ROWS, freshSymbol(symbols));
				newPair(pair);
			} else {
				pair = recentPair(kind - DELTA_RECENT);
			}
			distance = ((pair & 0xffffffff) + 1) << (pair >> 32);
		}
		const length = slotValue(LENGTH_ROWS, freshSymbol(LENGTH_SLOTS));
		if (back() < input + <usize>load<u32>(row, 8)) return mayMeet(input, k);
		if (distance > <u64>position || length > limit - position) return 0;
		position += length;
	}
	return 1;
}

// Where hits go.
let hitsAt: usize = 0;
let hitCount: u32 = 0;
let hitsMost: u32 = 0;
/** Ends that may still be tried without an explicit offset to go by, which takes a thousand times as long. */
let blindLeft: u32 = 0;
/** The longest stored size that was not tried for want of those; 0: none. */
let untried: u32 = 0;
/** What may be read of the input ends there. */
let inputEnd: usize = 0;

/** Offset symbols of the smallest size that the stored size allows, and of a whole chunk. */
let leastSymbols: u32 = 0;
let greatestSymbols: u32 = 0;
/** The last offset symbol that can be right at `reachPosition`. */
let reach: u32 = 0;
let reachPosition: u32 = 0;

function startSizes(least: u32, chunkSize: u32): void {
	sizeAtLeast = least;
	leastSymbols = least > 1 ? slotsFor(OFFSET_ROWS, least - 1) : 1;
	greatestSymbols = slotsFor(OFFSET_ROWS, chunkSize - 1);
	reachPosition = 0xffffffff;
}

/** Without an explicit offset nothing depends on the size: until the first one comes. */
function tryBlindly(input: usize, end: usize, output: usize, chunkSize: u32): void {
	if (sizeAtLeast == chunkSize) {
		meetSize(input, end, greatestSymbols, output, chunkSize, false);
		return;
	}
	if (!meet(input, end, 0, <u32>(end - input) + 1, output, chunkSize, false)) return;
	const later = slotsFor(OFFSET_ROWS, <u32>max(stopPosition, 1)) - 1;
	const found = stopBits;
	for (let symbols = leastSymbols; symbols <= greatestSymbols && hitCount < hitsMost; symbols++)
		if (freshSymbolOf(found, symbols) <= later) meetSize(input, end, symbols, output, chunkSize, true);
}

/** A trial that takes many items ends behind this one. */
let itemsMost: u32 = ITEMS_ALL;

/** Tries one pair of start and end, which grow apart from call to call: all sizes that the first explicit offset allows. */
function tryChunk(input: usize, end: usize, output: usize, chunkSize: u32, isShort: bool): void {
	const storedSize = <u32>(end - input);
	while (leastSymbols < greatestSymbols && load<u32>(OFFSET_ROWS + (<usize>leastSymbols << 3)) <= storedSize)
		leastSymbols += 1;
	if (isShort && planFirst >= planCount) makePlan(input, PLAN_MAX);
	bitEnd = end;
	bitAt = 0;
	position = 0;
	startRecents();
	const state = walk(input, 0, min(planFirst, planCount), 0, chunkSize);
	if (state == 0) return;
	if (state == 2 || planFirst >= planCount) {
		if (planCount == 0 && storedSize < PLAN_LITERALS_MAX) return;
		if (end > farthestEnd(input, inputEnd, chunkSize)) return;
		if (blindLeft == 0) {
			untried = max(untried, storedSize);
			return;
		}
		blindLeft -= 1;
		itemsMost = reachItems;
		tryBlindly(input, end, output, chunkSize);
		itemsMost = ITEMS_ALL;
		return;
	}
	const row = PLAN + <usize>planFirst * PLAN_ROW;
	position += load<u32>(row);
	bitAt += <usize>load<u32>(row) << 3;
	if (load<u32>(row, 4) == DELTA_EXPLICIT) bitAt += 3;
	if (position != reachPosition) {
		reachPosition = position;
		reach = position == 0 ? 0 : slotsFor(OFFSET_ROWS, position) - 1;
	}
	const bits = peek();
	const needsPlan = isShort && planCount == SHORT_PLAN;
	// Of n equally frequent symbols the last 2^depth - n have the shorter codewords, which come first: so a codeword's
	// symbol grows by two from one n to the next, and few n give one within reach.
	for (let depth = 32 - clz(leastSymbols - 1); depth <= 32 - clz(greatestSymbols - 1); depth++) {
		const all = <u32>1 << depth;
		const top = <u32>(bits >> <u64>(64 - depth));
		const least = max(leastSymbols, (all >> 1) + 1);
		const greatest = min(greatestSymbols, all);
		const last = min(greatest, (reach + all - (top >> 1)) >> 1);
		for (let symbols = least; symbols <= last; symbols++)
			if (top >> 1 < all - symbols && trySize(input, end, symbols, output, chunkSize, needsPlan)) return;
		const longFirst = max(least, (2 * all - top + 1) >> 1);
		const longLast = min(greatest, (reach + 2 * all - top) >> 1);
		for (let symbols = longFirst; symbols <= longLast; symbols++)
			if (top >> 1 >= all - symbols && trySize(input, end, symbols, output, chunkSize, needsPlan)) return;
	}
}

/** @returns true when there is no more room for hits */
function trySize(input: usize, end: usize, symbols: u32, output: usize, chunkSize: u32, needsPlan: bool): bool {
	const most = min(load<u32>(OFFSET_ROWS + (<usize>symbols << 3)), chunkSize);
	if (!passes(input, end, symbols, most)) return false;
	if (needsPlan) {
		makePlan(input, PLAN_MAX);
		const isPassed = passes(input, end, symbols, most);
		if (!isPassed) {
			planCount = min(planCount, SHORT_PLAN);
			return false;
		}
	}
	meetSize(input, end, symbols, output, chunkSize, false);
	return hitCount >= hitsMost;
}

/** Decodes a chunk whose size the number of offset symbols bounds, from the start or from where `meet` stopped. */
function meetSize(input: usize, end: usize, symbols: u32, output: usize, chunkSize: u32, isResumed: bool): void {
	const storedSize = <u32>(end - input);
	const rowLeast = load<u32>(OFFSET_ROWS + (<usize>(symbols - 1) << 3)) + 1;
	const least = max(max(rowLeast, storedSize + 1), sizeAtLeast);
	const most = min(load<u32>(OFFSET_ROWS + (<usize>symbols << 3)), chunkSize);
	if (least <= most) meet(input, end, symbols, least, output, most, isResumed);
}

function passes(input: usize, end: usize, symbols: u32, most: u32): bool {
	bitEnd = end;
	bitAt = 0;
	position = 0;
	startRecents();
	return walk(input, 0, planCount, symbols, most) != 0;
}

/** Starts a code without its tables: most trials end before it is rebuilt. */
function startFrequencies(at: usize, count: u32): void {
	const ones = i32x4.splat(1);
	for (let to = at + FREQUENCIES, end = to + (<usize>count << 2); to < end; to += 16) v128.store(to, ones);
}

/**
 * Decodes a symbol of an adaptive code; NO_SYMBOL when its codeword is unknown.
 *
 * @param fresh the number of symbols of a code that was not rebuilt yet, else 0
 */
function adaptiveSymbol(at: usize, bits: u32, fresh: u32): u32 {
	if (fresh > 0) {
		const symbol = freshSymbol(fresh);
		const slot = at + FREQUENCIES + (<usize>symbol << 2);
		store<u32>(slot, load<u32>(slot) + 1);
		return symbol;
	}
	const next = peek();
	let e = <u32>load<u16>(at + CODE_TABLE + (<usize>(next >> <u64>(64 - bits)) << 1));
	if (e >= LONG) {
		e = longSymbol(at + CODE_LONG, <u32>(next >> 48), bits);
		if (e == NO_SYMBOL) return NO_SYMBOL;
	}
	bitAt += <usize>(e & 63);
	const symbol = e >> 6;
	const slot = at + FREQUENCIES + (<usize>symbol << 2);
	store<u32>(slot, load<u32>(slot) + 1);
	return symbol;
}

// Where `meet` stopped for want of the number of offset symbols: from there on it goes on for each number that is possible.
let stopKind: u32 = 0;
let stopItems: u32 = 0;
let stopPosition: u32 = 0;
let stopBits: u64 = 0;
let stopBitAt: usize = 0;
let stopLiteralsLeft: u32 = 0;
let stopLengthsLeft: u32 = 0;
let stopFreshLiteral: u32 = 0;
let stopFreshLength: u32 = 0;
let stopRange: u32 = 0;
let stopCode: u32 = 0;
let stopFront: usize = 0;
let stopMainState: u32 = 0;
let stopMatchState: u32 = 0;
let stopLzState: u32 = 0;
let stopRepeatState: u32 = 0;
let stopRepeat2State: u32 = 0;
let stopDeltaState: u32 = 0;
let stopDeltaRepeatState: u32 = 0;
let stopDeltaRepeat2State: u32 = 0;
let stopL0: u32 = 0;
let stopL1: u32 = 0;
let stopL2: u32 = 0;
let stopL3: u32 = 0;
let stopD0: u64 = 0;
let stopD1: u64 = 0;
let stopD2: u64 = 0;
let stopD3: u64 = 0;

/** Histories, then the codes of literals and lengths, as they were at the stop: where other kernels keep the x86 filter. */
const STOPPED: usize = 262144;
const STOPPED_CODES: usize = STOPPED + HISTORIES_END - HISTORIES;

/** The codec's state at a stop that `meet` does not keep in variables of its own. */
function keepStop(): void {
	stopRange = range;
	stopCode = code;
	stopFront = front;
	stopMainState = mainState;
	stopMatchState = matchState;
	stopLzState = lzState;
	stopRepeatState = repeatState;
	stopRepeat2State = repeat2State;
	stopDeltaState = deltaState;
	stopDeltaRepeatState = deltaRepeatState;
	stopDeltaRepeat2State = deltaRepeat2State;
	stopL0 = l0;
	stopL1 = l1;
	stopL2 = l2;
	stopL3 = l3;
	stopD0 = d0;
	stopD1 = d1;
	stopD2 = d2;
	stopD3 = d3;
	memory.copy(STOPPED, HISTORIES, HISTORIES_END - HISTORIES);
	memory.copy(STOPPED_CODES, LITERAL, 2 * CODE_SIZE);
}

function takeStop(): void {
	range = stopRange;
	code = stopCode;
	front = stopFront;
	mainState = stopMainState;
	matchState = stopMatchState;
	lzState = stopLzState;
	repeatState = stopRepeatState;
	repeat2State = stopRepeat2State;
	deltaState = stopDeltaState;
	deltaRepeatState = stopDeltaRepeatState;
	deltaRepeat2State = stopDeltaRepeat2State;
	before = stopKind < DELTA_EXPLICIT ? 1 : 2;
	l0 = stopL0;
	l1 = stopL1;
	l2 = stopL2;
	l3 = stopL3;
	d0 = stopD0;
	d1 = stopD1;
	d2 = stopD2;
	d3 = stopD3;
	bitAt = stopBitAt;
	memory.copy(HISTORIES, STOPPED, HISTORIES_END - HISTORIES);
	memory.copy(LITERAL, STOPPED_CODES, 2 * CODE_SIZE);
}

/**
 * Decodes a whole chunk of unknown size, and notes where both readers meet.
 *
 * @param symbols of the two offset codes; 0 when that is not known
 * @param isResumed goes on at the last stop of the same start and end
 * @returns true when it came to an explicit offset without knowing how many symbols there are
 */
function meet(input: usize, end: usize, symbols: u32, least: u32, output: usize, most: u32, isResumed: bool): bool {
	const storedSize = <u32>(end - input);
	bitEnd = end;
	startFrequencies(OFFSET, symbols);
	startFrequencies(DELTA_OFFSET, symbols);
	startFrequencies(POWER, 8);
	let freshLiteral: u32 = 256;
	let freshLength = LENGTH_SLOTS;
	let freshOffset = symbols;
	let freshDeltaOffset = symbols;
	let freshPower: u32 = 8;
	let literalsLeft = LONG_PERIOD;
	let lengthsLeft = SHORT_PERIOD;
	let offsetsLeft = LONG_PERIOD;
	let deltaOffsetsLeft = LONG_PERIOD;
	let powersLeft = SHORT_PERIOD;
	let found: u32 = 0;
	let out: u32 = 0;
	let items: u32 = 0;
	let isStopped = isResumed;
	if (isResumed) {
		takeStop();
		freshLiteral = stopFreshLiteral;
		freshLength = stopFreshLength;
		literalsLeft = stopLiteralsLeft;
		lengthsLeft = stopLengthsLeft;
		out = stopPosition;
		items = stopItems;
	} else {
		startRangeCoder(input);
		startRecents();
		startFrequencies(LITERAL, 256);
		startFrequencies(LENGTH, LENGTH_SLOTS);
		bitAt = 0;
	}
	while (out < most) {
		items += 1;
		if (items > itemsMost) return false;
		if (items % LONG_TRIAL == 0 && blindLeft > 0) blindLeft -= 1;
		if (!isStopped && !isMatch()) {
			before = 0;
			const symbol = adaptiveSymbol(LITERAL, LITERAL_BITS, freshLiteral);
			if (symbol == NO_SYMBOL) return false;
			if (--literalsLeft == 0) {
				rebuildCode(LITERAL, 256, LITERAL_BITS);
				freshLiteral = 0;
				literalsLeft = LONG_PERIOD;
			}
			store<u8>(output + <usize>out, <u8>symbol);
			out += 1;
		} else {
			const kind = isStopped ? stopKind : matchKind();
			isStopped = false;
			if (symbols == 0 && (kind == LZ_EXPLICIT || kind == DELTA_EXPLICIT)) {
				stopKind = kind;
				stopPosition = out;
				stopItems = items - 1;
				stopBitAt = bitAt;
				stopLiteralsLeft = literalsLeft;
				stopLengthsLeft = lengthsLeft;
				stopFreshLiteral = freshLiteral;
				stopFreshLength = freshLength;
				// The power of a delta match comes first.
				stopBits = kind == LZ_EXPLICIT ? peek() : peek() << 3;
				keepStop();
				return true;
			}
			let offset: u64;
			let span: u64 = 0;
			if (kind < DELTA_EXPLICIT) {
				if (kind == LZ_EXPLICIT) {
					const symbol = adaptiveSymbol(OFFSET, OFFSET_BITS, freshOffset);
					if (symbol == NO_SYMBOL) return false;
					newOffset(slotValue(OFFSET_ROWS, symbol));
					if (--offsetsLeft == 0) {
						rebuildCode(OFFSET, symbols, OFFSET_BITS);
						freshOffset = 0;
						offsetsLeft = LONG_PERIOD;
					}
					offset = <u64>l0;
				} else {
					offset = <u64>recentOffset(kind - LZ_RECENT);
				}
			} else {
				let pair: u64;
				if (kind == DELTA_EXPLICIT) {
					const power = adaptiveSymbol(POWER, POWER_BITS, freshPower);
					if (power == NO_SYMBOL) return false;
					if (--powersLeft == 0) {
						rebuildCode(POWER, 8, POWER_BITS);
						freshPower = 0;
						powersLeft = SHORT_PERIOD;
					}
					const symbol = adaptiveSymbol(DELTA_OFFSET, OFFSET_BITS, freshDeltaOffset);
					if (symbol == NO_SYMBOL) return false;
					pair = (<u64>power << 32) | <u64>slotValue(OFFSET_ROWS, symbol);
					if (--deltaOffsetsLeft == 0) {
						rebuildCode(DELTA_OFFSET, symbols, OFFSET_BITS);
						freshDeltaOffset = 0;
						deltaOffsetsLeft = LONG_PERIOD;
					}
					newPair(pair);
				} else {
					pair = recentPair(kind - DELTA_RECENT);
				}
				span = <u64>1 << (pair >> 32);
				offset = (pair & 0xffffffff) << (pair >> 32);
			}
			const lengthSymbol = adaptiveSymbol(LENGTH, LENGTH_BITS, freshLength);
			if (lengthSymbol == NO_SYMBOL) return false;
			const length = slotValue(LENGTH_ROWS, lengthSymbol);
			if (--lengthsLeft == 0) {
				rebuildCode(LENGTH, LENGTH_SLOTS, LENGTH_BITS);
				freshLength = 0;
				lengthsLeft = SHORT_PERIOD;
			}
			if (length > most - out || offset + span > <u64>out) return false;
			const to = output + <usize>out;
			if (span == 0) copyMatch(to, <usize>offset, <usize>length);
			else copyPlain(to, <usize>length, <usize>offset, <usize>span);
			out += length;
		}
		const gap = <i32>(back() - front);
		if (gap < 0) return false;
		if (gap > GAP || out < least || code != 0 || !endsClean(gap)) continue;
		const hit = hitsAt + <usize>hitCount * HIT;
		store<u32>(hit, storedSize);
		store<u32>(hit, out, 4);
		if (++hitCount == hitsMost || ++found == SIZES_MAX) return false;
	}
	return false;
}

/** Nothing but zeros is left: between the readers, and of the word that the bit stream stands in. */
function endsClean(gap: i32): bool {
	if (gap == GAP && load<u16>(front) != 0) return false;
	const rest = <u64>((16 - (bitAt & 15)) & 15);
	return rest == 0 || peek() >> (64 - rest) == 0;
}

function copyPlain(out: usize, length: usize, offset: usize, span: usize): void {
	const end = out + length;
	for (let to = out; to < end; to++)
		store<u8>(
			to,
			<u8>(<u32>load<u8>(to - offset) + <u32>load<u8>(to - span) - <u32>load<u8>(to - span - offset)),
		);
}

/**
 * Finds the ends that the chunk at `input` may have.
 *
 * @param from the first end to try, an even number of bytes behind `input`; `to` the last
 * @param least original size that is asked for, 1 to `chunkSize`; the closer, the fewer ends get through the plan
 * @param output room for a chunk
 * @param hits receives 8 bytes each: stored size, original size
 * @param blind how many ends are tried without an explicit offset to go by
 * @returns how many hits, at most `most`; the longest are among them
 */
export function endsOfLzms(
	input: usize,
	from: usize,
	to: usize,
	least: u32,
	chunkSize: u32,
	output: usize,
	hits: usize,
	most: u32,
	blind: u32,
): u32 {
	hitsAt = hits;
	hitCount = 0;
	hitsMost = most;
	blindLeft = blind;
	untried = 0;
	inputEnd = to;
	reachInput = 0;
	startSizes(least, chunkSize);
	makePlan(input, PLAN_MAX);
	const first = max(from, input + STORED_MIN);
	if (planFirst < planCount) {
		for (let end = first; end <= to && hitCount < most; end += 2) tryChunk(input, end, output, chunkSize, false);
		return hitCount;
	}
	// Every end is tried in full. Behind the true one the range coder hardly ever holds nothing, before it often.
	const farthest = min(to, farthestEnd(input, to, chunkSize));
	for (let end = first + ((farthest - first) & ~1); end >= first && farthest >= first && untried == 0; end -= 2) {
		if (hitCount >= min(most, BLIND_HITS)) {
			untried = <u32>(end - input);
			break;
		}
		startSizes(least, chunkSize);
		tryChunk(input, end, output, chunkSize, false);
	}
	return hitCount;
}

/** The longest stored size that the last `endsOfLzms` did not try for want of trials or of room; 0: it tried all. */
export function untriedLzms(): u32 {
	return untried;
}

/** As `endsOfLzms`, but for the starts of a chunk whose end is known; from the nearest on. */
export function startsOfLzms(
	end: usize,
	from: usize,
	least: u32,
	chunkSize: u32,
	output: usize,
	hits: usize,
	most: u32,
): u32 {
	hitsAt = hits;
	hitCount = 0;
	hitsMost = most;
	blindLeft = BLIND_STARTS;
	inputEnd = end;
	reachInput = 0;
	startSizes(least, chunkSize);
	for (let input = end - STORED_MIN; input >= from && hitCount < most; input -= 2) {
		// Zeros tell literals without end: of unknown size any run of zeros would do.
		if (least < chunkSize && load<u32>(input) == 0) continue;
		makePlan(input, SHORT_PLAN);
		tryChunk(input, end, output, chunkSize, true);
	}
	return hitCount;
}

/**
 * Finds where LZMS chunks may begin: with some literals, as contents that nothing came before do. Of other bytes one in
 * 2^least decodes to so many.
 *
 * @param hits receives offsets from `start` (u32)
 * @returns how many; the search ends when `most` are found
 */
export function scanLzms(start: usize, end: usize, least: u32, hits: usize, most: u32): u32 {
	let count: u32 = 0;
	for (let p = start; p + STORED_MIN <= end; p++) {
		range = 0xffffffff;
		code = rotl<u32>(load<u32>(p), 16);
		front = p + 4;
		mainState = 0;
		for (let k: usize = 0; k < 16; k++) store<u64>(MAIN + (k << 3), FIRST_HISTORY);
		let literals: u32 = 0;
		while (literals < least && !isMatch()) literals += 1;
		if (literals < least) continue;
		store<u32>(hits + (<usize>count << 2), <u32>(p - start));
		if (++count == most) return count;
	}
	return count;
}
