/**
 * Finds the sizes of an LZMS resource whose start is known and whose end is nearly so, by trying (wim.md §13.4 C, LZMS).
 */
import { FormatError } from '../../base/errors.ts';
import { breathe, type Run } from '../../base/run.ts';
import { type Sha1, sha1 } from '../../bytes/sha1.ts';
import { Decoder } from '../../codec/decoder.ts';
import { readExactly } from '../../storage/read.ts';
import type { OpenPart } from '../../wim/open-part.ts';

/** Stretches above this are no single resource whose sizes could be tried in sensible time. */
const STRETCH_MAX = 4 << 20;

/** Milliseconds for one stretch. */
const TRIAL_MS = 20_000;

/** The pointers of both readers meet when the size is right; this many bytes may lie between them. */
const MEETING_DISTANCE = 4;

/**
 * @param asTree says whether sizes give a metadata resource; null when none is looked for
 * @returns null when no size fits; `sha1` is null for metadata, which `asTree` has kept
 */
export async function sizeLzms(
	part: OpenPart,
	stretch: { readonly start: number; readonly end: number },
	asTree: ((sizes: { originalSize: number; storedSize: number }) => Promise<boolean>) | null,
	isWanted: (sha1: Sha1) => boolean,
	run: Run,
): Promise<{ originalSize: number; storedSize: number; sha1: Sha1 | null } | null> {
	const size = stretch.end - stretch.start;
	if (size < 8 || size > STRETCH_MAX) return null;
	const { bytes } = await readExactly(part.source, stretch.start, size, 'lost resource');
	const decoder = new Decoder();
	const begin = run.clock.elapsed();
	for (const storedSize of likelyEnds(bytes)) {
		const split = chunkTable(bytes, storedSize, part.chunkSize);
		const before = split.count * part.chunkSize;
		const last = bytes.subarray(split.lastAt, storedSize);
		const step = asTree !== null ? 8 : 1;
		// One chunk is smaller than its chunk size; more bytes without a chunk table are several resources.
		if (last.length >= part.chunkSize) continue;
		const first = Math.ceil((last.length + 1) / step) * step;
		for (let tail = first; tail <= part.chunkSize; tail += step) {
			if (tail % 256 === 0) {
				await breathe(run);
				if (run.clock.elapsed() - begin > TRIAL_MS) return null;
			}
			const chunk = decodeMeeting(decoder, part.chunkSize, last, tail);
			if (chunk === null) continue;
			const originalSize = before + tail;
			if (asTree !== null && (await asTree({ originalSize, storedSize })))
				return { originalSize, storedSize, sha1: null };
			if (split.count > 0) continue;
			const name = sha1(chunk);
			if (isWanted(name)) return { originalSize, storedSize, sha1: name };
		}
	}
	return null;
}

/** The whole stretch, and the stretch without zeros at its end, which may be a table that was wiped. */
function likelyEnds(bytes: Uint8Array): number[] {
	let end = bytes.length;
	while (end > 0 && bytes[end - 1] === 0) end--;
	const ends = [bytes.length % 2 === 0 ? bytes.length : bytes.length - 1];
	for (const candidate of [end + (end % 2), end + (end % 2) + 2])
		if (candidate >= 8 && candidate < bytes.length) ends.push(candidate);
	// Chunks have even sizes; behind a table of 4-byte entries so has the resource.
	return [...new Set(ends)];
}

/** How many increasing words begin the resource, and where its last chunk lies. */
function chunkTable(
	bytes: Uint8Array,
	storedSize: number,
	chunkSize: number,
): { count: number; lastAt: number } {
	const view = new DataView(bytes.buffer, bytes.byteOffset, storedSize);
	let before = 0;
	let count = 0;
	while (count * 4 + 4 <= storedSize) {
		const entry = view.getUint32(count * 4, true);
		if (entry <= before || entry - before > chunkSize || entry >= storedSize) break;
		before = entry;
		count++;
	}
	const lastAt = count * 4 + before;
	return count > 0 && lastAt < storedSize ? { count, lastAt } : { count: 0, lastAt: 0 };
}

function decodeMeeting(
	decoder: Decoder,
	chunkSize: number,
	stored: Uint8Array,
	originalSize: number,
): Uint8Array | null {
	if (stored.length >= originalSize) return null;
	try {
		decoder.reserve(stored.length, originalSize);
		decoder.input(stored.length).set(stored);
		const bytes = decoder.decode('lzms', chunkSize, stored.length, originalSize);
		const { front, back } = decoder.lastConsumed();
		return Math.abs(back - front) <= MEETING_DISTANCE ? bytes : null;
	} catch (error) {
		if (error instanceof FormatError) return null;
		throw error;
	}
}
