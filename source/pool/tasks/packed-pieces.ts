/**
 * What a batch reads, on its way to a lane: columns of numbers and a few long strings. A solid chunk of 64 MiB may hold
 * 10,000 files; as objects they would keep both threads busy for a hundred milliseconds, only to be copied.
 */
import { Float64Column } from '../../bytes/columns.ts';
import type { Sha1 } from '../../bytes/sha1.ts';
import type { Compression } from '../../codec/compression.ts';
import type { FileTarget } from '../../storage/target-file.ts';
import type { ResourceShape } from '../chunk-window.ts';
import type { ReadPiece } from './pieces.ts';

/** Some of the original bytes of one resource, and what is wanted of them. */
export interface ReadStretch {
	readonly resource: ResourceShape;
	/** By `start`. */
	readonly pieces: readonly ReadPiece[];
}

/** Stretches of one source, in file order. The ids of their pieces are 0, 1 and so on. */
export interface PackedPieces {
	readonly stretches: Float64Array<ArrayBuffer>;
	readonly pieces: Float64Array<ArrayBuffer>;
	readonly targets: Float64Array<ArrayBuffer>;
	/** What is expected, 40 digits a piece; spaces where nothing is. */
	readonly sha1s: string;
	/** One for each target, with `PATH_END` behind it; those that are no text are empty here. */
	readonly paths: string;
	/** Paths that are no text, by target. */
	readonly rawPaths: ReadonlyMap<number, Uint8Array>;
	/** Where copies of bytes go; null when nobody wants any. */
	readonly keep: SharedArrayBuffer | null;
}

const LAYOUTS = [
	'raw',
	'chunked',
	'pipable',
	'solid',
] as const satisfies readonly ResourceShape['layout'][];
const COMPRESSIONS = ['none', 'xpress', 'lzx', 'lzms'] as const satisfies readonly Compression[];

/** Offset, stored size, original size, layout, compression, chunk size, number of pieces. */
const STRETCH_WIDTH = 7;
/** Start, end, offset in the blob, is whole, place in `keep`, first target, number of targets. */
const PIECE_WIDTH = 7;
const PIECE_TARGETS = 5;
/** Mode, user, group, is sparse, time of access, time of writing. */
const TARGET_WIDTH = 6;

/** Instead of a number: null. No mode, user or place is negative. */
const NO_NUMBER = -1;
/** Instead of times: null. */
const NO_TIMES = Number.NaN;
/** In no path. */
const PATH_END = '\0';
const NO_SHA1 = ' '.repeat(40);

/** A piece as far as it is known when it is planned. */
export type PieceToPack = Pick<ReadPiece, 'start' | 'end' | 'blobOffset' | 'whole' | 'sha1'>;

/** Collects what one batch reads. */
export class PiecePacker {
	readonly #stretches = new Float64Column();
	readonly #pieces = new Float64Column();
	readonly #targets = new Float64Column();
	readonly #sha1s: Sha1[] = [];
	readonly #paths: string[] = [];
	readonly #rawPaths = new Map<number, Uint8Array>();
	#keepSize = 0;

	/** Bytes that are to be copied for somebody. */
	get keepSize(): number {
		return this.#keepSize;
	}

	/** Begins a stretch; pieces that are added from now on lie in it. */
	addStretch(shape: ResourceShape): void {
		const { offset, storedSize, originalSize, layout, compression, chunkSize } = shape;
		this.#stretches.push(offset);
		this.#stretches.push(storedSize);
		this.#stretches.push(originalSize);
		this.#stretches.push(LAYOUTS.indexOf(layout));
		this.#stretches.push(COMPRESSIONS.indexOf(compression));
		this.#stretches.push(chunkSize);
		this.#stretches.push(0);
	}

	/**
	 * Adds a piece to the last stretch.
	 *
	 * @param isKept its bytes are copied
	 * @returns its id
	 */
	add(piece: PieceToPack, isKept: boolean): number {
		const count = this.#stretches.length - 1;
		this.#stretches.set(count, this.#stretches.get(count) + 1);
		this.#pieces.push(piece.start);
		this.#pieces.push(piece.end);
		this.#pieces.push(piece.blobOffset);
		this.#pieces.push(piece.whole ? 1 : 0);
		this.#pieces.push(isKept ? this.#keepSize : NO_NUMBER);
		this.#pieces.push(0);
		this.#pieces.push(0);
		if (isKept) this.#keepSize += piece.end - piece.start;
		return this.#sha1s.push(piece.sha1 ?? NO_SHA1) - 1;
	}

	/** Says which files get the bytes of a piece; once a piece, and not at all when there are none. */
	setTargets(id: number, targets: readonly FileTarget[]): void {
		const at = id * PIECE_WIDTH + PIECE_TARGETS;
		this.#pieces.set(at, this.#paths.length);
		this.#pieces.set(at + 1, targets.length);
		for (const target of targets) this.#addTarget(target);
	}

