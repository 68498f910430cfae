/** The view of two images' differences: what it compares, which folder it shows, what of it. */

import type { DifferenceFact, DifferenceKind, ImageDifference } from '../engine-views.ts';
import type { DifferenceRequest } from './difference-state.ts';
import {
	type DifferenceFolder,
	type DifferenceRow,
	flatRows,
	folderAt,
	nameOf,
	rowsOf,
} from './difference-tree.ts';
import { browse } from './files.ts';
import { LIST_START, type ListFrame, moveTo } from './list.ts';
import { loading, NO_LOAD } from './load.ts';
import { filterTest } from './order.ts';
import { memo, scrollOf, viewHeight } from './selectors.ts';
import type { State } from './state.ts';
import { say } from './status.ts';
import { openView } from './view.ts';

/** Opens the view and compares; what was compared before is shown again at once. */
export function showDifference(state: State, request: DifferenceRequest): State {
	const { pair, load } = state.difference;
	const opened = openView(state, 'difference');
	if (load.status === 'ready' && pair?.before === request.before && pair.after === request.after)
		return opened;
	return {
		...opened,
		difference: { ...opened.difference, load: loading(request, state.nowMs) },
	};
}

export function differenceLoaded(
	state: State,
	request: DifferenceRequest,
	root: DifferenceFolder,
): State {
	const { difference } = state;
	if (difference.load.request !== request) return state;
	return {
		...state,
		difference: {
			...difference,
			load: { ...difference.load, status: 'ready' },
			pair: request,
			root,
			path: '\\',
			only: null,
			filter: '',
			list: LIST_START,
			places: new Map(),
			factsLoad: NO_LOAD,
			facts: [],
		},
	};
}

export function differenceFailed(state: State, request: DifferenceRequest, reason: string): State {
	const { difference } = state;
	if (difference.load.request !== request) return state;
	const load = { ...difference.load, status: 'failed', error: reason } as const;
	return { ...state, difference: { ...difference, load } };
}

/** Compares the other way round. */
export function swapDifference(state: State): State {
	const { pair } = state.difference;
	if (!pair) return state;
	return showDifference(state, { before: pair.after, after: pair.before });
}

const rowsBy = memo(
	(
		root: DifferenceFolder | null,
		path: string,
		only: DifferenceKind | null,
		isFlat: boolean,
		filter: string,
	): readonly DifferenceRow[] => {
		const folder = root && folderAt(root, path);
		if (!folder) return [];
		if (!isFlat && filter === '') return rowsOf(folder, only);
		return flatRows(folder, only, filter === '' ? () => true : pathTest(filter));
	},
);

/** The lines of the open folder: its own, or with a filter everything below that matches. */
export function differenceRows({ difference }: State): readonly DifferenceRow[] {
	const { root, path, only, isFlat, filter } = difference;
	return rowsBy(root, path, only, isFlat, filter);
}

/** A filter counts for the name; with a separator in it for the whole path. */
function pathTest(filter: string): (lowerPath: string) => boolean {
	const test = filterTest(filter.replaceAll('/', '\\'));
	return /[\\/]/.test(filter) ? test : (path) => test(nameOf(path));
}

/** Rows for the list; the others tell of the difference under the cursor. */
export function differenceListHeight(state: State): number {
	const height = viewHeight(state);
	return height < 12 ? height : height - Math.min(12, Math.floor(height * 0.4)) - 1;
}

export function differenceFrame(state: State): ListFrame {
	return {
		count: differenceRows(state).length,
		height: differenceListHeight(state),
		scroll: scrollOf(state),
	};
}

export function differenceRow(state: State): DifferenceRow | null {
	return differenceRows(state)[state.difference.list.cursor] ?? null;
}

/** The difference under the cursor: of a file, or of a folder itself. */
export function differenceUnderCursor(state: State): ImageDifference | null {
	const row = differenceRow(state);
	return row?.type === 'folder' ? row.folder.own : (row?.difference ?? null);
}

