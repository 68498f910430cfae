/** Size by folder: which folder it shows, in which order, and where the cursor stands. */

import { EntryKind } from '../engine.ts';
import type { SizeListing } from '../engine-views.ts';
import { countFrom } from './count-from.ts';
import { browse } from './files.ts';
import { LIST_START, type ListFrame, moveTo } from './list.ts';
import { loading } from './load.ts';
import { byNumber, byText, filterTest, SYNC_ROWS_MAX, sortSteps } from './order.ts';
import { currentImage, entryUnderCursor, focusOf, scrollOf, viewHeight } from './selectors.ts';
import type { SizeSort, SizeSortKey, SizesRequest, SizesState } from './sizes-state.ts';
import type { State } from './state.ts';
import { say } from './status.ts';
import { openView } from './view.ts';

/** Rows of the view: below its row of headings. */
export function sizesFrame(state: State): ListFrame {
	return {
		count: state.sizes.order.length,
		height: Math.max(1, viewHeight(state) - 1),
		scroll: scrollOf(state),
	};
}

/** Opens the view of the folder under the cursor of Files, else of the folder shown there, else of the image. */
export function showSizes(state: State): State {
	const image = currentImage(state);
	if (!image) return say(state, 'There is no image to measure');
	const { listing, find } = state.files;
	const inFiles = focusOf(state) === 'files' && listing !== null;
	const entry = inFiles ? entryUnderCursor(state) : null;
	const position = entry?.isFolder ? entry.position : inFiles && find === null ? listing.folder : 0;
	const imageIndex = inFiles ? listing.imageIndex : image.index;
	return loadSizes(openView(state, 'sizes'), { imageIndex, position }, -1);
}

/** Asks for a folder; what is shown stays until it comes. */
export function loadSizes(state: State, request: SizesRequest, wanted: number): State {
	return {
		...state,
		sizes: {
			...state.sizes,
			load: loading(request, state.nowMs),
			wanted,
		},
	};
}

export function sizesLoaded(
	state: State,
	request: SizesRequest,
	listing: SizeListing,
	sorted: Int32Array,
): State {
	const { sizes } = state;
	if (sizes.load.request !== request) return state;
	const isSame =
		sizes.listing?.folder === listing.folder && sizes.listing.imageIndex === listing.imageIndex;
	const next: SizesState = {
		...sizes,
		load: { ...sizes.load, status: 'ready' },
		listing,
		filter: isSame ? sizes.filter : '',
		list: isSame ? sizes.list : LIST_START,
		order: isSame ? sizes.order : new Int32Array(0),
		reorder: null,
	};
	return placed(show({ ...state, sizes: next }, sorted), sizes.wanted);
}

export function sizesFailed(state: State, request: SizesRequest, reason: string): State {
	const { sizes } = state;
	if (sizes.load.request !== request) return state;
	return {
		...state,
		sizes: { ...sizes, load: { ...sizes.load, status: 'failed', error: reason } },
	};
}

function placed(state: State, position: number): State {
	const { listing, order, list } = state.sizes;
	if (!listing || position < 0) return state;
	const row = order.findIndex((at) => listing.positions[at] === position);
	if (row < 0) return state;
	return { ...state, sizes: { ...state.sizes, list: moveTo(list, row, sizesFrame(state)) } };
}

/** Shows the rows that pass the filter; the cursor stays on its entry. */
function show(state: State, sorted: Int32Array): State {
	const { listing, filter, order, list } = state.sizes;
	if (!listing) return state;
	const row = order[list.cursor];
	const position = row === undefined ? -1 : (listing.positions[row] ?? -1);
	const test = filterTest(filter);
	const kept =
		filter === '' ? sorted : sorted.filter((at) => test(listing.names[at]!.toLowerCase()));
	const next = { ...state, sizes: { ...state.sizes, sorted, order: kept } };
	return placed(next, position);
}

/** Rows in order, step by step. */
export function sizeSteps(
	listing: SizeListing,
	sort: SizeSort,
): Generator<void, Int32Array, undefined> {
	const names = byText(listing.names.map((name) => name.toLowerCase()));
	const sign = sort.descending ? -1 : 1;
	const main =
		sort.key === 'name'
			? names
			: byNumber({ size: listing.sizes, packed: listing.packed, files: listing.files }[sort.key]);
	const rows = countFrom(0, listing.positions.length);
	return sortSteps(rows, (a, b) => sign * main(a, b) || names(a, b) || a - b);
}

function atOnce<T>(steps: Generator<void, T, undefined>): T {
	for (;;) {
		const step = steps.next();
		if (step.done) return step.value;
	}
}

/** Sorts by a key; the same key again turns the order round. Amounts start with the largest. */
export function sortSizes(state: State, key: SizeSortKey): State {
	const { sizes } = state;
	const descending = sizes.sort.key === key ? !sizes.sort.descending : key !== 'name';
	const sort = { key, descending };
	const { listing } = sizes;
	const next = { ...state, sizes: { ...sizes, sort, reorder: null } };
	if (!listing) return next;
	if (listing.positions.length > SYNC_ROWS_MAX)
		return { ...next, sizes: { ...next.sizes, reorder: { listing, sort } } };
	return show(next, atOnce(sizeSteps(listing, sort)));
}

export function sizesSorted(
	state: State,
	wish: NonNullable<SizesState['reorder']>,
	sorted: Int32Array,
): State {
	if (state.sizes.reorder !== wish) return state;
	return show({ ...state, sizes: { ...state.sizes, reorder: null } }, sorted);
}

export function filterSizes(state: State, filter: string): State {
	const { sorted } = state.sizes;
	const next = { ...state, sizes: { ...state.sizes, filter } };
	return sorted ? show(next, sorted) : next;
}

/** Row of the listing under the cursor, or null. */
export function sizeRowUnderCursor({ sizes }: State): number | null {
	return sizes.order[sizes.list.cursor] ?? null;
}

/** Goes into the folder under the cursor. */
export function enterSizes(state: State): State {
	const { listing } = state.sizes;
	const row = sizeRowUnderCursor(state);
	if (!listing || row === null) return state;
	if (((listing.kinds[row] ?? 0) & EntryKind.folder) === 0)
		return say(state, 'A file: o shows it in Files');
	return loadSizes(
		state,
		{ imageIndex: listing.imageIndex, position: listing.positions[row]! },
		-1,
	);
}

/** Goes to the folder above, with the cursor on the one we came from; from the root back to the deck. */
export function leaveSizes(state: State): State {
	const { listing } = state.sizes;
	if (!listing || listing.folder === listing.parent)
		return say(state, 'This is the top of the image');
	const { imageIndex, parent, folder } = listing;
	return loadSizes(state, { imageIndex, position: parent }, folder);
}

/** Shows the entry under the cursor in Files. */
export function sizesToFiles(state: State): State {
	const { listing } = state.sizes;
	if (!listing) return state;
	const row = sizeRowUnderCursor(state);
	const wanted = row === null ? null : listing.positions[row]!;
	return browse(
		{ ...state, view: 'deck', focus: 'files' },
		{ type: 'folder', imageIndex: listing.imageIndex, position: listing.folder },
		{ wanted },
	);
}

/** Backslash path of the entry under the cursor, or null. */
export function sizePathUnderCursor(state: State): string | null {
	const { listing } = state.sizes;
	const row = sizeRowUnderCursor(state);
	if (!listing || row === null) return null;
	return `${listing.path === '\\' ? '' : listing.path}\\${listing.names[row]}`;
}
