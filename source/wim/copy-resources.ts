/** Copies resources from file to file as they are stored (wim.md §2.4). */
import { FormatError } from '../base/errors.ts';
import { attend, Pace, type Run } from '../base/run.ts';
import { decodeHex } from '../bytes/hex.ts';
import { COPY_SIZE, type Output } from '../storage/output.ts';
import type { Source } from '../storage/source.ts';
import type { PlacedPiece, PlainBlobs } from './plain-blobs.ts';
import type { Blob, Part, Resource } from './resource.ts';
import { PIPABLE_MAGIC, PipableHeader, type StoredResource } from './write-resource.ts';
import type { TableBlob } from './write-table.ts';
import type { WimShape } from './write-wim.ts';

/** Longest stretch of other work while something is copied, in ms: each turn of the event loop in between copies a piece. */
const COPYING_STRETCH_MS = 2;

/** Resources between two looks at the clock. */
const SLICE = 256;

/** Larger files are copied in pieces: what the system does in one go can neither be paused nor canceled. */
const ADOPTED_MAX = 1 << 28;

/** How a file stores its resources: what must agree for them to be copied as they are. */
export type StorageShape = Pick<WimShape, 'compression' | 'chunkSize' | 'isPipable'>;

/** Whether a resource can be copied as it is into a file of that shape. Solid ones need the caller's judgement besides. */
export function canCopy(resource: Resource, from: StorageShape, to: StorageShape): boolean {
	if (from.isPipable !== to.isPipable) return false;
	return resource.layout === 'solid' || isAlike(from, to);
}

/** Whether all but solid resources can be copied. */
export function isAlike(from: StorageShape, to: StorageShape): boolean {
	const isSame = from.compression === to.compression && from.chunkSize === to.chunkSize;
	return isSame && from.isPipable === to.isPipable;
}

/** The shape of the file that a resource lies in. */
export function shapeOf(part: {
	readonly compression: StorageShape['compression'];
	readonly chunkSize: number;
	readonly pipable: boolean;
}): StorageShape {
	return { compression: part.compression, chunkSize: part.chunkSize, isPipable: part.pipable };
}

/** Bytes of a part, from `from` to `end`. */
export interface Stretch {
	readonly part: Part;
	readonly from: number;
	readonly end: number;
}

/**
 * Copies a part from its first resource on while it is still being found out what of it is needed: as a rule it is
 * everything, in the same order, and then of further parts. What turns out otherwise is taken back by `copyBlobs`.
 */
export class HeadStart {
	readonly #output: Output;
	readonly #run: Run;
	/** What stands at the end of the output, in this order. */
	readonly #copied: Stretch[] = [];
	#isOver = false;
	#work: Promise<void>;
	#tellBegun = () => {};
	/** Resolves when the system is at it: until then long work would keep it from beginning. */
	readonly hasBegun = new Promise<void>((resolve) => {
		this.#tellBegun = resolve;
	});

	/**
	 * @param output nothing else is written to it until `end`
	 * @param end in the part, in bytes: at most so far
	 */
	constructor(output: Output, part: Part, from: number, end: number, run: Run) {
		this.#output = output;
		this.#run = run;
		this.#work = this.#try(() => this.#copy({ part, from, end }));
	}

