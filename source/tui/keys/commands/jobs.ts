/** Commands of the Jobs pane. */

import { cancelJobDialog, cleanJobDialog, runAgainDialog } from '../../forms/questions.ts';
import { retryForm } from '../../forms/retry.ts';
import { openDialog } from '../../state/dialogs.ts';
import { isActive, jobUnderCursor, writesSomething } from '../../state/selectors.ts';
import type { State } from '../../state/state.ts';
import { say } from '../../state/status.ts';
import type { Api } from '../api.ts';
import { type Command, change } from '../command.ts';
import { all, needsJob } from '../conditions.ts';

const log = (state: State): State => {
	const job = jobUnderCursor(state);
	return job
		? openDialog(state, {
				kind: 'pager',
				source: { type: 'job', id: job.id },
				top: 0,
				follows: true,
				asHex: false,
			})
		: state;
};

const isRunning = (state: State): string | null => {
	const job = jobUnderCursor(state);
	return job && isActive(job) ? null : 'the job is over';
};

const isOver = (state: State): string | null => {
	const job = jobUnderCursor(state);
	return job && !isActive(job) ? null : 'the job is not over';
};

const canPause = (state: State): string | null =>
	jobUnderCursor(state)?.canPause ? null : 'this job cannot pause';

function pause(api: Api): void {
	const job = jobUnderCursor(api.state());
	if (!job) return;
	if (job.state === 'paused') api.effects.resumeJob(job.id);
	else api.effects.pauseJob(job.id);
}

function retry(api: Api): void {
	const job = jobUnderCursor(api.state());
	if (!job) return;
	const { request } = job;
	const form = request && retryForm(api.state(), request);
	if (typeof form === 'string') api.change((state) => say(state, form, 'warning'));
	else if (form) api.change((state) => openDialog(state, form));
	else if (request) api.effects.startJob(request);
	// Without a form there is nothing to change; but it is asked, since it may be of long ago.
	else api.change((state) => openDialog(state, runAgainDialog(job)));
}

/** A deck that writes nothing runs no job again that does. */
const mayRunAgain = (state: State): string | null => {
	const job = jobUnderCursor(state);
	if (job && state.settings.readonly && writesSomething(job))
		return 'nothing is written here (--readonly)';
	return job?.whyOnce ?? null;
};

const leftSomething = (state: State): string | null =>
	(jobUnderCursor(state)?.leftovers.length ?? 0) > 0 ? null : 'the job left nothing behind';

function clean(state: State): State {
	const job = jobUnderCursor(state);
	return job ? openDialog(state, cleanJobDialog(job)) : state;
}

function dismiss(api: Api, which: 'one' | 'all'): void {
	const state = api.state();
	const one = jobUnderCursor(state);
	const jobs = which === 'all' ? state.jobs.jobs : one ? [one] : [];
	api.effects.dismissJobs(jobs.filter((job) => !isActive(job)).map(({ id }) => id));
}

export const jobCommands: readonly Command[] = [
	{
		id: 'job.log',
		title: 'Log of the job',
		hint: 'log',
		group: 'job',
		when: ['jobs'],
		keys: ['enter', 'l', 'right'],
		footer: 10,
		disabled: needsJob,
		run: change(log),
	},
	{
		id: 'job.pause',
		title: 'Pause or go on',
		hint: 'pause',
		group: 'job',
		when: ['jobs'],
		keys: ['p'],
		footer: 20,
		disabled: all(needsJob, isRunning, canPause),
		run: pause,
	},
	{
		id: 'job.cancel',
		title: 'Cancel the job...',
		hint: 'cancel',
		group: 'job',
		when: ['jobs'],
		keys: ['x', 'delete'],
		footer: 30,
		disabled: all(needsJob, isRunning),
		run: change((state) => {
			const job = jobUnderCursor(state);
			return job ? openDialog(state, cancelJobDialog(job)) : state;
		}),
	},
	{
		id: 'job.retry',
		title: 'Run again',
		hint: 'retry',
		group: 'job',
		when: ['jobs'],
		keys: ['r'],
		footer: 40,
		disabled: all(needsJob, isOver, mayRunAgain),
		run: retry,
	},
	{
		id: 'job.clean',
		title: 'Clear away what a killed job left...',
		hint: 'clean',
		group: 'job',
		when: ['jobs'],
		keys: ['c'],
		writes: true,
		footer: 45,
		disabled: all(needsJob, leftSomething),
		run: change(clean),
	},
	{
		id: 'job.history',
		title: 'Show or hide jobs of the past',
		hint: 'history',
		group: 'job',
		when: ['jobs'],
		keys: ['a'],
		footer: 60,
		run: (api) => api.effects.showHistory(),
	},
	{
		id: 'job.dismiss',
		title: 'Remove from the list',
		hint: 'remove',
		group: 'job',
		when: ['jobs'],
		keys: ['d'],
		footer: 50,
		disabled: all(needsJob, isOver),
		run: (api) => dismiss(api, 'one'),
	},
	{
		id: 'job.dismissAll',
		title: 'Remove all that are over',
		group: 'job',
		when: ['jobs'],
		keys: ['D'],
		disabled: needsJob,
		run: (api) => dismiss(api, 'all'),
	},
];
