/** Works out a solid resource whose header and chunk sizes are both lost, as by its first sector (wim.md §13.5). */
import { breathe, type Run } from '../../base/run.ts';
import { SolidHeader, type SolidShape } from '../../codec/chunk-table.ts';
import { type Compression, isLegalChunkSize } from '../../codec/compression.ts';
import type { ChunkSeeker } from '../../pool/chunk-seeker.ts';
import type { Source } from '../../storage/source.ts';

/** Chunk sizes that are tried, as powers of two: up to the usual one of such resources. */
const ORDER_MIN = 12;
const ORDER_MAX = 26;

/** The usual compression first. */
const CODECS = ['lzms', 'lzx', 'xpress'] as const;

/** Chunks that may be the first or the last one, of which so many are followed. */
const CHAINS_MAX = 8;

/** A chunk of so many bytes does not come up by chance. */
const LONE_MIN = 4096;

/** So many zeros are damage: a chunk that begins with them begins with thousands of literals, and is found from behind. */
const ZEROS_MAX = 16;

/** What entries tell of a solid resource: its place, and how many bytes its blobs have. */
export interface StatedPlace {
	readonly offset: number;
	readonly storedSize: number;
	readonly originalSize: number;
}

/** How it may have been cut and compressed. */
interface Guess {
	readonly compression: Exclude<Compression, 'none'>;
	readonly chunkSize: number;
	readonly chunkCount: number;
}

/**
 * The chunk size decides where the first chunk begins, behind a size of each, and what the last one decodes to. The right one is
 * that with which two chunks decode to just what they should: the first and the second, or where the first is hurt the last
 * and the one before. An only chunk takes everything behind the header and its size. Where one of two chunks is hurt, a large
 * one proves enough, if no other chunk size gives any.
 *
 * @returns null when no chunk size fits
 */
export async function findSolidShape(
	source: Source,
	place: StatedPlace,
	seeker: ChunkSeeker,
	run: Run,
): Promise<SolidShape | null> {
	const search = new Search(source, place, seeker, run);
	const guesses = guessesFor(place.originalSize);
	const several = guesses.filter(({ chunkCount }) => chunkCount > 1);
	const single = guesses.filter(({ chunkCount }) => chunkCount === 1);
	let guess = await search.first(several, (one) => search.firstTwo(one));
	if (guess === null && !search.isCut)
		guess =
			(await search.first(single, (one) => search.isOnly(one))) ??
			(await search.first(several, (one) => search.lastTwo(one)));
	guess ??= search.likely();
	return guess === null ? null : shapeOf(place, guess);
}

function shapeOf({ originalSize, storedSize }: StatedPlace, guess: Guess): SolidShape {
	const tableSize = 4 * guess.chunkCount;
	return { ...guess, originalSize, storedSize, tableOffset: SolidHeader.size, tableSize };
}

/** The usual chunk size first where it makes several chunks: to exclude a smaller one of a large resource takes longer. */
function guessesFor(originalSize: number): Guess[] {
	const upwards = Array.from({ length: ORDER_MAX - ORDER_MIN + 1 }, (_, k) => ORDER_MIN + k);
	const orders = originalSize > 2 ** ORDER_MAX ? [ORDER_MAX, ...upwards.slice(0, -1)] : upwards;
	return orders.flatMap((order) => {
		const chunkSize = 2 ** order;
		const chunkCount = Math.ceil(originalSize / chunkSize);
		return CODECS.filter((compression) => isLegalChunkSize(compression, chunkSize)).map(
			(compression) => ({ compression, chunkSize, chunkCount }),
		);
	});
}

class Search {
	/** The file ends before the resource does. */
	readonly isCut: boolean;
	private readonly source: Source;
	private readonly place: StatedPlace;
	private readonly end: number;
	private readonly seeker: ChunkSeeker;
	private readonly run: Run;
	/** Guesses of which one chunk fits, but none beside it. */
	private readonly lone = new Set<Guess>();

	constructor(source: Source, place: StatedPlace, seeker: ChunkSeeker, run: Run) {
		this.source = source;
		this.place = place;
		this.end = Math.min(place.offset + place.storedSize, source.size);
		this.isCut = place.offset + place.storedSize > source.size;
		this.seeker = seeker;
		this.run = run;
	}

