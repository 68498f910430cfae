/** The Jobs pane, and what finished jobs leave on the screen. */

import type { Finding, JobView } from '../engine.ts';
import { applyFindings } from './damage.ts';
import { moveTo } from './list.ts';
import { isActive, jobUnderCursor, layoutOf, namedPath, orderedJobs } from './selectors.ts';
import { NO_DAMAGE, type State } from './state.ts';
import { say } from './status.ts';
import { lookAgain, reloadWim } from './wim.ts';

/** Takes the jobs as they are now. Focus never moves; endings are told in the status row. */
export function jobsChanged(state: State, jobs: readonly JobView[]): State {
	const before = new Map(state.jobs.jobs.map((job) => [job.id, job]));
	let next: State = { ...state, jobs: { ...state.jobs, jobs } };
	for (const job of jobs) {
		const old = before.get(job.id);
		if (old === job) continue;
		if (job.findings.length > 0 && job.findings !== old?.findings && isAboutOpenFile(next, job))
			next = applyFindings(next, findingsOf(next, jobs, job));
		if (old && isActive(old) && !isActive(job)) next = readAgain(tellEnd(next, job), job);
	}
	if (jobs.length === 0 && next.focus === 'jobs')
		next = { ...next, focus: next.view === 'start' ? 'images' : 'files' };
	return next;
}

/** What is found in another file, such as one just written, says nothing of the one that is shown. */
export function isAboutOpenFile(state: State, { request }: JobView): boolean {
	const path = request?.values['wim'];
	const shown = namedPath(state);
	return path === undefined || shown === null || path === shown;
}

/** The findings to show: those of the newest check of the open file that has any. */
function findingsOf(state: State, jobs: readonly JobView[], changed: JobView): readonly Finding[] {
	const newest = jobs
		.filter((job) => job.findings.length > 0 && isAboutOpenFile(state, job))
		.at(-1);
	return (newest ?? changed).findings;
}

/** What a job changed is shown as it is now, at the same place. */
function readAgain(state: State, job: JobView): State {
	if (state.view === 'start' && job.state === 'done' && job.writes.length > 0)
		return lookAgain(state);
	const path = state.wim.facts?.path;
	if (job.state !== 'done' || path === undefined || !job.writes.includes(path)) return state;
	// Additions leave what was found where it is; after anything else it must be looked for again.
	const isAddition = job.verb === 'append' || job.verb === 'edit';
	return reloadWim(isAddition ? state : { ...state, damage: NO_DAMAGE });
}

/** Why a job failed; without `Cannot write "PATH":` where the title beside it names that file already. */
export function reasonOf({ summary, title }: JobView): string {
	if (summary === null) return 'failed';
	const [attempt, name] = /^Cannot [^"]*"(?:[^"]*[\\/])?([^"\\/]+)": /.exec(summary) ?? [];
	const isNamed = attempt !== undefined && name !== undefined && title.includes(name);
	return isNamed ? summary.slice(attempt.length) : summary;
}

function tellEnd(state: State, job: JobView): State {
	const what = `${job.verb} ${job.title}`;
	if (job.state === 'interrupted')
		return say(state, `${what}: interrupted, ${job.summary ?? ''}`, 'error');
	if (job.state === 'failed') return say(state, `${what}: ${reasonOf(job)}`, 'error');
	if (job.state === 'canceled') return say(state, `${what}: canceled`);
	const summary = job.summary ?? 'done';
	return job.problemCount > 0
		? say(state, `${what}: ${summary}`, 'warning')
		: say(state, `${what}: ${summary}`);
}

/** Moves the cursor of the Jobs pane by rows; it stays on its job while others come and go. */
export function moveJobs(state: State, to: (row: number, count: number) => number): State {
	const jobs = orderedJobs(state);
	const current = jobUnderCursor(state);
	if (!current) return state;
	const row = jobs.indexOf(current);
	const height = layoutOf(state).panes.jobs?.body.height ?? 3;
	const frame = { count: jobs.length, height, scroll: 'line' as const };
	const list = moveTo({ cursor: row, top: state.jobs.top }, to(row, jobs.length), frame);
	const target = jobs[list.cursor];
	return target ? { ...state, jobs: { ...state.jobs, cursorId: target.id, top: list.top } } : state;
}
