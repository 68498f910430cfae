/** One wish of the state and how it is fulfilled; a new wish drops the one before. */

import type { State } from './state/state.ts';

export interface Slot {
	readonly wish: (state: State) => object | null;
	readonly load: (wish: never, signal: AbortSignal) => Promise<void>;
	handled: object | null;
	abort: AbortController | null;
}

export function slot<W extends object>(
	wish: (state: State) => W | null,
	load: (wish: W, signal: AbortSignal) => Promise<void>,
): Slot {
	return { wish, load: load as Slot['load'], handled: null, abort: null };
}

/** Work without a pause, in milliseconds; then keys get through. */
const SLICE_MS = 10;

/** Runs a generator in slices; null: nobody waits for its answer any more. */
export async function inSlices<T>(
	steps: Generator<void, T, undefined>,
	signal: AbortSignal,
): Promise<T | null> {
	let until = performance.now() + SLICE_MS;
	for (;;) {
		const step = steps.next();
		if (step.done) return step.value;
		if (performance.now() < until) continue;
		await new Promise<void>((resolve) => setImmediate(resolve));
		if (signal.aborted) return null;
		until = performance.now() + SLICE_MS;
	}
}
