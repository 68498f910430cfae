/**
 * Jobs of one process, in the order they were added: a few at a time, and never two that write one place.
 *
 * They are led from the thread that adds them and have none of their own, other than `design/tui.md` §12 has it: their work
 * is done by the lanes of one pool, within one budget of memory, and pausing, canceling and reporting are plain calls. What
 * that must not cost, turns of the main thread that keys wait for, is bounded by `test/jobs/main-thread.test.ts`.
 */

import path from 'node:path';
import type { ErrorFacts } from '../base/errors.ts';
import type { Clock } from '../base/run.ts';
import { describeRequest, touchedBy } from './describe-request.ts';
import type { Journal } from './journal.ts';
import { PauseGate } from './pause.ts';
import type { Progress } from './progress.ts';
import type { JobRequest } from './request.ts';
import { type JobOutcome, type JobState, type Performer, runJob } from './run-job.ts';

/** Lines a job's log keeps; older ones are counted and dropped. */
const LOG_LINES_MAX = 500;

export interface JobLogLine {
	readonly type: 'problem' | 'warning';
	readonly message: string;
	readonly facts: ErrorFacts;
}

/** A job as views see it: a new object after every change. */
export interface Job {
	/** From 1, in the order added. */
	readonly id: number;
	readonly request: JobRequest;
	/** One line for people. */
	readonly title: string;
	readonly state: 'queued' | 'running' | 'paused' | JobState;
	/** While queued: the job it waits for; null when only for a free place. */
	readonly waitsFor: number | null;
	readonly progress: Progress | null;
	/** The newest lines. */
	readonly log: readonly JobLogLine[];
	readonly droppedLines: number;
	/** Null until it has ended. */
	readonly outcome: JobOutcome | null;
	/** The job that this one runs again. */
	readonly retryOf: number | null;
}

interface Entry {
	job: Job;
	readonly gate: PauseGate;
	readonly abort: AbortController;
	readonly places: Places;
	readonly ended: Promise<Job>;
	readonly end: (job: Job) => void;
}

interface Places {
	readonly reads: readonly string[];
	readonly writes: readonly string[];
}

export interface QueueOptions {
	readonly clock: Clock;
	readonly perform: Performer;
	readonly journal: Journal | null;
	/** Jobs that run side by side. */
	readonly parallel: number;
	/** Called after every change of any job; it must be cheap. */
	readonly onChange: (job: Job) => void;
}

export class JobQueue {
	readonly #options: QueueOptions;
	readonly #entries = new Map<number, Entry>();
	#lastId = 0;

	constructor(options: QueueOptions) {
		this.#options = options;
	}

