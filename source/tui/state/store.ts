/** The state of the deck, outside React. Keys are shown at once, jobs at the store's own pace. */

export interface Store<S> {
	get(): S;
	/** Calls `listener` after changes; returns what ends that. */
	subscribe(listener: () => void): () => void;
	/** A change that a key caused: listeners hear of it now. */
	input(change: (state: S) => S): void;
	/** A change that a job or a loader caused: listeners hear of it with the next tick. */
	event(change: (state: S) => S): void;
}

/** @param lazyMs the pace of `event`, asked anew for every tick */
export function createStore<S>(initial: S, lazyMs: () => number): Store<S> {
	let state = initial;
	const listeners = new Set<() => void>();
	let timer: NodeJS.Timeout | undefined;
	const notify = (): void => {
		clearTimeout(timer);
		timer = undefined;
		for (const listener of listeners) listener();
	};
	return {
		get: () => state,
		subscribe(listener) {
			listeners.add(listener);
			return () => void listeners.delete(listener);
		},
		input(change) {
			const before = state;
			state = change(state);
			if (state !== before) notify();
		},
		event(change) {
			const before = state;
			state = change(state);
			if (state !== before) timer ??= setTimeout(notify, lazyMs());
		},
	};
}
