// LZMS encoder: the near matches of batches as one thread hands them to another.
//
// A packed batch is one byte for each position, the number of its pairs, or UNSEARCHED; then for each pair its length
// (a byte), then for each its offset (four bytes).

import { BATCH, MATCHES, MATCHES_END, MATCHES_START, NEAR_PAIRS, PAIRS } from './lzms-encode-layout';

/** Copies more packed batches to where these go; returns their bytes: 0 when this thread has to find by itself. */
// @ts-ignore: decorator
@external("lane", "fetchMatches")
declare function fetchMatches(): u32;

/** Of a position for which no matches are looked for. */
const UNSEARCHED: u8 = 255;

/** Most bytes of a batch; pairs are read in steps of 16 bytes. */
export const PACKED_BATCH: usize = (1 + (NEAR_PAIRS >> 3) * 5) * <usize>BATCH + 16;
/** Room for packed batches. */
export const PACKED_SIZE: usize = 1 << 18;

/** Where packed batches lie. */
export let packed: usize = 0;
/** What has not been taken of it. */
let from: usize = 0;
let end: usize = 0;
/** Whether another thread finds. */
let isFed: bool = false;

export function startPacked(at: usize): void {
	packed = at;
	from = at;
	end = at;
	isFed = false;
}

/** From now on another thread finds. */
export function feed(): void {
	isFed = true;
}

/** Packs the current batch; returns the end of it. */
export function packBatch(at: usize, count: u32): usize {
	let lengths = at + <usize>count;
	for (let i: usize = 0; i < count; i++) {
		const start = <usize>load<u32>(MATCHES_START + (i << 2));
		const stop = <usize>load<u32>(MATCHES_END + (i << 2));
		store<u8>(at + i, start == 0 ? UNSEARCHED : <u8>((stop - start) >> 3));
		for (let pair = start; pair < stop; pair += 8) store<u8>(lengths++, <u8>load<u32>(pair));
	}
	let offsets = lengths;
	for (let i: usize = 0; i < count; i++) {
		const stop = <usize>load<u32>(MATCHES_END + (i << 2));
		for (let pair = <usize>load<u32>(MATCHES_START + (i << 2)); pair < stop; pair += 8) {
			store<u32>(offsets, load<u32>(pair, 4));
			offsets += 4;
		}
	}
	return offsets;
}

/** Makes the next packed batch the current one; false when this thread has to find by itself. */
export function nextPacked(count: u32): bool {
	if (!isFed) return false;
	if (from == end) {
		const bytes = fetchMatches();
		from = packed;
		end = packed + <usize>bytes;
		if (bytes == 0) {
			isFed = false;
			return false;
		}
	}
	let pairs: usize = 0;
	for (let i: usize = 0; i < count; i++) {
		const number = load<u8>(from + i);
		if (number != UNSEARCHED) pairs += <usize>number;
	}
	let lengths = from + <usize>count;
	let offsets = lengths + pairs;
	let first = MATCHES;
	for (let i: usize = 0; i < count; i++) {
		const number = load<u8>(from + i);
		if (number == UNSEARCHED) {
			store<u32>(MATCHES_START + (i << 2), 0);
			store<u32>(MATCHES_END + (i << 2), 0);
		} else {
			let pair = first;
			for (let k: u8 = 0; k < number; k++) {
				store<u32>(pair, load<u8>(lengths++));
				store<u32>(pair, load<u32>(offsets), 4);
				offsets += 4;
				pair += 8;
			}
			store<u32>(MATCHES_START + (i << 2), <u32>first);
			store<u32>(MATCHES_END + (i << 2), <u32>pair);
		}
		first += PAIRS;
	}
	from = offsets;
	return true;
}
