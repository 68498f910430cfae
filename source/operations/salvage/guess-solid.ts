/** Works out a solid resource without its header from the sizes of its chunks (wim.md §2.5, §13.5). */
import { FormatError } from '../../base/errors.ts';
import { SolidHeader, type SolidShape } from '../../codec/chunk-table.ts';
import { COMPRESSIONS, type Compression, isLegalChunkSize } from '../../codec/compression.ts';
import { Decoder } from '../../codec/decoder.ts';
import { Finder } from '../../codec/finder.ts';
import type { Stretch } from '../../pool/search/found.ts';
import type { Source } from '../../storage/source.ts';

/** Chunk sizes that are tried, as powers of two: from that of XPRESS to the largest of solid resources. */
const ORDER_MIN = 12;
const ORDER_MAX = 26;

/** Sizes that are looked at: 64 GiB in chunks of 64 MiB, 1 GiB in the smallest that solid resources are written with. */
const COUNT_MAX = 8192;

/** So many words of the first chunk may look like sizes by chance. */
const CHANCE_MAX = 4;

/** The readers of an LZMS chunk end this far from each other at most, as finders know it. */
const MEETING_DISTANCE_MAX = 2;

/**
 * The shape of a solid resource whose header stands at the start of a stretch and is lost: the count of chunks and their
 * original size are those with which the first chunk decodes and takes all of its stored bytes.
 *
 * @returns null when there is none; the original size is the least that the last chunk allows
 */
export async function guessSolid(source: Source, gap: Stretch): Promise<SolidShape | null> {
	const sizes = await sizesAt(source, gap);
	let storedSize = SolidHeader.size;
	let largest = 0;
	for (const [k, size] of sizes.entries()) {
		storedSize += 4 + size;
		largest = Math.max(largest, size);
		if (gap.start + storedSize > gap.end) return null;
		if (k < sizes.length - CHANCE_MAX) continue;
		const shape = await guessWith(source, gap.start, sizes.slice(0, k + 1), largest);
		if (shape !== null) return { ...shape, storedSize };
	}
	return null;
}

/** What may be sizes of chunks behind the header. */
async function sizesAt(source: Source, { start, end }: Stretch): Promise<number[]> {
	const bytes = new Uint8Array(
		Math.min(4 * COUNT_MAX, Math.max(0, end - start - SolidHeader.size)),
	);
	const got = await source.read(start + SolidHeader.size, bytes);
	const view = new DataView(bytes.buffer, 0, got);
	const sizes: number[] = [];
	for (let at = 0; at + 4 <= got; at += 4) {
		const size = view.getUint32(at, true);
		if (size === 0 || size > 2 ** ORDER_MAX) break;
		sizes.push(size);
	}
	return sizes;
}

async function guessWith(
	source: Source,
	start: number,
	sizes: readonly number[],
	largest: number,
): Promise<Omit<SolidShape, 'storedSize'> | null> {
	const tableSize = 4 * sizes.length;
	const [firstSize = 0] = sizes;
	const lastSize = sizes.at(-1) ?? 0;
	const at = start + SolidHeader.size + tableSize;
	const first = await stored(source, at, firstSize);
	const before = sizes.slice(0, -1).reduce((sum, size) => sum + size, 0);
	const last = sizes.length === 1 ? first : await stored(source, at + before, lastSize);
	if (first === null || last === null) return null;
	for (let order = ORDER_MIN; order <= ORDER_MAX; order++) {
		const chunkSize = 2 ** order;
		if (chunkSize < largest) continue;
		for (const compression of [...COMPRESSIONS].reverse()) {
			if (compression === 'none' || !isLegalChunkSize(compression, chunkSize)) continue;
			if (sizes.length > 1 && !takesAll(compression, chunkSize, first)) continue;
			const end = lastOriginalSize(compression, chunkSize, last);
			if (end === null) continue;
			return {
				originalSize: (sizes.length - 1) * chunkSize + end,
				chunkSize,
				compression,
				chunkCount: sizes.length,
				tableOffset: SolidHeader.size,
				tableSize,
			};
		}
	}
	return null;
}

async function stored(source: Source, at: number, size: number): Promise<Uint8Array | null> {
	const bytes = new Uint8Array(size);
	return (await source.read(at, bytes)) === size ? bytes : null;
}

/** The chunk decodes to a whole one, from just these bytes. */
function takesAll(compression: Compression, chunkSize: number, bytes: Uint8Array): boolean {
	if (bytes.length >= chunkSize) return false;
	const decoder = new Decoder();
	try {
		decoder.decodeBytes(compression, chunkSize, bytes, chunkSize);
	} catch (error) {
		if (error instanceof FormatError) return false;
		throw error;
	}
	const { front, back } = decoder.lastConsumed();
	if (compression !== 'lzms') return front === bytes.length;
	return back - front >= 0 && back - front <= MEETING_DISTANCE_MAX;
}

/** What the last chunk decodes to; it may be stored as it is. */
function lastOriginalSize(
	compression: Compression,
	chunkSize: number,
	bytes: Uint8Array,
): number | null {
	if (compression === 'none') return null;
	if (bytes.length === chunkSize) return chunkSize;
	const finder = new Finder();
	if (compression === 'lzms') return finder.sizesOfLzms(chunkSize, bytes)[0] ?? null;
	const ends = finder.probe(compression, chunkSize, bytes);
	return ends.find(({ storedSize }) => storedSize === bytes.length)?.originalSize ?? null;
}
