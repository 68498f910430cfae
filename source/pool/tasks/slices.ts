/** The original bytes of a resource, slice by slice, in the memory of a decoder. */

import { FormatError, WimError } from '../../base/errors.ts';
import { formatHex } from '../../base/print.ts';
import { clear } from '../../bytes/clear.ts';
import { chunkCount } from '../../codec/chunk-table.ts';
import type { StreamedChunk } from '../../codec/decoder.ts';
import {
	type ChunkWindow,
	chunkWindowPlace,
	parseChunkWindow,
	type ResourceShape,
} from '../chunk-window.ts';
import type { Lane } from '../lane.ts';
import { READ_AHEAD_SIZE, type StoredBytes } from '../stored-bytes.ts';

/**
 * A slice should still be in the cache of the processor when it is hashed, and be large enough that hashing and
 * writing are not called too often.
 */
const SLICE_SIZE = 256 << 10;

/** An LZMS chunk that stores more than this is read as it is decoded, so that its stored bytes take no memory. */
const STREAMED_SIZE_MIN = READ_AHEAD_SIZE;

/** Bounds of so many chunks are read at once: 128 KiB of table at most. */
const WINDOW_CHUNKS = 16_384;

/** Where a raw resource on a failing disk is read block by block, so that only the bad blocks are lost. */
const BLOCK_SIZE = 4096;

/** Original bytes of a resource that could not be had; they read as zeros where anybody is given them. */
export interface Damage {
	/** From the start of the resource. */
	readonly start: number;
	readonly end: number;
	readonly error: WimError;
	/** What was decoded before that showed reads as it is up to here: right up to a point that only a SHA-1 can tell. */
	readonly decodedEnd: number;
}

/** What is wanted of the stretch from `start` to `end` of the resource. */
export interface Wanted {
	/** Where the last byte of use ends; `start` when none is. */
	end(start: number, end: number): number;
	/** Whether anybody is given what stands for bytes that are lost. */
	showsLost(start: number, end: number): boolean;
}

export const ALL_WANTED: Wanted = { end: (_, end) => end, showsLost: () => true };

export interface Slices {
	/** The most original bytes of a slice; a multiple of `alignment`. */
	readonly sliceSize: number;
	/** Slices begin and end at multiples of this, but for the end of the resource. */
	readonly alignment: number;
	/** The original bytes `start` to `end`, valid until the next call. What nobody wants, or is shown, may be anything. */
	load(
		start: number,
		end: number,
		wanted: Wanted,
		damages: Damage[],
	): Uint8Array<SharedArrayBuffer>;
}

/** @throws {HostError} when the memory cannot be had */
export function openSlices(shape: ResourceShape, stored: StoredBytes, lane: Lane): Slices {
	return shape.layout === 'raw'
		? new RawSlices(shape, stored, lane)
		: new ChunkSlices(shape, stored, lane);
}

class RawSlices implements Slices {
	readonly sliceSize = SLICE_SIZE;
	readonly alignment = 1;
	readonly #shape: ResourceShape;
	readonly #stored: StoredBytes;
	readonly #lane: Lane;

	constructor(shape: ResourceShape, stored: StoredBytes, lane: Lane) {
		this.#shape = shape;
		this.#stored = stored;
		this.#lane = lane;
		stored.reserve(SLICE_SIZE, SLICE_SIZE);
	}

	load(start: number, end: number, _: Wanted, damages: Damage[]) {
		const offset = this.#shape.offset + start;
		try {
			const at = this.#stored.need(offset, end - start);
			if (at >= 0) return this.#lane.decoder.inputBytes.subarray(at, at + end - start);
		} catch (error) {
			if (!(error instanceof WimError)) throw error;
		}
		const into = this.#lane.decoder.outputBytes.subarray(0, end - start).fill(0);
		for (let at = start; at < end; at += BLOCK_SIZE) {
			const size = Math.min(BLOCK_SIZE, end - at);
			const error = this.#loadBlock(into.subarray(at - start, at - start + size), at);
			if (error) damages.push({ start: at, end: at + size, error, decodedEnd: at });
		}
		return into;
	}

