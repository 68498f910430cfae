import type { JobRequest } from '../engine.ts';
import { memoryKey } from '../state/form.ts';
import type { FormDialog, State } from '../state/state.ts';
import { extractForm } from './extract.ts';

/** The form of a request with its values, so that a retry can change them; null: the verb asks nothing. */
export function retryForm(state: State, request: JobRequest): FormDialog | null {
	const build = FORMS[request.verb];
	if (!build) return null;
	const empty = build(state);
	const filled = { ...state, formMemory: new Map([[memoryKey(empty), request.values]]) };
	const form = build(filled);
	return { ...form, fixed: { ...form.fixed, ...fixedOf(form, request) } };
}

const FORMS: Readonly<Record<string, (state: State) => FormDialog>> = {
	extract: extractForm,
};

/** The values of a request that no field of the form shows. */
function fixedOf(form: FormDialog, request: JobRequest): FormDialog['fixed'] {
	const shown = new Set(form.fields.map(({ name }) => name));
	return Object.fromEntries(Object.entries(request.values).filter(([name]) => !shown.has(name)));
}
