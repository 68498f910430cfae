/** Works out a solid resource whose header and chunk sizes are both lost, as by its first sector (wim.md §13.5). */
import { SolidHeader, type SolidShape } from '../../codec/chunk-table.ts';
import { isLegalChunkSize } from '../../codec/compression.ts';
import { Finder } from '../../codec/finder.ts';
import { readExactly } from '../../storage/read.ts';
import type { Source } from '../../storage/source.ts';

/** Chunk sizes that are tried, as powers of two: up to the usual one of such resources. */
const ORDER_MIN = 12;
const ORDER_MAX = 26;

/** The usual compression first. */
const CODECS = ['lzms', 'lzx', 'xpress'] as const;

/**
 * The chunk size decides what the last chunk decodes to. The right one is that with which a chunk of just that size ends where
 * the resource ends, and before it a whole one.
 *
 * @param originalSize of the resource, as its blobs tell
 * @returns null when no chunk size fits, or one chunk holds everything: then its beginning is lost too
 */
export async function solidFromBehind(
	source: Source,
	{
		offset,
		storedSize,
		originalSize,
	}: { readonly offset: number; readonly storedSize: number; readonly originalSize: number },
): Promise<SolidShape | null> {
	const finder = new Finder();
	for (let order = ORDER_MIN; order <= ORDER_MAX; order++) {
		const chunkSize = 2 ** order;
		const chunkCount = Math.ceil(originalSize / chunkSize);
		if (chunkCount < 2) return null;
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

/** Chunks that may be the last one, of which so many are followed. */
const CHAINS_MAX = 8;
