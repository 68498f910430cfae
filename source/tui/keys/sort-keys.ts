import type { SortKey } from '../state/order.ts';

/** The second keys of `s`. */
export const SORT_KEYS: readonly {
	readonly key: string;
	readonly by: SortKey;
	readonly word: string;
}[] = [
	{ key: 'n', by: 'name', word: 'name' },
	{ key: 's', by: 'size', word: 'size' },
	{ key: 't', by: 'time', word: 'time' },
	{ key: 'e', by: 'extension', word: 'extension' },
	{ key: 'p', by: 'packed', word: 'packed' },
	{ key: 'd', by: 'damage', word: 'damage' },
];

export function sortKeyFor(name: string): SortKey | null {
	return SORT_KEYS.find(({ key }) => key === name)?.by ?? null;
}
