// LZMS encoder: one chunk, in steps.
//
// The input is filtered in place and restored at the end. A large chunk takes many seconds, so it can be encoded in
// steps, between which the caller may look whether anybody still wants it.

import { startCodes } from './lzms-encode-codes';
import { filterX86, forgetTargets } from './lzms-encode-filter';
import { finderSize, nearSize, placeNear, startFinder } from './lzms-encode-find';
import { LOOK_EVERY, LOOK_EXPLICIT, LOOK_LITERAL, LOOK_RECENT, parsed, parseSection, startParser } from './lzms-encode-parse';
import { forgetTables, offsetSlot, prepareTables } from './lzms-encode-tables';
import { finishWriter, isFull, startWriter } from './lzms-encode-writer';

let input: usize = 0;
let size: u32 = 0;

// What a level stands for.
let nice: u32 = 0;
let depth: u32 = 0;
let delta: bool = false;
let looks: u32 = 0;
let exact: bool = false;

/**
 * Sets how hard to try: longest match to weigh, depth of the search, whether delta matches count, sequences to try,
 * and whether large chunks get one tree over all of them, and delta matches a closer look.
 */
export function setStrategy(niceLength: u32, mostNodes: u32, deltas: bool, sequences: u32, oneTree: bool): void {
	nice = niceLength;
	depth = mostNodes;
	delta = deltas;
	looks = sequences;
	exact = oneTree;
}

/** From this level on one tree covers a large chunk. */
const EXACT_LEVEL: u32 = 75;

/** In chunks above this size the tree rarely has the same neighbours twice, and a deeper look pays off. */
const LARGE: u32 = 1 << 21;

function chooseStrategy(level: u32, length: u32): void {
	const all = LOOK_EXPLICIT | LOOK_LITERAL | LOOK_RECENT;
	if (level < 35) setStrategy(40, 12, false, 0, false);
	else if (level < 50) setStrategy(63, 16, true, LOOK_EXPLICIT, false);
	else if (level < EXACT_LEVEL) setStrategy(length > LARGE ? 192 : 63, length > LARGE ? 32 : 16, true, all, false);
	else setStrategy(255, 200, true, all | LOOK_EVERY, true);
}

/** Bytes of workspace for one chunk of this size. */
export function lzmsWorkspaceSize(chunk: u32, level: u32): u32 {
	return <u32>finderSize(chunk, level >= EXACT_LEVEL);
}

/** Bytes of workspace for finding the near matches of such a chunk only; 0 where that cannot be done apart. */
export function lzmsNearSize(chunk: u32, level: u32): u32 {
	return <u32>nearSize(chunk, level >= EXACT_LEVEL);
}

/** Makes ready to find near matches for another thread, whose input, as filtered, and near tables are to be copied here. */
export function lzmsPlaceNear(level: u32, at: usize, length: u32, workspace: usize): void {
	chooseStrategy(level, length);
	memory.fill(at + <usize>length, 0, 64);
	placeNear(at, length, workspace, nice, depth, exact);
}

/** Starts a chunk; `output` has as many bytes as the input. */
export function lzmsBegin(level: u32, at: usize, length: u32, output: usize, workspace: usize): void {
	chooseStrategy(level, length);
	start(at, length, output, workspace);
}

/** Starts a chunk with the strategy that is set. */
export function start(at: usize, length: u32, output: usize, workspace: usize): void {
	prepareTables();
	input = at;
	size = length;
	memory.fill(at + <usize>length, 0, 64);
	filterX86(at, length, false);
	startWriter(output, length);
	startCodes(length < 2 ? 2 : offsetSlot(length - 1) + 1);
	startFinder(at, length, workspace, nice, depth, delta, exact);
	startParser(at, length, nice, looks);
}

/** Encodes about this many bytes more; returns how many are done: as many as the chunk has when nothing is left to do. */
export function lzmsStep(bytes: u32): u32 {
	const to = parsed + min<u32>(bytes, size - parsed);
	while (parsed < to) {
		parseSection();
		if (isFull()) return size;
	}
	return parsed;
}

/** Ends a chunk, also one that is given up; returns the stored size, or 0 when that would not be less than the input. */
export function lzmsFinish(): u32 {
	const stored: u32 = isFull() || parsed < size ? 0 : <u32>finishWriter();
	filterX86(input, size, true);
	return stored < size ? stored : 0;
}

/** To be called when another codec has used the region of the tables. */
export function lzmsForget(): void {
	forgetTables();
	forgetTargets();
}
