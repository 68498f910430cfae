import { ChunkSeeker } from './chunk-seeker.ts';
import type { Pool } from './pool.ts';
import type { UnpackReply, UnpackRequest } from './tasks/unpack.ts';

/** Chunks above this size are decoded on a lane; smaller ones take a few milliseconds. */
export const LARGE_CHUNK_MIN = 2 << 20;

/** Decodes large chunks on a lane, one after the other, and looks for chunks. */
export class LargeChunks {
	/** Also of small chunks: to look for one takes longer than to decode it. */
	readonly seeker: ChunkSeeker;
	readonly #pool: Pool;
	readonly #signal: AbortSignal;
	/** Of some reader that has ended. */
	#spareRoom: SharedArrayBuffer | null = null;

	constructor(pool: Pool, signal: AbortSignal) {
		this.#pool = pool;
		this.#signal = signal;
		this.seeker = new ChunkSeeker(pool, signal);
	}

	/** At least so many bytes for one reader. */
	takeRoom(size: number): SharedArrayBuffer {
		const spare = this.#spareRoom;
		this.#spareRoom = null;
		return spare !== null && spare.byteLength >= size ? spare : new SharedArrayBuffer(size);
	}

	/** Says that nobody reads what is in a room any more. */
	giveBack(room: SharedArrayBuffer): void {
		this.#spareRoom = room;
	}

	/**
	 * Decodes a chunk into the room of the request.
	 *
	 * @throws {CanceledError}
	 * @throws {HostError} when the memory cannot be had
	 */
	unpack(request: UnpackRequest): Promise<UnpackReply> {
		const { stored, originalSize } = request;
		// Always the same lane: its decoder keeps the memory that such a chunk needs.
		const options = {
			signal: this.#signal,
			weight: originalSize,
			laneLimit: 1,
			canEndAnywhere: true,
		};
		const { buffer } = stored;
		const isWhole = buffer instanceof ArrayBuffer && buffer.byteLength === stored.length;
		return this.#pool.run(
			'unpack',
			request,
			isWhole ? { ...options, transfer: [buffer] } : options,
		);
	}
}
