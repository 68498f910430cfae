// Finds where an LZMS chunk ends whose start is known, or starts whose end is known (wim.md §13.4 C).
//
// The range coder reads from the front and is not touched by what the bit stream says: the kinds of all items follow from
// the start alone (the plan). So a wrong end is found out by the bit stream, whose codes are those of a fresh chunk for
// hundreds of items: at the first explicit offset hardly any size of the chunk gives one that lies inside what was decoded.
// What gets through the plan is decoded in full; at the true end of all chunks that were looked at (wimlib's and ours) one
// word of zeros lies between what both readers have fetched, the rest of the last word is zero too, and so is what the range
// coder holds.

import { LENGTH_ROWS, OFFSET_ROWS } from './layout';
import { freshSymbolOf, peek, startWork, work, workDone } from './lzms-find-bits';
import { literalsAt } from './lzms-find-kinds';
import {
	askAtLeast,
	farthestEnd,
	forgetFarthest,
	makePlan,
	mayBegin,
	PLAN_LITERALS_MAX,
	PLAN_MAX,
	planCount,
	planFirst,
	position,
	prepareFirst,
	reachItems,
	SHORT_PLAN,
	shortenPlan,
	sizeAtLeast,
	startWalk,
	walk,
	walkToExplicit,
} from './lzms-find-plan';
import {
	blindLeft,
	endTrialsAt,
	hitCount,
	hitsMost,
	ITEMS_ALL,
	meet,
	startHits,
	stopBits,
	stopPosition,
	takeBlind,
} from './lzms-find-meet';
import { slotsFor, writeLengthSlots, writeOffsetSlots } from './slots';

/** Hits after which a search of ends without an explicit offset to go by pauses: before the true end most are. */
const BLIND_HITS: u32 = 1000;
/** So many bytes of one word are no end: their bits would be literals or matches that none but a bad encoder writes. */
const FILLING_SIZE: usize = 16;
/** The least that any chunk is stored in, in bytes. */
const STORED_MIN: usize = 8;

writeOffsetSlots(OFFSET_ROWS);
writeLengthSlots(LENGTH_ROWS);

/** The longest stored size that was not tried for want of those; 0: none. */
let untried: u32 = 0;
/** What may be read of the input ends there. */
let inputEnd: usize = 0;
/** Neither original nor stored size are known: what is hardly ever an end is none. */
let isSizeOpen: bool = false;

/** Offset symbols of the smallest size that the stored size allows, and of a whole chunk. */
let leastSymbols: u32 = 0;
let greatestSymbols: u32 = 0;
/** The last offset symbol that can be right at `reachPosition`. */
let reach: u32 = 0;
let reachPosition: u32 = 0;

