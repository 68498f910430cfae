// LZMS encoder: the light adaptive state (sections 3.2 and 7 of the description) as numbers that the parser can
// carry from node to node, and the kinds of items.
//
// The histories of the eight decision classes are the eight bytes of one 64-bit number. The two free bits of the
// lowest byte tell what the last item was.

/** What an item is, as one number: its kind, or an explicit offset. */
export const LITERAL: u32 = 0;
export const RECENT: u32 = 1; // 1..3: recent LZ offset 0..2
export const DELTA_RECENT: u32 = 4; // 4..6: recent delta pair 0..2
export const COMPOUND: u32 = 7; // up to three items; see the parser
export const EXPLICIT: u32 = 8; // EXPLICIT + offset; offsets are below 2^30
export const DELTA: u32 = 0x80000000; // DELTA | power << 28 | raw

/** Whether an item is a delta match of either kind. */
// @ts-ignore: decorator
@inline
export function isDelta(item: u32): bool {
	return item >= DELTA || (item >= DELTA_RECENT && item < COMPOUND);
}

/** Largest raw offset of a delta match that fits into an item. */
export const DELTA_RAW_MAX: u32 = 0x0fffffff;

// First entry of each class among all probability entries.
export const MAIN: u32 = 0;
export const MATCH: u32 = 16;
export const LZ: u32 = 48;
export const LZ_LATER: u32 = 112;
export const LZ_THIRD: u32 = 176;
export const DELTA_EXPLICIT: u32 = 240;
export const DELTA_LATER: u32 = 304;
export const DELTA_THIRD: u32 = 368;
export const ENTRIES: u32 = 432;

const HISTORY_BITS: u64 = 0x3f3f_3f3f_3f3f_1f0f;
export const AFTER_LZ: u64 = 0x40;
export const AFTER_DELTA: u64 = 0x80;

/** The state after an item, from the bits it codes: `touched` covers the bytes of the classes that take part. */
// @ts-ignore: decorator
@inline
function advance(state: u64, touched: u64, bits: u64, after: u64): u64 {
	return (state & ~touched) | ((((state & HISTORY_BITS) << 1) | bits) & touched & HISTORY_BITS) | after;
}

// @ts-ignore: decorator
@inline
export function afterLiteral(state: u64): u64 {
	return advance(state, 0xff, 0, 0);
}

// @ts-ignore: decorator
@inline
export function afterExplicit(state: u64): u64 {
	return advance(state, 0x00ff_ffff, 0x01, AFTER_LZ);
}

export function afterRecent(state: u64, index: u32): u64 {
	if (index == 0) return advance(state, 0xffff_ffff, 0x0001_0001, AFTER_LZ);
	if (index == 1) return advance(state, 0xff_ffff_ffff, 0x0101_0001, AFTER_LZ);
	return advance(state, 0xff_ffff_ffff, 0x01_0101_0001, AFTER_LZ);
}

// @ts-ignore: decorator
@inline
export function afterDelta(state: u64): u64 {
	return advance(state, 0x0000_ff00_0000_ffff, 0x0101, AFTER_DELTA);
}

export function afterDeltaRecent(state: u64, index: u32): u64 {
	if (index == 0) return advance(state, 0x00ff_ff00_0000_ffff, 0x0000_0100_0000_0101, AFTER_DELTA);
	if (index == 1) return advance(state, 0xffff_ff00_0000_ffff, 0x0001_0100_0000_0101, AFTER_DELTA);
	return advance(state, 0xffff_ff00_0000_ffff, 0x0101_0100_0000_0101, AFTER_DELTA);
}

// The history of each class within the state.
// @ts-ignore: decorator
@inline
export function mainHistory(state: u64): u32 {
	return <u32>state & 15;
}
// @ts-ignore: decorator
@inline
export function matchHistory(state: u64): u32 {
	return (<u32>state >> 8) & 31;
}
// @ts-ignore: decorator
@inline
export function lzHistory(state: u64): u32 {
	return (<u32>state >> 16) & 63;
}
// @ts-ignore: decorator
@inline
export function lzLaterHistory(state: u64): u32 {
	return (<u32>state >> 24) & 63;
}
// @ts-ignore: decorator
@inline
export function lzThirdHistory(state: u64): u32 {
	return <u32>(state >> 32) & 63;
}
// @ts-ignore: decorator
@inline
export function deltaHistory(state: u64): u32 {
	return <u32>(state >> 40) & 63;
}
// @ts-ignore: decorator
@inline
export function deltaLaterHistory(state: u64): u32 {
	return <u32>(state >> 48) & 63;
}
// @ts-ignore: decorator
@inline
export function deltaThirdHistory(state: u64): u32 {
	return <u32>(state >> 56) & 63;
}
