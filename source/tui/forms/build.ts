/** Small makers for the fields and buttons of forms. */

import { changed, focusableFields, MORE, passing, withMemory } from '../state/form.ts';
import type { Button, Field, FormDialog, Option, Preset, State, When } from '../state/state.ts';
import { fieldOf } from '../state/text-field.ts';

export const textField = (name: string, label: string, text = ''): Field => ({
	kind: 'text',
	name,
	label,
	field: fieldOf(text),
});

export const pathField = (name: string, label: string, text = ''): Field => ({
	kind: 'path',
	name,
	label,
	field: fieldOf(text),
	onlyFolders: false,
});

/** A path that completes to folders only. */
export const folderField = (name: string, label: string, text = ''): Field => ({
	kind: 'path',
	name,
	label,
	field: fieldOf(text),
	onlyFolders: true,
});

export const numberField = (
	name: string,
	label: string,
	value: number,
	about: { readonly unit: string; readonly presets: readonly Preset[] },
): Field => ({ kind: 'number', name, label, field: fieldOf(String(value)), ...about });

export const check = (name: string, label: string, text: string, value = false): Field => ({
	kind: 'check',
	name,
	label,
	text,
	value,
});

export const radio = (
	name: string,
	label: string,
	options: readonly Option[],
	value: string,
): Field => ({ kind: 'radio', name, label, options, value });

export const choice = (
	name: string,
	label: string,
	options: readonly Option[],
	value: string,
): Field => ({ kind: 'choice', name, label, options, value });

export const note = (label: string, text: string): Field => ({
	kind: 'note',
	name: `note:${label}`,
	label,
	text,
});

/** The check behind which the seldom used fields stand. */
export const moreOptions = check(MORE, 'More', 'show the other options');

/** Fields that are shown only while all of these hold. */
export const shownWhen = (when: readonly When[], ...fields: readonly Field[]): readonly Field[] =>
	fields.map((field) => ({ ...field, when: [...(field.when ?? []), ...when] }));

/** The seldom used fields. */
export const behindMore = (...fields: readonly Field[]): readonly Field[] =>
	shownWhen([{ field: MORE, is: [true] }], ...fields);

export const START: Button = { label: 'Start', action: { type: 'submit', isConfirmed: false } };
export const CANCEL: Button = { label: 'Cancel', action: { type: 'close' } };

/** What the images are now of which the form names some. */
function seenImages({ wim }: State, fixed: FormDialog['fixed'] = {}): FormDialog['fixed'] {
	const isOpenFile = wim.facts !== null && fixed['wim'] === wim.facts.path;
	return isOpenFile ? { seen: wim.images.map(({ metadata }) => metadata) } : {};
}

/** A form with what it held before; `estimates` asks the engine what the job would need. */
export function buildForm(
	state: State,
	parts: Pick<FormDialog, 'form' | 'subject' | 'title' | 'fields'> &
		Partial<Pick<FormDialog, 'buttons' | 'fixed' | 'isQuick'>> & {
			readonly estimates?: boolean;
			/** The last button, the safe one, has the focus at first. */
			readonly isDangerous?: boolean;
		},
): FormDialog {
	const form: FormDialog = {
		kind: 'form',
		form: parts.form,
		subject: parts.subject,
		title: parts.title,
		fields: parts.fields,
		buttons: parts.buttons ?? [START, CANCEL],
		focus: 0,
		fixed: { ...seenImages(state, parts.fixed), ...parts.fixed },
		errors: {},
		notes: [],
		warnings: [],
		estimate: null,
		isEstimating: false,
		completions: [],
		passed: null,
		isQuick: parts.isQuick ?? false,
	};
	const remembered = passing(withMemory(form, state.formMemory));
	const filled = parts.isDangerous
		? { ...remembered, focus: focusableFields(remembered).length + form.buttons.length - 1 }
		: remembered;
	if (parts.estimates === false) return filled;
	// Any request object turns estimates on; `changed` replaces it by the real one.
	return changed({ ...filled, estimate: { request: { verb: parts.form, values: {} } } });
}
