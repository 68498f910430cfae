/** The Jobs pane. */

import { formatDuration, formatSize, plural } from '../../base/print.ts';
import type { JobView } from '../engine.ts';
import { gauge, percent } from '../parts/gauge.ts';
import {
	cut,
	fit,
	fitRight,
	joined,
	NOTHING,
	type Shown,
	safe,
	shown,
	widthOf,
} from '../parts/text.ts';
import type { Theme } from '../parts/theme.ts';
import { reasonOf } from '../state/jobs.ts';
import { moveTo } from '../state/list.ts';
import { focusOf, jobUnderCursor, orderedJobs, writesSomething } from '../state/selectors.ts';
import type { State } from '../state/state.ts';
import { listBody } from './pane.ts';

/** Without a word from a job for this long, its speed and time left are no longer told. */
export const SILENCE_MS = 5000;
/** A time left is told after this much work. */
export const ETA_AFTER_MS = 3000;

const COUNTED: readonly [JobView['state'], string][] = [
	['running', 'running'],
	['paused', 'paused'],
	['queued', 'queued'],
	['done', 'done'],
	['interrupted', 'interrupted'],
	['failed', 'failed'],
	['canceled', 'canceled'],
];

/** `2 running, 1 done`. */
export function jobCounts(state: State): Shown {
	const { jobs } = state.jobs;
	const parts: Shown[] = [];
	for (const [name, word] of COUNTED) {
		const count = jobs.filter((job) => job.state === name).length;
		if (count > 0) parts.push(shown`${count} ${word as Shown}`);
	}
	return joined(parts, ', ' as Shown);
}

export function shareOf(job: JobView): number | null {
	if (job.totalBytes === null) return null;
	return job.totalBytes === 0 ? 1 : job.doneBytes / job.totalBytes;
}

/** @param isShort there is room for one of speed and time left */
function paceOf(state: State, job: JobView, isWide: boolean, isShort: boolean): Shown {
	if (job.state === 'paused') return 'paused' as Shown;
	const silent = state.nowMs - job.lastEventMs;
	if (silent >= SILENCE_MS) return shown`no progress for ${Math.floor(silent / 1000)} s`;
	const rate =
		job.rate === null || job.rate <= 0 ? NOTHING : shown`${safe(formatSize(job.rate))}B/s`;
	const hasEta = job.etaMs !== null && state.nowMs - job.startedMs >= ETA_AFTER_MS;
	const eta = hasEta ? safe(formatDuration(job.etaMs ?? 0)) : NOTHING;
	if (isShort) return hasEta ? eta : rate;
	return isWide
		? shown`${fitRight(rate, 10)}  ${hasEta ? shown`ETA ${fitRight(eta, 6)}` : NOTHING}`
		: shown`${fitRight(rate, 9)} ${fitRight(eta, 7)}`;
}

/** What a finished job has to tell beside its summary. */
function notesOf(job: JobView): Shown {
	const bad = job.problemCount > 0 && job.summary === null;
	const problems = bad ? shown`, ${job.problemCount} damaged or skipped` : NOTHING;
	const warnings =
		job.warningCount > 0 ? shown`, ${safe(plural(job.warningCount, 'note'))}` : NOTHING;
	return shown`${problems}${warnings}`;
}

/** The key for more, where it fits whole. */
function withLogKey(job: JobView, text: Shown, room: number): Shown {
	if (job.problemCount + job.warningCount === 0) return text;
	const more = shown`${text}   Enter log`;
	return widthOf(more) <= room ? more : text;
}

/** Keys of a job that failed, the longer where they leave room for the reason. */
const FAILED_KEYS: readonly Shown[] = [
	'   Enter log  r retry' as Shown,
	'  Enter log' as Shown,
	NOTHING,
];
/** Columns of a reason that say something. */
const REASON_MIN = 24;

/** A reason with the most of its keys that leave room for it; keys are shown whole, or not at all. */
function withKeys(reason: Shown, choices: readonly Shown[], room: number): Shown {
	const least = Math.min(widthOf(reason), REASON_MIN);
	const keys = choices.find((text) => room - widthOf(text) >= least) ?? NOTHING;
	return shown`${cut(reason, room - widthOf(keys))}${keys}`;
}

function failedText(theme: Theme, job: JobView, room: number, mayRetry: boolean): Shown {
	const reason = shown`FAILED ${job.summary === null ? NOTHING : theme.exact(reasonOf(job))}`;
	return withKeys(reason, mayRetry ? FAILED_KEYS : FAILED_KEYS.slice(1), room);
}

/** What can be done with a job that was killed; a deck that writes nothing offers none of it. */
function interruptedKeys(job: JobView, mayWrite: boolean): readonly Shown[] {
	const mayRetry = mayWrite && job.whyOnce === null;
	if (!mayWrite || job.leftovers.length === 0)
		return [mayRetry ? shown`   r again` : shown`   Enter log`];
	return mayRetry ? [shown`   c clean  r again`, shown`   c clean`] : [shown`   c clean`];
}