	/**
	 * Goes on with further stretches when those before are there.
	 *
	 * @param end where what is needed of the last one before ends, in its part
	 */
	goOn(end: number, further: readonly Stretch[]): void {
		this.#work = this.#work.then(() =>
			this.#try(async () => {
				const last = this.#copied.at(-1);
				if (last === undefined || end < last.from || end > last.end) return;
				this.#output.rewind(this.#output.position - (last.end - end));
				this.#copied.splice(-1, 1, { ...last, end });
				for (const stretch of further) if (!(await this.#copy(stretch))) return;
			}),
		);
	}

	/** Whatever fails here fails again when it is copied because it is needed, and is told then. */
	async #try(action: () => Promise<unknown>): Promise<void> {
		await action().catch(() => {});
		this.#tellBegun();
	}

	/** @returns whether all of it was copied */
	async #copy({ part, from, end }: Stretch): Promise<boolean> {
		const { source } = part;
		const isWhole = end > source.size / 2 && source.size <= ADOPTED_MAX;
		const isFirst = this.#output.position === from;
		if (isWhole && isFirst && (await this.#output.adopt?.(source, end, this.#tellBegun))) {
			this.#copied.push({ part, from, end });
			return true;
		}
		let at = from;
		try {
			while (!this.#isOver && at < end) {
				const piece = this.#output.copy(source, at, Math.min(COPY_SIZE, end - at));
				this.#tellBegun();
				const got = await piece;
				if (got === 0) break;
				at += got;
				await attend(this.#run);
			}
		} finally {
			this.#copied.push({ part, from, end: at });
		}
		return at >= end;
	}

	/** Resolves when there is nothing more to copy. */
	get isDone(): Promise<void> {
		return this.#work;
	}

	/** @returns what was copied, one after the other */
	async end(): Promise<readonly Stretch[]> {
		this.#isOver = true;
		await this.#work;
		return this.#copied;
	}
}

/**
 * Copies blobs with their resources, in the order given; a solid resource is copied once, whole.
 *
 * @param ahead what was copied already, at the end of the output
 * @returns the same blobs where they are now
 */
export async function copyBlobs(
	output: Output,
	blobs: readonly Blob[],
	run: Run,
	ahead: HeadStart | null = null,
): Promise<TableBlob[]> {
	const solid = new Map<Resource, StoredResource>();
	const copied: TableBlob[] = [];
	const copier = new Copier(output, run);
	if (ahead !== null) await copier.goOn(ahead);
	/** Thousands of small resources are told together. */
	let unreported = 0;
	const pace = new Pace(run, COPYING_STRETCH_MS);
	for (const blob of blobs) {
		const { sha1, size, resource, offsetInResource, count } = blob;
		let stored = solid.get(resource);
		if (stored === undefined) {
			if (resource.layout === 'pipable' || resource.part.pipable)
				await copier.bytes(
					PipableHeader.encode({
						magic: PIPABLE_MAGIC,
						originalSize: size,
						sha1: decodeHex(sha1),
						flags: resource.flags,
					}),
				);
			if (!copier.isNext(resource)) await copier.begin(resource);
			const offset = copier.add(resource);
			if (copier.isDue) {
				await copier.flush();
				run.report({ type: 'advance', bytes: unreported });
				unreported = 0;
			}
			const { storedSize, originalSize, flags } = resource;
			stored = { offset, storedSize, originalSize, flags };
			if (resource.layout === 'solid') solid.set(resource, stored);
		}
		unreported += size;
		if (copied.length % SLICE === SLICE - 1 && pace.isDue) await pace.breathe();
		copied.push({ sha1, size, resource: stored, offsetInResource, count });
	}
	await copier.finish();
	run.report({ type: 'advance', bytes: unreported });
	return copied;
}

/**
 * Copies blobs in their order, as `copyBlobs` does.
 *
 * @param ahead what was copied already, at the end of the output
 * @returns where they are now
 */
export async function copyPlain(
	output: Output,
	blobs: PlainBlobs,
	run: Run,
	ahead: HeadStart | null = null,
): Promise<PlacedPiece[]> {
	const copier = new Copier(output, run);
	if (ahead !== null) await copier.goOn(ahead);
	const placed: PlacedPiece[] = [];
	let unreported = 0;
	const pace = new Pace(run, COPYING_STRETCH_MS);
	for (const piece of blobs.pieces(COPY_SIZE)) {
		if (!copier.isNext(piece)) await copier.begin(piece);
		placed.push({ ...piece, target: copier.add(piece) });
		if (copier.isDue) {
			await copier.flush();
			run.report({ type: 'advance', bytes: unreported });
			unreported = 0;
		}
		unreported += piece.size;
		if (pace.isDue) await pace.breathe();
	}
	await copier.finish();
	run.report({ type: 'advance', bytes: unreported });
	return placed;
}

