import { toWire, type WimError } from '../../base/errors.ts';
import type { Pace } from '../../base/run.ts';
import { type PackedPieces, PiecePacker } from '../../pool/tasks/packed-pieces.ts';
import type { ByteRange, PieceResult } from '../../pool/tasks/pieces.ts';
import type { FileTarget } from '../../storage/target-file.ts';
import type { PlannedBatch, PlannedPiece, Wanted } from './plan-reads.ts';

/** Something to read that may have files to be filled. */
interface WithTargets extends Wanted {
	readonly targets?: readonly FileTarget[];
	readonly wantsBytes?: boolean;
}

const NO_TARGETS: readonly FileTarget[] = [];
const NO_RANGES: readonly ByteRange[] = [];
const NO_REFUSALS: PieceResult['targetErrors'] = [];

/** What was sent of a piece. */
interface SentPiece<W extends WithTargets> {
	readonly piece: PlannedPiece<W>;
	/** Of a piece that is not whole: known when the batch is sent. */
	targets: readonly FileTarget[];
	/** Where its copied bytes begin in the buffer of the batch; -1 when none are copied. */
	readonly keepAt: number;
}

/** A batch made ready for a lane, with what its answer will be about. */
export class PackedBatch<W extends WithTargets> {
	readonly batch: PlannedBatch<W>;
	/** By the id of the piece. */
	readonly #sent: SentPiece<W>[] = [];
	readonly #packer = new PiecePacker();
	#keep: SharedArrayBuffer | null = null;
	/** Copied pieces that somebody still needs. */
	#held = 0;

	private constructor(batch: PlannedBatch<W>) {
		this.batch = batch;
	}

	/**
	 * Puts a batch together in slices: a chunk of 64 MiB may hold 10,000 files.
	 *
	 * @param isHashed whether the SHA-1 of a blob that comes in several pieces still matters: then all their bytes are needed
	 */
	static async of<W extends WithTargets>(
		batch: PlannedBatch<W>,
		verify: boolean,
		pace: Pace,
		isHashed: (wanted: W) => boolean = () => true,
	): Promise<PackedBatch<W>> {
		const packed = new PackedBatch(batch);
		for (const { resource, pieces } of batch.stretches) {
			packed.#packer.addStretch(resource);
			for (const piece of pieces) {
				if (pace.isDue) await pace.breathe();
				packed.#add(piece, verify, isHashed(piece.wanted));
			}
		}
		return packed;
	}

	#add(piece: PlannedPiece<W>, verify: boolean, isHashed: boolean): void {
		const { wanted, start, end, isWhole } = piece;
		const { blob } = wanted;
		const isKept = wanted.wantsBytes === true || (verify && !isWhole && isHashed);
		const keepAt = isKept ? this.#packer.keepSize : -1;
		const blobOffset = start - blob.offsetInResource;
		const sha1 = verify ? blob.sha1 : null;
		const id = this.#packer.add({ start, end, blobOffset, whole: isWhole, sha1 }, isKept);
		const targets = isWhole ? (wanted.targets ?? NO_TARGETS) : NO_TARGETS;
		this.#sent.push({ piece, targets, keepAt });
		if (isKept) this.#held++;
		if (targets.length > 0) this.#packer.setTargets(id, targets);
	}

	get length(): number {
		return this.#sent.length;
	}

	/** The pieces of blobs that come in several. */
	*partialPieces(): Generator<SentPiece<W> & { readonly id: number }, void, undefined> {
		for (const [id, sent] of this.#sent.entries()) if (!sent.piece.isWhole) yield { ...sent, id };
	}

	/** Names the files that a part of a blob goes to; they are there already. */
	setTargets(id: number, targets: readonly FileTarget[]): void {
		if (targets.length === 0) return;
		this.sent(id).targets = targets;
		this.#packer.setTargets(id, targets);
	}

	/** Bytes that cross to the main thread. */
	get keepSize(): number {
		return this.#packer.keepSize;
	}

	/** @param keep at least `keepSize` bytes; null when that is 0 */
	pack(keep: SharedArrayBuffer | null): PackedPieces {
		this.#keep = keep;
		return this.#packer.pack(keep);
	}

	sent(id: number): SentPiece<W> {
		const sent = this.#sent[id];
		if (sent === undefined) throw new Error(`Piece ${id} was not sent`);
		return sent;
	}

	/** The bytes that the lane copied of a piece; null when none were asked for. */
	bytes(id: number): Uint8Array | null {
		const { piece, keepAt } = this.sent(id);
		if (this.#keep === null || keepAt < 0) return null;
		return new Uint8Array(this.#keep, keepAt, piece.end - piece.start);
	}

	/** Says that the bytes of one piece are of no use any more; gives the buffer once that holds for all of them. */
	release(): SharedArrayBuffer | null {
		this.#held--;
		return this.#held === 0 ? this.#keep : null;
	}

	/** What a lane means that only names a piece. */
	fineResult(id: number): PieceResult {
		return {
			id,
			sha1: this.sent(id).piece.wanted.blob.sha1,
			isLost: false,
			badRanges: NO_RANGES,
			error: null,
			targetErrors: NO_REFUSALS,
		};
	}

	/** The result of a piece that the lane could not even tell of. */
	failedResult(id: number, error: WimError, recover: boolean): PieceResult {
		const { wanted, start, end } = this.sent(id).piece;
		const from = wanted.blob.offsetInResource;
		return {
			id,
			sha1: null,
			isLost: true,
			badRanges: recover ? [{ start: start - from, end: end - from }] : NO_RANGES,
			error: toWire(error),
			targetErrors: NO_REFUSALS,
		};
	}
}
