import { FormatError } from '../base/errors.ts';
import type { Span } from '../bytes/span.ts';
import { type Infer, struct, u32, u64 } from '../bytes/struct.ts';
import {
	COMPRESSIONS,
	type Compression,
	isLegalChunkSize,
	storedSizeLeast,
} from './compression.ts';

/**
 * How a compressed resource is cut into chunks (wim.md §2.2), also in pipable files (§7 point 6) and solid resources
 * (§2.5). Pure: the caller reads the bytes of the table and hands them over.
 */

/** The sizes that decide how a resource is cut, in bytes. */
export interface ResourceSizes {
	readonly originalSize: number;
	/** In the file, tables and prefixes included. */
	readonly storedSize: number;
	readonly chunkSize: number;
}

/** Where each chunk of a resource lies. All offsets count from the start of the resource. */
export interface ChunkTable {
	readonly originalSize: number;
	readonly chunkSize: number;
	readonly chunkCount: number;
	/**
	 * `chunkCount + 1` numbers: where the stored bytes of each chunk begin, and where those of one more chunk would.
	 * NaN for an entry that could not be read (tolerant mode only).
	 */
	readonly starts: Float64Array;
	/** Bytes between the end of one chunk and the start of the next: 4 in pipable files (a prefix), else 0. */
	readonly gap: number;
}

/** A table of which some entries may be wrong. */
export interface ChunkSurvey {
	readonly table: ChunkTable;
	/** Positions of the chunks whose bounds cannot be right, ascending. All others are inside the resource. */
	readonly bad: readonly number[];
	/** Stored bytes behind the last chunk that belong to nothing; negative when the sizes sum up to too much. */
	readonly spare: number;
}

/** The header of a solid resource. */
export const SolidHeader = struct('solid resource header', {
	originalSize: u64, // +0x00  all chunks together, in bytes
	chunkSize: u32, //    +0x08  in bytes
	format: u32, //       +0x0c  a position in COMPRESSIONS
});
export type SolidHeader = Infer<typeof SolidHeader>;

/** What a solid resource says about itself. */
export interface SolidShape extends ResourceSizes {
	readonly compression: Compression;
	readonly chunkCount: number;
	/** Offset and size of the array of stored chunk sizes. */
	readonly tableOffset: number;
	readonly tableSize: number;
}

/** In how many chunks a resource is cut; 0 for an empty one. */
export function chunkCount(originalSize: number, chunkSize: number): number {
	return Math.ceil(originalSize / chunkSize);
}

/** Bytes of one entry in the table of an ordinary resource; depends on the original size only. */
export function entrySize(originalSize: number): 4 | 8 {
	return originalSize <= 0xffff_ffff ? 4 : 8;
}

/** Bytes of the whole table of an ordinary or pipable resource; 0 with a single chunk. */
export function chunkTableSize(originalSize: number, chunkSize: number): number {
	return Math.max(0, chunkCount(originalSize, chunkSize) - 1) * entrySize(originalSize);
}

/**
 * Where the table of a resource lies, checked before anything is allocated or read for it.
 *
 * @param pipable the table comes behind the chunks, and every chunk has a prefix
 * @returns offset from the start of the resource, and size, in bytes
 * @throws {FormatError} when the resource cannot hold the table and at least one byte per chunk
 */
export function locateChunkTable(
	sizes: ResourceSizes,
	pipable = false,
): { readonly offset: number; readonly size: number } {
	const why = absurdity(sizes, pipable);
	if (why !== null) throw new FormatError(`Cannot read chunk table: ${why}`);
	const size = chunkTableSize(sizes.originalSize, sizes.chunkSize);
	return { offset: pipable ? sizes.storedSize - size : 0, size };
}

function absurdity(sizes: ResourceSizes, pipable: boolean): string | null {
	const { originalSize, storedSize, chunkSize } = sizes;
	if (!(originalSize > 0)) return `a compressed resource of ${originalSize} bytes has no chunks`;
	if (!(chunkSize > 0)) return `${chunkSize} is no chunk size`;
	const count = chunkCount(originalSize, chunkSize);
	const least = chunkTableSize(originalSize, chunkSize) + count * (pipable ? PREFIX_SIZE + 1 : 1);
	if (least <= storedSize) return null;
	return `${count} chunks need at least ${least} bytes, the resource has ${storedSize}`;
}

