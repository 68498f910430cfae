/** Which rows of a listing are shown and in which order: an array of row numbers, never a copy of the rows. */

import { EntryKind, type Listing } from '../engine.ts';
import { countFrom } from './count-from.ts';

export type SortKey = 'name' | 'size' | 'time' | 'extension' | 'packed' | 'damage';

export interface Sort {
	readonly key: SortKey;
	readonly descending: boolean;
}

export const SORT_BY_NAME: Sort = { key: 'name', descending: false };

export interface RowFilter {
	readonly filter: string;
	readonly showHidden: boolean;
}

export interface OrderOptions {
	readonly sort: Sort;
	/** True for rows that a finding hits. */
	readonly isDamaged: (row: number) => boolean;
}

const HIDDEN_OR_SYSTEM = 0x02 | 0x04;

/** Rows sorted between two looks at the clock. */
const SLICE_ROWS = 8192;

/** Listings above this are sorted in slices, so that keys stay alive. */
export const SYNC_ROWS_MAX = 30_000;

const lowered = new WeakMap<Listing, readonly string[]>();

/** Names in lower case, made once a listing. */
export function loweredNames(listing: Listing): readonly string[] {
	let names = lowered.get(listing);
	if (!names) {
		names = listing.names.map((name) => name.toLowerCase());
		lowered.set(listing, names);
	}
	return names;
}

/** Makes the names in lower case ahead, step by step. */
export function* loweredSteps(listing: Listing): Generator<void, void, undefined> {
	if (lowered.has(listing)) return;
	const names: string[] = [];
	for (const name of listing.names) {
		names.push(name.toLowerCase());
		if (names.length % SLICE_ROWS === 0) yield;
	}
	lowered.set(listing, names);
}

const REGEXP_SPECIAL = /[.+^${}()|[\]\\]/g;

/** A test for names in lower case: a substring; `*` and `?` make a glob; `=` exact; a leading `!` turns it round. */
export function filterTest(filter: string): (lowerName: string) => boolean {
	const text = filter.toLowerCase();
	if (text.startsWith('!') && text.length > 1) {
		const inner = filterTest(filter.slice(1));
		return (name) => !inner(name);
	}
	if (text.startsWith('=')) {
		const wanted = text.slice(1);
		return (name) => name === wanted;
	}
	if (/[*?]/.test(text)) {
		const pattern = text.replace(REGEXP_SPECIAL, '\\$&').replace(/\*+/g, '.*').replaceAll('?', '.');
		const glob = new RegExp(`^${pattern}$`, 's');
		return (name) => glob.test(name);
	}
	return (name) => name.includes(text);
}

/** The rows of a sorted listing that pass filter and visibility, in the same order. */
export function visibleRows(
	listing: Listing,
	{ filter, showHidden }: RowFilter,
	sorted: Int32Array,
): Int32Array {
	if (filter === '' && showHidden) return sorted;
	const { attributes } = listing;
	const rows = new Int32Array(sorted.length);
	const names = filter === '' ? null : loweredNames(listing);
	const test = filterTest(filter);
	let kept = 0;
	for (const row of sorted) {
		if (!showHidden && (attributes[row]! & HIDDEN_OR_SYSTEM) !== 0) continue;
		if (names && !test(names[row]!)) continue;
		rows[kept++] = row;
	}
	return rows.subarray(0, kept);
}

/** The rows of a listing as the image stores them. */
export function storedOrder(listing: Listing): Int32Array {
	return countFrom(0, listing.positions.length);
}

const extensionOf = (name: string): string => {
	const dot = name.lastIndexOf('.');
	return dot > 0 ? name.slice(dot + 1) : '';
};

export type Compare = (a: number, b: number) => number;

export const byText =
	(texts: readonly string[]): Compare =>
	(a, b) => {
		const left = texts[a]!;
		const right = texts[b]!;
		return left < right ? -1 : left > right ? 1 : 0;
	};

export const byNumber =
	(values: Float64Array): Compare =>
	(a, b) => {
		const left = values[a]!;
		const right = values[b]!;
		// An unset time sorts as the oldest.
		if (Number.isNaN(left)) return Number.isNaN(right) ? 0 : -1;
		return Number.isNaN(right) ? 1 : left - right;
	};

function comparer(listing: Listing, { sort, isDamaged }: OrderOptions): Compare {
	const names = byText(loweredNames(listing));
	const { kinds } = listing;
	const folder = (row: number): number => kinds[row]! & EntryKind.folder;
	let main: Compare;
	switch (sort.key) {
		case 'name':
			main = names;
			break;
		case 'size':
			main = byNumber(listing.sizes);
			break;
		case 'packed':
			main = byNumber(listing.packed);
			break;
		case 'time':
			main = byNumber(listing.times);
			break;
		case 'extension':
			main = byText(loweredNames(listing).map(extensionOf));
			break;
		case 'damage':
			return (a, b) =>
				(Number(isDamaged(b)) - Number(isDamaged(a))) * (sort.descending ? -1 : 1) || names(a, b);
	}
	const sign = sort.descending ? -1 : 1;
	// Folders stay before files whatever the order.
	return (a, b) => folder(b) - folder(a) || sign * main(a, b) || names(a, b) || a - b;
}

/** Merges the sorted runs [from, middle) and [middle, to) of `rows` into `target`, in slices. */
function* merge(
	rows: Int32Array,
	target: Int32Array,
	bounds: readonly [from: number, middle: number, to: number],
	compare: Compare,
): Generator<void, void, undefined> {
	const [from, middle, to] = bounds;
	let left = from;
	let right = middle;
	for (let at = from; at < to; at++) {
		const takeLeft = left < middle && (right >= to || compare(rows[left]!, rows[right]!) <= 0);
		target[at] = rows[takeLeft ? left++ : right++]!;
		if ((at - from) % SLICE_ROWS === SLICE_ROWS - 1) yield;
	}
}

/** Sorts in slices: a merge sort that can be interrupted at every `yield`. */
export function* sortSteps(
	rows: Int32Array,
	compare: Compare,
): Generator<void, Int32Array, undefined> {
	const count = rows.length;
	let source = rows.slice();
	for (let from = 0; from < count; from += SLICE_ROWS) {
		source.subarray(from, Math.min(count, from + SLICE_ROWS)).sort(compare);
		yield;
	}
	let target = new Int32Array(count);
	for (let run = SLICE_ROWS; run < count; run *= 2) {
		for (let from = 0; from < count; from += 2 * run) {
			const middle = Math.min(count, from + run);
			yield* merge(source, target, [from, middle, Math.min(count, from + 2 * run)], compare);
			yield;
		}
		[source, target] = [target, source];
	}
	return source;
}

/** Sorts a listing step by step; the generator may be dropped at any `yield`. */
export function orderSteps(
	listing: Listing,
	options: OrderOptions,
): Generator<void, Int32Array, undefined> {
	return sortSteps(storedOrder(listing), comparer(listing, options));
}

/** Sorts a listing at once; for listings up to `SYNC_ROWS_MAX` rows. */
export function orderOf(listing: Listing, options: OrderOptions): Int32Array {
	return storedOrder(listing).sort(comparer(listing, options));
}
