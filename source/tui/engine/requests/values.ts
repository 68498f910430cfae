/** Reading the values of a form. */

import type { FormValue, JobRequest } from '../../engine.ts';
import { withHome } from '../home-path.ts';

export type Values = JobRequest['values'];

export const textOf = (values: Values, name: string): string => String(values[name] ?? '');

/** A path or name as typed, without the blanks around it. */
export const trimmed = (values: Values, name: string): string => textOf(values, name).trim();

/** Null for an empty field. */
export const textOrNull = (values: Values, name: string): string | null =>
	trimmed(values, name) === '' ? null : trimmed(values, name);

export const isOn = (values: Values, name: string): boolean => values[name] === true;

export const listOf = (value: FormValue | undefined): readonly string[] =>
	Array.isArray(value) ? value.map(String) : [];

/** On is on; off leaves it as the file has it. */
export const onOrAsIs = (values: Values, name: string): true | null =>
	isOn(values, name) ? true : null;

/** Patterns typed into a field, beside those that the open file was opened with. */
export const references = (values: Values): readonly string[] => {
	const typed = textOrNull(values, 'references');
	return typed === null ? listOf(values['refs']) : [...listOf(values['refs']), typed];
};

/** A path of this machine as typed, `~` for the home folder; from the work folder when relative. */
export const hostPath = (values: Values, name: string): string => withHome(trimmed(values, name));
