/**
 * Finds out whether a file is compressed as LZMS, and in chunks of which size. Such chunks do not show where they begin, but
 * resources of several do: by the table before them and a first chunk that gives just the chunk size (wim.md §13.4 C).
 */
import { FormatError } from '../../base/errors.ts';
import { breathe, type Run } from '../../base/run.ts';
import { chunkSizeRange } from '../../codec/compression.ts';
import { Decoder } from '../../codec/decoder.ts';
import { Finder, WantedSet } from '../../codec/finder.ts';
import { findLzms, MEETING_DISTANCE_MAX } from '../../pool/search/find-lzms.ts';
import { endOf } from '../../pool/search/found.ts';
import type { PartCompression } from '../part-blobs.ts';

/** Larger chunk sizes are hardly used outside solid resources. */
const CHUNK_MAX = 1 << 21;
const NORMAL = chunkSizeRange('lzms').normal;

/** Bytes between two pauses. */
const STEP_SIZE = 1 << 18;

/** Chunks that are decoded at most: raw contents may be full of what looks like tables. */
const PROBES_MAX = 4000;

/** A table that ends in words by chance has so many more. */
const CHANCE_MAX = 2;

/** How much is looked at where no table shows. */
const WALK_SIZE = 1 << 20;

/** Where resources may begin in it, and the effort for starts that nothing shows (`SearchRange`): what takes little first. */
const WALKS = [
	{ starts: 1 << 15, effort: 0, chunkSizes: [NORMAL, CHUNK_MAX] },
	{ starts: 1 << 18, effort: 0, chunkSizes: [NORMAL, CHUNK_MAX] },
	{ starts: 1 << 18, effort: 1 << 25, chunkSizes: [NORMAL] },
] as const;

/** What is explained by chance is far less: in 2 MB of programs that are stored as they are, nothing was. */
const LEAST_EXPLAINED = 4096;
const LEAST_COUNT = 8;

/**
 * @param bytes of the file, from its first resource on
 * @param stated what the header says; null when it does not tell
 * @returns null when neither tables nor the first resources show it
 */
export async function detectLzms(
	bytes: Uint8Array,
	stated: PartCompression | null,
	run: Run,
): Promise<PartCompression | null> {
	const chunkSize = await mostTables(bytes, run);
	if (chunkSize !== null) return { compression: 'lzms', chunkSize };
	// Without a resource of several chunks any chunk size fits that is large enough.
	return stated === null ? walked(bytes.subarray(0, WALK_SIZE), run) : null;
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
		const { front, back } = decoder.lastConsumed();
		return back >= front && back - front <= MEETING_DISTANCE_MAX;
	} catch (error) {
		if (error instanceof FormatError) return false;
		throw error;
	}
}

/** A chunk size at which a walk from the first resource on explains the bytes; null when it explains next to nothing. */
async function walked(bytes: Uint8Array, run: Run): Promise<PartCompression | null> {
	const kernels = { finder: new Finder(), decoder: new Decoder() };
	const at = (offset: number, size: number) => bytes.subarray(offset, offset + size);
	const window = { at, lostIn: () => [], lostUntil: (offset: number) => offset };
	const tools = { wanted: new WantedSet([]), sizes: [] };
	let best = { chunkSize: 0, explained: 0, count: 0 };
	for (const { starts, effort, chunkSizes } of WALKS)
		for (const chunkSize of chunkSizes) {
			const range = {
				start: 0,
				isSynced: true,
				stop: Math.min(bytes.length, starts),
				end: bytes.length,
				compression: 'lzms' as const,
				chunkSize,
				isQuick: effort === 0,
				effort,
				hints: [],
			};
			const search = findLzms(window, kernels, range, tools);
			let step = search.next();
			while (!step.done) {
				await breathe(run);
				step = search.next();
			}
			const explained = step.value.reduce((sum, found) => sum + endOf(found) - found.offset, 0);
			if (explained > range.stop / 2) return { compression: 'lzms', chunkSize };
			const count = step.value.length;
			if (explained > best.explained) best = { chunkSize, explained, count };
		}
	const { chunkSize, explained, count } = best;
	const isEnough = explained >= Math.min(bytes.length / 4, LEAST_EXPLAINED) || count >= LEAST_COUNT;
	return isEnough && chunkSize > 0 ? { compression: 'lzms', chunkSize } : null;
}
