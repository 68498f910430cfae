/** Dialogs as lines of text: a box over the unchanged screen, or all of a narrow one. */

import type { Keymap } from '../keys/keymap.ts';
import { keyLabel } from '../keys/keymap.ts';
import { type Match, matchingCommands } from '../keys/palette.ts';
import {
	blank,
	cut,
	cutStart,
	fit,
	joined,
	NOTHING,
	type Shown,
	safe,
	shown,
	spread,
	widthOf,
	wrapped,
} from '../parts/text.ts';
import { createTheme, type Theme } from '../parts/theme.ts';
import { isLate } from '../state/load.ts';
import { entryUnderCursor, focusOf } from '../state/selectors.ts';
import type {
	ConfirmDialog,
	Dialog,
	EntryKey,
	FactsDialog,
	HelpDialog,
	PagerDialog,
	PaletteDialog,
	State,
} from '../state/state.ts';
import {
	boxed,
	buttonRows,
	type DialogBox,
	type FactRow,
	fieldText,
	HEIGHT_MAX,
	innerWidth,
	isFullScreen,
	LABEL_WIDTH,
	WIDTH_MAX,
} from './box.ts';
import {
	guessEncoding,
	hexRow,
	hexRowCount,
	looksBinary,
	nothingInIt,
	textRows,
} from './content.ts';
import { formBox } from './form-box.ts';

function confirmBox(state: State, theme: Theme, dialog: ConfirmDialog): DialogBox {
	const inner = innerWidth(state, WIDTH_MAX);
	const lines: Shown[] = isFullScreen(state) ? [] : [blank(inner)];
	for (const text of dialog.lines)
		for (const line of wrapped(theme.exact(text), inner)) lines.push(fit(line, inner));
	if (dialog.word !== null)
		lines.push(fieldText(theme, dialog.typed, Math.min(20, inner), true) as Shown);
	const padded = lines.map((line) =>
		dialog.word !== null && line === lines.at(-1)
			? shown`${line}${blank(inner - Math.min(20, inner))}`
			: line,
	);
	padded.push(blank(inner), ...buttonRows(theme, dialog.buttons, dialog.focus, inner));
	return boxed(state, theme, theme.exact(dialog.title), padded, inner, padded.length);
}

/** Rows of help and palette that are visible at once. */
function menuHeight(state: State): number {
	return Math.max(3, Math.min(HEIGHT_MAX - 6, state.rows - 9));
}

function paletteBox(state: State, theme: Theme, keymap: Keymap, dialog: PaletteDialog): DialogBox {
	const inner = innerWidth(state, WIDTH_MAX);
	const matches = matchingCommands(keymap, state, 'palette', dialog.query.text);
	const height = Math.min(menuHeight(state), 10);
	const cursor = Math.min(dialog.list.cursor, Math.max(0, matches.length - 1));
	const top = Math.max(0, Math.min(dialog.list.top, cursor), cursor - height + 1);
	const rows = matches.slice(top, top + height).map((match, i) => {
		const { command, reason } = match;
		const isCursor = top + i === cursor;
		const keys = safe(command.keys.slice(0, 2).map(keyLabel).join(' '));
		const place = match.isHere ? NOTHING : safe(command.when[0] ?? '');
		const right = shown` ${fit(keys, 9)} ${fit(place, 8)}`;
		const about =
			reason === null ? safe(command.title) : shown`${safe(command.title)} (${safe(reason)})`;
		const text = spread(shown`${isCursor ? shown`> ` : shown`  `}${about}`, right, inner);
		if (isCursor) return theme.cursor(text);
		return reason === null ? text : theme.unavailable(text);
	});
	while (rows.length < height) rows.push(blank(inner));
	const all = matchingCommands(keymap, state, 'palette', '').length;
	const count = shown`${matches.length} of ${all}`;
	return boxed(
		state,
		theme,
		shown`Command`,
		[
			shown`: ${fieldText(theme, dialog.query, inner - 2, true)}`,
			...rows,
			blank(inner),
			fit(
				shown`${count}     Enter run   Esc close${inner < 50 ? NOTHING : shown`   Tab complete`}`,
				inner,
			),
		],
		inner,
	);
}

const GROUP_NAMES: Readonly<Record<string, string>> = {
	move: 'MOVE',
	do: 'DO',
	find: 'FIND',
	job: 'JOBS',
	everywhere: 'EVERYWHERE',
};

type HelpCell = { readonly heading: string } | { readonly at: number };

/** Matches with a heading before each group; headings cannot have the cursor. */
function helpCells(matches: readonly Match[]): readonly HelpCell[] {
	const cells: HelpCell[] = [];
	let group = '';
	for (const [at, { command }] of matches.entries()) {
		if (command.group !== group) cells.push({ heading: GROUP_NAMES[command.group] ?? '' });
		group = command.group;
		cells.push({ at });
	}
	return cells;
}

