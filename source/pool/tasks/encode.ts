/** Encodes batches of chunks on whatever thread: a pure function of the request. */
import { CanceledError } from '../../base/errors.ts';
import type { Compression } from '../../codec/compression.ts';
import { Lane } from '../lane.ts';
import { type IntakeReply, type IntakeRequest, intakeTask } from './intake.ts';
import { HelperWatch, type MatchLine } from './match-line.ts';

/** Chunks to be compressed, back to back. */
export interface EncodeRequest {
	readonly compression: Compression;
	/** Of the resource; the last chunk of one may be smaller. */
	readonly chunkSize: number;
	/** 1 to 100, see `codec/encoder.ts`. */
	readonly level: number;
	/** The requester gives it away, or shares it and does not touch it until the reply. */
	readonly bytes: Uint8Array;
	/** Original sizes of the chunks. */
	readonly sizes: readonly number[];
	/** Where another lane may come to help with the only chunk. */
	readonly line?: MatchLine;
}

/** The same chunks as they are stored, back to back. A chunk of unchanged size is stored raw. */
export interface EncodeReply {
	readonly bytes: Uint8Array;
	readonly sizes: readonly number[];
}

/** Compresses the chunks of a request one by one. What comes out fits where the request was, and replaces it. */
export function* encodeTask(
	request: EncodeRequest,
	lane: Pick<Lane, 'encoder' | 'transfer'>,
): Generator<number, EncodeReply, void> {
	const { bytes, compression, chunkSize, level, line } = request;
	const watch = line === undefined ? null : new HelperWatch(line, lane.encoder);
	const sizes: number[] = [];
	let from = 0;
	let to = 0;
	for (const size of request.sizes) {
		let storedSize = size;
		if (compression !== 'none') {
			lane.encoder.input(size).set(bytes.subarray(from, from + size));
			const stored = lane.encoder.encode(compression, chunkSize, level, size, (done) =>
				watch?.look(done),
			);
			if (stored !== null) {
				bytes.set(stored, to);
				storedSize = stored.length;
			}
		}
		// `to` never runs ahead of `from`, so raw chunks slide to the front.
		if (storedSize === size && to !== from) bytes.copyWithin(to, from, from + size);
		sizes.push(storedSize);
		from += size;
		to += storedSize;
		yield size;
	}
	if (bytes.buffer instanceof ArrayBuffer) lane.transfer(bytes.buffer);
	return { bytes: bytes.subarray(0, to), sizes };
}

/** Whatever compresses batches: lanes of a pool, or the calling thread. */
export interface ChunkEncoder {
	/** How many requests make progress at the same time. */
	readonly lanes: number;
	/**
	 * The bytes of the request must not be touched any more.
	 *
	 * @throws {CanceledError} once `signal` was aborted
	 */
	encode(request: EncodeRequest, signal?: AbortSignal): Promise<EncodeReply>;
	/** The same for blobs that whoever compresses reads by itself. */
	intake(request: IntakeRequest, signal?: AbortSignal): Promise<IntakeReply>;
	/** Says that about so many bytes will come, where something is to be made ready. */
	expect?(bytes: number): void;
	/** Says that nothing more comes before what was sent is back: who has nothing to do may help with that. */
	helpOut?(): void;
}

/** After so many original bytes the event loop gets its turn. */
const TURN_BYTES = 64 << 10;

/** Compresses on the calling thread, one request after the other, in slices. */
export class InlineEncoder implements ChunkEncoder {
	readonly lanes = 1;
	readonly #lane = new Lane();
	#last: Promise<unknown> = Promise.resolve();

	encode(request: EncodeRequest, signal?: AbortSignal): Promise<EncodeReply> {
		return this.#run(encodeTask(request, this.#lane), signal);
	}

	intake(request: IntakeRequest, signal?: AbortSignal): Promise<IntakeReply> {
		return this.#run(intakeTask(request, this.#lane), signal);
	}

	/** One at a time: a chunk lies in the memory of the kernel between two steps. */
	#run<Reply>(steps: Generator<number, Reply, void>, signal?: AbortSignal): Promise<Reply> {
		const reply = this.#last.then(() => this.#perform(steps, signal));
		this.#last = reply.catch(() => undefined);
		return reply;
	}

	async #perform<Reply>(
		steps: Generator<number, Reply, void>,
		signal: AbortSignal | undefined,
	): Promise<Reply> {
		let bytes = 0;
		try {
			for (;;) {
				if (signal?.aborted) throw new CanceledError();
				const step = steps.next();
				if (step.done) return step.value;
				bytes += step.value;
				if (bytes < TURN_BYTES) continue;
				bytes = 0;
				await new Promise<void>((resolve) => setImmediate(resolve));
			}
		} finally {
			steps.return(undefined as Reply);
			this.#lane.takeTransfers();
		}
	}
}
