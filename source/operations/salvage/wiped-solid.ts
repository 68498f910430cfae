/** Decodes a solid resource whose header and chunk sizes were overwritten with zeros, by nothing but its chunks (wim.md §2.5). */
import { FormatError } from '../../base/errors.ts';
import { breathe, type Run } from '../../base/run.ts';
import { SolidHeader } from '../../codec/chunk-table.ts';
import { type Compression, isLegalChunkSize } from '../../codec/compression.ts';
import { Decoder } from '../../codec/decoder.ts';
import { type ChunkEnd, Finder } from '../../codec/finder.ts';
import type { Stretch } from '../../pool/search/found.ts';
import { MemorySource } from '../../storage/memory-source.ts';
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
}

/** By source and start of the gap: each part is searched twice. */
const knownOf = new WeakMap<Source, Map<number, Promise<WipedSolid | null>>>();

type Codec = Exclude<Compression, 'none'>;

/**
 * Where zeros begin a stretch, they may be the header and the sizes of the chunks behind it: their length tells how many
 * chunks there are. All but the last decode to just one chunk size, each where the one before ends.
 *
 * @returns null when they do not, or what they hold has no room in memory
 */
export function findWipedSolid(source: Source, gap: Stretch, run: Run): Promise<WipedSolid | null> {
	const known = knownOf.get(source) ?? new Map<number, Promise<WipedSolid | null>>();
	knownOf.set(source, known);
	const decoding = known.get(gap.start) ?? decodeWipedSolid(source, gap, run);
	known.set(gap.start, decoding);
	return decoding;
}

async function decodeWipedSolid(
	source: Source,
	gap: Stretch,
	run: Run,
): Promise<WipedSolid | null> {
	const zeros = await zerosAt(source, gap);
	const most = Math.floor((zeros - SolidHeader.size) / 4);
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
				const chain = new ChunkChain(source, gap.end, compression, chunkSize);
				const found = await chain.follow(at, count, run);
				if (found !== null) return found;
			}
	return null;
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
	private readonly finder = new Finder();
	private readonly decoder = new Decoder();
	private readonly source: Source;
	private readonly end: number;
	private readonly compression: Codec;
	private readonly chunkSize: number;

	constructor(source: Source, end: number, compression: Codec, chunkSize: number) {
		this.source = source;
		this.end = end;
		this.compression = compression;
		this.chunkSize = chunkSize;
	}

	async follow(start: number, count: number, run: Run): Promise<WipedSolid | null> {
		const chunks: Uint8Array[] = [];
		let at = start;
		let rawCount = 0;
		for (let k = 0; k < count; k++) {
			await breathe(run);
			const stored = await this.stored(at);
			const isLast = k === count - 1;
			const found = this.chunk(stored, isLast);
			if (found !== null) {
				chunks.push(found.bytes);
				at += found.end.storedSize;
				continue;
			}
			// A chunk that is stored as it is shows nothing; what follows has to.
			if (stored.length < this.chunkSize || isLast || ++rawCount > count / 2) return null;
			chunks.push(stored.slice());
			at += this.chunkSize;
		}
		const bytes = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
		let to = 0;
		for (const chunk of chunks) {
			bytes.set(chunk, to);
			to += chunk.length;
		}
		const decoded = new MemorySource(`solid resource of ${this.source.name}`, bytes);
		return { decoded, end: at };
	}

	private async stored(at: number): Promise<Uint8Array> {
		const bytes = new Uint8Array(Math.max(0, Math.min(this.chunkSize, this.end - at)));
		return bytes.subarray(0, await this.source.read(at, bytes));
	}

	/** The chunk at the start of some bytes; all but the last one decode to a whole chunk size. */
	private chunk(stored: Uint8Array, isLast: boolean): { bytes: Uint8Array; end: ChunkEnd } | null {
		const { compression, chunkSize, finder } = this;
		const ends =
			compression === 'lzms'
				? finder.endsOfLzms(chunkSize, stored, true, isLast ? 1 : chunkSize)
				: finder.probe(compression, chunkSize, stored).reverse();
		for (const end of ends) {
			if (!isLast && end.originalSize !== chunkSize) continue;
			const bytes = this.decode(stored.subarray(0, end.storedSize), end.originalSize);
			if (bytes !== null) return { bytes, end };
		}
		return null;
	}

	private decode(stored: Uint8Array, originalSize: number): Uint8Array | null {
		if (stored.length >= originalSize) return null;
		try {
			return this.decoder.decodeBytes(this.compression, this.chunkSize, stored, originalSize);
		} catch (error) {
			if (error instanceof FormatError) return null;
			throw error;
		}
	}
}
