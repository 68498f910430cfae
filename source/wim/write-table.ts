/** Encodes the blob table (wim.md §3). */
import { assert } from '../base/errors.ts';
import { decodeHex } from '../bytes/hex.ts';
import { type Sha1, ZERO_SHA1 } from '../bytes/sha1.ts';
import { BLOB_ENTRY_SIZE, SOLID_RESOURCE_MARK } from './blob-entries.ts';
import { ResourceFlag, ResourceHeader } from './part-header.ts';
import type { StoredResource } from './write-resource.ts';

/** A blob and where it is stored: new ones, and what the reader calls `Blob`. */
export interface TableBlob {
	readonly sha1: Sha1;
	/** Original bytes. */
	readonly size: number;
	/** Blobs of one solid resource share the object, or at least its offset. */
	readonly resource: StoredResource;
	/** 0 unless solid. */
	readonly offsetInResource: number;
}

export interface TableContents {
	/** In image order. */
	readonly metadata: readonly TableBlob[];
	/** At most one per SHA-1. */
	readonly blobs: Iterable<TableBlob>;
	/** How often the images reference a blob (wim.md §3.6). */
	readonly countOf: (sha1: Sha1) => number;
	readonly partNumber: number;
}

interface Entry extends StoredResource {
	readonly sha1: Sha1;
	readonly count: number;
}

/** The resource header of a blob that is a resource of its own. */
export function resourceHeaderOf({ resource }: TableBlob): ResourceHeader {
	const { offset, storedSize, originalSize, flags } = resource;
	return { offset, storedSize, originalSize, flags };
}

/** Metadata in image order, then blobs by offset, then each solid resource with its blobs. */
export function encodeBlobTable(contents: TableContents): Uint8Array {
	const { metadata, countOf, partNumber } = contents;
	const single: TableBlob[] = [];
	const solid = new Map<number, TableBlob[]>();
	for (const blob of contents.blobs) {
		if (!(blob.resource.flags & ResourceFlag.solid)) single.push(blob);
		else {
			const same = solid.get(blob.resource.offset);
			if (same) same.push(blob);
			else solid.set(blob.resource.offset, [blob]);
		}
	}
	single.sort((a, b) => a.resource.offset - b.resource.offset);
	const entries: Entry[] = metadata.map((blob) => ({ ...plain(blob), count: 1 }));
	for (const blob of single) entries.push({ ...plain(blob), count: countOf(blob.sha1) });
	let start = 0;
	for (const [, blobs] of [...solid].sort(([a], [b]) => a - b)) {
		const resource = blobs[0]?.resource;
		if (resource === undefined) continue;
		const { offset, storedSize } = resource;
		const flags = ResourceFlag.solid;
		const originalSize = SOLID_RESOURCE_MARK;
		entries.push({ offset, storedSize, originalSize, flags, sha1: ZERO_SHA1, count: 1 });
		blobs.sort((a, b) => a.offsetInResource - b.offsetInResource);
		for (const { sha1, size, offsetInResource } of blobs)
			entries.push({
				offset: start + offsetInResource,
				storedSize: size,
				originalSize: 0,
				flags,
				sha1,
				count: countOf(sha1),
			});
		start += resource.originalSize;
	}
	return encodeEntries(entries, partNumber);
}

function plain(blob: TableBlob): StoredResource & { sha1: Sha1 } {
	assert(blob.size > 0, `a blob of size 0 has no entry (${blob.sha1})`);
	return { ...resourceHeaderOf(blob), sha1: blob.sha1 };
}

function encodeEntries(entries: readonly Entry[], partNumber: number): Uint8Array {
	const bytes = new Uint8Array(entries.length * BLOB_ENTRY_SIZE);
	const view = new DataView(bytes.buffer);
	let at = 0;
	for (const entry of entries) {
		ResourceHeader.write(view, at, entry);
		view.setUint16(at + 24, partNumber, true);
		view.setUint32(at + 26, Math.min(entry.count, 0xffff_ffff), true);
		if (entry.sha1 !== ZERO_SHA1) bytes.set(decodeHex(entry.sha1), at + 30);
		at += BLOB_ENTRY_SIZE;
	}
	return bytes;
}
