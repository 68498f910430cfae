import { DONOR, type JobRequest } from '../engine.ts';
import { memoryKey } from '../state/form.ts';
import { hasStaged } from '../state/staged.ts';
import type { FormDialog, State } from '../state/state.ts';
import { captureForm } from './capture.ts';
import { exportForm } from './export.ts';
import { applyForm, extractForm } from './extract.ts';
import { repairForm, salvageForm } from './rescue.ts';
import { deleteForm, optimizeForm, propertiesForm, undoForm } from './rewrite.ts';
import { joinForm, splitForm } from './split.ts';
import { commitForm } from './stage.ts';

/**
 * The form of a request with its values, so that a retry can change them.
 *
 * @returns null when the verb asks nothing; a sentence when the form cannot be shown now
 */
export function retryForm(state: State, request: JobRequest): FormDialog | string | null {
	if (request.verb === 'update')
		return hasStaged(state)
			? commitForm(state)
			: 'Its changes are not staged any more: stage them again';
	const build = FORMS[request.verb];
	if (!build) return null;
	const { values } = request;
	if (typeof values['wim'] === 'string' && values['wim'] !== state.wim.facts?.path)
		return `Open ${values['wim']} first: the job is about it`;
	const about = chosenAs(state, values);
	const empty = build(about, values);
	const filled = { ...about, formMemory: new Map([[memoryKey(empty), values]]) };
	const form = build(filled, values);
	return { ...form, fixed: { ...form.fixed, ...fixedOf(form, request) } };
}

/** The state as it was when the images of a request were chosen. */
function chosenAs(state: State, values: JobRequest['values']): State {
	const listed = values['images'];
	const indexes = Array.isArray(listed) ? listed.map(Number) : [Number(values['imageIndex'] ?? 0)];
	const marks = new Set(indexes.filter((index) => index > 0));
	return { ...state, focus: 'images', images: { ...state.images, marks } };
}

type Build = (state: State, values: JobRequest['values']) => FormDialog;

const FORMS: Readonly<Record<string, Build>> = {
	apply: applyForm,
	capture: captureForm,
	delete: deleteForm,
	edit: propertiesForm,
	export: exportForm,
	extract: (state, { imageIndex, paths }) =>
		extractForm(state, {
			imageIndex: Number(imageIndex ?? 0),
			paths: Array.isArray(paths) ? paths.map(String) : [],
		}),
	join: joinForm,
	optimize: optimizeForm,
	repair: (state, values) =>
		repairForm(
			state,
			'',
			Object.keys(values).flatMap((name) =>
				name.startsWith(DONOR)
					? [{ path: name.slice(DONOR.length), isCopy: false, sharedCount: null }]
					: [],
			),
		),
	salvage: salvageForm,
	split: splitForm,
	undo: undoForm,
};

/** The values of a request that no field of the form shows. */
function fixedOf(form: FormDialog, request: JobRequest): FormDialog['fixed'] {
	const shown = new Set(form.fields.map(({ name }) => name));
	return Object.fromEntries(Object.entries(request.values).filter(([name]) => !shown.has(name)));
}
