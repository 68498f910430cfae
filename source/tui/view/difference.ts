/** Differences of two images: folders with counts and files above, both sides of the one under the cursor below. */

import type { DifferenceKind, FactValue, ImageDifference } from '../engine-views.ts';
import {
	cutStart,
	fit,
	fitRight,
	joined,
	linesOf,
	NOTHING,
	type Shown,
	safe,
	shown,
	widthOf,
} from '../parts/text.ts';
import type { Theme } from '../parts/theme.ts';
import {
	differenceListHeight,
	differenceRows,
	differenceUnderCursor,
} from '../state/difference.ts';
import {
	DIFFERENCE_KINDS,
	type DifferenceCounts,
	type DifferenceRow,
	folderAt,
	nameOf,
} from '../state/difference-tree.ts';
import { isLate } from '../state/load.ts';
import type { State } from '../state/state.ts';
import { countText, factText, sizeText } from './columns.ts';
import { listBody, messageBody, styleRow } from './pane.ts';

const SIGNS: Readonly<Record<DifferenceKind, Shown>> = {
	added: '+' as Shown,
	removed: '-' as Shown,
	changed: '~' as Shown,
	moved: '>' as Shown,
};

const ONLY_KEYS: Readonly<Record<DifferenceKind, string>> = {
	added: 'a',
	removed: 'd',
	changed: 'c',
	moved: 'm',
};

/** `+12 -3 ~5`: how many of each kind, those of none left out. */
function countsText(counts: DifferenceCounts): Shown {
	const parts = DIFFERENCE_KINDS.filter((kind) => counts[kind] > 0).map(
		(kind) => shown`${SIGNS[kind]}${countText(counts[kind])}`,
	);
	return parts.length === 0 ? shown`none` : joined(parts, ' ' as Shown);
}

/** `+1.2 M`: how much more or less it is now. */
function growthText(bytes: number): Shown {
	if (bytes === 0) return shown`=`;
	return shown`${bytes > 0 ? ('+' as Shown) : ('-' as Shown)}${sizeText(Math.abs(bytes))}`;
}

/** `5.1 M -> 5.2 M`, or one size where there is but one. */
function sizesText({ kind, isFolder, sizeBefore, sizeAfter }: ImageDifference): Shown {
	if (isFolder) return shown`<DIR>`;
	if (kind === 'added' || kind === 'moved' || sizeBefore === sizeAfter) return sizeText(sizeAfter);
	if (kind === 'removed') return sizeText(sizeBefore);
	return shown`${sizeText(sizeBefore)} -> ${sizeText(sizeAfter)}`;
}

function whatText(theme: Theme, { kind, from, aspects }: ImageDifference): Shown {
	if (kind === 'moved') return shown`from ${theme.exact(from ?? '')}`;
	return kind === 'changed' ? safe(aspects.join(', ')) : NOTHING;
}

const SIZES_WIDTH = 16;

function rowText(state: State, theme: Theme, row: DifferenceRow, width: number): Shown {
	const { isFlat, filter } = state.difference;
	const isNarrow = width < 60;
	const nameWidth = Math.max(12, Math.floor((width - 4) * (isNarrow ? 0.5 : isFlat ? 0.55 : 0.42)));
	const rest = width - 4 - nameWidth - 2;
	if (row.type === 'folder') {
		const { folder } = row;
		const sign = folder.own ? SIGNS[folder.own.kind] : (' ' as Shown);
		const growth = isNarrow ? NOTHING : fitRight(growthText(folder.growth), SIZES_WIDTH);
		const gap = isNarrow ? NOTHING : shown`  `;
		const name = fit(shown`${theme.name(folder.name)}/`, nameWidth);
		return shown`${sign} ${name}  ${fit(shown`${growth}${gap}${countsText(folder.counts)}`, rest)}`;
	}
	const { difference } = row;
	const raw = isFlat || filter !== '' ? difference.path : nameOf(difference.path);
	const slash = difference.isFolder ? shown`/` : NOTHING;
	const name = fit(cutStart(shown`${theme.name(raw)}${slash}`, nameWidth), nameWidth);
	const sizes = isNarrow ? sizesText(difference) : fitRight(sizesText(difference), SIZES_WIDTH);
	const what = isNarrow ? NOTHING : whatText(theme, difference);
	return shown`${SIGNS[difference.kind]} ${name}  ${fit(shown`${sizes}  ${what}`, rest)}`;
}

