/** Searches a stretch of a part on the lanes of the pool: a large one in ranges, whose results are put together again. */
import { assert } from '../../base/errors.ts';
import type { Run } from '../../base/run.ts';
import type { Compression } from '../../codec/compression.ts';
import type { Pool } from '../../pool/pool.ts';
import {
	cutOut,
	endOf,
	type FoundResource,
	type SearchRange,
	type Stretch,
} from '../../pool/search/found.ts';
import type { SearchInput, WantedInput } from '../../pool/tasks/search.ts';
import type { Source } from '../../storage/source.ts';
import type { Resource } from '../../wim/resource.ts';

/** A range is a few seconds of work. */
const RANGE_SIZE = 32 << 20;

/** What is looked for, and how it is stored. */
export interface Quest {
	/** Raw blobs: `none`. */
	readonly compression: Compression;
	readonly chunkSize: number;
	readonly wanted: WantedInput;
	/** Looks only where resources show themselves. */
	readonly isQuick: boolean;
	/** Compressions of SHA-1 that may be done in search of starts that nothing shows. */
	readonly effort: number;
	/** Places where resources probably end. */
	readonly hints: readonly number[];
}

/** All resources that a stretch of a source holds, by offset; fewer when the run is canceled. */
export async function searchStretch(
	source: Source,
	stretch: Stretch,
	quest: Quest,
	pool: Pool,
	run: Run,
): Promise<FoundResource[]> {
	if (quest.compression === 'none') return cutStretch(source, stretch, quest, pool, run);
	const found = await searchRanges(source, stretch, rangesOf(stretch), quest, pool, run);
	// Ranges begin in the middle of resources: what lies around their bounds is searched once more, without bounds.
	const bounds = rangesOf(stretch).slice(1);
	const seams: Stretch[] = [];
	let at = stretch.start;
	for (const next of [...found.map((one) => ({ start: one.offset, end: endOf(one) })), END]) {
		const start = Math.min(next.start, stretch.end);
		if (start > at && bounds.some((bound) => bound.start >= at && bound.start <= start))
			seams.push({ start: at, end: start });
		at = Math.max(at, next.end);
	}
	if (seams.length > 0 && !run.signal.aborted) announce(seams, run);
	for (const seam of run.signal.aborted ? [] : seams)
		found.push(...(await searchRanges(source, seam, [seam], quest, pool, run)));
	return seams.length === 0 ? found : found.sort((a, b) => a.offset - b.offset);
}

/**
 * Raw blobs: where they show themselves first, in all ranges; then in what lies between those, which is mostly one blob or a
 * few; slow attempts only there.
 */
async function cutStretch(
	source: Source,
	stretch: Stretch,
	quest: Quest,
	pool: Pool,
	run: Run,
): Promise<FoundResource[]> {
	const ranges = rangesOf(stretch);
	if (ranges.length === 1) return searchRanges(source, stretch, ranges, quest, pool, run);
	const found = await searchRanges(source, stretch, ranges, { ...quest, isQuick: true }, pool, run);
	if (run.signal.aborted) return found;
	const gaps = cutOut(
		stretch,
		found.map((one) => ({ start: one.offset, end: endOf(one) })),
	);
	announce(gaps, run);
	const efforts = shares(gaps, Math.max(quest.effort, EFFORT_LARGE));
	const inputs = gaps.map((gap, k) => {
		const range = { start: startBefore(gap.start, found), end: gap.end, stop: gap.end };
		return inputFor(source, { ...range, isSynced: true, effort: efforts[k] ?? 0 }, quest);
	});
	// What was found before stays found, even where a longer blob begins with it.
	const known = new Set(found.map((one) => `${one.offset} ${endOf(one)}`));
	for (const one of await takeAll(inputs, stretch, quest, pool, run))
		if (!known.has(`${one.offset} ${endOf(one)}`)) found.push(one);
	return found.sort((a, b) => a.offset - b.offset);
}

/** Begins a phase of the search: that of these stretches. */
export function announce(stretches: readonly Stretch[], run: Run): void {
	const totalBytes = stretches.reduce((sum, { start, end }) => sum + end - start, 0);
	run.report({ type: 'phase', phase: 'search', totalBytes });
}

/** A search goes over some bytes more than once: what goes past the size of the phase is not told. */
export function withinTotal(run: Run): Run {
	let left = Number.POSITIVE_INFINITY;
	return {
		...run,
		report(event) {
			if (event.type === 'phase') left = event.totalBytes ?? Number.POSITIVE_INFINITY;
			if (event.type !== 'advance') return run.report(event);
			const bytes = Math.min(event.bytes, left);
			left -= bytes;
			if (bytes > 0) run.report({ ...event, bytes });
		},
	};
}