/** Bytes of the stored size in front of each chunk of a pipable resource. */
export const PREFIX_SIZE = 4;

/**
 * Reads the table of an ordinary or pipable resource and checks it against the sizes.
 *
 * @param span the bytes of the table, as `locateChunkTable` says
 * @throws {FormatError} naming the first chunk whose bounds are wrong
 */
export function parseChunkTable(span: Span, sizes: ResourceSizes, pipable = false): ChunkTable {
	const { size } = locateChunkTable(sizes, pipable);
	span.need(0, size, 'chunk table');
	const survey = surveyChunkTable(span, sizes, pipable);
	const first = survey.bad[0];
	if (first === undefined) return survey.table;
	const at = Math.min(Math.max(0, first - 1) * entrySize(sizes.originalSize), span.size);
	throw badChunk(span, at, survey.table, first, storedSizeOf(survey.table, first));
}

/**
 * As `parseChunkTable`, but keeps going: for damaged files. Entries behind the end of `span` count as wrong.
 *
 * @throws {FormatError} only when the sizes themselves cannot be right
 */
export function surveyChunkTable(span: Span, sizes: ResourceSizes, pipable = false): ChunkSurvey {
	const { offset, size } = locateChunkTable(sizes, pipable);
	const { originalSize, storedSize, chunkSize } = sizes;
	const count = chunkCount(originalSize, chunkSize);
	const width = entrySize(originalSize);
	const gap = pipable ? PREFIX_SIZE : 0;
	const dataStart = pipable ? PREFIX_SIZE : size;
	const starts = new Float64Array(count + 1);
	starts[0] = dataStart;
	for (let k = 1; k < count; k++)
		starts[k] = dataStart + k * gap + entryAt(span, (k - 1) * width, width);
	const end = (pipable ? offset : storedSize) + gap;
	starts[count] = end;
	const table = { originalSize, chunkSize, chunkCount: count, starts, gap };
	return { table, bad: badChunks(table, end), spare: 0 };
}

/** NaN when the bytes end before the entry, or the number is absurd. */
function entryAt(span: Span, at: number, width: 4 | 8): number {
	if (at + width > span.size) return Number.NaN;
	const low = span.view.getUint32(at, true);
	if (width === 4) return low;
	const high = span.view.getUint32(at + 4, true);
	return high > 0x1f_ffff ? Number.NaN : high * 0x1_0000_0000 + low;
}

/** Bytes that a chunk has once decoded; only the last one may be smaller than the chunk size. */
export function originalSizeOf(table: ChunkTable, chunk: number): number {
	return Math.min(table.chunkSize, table.originalSize - chunk * table.chunkSize);
}

/** Bytes that a chunk has in the file, prefix not included. Equal to the original size: stored raw. */
export function storedSizeOf(table: ChunkTable, chunk: number): number {
	return table.starts[chunk + 1]! - table.gap - table.starts[chunk]!;
}

function badChunks(table: ChunkTable, end: number): number[] {
	const bad: number[] = [];
	const first = table.starts[0]!;
	for (let k = 0; k < table.chunkCount; k++) {
		const inside = table.starts[k]! >= first && table.starts[k + 1]! <= end;
		const size = storedSizeOf(table, k);
		if (!inside || !(size >= 1 && size <= originalSizeOf(table, k))) bad.push(k);
	}
	return bad;
}

function badChunk(
	span: Span,
	at: number,
	table: ChunkTable,
	chunk: number,
	size: number,
): FormatError {
	return span.error(
		at,
		`Cannot read chunk table: chunk ${chunk} of ${table.chunkCount} has ${size} bytes, expected 1 to ${originalSizeOf(table, chunk)}`,
	);
}

/**
 * Reads and checks the header of a solid resource.
 *
 * @param span at least the first 16 bytes of the resource
 * @param storedSize of the whole resource in the file, in bytes
 * @throws {FormatError} when the header contradicts itself or the size
 */
