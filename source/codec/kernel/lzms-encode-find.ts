// LZMS encoder: finds matches for batches of positions ahead of the parser.
//
// LZ matches come from a binary tree of suffixes under a hash of four bytes, and from two small tables for two and
// three bytes. Delta matches come from one table per power, keyed by three differences.



import { BATCH, INDEX, MATCHES, DELTA_INDEX, DELTAS, } from './lzms-encode-layout';

/** Beyond this the matches of one more position may not fit. */
const MATCHES_FULL: usize = MATCHES + 8 * (68 * 512 - 256);

let data: usize = 0;
let size: u32 = 0;
let nice: u32 = 0;
let depth: u32 = 0;
let delta: bool = false;

let children: usize = 0;
let heads2: usize = 0;
let heads3: usize = 0;
let heads4: usize = 0;
let shift2: u32 = 0;
let shift3: u32 = 0;
let shift4: u32 = 0;
let deltaHeads: usize = 0;

/** First position not yet entered. */
let frontier: u32 = 0;
let batchStart: u32 = 0;

function hashBits(room: u32, least: u32, most: u32): u32 {
	return min<u32>(max<u32>(32 - clz(room), least), most);
}

/** Bytes of working memory for chunks of this size. */
export function finderSize(chunk: u32): usize {
	return (<usize>chunk << 3) + ((<usize>4) << 14) + ((<usize>8) << 15) + ((<usize>4) << hashBits(chunk, 10, 20))
		+ ((<usize>24) << DELTA_TABLE_BITS) + 256;
}

export function startFinder(input: usize, length: u32, work: usize, niceLength: u32, most: u32, deltas: bool): void {
	data = input;
	size = length;
	nice = niceLength;
	depth = most;
	delta = deltas;
	frontier = 0;
	batchStart = 0;
	const bits2 = hashBits(length, 8, 14);
	const bits3 = hashBits(length, 8, 15);
	const bits4 = hashBits(length, 10, 20);
	shift2 = 32 - bits2;
	shift3 = 32 - bits3;
	shift4 = 32 - bits4;
	heads2 = work;
	heads3 = heads2 + ((<usize>4) << bits2);
	heads4 = heads3 + ((<usize>8) << bits3);
	deltaHeads = heads4 + ((<usize>4) << bits4);
	children = deltaHeads + ((<usize>24) << DELTA_TABLE_BITS);
	memory.fill(work, 0, children - work);
	store<u32>(INDEX, <u32>MATCHES);
	store<u32>(INDEX + 4, <u32>MATCHES);
}

/** Makes the matches of a position available; positions are asked for in rising order. */
// @ts-ignore: decorator
@inline
export function prepareMatches(position: u32): void {
	if (position >= frontier) findBatch(position);
}

// @ts-ignore: decorator
@inline
export function matchesOf(position: u32): usize {
	return load<u32>(INDEX + (<usize>(position - batchStart) << 2));
}
// @ts-ignore: decorator
@inline
export function matchesEnd(position: u32): usize {
	return load<u32>(INDEX + (<usize>(position - batchStart) << 2), 4);
}
// @ts-ignore: decorator
@inline
export function deltasOf(position: u32): usize {
	return DELTAS + <usize>(position - batchStart) * 48;
}
// @ts-ignore: decorator
@inline
export function deltasEnd(position: u32): usize {
	return DELTAS + <usize>(position - batchStart) * 48 + (<usize>load<u8>(DELTA_INDEX + <usize>(position - batchStart)) << 3);
}

/** How many bytes agree from two places on, `length` of them already known. */
// @ts-ignore: decorator
@inline
export function matchLength(a: usize, b: usize, length: u32, most: u32): u32 {
	let at = length;
	while (at < most) {
		const difference = load<u64>(a + <usize>at) ^ load<u64>(b + <usize>at);
		if (difference != 0) {
			at += <u32>ctz(difference) >> 3;
			break;
		}
		at += 8;
	}
	return min<u32>(at, most);
}

/** How far a delta match reaches. */
export function deltaLength(at: usize, offset: u32, span: u32, most: u32): u32 {
	const other = at - <usize>offset;
	let length: u32 = 0;
	while (length < most) {
		const a = i8x16.sub(v128.load(at + <usize>length), v128.load(at + <usize>length - <usize>span));
		const b = i8x16.sub(v128.load(other + <usize>length), v128.load(other + <usize>length - <usize>span));
		const same = i8x16.bitmask(i8x16.eq(a, b));
		if (same != 0xffff) {
			length += ctz(~same);
			break;
		}
		length += 16;
	}
	return min<u32>(length, most);
}

