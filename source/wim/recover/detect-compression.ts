/** Finds out how a file is compressed when no blob table proves what the header says, if it says anything (wim.md §13.2 point 4). */
import { breathe, type Run } from '../../base/run.ts';
import { COMPRESSIONS, chunkSizeRange } from '../../codec/compression.ts';
import { type FindableCompression, Finder } from '../../codec/finder.ts';
import type { Source } from '../../storage/source.ts';
import type { PartCompression } from '../part-blobs.ts';
import { HEADER_SIZE } from '../part-header.ts';
import { detectLzms } from './detect-lzms.ts';
import type { RecoveryTools } from './recovery-tools.ts';

/** How much of the file is looked at. */
const SAMPLE_SIZE = 4 << 20;

/** Chunks that are decoded for each pair of codec and size. */
const PROBES_MAX = 400;

/** What the header says is believed unless another pair gives so many times as many chunks. */
const DOUBT_FACTOR = 2;

/**
 * The pair with the most chunks that end exactly at its chunk size; with none of those, the codec with the most chunks at
 * all, at its usual size. Solid resources tell by themselves.
 *
 * @param stated what the header says; null when it does not tell
 * @param isCompressed the header says that it is, in whatever way
 */
export async function detectCompression(
	source: Source,
	stated: PartCompression | null,
	isCompressed: boolean,
	recovery: RecoveryTools,
	run: Run,
): Promise<PartCompression> {
	const bytes = new Uint8Array(Math.min(SAMPLE_SIZE, Math.max(0, source.size - HEADER_SIZE)));
	await source.read(HEADER_SIZE, bytes);
	const solid = solidCompression(bytes);
	if (solid !== null)
		return stated ?? { compression: solid, chunkSize: chunkSizeRange(solid).normal };
	const best = await mostChunks(bytes, stated, run);
	// A handful of hits in megabytes of anything is chance.
	const isClear = best !== null && (best.full > 0 || best.some >= 8);
	if (isClear && (stated?.compression !== 'lzms' || best.full >= 8)) return best.how;
	const lzms = await detectLzms(bytes, stated, (head) => recovery.lzmsChunkSize(source, head), run);
	if (lzms !== null) return lzms;
	if (stated !== null) return stated;
	return best !== null && best.some >= (isCompressed ? 1 : 2)
		? best.how
		: { compression: 'none', chunkSize: 0 };
}

interface Counted {
	readonly how: PartCompression;
	/** Chunks of just the chunk size. */
	readonly full: number;
	/** Chunks at all. */
	readonly some: number;
}

/** The pair of LZX or XPRESS with the most chunks; null when there are none. */
async function mostChunks(
	bytes: Uint8Array,
	stated: PartCompression | null,
	run: Run,
): Promise<Counted | null> {
	const finder = new Finder();
	let best: Counted | null = null;
	let own: Counted | null = null;
	for (const compression of ['lzx', 'xpress'] as const)
		for (const chunkSize of sizesOf(compression)) {
			await breathe(run);
			const { full, some } = count(finder, compression, chunkSize, bytes);
			const one = { how: { compression, chunkSize }, full, some };
			if (compression === stated?.compression && chunkSize === stated.chunkSize) own = one;
			const isBetter =
				best === null || full > best.full || (full === best.full && some > best.some);
			if (some > 0 && isBetter) best = one;
		}
	if (own === null || best === null) return best;
	const isDoubtful =
		best.full > own.full * DOUBT_FACTOR ||
		(best.full === own.full && best.some > own.some * DOUBT_FACTOR);
	return isDoubtful ? best : own;
}

/** The usual size first, so that it wins where several read the file equally. */
function sizesOf(compression: FindableCompression): number[] {
	const { min, max, normal } = chunkSizeRange(compression);
	const sizes = [normal];
	for (let size = min; size <= max; size *= 2) if (size !== normal) sizes.push(size);
	return sizes;
}

function count(
	finder: Finder,
	compression: FindableCompression,
	chunkSize: number,
	bytes: Uint8Array,
): { full: number; some: number } {
	let full = 0;
	let some = 0;
	const hits = finder.scan(compression, chunkSize, bytes);
	for (const hit of hits.slice(0, PROBES_MAX)) {
		const ends = finder.probe(compression, chunkSize, bytes.subarray(hit, hit + chunkSize));
		if (ends.some(({ originalSize }) => originalSize === chunkSize)) full++;
		if (ends.some(({ originalSize, storedSize }) => storedSize < originalSize)) some++;
	}
	return { full, some };
}

/** The header of a solid resource: a plausible size, chunk size and format, and chunks that fit. */
function solidCompression(bytes: Uint8Array): FindableCompression | 'lzms' | null {
	if (bytes.length < 20) return null;
	const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
	const chunkSize = view.getUint32(8, true);
	const format = view.getUint32(12, true);
	const originalSize = view.getUint32(0, true) + view.getUint32(4, true) * 0x1_0000_0000;
	const first = view.getUint32(16, true);
	const isPower = chunkSize >= 4096 && (chunkSize & (chunkSize - 1)) === 0;
	const isSolid =
		isPower && originalSize > 0 && originalSize < 2 ** 44 && first > 0 && first <= chunkSize;
	const compression = COMPRESSIONS[format];
	return isSolid && compression !== undefined && compression !== 'none' ? compression : null;
}
