/** The Files pane, and the hits of a search. */

import { EntryKind, UNNAMED_INDEX } from '../engine.ts';
import { cutStart, fit, fitRight, NOTHING, type Shown, safe, shown } from '../parts/text.ts';
import type { Theme } from '../parts/theme.ts';
import { isLate } from '../state/load.ts';
import type { SortKey } from '../state/order.ts';
import { type Entry, entryAt, entryPath, isDamagedRow } from '../state/selectors.ts';
import { renamedTo, type StagedSign, stagedSign } from '../state/staged.ts';
import type { State } from '../state/state.ts';
import { attributesText, countText, sizeText, timeText } from './columns.ts';
import { cursorBlank, listBody, markOf, messageBody, type RowState, styleRow } from './pane.ts';

const SIZE_WIDTH = 6;
const ATTRIBUTES_WIDTH = 6;
const NAME_MIN = 14;

interface Columns {
	readonly name: number;
	readonly hasAttributes: boolean;
	readonly time: 'none' | 'day' | 'minute';
}

const TIME_WIDTHS = { none: 0, day: 10, minute: 16 } as const;

/** Which columns have room beside a readable name. */
function columnsFor(width: number, isFind: boolean): Columns {
	const wanted = isFind ? NAME_MIN * 2 : NAME_MIN;
	for (const [hasAttributes, time] of [
		[true, 'minute'],
		[true, 'day'],
		[true, 'none'],
		[false, 'none'],
	] as const) {
		const rest =
			SIZE_WIDTH +
			1 +
			(hasAttributes ? ATTRIBUTES_WIDTH + 1 : 0) +
			(time === 'none' ? 0 : TIME_WIDTHS[time] + 1);
		const name = width - 2 - rest;
		const enough = time === 'minute' ? Math.max(24, wanted) : wanted;
		if (name >= enough || !hasAttributes) return { name: Math.max(4, name), hasAttributes, time };
	}
	return { name: width, hasAttributes: false, time: 'none' };
}

const SORT_NAMES: Readonly<Record<SortKey, string>> = {
	name: 'name',
	size: 'size',
	time: 'time',
	extension: 'ext',
	packed: 'packed',
	damage: 'damage',
};

/** `3: \Windows\` or what was searched. */
export function filesAbout(state: State, theme: Theme): Shown {
	const { listing, find, load } = state.files;
	if (!listing) return NOTHING;
	const late = isLate(load, state);
	const dots = late ? shown` ...` : NOTHING;
	const path = theme.exact(listing.path);
	const image =
		listing.imageIndex === UNNAMED_INDEX ? shown`(unnamed)` : shown`${listing.imageIndex}`;
	if (find !== null) return shown`${image}: found "${theme.exact(find)}"${dots}`;
	const slash = listing.path.endsWith('\\') ? NOTHING : shown`\\`;
	return shown`${image}: ${path}${slash}${dots}`;
}

/** `name^ 3812`: the order, and how many. */
export function filesRight(state: State): Shown {
	const { listing, order, sort, filter, reorder, isPartial } = state.files;
	if (!listing) return NOTHING;
	if (isPartial) return shown`${countText(order.length)} so far`;
	const sign = sort.descending ? shown`v` : shown`^`;
	const busy = reorder ? shown`~` : NOTHING;
	const all = listing.positions.length;
	const count =
		order.length === all ? countText(all) : shown`${countText(order.length)} of ${countText(all)}`;
	const mark = filter === '' ? NOTHING : shown`/`;
	return shown`${safe(SORT_NAMES[sort.key])}${sign}${busy} ${mark}${count}`;
}

function emptyLines(state: State, theme: Theme): Shown[] {
	const { load, listing, filter, find } = state.files;
	if (load.status === 'failed')
		return [theme.exact(load.error ?? 'cannot be read'), shown`R read again`];
	if (load.status === 'loading') return isLate(load, state) ? [shown`reading...`] : [];
	if (!listing) return state.wim.facts ? [shown`Enter on an image opens it here`] : [];
	if (filter !== '') return [shown`nothing matches "${theme.exact(filter)}" (Esc clears)`];
	if (find !== null) return [shown`nothing found (- goes back)`];
	return [shown`empty folder`];
}

