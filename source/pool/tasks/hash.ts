import { FormatError, toWire, WimError, type WireError } from '../../base/errors.ts';
import { type Sha1, sha1Hasher } from '../../bytes/sha1.ts';
import { closeShared, openShared } from '../../storage/shared-file.ts';
import type { Lane } from '../lane.ts';
import { type LaneSource, readLaneSource } from '../stored-bytes.ts';

/** What to hash: bytes of an open source, or a whole file that the lane opens by itself. */
export type HashItem = HashStretch | { readonly path: string | Uint8Array };

export interface HashStretch {
	readonly source: LaneSource;
	readonly offset: number;
	readonly size: number;
}

export interface HashInput {
	readonly items: readonly HashItem[];
}

export interface HashResult {
	/** Null when the bytes could not be had. */
	readonly sha1: Sha1 | null;
	/** How many bytes were hashed. */
	readonly size: number;
	readonly error: WireError | null;
}

export interface HashOutput {
	/** In the order of the items. */
	readonly results: readonly HashResult[];
}

const STEP_SIZE = 1 << 20;

/** SHA-1 of stretches and files. */
export function* hashTask(input: HashInput, lane: Lane): Generator<number, HashOutput, void> {
	const results: HashResult[] = [];
	for (const item of input.items) {
		try {
			if (!('path' in item)) results.push(yield* hashStretch(item, lane));
			else {
				const source = openShared(item.path);
				try {
					results.push(yield* hashBytes(source, 0, Number.POSITIVE_INFINITY, lane));
				} finally {
					closeShared(source);
				}
			}
		} catch (error) {
			if (!(error instanceof WimError)) throw error;
			results.push({ sha1: null, size: 0, error: toWire(error) });
		}
	}
	return { results };
}

function* hashStretch(item: HashStretch, lane: Lane): Generator<number, HashResult, void> {
	const { source, offset, size } = item;
	const result = yield* hashBytes(source, offset, size, lane);
	if (result.size === size) return result;
	throw new FormatError(`Cannot read ${size} bytes: there are ${result.size} left in the file`, {
		region: source.name,
		offset,
		hint: 'The file may be cut short: compare its size with the original.',
	});
}

function* hashBytes(
	source: LaneSource,
	offset: number,
	size: number,
	lane: Lane,
): Generator<number, HashResult, void> {
	const hasher = sha1Hasher();
	let done = 0;
	while (done < size) {
		const into = lane.decoder.input(Math.min(STEP_SIZE, size - done));
		const count = readLaneSource(source, offset + done, into);
		hasher.update(into.subarray(0, count));
		done += count;
		yield count;
		if (count < into.length) break;
	}
	return { sha1: hasher.digest('hex'), size: done, error: null };
}
