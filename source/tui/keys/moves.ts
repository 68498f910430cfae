/** Moving in whatever list has the focus. */

import { createTheme } from '../parts/theme.ts';
import { shownFindings } from '../state/damage.ts';
import { differenceFrame } from '../state/difference.ts';
import { atEnd, filesFrame } from '../state/files.ts';
import { moveJobs } from '../state/jobs.ts';
import { type ListFrame, type ListState, moveTo, page } from '../state/list.ts';
import { mapGrid, moveCells, nextBadCell } from '../state/map.ts';
import {
	focusOf,
	isDamagedRow,
	layoutOf,
	scrollOf,
	startHeight,
	viewHeight,
	visibleImages,
} from '../state/selectors.ts';
import { sizesFrame } from '../state/sizes.ts';
import { stagedFrame } from '../state/staged.ts';
import { shownFound } from '../state/start.ts';
import type { State } from '../state/state.ts';
import { say } from '../state/status.ts';
import { damageListHeight } from '../view/damage.ts';
import { detailLines } from '../view/details.ts';

export type Move =
	| 'next'
	| 'prev'
	| 'first'
	| 'last'
	| 'halfDown'
	| 'halfUp'
	| 'pageDown'
	| 'pageUp';

const moved = (list: ListState, move: Move, frame: ListFrame): ListState => {
	const half = Math.max(1, Math.floor(frame.height / 2));
	const full = Math.max(1, frame.height - 1);
	switch (move) {
		case 'next':
			return moveTo(list, list.cursor + 1, frame);
		case 'prev':
			return moveTo(list, list.cursor - 1, frame);
		case 'first':
			return moveTo(list, 0, frame);
		case 'last':
			return moveTo(list, frame.count - 1, frame);
		case 'halfDown':
			return page(list, half, frame);
		case 'halfUp':
			return page(list, -half, frame);
		case 'pageDown':
			return page(list, full, frame);
		case 'pageUp':
			return page(list, -full, frame);
	}
};

/** A list of the state by the name of what has the focus. */
interface Access {
	readonly frame: ListFrame;
	readonly list: ListState;
	set(list: ListState): State;
}

export function accessOf(state: State): Access | null {
	const scroll = scrollOf(state);
	const focus = focusOf(state);
	switch (focus) {
		case 'images':
			return {
				frame: {
					count: visibleImages(state).length,
					height: layoutOf(state).panes.images?.body.height ?? 10,
					scroll,
				},
				list: state.images.list,
				set: (list) => ({ ...state, images: { ...state.images, list } }),
			};
		case 'files':
			return {
				frame: filesFrame(state),
				list: state.files.list,
				set: (list) => ({ ...state, files: { ...state.files, list, staysAtEnd: false } }),
			};
		case 'start':
			return {
				frame: {
					count: shownFound(state).length,
					height: startHeight(state),
					scroll,
				},
				list: state.start.list,
				set: (list) => ({ ...state, start: { ...state.start, list } }),
			};
		case 'damage': {
			const count = shownFindings(state).length;
			return {
				frame: { count, height: damageListHeight(count, viewHeight(state)), scroll: 'line' },
				list: state.damage.list,
				set: (list) => ({ ...state, damage: { ...state.damage, list } }),
			};
		}
		case 'staged':
			return {
				frame: stagedFrame(state),
				list: state.staged.list,
				set: (list) => ({ ...state, staged: { ...state.staged, list } }),
			};
		case 'difference':
			return {
				frame: differenceFrame(state),
				list: state.difference.list,
				set: (list) => ({ ...state, difference: { ...state.difference, list } }),
			};
		case 'sizes':
			return {
				frame: sizesFrame(state),
				list: state.sizes.list,
				set: (list) => ({ ...state, sizes: { ...state.sizes, list } }),
			};
		default:
			return null;
	}
}

/** Keeps cursors in view after the size of the screen or of a pane changed. */
export function settleLists(state: State): State {
	const list = moveTo(state.files.list, state.files.list.cursor, filesFrame(state));
	const next = list === state.files.list ? state : { ...state, files: { ...state.files, list } };
	const access = accessOf(next);
	if (!access || focusOf(next) === 'files') return next;
	const settled = moveTo(access.list, access.list.cursor, access.frame);
	return settled === access.list ? next : access.set(settled);
}

/** Moves the cursor of the focused list, or scrolls Details. */
export function moveList(state: State, move: Move): State {
	const focus = focusOf(state);
	if (focus === 'jobs')
		return moveJobs(state, (row, count) => {
			const frame = { count, height: layoutOf(state).panes.jobs?.body.height ?? 3 } as const;
			return moved({ cursor: row, top: row }, move, { ...frame, scroll: 'line' }).cursor;
		});
	if (focus === 'map') return moveMap(state, move);
	if (focus === 'details') return scrollDetails(state, move);
	if (focus === 'files' && move === 'last') return atEnd(state);
	const access = accessOf(state);
	if (!access) return state;
	const list = moved(access.list, move, access.frame);
	return list === access.list ? state : access.set(list);
}

/** Up and down are rows of the grid. */
function moveMap(state: State, move: Move): State {
	const { columns, rows, count } = mapGrid(state);
	const half = Math.max(1, Math.floor(rows / 2)) * columns;
	const steps: Readonly<Record<Move, number>> = {
		next: columns,
		prev: -columns,
		first: -count,
		last: count,
		halfDown: half,
		halfUp: -half,
		pageDown: rows * columns,
		pageUp: -rows * columns,
	};
	return moveCells(state, steps[move]);
}

// Line breaks do not depend on colours.
const PLAIN = createTheme('unicode', 'never');

function scrollDetails(state: State, move: Move): State {
	const body = layoutOf(state).panes.details?.body;
	if (!body) return state;
	const count = detailLines(state, PLAIN, body.width).length;
	const topMax = Math.max(0, count - body.height);
	const step = { cursor: Math.min(state.details.top, topMax), top: 0 };
	const frame: ListFrame = { count: topMax + 1, height: body.height, scroll: 'line' };
	const top = moved(step, move, frame).cursor;
	return top === state.details.top ? state : { ...state, details: { ...state.details, top } };
}

/** The next or previous image of which something is damaged. */
function nextBadImage(state: State, step: 1 | -1): State {
	const images = visibleImages(state);
	const { list } = state.images;
	const access = accessOf(state);
	for (let i = list.cursor + step; i >= 0 && i < images.length; i += step) {
		const { index } = images[i]!;
		if (!state.damage.images.has(index) && !state.wim.unreadable.has(index)) continue;
		return access ? access.set(moveTo(list, i, access.frame)) : state;
	}
	return say(state, `No damaged image ${step === 1 ? 'below' : 'above'}`);
}

/** The next or previous hit of a search, else the next damaged entry or image; every row of the other lists is one. */
export function nextMatch(state: State, step: 1 | -1): State {
	if (focusOf(state) === 'map') return nextBadCell(state, step);
	if (focusOf(state) === 'images') return nextBadImage(state, step);
	if (focusOf(state) !== 'files') return moveList(state, step === 1 ? 'next' : 'prev');
	const { files } = state;
	if (files.find !== null) return moveList(state, step === 1 ? 'next' : 'prev');
	const { order, list } = files;
	for (let i = list.cursor + step; i >= 0 && i < order.length; i += step) {
		if (!isDamagedRow(state, order[i]!)) continue;
		return { ...state, files: { ...files, list: moveTo(list, i, filesFrame(state)) } };
	}
	const where = step === 1 ? 'below' : 'above';
	return say(state, `No damaged entry ${where}`);
}
