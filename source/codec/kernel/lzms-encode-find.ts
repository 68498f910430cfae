// LZMS encoder: finds LZ matches for batches of positions ahead of the parser.
//
// A binary tree of suffixes under a hash of four bytes, and two small tables for two and three bytes. In large chunks
// nearly every step down a tree misses the cache, so there many positions go down together, each a step in turn,
// after all places they will look at have been touched: the misses overlap. A position that is on its way marks the two
// places where it will hang what comes next as open, and no other goes past these: so one position may follow another
// down the same tree, and the result is as one by one.
//
// In chunks with far matches what is near depends on the data alone, not on what the parser asks for, so that another
// thread may find it: this one then hands over its near tables once, and gets the matches of batch after batch, packed.

import { DELTA_TABLES, findDeltas, listDeltas, startDeltas } from './lzms-encode-delta';
import { BATCH, DELTA_INDEX, DELTAS, LANE, LANE_SIZE, LANES, MATCHES, MATCHES_END, MATCHES_START, NEAR_PAIRS, PAIRS } from './lzms-encode-layout';
import { enterFar, farSize, findFar, NEAR_WINDOW, startFar } from './lzms-encode-far';
import { matchLength } from './lzms-encode-length';
import { nextPacked, PACKED_BATCH, PACKED_SIZE, packBatch, packed, startPacked } from './lzms-encode-packed';

/** Matches of two bytes are not worth more than this distance. Those of three are at any, where literals are rare. */
const NEAR_TWO: u32 = 1 << 18;

/** Larger chunks have a tree of their last bytes only. */
const ONE_TREE_MOST: u32 = 1 << 22;

/** After so many positions without a match fewer are searched, of 16 and of 64 the first AWAKE. */
const QUIET: u32 = 2048;
const VERY_QUIET: u32 = 8192;
const AWAKE: u32 = 4;

let data: usize = 0;
let size: u32 = 0;
let nice: u32 = 0;
let depth: u32 = 0;
let delta: bool = false;
let together: bool = false;
let far: bool = false;
let window: u32 = 0;
let windowMask: u32 = 0;

/** What another thread needs to go on: `saveNear` puts some numbers here, then come the small tables and the tree. */
let near: usize = 0;
const NUMBERS: usize = 64;
let children: usize = 0;
let heads2: usize = 0;
let heads3: usize = 0;
let heads4: usize = 0;
let shift2: u32 = 0;
let shift3: u32 = 0;
let shift4: u32 = 0;

/** Positions before this one lie within a long match that has been found: what remains of it will do for them. */
let covered: u32 = 0;
let coveredOffset: u32 = 0;
/** Positions since the last match worth the name. */
let quiet: u32 = 0;
/** First position not yet entered. */
let frontier: u32 = 0;
/** First position not yet entered into the near tables of this thread: behind the frontier while another one finds. */
let nearFrontier: u32 = 0;
let batchStart: u32 = 0;

function hashBits(room: u32, least: u32, most: u32): u32 {
	return min<u32>(max<u32>(32 - clz(room), least), most);
}

function headBits(chunk: u32): u32 {
	return chunk <= (1 << 18) ? hashBits(chunk, 10, 16) : hashBits(chunk >> 3, 16, 22);
}

/** For the table of three bytes: in large chunks what is far behind must not be driven out of it. */
function shortBits(chunk: u32): u32 {
	return chunk <= (1 << 20) ? hashBits(chunk, 8, 15) : 18;
}

/** Whether a chunk is too large for one tree. */
function isFar(chunk: u32, exact: bool): bool {
	return !exact && chunk > ONE_TREE_MOST;
}

/** Bytes of the near tables. */
function nearTables(chunk: u32, exact: bool): usize {
	const inTree = isFar(chunk, exact) ? NEAR_WINDOW : chunk + 1;
	const heads = ((<usize>4) << 14) + ((<usize>8) << shortBits(chunk)) + ((<usize>4) << headBits(inTree));
	return NUMBERS + heads + (<usize>inTree << 3);
}

/** Bytes of working memory for chunks of this size; `exact` asks for one tree over all of it. */
export function finderSize(chunk: u32, exact: bool): usize {
	const near = nearTables(chunk, exact) + DELTA_TABLES;
	return isFar(chunk, exact) ? near + PACKED_SIZE + farSize(chunk) : near;
}

