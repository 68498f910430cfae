/** Finds the chunk size of LZMS contents by walking from the first resource of a file on, where no table shows it. */
import { chunkSizeRange } from '../../codec/compression.ts';
import { Finder, WantedSet } from '../../codec/finder.ts';
import type { Lane } from '../lane.ts';
import { findLzms } from '../search/find-lzms.ts';
import { endOf } from '../search/found.ts';

export interface WalkRequest {
	/** Of the file, from its first resource on; no more than `WALK_SIZE`. */
	readonly bytes: Uint8Array;
}

export interface WalkReply {
	/** At which most of the bytes are explained; null when next to nothing is. */
	readonly chunkSize: number | null;
}

/** How much is looked at. */
export const WALK_SIZE = 1 << 20;

/** Larger chunk sizes are hardly used outside solid resources. */
const CHUNK_MAX = 1 << 21;
const NORMAL = chunkSizeRange('lzms').normal;

/** Where resources may begin in it, and the effort for starts that nothing shows (`SearchRange`): what takes little first. */
const WALKS = [
	{ starts: 1 << 15, effort: 0, chunkSizes: [NORMAL, CHUNK_MAX] },
	{ starts: 1 << 18, effort: 0, chunkSizes: [NORMAL, CHUNK_MAX] },
	{ starts: 1 << 18, effort: 1 << 25, chunkSizes: [NORMAL] },
] as const;

/** What is explained by chance is far less: in 2 MB of programs that are stored as they are, nothing was. */
const LEAST_EXPLAINED = 4096;
const LEAST_COUNT = 8;

/** Yields nothing but the chance to cancel: how much there is to do shows only at the end. */
export function* walkTask({ bytes }: WalkRequest, lane: Lane): Generator<number, WalkReply, void> {
	const finder = lane.remember('finder', '', () => new Finder());
	const kernels = { finder, decoder: lane.decoder };
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
				yield 0;
				step = search.next();
			}
			const found = step.value;
			const explained = found.reduce((sum, one) => sum + endOf(one) - one.offset, 0);
			if (explained > range.stop / 2) return { chunkSize };
			if (explained > best.explained) best = { chunkSize, explained, count: found.length };
		}
	const { chunkSize, explained, count } = best;
	const isEnough = explained >= Math.min(bytes.length / 4, LEAST_EXPLAINED) || count >= LEAST_COUNT;
	return { chunkSize: isEnough && chunkSize > 0 ? chunkSize : null };
}
