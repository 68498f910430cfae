// Entry of the encoding kernel.
//
// Memory: below 64 KiB the constants that asc lays out; from there to AREAS_START the tables of whichever codec runs
// (each codec uses the whole range as it likes and expects nothing in it); above, what the caller hands in.

import { lzmsBegin, lzmsFinish, lzmsForget, lzmsNearSize, lzmsPlaceNear, lzmsStep, lzmsWorkspaceSize } from './lzms-encode';
import { packNear as packMatches, resumeNear as resumeTables, saveNear as saveTables } from './lzms-encode-find';
import { feed as startFeed, packed, PACKED_SIZE } from './lzms-encode-packed';
import { lzxEncode, lzxWorkspaceSize } from './lzx-encode';
import { xpressEncode, xpressWorkspaceSize } from './xpress-encode';

const XPRESS: u32 = 1;
const LZX: u32 = 2;
const LZMS: u32 = 3;

/** Which codec the tables belong to. */
let owner: u32 = 0;

/** First byte that the kernel does not use itself. */
export function areasStart(): u32 { return 0x800000; }

/** Bytes of tables, beyond those below `areasStart`, that one chunk needs; 0xffffffff for a format that is not written. */
export function workspaceSize(format: u32, chunkSize: u32, level: u32): u32 {
	if (format == XPRESS) return xpressWorkspaceSize(chunkSize);
	if (format == LZX) return lzxWorkspaceSize(chunkSize);
	if (format == LZMS) return lzmsWorkspaceSize(chunkSize, level);
	return 0xffffffff;
}

/** Encodes one chunk. Returns the stored size, or 0 when that would not be less than `size`. */
export function encode(format: u32, chunkSize: u32, level: u32, input: usize, size: u32, output: usize, workspace: usize): u32 {
	if (format == LZMS) {
		begin(level, input, size, output, workspace);
		while (lzmsStep(size) < size) {}
		return lzmsFinish();
	}
	owner = format;
	if (format == XPRESS) return xpressEncode(level, input, size, output, workspace);
	if (format == LZX) return lzxEncode(chunkSize, level, input, size, output, workspace);
	return 0;
}

// LZMS chunks can be large, so they may also be encoded in steps: begin, step until all is done, finish.

/** Starts an LZMS chunk. */
export function begin(level: u32, input: usize, size: u32, output: usize, workspace: usize): void {
	if (owner != LZMS) lzmsForget();
	owner = LZMS;
	lzmsBegin(level, input, size, output, workspace);
}

/** Encodes about this many bytes more. Returns how many are done: `size` when nothing is left to do. */
export function step(bytes: u32): u32 { return lzmsStep(bytes); }

/** Ends the chunk, complete or given up, and restores its input. Returns what `encode` does. */
export function finish(): u32 { return lzmsFinish(); }

// The near matches of a large LZMS chunk may be found by another thread: this one, between two steps, hands over its
// input and its near tables, and says so; the other one places and resumes these, and packs matches until none come.

/** Bytes of workspace for finding matches only, which begin with the near tables; 0 where that cannot be done apart. */
export function nearSize(level: u32, size: u32): u32 { return lzmsNearSize(size, level); }

/** Where the near tables are; 0 where another thread could not go on with them. */
export function saveNear(): usize { return saveTables(); }

/** From now on packed matches come from another thread: see `fetchMatches`. */
export function feed(): void { startFeed(); }

/** Makes ready to find matches for another thread. */
export function placeNear(level: u32, input: usize, size: u32, workspace: usize): void {
	if (owner != LZMS) lzmsForget();
	owner = LZMS;
	lzmsPlaceNear(level, input, size, workspace);
}

/** Goes on where the other thread was: its input and its near tables have been copied here. */
export function resumeNear(): void { resumeTables(); }

/** Finds and packs more matches; returns how many bytes these are: 0 at the end of the chunk. */
export function packNear(): u32 { return packMatches(); }

/** Where packed matches lie, and room for how many bytes there is. */
export function packedStart(): usize { return packed; }
export function packedSize(): u32 { return <u32>PACKED_SIZE; }