/** Bytes of working memory for finding the near matches of such a chunk only; 0 where that cannot be done apart. */
export function nearSize(chunk: u32, exact: bool): usize {
	return isFar(chunk, exact) ? nearTables(chunk, exact) + PACKED_SIZE : 0;
}

export function startFinder(input: usize, length: u32, work: usize, niceLength: u32, most: u32, deltas: bool, exact: bool): void {
	placeNear(input, length, work + DELTA_TABLES, niceLength, most, exact);
	delta = deltas;
	memory.fill(work, 0, children - work);
	if (far) startFar(input, length, packed + PACKED_SIZE, niceLength);
	startDeltas(input, length, work, niceLength, exact);
}

/** Starts with the near tables of another thread, which are to be copied to `work` before `resumeNear`. */
export function placeNear(input: usize, length: u32, work: usize, niceLength: u32, most: u32, exact: bool): void {
	data = input;
	size = length;
	nice = niceLength;
	depth = most;
	far = isFar(length, exact);
	together = !far && length > 1 << 24;
	window = far ? NEAR_WINDOW : 0xffff_ffff;
	windowMask = window - <u32>far;
	covered = 0;
	quiet = 0;
	frontier = 0;
	nearFrontier = 0;
	batchStart = 0;
	const bits2 = hashBits(length, 8, 14);
	const bits3 = shortBits(length);
	const bits4 = headBits(far ? NEAR_WINDOW : length + 1);
	shift2 = 32 - bits2;
	shift3 = 32 - bits3;
	shift4 = 32 - bits4;
	near = work;
	heads2 = near + NUMBERS;
	heads3 = heads2 + ((<usize>4) << bits2);
	heads4 = heads3 + ((<usize>8) << bits3);
	children = heads4 + ((<usize>4) << bits4);
	startPacked(near + nearTables(length, exact));
}

/** Where the near tables are, which another thread needs to go on from here; 0 where it could not. */
export function saveNear(): usize {
	if (!far || nearFrontier != frontier) return 0;
	store<u32>(near, frontier);
	store<u32>(near, covered, 4);
	store<u32>(near, coveredOffset, 8);
	store<u32>(near, quiet, 12);
	return near;
}

/** Goes on where another thread was when it saved the tables that lie here now. */
export function resumeNear(): void {
	frontier = load<u32>(near);
	covered = load<u32>(near, 4);
	coveredOffset = load<u32>(near, 8);
	quiet = load<u32>(near, 12);
}

/** Finds and packs the near matches of some batches, as many as there is room for; returns how many bytes these are. */
export function packNear(): u32 {
	let to = packed;
	while (frontier < size && to + PACKED_BATCH <= packed + PACKED_SIZE) {
		batchStart = frontier;
		frontier = min<u32>(batchStart + BATCH, size);
		insertNear(batchStart, frontier);
		to = packBatch(to, frontier - batchStart);
	}
	return <u32>(to - packed);
}

/** Makes the matches of a position available; positions are asked for in rising order. */
// @ts-ignore: decorator
@inline
export function prepareMatches(position: u32): void {
	if (position < frontier) return;
	if (far) findInOrder(position);
	else findBatch(position);
}

// Pairs (length, offset) of a position, both rising.
// @ts-ignore: decorator
@inline
export function matchesOf(position: u32): usize {
	return load<u32>(MATCHES_START + (<usize>(position - batchStart) << 2));
}
// @ts-ignore: decorator
@inline
export function matchesEnd(position: u32): usize {
	return load<u32>(MATCHES_END + (<usize>(position - batchStart) << 2));
}

// Pairs (length, item) of a position.
// @ts-ignore: decorator
@inline
export function deltasOf(position: u32): usize {
	return DELTAS + <usize>(position - batchStart) * 64;
}
// @ts-ignore: decorator
@inline
export function deltasEnd(position: u32): usize {
	return DELTAS + <usize>(position - batchStart) * 64 + (<usize>load<u8>(DELTA_INDEX + <usize>(position - batchStart)) << 3);
}

/** Finds the matches of a position and of some more after it, and enters all before it. */
function findBatch(from: u32): void {
	while (frontier < from) {
		const start = frontier;
		batchStart = start;
		const to = min<u32>(from, start + BATCH);
		if (together) insertTogether(to, false);
		else while (frontier < to) insert(frontier++, MATCHES, false);
		if (delta) findDeltas(start, to, false);
	}
	batchStart = from;
	const end = min<u32>(from + BATCH, size);
	if (together) {
		insertTogether(end, true);
	} else {
		insertNear(from, end);
		frontier = end;
	}
	if (delta && listDeltas(from, frontier)) quiet = 0;
}

