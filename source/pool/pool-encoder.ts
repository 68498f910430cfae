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
import { endMatchLine, leaveMatchLine, type MatchLine, openMatchLine } from './tasks/match-line.ts';

/** So many bytes are compressed on the calling thread before the first lane is started for the rest. */
const INLINE_BYTES = 256 << 10;
/** What a lane needs for a large chunk, in multiples of it: input, output, and the tables of the match finder. */
const MEMORY_PER_BYTE = 14;
const LARGE_CHUNK = 8 << 20;

/** A large chunk on its lane, and on another one that helps with it. */
class HelpedChunk {
	readonly #pool: Pool;
	readonly #request: EncodeRequest;
	readonly #options: TaskOptions;
	readonly #line: MatchLine;
	/** A helper that has not begun when the chunk is done need not begin any more. */
	readonly #done = new AbortController();
	#helping: Promise<unknown> | null = null;

	constructor(pool: Pool, request: EncodeRequest, options: TaskOptions) {
		this.#pool = pool;
		this.#options = options;
		this.#line = openMatchLine(request.level, request.bytes.length);
		this.#request = { ...request, line: this.#line };
	}

	get isHelped(): boolean {
		return this.#helping !== null;
	}

	/** How many are taken. */
	get lanes(): number {
		return this.isHelped ? 2 : 1;
	}

	get laneLimit(): number {
		return Math.min(this.#options.laneLimit ?? Number.POSITIVE_INFINITY, this.#pool.laneCount);
	}

	async encode(): Promise<EncodeReply> {
		try {
			return await this.#pool.run('encode', this.#request, this.#options);
		} finally {
			endMatchLine(this.#line);
			this.#done.abort();
			await this.#helping;
		}
	}

	help(): void {
		const { transfer: _, ...options } = this.#options;
		const signals = options.signal ? [options.signal, this.#done.signal] : [this.#done.signal];
		// Whatever becomes of the helper, the chunk gets done without it.
		this.#helping = this.#pool
			.run('assist', this.#line, { ...options, signal: AbortSignal.any(signals) })
			.catch(() => leaveMatchLine(this.#line));
	}
}

/** Compresses on the lanes of a pool. */
export class PoolEncoder implements ChunkEncoder {
	readonly #pool: Pool;
	readonly #inline = new InlineEncoder();
	#inlineLeft = INLINE_BYTES;
	/** On their way, in the order of the calls. */
	readonly #chunks = new Set<HelpedChunk>();
	/** Whether no other chunk comes before one of these is done. */
	#isLast = false;

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
		const options = {
			...this.#options(request, bytes.length, signal),
			transfer: bytes.buffer instanceof ArrayBuffer ? [bytes.buffer] : [],
		};
		const canHelp = request.compression === 'lzms' && request.sizes.length === 1;
		if (bytes.length < LARGE_CHUNK || !canHelp) return this.#pool.run('encode', request, options);
		const chunk = new HelpedChunk(this.#pool, request, options);
		this.#chunks.add(chunk);
		this.#isLast = false;
		try {
			return await chunk.encode();
		} finally {
			this.#chunks.delete(chunk);
			this.#help();
		}
	}

	helpOut(): void {
		this.#isLast = true;
		this.#help();
	}

	/** As long as other chunks come, each lane does best with one of its own. */
	#help(): void {
		if (!this.#isLast) return;
		let busy = 0;
		for (const chunk of this.#chunks) busy += chunk.lanes;
		for (const chunk of this.#chunks)
			if (!chunk.isHelped && busy < chunk.laneLimit) {
				chunk.help();
				busy++;
			}
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
