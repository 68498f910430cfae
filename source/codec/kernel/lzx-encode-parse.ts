// LZX encoder: the cheapest way through a block (lzx.md section 10.4), forward over the matches in the cache.

import { clearCounts, setCosts, tallyMatch } from './lzx-encode-costs';
import { after, ALIGNED_COST, bump, COUNTS_SIZE, FIELD, FORESEEN, ITEMS_END, JOINED, JOINED_FLAG, JOINED_MAX, LENGTH_COST, LENGTH_MAX, LITERAL, LITERAL_COST, MAIN_COUNT, MATCH_COST, MIXED, nearSlotOf, NODES, RING, ROW, slotOf } from './lzx-encode-layout';
import { extend } from './match-finder';

/** Offers what costs `base` and the entries of a table at the nodes from `at` to `end`; the first entry is for `at`. */
@inline function offerAll(table: usize, node: usize, base: u64, at: usize, end: usize): void {
	const bases = i64x2.splat(base);
	for (; at < end; at += 16) {
		const price = i64x2.add(bases, v128.load(table + at));
		const old = v128.load(node + at);
		v128.store(node + at, v128.bitselect(price, old, i64x2.lt_s(price, old)));
	}
	if (at == end) {
		const price = base + load<u64>(table + at);
		const old = load<u64>(node + at);
		store<u64>(node + at, select<u64>(price, old, price < old));
	}
}

/** Offers one source of a match at all lengths from `from` to `to`; `node` is that of the position. */
@inline function offer(row: usize, node: usize, base: u64, from: u32, to: u32): void {
	if (from < 9) offerAll(row - 16, node, base, <usize>from << 3, <usize>min<u32>(to, 8) << 3);
	if (to >= 9) offerAll(LENGTH_COST - 72, node, base + load<u64>(row + 56), <usize>max<u32>(from, 9) << 3, <usize>to << 3);
}

@inline function lengthPrice(row: usize, length: u32): u64 {
	return length < 9 ? load<u64>(row + (<usize>(length - 2) << 3)) : load<u64>(row + 56) + load<u64>(LENGTH_COST + (<usize>(length - 9) << 3));
}

/**
 * E tells the effort: u8 leaves out what costs 10 % of the time and makes the output 0.15 % smaller, u16 does not. With u8
 * a chunk has 64 KiB at most.
 */
@inline function isThorough<E>(): bool { return sizeof<E>() > 1; }
/** With less effort, the last recent offset is not tried where another one has a match of this length. */
const GOOD: u32 = 8;

/** Offers the match at recent offset `r`, and what may follow it after one more literal. Returns the longest length offered so far. */
@inline function again<E>(r: u32, p: usize, from: usize, node: usize, price: u64, length: u32, longest: u32, left: u32): u32 {
	const l = extend(p, from, 2, longest);
	if (l <= length) return length;
	const row = MATCH_COST + <usize>r * ROW;
	offer(row, node, price | <u64>(r << 9), length + 1, l);
	if (isThorough<E>()) {
		const back = from + l + 1;
		if (l + 3 <= left && load<u16>(p + l + 1) == load<u16>(back))
			join(node, price + lengthPrice(row, l), (r << 9) | l, p, back, left - l - 1);
	}
	return l;
}

/** Offers a match that costs `price` so far, one literal, and a match at the same offset again (at `back`). */
function join(node: usize, price: u64, item: u32, p: usize, back: usize, left: u32): void {
	const l = item & 511;
	const l2 = extend(p + l + 1, back, 2, min(min(JOINED_MAX - 1 - l, LENGTH_MAX), left));
	price += load<u64>(LITERAL_COST + (<usize>load<u8>(p + l) << 3)) + lengthPrice(MATCH_COST, l2);
	price = (price & 0xffff_ffff_0000_0000) | <u64>(JOINED_FLAG | (l + 1 + l2));
	const at = node + (<usize>(l + 1 + l2) << 3);
	if (price < load<u64>(at)) {
		store<u64>(at, price);
		store<u32>(JOINED + ((at - NODES) >> 1), item);
	}
}

// Where the search stands: its place in the cache, the recent offsets there, and the cost of getting there.
let atCache: usize = 0;
let atState: u64 = 0;
let atPrice: u64 = 0;

/**
 * Goes on with the search for the cheapest way through a block of `n` bytes, from `a` to `z`, under the current costs
 * (lzx.md section 10.4). NODES then leads back from each position before `z`, and from `z` itself.
 */
