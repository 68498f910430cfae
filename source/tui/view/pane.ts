/** What panes have in common: titles, cursor rows, lists of which only the visible rows exist. */

import {
	blank,
	cut,
	cutStart,
	fit,
	joined,
	linesOf,
	NOTHING,
	type Shown,
	shown,
	widthOf,
	wrapped,
} from '../parts/text.ts';
import type { Theme } from '../parts/theme.ts';
import type { ListState } from '../state/list.ts';

/**
 * A pane's title row, exactly `width` columns: name, what it shows, and at the right how much of it.
 * The focused one is in brackets and reversed, so that the focus shows without colour.
 */
export function titleRow(
	theme: Theme,
	options: {
		readonly name: Shown;
		readonly about?: Shown;
		readonly right?: Shown;
		/** A path, whose end says more than its beginning. */
		readonly isPath?: boolean;
		readonly isFocused: boolean;
		readonly width: number;
	},
): Shown {
	const { name, about = NOTHING, isFocused, width } = options;
	const head = isFocused ? shown`[${name}]` : shown` ${name} `;
	const headWidth = Math.min(width, widthOf(head));
	const room = width - headWidth;
	const right = options.right && widthOf(options.right) + 4 <= room ? options.right : NOTHING;
	const aboutRoom = room - widthOf(right) - (right === '' ? 1 : 2);
	const middle = about === '' ? NOTHING : (options.isPath ? cutStart : cut)(about, aboutRoom);
	const rest = fit(shown` ${middle}`, room - widthOf(right));
	const shownHead = fit(head, headWidth);
	return shown`${isFocused ? theme.focused(shownHead) : theme.title(shownHead)}${rest}${right}`;
}

/** The visible rows of a list as one text, `height` lines of exactly `width` columns. */
export function listBody(
	list: ListState,
	count: number,
	height: number,
	row: (index: number, isCursor: boolean) => Shown,
): Shown {
	const lines: Shown[] = [];
	const end = Math.min(count, list.top + height);
	for (let i = list.top; i < end; i++) lines.push(row(i, i === list.cursor));
	return linesOf(lines);
}

/** A sentence in an otherwise empty pane, cut into lines. */
export function messageBody(lines: readonly Shown[], width: number, height: number): Shown {
	const rows = lines.flatMap((line) => wrapped(line, width - 2));
	return linesOf(rows.slice(0, height).map((line) => shown` ${line}`));
}

export type RowState =
	| 'plain'
	| 'marked'
	| 'damaged'
	| 'unreadable'
	| 'link'
	| 'added'
	| 'deleted'
	| 'edited';

const MARKS: Readonly<Record<RowState, string>> = {
	plain: ' ',
	marked: '*',
	damaged: '!',
	unreadable: '?',
	link: '@',
	added: '+',
	deleted: '-',
	edited: '~',
};

/**
 * The sign in the first column: what the row is, and on plain rows the cursor's `>`. On others the cursor stands
 * in the blank behind it, see `cursorBlank`.
 */
export function markOf(state: RowState, isCursor: boolean): Shown {
	return (state === 'plain' && isCursor ? '>' : MARKS[state]) as Shown;
}

/** The blank before a name, with the cursor's `>` where the first column says what the row is. */
export function cursorBlank(mark: Shown, isCursor: boolean): Shown {
	return (isCursor && mark !== '>' ? '>' : ' ') as Shown;
}

/** Styles a whole row by its state and by the cursor. */
export function styleRow(
	theme: Theme,
	text: Shown,
	state: RowState,
	cursor: 'none' | 'focused' | 'idle',
): Shown {
	if (cursor === 'focused') return theme.cursor(text);
	if (cursor === 'idle') return theme.idleCursor(text);
	switch (state) {
		case 'marked':
			return theme.marked(text);
		case 'damaged':
			return theme.damaged(text);
		case 'unreadable':
		case 'deleted':
			return theme.unreadable(text);
		case 'added':
			return theme.done(text);
		case 'edited':
			return theme.warning(text);
		default:
			return text;
	}
}

/** Cells of fixed widths side by side, one space between. */
export function cellsRow(cells: readonly Shown[]): Shown {
	return joined(cells, blank(1));
}
