import { breathe, type Run } from '../base/run.ts';
import type { Source } from '../storage/source.ts';
import type { Wanted } from './plan-reads.ts';

/** So many are sorted in one go: a few milliseconds. */
const RUN_LENGTH = 8192;

/**
 * Brings blobs into the order in which they lie in their files. Sorts in slices, and merges them only as the result is
 * asked for, so that the main thread stays free; what is in order already, as blob tables mostly are, stays as it is.
 */
export async function inFileOrder<W extends Wanted>(
	wanted: readonly W[],
	run: Run,
): Promise<Iterable<W>> {
	const compare = fileOrder(wanted);
	if (wanted.every((item, k) => k === 0 || compare(wanted[k - 1] ?? item, item) <= 0))
		return wanted;
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

/** Sources in the order in which they first occur, then resources and blobs by offset. */
function fileOrder<W extends Wanted>(wanted: readonly W[]): Compare<W> {
	const sources = new Map<Source, number>();
	for (const { blob } of wanted) {
		const { source } = blob.resource.part;
		if (!sources.has(source)) sources.set(source, sources.size);
	}
	const rank = ({ blob }: W) => sources.get(blob.resource.part.source) ?? 0;
	return (a, b) =>
		(sources.size > 1 ? rank(a) - rank(b) : 0) ||
		a.blob.resource.offset - b.blob.resource.offset ||
		a.blob.offsetInResource - b.blob.offsetInResource;
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