/** What a copier has to know of a resource, or of several that stand together. */
type Stored = Pick<Resource, 'part' | 'offset' | 'storedSize'>;

/** Joins neighbouring resources, so that a whole file is copied in large pieces. */
class Copier {
	readonly #output: Output;
	readonly #run: Run;
	/** Of several objects that tell of one part, each is as good. */
	#source: Source | null = null;
	#from = 0;
	#size = 0;
	/** Bytes at the end of the output that a head start has copied, and no resource has asked for yet. */
	#ahead = 0;
	/** Those of them that stand in the stretch at hand, and the stretches behind it. */
	#here = 0;
	#further: readonly Stretch[] = [];
	#unpaused = 0;

	constructor(output: Output, run: Run) {
		this.#output = output;
		this.#run = run;
	}

	/** Goes on from a head start; what it copied is expected in the same order. */
	async goOn(ahead: HeadStart): Promise<void> {
		this.#further = await ahead.end();
		this.#ahead = this.#further.reduce((sum, { from, end }) => sum + end - from, 0);
		this.#enter();
	}

	/** Takes the next stretch of the head start, if there is one. */
	#enter(): void {
		const [next, ...further] = this.#further;
		if (next === undefined) return;
		this.#source = next.part.source;
		this.#from = next.from;
		this.#here = next.end - next.from;
		this.#further = further;
	}

	async bytes(bytes: Uint8Array): Promise<void> {
		await this.finish();
		await this.#output.append(bytes);
	}

	/** Whether a resource follows what was added last. */
	isNext({ part, offset }: Stored): boolean {
		return this.#source === part.source && this.#from + this.#size === offset;
	}

	/** Begins with a resource somewhere else, which is to be added then. */
	async begin(resource: Stored): Promise<void> {
		await this.#flush(1);
		if (this.#here === 0) this.#enter();
		if (this.isNext(resource)) return;
		await this.finish();
		this.#source = resource.part.source;
		this.#from = resource.offset;
	}

	/** @returns where the resource will be in the output */
	add({ storedSize }: Stored): number {
		const at = this.#output.position - this.#ahead + this.#size;
		this.#size += storedSize;
		return at;
	}

	/** Whether a whole piece can be copied. */
	get isDue(): boolean {
		return this.#size >= COPY_SIZE;
	}

	/** Copies whole pieces. */
	flush(): Promise<void> {
		return this.#flush(COPY_SIZE);
	}

	async finish(): Promise<void> {
		await this.#flush(1);
		this.#source = null;
		this.#dropAhead();
	}

	/** Takes back what was copied and is not needed here. */
	#dropAhead(): void {
		if (this.#ahead > 0) this.#output.rewind(this.#output.position - this.#ahead);
		this.#ahead = 0;
		this.#here = 0;
		this.#further = [];
	}

	/** Copies whole pieces, as long as there are `least` bytes. */
	async #flush(least: number): Promise<void> {
		const source = this.#source;
		if (source === null) return;
		const there = Math.min(this.#here, this.#size);
		this.#ahead -= there;
		this.#here -= there;
		this.#from += there;
		this.#size -= there;
		if (this.#size > 0) this.#dropAhead();
		while (this.#size >= least) {
			const piece = Math.min(COPY_SIZE, this.#size);
			const got = await this.#output.copy(source, this.#from, piece);
			if (got !== piece)
				throw new FormatError('Cannot copy resource: the file ends inside it', {
					path: source.name,
					offset: this.#from + got,
					hint: 'Check the file with "wimdeck verify".',
				});
			this.#from += got;
			this.#size -= got;
			this.#unpaused += got;
			if (this.#unpaused >= COPY_SIZE) {
				this.#unpaused = 0;
				await attend(this.#run);
			}
		}
	}
}
