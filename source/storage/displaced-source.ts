/** Files whose bytes lie elsewhere than they did: a piece fell out, or something was put in between or in front. */
import type { SharedSource, Source } from './source.ts';

/** A stretch of what a file was before. */
export interface DisplacedPiece {
	/** From the start of what the file was. */
	readonly start: number;
	readonly end: number;
	/** Where it begins in the file as it is now; null for bytes that are gone. */
	readonly from: number | null;
}

/** A file with every piece where it was before, and zeros for what is gone. It owns the source below. */
export class DisplacedSource implements Source {
	readonly name: string;
	readonly size: number;
	/** In order and without holes, from 0 to the size. */
	readonly pieces: readonly DisplacedPiece[];
	readonly holes: readonly DisplacedPiece[];
	readonly #base: Source;

	constructor(base: Source, pieces: readonly DisplacedPiece[]) {
		this.name = base.name;
		this.size = pieces.at(-1)?.end ?? 0;
		this.pieces = pieces;
		this.holes = pieces.filter(({ from }) => from === null);
		this.#base = base;
	}

	async read(offset: number, into: Uint8Array): Promise<number> {
		let done = 0;
		for (const { from, size } of readsOf(this.pieces, offset, into.length)) {
			const part = into.subarray(done, done + size);
			done += from === null ? part.fill(0).length : await this.#base.read(from, part);
		}
		return done;
	}

	share(): SharedSource | null {
		const base = this.#base.share();
		return base && { kind: 'displaced', base, pieces: this.pieces, name: this.name };
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.#base[Symbol.asyncDispose]();
	}
}

/** What to read where for `size` bytes at `offset`: fewer at the end. */
export function* readsOf(
	pieces: readonly DisplacedPiece[],
	offset: number,
	size: number,
): Generator<{ readonly from: number | null; readonly size: number }, void, undefined> {
	for (const { start, end, from } of pieces) {
		const first = Math.max(start, offset);
		const last = Math.min(end, offset + size);
		if (first < last)
			yield { from: from === null ? null : from + first - start, size: last - first };
	}
}