function helpBox(state: State, theme: Theme, keymap: Keymap, dialog: HelpDialog): DialogBox {
	const inner = innerWidth(state, 78);
	const matches = matchingCommands(keymap, state, 'help', dialog.query.text);
	const cells = helpCells(matches);
	const columns = inner >= 64 ? 2 : 1;
	const cellWidth = Math.floor((inner - (columns - 1)) / columns);
	const keysWidth = columns === 2 ? 12 : 14;
	const cursor = Math.min(dialog.list.cursor, Math.max(0, matches.length - 1));
	const height = Math.max(1, Math.min(state.rows - 6, Math.ceil(cells.length / columns)));
	const perPage = height * columns;
	const cursorCell = cells.findIndex((cell) => 'at' in cell && cell.at === cursor);
	const top = Math.floor(Math.max(0, cursorCell) / perPage) * perPage;
	const cellText = (i: number): Shown => {
		const cell = cells[i];
		if (!cell) return blank(cellWidth);
		if ('heading' in cell) return theme.strong(fit(safe(cell.heading), cellWidth));
		const { command, reason } = matches[cell.at]!;
		const keys = joined(
			command.keys.slice(0, 3).map((key) => safe(keyLabel(key))),
			' ' as Shown,
		);
		const title =
			reason === null ? safe(command.title) : shown`${safe(command.title)}: ${safe(reason)}`;
		const text = fit(shown`${fit(keys, keysWidth)} ${title}`, cellWidth);
		if (cell.at === cursor) return theme.cursor(text);
		return reason === null ? text : theme.unavailable(text);
	};
	const rest = blank(inner - cellWidth * columns - (columns - 1));
	const rows = Array.from({ length: height }, (_, y) => {
		const parts = Array.from({ length: columns }, (_unused, x) => cellText(top + x * height + y));
		return shown`${joined(parts, ' ' as Shown)}${rest}`;
	});
	const pages = Math.ceil(cells.length / perPage);
	const page = pages > 1 ? shown`   ${Math.floor(top / perPage) + 1} of ${pages}` : NOTHING;
	return boxed(
		state,
		theme,
		shown`Keys: ${safe(focusOf(state))}${columns === 2 ? shown`   (type to search, Enter runs)` : NOTHING}${page}`,
		[fieldText(theme, dialog.query, inner, true), ...rows],
		inner,
	);
}

/** Rows that a pager shows at once. */
export function pagerHeight(state: State): number {
	return Math.max(1, state.rows - 6);
}

/** All of the screen but its edges: 80 columns take a whole hex row with its letters. */
const pagerWidth = (state: State): number => state.columns - (isFullScreen(state) ? 2 : 4);

/** The lines of a pager from `top`; only those are made. */
function pagerLines(
	state: State,
	theme: Theme,
	dialog: PagerDialog,
	top: number,
	height: number,
): readonly Shown[] {
	const width = pagerWidth(state);
	const { source } = dialog;
	if (source.type === 'messages' && state.messages.length === 0) return [shown`no messages so far`];
	if (source.type === 'messages')
		return state.messages
			.flatMap(({ text }) => wrapped(theme.exact(text), width))
			.slice(top, top + height);
	if (source.type === 'job')
		return jobLogLines(state, source.id, theme, width).slice(top, top + height);
	const content = contentOf(state, dialog);
	const { contentLoad } = state.details;
	if (contentLoad.status === 'failed') return wrapped(safe(contentLoad.error ?? ''), width);
	if (!content) return isLate(contentLoad, state) ? [shown`reading...`] : [];
	if (content.totalSize === 0) return [nothingInIt(entryUnderCursor(state))];
	if (isHex(state, dialog))
		return Array.from(
			{ length: Math.max(0, Math.min(height, hexRowCount(content.bytes, width) - top)) },
			(_, i) => hexRow(content.bytes, top + i, width),
		);
	return textRows(content.bytes, dialog.encoding ?? null, width).slice(top, top + height);
}

const isSameKey = (a: EntryKey, b: EntryKey): boolean =>
	a.position === b.position && a.imageIndex === b.imageIndex;

/** What has been read of the pager's entry; null while another one's content is still there. */
function contentOf({ details }: State, { source }: PagerDialog): State['details']['content'] {
	const { content } = details;
	return content && source.type === 'content' && isSameKey(content.key, source.key)
		? content
		: null;
}

/** `x` turns round what the content suggests. */
export function isHex(state: State, dialog: PagerDialog): boolean {
	const content = contentOf(state, dialog);
	return content !== null && looksBinary(content.bytes) !== dialog.asHex;
}

function jobLogLines(state: State, id: number, theme: Theme, width: number): Shown[] {
	const job = state.jobs.jobs.find((one) => one.id === id);
	if (!job) return [];
	const lines = job.log.flatMap((line) => wrapped(theme.exact(line), width));
	return lines.length === 0 ? [shown`nothing to report so far`] : lines;
}

export function pagerLineCount(state: State, dialog: PagerDialog): number {
	const width = pagerWidth(state);
	const { source } = dialog;
	const plain = { exact: safe } as Theme;
	if (source.type === 'messages')
		return state.messages.flatMap(({ text }) => wrapped(safe(text), width)).length;
	if (source.type === 'job') return jobLogLines(state, source.id, plain, width).length;
	const content = contentOf(state, dialog);
	if (!content) return 0;
	if (content.totalSize === 0) return 1;
	return isHex(state, dialog)
		? hexRowCount(content.bytes, width)
		: textRows(content.bytes, dialog.encoding ?? null, width).length;
}

