/** Going to a name by typing its beginning: the list stays whole, only the cursor moves. */

import { differenceRows } from '../state/difference.ts';
import { type ListState, moveTo } from '../state/list.ts';
import { loweredNames } from '../state/order.ts';
import { baseName, focusOf, visibleImages } from '../state/selectors.ts';
import { shownFound } from '../state/start.ts';
import type { State } from '../state/state.ts';
import { accessOf } from './moves.ts';

/** The name of a row in lower case. */
type NameAt = (row: number) => string;

/** The last name of a path inside an image. */
const lastOf = (path: string): string => path.slice(path.lastIndexOf('\\') + 1);

function namesOf(state: State): NameAt | null {
	switch (focusOf(state)) {
		case 'images': {
			const images = visibleImages(state);
			return (row) => images[row]?.name.toLowerCase() ?? '';
		}
		case 'files': {
			const { listing, order, find } = state.files;
			if (!listing) return null;
			const names = loweredNames(listing);
			// Hits of a search are whole paths.
			return (row) => {
				const name = names[order[row] ?? -1] ?? '';
				return find === null ? name : lastOf(name);
			};
		}
		case 'sizes': {
			const { listing, order } = state.sizes;
			return listing && ((row) => listing.names[order[row] ?? -1]?.toLowerCase() ?? '');
		}
		case 'difference': {
			const rows = differenceRows(state);
			return (row) => {
				const at = rows[row];
				const path = at?.type === 'folder' ? at.folder.path : at?.difference.path;
				return lastOf(path ?? '').toLowerCase();
			};
		}
		case 'start': {
			const found = shownFound(state);
			return (row) => baseName(found[row]?.path ?? '').toLowerCase();
		}
		default:
			return null;
	}
}

/** The first row from `start` on, round the end, whose name begins so; null: there is none. */
function rowOf(state: State, text: string, start: number, step: 1 | -1): number | null {
	const nameAt = namesOf(state);
	const count = accessOf(state)?.frame.count ?? 0;
	const wanted = text.toLowerCase();
	for (let i = 0; nameAt && i < count; i++) {
		const row = (start + step * i + count * 2) % count;
		if (nameAt(row).startsWith(wanted)) return row;
	}
	return null;
}

function withList(state: State, list: ListState): State {
	return accessOf(state)?.set(list) ?? state;
}

const withMiss = (state: State, isMiss: boolean): State =>
	state.line ? { ...state, line: { ...state.line, note: isMiss ? 'no such name' : '' } } : state;

/** The list that has the focus, for coming back to it. */
export const listOf = (state: State): ListState | null => accessOf(state)?.list ?? null;

/** After each character: from where the line was opened, so that what is typed alone decides. */
export function jumpTo(state: State, text: string): State {
	const from = state.line?.from;
	if (!from) return state;
	const back = withList(state, from);
	const row = text === '' ? from.cursor : rowOf(state, text, from.cursor, 1);
	const access = accessOf(back);
	if (row === null || !access) return withMiss(back, true);
	return withMiss(access.set(moveTo(access.list, row, access.frame)), false);
}

/** The next or previous name that begins so. */
export function jumpOn(state: State, step: 1 | -1): State {
	const access = accessOf(state);
	const text = state.line?.field.text ?? '';
	if (!access || text === '') return state;
	const row = rowOf(state, text, access.list.cursor + step, step);
	return row === null ? state : access.set(moveTo(access.list, row, access.frame));
}

/** Esc: to where the line was opened. */
export const jumpBack = (state: State, from: ListState | null): State =>
	from ? withList(state, from) : state;
