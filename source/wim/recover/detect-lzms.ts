/**
 * Finds out whether a file is compressed as LZMS, and in chunks of which size. Such chunks do not show where they begin, but
 * resources of several do: by the table before them and a first chunk that gives just the chunk size (wim.md §13.4 C).
 */
import { FormatError } from '../../base/errors.ts';
import { breathe, type Run } from '../../base/run.ts';
import { chunkSizeRange } from '../../codec/compression.ts';
import { Decoder, tookAll } from '../../codec/decoder.ts';
import type { PartCompression } from '../part-blobs.ts';

/** Larger chunk sizes are hardly used outside solid resources. */
const CHUNK_MAX = 1 << 21;

/** Bytes between two pauses. */
const STEP_SIZE = 1 << 18;

/** Chunks that are decoded at most: raw contents may be full of what looks like tables. */
const PROBES_MAX = 4000;

/** A table that ends in words by chance has so many more. */
const CHANCE_MAX = 2;

/**
 * @param bytes of the file, from its first resource on
 * @param walk gives the chunk size where no table shows it
 * @param stated what the header says; null when it does not tell
 * @returns null when neither tables nor the first resources show it
 */
export async function detectLzms(
	bytes: Uint8Array,
	stated: PartCompression | null,
	walk: (bytes: Uint8Array) => Promise<number | null>,
	run: Run,
): Promise<PartCompression | null> {
	// Without a resource of several chunks any chunk size fits that is large enough.
	const chunkSize = (await mostTables(bytes, run)) ?? (stated === null ? await walk(bytes) : null);
	return chunkSize === null ? null : { compression: 'lzms', chunkSize };
}

/** The chunk size of most resources of several chunks; null when there are none. */
async function mostTables(bytes: Uint8Array, run: Run): Promise<number | null> {
	const { min } = chunkSizeRange('lzms');
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	const decoder = new Decoder();
	const counts = new Map<number, number>();
	let probes = 0;
	for (let at = 0; at + 8 <= bytes.length && probes < PROBES_MAX; at++) {
		if (at % STEP_SIZE === 0) await breathe(run);
		const first = view.getUint32(at, true);
		if (first < 8 || first % 2 !== 0 || first > CHUNK_MAX) continue;
		for (let chunkSize = CHUNK_MAX; chunkSize >= min && chunkSize > first; chunkSize /= 2) {
			const count = entryCount(view, at, chunkSize);
			for (let entries = count; entries >= Math.max(1, count - CHANCE_MAX); entries--) {
				const start = at + 4 * entries;
				probes++;
				if (!isWhole(decoder, bytes.subarray(start, start + first), chunkSize)) continue;
				counts.set(chunkSize, (counts.get(chunkSize) ?? 0) + 1);
				break;
			}
		}
	}
	const [most] = [...counts].sort(([, a], [, b]) => b - a);
	return most === undefined ? null : most[0];
}

/** Words that increase by 1 to a chunk each; compressed chunks have even sizes. */
function entryCount(view: DataView, at: number, chunkSize: number): number {
	let before = 0;
	let count = 0;
	for (let offset = at; offset + 4 <= view.byteLength; offset += 4) {
		const entry = view.getUint32(offset, true);
		if (entry <= before || entry - before > chunkSize || entry % 2 !== 0) break;
		before = entry;
		count++;
	}
	return count;
}

/** Whether stored bytes are a chunk that decodes to just so many bytes. */
function isWhole(decoder: Decoder, stored: Uint8Array, originalSize: number): boolean {
	try {
		decoder.reserve(stored.length, originalSize);
		decoder.input(stored.length).set(stored);
		decoder.decode('lzms', originalSize, stored.length, originalSize);
		return tookAll('lzms', decoder.lastConsumed());
	} catch (error) {
		if (error instanceof FormatError) return false;
		throw error;
	}
}
