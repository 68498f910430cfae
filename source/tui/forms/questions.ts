/** Questions before something that cannot be taken back. The safe button is the first. */

import { formatCount, formatDuration, formatSize, plural } from '../../base/print.ts';
import type { HostPath, JobCheck, JobRequest, JobView } from '../engine.ts';
import { changeDialog, question } from '../state/dialogs.ts';
import { activeJobs, baseName, isActive } from '../state/selectors.ts';
import type { ConfirmDialog, FormDialog, State } from '../state/state.ts';
import { timeText } from '../view/columns.ts';

/** Jobs listed in a question. */
const LISTED_MAX = 6;

function jobLine(job: JobView): string {
	const share =
		job.totalBytes && job.totalBytes > 0
			? `${Math.floor((100 * job.doneBytes) / job.totalBytes)}%`
			: job.state;
	const left = job.etaMs === null ? '' : `   ${formatDuration(job.etaMs)} left`;
	return `${job.label} ${job.verb} ${job.title}   ${share}${left}`;
}

function jobLines(jobs: readonly JobView[]): string[] {
	const lines = jobs.slice(0, LISTED_MAX).map(jobLine);
	if (jobs.length > LISTED_MAX) lines.push(`and ${jobs.length - LISTED_MAX} more`);
	return lines;
}

const running = (count: number): string =>
	count === 0
		? 'No job is running any more'
		: count === 1
			? '1 job is running'
			: `${formatCount(count)} jobs are running`;

export function quitDialog(state: State): ConfirmDialog {
	const jobs = activeJobs(state);
	const stay = { label: 'Stay', action: { type: 'close' } } as const;
	if (jobs.length === 0)
		return question(
			running(0),
			[],
			[stay, { label: 'Quit', action: { type: 'quit', mode: 'whenDone' } }],
		);
	return question(running(jobs.length), jobLines(jobs), [
		stay,
		{ label: 'Quit when they finish', action: { type: 'quit', mode: 'whenDone' } },
		{ label: 'Cancel jobs and quit', action: { type: 'quit', mode: 'cancelJobs' } },
	]);
}

export function suspendDialog(state: State): ConfirmDialog {
	const jobs = activeJobs(state);
	return question(
		running(jobs.length),
		jobs.length === 0 ? [] : [...jobLines(jobs), '', 'They stop as well until you come back.'],
		[
			{ label: 'Stay', action: { type: 'close' } },
			{ label: 'Suspend', action: { type: 'suspend' } },
		],
	);
}

/** What happens to the output of verbs that do not write one file; a salvage into a new WIM does. */
const AFTER_CANCEL: Readonly<Record<string, string>> = {
	verify: 'Nothing was written.',
	diff: 'Nothing was written.',
	salvage: 'What was saved so far stays; no half-written file does.',
	extract: 'What was extracted so far stays; no half-written file does.',
	apply: 'What was applied so far stays; no half-written file does.',
	mount: 'The folder is unmounted.',
};

function afterCancel({ verb, request, writes }: JobView): string {
	if (verb === 'mount' && writes.length > 0)
		return 'The folder is unmounted, its changes are dropped: "wimdeck unmount --commit" keeps them.';
	const writesOne = AFTER_CANCEL[verb] === undefined || request?.values['into'] === 'wim';
	return writesOne
		? 'What it wrote is deleted; the target stays as it was.'
		: (AFTER_CANCEL[verb] ?? '');
}

export function cancelJobDialog(job: JobView): ConfirmDialog {
	const cancel = { label: 'Cancel the job', action: { type: 'cancelJob', id: job.id } } as const;
	if (!isActive(job)) {
		const outcome = `${job.verb} ${job.title}: ${job.summary ?? job.state}`;
		return question(
			`Job ${job.label} is over`,
			[outcome],
			[{ label: 'Close', action: { type: 'close' } }],
		);
	}
	return question(
		`Cancel job ${job.label}?`,
		[jobLine(job), afterCancel(job)],
		[{ label: 'Let it run', action: { type: 'close' } }, cancel],
	);
}

/** Keeps a question about running jobs true while they go on, and end, behind it. */
export function followQuestion(state: State): State {
	return changeDialog(state, 'confirm', (dialog) => {
		const now = askedAgain(state, dialog);
		if (now === null || isSameText(now, dialog)) return dialog;
		return { ...now, focus: Math.min(dialog.focus, now.buttons.length - 1) };
	});
}

function askedAgain(state: State, { buttons }: ConfirmDialog): ConfirmDialog | null {
	for (const { action } of buttons) {
		if (action.type === 'quit') return quitDialog(state);
		if (action.type === 'suspend') return suspendDialog(state);
		if (action.type !== 'cancelJob') continue;
		const job = state.jobs.jobs.find(({ id }) => id === action.id);
		return job ? cancelJobDialog(job) : null;
	}
	return null;
}

const isSameText = (a: ConfirmDialog, b: ConfirmDialog): boolean =>
	a.title === b.title && a.lines.join('\n') === b.lines.join('\n');

/** Before a job that is over runs again as it was. */
export function runAgainDialog(job: JobView): ConfirmDialog {
	return question(
		'Run it again?',
		[`${job.verb} ${job.title}`, ...job.leftovers, '', 'It runs as it did, with the same options.'],
		[
			{ label: 'Leave it', action: { type: 'close' } },
			{ label: 'Run again', action: { type: 'runAgain', id: job.id } },
		],
	);
}

