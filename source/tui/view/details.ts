/** The Details pane: facts, hex, text or streams of the entry under the cursor, or the facts of an image. */

import { formatCount, plural } from '../../base/print.ts';
import { type EntryDetails, EntryKind } from '../engine.ts';
import {
	cutStart,
	fit,
	linesOf,
	NOTHING,
	type Shown,
	safe,
	shown,
	widthOf,
	wrapped,
} from '../parts/text.ts';
import type { Theme } from '../parts/theme.ts';
import { findingOfEntry } from '../state/damage.ts';
import { contentOfShown, showsStart } from '../state/details.ts';
import { isLate } from '../state/load.ts';
import { entryUnderCursor, imageTitle, imageUnderCursor } from '../state/selectors.ts';
import type { State } from '../state/state.ts';
import { countText, factText, timeText } from './columns.ts';
import { hexRow, hexRowCount, hexRows, nothingInIt, textRows } from './content.ts';
import { imageFactRows } from './image-facts.ts';

const LABEL_WIDTH = 9;

function factLines(theme: Theme, label: string, value: string, width: number): Shown[] {
	const room = Math.max(8, width - LABEL_WIDTH - 3);
	const lines = wrapped(theme.exact(value), room);
	return lines.map((line, i) => shown`  ${fit(safe(i === 0 ? label : ''), LABEL_WIDTH)} ${line}`);
}

function entryLines(state: State, theme: Theme, details: EntryDetails, width: number): Shown[] {
	const lines: Shown[] = [];
	const text = (line: string, indent = 1): void => {
		const pad = ' '.repeat(indent) as Shown;
		for (const part of wrapped(theme.exact(line), width - indent)) lines.push(shown`${pad}${part}`);
	};
	text(details.name);
	lines.push(NOTHING);
	const finding = findingOfEntry(state);
	const problems = finding
		? [`${finding.where}: ${finding.what}`, ...details.problems]
		: details.problems;
	for (const problem of problems)
		for (const part of wrapped(shown`! ${theme.exact(problem)}`, width - 2))
			lines.push(shown` ${theme.damaged(part)}`);
	if (problems.length > 0) lines.push(NOTHING);
	for (const { label, value } of details.facts)
		lines.push(...factLines(theme, label, factText(value, state.settings.utc), width));
	if (details.target !== null) text(`-> ${details.target}`, 2);
	if (details.otherNames.length > 0) {
		lines.push(
			shown`  ${fit(shown`links`, LABEL_WIDTH)} ${details.otherNames.length + 1} (hard link)`,
		);
		for (const name of details.otherNames.slice(0, 50)) text(name, 4);
	}
	if (details.streams.length > 0) {
		lines.push(shown`  ${fit(shown`streams`, LABEL_WIDTH)} ${details.streamCount}`);
		for (const { name, size } of details.streams) text(`:${name}  ${formatCount(size)}`, 4);
	}
	if (details.usedBy.length > 0) {
		lines.push(shown`  same content`);
		for (const name of details.usedBy.slice(0, 50)) text(name, 4);
	}
	return lines;
}

function contentLines(state: State, width: number): Shown[] {
	const { content, contentLoad, mode } = state.details;
	if (contentLoad.status === 'failed') return wrapped(safe(contentLoad.error ?? ''), width - 1);
	if (!content) return [];
	const { bytes, totalSize } = content;
	if (totalSize === 0) return [shown` ${nothingInIt(entryUnderCursor(state))}`];
	const rest =
		totalSize > bytes.length
			? [shown`(first ${countText(bytes.length)} of ${countText(totalSize)} bytes)`]
			: [];
	if (mode === 'text') return [...textRows(bytes, null, width), ...rest];
	return [...hexRows(bytes, width), ...rest];
}

function streamLines(details: EntryDetails, theme: Theme, width: number): Shown[] {
	if (details.streams.length === 0) return [shown` no named streams`];
	return details.streams.flatMap(({ name, size }) => [
		...wrapped(shown`:${theme.exact(name)}`, width - 1).map((line) => shown` ${line}`),
		shown`   ${safe(plural(size, 'byte'))}`,
	]);
}

/** All lines of the pane; the body shows a window of them. */
export function detailLines(state: State, theme: Theme, width: number): readonly Shown[] {
	if (state.focus === 'images') {
		const image = imageUnderCursor(state);
		if (!image) return [shown` nothing selected`];
		const reason = state.wim.unreadable.get(image.index);
		const trouble = reason
			? wrapped(shown`? ${theme.exact(reason)}`, width - 1).map((line) => theme.unreadable(line))
			: [];
		return [
			shown` ${theme.exact(imageTitle(image))}`,
			NOTHING,
			...trouble,
			...imageFactRows(state, image).flatMap(([label, value]) =>
				factLines(theme, label.slice(0, LABEL_WIDTH), value, width),
			),
		];
	}
	const { details, load, mode } = state.details;
	if (load.status === 'failed') return wrapped(theme.exact(load.error ?? ''), width - 1);
	if (!details) return load.status === 'loading' ? [] : [shown` nothing selected`];
	switch (mode) {
		case 'facts':
			return entryLines(state, theme, details, width);
		case 'streams':
			return streamLines(details, theme, width);
		default:
			return contentLines(state, width);
	}
}

export function detailsAbout(state: State): Shown {
	const { mode, load } = state.details;
	const late = isLate(load, state);
	const dots = late ? shown` ...` : NOTHING;
	return mode === 'facts' ? dots : shown`${mode as Shown}${dots}`;
}

/** Rows of hex below the facts: enough to know a file by, few to send. */
const START_ROWS_MAX = 8;

/** The first bytes of the file below its facts, where rows are left. */
function startLines(state: State, width: number, room: number): readonly Shown[] {
	if (state.focus === 'images' || room < 1 || !showsStart(state)) return [];
	const bytes = contentOfShown(state);
	if (bytes === null || bytes.length === 0) return [];
	const count = Math.min(hexRowCount(bytes, width - 1), room, START_ROWS_MAX);
	return [
		NOTHING,
		...Array.from({ length: count }, (_, i) => shown` ${hexRow(bytes, i, width - 1)}`),
	];
}

export function detailsBody(state: State, theme: Theme, width: number, height: number): Shown {
	const facts = detailLines(state, theme, width);
	const lines = [...facts, ...startLines(state, width, height - facts.length - 1)];
	const top = Math.min(state.details.top, Math.max(0, lines.length - height));
	return linesOf(lines.slice(top, top + height));
}

/** Columns of a name that say enough of it. */
const NOTE_NAME_MIN = 12;

/** What the status row says of the entry under the cursor when nothing else is to say. */
export function entryNote(state: State, theme: Theme, width: number): Shown {
	const finding = findingOfEntry(state);
	const { listing, order, list } = state.files;
	const row = order[list.cursor];
	if (!listing || row === undefined) return NOTHING;
	const name = theme.exact(listing.names[row] ?? '');
	if (finding) return shown`${name}: ${theme.exact(finding.what)}, see !`;
	const day = timeText(listing.times[row] ?? null, 'minute', state.settings.utc);
	const isFolder = ((listing.kinds[row] ?? 0) & EntryKind.folder) !== 0;
	const what = isFolder ? shown`folder` : safe(plural(listing.sizes[row] ?? 0, 'byte'));
	// A path found in the whole image is long; what is said of it stays, while there is room for its end.
	const room = width - widthOf(what) - widthOf(day) - 4;
	const short = room >= NOTE_NAME_MIN ? cutStart(name, room) : name;
	return shown`${short}  ${what}  ${day}`;
}
