/** The frame of dialogs and what stands in all of them: text fields and buttons. */

import {
	blank,
	cut,
	cutStart,
	joined,
	NOTHING,
	repeat,
	type Shown,
	safe,
	shown,
	tailOf,
	widthOf,
} from '../parts/text.ts';
import type { Theme } from '../parts/theme.ts';
import type { Button, State } from '../state/state.ts';
import type { TextField } from '../state/text-field.ts';

export const WIDTH_MAX = 64;
export const HEIGHT_MAX = 20;
export const LABEL_WIDTH = 14;

/** A row of a table of facts, its cells padded. */
export type FactRow = Readonly<Record<'FACT' | 'VALUE', Shown>>;

/** What the component that draws tables gets: the same rows as the lines hold. */
export interface FactTable {
	readonly rows: readonly FactRow[];
	readonly widths: readonly [fact: number, value: number];
}

/** Lines of exactly `width` columns, and where their top left corner stands. */
export interface DialogBox {
	readonly x: number;
	readonly y: number;
	readonly width: number;
	readonly lines: readonly Shown[];
	/** The content once more, where it is a table. */
	readonly table?: FactTable;
}

export const isFullScreen = (state: State): boolean => state.columns < 60;

/** Columns inside the box. */
export function innerWidth(state: State, wanted: number): number {
	return isFullScreen(state) ? state.columns - 2 : Math.min(wanted, state.columns - 4) - 4;
}

/** Draws a box with its title in the upper edge. */
export function boxed(
	state: State,
	theme: Theme,
	title: Shown,
	content: readonly Shown[],
	inner: number,
	/** Line that must stay in view when the screen is too low for all. */
	focusLine = 0,
): DialogBox {
	const { box } = theme;
	const width = isFullScreen(state) ? state.columns : inner + 4;
	const room = width - 2;
	const name = cut(shown` ${title} `, room - 2);
	const side = isFullScreen(state) ? NOTHING : blank(1);
	const head = shown`${box.topLeft}${box.horizontal}${theme.strong(name)}${repeat(box.horizontal, room - 1 - widthOf(name))}${box.topRight}`;
	const foot = shown`${box.bottomLeft}${repeat(box.horizontal, room)}${box.bottomRight}`;
	const heightMax = Math.max(1, state.rows - (isFullScreen(state) ? 3 : 4));
	const top = Math.max(
		0,
		Math.min(focusLine - Math.floor(heightMax / 2), content.length - heightMax),
	);
	const lines = [
		head,
		...content
			.slice(top, top + heightMax)
			.map((line) => shown`${box.vertical}${side}${line}${side}${box.vertical}`),
		foot,
	];
	return {
		x: Math.max(0, Math.floor((state.columns - width) / 2)),
		y: Math.max(0, Math.floor((state.rows - lines.length) / 2)),
		width,
		lines,
	};
}

/** A text field of `width` columns with its cursor reversed; the cursor stays in view. */
export function fieldText(
	theme: Theme,
	field: TextField,
	width: number,
	isFocused: boolean,
): Shown {
	const before = theme.exact(field.text.slice(0, field.cursor));
	const code = field.text.codePointAt(field.cursor);
	const under = code === undefined ? shown` ` : theme.exact(String.fromCodePoint(code));
	const after = theme.exact(
		field.text.slice(field.cursor + (code === undefined ? 0 : String.fromCodePoint(code).length)),
	);
	if (!isFocused) {
		const whole = shown`${before}${code === undefined ? NOTHING : under}${after}`;
		const text = cutStart(whole, width);
		return shown`${text}${repeat('_' as Shown, width - widthOf(text))}`;
	}
	const room = Math.max(0, width - widthOf(under));
	const left = widthOf(before) <= room ? before : shown`~${tailOf(before, room - 1)}`;
	const right = cut(after, room - widthOf(left));
	const rest = repeat('_' as Shown, width - widthOf(left) - widthOf(under) - widthOf(right));
	return shown`${left}${theme.cursor(under)}${right}${rest}`;
}

/** The buttons in the middle of one row, or one below the other where that is too narrow. */
export function buttonRows(
	theme: Theme,
	buttons: readonly Button[],
	focused: number,
	inner: number,
): Shown[] {
	const texts = buttons.map(({ label }) => shown`[ ${safe(label)} ]`);
	const widths = texts.map(widthOf);
	const sum = widths.reduce((total, width) => total + width, 0);
	const gap = [2, 1].find((space) => sum + space * (texts.length - 1) <= inner);
	const styled = texts.map((text, i) => (i === focused ? theme.cursor(text) : text));
	if (gap === undefined)
		return styled.map((text, i) =>
			widths[i]! > inner ? cut(texts[i]!, inner) : shown`${text}${blank(inner - widths[i]!)}`,
		);
	const width = sum + gap * (texts.length - 1);
	const left = Math.floor((inner - width) / 2);
	return [shown`${blank(left)}${joined(styled, blank(gap))}${blank(inner - left - width)}`];
}
