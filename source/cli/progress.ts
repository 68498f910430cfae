/** Progress of a job on standard error: a line redrawn on a terminal, or lines for programs. */

import type { WimError } from '../base/errors.ts';
import { formatDuration, formatSize, plural, printable } from '../base/print.ts';
import type { Phase } from '../base/run.ts';
import type { Progress } from '../jobs/progress.ts';
import type { NotableEvent } from '../jobs/run-job.ts';
import { errorJson, problemText, warningText } from './print-error.ts';

export type ProgressStyle = 'line' | 'plain' | 'json' | 'none';

export interface ProgressTarget {
	readonly write: (text: string) => void;
	/** Columns of the terminal; looked at before each line. */
	readonly columns: () => number;
}

/**
 * How progress is shown: what was asked for, else a line on a terminal that can redraw it, else nothing.
 *
 * @param isTerminal whether standard error is a terminal; not asked where it does not matter
 */
export function progressStyle(
	asked: string | null,
	quiet: boolean,
	isTerminal: () => boolean,
	term: string | undefined,
): ProgressStyle {
	if (quiet) return 'none';
	if (asked === 'plain' || asked === 'json' || asked === 'none') return asked;
	return term !== 'dumb' && isTerminal() ? 'line' : 'none';
}

const PHASES: Readonly<Record<Phase, string>> = {
	open: 'opening',
	scan: 'looking at files',
	hash: 'hashing',
	read: 'reading',
	write: 'writing',
	create: 'making files',
	data: 'writing data',
	attributes: 'setting times and attributes',
	integrity: 'checking integrity',
	verify: 'checking',
	search: 'searching',
	finish: 'finishing',
};

/** Cuts from the left, so that a path keeps its name. */
function tail(text: string, width: number): string {
	if (width < 4) return '';
	const chars = [...text];
	return chars.length <= width ? text : `...${chars.slice(chars.length - width + 3).join('')}`;
}

/** `checking 41% 1.9 G of 4.8 G 118 M/s 0:12 left`, without the path. */
export function progressText(progress: Progress): string {
	const { phase, doneBytes, totalBytes, bytesPerSecond, remainingMs } = progress;
	const parts = [phase === null ? 'starting' : PHASES[phase]];
	if (totalBytes !== null && totalBytes > 0) {
		const percent = Math.min(100, Math.floor((doneBytes / totalBytes) * 100));
		parts.push(`${percent}%`, `${formatSize(doneBytes)} of ${formatSize(totalBytes)}`);
	} else if (doneBytes > 0) parts.push(formatSize(doneBytes));
	if (bytesPerSecond !== null && doneBytes > 0)
		parts.push(`${formatSize(Math.round(bytesPerSecond))}/s`);
	if (remainingMs !== null && totalBytes !== null && doneBytes < totalBytes)
		parts.push(`${formatDuration(remainingMs)} left`);
	if (progress.problems > 0) parts.push(`${progress.problems} damaged`);
	return parts.join('  ');
}

const rounded = (value: number | null) => (value === null ? null : Math.round(value));

/** The JSON line of `--progress=json`; keys are only ever added. */
export function progressJson(verb: string, progress: Progress): string {
	return JSON.stringify({
		type: 'progress',
		verb,
		phase: progress.phase,
		bytes: progress.doneBytes,
		totalBytes: progress.totalBytes,
		bytesPerSecond: rounded(progress.bytesPerSecond),
		remainingMs: rounded(progress.remainingMs),
		elapsedMs: Math.round(progress.elapsedMs),
		path: progress.item,
		problems: progress.problems,
		warnings: progress.warnings,
	});
}

/** Different hints that one run says: more would drown the problems. */
const ADVICE_MAX = 5;

/** Contents that are in none of the given files: this many are named. A delta without its base lacks nearly all. */
const MISSING_MAX = 12;

export class ProgressPrinter {
	readonly #target: ProgressTarget;
	readonly #style: ProgressStyle;
	readonly #verb: string;
	readonly #quiet: boolean;
	#shown = false;
	#latest: Progress | null = null;
	#missing = 0;
	/** Hints that were said. */
	readonly #advice = new Set<string>();

	constructor(
		target: ProgressTarget,
		how: { readonly style: ProgressStyle; readonly verb: string; readonly quiet: boolean },
	) {
		this.#target = target;
		this.#style = how.style;
		this.#verb = how.verb;
		this.#quiet = how.quiet;
	}

	/** Called at most ten times a second (`jobs/` sees to it). */
	show(progress: Progress): void {
		this.#latest = progress;
		switch (this.#style) {
			case 'none':
				return;
			case 'json':
				this.#target.write(`${progressJson(this.#verb, progress)}\n`);
				return;
			case 'plain':
				this.#target.write(`${this.#verb}: ${progressText(progress)}\n`);
				return;
			case 'line':
				this.#draw(progress);
		}
	}

	/** A problem or a note stands above the progress line. */
	event(event: NotableEvent): void {
		if (this.#style === 'json') {
			const facts =
				event.type === 'problem'
					? errorJson(event.error)
					: { message: event.message, path: event.path ?? null };
			this.#target.write(`${JSON.stringify({ type: event.type, verb: this.#verb, ...facts })}\n`);
			return;
		}
		if (event.type === 'warning' && this.#quiet) return;
		if (event.type === 'problem' && event.error.code === 'missing-data')
			if (++this.#missing > MISSING_MAX) return;
		this.#erase();
		this.#target.write(
			event.type === 'problem'
				? `${problemText(event.error)}${this.#adviceOn(event.error)}`
				: warningText(event.message, event.path),
		);
		if (this.#style === 'line' && this.#latest !== null) this.#draw(this.#latest);
	}

	/** What to do about a problem, said with the first one it helps against. */
	#adviceOn({ facts: { hint } }: WimError): string {
		if (hint === undefined || this.#quiet || this.#advice.has(hint)) return '';
		// Hints may name paths: a run over many items keeps only so many of them.
		if (this.#advice.size >= ADVICE_MAX) return '';
		this.#advice.add(hint);
		return `  ${printable(hint)}\n`;
	}

	/** Takes the progress line away, and says how many problems were not named. */
	end(): void {
		this.#erase();
		const more = this.#missing - MISSING_MAX;
		if (more > 0 && this.#style !== 'json')
			this.#target.write(
				`wimdeck: and ${plural(more, 'more problem')} like these: what they need is not there; --progress=json names them all\n`,
			);
		this.#missing = 0;
		this.#latest = null;
	}

	#draw(progress: Progress): void {
		// The last column stays free: some consoles scroll when it is written.
		const width = Math.max(20, this.#target.columns()) - 1;
		const text = `${this.#verb}: ${progressText(progress)}`;
		const path =
			progress.item === null ? '' : tail(printable(progress.item), width - text.length - 2);
		const line = path === '' ? text : `${text}  ${path}`;
		this.#target.write(`\r${line.slice(0, width)}\u001b[K`);
		this.#shown = true;
	}

	#erase(): void {
		if (this.#shown) this.#target.write('\r\u001b[K');
		this.#shown = false;
	}
}
