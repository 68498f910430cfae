/**
 * In which order lanes get large chunks: as they lie in the file, but the last ones such that lanes end together, and the
 * first ones such that they do not: a chunk takes most memory at its end, and where that is tight lanes then hardly wait for
 * each other. How long one takes shows in its stored size. Pure.
 */
import type { PlannedBatch, Wanted } from './plan-reads.ts';

/** So many chunks are looked at before one is dealt out; those that are passed over may have bytes that others wait for. */
const LOOK_AHEAD = 6;
/** A blob that began in the chunk before with more bytes in this one than these is read in order. */
const HEAD_SIZE_MAX = 8 << 20;

interface Waiting<W extends Wanted> {
	readonly batch: PlannedBatch<W>;
	readonly storedSize: number;
}

/**
 * Brings batches that are one large chunk each into such an order; others stay where they are.
 *
 * @param batches in file order, with null where planning gave way
 * @param storedSize of the chunk of a batch, in bytes, as far as it is wanted; null for all that are no large chunk, or one of which it is not known
 */
export function* dealOrder<W extends Wanted>(
	batches: Iterable<PlannedBatch<W> | null>,
	storedSize: (batch: PlannedBatch<W>) => number | null,
): Generator<PlannedBatch<W> | null, void, undefined> {
	let waiting: Waiting<W>[] = [];
	let isFirst = true;
	const rest = function* () {
		if (waiting.length === 0) return;
		const shortest = isFirst ? halfOfLargest(waiting) : undefined;
		isFirst = false;
		if (shortest !== undefined) yield shortest.batch;
		for (const { batch } of waiting.toSorted((one, other) => other.storedSize - one.storedSize))
			if (batch !== shortest?.batch) yield batch;
		waiting = [];
	};
	for (const batch of batches) {
		if (batch === null) {
			yield null;
			continue;
		}
		const size = storedSize(batch);
		if (size === null || headSize(batch) > HEAD_SIZE_MAX) yield* rest();
		if (size === null) {
			yield batch;
			continue;
		}
		waiting.push({ batch, storedSize: size });
		if (waiting.length <= LOOK_AHEAD) continue;
		const next = isFirst ? halfOfLargest(waiting) : waiting[0];
		isFirst = false;
		if (next === undefined) continue;
		waiting = waiting.filter((one) => one !== next);
		yield next.batch;
	}
	yield* rest();
}

/** The one that takes about half as long as the longest: who begins with it is half a chunk ahead of the others. */
function halfOfLargest<W extends Wanted>(waiting: readonly Waiting<W>[]): Waiting<W> | undefined {
	const half = waiting.reduce((most, one) => Math.max(most, one.storedSize), 0) / 2;
	const distance = (one: Waiting<W>) => Math.abs(one.storedSize - half);
	return waiting.toSorted((one, other) => distance(one) - distance(other))[0];
}

/** Bytes of a blob that began before the chunk. */
function headSize<W extends Wanted>({ stretches }: PlannedBatch<W>): number {
	const [piece] = stretches[0]?.pieces ?? [];
	if (piece === undefined || piece.isWhole) return 0;
	return piece.start > piece.wanted.blob.offsetInResource ? piece.end - piece.start : 0;
}
