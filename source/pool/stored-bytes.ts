import { WimError } from '../base/errors.ts';
import type { Decoder } from '../codec/decoder.ts';
import { readShared } from '../storage/read.ts';
import type { SharedSource } from '../storage/source.ts';

/** Bytes that another thread fetched, because only it can read their source. */
export interface FetchedSource {
	readonly kind: 'fetched';
	readonly name: string;
	/** Ascending, without overlap. */
	readonly stretches: readonly FetchedStretch[];
}

export interface FetchedStretch {
	/** From the start of the source. */
	readonly offset: number;
	readonly bytes: Uint8Array;
}

/** What a lane reads stored bytes from. */
export type LaneSource = SharedSource | FetchedSource;

/**
 * Reads up to `into.length` bytes.
 *
 * @returns how many there were
 * @throws {HostError}
 */
export function readLaneSource(source: LaneSource, offset: number, into: Uint8Array): number {
	if (source.kind !== 'fetched') return readShared(source, offset, into);
	let done = 0;
	for (const { offset: start, bytes } of source.stretches) {
		const at = offset + done - start;
		if (at < 0 || at >= bytes.length) continue;
		const part = bytes.subarray(at, at + into.length - done);
		into.set(part, done);
		done += part.length;
		if (done === into.length) break;
	}
	return done;
}

/** One read takes about this much, if so many bytes follow that will be wanted too. */
export const READ_AHEAD_SIZE = 1 << 20;

/** Stored bytes of a source in the input area of a decoder, read ahead in few large calls. */
export class StoredBytes {
	readonly #source: LaneSource;
	readonly #decoder: Decoder;
	/** Which stretch of the source lies in the input area. */
	#start = 0;
	#end = 0;
	/** Up to here the source is wanted without large holes. */
	#wantedEnd = 0;

	constructor(source: LaneSource, decoder: Decoder) {
		this.#source = source;
		this.#decoder = decoder;
	}

	get name(): string {
		return this.#source.name;
	}

	/**
	 * Makes both areas of the decoder large enough. What was read or decoded is lost if they were not.
	 *
	 * @param storedSize the most that `need` will be asked for at once
	 */
	reserve(storedSize: number, originalSize: number): void {
		const inputSize = Math.max(READ_AHEAD_SIZE, storedSize);
		if (
			inputSize <= this.#decoder.inputBytes.length &&
			originalSize <= this.#decoder.outputBytes.length
		)
			return;
		this.#decoder.reserve(inputSize, originalSize);
		this.#start = 0;
		this.#end = 0;
	}

	/** Says that the source will be read up to `end`. */
	expect(end: number): void {
		this.#wantedEnd = end;
	}

	/**
	 * Has `size` bytes from `offset` on in the input area.
	 *
	 * @returns their position there, or -1 when the source ends before
	 * @throws {HostError} when the machine refuses
	 */
	need(offset: number, size: number): number {
		if (offset < this.#start || offset + size > this.#end) this.#read(offset, size);
		return offset + size <= this.#end ? offset - this.#start : -1;
	}

	/**
	 * Fills what is given, which may be the input area: the bytes that `need` has there are then forgotten.
	 *
	 * @returns whether the source has so many
	 * @throws {HostError} when the machine refuses
	 */
	fill(offset: number, into: Uint8Array): boolean {
		this.#end = this.#start;
		return readLaneSource(this.#source, offset, into) === into.length;
	}

	/** A few bytes from elsewhere, in an array of their own; fewer where the source ends. */
	read(offset: number, size: number): Uint8Array {
		if (offset >= this.#start && offset + size <= this.#end) {
			const at = offset - this.#start;
			return this.#decoder.inputBytes.slice(at, at + size);
		}
		const bytes = new Uint8Array(size);
		return bytes.subarray(0, readLaneSource(this.#source, offset, bytes));
	}

	#read(offset: number, size: number): void {
		const ahead = Math.min(READ_AHEAD_SIZE, this.#wantedEnd - offset);
		this.#start = offset;
		this.#end = offset;
		if (ahead > size) {
			try {
				this.#readInto(offset, ahead);
				if (offset + size <= this.#end) return;
			} catch (error) {
				// What lies behind a bad sector must not spoil what lies before it: once more, without reading ahead.
				if (!(error instanceof WimError)) throw error;
			}
		}
		this.#readInto(offset, size);
	}

	#readInto(offset: number, size: number): void {
		const into = this.#decoder.inputBytes.subarray(0, size);
		this.#end = offset + readLaneSource(this.#source, offset, into);
	}
}
