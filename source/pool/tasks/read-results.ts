import type { Lane } from '../lane.ts';
import type { PieceReader, PieceResult } from './pieces.ts';

/** What became of pieces of a batch. */
export interface ReadOutput {
	/** In no particular order; without those that are fine. */
	readonly pieces: readonly PieceResult[];
	/** Whole pieces with the SHA-1 that was expected and with all their targets: most, so only their ids are told. */
	readonly fine: Uint32Array<ArrayBuffer>;
}

/** Collects what a task has to tell. */
export class ReadResults {
	readonly #pieces: PieceResult[] = [];
	readonly #fine: number[] = [];

	/** Finishes a piece after its last bytes. */
	add(reader: PieceReader): void {
		const result = reader.finish();
		if (reader.isFine) this.#fine.push(result.id);
		else this.#pieces.push(result);
	}

	output(lane: Lane): ReadOutput {
		const output = { pieces: this.#pieces, fine: Uint32Array.from(this.#fine) };
		lane.transfer(output.fine.buffer);
		return output;
	}
}