	/** The first guess that fits. */
	async first(
		guesses: readonly Guess[],
		fits: (guess: Guess) => Promise<boolean>,
	): Promise<Guess | null> {
		if (guesses.length === 0) return null;
		const totalBytes = guesses.reduce((sum, guess) => sum + this.roomOf(guess), 0);
		this.run.report({ type: 'phase', phase: 'search', totalBytes });
		for (const guess of guesses) {
			await breathe(this.run);
			if (await fits(guess)) return guess;
		}
		return null;
	}

	/** What a search of its first or last chunk looks through. */
	private roomOf(guess: Guess): number {
		return Math.max(0, Math.min(guess.chunkSize, this.end - this.startOf(guess)));
	}

	private startOf({ chunkCount }: Guess): number {
		return this.place.offset + SolidHeader.size + 4 * chunkCount;
	}

	private lastSizeOf({ chunkSize, chunkCount }: Guess): number {
		return this.place.originalSize - (chunkCount - 1) * chunkSize;
	}

	/** A first chunk that is stored as it is shows by the second. */
	async firstTwo(guess: Guess): Promise<boolean> {
		const start = this.startOf(guess);
		const { chunkSize } = guess;
		const sizes = await this.sizes(guess, 'start', start, this.end, chunkSize, true);
		for (const size of [...sizes.slice(0, CHAINS_MAX), chunkSize])
			if (await this.secondAt(guess, start + size)) return true;
		this.noteLone(guess, sizes);
		return false;
	}

	private noteLone(guess: Guess, sizes: readonly number[]): void {
		if (sizes.length === 1 && (sizes[0] ?? 0) >= LONE_MIN) this.lone.add(guess);
	}

	/** The only guess of which a chunk fits at all. */
	likely(): Guess | null {
		const [guess = null, ...others] = this.lone;
		return others.length === 0 ? guess : null;
	}

	private async secondAt(guess: Guess, at: number): Promise<boolean> {
		const isLast = guess.chunkCount === 2;
		if (isLast && this.isCut) return false;
		const bound = isLast ? 'both' : 'start';
		const size = isLast ? this.lastSizeOf(guess) : guess.chunkSize;
		return (await this.sizes(guess, bound, at, this.end, size)).length > 0;
	}

	async lastTwo(guess: Guess): Promise<boolean> {
		const start = this.startOf(guess);
		const { end } = this;
		const sizes = await this.sizes(guess, 'end', start, end, this.lastSizeOf(guess), true);
		for (const size of sizes.slice(0, CHAINS_MAX))
			if ((await this.sizes(guess, 'end', start, end - size, guess.chunkSize)).length > 0)
				return true;
		this.noteLone(guess, sizes);
		return false;
	}

	async isOnly(guess: Guess): Promise<boolean> {
		const start = this.startOf(guess);
		const { originalSize } = this.place;
		const storedSize = this.end - start;
		if (storedSize <= 0 || storedSize > originalSize) return false;
		// A chunk of its original size is stored as it is, and tells no compression.
		if (storedSize === originalSize) return true;
		return (await this.sizes(guess, 'both', start, this.end, originalSize, true)).length > 0;
	}

	/**
	 * The stored sizes of compressed chunks between `start` and `end`.
	 *
	 * @param isCounted as progress
	 */
	private async sizes(
		{ compression, chunkSize }: Guess,
		bound: 'start' | 'end' | 'both',
		start: number,
		end: number,
		originalSize: number,
		isCounted = false,
	): Promise<number[]> {
		const room = Math.max(0, end - start);
		const size = Math.min(room, originalSize - 1);
		if (size <= 0 || (bound === 'both' && size < room)) return [];
		const stored = new Uint8Array(new SharedArrayBuffer(size));
		const got = await this.source.read(bound === 'end' ? end - size : start, stored);
		if (got < size) return [];
		if (bound !== 'end' && stored.subarray(0, ZEROS_MAX).every((byte) => byte === 0)) return [];
		const request = { bound, compression, chunkSize, stored, originalSize };
		return this.seeker.seek(request, (bytes) => {
			if (isCounted && bytes > 0) this.run.report({ type: 'advance', bytes });
		});
	}
}
