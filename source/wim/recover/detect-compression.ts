/** Finds out how a file is compressed when neither header nor blob table tell (wim.md §13.2 point 4). */
import { breathe, type Run } from '../../base/run.ts';
import { COMPRESSIONS, chunkSizeRange } from '../../codec/compression.ts';
import { Decoder } from '../../codec/decoder.ts';
import { type FindableCompression, Finder, WantedSet } from '../../codec/finder.ts';
import { findLzms } from '../../pool/search/find-lzms.ts';
import { endOf } from '../../pool/search/found.ts';
import type { Source } from '../../storage/source.ts';
import type { PartCompression } from '../part-blobs.ts';
import { HEADER_SIZE } from '../part-header.ts';

/** How much of the file is looked at. */
const SAMPLE_SIZE = 4 << 20;

/** Chunks that are decoded for each pair of codec and size. */
const PROBES_MAX = 400;

/** How much of the file is looked at for LZMS, whose chunks do not show where they begin, and where resources may begin. */
const LZMS_SAMPLE_SIZE = 1 << 20;
const LZMS_STARTS_SIZE = 1 << 18;

/** What is explained by chance is far less. */
const LEAST_EXPLAINED = 4096;

/** Larger chunk sizes of LZMS are hardly used outside solid resources. */
const LZMS_CHUNK_MAX = 1 << 21;

/**
 * The pair with the most chunks that end exactly at its chunk size; with none of those, the codec with the most chunks at
 * all, at its usual size. LZMS only shows itself to a walk from the first resource on, or by a solid resource there.
 */
export async function detectCompression(source: Source, run: Run): Promise<PartCompression> {
	const bytes = new Uint8Array(Math.min(SAMPLE_SIZE, Math.max(0, source.size - HEADER_SIZE)));
	await source.read(HEADER_SIZE, bytes);
	const solid = solidCompression(bytes);
	if (solid !== null) return { compression: solid, chunkSize: chunkSizeRange(solid).normal };
	const finder = new Finder();
	let best: { how: PartCompression; full: number; some: number } | null = null;
	for (const compression of ['lzx', 'xpress'] as const)
		for (const chunkSize of sizesOf(compression)) {
			await breathe(run);
			const { full, some } = count(finder, compression, chunkSize, bytes);
			const isBetter =
				best === null || full > best.full || (full === best.full && some > best.some);
			if (some > 0 && isBetter) best = { how: { compression, chunkSize }, full, some };
		}
	// A handful of hits in megabytes of anything is chance.
	if (best !== null && (best.full > 0 || best.some >= 8)) return best.how;
	const lzms = await detectLzms(bytes.subarray(0, LZMS_SAMPLE_SIZE), run);
	if (lzms !== null) return lzms;
	return best !== null && best.some >= 2 ? best.how : { compression: 'none', chunkSize: 0 };
}

/** The chunk size at which a walk explains most of the bytes; null when it explains next to nothing. */
async function detectLzms(bytes: Uint8Array, run: Run): Promise<PartCompression | null> {
	const finder = new Finder();
	const decoder = new Decoder();
	const at = (offset: number, size: number) => bytes.subarray(offset, offset + size);
	const window = { at, lostIn: () => [], lostUntil: (offset: number) => offset };
	const tools = { wanted: new WantedSet([]), sizes: [] };
	const { min, normal } = chunkSizeRange('lzms');
	const sizes = [normal];
	for (let size = min; size <= LZMS_CHUNK_MAX; size *= 2) if (size !== normal) sizes.push(size);
	let best: { chunkSize: number; explained: number } | null = null;
	for (const chunkSize of sizes) {
		const range = {
			start: 0,
			isSynced: true,
			stop: Math.min(bytes.length, LZMS_STARTS_SIZE),
			end: bytes.length,
			compression: 'lzms' as const,
			chunkSize,
			isQuick: true,
			effort: 0,
			hints: [],
		};
		const search = findLzms(window, { finder, decoder }, range, tools);
		let step = search.next();
		while (!step.done) {
			await breathe(run);
			step = search.next();
		}
		const explained = step.value.reduce((sum, found) => sum + endOf(found) - found.offset, 0);
		if (explained > (best?.explained ?? 0)) best = { chunkSize, explained };
		if (explained > range.stop / 2) break;
	}
	if (best === null || best.explained < Math.min(bytes.length / 4, LEAST_EXPLAINED)) return null;
	return { compression: 'lzms', chunkSize: best.chunkSize };
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
