import type { Sha1 } from '../../bytes/sha1.ts';
import type { Compression } from '../../codec/compression.ts';
import type { PrefixHit, WantedSet } from '../../codec/finder.ts';

/** A stretch of a part, in bytes from its start. */
export interface Stretch {
	readonly start: number;
	readonly end: number;
}

/** What remains of a stretch without others, which are in order. */
export function cutOut(stretch: Stretch, others: readonly Stretch[]): Stretch[] {
	const rest: Stretch[] = [];
	let at = stretch.start;
	for (const { start, end } of others) {
		if (start > at) rest.push({ start: at, end: Math.min(start, stretch.end) });
		at = Math.max(at, end);
	}
	if (at < stretch.end) rest.push({ start: at, end: stretch.end });
	return rest;
}

/** One way in which a resource may end, in bytes. */
export interface ResourceEnd {
	readonly storedSize: number;
	readonly originalSize: number;
	readonly sha1: Sha1;
}

/** A resource that was found by its contents. */
export interface FoundResource {
	readonly offset: number;
	readonly isRaw: boolean;
	/** The likeliest first. */
	readonly ends: readonly ResourceEnd[];
	/** The first end has a wanted SHA-1. */
	readonly isWanted: boolean;
	/** It begins as metadata resources do. */
	readonly isTree: boolean;
	/** So many of the ends, from the first, are as likely as each other. */
	readonly likelyCount: number;
}

/** What a search is told. */
export interface SearchRange {
	/** Where to begin. */
	readonly start: number;
	/** A resource probably begins at `start`; otherwise the search begins where one shows itself. */
	readonly isSynced: boolean;
	/** No resource is looked for that begins here or later. */
	readonly stop: number;
	/** No resource reaches past this. */
	readonly end: number;
	readonly compression: Compression;
	readonly chunkSize: number;
	/** Starts that do not show themselves are not tried one by one. */
	readonly isQuick: boolean;
	/** Compressions of SHA-1 that may be done in search of such starts: it would be quadratic in the length of the range. */
	readonly effort: number;
	/** Places where resources probably end: in bytes from the start of the part. */
	readonly hints: readonly number[];
}

/** What a search on a lane works with. */
export interface SearchTools {
	readonly wanted: WantedSet;
	/** Sizes of wanted blobs, where a donor tells. */
	readonly sizes: readonly number[];
}

export function endOf({ offset, ends }: FoundResource): number {
	return offset + (ends[0]?.storedSize ?? 0);
}

/** A blob that is stored as it is. */
export function rawResource(offset: number, { size, sha1 }: PrefixHit): FoundResource {
	return {
		offset,
		isRaw: true,
		ends: [{ storedSize: size, originalSize: size, sha1 }],
		isWanted: true,
		isTree: false,
		likelyCount: 1,
	};
}

const ROOT_LEAST = 104;
const DIRECTORY = 0x10;

/**
 * Whether decoded bytes begin like a metadata resource: security data of a plausible length, then a directory without a
 * name (wim.md §4.1). Parsing decides.
 */
export function beginsLikeTree(bytes: Uint8Array): boolean {
	if (bytes.length < 8) return false;
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	const total = view.getUint32(0, true);
	const count = view.getUint32(4, true);
	if (total > 1 << 30 || count > 1 << 24 || (total > 8 && total < 8 + 8 * count)) return false;
	const root = Math.max(8, Math.ceil(total / 8) * 8);
	// Security data may fill more than the bytes at hand.
	if (root + ROOT_LEAST > bytes.length) return count > 0 && total > 8;
	const length = view.getUint32(root, true);
	return (
		length >= ROOT_LEAST &&
		length < 1 << 16 &&
		(view.getUint32(root + 8, true) & DIRECTORY) !== 0 &&
		view.getUint32(root + 98, true) === 0
	);
}
