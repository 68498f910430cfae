import type { Pool } from './pool.ts';
import {
	type ChunkEncoder,
	type EncodeReply,
	type EncodeRequest,
	InlineEncoder,
} from './tasks/encode.ts';

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

	async encode(request: EncodeRequest, signal?: AbortSignal): Promise<EncodeReply> {
		const { bytes, chunkSize } = request;
		if (bytes.length <= this.#inlineLeft) {
			this.#inlineLeft -= bytes.length;
			return this.#inline.encode(request);
		}
		return this.#pool.run('encode', request, {
			weight: bytes.length,
			transfer: [bytes.buffer],
			...(signal === undefined ? {} : { signal }),
			...(chunkSize < LARGE_CHUNK
				? {}
				: { laneLimit: this.#pool.lanesFor(chunkSize * MEMORY_PER_BYTE) }),
		});
	}
}