export function parseSolidHeader(span: Span, storedSize: number): SolidShape {
	const header = SolidHeader.parse(span);
	const { originalSize, chunkSize, format } = header;
	const fail = (field: keyof SolidHeader, why: string) =>
		span.error(SolidHeader.offsets[field], `Cannot read solid resource header: ${why}`);
	const compression = COMPRESSIONS[format];
	if (compression === undefined) throw fail('format', `${format} is no compression format`);
	if (chunkSize === 0 || !isLegalChunkSize(compression, chunkSize))
		throw fail('chunkSize', `${chunkSize} is no chunk size`);
	if (originalSize === 0) throw fail('originalSize', 'it holds no bytes');
	const count = chunkCount(originalSize, chunkSize);
	const tableSize = count * 4;
	const least = SolidHeader.size + tableSize + chunksLeast(compression, originalSize, chunkSize);
	if (least > storedSize)
		throw fail(
			'originalSize',
			`${count} chunks need at least ${least} bytes, the resource has ${storedSize}`,
		);
	return {
		originalSize,
		storedSize,
		chunkSize,
		compression,
		chunkCount: count,
		tableOffset: SolidHeader.size,
		tableSize,
	};
}

/** The least bytes that all chunks of a resource are stored in. */
export function chunksLeast(
	compression: Compression,
	originalSize: number,
	chunkSize: number,
): number {
	const last = originalSize % chunkSize;
	const whole = Math.floor(originalSize / chunkSize);
	return (
		whole * storedSizeLeast(compression, chunkSize) +
		(last === 0 ? 0 : storedSizeLeast(compression, last))
	);
}

/**
 * Reads the array of stored sizes of a solid resource and checks it.
 *
 * @param span the `tableSize` bytes at `tableOffset`
 * @throws {FormatError} naming the first chunk with a wrong size, or the sum
 */
export function parseSolidTable(span: Span, shape: SolidShape): ChunkTable {
	span.need(0, shape.tableSize, 'solid chunk table');
	const { table, spare } = surveySolidTable(span, shape);
	const wrong = firstWrongSize(span, table);
	if (wrong !== null)
		throw badChunk(span, wrong * 4, table, wrong, span.view.getUint32(wrong * 4, true));
	if (spare !== 0)
		throw span.error(
			0,
			`Cannot read solid chunk table: the chunks have ${shape.storedSize - dataOffset(shape) - spare} bytes, expected ${shape.storedSize - dataOffset(shape)}`,
		);
	return table;
}

function firstWrongSize(span: Span, table: ChunkTable): number | null {
	for (let k = 0; k < table.chunkCount; k++) {
		const size = span.view.getUint32(k * 4, true);
		if (size < 1 || size > originalSizeOf(table, k)) return k;
	}
	return null;
}

/**
 * As `parseSolidTable`, but keeps going. Sizes behind a wrong one are counted from the end of the resource, so that a
 * single wrong size follows from the sum (wim.md §13.5), and only the chunks between two wrong ones are lost.
 */
export function surveySolidTable(span: Span, shape: SolidShape): ChunkSurvey {
	const { originalSize, chunkSize, chunkCount: count, storedSize } = shape;
	const starts = new Float64Array(count + 1).fill(Number.NaN);
	const table = { originalSize, chunkSize, chunkCount: count, starts, gap: 0 };
	const sizeOf = (k: number): number => {
		const size = k * 4 + 4 <= span.size ? span.view.getUint32(k * 4, true) : Number.NaN;
		return size >= 1 && size <= originalSizeOf(table, k) ? size : Number.NaN;
	};
	starts[0] = dataOffset(shape);
	let k = 0;
	for (; k < count; k++) {
		const size = sizeOf(k);
		if (Number.isNaN(size)) break;
		starts[k + 1] = starts[k]! + size;
	}
	if (k === count)
		return {
			table,
			bad: badChunks(table, storedSize),
			spare: storedSize - starts[count]!,
		};
	starts[count] = storedSize;
	for (let back = count - 1; back > k; back--) starts[back] = starts[back + 1]! - sizeOf(back);
	return { table, bad: badChunks(table, storedSize), spare: 0 };
}

function dataOffset(shape: SolidShape): number {
	return shape.tableOffset + shape.tableSize;
}
