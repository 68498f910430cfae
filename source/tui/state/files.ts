/** The Files pane: which folder it shows, in which order, and where the cursor stands. */

import { type Listing, UNNAMED_INDEX } from '../engine.ts';
import { applyFindings, showUnreadable } from './damage.ts';
import { overlaid } from './files-overlay.ts';
import { keepOn, LIST_START, type ListFrame, moveTo } from './list.ts';
import {
	orderOf,
	type Sort,
	type SortKey,
	SYNC_ROWS_MAX,
	storedOrder,
	visibleRows,
} from './order.ts';
import { isDamagedRow, layoutOf, scrollOf, visibleImages } from './selectors.ts';
import type { FilesRequest, FilesState, Location, Place, State } from './state.ts';
import { say } from './status.ts';

/** Folders whose cursor is remembered. */
const PLACES_MAX = 500;
/** Folders that `-` goes back through. */
const HISTORY_MAX = 100;

export function filesFrame(state: State): ListFrame {
	return {
		count: state.files.order.length,
		height: layoutOf(state).panes.files?.body.height ?? 10,
		scroll: scrollOf(state),
	};
}

const placeKey = (listing: Listing): string => `${listing.imageIndex}:${listing.folder}`;

const cursorPosition = ({ listing, order, list }: FilesState): number => {
	const row = order[list.cursor];
	return listing && row !== undefined ? (listing.positions[row] ?? -1) : -1;
};

/** The places with the one of the folder shown now. */
function rememberedPlaces(files: FilesState): ReadonlyMap<string, Place> {
	if (!files.listing || files.find !== null) return files.places;
	const places = new Map(files.places);
	const key = placeKey(files.listing);
	places.delete(key);
	places.set(key, { position: cursorPosition(files), list: files.list });
	for (const oldest of places.keys()) {
		if (places.size <= PLACES_MAX) break;
		places.delete(oldest);
	}
	return places;
}

const locationOf = ({ listing, find }: FilesState): Location | null =>
	listing && find === null ? { imageIndex: listing.imageIndex, path: listing.path } : null;

export interface BrowseOptions {
	/** Position or name for the cursor. */
	readonly wanted?: number | string | null;
	/** False when going back. */
	readonly isStep?: boolean;
}

/** Asks for another folder; what is shown stays until it comes. */
export function browse(state: State, request: FilesRequest, options: BrowseOptions = {}): State {
	const { files } = state;
	const here = locationOf(files);
	const history =
		here && options.isStep !== false ? [...files.history, here].slice(-HISTORY_MAX) : files.history;
	return {
		...state,
		files: {
			...files,
			load: { request, status: 'loading', sinceMs: state.nowMs, error: null },
			isPartial: false,
			staysAtEnd: false,
			places: rememberedPlaces(files),
			history,
			wanted: options.wanted ?? null,
			rangeFrom: null,
		},
	};
}

/** Takes the first rows of a long folder, in the order of the image; what comes later stands below them. */
export function folderBegun(state: State, request: FilesRequest, part: Listing): State {
	const { files } = state;
	if (files.load.request !== request || files.load.status !== 'loading') return state;
	const isMore = files.isPartial;
	return {
		...state,
		files: {
			...files,
			listing: part,
			isPartial: true,
			find: request.type === 'find' ? request.pattern : null,
			filter: '',
			reorder: null,
			list: isMore ? files.list : LIST_START,
			sorted: storedOrder(part),
			order: storedOrder(part),
		},
	};
}

