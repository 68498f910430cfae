/** A form as lines: its fields, what is known of the job, and the buttons, which never scroll away. */

import {
	blank,
	fit,
	joined,
	NOTHING,
	type Shown,
	safe,
	shown,
	widthOf,
	wrapped,
} from '../parts/text.ts';
import type { Theme } from '../parts/theme.ts';
import { focusableFields, focusedButton, shownFields } from '../state/form.ts';
import type { Field, FormDialog, State } from '../state/state.ts';
import {
	boxed,
	buttonRows,
	type DialogBox,
	fieldText,
	HEIGHT_MAX,
	innerWidth,
	isFullScreen,
	LABEL_WIDTH,
	WIDTH_MAX,
} from './box.ts';

/** Rows kept for the estimate, so that nothing moves when it comes. */
const NOTE_ROWS = 2;
/** Fields that must be in view before notes may take room from them. */
const FIELD_ROWS_MIN = 4;
/** Names of completions shown below a path. */
const COMPLETIONS_SHOWN = 8;
const NUMBER_WIDTH = 7;

function optionsText(field: Extract<Field, { kind: 'radio' | 'choice' }>, room: number): Shown {
	const all = joined(
		field.options.map(
			({ value, label }) => shown`(${value === field.value ? shown`*` : shown` `}) ${safe(label)}`,
		),
		'  ' as Shown,
	);
	// Where not all fit, only the chosen one is shown.
	if (field.kind === 'choice' || widthOf(all) > room) {
		const label = field.options.find(({ value }) => value === field.value)?.label ?? '';
		return shown`< ${safe(label)} >`;
	}
	return all;
}

function numberText(
	theme: Theme,
	field: Extract<Field, { kind: 'number' }>,
	room: number,
	isFocused: boolean,
): Shown {
	const presets = field.presets.map(({ key, label }) => safe(`${key} ${label}`));
	const about = presets.length > 0 ? shown`  presets: ${joined(presets, '  ' as Shown)}` : NOTHING;
	const unit = shown` ${safe(field.unit)}${about}`;
	// Only what has no style of its own is fitted.
	const left = fit(unit, Math.max(0, room - NUMBER_WIDTH - 4));
	return shown`[ ${fieldText(theme, field.field, NUMBER_WIDTH, isFocused)} ]${left}`;
}

function fieldRow(theme: Theme, field: Field, inner: number, isFocused: boolean): Shown {
	const label = fit(theme.exact(field.label), LABEL_WIDTH);
	const room = inner - LABEL_WIDTH - 1;
	switch (field.kind) {
		case 'note':
			return shown`${label} ${fit(theme.exact(field.text), room)}`;
		case 'check': {
			const sign = field.value ? shown`[x]` : shown`[ ]`;
			const text = fit(shown`${sign} ${theme.exact(field.text)}`, room);
			return shown`${label} ${isFocused ? theme.cursor(text) : text}`;
		}
		case 'radio':
		case 'choice': {
			const text = fit(optionsText(field, room), room);
			return shown`${label} ${isFocused ? theme.cursor(text) : text}`;
		}
		case 'number':
			return shown`${label} ${numberText(theme, field, room, isFocused)}`;
		default:
			return shown`${label} ${fieldText(theme, field.field, room, isFocused)}`;
	}
}

interface Rows {
	readonly lines: Shown[];
	/** First and last line that belong to the field with the focus. */
	focus: readonly [first: number, last: number] | null;
}

const styledLines = (text: Shown, inner: number, style: (text: Shown) => Shown): Shown[] =>
	wrapped(text, inner).map((line) => style(fit(line, inner)));

const plain = (text: Shown): Shown => text;

/** The fields, each with its error and its completions below it. */
function fieldRows(theme: Theme, form: FormDialog, inner: number): Rows {
	const focused = focusableFields(form)[form.focus];
	const rows: Rows = { lines: [], focus: null };
	for (const field of shownFields(form)) {
		const first = rows.lines.length;
		rows.lines.push(fieldRow(theme, field, inner, field === focused));
		const error = form.errors[field.name];
		if (error !== undefined)
			rows.lines.push(...styledLines(shown`! ${theme.exact(error)}`, inner, theme.damaged));
		if (field !== focused) continue;
		if (form.completions.length > 1) {
			const names = theme.exact(form.completions.slice(0, COMPLETIONS_SHOWN).join('  '));
			rows.lines.push(...styledLines(names, inner, theme.unavailable));
		}
		rows.focus = [first, rows.lines.length - 1];
	}
	return rows;
}

