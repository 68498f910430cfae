/** Questions before something that cannot be taken back. The safe button is the first. */

import { formatCount, formatDuration, formatSize, plural } from '../../base/print.ts';
import type { HostPath, JobRequest, JobView } from '../engine.ts';
import { question } from '../state/dialogs.ts';
import { activeJobs, baseName, jobUnderCursor } from '../state/selectors.ts';
import type { ConfirmDialog, State } from '../state/state.ts';

/** Jobs listed in a question. */
const LISTED_MAX = 6;

function jobLine(job: JobView): string {
	const share =
		job.totalBytes && job.totalBytes > 0
			? `${Math.floor((100 * job.doneBytes) / job.totalBytes)}%`
			: job.state;
	const left = job.etaMs === null ? '' : `   ${formatDuration(job.etaMs)} left`;
	return `${job.id} ${job.verb} ${job.title}   ${share}${left}`;
}

function jobLines(jobs: readonly JobView[]): string[] {
	const lines = jobs.slice(0, LISTED_MAX).map(jobLine);
	if (jobs.length > LISTED_MAX) lines.push(`and ${jobs.length - LISTED_MAX} more`);
	return lines;
}

const running = (count: number): string =>
	count === 1 ? '1 job is running' : `${formatCount(count)} jobs are running`;

export function quitDialog(state: State): ConfirmDialog {
	const jobs = activeJobs(state);
	return question(running(jobs.length), jobLines(jobs), [
		{ label: 'Stay', action: { type: 'close' } },
		{ label: 'Quit when they finish', action: { type: 'quit', mode: 'whenDone' } },
		{ label: 'Cancel jobs and quit', action: { type: 'quit', mode: 'cancelJobs' } },
	]);
}

export function suspendDialog(state: State): ConfirmDialog {
	const jobs = activeJobs(state);
	return question(
		running(jobs.length),
		[...jobLines(jobs), '', 'They stop as well until you come back.'],
		[
			{ label: 'Stay', action: { type: 'close' } },
			{ label: 'Suspend', action: { type: 'suspend' } },
		],
	);
}

/** What happens to the output of each verb when it is canceled. */
const AFTER_CANCEL: Readonly<Record<string, string>> = {
	verify: 'Nothing was written.',
	extract: 'What was extracted so far stays; no half-written file does.',
	apply: 'What was applied so far stays; no half-written file does.',
};

export function cancelJobDialog(state: State): ConfirmDialog {
	const job = jobUnderCursor(state);
	return question(
		`Cancel job ${job?.id ?? ''} ?`,
		[
			job ? jobLine(job) : '',
			job ? (AFTER_CANCEL[job.verb] ?? 'The target stays as it was before the job.') : '',
		],
		[
			{ label: 'Let it run', action: { type: 'close' } },
			{ label: 'Cancel the job', action: { type: 'cancelJob', id: job?.id ?? -1 } },
		],
	);
}

/** Before a file is replaced; more than one image in it asks for a word. */
export function replaceDialog(path: string, facts: HostPath, request: JobRequest): ConfirmDialog {
	const images = facts.imageCount === null ? '' : `, ${plural(facts.imageCount, 'image')}`;
	const written =
		facts.modified === null
			? ''
			: `, written ${new Date(facts.modified).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
	const asksWord = (facts.imageCount ?? 0) > 1;
	return question(
		`Replace ${baseName(path)} ?`,
		[
			path,
			`${formatSize(facts.size)}${images}${written}.`,
			'It stays untouched until the new file is complete.',
			...(asksWord ? ['', 'Type "replace" to go on:'] : []),
		],
		[
			{ label: 'Keep it', action: { type: 'close' } },
			{ label: 'Replace', action: { type: 'start', request } },
		],
		asksWord ? { word: 'replace' } : {},
	);
}
