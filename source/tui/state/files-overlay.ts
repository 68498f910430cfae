/** Entries that are staged to be added, as rows of the folder where they will stand. */

import { EntryKind, type Listing } from '../engine.ts';
import { changesOf } from './staged-plan.ts';
import type { StagedChange } from './staged-state.ts';
import type { State } from './state.ts';

/** The listing as the engine gave it, behind one with further rows. */
const bases = new WeakMap<Listing, Listing>();

export const baseOf = (listing: Listing): Listing => bases.get(listing) ?? listing;

type Addition = Extract<StagedChange, { type: 'add' }>;

const nameOf = (path: string): string => path.slice(path.lastIndexOf('\\') + 1);

/** Additions that get a row of their own in a folder. */
function additionsIn(state: State, listing: Listing): readonly Addition[] {
	const folder = listing.path.toLowerCase();
	return changesOf(state.staged.changes, listing.imageIndex).flatMap((change) => {
		if (change.type !== 'add' || change.replaces !== null) return [];
		const parent = change.path.slice(0, change.path.lastIndexOf('\\')) || '\\';
		return parent.toLowerCase() === folder ? [change] : [];
	});
}

/** The rows of a folder with what is staged to be added there. Such rows have positions below 0. */
export function overlaid(state: State, listing: Listing): Listing {
	const added = additionsIn(state, listing);
	if (added.length === 0) return listing;
	const grown = <T extends Int32Array | Float64Array | Uint32Array | Uint8Array>(
		make: new (length: number) => T,
		column: T,
		value: (change: Addition) => number,
	): T => {
		const longer = new make(column.length + added.length);
		longer.set(column as never);
		for (const [i, change] of added.entries()) longer[column.length + i] = value(change);
		return longer;
	};
	const next: Listing = {
		...listing,
		positions: grown(Int32Array, listing.positions, ({ id }) => -1 - id),
		names: [...listing.names, ...added.map(({ path }) => nameOf(path))],
		sizes: grown(Float64Array, listing.sizes, ({ size }) => size ?? 0),
		packed: grown(Float64Array, listing.packed, () => 0),
		times: grown(Float64Array, listing.times, () => Number.NaN),
		attributes: grown(Uint32Array, listing.attributes, ({ isFolder }) => (isFolder ? 0x10 : 0)),
		kinds: grown(Uint8Array, listing.kinds, ({ isFolder }) => (isFolder ? EntryKind.folder : 0)),
	};
	bases.set(next, listing);
	return next;
}

/** The staged addition behind a row, or null for entries of the image. */
export function additionAt(state: State, position: number): Addition | null {
	if (position >= 0) return null;
	const change = state.staged.changes.find(({ id }) => id === -1 - position);
	return change?.type === 'add' ? change : null;
}
