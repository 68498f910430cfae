/** Hashes and writes pieces that another lane has decoded. */
import type { Lane } from '../lane.ts';
import { type PackedPieces, PieceUnpacker } from './packed-pieces.ts';
import { PieceReader } from './pieces.ts';
import { type ReadOutput, ReadResults } from './read-results.ts';
import { enter, leave, type SharedSlice, takeLast } from './shared-slice.ts';

/** The batch as the other lane got it. */
export interface HelpInput extends PackedPieces {
	readonly slice: SharedSlice;
	/** From 0; no two helpers of a slice have the same. */
	readonly helper: number;
	readonly recover: boolean;
}

/** Yields the bytes of pieces that it worked through; tells only those that it took. */
export function* helpTask(input: HelpInput, lane: Lane): Generator<number, ReadOutput, void> {
	const { slice, helper, recover } = input;
	const results = new ReadResults();
	enter(slice, helper);
	try {
		const pieces = new PieceUnpacker(input);
		const bytes = new Uint8Array(slice.memory, slice.at, slice.size);
		for (const position of takeLast(slice)) {
			const reader = new PieceReader(pieces.piece(slice.firstId + position), recover);
			const size = reader.take(bytes, slice.start, []);
			results.add(reader);
			yield size;
		}
	} finally {
		leave(slice, helper);
	}
	return results.output(lane);
}
