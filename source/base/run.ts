import { CanceledError, type WimError } from './errors.ts';

/** Time and random bytes come in from outside, so that the same input gives the same output. */
export interface Clock {
	/** Milliseconds since 1970, for time stamps. */
	now(): number;
	/** Milliseconds of a clock that never goes back, for rates. */
	elapsed(): number;
	/** 16 random bytes. */
	guid(): Uint8Array;
}

/** What a run is busy with; front ends translate. */
export type Phase =
	| 'open'
	| 'scan'
	| 'hash'
	| 'read'
	| 'write'
	| 'create'
	| 'data'
	| 'attributes'
	| 'integrity'
	| 'verify'
	| 'search'
	| 'finish';

/** What an operation tells while it runs. */
export type ProgressEvent =
	| {
			readonly type: 'phase';
			readonly phase: Phase;
			readonly totalBytes: number | null;
	  }
	/** Original bytes, never chunks or percent. */
	| { readonly type: 'advance'; readonly bytes: number }
	| { readonly type: 'item'; readonly path: string }
	/** Something was skipped, lost or damaged; the run goes on and ends with exit code 3. */
	| { readonly type: 'problem'; readonly error: WimError }
	/** Something worth saying that costs nothing; the run still ends with exit code 0. */
	| {
			readonly type: 'warning';
			readonly message: string;
			readonly path?: string;
	  };

/** What every operation is handed by whoever runs it. */
export interface Run {
	/** Once aborted, the operation stops at the next chunk boundary and leaves no half-written file. */
	readonly signal: AbortSignal;
	/** Called often and synchronously: it must be cheap and must not throw. */
	readonly report: (event: ProgressEvent) => void;
	/** Nothing below `jobs/` asks the machine for time or randomness. */
	readonly clock: Clock;
	/** While a job is paused, a promise that ends with the pause; otherwise null. Looked at between chunks. */
	readonly paused?: () => Promise<void> | null;
}

/** Throws `CanceledError` once the run was canceled. */
export function throwIfCanceled(run: Run): void {
	if (run.signal.aborted) throw new CanceledError();
}

/** What long loops await between steps: gives the event loop a turn, waits while paused, ends when canceled. */
export async function breathe(run: Run): Promise<void> {
	throwIfCanceled(run);
	await new Promise<void>((resolve) => setImmediate(resolve));
	const pause = run.paused?.();
	if (pause) await pause;
	throwIfCanceled(run);
}

/**
 * As `breathe`, for loops whose steps wait for a disk: they leave the event loop its turns already, and one more for each step
 * would leave the disk idle meanwhile.
 */
export async function attend(run: Run): Promise<void> {
	throwIfCanceled(run);
	const pause = run.paused?.();
	if (pause) await pause;
	throwIfCanceled(run);
}

/** Longest stretch of synchronous work on the main thread, in ms, where its steps are short. */
const STRETCH_MS = 8;

/** Gives the event loop its turn whenever a loop of short steps has gone on for some ms. */
export class Pace {
	readonly #run: Run;
	readonly #stretchMs: number;
	#startMs: number;

	constructor(run: Run, stretchMs = STRETCH_MS) {
		this.#run = run;
		this.#stretchMs = stretchMs;
		this.#startMs = run.clock.elapsed();
	}

	get isDue(): boolean {
		return this.#run.clock.elapsed() - this.#startMs >= this.#stretchMs;
	}

	/** To be awaited when it is due: most steps need not wait for anything. */
	async breathe(): Promise<void> {
		await breathe(this.#run);
		this.#startMs = this.#run.clock.elapsed();
	}
}