/** Takes an answer of the loader; an answer to an older wish is dropped. */
export function folderLoaded(
	state: State,
	request: FilesRequest,
	loaded: Listing,
	wanted: number | null = null,
): State {
	const { files } = state;
	if (files.load.request !== request) return state;
	const listing = request.type === 'find' ? loaded : overlaid(state, loaded);
	const isReload =
		!files.isPartial && files.listing !== null && placeKey(files.listing) === placeKey(listing);
	// Whoever has moved among the first rows stays on that entry.
	const moved = files.isPartial && files.list.cursor > 0 ? cursorPosition(files) : null;
	const next: FilesState = {
		...files,
		load: { request, status: 'ready', sinceMs: state.nowMs, error: null },
		listing,
		isPartial: false,
		find: request.type === 'find' ? request.pattern : null,
		filter: isReload ? files.filter : '',
		list: LIST_START,
		sorted: storedOrder(listing),
		order: storedOrder(listing),
		wanted: null,
		missing: '',
	};
	// Sorting keeps the cursor on its entry, but nobody has chosen one yet.
	const sorted = atTop(resort({ ...state, files: next }, true));
	const placed = files.staysAtEnd
		? atEnd(sorted)
		: placeCursor(sorted, moved ?? wanted ?? files.wanted, files.places.get(placeKey(listing)));
	return withCursorOnImage(placed, listing.imageIndex);
}

/** The list of images follows what Files shows, unless its own cursor is in use. */
function withCursorOnImage(state: State, imageIndex: number): State {
	if (state.focus === 'images') return state;
	const images = visibleImages(state);
	const row = images.findIndex(({ index }) => index === imageIndex);
	if (row < 0) return state;
	const height = layoutOf(state).panes.images?.body.height ?? 10;
	const frame = { count: images.length, height, scroll: scrollOf(state) };
	return { ...state, images: { ...state.images, list: moveTo(state.images.list, row, frame) } };
}

const atTop = (state: State): State => ({
	...state,
	files: { ...state.files, list: LIST_START },
});

/** Puts the cursor on the last row, and lets it go along with what is still to come. */
export function atEnd(state: State): State {
	const { files } = state;
	const frame = filesFrame(state);
	const staysAtEnd = files.isPartial || files.reorder?.isFirst === true;
	return {
		...state,
		files: { ...files, staysAtEnd, list: moveTo(files.list, frame.count - 1, frame) },
	};
}

function placeCursor(
	state: State,
	wanted: number | string | null,
	place: Place | undefined,
): State {
	const { files } = state;
	const row =
		typeof wanted === 'string'
			? rowOfName(files, wanted)
			: rowOfPosition(files, wanted ?? place?.position ?? -1);
	if (row < 0) return state;
	const from = place?.list ?? files.list;
	const list = keepOn(moveTo(from, from.cursor, filesFrame(state)), row, filesFrame(state));
	return { ...state, files: { ...files, list } };
}

/** A path that is not in the image: what is shown stays, and `-` does not lead to where one is already. */
export function folderMissing(state: State, request: FilesRequest): State {
	const { files } = state;
	if (files.load.request !== request) return state;
	const here = locationOf(files);
	const last = files.history.at(-1);
	const isHere = last && here?.imageIndex === last.imageIndex && here.path === last.path;
	const path = request.type === 'path' ? request.path : '';
	return say(
		{
			...state,
			files: {
				...files,
				history: isHere ? files.history.slice(0, -1) : files.history,
				missing: path === here?.path ? '' : path,
				load: { ...files.load, request: null, status: files.listing ? 'ready' : 'none' },
			},
		},
		`There is no "${path}" in image ${request.imageIndex}`,
		'warning',
	);
}

export function folderFailed(state: State, request: FilesRequest, reason: string): State {
	const { files } = state;
	if (files.load.request !== request) return state;
	const unreadable =
		request.type === 'folder' && request.position === 0 && request.imageIndex !== UNNAMED_INDEX
			? new Map(state.wim.unreadable).set(request.imageIndex, reason)
			: state.wim.unreadable;
	const failed: State = {
		...state,
		wim: { ...state.wim, unreadable },
		files: {
			...files,
			load: { request, status: 'failed', sinceMs: state.nowMs, error: reason },
		},
	};
	if (unreadable === state.wim.unreadable) return failed;
	const told = applyFindings(failed, state.damage.findings);
	// Whoever pressed Enter on the image waits for it, unless something else was opened meanwhile.
	const isAwaited = state.view === 'deck' && state.dialogs.length === 0 && state.line === null;
	return isAwaited ? showUnreadable(told, request.imageIndex) : told;
}

