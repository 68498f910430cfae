/**
 * The main work of reading: stored bytes straight into the kernel's memory, decoded there, hashed and written from
 * there. Bytes cross to the main thread only where a blob is spread over several lanes.
 */
import { FormatError, WimError } from '../../base/errors.ts';
import { formatHex } from '../../base/print.ts';
import type { ResourceShape } from '../chunk-window.ts';
import type { Lane } from '../lane.ts';
import { type LaneSource, StoredBytes } from '../stored-bytes.ts';
import { type PackedPieces, PieceUnpacker, type ReadStretch } from './packed-pieces.ts';
import { PieceReader } from './pieces.ts';
import { type ReadOutput, ReadResults } from './read-results.ts';
import { awaitHelpers, isAsked, shareSlice, takeFirst } from './shared-slice.ts';
import { type Damage, openSlices, type Wanted } from './slices.ts';

/** A batch. */
export interface ReadInput extends PackedPieces {
	readonly source: LaneSource;
	/** A damaged chunk becomes zeros, and its range is reported; otherwise the pieces that it touches fail. */
	readonly recover: boolean;
}

/**
 * A slice of this size is offered to other lanes: as long as they have nothing to decode, they take half of the hashing and
 * writing. Below it telling them takes too long.
 */
const SHARED_SIZE_MIN = 4 << 20;

/**
 * Reads, decodes, hashes and writes one batch. Yields the bytes of pieces that it worked through, and tells what became of
 * those that no other lane took.
 */
export function* readTask(input: ReadInput, lane: Lane): Generator<number, ReadOutput, void> {
	const stored = new StoredBytes(input.source, lane.decoder);
	const batch = new PieceUnpacker(input);
	const ends = wantedEnds(batch);
	const results = new ReadResults();
	for (let k = 0; k < batch.stretchCount; k++) {
		stored.expect(ends[k] ?? 0);
		const stretch = batch.stretch(k);
		const readers = stretch.pieces.map((piece) => new PieceReader(piece, input.recover));
		try {
			checkInside(stretch);
			yield* readStretch(stretch.resource, readers, stored, lane, results);
		} catch (error) {
			if (!(error instanceof WimError)) throw error;
			for (const reader of readers) {
				reader.fail(error);
				results.add(reader);
			}
		} finally {
			// Only those are left that were not finished: the task was stopped.
			for (const reader of readers) reader.fail(null);
		}
	}
	return results.output(lane);
}

/** What the plan got from a blob table may be wrong. */
function checkInside({ resource, pieces }: ReadStretch): void {
	for (const { start, end } of pieces)
		if (!(start >= 0 && start < end && end <= resource.originalSize))
			throw new FormatError(
				`Cannot read resource at ${formatHex(resource.offset)}: it has ${resource.originalSize} bytes, ${start} to ${end} are wanted`,
				{ offset: resource.offset },
			);
}

/** @param readers by start; those that are finished leave the array */
function* readStretch(
	resource: ResourceShape,
	readers: PieceReader[],
	stored: StoredBytes,
	lane: Lane,
	results: ReadResults,
): Generator<number, void, void> {
	const slices = openSlices(resource, stored, lane);
	const { sliceSize, alignment } = slices;
	const damages: Damage[] = [];
	const lastEnd = readers.reduce((most, { piece }) => Math.max(most, piece.end), 0);
	const end = Math.min(resource.originalSize, Math.ceil(lastEnd / alignment) * alignment);
	const wanted = wantedBy(readers);
	let sliceEnd = 0;
	while (readers.length > 0) {
		const [first] = readers;
		if (first === undefined) break;
		const start = Math.max(sliceEnd, Math.floor(first.piece.start / alignment) * alignment);
		sliceEnd = Math.min(end, start + sliceSize);
		damages.length = 0;
		const bytes = slices.load(start, sliceEnd, wanted, damages);
		if (bytes.length >= SHARED_SIZE_MIN && damages.length === 0 && lane.canOffer) {
			const inside = takeInside(readers, start, sliceEnd);
			if (inside.length > 0) yield* readShared(inside, bytes, start, lane, results);
		}
		let kept = 0;
		let at = 0;
		for (; at < readers.length; at++) {
			const reader = readers[at];
			if (reader === undefined || reader.piece.start >= sliceEnd) break;
			const size = reader.take(bytes, start, damages);
			if (reader.piece.end > sliceEnd) readers[kept++] = reader;
			else results.add(reader);
			yield size;
		}
		readers.splice(kept, at - kept);
	}
}

/** @param readers by start, as they are at the time of the question */
function wantedBy(readers: readonly PieceReader[]): Wanted {
	return {
		end(from, to) {
			let last = from;
			for (const { piece, isAlive } of readers) {
				if (piece.start >= to || last >= to) break;
				if (piece.end > last && isAlive) last = Math.min(piece.end, to);
			}
			return last;
		},
		showsLost(from, to) {
			for (const { piece, showsLost } of readers) {
				if (piece.start >= to) break;
				if (piece.end > from && showsLost) return true;
			}
			return false;
		},
	};
}

/** Takes the first readers out, as long as they begin and end in the slice and their ids follow one another. */
function takeInside(readers: PieceReader[], start: number, sliceEnd: number): PieceReader[] {
	const [first] = readers;
	// Of a piece that began in the slice before, only its own lane has the beginning.
	if (first === undefined || first.piece.start < start) return [];
	const firstId = first.piece.id;
	const end = readers.findIndex(({ piece }, k) => piece.end > sliceEnd || piece.id !== firstId + k);
	return readers.splice(0, end < 0 ? readers.length : end);
}

/** As `readStretch` with the pieces of one slice, but helpers may take some of them. */
function* readShared(
	readers: readonly PieceReader[],
	bytes: Uint8Array<SharedArrayBuffer>,
	start: number,
	lane: Lane,
	results: ReadResults,
): Generator<number, void, void> {
	const firstId = readers[0]?.piece.id ?? 0;
	const slice = shareSlice(bytes, { start, firstId, count: readers.length });
	lane.offer({ ...slice, memory: null });
	let isShown = false;
	try {
		for (const position of takeFirst(slice)) {
			if (!isShown && isAsked(slice)) {
				lane.offer(slice);
				isShown = true;
			}
			const reader = readers[position];
			if (reader === undefined) continue;
			const size = reader.take(bytes, start, []);
			results.add(reader);
			yield size;
		}
	} finally {
		awaitHelpers(slice);
	}
}

/** Holes up to this size are read along rather than jumped over. */
const HOLE_MAX = 64 << 10;

/** For each stretch, how far the source is wanted without large holes, as far as that is known without a table. */
function wantedEnds(batch: PieceUnpacker): Float64Array {
	const ends = new Float64Array(batch.stretchCount);
	let next = Number.POSITIVE_INFINITY;
	let end = 0;
	for (let k = batch.stretchCount - 1; k >= 0; k--) {
		const { offset, storedSize, originalSize } = batch.resource(k);
		const wantedEnd = batch.wantedEnd(k);
		// Of a resource that is not read to its end, only reading tells which stored bytes belong to the stretch.
		const isToEnd = wantedEnd >= originalSize;
		if (next - (offset + storedSize) > HOLE_MAX || !isToEnd) end = offset + storedSize;
		// About where its stored bytes end: as if it were evenly compressed.
		const partEnd = offset + Math.ceil((storedSize * wantedEnd) / originalSize);
		ends[k] = isToEnd ? end : Math.min(offset + storedSize, partEnd);
		next = offset;
	}
	return ends;
}
