/**
 * Decides how blobs are read: in file order, in batches that a lane works through by itself, solid chunks once for all
 * the blobs in them. Pure, and lazy: an image of 300,000 blobs is planned while it is read.
 */
import type { Blob, Resource } from '../../wim/resource.ts';

/** About how many original bytes a batch has: some 10 ms of work, so that all lanes end together. */
export const BATCH_SIZE = 4 << 20;
/** Files cost time of their own, however small they are; and what is known of each lives until its batch is done. */
const BATCH_PIECES = 128;
/**
 * Chunks of solid resources above this are dealt out one by one, each decoded once; a blob that lies in two of them is
 * put together on the main thread. Below it blobs are read as in ordinary resources, and a chunk that two batches
 * share is decoded twice.
 */
const SHARED_CHUNK_SIZE = 512 << 10;

/** After so many blobs the planner gives way, even if no batch is complete: a chunk of 64 MiB may hold 10,000 of them. */
const PLAN_STEP = 256;

/** What is to be read; each blob stands once. Whoever asks may hang more onto it. */
export interface Wanted {
	readonly blob: Blob;
}

/** A blob, or the stretch of it that one batch reads. */
export interface PlannedPiece<W extends Wanted> {
	readonly wanted: W;
	/** From the start of the original bytes of the resource. */
	readonly start: number;
	readonly end: number;
	/** False: its bytes are needed by the others, which come in other batches. */
	readonly isWhole: boolean;
}

export interface PlannedStretch<W extends Wanted> {
	readonly resource: Resource;
	/** By start. */
	readonly pieces: readonly PlannedPiece<W>[];
}

/** What one lane reads in one go, from one source. */
export interface PlannedBatch<W extends Wanted> {
	readonly stretches: readonly PlannedStretch<W>[];
	/** Original bytes of all pieces. */
	readonly size: number;
	/** The largest of its resources; 0 when nothing is compressed. */
	readonly chunkSize: number;
}

export interface ReadLimits {
	readonly laneCount: number;
	/** Original bytes of all that is wanted. */
	readonly totalSize: number;
}

/**
 * Plans the reading of blobs.
 *
 * @param wanted in the order of the source, its resources, and offsets in them; see `inFileOrder`
 * @returns null now and then, when planning has gone on for a millisecond without a batch
 */
export function* planReads<W extends Wanted>(
	wanted: Iterable<W>,
	limits: ReadLimits,
): Generator<PlannedBatch<W> | null, void, undefined> {
	const batch = new Batch<W>();
	const bays = new Bays<W>();
	let left = limits.totalSize;
	let count = 0;
	for (const item of wanted) {
		if (++count % PLAN_STEP === 0) yield null;
		const { blob } = item;
		const { resource } = blob;
		left -= blob.size;
		if (bays.resource !== null && bays.resource !== resource) yield* bays.takeAll();
		if (isShared(resource)) {
			yield* batch.take();
			yield* bays.takeBefore(blob.offsetInResource, resource);
			bays.add(item);
			continue;
		}
		const isLarge = blob.size > BATCH_SIZE;
		if (isLarge || !batch.hasRoomFor(blob)) yield* batch.take();
		// One lane alone with a large blob is best, as long as the others have enough to do meanwhile.
		if (isLarge && blob.size * (limits.laneCount - 1) > left) {
			const end = blob.offsetInResource + blob.size;
			for (const piece of cutBlob(blob, blob.offsetInResource, end)) {
				batch.add({ wanted: item, ...piece, isWhole: false });
				yield* batch.take();
			}
			continue;
		}
		batch.add({
			wanted: item,
			start: blob.offsetInResource,
			end: blob.offsetInResource + blob.size,
			isWhole: true,
		});
		if (isLarge) yield* batch.take();
	}
	yield* bays.takeAll();
	yield* batch.take();
}

/**
 * Cuts a stretch of a blob so that several lanes can read it, without decoding a chunk twice.
 *
 * @param start from the start of the original bytes of the resource, as `end` and the results
 */
export function* cutBlob(
	{ resource }: Blob,
	start: number,
	end: number,
): Generator<{ readonly start: number; readonly end: number }, void, undefined> {
	const unit = unitSize(resource);
	for (let at = start; at < end; ) {
		const next = Math.min(end, (Math.floor(at / unit) + 1) * unit);
		yield { start: at, end: next };
		at = next;
	}
}

/** Whether its chunks are so large that a batch is one of them. */
function isShared({ layout, chunkSize }: Resource): boolean {
	return layout === 'solid' && chunkSize > SHARED_CHUNK_SIZE;
}

/** Original bytes of a batch of this resource: whole chunks. */
export function unitSize({ chunkSize }: Resource): number {
	if (chunkSize === 0) return BATCH_SIZE;
	return Math.max(1, Math.floor(BATCH_SIZE / chunkSize)) * chunkSize;
}

/** Collects small blobs of one source. */
class Batch<W extends Wanted> {
	#stretches: { resource: Resource; pieces: PlannedPiece<W>[] }[] = [];
	#size = 0;
	#count = 0;
	#chunkSize = 0;

	hasRoomFor({ resource, size }: Blob): boolean {
		const [first] = this.#stretches;
		if (first === undefined) return true;
		if (first.resource.part.source !== resource.part.source) return false;
		return this.#size + size <= BATCH_SIZE && this.#count < BATCH_PIECES;
	}

	add(piece: PlannedPiece<W>): void {
		const { resource } = piece.wanted.blob;
		const last = this.#stretches.at(-1);
		if (last?.resource === resource) last.pieces.push(piece);
		else this.#stretches.push({ resource, pieces: [piece] });
		const size = piece.end - piece.start;
		this.#size += size;
		this.#count++;
		this.#chunkSize = Math.max(this.#chunkSize, resource.chunkSize);
	}

	/** What was collected, if anything, and begins anew. */
	*take(): Generator<PlannedBatch<W>, void, undefined> {
		if (this.#count === 0) return;
		const batch = {
			stretches: this.#stretches,
			size: this.#size,
			chunkSize: this.#chunkSize,
		};
		this.#stretches = [];
		this.#size = 0;
		this.#count = 0;
		this.#chunkSize = 0;
		yield batch;
	}
}

/** Sorts blobs into the large chunks of one solid resource that they lie in. */
class Bays<W extends Wanted> {
	resource: Resource | null = null;
	/** By position of the bay, ascending since blobs come in order. */
	readonly #bays = new Map<number, Batch<W>>();

	add(wanted: W): void {
		const { blob } = wanted;
		this.resource = blob.resource;
		const from = blob.offsetInResource;
		const to = from + blob.size;
		const unit = unitSize(blob.resource);
		for (const { start, end } of cutBlob(blob, from, to)) {
			const position = Math.floor(start / unit);
			let bay = this.#bays.get(position);
			if (bay === undefined) {
				bay = new Batch();
				this.#bays.set(position, bay);
			}
			bay.add({ wanted, start, end, isWhole: start === from && end === to });
		}
	}

	/** The bays that no blob from `offset` on lies in. */
	*takeBefore(offset: number, resource: Resource): Generator<PlannedBatch<W>, void, undefined> {
		const current = Math.floor(offset / unitSize(resource));
		for (const [position, bay] of this.#bays) {
			if (position >= current) continue;
			this.#bays.delete(position);
			yield* bay.take();
		}
	}

	*takeAll(): Generator<PlannedBatch<W>, void, undefined> {
		for (const bay of this.#bays.values()) yield* bay.take();
		this.#bays.clear();
		this.resource = null;
	}
}
