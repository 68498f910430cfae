/** Reads bytes that come one after the other and cannot be asked for again: a pipe. */

import { FormatError, HostError } from '../base/errors.ts';

/** Skipped bytes are taken in pieces of at most this size. */
const SKIP_SIZE = 1 << 20;

export class ForwardReader implements AsyncDisposable {
	/** What people call the stream. */
	readonly name: string;
	readonly #input: AsyncIterator<Uint8Array>;
	/** Bytes that came with the last piece and were not asked for yet. */
	#rest: Uint8Array = new Uint8Array(0);
	#offset = 0;
	#ended = false;

	constructor(input: AsyncIterable<Uint8Array>, name: string) {
		this.#input = input[Symbol.asyncIterator]();
		this.name = name;
	}

	/** How many bytes were taken. */
	get offset(): number {
		return this.#offset;
	}

	/**
	 * The next `size` bytes, valid until the next call.
	 *
	 * @throws {FormatError} when the stream ends before
	 */
	async take(size: number, what: string): Promise<Uint8Array> {
		const bytes = await this.takeIfAny(size, what);
		if (bytes !== null || size === 0) return bytes ?? new Uint8Array(0);
		throw this.#cutShort(what, size, 0);
	}

	/**
	 * As `take`; null at the end of the stream.
	 *
	 * @throws {FormatError} when the stream ends within
	 */
	async takeIfAny(size: number, what: string): Promise<Uint8Array | null> {
		if (this.#rest.length === 0 && !(await this.#next())) return null;
		if (this.#rest.length >= size) return this.#cut(size);
		const whole = new Uint8Array(size);
		let filled = 0;
		while (filled < size) {
			if (this.#rest.length === 0 && !(await this.#next()))
				throw this.#cutShort(what, size, filled);
			const piece = this.#cut(Math.min(this.#rest.length, size - filled));
			whole.set(piece, filled);
			filled += piece.length;
		}
		return whole;
	}

	/** Goes over `size` bytes. */
	async skip(size: number, what: string): Promise<void> {
		for (let left = size; left > 0; ) {
			if (this.#rest.length === 0 && !(await this.#next()))
				throw this.#cutShort(what, size, size - left);
			left -= this.#cut(Math.min(this.#rest.length, left, SKIP_SIZE)).length;
		}
	}

	/** Takes what is left, up to `limit` bytes, so that whoever writes it does not find the pipe broken. */
	async drain(limit: number): Promise<void> {
		for (let left = limit; left > 0; left -= this.#rest.length) {
			this.#rest = new Uint8Array(0);
			if (!(await this.#next())) return;
		}
	}

	async [Symbol.asyncDispose](): Promise<void> {
		if (!this.#ended) await this.#input.return?.();
		this.#ended = true;
	}

	#cut(size: number): Uint8Array {
		const bytes = this.#rest.subarray(0, size);
		this.#rest = this.#rest.subarray(size);
		this.#offset += size;
		return bytes;
	}

	async #next(): Promise<boolean> {
		while (!this.#ended) {
			let step: IteratorResult<Uint8Array>;
			try {
				step = await this.#input.next();
			} catch (error) {
				throw new HostError(
					`Cannot read ${this.name}: ${error instanceof Error ? error.message : error}`,
					{ region: this.name, offset: this.#offset },
					error,
				);
			}
			if (step.done) this.#ended = true;
			else if (step.value.length > 0) {
				// Streams of Node give a `Buffer`, whose `slice` does not copy.
				const { buffer, byteOffset, length } = step.value;
				this.#rest = new Uint8Array(buffer, byteOffset, length);
				return true;
			}
		}
		return false;
	}

	#cutShort(what: string, size: number, got: number): FormatError {
		return new FormatError(
			`Cannot read ${what}: ${size} bytes needed, ${got} came before ${this.name} ended`,
			{
				region: this.name,
				offset: this.#offset,
				hint: 'Check the program that writes the stream.',
			},
		);
	}
}
