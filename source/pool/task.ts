import type { WireError } from '../base/errors.ts';
import type { Lane } from './lane.ts';

/**
 * Work that runs on one thread without waiting for anything: a generator, which yields the original bytes it worked
 * through after every step of a few milliseconds. Between two steps it can be stopped (its `finally` then cleans up),
 * and on the main thread the event loop gets its turn.
 */
export type Task<Input, Output> = (input: Input, lane: Lane) => Generator<number, Output, void>;

/** The tasks that a pool knows, by name. Inputs and outputs are plain data, since they cross threads. */
export type Registry = Readonly<Record<string, Task<never, unknown>>>;

export type TaskName<R extends Registry> = keyof R & string;

export type TaskInput<R extends Registry, Name extends keyof R> =
	R[Name] extends Task<infer Input, unknown> ? Input : never;

export type TaskOutput<R extends Registry, Name extends keyof R> =
	R[Name] extends Task<never, infer Output> ? Output : never;

/** From the pool to a lane. */
export type LaneRequest =
	| {
			readonly type: 'task';
			readonly id: number;
			readonly name: string;
			readonly input: unknown;
			/** One number, not zero once the task shall stop; null when nobody can cancel it. */
			readonly cancel: Int32Array<SharedArrayBuffer> | null;
			readonly hearsOffers: boolean;
	  }
	| { readonly type: 'trim' };

/** From a lane to the pool. */
export type LaneReply =
	/** Said once, when the thread has started. */
	| { readonly type: 'ready' }
	| { readonly type: 'done'; readonly id: number; readonly output: unknown }
	| { readonly type: 'failed'; readonly id: number; readonly error: WireError }
	| { readonly type: 'progress'; readonly id: number; readonly bytes: number }
	/** Something that other lanes could help with. */
	| { readonly type: 'offer'; readonly id: number; readonly what: unknown };

/** The last word on a task. */
export type LaneAnswer = Extract<LaneReply, { type: 'done' | 'failed' }>;

/** What is handed to a lane when its thread starts. */
export interface LaneData {
	readonly decoders: WebAssembly.Module;
}
