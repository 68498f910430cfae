import { formatHex, plural } from '../base/print.ts';
import type { Sha1 } from '../bytes/sha1.ts';
import { chunkCount, chunkTableSize } from '../codec/chunk-table.ts';
import type { Compression } from '../codec/compression.ts';
import type { SharedSource, Source } from '../storage/source.ts';
import { HEADER_SIZE, type PartHeader } from './part-header.ts';

/** One open file with a part header. */
export interface Part {
	readonly source: Source;
	readonly header: PartHeader;
	/** Pipable files: the whole header at the end is the one in `header`. */
	readonly pipable: boolean;
}

/**
 * How the bytes of a resource are laid out: as they are; chunk table first (wim.md §2.2); chunks with prefixes and the
 * table behind (§7); or a solid header (§2.5).
 */
export type ResourceLayout = 'raw' | 'chunked' | 'pipable' | 'solid';

/** A stretch of a part that holds one blob, or (solid) many. Offsets and sizes are in bytes. */
export interface Resource {
	readonly part: Part;
	/** From the start of the part. */
	readonly offset: number;
	/** In the part, chunk table included. */
	readonly storedSize: number;
	readonly originalSize: number;
	readonly layout: ResourceLayout;
	/** Of the chunks; `none` when `layout` is `raw`. */
	readonly compression: Compression;
	/** Before compression; 0 when `layout` is `raw`. */
	readonly chunkSize: number;
	/** As stored; unknown bits are kept. */
	readonly flags: number;
}

/** A nonempty byte sequence named by its SHA-1, stored once per WIM. */
export interface Blob {
	readonly sha1: Sha1;
	/** Original bytes. */
	readonly size: number;
	/** As the table says; informative, never to be relied on (wim.md §3.6). */
	readonly referenceCount: number;
	readonly resource: Resource;
	/** Where the blob begins in the original bytes of `resource`; 0 unless solid. */
	readonly offsetInResource: number;
	/** Why this blob cannot be read, known from the table alone; null when nothing speaks against it. */
	readonly defect: string | null;
	/** How often the images in question reference it; absent where nobody counted. */
	readonly count?: number;
}

/** What a lane needs to read a resource by itself: plain data that crosses threads. */
export interface SharedResource {
	readonly source: SharedSource;
	readonly offset: number;
	readonly storedSize: number;
	readonly originalSize: number;
	readonly layout: ResourceLayout;
	readonly compression: Compression;
	readonly chunkSize: number;
}

/** The shareable form of a resource; null when its source belongs to this thread only. */
export function shareResource(resource: Resource): SharedResource | null {
	const source = resource.part.source.share();
	if (source === null) return null;
	const { offset, storedSize, originalSize, layout, compression, chunkSize } = resource;
	return {
		source,
		offset,
		storedSize,
		originalSize,
		layout,
		compression,
		chunkSize,
	};
}

/** Why a resource cannot be read, known without reading it (wim.md §12.1 #3 to #5); null when nothing speaks against it. */
export function resourceDefect(resource: Resource): string | null {
	const { offset, storedSize, originalSize, part } = resource;
	const end = offset + storedSize;
	if (offset < HEADER_SIZE || !(end <= part.source.size))
		return `its resource at ${formatHex(offset)} (${plural(storedSize, 'byte')}) does not lie inside the file of ${part.source.size} bytes`;
	if (resource.layout === 'raw')
		return storedSize === originalSize
			? null
			: `it is stored raw, but its stored size is ${storedSize} and its original size ${originalSize}`;
	if (resource.layout === 'solid') return null;
	if (resource.compression === 'none')
		return 'it is compressed, but the file has no compression type';
	if (leastStored(originalSize, resource.chunkSize) <= storedSize) return null;
	const chunks = chunkCount(originalSize, resource.chunkSize);
	return `its ${formatHex(chunks)} chunks cannot fit into ${plural(storedSize, 'byte')}`;
}

/** Bytes that contents take at least when they are compressed: the table of their chunks, and one for each. */
export function leastStored(originalSize: number, chunkSize: number): number {
	if (originalSize > 0 && originalSize <= chunkSize) return 1;
	return chunkTableSize(originalSize, chunkSize) + chunkCount(originalSize, chunkSize);
}
