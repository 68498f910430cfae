import { breathe, type Run } from '../base/run.ts';
import type { Source } from '../storage/source.ts';
import type { Wanted } from './plan-reads.ts';

/** So many are sorted in one go: a few milliseconds. */
const RUN_LENGTH = 4096;
/** So many are looked at in one go. */
export const SURVEY_LENGTH = 16_384;

/**
 * Brings blobs into the order in which they lie in their files. Sorts in slices, and merges them only as the result is
 * asked for, so that the main thread stays free; what is in order already, as blob tables mostly are, stays as it is.
 */
export async function inFileOrder<W extends Wanted>(
	wanted: readonly W[],
	run: Run,
): Promise<Iterable<W>> {
	const { compare, isSorted } = await survey(wanted, run);
	if (isSorted) return wanted;
	let runs: Iterable<W>[] = [];
	for (let at = 0; at < wanted.length; at += RUN_LENGTH) {
		runs.push(wanted.slice(at, at + RUN_LENGTH).sort(compare));
		await breathe(run);
	}
	while (runs.length > 1) {
		const merged: Iterable<W>[] = [];
		for (let k = 0; k < runs.length; k += 2) {
			const [left, right] = [runs[k], runs[k + 1]];
			if (left && right) merged.push(merge(left, right, compare));
			else if (left) merged.push(left);
		}
		runs = merged;
	}
	return runs[0] ?? [];
}

type Compare<T> = (a: T, b: T) => number;

/** Finds out how blobs compare: sources in the order in which they first occur, then resources and blobs by offset. */
async function survey<W extends Wanted>(
	wanted: readonly W[],
	run: Run,
): Promise<{ compare: Compare<W>; isSorted: boolean }> {
	const ranks = new Map<Source, number>();
	const rank = ({ blob }: W) => ranks.get(blob.resource.part.source) ?? 0;
	const compare: Compare<W> = (a, b) =>
		(ranks.size > 1 ? rank(a) - rank(b) : 0) ||
		a.blob.resource.offset - b.blob.resource.offset ||
		a.blob.offsetInResource - b.blob.offsetInResource;
	let isSorted = true;
	let before: W | null = null;
	for (const [k, item] of wanted.entries()) {
		if (k % SURVEY_LENGTH === SURVEY_LENGTH - 1) await breathe(run);
		const { source } = item.blob.resource.part;
		if (before?.blob.resource.part.source !== source && !ranks.has(source))
			ranks.set(source, ranks.size);
		isSorted &&= before === null || compare(before, item) <= 0;
		before = item;
	}
	return { compare, isSorted };
}

function* merge<T>(left: Iterable<T>, right: Iterable<T>, compare: Compare<T>): Generator<T> {
	const others = right[Symbol.iterator]();
	let other = others.next();
	for (const item of left) {
		while (!other.done && compare(other.value, item) < 0) {
			yield other.value;
			other = others.next();
		}
		yield item;
	}
	while (!other.done) {
		yield other.value;
		other = others.next();
	}
}
