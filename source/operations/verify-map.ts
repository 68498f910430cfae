/** The file as a row of stretches: what each byte belongs to, and whether it was found good. */

import type { OpenPart } from '../wim/open-part.ts';
import { HEADER_SIZE } from '../wim/part-header.ts';
import type { Resource } from '../wim/resource.ts';
import type { CellState, MapRange, Range } from './verify-report.ts';

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

/**
 * Puts stretches into one row without gaps or overlaps.
 *
 * @param size of the part
 */
export function drawMap(size: number, ranges: readonly MapRange[]): readonly MapRange[] {
	const edges = new Map<number, { starts: CellState[]; ends: CellState[] }>();
	const edge = (at: number) => {
		let found = edges.get(at);
		if (found === undefined) {
			found = { starts: [], ends: [] };
			edges.set(at, found);
		}
		return found;
	};
	for (const range of ranges) {
		const start = Math.max(0, Math.min(range.offset, size));
		const end = Math.max(start, Math.min(range.offset + range.size, size));
		if (start === end) continue;
		edge(start).starts.push(range.state);
		edge(end).ends.push(range.state);
	}
	const open: Record<CellState, number> = {
		unreferenced: 1,
		unchecked: 0,
		good: 0,
		structure: 0,
		bad: 0,
	};
	const states = (Object.keys(WEIGHT) as CellState[]).sort((a, b) => WEIGHT[b] - WEIGHT[a]);
	const row: MapRange[] = [];
	const put = (offset: number, end: number) => {
		const state = states.find((name) => open[name] > 0) ?? 'unreferenced';
		const last = row.at(-1);
		if (end === offset) return;
		if (last?.state === state) row[row.length - 1] = { ...last, size: end - last.offset };
		else row.push({ offset, size: end - offset, state });
	};
	let at = 0;
	for (const next of [...edges.keys()].sort((a, b) => a - b)) {
		put(at, next);
		const { starts, ends } = edge(next);
		for (const state of starts) open[state]++;
		for (const state of ends) open[state]--;
		at = next;
	}
	put(at, size);
	return row;
}

/** The map of one part. */
export function mapOf(
	part: OpenPart,
	stateOf: (resource: Resource) => CellState,
	badStructures: readonly Range[],
): readonly MapRange[] {
	return drawMap(part.source.size, [
		...structureRanges(part).map((range) => ({ ...range, state: 'structure' as const })),
		...badStructures.map((range) => ({ ...range, state: 'bad' as const })),
		...part.table.resources.map((resource) => ({
			offset: resource.offset,
			size: resource.storedSize,
			state: stateOf(resource),
		})),
	]);
}

/** Whether two stretches have a byte in common. */
export function overlaps(a: Range, b: Range): boolean {
	return a.offset < b.offset + b.size && b.offset < a.offset + a.size;
}