/**
 * Finds the matches of all batches up to the one that holds a position. What is found depends on the data alone, not on
 * what the parser asked for.
 */
function findInOrder(position: u32): void {
	while (frontier <= position) {
		nextBatch();
		if (!delta) continue;
		if (position < frontier) listDeltas(batchStart, frontier);
		else findDeltas(batchStart, frontier, false);
	}
}

/** Finds the LZ matches of the next batch, near and far. */
function nextBatch(): void {
	batchStart = frontier;
	frontier = min<u32>(batchStart + BATCH, size);
	if (!nextPacked(frontier - batchStart)) {
		// Where another thread found and gave up, what it has entered is entered here, too.
		while (nearFrontier < frontier) {
			const from = nearFrontier;
			nearFrontier = min<u32>(from + BATCH, size);
			insertNear(from, nearFrontier);
		}
	}
	enterFar(frontier);
	findFar(batchStart, frontier);
}

/**
 * Enters a batch into the tree, one by one. Where nothing has matched for long, the data is probably compressed
 * already: only a few positions in a row now and then are still entered and looked up.
 */
function insertNear(from: u32, end: u32): void {
	let first: usize = MATCHES;
	for (let position = from; position < end; position++) {
		const place = <usize>(position - from) << 2;
		const idle: u32 = quiet < QUIET ? 0 : quiet < VERY_QUIET ? 15 : 63;
		if ((position & idle) >= AWAKE) {
			store<u32>(MATCHES_START + place, 0);
			store<u32>(MATCHES_END + place, 0);
			quiet++;
			continue;
		}
		const open = position >= covered;
		// What a near match covers lies in the tree already, where it was copied from.
		let out = open || !far || coveredOffset > NEAR_WINDOW >> 1 ? insert(position, first, open) : first;
		if (!open) {
			out = put(first, first + 8, min<u32>(covered - position, min<u32>(size - position, nice)), coveredOffset);
			quiet = 0;
		} else if (out > first) {
			const longest = load<u32>(out - 8);
			if (longest >= nice) cover(position, out);
			quiet = longest > 4 ? 0 : quiet + 1;
		} else {
			quiet++;
		}
		store<u32>(MATCHES_START + place, <u32>first);
		store<u32>(MATCHES_END + place, <u32>out);
		first = far ? first + PAIRS : out;
	}
}

/** The parser will take a match of `nice` bytes as far as it goes. */
function cover(position: u32, pairs: usize): void {
	const at = data + <usize>position;
	const end = position + matchLength(at - <usize>load<u32>(pairs - 4), at, nice, size - position);
	if (end <= covered) return;
	covered = end;
	coveredOffset = load<u32>(pairs - 4);
}

// @ts-ignore: decorator
@inline
function headOf(at: usize): usize {
	return heads4 + (<usize>((load<u32>(at) * 0x9e3779b1) >> shift4) << 2);
}

// @ts-ignore: decorator
@inline
function put(out: usize, end: usize, length: u32, offset: u32): usize {
	// Should there be too many, the last is replaced, so that the longest is always there.
	const place = out < end ? out : end - 8;
	store<u32>(place, length);
	store<u32>(place, offset, 4);
	return place + 8;
}

/** Enters a position into the small tables; writes what they offer; returns the end of it. */
// @ts-ignore: decorator
@inline
function insertShort(position: u32, most: u32, matches: usize, record: bool): usize {
	let out = matches;
	const at = data + <usize>position;
	const first = load<u32>(at);
	const head2 = heads2 + (<usize>(((first << 16) * 0x9e3779b1) >> shift2) << 2);
	const near = load<u32>(head2);
	store<u32>(head2, position);
	const head3 = heads3 + (<usize>(((first << 8) * 0x9e3779b1) >> shift3) << 3);
	const recent = load<u32>(head3);
	const older = load<u32>(head3, 4);
	store<u32>(head3, position);
	store<u32>(head3, recent, 4);
	if (!record || most < 2) return out;
	let best: u32 = 1;
	if (near != 0 && position - near < NEAR_TWO) {
		const length = matchLength(data + <usize>near, at, 0, most);
		if (length > best) {
			out = put(out, out + 8, length, position - near);
			best = length;
		}
	}
	if (recent != 0 && recent != near) {
		const length = matchLength(data + <usize>recent, at, 0, most);
		if (length > best) {
			out = put(out, out + 8, length, position - recent);
			best = length;
		}
	}
	if (older != 0 && best < 3) {
		const length = matchLength(data + <usize>older, at, 0, most);
		if (length > best) out = put(out, out + 8, length, position - older);
	}
	return out;
}

