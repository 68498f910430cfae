/** Runs one request from beginning to end: progress, problems, pause, cancel, journal, exit code. */

import { CanceledError, ExitCode, endingError, exitCodeOf } from '../base/errors.ts';
import type { Clock, ProgressEvent, Run } from '../base/run.ts';
import type { Journal, RunControl, RunLog } from './journal.ts';
import { PauseGate } from './pause.ts';
import { type Progress, ProgressMeter } from './progress.ts';
import type { JobRequest } from './request.ts';

/** Any time will do: what counts is that a timer is there. */
const ALIVE_MS = 60_000;

/** `problems`: it came to its end, but reported items that were damaged, skipped or lost. */
export type JobState = 'done' | 'problems' | 'failed' | 'canceled';

/** How a job ended. */
export interface JobOutcome<Result = unknown> {
	readonly state: JobState;
	/** What the process ends with when this was its only job. */
	readonly exitCode: number;
	/** What the operation returned, plain data by verb; null unless it came to its end. */
	readonly result: Result | null;
	/** Why it did not; null otherwise. */
	readonly error: unknown;
	readonly problems: number;
	readonly warnings: number;
	readonly elapsedMs: number;
}

/** What is worth a line in a log. */
export type NotableEvent = Extract<ProgressEvent, { type: 'problem' | 'warning' }>;

/** Who watches a job, and who may stop it. */
export interface JobHooks {
	/** Aborting it cancels the job. */
	readonly signal: AbortSignal;
	readonly clock: Clock;
	/** At most ten times in any second; a new phase at once where that allows it. */
	readonly onProgress?: (progress: Progress) => void;
	/** Each problem and each warning. */
	readonly onEvent?: (event: NotableEvent) => void;
	/** Lets others hold the job. */
	readonly gate?: PauseGate;
	/** Another process held the job through its record, or let it go on. */
	readonly onHold?: (isPaused: boolean) => void;
	/** Keeps a record that other processes see; null leaves none. The job does not wait for it. */
	readonly journal?: Journal | null | Promise<Journal | null>;
}

/** Opens what a request names, does it, and returns plain data. */
export type Performer<R extends JobRequest = JobRequest, Result = unknown> = (
	request: R,
	run: Run,
) => Promise<Result>;

/**
 * Runs a request. Never rejects: whatever goes wrong stands in the outcome.
 *
 * @param perform does the work; see `performJob`
 */
export async function runJob<R extends JobRequest, Result>(
	request: R,
	hooks: JobHooks,
	perform: Performer<R, Result>,
): Promise<JobOutcome<Result>> {
	const abort = new AbortController();
	const onAbort = () => abort.abort(hooks.signal.reason);
	if (hooks.signal.aborted) onAbort();
	hooks.signal.addEventListener('abort', onAbort, { once: true });
	const gate = hooks.gate ?? new PauseGate();
	const log = new EarlyLog();
	const meter = new ProgressMeter(hooks.clock, (progress) => {
		log.progress(progress);
		hooks.onProgress?.(progress);
	});
	const hold = (paused: boolean) => {
		if (paused === gate.isPaused) return;
		if (paused) gate.pause();
		else gate.resume();
		hooks.onHold?.(paused);
	};
	const control: RunControl = {
		cancel: () => {
			gate.resume();
			abort.abort();
		},
		hold,
		isPaused: () => gate.isPaused,
	};
	const recording = record(hooks, request, control, log);
	const run: Run = {
		signal: abort.signal,
		clock: hooks.clock,
		report: (event) => {
			meter.take(event);
			if (event.type !== 'problem' && event.type !== 'warning') return;
			log.event(event);
			hooks.onEvent?.(event);
		},
		paused: () => {
			const held = gate.waiting();
			if (held === null) return null;
			meter.pause();
			// A paused job has nothing under way; without this the process would end in the middle of it.
			const alive = setInterval(() => {}, ALIVE_MS);
			return held.then(() => {
				clearInterval(alive);
				meter.resume();
			});
		},
	};
	let outcome: JobOutcome<Result>;
	const ended = () => ({
		problems: meter.problems,
		warnings: meter.warnings,
		elapsedMs: meter.snapshot().elapsedMs,
	});
	try {
		run.signal.throwIfAborted();
		const result = await perform(request, run);
		meter.flush();
		const damaged = meter.problems > 0;
		outcome = {
			state: damaged ? 'problems' : 'done',
			exitCode: damaged ? ExitCode.problems : ExitCode.done,
			result,
			error: null,
			...ended(),
		};
	} catch (thrown) {
		const error =
			abort.signal.aborted && !isDefect(thrown) ? new CanceledError() : endingError(thrown);
		outcome = {
			state: error instanceof CanceledError ? 'canceled' : 'failed',
			exitCode: exitCodeOf(error),
			result: null,
			error,
			...ended(),
		};
	} finally {
		hooks.signal.removeEventListener('abort', onAbort);
	}
	const journal = await recording;
	await log.finish(outcome, journal?.isUnseen);
	return outcome;
}

/** What happens until the record is there is added to it then. */
class EarlyLog {
	#log: RunLog | null = null;
	#events: NotableEvent[] = [];
	#progress: Progress | null = null;

	begin(log: RunLog): void {
		this.#log = log;
		for (const event of this.#events) log.event(event);
		if (this.#progress !== null) log.progress(this.#progress);
		this.#events = [];
	}

	event(event: NotableEvent): void {
		if (this.#log === null) this.#events.push(event);
		else this.#log.event(event);
	}

	progress(progress: Progress): void {
		if (this.#log === null) this.#progress = progress;
		else this.#log.progress(progress);
	}

	async finish(outcome: JobOutcome, isUnseen?: boolean): Promise<void> {
		await this.#log?.finish(outcome, isUnseen);
	}
}

/** Begins the record of a job; without one the job is done all the same. */
async function record(
	hooks: JobHooks,
	request: JobRequest,
	control: RunControl,
	into: EarlyLog,
): Promise<Journal | null> {
	try {
		const journal = (await hooks.journal) ?? null;
		const log = await journal?.begin(request, control);
		if (log) into.begin(log);
		return journal;
	} catch {
		return null;
	}
}

/** After an abort anything may fail in its wake and counts as canceled, but a bug must not hide behind it. */
function isDefect(error: unknown): boolean {
	return (
		error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError
	);
}
