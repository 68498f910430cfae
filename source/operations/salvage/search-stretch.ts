/** Searches a stretch of a part on the lanes of the pool: a large one in ranges, whose results are put together again. */
import { assert } from '../../base/errors.ts';
import { type Run, throwIfCanceled } from '../../base/run.ts';
import type { Compression } from '../../codec/compression.ts';
import type { Pool } from '../../pool/pool.ts';
import {
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
	/** Places where resources probably end. */
	readonly hints: readonly number[];
}

/** All resources that a stretch of a source holds, by offset. */
export async function searchStretch(
	source: Source,
	stretch: Stretch,
	quest: Quest,
	pool: Pool,
	run: Run,
): Promise<FoundResource[]> {
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
	for (const seam of seams)
		found.push(...(await searchRanges(source, seam, [seam], quest, pool, run)));
	return seams.length === 0 ? found : found.sort((a, b) => a.offset - b.offset);
}

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
	const shared = source.share();
	assert(shared, 'salvage reads files');
	const { compression, chunkSize, wanted, hints, isQuick } = quest;
	const inputs = ranges.map((range, k): SearchInput => {
		const inside: SearchRange = {
			start: range.start,
			isSynced: k === 0,
			stop: range.end,
			end: stretch.end,
			compression,
			chunkSize,
			isQuick,
			hints,
		};
		return { source: shared, resource: null, range: inside, wanted };
	});
	const found: FoundResource[] = [];
	let covered = stretch.start;
	const lanes = pool.forWork(stretch.end - stretch.start, chunkSize);
	for await (const { resources } of lanes.ordered('search', inputs, optionsOf(run)))
		for (const one of resources) {
			if (one.offset < covered) continue;
			found.push(one);
			covered = endOf(one);
		}
	throwIfCanceled(run);
	return found;
}

/** Wanted blobs in a stretch of the original bytes of a solid resource. */
export async function searchSolid(
	resource: Resource,
	stretch: Stretch,
	wanted: WantedInput,
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
		isQuick: true,
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
