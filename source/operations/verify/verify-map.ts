/** The file as a row of stretches: what each byte belongs to, and whether it was found good. */

import { breathe, type Run } from '../../base/run.ts';
import { atOnce, inSlices } from '../../base/slices.ts';
import { Float64Column } from '../../bytes/columns.ts';
import { sortSteps } from '../../bytes/sort-steps.ts';
import { compressionName } from '../../codec/compression.ts';
import type { OpenPart } from '../../wim/open-part.ts';
import { HEADER_SIZE } from '../../wim/part-header.ts';
import type { Blob, Resource } from '../../wim/resource.ts';
import type { CellState, Fault, MapRange, Range } from './verify-report.ts';

/** Steps between two pauses: a few milliseconds. */
const SLICE = 2048;

/** A bad state outweighs a good one where stretches overlap. */
const WEIGHT: Readonly<Record<CellState, number>> = {
	unreferenced: 0,
	unchecked: 1,
	good: 2,
	structure: 3,
	bad: 4,
};

/** The stretches of a part that hold header, tables and XML data. */
export function structureRanges(part: OpenPart): readonly Range[] {
	const { blobTable, xml, integrity } = part.header;
	const tables = [blobTable, xml, integrity]
		.filter(({ storedSize }) => storedSize > 0)
		.map(({ offset, storedSize }) => ({ offset, size: storedSize }));
	const header = [{ offset: 0, size: HEADER_SIZE }];
	// A pipable file has a second header at its end.
	if (part.pipable) header.push({ offset: part.source.size - HEADER_SIZE, size: HEADER_SIZE });
	return [...header, ...tables];
}

export const resourceRange = ({ offset, storedSize }: Resource): Range => ({
	offset,
	size: storedSize,
});

/** Where a resource lies, and how it is stored. */
export function placeOf(resource: Resource): Pick<Fault, 'part' | 'range' | 'storedAs'> {
	const { part, layout, compression } = resource;
	const name = layout === 'raw' ? 'not compressed' : compressionName(compression);
	return {
		part: part.source.name,
		range: resourceRange(resource),
		storedAs: layout === 'solid' ? `${name}, solid` : name,
	};
}

/** Where a blob lies in its part; in a solid resource about where, by its share of the original bytes. */
export function storedRange({ resource, size, offsetInResource }: Blob): Range {
	const { offset, storedSize, originalSize } = resource;
	if (size === originalSize) return { offset, size: storedSize };
	const at = (original: number): number => Math.round((storedSize * original) / originalSize);
	const start = at(offsetInResource);
	return { offset: offset + start, size: at(offsetInResource + size) - start };
}

/** From the one that outweighs all others down. */
const STATES = (Object.keys(WEIGHT) as CellState[]).sort((a, b) => WEIGHT[b] - WEIGHT[a]);

/** Where the stretches of one state begin and end, each by itself in order. */
class Edges {
	/** How many stretches lie over the place that was reached. */
	open = 0;
	readonly #starts = new Float64Column();
	readonly #ends = new Float64Column();
	#start = 0;
	#end = 0;

	add(start: number, end: number): void {
		this.#starts.push(start);
		this.#ends.push(end);
	}

