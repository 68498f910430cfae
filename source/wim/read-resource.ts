/**
 * Reads the original bytes of a resource on the calling thread, chunk by chunk. For small things (metadata, tables,
 * previews); bulk work goes through the pool.
 */
import { FormatError } from '../base/errors.ts';
import { formatHex } from '../base/print.ts';
import {
	type ChunkTable,
	locateChunkTable,
	originalSizeOf,
	parseChunkTable,
	parseSolidHeader,
	parseSolidTable,
	SolidHeader,
	storedSizeOf,
} from '../codec/chunk-table.ts';
import { Decoder } from '../codec/decoder.ts';
import { readExactly } from '../storage/read.ts';
import type { Resource } from './resource.ts';

/** Raw resources have no chunks; they are read in pieces of this size. */
const RAW_PIECE_SIZE = 1 << 20;

let shared: Decoder | null = null;

/**
 * Reads and checks the chunk table of a compressed resource.
 *
 * @throws {FormatError} when the table or the solid header is broken
 */
export async function readChunkTable(resource: Resource): Promise<ChunkTable> {
	const { part, offset, storedSize } = resource;
	if (resource.layout === 'solid') {
		const head = await readExactly(part.source, offset, SolidHeader.size, 'solid resource header');
		const shape = parseSolidHeader(head, storedSize);
		const at = offset + shape.tableOffset;
		const span = await readExactly(part.source, at, shape.tableSize, 'solid chunk table');
		return parseSolidTable(span, shape);
	}
	const pipable = resource.layout === 'pipable';
	const table = locateChunkTable(resource, pipable);
	const span = await readExactly(part.source, offset + table.offset, table.size, 'chunk table');
	return parseChunkTable(span, resource, pipable);
}

/**
 * Original bytes `start` to `end` of a resource, in order, in pieces that are valid until the next one is asked for.
 *
 * @throws {FormatError} naming resource and chunk, when a chunk cannot be decoded
 */
export async function* readResource(
	resource: Resource,
	start = 0,
	end = resource.originalSize,
): AsyncGenerator<Uint8Array, void, undefined> {
	const { part, offset } = resource;
	if (resource.layout === 'raw') {
		for (let at = start; at < end; at += RAW_PIECE_SIZE) {
			const size = Math.min(RAW_PIECE_SIZE, end - at);
			yield (await readExactly(part.source, offset + at, size, 'resource')).bytes;
		}
		return;
	}
	const table = await readChunkTable(resource);
	const { chunkSize } = table;
	for (let chunk = Math.floor(start / chunkSize); chunk * chunkSize < end; chunk++) {
		const bytes = await readChunk(resource, table, chunk);
		const from = Math.max(0, start - chunk * chunkSize);
		yield bytes.subarray(from, Math.min(bytes.length, end - chunk * chunkSize));
	}
}

/** Decodes one chunk; the bytes are valid until the next call. */
async function readChunk(
	resource: Resource,
	table: ChunkTable,
	chunk: number,
): Promise<Uint8Array> {
	const storedSize = storedSizeOf(table, chunk);
	const at = resource.offset + (table.starts[chunk] ?? 0);
	const what = `chunk ${chunk} of ${table.chunkCount}`;
	const stored = await readExactly(resource.part.source, at, storedSize, what);
	shared ??= new Decoder();
	const originalSize = originalSizeOf(table, chunk);
	try {
		shared.reserve(storedSize, originalSize);
		shared.input(storedSize).set(stored.bytes);
		return shared.decode(resource.compression, table.chunkSize, storedSize, originalSize);
	} catch (error) {
		if (!(error instanceof FormatError)) throw error;
		throw new FormatError(
			`Cannot read resource at ${formatHex(resource.offset)}: ${what} is damaged (${error.message})`,
			{ region: resource.part.source.name, offset: at },
		);
	}
}

/**
 * All original bytes of a resource, or of a stretch of it.
 *
 * @param limit refuses more bytes than this
 * @throws {FormatError}
 */
export async function readWholeResource(
	resource: Resource,
	limit: number,
	start = 0,
	end = resource.originalSize,
): Promise<Uint8Array> {
	if (end - start > limit)
		throw new FormatError(
			`Cannot read resource at ${formatHex(resource.offset)}: it says it has ${end - start} bytes, at most ${limit} are sensible`,
			{ region: resource.part.source.name, offset: resource.offset },
		);
	const pieces: Uint8Array[] = [];
	let total = 0;
	for await (const piece of readResource(resource, start, end)) {
		pieces.push(piece.slice());
		total += piece.length;
	}
	const whole = new Uint8Array(total);
	let at = 0;
	for (const piece of pieces) {
		whole.set(piece, at);
		at += piece.length;
	}
	return whole;
}
