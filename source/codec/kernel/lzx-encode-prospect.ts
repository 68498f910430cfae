// LZX encoder: the ends of the next blocks and their first costs, from a greedy look ahead.

import { clearCounts, sum, tallyMatch } from './lzx-encode-costs';
import { after, bump, FIELD, LENGTH_COUNT, LENGTH_MAX, MAIN_COUNT, PIECES_MAX } from './lzx-encode-layout';
import { endPiece, joinPieces, startPieces } from './lzx-encode-pieces';
import { extend } from './match-finder';

/** A piece has at least so many items. */
const PIECE_MIN: u32 = 400;

/** Parses greedily from `start` to `end`, counting symbols for the first costs, and makes blocks of it: see lzx-encode-pieces.ts. */
export function prospect(buf: usize, start: u32, end: u32, cache: usize, state: u64, slots: u32): void {
	clearCounts();
	startPieces();
	const least = (end - start) / (<u32>PIECES_MAX) + 1;
	let seen: u32 = 0;
	let pieceStart = start;
	let i = start;
	while (i < end) {
		if (seen >= PIECE_MIN && i - pieceStart >= least) {
			endPiece(i, cache);
			seen = 0;
			pieceStart = i;
		}
		seen++;
		const p = buf + i;
		const count = load<u32>(cache);
		cache += 4 + (<usize>count << 2);
		let taken: u32 = 1;
		if (count != 0) {
			const item = load<u32>(cache - 4);
			const longest = min(LENGTH_MAX, end - i);
			let formatted = item >> 9;
			taken = min(item & 511, longest);
			let score = taken + (formatted < 4096 ? 1 : 0) + (formatted < 258 ? 1 : 0);
			if (taken == 2 || (taken == 3 && formatted > 8192)) {
				taken = 1;
				score = 3;
			}
			for (let r: u64 = 0; r < 3; r++) {
				const from = p - <usize><u32>((state >> (r * 21)) & FIELD);
				if (load<u16>(from) != load<u16>(p)) continue;
				const l = extend(p, from, 2, longest);
				if (l + 3 > score) {
					score = l + 3;
					taken = l;
					formatted = <u32>r;
				}
			}
			if (taken > 1) {
				tallyMatch(formatted, taken);
				state = after(state, formatted);
				i += taken;
				for (let k = taken - 1; k > 0; k--) cache += 4 + (<usize>load<u32>(cache) << 2);
				continue;
			}
		}
		const byte = load<u8>(p);
		bump(MAIN_COUNT + (<usize>byte << 2));
		i++;
	}
	endPiece(i, cache);
	joinPieces(slots);
}

