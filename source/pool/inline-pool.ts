import { CanceledError } from '../base/errors.ts';
import { Lane } from './lane.ts';
import type { Registry, Task, TaskInput, TaskName, TaskOutput } from './task.ts';
import { orderedTasks, type TaskOptions, type TaskPool } from './task-pool.ts';

/** After this many original bytes, or steps, the event loop gets its turn: some 10 ms with cold code. */
const TURN_BYTES = 1 << 18;
const TURN_STEPS = 8;

/** Runs tasks on the calling thread, one after the other, in slices. The same interface, no threads. */
export class InlineTaskPool<R extends Registry> implements TaskPool<R> {
	readonly laneCount = 1;
	readonly #registry: R;
	readonly #lane = new Lane();
	#last: Promise<unknown> = Promise.resolve();

	constructor(registry: R) {
		this.#registry = registry;
	}

	run<Name extends TaskName<R>>(
		name: Name,
		input: TaskInput<R, Name>,
		options: TaskOptions = {},
	): Promise<TaskOutput<R, Name>> {
		const task = this.#registry[name] as unknown as Task<unknown, TaskOutput<R, Name>>;
		// One at a time: a task keeps what it decodes in the kernel's memory between its steps.
		const output = this.#last.then(() => this.#perform(task, input, options));
		this.#last = output.catch(() => undefined);
		return output;
	}

	async #perform<Output>(
		task: Task<unknown, Output>,
		input: unknown,
		options: TaskOptions,
	): Promise<Output> {
		const { signal } = options;
		if (signal?.aborted) throw new CanceledError();
		const steps = task(input, this.#lane);
		let bytes = 0;
		let count = 0;
		try {
			for (;;) {
				const step = steps.next();
				if (step.done) return step.value;
				bytes += step.value;
				count++;
				if (bytes < TURN_BYTES && count < TURN_STEPS) continue;
				if (bytes > 0) options.onProgress?.(bytes);
				bytes = 0;
				count = 0;
				await new Promise<void>((resolve) => setImmediate(resolve));
				if (!signal?.aborted) continue;
				steps.return(undefined as Output);
				throw new CanceledError();
			}
		} finally {
			this.#lane.takeTransfers();
		}
	}

	ordered<Name extends TaskName<R>>(
		name: Name,
		inputs: Iterable<TaskInput<R, Name>> | AsyncIterable<TaskInput<R, Name>>,
		options?: TaskOptions,
	): AsyncGenerator<TaskOutput<R, Name>, void, undefined> {
		return orderedTasks(this, name, inputs, options);
	}

	lanesFor(): number {
		return 1;
	}

	forWork(): this {
		return this;
	}

	/** Has nothing to start. */
	expect(): void {}

	trim(): void {
		this.#lane.trim();
	}

	async rest(): Promise<void> {
		this.trim();
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.#last;
	}
}