function findBatch(from: u32): void {
	if (frontier < from) skip(from);
	batchStart = from;
	let end = min<u32>(from + BATCH, size);
	let out: usize = MATCHES;
	for (let position = from; position < end; position++) {
		const first = out;
		store<u32>(INDEX + (<usize>(position - from) << 2), <u32>first);
		out = insert(position, first, true);
		if ((out > first && load<u32>(out - 8) >= nice) || out > MATCHES_FULL) end = position + 1;
	}
	store<u32>(INDEX + (<usize>(end - from) << 2), <u32>out);
	if (delta) findDeltas(from, end, true);
	frontier = end;
}

/** Enters positions without keeping what they match. */
function skip(to: u32): void {
	for (let position = frontier; position < to; position++) insert(position, MATCHES, false);
	if (delta) {
		for (let from = frontier; from < to; from += BATCH) findDeltas(from, min<u32>(from + BATCH, to), false);
	}
	frontier = to;
}

/** Enters one position and writes its matches, if wanted; returns the end of what was written. */
// @ts-ignore: decorator
@inline
function insert(position: u32, matches: usize, record: bool): usize {
	let out = matches;
	const at = data + <usize>position;
	const most = min<u32>(size - position, nice);
	const first = load<u32>(at);
	let best: u32 = 1;

	const head2 = heads2 + (<usize>(((first << 16) * 0x9e3779b1) >> shift2) << 2);
	const near = load<u32>(head2);
	store<u32>(head2, position);
	const head3 = heads3 + (<usize>(((first << 8) * 0x9e3779b1) >> shift3) << 3);
	const recent = load<u32>(head3);
	const older = load<u32>(head3, 4);
	store<u32>(head3, position);
	store<u32>(head3, recent, 4);
	const head4 = heads4 + (<usize>((first * 0x9e3779b1) >> shift4) << 2);
	let candidate = load<u32>(head4);
	store<u32>(head4, position);

	if (most < 4) {
		// Too near to the end for the tree; what hangs below this position is never asked for again.
		store<u64>(children + (<usize>position << 3), 0);
		if (!record || most < 2) return out;
	}
	if (record) {
		if (near != 0) {
			const length = matchLength(data + <usize>near, at, 0, most);
			if (length >= 2) {
				store<u32>(out, length);
				store<u32>(out, position - near, 4);
				out += 8;
				best = length;
			}
		}
		if (recent != 0 && recent != near && best < most) {
			const length = matchLength(data + <usize>recent, at, 0, most);
			if (length > best) {
				store<u32>(out, length);
				store<u32>(out, position - recent, 4);
				out += 8;
				best = length;
			}
		}
		if (older != 0 && best < 3) {
			const length = matchLength(data + <usize>older, at, 0, most);
			if (length > best) {
				store<u32>(out, length);
				store<u32>(out, position - older, 4);
				out += 8;
				best = length;
			}
		}
		if (most < 4) return out;
	}

	let less = children + (<usize>position << 3);
	let greater = less + 4;
	let lessLength: u32 = 0;
	let greaterLength: u32 = 0;
	let left = depth;
	while (true) {
		if (candidate == 0 || left == 0) {
			store<u32>(less, 0);
			store<u32>(greater, 0);
			break;
		}
		left--;
		const pair = children + (<usize>candidate << 3);
		const other = data + <usize>candidate;
		const length = matchLength(other, at, min<u32>(lessLength, greaterLength), most);
		if (length > best) {
			best = length;
			if (record) {
				store<u32>(out, length);
				store<u32>(out, position - candidate, 4);
				out += 8;
			}
		}
		if (length >= most) {
			store<u32>(less, load<u32>(pair));
			store<u32>(greater, load<u32>(pair, 4));
			break;
		}
		if (load<u8>(other + <usize>length) < load<u8>(at + <usize>length)) {
			store<u32>(less, candidate);
			less = pair + 4;
			candidate = load<u32>(less);
			lessLength = length;
		} else {
			store<u32>(greater, candidate);
			greater = pair;
			candidate = load<u32>(greater);
			greaterLength = length;
		}
	}
	return out;
}