function startSizes(least: u32, chunkSize: u32): void {
	askAtLeast(least);
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

/** Tries one pair of start and end, which grow apart from call to call: all sizes that the first explicit offset allows. */
function tryChunk(input: usize, end: usize, output: usize, chunkSize: u32, isShort: bool): void {
	const storedSize = <u32>(end - input);
	work(1);
	while (leastSymbols < greatestSymbols && load<u32>(OFFSET_ROWS + (<usize>leastSymbols << 3)) <= storedSize)
		leastSymbols += 1;
	if (isShort && planFirst >= planCount) makePlan(input, PLAN_MAX);
	startWalk(end);
	const state = walk(input, 0, min(planFirst, planCount), 0, chunkSize);
	if (state == 0) return;
	if (state == 2 || planFirst >= planCount) {
		if (planCount == 0 && storedSize < PLAN_LITERALS_MAX) return;
		// Of one start and one end of known size a trial takes less than to see how far the start may lead.
		const isSingle = isShort && !isSizeOpen;
		if (!isSingle && end > farthestEnd(input, inputEnd, chunkSize)) return;
		if (!takeBlind()) {
			untried = max(untried, storedSize);
			return;
		}
		if (!isSingle) endTrialsAt(reachItems);
		tryBlindly(input, end, output, chunkSize);
		endTrialsAt(ITEMS_ALL);
		return;
	}
	walkToExplicit();
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
			shortenPlan();
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
	startWalk(end);
	return walk(input, 0, planCount, symbols, most) != 0;
}

/** Bytes that do nothing but repeat one word: what was overwritten, not the beginning of a chunk or its end. */
function isFilling(at: usize): bool {
	return load<u64>(at) == load<u64>(at, 4);
}

function endsInFilling(input: usize, end: usize): bool {
	return isSizeOpen && end - input >= FILLING_SIZE && isFilling(end - 12) && isFilling(end - FILLING_SIZE);
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
	startHits(hits, most, blind);
	startWork();
	untried = 0;
	inputEnd = to;
	forgetFarthest();
	startSizes(least, chunkSize);
	isSizeOpen = least < chunkSize && from < to;
	makePlan(input, PLAN_MAX);
	const first = max(from, input + STORED_MIN);
	if (planFirst < planCount) {
		for (let end = first; end <= to && hitCount < most; end += 2)
			if (!endsInFilling(input, end)) tryChunk(input, end, output, chunkSize, false);
		return hitCount;
	}
	// Every end is tried in full. Behind the true one the range coder hardly ever holds nothing, before it often.
	const farthest = min(to, farthestEnd(input, to, chunkSize));
	for (let end = first + ((farthest - first) & ~1); end >= first && farthest >= first && untried == 0; end -= 2) {
		if (hitCount >= min(most, BLIND_HITS)) {
			untried = <u32>(end - input);
			break;
		}
		if (endsInFilling(input, end)) continue;
		startSizes(least, chunkSize);
		tryChunk(input, end, output, chunkSize, false);
	}
	return hitCount;
}

/** The longest stored size that the last `endsOfLzms` did not try for want of trials or of room; 0: it tried all. */
export function untriedLzms(): u32 {
	return untried;
}

/** What the last search of ends or starts took, in steps of some 15 ns. */
export function workOfLzms(): u32 {
	return workDone;
}

/** As `endsOfLzms`, but for the starts of a chunk whose end is known: from `to`, the nearest, down to `from`. */
export function startsOfLzms(
	end: usize,
	from: usize,
	to: usize,
	least: u32,
	chunkSize: u32,
	output: usize,
	hits: usize,
	most: u32,
	blind: u32,
): u32 {
	startHits(hits, most, blind);
	startWork();
	inputEnd = end;
	forgetFarthest();
	isSizeOpen = least < chunkSize;
	if (endsInFilling(from, end)) return 0;
	startSizes(least, chunkSize);
	if (!isSizeOpen) prepareFirst(end, greatestSymbols, chunkSize);
	for (let input = min(to, end - STORED_MIN); input >= from && hitCount < most; input -= 2) {
		if (!isSizeOpen && !mayBegin(input, end)) continue;
		// Zeros tell literals without end: of unknown size any run of zeros would do.
		if (least < chunkSize && load<u32>(input) == 0) continue;
		makePlan(input, SHORT_PLAN);
		tryChunk(input, end, output, chunkSize, true);
	}
	return hitCount;
}

/** Blind trials that the last search of starts left. */
export function blindLeftLzms(): u32 {
	return blindLeft;
}

/**
 * Finds where LZMS chunks may begin: with some literals, as contents that nothing came before do. Of other bytes one in
 * 2^least decodes to so many. Zeros tell literals without end, and are none.
 *
 * @param hits receives offsets from `start` (u32)
 * @returns how many; the search ends when `most` are found
 */
export function scanLzms(start: usize, end: usize, least: u32, hits: usize, most: u32): u32 {
	let count: u32 = 0;
	for (let p = start; p + STORED_MIN <= end; p++) {
		if (load<u32>(p) == 0 || isFilling(p) || literalsAt(p, least) < least) continue;
		store<u32>(hits + (<usize>count << 2), <u32>(p - start));
		if (++count == most) return count;
	}
	return count;
}
