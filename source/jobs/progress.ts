/** Events of an operation, gathered to what people look at: at most ten times a second, with rate and estimate. */

import type { Clock, Phase, ProgressEvent } from '../base/run.ts';

/** How far a job is. Times are in milliseconds. */
export interface Progress {
	readonly phase: Phase | null;
	/** Original bytes done in this phase. */
	readonly doneBytes: number;
	/** Original bytes of this phase; null when not known. */
	readonly totalBytes: number | null;
	/** Of the last few seconds; null while there is nothing to tell it by. */
	readonly bytesPerSecond: number | null;
	/** Estimate for the rest of this phase. */
	readonly remainingMs: number | null;
	/** Since the start of the job, pauses left out. */
	readonly elapsedMs: number;
	/** The path the job is at. */
	readonly item: string | null;
	readonly problems: number;
	readonly warnings: number;
}

/** Reports to a person in any second. */
const REPORTS_MAX = 10;
/** Least time between two reports of one phase: eight a second, so that a new phase need not wait. */
const REPORT_GAP_MS = 125;

/** The rate is that of this long a stretch, so that it neither jumps nor lags. */
const RATE_WINDOW_MS = 5000;
const RATE_STEP_MS = 250;
/** Below this there is nothing to tell a rate by. */
const RATE_MIN_MS = 200;

interface Sample {
	readonly atMs: number;
	readonly bytes: number;
}

export class ProgressMeter {
	readonly #clock: Clock;
	readonly #show: (progress: Progress) => void;
	readonly #startMs: number;
	/** When the last reports were shown, `REPORTS_MAX` of them. */
	#shownMs: number[] = [];
	#isNewPhase = false;
	#stale = false;
	#phase: Phase | null = null;
	#doneBytes = 0;
	#totalBytes: number | null = null;
	#samples: Sample[] = [];
	#item: string | null = null;
	#problems = 0;
	#warnings = 0;
	#pausedMs = 0;
	#pausedSinceMs: number | null = null;

	/** @param show called at most `REPORTS_MAX` times a second, at once for a new phase where that many are not exceeded */
	constructor(clock: Clock, show: (progress: Progress) => void) {
		this.#clock = clock;
		this.#show = show;
		this.#startMs = clock.elapsed();
	}

	get problems(): number {
		return this.#problems;
	}

	get warnings(): number {
		return this.#warnings;
	}

	/** Takes an event; cheap, since operations call it often. */
	take(event: ProgressEvent): void {
		switch (event.type) {
			case 'advance':
				this.#doneBytes += event.bytes;
				break;
			case 'item':
				this.#item = event.path;
				break;
			case 'phase':
				this.#phase = event.phase;
				this.#totalBytes = event.totalBytes;
				this.#doneBytes = 0;
				this.#samples = [];
				this.#isNewPhase = true;
				break;
			case 'problem':
				this.#problems++;
				break;
			case 'warning':
				this.#warnings++;
				break;
		}
		this.#stale = true;
		this.#offer();
	}

	pause(): void {
		this.#pausedSinceMs ??= this.#clock.elapsed();
	}

	resume(): void {
		if (this.#pausedSinceMs === null) return;
		this.#pausedMs += this.#clock.elapsed() - this.#pausedSinceMs;
		this.#pausedSinceMs = null;
		this.#samples = [];
	}

	/** Shows what has not been shown yet. */
	flush(): void {
		if (this.#stale) this.#report(this.#clock.elapsed());
	}

	/** How far the job is now. */
	snapshot(): Progress {
		const bytesPerSecond = this.#rate();
		// A search that goes over bytes again outruns what it named: from there on nobody knows how much is left.
		const isOutrun = this.#totalBytes !== null && this.#doneBytes > this.#totalBytes;
		const totalBytes = isOutrun ? null : this.#totalBytes;
		const left = totalBytes === null ? null : totalBytes - this.#doneBytes;
		return {
			phase: this.#phase,
			doneBytes: this.#doneBytes,
			totalBytes,
			bytesPerSecond,
			remainingMs:
				left === null || bytesPerSecond === null || bytesPerSecond <= 0
					? null
					: (left / bytesPerSecond) * 1000,
			elapsedMs: this.#activeMs(),
			item: this.#item,
			problems: this.#problems,
			warnings: this.#warnings,
		};
	}

	/** Milliseconds since the start, pauses left out. */
	#activeMs(): number {
		const now = this.#pausedSinceMs ?? this.#clock.elapsed();
		return now - this.#startMs - this.#pausedMs;
	}

	#rate(): number | null {
		const first = this.#samples[0];
		if (first === undefined) return null;
		const spanMs = this.#activeMs() - first.atMs;
		return spanMs < RATE_MIN_MS ? null : ((this.#doneBytes - first.bytes) / spanMs) * 1000;
	}

	#offer(): void {
		const now = this.#clock.elapsed();
		const last = this.#shownMs.at(-1);
		if (last !== undefined && !this.#isNewPhase && now - last < REPORT_GAP_MS) return;
		const tenth = this.#shownMs.at(-REPORTS_MAX);
		if (tenth === undefined || now - tenth >= 1000) this.#report(now);
	}

	#report(now: number): void {
		const activeMs = this.#activeMs();
		const last = this.#samples.at(-1);
		if (last === undefined || activeMs - last.atMs >= RATE_STEP_MS)
			this.#samples.push({ atMs: activeMs, bytes: this.#doneBytes });
		while (this.#samples.length > 2 && activeMs - this.#samples[1]!.atMs >= RATE_WINDOW_MS)
			this.#samples.shift();
		this.#shownMs.push(now);
		if (this.#shownMs.length > REPORTS_MAX) this.#shownMs.shift();
		this.#isNewPhase = false;
		this.#stale = false;
		this.#show(this.snapshot());
	}
}