/** Delta matches are looked for up to this distance; 2^DELTA_BITS. */
const DELTA_BITS: u32 = 20;
const DELTA_MASK: u32 = (1 << DELTA_BITS) - 1;
const DELTA_TABLE_BITS: u32 = 12;

/**
 * Enters positions into the delta tables, and lists what agrees in three differences, if wanted. An entry is the
 * position (modulo the distance) under twelve bits of the hash, so most comparisons need no look at the data.
 */
function findDeltas(from: u32, end: u32, record: bool): void {
	// The last positions cannot match three bytes.
	const last = min<u32>(end, size < 3 ? 0 : size - 2);
	if (record) memory.fill(DELTA_INDEX, 0, BATCH + 16);
		for (let power: u32 = 0; power < 6; power++) {
		const span = (<u32>1) << power;
		const table = deltaHeads + ((<usize>power) << (DELTA_TABLE_BITS + 2));
		const first = max<u32>(from, span);
		for (let position = first; position < last; position += 4) {
			const at = data + <usize>position;
			const differences = i8x16.sub(v128.load64_zero(at), v128.load64_zero(at - <usize>span));
			const threes = i8x16.swizzle(differences, i8x16(0, 1, 2, -1, 1, 2, 3, -1, 2, 3, 4, -1, 3, 4, 5, -1));
			const places = i32x4.add(i32x4.splat(position), i32x4(0, 1, 2, 3));
			const residues = i32x4.shl(v128.and(places, i32x4.splat(span - 1)), 24);
			const hashes = i32x4.mul(v128.or(threes, residues), i32x4.splat(0x9e3779b1));
			const entries = v128.or(
				v128.and(i32x4.shl(hashes, 12), i32x4.splat(~DELTA_MASK)),
				v128.and(places, i32x4.splat(DELTA_MASK)),
			);
			const spots = i32x4.shl(i32x4.shr_u(hashes, 20), 2);
			const spot0 = table + <usize>i32x4.extract_lane(spots, 0);
			const old0 = load<u32>(spot0);
			store<u32>(spot0, i32x4.extract_lane(entries, 0));
			const spot1 = table + <usize>i32x4.extract_lane(spots, 1);
			const old1 = load<u32>(spot1);
			const spot2 = table + <usize>i32x4.extract_lane(spots, 2);
			if (position + 1 < last) store<u32>(spot1, i32x4.extract_lane(entries, 1));
			const old2 = load<u32>(spot2);
			if (position + 2 < last) store<u32>(spot2, i32x4.extract_lane(entries, 2));
			const spot3 = table + <usize>i32x4.extract_lane(spots, 3);
			const old3 = load<u32>(spot3);
			if (position + 3 < last) store<u32>(spot3, i32x4.extract_lane(entries, 3));
			if (!record) continue;
			const olds = i32x4(0, 0, 0, 0);
			let o = i32x4.replace_lane(olds, 0, old0);
			o = i32x4.replace_lane(o, 1, old1);
			o = i32x4.replace_lane(o, 2, old2);
			o = i32x4.replace_lane(o, 3, old3);
			const same = i32x4.eq(v128.and(v128.xor(o, entries), i32x4.splat(~DELTA_MASK)), i32x4.splat(0));
			let hits = <u32>i32x4.bitmask(same);
			while (hits != 0) {
				const lane = ctz(hits);
				hits &= hits - 1;
				const p = position + lane;
				if (p >= last) break;
				const old = lane == 0 ? old0 : lane == 1 ? old1 : lane == 2 ? old2 : old3;
				const offset = (p - old) & DELTA_MASK;
				if (offset == 0 || (offset & (span - 1)) != 0 || offset + span > p) continue;
				const here = data + <usize>p;
				if (load<u32>(here) == load<u32>(here - <usize>offset)) continue;
				const length = deltaLength(here, offset, span, min<u32>(size - p, nice));
				if (length < 3) continue;
				const slot = DELTA_INDEX + <usize>(p - from);
				const count = load<u8>(slot);
				store<u8>(slot, count + 1);
				const place = DELTAS + (<usize>((p - from) * 6 + count) << 3);
				store<u32>(place, length);
				store<u32>(place, 0x80000000 | (power << 28) | (offset >> power), 4);
			}
		}
	}
}
