// Finds where blobs may begin whose ends are known, or which lie between two of some likely places: SHA-1 of whole stretches,
// four at a time in the lanes of a vector. No prefix is hashed that nobody asks for, so it costs a compression per 64 bytes.

import {
	compressLanes,
	compressPlain,
	LANE_STATE,
	LANES,
	lanesFromState,
	lanesWanted,
	resetCut,
	STATE,
} from './sha1-cut';

/** The last words of the four messages of a group: 0 to 3 bytes, then the mark of the end. */
const ENDINGS: usize = 122848;
/** A block with the end of one message. */
const TAIL: usize = 122864;
const SAVED: usize = 122928; // 5 u32

/** Big-endian words of four messages that begin a byte apart, the first of them last. */
// @ts-ignore: decorator
@inline
function fourWords(at: usize): v128 {
	const bytes = v128.load(at);
	return v128.shuffle<u8>(bytes, bytes, 6, 5, 4, 3, 5, 4, 3, 2, 4, 3, 2, 1, 3, 2, 1, 0);
}

/**
 * Hashes the stretches that end at `end` and have so many bytes, and notes those whose first 16 bits are wanted.
 *
 * @param end with at least 16 readable bytes behind it
 * @param least a multiple of 4
 * @param most the greatest size, rounded up to the end of a group of four; that many bytes and 3 more lie before `end`
 * @param hits receives 24 bytes each: the size (u32), then the SHA-1 in five words
 * @returns how many hits, at most `room`
 */
export function startsBySha1(end: usize, least: u32, most: u32, hits: usize, room: u32): u32 {
	let count: u32 = 0;
	let ending: u32 = 0x80000000;
	for (let lane: u32 = 0; lane < 4; lane++) {
		store<u32>(ENDINGS + (<usize>lane << 2), ending);
		ending = (<u32>load<u8>(end - 1 - <usize>lane) << 24) | (ending >> 8);
	}
	const endings = v128.load(ENDINGS);
	for (let size = least; size <= most; size += 4) {
		resetCut();
		lanesFromState();
		let at = end - <usize>size - 3;
		for (let blocks = size >> 6; blocks > 0; blocks--) {
			for (let w: usize = 0; w < 16; w++) v128.store(LANES + (w << 4), fourWords(at + (w << 2)));
			compressLanes();
			at += 64;
		}
		const words = <usize>((size & 63) >> 2);
		for (let w: usize = 0; w < words; w++) v128.store(LANES + (w << 4), fourWords(at + (w << 2)));
		v128.store(LANES + (words << 4), endings);
		for (let w = words + 1; w < 16; w++) v128.store(LANES + (w << 4), i32x4.splat(0));
		if (words >= 14) {
			compressLanes();
			for (let w: usize = 0; w < 14; w++) v128.store(LANES + (w << 4), i32x4.splat(0));
		}
		// Sizes are below 2^29 here.
		v128.store(LANES + 14 * 16, i32x4.splat(0));
		v128.store(
			LANES + 15 * 16,
			i32x4.shl(i32x4.add(i32x4.splat(size), i32x4(0, 1, 2, 3)), 3),
		);
		compressLanes();
		for (let lane: u32 = 0; lane < 4; lane++) {
			if (size + lane == 0 || !lanesWanted(lane)) continue;
			noteLane(hits + <usize>count * 24, size + lane, lane);
			if (++count == room) return count;
		}
	}
	return count;
}

function noteLane(to: usize, size: u32, lane: u32): void {
	store<u32>(to, size);
	for (let k: usize = 0; k < 5; k++)
		store<u32>(to + 4 + (k << 2), load<u32>(LANE_STATE + (k << 4) + (<usize>lane << 2)));
}

/**
 * Hashes some prefixes of the bytes at `start`, and notes those whose first 16 bits are wanted.
 *
 * @param sizes of the prefixes (u32), ascending, above 0
 */
export function prefixesBySha1(
	start: usize,
	sizes: usize,
	sizeCount: u32,
	hits: usize,
	room: u32,
): u32 {
	resetCut();
	let count: u32 = 0;
	let done: u32 = 0;
	let lane: u32 = 0;
	for (let k: u32 = 0; k < sizeCount; k++) {
		const size = load<u32>(sizes + (<usize>k << 2));
		while (done + 64 <= size) {
			compressPlain(start + <usize>done);
			done += 64;
		}
		fillLane(lane, start + <usize>done, size - done, size);
		lane += 1;
		if (lane < 4 && k + 1 < sizeCount) continue;
		compressLanes();
		for (let l: u32 = 0; l < lane; l++) {
			if (!lanesWanted(l)) continue;
			noteLane(hits + <usize>count * 24, load<u32>(sizes + (<usize>(k + 1 - lane + l) << 2)), l);
			if (++count == room) return count;
		}
		lane = 0;
	}
	return count;
}

/** Puts the last block of a message into a lane, with the state before it. */
function fillLane(lane: u32, at: usize, rest: u32, size: u32): void {
	memory.fill(TAIL, 0, 64);
	memory.copy(TAIL, at, <usize>rest);
	store<u8>(TAIL + <usize>rest, 0x80);
	if (rest >= 56) {
		memory.copy(SAVED, STATE, 20);
		compressPlain(TAIL);
		stateToLane(lane);
		memory.copy(STATE, SAVED, 20);
		memory.fill(TAIL, 0, 64);
	} else {
		stateToLane(lane);
	}
	store<u32>(TAIL + 60, bswap<u32>(size << 3));
	for (let w: usize = 0; w < 16; w++)
		store<u32>(LANES + (w << 4) + (<usize>lane << 2), bswap<u32>(load<u32>(TAIL + (w << 2))));
}

function stateToLane(lane: u32): void {
	for (let k: usize = 0; k < 5; k++)
		store<u32>(LANE_STATE + (k << 4) + (<usize>lane << 2), load<u32>(STATE + (k << 2)));
}