/** Row in the shown order of an entry by position; -1: not shown. */
export function rowOfPosition({ listing, order }: FilesState, position: number): number {
	if (!listing || position === -1) return -1;
	for (let i = 0; i < order.length; i++) if (listing.positions[order[i]!] === position) return i;
	return -1;
}

function rowOfName({ listing, order }: FilesState, name: string): number {
	if (!listing) return -1;
	const wanted = name.toLowerCase();
	for (let i = 0; i < order.length; i++)
		if (listing.names[order[i]!]!.toLowerCase() === wanted) return i;
	return -1;
}

/** Shows `sorted` through the filter; the cursor stays on its entry, else near its row. */
function show(state: State, sorted: Int32Array): State {
	const { files } = state;
	if (!files.listing) return state;
	const position = cursorPosition(files);
	const order = visibleRows(files.listing, files, sorted);
	const next = { ...files, sorted, order };
	const found = rowOfPosition(next, position);
	const frame = { ...filesFrame(state), count: order.length };
	const list = keepOn(
		files.list,
		found < 0 ? Math.min(files.list.cursor, order.length) : found,
		frame,
	);
	return { ...state, files: { ...next, list } };
}

/** Sorts again: at once, or for long listings by asking the loader. */
export function resort(state: State, isFirst = false): State {
	const { listing, sort, sorted } = state.files;
	if (!listing) return state;
	if (listing.positions.length > SYNC_ROWS_MAX) {
		const waiting = { ...state.files, reorder: { listing, sort, isFirst } };
		return show({ ...state, files: waiting }, sorted);
	}
	const order = orderOf(listing, { sort, isDamaged: (row) => isDamagedRow(state, row) });
	return show({ ...state, files: { ...state.files, reorder: null } }, order);
}

/** Takes the order of a long listing. */
export function orderReady(
	state: State,
	wish: NonNullable<FilesState['reorder']>,
	sorted: Int32Array,
): State {
	const { files } = state;
	if (files.reorder !== wish) return state;
	const next = show({ ...state, files: { ...files, reorder: null } }, sorted);
	if (wish.isFirst && files.staysAtEnd) return atEnd(next);
	// A folder that has just been opened is sorted for the first time: whoever stands at its top stays there.
	return wish.isFirst && files.list.cursor === 0 ? atTop(next) : next;
}

export function setFilter(state: State, filter: string): State {
	const { files } = state;
	if (files.filter === filter) return state;
	return show({ ...state, files: { ...files, filter } }, files.sorted);
}

/** Sorts by a key; the same key again turns the order round. Sizes and times start with the largest. */
export function sortBy(state: State, key: SortKey): State {
	const { sort } = state.files;
	const startsDown = key === 'size' || key === 'packed' || key === 'time';
	const next: Sort =
		sort.key === key ? { key, descending: !sort.descending } : { key, descending: startsDown };
	return resort({ ...state, files: { ...state.files, sort: next } });
}

export function toggleHidden(state: State): State {
	const { files } = state;
	const next = show({ ...state, files: { ...files, showHidden: !files.showHidden } }, files.sorted);
	return say(
		next,
		files.showHidden
			? 'Hidden and system entries are left out (. shows them)'
			: 'Hidden and system entries are shown',
	);
}

/** Opens the folder above, with the cursor on the one we came from. */
export function goToParent(state: State): State {
	const { listing, find, history } = state.files;
	if (!listing) return state;
	if (find !== null) {
		const back = history.at(-1);
		return back ? goBack(state) : state;
	}
	if (listing.folder === listing.parent) return state;
	return browse(
		state,
		{ type: 'folder', imageIndex: listing.imageIndex, position: listing.parent },
		{ wanted: listing.folder },
	);
}

/** Opens the folder that was shown before. */
export function goBack(state: State): State {
	const { history } = state.files;
	const back = history.at(-1);
	if (!back) return state;
	const { imageIndex, path } = back;
	const next = browse(state, { type: 'path', imageIndex, path }, { isStep: false });
	return { ...next, files: { ...next.files, history: history.slice(0, -1) } };
}
