/** The main button of a form: what it checks, asks and does. */

import type { JobCheck, JobRequest } from '../engine.ts';
import { questionBefore } from '../forms/questions.ts';
import { openOrAsk } from '../forms/stage.ts';
import { sentence } from '../sentence.ts';
import { changeForm, closeDialog, closeDialogs, openDialog } from '../state/dialogs.ts';
import { showDifference } from '../state/difference.ts';
import { requestOf, valuesOf, withErrors } from '../state/form.ts';
import { topDialog } from '../state/selectors.ts';
import type { FormDialog } from '../state/state.ts';
import { showStart } from '../state/wim.ts';
import type { EffectHost } from './effect-host.ts';
import { submitList, submitReport } from './report.ts';
import { submitAdd, submitRename } from './stage.ts';

type Submitter = (host: EffectHost, form: FormDialog, isConfirmed: boolean) => Promise<void>;

/** Forms that are no job, by their name. */
const SUBMITTERS: Readonly<Record<string, Submitter>> = {
	open: submitOpen,
	report: submitReport,
	listFile: submitList,
	compare: submitCompare,
	stageAdd: submitAdd,
	stageRename: submitRename,
};

/** Does what a form asks for; errors stand on their fields afterwards. */
export async function submit(
	host: EffectHost,
	form: FormDialog,
	isConfirmed: boolean,
): Promise<void> {
	try {
		await (SUBMITTERS[form.form] ?? submitJob)(host, form, isConfirmed);
	} catch (error) {
		host.change((state) =>
			changeForm(state, (current) => withErrors(current, { '': sentence(error) })),
		);
	}
}

/** Checks what is quick to check, asks before a file is replaced, and starts the job. */
async function submitJob(host: EffectHost, form: FormDialog, isConfirmed: boolean): Promise<void> {
	const request = requestOf(form);
	const check = await host.engine.jobs.check(request);
	// Esc came first.
	if (topDialog(host.state())?.kind !== 'form') return;
	if (Object.keys(check.errors).length > 0) {
		host.change((state) => changeForm(state, (current) => withErrors(current, check.errors)));
		return;
	}
	const question = isConfirmed ? null : questionBefore(host.state(), form, request, check);
	if (question) host.change((state) => openDialog(state, question));
	else {
		host.change(closeDialog);
		host.startJob(request);
	}
}

const errorsOf = (host: EffectHost, request: JobRequest): Promise<Pick<JobCheck, 'errors'>> =>
	host.engine.jobs.check(request).catch((error) => ({ errors: { '': sentence(error) } }));

/** Starts what a question was answered with. What is added to a file must suit it: an error stands on the field. */
export async function startAnswered(host: EffectHost, request: JobRequest): Promise<void> {
	const { errors } =
		request.values['exists'] === 'append' ? await errorsOf(host, request) : { errors: {} };
	// Esc came first, or a second Enter.
	if (topDialog(host.state())?.kind !== 'confirm') return;
	if (Object.keys(errors).length > 0) {
		host.change((state) =>
			changeForm(closeDialog(state), (current) => withErrors(current, errors)),
		);
		return;
	}
	host.change(closeDialogs);
	host.startJob(request);
}

async function submitOpen(host: EffectHost, form: FormDialog): Promise<void> {
	const values = valuesOf(form);
	const path = String(values.path ?? '');
	const refs = String(values.refs ?? '').trim();
	const [facts, folder] = await Promise.all([host.engine.look(path), host.engine.folderAt(path)]);
	host.change((state) => {
		if (!facts.exists)
			return changeForm(state, (current) => withErrors(current, { path: 'there is no such file' }));
		const closed = closeDialog(state);
		if (folder !== null) return showStart(closed, folder, false);
		return openOrAsk(closed, path, refs === '' ? [] : [refs]);
	});
}

async function submitCompare(host: EffectHost, form: FormDialog): Promise<void> {
	const { before, after } = valuesOf(form);
	host.change((state) =>
		before === after
			? changeForm(state, (current) => withErrors(current, { after: 'choose another image' }))
			: showDifference(closeDialog(state), { before: Number(before), after: Number(after) }),
	);
}
