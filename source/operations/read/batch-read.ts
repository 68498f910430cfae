import { CanceledError, WimError } from '../../base/errors.ts';
import type { Pool } from '../../pool/pool.ts';
import { buffersOf } from '../../pool/tasks/packed-pieces.ts';
import type { PieceResult } from '../../pool/tasks/pieces.ts';
import type { ReadOutput } from '../../pool/tasks/read-results.ts';
import {
	ask,
	HELPERS_MAX,
	hasHelped,
	leave,
	type OfferedSlice,
	piecesLeft,
} from '../../pool/tasks/shared-slice.ts';
import { laneSource } from './fetch-stored.ts';
import type { PackedBatch } from './packed-batch.ts';
import type { WantedBlob } from './read-blobs.ts';

/** Fewer pieces are done before another lane has heard of them. */
const HELPED_PIECES_MIN = 4;

export interface BatchOptions {
	readonly signal: AbortSignal;
	/** Lanes that may decode at once. */
	readonly laneLimit: number;
	readonly recover: boolean;
	/** Where copies of bytes go; null when nobody wants any. */
	readonly keep: SharedArrayBuffer | null;
	readonly onProgress: (bytes: number) => void;
	/** Now `help` is of use. */
	readonly onDecoded: () => void;
}

/** One batch on its lane, and on others that help with it once it is decoded. */
export class BatchRead<W extends WantedBlob> {
	readonly #pool: Pool;
	readonly #batch: PackedBatch<W>;
	readonly #options: BatchOptions;
	readonly #outputs: ReadOutput[] = [];
	readonly #helpers: Promise<void>[] = [];
	/** Helpers that have not begun when the batch is done need not begin any more. */
	readonly #done = new AbortController();
	/** Its memory comes once it was asked for. */
	#slice: OfferedSlice | null = null;
	#error: unknown = null;
	#helping = 0;

	constructor(pool: Pool, batch: PackedBatch<W>, options: BatchOptions) {
		this.#pool = pool;
		this.#batch = batch;
		this.#options = options;
	}

	/** Lanes that help just now. */
	get helping(): number {
		return this.#helping;
	}

	/** Decoded pieces that no lane has begun. */
	get piecesLeft(): number {
		return this.#slice === null ? 0 : piecesLeft(this.#slice);
	}

	/** Whether another lane can make itself useful. */
	get canHelp(): boolean {
		return this.piecesLeft >= HELPED_PIECES_MIN && this.#helpers.length < HELPERS_MAX;
	}

	/**
	 * Reads all pieces.
	 *
	 * @returns what became of each
	 * @throws {CanceledError} once no lane does anything for it any more
	 */
	async run(): Promise<Iterable<PieceResult>> {
		const { signal, laneLimit, recover, keep, onProgress, onDecoded } = this.#options;
		const { batch } = this.#batch;
		try {
			const [first] = batch.stretches;
			if (first === undefined) throw new Error('A batch without stretches was planned');
			const source = await laneSource(first.resource.part.source, batch);
			const packed = this.#batch.pack(keep);
			const output = await this.#pool.run(
				'read',
				{ ...packed, source, recover },
				{
					signal,
					laneLimit,
					weight: batch.size,
					onProgress,
					onOffer: (what) => {
						this.#slice = what as OfferedSlice;
						onDecoded();
					},
					transfer: buffersOf(packed),
				},
			);
			this.#outputs.push(output);
		} catch (error) {
			this.#note(error);
		} finally {
			await this.#endHelp();
		}
		if (
			!(this.#error === null || this.#error instanceof WimError) ||
			this.#error instanceof CanceledError
		)
			throw this.#error;
		return this.#results();
	}

	/** Has an idle lane take some pieces; the first time it only asks for them, and `onDecoded` is called once more. */
	help(): void {
		const offered = this.#slice;
		if (offered === null) return;
		const { memory } = offered;
		if (memory === null) {
			ask(offered);
			return;
		}
		const slice = { ...offered, memory };
		const { signal, recover, keep, onProgress } = this.#options;
		const helper = this.#helpers.length;
		const packed = this.#batch.pack(keep);
		const options = {
			signal: AbortSignal.any([signal, this.#done.signal]),
			onProgress,
			transfer: buffersOf(packed),
		};
		this.#helping++;
		const helping = this.#pool
			.run('help', { ...packed, slice, helper, recover }, options)
			.then((output) => {
				this.#outputs.push(output);
			})
			.catch((error) => {
				// Its thread may have ended, and the lane that has decoded the slice waits for it.
				leave(slice, helper);
				if (!this.#done.signal.aborted || signal.aborted) this.#note(error);
			})
			.finally(() => {
				this.#helping--;
			});
		this.#helpers.push(helping);
	}

	/** Waits for helpers that took something; others may still wait for a lane themselves. */
	async #endHelp(): Promise<void> {
		const slice = this.#slice;
		this.#slice = null;
		this.#done.abort();
		if (slice !== null)
			await Promise.all(this.#helpers.filter((_, helper) => hasHelped(slice, helper)));
	}

	/** What is no error of the file ends everything. */
	#note(error: unknown): void {
		const isFinal = !(error instanceof WimError) || error instanceof CanceledError;
		if (this.#error === null || isFinal) this.#error = error;
	}

	/** Of all pieces, as they come; those that no lane could tell of are lost. */
	*#results(): Generator<PieceResult, void, undefined> {
		const told = new Uint8Array(this.#batch.length);
		for (const { fine, pieces } of this.#outputs) {
			for (const id of fine) {
				told[id] = 1;
				yield this.#batch.fineResult(id);
			}
			for (const result of pieces) {
				told[result.id] = 1;
				yield result;
			}
		}
		if (this.#error === null) return;
		for (const [id, isTold] of told.entries())
			if (isTold === 0)
				yield this.#batch.failedResult(id, this.#error as WimError, this.#options.recover);
	}
}
