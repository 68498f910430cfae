/** The map of the file: a grid of cells above, what lies under the cursor below. */

import { formatCount, formatHex, formatSize } from '../../base/print.ts';
import type { MapState } from '../engine-views.ts';
import {
	cut,
	cutStart,
	fit,
	linesOf,
	NOTHING,
	type Shown,
	safe,
	shown,
	widthOf,
} from '../parts/text.ts';
import type { Theme } from '../parts/theme.ts';
import {
	cellUnderCursor,
	fileMap,
	filesAtCursor,
	findingsAtCursor,
	MAP_STATES,
	mapCells,
	mapGrid,
	placeUnderCursor,
	shownPart,
} from '../state/map.ts';
import { baseName } from '../state/selectors.ts';
import type { State } from '../state/state.ts';
import { indexRanges } from './damage.ts';
import { messageBody } from './pane.ts';

const SIGNS: Readonly<Record<MapState, string>> = {
	bad: '!',
	structure: '=',
	unchecked: '?',
	good: '#',
	unreferenced: '.',
};

const LEGEND = shown` ! bad  # good  ? unchecked  = structure  . unused`;

/** A cell of the grid, by its position in `MAP_STATES`. */
const signOf = (kind: number): string => SIGNS[MAP_STATES[kind] ?? 'unreferenced'];

/** A row of the grid; runs of bad cells are coloured, the cursor is reversed. */
function gridRow(theme: Theme, cells: Uint8Array, from: number, to: number, cursor: number): Shown {
	let row = NOTHING;
	for (let start = from; start < to; ) {
		let end = start + 1;
		const isBad = cells[start] === 0;
		if (start !== cursor) while (end < to && end !== cursor && (cells[end] === 0) === isBad) end++;
		const text = safe(Array.from(cells.subarray(start, end), signOf).join(''));
		const styled = start === cursor ? theme.cursor(text) : isBad ? theme.damaged(text) : text;
		row = shown`${row}${styled}`;
		start = end;
	}
	return shown` ${row}`;
}

/** Findings of a place that are told; the damage view has all. */
const FINDINGS_MAX = 3;

function factLines(state: State, theme: Theme, width: number, height: number): Shown[] {
	const place = placeUnderCursor(state);
	if (!place) return [];
	const lines: Shown[] = [
		cut(
			shown` bytes ${safe(formatHex(place.offset))} to ${safe(formatHex(place.offset + place.size))}, ${safe(formatSize(place.size))}: ${signName(state)}`,
			width,
		),
	];
	// Styled only once cut: the codes of a style are no columns.
	const damaged = (line: Shown): Shown => theme.damaged(cut(line, width));
	const toIt = shown`   (Enter)`;
	for (const finding of findingsAtCursor(state).slice(0, FINDINGS_MAX)) {
		const text = shown` ! ${theme.exact(`${finding.where}: ${finding.what}`)}`;
		lines.push(damaged(shown`${cut(text, width - 1 - widthOf(toIt))}${toIt}`));
	}
	const { placeLoad, place: facts } = state.map;
	if (placeLoad.status === 'failed')
		lines.push(cut(shown` ${theme.exact(placeLoad.error ?? '')}`, width));
	if (!facts) return lines;
	const room = Math.max(2, height - lines.length);
	const forResources = Math.max(1, Math.min(facts.resources.length, Math.floor(room / 2) - 1));
	lines.push(shown` resources: ${safe(formatCount(facts.resourceCount))}`);
	for (const { offset, storedSize, originalSize, kind } of facts.resources.slice(0, forResources))
		lines.push(
			cut(
				shown`   @${safe(formatHex(offset))}  ${safe(formatSize(storedSize))} stored, ${safe(formatSize(originalSize))} original, ${safe(kind)}`,
				width,
			),
		);
	const images =
		facts.searched.length > 0 ? shown` of images ${indexRanges(facts.searched)}` : NOTHING;
	lines.push(cut(shown` files${images}: ${safe(formatCount(facts.fileCount))}`, width));
	for (const { imageIndex, path, isHit } of filesAtCursor(state)) {
		const name = fit(cutStart(theme.exact(path), width - 16), width - 16);
		const line = shown` ${isHit ? shown`!` : shown` `} ${name} image ${imageIndex}`;
		lines.push(isHit ? damaged(line) : cut(line, width));
	}
	return lines;
}

function signName(state: State): Shown {
	const kind = mapCells(state)[cellUnderCursor(state)] ?? 0;
	return safe(MAP_STATES[kind] ?? '');
}

export function mapBody(state: State, theme: Theme, width: number, height: number): Shown {
	const { load } = state.map;
	const part = shownPart(state);
	if (!part) {
		const text = load.status === 'failed' ? theme.exact(load.error ?? '') : shown`reading...`;
		return messageBody([text], width, height);
	}
	const { columns, count } = mapGrid(state);
	const cells = mapCells(state);
	const cursor = cellUnderCursor(state);
	const rows: Shown[] = [];
	for (let from = 0; from < count; from += columns)
		rows.push(gridRow(theme, cells, from, Math.min(count, from + columns), cursor));
	const left = height - rows.length - 1;
	const cell = shown`1 cell = ${safe(formatSize(Math.max(1, Math.round(part.size / Math.max(1, count)))))} `;
	const legend = shown`${fit(cut(LEGEND, width - cell.length - 1), width - cell.length)}${cell}`;
	return linesOf([legend, ...rows, ...factLines(state, theme, width, left).slice(0, left)]);
}

export function mapAbout(state: State, theme: Theme): Shown {
	const parts = fileMap(state)?.length ?? 1;
	const part = shownPart(state);
	const which = parts > 1 ? shown`part ${state.map.part + 1} of ${parts}: ` : NOTHING;
	return part ? shown`${which}${theme.exact(baseName(part.path))}` : NOTHING;
}

export function mapRight(state: State): Shown {
	const part = shownPart(state);
	if (!part || part.size === 0) return NOTHING;
	return shown`${Math.floor((100 * state.map.offset) / part.size)}% of ${safe(formatSize(part.size))}`;
}
