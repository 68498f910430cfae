/** The one line that is left of the screen while the deck waits for its jobs before it ends. */

import { formatDuration, plural } from '../../base/print.ts';
import type { JobView } from '../engine.ts';
import { gauge, percent } from '../parts/gauge.ts';
import { cut, fit, NOTHING, type Shown, safe, shown, widthOf } from '../parts/text.ts';
import type { Theme } from '../parts/theme.ts';
import { activeJobs } from '../state/selectors.ts';
import type { State } from '../state/state.ts';
import { ETA_AFTER_MS, SILENCE_MS } from './jobs.ts';

const KEYS = '^C cancels' as Shown;
/** A spinner turns in the middle one of these columns. */
const SIGN_WIDTH = 3;
/** Narrower lines have no room for a bar and for what goes without saying. */
const GAUGE_FROM = 60;
const GAUGE_WIDTH = 16;

/** Of all jobs together, by bytes; null while one of them cannot tell. */
function shareOfAll(jobs: readonly JobView[]): number | null {
	let done = 0;
	let total = 0;
	for (const { doneBytes, totalBytes } of jobs) {
		if (totalBytes === null) return null;
		done += doneBytes;
		total += totalBytes;
	}
	return total === 0 ? null : done / total;
}

/** When the last of them is expected to end, or why nobody can tell. */
function restOf(state: State, jobs: readonly JobView[]): Shown {
	const running = jobs.filter((job) => job.state === 'running');
	if (running.length === 0)
		return jobs.some((job) => job.state === 'paused') ? ('paused' as Shown) : NOTHING;
	const silentMs = Math.min(...running.map(({ lastEventMs }) => state.nowMs - lastEventMs));
	if (silentMs >= SILENCE_MS) return shown`no progress for ${Math.floor(silentMs / 1000)} s`;
	// A queued job has not begun: when everything ends is not known.
	if (running.length < jobs.length) return NOTHING;
	const isEarly = running.some(
		({ etaMs, startedMs }) => etaMs === null || state.nowMs - startedMs < ETA_AFTER_MS,
	);
	return isEarly
		? NOTHING
		: shown`${safe(formatDuration(Math.max(...running.map(({ etaMs }) => etaMs ?? 0))))} left`;
}

/** One row of exactly `width` columns. */
export function leavingRow(state: State, theme: Theme, width: number): Shown {
	const jobs = activeJobs(state);
	const [first] = jobs;
	if (!first) return fit(shown`${' '.repeat(SIGN_WIDTH) as Shown}All jobs have ended`, width);
	const what =
		jobs.length === 1
			? shown`${safe(first.verb)} ${theme.exact(first.title)}`
			: safe(plural(jobs.length, 'job'));
	const share = shareOfAll(jobs);
	const isNarrow = width < GAUGE_FROM;
	const bar = isNarrow ? NOTHING : shown` ${gauge(share, GAUGE_WIDTH)}`;
	const end = shown`${bar} ${percent(share)}  ${restOf(state, jobs)}`;
	const room = width - SIGN_WIDTH - widthOf(KEYS) - 2;
	const start = cut(isNarrow ? what : shown`Waiting for ${what}`, Math.max(8, room - widthOf(end)));
	return fit(
		shown`${' '.repeat(SIGN_WIDTH) as Shown}${fit(shown`${start}${end}`, room)}  ${KEYS}`,
		width,
	);
}
