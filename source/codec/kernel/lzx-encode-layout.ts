// LZX encoder: where its tables lie, how offsets fall into slots, and how recent offsets move.

import { FINDER_END } from './match-finder';

/** Longest stretch of a chunk whose matches are cached at once; also the longest block. */
export const SEGMENT_MAX: u32 = 0x18000;
export const LENGTH_MAX: u32 = 257;
/** An item that joins match, literal and match is at most this long, so that the ring of states suffices. */
export const JOINED_MAX: u32 = 511;

// Each of these must be a constant for asc, or the code loads it from a global variable each time: max() is none.
export const NODES: usize = (FINDER_END + 0xffff) & ~0xffff; //     u64[SEGMENT_MAX + 1024]: cost << 32 | item
export const JOINED: usize = NODES + ((SEGMENT_MAX + 1024) << 3); // u32[...]: first item of a joined one
export const ITEMS: usize = JOINED + ((SEGMENT_MAX + 1024) << 2); // u32[...]: the items of a block, in order
export const ITEMS_END: usize = ITEMS + ((SEGMENT_MAX + 1024) << 2);
export const RING: usize = ITEMS_END; //                             u64[512]: recent offsets at the last positions
export const MATCH_COST: usize = RING + 0x1000; //                   u64[50][8]: cost << 32 | length, of each match header; the last one without length
export const ROW: usize = 64;
export const LITERAL_COST: usize = MATCH_COST + 50 * ROW; //         u64[256]: cost << 32 | 1
export const ALIGNED_COST: usize = LITERAL_COST + 0x800; //          u64[8]: cost << 32
export const MAIN_COUNT: usize = ALIGNED_COST + 0x40; //             u32[656]
export const LENGTH_COUNT: usize = MAIN_COUNT + 0xa40; //            u32[249]
export const ALIGNED_COUNT: usize = LENGTH_COUNT + 0x400; //         u32[8]
export const MAIN_CODE: usize = ALIGNED_COUNT + 0x20; //             u32[656]
export const LENGTH_CODE: usize = MAIN_CODE + 0xa40; //              u32[249]
export const ALIGNED_CODE: usize = LENGTH_CODE + 0x400; //           u32[8]
export const MAIN_BITS: usize = ALIGNED_CODE + 0x20; //              u8[656]
export const LENGTH_BITS: usize = MAIN_BITS + 0x2a0; //              u8[249], padded
export const ALIGNED_BITS: usize = LENGTH_BITS + 0x100; //           u8[8]
export const MAIN_BEFORE: usize = ALIGNED_BITS + 0x10; //            u8[656]: the lengths of the block before
export const LENGTH_BEFORE: usize = MAIN_BEFORE + 0x2a0; //          u8[249]
export const PRE_COUNT: usize = LENGTH_BEFORE + 0x100; //            u32[20]
export const PRE_CODE: usize = PRE_COUNT + 0x60; //                  u32[20]
export const PRE_BITS: usize = PRE_CODE + 0x60; //                   u8[20]
export const PRE_ITEMS: usize = PRE_BITS + 0x20; //                  u32[700]
export const LENGTH_COST: usize = PRE_ITEMS + 0xb00; //              u64[249]: cost << 32 | length
export const FORESEEN: usize = LENGTH_COST + 0x900; //               counts that the parse will probably have
export const MIXED: usize = FORESEEN + 0x1000; //                    and those mixed with what was seen
export const COUNTS_SIZE: usize = MAIN_CODE - MAIN_COUNT;
/** The look ahead cuts a segment into so many pieces at most. */
export const PIECES_MAX: usize = 24;
export const PIECES: usize = MIXED + 0x1000; //                      what lzx-encode-pieces.ts keeps
export const CACHE: usize = (PIECES + PIECES_MAX * (COUNTS_SIZE + 20) + 0xffff) & ~0xffff;
export const CACHE_END: usize = 0x7f0000;

export const LITERAL: u32 = 1;
export const JOINED_FLAG: u32 = 0x8000_0000;
export const FIELD: u64 = 0x1f_ffff;
export const FIRST_STATE: u64 = 1 | (1 << 21) | (1 << 42);

/** Costs are in 1/64 bit. */
export const BIT: u32 = 64;
export const CLASSES: usize = LENGTH_COST + 0x7e0; //   u32[10] of the block, then u32[10] new ones

@inline export function bump(at: usize): void { store<u32>(at, load<u32>(at) + 1); }

/** The slot of a formatted offset (offset + 2, at least 2). */
@inline export function slotOf(formatted: u32): u32 {
	return formatted < 0x80000 ? nearSlotOf(formatted) : 34 + (formatted >> 17);
}

/** The same in chunks up to 512 KiB. */
@inline export function nearSlotOf(formatted: u32): u32 {
	const k = 31 - clz(formatted);
	return (k << 1) + ((formatted >> (k - 1)) & 1);
}

@inline export function extraBits(slot: u32): u32 { return slot < 4 ? 0 : min<u32>(17, (slot >> 1) - 1); }

export function slotCount(chunkSize: u32): u32 {
	return chunkSize <= 0x80000 ? 2 * (31 - clz(chunkSize)) : chunkSize == 0x100000 ? 42 : 50;
}

/** The recent offsets after a match. */
@inline export function after(state: u64, formatted: u32): u64 {
	if (formatted >= 3) return (state << 21) | <u64>(formatted - 2);
	if (formatted == 0) return state;
	if (formatted == 1) return (state & ~<u64>0x3ff_ffff_ffff) | ((state >> 21) & FIELD) | ((state & FIELD) << 21);
	return (state & 0x3ff_ffe0_0000) | ((state >> 42) & FIELD) | ((state & FIELD) << 42);
}
