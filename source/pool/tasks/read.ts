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
import { PieceReader, type PieceResult } from './pieces.ts';
import { type Damage, openSlices } from './slices.ts';

/** A batch. */
export interface ReadInput extends PackedPieces {
	readonly source: LaneSource;
	/** A damaged chunk becomes zeros, and its range is reported; otherwise the pieces that it touches fail. */
	readonly recover: boolean;
}

export interface ReadOutput {
	/** In no particular order; without those that are fine. */
	readonly pieces: readonly PieceResult[];
	/** Whole pieces with the SHA-1 that was expected and with all their targets: most, so only their ids are told. */
	readonly fine: Uint32Array<ArrayBuffer>;
}

/** Reads, decodes, hashes and writes one batch. Yields the bytes of pieces that it worked through. */
export function* readTask(input: ReadInput, lane: Lane): Generator<number, ReadOutput, void> {
	const stored = new StoredBytes(input.source, lane.decoder);
	const batch = new PieceUnpacker(input);
	const ends = wantedEnds(batch);
	const results: PieceResult[] = [];
	const fine: number[] = [];
	const onEnd = (reader: PieceReader) => {
		const result = reader.finish();
		if (reader.isFine) fine.push(result.id);
		else results.push(result);
	};
	for (let k = 0; k < batch.stretchCount; k++) {
		stored.expect(ends[k] ?? 0);
		const stretch = batch.stretch(k);
		const readers = stretch.pieces.map((piece) => new PieceReader(piece, input.recover));
		try {
			checkInside(stretch);
			yield* readStretch(stretch.resource, readers, stored, lane, onEnd);
		} catch (error) {
			if (!(error instanceof WimError)) throw error;
			for (const reader of readers) {
				reader.fail(error);
				results.push(reader.finish());
			}
		} finally {
			// Only those are left that were not finished: the task was stopped.
			for (const reader of readers) reader.fail(null);
		}
	}
	const output = { pieces: results, fine: Uint32Array.from(fine) };
	lane.transfer(output.fine.buffer);
	return output;
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
	onEnd: (reader: PieceReader) => void,
): Generator<number, void, void> {
	const slices = openSlices(resource, stored, lane);
	const { sliceSize, alignment } = slices;
	const damages: Damage[] = [];
	const lastEnd = readers.reduce((most, { piece }) => Math.max(most, piece.end), 0);
	const end = Math.min(resource.originalSize, Math.ceil(lastEnd / alignment) * alignment);
	let sliceEnd = 0;
	while (readers.length > 0) {
		const [first] = readers;
		if (first === undefined) break;
		const start = Math.max(sliceEnd, Math.floor(first.piece.start / alignment) * alignment);
		sliceEnd = Math.min(end, start + sliceSize);
		damages.length = 0;
		const wantedEnd = (from: number, to: number) => {
			let last = from;
			for (const { piece, isAlive } of readers) {
				if (piece.start >= to || last >= to) break;
				if (piece.end > last && isAlive) last = Math.min(piece.end, to);
			}
			return last;
		};
		const bytes = slices.load(start, sliceEnd, wantedEnd, damages);
		let kept = 0;
		let at = 0;
		for (; at < readers.length; at++) {
			const reader = readers[at];
			if (reader === undefined || reader.piece.start >= sliceEnd) break;
			const size = reader.take(bytes, start, damages);
			if (reader.piece.end > sliceEnd) readers[kept++] = reader;
			else onEnd(reader);
			yield size;
		}
		readers.splice(kept, at - kept);
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
