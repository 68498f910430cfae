/** A loader's state. `request` is a fresh object for every wish; an answer to an older one is dropped. */
export interface Load<R> {
	readonly request: R | null;
	readonly status: 'none' | 'loading' | 'ready' | 'failed';
	/** On the store's clock; a spinner shorter than 150 ms is never shown. */
	readonly sinceMs: number;
	readonly error: string | null;
}

export const NO_LOAD: Load<never> = { request: null, status: 'none', sinceMs: 0, error: null };

/** A wish that has just been made. */
export function loading<R>(request: R, sinceMs: number): Load<R> {
	return { request, status: 'loading', sinceMs, error: null };
}

/** Loading is said only after this long. */
const PATIENCE_MS = 150;

/** Whether a wish has waited so long that it must be told; at once where no clock ticks. */
export function isLate(
	{ status, sinceMs }: Load<unknown>,
	{
		nowMs,
		settings,
	}: { readonly nowMs: number; readonly settings: { readonly animation: boolean } },
): boolean {
	return status === 'loading' && (!settings.animation || nowMs - sinceMs >= PATIENCE_MS);
}
