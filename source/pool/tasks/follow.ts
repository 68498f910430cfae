/** Decodes a chunk of unknown stored size for another thread: one of 64 MiB would keep that busy for a second. */
import { FormatError } from '../../base/errors.ts';
import type { Compression } from '../../codec/compression.ts';
import { type ChunkEnd, Finder } from '../../codec/finder.ts';
import type { Lane } from '../lane.ts';
import { type LaneSource, readLaneSource } from '../stored-bytes.ts';

export interface FollowRequest {
	readonly source: LaneSource;
	/** Where the chunk begins; it ends before `end`. */
	readonly at: number;
	readonly end: number;
	readonly compression: Exclude<Compression, 'none'>;
	readonly chunkSize: number;
	/** It may decode to less than the chunk size. */
	readonly isLast: boolean;
	/** It takes everything up to `end`. */
	readonly isEndKnown: boolean;
	/** For what comes out, from `roomAt` on: a chunk size of it is there. */
	readonly room: SharedArrayBuffer;
	readonly roomAt: number;
	/** What shows no chunk, and may be one that is stored as it is, comes out too. */
	readonly takesRaw: boolean;
}

/** What the chunk takes; null when there is none. */
export interface FollowReply {
	readonly end: ChunkEnd | null;
}

export function* followTask(
	request: FollowRequest,
	lane: Lane,
): Generator<number, FollowReply, void> {
	const { source, at, chunkSize, isLast, room, roomAt } = request;
	const into = new Uint8Array(Math.max(0, Math.min(chunkSize, request.end - at)));
	const stored = into.subarray(0, readLaneSource(source, at, into));
	const finder = lane.remember('finder', '', () => new Finder());
	const ends = endsOf(finder, request, stored);
	yield 0;
	const out = new Uint8Array(room, roomAt, chunkSize);
	for (const end of ends) {
		if (!isLast && end.originalSize !== chunkSize) continue;
		const bytes = decoded(lane, request, stored.subarray(0, end.storedSize), end.originalSize);
		yield end.originalSize;
		if (bytes === null) continue;
		out.set(bytes);
		return { end };
	}
	if (!request.takesRaw || stored.length < chunkSize) return { end: null };
	out.set(stored);
	return { end: { storedSize: chunkSize, originalSize: chunkSize } };
}

function endsOf(
	finder: Finder,
	{ compression, chunkSize, isLast, isEndKnown }: FollowRequest,
	stored: Uint8Array,
): ChunkEnd[] {
	const isRight = ({ storedSize }: ChunkEnd) => !isEndKnown || storedSize === stored.length;
	if (compression !== 'lzms')
		return finder.probe(compression, chunkSize, stored).filter(isRight).reverse();
	if (!isEndKnown) return finder.endsOfLzms(chunkSize, stored, true, isLast ? 1 : chunkSize);
	const sizes = finder.sizesOfLzms(chunkSize, stored);
	return sizes.map((originalSize) => ({ storedSize: stored.length, originalSize }));
}

function decoded(
	lane: Lane,
	{ compression, chunkSize }: FollowRequest,
	stored: Uint8Array,
	originalSize: number,
): Uint8Array | null {
	if (stored.length >= originalSize) return null;
	const { decoder } = lane;
	try {
		decoder.reserve(stored.length, originalSize);
		decoder.input(stored.length).set(stored);
		return decoder.decode(compression, chunkSize, stored.length, originalSize);
	} catch (error) {
		if (error instanceof FormatError) return null;
		throw error;
	}
}
