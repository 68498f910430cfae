// LZMS encoder: far matches in large chunks.
//
// A tree over a large chunk costs two cache misses for each of some eight nodes. So only the last NEAR_WINDOW bytes
// are in a tree, and what lies before is in a table of buckets, each one cache line: sixteen positions under the same
// hash of MINIMUM bytes, latest first, each with a few bits of the hash of the eight bytes that follow. A batch of
// positions is looked up together, in passes that only touch what the next one reads: the misses overlap.

import { BATCH, FAR_COUNT, FAR_LIST, FAR_BUCKETS, MATCHES_END, MATCHES_START } from './lzms-encode-layout';
import { matchLength } from './lzms-encode-length';

/** Positions enter the table when they are this far behind; log2. */
export const NEAR_BITS: u32 = 21;
export const NEAR_WINDOW: u32 = 1 << NEAR_BITS;
/** Bytes that are hashed. */
const MINIMUM: u32 = 6;
/** Each so many-th position is entered. */
const STRIDE: u32 = 4;
/** Candidates that are compared for one position. */
const TRIES: u32 = 6;

let data: usize = 0;
let size: u32 = 0;
let nice: u32 = 0;
let table: usize = 0;
let bucketShift: u64 = 0;
let positionBits: u32 = 0;
/** First position that has not been considered for the table. */
let entered: u32 = 0;
/** The last match found reaches to here. */
let carryEnd: u32 = 0;
let carryOffset: u32 = 0;
let touched: u32 = 0;

function bucketBits(chunk: u32): u32 {
	return min<u32>(32 - clz((chunk - 1) >> 5), 21);
}

/** Bytes of the table for chunks of this size. */
export function farSize(chunk: u32): usize {
	return ((<usize>64) << bucketBits(chunk)) + 64;
}

export function startFar(input: usize, length: u32, memory_: usize, niceLength: u32): void {
	data = input;
	size = length;
	nice = niceLength;
	table = (memory_ + 63) & ~63;
	bucketShift = 64 - bucketBits(length);
	positionBits = 32 - clz(length - 1);
	entered = 0;
	carryEnd = 0;
	memory.fill(table, 0, (<usize>64) << bucketBits(length));
}

// @ts-ignore: decorator
@inline
function bucketOf(at: usize): usize {
	const key = load<u64>(at) << (64 - 8 * MINIMUM);
	return table + (<usize>((key * 0x9e3779b97f4a7c15) >> bucketShift) << 6);
}

/** A position below the bits that tell what follows it. */
// @ts-ignore: decorator
@inline
function entryOf(at: usize, position: u32): u32 {
	const bits = <u32>((load<u64>(at + MINIMUM) * 0x9e3779b97f4a7c15) >> 32);
	return (bits & ((<u32>-1) << positionBits)) | position;
}

/** Enters what has come to lie far behind the position. */
export function enterFar(position: u32): void {
	if (position < NEAR_WINDOW) return;
	const end = position - NEAR_WINDOW;
	while (entered < end) {
		const from = (entered + STRIDE - 1) & ~(STRIDE - 1);
		const to = min<u32>(end, entered + BATCH);
		let touch: u32 = 0;
		for (let p = from; p < to; p += STRIDE) touch += load<u32>(bucketOf(data + <usize>p));
		touched = touch;
		for (let p = from; p < to; p += STRIDE) {
			const at = data + <usize>p;
			const bucket = bucketOf(at);
			const first = v128.load(bucket);
			const second = v128.load(bucket, 16);
			const third = v128.load(bucket, 32);
			const fourth = v128.load(bucket, 48);
			v128.store(bucket, i32x4.shuffle(i32x4.splat(entryOf(at, p)), first, 0, 4, 5, 6));
			v128.store(bucket, i32x4.shuffle(first, second, 3, 4, 5, 6), 16);
			v128.store(bucket, i32x4.shuffle(second, third, 3, 4, 5, 6), 32);
			v128.store(bucket, i32x4.shuffle(third, fourth, 3, 4, 5, 6), 48);
		}
		entered = to;
	}
}

