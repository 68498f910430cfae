// LZMS encoder: chooses the items, section by section (section 11.4 of the description).
//
// A forward dynamic program: each node is a position with the lowest price found to reach it and the item that did.
// A node carries the light adaptive state of its best path. A section ends where all paths meet, at a long match, or
// after SECTION bytes; then its items are written and the prices follow.

import { LENGTH_PRICE, DECISION_PRICE, SECTION, KEY, ITEM, PARTS, STATE, STATE_MASK, PATH, TAIL } from './lzms-encode-layout';
import { DELTA_OFFSET_PRICE, LITERAL_PRICE, OFFSET_PRICE, POWER_PRICE } from './lzms-encode-codes';
import { deltasHere, noteDelta } from './lzms-encode-delta';
import { deltasEnd, deltasOf, matchesEnd, matchesOf, prepareMatches } from './lzms-encode-find';
import { deltaLength, matchLength } from './lzms-encode-length';
import { AFTER_DELTA, AFTER_LZ, afterDelta, afterDeltaRecent, afterExplicit, afterLiteral, afterRecent, COMPOUND, DELTA, DELTA_EXPLICIT, DELTA_LATER, DELTA_RECENT, DELTA_THIRD, deltaHistory, deltaLaterHistory, deltaThirdHistory, EXPLICIT, isDelta, LITERAL, LZ, LZ_LATER, LZ_THIRD, lzHistory, lzLaterHistory, lzThirdHistory, MAIN, MATCH, mainHistory, matchHistory, RECENT } from './lzms-encode-state';
import { offsetSlot } from './lzms-encode-tables';
import { writeLiteral, writeMatch, written } from './lzms-encode-writer';

/** No item is longer than this; a compound may come to 255 bytes, too. */
const LONGEST: u32 = 255;
/** All ones in the lanes that lie beyond 1..4 wanted ones; indexed by the number of wanted lanes. */

const INFINITE: i32 = 0x7fff_ffff;

let data: usize = 0;
let size: u32 = 0;
let nice: u32 = 0;
let lookAhead: u32 = 0;

/** Sequences that are tried as one step: explicit match, literal alone or recent match, then literal and recent 0. */
export const LOOK_EXPLICIT: u32 = 1;
export const LOOK_LITERAL: u32 = 2;
export const LOOK_RECENT: u32 = 4;
/** All explicit matches of a position, not only the longest. */
export const LOOK_EVERY: u32 = 8;

/** Where the next section begins. */
export let parsed: u32 = 0;

export function startParser(input: usize, length: u32, niceLength: u32, looks: u32): void {
	data = input;
	size = length;
	nice = niceLength;
	lookAhead = looks;
	parsed = 0;
	for (let i: u32 = 0; i < 4; i++) {
		store<u32>(STATE + (<usize>i << 2), i + 1);
		store<u32>(STATE + (<usize>i << 2), DELTA | (i + 1), 16);
	}
	store<u64>(STATE, 0, 32);
	// TAIL + 16 - 4 * wanted holds `wanted` zero lanes, then ones.
	for (let i: usize = 0; i < 4; i++) {
		store<u32>(TAIL + (i << 2), 0);
		store<u32>(TAIL + 16 + (i << 2), 0x7fff_ffff);
	}
}

// @ts-ignore: decorator
@inline
function price(entry: u32, bit: u32): u32 {
	return load<u32>(DECISION_PRICE + (<usize>entry << 3) + (<usize>bit << 2));
}

// @ts-ignore: decorator
@inline
function key(node: u32): usize {
	return KEY + (<usize>node << 2);
}

// @ts-ignore: decorator
@inline
function stateOf(node: u32): usize {
	return STATE + <usize>((node & STATE_MASK) * 48);
}

/** Offers one item for all lengths from `from` to `to`. */
// @ts-ignore: decorator
@inline
function relax(node: u32, from: u32, to: u32, base: u32, item: u32): void {
	let keys = key(node + from);
	const last = key(node + to) - 12;
	let prices = LENGTH_PRICE + (<usize>from << 2);
	const bases = i32x4.splat(base);
	const items = i32x4.splat(item);
	while (true) {
		let fresh = i32x4.add(v128.load(prices), bases);
		if (keys > last) fresh = v128.or(fresh, v128.load(TAIL + 16 - (last + 16 - keys)));
		const old = v128.load(keys);
		const better = i32x4.lt_s(fresh, old);
		if (v128.any_true(better)) {
			v128.store(keys, i32x4.min_s(fresh, old));
			v128.store(keys + (ITEM - KEY), v128.bitselect(items, v128.load(keys + (ITEM - KEY)), better));
		}
		if (keys >= last) break;
		keys += 16;
		prices += 16;
	}
}

