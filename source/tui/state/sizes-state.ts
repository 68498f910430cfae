/** What the view of sizes by folder shows. */

import type { SizeListing } from '../engine-views.ts';
import { LIST_START, type ListState } from './list.ts';
import { type Load, NO_LOAD } from './load.ts';

export type SizeSortKey = 'size' | 'packed' | 'files' | 'name';

export interface SizeSort {
	readonly key: SizeSortKey;
	readonly descending: boolean;
}

export interface SizesRequest {
	readonly imageIndex: number;
	readonly position: number;
}

export interface SizesState {
	readonly load: Load<SizesRequest>;
	readonly listing: SizeListing | null;
	readonly sort: SizeSort;
	/** All rows of the listing, in order; null until they are sorted. */
	readonly sorted: Int32Array | null;
	/** Those of them that pass the filter. */
	readonly order: Int32Array;
	/** A fresh object for every order that is wished for. */
	readonly reorder: { readonly listing: SizeListing; readonly sort: SizeSort } | null;
	readonly filter: string;
	readonly list: ListState;
	/** Position that the cursor shall stand on once the rows are there, or -1. */
	readonly wanted: number;
}

export const NO_SIZES: SizesState = {
	load: NO_LOAD,
	listing: null,
	sort: { key: 'size', descending: true },
	sorted: null,
	order: new Int32Array(0),
	reorder: null,
	filter: '',
	list: LIST_START,
	wanted: -1,
};