	/** In the order added. */
	get jobs(): readonly Job[] {
		return [...this.#entries.values()].map(({ job }) => job);
	}

	/** Jobs that have not ended. */
	get unfinished(): readonly Job[] {
		return this.jobs.filter(({ outcome }) => outcome === null);
	}

	job(id: number): Job | null {
		return this.#entries.get(id)?.job ?? null;
	}

	/** Puts a job at the end; it starts at once when it may. */
	add(request: JobRequest, retryOf: number | null = null): Job {
		const id = ++this.#lastId;
		let end: (job: Job) => void = () => {};
		const ended = new Promise<Job>((resolve) => {
			end = resolve;
		});
		const entry: Entry = {
			job: {
				id,
				request,
				title: describeRequest(request),
				state: 'queued',
				waitsFor: null,
				progress: null,
				log: [],
				droppedLines: 0,
				outcome: null,
				retryOf,
			},
			gate: new PauseGate(),
			abort: new AbortController(),
			places: absolutePlaces(request),
			ended,
			end,
		};
		this.#entries.set(id, entry);
		this.#options.onChange(entry.job);
		this.#startWhatMay();
		return entry.job;
	}

	/** Resolves with the job once it has ended. */
	async ended(id: number): Promise<Job | null> {
		return (await this.#entries.get(id)?.ended) ?? null;
	}

	/** Holds a running job at the next chunk, or keeps a queued one from starting. */
	pause(id: number): void {
		const entry = this.#unfinished(id);
		if (entry === null || entry.gate.isPaused) return;
		entry.gate.pause();
		this.#change(entry, { state: 'paused' });
	}

	resume(id: number): void {
		const entry = this.#unfinished(id);
		if (entry === null || !entry.gate.isPaused) return;
		entry.gate.resume();
		this.#change(entry, { state: this.#running.has(id) ? 'running' : 'queued' });
		this.#startWhatMay();
	}

	/** Stops a job, or takes it off the queue. */
	cancel(id: number): void {
		const entry = this.#unfinished(id);
		if (entry === null) return;
		entry.abort.abort();
		entry.gate.resume();
		if (!this.#running.has(id)) this.#start(entry);
	}

	/** Runs an ended job again as a new one; null when it has not ended. */
	retry(id: number): Job | null {
		const job = this.job(id);
		return job === null || job.outcome === null ? null : this.add(job.request, id);
	}

	/** Forgets a job that has ended. */
	remove(id: number): void {
		if (this.job(id)?.outcome != null) this.#entries.delete(id);
	}

	readonly #running = new Set<number>();

	#unfinished(id: number): Entry | null {
		const entry = this.#entries.get(id);
		return entry === undefined || entry.job.outcome !== null ? null : entry;
	}

	#change(entry: Entry, change: Partial<Job>): void {
		entry.job = { ...entry.job, ...change };
		this.#options.onChange(entry.job);
	}

	#startWhatMay(): void {
		const before: Entry[] = [];
		for (const entry of this.#entries.values()) {
			if (entry.job.outcome !== null) continue;
			if (!this.#running.has(entry.job.id)) {
				const blocker = before.find((other) => excludes(other.places, entry.places));
				const waitsFor = blocker?.job.id ?? null;
				const free = this.#running.size < this.#options.parallel;
				if (waitsFor === null && free && !entry.gate.isPaused) this.#start(entry);
				else if (entry.job.waitsFor !== waitsFor) this.#change(entry, { waitsFor });
			}
			before.push(entry);
		}
	}

	#start(entry: Entry): void {
		const { id, request } = entry.job;
		this.#running.add(id);
		this.#change(entry, { state: 'running', waitsFor: null });
		const { clock, journal, perform } = this.#options;
		void runJob(
			request,
			{
				signal: entry.abort.signal,
				clock,
				journal,
				gate: entry.gate,
				onHold: (isPaused) => this.#change(entry, { state: isPaused ? 'paused' : 'running' }),
				onProgress: (progress) => this.#change(entry, { progress }),
				onEvent: (event) => {
					const line: JobLogLine =
						event.type === 'problem'
							? { type: 'problem', message: event.error.message, facts: event.error.facts }
							: {
									type: 'warning',
									message: event.message,
									facts: event.path === undefined ? {} : { path: event.path },
								};
					const { log, droppedLines } = entry.job;
					const surplus = log.length >= LOG_LINES_MAX ? 1 : 0;
					this.#change(entry, {
						log: [...log.slice(surplus), line],
						droppedLines: droppedLines + surplus,
					});
				},
			},
			perform,
		).then((outcome) => {
			this.#running.delete(id);
			this.#change(entry, { state: outcome.state, outcome });
			entry.end(entry.job);
			this.#startWhatMay();
		});
	}
}

function absolutePlaces(request: JobRequest): Places {
	const { reads, writes } = touchedBy(request);
	const absolute = (names: readonly string[]) =>
		names.filter((name) => name !== '-').map((name) => path.resolve(name));
	return { reads: absolute(reads), writes: absolute(writes) };
}

/** Whether the later job must wait for the earlier one: one of them writes what the other touches. */
function excludes(earlier: Places, later: Places): boolean {
	const meets = (names: readonly string[], others: readonly string[]) =>
		names.some((name) =>
			others.some(
				(other) =>
					name === other || name.startsWith(other + path.sep) || other.startsWith(name + path.sep),
			),
		);
	return (
		meets(earlier.writes, later.writes) ||
		meets(earlier.writes, later.reads) ||
		meets(earlier.reads, later.writes)
	);
}