/** Makes nodes up to `to` exist. */
// @ts-ignore: decorator
@inline
function reach(end: u32, to: u32): u32 {
	if (to <= end) return end;
	const infinite = i32x4.splat(INFINITE);
	for (let at = key(end + 1), last = key(to); at <= last; at += 16) v128.store(at, infinite);
	return to;
}

/** Price of recent match 0 without its length, in a state where the last item was no LZ match. */
// @ts-ignore: decorator
@inline
function recentPrice(state: u64): u32 {
	return (
		price(MAIN + mainHistory(state), 1) +
		price(MATCH + matchHistory(state), 0) +
		price(LZ + lzHistory(state), 1) +
		price(LZ_LATER + lzLaterHistory(state), 0)
	);
}

/** Offers first item + literal + recent 0 as one step. `here` is the price up to and including the first item. */
function lookBeyond(node: u32, end: u32, here: u32, item: u32, length: u32, offset: u32, after: u64): u32 {
	const position = parsed + node + length; // of the literal
	const at = data + <usize>position + 1;
	if (position + 3 > size) return end;
	const other = at - <usize>offset;
	if (load<u16>(at) != load<u16>(other)) return end;
	const most = min<u32>(min<u32>(size - position - 1, nice), LONGEST - 1 - length);
	if (most < 2) return end;
	const last = matchLength(other, at, 2, most);
	const afterByte = afterLiteral(after);
	const total =
		here +
		price(MAIN + mainHistory(after), 0) +
		load<u32>(LITERAL_PRICE + (<usize>load<u8>(at - 1) << 2)) +
		recentPrice(afterByte) +
		(load<u32>(LENGTH_PRICE + (<usize>last << 2)) & 0xffff_ff00);
	const target = node + length + 1 + last;
	const reached = reach(end, target);
	const place = key(target);
	const value = total | (length + 1 + last);
	if (value < load<u32>(place)) {
		store<u32>(place, value);
		store<u32>(place, COMPOUND, ITEM - KEY);
		const parts = PARTS + (<usize>target << 3);
		store<u32>(parts, item);
		store<u16>(parts, <u16>length, 4);
		store<u16>(parts, <u16>last, 6);
	}
	return reached;
}

/** Moves entry `j` of a list of four to its front. */
// @ts-ignore: decorator
@inline
function toFront(list: v128, j: u32): v128 {
	if (j == 0) return list;
	if (j == 1) return i32x4.shuffle(list, list, 1, 0, 2, 3);
	if (j == 2) return i32x4.shuffle(list, list, 2, 0, 1, 3);
	return i32x4.shuffle(list, list, 3, 0, 1, 2);
}

// @ts-ignore: decorator
@inline
function pushFront(list: v128, value: u32): v128 {
	return i32x4.replace_lane(i32x4.shuffle(list, list, 0, 0, 1, 2), 0, value);
}

let lzList: v128 = i32x4.splat(0);
let deltaList: v128 = i32x4.splat(0);
let histories: u64 = 0;

/** Carries the three state variables over a match. */
function applyMatch(item: u32): void {
	if (item >= DELTA) {
		deltaList = pushFront(deltaList, item);
		histories = afterDelta(histories);
	} else if (item >= EXPLICIT) {
		lzList = pushFront(lzList, item - EXPLICIT);
		histories = afterExplicit(histories);
	} else if (item >= DELTA_RECENT) {
		const index = item - DELTA_RECENT;
		deltaList = toFront(deltaList, index + <u32>((histories & AFTER_DELTA) != 0));
		histories = afterDeltaRecent(histories, index);
	} else {
		const index = item - RECENT;
		lzList = toFront(lzList, index + <u32>((histories & AFTER_LZ) != 0));
		histories = afterRecent(histories, index);
	}
}

/** Computes the state of a node from that of the node its item comes from. */
// @ts-ignore: decorator
@inline
function settle(node: u32, length: u32, item: u32): void {
	const from = stateOf(node - length);
	const to = stateOf(node);
	const lists = v128.load(from);
	const deltas = v128.load(from, 16);
	const state = load<u64>(from, 32);
	if (item == LITERAL) {
		v128.store(to, lists);
		v128.store(to, deltas, 16);
		store<u64>(to, afterLiteral(state), 32);
		return;
	}
	lzList = lists;
	deltaList = deltas;
	histories = state;
	if (item == COMPOUND) {
		const parts = PARTS + (<usize>node << 3);
		if (load<u16>(parts, 4) != 0) applyMatch(load<u32>(parts));
		histories = afterLiteral(histories);
		applyMatch(RECENT);
	} else {
		applyMatch(item);
	}
	v128.store(to, lzList);
	v128.store(to, deltaList, 16);
	store<u64>(to, histories, 32);
}