function endOf(state: State, theme: Theme, job: JobView, room: number): Shown {
	const mayWrite = !state.settings.readonly || !writesSomething(job);
	const took =
		job.endedMs === null
			? NOTHING
			: shown` in ${safe(formatDuration(job.endedMs - job.startedMs))}`;
	const summary = job.summary === null ? NOTHING : shown`, ${theme.exact(job.summary)}`;
	switch (job.state) {
		case 'queued':
			return job.waitsFor === null
				? ('queued' as Shown)
				: shown`queued (waits for job ${job.waitsFor})`;
		case 'done':
			return withLogKey(job, shown`done${took}${summary}${notesOf(job)}`, room);
		case 'failed':
			return failedText(theme, job, room, mayWrite && job.whyOnce === null);
		case 'interrupted':
			return withKeys(shown`INTERRUPTED${summary}`, interruptedKeys(job, mayWrite), room);
		case 'canceled':
			return shown`canceled${took}`;
		default:
			return NOTHING;
	}
}

function tone(theme: Theme, job: JobView, text: Shown): Shown {
	if (job.state === 'failed' || job.state === 'interrupted') return theme.damaged(text);
	if (job.state !== 'done') return text;
	return job.problemCount > 0 ? theme.warning(text) : theme.done(text);
}

/** Columns for a short bar, the percent, and both speed and time left. */
const BOTH_NUMBERS_MIN = 30;

/** One job in `width` columns. */
export function jobRow(state: State, theme: Theme, job: JobView, width: number): Shown {
	const isWide = width >= 100;
	const share = width < 60 ? 0.24 : 0.32;
	const titleMax = isWide ? 34 : Math.max(10, Math.min(26, Math.floor(width * share)));
	// Short titles leave their room to what the jobs have to tell.
	const titles = state.jobs.jobs.map(({ title }) => widthOf(theme.exact(title)));
	const titleWidth = Math.min(titleMax, Math.max(10, ...titles));
	const verbWidth = isWide ? 8 : Math.max(7, ...state.jobs.jobs.map((one) => one.verb.length));
	const verb = fit(safe(job.verb), Math.min(verbWidth, 8));
	const labelWidth = Math.max(2, ...state.jobs.jobs.map(({ label }) => label.length));
	const start = shown`${fitRight(safe(job.label), labelWidth)} ${verb} ${fit(theme.exact(job.title), titleWidth)} `;
	const room = width - widthOf(start);
	if (job.state === 'running' || job.state === 'paused') {
		const isShort = room < BOTH_NUMBERS_MIN;
		const pace = paceOf(state, job, isWide, isShort);
		const paceWidth = Math.max(isShort ? 9 : isWide ? 24 : 18, widthOf(pace) + 1);
		const bar = Math.min(40, room - 6 - paceWidth);
		// Words say more than a bar of one cell.
		const drawn = bar < 3 ? NOTHING : shown`${gauge(shareOf(job), bar)} `;
		return fit(shown`${start}${drawn}${percent(shareOf(job))} ${pace}`, width);
	}
	return shown`${start}${tone(theme, job, cut(endOf(state, theme, job, room), room))}`;
}

export function jobsBody(state: State, theme: Theme, width: number, height: number): Shown {
	const jobs = orderedJobs(state);
	const isFocused = focusOf(state) === 'jobs';
	const cursor = Math.max(
		0,
		jobs.findIndex((job) => job.id === jobUnderCursor(state)?.id),
	);
	const frame = { count: jobs.length, height, scroll: 'line' as const };
	// Without the focus the window stays at the top, where the running jobs are.
	const list = isFocused
		? moveTo({ cursor, top: state.jobs.top }, cursor, frame)
		: { cursor, top: 0 };
	return listBody(list, jobs.length, height, (i, isCursor) => {
		const row = jobRow(state, theme, jobs[i]!, width);
		return isCursor && isFocused ? theme.cursor(fit(plain(row), width)) : row;
	});
}

/** A row without its own styles, for the cursor. */
const plain = (text: Shown): Shown => text.replace(/\x1b\[[\d;]*m/g, '') as Shown;

export function jobsAbout(state: State, height: number): Shown {
	const more = state.jobs.jobs.length - height;
	return more > 0 ? shown`${jobCounts(state)}   +${more} more` : jobCounts(state);
}

/** The one row that narrow screens have for jobs. */
export function narrowJobRow(state: State, theme: Theme): Shown {
	const job = orderedJobs(state)[0];
	if (!job) return NOTHING;
	const start = shown`${safe(job.label)} ${cut(safe(job.verb), 7)} `;
	if (job.state !== 'running' && job.state !== 'paused')
		return fit(
			shown`${start}${endOf(state, theme, job, state.columns - widthOf(start))}`,
			state.columns,
		);
	const eta = job.etaMs === null ? NOTHING : shown`   ${safe(formatDuration(job.etaMs))}`;
	return fit(
		shown`${start}${gauge(shareOf(job), 12)} ${percent(shareOf(job))}${eta}`,
		state.columns,
	);
}
