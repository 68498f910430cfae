// The plan of an LZMS chunk: the kinds of its first items, which follow from its start alone. Nearly every wrong end is found
// out by it, since the codes of these items are those of a fresh chunk.

import { back, freshSymbol, skipBits, slotValue, startBits, work } from './lzms-find-bits';
import {
	afterLiteral,
	code,
	DELTA_EXPLICIT,
	DELTA_RECENT,
	FIRST_DELTA,
	FIRST_KIND_BITS,
	firstMatch,
	front,
	isMatch,
	LZ_EXPLICIT,
	LZ_RECENT,
	matchKind,
	newOffset,
	newPair,
	recentOffset,
	recentPair,
	startRangeCoder,
	startRecents,
} from './lzms-find-kinds';
import { LENGTH_ROWS, OFFSET_ROWS } from './layout';
import { LENGTH_SLOTS } from './slots';

/** Matches of a plan, 12 bytes each: literals before it (u32), its kind (u32), where the range coder stands then (u32). */
const PLAN: usize = 123008;
/** So many matches and literals come before any code is rebuilt. */
export const PLAN_MAX: u32 = 480;
const PLAN_ROW: usize = 12;
export const PLAN_LITERALS_MAX: u32 = 1000;
/** With fewer matches a plan still turns down nearly all wrong starts. */
export const SHORT_PLAN: u32 = 6;

/** Unused bytes between the two readers at the end of a chunk. */
export const GAP: i32 = 2;

export let planCount: u32 = 0;
/** The least original size that is asked for. */
export let sizeAtLeast: u32 = 0;
/** Position in the plan of the first match with an explicit offset. */
export let planFirst: u32 = 0;

/** Writes the kinds of the first items of the chunk at `input` to PLAN. */
export function makePlan(input: usize, most: u32): void {
	startRangeCoder(input);
	planCount = 0;
	planFirst = most;
	let literals: u32 = 0;
	let run: u32 = 0;
	while (planCount < most && literals < PLAN_LITERALS_MAX) {
		if (!isMatch()) {
			afterLiteral();
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
	work(planCount + literals);
}

/** The most bits that a literal and a match take: codewords, and the extra bits of offset and length. */
const LITERAL_BITS_MAX: usize = 15;
const MATCH_BITS_MAX: usize = 112;

let reachInput: usize = 0;
let reachEnd: usize = 0;
/** The last item behind which the chunk may end, counted from 1. */
export let reachItems: u32 = 0;

/**
 * The farthest end that the chunk at `input` can have: at its end the range coder holds nothing, and where it does for the
 * last time follows from the start alone. The start itself when it never does.
 *
 * @param limit what may be read ends there
 * @param most items
 */
export function farthestEnd(input: usize, limit: usize, most: u32): usize {
	if (input == reachInput) return reachEnd;
	startRangeCoder(input);
	let bits: usize = 0;
	reachInput = input;
	reachEnd = input;
	reachItems = 0;
	let items: u32 = 0;
	for (; items < most && front <= limit; items++) {
		if (isMatch()) {
			matchKind();
			bits += MATCH_BITS_MAX;
		} else {
			afterLiteral();
			bits += LITERAL_BITS_MAX;
		}
		if (code != 0) continue;
		reachEnd = front + <usize>GAP + (((bits + 15) >> 4) << 1);
		reachItems = items + 1;
	}
	work(items);
	return reachEnd;
}

/** How much a trial has decoded. */
export let position: u32 = 0;

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
export function walk(input: usize, from: u32, to: u32, symbols: u32, limit: u32): u32 {
	for (let k = from; k < to; k++) {
		work(1);
		const row = PLAN + <usize>k * PLAN_ROW;
		const run = load<u32>(row);
		const kind = load<u32>(row, 4);
		skipBits(<usize>run << 3);
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

/** Begins a walk at an end that is tried. */
export function startWalk(end: usize): void {
	startBits(end);
	position = 0;
	startRecents();
}

/** Goes on to the offset of the first match that names one. */
export function walkToExplicit(): void {
	const row = PLAN + <usize>planFirst * PLAN_ROW;
	position += load<u32>(row);
	skipBits(<usize>load<u32>(row) << 3);
	if (load<u32>(row, 4) == DELTA_EXPLICIT) skipBits(3);
}

/** A plan that turned something down need not be longer than others. */
export function shortenPlan(): void {
	planCount = min(planCount, SHORT_PLAN);
}

export function askAtLeast(size: u32): void {
	sizeAtLeast = size;
}

export function forgetFarthest(): void {
	reachInput = 0;
}

/** By the number of literals before the first match: a bit for each kind of match that may follow them. */
const FIRST_FITS: usize = 128768;
const FIRST_LITERALS: u32 = 256;
/** A chunk of fewer stored bytes may end before its first match. */
const FIRST_STORED_MIN: usize = 4096;

/** Notes which first matches fit to the bits before `end`, of a chunk of known size and so of known codes. */
export function prepareFirst(end: usize, symbols: u32, size: u32): void {
	for (let run: u32 = 0; run < FIRST_LITERALS; run++) {
		let fits: u32 = 0;
		store<u32>(PLAN, run);
		store<u32>(PLAN, 0, 8);
		for (let kind: u32 = 0; kind < 8; kind++) {
			const isDelta = kind >= FIRST_DELTA;
			store<u32>(PLAN, isDelta ? DELTA_EXPLICIT + kind - FIRST_DELTA : LZ_EXPLICIT + kind, 4);
			startWalk(end);
			if (walk(0, 0, 1, symbols, size) != 0) fits |= (<u32>1) << kind;
		}
		store<u8>(FIRST_FITS + <usize>run, <u8>fits);
	}
}

/** Whether a chunk may begin at `input`, by its first match: of four starts it turns down three, in a tenth of the time of a plan. */
export function mayBegin(input: usize, end: usize): bool {
	if (end - input < FIRST_STORED_MIN) return true;
	const first = firstMatch(input, FIRST_LITERALS);
	const run = first >> FIRST_KIND_BITS;
	if (run == FIRST_LITERALS) return true;
	const fits = <u32>load<u8>(FIRST_FITS + <usize>run);
	return ((fits >> (first & (((<u32>1) << FIRST_KIND_BITS) - 1))) & 1) != 0;
}
