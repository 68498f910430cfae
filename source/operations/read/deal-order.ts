/**
 * In which order lanes get large chunks: as they lie in the file, but the last ones such that lanes end together. How long
 * one takes shows in its stored size. Pure.
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
	const rest = function* () {
		for (const { batch } of waiting.toSorted((one, other) => other.storedSize - one.storedSize))
			yield batch;
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
		const next = waiting.length > LOOK_AHEAD ? waiting.shift() : undefined;
		if (next !== undefined) yield next.batch;
	}
	yield* rest();
}

/** Bytes of a blob that began before the chunk. */
function headSize<W extends Wanted>({ stretches }: PlannedBatch<W>): number {
	const [piece] = stretches[0]?.pieces ?? [];
	if (piece === undefined || piece.isWhole) return 0;
	return piece.start > piece.wanted.blob.offsetInResource ? piece.end - piece.start : 0;
}
