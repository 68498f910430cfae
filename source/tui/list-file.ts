/** A list of the deck as a file: paths for `extract WIM IMAGE @FILE`, CSV for tables, JSON lines for scripts. */

import { EntryKind, type Listing } from './engine.ts';
import type { SizeListing } from './engine-views.ts';
import { differenceRows } from './state/difference.ts';
import { focusOf } from './state/selectors.ts';
import { shownFound } from './state/start.ts';
import type { State } from './state/state.ts';
import { attributesText } from './view/columns.ts';

export type ListFormat = 'paths' | 'csv' | 'json';

type Cell = string | number | null;

export interface ListRows {
	readonly columns: readonly string[];
	readonly count: number;
	/** One of the columns is `path`. */
	rowAt(at: number): readonly Cell[];
}

/** Rows between two looks at the clock. */
const SLICE_ROWS = 4096;

const joined = (folder: string, name: string): string =>
	folder.endsWith('\\') ? `${folder}${name}` : `${folder}\\${name}`;

const timeOf = (ms: number | null): Cell =>
	ms === null || Number.isNaN(ms) ? null : new Date(ms).toISOString();

function kindOf(kind: number): string {
	if (kind & EntryKind.link) return 'link';
	return kind & EntryKind.folder ? 'folder' : 'file';
}

/** The shown rows, or those of them that are marked. What is staged to be added has nothing in the image yet. */
function rowsOfFiles(state: State, listing: Listing, onlyMarked: boolean): readonly number[] {
	const marks = state.marks.get(listing.imageIndex);
	const rows: number[] = [];
	for (const row of state.files.order) {
		const position = listing.positions[row] ?? -1;
		if (position >= 0 && (!onlyMarked || marks?.has(position))) rows.push(row);
	}
	return rows;
}

function filesRows(state: State, listing: Listing, onlyMarked: boolean): ListRows {
	const rows = rowsOfFiles(state, listing, onlyMarked);
	const isFound = state.files.find !== null;
	return {
		columns: ['image', 'path', 'kind', 'size', 'packed', 'attributes', 'written'],
		count: rows.length,
		rowAt: (at) => {
			const row = rows[at] ?? 0;
			const name = listing.names[row] ?? '';
			return [
				listing.imageIndex,
				isFound ? name : joined(listing.path, name),
				kindOf(listing.kinds[row] ?? 0),
				listing.sizes[row] ?? 0,
				listing.packed[row] ?? 0,
				attributesText(listing.attributes[row] ?? 0).replaceAll('-', ''),
				timeOf(listing.times[row] ?? null),
			];
		},
	};
}

function sizesRows(state: State, listing: SizeListing): ListRows {
	const { order } = state.sizes;
	return {
		columns: ['image', 'path', 'kind', 'size', 'stored', 'files'],
		count: order.length,
		rowAt: (at) => {
			const row = order[at] ?? 0;
			return [
				listing.imageIndex,
				joined(listing.path, listing.names[row] ?? ''),
				kindOf(listing.kinds[row] ?? 0),
				listing.sizes[row] ?? 0,
				listing.packed[row] ?? 0,
				listing.files[row] ?? 0,
			];
		},
	};
}

/** All that differs at and below the open folder, as far as it is shown. */
function differencesOf(state: State): ListRows {
	const rows = differenceRows(state).flatMap((row) => {
		if (row.type === 'one') return [row.difference];
		const { own, flat, from, to } = row.folder;
		const { only } = state.difference;
		const below = flat.differences.slice(from, to);
		const all = own === null ? below : [own, ...below];
		return all.filter(({ kind }) => only === null || kind === only);
	});
	return {
		columns: ['what', 'path', 'from', 'differs', 'size before', 'size after'],
		count: rows.length,
		rowAt: (at) => {
			const { kind, path, from, aspects, sizeBefore, sizeAfter } = rows[at]!;
			return [kind, path, from, aspects.join(' '), sizeBefore, sizeAfter];
		},
	};
}

function startRows(state: State): ListRows {
	const found = shownFound(state);
	return {
		columns: [
			...['path', 'size', 'written', 'compression', 'images', 'architecture', 'build', 'edition'],
			...['languages', 'dead', 'problem'],
		],
		count: found.length,
		rowAt: (at) => {
			const { path, size, modified, summary, problem } = found[at]!;
			return [
				...[path, size, timeOf(modified), summary?.compression ?? null],
				...[summary?.imageCount ?? null, summary?.architecture ?? null, summary?.build ?? null],
				...[summary?.edition ?? null, summary?.languages ?? null, summary?.deadBytes ?? null],
				problem,
			];
		},
	};
}

/** What the list that has the focus shows; null: nothing that can be written. */
export function listRows(state: State, onlyMarked: boolean): ListRows | null {
	switch (focusOf(state)) {
		case 'files':
			return state.files.listing && filesRows(state, state.files.listing, onlyMarked);
		case 'sizes':
			return state.sizes.listing && sizesRows(state, state.sizes.listing);
		case 'difference':
			return differencesOf(state);
		case 'start':
			return startRows(state);
		default:
			return null;
	}
}

/** Marked rows of the shown list. */
export const markedRowCount = (state: State): number =>
	focusOf(state) === 'files' && state.marks.has(state.files.listing?.imageIndex ?? -1)
		? (listRows(state, true)?.count ?? 0)
		: 0;

const csvCell = (cell: Cell): string => {
	const text = String(cell ?? '');
	return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

/** A line that names the path and nothing else; null: no line can. */
function pathLine(path: string): string | null {
	if (/[\r\n]/.test(path) || LONE_SURROGATE.test(path)) return null;
	return path === path.trim() ? path : `"${path}"`;
}

export interface ListText {
	readonly text: string;
	readonly written: number;
	/** Rows whose path no line can hold. */
	readonly leftOut: number;
}

/** Made step by step, so that keys get through. */
export function* listSteps(rows: ListRows, format: ListFormat): Generator<void, ListText> {
	const { columns, count } = rows;
	const pathAt = columns.indexOf('path');
	const lines: string[] = format === 'csv' ? [columns.join(',')] : [];
	let leftOut = 0;
	for (let at = 0; at < count; at++) {
		const row = rows.rowAt(at);
		if (format === 'csv') lines.push(row.map(csvCell).join(','));
		else if (format === 'json')
			lines.push(JSON.stringify(Object.fromEntries(columns.map((name, k) => [name, row[k]]))));
		else {
			const line = pathLine(String(row[pathAt]));
			if (line === null) leftOut++;
			else lines.push(line);
		}
		if (at % SLICE_ROWS === SLICE_ROWS - 1) yield;
	}
	return {
		text: lines.map((line) => `${line}\n`).join(''),
		written: count - leftOut,
		leftOut,
	};
}