/** What concerns the whole form: an error, the estimate, warnings. */
function noteRows(theme: Theme, form: FormDialog, inner: number): Shown[] {
	const lines: Shown[] = [];
	const error = form.errors[''];
	if (error !== undefined)
		lines.push(...styledLines(shown`! ${theme.exact(error)}`, inner, theme.damaged));
	// What an older estimate said stays until the new one is there.
	for (const note of form.notes) lines.push(...styledLines(theme.exact(note), inner, plain));
	if (form.isEstimating && form.notes.length === 0) lines.push(fit(shown`...`, inner));
	for (const warning of form.warnings)
		lines.push(...styledLines(shown`! ${theme.exact(warning)}`, inner, theme.warning));
	if (form.estimate !== null) while (lines.length < NOTE_ROWS) lines.push(blank(inner));
	return lines;
}

/** The same with one line each, the most important first, for where there is no room. */
function tightNotes(theme: Theme, form: FormDialog, inner: number): Shown[] {
	const error = form.errors[''];
	const one = (text: string): Shown => fit(theme.exact(text), inner);
	return [
		...(error === undefined ? [] : [theme.damaged(one(`! ${error}`))]),
		...form.warnings.map((text) => theme.warning(one(`! ${text}`))),
		...form.notes.map(one),
		...(form.isEstimating && form.notes.length === 0 ? [one('...')] : []),
	];
}

/** The part of the fields that is in view, with a mark on each side where more of them are. */
function scrolled(
	rows: Rows,
	room: number,
	inner: number,
): { readonly lines: readonly Shown[]; readonly above: boolean; readonly below: boolean } {
	const [first, last] = rows.focus ?? [rows.lines.length - 1, rows.lines.length - 1];
	const centred = Math.floor((first + last + 1 - room) / 2);
	const least = Math.max(0, last - room + 1);
	const top = Math.max(0, Math.min(Math.max(centred, least), rows.lines.length - room));
	const lines = rows.lines.slice(top, top + room);
	while (lines.length < room) lines.push(blank(inner));
	return { lines, above: top > 0, below: top + room < rows.lines.length };
}

export function formBox(state: State, theme: Theme, form: FormDialog): DialogBox {
	const inner = innerWidth(state, WIDTH_MAX);
	const isFull = isFullScreen(state);
	const heightMax = Math.max(1, isFull ? state.rows - 3 : Math.min(HEIGHT_MAX - 2, state.rows - 4));
	const rows = fieldRows(theme, form, inner);
	const notes = noteRows(theme, form, inner);
	const buttons = buttonRows(theme, form.buttons, focusedButton(form), inner);
	const title = theme.exact(form.title);
	const space = [blank(inner)];
	const airy = [
		...(isFull ? [] : space),
		...rows.lines,
		...(notes.length > 0 ? [...space, ...notes] : []),
		...space,
		...buttons,
	];
	if (airy.length <= heightMax)
		return steady(state, boxed(state, theme, title, airy, inner), {
			extra: rows.lines.length - shownFields(form).length + Math.max(0, notes.length - NOTE_ROWS),
		});
	const tight = tightNotes(theme, form, inner);
	const notesShown = tight.slice(0, Math.max(0, heightMax - buttons.length - FIELD_ROWS_MIN));
	const below = [...notesShown, ...buttons].slice(0, heightMax - 1);
	const fields = scrolled(rows, heightMax - below.length, inner);
	const box = boxed(state, theme, title, [...fields.lines, ...below], inner);
	return withScrollMarks(theme, box, fields.lines.length, fields);
}

/** What comes and goes (errors, completions, long notes) makes the box longer at its end, as far as there is room. */
function steady(state: State, box: DialogBox, { extra }: { readonly extra: number }): DialogBox {
	const usual = Math.floor((state.rows - (box.lines.length - extra)) / 2);
	// The status row and the footer stay in view.
	return { ...box, y: Math.max(0, Math.min(usual, state.rows - 2 - box.lines.length)) };
}

/** `^` and `v` in the right edge where the fields go on. */
function withScrollMarks(
	theme: Theme,
	box: DialogBox,
	fieldCount: number,
	{ above, below }: { readonly above: boolean; readonly below: boolean },
): DialogBox {
	const { vertical } = theme.box;
	const marked = (line: Shown, sign: Shown): Shown =>
		shown`${line.slice(0, -vertical.length) as Shown}${sign}`;
	const lines = box.lines.map((line, at) => {
		if (above && at === 1) return marked(line, shown`^`);
		if (below && at === fieldCount) return marked(line, shown`v`);
		return line;
	});
	return { ...box, lines };
}
