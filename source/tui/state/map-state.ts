/** What the map of the file shows. */

import type { MapPlace, PartMap, PlaceFacts } from '../engine-views.ts';
import { type Load, NO_LOAD } from './load.ts';

export interface FileMapState {
	/** Position of the part that is shown, from 0. */
	readonly part: number;
	/** Byte under the cursor, so that it stays when the screen changes. */
	readonly offset: number;
	readonly load: Load<object>;
	/** As the tables tell it; a check knows more. */
	readonly layout: readonly PartMap[] | null;
	readonly placeLoad: Load<MapPlace>;
	readonly place: PlaceFacts | null;
}

export const NO_FILE_MAP: FileMapState = {
	part: 0,
	offset: 0,
	load: NO_LOAD,
	layout: null,
	placeLoad: NO_LOAD,
	place: null,
};
