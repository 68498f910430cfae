import { CanceledError, fromWire, HostError } from '../base/errors.ts';
import { INLINE_WORK_MAX } from '../base/limits.ts';
import { Decoder } from '../codec/decoder.ts';
import { InlineTaskPool } from './inline-pool.ts';
import { type Job, LaneThread } from './lane-thread.ts';
import type { LaneAnswer, Registry, TaskInput, TaskName, TaskOutput } from './task.ts';
import { orderedTasks, type TaskOptions, type TaskPool } from './task-pool.ts';

/** Even where lanes run already, less than this is done sooner than asked for. */
const TRIFLE_MAX = 64 << 10;
/** The largest chunk that the calling thread decodes without blocking it noticeably. */
const INLINE_STEP_MAX = 512 << 10;

/**
 * How long a canceled task that may end anywhere goes on with the step it is in. One of 64 MiB of LZMS takes a minute and more to encode, and
 * whoever cancels waits for it. Counted in turns of a timer, so that a process that was stopped gives its lanes their time.
 */
const CANCEL_TURN_MS = 100;
const CANCEL_TURNS = 5;

export interface ThreadPoolOptions<R extends Registry> {
	readonly laneCount: number;
	/** Bytes that all lanes together may take for large chunks. */
	readonly memorySize: number;
	/** What the lanes can do. */
	readonly registry: R;
	/** The compiled file that calls `serve(registry)`. */
	readonly entry: () => URL;
}

/** Tasks on worker threads, which are started when the first task needs them. */
export class ThreadPool<R extends Registry> implements TaskPool<R> {
	readonly laneCount: number;
	readonly #memorySize: number;
	readonly #entry: () => URL;
	readonly #inline: InlineTaskPool<R>;
	/** By position; null where no thread runs (yet). */
	readonly #lanes: (LaneThread | null)[];
	/** How often the lane at a position may still be started. */
	readonly #starts: number[];
	readonly #cancels = new WeakMap<AbortSignal, Int32Array<SharedArrayBuffer>>();
	#queue: Job[] = [];
	#nextId = 1;
	#lastDeath: HostError | null = null;
	#disposed = false;

	constructor(options: ThreadPoolOptions<R>) {
		this.laneCount = options.laneCount;
		this.#memorySize = options.memorySize;
		this.#entry = options.entry;
		this.#inline = new InlineTaskPool(options.registry);
		this.#lanes = new Array<null>(options.laneCount).fill(null);
		// A lane that dies is replaced once: twice is no accident.
		this.#starts = new Array<number>(options.laneCount).fill(2);
	}

	lanesFor(memorySize: number): number {
		const count = Math.floor(this.#memorySize / Math.max(1, memorySize));
		return Math.max(1, Math.min(count, this.laneCount));
	}

	run<Name extends TaskName<R>>(
		name: Name,
		input: TaskInput<R, Name>,
		options: TaskOptions = {},
	): Promise<TaskOutput<R, Name>> {
		return new Promise<unknown>((resolve, reject) => {
			if (this.#disposed) throw new Error('The pool was used after its end');
			if (options.signal?.aborted) throw new CanceledError();
			this.#queue.push({
				id: this.#nextId++,
				name,
				input,
				weight: options.weight ?? 0,
				laneLimit: Math.max(1, options.laneLimit ?? this.laneCount),
				signal: options.signal ?? null,
				canEndAnywhere: options.canEndAnywhere ?? false,
				cancel: options.signal ? this.#cancelFlag(options.signal) : null,
				transfer: options.transfer ?? [],
				onProgress: options.onProgress ?? null,
				onOffer: options.onOffer ?? null,
				resolve,
				reject,
			});
			this.#pump();
		}) as Promise<TaskOutput<R, Name>>;
	}

	ordered<Name extends TaskName<R>>(
		name: Name,
		inputs: Iterable<TaskInput<R, Name>> | AsyncIterable<TaskInput<R, Name>>,
		options?: TaskOptions,
	): AsyncGenerator<TaskOutput<R, Name>, void, undefined> {
		return orderedTasks(this, name, inputs, options);
	}

	forWork(bytes: number, longestStep: number): TaskPool<R> {
		const started = this.#lanes.some((lane) => lane !== null);
		const max = started ? TRIFLE_MAX : INLINE_WORK_MAX;
		return bytes <= max && longestStep <= INLINE_STEP_MAX ? this.#inline : this;
	}

