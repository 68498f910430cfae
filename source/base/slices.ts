/** Long work in slices, so that the thread that does it stays alive. */

/** A turn of the event loop, for work that nobody can cancel or pause. */
export const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/**
 * Does what yields after every few ms of work.
 *
 * @param pause awaited at each yield; it may throw to cancel
 */
export async function inSlices<T>(
	steps: Generator<void, T, undefined>,
	pause: () => Promise<void> = nextTurn,
): Promise<T> {
	for (;;) {
		const step = steps.next();
		if (step.done) return step.value;
		await pause();
	}
}

/** Does the same in one go. */
export function atOnce<T>(steps: Generator<void, T, undefined>): T {
	for (;;) {
		const step = steps.next();
		if (step.done) return step.value;
	}
}
