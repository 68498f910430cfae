/**
 * Finds blob tables in bytes of unknown structure: the current one when its position is lost, those of older generations in
 * the holes of appended files, and those of WIMs stored inside this one (wim.md §13.4 A).
 */
import { Span } from '../../bytes/span.ts';
import {
	BLOB_ENTRY_SIZE,
	type BlobEntry,
	parseBlobEntries,
	SOLID_RESOURCE_MARK,
} from '../blob-entries.ts';
import { HEADER_SIZE, ResourceFlag } from '../part-header.ts';

/** A run of entries that look like a blob table. */
export interface FoundTable {
	/** Of the first valid entry, in bytes from the start of the part. */
	readonly offset: number;
	/** Behind the last valid entry. */
	readonly end: number;
	/** Valid ones only, in order; `at` counts from the start of the part. */
	readonly entries: readonly BlobEntry[];
	/** How many entries between the first and the last one were not valid. */
	readonly brokenCount: number;
	/** The greatest offset + size of the entries: the table's own offset, unless nothing was added when it was written. */
	readonly greatestEnd: number;
}

const KNOWN_FLAGS = ResourceFlag.metadata | ResourceFlag.compressed | ResourceFlag.solid;

/** Broken entries in a row after which a table is over. */
const BROKEN_MAX = 4;

/** wim.md §13.4 A: no codec shrinks more than this many times. */
const RATIO_MAX = 2 ** 20;

/**
 * Whether the 50 bytes at `at` can be an entry of a table that begins at or behind `tableOffset`.
 *
 * @param pipable stored sizes may exceed original sizes a little
 */
export function isEntry(
	bytes: Uint8Array,
	view: DataView,
	at: number,
	tableOffset: number,
	pipable: boolean,
): boolean {
	const flags = bytes[at + 7] ?? 0xff;
	// Most offsets of most files fail here, at the tops of 64-bit amounts.
	if (flags & ~KNOWN_FLAGS || bytes[at + 15] !== 0 || bytes[at + 23] !== 0) return false;
	if (((bytes[at + 14] ?? 0) | (bytes[at + 22] ?? 0)) > 0x1f) return false;
	const partNumber = view.getUint16(at + 24, true);
	if (partNumber === 0 || (bytes[at + 29] ?? 0) !== 0) return false;
	const isSolid = (flags & ResourceFlag.solid) !== 0;
	if (isSolid && flags & ResourceFlag.metadata) return false;
	const stored =
		view.getUint32(at, true) +
		(view.getUint16(at + 4, true) + (bytes[at + 6] ?? 0) * 0x1_0000) * 0x1_0000_0000;
	if (stored === 0) return false;
	const offset = view.getUint32(at + 8, true) + view.getUint32(at + 12, true) * 0x1_0000_0000;
	const original = view.getUint32(at + 16, true) + view.getUint32(at + 20, true) * 0x1_0000_0000;
	const hasHash =
		(view.getUint32(at + 30, true) |
			view.getUint32(at + 34, true) |
			view.getUint32(at + 38, true)) !==
		0;
	if (isSolid) {
		if (original === 0) return hasHash && stored < Number.MAX_SAFE_INTEGER;
		if (original !== SOLID_RESOURCE_MARK || hasHash) return false;
		return offset >= HEADER_SIZE && offset + stored <= tableOffset;
	}
	if (!hasHash || original === 0) return false;
	if (offset < HEADER_SIZE || offset + stored > tableOffset) return false;
	if (!(flags & ResourceFlag.compressed)) return stored === original;
	return (pipable || stored <= original) && original / stored <= RATIO_MAX;
}

/**
 * All tables in a stretch of a part. Tables that begin in the last 49 bytes, or reach past the end, need the next stretch:
 * the caller lets stretches overlap, or hands over everything behind a hit.
 *
 * @param bytes a stretch of the part
 * @param origin where it begins, in bytes from the start of the part
 */
export function* findTables(
	bytes: Uint8Array,
	origin: number,
	pipable: boolean,
	name: string,
): Generator<FoundTable, void, undefined> {
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	const last = bytes.length - BLOB_ENTRY_SIZE;
	for (let at = 0; at <= last; at++) {
		if (!isEntry(bytes, view, at, origin + at, pipable)) continue;
		const next = at + BLOB_ENTRY_SIZE;
		const follows = next <= last && isEntry(bytes, view, next, origin + at, pipable);
		if (!follows && !endsAt(view, at, origin + at, pipable)) continue;
		const table = readRun(bytes, view, at, origin, pipable, name);
		yield table;
		at = table.end - origin - 1;
	}
}

/** A single entry is a table only when its resource ends where the entry begins (pipable: 40 bytes before). */
function endsAt(view: DataView, at: number, offset: number, pipable: boolean): boolean {
	const start = view.getUint32(at + 8, true) + view.getUint32(at + 12, true) * 0x1_0000_0000;
	const size = view.getUint32(at, true) + view.getUint16(at + 4, true) * 0x1_0000_0000;
	return start + size === offset - (pipable ? 40 : 0);
}

function readRun(
	bytes: Uint8Array,
	view: DataView,
	start: number,
	origin: number,
	pipable: boolean,
	name: string,
): FoundTable {
	const tableOffset = origin + start;
	const valid: number[] = [];
	const part = view.getUint16(start + 24, true);
	let end = start;
	let broken = 0;
	for (let at = start; at + BLOB_ENTRY_SIZE <= bytes.length; at += BLOB_ENTRY_SIZE) {
		if (isEntry(bytes, view, at, tableOffset, pipable) && view.getUint16(at + 24, true) === part) {
			valid.push(at);
			end = at + BLOB_ENTRY_SIZE;
			broken = 0;
		} else if (++broken > BROKEN_MAX) break;
	}
	const entries = valid.flatMap((at) => {
		const one = bytes.subarray(at, at + BLOB_ENTRY_SIZE);
		return parseBlobEntries(new Span(one, name, origin + at)).map((entry) => ({
			...entry,
			at: origin + at,
		}));
	});
	return {
		offset: tableOffset,
		end: origin + end,
		entries,
		brokenCount: (end - start) / BLOB_ENTRY_SIZE - valid.length,
		greatestEnd: greatestEnd(entries),
	};
}

/** Where the last resource of a table ends, in bytes from the start of the part. */
export function greatestEnd(entries: readonly BlobEntry[]): number {
	let end = 0;
	for (const { flags, originalSize, offset, storedSize } of entries) {
		const isSolidBlob = (flags & ResourceFlag.solid) !== 0 && originalSize !== SOLID_RESOURCE_MARK;
		if (!isSolidBlob) end = Math.max(end, offset + storedSize);
	}
	return end;
}

/**
 * Entries before `end`, walking back in steps of 50 while they look valid, tolerating a few broken ones: for a table
 * whose end is known because the XML data begins there.
 *
 * @param bytes everything of interest before `end`
 * @param origin where `bytes` begins, in bytes from the start of the part
 */
export function findTableBefore(
	bytes: Uint8Array,
	origin: number,
	pipable: boolean,
	name: string,
): FoundTable | null {
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	const end = bytes.length;
	let start = end;
	let broken = 0;
	for (let at = end - BLOB_ENTRY_SIZE; at >= 0; at -= BLOB_ENTRY_SIZE) {
		if (isEntry(bytes, view, at, origin + at, pipable)) {
			start = at;
			broken = 0;
		} else if (++broken > BROKEN_MAX) break;
	}
	return start === end ? null : readRun(bytes, view, start, origin, pipable, name);
}