function search<E>(buf: usize, start: u32, a: u32, z: u32, n: u32): void {
	let cache = atCache;
	let state = atState;
	let price: u64 = atPrice;
	const text = buf + start;
	for (let i: u32 = a; i < z; i++) {
		const p = text + i;
		const count = load<u32>(cache);
		cache += 4;
		const node = NODES + (<usize>i << 3);
		store<u64>(RING + (<usize>(i & 511) << 3), state);
		if (count != 0) {
			const longest = min(LENGTH_MAX, n - i);
			let length: u32 = 1;
			const begin = load<u16>(p);
			const from0 = p - <usize>(state & FIELD);
			const from1 = p - <usize>((state >> 21) & FIELD);
			const from2 = p - <usize>((state >> 42) & FIELD);
			const hit0 = u32(load<u16>(from0) == begin);
			const hit1 = u32(load<u16>(from1) == begin);
			const hit2 = u32(load<u16>(from2) == begin);
			if (hit0 | hit1 | hit2) {
				if (hit0) length = again<E>(0, p, from0, node, price, length, longest, n - i);
				if (hit1) length = again<E>(1, p, from1, node, price, length, longest, n - i);
				if (hit2 && (isThorough<E>() || length < GOOD)) length = again<E>(2, p, from2, node, price, length, longest, n - i);
			}
			const end = cache + (<usize>count << 2);
			let item: u32 = 0;
			do {
				item = load<u32>(cache);
				cache += 4;
				const formatted = item >> 9;
				const l = min(item & 511, longest);
				if (l > length) {
					const slot = isThorough<E>() ? slotOf(formatted) : nearSlotOf(formatted);
					let base = price | <u64>(formatted << 9);
					if (slot >= 8) base += load<u64>(ALIGNED_COST + (<usize>(formatted & 7) << 3));
					offer(MATCH_COST + <usize>slot * ROW, node, base, length + 1, l);
					length = l;
				}
			} while (cache < end);
			// What if the longest match goes on after one more literal?
			const l = item & 511;
			const formatted = item >> 9;
			const back = p + l + 1 - (formatted - 2);
			if (l + 3 <= n - i && load<u16>(p + l + 1) == load<u16>(back)) {
				const slot = isThorough<E>() ? slotOf(formatted) : nearSlotOf(formatted);
				let total = price + lengthPrice(MATCH_COST + <usize>slot * ROW, l);
				if (slot >= 8) total += load<u64>(ALIGNED_COST + (<usize>(formatted & 7) << 3));
				join(node, total, item, p, back, n - i - l - 1);
			}
		}
		// On to the next position: by this literal, or as it was reached already.
		price += load<u64>(LITERAL_COST + (<usize>load<u8>(p) << 3));
		const reached = load<u64>(node + 8);
		if (reached < price) {
			const item = <u32>reached;
			const origin = load<u64>(RING + (<usize>((i + 1 - (item & 511)) & 511) << 3));
			state = after(origin, (<i32>item < 0 ? load<u32>(JOINED + (<usize>(i + 1) << 2)) : item) >> 9);
			price = reached;
		} else store<u64>(node + 8, price);
		price &= 0xffff_ffff_0000_0000;
	}
	atCache = cache;
	atState = state;
	atPrice = price;
}

/**
 * One pass over a block. It may go in parts: after each, the costs for the next come from what was chosen so far and, for
 * the rest, from what was expected. One pass in a dozen parts comes out nearly as small as two whole ones.
 */
export function parse<E>(buf: usize, start: u32, n: u32, cache: usize, state: u64, slots: u32, parts: u32): void {
	atCache = cache;
	atState = state;
	atPrice = 0;
	memory.fill(NODES, 0x7f, <usize>(n + 1) << 3);
	if (parts > 1) {
		memory.copy(FORESEEN, MAIN_COUNT, COUNTS_SIZE);
		clearCounts();
	}
	let a: u32 = 0;
	for (let w: u32 = 1; w <= parts; w++) {
		const z = n * w / parts;
		setCosts(w == 1 && parts > 1 ? FORESEEN : w == 1 ? MAIN_COUNT : MIXED, slots);
		search<E>(buf, start, a, z, n);
		if (w == parts) break;
		tallyBack(buf + start, z, a);
		a = z;
		const share = ((parts - w) << 8) / parts;
		for (let at: usize = 0; at < COUNTS_SIZE; at += 16) {
			const seen = i32x4.shl(v128.load(MAIN_COUNT + at), 4);
			const expected = i32x4.shr_u(i32x4.mul(v128.load(FORESEEN + at), i32x4.splat(share)), 8);
			v128.store(MIXED + at, i32x4.add(seen, expected));
		}
	}
	collect(buf, start, n, state);
}

/** Counts the symbols of the cheapest way to `z`, back to about `floor`. */
function tallyBack(p: usize, z: u32, floor: u32): void {
	while (z > floor) {
		let item = load<u32>(NODES + (<usize>z << 3));
		let length = item & 511;
		if (<i32>item < 0) {
			item = load<u32>(JOINED + (<usize>z << 2));
			const first = item & 511;
			tallyMatch(0, length - 1 - first);
			bump(MAIN_COUNT + (<usize>load<u8>(p + z - length + first) << 2));
			tallyMatch(item >> 9, first);
		} else if (length == 1) bump(MAIN_COUNT + (<usize>load<u8>(p + z - 1) << 2));
		else tallyMatch(item >> 9, length);
		z -= min(length, z);
	}
}

/** Where the items of the block begin; they end at ITEMS_END. */
export let itemsAt: usize = 0;
/** Recent offsets at the end of the block. */
export let endState: u64 = 0;

/** Reads the path back into a list of items and counts their symbols. */
function collect(buf: usize, start: u32, n: u32, state: u64): void {
	let at = ITEMS_END;
	for (let i = n; i > 0; ) {
		const item = load<u32>(NODES + (<usize>i << 3));
		const length = item & 511;
		if (<i32>item < 0) {
			const first = load<u32>(JOINED + (<usize>i << 2));
			at -= 12;
			store<u32>(at, first);
			store<u32>(at + 4, LITERAL);
			store<u32>(at + 8, length - 1 - (first & 511));
		} else {
			at -= 4;
			store<u32>(at, item);
		}
		i -= length;
	}
	itemsAt = at;
	count(buf + start, at, state);
}

function count(p: usize, at: usize, state: u64): void {
	clearCounts();
	for (; at < ITEMS_END; at += 4) {
		const item = load<u32>(at);
		const length = item & 511;
		if (length == 1) bump(MAIN_COUNT + (<usize>load<u8>(p) << 2));
		else {
			tallyMatch(item >> 9, length);
			state = after(state, item >> 9);
		}
		p += length;
	}
	endState = state;
}
