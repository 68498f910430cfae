/** Sorting of many numbers that never holds the calling thread for more than a few ms. */

/** So many are sorted in one go. */
const RUN_LENGTH = 16_384;
/** So many are compared or moved in one go. */
const MOVE_LENGTH = 65_536;

/** Sorts numbers in place, from the least on; yields after every few ms of work. */
export function* sortSteps(values: Float64Array): Generator<void, void, undefined> {
	if (yield* isAscending(values)) return;
	for (let at = 0; at < values.length; at += RUN_LENGTH) {
		values.subarray(at, at + RUN_LENGTH).sort();
		yield;
	}
	let from = values;
	let to: Float64Array = new Float64Array(values.length <= RUN_LENGTH ? 0 : values.length);
	for (let length = RUN_LENGTH; length < values.length; length *= 2) {
		for (let at = 0; at < values.length; at += 2 * length)
			yield* merge(from.subarray(at, at + 2 * length), length, to.subarray(at));
		[from, to] = [to, from];
	}
	if (from !== values) values.set(from);
}

function* isAscending(values: Float64Array): Generator<void, boolean, undefined> {
	for (let k = 1; k < values.length; k++) {
		if ((values[k] ?? 0) < (values[k - 1] ?? 0)) return false;
		if (k % MOVE_LENGTH === 0) yield;
	}
	return true;
}

/** Merges two neighbouring runs, the first of which is `length` long. */
function* merge(
	runs: Float64Array,
	length: number,
	into: Float64Array,
): Generator<void, void, undefined> {
	let left = 0;
	const leftEnd = Math.min(length, runs.length);
	let right = leftEnd;
	for (let at = 0; at < runs.length; at++) {
		const takesLeft =
			right >= runs.length || (left < leftEnd && (runs[left] ?? 0) <= (runs[right] ?? 0));
		into[at] = runs[takesLeft ? left++ : right++] ?? 0;
		if (at % MOVE_LENGTH === MOVE_LENGTH - 1) yield;
	}
}