/** What was found right before a gap may be but the beginning of a longer blob: the search starts some hits earlier. */
function startBefore(gapStart: number, found: readonly FoundResource[]): number {
	let start = gapStart;
	let k = found.findLastIndex((one) => endOf(one) === gapStart);
	for (let back = 0; back < HITS_BACK && k >= 0; back++, k--) {
		const before = found[k];
		if (before === undefined || endOf(before) !== start) break;
		start = before.offset;
	}
	return start;
}

/** As many as the search takes back (wim.md §13.4 D). */
const HITS_BACK = 3;

/** Shares the effort of a search: small gaps need less than an equal part, larger ones get what those leave. */
function shares(gaps: readonly Stretch[], effort: number): number[] {
	const efforts = new Array<number>(gaps.length).fill(0);
	const order = gaps
		.map(({ start, end }, k) => ({ k, need: (end - start) * Math.min(end - start, REACH_MIDDLE) }))
		.sort((a, b) => a.need - b.need);
	let left = effort;
	for (const [done, { k, need }] of order.entries()) {
		const share = Math.min(need, left / (order.length - done));
		efforts[k] = share;
		left -= share;
	}
	return efforts;
}

/** Compressions of SHA-1 for the gaps of a large stretch, all together: a minute of a core. */
const EFFORT_LARGE = 2 ** 30;

/** How far from each place a search may reach. */
const REACH_MIDDLE = 64 << 10;

const END: Stretch = { start: Number.POSITIVE_INFINITY, end: Number.POSITIVE_INFINITY };

function rangesOf({ start, end }: Stretch): Stretch[] {
	const count = Math.max(1, Math.floor((end - start) / RANGE_SIZE));
	const size = Math.ceil((end - start) / count);
	return Array.from({ length: count }, (_, k) => ({
		start: start + k * size,
		end: Math.min(end, start + (k + 1) * size),
	}));
}

async function searchRanges(
	source: Source,
	stretch: Stretch,
	ranges: readonly Stretch[],
	quest: Quest,
	pool: Pool,
	run: Run,
): Promise<FoundResource[]> {
	const effort =
		Math.max(quest.effort, ranges.length > 1 && quest.effort > 0 ? EFFORT_LARGE : 0) /
		ranges.length;
	const inputs = ranges.map(({ start, end }, k) =>
		inputFor(
			source,
			{
				start,
				isSynced: k === 0,
				stop: end,
				end: stretch.end,
				effort,
			},
			quest,
		),
	);
	return takeAll(inputs, stretch, quest, pool, run);
}

function inputFor(
	source: Source,
	range: Pick<SearchRange, 'start' | 'isSynced' | 'stop' | 'end' | 'effort'>,
	{ compression, chunkSize, wanted, hints, isQuick }: Quest,
): SearchInput {
	const shared = source.share();
	assert(shared, 'salvage reads files');
	const inside: SearchRange = { ...range, compression, chunkSize, isQuick, hints };
	return { source: shared, resource: null, range: inside, wanted };
}

/** Whoever cancels gets what was found until then. */
async function takeAll(
	inputs: readonly SearchInput[],
	stretch: Stretch,
	{ chunkSize }: Quest,
	pool: Pool,
	run: Run,
): Promise<FoundResource[]> {
	const found: FoundResource[] = [];
	let covered = stretch.start;
	const lanes = pool.forWork(stretch.end - stretch.start, chunkSize);
	try {
		for await (const { resources } of lanes.ordered('search', inputs, optionsOf(run)))
			for (const one of resources) {
				if (one.offset < covered) continue;
				found.push(one);
				covered = endOf(one);
			}
	} catch (error) {
		if (!run.signal.aborted) throw error;
	}
	return found;
}

/**
 * Wanted blobs in a stretch of the original bytes of a solid resource.
 *
 * @param effort as in a quest: for what lies between blobs that lost a chunk
 */
export async function searchSolid(
	resource: Resource,
	stretch: Stretch,
	{ wanted, isQuick, effort }: Pick<Quest, 'wanted' | 'isQuick' | 'effort'>,
	pool: Pool,
	run: Run,
): Promise<readonly FoundResource[]> {
	const source = resource.part.source.share();
	assert(source, 'salvage reads files');
	const { offset, storedSize, originalSize, layout, compression, chunkSize } = resource;
	const range: SearchRange = {
		start: stretch.start,
		isSynced: true,
		stop: stretch.end,
		end: stretch.end,
		compression: 'none',
		chunkSize: 0,
		isQuick,
		effort,
		hints: [],
	};
	const shape = { offset, storedSize, originalSize, layout, compression, chunkSize };
	const lanes = pool.forWork(stretch.end - stretch.start, chunkSize);
	const input: SearchInput = { source, resource: shape, range, wanted };
	const { resources } = await lanes.run('search', input, optionsOf(run));
	return resources;
}

function optionsOf(run: Run) {
	return {
		signal: run.signal,
		weight: RANGE_SIZE,
		onProgress: (bytes: number) => {
			if (bytes > 0) run.report({ type: 'advance', bytes });
		},
	};
}
