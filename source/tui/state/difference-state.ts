/** What the view of two images' differences shows. */

import type { DifferenceFact, DifferenceKind, ImageDifference } from '../engine-views.ts';
import type { DifferenceFolder } from './difference-tree.ts';
import { LIST_START, type ListState } from './list.ts';
import { type Load, NO_LOAD } from './load.ts';

export interface DifferenceRequest {
	/** Image indexes. */
	readonly before: number;
	readonly after: number;
}

export interface DifferenceState {
	readonly load: Load<DifferenceRequest>;
	/** Of the images that are shown; null until something was compared. */
	readonly pair: DifferenceRequest | null;
	readonly root: DifferenceFolder | null;
	/** Path of the open folder. */
	readonly path: string;
	/** Only differences of this kind. */
	readonly only: DifferenceKind | null;
	/** Everything below the folder as one list of paths. */
	readonly isFlat: boolean;
	readonly filter: string;
	readonly list: ListState;
	/** Where the cursor was in folders above. */
	readonly places: ReadonlyMap<string, ListState>;
	/** The facts of the difference under the cursor. */
	readonly factsLoad: Load<ImageDifference>;
	readonly facts: readonly DifferenceFact[];
}

export const NO_DIFFERENCE: DifferenceState = {
	load: NO_LOAD,
	pair: null,
	root: null,
	path: '\\',
	only: null,
	isFlat: false,
	filter: '',
	list: LIST_START,
	places: new Map(),
	factsLoad: NO_LOAD,
	facts: [],
};