function pagerName(state: State, theme: Theme, { source }: PagerDialog): Shown {
	if (source.type === 'messages') return shown`Messages`;
	if (source.type === 'content') return theme.exact(source.name);
	const job = state.jobs.jobs.find(({ id }) => id === source.id);
	return job
		? shown`Log of job ${safe(job.label)}: ${theme.exact(job.verb)} ${theme.exact(job.title)}`
		: shown`Log`;
}

/** How much of a content is shown, and as what. */
function contentAbout(state: State, dialog: PagerDialog): Shown {
	const content = contentOf(state, dialog);
	const part =
		content && content.totalSize > content.bytes.length
			? shown` (first ${content.bytes.length / 1024} K)`
			: NOTHING;
	const how =
		!content || content.bytes.length === 0
			? NOTHING
			: isHex(state, dialog)
				? shown`   hex`
				: shown`   ${safe(dialog.encoding ?? guessEncoding(content.bytes))}`;
	return shown`${part}${how}`;
}

function pagerBox(state: State, theme: Theme, dialog: PagerDialog): DialogBox {
	const inner = pagerWidth(state);
	const height = pagerHeight(state);
	const count = pagerLineCount(state, dialog);
	const topMax = Math.max(0, count - height);
	const top = dialog.follows ? topMax : Math.min(dialog.top, topMax);
	const lines = pagerLines(state, theme, dialog, top, height).map((line) => fit(line, inner));
	while (lines.length < height) lines.push(blank(inner));
	const end = Math.min(count, top + height);
	const isComing = dialog.source.type === 'content' && contentOf(state, dialog) === null;
	const place = isComing ? NOTHING : shown`   ${count === 0 ? 0 : top + 1}-${end} of ${count}`;
	const about = shown`${contentAbout(state, dialog)}${place}`;
	const name = pagerName(state, theme, dialog);
	const room = inner - (isFullScreen(state) ? 4 : 2) - widthOf(about);
	const short = dialog.source.type === 'content' ? cutStart(name, room) : cut(name, room);
	const title = shown`${short}${about}`;
	return boxed(state, theme, title, lines, inner);
}

const factsWidth = (state: State): number => innerWidth(state, 76);

/** Columns of the values: the table's lines between and beside the cells are those of the box. */
const valueWidth = (state: State): number =>
	factsWidth(state) - LABEL_WIDTH - (isFullScreen(state) ? 5 : 3);

function factRows(state: State, theme: Pick<Theme, 'exact'>, dialog: FactsDialog): FactRow[] {
	return dialog.rows.flatMap(([label, value]) =>
		wrapped(theme.exact(value), valueWidth(state)).map((line, i) => ({
			FACT: fit(i === 0 ? theme.exact(label) : NOTHING, LABEL_WIDTH),
			VALUE: fit(line, valueWidth(state)),
		})),
	);
}

/** Rows of facts that are visible at once, below their heading. */
const factsHeight = (state: State): number => Math.max(1, pagerHeight(state) - 1);

/** The last line that can be the first of the window. */
export function factsTopMax(state: State, dialog: FactsDialog): number {
	const exact = createTheme(state.settings.symbols, 'never').exact;
	return Math.max(0, factRows(state, { exact }, dialog).length - factsHeight(state));
}

function factsBox(state: State, theme: Theme, dialog: FactsDialog): DialogBox {
	const height = factsHeight(state);
	const all = factRows(state, theme, dialog);
	const top = Math.min(dialog.top, Math.max(0, all.length - height));
	const rows = all.slice(top, top + height);
	const side = isFullScreen(state) ? blank(1) : NOTHING;
	const cells = (fact: Shown, value: Shown): Shown =>
		shown`${side}${fact} ${theme.divider} ${value}${side}`;
	const heading = cells(
		theme.strong(fit(shown`FACT`, LABEL_WIDTH)),
		theme.strong(fit(shown`VALUE`, valueWidth(state))),
	);
	const lines = [heading, ...rows.map(({ FACT, VALUE }) => cells(FACT, VALUE))];
	const box = boxed(state, theme, theme.exact(dialog.title), lines, factsWidth(state));
	return { ...box, table: { rows, widths: [LABEL_WIDTH, valueWidth(state)] } };
}

/** The topmost dialog as lines. */
export function dialogBox(state: State, theme: Theme, keymap: Keymap, dialog: Dialog): DialogBox {
	switch (dialog.kind) {
		case 'form':
			return formBox(state, theme, dialog);
		case 'confirm':
			return confirmBox(state, theme, dialog);
		case 'palette':
			return paletteBox(state, theme, keymap, dialog);
		case 'help':
			return helpBox(state, theme, keymap, dialog);
		case 'pager':
			return pagerBox(state, theme, dialog);
		case 'facts':
			return factsBox(state, theme, dialog);
	}
}