// Greedy counts differ from those of the cheapest parse in a systematic way: far matches of length 3 are mostly not worth
// it, recent offsets are used twice as often. Fitted on some 350 blocks of programs and texts of many kinds:
// final share = SHARE / 16 * greedy share + FLOOR / 32768, for each header of the slots 0 to 29; slots above are like 29.
const SHARE: usize = memory.data<u8>([
	33, 18, 31, 30, 31, 24, 37, 20,
	2, 15, 9, 5, 6, 17, 13, 11,
	2, 6, 1, 6, 6, 15, 14, 10,
	1, 14, 10, 15, 14, 17, 6, 33,
	1, 15, 13, 20, 8, 25, 4, 16,
	1, 13, 5, 11, 10, 20, 22, 15,
	1, 7, 3, 12, 17, 19, 9, 9,
	1, 20, 11, 7, 12, 14, 15, 11,
	1, 15, 6, 6, 11, 20, 21, 18,
	1, 16, 14, 8, 10, 12, 12, 18,
	1, 17, 8, 8, 14, 12, 14, 12,
	1, 12, 9, 16, 15, 10, 16, 17,
	1, 14, 8, 20, 16, 17, 16, 19,
	1, 12, 8, 14, 16, 17, 13, 18,
	1, 13, 8, 15, 15, 17, 14, 17,
	1, 11, 8, 15, 16, 15, 14, 17,
	1, 10, 8, 18, 17, 13, 13, 15,
	1, 9, 8, 16, 16, 14, 15, 14,
	1, 7, 10, 3, 14, 8, 12, 13,
	1, 7, 11, 11, 15, 9, 7, 13,
	1, 6, 9, 12, 15, 2, 14, 15,
	1, 6, 8, 13, 15, 12, 13, 13,
	1, 5, 8, 12, 15, 10, 8, 15,
	1, 5, 6, 11, 14, 13, 7, 14,
	1, 4, 8, 12, 12, 10, 7, 14,
	1, 3, 3, 12, 14, 11, 10, 15,
	1, 1, 7, 11, 12, 12, 10, 15,
	1, 1, 6, 9, 12, 12, 4, 15,
	1, 1, 4, 9, 11, 12, 6, 10,
	1, 1, 3, 4, 10, 9, 8, 11,
]);
const FLOOR: usize = memory.data<u8>([
	41, 255, 68, 47, 42, 98, 17, 255,
	49, 3, 1, 22, 5, 1, 1, 6,
	27, 34, 10, 3, 3, 2, 1, 13,
	9, 0, 0, 0, 1, 1, 2, 0,
	12, 0, 0, 0, 0, 0, 0, 0,
	38, 8, 3, 0, 0, 0, 0, 0,
	46, 40, 15, 4, 1, 0, 1, 0,
	36, 2, 6, 6, 1, 1, 2, 0,
	67, 27, 24, 13, 7, 0, 0, 0,
	42, 19, 4, 10, 5, 3, 5, 0,
	58, 18, 26, 21, 2, 7, 10, 28,
	22, 32, 19, 3, 2, 8, 2, 6,
	21, 28, 31, 0, 0, 4, 3, 0,
	7, 20, 24, 4, 0, 0, 4, 0,
	5, 12, 32, 4, 0, 1, 5, 3,
	2, 12, 25, 0, 0, 0, 3, 0,
	2, 20, 31, 0, 0, 4, 6, 12,
	1, 13, 25, 0, 0, 3, 4, 10,
	1, 28, 19, 45, 5, 11, 12, 33,
	1, 10, 12, 11, 0, 7, 13, 17,
	1, 10, 26, 9, 0, 20, 7, 6,
	0, 6, 18, 3, 0, 3, 3, 11,
	0, 1, 22, 4, 0, 7, 11, 0,
	0, 0, 16, 3, 0, 4, 8, 2,
	0, 0, 4, 1, 3, 7, 13, 0,
	0, 0, 21, 0, 0, 2, 2, 0,
	0, 4, 0, 0, 0, 3, 2, 0,
	0, 2, 0, 0, 0, 1, 6, 0,
	0, 1, 0, 0, 0, 1, 4, 7,
	0, 0, 0, 0, 0, 0, 1, 0,
]);

/** Turns the counts of `prospect` into 16 times those that the parse will probably have. */
export function foresee(slots: u32): void {
	const total = sum(MAIN_COUNT, 256 + (slots << 3));
	const literals = sum(MAIN_COUNT, 256);
	const factor = 11 + (literals == 0 ? 0 : min<u32>(64, (total * 50 / literals) >> 4));
	for (let b: usize = 0; b < 256; b++) store<u32>(MAIN_COUNT + (b << 2), load<u32>(MAIN_COUNT + (b << 2)) * factor);
	for (let h: usize = 0; h < <usize>(slots << 3); h++) {
		const k = h < 240 ? h : 232 + (h & 7);
		const at = MAIN_COUNT + 0x400 + (h << 2);
		store<u32>(at, load<u32>(at) * <u32>load<u8>(SHARE + k) + ((total * <u32>load<u8>(FLOOR + k)) >> 11));
	}
	for (let l: usize = 0; l < 249; l++) {
		const at = LENGTH_COUNT + (l << 2);
		store<u32>(at, load<u32>(at) * 16 + (l < 40 ? total >> 8 : total >> 11));
	}
}
