/** Works out a solid resource whose header and chunk sizes are both lost, as by its first sector (wim.md §13.5). */
import { SolidHeader, type SolidShape } from '../../codec/chunk-table.ts';
import { type Compression, isLegalChunkSize } from '../../codec/compression.ts';
import { Finder } from '../../codec/finder.ts';
import { readExactly } from '../../storage/read.ts';
import type { Source } from '../../storage/source.ts';

/** Chunk sizes that are tried, as powers of two: up to the usual one of such resources. */
const ORDER_MIN = 12;
const ORDER_MAX = 26;

/** What stands before the only chunk of a resource. */
const HEAD_SIZE = SolidHeader.size + 4;

/** The usual compression first. */
const CODECS = ['lzms', 'lzx', 'xpress'] as const;

/** What entries tell of a solid resource: its place, and how many bytes its blobs have. */
interface StatedPlace {
	readonly offset: number;
	readonly storedSize: number;
	readonly originalSize: number;
}

/**
 * The chunk size decides what the last chunk decodes to. The right one is that with which a chunk of just that size ends where
 * the resource ends, and before it a whole one. An only chunk takes everything behind the header and its size.
 *
 * @returns null when no chunk size fits
 */
export async function solidFromBehind(
	source: Source,
	place: StatedPlace,
): Promise<SolidShape | null> {
	const { offset, storedSize, originalSize } = place;
	const finder = new Finder();
	for (const order of ordersFor(originalSize)) {
		const chunkSize = 2 ** order;
		const chunkCount = Math.ceil(originalSize / chunkSize);
		if (chunkCount < 2) return onlyChunk(source, place, order, finder);
		const tableSize = 4 * chunkCount;
		const start = offset + SolidHeader.size + tableSize;
		const lastSize = originalSize - (chunkCount - 1) * chunkSize;
		for (const compression of CODECS) {
			if (!isLegalChunkSize(compression, chunkSize)) continue;
			const lengthsAt = async (end: number, size: number) => {
				const room = Math.min(size, end - start);
				if (room <= 0 || end > source.size) return [];
				const { bytes } = await readExactly(source, end - room, room, 'solid chunk');
				return finder.chunksBefore(compression, chunkSize, bytes, size);
			};
			const end = offset + storedSize;
			const shape: SolidShape = {
				originalSize,
				storedSize,
				chunkSize,
				chunkCount,
				tableOffset: SolidHeader.size,
				tableSize,
				compression,
			};
			for (const last of (await lengthsAt(end, lastSize)).slice(0, CHAINS_MAX))
				if ((await lengthsAt(end - last, chunkSize)).length > 0) return shape;
		}
	}
	return null;
}

/** The usual chunk size first where it makes several chunks: to exclude a smaller one of a large resource takes a minute. */
function ordersFor(originalSize: number): number[] {
	const upwards = Array.from({ length: ORDER_MAX - ORDER_MIN + 1 }, (_, k) => ORDER_MIN + k);
	return originalSize > 2 ** ORDER_MAX ? [ORDER_MAX, ...upwards.slice(0, -1)] : upwards;
}

/** @param least of the chunk sizes that are tried: the window of LZX is another with each */
async function onlyChunk(
	source: Source,
	{ offset, storedSize, originalSize }: StatedPlace,
	least: number,
	finder: Finder,
): Promise<SolidShape | null> {
	const start = offset + HEAD_SIZE;
	const size = storedSize - HEAD_SIZE;
	if (size <= 0 || size > originalSize || start + size > source.size) return null;
	const { bytes } = await readExactly(source, start, size, 'solid chunk');
	const fits = (compression: Exclude<Compression, 'none'>, chunkSize: number) =>
		compression === 'lzms'
			? finder.sizesOfLzms(chunkSize, bytes).includes(originalSize)
			: finder
					.probe(compression, chunkSize, bytes)
					.some((end) => end.storedSize === size && end.originalSize === originalSize);
	for (let order = least; order <= ORDER_MAX; order++)
		for (const compression of CODECS) {
			const chunkSize = 2 ** order;
			if (!isLegalChunkSize(compression, chunkSize)) continue;
			// A chunk of its original size is stored as it is, and tells no compression.
			if (size < originalSize && !fits(compression, chunkSize)) continue;
			return {
				originalSize,
				storedSize,
				chunkSize,
				chunkCount: 1,
				tableOffset: SolidHeader.size,
				tableSize: HEAD_SIZE - SolidHeader.size,
				compression,
			};
		}
	return null;
}

/** Chunks that may be the last one, of which so many are followed. */
const CHAINS_MAX = 8;