	*sort(): Generator<void, void, undefined> {
		yield* sortSteps(this.#starts.values());
		yield* sortSteps(this.#ends.values());
	}

	/** The next place where something begins or ends. */
	get next(): number {
		const start = this.#startAt(this.#start);
		return this.#end < this.#ends.length ? Math.min(start, this.#ends.get(this.#end)) : start;
	}

	/** Goes on to a place: what begins and ends there counts. */
	reach(place: number): void {
		for (; this.#startAt(this.#start) <= place; this.#start++) this.open++;
		for (; this.#end < this.#ends.length && this.#ends.get(this.#end) <= place; this.#end++)
			this.open--;
	}

	#startAt(row: number): number {
		return row < this.#starts.length ? this.#starts.get(row) : Number.POSITIVE_INFINITY;
	}
}

/** Puts stretches into one row without gaps or overlaps. 16 bytes a stretch: a file has a quarter of a million. */
class MapRow {
	readonly #size: number;
	readonly #edges = STATES.map((state) => ({ state, edges: new Edges() }));

	/** @param size of the part */
	constructor(size: number) {
		this.#size = size;
	}

	add({ offset, size, state }: MapRange): void {
		const start = Math.max(0, Math.min(offset, this.#size));
		const end = Math.max(start, Math.min(offset + size, this.#size));
		if (start < end) this.#edges.find((one) => one.state === state)?.edges.add(start, end);
	}

	/** Yields now and then, so that the calling thread stays alive. */
	*draw(): Generator<void, MapRange[], undefined> {
		for (const { edges } of this.#edges) yield* edges.sort();
		const row: { offset: number; size: number; state: CellState }[] = [];
		let steps = 0;
		for (let at = 0; at < this.#size; ) {
			let next = this.#size;
			for (const { edges } of this.#edges) {
				edges.reach(at);
				next = Math.min(next, edges.next);
			}
			const state = this.#edges.find(({ edges }) => edges.open > 0)?.state ?? 'unreferenced';
			const last = row.at(-1);
			if (last?.state === state) last.size += next - at;
			else row.push({ offset: at, size: next - at, state });
			at = next;
			if (++steps % SLICE === 0) yield;
		}
		return row;
	}
}

/**
 * Puts stretches into one row without gaps or overlaps.
 *
 * @param size of the part
 */
export function drawMap(size: number, ranges: readonly MapRange[]): readonly MapRange[] {
	const row = new MapRow(size);
	for (const range of ranges) row.add(range);
	return atOnce(row.draw());
}

/** The map of one part. */
export async function mapOf(
	part: OpenPart,
	stateOf: (resource: Resource) => CellState,
	badStructures: readonly Range[],
	run: Run,
): Promise<readonly MapRange[]> {
	const row = new MapRow(part.source.size);
	for (const range of structureRanges(part)) row.add({ ...range, state: 'structure' });
	for (const range of badStructures) row.add({ ...range, state: 'bad' });
	let steps = 0;
	for (const resource of part.table.resources) {
		row.add({ offset: resource.offset, size: resource.storedSize, state: stateOf(resource) });
		if (++steps % SLICE === 0) await breathe(run);
	}
	return inSlices(row.draw(), () => breathe(run));
}

/** Whether two stretches have a byte in common. */
export function overlaps(a: Range, b: Range): boolean {
	return a.offset < b.offset + b.size && b.offset < a.offset + a.size;
}

/** One field of a map that is drawn as a grid. */
export interface MapCell extends MapRange {
	/** How many of its bytes are in each state. */
	readonly bytes: Readonly<Record<CellState, number>>;
}

/** What a cell shows that has several states: what is wrong first, then what nobody looked at. */
const CELL_ORDER: readonly CellState[] = ['bad', 'unchecked', 'good', 'structure', 'unreferenced'];

/** Cells are not smaller than a sector. */
const CELL_SIZE_MIN = 512;

/**
 * Cuts a map into cells of one size, a power of two of at least 512 bytes, of which there are at most `countMax`; the last
 * one may be shorter. A cell knows its bytes, so a grid can tell which resources and faults lie in it.
 */
export function cellsOf(map: readonly MapRange[], countMax: number): readonly MapCell[] {
	const last = map.at(-1);
	const size = last === undefined ? 0 : last.offset + last.size;
	let cellSize = CELL_SIZE_MIN;
	while (size / cellSize > Math.max(1, countMax)) cellSize *= 2;
	const cells: MapCell[] = [];
	let at = 0;
	for (let start = 0; start < size; start += cellSize) {
		const end = Math.min(size, start + cellSize);
		const bytes = { bad: 0, unchecked: 0, good: 0, structure: 0, unreferenced: 0 };
		for (let k = at; k < map.length; k++) {
			const range = map[k] as MapRange;
			if (range.offset >= end) break;
			const rangeEnd = range.offset + range.size;
			bytes[range.state] += Math.max(0, Math.min(end, rangeEnd) - Math.max(start, range.offset));
			if (rangeEnd <= end) at = k + 1;
		}
		const state = CELL_ORDER.find((name) => bytes[name] > 0) ?? 'unreferenced';
		cells.push({ offset: start, size: end - start, state, bytes });
	}
	return cells;
}

/** `1-3, 7`: numbers that follow each other stand together. */
function numberRanges(numbers: readonly number[]): string {
	const runs: [first: number, last: number][] = [];
	for (const number of numbers) {
		const run = runs.at(-1);
		if (run?.[1] === number - 1) run[1] = number;
		else runs.push([number, number]);
	}
	return runs.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(', ');
}

/** Which faults explain that a stretch of a part differs from its integrity table. */
export function faultsIn(faults: readonly Fault[], part: string, stretch: Range): string[] {
	const ids = faults
		.filter(
			({ part: name, range, severity, class: faultClass }) =>
				severity === 'error' &&
				faultClass !== 'integrity' &&
				name === part &&
				range !== null &&
				overlaps({ ...range, size: Math.max(1, range.size) }, stretch),
		)
		.map(({ id }) => id);
	if (ids.length === 0) return [];
	return [`In it: ${ids.length === 1 ? 'fault' : 'faults'} ${numberRanges(ids)}.`];
}