	expect(bytes: number): void {
		if (this.#disposed) return;
		const count = Math.min(this.laneCount, Math.floor(bytes / INLINE_WORK_MAX));
		for (let k = 0; k < count; k++)
			if (this.#lanes[k] === null && (this.#starts[k] ?? 0) > 0) this.#start(k);
	}

	trim(): void {
		this.#inline.trim();
		for (const lane of this.#lanes) lane?.trim();
	}

	async rest(): Promise<void> {
		const idle = this.#lanes.filter((lane) => lane?.isIdle);
		await Promise.all(idle.map((lane) => (lane == null ? null : this.#endLane(lane))));
		this.#inline.trim();
	}

	/** It did not die by itself: another one may take its place. */
	#endLane(lane: LaneThread): Promise<void> {
		this.#lanes[lane.position] = null;
		this.#starts[lane.position] = (this.#starts[lane.position] ?? 0) + 1;
		return lane.end();
	}

	/** Ends all threads; tasks that are not done are canceled. */
	async [Symbol.asyncDispose](): Promise<void> {
		this.#disposed = true;
		for (const job of this.#queue.splice(0)) job.reject(new CanceledError());
		await Promise.all(this.#lanes.map((lane) => lane?.end()));
		await this.#inline[Symbol.asyncDispose]();
	}

	/** One flag per signal, however many tasks share it. */
	#cancelFlag(signal: AbortSignal): Int32Array<SharedArrayBuffer> {
		const known = this.#cancels.get(signal);
		if (known) return known;
		const flag = new Int32Array(new SharedArrayBuffer(4));
		this.#cancels.set(signal, flag);
		signal.addEventListener(
			'abort',
			() => {
				Atomics.store(flag, 0, 1);
				this.#dropQueued((job) => job.signal === signal, new CanceledError());
				this.#endStuck(signal, CANCEL_TURNS);
			},
			{ once: true },
		);
		return flag;
	}

	/** Ends the lanes that still do nothing but tasks of an aborted signal after so many turns; others take their place. */
	#endStuck(signal: AbortSignal, turns: number): void {
		const stuck = this.#lanes.filter((lane) => lane?.canEndFor(signal));
		if (stuck.length === 0 || this.#disposed) return;
		if (turns > 0) {
			// A lane with a task keeps the process alive; this need not.
			setTimeout(() => this.#endStuck(signal, turns - 1), CANCEL_TURN_MS).unref();
			return;
		}
		for (const lane of stuck) if (lane !== null && lane !== undefined) void this.#endLane(lane);
		this.#pump();
	}

	#dropQueued(which: (job: Job) => boolean, error: Error): void {
		const dropped = this.#queue.filter(which);
		this.#queue = this.#queue.filter((job) => !which(job));
		for (const job of dropped) job.reject(error);
	}

	/** Sends queued tasks, in order, as long as there is room. */
	#pump(): void {
		let sent = 0;
		for (; sent < this.#queue.length; sent++) {
			const job = this.#queue[sent];
			if (job === undefined) break;
			const lane = this.#choose(job);
			if (lane === null) break;
			lane.send(job);
		}
		if (sent > 0) this.#queue.splice(0, sent);
		if (this.#queue.length > 0 && this.#isDead()) {
			const error = this.#lastDeath ?? new HostError('Cannot start a worker thread');
			this.#dropQueued(() => true, error);
		}
	}

	#isDead(): boolean {
		return this.#lanes.every((lane, k) => lane === null && this.#starts[k] === 0);
	}

	/** An idle lane, else a new one, else the one with the least to do; null when none has room. */
	#choose(job: Job): LaneThread | null {
		let best: LaneThread | null = null;
		let unstarted = -1;
		let allowed = job.laneLimit;
		for (let k = 0; k < this.laneCount && allowed > 0; k++) {
			const lane = this.#lanes[k] ?? null;
			if (lane === null) {
				if ((this.#starts[k] ?? 0) === 0) continue;
				if (unstarted < 0) unstarted = k;
			} else if (lane.isIdle) return lane;
			else if (lane.hasRoom(job.weight) && (best === null || lane.load < best.load)) best = lane;
			allowed--;
		}
		return unstarted >= 0 ? this.#start(unstarted) : best;
	}

	#start(position: number): LaneThread {
		this.#starts[position] = (this.#starts[position] ?? 1) - 1;
		const lane = new LaneThread(
			position,
			this.#entry(),
			{ decoders: Decoder.module() },
			{
				onReply: (_, reply, job) => this.#settle(reply, job),
				onDeath: (dead, jobs, error) => this.#bury(dead, jobs, error),
			},
		);
		this.#lanes[position] = lane;
		return lane;
	}

	#settle(reply: LaneAnswer, job: Job): void {
		this.#pump();
		if (reply.type === 'done') job.resolve(reply.output);
		else job.reject(fromWire(reply.error));
	}

	#bury(dead: LaneThread, jobs: readonly Job[], error: HostError): void {
		// Another one may have taken its place.
		if (this.#lanes[dead.position] === dead) this.#lanes[dead.position] = null;
		this.#lastDeath = error;
		for (const job of jobs)
			job.reject(this.#disposed || job.signal?.aborted ? new CanceledError() : error);
		if (!this.#disposed) this.#pump();
	}
}
