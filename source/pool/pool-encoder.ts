import { INLINE_WORK_MAX } from '../base/limits.ts';
import type { Pool } from './pool.ts';
import type { TaskOptions } from './task-pool.ts';
import {
	type ChunkEncoder,
	type EncodeReply,
	type EncodeRequest,
	InlineEncoder,
} from './tasks/encode.ts';
import type { IntakeReply, IntakeRequest } from './tasks/intake.ts';

/** So many bytes are compressed on the calling thread before the first lane is started for the rest. */
const INLINE_BYTES = 256 << 10;
/** What a lane needs for a large chunk, in multiples of it: input, output, and the tables of the match finder. */
const MEMORY_PER_BYTE = 14;
const LARGE_CHUNK = 8 << 20;

/** Compresses on the lanes of a pool. */
export class PoolEncoder implements ChunkEncoder {
	readonly #pool: Pool;
	readonly #inline = new InlineEncoder();
	#inlineLeft = INLINE_BYTES;

	constructor(pool: Pool) {
		this.#pool = pool;
	}

	get lanes(): number {
		return this.#pool.laneCount;
	}

	expect(bytes: number): void {
		// Threads that start in any case may have all of it.
		if (bytes > INLINE_WORK_MAX) this.#inlineLeft = 0;
		this.#pool.expect(bytes);
	}

	async encode(request: EncodeRequest, signal?: AbortSignal): Promise<EncodeReply> {
		const { bytes } = request;
		if (this.#isInline(bytes.length)) return this.#inline.encode(request, signal);
		return this.#pool.run('encode', request, {
			...this.#options(request, bytes.length, signal),
			transfer: bytes.buffer instanceof ArrayBuffer ? [bytes.buffer] : [],
		});
	}

	async intake(request: IntakeRequest, signal?: AbortSignal): Promise<IntakeReply> {
		const size = request.pieces.reduce((sum, piece) => sum + piece.size, 0);
		if (this.#isInline(size)) return this.#inline.intake(request, signal);
		return this.#pool.run('intake', request, this.#options(request, size, signal));
	}

	#isInline(size: number): boolean {
		if (size > this.#inlineLeft) return false;
		this.#inlineLeft -= size;
		return true;
	}

	#options(
		{ chunkSize }: { readonly chunkSize: number },
		weight: number,
		signal: AbortSignal | undefined,
	): TaskOptions {
		const laneLimit = this.#pool.lanesFor(chunkSize * MEMORY_PER_BYTE);
		return {
			weight,
			canEndAnywhere: true,
			...(signal === undefined ? {} : { signal }),
			...(chunkSize < LARGE_CHUNK ? {} : { laneLimit }),
		};
	}
}
