import type { Pool } from './pool.ts';
import { isDivisible, SEEK_BLOCK, type SeekRequest } from './tasks/seek.ts';

/** Looks for chunks of which one bound and the original size are known, on as many lanes as that can use. */
export class ChunkSeeker {
	readonly #pool: Pool;
	readonly #signal: AbortSignal;

	constructor(pool: Pool, signal: AbortSignal) {
		this.#pool = pool;
		this.#signal = signal;
	}

	/**
	 * The stored sizes that such a chunk may have, the longest first.
	 *
	 * @param request with bytes that threads can share where there are many
	 * @param onProgress told how many of the stored bytes were looked through
	 * @throws {CanceledError}
	 */
	async seek(
		request: Omit<SeekRequest, 'share' | 'shareCount'>,
		onProgress: (bytes: number) => void = () => {},
	): Promise<number[]> {
		const { stored, originalSize } = request;
		let told = 0;
		const options = {
			signal: this.#signal,
			canEndAnywhere: true,
			weight: originalSize,
			onProgress: (bytes: number) => {
				told += bytes;
				onProgress(bytes);
			},
		};
		const isSliced = isDivisible(request);
		const lanes = this.#pool.forWork(stored.length, isSliced ? 0 : stored.length);
		const blocks = isSliced ? Math.ceil(stored.length / SEEK_BLOCK) : 1;
		const shareCount = Math.max(1, Math.min(blocks, lanes.lanesFor(stored.length + originalSize)));
		const tasks = Array.from({ length: shareCount }, (_, share) =>
			lanes.run('seek', { ...request, share, shareCount }, options),
		);
		// All of them have ended before anybody goes on: they look at the same bytes.
		await Promise.allSettled(tasks);
		const replies = await Promise.all(tasks);
		onProgress(stored.length - told);
		return replies.flatMap(({ storedSizes }) => storedSizes).sort((a, b) => b - a);
	}
}