	#loadBlock(into: Uint8Array, start: number): WimError | null {
		const offset = this.#shape.offset + start;
		try {
			const bytes = this.#stored.read(offset, into.length);
			into.set(bytes);
			if (bytes.length === into.length) return null;
			return new FormatError(
				`Cannot read resource at ${formatHex(this.#shape.offset)}: the file ends before byte ${start + into.length} of ${this.#shape.originalSize}`,
				{
					region: this.#stored.name,
					offset,
					hint: 'The file may be cut short: compare its size with the original.',
				},
			);
		} catch (error) {
			if (error instanceof WimError) return error;
			throw error;
		}
	}
}

/** The chunk of a resource that has only one and so needs no table, as most files do; null for all others. */
function onlyChunk(shape: ResourceShape, count: number): ChunkWindow | null {
	const { layout, storedSize, originalSize } = shape;
	if (layout !== 'chunked' || count !== 1) return null;
	const isGood = storedSize >= 1 && storedSize <= originalSize;
	return { first: 0, end: 1, starts: [0], sizes: [isGood ? storedSize : 0] };
}

/** Why a chunk cannot be decoded that the source has only the beginning of. */
const CUT = 'the file ends inside it';

class ChunkSlices implements Slices {
	readonly sliceSize: number;
	readonly alignment: number;
	readonly #shape: ResourceShape;
	readonly #stored: StoredBytes;
	readonly #lane: Lane;
	readonly #count: number;
	#window: ChunkWindow | null = null;
	/** Of the last chunk, when it was broken. */
	#decodedSize = 0;
	/** The output area holds zeros from here to there: what is lost need not be zeroed again and again. */
	#zeros: { readonly in: Uint8Array; readonly start: number; readonly end: number } | null = null;

	constructor(shape: ResourceShape, stored: StoredBytes, lane: Lane) {
		const { compression, chunkSize, originalSize, storedSize } = shape;
		this.#shape = shape;
		this.#stored = stored;
		this.#lane = lane;
		this.#count = chunkCount(originalSize, chunkSize);
		this.alignment = chunkSize;
		this.sliceSize = Math.max(1, Math.floor(SLICE_SIZE / chunkSize)) * chunkSize;
		const inputSize = Math.min(chunkSize, storedSize);
		stored.reserve(
			compression === 'lzms' ? Math.min(inputSize, STREAMED_SIZE_MIN) : inputSize,
			Math.min(this.sliceSize, originalSize),
		);
	}

	load(start: number, end: number, wanted: Wanted, damages: Damage[]) {
		const { chunkSize } = this.#shape;
		const { decoder } = this.#lane;
		for (let at = start; at < end; at += chunkSize) {
			const chunkEnd = Math.min(end, at + chunkSize);
			const neededSize = wanted.end(at, chunkEnd) - at;
			if (neededSize <= 0) continue;
			this.#decodedSize = 0;
			const error = this.#decode(at / chunkSize, at - start, chunkEnd - at, neededSize);
			if (error === null) {
				this.#zeros = null;
				continue;
			}
			if (wanted.showsLost(at, chunkEnd)) this.#zero(at - start, chunkEnd - at);
			else this.#zeros = null;
			damages.push({ start: at, end: chunkEnd, error, decodedEnd: at + this.#decodedSize });
		}
		return decoder.outputBytes.subarray(0, end - start);
	}

	/** Zeroes what is lost of a chunk of this size whose output begins at `at`. */
	#zero(at: number, size: number): void {
		const { decoder } = this.#lane;
		const start = at + this.#decodedSize;
		const touchedEnd = at + decoder.lastTouched;
		const { outputBytes } = decoder;
		const zeros = this.#zeros?.in === outputBytes ? this.#zeros : null;
		const isKnown = zeros !== null && zeros.start <= touchedEnd && zeros.end >= at + size;
		clear(outputBytes.subarray(start, isKnown ? Math.max(start, touchedEnd) : at + size));
		this.#zeros = { in: outputBytes, start, end: at + size };
	}

	/** Returns what is wrong with the chunk; null when it was decoded. */
	#decode(
		chunk: number,
		outputAt: number,
		originalSize: number,
		neededSize: number,
	): WimError | null {
		const { offset, compression } = this.#shape;
		let fileOffset = offset;
		try {
			const window = this.#bounds(chunk);
			const storedSize = window.sizes[chunk - window.first] ?? 0;
			if (storedSize === 0)
				return this.#damaged(chunk, 'its bounds in the chunk table are wrong', fileOffset);
			fileOffset += window.starts[chunk - window.first] ?? 0;
			const place = { storedSize, outputAt, originalSize, neededSize };
			if (compression === 'lzms' && storedSize > STREAMED_SIZE_MIN)
				this.#decodeStreamed(fileOffset, place);
			else this.#decodeWhole(fileOffset, place);
			return null;
		} catch (error) {
			if (error instanceof FormatError) return this.#damaged(chunk, error.message, fileOffset);
			if (error instanceof WimError) return error;
			throw error;
		}
	}

