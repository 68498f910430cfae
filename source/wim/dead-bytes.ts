import { inSlices } from '../base/slices.ts';
import { sortSteps } from '../bytes/sort-steps.ts';
import type { OpenPart } from './open-part.ts';
import { HEADER_SIZE } from './part-header.ts';

/** Resources that are looked at between two pauses: a few ms. */
const STEP = 8192;

/**
 * Bytes of a part that nothing refers to: what edits in place leave behind. 0 for pipable files, which are always
 * written whole. Works in slices: there may be a quarter of a million resources.
 */
export async function deadBytesOf(part: OpenPart): Promise<number> {
	return part.pipable ? 0 : inSlices(deadSteps(part));
}

function* deadSteps(part: OpenPart): Generator<void, number, undefined> {
	const { size } = part.source;
	const { blobTable, xml, integrity } = part.header;
	const { resources } = part.table;
	const starts = new Float64Array(resources.length + 4);
	const ends = new Float64Array(starts.length);
	let count = 0;
	const add = (offset: number, storedSize: number) => {
		starts[count] = Math.min(offset, size);
		ends[count++] = Math.min(offset + storedSize, size);
	};
	add(0, HEADER_SIZE);
	for (const { offset, storedSize } of [blobTable, xml, integrity]) add(offset, storedSize);
	for (const { offset, storedSize } of resources) {
		add(offset, storedSize);
		if (count % STEP === 0) yield;
	}
	yield* sortSteps(starts);
	yield* sortSteps(ends);
	// As many have begun as have ended where the next one begins: nothing lies over the gap before it.
	let dead = starts[0] ?? 0;
	for (let k = 1; k < count; k++) {
		dead += Math.max(0, (starts[k] ?? 0) - (ends[k - 1] ?? 0));
		if (k % (8 * STEP) === 0) yield;
	}
	return dead + size - (ends[count - 1] ?? 0);
}
