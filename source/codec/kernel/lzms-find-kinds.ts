// What the range coder of an LZMS chunk tells by itself: the kinds of all items, from the start of the chunk alone.
// For finders: it reads without bounds, and its state can be kept and taken again.

import { HISTORIES } from './layout';

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
/** Of the 64 decisions of a fresh history. */
const FRESH_ZEROS: u32 = 48;

// Kinds of matches; recent ones count the index up from the second value.
export const LZ_EXPLICIT: u32 = 0;
export const LZ_RECENT: u32 = 1;
export const DELTA_EXPLICIT: u32 = 8;
export const DELTA_RECENT: u32 = 9;

// The range coder.
let range: u32 = 0;
export let code: u32 = 0;
export let front: usize = 0;
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
export let l0: u32 = 0;
let l1: u32 = 0;
let l2: u32 = 0;
let l3: u32 = 0;
let d0: u64 = 0;
let d1: u64 = 0;
let d2: u64 = 0;
let d3: u64 = 0;

// The same, as they were kept.
let keptRange: u32 = 0;
let keptCode: u32 = 0;
let keptFront: usize = 0;
let keptMainState: u32 = 0;
let keptMatchState: u32 = 0;
let keptLzState: u32 = 0;
let keptRepeatState: u32 = 0;
let keptRepeat2State: u32 = 0;
let keptDeltaState: u32 = 0;
let keptDeltaRepeatState: u32 = 0;
let keptDeltaRepeat2State: u32 = 0;
let keptL0: u32 = 0;
let keptL1: u32 = 0;
let keptL2: u32 = 0;
let keptL3: u32 = 0;
let keptD0: u64 = 0;
let keptD1: u64 = 0;
let keptD2: u64 = 0;
let keptD3: u64 = 0;

export function startRangeCoder(input: usize): void {
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

export function startRecents(): void {
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

export function isMatch(): bool {
	const bit = decide(MAIN + (<usize>mainState << 3));
	mainState = ((mainState << 1) | bit) & 15;
	return bit != 0;
}

/** Decides the kind of a match, behind the decision that it is one. */
export function matchKind(): u32 {
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
export function recentOffset(index: u32): u32 {
	const offset = index == 0 ? l0 : index == 1 ? l1 : index == 2 ? l2 : l3;
	if (index > 2) l3 = l2;
	if (index > 1) l2 = l1;
	if (index > 0) l1 = l0;
	l0 = offset;
	return offset;
}

export function recentPair(index: u32): u64 {
	const pair = index == 0 ? d0 : index == 1 ? d1 : index == 2 ? d2 : d3;
	if (index > 2) d3 = d2;
	if (index > 1) d2 = d1;
	if (index > 0) d1 = d0;
	d0 = pair;
	return pair;
}

export function newOffset(offset: u32): void {
	l3 = l2;
	l2 = l1;
	l1 = l0;
	l0 = offset;
}

export function newPair(pair: u64): void {
	d3 = d2;
	d2 = d1;
	d1 = d0;
	d0 = pair;
}

export function afterLiteral(): void {
	before = 0;
}

/** Bytes that `keepKinds` takes. */
export const KEPT_SIZE: usize = HISTORIES_END - HISTORIES;

/** Keeps the state of the range coder and the recent offsets, in variables and at `at`. */
export function keepKinds(at: usize): void {
	keptRange = range;
	keptCode = code;
	keptFront = front;
	keptMainState = mainState;
	keptMatchState = matchState;
	keptLzState = lzState;
	keptRepeatState = repeatState;
	keptRepeat2State = repeat2State;
	keptDeltaState = deltaState;
	keptDeltaRepeatState = deltaRepeatState;
	keptDeltaRepeat2State = deltaRepeat2State;
	keptL0 = l0;
	keptL1 = l1;
	keptL2 = l2;
	keptL3 = l3;
	keptD0 = d0;
	keptD1 = d1;
	keptD2 = d2;
	keptD3 = d3;
	memory.copy(at, HISTORIES, KEPT_SIZE);
}

/** Takes it again, behind the decision for a match of some kind. */
export function takeKinds(at: usize, kind: u32): void {
	range = keptRange;
	code = keptCode;
	front = keptFront;
	mainState = keptMainState;
	matchState = keptMatchState;
	lzState = keptLzState;
	repeatState = keptRepeatState;
	repeat2State = keptRepeat2State;
	deltaState = keptDeltaState;
	deltaRepeatState = keptDeltaRepeatState;
	deltaRepeat2State = keptDeltaRepeat2State;
	before = kind < DELTA_EXPLICIT ? 1 : 2;
	l0 = keptL0;
	l1 = keptL1;
	l2 = keptL2;
	l3 = keptL3;
	d0 = keptD0;
	d1 = keptD1;
	d2 = keptD2;
	d3 = keptD3;
	memory.copy(HISTORIES, at, KEPT_SIZE);
}

/** How many literals a chunk that begins at `input` would begin with, up to `most`. */
export function literalsAt(input: usize, most: u32): u32 {
	range = 0xffffffff;
	code = rotl<u32>(load<u32>(input), 16);
	front = input + 4;
	mainState = 0;
	for (let k: usize = 0; k < 16; k++) store<u64>(MAIN + (k << 3), FIRST_HISTORY);
	let literals: u32 = 0;
	while (literals < most && !isMatch()) literals += 1;
	return literals;
}

/** Codes of `firstMatch`: the kind of the match in these bits, how many literals precede it above. */
export const FIRST_KIND_BITS: u32 = 3;
export const FIRST_DELTA: u32 = 4;

/**
 * The first match of a chunk at `input`, which nothing but literals precedes: as `makePlan`, but without histories in memory,
 * since each class of decisions is fresh when it is first asked.
 *
 * @param most literals
 * @returns literals before it and its kind: 0 explicit, 1 to 3 recent offsets, the same from FIRST_DELTA on for delta matches
 */
export function firstMatch(input: usize, most: u32): u32 {
	let width: u32 = 0xffffffff;
	let held = rotl<u32>(load<u32>(input), 16);
	let at = input + 4;
	let past = FIRST_HISTORY;
	let literals: u32 = 0;
	for (; literals < most; literals++) {
		if (width < 0x10000) {
			width <<= 16;
			held = (held << 16) | <u32>load<u16>(at);
			at += 2;
		}
		const ones = <u32>popcnt(past);
		const bound = (width >> 6) * (64 - (ones + <u32>(ones == 0) - (ones >> 6)));
		if (held >= bound) {
			width -= bound;
			held -= bound;
			break;
		}
		width = bound;
		past <<= 1;
	}
	// MATCH, then LZ, LZ_REPEAT and LZ_REPEAT_2 or the same for delta matches.
	let kind: u32 = 0;
	for (let class_ = 0; class_ < 4; class_++) {
		if (width < 0x10000) {
			width <<= 16;
			held = (held << 16) | <u32>load<u16>(at);
			at += 2;
		}
		const bound = (width >> 6) * FRESH_ZEROS;
		const bit = held >= bound;
		if (bit) {
			width -= bound;
			held -= bound;
		} else {
			width = bound;
		}
		if (class_ == 0) {
			if (bit) kind = FIRST_DELTA;
			continue;
		}
		if (!bit) break;
		kind += 1;
	}
	return (literals << FIRST_KIND_BITS) | kind;
}
