import { Worker } from 'node:worker_threads';
import { HostError } from '../base/errors.ts';
import type { LaneAnswer, LaneData, LaneReply, LaneRequest } from './task.ts';

/** A task on its way: queued, or in flight on a lane. */
export interface Job {
	readonly id: number;
	readonly name: string;
	readonly input: unknown;
	readonly weight: number;
	readonly laneLimit: number;
	readonly signal: AbortSignal | null;
	readonly canEndAnywhere: boolean;
	readonly cancel: Int32Array<SharedArrayBuffer> | null;
	readonly transfer: readonly ArrayBuffer[];
	readonly onProgress: ((bytes: number) => void) | null;
	readonly onOffer: ((what: unknown) => void) | null;
	readonly resolve: (output: unknown) => void;
	readonly reject: (error: unknown) => void;
}

/** Two tasks a lane: one that runs, and the next one, so that the lane never waits for the main thread. */
const IN_FLIGHT_MAX = 2;
/** But no second one behind so much work that another lane would be done with it earlier. */
const IN_FLIGHT_WEIGHT_MAX = 16 << 20;

/** A lane makes little garbage, and its data lie outside the heap; 48 MB a lane, the default, are only filled. */
const YOUNG_GENERATION_MB = 4;

/** What a lane tells the pool. */
export interface LaneListener {
	/** A task ended; there is room for another one. */
	onReply(lane: LaneThread, reply: LaneAnswer, job: Job): void;
	/** The thread is gone, and these tasks with it. */
	onDeath(lane: LaneThread, jobs: readonly Job[], error: HostError): void;
}

/** One worker thread and the tasks it was sent. It keeps the process alive only while it has some. */
export class LaneThread {
	/** From 0. */
	readonly position: number;
	readonly #worker: Worker;
	readonly #listener: LaneListener;
	readonly #jobs = new Map<number, Job>();
	#weight = 0;
	#reason: unknown = null;
	#ended = false;

	constructor(position: number, entry: URL, data: LaneData, listener: LaneListener) {
		this.position = position;
		this.#listener = listener;
		this.#worker = new Worker(entry, {
			workerData: data,
			resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
			name: `wimdeck lane ${position + 1}`,
			// Others of Node's own options are meant for the main thread, and some are refused by workers.
			execArgv: process.execArgv.filter((option) => option === '--enable-source-maps'),
		});
		this.#worker.unref();
		this.#worker.on('message', (reply: LaneReply) => this.#receive(reply));
		this.#worker.on('error', (error) => {
			this.#reason = error;
		});
		this.#worker.on('messageerror', (error) => {
			this.#reason = error;
			void this.#worker.terminate();
		});
		this.#worker.on('exit', (code) => this.#die(code));
	}

	/** Original bytes of the tasks it has. */
	get load(): number {
		return this.#weight;
	}

	get isIdle(): boolean {
		return this.#jobs.size === 0;
	}

	/** Whether it has tasks, and all of them belong to this signal and may end anywhere. */
	canEndFor(signal: AbortSignal): boolean {
		const jobs = [...this.#jobs.values()];
		return !this.isIdle && jobs.every((job) => job.signal === signal && job.canEndAnywhere);
	}

	hasRoom(weight: number): boolean {
		if (this.isIdle) return true;
		return this.#jobs.size < IN_FLIGHT_MAX && this.#weight + weight <= IN_FLIGHT_WEIGHT_MAX;
	}

	send(job: Job): void {
		const { id, name, input, cancel } = job;
		const hearsOffers = job.onOffer !== null;
		const request: LaneRequest = { type: 'task', id, name, input, cancel, hearsOffers };
		try {
			this.#worker.postMessage(request, [...job.transfer]);
		} catch (error) {
			job.reject(error);
			return;
		}
		if (this.isIdle) this.#worker.ref();
		this.#jobs.set(id, job);
		this.#weight += job.weight;
	}

	trim(): void {
		this.#worker.postMessage({ type: 'trim' } satisfies LaneRequest);
	}

	/** Ends the thread; what it still has is rejected through `onDeath`. */
	async end(): Promise<void> {
		await this.#worker.terminate();
	}

	#receive(reply: LaneReply): void {
		if (reply.type === 'ready') return;
		const job = this.#jobs.get(reply.id);
		if (job === undefined) return;
		if (reply.type === 'progress') {
			job.onProgress?.(reply.bytes);
			return;
		}
		if (reply.type === 'offer') {
			job.onOffer?.(reply.what);
			return;
		}
		this.#jobs.delete(reply.id);
		this.#weight -= job.weight;
		if (this.isIdle) this.#worker.unref();
		this.#listener.onReply(this, reply, job);
	}

	#die(code: number): void {
		if (this.#ended) return;
		this.#ended = true;
		const jobs = [...this.#jobs.values()];
		this.#jobs.clear();
		this.#weight = 0;
		const why = this.#reason instanceof Error ? this.#reason.message : `exit code ${code}`;
		const error = new HostError(
			`Cannot finish a batch: worker thread ${this.position + 1} ended (${why})`,
			{ hint: 'Run it again, with --threads=1 if it happens once more.' },
			this.#reason ?? undefined,
		);
		this.#listener.onDeath(this, jobs, error);
	}
}