	#decodeWhole(fileOffset: number, place: StreamedChunk): void {
		const { layout, compression, chunkSize } = this.#shape;
		const inputAt = this.#stored.need(fileOffset, place.storedSize);
		if (inputAt < 0) throw new FormatError(CUT);
		const { decoder } = this.#lane;
		try {
			decoder.decodeAt(compression, chunkSize, { ...place, inputAt });
		} catch (error) {
			// Small chunks hold nothing that is whole before the damage.
			if (layout === 'solid') this.#decodedSize = decoder.lastDecoded;
			throw error;
		}
	}

	#decodeStreamed(fileOffset: number, place: StreamedChunk): void {
		const { decoder } = this.#lane;
		const { layout, chunkSize } = this.#shape;
		try {
			decoder.decodeStreamed(chunkSize, place, (at, into) => {
				if (!this.#stored.fill(fileOffset + at, into)) throw new FormatError(CUT);
			});
		} catch (error) {
			if (layout === 'solid') this.#decodedSize = decoder.lastDecoded;
			throw error;
		}
	}

	#bounds(chunk: number): ChunkWindow {
		const known = this.#window;
		if (known && chunk >= known.first && chunk < known.end) return known;
		this.#window = onlyChunk(this.#shape, this.#count);
		if (this.#window !== null) return this.#window;
		const end = Math.min(this.#count, chunk + WINDOW_CHUNKS);
		const place = chunkWindowPlace(this.#shape, chunk, end);
		const parse = () => {
			const bytes = this.#tableBytes(chunk, place.offset, place.size);
			return parseChunkWindow(this.#shape, chunk, end, bytes);
		};
		// All sizes of a solid table are needed to find one chunk, and the next batch will need them again.
		const { layout, offset } = this.#shape;
		if (layout !== 'solid') this.#window = parse();
		else
			this.#window = this.#lane.remember(
				'solid table',
				`${this.#stored.name}\n${offset}\n${chunk}`,
				parse,
			);
		return this.#window;
	}

	#tableBytes(chunk: number, offset: number, size: number): Uint8Array {
		// The table of a small resource stands right before its chunks: one read for both.
		const isNear = chunk === 0 && size <= SLICE_SIZE && this.#shape.layout === 'chunked';
		if (isNear && size > 0) this.#stored.need(offset, size);
		return this.#stored.read(offset, size);
	}

	#damaged(chunk: number, why: string, offset: number): FormatError {
		return new FormatError(
			`Cannot read resource at ${formatHex(this.#shape.offset)}: chunk ${chunk} of ${this.#count} is damaged (${why})`,
			{ region: this.#stored.name, offset },
		);
	}
}
