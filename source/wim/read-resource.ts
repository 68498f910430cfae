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
import { LARGE_CHUNK_MIN, type LargeChunks } from '../pool/large-chunks.ts';
import { readExactly } from '../storage/read.ts';
import type { Resource } from './resource.ts';

/** Raw resources have no chunks; they are read in pieces of this size. */
const RAW_PIECE_SIZE = 1 << 20;
/** Stored chunks in a row are read at once up to this size: a read costs as much as decoding a chunk. */
const AHEAD_SIZE = 1 << 19;

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
 * Original bytes `start` to `end` of a resource, in order, in pieces that are valid until the next one is asked for; those
 * that are not in shared memory also only until anybody else decodes.
 *
 * Of the last chunk only as much is decoded as is asked for, where the format allows that.
 *
 * @param lanes decode large chunks, where there are lanes
 * @throws {FormatError} naming resource and chunk, when a chunk cannot be decoded
 */
export async function* readResource(
	resource: Resource,
	start = 0,
	end = resource.originalSize,
	lanes: LargeChunks | null = null,
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
	const ahead = new StoredChunks(resource, table, Math.ceil(end / chunkSize));
	const isLarge = Math.min(chunkSize, resource.originalSize) > LARGE_CHUNK_MIN;
	const unpacker = lanes !== null && isLarge ? new Unpacker(resource, table, lanes) : null;
	try {
		for (let chunk = Math.floor(start / chunkSize); chunk * chunkSize < end; chunk++) {
			const stored = await ahead.read(chunk);
			const neededSize = Math.min(originalSizeOf(table, chunk), end - chunk * chunkSize);
			const bytes =
				(await unpacker?.decode(chunk, stored, neededSize)) ??
				decodeChunk(resource, table, chunk, stored, neededSize);
			yield bytes.subarray(Math.max(0, start - chunk * chunkSize));
		}
	} finally {
		unpacker?.end();
	}
}

/** Reads stored chunks, several at once where they stand in a row. */
class StoredChunks {
	readonly #resource: Resource;
	readonly #table: ChunkTable;
	readonly #endChunk: number;
	/** Where in the resource `#bytes` begin. */
	#from = 0;
	#bytes: Uint8Array = new Uint8Array(0);

	/** @param endChunk behind the last one that will be asked for */
	constructor(resource: Resource, table: ChunkTable, endChunk: number) {
		this.#resource = resource;
		this.#table = table;
		this.#endChunk = endChunk;
	}

	async read(chunk: number): Promise<Uint8Array> {
		const start = this.#startOf(chunk);
		const size = storedSizeOf(this.#table, chunk);
		if (start < this.#from || start + size > this.#from + this.#bytes.length) {
			this.#bytes = await this.#fetch(chunk, start, size);
			this.#from = start;
		}
		return this.#bytes.subarray(start - this.#from, start - this.#from + size);
	}

	#startOf(chunk: number): number {
		return this.#table.starts[chunk] ?? 0;
	}

	async #fetch(chunk: number, start: number, size: number): Promise<Uint8Array> {
		const { part, offset } = this.#resource;
		let total = size;
		for (let next = chunk + 1; next < this.#endChunk; next++) {
			const end = this.#startOf(next) + storedSizeOf(this.#table, next);
			if (end - start > AHEAD_SIZE || end - start < total) break;
			total = end - start;
		}
		const read = async (count: number): Promise<Uint8Array> => {
			const what = `chunk ${chunk} of ${this.#table.chunkCount}`;
			return (await readExactly(part.source, offset + start, count, what)).bytes;
		};
		if (total === size) return read(size);
		try {
			return await read(total);
		} catch {
			// What fails may lie in a later chunk, and then it is that one's error.
			return read(size);
		}
	}
}

/** The first bytes of one chunk; they are valid until the next call. */
function decodeChunk(
	resource: Resource,
	table: ChunkTable,
	chunk: number,
	stored: Uint8Array,
	neededSize: number,
): Uint8Array {
	const storedSize = stored.length;
	shared ??= new Decoder();
	const originalSize = originalSizeOf(table, chunk);
	try {
		shared.reserve(storedSize, originalSize);
		shared.input(storedSize).set(stored);
		const { compression } = resource;
		return shared
			.decode(compression, table.chunkSize, storedSize, originalSize, neededSize)
			.subarray(0, neededSize);
	} catch (error) {
		if (!(error instanceof FormatError)) throw error;
		throw damagedChunk(resource, table, chunk, error.message);
	}
}

function damagedChunk(
	resource: Resource,
	table: ChunkTable,
	chunk: number,
	why: string,
): FormatError {
	const what = `chunk ${chunk} of ${table.chunkCount}`;
	return new FormatError(
		`Cannot read resource at ${formatHex(resource.offset)}: ${what} is damaged (${why})`,
		{
			region: resource.part.source.name,
			offset: resource.offset + (table.starts[chunk] ?? 0),
		},
	);
}

/** Has the large chunks of a resource decoded on a lane, each into the same room. */
class Unpacker {
	readonly #resource: Resource;
	readonly #table: ChunkTable;
	readonly #lanes: LargeChunks;
	readonly #room: SharedArrayBuffer;

	constructor(resource: Resource, table: ChunkTable, lanes: LargeChunks) {
		this.#resource = resource;
		this.#table = table;
		this.#lanes = lanes;
		this.#room = lanes.takeRoom(Math.min(table.chunkSize, resource.originalSize));
	}

	async decode(chunk: number, stored: Uint8Array, neededSize: number): Promise<Uint8Array> {
		const originalSize = originalSizeOf(this.#table, chunk);
		const { defect } = await this.#lanes.unpack({
			compression: this.#resource.compression,
			chunkSize: this.#table.chunkSize,
			stored,
			originalSize,
			neededSize,
			room: this.#room,
		});
		if (defect !== null) throw damagedChunk(this.#resource, this.#table, chunk, defect);
		return new Uint8Array(this.#room, 0, neededSize);
	}

	end(): void {
		this.#lanes.giveBack(this.#room);
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
