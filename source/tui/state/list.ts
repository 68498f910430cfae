/** Cursor and window of a list of which only the visible rows exist as text. */

export interface ListState {
	/** Row under the cursor, from 0. */
	readonly cursor: number;
	/** First visible row. */
	readonly top: number;
}

export const LIST_START: ListState = { cursor: 0, top: 0 };

/** `page`: jump half a page at the edge, which costs few bytes; `line`: scroll by one. */
export type ScrollMode = 'page' | 'line';

export interface ListFrame {
	readonly count: number;
	readonly height: number;
	readonly scroll: ScrollMode;
}

const clamp = (value: number, low: number, high: number): number =>
	Math.max(low, Math.min(value, high));

/** Puts the cursor on a row and moves the window only when the row would be outside it. */
export function moveTo(list: ListState, row: number, frame: ListFrame): ListState {
	const { count, scroll } = frame;
	const height = Math.max(1, frame.height);
	const cursor = clamp(row, 0, Math.max(0, count - 1));
	const topMax = Math.max(0, count - height);
	let top = clamp(list.top, 0, topMax);
	if (cursor < top || cursor >= top + height) {
		const step = scroll === 'line' ? 0 : Math.floor(height / 2);
		const near = Math.abs(cursor - list.cursor) <= height;
		if (!near) top = cursor - Math.floor(height / 2);
		else if (cursor < top) top = cursor - step;
		else top = cursor - height + 1 + step;
		top = clamp(top, 0, topMax);
	}
	return cursor === list.cursor && top === list.top ? list : { cursor, top };
}

/** Moves cursor and window together by `rows`. */
export function page(list: ListState, rows: number, frame: ListFrame): ListState {
	const height = Math.max(1, frame.height);
	const topMax = Math.max(0, frame.count - height);
	const top = clamp(list.top + rows, 0, topMax);
	return moveTo({ cursor: list.cursor, top }, list.cursor + rows, frame);
}

/** The same list after its rows or its height changed: the cursor stays on `row`, at the same height where it can. */
export function keepOn(list: ListState, row: number, frame: ListFrame): ListState {
	const offset = list.cursor - list.top;
	return moveTo({ cursor: row, top: row - offset }, row, frame);
}
