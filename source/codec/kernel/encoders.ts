// Entry of the encoding kernel.
//
// Memory: below 64 KiB the constants that asc lays out; from there to AREAS_START the tables of whichever codec runs
// (each codec uses the whole range as it likes and expects nothing in it); above, what the caller hands in.

import { lzxEncode, lzxWorkspaceSize } from './lzx-encode';
export { tune } from './lzx-encode';

const LZX: u32 = 2;

/** First byte that the kernel does not use itself. */
export function areasStart(): u32 { return 0x800000; }

/** Bytes of tables, beyond those below `areasStart`, that one chunk needs; 0xffffffff for a format that is not written. */
export function workspaceSize(format: u32, chunkSize: u32, level: u32): u32 {
	if (format == LZX) return lzxWorkspaceSize(chunkSize);
	return 0xffffffff;
}

/** Encodes one chunk. Returns the stored size, or 0 when that would not be less than `size`. */
export function encode(format: u32, chunkSize: u32, level: u32, input: usize, size: u32, output: usize, workspace: usize): u32 {
	if (format == LZX) return lzxEncode(chunkSize, level, input, size, output, workspace);
	return 0;
}
