/** What happens to the original bytes of one piece of a blob on a lane: hash, hand back, write to files. */
import type { Hash } from 'node:crypto';
import { DigestError, toWire, type WimError, type WireError } from '../../base/errors.ts';
import { type Sha1, sha1, sha1Hasher } from '../../bytes/sha1.ts';
import type { FileTarget } from '../../storage/target-file.ts';
import { PieceFiles } from './piece-files.ts';
import type { Damage } from './slices.ts';

/** A blob, or a stretch of one, among the original bytes of a resource. Plain data. */
export interface ReadPiece {
	/** Chosen by the caller; comes back in the result. */
	readonly id: number;
	/** First and last byte plus one, from the start of the resource. */
	readonly start: number;
	readonly end: number;
	/** Where `start` lies in the blob. */
	readonly blobOffset: number;
	/** The whole blob: its SHA-1 is computed, and its targets are new files. Otherwise they exist and get a stretch. */
	readonly whole: boolean;
	/** What the SHA-1 of a whole blob must be; null: it is neither computed nor checked. */
	readonly sha1: Sha1 | null;
	/** All of them get the bytes. */
	readonly targets: readonly FileTarget[];
	/** Where to put a copy of the bytes; null: nowhere. */
	readonly keep: { readonly buffer: SharedArrayBuffer; readonly at: number } | null;
}

/** Bytes of a blob, from its start. */
export interface ByteRange {
	readonly start: number;
	readonly end: number;
}

export interface PieceResult {
	readonly id: number;
	/** Null when it was not asked for, or not all bytes could be had. */
	readonly sha1: Sha1 | null;
	/** Nothing was done with any byte: no target of a whole blob stands. */
	readonly isLost: boolean;
	/** What could not be had, and reads as zeros; only when recovering. */
	readonly badRanges: readonly ByteRange[];
	/** The first thing that is wrong with the bytes themselves. */
	readonly error: WireError | null;
	/** What the machine refused, by position in `targets`. */
	readonly targetErrors: readonly { readonly position: number; readonly error: WireError }[];
}

const NO_RANGES: readonly ByteRange[] = [];
const NO_REFUSALS: PieceResult['targetErrors'] = [];

/** The stretch of its blob that a piece is. */
export function wholePiece({ start, end, blobOffset }: ReadPiece): ByteRange & { end: number } {
	return { start: blobOffset, end: blobOffset + end - start };
}

/** Follows one piece through the slices it lies in. */
export class PieceReader {
	readonly piece: ReadPiece;
	readonly #recover: boolean;
	/** Null when nobody wants the bytes in files. */
	readonly #files: PieceFiles | null;
	#badRanges: { start: number; end: number }[] | null = null;
	#hasher: Hash | null = null;
	#error: WimError | null = null;
	#sha1: Sha1 | null = null;
	#isLost = false;

	constructor(piece: ReadPiece, recover: boolean) {
		this.piece = piece;
		this.#recover = recover;
		this.#files =
			piece.targets.length === 0
				? null
				: new PieceFiles(piece.targets, piece.whole ? piece.end - piece.start : null);
	}

	/** False once its bytes are lost: then no more of them are wanted. */
	get isAlive(): boolean {
		return this.#error === null || this.#recover;
	}

	/** Whether somebody gets zeros for the bytes that are lost. */
	get showsLost(): boolean {
		return this.piece.keep !== null || this.#files !== null;
	}

	/** Whether there is nothing to tell of it, once it is finished, but that it has the SHA-1 that was expected. */
	get isFine(): boolean {
		return (
			this.piece.whole &&
			this.#error === null &&
			this.#sha1 !== null &&
			this.#sha1 === this.piece.sha1 &&
			(this.#files?.errors.length ?? 0) === 0
		);
	}

	/**
	 * Takes what lies of this piece in a slice.
	 *
	 * @param start of the slice, from the start of the resource
	 * @returns how many bytes there were
	 */
	take(slice: Uint8Array, start: number, damages: readonly Damage[]): number {
		const { piece } = this;
		const from = Math.max(piece.start, start);
		const to = Math.min(piece.end, start + slice.length);
		const isAll = from === piece.start && to === piece.end;
		const touching =
			damages.length === 0
				? damages
				: damages.filter((damage) => damage.start < to && damage.end > from);
		const isProved =
			isAll &&
			piece.whole &&
			touching.length > 0 &&
			touching.every(({ decodedEnd }) => decodedEnd >= to) &&
			sha1(slice.subarray(from - start, to - start)) === piece.sha1;
		for (const damage of isProved ? [] : touching) {
			this.#note(damage, from, to);
			// Behind what was decoded before the damage showed there are zeros.
			const guessedStart = Math.max(damage.start, from);
			const guessedEnd = Math.min(damage.decodedEnd, to);
			if (guessedEnd > guessedStart) slice.fill(0, guessedStart - start, guessedEnd - start);
		}
		if (!this.isAlive) {
			this.#files?.discard();
			return to - from;
		}
		const bytes = slice.subarray(from - start, to - start);
		if (piece.keep)
			new Uint8Array(piece.keep.buffer, piece.keep.at + from - piece.start, bytes.length).set(
				bytes,
			);
		this.#hash(bytes, isAll);
		if (isAll && !this.#digestFits()) return bytes.length;
		this.#files?.write(bytes, piece.blobOffset + from - piece.start);
		return bytes.length;
	}

	/** To be called after the last slice. */
	finish(): PieceResult {
		if (this.isAlive && this.#hasher) {
			this.#sha1 = this.#hasher.digest('hex');
			this.#digestFits();
		}
		if (this.isAlive) this.#files?.finish();
		return {
			id: this.piece.id,
			sha1: this.#badRanges === null ? this.#sha1 : null,
			isLost: this.#isLost,
			badRanges: this.#badRanges ?? NO_RANGES,
			error: this.#error && toWire(this.#error),
			targetErrors: this.#files?.errors ?? NO_REFUSALS,
		};
	}

	/** Gives the piece up, for a reason or because the task was stopped; no half-written file stays. */
	fail(error: WimError | null): void {
		this.#error ??= error;
		this.#hasher = null;
		this.#sha1 = null;
		this.#isLost = true;
		if (this.#recover) this.#badRanges = [wholePiece(this.piece)];
		this.#files?.discard();
	}

	#note(damage: Damage, from: number, to: number): void {
		this.#error ??= damage.error;
		if (!this.#recover) return;
		const shift = this.piece.blobOffset - this.piece.start;
		const start = Math.max(damage.start, from) + shift;
		const end = Math.min(damage.end, to) + shift;
		// Of bytes that are lost in part there is no SHA-1.
		this.#hasher = null;
		this.#badRanges ??= [];
		const last = this.#badRanges.at(-1);
		if (last?.end === start) last.end = end;
		else this.#badRanges.push({ start, end });
	}

	#hash(bytes: Uint8Array, isAll: boolean): void {
		const { piece } = this;
		if (!piece.whole || piece.sha1 === null || this.#badRanges !== null) return;
		if (isAll) this.#sha1 = sha1(bytes);
		else {
			this.#hasher ??= sha1Hasher();
			this.#hasher.update(bytes);
		}
	}

	/** Compares what is known of the digest; without recovery a wrong one ends the piece. */
	#digestFits(): boolean {
		const { sha1: expected } = this.piece;
		if (this.#sha1 === null || expected === null || this.#sha1 === expected) return true;
		this.#error ??= new DigestError(
			`Cannot read blob ${expected}: the SHA-1 of its bytes is ${this.#sha1}`,
		);
		if (this.#recover) return true;
		this.#files?.discard();
		return false;
	}
}
