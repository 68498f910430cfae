/** Works out a solid resource without its header from the sizes of its chunks (wim.md §2.5, §13.5). */
import { assert } from '../../base/errors.ts';
import { SolidHeader, type SolidShape } from '../../codec/chunk-table.ts';
import { COMPRESSIONS, isLegalChunkSize } from '../../codec/compression.ts';
import type { Pool } from '../../pool/pool.ts';
import type { Stretch } from '../../pool/search/found.ts';
import type { FollowRequest } from '../../pool/tasks/follow.ts';
import type { Source } from '../../storage/source.ts';

/** Chunk sizes that are tried, as powers of two: from that of XPRESS to the largest of solid resources. */
const ORDER_MIN = 12;
const ORDER_MAX = 26;

/** Sizes that are looked at: 64 GiB in chunks of 64 MiB, 1 GiB in the smallest that solid resources are written with. */
const COUNT_MAX = 8192;

/** So many words of the first chunk may look like sizes by chance. */
const CHANCE_MAX = 4;

/**
 * The shape of a solid resource whose header stands at the start of a stretch and is lost: the count of chunks and their
 * original size are those with which the first chunk decodes and takes all of its stored bytes.
 *
 * @returns null when there is none; the original size is the least that the last chunk allows,
 *   or the most when that is cut off
 */
export async function guessSolid(
	source: Source,
	gap: Stretch,
	pool: Pool,
): Promise<SolidShape | null> {
	const sizes = await sizesAt(source, gap);
	let storedSize = SolidHeader.size;
	let largest = 0;
	for (const [k, size] of sizes.entries()) {
		storedSize += 4 + size;
		largest = Math.max(largest, size);
		// Of a file that is cut the last chunks are missing.
		const isCut = gap.start + storedSize > gap.end;
		if (isCut && gap.end < source.size) return null;
		if (k < sizes.length - CHANCE_MAX) continue;
		const chunks = { sizes: sizes.slice(0, k + 1), largest, isCut };
		const shape = await guessWith(source, gap.start, chunks, pool);
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

/** Sizes that may be those of the chunks. */
interface Chunks {
	readonly sizes: readonly number[];
	readonly largest: number;
	/** The last of them are not in the file. */
	readonly isCut: boolean;
}

async function guessWith(
	source: Source,
	start: number,
	{ sizes, largest, isCut }: Chunks,
	pool: Pool,
): Promise<Omit<SolidShape, 'storedSize'> | null> {
	const tableSize = 4 * sizes.length;
	const at = start + SolidHeader.size + tableSize;
	const [firstSize = 0] = sizes;
	const lastSize = sizes.at(-1) ?? 0;
	const before = sizes.slice(0, -1).reduce((sum, size) => sum + size, 0);
	for (let order = ORDER_MIN; order <= ORDER_MAX; order++) {
		const chunkSize = 2 ** order;
		if (chunkSize < largest) continue;
		for (const compression of [...COMPRESSIONS].reverse()) {
			if (compression === 'none' || !isLegalChunkSize(compression, chunkSize)) continue;
			const how = { compression, chunkSize };
			const first = { at, size: firstSize, isLast: false };
			if (sizes.length > 1 && (await originalSizeOf(source, first, how, pool)) === null) continue;
			const last = { at: at + before, size: lastSize, isLast: true };
			// Nobody knows how much the last chunk held; it is lost.
			const isUnknown = isCut && sizes.length > 1;
			const end = isUnknown ? chunkSize : await originalSizeOf(source, last, how, pool);
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

/** What a chunk decodes to that takes all of its stored bytes; only the last one may be less than a whole one, or raw. */
async function originalSizeOf(
	source: Source,
	{ at, size, isLast }: { readonly at: number; readonly size: number; readonly isLast: boolean },
	{ compression, chunkSize }: Pick<FollowRequest, 'compression' | 'chunkSize'>,
	pool: Pool,
): Promise<number | null> {
	if (size === chunkSize) return isLast ? chunkSize : null;
	const shared = source.share();
	assert(shared, 'salvage reads files');
	const room = new SharedArrayBuffer(chunkSize);
	const chunk = { at, end: at + size, compression, chunkSize, isLast, isEndKnown: true };
	const request = { ...chunk, source: shared, room, roomAt: 0, takesRaw: false };
	const { end } = await pool.forWork(chunkSize, chunkSize).run('follow', request);
	return end?.originalSize ?? null;
}