/** Before the leftovers of a killed job are removed. */
export function cleanJobDialog(job: JobView): ConfirmDialog {
	return question(
		'Clean up?',
		[
			`${job.verb} ${job.title} was killed.`,
			...job.leftovers,
			'',
			'Temporary files are removed; a half-done edit is taken back.',
		],
		[
			{ label: 'Leave it', action: { type: 'close' } },
			{ label: 'Clean up', action: { type: 'cleanJob', id: job.id } },
		],
	);
}

/** `3.1 G, 2 images, written 2026-10-02 11:20.` */
function fileLine(state: State, facts: HostPath): string {
	const images = facts.imageCount === null ? '' : `, ${plural(facts.imageCount, 'image')}`;
	const written =
		facts.modified === null
			? ''
			: `, written ${timeText(facts.modified, 'minute', state.settings.utc)}`;
	return `${formatSize(facts.size)}${images}${written}.`;
}

/** The word that a file with more than one image asks for before it is replaced. */
function wordFor(facts: HostPath): {
	readonly lines: readonly string[];
	readonly options: { readonly word?: string };
} {
	return (facts.imageCount ?? 0) > 1
		? { lines: ['', 'Type "replace" before you press Replace:'], options: { word: 'replace' } }
		: { lines: [], options: {} };
}

/** Before a file is replaced; more than one image in it asks for a word. */
export function replaceDialog(
	state: State,
	path: string,
	facts: HostPath,
	request: JobRequest,
): ConfirmDialog {
	const { lines, options } = wordFor(facts);
	return question(
		`Replace ${baseName(path)}?`,
		[path, fileLine(state, facts), 'It stays untouched until the new file is complete.', ...lines],
		[
			{ label: 'Keep it', action: { type: 'close' } },
			{ label: 'Replace', action: { type: 'start', request } },
		],
		options,
	);
}

const withExists = (request: JobRequest, exists: 'append' | 'replace'): JobRequest => ({
	...request,
	values: { ...request.values, exists },
});

/** What to do with a file that is there, when the form left that open. */
function existsDialog(
	state: State,
	path: string,
	facts: HostPath,
	request: JobRequest,
): ConfirmDialog {
	const { lines, options } = wordFor(facts);
	const canGrow = facts.imageCount !== null;
	return question(
		`${baseName(path)} exists`,
		[
			path,
			fileLine(state, facts),
			'Replaced, it stays untouched until the new file is complete.',
			...lines,
		],
		[
			{ label: 'Cancel', action: { type: 'close' } },
			...(canGrow
				? [
						{
							label: 'Append',
							action: { type: 'start', request: withExists(request, 'append') },
						} as const,
					]
				: []),
			{ label: 'Replace', action: { type: 'start', request: withExists(request, 'replace') } },
		],
		options,
	);
}

/** Before files are written into a folder that holds some. */
function mergeDialog(path: string, request: JobRequest): ConfirmDialog {
	return question(
		`Write into ${baseName(path)}?`,
		[path, 'The folder is not empty. What has the same name is replaced, the rest stays.'],
		[
			{ label: 'Leave it', action: { type: 'close' } },
			{ label: 'Write', action: { type: 'start', request } },
		],
	);
}

function deleteDialog(state: State, form: FormDialog, request: JobRequest): ConfirmDialog {
	const { images } = request.values;
	const indexes = new Set(Array.isArray(images) ? images.map(Number) : []);
	const gone = state.wim.images.filter(({ index }) => indexes.has(index));
	const isSoft = request.values['how'] !== 'rebuild';
	const more = gone.length > LISTED_MAX ? [`and ${gone.length - LISTED_MAX} more`] : [];
	return question(
		`Delete ${plural(gone.length, 'image')}?`,
		[
			...gone.slice(0, LISTED_MAX).map(({ index, name }) => `#${index} ${name}`),
			...more,
			'',
			isSoft
				? 'Z takes it back as long as nothing else is written.'
				: 'The file is written anew without them; they cannot be brought back.',
			...form.notes,
		],
		[
			{ label: 'Keep', action: { type: 'close' } },
			{ label: 'Delete', action: { type: 'start', request } },
		],
	);
}

function undoDialog(form: FormDialog, request: JobRequest): ConfirmDialog {
	return question(
		'Take back the last edit?',
		[...form.notes, 'What the edit wrote is cut off; this cannot be undone.'],
		[
			{ label: 'Keep it', action: { type: 'close' } },
			{ label: 'Take back', action: { type: 'start', request } },
		],
	);
}

/** What must be asked before a request may start; null: nothing. */
export function questionBefore(
	state: State,
	form: FormDialog,
	request: JobRequest,
	{ replaces }: JobCheck,
): ConfirmDialog | null {
	if (request.verb === 'delete') return deleteDialog(state, form, request);
	if (request.verb === 'undo') return undoDialog(form, request);
	if (!replaces) return null;
	const { path, facts } = replaces;
	if (facts.isFolder) return mergeDialog(path, request);
	return request.values['exists'] === 'ask'
		? existsDialog(state, path, facts, request)
		: replaceDialog(state, path, facts, request);
}
