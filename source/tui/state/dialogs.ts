/** The stack of dialogs: opening pushes, closing pops and gives the focus back. */

import { memoryKey, valuesOf } from './form.ts';
import type { Button, ConfirmDialog, Dialog, FormDialog, State } from './state.ts';
import { EMPTY_FIELD } from './text-field.ts';

export function openDialog(state: State, dialog: Dialog): State {
	return { ...state, dialogs: [...state.dialogs, dialog], line: null, pending: null };
}

/** Closes the topmost dialog; a form's values are kept for this run. */
export function closeDialog(state: State): State {
	const top = state.dialogs.at(-1);
	if (!top) return state;
	const formMemory =
		top.kind === 'form'
			? new Map(state.formMemory).set(memoryKey(top), valuesOf(top))
			: state.formMemory;
	return { ...state, dialogs: state.dialogs.slice(0, -1), formMemory };
}

/** Closes all of them. */
export function closeDialogs(state: State): State {
	return state.dialogs.reduce(closeDialog, state);
}

/** Changes the topmost dialog when it is of the given kind. */
export function changeDialog<K extends Dialog['kind']>(
	state: State,
	kind: K,
	change: (dialog: Extract<Dialog, { kind: K }>) => Dialog,
): State {
	const top = state.dialogs.at(-1);
	if (top?.kind !== kind) return state;
	const next = change(top as Extract<Dialog, { kind: K }>);
	return next === top ? state : { ...state, dialogs: [...state.dialogs.slice(0, -1), next] };
}

/** Changes the form that waits for an answer, wherever it is in the stack. */
export function changeForm(state: State, change: (form: FormDialog) => FormDialog): State {
	return {
		...state,
		dialogs: state.dialogs.map((dialog) => (dialog.kind === 'form' ? change(dialog) : dialog)),
	};
}

/** A question; the first button is the safe one and has the focus. */
export function question(
	title: string,
	lines: readonly string[],
	buttons: readonly Button[],
	options: { readonly word?: string; readonly allowsLetters?: boolean } = {},
): ConfirmDialog {
	return {
		kind: 'confirm',
		title,
		lines,
		buttons,
		focus: 0,
		word: options.word ?? null,
		typed: EMPTY_FIELD,
		allowsLetters: options.allowsLetters ?? false,
	};
}
