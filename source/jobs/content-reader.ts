import { DigestError } from '../base/errors.ts';
import type { Run } from '../base/run.ts';
import { streamBlob } from '../operations/read/stream-blob.ts';
import { openPool } from '../pool/pool.ts';
import type { Blob } from '../wim/resource.ts';
import { machineClock } from './clock.ts';

/** Which bytes of a blob. */
export interface Stretch {
	readonly start: number;
	/** The byte behind the last one. */
	readonly end: number;
}

/**
 * Reads stretches of blobs for a view. It has a thread of its own for what takes long, such as a chunk of 64 MiB of a
 * solid resource: the calling thread stays free, and a job that keeps all other threads busy is not in the way.
 */
export class ContentReader implements AsyncDisposable {
	readonly #pool = openPool(1);

	/**
	 * The bytes as they are: whether the blob has its SHA-1 is for `verify` to say.
	 *
	 * @throws {FormatError} when a chunk is damaged
	 * @throws {CanceledError}
	 */
	async read(
		blob: Blob,
		{ start, end }: Stretch,
		signal: AbortSignal = new AbortController().signal,
	): Promise<Uint8Array> {
		const run: Run = { signal, report: () => {}, clock: machineClock };
		const bytes = new Uint8Array(end - start);
		let at = 0;
		try {
			for await (const piece of streamBlob(this.#pool, blob, run, { start, end })) {
				bytes.set(piece, at);
				at += piece.length;
			}
		} catch (error) {
			if (!(error instanceof DigestError)) throw error;
		} finally {
			this.#pool.trim();
		}
		return bytes;
	}

	/** Ends the thread; what is being read is canceled. */
	async [Symbol.asyncDispose](): Promise<void> {
		await this.#pool[Symbol.asyncDispose]();
	}
}
