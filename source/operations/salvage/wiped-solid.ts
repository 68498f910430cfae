/** Decodes a solid resource whose header and chunk sizes were overwritten with zeros, by nothing but its chunks (wim.md §2.5). */
import { assert } from '../../base/errors.ts';
import { breathe, type Run } from '../../base/run.ts';
import { SolidHeader } from '../../codec/chunk-table.ts';
import { COMPRESSIONS, type Compression, isLegalChunkSize } from '../../codec/compression.ts';
import type { Pool } from '../../pool/pool.ts';
import type { Stretch } from '../../pool/search/found.ts';
import { MemorySource } from '../../storage/memory-source.ts';
import { readExactly } from '../../storage/read.ts';
import type { Source } from '../../storage/source.ts';

/** Chunk sizes that are tried, as powers of two: from that of XPRESS to the usual one of such resources. */
const ORDER_MIN = 12;
const ORDER_MAX = 26;

/** The usual compression first. */
const CODECS = ['lzms', 'lzx', 'xpress'] as const;

/** The first chunk may itself begin with zeros: so many counts of chunks are tried. */
const COUNTS_TRIED = 3;

/** Everything is decoded into memory, which has to stay below 1 GB. */
const DECODED_MAX = 256 << 20;

/** A resource that was decoded without its tables. */
export interface WipedSolid {
	readonly decoded: Source;
	/** In the file, behind its last chunk. */
	readonly end: number;
	/** All of its chunks were there and decoded. */
	readonly isWhole: boolean;
}

/** By source and start of the gap: each part is searched twice. */
const knownOf = new WeakMap<Source, Map<number, Promise<WipedSolid | null>>>();

type Codec = Exclude<Compression, 'none'>;

/**
 * Where zeros begin a stretch, they may be the header and the sizes of the chunks behind it: their length tells how many
 * chunks there are. All but the last decode to just one chunk size, each where the one before ends. Of a file that is cut, or
 * has a damaged chunk, the chunks before that come out.
 *
 * @returns null when the first one does not decode, or what they hold has no room in memory
 */
export function findWipedSolid(
	source: Source,
	gap: Stretch,
	pool: Pool,
	run: Run,
): Promise<WipedSolid | null> {
	const known = knownOf.get(source) ?? new Map<number, Promise<WipedSolid | null>>();
	knownOf.set(source, known);
	const decoding = known.get(gap.start) ?? decodeWipedSolid(source, gap, pool, run);
	known.set(gap.start, decoding);
	return decoding;
}

async function decodeWipedSolid(
	source: Source,
	gap: Stretch,
	pool: Pool,
	run: Run,
): Promise<WipedSolid | null> {
	const stated = await statedShape(source, gap);
	if (stated !== null) {
		const { compression, chunkSize, count } = stated;
		const at = gap.start + SolidHeader.size + 4 * count;
		const found = await new ChunkChain(source, gap.end, compression, chunkSize, pool).follow(
			at,
			count,
			run,
		);
		if (found !== null) return found;
	}
	const zeros = await zerosAt(source, gap);
	const most = Math.floor((zeros - SolidHeader.size) / 4);
	let best: WipedSolid | null = null;
	for (let count = most; count >= Math.max(1, most - COUNTS_TRIED + 1); count--)
		for (const compression of CODECS)
			for (let order = ORDER_MIN; order <= ORDER_MAX; order++) {
				const chunkSize = 2 ** order;
				if (!isLegalChunkSize(compression, chunkSize)) continue;
				if ((count - 1) * chunkSize > DECODED_MAX) break;
				// Of one chunk any size fits that has room for it; the window of LZX is another with each.
				if (count === 1 && compression !== 'lzx' && !isLargest(compression, order)) continue;
				await breathe(run);
				const at = gap.start + SolidHeader.size + 4 * count;
				const chain = new ChunkChain(source, gap.end, compression, chunkSize, pool);
				const found = await chain.follow(at, count, run);
				if (found?.isWhole) return found;
				if (found !== null && found.decoded.size > (best?.decoded.size ?? 0)) best = found;
			}
	return best;
}

/** What a header says that is there: only the sizes of the chunks are not. */
async function statedShape(
	source: Source,
	{ start, end }: Stretch,
): Promise<{ compression: Codec; chunkSize: number; count: number } | null> {
	if (end - start < SolidHeader.size) return null;
	const head = await readExactly(source, start, SolidHeader.size, 'solid header');
	const high = head.view.getUint32(4, true);
	const chunkSize = head.view.getUint32(8, true);
	const compression = COMPRESSIONS[head.view.getUint32(12, true)];
	if (high > 0 || compression === undefined || compression === 'none') return null;
	if (!isLegalChunkSize(compression, chunkSize)) return null;
	const count = Math.ceil(head.view.getUint32(0, true) / chunkSize);
	if (count === 0 || count * chunkSize > DECODED_MAX) return null;
	return { compression, chunkSize, count };
}

function isLargest(compression: Codec, order: number): boolean {
	return order === ORDER_MAX || !isLegalChunkSize(compression, 2 ** (order + 1));
}

async function zerosAt(source: Source, { start, end }: Stretch): Promise<number> {
	const piece = new Uint8Array(1 << 16);
	for (let at = start; at < end; at += piece.length) {
		const got = await source.read(at, piece.subarray(0, Math.min(piece.length, end - at)));
		const first = piece.subarray(0, got).findIndex((byte) => byte !== 0);
		if (first >= 0) return at - start + first;
	}
	return 0;
}

/** Chunks that lie back to back. */
class ChunkChain {
	private readonly source: Source;
	private readonly end: number;
	private readonly compression: Codec;
	private readonly chunkSize: number;
	private readonly pool: Pool;

	constructor(source: Source, end: number, compression: Codec, chunkSize: number, pool: Pool) {
		this.source = source;
		this.end = end;
		this.compression = compression;
		this.chunkSize = chunkSize;
		this.pool = pool;
	}

	async follow(start: number, count: number, run: Run): Promise<WipedSolid | null> {
		const { compression, chunkSize, end } = this;
		const source = this.source.share();
		assert(source, 'salvage reads files');
		// Pages that nobody touches cost nothing.
		const room = new SharedArrayBuffer(count * chunkSize);
		let at = start;
		let size = 0;
		let rawCount = 0;
		// Behind the last chunk that is no raw one: a raw one proves nothing.
		let sure = { at, size };
		for (let k = 0; k < count; k++) {
			await breathe(run);
			const isLast = k === count - 1;
			const isRawLeft = !isLast && rawCount < count / 2;
			const chunk = {
				at,
				end,
				compression,
				chunkSize,
				isLast,
				isEndKnown: false,
				room,
				roomAt: k * chunkSize,
			};
			// A chunk that is stored as it is shows nothing; what follows has to.
			const request = { ...chunk, source, takesRaw: isRawLeft };
			const lanes = this.pool.forWork(count * chunkSize, chunkSize);
			const found = (await lanes.run('follow', request, { signal: run.signal })).end;
			if (found === null) return this.decoded(room, sure, false);
			at += found.storedSize;
			size += found.originalSize;
			if (found.storedSize === found.originalSize) rawCount++;
			else sure = { at, size };
		}
		return this.decoded(room, { at, size }, true);
	}

	private decoded(
		room: SharedArrayBuffer,
		{ at, size }: { readonly at: number; readonly size: number },
		isWhole: boolean,
	): WipedSolid | null {
		if (size === 0) return null;
		const bytes = new Uint8Array(room, 0, size);
		const decoded = new MemorySource(`solid resource of ${this.source.name}`, bytes);
		return { decoded, end: at, isWhole };
	}
}
