/** Encodes the blob table (wim.md §3). */
import { hexWriter } from '../bytes/hex.ts';
import { type Sha1, ZERO_SHA1 } from '../bytes/sha1.ts';
import { u56, u64 } from '../bytes/struct.ts';
import { BLOB_ENTRY_SIZE, SOLID_RESOURCE_MARK } from './blob-entries.ts';
import { ResourceFlag, type ResourceHeader } from './part-header.ts';
import type { PlacedPiece, PlainBlobs } from './plain-blobs.ts';
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
	/** How often the images reference it, as far as it came with a count. */
	readonly count?: number | undefined;
}

/** Blobs that were copied as columns, with their counts, and where they are now. */
export interface PlacedBlobs {
	readonly blobs: PlainBlobs;
	readonly pieces: readonly PlacedPiece[];
}

export interface TableContents {
	/** In image order. */
	readonly metadata: readonly TableBlob[];
	/** Those that were copied first, and so stand in front of all others. */
	readonly plain: PlacedBlobs | null;
	/** At most one per SHA-1. */
	readonly blobs: Iterable<TableBlob>;
	/** How often the images reference a blob (wim.md §3.6). */
	readonly countOf: (blob: TableBlob) => number;
	readonly partNumber: number;
}

/** The resource header of a blob that is a resource of its own. */
export function resourceHeaderOf({ resource }: TableBlob): ResourceHeader {
	const { offset, storedSize, originalSize, flags } = resource;
	return { offset, storedSize, originalSize, flags };
}

/** Metadata in image order, then blobs by offset, then each solid resource with its blobs. */
export function encodeBlobTable(contents: TableContents): Uint8Array {
	const { metadata, plain, countOf, partNumber } = contents;
	const single: TableBlob[] = [];
	const solid = new Map<number, TableBlob[]>();
	let solidBlobs = 0;
	for (const blob of contents.blobs) {
		if (!(blob.resource.flags & ResourceFlag.solid)) {
			single.push(blob);
			continue;
		}
		solidBlobs++;
		const same = solid.get(blob.resource.offset);
		if (same) same.push(blob);
		else solid.set(blob.resource.offset, [blob]);
	}
	single.sort((a, b) => a.resource.offset - b.resource.offset);
	const plainCount = plain?.blobs.length ?? 0;
	const count = metadata.length + plainCount + single.length + solid.size + solidBlobs;
	const table = new TableEncoder(count, partNumber);
	for (const blob of metadata) table.single(blob, 1);
	if (plain !== null) table.plain(plain);
	for (const blob of single) table.single(blob, countOf(blob));
	let start = 0;
	for (const [, blobs] of [...solid].sort(([a], [b]) => a - b)) {
		const resource = blobs[0]?.resource;
		if (resource === undefined) continue;
		const { offset, storedSize } = resource;
		table.add(storedSize, ResourceFlag.solid, offset, SOLID_RESOURCE_MARK, ZERO_SHA1, 1);
		blobs.sort((a, b) => a.offsetInResource - b.offsetInResource);
		for (const blob of blobs) {
			const offset = start + blob.offsetInResource;
			table.add(blob.size, ResourceFlag.solid, offset, 0, blob.sha1, countOf(blob));
		}
		start += resource.originalSize;
	}
	return table.bytes;
}

/** Writes entry after entry. */
class TableEncoder {
	readonly bytes: Uint8Array;
	readonly #view: DataView;
	readonly #partNumber: number;
	readonly #writeHex: (at: number, hex: string) => void;
	#at = 0;

	constructor(count: number, partNumber: number) {
		this.bytes = new Uint8Array(count * BLOB_ENTRY_SIZE);
		this.#view = new DataView(this.bytes.buffer);
		this.#partNumber = partNumber;
		this.#writeHex = hexWriter(this.bytes);
	}

	plain({ blobs, pieces }: PlacedBlobs): void {
		this.#at = blobs.encode(pieces, this.#partNumber, this.bytes, this.#at);
	}

	/** A blob that is a resource of its own. */
	single({ sha1, size, resource }: TableBlob, count: number): void {
		if (size <= 0) throw new Error(`a blob of size 0 has no entry (${sha1})`);
		const { offset, storedSize, originalSize, flags } = resource;
		this.add(storedSize, flags, offset, originalSize, sha1, count);
	}

	add(
		storedSize: number,
		flags: number,
		offset: number,
		originalSize: number,
		sha1: Sha1,
		count: number,
	): void {
		const at = this.#at;
		u56.write(this.#view, at, storedSize);
		this.#view.setUint8(at + 7, flags);
		u64.write(this.#view, at + 8, offset);
		u64.write(this.#view, at + 16, originalSize);
		this.#view.setUint16(at + 24, this.#partNumber, true);
		this.#view.setUint32(at + 26, Math.min(count, 0xffff_ffff), true);
		if (sha1 !== ZERO_SHA1) this.#writeHex(at + 30, sha1);
		this.#at += BLOB_ENTRY_SIZE;
	}
}
