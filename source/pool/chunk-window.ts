/**
 * Where a few neighbouring chunks of a resource lie. A resource of 20 GB has 600,000 chunks, so nobody ever holds its
 * whole table: a lane reads the entries that it needs (wim.md §2.2, §7 point 6). Solid resources store sizes, not
 * offsets (§2.5), so theirs must be read from the front; they have few chunks.
 */
import { FormatError } from '../base/errors.ts';
import { formatHex } from '../base/print.ts';
import { Span } from '../bytes/span.ts';
import {
	chunkCount,
	entrySize,
	locateChunkTable,
	PREFIX_SIZE,
	SolidHeader,
	surveySolidTable,
} from '../codec/chunk-table.ts';
import type { Compression } from '../codec/compression.ts';

/** What a lane must know about a resource, besides its source: plain data. */
export interface ResourceShape {
	/** From the start of the source. */
	readonly offset: number;
	readonly storedSize: number;
	readonly originalSize: number;
	readonly layout: 'raw' | 'chunked' | 'pipable' | 'solid';
	readonly compression: Compression;
	/** Before compression; 0 when `layout` is `raw`. */
	readonly chunkSize: number;
}

/** Some neighbouring chunks. */
export interface ChunkWindow {
	/** The first chunk. */
	readonly first: number;
	/** The chunk behind the last one. */
	readonly end: number;
	/** Where each chunk begins, from the start of the resource; meaningless for a bad chunk. */
	readonly starts: Float64Array | readonly number[];
	/** Stored bytes of each chunk; 0 when its bounds cannot be right. */
	readonly sizes: Float64Array | readonly number[];
}

/** A stretch of the source, in bytes from its start. */
export interface Stretch {
	readonly offset: number;
	readonly size: number;
}

/**
 * Which bytes of the source say where the chunks `first` to `end` lie; may be none.
 *
 * @throws {FormatError} when the resource is too small for its table and chunks
 */
export function chunkWindowPlace(shape: ResourceShape, first: number, end: number): Stretch {
	const { offset, chunkSize, originalSize, storedSize } = shape;
	const count = chunkCount(originalSize, chunkSize);
	if (shape.layout === 'solid') {
		if (SolidHeader.size + count * 5 > storedSize)
			throw new FormatError(
				`Cannot read solid resource at ${formatHex(offset)}: ${count} chunks do not fit into ${storedSize} bytes`,
				{ offset },
			);
		return { offset: offset + SolidHeader.size, size: count * 4 };
	}
	const table = locateChunkTable(shape, shape.layout === 'pipable');
	const width = entrySize(originalSize);
	// Entry k stands at k - 1, since chunk 0 has none; the end of the last chunk follows from the stored size.
	const from = Math.max(0, first - 1) * width;
	const to = Math.min(end, count - 1) * width;
	return { offset: offset + table.offset + from, size: Math.max(0, to - from) };
}

/**
 * Reads the bounds of the chunks `first` to `end`.
 *
 * @param bytes as `chunkWindowPlace` says; may be cut short, then the chunks behind the cut are bad
 */
export function parseChunkWindow(
	shape: ResourceShape,
	first: number,
	end: number,
	bytes: Uint8Array,
): ChunkWindow {
	const { originalSize, storedSize, chunkSize, layout } = shape;
	const starts = new Float64Array(end - first);
	const sizes = new Float64Array(end - first);
	const count = chunkCount(originalSize, chunkSize);
	const startOf =
		layout === 'solid' ? solidStarts(shape, bytes) : offsetStarts(shape, first, bytes);
	const gap = layout === 'pipable' ? PREFIX_SIZE : 0;
	const tableSize = layout === 'solid' ? count * 4 : (count - 1) * entrySize(originalSize);
	const dataStart =
		layout === 'solid' ? SolidHeader.size + tableSize : layout === 'pipable' ? gap : tableSize;
	const dataEnd = layout === 'pipable' ? storedSize - tableSize : storedSize;
	for (let k = first; k < end; k++) {
		const start = startOf(k);
		const size = (k + 1 < count || layout === 'solid' ? startOf(k + 1) - gap : dataEnd) - start;
		const whole = Math.min(chunkSize, originalSize - k * chunkSize);
		const good = start >= dataStart && start + size <= dataEnd && size >= 1 && size <= whole;
		starts[k - first] = start;
		sizes[k - first] = good ? size : 0;
	}
	return { first, end, starts, sizes };
}

/** Entries of an ordinary or pipable table, as offsets from the start of the resource; NaN behind the cut. */
function offsetStarts(shape: ResourceShape, first: number, bytes: Uint8Array) {
	const { originalSize, chunkSize, layout } = shape;
	const width = entrySize(originalSize);
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	const tableSize = (chunkCount(originalSize, chunkSize) - 1) * width;
	const base = layout === 'pipable' ? PREFIX_SIZE : tableSize;
	const gap = layout === 'pipable' ? PREFIX_SIZE : 0;
	const skipped = Math.max(0, first - 1);
	return (k: number): number => {
		if (k === 0) return base;
		const at = (k - 1 - skipped) * width;
		if (at + width > bytes.length) return Number.NaN;
		const low = view.getUint32(at, true);
		const entry = width === 4 ? low : view.getUint32(at + 4, true) * 0x1_0000_0000 + low;
		return base + k * gap + entry;
	};
}

function solidStarts(shape: ResourceShape, bytes: Uint8Array) {
	const { originalSize, chunkSize, compression, storedSize } = shape;
	const count = chunkCount(originalSize, chunkSize);
	const survey = surveySolidTable(new Span(bytes, 'solid chunk table'), {
		originalSize,
		storedSize,
		chunkSize,
		compression,
		chunkCount: count,
		tableOffset: SolidHeader.size,
		tableSize: count * 4,
	});
	return (k: number): number => survey.table.starts[k] ?? Number.NaN;
}
