/** The second keys of `s`, by what has the focus. */

import { sortBy } from '../state/files.ts';
import { remember } from '../state/marks.ts';
import type { SortKey } from '../state/order.ts';
import { focusOf } from '../state/selectors.ts';
import { sortSizes } from '../state/sizes.ts';
import type { SizeSortKey } from '../state/sizes-state.ts';
import { sortFound } from '../state/start.ts';
import type { StartSortKey, State } from '../state/state.ts';

export interface SortChoice {
	readonly key: string;
	readonly word: string;
	readonly sort: (state: State) => State;
}

const files = (key: string, word: string, by: SortKey): SortChoice => ({
	key,
	word,
	sort: (state) => sortBy(remember(state, 'sort'), by),
});

const sizes = (key: string, word: string, by: SizeSortKey): SortChoice => ({
	key,
	word,
	sort: (state) => sortSizes(state, by),
});

const FILES: readonly SortChoice[] = [
	files('n', 'name', 'name'),
	files('s', 'size', 'size'),
	files('t', 'time', 'time'),
	files('e', 'extension', 'extension'),
	files('p', 'packed', 'packed'),
	files('d', 'damage', 'damage'),
];

const SIZES: readonly SortChoice[] = [
	sizes('s', 'size', 'size'),
	sizes('p', 'stored', 'packed'),
	sizes('f', 'files', 'files'),
	sizes('n', 'name', 'name'),
];

const start = (key: string, word: string, by: StartSortKey): SortChoice => ({
	key,
	word,
	sort: (state) => sortFound(state, by),
});

const START: readonly SortChoice[] = [
	start('n', 'name', 'name'),
	start('s', 'size', 'size'),
	start('d', 'dead', 'dead'),
	start('i', 'images', 'images'),
	start('b', 'build', 'build'),
	start('e', 'edition', 'edition'),
	start('t', 'time', 'time'),
];

export function sortChoices(state: State): readonly SortChoice[] {
	const focus = focusOf(state);
	if (focus === 'start') return START;
	return focus === 'sizes' ? SIZES : FILES;
}
