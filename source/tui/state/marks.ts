/** Marks on entries of the Files pane, on images, and the steps back. */

import { UNNAMED_INDEX } from '../engine.ts';
import { browse, filesFrame, resort, setFilter } from './files.ts';
import { moveTo } from './list.ts';
import { filterTest, loweredNames } from './order.ts';
import { entryUnderCursor, imageUnderCursor, scrollOf, visibleImages } from './selectors.ts';
import type { Marks, Snapshot, State } from './state.ts';
import { say } from './status.ts';

/** Steps that `u` takes back. */
const UNDO_MAX = 20;

/** Keeps what `u` brings back, before a change. */
export function remember(state: State, what: string): State {
	const { listing, find, filter, sort, showHidden } = state.files;
	const snapshot: Snapshot = {
		what,
		marks: state.marks,
		imageMarks: state.images.marks,
		filter,
		sort,
		showHidden,
		location:
			listing && find === null ? { imageIndex: listing.imageIndex, path: listing.path } : null,
	};
	return { ...state, undo: [...state.undo, snapshot].slice(-UNDO_MAX) };
}

/** Takes back the last change of marks, filter, sort or place. */
export function undo(state: State): State {
	const last = state.undo.at(-1);
	if (!last) return state;
	const restored: State = {
		...state,
		undo: state.undo.slice(0, -1),
		marks: last.marks,
		images: { ...state.images, marks: last.imageMarks },
		files: { ...state.files, sort: last.sort, showHidden: last.showHidden },
	};
	const { listing } = state.files;
	const { location } = last;
	const isHere =
		!location || (listing?.imageIndex === location.imageIndex && listing.path === location.path);
	if (isHere) return setFilter(resort(restored), last.filter);
	return browse(resort(restored), { type: 'path', ...location }, { isStep: false });
}

/** Replaces the marks of one image. */
function withMarks(marks: Marks, imageIndex: number, next: ReadonlyMap<number, number>): Marks {
	const all = new Map(marks);
	if (next.size === 0) all.delete(imageIndex);
	else all.set(imageIndex, next);
	return all;
}

/** Marks or unmarks the image or entry under the cursor and moves down. */
export function toggleMark(state: State): State {
	return state.focus === 'images' && state.view === 'deck'
		? toggleImage(state)
		: toggleEntry(state);
}

function toggleImage(state: State): State {
	const image = imageUnderCursor(state);
	if (!image) return state;
	if (image.index === UNNAMED_INDEX) return say(state, 'This is no image of the file');
	const marks = new Set(state.images.marks);
	if (!marks.delete(image.index)) marks.add(image.index);
	const frame = { count: visibleImages(state).length, height: 1000, scroll: scrollOf(state) };
	const list = moveTo(state.images.list, state.images.list.cursor + 1, frame);
	return { ...remember(state, 'marks'), images: { ...state.images, marks, list } };
}

function toggleEntry(state: State): State {
	if (state.files.rangeFrom !== null) return endRange(state);
	const entry = entryUnderCursor(state);
	if (!entry) return state;
	if (entry.position < 0) return say(state, 'It is not in the image yet');
	const here = new Map(state.marks.get(entry.imageIndex));
	if (!here.delete(entry.position)) here.set(entry.position, entry.size);
	const { files } = state;
	const list = moveTo(files.list, files.list.cursor + 1, filesFrame(state));
	return {
		...remember(state, 'marks'),
		marks: withMarks(state.marks, entry.imageIndex, here),
		files: { ...files, list },
	};
}

/** Begins a range of marks at the cursor, or ends it there. */
export function toggleRange(state: State): State {
	if (state.files.rangeFrom !== null) return endRange(state);
	const entry = entryUnderCursor(state);
	if (!entry) return state;
	return { ...state, files: { ...state.files, rangeFrom: state.files.list.cursor } };
}

function endRange(state: State): State {
	const { files } = state;
	const from = Math.min(files.rangeFrom ?? 0, files.list.cursor);
	const to = Math.max(files.rangeFrom ?? 0, files.list.cursor);
	const next = markRows(state, (i) => i >= from && i <= to);
	return { ...next, files: { ...next.files, rangeFrom: null } };
}

/** Marks the shown rows that `wants` chooses, by their place in the order. */
function markRows(state: State, wants: (at: number, row: number) => boolean): State {
	const { listing, order } = state.files;
	if (!listing) return state;
	const here = new Map(state.marks.get(listing.imageIndex));
	for (let i = 0; i < order.length; i++) {
		const row = order[i]!;
		if (listing.positions[row]! >= 0 && wants(i, row))
			here.set(listing.positions[row]!, listing.sizes[row]!);
	}
	return {
		...remember(state, 'marks'),
		marks: withMarks(state.marks, listing.imageIndex, here),
	};
}

/** Marks what is not marked among the shown rows, and the other way round. */
export function invertMarks(state: State): State {
	if (state.focus === 'images') {
		const marks = new Set(
			visibleImages(state)
				.map(({ index }) => index)
				.filter((index) => !state.images.marks.has(index)),
		);
		return { ...remember(state, 'marks'), images: { ...state.images, marks } };
	}
	const { listing, order } = state.files;
	if (!listing) return state;
	const here = new Map(state.marks.get(listing.imageIndex));
	for (const row of order) {
		const position = listing.positions[row]!;
		if (position < 0) continue; // staged to be added
		if (!here.delete(position)) here.set(position, listing.sizes[row]!);
	}
	return { ...remember(state, 'marks'), marks: withMarks(state.marks, listing.imageIndex, here) };
}

/** Marks the shown rows whose name matches, with the rules of the filter. */
export function markMatching(state: State, pattern: string): State {
	const { listing } = state.files;
	if (!listing || pattern === '') return state;
	const names = loweredNames(listing);
	const test = filterTest(pattern);
	return markRows(state, (_, row) => test(names[row]!));
}

export function unmarkAll(state: State): State {
	if (state.marks.size === 0 && state.images.marks.size === 0) return state;
	return {
		...remember(state, 'marks'),
		marks: new Map(),
		images: { ...state.images, marks: new Set() },
	};
}

/** Marks entries of several images by position. */
export function markPositions(state: State, found: ReadonlyMap<number, readonly number[]>): State {
	let { marks } = state;
	for (const [imageIndex, positions] of found) {
		const here = new Map(marks.get(imageIndex));
		for (const position of positions) here.set(position, here.get(position) ?? 0);
		marks = withMarks(marks, imageIndex, here);
	}
	return { ...remember(state, 'marks'), marks };
}
