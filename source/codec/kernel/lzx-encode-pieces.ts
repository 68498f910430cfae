// LZX encoder: which stretches of the content make a block (lzx.md section 10.5).
//
// The look ahead cuts what it sees into small pieces and counts the symbols of each. Neighbours whose symbols cost less with
// one code than with two, the description of the second included, are joined, those first that gain most by it.

import { clearCounts } from './lzx-encode-costs';
import { COUNTS_SIZE, LENGTH_COUNT, MAIN_COUNT, PIECES, PIECES_MAX } from './lzx-encode-layout';

const COUNTS: usize = PIECES; //                       [PIECES_MAX][COUNTS_SIZE]
const ORDER: usize = COUNTS + PIECES_MAX * COUNTS_SIZE; // u32[PIECES_MAX]: places of the counts, in the order of the content
const ENDS: usize = ORDER + 4 * PIECES_MAX; //         u32[PIECES_MAX]: where each ends in the chunk
const CACHES: usize = ENDS + 4 * PIECES_MAX; //        u32[PIECES_MAX]: and in the cache
const COSTS: usize = CACHES + 4 * PIECES_MAX; //       f32[PIECES_MAX]: bits
const GAINS: usize = COSTS + 4 * PIECES_MAX; //        f32[PIECES_MAX]: bits that joining with the next one saves

/**
 * Bits that a block costs beside its symbols: in any case, and for each symbol that it has. They are more than its
 * description takes, since a parse that knows less of its costs is worse; fitted on programs and texts of many kinds.
 */
const DESCRIPTION: f32 = 1500;
const DESCRIPTION_SYMBOL: f32 = 5;

/** Pieces, and blocks once they are joined. */
export let pieceCount: usize = 0;

export function startPieces(): void { pieceCount = 0; }

/** Makes a piece of what was counted since the last one. */
export function endPiece(end: u32, cache: usize): void {
	const at = pieceCount << 2;
	const counts = COUNTS + pieceCount * COUNTS_SIZE;
	memory.copy(counts, MAIN_COUNT, COUNTS_SIZE);
	store<u32>(ORDER + at, <u32>counts);
	store<u32>(ENDS + at, end);
	store<u32>(CACHES + at, <u32>cache);
	clearCounts();
	pieceCount++;
}

/** x * log2(x) of four counts at once, to some hundredths; 0 of 0. */
@inline function logs(counts: v128): v128 {
	const x = f32x4.convert_i32x4_u(counts);
	const exponent = f32x4.convert_i32x4_s(i32x4.sub(i32x4.shr_u(x, 23), i32x4.splat(127)));
	// Between two powers log2(m) is close to (2 - m / 3) * m - 5 / 3.
	const m = v128.or(v128.and(x, i32x4.splat(0x7f_ffff)), i32x4.splat(0x3f80_0000));
	const fraction = f32x4.mul(f32x4.sub(f32x4.splat(2), f32x4.mul(m, f32x4.splat(0.33333334))), m);
	return f32x4.mul(x, f32x4.add(exponent, f32x4.sub(fraction, f32x4.splat(1.6666667))));
}

@inline function total(v: v128): f32 {
	return f32x4.extract_lane(v, 0) + f32x4.extract_lane(v, 1) + f32x4.extract_lane(v, 2) + f32x4.extract_lane(v, 3);
}

@inline function totalCount(v: v128): u32 {
	return i32x4.extract_lane(v, 0) + i32x4.extract_lane(v, 1) + i32x4.extract_lane(v, 2) + i32x4.extract_lane(v, 3);
}

/** Bits of the symbols counted at two places together, `size` bytes each, with a code of their own. */
function bitsOf(a: usize, b: usize, size: usize): f32 {
	let sum = i32x4.splat(0);
	let used = i32x4.splat(0);
	let sumLogs = f32x4.splat(0);
	for (let at: usize = 0; at < size; at += 16) {
		const counts = i32x4.add(v128.load(a + at), v128.load(b + at));
		sum = i32x4.add(sum, counts);
		used = i32x4.sub(used, i32x4.ne(counts, i32x4.splat(0)));
		sumLogs = f32x4.add(sumLogs, logs(counts));
	}
	const all = logs(i32x4.replace_lane(i32x4.splat(0), 0, totalCount(sum)));
	return f32x4.extract_lane(all, 0) - total(sumLogs) + DESCRIPTION_SYMBOL * <f32>totalCount(used);
}

/** Bits of a block of two pieces. */
function costOf(a: usize, b: usize, mainSize: usize): f32 {
	const lengths: usize = LENGTH_COUNT - MAIN_COUNT;
	return DESCRIPTION + bitsOf(a, b, mainSize) + bitsOf(a + lengths, b + lengths, 0x400);
}

@inline function placeOf(piece: usize): usize { return <usize>load<u32>(ORDER + (piece << 2)); }

function setGain(piece: usize, mainSize: usize): void {
	const at = piece << 2;
	const apart = load<f32>(COSTS + at) + load<f32>(COSTS + at + 4);
	store<f32>(GAINS + at, apart - costOf(placeOf(piece), placeOf(piece + 1), mainSize));
}

/** Joins pieces until no pair of neighbours is cheaper as one. */
export function joinPieces(slots: u32): void {
	const mainSize = <usize>(256 + (slots << 3)) << 2;
	// Nothing was counted since the last piece ended.
	for (let k: usize = 0; k < pieceCount; k++) store<f32>(COSTS + (k << 2), costOf(placeOf(k), MAIN_COUNT, mainSize));
	for (let k: usize = 0; k + 1 < pieceCount; k++) setGain(k, mainSize);
	while (pieceCount > 1) {
		let best: usize = 0;
		for (let k: usize = 1; k + 1 < pieceCount; k++)
			if (load<f32>(GAINS + (k << 2)) > load<f32>(GAINS + (best << 2))) best = k;
		const at = best << 2;
		const gain = load<f32>(GAINS + at);
		if (gain <= 0) break;
		const counts = placeOf(best);
		const others = placeOf(best + 1);
		for (let c: usize = 0; c < COUNTS_SIZE; c += 16)
			v128.store(counts + c, i32x4.add(v128.load(counts + c), v128.load(others + c)));
		const cost = load<f32>(COSTS + at) + load<f32>(COSTS + at + 4) - gain;
		pieceCount--;
		const left = (pieceCount - best) << 2;
		memory.copy(ENDS + at, ENDS + at + 4, left);
		memory.copy(CACHES + at, CACHES + at + 4, left);
		memory.copy(COSTS + at, COSTS + at + 4, left);
		memory.copy(GAINS + at, GAINS + at + 4, left);
		memory.copy(ORDER + at + 4, ORDER + at + 8, left - 4);
		store<f32>(COSTS + at, cost);
		if (best > 0) setGain(best - 1, mainSize);
		if (best + 1 < pieceCount) setGain(best, mainSize);
	}
}

/** Where a block ends in the chunk, and in the cache. */
export function pieceEnd(piece: usize): u32 { return load<u32>(ENDS + (piece << 2)); }
export function pieceCache(piece: usize): usize { return <usize>load<u32>(CACHES + (piece << 2)); }
/** Makes the counts of a block those at hand. */
export function takeCounts(piece: usize): void { memory.copy(MAIN_COUNT, placeOf(piece), COUNTS_SIZE); }