const styleOf = (theme: Theme, kind: DifferenceKind | null): ((text: Shown) => Shown) => {
	switch (kind) {
		case 'added':
			return theme.done;
		case 'removed':
			return theme.unreadable;
		case 'changed':
			return theme.warning;
		default:
			return (text) => text;
	}
};

function emptyLines(state: State, theme: Theme): Shown[] {
	const { load, root, filter, only } = state.difference;
	if (load.status === 'failed') return [safe(load.error ?? 'cannot be compared')];
	if (load.status === 'loading') return isLate(load, state) ? [shown`comparing...`] : [];
	if (!root) return [];
	if (filter !== '') return [shown`nothing matches "${theme.exact(filter)}" (Esc clears)`];
	if (only !== null)
		return [shown`nothing ${safe(only)} here (${safe(ONLY_KEYS[only])} shows all again)`];
	return [shown`the images do not differ`];
}

/** Label, before and after in columns; one value where both are the same. */
function factLines(state: State, theme: Theme, width: number): Shown[] {
	const { facts, factsLoad, pair } = state.difference;
	const difference = differenceUnderCursor(state);
	if (!difference || !pair) return [];
	if (factsLoad.status === 'failed') return [shown` ${safe(factsLoad.error ?? '')}`];
	const column = Math.floor((width - 14) / 2);
	const value = (fact: FactValue | null): Shown =>
		fact === null ? shown`-` : theme.exact(factText(fact, state.settings.utc));
	const line = (mark: Shown, label: Shown, before: Shown, after: Shown): Shown =>
		shown` ${mark} ${fit(label, 9)} ${fit(before, column)} ${fit(after, column)}`;
	return [
		theme.strong(
			line(' ' as Shown, NOTHING, shown`image ${pair.before}`, shown`image ${pair.after}`),
		),
		...facts.map(({ label, before, after }) =>
			line(
				before === after ? (' ' as Shown) : ('~' as Shown),
				theme.exact(label),
				value(before),
				value(after),
			),
		),
	];
}

export function differenceBody(state: State, theme: Theme, width: number, height: number): Shown {
	const { list, load } = state.difference;
	const rows = differenceRows(state);
	if (rows.length === 0 || load.status === 'failed')
		return messageBody(emptyLines(state, theme), width, height);
	const listHeight = differenceListHeight(state);
	const body = listBody(list, rows.length, listHeight, (i, isCursor) => {
		const row = rows[i]!;
		const text = fit(
			shown`${isCursor ? ('>' as Shown) : (' ' as Shown)} ${rowText(state, theme, row, width)}`,
			width,
		);
		if (isCursor) return styleRow(theme, text, 'plain', 'focused');
		const kind = row.type === 'folder' ? (row.folder.own?.kind ?? null) : row.difference.kind;
		return styleOf(theme, kind)(text);
	});
	if (listHeight === height) return body;
	const shownRows = Math.min(rows.length - list.top, listHeight);
	const gap = Array.from({ length: listHeight - shownRows + 1 }, () => NOTHING);
	const facts = factLines(state, theme, width).slice(0, height - listHeight - 1);
	return linesOf([body, ...gap, ...facts]);
}

/** `1 -> 3: \Windows\  +12 -3 ~5`. */
export function differenceAbout(state: State, theme: Theme): Shown {
	const { pair, path, root, load, only } = state.difference;
	const late = isLate(load, state);
	const dots = late ? shown` ...` : NOTHING;
	if (!pair || !root) return dots;
	const folder = folderAt(root, path);
	const slash = path.endsWith('\\') ? NOTHING : shown`\\`;
	const counts = folder ? shown`  ${countsText(folder.counts)}` : NOTHING;
	const kind = only === null ? NOTHING : shown`  only ${safe(only)}`;
	const images = shown`${pair.before} -> ${pair.after}: `;
	const room = state.columns - 34 - widthOf(images) - widthOf(counts) - widthOf(kind);
	return shown`${images}${cutStart(theme.exact(path), Math.max(8, room))}${slash}${dots}${counts}${kind}`;
}

export function differenceRight(state: State): Shown {
	const { isFlat, root } = state.difference;
	if (!root) return NOTHING;
	return shown`${isFlat ? shown`list ` : NOTHING}${countText(differenceRows(state).length)}`;
}

/** What the signs mean, where nothing else is to say. */
export function differenceNote(state: State): Shown {
	if (!state.difference.root) return NOTHING;
	return shown`+ added  - removed  ~ changed  > moved   (only one kind: a d c m)`;
}