/** Goes into the folder under the cursor; false: it is no folder. */
export function enterDifference(state: State): State | null {
	const { difference } = state;
	const row = differenceRow(state);
	if (row?.type !== 'folder') return null;
	const places = new Map(difference.places).set(difference.path, difference.list);
	const { path } = row.folder;
	return { ...state, difference: { ...difference, path, places, list: LIST_START, filter: '' } };
}

/** Goes to the folder above, with the cursor where it was. */
export function leaveDifference(state: State): State {
	const { difference } = state;
	const { path, places } = difference;
	if (path === '\\') return say(state, 'This is the top of the images');
	const above = path.slice(0, path.lastIndexOf('\\')) || '\\';
	const next = {
		...state,
		difference: { ...difference, path: above, filter: '', list: places.get(above) ?? LIST_START },
	};
	const at = differenceRows(next).findIndex(
		(row) => row.type === 'folder' && row.folder.path === path,
	);
	if (at < 0) return next;
	const list = moveTo(next.difference.list, at, differenceFrame(next));
	return { ...next, difference: { ...next.difference, list } };
}

/** Shows one kind of differences only; the same again shows all. */
export function onlyDifferences(state: State, kind: DifferenceKind): State {
	const { difference } = state;
	const only = difference.only === kind ? null : kind;
	return { ...state, difference: { ...difference, only, list: LIST_START } };
}

export function toggleFlat(state: State): State {
	const { difference } = state;
	return {
		...state,
		difference: { ...difference, isFlat: !difference.isFlat, list: LIST_START },
	};
}

export function filterDifference(state: State, filter: string): State {
	return { ...state, difference: { ...state.difference, filter, list: LIST_START } };
}

/** Shows the entry under the cursor in Files, in the image before or after. */
export function differenceToFiles(state: State, side: 'before' | 'after'): State {
	const { pair } = state.difference;
	const row = differenceRow(state);
	if (!pair || !row) return state;
	const difference = differenceUnderCursor(state);
	const missing = side === 'before' ? 'added' : 'removed';
	if (difference?.kind === missing)
		return say(
			state,
			`It is not in image ${pair[side]}; ${side === 'before' ? 'o' : 'O'} shows it in image ${pair[side === 'before' ? 'after' : 'before']}`,
		);
	const here = row.type === 'folder' ? row.folder.path : row.difference.path;
	const path = side === 'before' ? (difference?.from ?? here) : here;
	const parent = path.slice(0, path.lastIndexOf('\\')) || '\\';
	return browse(
		{ ...state, view: 'deck', focus: 'files' },
		{ type: 'path', imageIndex: pair[side], path: parent },
		{ wanted: nameOf(path) },
	);
}

/** Keeps the wish for facts in step with the cursor; called after every change. */
export function followDifference(state: State): State {
	if (state.view !== 'difference') return state;
	const { difference } = state;
	const wanted = differenceUnderCursor(state);
	if (wanted === difference.factsLoad.request) return state;
	const factsLoad = wanted === null ? NO_LOAD : loading(wanted, state.nowMs);
	const facts = wanted === null ? [] : difference.facts;
	return { ...state, difference: { ...difference, factsLoad, facts } };
}

export function differenceFactsLoaded(
	state: State,
	request: ImageDifference,
	facts: readonly DifferenceFact[],
): State {
	const { difference } = state;
	if (difference.factsLoad.request !== request) return state;
	const factsLoad = { ...difference.factsLoad, status: 'ready' } as const;
	return { ...state, difference: { ...difference, factsLoad, facts } };
}

export function differenceFactsFailed(
	state: State,
	request: ImageDifference,
	reason: string,
): State {
	const { difference } = state;
	if (difference.factsLoad.request !== request) return state;
	const factsLoad = { ...difference.factsLoad, status: 'failed', error: reason } as const;
	return { ...state, difference: { ...difference, factsLoad, facts: [] } };
}

/** Backslash path of the line under the cursor, or null. */
export function differencePathUnderCursor(state: State): string | null {
	const row = differenceRow(state);
	return row === null ? null : row.type === 'folder' ? row.folder.path : row.difference.path;
}
