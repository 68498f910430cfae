/** Looks for chunks of which one bound and the original size are known: in a large stretch that takes seconds. */
import type { Compression } from '../../codec/compression.ts';
import { type FindableCompression, Finder } from '../../codec/finder.ts';
import type { Lane } from '../lane.ts';

export interface SeekRequest {
	/** The chunk begins where the bytes begin, ends where they end, or both. */
	readonly bound: 'start' | 'end' | 'both';
	readonly compression: Exclude<Compression, 'none'>;
	/** Of the resource. */
	readonly chunkSize: number;
	readonly stored: Uint8Array;
	/** What the chunk decodes to. */
	readonly originalSize: number;
	/** Which of so many tasks this is; they divide what `isDivisible` among them. */
	readonly share: number;
	readonly shareCount: number;
}

export interface SeekReply {
	/** Of the chunks that were found, the longest first: the shorter, the more come up by chance. */
	readonly storedSizes: readonly number[];
}

/** Starts are dealt out to tasks by so many bytes, so that what is found depends on no number of tasks. */
export const SEEK_BLOCK = 1 << 20;
/** Starts between two pauses, in bytes: a few milliseconds of work. */
const STEP = 1 << 16;

/** Only an LZMS chunk may begin anywhere. */
export const isDivisible = ({ bound, compression }: Pick<SeekRequest, 'bound' | 'compression'>) =>
	bound === 'end' && compression === 'lzms';

/** Yields the stored bytes that it looked through. */
export function* seekTask(request: SeekRequest, lane: Lane): Generator<number, SeekReply, void> {
	const finder = lane.remember('finder', '', () => new Finder());
	const { compression, stored } = request;
	const storedSizes = isDivisible(request)
		? yield* lzmsStarts(finder, request)
		: compression === 'lzms'
			? lzmsEnds(finder, request)
			: request.bound === 'end'
				? yield* otherStarts(finder, { ...request, compression })
				: otherEnds(finder, { ...request, compression });
	if (!isDivisible(request)) yield stored.length;
	return { storedSizes: storedSizes.sort((a, b) => b - a) };
}

function* lzmsStarts(
	finder: Finder,
	{ stored, originalSize, share, shareCount }: SeekRequest,
): Generator<number, number[], void> {
	const sizes: number[] = [];
	finder.loadEnd(originalSize, stored);
	for (let block = share * SEEK_BLOCK; block < stored.length; block += shareCount * SEEK_BLOCK) {
		finder.startBlock();
		const end = Math.min(block + SEEK_BLOCK, stored.length);
		for (let above = block; above < end; above += STEP) {
			const most = Math.min(above + STEP, end);
			sizes.push(...finder.sizesBetween(originalSize, stored.length, above, most));
			yield most - above;
		}
	}
	return sizes;
}

function lzmsEnds(finder: Finder, { bound, stored, originalSize }: SeekRequest): number[] {
	const least = bound === 'both' ? stored.length : 0;
	const ends = finder.endsOfLzms(originalSize, stored, true, originalSize, stored.length, least);
	return ends.map(({ storedSize }) => storedSize);
}

type OtherRequest = SeekRequest & { readonly compression: FindableCompression };

function* otherStarts(finder: Finder, request: OtherRequest): Generator<number, number[], void> {
	const { compression, chunkSize, stored, originalSize } = request;
	const sizes: number[] = [];
	for (const at of finder.scan(compression, chunkSize, stored)) {
		if (stored.length - at >= originalSize) continue;
		yield 0;
		const chunk = { ...request, bound: 'both' as const, stored: stored.subarray(at) };
		sizes.push(...otherEnds(finder, chunk));
	}
	return sizes;
}

function otherEnds(finder: Finder, request: OtherRequest): number[] {
	const { bound, compression, chunkSize, stored, originalSize } = request;
	return finder
		.probe(compression, chunkSize, stored)
		.filter((end) => end.originalSize === originalSize)
		.map(({ storedSize }) => storedSize)
		.filter((storedSize) => bound === 'start' || storedSize === stored.length);
}