const STAGED: Readonly<Record<StagedSign, RowState>> = {
	'+': 'added',
	'-': 'deleted',
	'~': 'edited',
};

function rowStateOf(state: State, entry: Entry): RowState {
	if (isDamagedRow(state, entry.row)) return 'damaged';
	if (state.marks.get(entry.imageIndex)?.has(entry.position)) return 'marked';
	const sign = stagedSign(state, entry.imageIndex, entryPath(state, entry), entry.isFolder);
	if (sign) return STAGED[sign];
	return entry.isLink ? 'link' : 'plain';
}

export function filesBody(state: State, theme: Theme, width: number, height: number): Shown {
	const { listing, order, list, load } = state.files;
	if (!listing || order.length === 0 || load.status === 'failed')
		return messageBody(emptyLines(state, theme), width, height);
	const columns = columnsFor(width, state.files.find !== null);
	const isFocused = state.focus === 'files' && state.view === 'deck';
	return listBody(list, order.length, height, (i, isCursor) => {
		const entry = entryAt(listing, order[i]!);
		const rowState = rowStateOf(state, entry);
		const isInRange = rangeHas(state, i);
		const mark = isInRange && rowState !== 'damaged' ? ('*' as Shown) : markOf(rowState, isCursor);
		const { name, rest } = entryCells(state, theme, entry, columns);
		const end = fit(shown` ${rest}`, width - 2 - columns.name);
		if (isCursor || isInRange || (rowState !== 'plain' && rowState !== 'link'))
			return styleRow(
				theme,
				shown`${mark}${cursorBlank(mark, isCursor)}${name}${end}`,
				isInRange && rowState === 'plain' ? 'marked' : rowState,
				isCursor ? (isFocused ? 'focused' : 'idle') : 'none',
			);
		return shown`${mark} ${toneOf(theme, entry)(name)}${end}`;
	});
}

const rangeHas = ({ files: { rangeFrom, list } }: State, i: number): boolean =>
	rangeFrom !== null &&
	i >= Math.min(rangeFrom, list.cursor) &&
	i <= Math.max(rangeFrom, list.cursor);

const asItIs = (name: Shown): Shown => name;

/** Folders and links have a colour of their own where the row has none. */
const toneOf = (theme: Theme, entry: Entry): ((name: Shown) => Shown) =>
	entry.isLink ? theme.link : entry.isFolder ? theme.folder : asItIs;

/** The name in its column, and the columns behind it. */
function entryCells(
	state: State,
	theme: Theme,
	entry: Entry,
	columns: Columns,
): { readonly name: Shown; readonly rest: Shown } {
	const { listing, find } = state.files;
	const slash = entry.isFolder ? shown`/` : NOTHING;
	const next = renamedTo(state, entry.imageIndex, entryPath(state, entry));
	const arrow = next === null ? NOTHING : shown` -> ${theme.name(renameText(entry.name, next))}`;
	const whole = shown`${theme.name(entry.name)}${slash}${arrow}`;
	// The end of a path says more than its beginning.
	const name = fit(find === null ? whole : cutStart(whole, columns.name), columns.name);
	const size = fitRight(
		entry.isFolder ? shown`<DIR>` : sizeOf(listing?.kinds[entry.row] ?? 0, sizeIn(state, entry)),
		SIZE_WIDTH,
	);
	const attributes = columns.hasAttributes
		? shown` ${attributesText(listing?.attributes[entry.row] ?? 0)}`
		: NOTHING;
	const time =
		columns.time === 'none'
			? NOTHING
			: shown` ${timeText(listing?.times[entry.row] ?? Number.NaN, columns.time, state.settings.utc)}`;
	return { name, rest: shown`${size}${attributes}${time}` };
}

/** The new name, or the new path where it moves. */
const renameText = (name: string, to: string): string => {
	const at = to.lastIndexOf('\\');
	return to.slice(at + 1) === name || at === 0 ? to : to.slice(at + 1);
};

/** What the order goes by: the size, or what it takes in the file. */
const sizeIn = ({ files }: State, entry: Entry): number =>
	files.sort.key === 'packed' ? (files.listing?.packed[entry.row] ?? entry.size) : entry.size;

const sizeOf = (kinds: number, size: number): Shown =>
	(kinds & EntryKind.missing) !== 0 ? shown`absent` : sizeText(size);
