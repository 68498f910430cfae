/** Forms: moving between fields, changing values, and reading them. */

import type { FormValue, JobEstimate, JobRequest } from '../engine.ts';
import type { Field, FormDialog, Preset, State } from './state.ts';
import { edit, fieldOf, insert, type TextField } from './text-field.ts';

export type FocusableField = Exclude<Field, { kind: 'note' }>;

/** The check that opens the seldom used fields of a form. */
export const MORE = 'more';

const isFocusable = (field: Field): field is FocusableField => field.kind !== 'note';

/** The fields whose conditions hold, in order. */
export function shownFields(form: FormDialog): readonly Field[] {
	if (form.fields.every(({ when }) => when === undefined)) return form.fields;
	const values = valuesOf(form);
	return form.fields.filter(({ when = [] }) =>
		when.every(({ field, is }) => is.includes(values[field] ?? null)),
	);
}

export function focusableFields(form: FormDialog): readonly FocusableField[] {
	return shownFields(form).filter(isFocusable);
}

/** The field with the focus; null: a button has it. */
export function focusedField(form: FormDialog): FocusableField | null {
	return focusableFields(form)[form.focus] ?? null;
}

/** Number of the button with the focus; -1: a field has it. */
export function focusedButton(form: FormDialog): number {
	const at = form.focus - focusableFields(form).length;
	return at < 0 ? -1 : at;
}

export function textOf(field: Field): TextField | null {
	return 'field' in field ? field.field : null;
}

/** Moves the focus; it goes round. */
export function moveFocus(form: FormDialog, step: 1 | -1): FormDialog {
	const count = focusableFields(form).length + form.buttons.length;
	return passing({ ...form, focus: (form.focus + step + count) % count, completions: [] });
}

/** A path that stood there when the focus came is passed by Tab, unless it ends like a beginning. */
export function passing(form: FormDialog): FormDialog {
	const field = focusedField(form);
	const text = field?.kind === 'path' ? field.field.text : '';
	return { ...form, passed: /[\\/]$/.test(text) ? null : text };
}

export function focusOn(form: FormDialog, name: string): FormDialog {
	const focus = focusableFields(form).findIndex((field) => field.name === name);
	return focus < 0 || focus === form.focus ? form : passing({ ...form, focus, completions: [] });
}

function replaceField(form: FormDialog, next: FocusableField): FormDialog {
	const { [next.name]: _, ...errors } = form.errors;
	const focused = focusedField(form)?.name;
	const replaced = changed({
		...form,
		errors,
		completions: [],
		fields: form.fields.map((field) =>
			isFocusable(field) && field.name === next.name ? next : field,
		),
	});
	// Others may have come or gone before it.
	return focused === undefined ? replaced : focusOn(replaced, focused);
}

/** Asks for a new estimate. */
export function changed(form: FormDialog): FormDialog {
	return form.estimate === null
		? form
		: { ...form, estimate: { request: requestOf(form) }, isEstimating: true };
}

/** An editing key in a text field; null: it edits nothing. */
export function editField(form: FormDialog, key: string): FormDialog | null {
	const field = focusedField(form);
	if (!field || !('field' in field)) return null;
	if (field.kind === 'number' && field.presets.length > 0 && (key === 'left' || key === 'right'))
		return setText(form, field.name, String(stepped(field, key === 'right' ? 1 : -1).value));
	const next = edit(field.field, key);
	if (!next) return null;
	return next.text === field.field.text
		? withCursor(form, field.name, next)
		: replaceField(form, { ...field, field: next });
}

function withCursor(form: FormDialog, name: string, next: TextField): FormDialog {
	return {
		...form,
		fields: form.fields.map((field) =>
			field.name === name && 'field' in field ? { ...field, field: next } : field,
		),
	};
}

/** The preset before or after the number, going round. */
function stepped(field: Extract<Field, { kind: 'number' }>, step: 1 | -1): Preset {
	const { presets } = field;
	const number = Number(field.field.text);
	const at = presets.findIndex(({ value }) => value === number);
	const from = at < 0 && step < 0 ? 0 : at;
	return presets[(from + step + presets.length) % presets.length]!;
}

/** Typed or pasted text. */
export function typeInField(form: FormDialog, text: string): FormDialog {
	const field = focusedField(form);
	if (!field || !('field' in field)) return form;
	const preset =
		field.kind === 'number' ? field.presets.find(({ key }) => key === text.toUpperCase()) : null;
	if (preset) return setText(form, field.name, String(preset.value));
	const clean = field.kind === 'number' ? text.replace(/\D/g, '') : text;
	return clean === '' ? form : replaceField(form, { ...field, field: insert(field.field, clean) });
}