/** Chooses and writes the items of one section, or of one long match. */
export function parseSection(): void {
	const start = parsed;
	let end: u32 = 0;
	let node: u32 = 0;
	store<u32>(KEY, 0);
	let longItem: u32 = 0;
	let longLength: u32 = 0;
	while (true) {
		const here = load<u32>(key(node)) & 0xffff_ff00;
		if (node > 0) {
			settle(node, load<u32>(key(node)) & 255, load<u32>(key(node), ITEM - KEY));
			if (node == end || node >= SECTION) break;
		}
		const position = start + node;
		prepareMatches(position);
		const at = data + <usize>position;
		const state = load<u64>(stateOf(node), 32);
		const left = size - position;

		// Literal.
		const mainBase = MAIN + mainHistory(state);
		const literal = here + price(mainBase, 0) + load<u32>(LITERAL_PRICE + (<usize>load<u8>(at) << 2));
		end = reach(end, node + 1);
		if ((literal | 1) < load<u32>(key(node + 1))) {
			store<u32>(key(node + 1), literal | 1);
			store<u32>(key(node + 1), LITERAL, ITEM - KEY);
		}
		if (left < 2) {
			node++;
			continue;
		}

		const match = here + price(mainBase, 1);
		const lzMatch = match + price(MATCH + matchHistory(state), 0);
		const two = load<u16>(at);
		let covered: u32 = 1;

		// Recent offsets.
		const recentBase = lzMatch + price(LZ + lzHistory(state), 1);
		const shift: u32 = (<u32>state >> 6) & 1;
		for (let index: u32 = 0; index < 3; index++) {
			const offset = load<u32>(stateOf(node) + (<usize>(index + shift) << 2));
			if (offset > position || load<u16>(at - <usize>offset) != two) continue;
			const length = matchLength(at - <usize>offset, at, 2, min<u32>(left, nice));
			if (length >= nice) {
				const whole = matchLength(at - <usize>offset, at, length, left);
				if (whole > longLength) {
					longItem = RECENT + index;
					longLength = whole;
				}
				continue;
			}
			const base =
				recentBase +
				(index == 0
					? price(LZ_LATER + lzLaterHistory(state), 0)
					: price(LZ_LATER + lzLaterHistory(state), 1) + price(LZ_THIRD + lzThirdHistory(state), index - 1));
			end = reach(end, node + length);
			if (length > covered) {
				relax(node, covered + 1, length, base, RECENT + index);
				covered = length;
			}
			if ((lookAhead & LOOK_RECENT) != 0) {
				const price = base + (load<u32>(LENGTH_PRICE + (<usize>length << 2)) & 0xffff_ff00);
				end = lookBeyond(node, end, price, RECENT + index, length, offset, afterRecent(state, index));
			}
		}

		// Explicit offsets.
		let pair = matchesOf(position);
		const pairsEnd = matchesEnd(position);
		if (pair < pairsEnd) {
			const explicitBase = lzMatch + price(LZ + lzHistory(state), 0);
			const longest = load<u32>(pairsEnd - 8);
			const farthest = load<u32>(pairsEnd - 4);
			if (longest >= nice) {
				// It costs more than a recent one, but not as much as that and another match.
				const whole = matchLength(at - <usize>farthest, at, longest, left);
				if (whole > longLength + 4) {
					longItem = EXPLICIT + farthest;
					longLength = whole;
				}
			}
			if (longItem != 0) break;
			end = reach(end, node + longest);
			let base: u32 = 0;
			do {
				const length = load<u32>(pair);
				const offset = load<u32>(pair, 4);
				if (length > covered) {
					base = explicitBase + load<u32>(OFFSET_PRICE + (<usize>offsetSlot(offset) << 2));
					relax(node, covered + 1, length, base, EXPLICIT + offset);
					covered = length;
					if ((lookAhead & LOOK_EVERY) != 0 && pair + 8 < pairsEnd) end = lookBeyond(node, end, base + (load<u32>(LENGTH_PRICE + (<usize>length << 2)) & 0xffff_ff00), EXPLICIT + offset, length, offset, afterExplicit(state));
				}
				pair += 8;
			} while (pair < pairsEnd);
			if ((lookAhead & LOOK_EXPLICIT) != 0 && base != 0) {
				const price = base + (load<u32>(LENGTH_PRICE + (<usize>longest << 2)) & 0xffff_ff00);
				end = lookBeyond(node, end, price, EXPLICIT + farthest, longest, farthest, afterExplicit(state));
			}
		}

		if (longItem != 0) break;

		if (deltasHere) {
			// Recent delta pairs.
			const deltaMatch = match + price(MATCH + matchHistory(state), 1);
			const recentDelta = deltaMatch + price(DELTA_EXPLICIT + deltaHistory(state), 1);
			const later: u32 = (<u32>state >> 7) & 1;
			for (let index: u32 = 0; index < 3; index++) {
				const pairItem = load<u32>(stateOf(node) + (<usize>(index + later) << 2), 16);
				const span = (<u32>1) << ((pairItem >> 28) & 7);
				const offset = (pairItem & 0x0fff_ffff) << ((pairItem >> 28) & 7);
				if (offset + span > position) continue;
				const from = at - <usize>offset;
				const first = load<u8>(at) - load<u8>(at - <usize>span) - load<u8>(from) + load<u8>(from - <usize>span);
				if ((first & 0xff) != 0) continue;
				const length = deltaLength(at, offset, span, min<u32>(left, nice));
				if (length < 2) continue;
				if (length >= nice) {
					longItem = DELTA_RECENT + index;
					longLength = deltaLength(at, offset, span, left);
					break;
				}
				const base =
					recentDelta +
					(index == 0
						? price(DELTA_LATER + deltaLaterHistory(state), 0)
						: price(DELTA_LATER + deltaLaterHistory(state), 1) +
							price(DELTA_THIRD + deltaThirdHistory(state), index - 1));
				end = reach(end, node + length);
				relax(node, 2, length, base, DELTA_RECENT + index);
			}
			if (longItem != 0) break;
			// Candidates of the tables.
			const itemsEnd = deltasEnd(position);
			for (let place = deltasOf(position); place < itemsEnd; place += 8) {
				const length = load<u32>(place);
				const item = load<u32>(place, 4);
				const power = (item >> 28) & 7;
				const raw = item & 0x0fff_ffff;
				if (length >= nice) {
					const span = (<u32>1) << power;
					const offset = raw << power;
					longItem = item;
					longLength = deltaLength(at, offset, span, left);
					break;
				}
				const base =
					deltaMatch +
					price(DELTA_EXPLICIT + deltaHistory(state), 0) +
					load<u32>(POWER_PRICE + (<usize>power << 2)) +
					load<u32>(DELTA_OFFSET_PRICE + (<usize>offsetSlot(raw) << 2));
				end = reach(end, node + length);
				relax(node, 3, length, base, item);
			}
			if (longItem != 0) break;
		}

		// Literal + recent 0.
		if ((lookAhead & LOOK_LITERAL) != 0) {
			const offset = load<u32>(stateOf(node));
			if (offset <= position) end = lookBeyond(node, end, here, LITERAL, 0, offset, state);
		}
		node++;
	}
	flush(node);
	if (longItem != 0) writeMatch(longItem, longLength);
	// The state of the last node becomes that of the first one of the next section.
	const last = stateOf(node);
	lzList = v128.load(last);
	deltaList = v128.load(last, 16);
	histories = load<u64>(last, 32);
	if (longItem != 0) applyMatch(longItem);
	if (isDelta(longItem)) noteDelta(start + node + longLength);
	v128.store(STATE, lzList);
	v128.store(STATE, deltaList, 16);
	store<u64>(STATE, histories, 32);
	parsed = start + node + longLength;
}

/** Writes the items of the best path to a node. */
function flush(node: u32): void {
	let place = PATH;
	let at = node;
	while (at > 0) {
		const length = load<u32>(key(at)) & 255;
		const item = load<u32>(key(at), ITEM - KEY);
		if (item == COMPOUND) {
			const parts = PARTS + (<usize>at << 3);
			const first = <u32>load<u16>(parts, 4);
			store<u32>(place, RECENT);
			store<u32>(place, load<u16>(parts, 6), 4);
			store<u32>(place, LITERAL, 8);
			store<u32>(place, 1, 12);
			place += 16;
			if (first != 0) {
				store<u32>(place, load<u32>(parts));
				store<u32>(place, first, 4);
				place += 8;
			}
		} else {
			store<u32>(place, item);
			store<u32>(place, length, 4);
			place += 8;
		}
		at -= length;
	}
	let from = data + <usize>parsed;
	while (place > PATH) {
		place -= 8;
		const item = load<u32>(place);
		const length = load<u32>(place, 4);
		if (item == LITERAL) writeLiteral(load<u8>(from));
		else writeMatch(item, length);
		from += <usize>length;
		if (isDelta(item)) noteDelta(<u32>(from - data));
	}
}