/** Adds far matches to those of a batch of positions, except where the tree was not asked. */
export function findFar(from: u32, end: u32): void {
	const last = min<u32>(end, size < 32 ? 0 : size - 32);
	if (from >= last) return;
	const count = last - from;
	// Find the buckets.
	let touch: u32 = 0;
	for (let i: u32 = 0; i < count; i++) {
		if (load<u32>(MATCHES_START + (<usize>i << 2)) == 0) continue;
		const bucket = bucketOf(data + <usize>(from + i));
		store<u32>(FAR_BUCKETS + (<usize>i << 2), <u32>bucket);
		touch += load<u32>(bucket);
	}
	// Choose candidates: the latest, and those that seem to match longer.
	const low = i32x4.splat(~((<u32>-1) << positionBits));
	for (let i: u32 = 0; i < count; i++) {
		const start = <usize>load<u32>(MATCHES_START + (<usize>i << 2));
		const stop = <usize>load<u32>(MATCHES_END + (<usize>i << 2));
		let chosen: u32 = 0;
		if (start != 0 && (stop == start || load<u32>(stop - 8) < nice)) {
			const bucket = <usize>load<u32>(FAR_BUCKETS + (<usize>i << 2));
			const latest = load<u32>(bucket);
			if (latest != 0) {
				const list = FAR_LIST + <usize>i * (4 * TRIES);
				const wanted = i32x4.splat(entryOf(data + <usize>(from + i), 0));
				let like =
					i32x4.bitmask(i32x4.eq(v128.andnot(v128.load(bucket), low), wanted)) |
					(i32x4.bitmask(i32x4.eq(v128.andnot(v128.load(bucket, 16), low), wanted)) << 4) |
					(i32x4.bitmask(i32x4.eq(v128.andnot(v128.load(bucket, 32), low), wanted)) << 8) |
					(i32x4.bitmask(i32x4.eq(v128.andnot(v128.load(bucket, 48), low), wanted)) << 12);
				like |= 1;
				while (like != 0 && chosen < TRIES) {
					const entry = load<u32>(bucket + (<usize>ctz(like) << 2));
					like &= like - 1;
					const candidate = entry & i32x4.extract_lane(low, 0);
					if (candidate == 0) continue;
					store<u32>(list + (<usize>chosen << 2), candidate);
					touch += <u32>load<u8>(data + <usize>candidate + MINIMUM);
					chosen++;
				}
			}
		}
		store<u8>(FAR_COUNT + <usize>i, <u8>chosen);
	}
	touched = touch;
	for (let i: u32 = 0; i < count; i++) {
		if (load<u32>(MATCHES_START + (<usize>i << 2)) != 0) compare(from, i);
	}
}

/** Compares the candidates of one position. */
// @ts-ignore: decorator
@inline
function compare(from: u32, i: u32): void {
	const place = <usize>i << 2;
	const position = from + i;
	const start = <usize>load<u32>(MATCHES_START + place);
	let out = <usize>load<u32>(MATCHES_END + place);
	let best: u32 = out > start ? load<u32>(out - 8) : 1;
	if (best >= nice) return;
	const at = data + <usize>position;
	const most = min<u32>(size - position, nice);
	const chosen = load<u8>(FAR_COUNT + <usize>i);
	const list = FAR_LIST + <usize>i * (4 * TRIES);
	for (let k: u32 = 0; k < chosen; k++) {
		const candidate = load<u32>(list + (<usize>k << 2));
		const length = matchLength(data + <usize>candidate, at, 0, most);
		if (length <= best || length < MINIMUM) continue;
		best = length;
		store<u32>(out, length);
		store<u32>(out, position - candidate, 4);
		out += 8;
		if (position + length > carryEnd) {
			const whole = length < nice ? length : matchLength(data + <usize>candidate, at, length, size - position);
			carryEnd = position + whole;
			carryOffset = position - candidate;
			extendBack(from, i, length, carryOffset);
		}
		if (length >= most) break;
	}
	// What began before may still be the longest.
	if (position + best < carryEnd && carryEnd - position >= MINIMUM) {
		store<u32>(out, min<u32>(carryEnd - position, most));
		store<u32>(out, carryOffset, 4);
		out += 8;
	}
	store<u32>(MATCHES_END + place, <u32>out);
}

/** Not every position is in the table: a match may begin before it was seen. */
function extendBack(from: u32, found: u32, length: u32, offset: u32): void {
	let i = found;
	let reach = length;
	while (i > 0 && found - i < STRIDE - 1) {
		i--;
		reach++;
		const at = data + <usize>(from + i);
		if (from + i < offset || load<u8>(at) != load<u8>(at - <usize>offset)) return;
		const place = <usize>i << 2;
		const start = <usize>load<u32>(MATCHES_START + place);
		if (start == 0) return;
		const out = <usize>load<u32>(MATCHES_END + place);
		const best: u32 = out > start ? load<u32>(out - 8) : 1;
		if (best >= reach || best >= nice) return;
		store<u32>(out, min<u32>(reach, nice));
		store<u32>(out, offset, 4);
		store<u32>(MATCHES_END + place, <u32>out + 8);
	}
}