	#addTarget({ path, mode, owner, times, isSparse }: FileTarget): void {
		this.#targets.push(mode ?? NO_NUMBER);
		this.#targets.push(owner?.uid ?? NO_NUMBER);
		this.#targets.push(owner?.gid ?? NO_NUMBER);
		this.#targets.push(isSparse ? 1 : 0);
		this.#targets.push(times === null ? NO_TIMES : Number(times[0]));
		this.#targets.push(times === null ? NO_TIMES : Number(times[1]));
		if (typeof path !== 'string') this.#rawPaths.set(this.#paths.length, path);
		this.#paths.push(typeof path === 'string' ? path : '');
	}

	/** @param keep at least `keepSize` bytes; null when that is 0 */
	pack(keep: SharedArrayBuffer | null): PackedPieces {
		return {
			stretches: this.#stretches.values().slice(),
			pieces: this.#pieces.values().slice(),
			targets: this.#targets.values().slice(),
			sha1s: this.#sha1s.join(''),
			paths: this.#paths.join(PATH_END),
			rawPaths: this.#rawPaths,
			keep,
		};
	}
}

/** The buffers that can be handed over instead of copied. */
export function buffersOf({ stretches, pieces, targets }: PackedPieces): ArrayBuffer[] {
	return [stretches.buffer, pieces.buffer, targets.buffer];
}

/** The lane's side. */
export class PieceUnpacker {
	readonly #packed: PackedPieces;
	readonly #paths: readonly string[];
	/** By stretch: the id of its first piece. */
	readonly #firstIds: number[] = [];

	constructor(packed: PackedPieces) {
		this.#packed = packed;
		this.#paths = packed.targets.length === 0 ? [] : packed.paths.split(PATH_END);
		let id = 0;
		for (let k = 0; k < this.stretchCount; k++) {
			this.#firstIds.push(id);
			id += this.#number(k, 6);
		}
	}

	get stretchCount(): number {
		return this.#packed.stretches.length / STRETCH_WIDTH;
	}

	resource(stretch: number): ResourceShape {
		return {
			offset: this.#number(stretch, 0),
			storedSize: this.#number(stretch, 1),
			originalSize: this.#number(stretch, 2),
			layout: LAYOUTS[this.#number(stretch, 3)] ?? 'raw',
			compression: COMPRESSIONS[this.#number(stretch, 4)] ?? 'none',
			chunkSize: this.#number(stretch, 5),
		};
	}

	/** Where the wanted bytes of a stretch end, from the start of the original bytes of the resource. */
	wantedEnd(stretch: number): number {
		const { pieces } = this.#packed;
		const first = this.#firstIds[stretch] ?? 0;
		let end = 0;
		for (let k = 0; k < this.#number(stretch, 6); k++)
			end = Math.max(end, pieces[(first + k) * PIECE_WIDTH + 1] ?? 0);
		return end;
	}

	stretch(stretch: number): ReadStretch {
		const first = this.#firstIds[stretch] ?? 0;
		const count = this.#number(stretch, 6);
		return {
			resource: this.resource(stretch),
			pieces: Array.from({ length: count }, (_, k) => this.piece(first + k)),
		};
	}

	#number(stretch: number, field: number): number {
		return this.#packed.stretches[stretch * STRETCH_WIDTH + field] ?? 0;
	}

	piece(id: number): ReadPiece {
		const { pieces, keep, sha1s } = this.#packed;
		const at = id * PIECE_WIDTH;
		const keepAt = pieces[at + 4] ?? NO_NUMBER;
		const firstTarget = pieces[at + PIECE_TARGETS] ?? 0;
		const targetCount = pieces[at + PIECE_TARGETS + 1] ?? 0;
		const sha1 = sha1s.slice(id * 40, id * 40 + 40);
		return {
			id,
			start: pieces[at] ?? 0,
			end: pieces[at + 1] ?? 0,
			blobOffset: pieces[at + 2] ?? 0,
			whole: pieces[at + 3] === 1,
			sha1: sha1 === NO_SHA1 ? null : sha1,
			targets:
				targetCount === 0
					? NO_TARGETS
					: Array.from({ length: targetCount }, (_, k) => this.#target(firstTarget + k)),
			keep: keep === null || keepAt === NO_NUMBER ? null : { buffer: keep, at: keepAt },
		};
	}

	#target(row: number): FileTarget {
		const { targets, rawPaths } = this.#packed;
		const at = row * TARGET_WIDTH;
		const mode = targets[at] ?? NO_NUMBER;
		const uid = targets[at + 1] ?? NO_NUMBER;
		const access = targets[at + 4] ?? NO_TIMES;
		return {
			path: rawPaths.get(row) ?? this.#paths[row] ?? '',
			mode: mode === NO_NUMBER ? null : mode,
			owner: uid === NO_NUMBER ? null : { uid, gid: targets[at + 2] ?? 0 },
			times: Number.isNaN(access)
				? null
				: [timeArgument(access), timeArgument(targets[at + 5] ?? access)],
			isSparse: targets[at + 3] === 1,
		};
	}
}

const NO_TARGETS: readonly FileTarget[] = [];

/** Before 1970 as text, since Node takes a negative number for "now". */
function timeArgument(seconds: number): number | string {
	return seconds < 0 ? String(seconds) : seconds;
}