/** Replaces the whole text of a field. */
export function setText(form: FormDialog, name: string, text: string): FormDialog {
	const field = form.fields.find((one) => one.name === name);
	if (!field || !('field' in field)) return form;
	return replaceField(form, { ...field, field: fieldOf(text) });
}

/** Next or previous choice of the focused field. */
export function changeChoice(form: FormDialog, step: 1 | -1): FormDialog {
	const field = focusedField(form);
	if (!field || (field.kind !== 'choice' && field.kind !== 'radio')) return form;
	const count = field.options.length;
	const at = field.options.findIndex(({ value }) => value === field.value);
	const next = field.options[(at + step + count) % count]!;
	return replaceField(form, { ...field, value: next.value });
}

/** Space: turns a check round, or takes the next choice. */
export function toggleField(form: FormDialog): FormDialog {
	const field = focusedField(form);
	if (field?.kind === 'check') return replaceField(form, { ...field, value: !field.value });
	return changeChoice(form, 1);
}

const formValue = (field: FocusableField): FormValue => {
	switch (field.kind) {
		case 'text':
		case 'path':
			return field.field.text;
		case 'number':
			return field.field.text === '' ? null : Number(field.field.text);
		default:
			return field.value;
	}
};

/** The values of all fields, hidden ones too. */
export function valuesOf(form: FormDialog): Readonly<Record<string, FormValue>> {
	const values = form.fields
		.filter(isFocusable)
		.map((field) => [field.name, formValue(field)] as const);
	return { ...form.fixed, ...Object.fromEntries(values) };
}

export function requestOf(form: FormDialog): JobRequest {
	return { verb: form.form, values: valuesOf(form) };
}

export const memoryKey = ({ form, subject }: FormDialog): string => `${form}|${subject}`;

/** Fills in what the form held when it was last open. */
export function withMemory(form: FormDialog, memory: State['formMemory']): FormDialog {
	const old = memory.get(memoryKey(form));
	if (!old) return form;
	const fields = form.fields.map((field): Field => {
		const value = isFocusable(field) ? old[field.name] : undefined;
		if (value === undefined || value === null) return field;
		switch (field.kind) {
			case 'text':
			case 'path':
			case 'number':
				return { ...field, field: fieldOf(String(value)) };
			case 'check':
				return { ...field, value: value === true };
			case 'choice':
			case 'radio':
				return field.options.some((option) => option.value === value)
					? { ...field, value: String(value) }
					: field;
			default:
				return field;
		}
	});
	return { ...form, fields };
}

/** Shows errors on their fields; the focus jumps to the first. What no field shows stands below them all. */
export function withErrors(form: FormDialog, errors: Readonly<Record<string, string>>): FormDialog {
	const isHidden = (name: string) =>
		name !== '' && !focusableFields(form).some((field) => field.name === name);
	const more = form.fields.find(({ name }) => name === MORE);
	if (more?.kind === 'check' && !more.value && Object.keys(errors).some(isHidden)) {
		const opened = form.fields.map((field) => (field === more ? { ...more, value: true } : field));
		return withErrors({ ...form, fields: opened }, errors);
	}
	const shown = Object.entries(errors).filter(([name]) => !isHidden(name));
	const [hidden] = Object.entries(errors).filter(([name]) => isHidden(name));
	const all = Object.fromEntries(hidden ? [['', hidden[1]], ...shown] : shown);
	const first = focusableFields(form).find(({ name }) => all[name] !== undefined);
	const marked = { ...form, errors: all };
	return first ? focusOn(marked, first.name) : marked;
}

/** Takes an estimate; an answer to older values is dropped. */
export function estimated(
	form: FormDialog,
	wish: NonNullable<FormDialog['estimate']>,
	estimate: JobEstimate,
): FormDialog {
	if (form.estimate !== wish) return form;
	return {
		...form,
		notes: estimate.notes,
		warnings: estimate.warnings,
		isEstimating: false,
	};
}

/** True when Tab shall complete: at the end of a path that was typed since it last did. */
export function wantsCompletion(form: FormDialog): boolean {
	const field = focusedField(form);
	return (
		field?.kind === 'path' &&
		field.field.cursor === field.field.text.length &&
		field.field.text !== '' &&
		field.field.text !== form.passed
	);
}