/** Enters one position and writes its matches, if wanted; returns the end of what was written. */
// @ts-ignore: decorator
@inline
function insert(position: u32, matches: usize, record: bool): usize {
	const at = data + <usize>position;
	const most = min<u32>(size - position, nice);
	let out = insertShort(position, most, matches, record);
	let best: u32 = out > matches ? load<u32>(out - 8) : 1;
	const end = matches + NEAR_PAIRS;
	let less = children + (<usize>(position & windowMask) << 3);
	let greater = less + 4;
	if (most < 4) {
		// Too near to the end for a tree; nobody asks for these again.
		store<u64>(less, 0);
		return out;
	}
	const head = headOf(at);
	let candidate = load<u32>(head);
	store<u32>(head, position);
	const text = v128.load(at);
	// Bytes that are known to agree with all that is to come; the first sixteen are compared in any case.
	let lessLength: u32 = 16;
	let greaterLength: u32 = 16;
	let left = depth;
	while (true) {
		if (candidate == 0 || left == 0 || position - candidate >= window) {
			store<u32>(less, 0);
			store<u32>(greater, 0);
			break;
		}
		left--;
		const pair = children + (<usize>(candidate & windowMask) << 3);
		const other = data + <usize>candidate;
		// Sixteen bytes at once cost less than waiting for how many are known to agree.
		let length = <u32>ctz(~i8x16.bitmask(i8x16.eq(v128.load(other), text)));
		length = length < 16 ? min<u32>(length, most) : matchLength(other, at, min<u32>(lessLength, greaterLength), most);
		if (length > best) {
			best = length;
			if (record) out = put(out, end, length, position - candidate);
		}
		if (length >= most) {
			store<u32>(less, load<u32>(pair));
			store<u32>(greater, load<u32>(pair, 4));
			break;
		}
		if (load<u8>(other + <usize>length) < load<u8>(at + <usize>length)) {
			store<u32>(less, candidate);
			lessLength = max<u32>(length, 16);
			less = pair + 4;
			candidate = load<u32>(less);
		} else {
			store<u32>(greater, candidate);
			greaterLength = max<u32>(length, 16);
			greater = pair;
			candidate = load<u32>(greater);
		}
	}
	return out;
}

// A lane is a position on its way down.
const CANDIDATE: usize = 0;
const POSITION: usize = 4;
const LESS: usize = 8;
const GREATER: usize = 12;
const LESS_LENGTH: usize = 16;
const GREATER_LENGTH: usize = 20;
const LEFT: usize = 24;
const BEST: usize = 28;
const OUT: usize = 32; // 0: not recorded
const MOST: usize = 36;
/** In a place of the tree: it belongs to a position on its way. */
const OPEN: u32 = 0xffff_ffff;

/** What has been touched; without use, but the compiler must not know. */
let touched: u32 = 0;

/** Enters positions from the frontier to `to`, in lanes. */
function insertTogether(to: u32, record: bool): void {
	let next = frontier;
	let lanes: usize = LANE;
	const full = LANE + LANES * LANE_SIZE;
	while (true) {
		while (lanes < full && next < to) {
			lanes += launch(lanes, next, record && next >= covered) ? LANE_SIZE : 0;
			next++;
		}
		if (lanes == LANE) break;
		let touch: u32 = 0;
		for (let lane: usize = LANE; lane < lanes; lane += LANE_SIZE) {
			const candidate = <usize>load<u32>(lane, CANDIDATE);
			const length = <usize>min<u32>(load<u32>(lane, LESS_LENGTH), load<u32>(lane, GREATER_LENGTH));
			touch += load<u32>(children + (candidate << 3)) + <u32>load<u8>(data + candidate + length);
		}
		touched = touch;
		let lane: usize = LANE;
		while (lane < lanes) {
			if (stepDown(lane)) {
				lane += LANE_SIZE;
				continue;
			}
			land(lane);
			// The last lane takes the place.
			lanes -= LANE_SIZE;
			v128.store(lane, v128.load(lanes));
			v128.store(lane, v128.load(lanes, 16), 16);
			v128.store(lane, v128.load(lanes, 32), 32);
		}
	}
	frontier = next;
}

