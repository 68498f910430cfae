// LZMS encoder: finds delta matches (section 11.3 of the description), with one table per power, keyed by three
// differences.

import { BATCH, DELTA_INDEX, DELTAS } from './lzms-encode-layout';
import { deltaLength } from './lzms-encode-length';

/** Delta matches are looked for up to this distance; 2^DELTA_BITS. */
const DELTA_BITS: u32 = 20;
const DELTA_MASK: u32 = (1 << DELTA_BITS) - 1;
const DELTA_TABLE_BITS: u32 = 12;

// Deltas pay in tables, pictures and sound, and nearly nowhere else, where looking for them takes a third of the time
// all the same. So they are looked for at the start of a chunk, for some way after each that was written, and
// otherwise only in some batches.
/** Bytes at the start of a chunk in which they are always looked for. */
const ALWAYS: u32 = 4096;
/** Bytes that each delta match written adds to the way ahead, and how long that way may become. */
const WAY: u32 = 512;
const WAY_MOST: u32 = 8192;
/** Of so many other batches one is searched. */
const SAMPLE: u32 = 4;

let data: usize = 0;
let size: u32 = 0;
let nice: u32 = 0;
let heads: usize = 0;
let powers: u32 = 6;
/** Which of eight bytes must not all agree. */
let agreement: u64 = 0;
/** They are looked for up to this position. */
let wantedTo: u32 = 0;
/** Batches after it. */
let batches: u32 = 0;
/** Whether the current batch is searched: where it is not, recent deltas do not count either. */
export let deltasHere: bool = false;

/** Bytes of tables. */
export const DELTA_TABLES: usize = 32 << DELTA_TABLE_BITS;

/** The tables hold zeros. */
export function startDeltas(input: usize, length: u32, tables: usize, niceLength: u32, careful: bool): void {
	data = input;
	size = length;
	heads = tables;
	nice = niceLength;
	powers = careful ? 8 : 6;
	agreement = careful ? ~(<u64>0) : 0xffff_ffff;
	wantedTo = careful ? 0xffff_ffff : ALWAYS;
	batches = 0;
	deltasHere = false;
}

/** A delta match has been written that ends here: more of them are likely. */
export function noteDelta(position: u32): void {
	if (wantedTo == 0xffff_ffff) return;
	wantedTo = min<u32>(max<u32>(wantedTo, position) + WAY, position + WAY_MOST);
}

/** Lists the deltas of a batch, where some are likely; returns what `findDeltas` does. */
export function listDeltas(from: u32, end: u32): bool {
	deltasHere = from < wantedTo || ++batches % SAMPLE == 0;
	if (deltasHere) return findDeltas(from, end, true);
	return false;
}

/**
 * Enters positions into the delta tables, and lists what agrees in three differences, if wanted. An entry is the
 * position (modulo the distance) under twelve bits of the hash, so most comparisons need no look at the data.
 * Returns whether anything longer than three bytes was found.
 */
export function findDeltas(from: u32, end: u32, record: bool): bool {
	// The last positions cannot match three bytes.
	const last = min<u32>(end, size < 3 ? 0 : size - 2);
	if (record) memory.fill(DELTA_INDEX, 0, BATCH + 16);
	let found = false;
	for (let power: u32 = 0; power < powers; power++) {
		const span = (<u32>1) << power;
		const table = heads + ((<usize>power) << (DELTA_TABLE_BITS + 2));
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
				// Where the bytes themselves agree, an LZ match is cheaper.
				const differ = load<u64>(here) ^ load<u64>(here - <usize>offset);
				if ((differ & agreement) == 0) continue;
				const length = deltaLength(here, offset, span, min<u32>(size - p, nice));
				if (length < 3) continue;
				if (length > 3) found = true;
				const slot = DELTA_INDEX + <usize>(p - from);
				const count = load<u8>(slot);
				store<u8>(slot, count + 1);
				const place = DELTAS + (<usize>((p - from) * 8 + count) << 3);
				store<u32>(place, length);
				store<u32>(place, 0x80000000 | (power << 28) | (offset >> power), 4);
			}
		}
	}
	return found;
}
