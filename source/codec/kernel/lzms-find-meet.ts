// Decodes LZMS chunks of unknown size, and notes where both readers meet.

import { CODE_SIZE, rebuildCode } from './adaptive';
import { copyMatch } from './copy';
import { NO_SYMBOL } from './huffman';
import { LENGTH_ROWS, OFFSET_ROWS } from './layout';
import {
	adaptiveSymbol,
	back,
	bitAt,
	DELTA_OFFSET,
	endsInZeros,
	goToBit,
	LENGTH,
	LENGTH_BITS,
	LITERAL,
	LITERAL_BITS,
	LONG_PERIOD,
	OFFSET,
	OFFSET_BITS,
	peek,
	POWER,
	POWER_BITS,
	SHORT_PERIOD,
	slotValue,
	startBits,
	startFrequencies,
	work,
} from './lzms-find-bits';
import {
	afterLiteral,
	code,
	DELTA_EXPLICIT,
	DELTA_RECENT,
	front,
	isMatch,
	keepKinds,
	KEPT_SIZE,
	l0,
	LZ_EXPLICIT,
	LZ_RECENT,
	matchKind,
	newOffset,
	newPair,
	recentOffset,
	recentPair,
	startRangeCoder,
	startRecents,
	takeKinds,
} from './lzms-find-kinds';
import { GAP } from './lzms-find-plan';
import { LENGTH_SLOTS } from './slots';

/** Bytes of a hit: stored size, original size (u32 each). */
const HIT: usize = 8;
/** Candidates for the size of one chunk. */
const SIZES_MAX: u32 = 2;
/** So many items of one trial count like an end more. */
const LONG_TRIAL: u32 = 4096;
export const ITEMS_ALL: u32 = 0xffffffff;

// Where hits go.
let hitsAt: usize = 0;
export let hitCount: u32 = 0;
export let hitsMost: u32 = 0;
/** Ends that may still be tried without an explicit offset to go by, which takes a thousand times as long. */
export let blindLeft: u32 = 0;
/** A trial that takes many items ends behind this one. */
let itemsMost: u32 = ITEMS_ALL;

export function startHits(at: usize, most: u32, blind: u32): void {
	hitsAt = at;
	hitCount = 0;
	hitsMost = most;
	blindLeft = blind;
}

/** Takes one of the blind trials that are left. */
export function takeBlind(): bool {
	if (blindLeft == 0) return false;
	blindLeft -= 1;
	return true;
}

/** Trials end behind so many items from now on; ITEMS_ALL: never. */
export function endTrialsAt(items: u32): void {
	itemsMost = items;
}

// Where `meet` stopped for want of the number of offset symbols: from there on it goes on for each number that is possible.
let stopKind: u32 = 0;
let stopItems: u32 = 0;
export let stopPosition: u32 = 0;
export let stopBits: u64 = 0;
let stopBitAt: usize = 0;
let stopLiteralsLeft: u32 = 0;
let stopLengthsLeft: u32 = 0;
let stopFreshLiteral: u32 = 0;
let stopFreshLength: u32 = 0;

/** Histories, then the codes of literals and lengths, as they were at the stop: where other kernels keep the x86 filter. */
const STOPPED: usize = 262144;
const STOPPED_CODES: usize = STOPPED + KEPT_SIZE;

/** The codec's state at a stop that `meet` does not keep in variables of its own. */
function keepStop(): void {
	keepKinds(STOPPED);
	memory.copy(STOPPED_CODES, LITERAL, 2 * CODE_SIZE);
}

function takeStop(): void {
	takeKinds(STOPPED, stopKind);
	goToBit(stopBitAt);
	memory.copy(LITERAL, STOPPED_CODES, 2 * CODE_SIZE);
}

/**
 * Decodes a whole chunk of unknown size, and notes where both readers meet.
 *
 * @param symbols of the two offset codes; 0 when that is not known
 * @param isResumed goes on at the last stop of the same start and end
 * @returns true when it came to an explicit offset without knowing how many symbols there are
 */
export function meet(input: usize, end: usize, symbols: u32, least: u32, output: usize, most: u32, isResumed: bool): bool {
	const storedSize = <u32>(end - input);
	startBits(end);
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
	}
	while (out < most) {
		items += 1;
		work(1);
		if (items > itemsMost) return false;
		if (items % LONG_TRIAL == 0 && blindLeft > 0) blindLeft -= 1;
		if (!isStopped && !isMatch()) {
			afterLiteral();
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
	return endsInZeros();
}

function copyPlain(out: usize, length: usize, offset: usize, span: usize): void {
	const end = out + length;
	for (let to = out; to < end; to++)
		store<u8>(
			to,
			<u8>(<u32>load<u8>(to - offset) + <u32>load<u8>(to - span) - <u32>load<u8>(to - span - offset)),
		);
}
