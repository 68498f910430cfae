import type { Registry, TaskInput, TaskName, TaskOutput } from './task.ts';

/** How one task is to be run. */
export interface TaskOptions {
	/** Once aborted, the task is dropped before its next step and ends with `CanceledError`. */
	readonly signal?: AbortSignal;
	/** Nothing stays behind when its thread is ended within a step: whoever cancels need not wait for a long one. */
	readonly canEndAnywhere?: boolean;
	/** About how many original bytes it works through; heavy tasks do not queue behind one another on a lane. */
	readonly weight?: number;
	/** Only the first so many lanes take it, because each needs much memory for it: see `lanesFor`. */
	readonly laneLimit?: number;
	/** Told about every few MiB; what comes after the last call is not reported. */
	readonly onProgress?: (bytes: number) => void;
	/** Told what other lanes could help with while the task runs; never without threads. */
	readonly onOffer?: (what: unknown) => void;
	/** For `ordered`: how many inputs are under way at once; two a lane if not given. */
	readonly inFlight?: number;
	/** Buffers of the input that are handed over instead of copied. */
	readonly transfer?: readonly ArrayBuffer[];
}

/** Runs tasks on lanes. One per process; made by whoever starts operations, handed to all of them. */
export interface TaskPool<R extends Registry> extends AsyncDisposable {
	/** How many tasks run at the same time. */
	readonly laneCount: number;

	/** How many lanes may hold this much memory each, in bytes; at least one. */
	lanesFor(memorySize: number): number;

	/**
	 * Runs one task. Tasks start in the order of the calls; a caller that has many waits before it sends more than
	 * two a lane.
	 *
	 * @throws {CanceledError} when `signal` was aborted; the task has then stopped for good
	 * @throws {HostError} when its lane died
	 * @throws whatever the task threw
	 */
	run<Name extends TaskName<R>>(
		name: Name,
		input: TaskInput<R, Name>,
		options?: TaskOptions,
	): Promise<TaskOutput<R, Name>>;

	/** As `ordered`, but bound to this pool. */
	ordered<Name extends TaskName<R>>(
		name: Name,
		inputs: Iterable<TaskInput<R, Name>> | AsyncIterable<TaskInput<R, Name>>,
		options?: TaskOptions,
	): AsyncGenerator<TaskOutput<R, Name>, void, undefined>;

	/**
	 * The pool to use for work of this size: itself, or one without threads when the work is done before a thread
	 * would have started.
	 *
	 * @param bytes original bytes of all tasks together
	 * @param longestStep original bytes of the largest chunk, which nothing can interrupt
	 */
	forWork(bytes: number, longestStep: number): TaskPool<R>;

	/**
	 * Says that work of about this size is coming, so that threads start while the caller still finds out what there is
	 * to do. They take 50 ms to be ready.
	 *
	 * @param bytes stored or original, whatever is known
	 */
	expect(bytes: number): void;

	/** Gives back memory that is only worth keeping while there is work. */
	trim(): void;

	/** Ends the threads that have nothing to do, with all their memory; others start with the next work. */
	rest(): Promise<void>;
}

/**
 * Runs one task per input and yields the outputs in the order of the inputs, however the lanes overtake each other.
 * At most `inFlight` inputs are under way or finished and not yet taken, so memory is bounded by the size of those;
 * the next input is asked for only when there is room. Whoever stops early stops the tasks too, and waits for them.
 */
export async function* orderedTasks<R extends Registry, Name extends TaskName<R>>(
	pool: TaskPool<R>,
	name: Name,
	inputs: Iterable<TaskInput<R, Name>> | AsyncIterable<TaskInput<R, Name>>,
	options: TaskOptions = {},
): AsyncGenerator<TaskOutput<R, Name>, void, undefined> {
	const room = Math.max(1, options.inFlight ?? pool.laneCount * 2);
	const stop = new AbortController();
	const signal = options.signal ? AbortSignal.any([options.signal, stop.signal]) : stop.signal;
	const sent: Promise<TaskOutput<R, Name>>[] = [];
	const taken = new Wakeup();
	const arrived = new Wakeup();
	let ended = false;
	let failure: { error: unknown } | null = null;
	let unsettled = 0;

	const feed = async () => {
		try {
			for await (const input of inputs) {
				if (stop.signal.aborted) return;
				unsettled++;
				const output = pool.run(name, input, { ...options, signal });
				output.then(
					() => unsettled--,
					() => unsettled--,
				);
				sent.push(output);
				arrived.signal();
				while (sent.length >= room && !stop.signal.aborted) await taken.wait();
				if (stop.signal.aborted) return;
			}
		} catch (error) {
			failure = { error };
		} finally {
			ended = true;
			arrived.signal();
		}
	};
	const feeding = feed();
	try {
		for (;;) {
			while (sent.length === 0 && !ended) await arrived.wait();
			const [next] = sent;
			if (next === undefined) break;
			yield await next;
			sent.shift();
			taken.signal();
		}
		if (failure !== null) throw (failure as { error: unknown }).error;
	} finally {
		if (!ended || unsettled > 0) stop.abort();
		taken.signal();
		await Promise.allSettled([...sent, feeding]);
	}
}

/** Lets one side of a loop wait until the other has done something. A signal before the wait is not lost. */
export class Wakeup {
	#signaled = false;
	#wake: (() => void) | null = null;

	signal(): void {
		this.#signaled = true;
		this.#wake?.();
	}

	async wait(): Promise<void> {
		if (!this.#signaled)
			await new Promise<void>((resolve) => {
				this.#wake = resolve;
			});
		this.#wake = null;
		this.#signaled = false;
	}
}