/** Starts a position in a lane; false when there is no way to go. */
// @ts-ignore: decorator
@inline
function launch(lane: usize, position: u32, record: bool): bool {
	const at = data + <usize>position;
	const most = min<u32>(size - position, nice);
	const less = children + (<usize>(position & windowMask) << 3);
	const head = headOf(at);
	const candidate = most < 4 ? 0 : load<u32>(head);
	touched = load<u32>(headOf(at + 12));
	const place = <usize>(position - batchStart) << 2;
	const first = MATCHES + <usize>(position - batchStart) * PAIRS;
	let out = insertShort(position, most, first, record);
	const best: u32 = out > first ? load<u32>(out - 8) : 1;
	if (position < covered) out = put(first, first + 8, min<u32>(covered - position, most), coveredOffset);
	store<u32>(MATCHES_START + place, <u32>first);
	store<u32>(MATCHES_END + place, <u32>out);
	if (most >= 4) store<u32>(head, position);
	if (candidate == 0) {
		store<u64>(less, 0);
		return false;
	}
	store<u64>(less, ~0);
	store<u32>(lane, candidate, CANDIDATE);
	store<u32>(lane, position, POSITION);
	store<u32>(lane, <u32>less, LESS);
	store<u32>(lane, <u32>less + 4, GREATER);
	store<u64>(lane, 0, LESS_LENGTH);
	store<u32>(lane, depth, LEFT);
	store<u32>(lane, best, BEST);
	store<u32>(lane, record ? <u32>out : 0, OUT);
	store<u32>(lane, most, MOST);
	return true;
}

/** Ends the way of a lane. */
// @ts-ignore: decorator
@inline
function land(lane: usize): void {
	const position = load<u32>(lane, POSITION);
	const out = <usize>load<u32>(lane, OUT);
	if (out == 0) return;
	store<u32>(MATCHES_END + (<usize>(position - batchStart) << 2), <u32>out);
	if (load<u32>(lane, BEST) >= nice) cover(position, out);
}

/** Takes a lane one node down, if the way is free; false when it has arrived. */
// @ts-ignore: decorator
@inline
function stepDown(lane: usize): bool {
	const candidate = load<u32>(lane, CANDIDATE);
	const position = load<u32>(lane, POSITION);
	const less = <usize>load<u32>(lane, LESS);
	const greater = <usize>load<u32>(lane, GREATER);
	const most = load<u32>(lane, MOST);
	const at = data + <usize>position;
	const other = data + <usize>candidate;
	const pair = children + (<usize>(candidate & windowMask) << 3);
	const known = min<u32>(load<u32>(lane, LESS_LENGTH), load<u32>(lane, GREATER_LENGTH));
	const length = matchLength(other, at, known, most);
	if (length >= most) {
		const below = load<u32>(pair);
		const above = load<u32>(pair, 4);
		if (below == OPEN || above == OPEN) return true;
		store<u32>(less, below);
		store<u32>(greater, above);
		offer(lane, length, position, candidate);
		return false;
	}
	const under = load<u8>(other + <usize>length) < load<u8>(at + <usize>length);
	const place = pair + (<usize>under << 2);
	let next = load<u32>(place);
	if (next == OPEN) return true;
	offer(lane, length, position, candidate);
	const left = load<u32>(lane, LEFT) - 1;
	if (left == 0) next = 0;
	if (under) {
		store<u32>(less, candidate);
		if (next == 0) store<u32>(greater, 0);
		store<u32>(lane, <u32>place, LESS);
		store<u32>(lane, length, LESS_LENGTH);
	} else {
		store<u32>(greater, candidate);
		if (next == 0) store<u32>(less, 0);
		store<u32>(lane, <u32>place, GREATER);
		store<u32>(lane, length, GREATER_LENGTH);
	}
	if (next == 0) {
		store<u32>(place, 0);
		return false;
	}
	store<u32>(place, OPEN);
	store<u32>(lane, left, LEFT);
	store<u32>(lane, next, CANDIDATE);
	return true;
}

/** Records a match if it is longer than those before. */
// @ts-ignore: decorator
@inline
function offer(lane: usize, length: u32, position: u32, candidate: u32): void {
	if (length <= load<u32>(lane, BEST)) return;
	store<u32>(lane, length, BEST);
	const out = <usize>load<u32>(lane, OUT);
	if (out == 0) return;
	const end = MATCHES + <usize>(position - batchStart + 1) * PAIRS;
	store<u32>(lane, <u32>put(out, end, length, position - candidate), OUT);
}
