/**
 * Every edit in place leaves a record of the header that it replaced, in the hole right before the new blob table. No
 * reader looks at holes; `undo` puts the old header back and cuts the file (product.md §3).
 */

import { decodeHex } from '../bytes/hex.ts';
import { sha1 } from '../bytes/sha1.ts';
import { Span } from '../bytes/span.ts';
import { byteRun, pattern64, struct, u64 } from '../bytes/struct.ts';
import type { Source } from '../storage/source.ts';
import { HEADER_SIZE, PartHeader } from './part-header.ts';

/** "WIMDKUND", little-endian. */
const UNDO_MAGIC = 0x444e_554b_444d_4957n;

const UndoRecord = struct('undo record', {
	magic: pattern64, //           +0x00
	size: u64, //                  +0x08  of the file before the edit, in bytes
	header: byteRun(HEADER_SIZE), // +0x10  as it was
	sha1: byteRun(20), //          +0xE0  of everything before
});

export const UNDO_RECORD_SIZE: number = UndoRecord.size;

/** What an edit in place replaced. */
export interface UndoState {
	readonly header: PartHeader;
	/** Of the file, in bytes. */
	readonly size: number;
}

export function encodeUndoRecord(state: UndoState): Uint8Array {
	const bytes = UndoRecord.encode({
		magic: UNDO_MAGIC,
		size: state.size,
		header: PartHeader.encode(state.header),
		sha1: new Uint8Array(20),
	});
	bytes.set(decodeHex(sha1(bytes.subarray(0, UndoRecord.offsets.sha1))), UndoRecord.offsets.sha1);
	return bytes;
}

/** The record that belongs to the current header of a file; null when its last edit was no edit in place of ours. */
export async function readUndoRecord(
	source: Source,
	header: PartHeader,
): Promise<UndoState | null> {
	const offset = header.blobTable.offset - UndoRecord.size;
	if (offset < HEADER_SIZE) return null;
	const bytes = new Uint8Array(UndoRecord.size);
	if ((await source.read(offset, bytes)) !== bytes.length) return null;
	// Usually something else lies there, which need not even be numbers: the SHA-1 tells before anything is read.
	const stored = bytes.subarray(UndoRecord.offsets.sha1);
	const digest = decodeHex(sha1(bytes.subarray(0, UndoRecord.offsets.sha1)));
	if (!digest.every((byte, k) => byte === stored[k])) return null;
	const record = UndoRecord.parse(new Span(bytes, source.name, offset));
	if (record.magic !== UNDO_MAGIC) return null;
	const old = PartHeader.parse(new Span(record.header, source.name, 0));
	const isSame = old.guid.every((byte, k) => byte === header.guid[k]);
	return isSame && record.size <= offset ? { header: old, size: record.size } : null;
}
