/**
 * Reads blobs through the pool: verifies them, writes them to files, or hands their bytes over. Each stored byte is
 * read and decoded once, in file order, by lanes that work for themselves; memory does not depend on the image.
 */
import { FormatError, fromWire, WimError } from '../../base/errors.ts';
import type { List } from '../../base/list.ts';
import { breathe, Pace, type Run } from '../../base/run.ts';
import type { Sha1 } from '../../bytes/sha1.ts';
import { type ChunkTable, originalSizeOf, storedSizeOf } from '../../codec/chunk-table.ts';
import type { Pool } from '../../pool/pool.ts';
import { Wakeup } from '../../pool/task-pool.ts';
import type { ByteRange, PieceResult } from '../../pool/tasks/pieces.ts';
import type { FileTarget } from '../../storage/target-file.ts';
import { readChunkTable } from '../../wim/read-resource.ts';
import type { Resource } from '../../wim/resource.ts';
import { BatchRead } from './batch-read.ts';
import { dealOrder } from './deal-order.ts';
import { atPositions, FileOrder, SURVEY_LENGTH } from './file-order.ts';
import { KeepBudget } from './keep-budget.ts';
import { PackedBatch } from './packed-batch.ts';
import { BATCH_SIZE, type PlannedBatch, planReads, type Wanted } from './plan-reads.ts';
import { SpreadBlob } from './spread-blob.ts';

/** A blob to read. Callers may hang more onto it: results name it. */
export interface WantedBlob extends Wanted {
	/** New files that all get the bytes. A file whose bytes turn out wrong goes away again, unless recovering. */
	readonly targets?: readonly FileTarget[];
	/** The result carries the bytes: for small blobs only. */
	readonly wantsBytes?: boolean;
}

export interface ReadOptions {
	/** Damaged chunks become zeros and files are kept; what is wrong is reported all the same. */
	readonly recover: boolean;
	/** Computes and compares SHA-1. */
	readonly verify: boolean;
}

export interface BlobResult<W extends WantedBlob> {
	readonly wanted: W;
	/** Of the bytes that were read; null when not asked for, or not all could be had. */
	readonly sha1: Sha1 | null;
	/** Stretches of the blob that could not be decoded; only when recovering. */
	readonly badRanges: readonly ByteRange[];
	/** What is wrong with the bytes: `FormatError`, `DigestError`, `HostError`; null when nothing is. */
	readonly error: WimError | null;
	/** What the machine refused; the other targets are complete. */
	readonly targetErrors: ReadonlyMap<FileTarget, WimError>;
	/** The targets stand, but for those refused: there is no error, or they were recovered as far as possible. */
	readonly isKept: boolean;
	/** Valid during the call only; null when they were not asked for, or are not right. */
	readonly bytes: Uint8Array | null;
}

const NO_TARGETS: readonly FileTarget[] = [];
const NO_ERRORS: ReadonlyMap<FileTarget, WimError> = new Map();

/**
 * Reads blobs and reports each one as it is done, in no particular order, and `advance` in original bytes. Damage and
 * refused files are reported, never thrown.
 *
 * @param wanted each blob once, in any order; blobs of different WIMs may be mixed. Elements are asked for twice: first
 * to plan, then when their turn comes
 * @param onBlob what it throws ends the reading
 * @throws {CanceledError} with no half-written file left
 */
export async function readBlobs<W extends WantedBlob>(
	pool: Pool,
	wanted: List<W>,
	options: ReadOptions,
	run: Run,
	onBlob: (result: BlobResult<W>) => void,
): Promise<void> {
	const { positions, totalSize, largestChunk, heavy } = await survey(wanted, options, run, onBlob);
	await breathe(run);
	const ordered = atPositions(wanted, positions);
	const lanes = pool.forWork(totalSize, largestChunk);
	const reading = new Reading(lanes, largestChunk, options, run, onBlob);
	try {
		const plan = planReads(ordered, { laneCount: lanes.laneCount, totalSize });
		const isDealt = heavy.size > 0 && lanes.laneCount > 1;
		await reading.readAll(isDealt ? inDealOrder(plan, await chunkTables(heavy)) : plan);
	} finally {
		lanes.trim();
	}
}

interface Survey {
	/** In file order. */
	readonly positions: Uint32Array;
	readonly totalSize: number;
	readonly largestChunk: number;
	/** Those whose chunks are so large that a lane has only one batch. */
	readonly heavy: ReadonlySet<Resource>;
}

/** Where the chunks of resources lie, as far as that can be read: lanes find and tell what is wrong with a table. */
async function chunkTables(
	resources: ReadonlySet<Resource>,
): Promise<ReadonlyMap<Resource, ChunkTable>> {
	const tables = new Map<Resource, ChunkTable>();
	for (const resource of resources) {
		try {
			tables.set(resource, await readChunkTable(resource));
		} catch (error) {
			if (!(error instanceof WimError)) throw error;
		}
	}
	return tables;
}

function inDealOrder<W extends WantedBlob>(
	plan: Iterable<PlannedBatch<W> | null>,
	tables: ReadonlyMap<Resource, ChunkTable>,
): Iterable<PlannedBatch<W> | null> {
	return dealOrder(plan, ({ stretches, chunkSize }) => {
		const [stretch] = stretches;
		const table = stretch && tables.get(stretch.resource);
		const [piece] = stretch?.pieces ?? [];
		if (!table || piece === undefined) return null;
		const chunk = Math.floor(piece.start / chunkSize);
		// It is decoded up to the last byte that is wanted of it.
		const end = stretch.pieces.reduce((last, one) => Math.max(last, one.end), 0);
		const share = (end - chunk * chunkSize) / originalSizeOf(table, chunk);
		return storedSizeOf(table, chunk) * Math.min(1, share);
	});
}

/** Puts what can be read into file order, and tells the rest. */
async function survey<W extends WantedBlob>(
	wanted: List<W>,
	options: ReadOptions,
	run: Run,
	onBlob: (result: BlobResult<W>) => void,
): Promise<Survey> {
	const order = new FileOrder();
	const heavy = new Set<Resource>();
	let totalSize = 0;
	let largestChunk = 0;
	for (let k = 0; k < wanted.length; k++) {
		if (k % SURVEY_LENGTH === SURVEY_LENGTH - 1) await breathe(run);
		const item = wanted.at(k) as W;
		const error = objection(item, options.recover);
		if (error === null) {
			order.add(k, item.blob);
			totalSize += item.blob.size;
			const { resource } = item.blob;
			largestChunk = Math.max(largestChunk, resource.chunkSize);
			if (resource.layout === 'solid' && resource.chunkSize > HEAVY_CHUNK_SIZE) heavy.add(resource);
			continue;
		}
		run.report({ type: 'advance', bytes: item.blob.size });
		onBlob({
			wanted: item,
			sha1: null,
			badRanges: [],
			error,
			targetErrors: NO_ERRORS,
			isKept: false,
			bytes: null,
		});
	}
	return { positions: await order.sorted(run), totalSize, largestChunk, heavy };
}

/** Why a blob is not even tried. */
function objection({ blob }: Wanted, recover: boolean): WimError | null {
	const { resource, defect } = blob;
	if (defect === null) return null;
	// What lies before the end of a cut file can be had.
	const isUsable =
		resource.layout === 'raw' || (resource.compression !== 'none' && resource.chunkSize > 0);
	const isInside = blob.offsetInResource + blob.size <= resource.originalSize;
	if (recover && isUsable && isInside) return null;
	return new FormatError(`Cannot read blob ${blob.sha1}: ${defect}`, {
		region: resource.part.source.name,
		offset: resource.offset,
	});
}

/** Above this a lane holds one batch only: the next one would just wait with its buffer. */
const HEAVY_CHUNK_SIZE = 8 << 20;

/** One call of `readBlobs`. */
class Reading<W extends WantedBlob> {
	readonly #pool: Pool;
	readonly #options: ReadOptions;
	readonly #run: Run;
	readonly #onBlob: (result: BlobResult<W>) => void;
	readonly #stop = new AbortController();
	readonly #signal: AbortSignal;
	readonly #laneLimit: number;
	/** Batches under way at once. */
	readonly #room: number;
	readonly #budget: KeepBudget;
	readonly #spread = new Map<W, SpreadBlob>();
	readonly #changed = new Wakeup();
	readonly #underWay = new Set<BatchRead<W>>();
	/** Every batch was sent. */
	#isSent = false;
	/** Batches whose blobs are not all told yet. */
	#untold = 0;
	#pending = 0;
	#failure: { readonly error: unknown } | null = null;

	constructor(
		pool: Pool,
		largestChunk: number,
		options: ReadOptions,
		run: Run,
		onBlob: (result: BlobResult<W>) => void,
	) {
		this.#pool = pool;
		this.#options = options;
		this.#run = run;
		this.#onBlob = onBlob;
		this.#signal = AbortSignal.any([run.signal, this.#stop.signal]);
		// A chunk once decoded, once stored, and once on its way to the main thread.
		this.#laneLimit = pool.lanesFor(largestChunk * 2.5);
		this.#room = largestChunk > HEAVY_CHUNK_SIZE ? this.#laneLimit : pool.laneCount * 2;
		this.#budget = new KeepBudget(this.#room * Math.max(BATCH_SIZE, largestChunk));
	}

	async readAll(batches: Iterable<PlannedBatch<W> | null>): Promise<void> {
		const pace = new Pace(this.#run);
		const { verify } = this.#options;
		// Of a large blob that is lost at its front the rest is not sent here.
		const isHashed = (wanted: W) => this.#spread.get(wanted)?.isHashed ?? true;
		try {
			for (const planned of batches) {
				if (planned !== null || pace.isDue) await pace.breathe();
				if (planned === null) continue;
				// While the lanes have enough to do: they never wait for it.
				const batch = await PackedBatch.of(planned, verify, pace, isHashed);
				while (this.#isFull && !this.#failure) await this.#changed.wait();
				if (this.#failure) break;
				await this.#send(batch);
			}
			this.#isSent = true;
			this.#shareWork();
			while (this.#pending > 0) await this.#changed.wait();
		} catch (error) {
			this.#fail(error);
		}
		while (this.#pending > 0) await this.#changed.wait();
		if (this.#failure === null) return;
		await this.#removeUnfinished();
		throw this.#failure.error;
	}

	get #isFull(): boolean {
		return this.#underWay.size >= this.#room || this.#untold >= 2 * this.#room;
	}

	/** Has lanes help that would be idle, since there is nothing to decode for them. */
	#shareWork(): void {
		if (!this.#isSent && this.#underWay.size < this.#room) return;
		const batches = [...this.#underWay];
		let idle = this.#pool.laneCount;
		for (const { helping } of batches) idle -= 1 + helping;
		for (; idle > 0 && batches.length > 0; idle--) {
			const most = batches.reduce((one, other) =>
				other.piecesLeft > one.piecesLeft ? other : one,
			);
			if (!most.canHelp) return;
			most.help();
		}
	}

	/** Ends everything that is under way; the first reason counts. */
	#fail(error: unknown): void {
		this.#failure ??= { error };
		this.#stop.abort();
		this.#budget.close();
		this.#changed.signal();
	}

	#track(work: Promise<void>): void {
		this.#pending++;
		work
			.catch((error) => this.#fail(error))
			.finally(() => {
				this.#pending--;
				this.#changed.signal();
			});
	}

	async #send(batch: PackedBatch<W>): Promise<void> {
		for (const { id, piece } of batch.partialPieces()) {
			await this.#beginSpread(piece.wanted);
			batch.setTargets(id, this.#spread.get(piece.wanted)?.openTargets ?? NO_TARGETS);
		}
		const keep = batch.keepSize > 0 ? await this.#budget.take(batch.keepSize) : null;
		this.#untold++;
		this.#track(this.#perform(batch, keep));
	}

	async #perform(batch: PackedBatch<W>, keep: SharedArrayBuffer | null): Promise<void> {
		let reported = 0;
		const onProgress = (bytes: number) => {
			reported += bytes;
			this.#run.report({ type: 'advance', bytes });
		};
		const read = new BatchRead(this.#pool, batch, {
			signal: this.#signal,
			laneLimit: this.#laneLimit,
			recover: this.#options.recover,
			keep,
			onProgress,
			onDecoded: () => this.#shareWork(),
		});
		let results: Iterable<PieceResult>;
		this.#underWay.add(read);
		try {
			results = await read.run();
		} finally {
			this.#underWay.delete(read);
			this.#changed.signal();
			this.#shareWork();
		}
		this.#run.report({ type: 'advance', bytes: batch.batch.size - reported });
		const pace = new Pace(this.#run);
		for (const result of results) {
			if (pace.isDue) await pace.breathe();
			this.#settle(result, batch);
		}
		this.#untold--;
	}

	#settle(result: PieceResult, batch: PackedBatch<W>): void {
		const { piece, targets, keepAt } = batch.sent(result.id);
		const { wanted } = piece;
		const bytes = batch.bytes(result.id);
		const release = () => {
			const done = keepAt < 0 ? null : batch.release();
			if (done) this.#budget.give(done);
		};
		if (!piece.isWhole) {
			const spread = this.#spread.get(wanted);
			if (spread === undefined) throw new Error(`Blob ${wanted.blob.sha1} was not begun`);
			spread.noteDamage(result.error, result.badRanges);
			for (const { position, error } of result.targetErrors)
				spread.noteTargetError(targets[position], error);
			const offset = piece.start - wanted.blob.offsetInResource;
			const part = { offset, size: piece.end - piece.start, bytes, release };
			this.#track(
				spread.add(part).then((isDone) => (isDone ? this.#endSpread(wanted, spread) : undefined)),
			);
			return;
		}
		const targetErrors = new Map<FileTarget, WimError>();
		for (const { position, error } of result.targetErrors) {
			const target = targets[position];
			if (target && !targetErrors.has(target))
				targetErrors.set(target, fromWire(error) as WimError);
		}
		const error = result.error && this.#place(fromWire(result.error) as WimError, wanted);
		const { sha1, badRanges } = result;
		const isKept = !result.isLost && (error === null || this.#options.recover);
		const shown = isKept && wanted.wantsBytes ? bytes : null;
		this.#onBlob({ wanted, sha1, badRanges, error, targetErrors, isKept, bytes: shown });
		release();
	}

	/** Says in which file and where, if the lane did not. */
	#place(error: WimError, { blob }: W): WimError {
		return error.note({ region: blob.resource.part.source.name, offset: blob.resource.offset });
	}

	/** Makes the files of a blob that comes in pieces. */
	async #beginSpread(wanted: W): Promise<void> {
		if (this.#spread.has(wanted)) return;
		const spread = new SpreadBlob(wanted.blob, wanted.targets ?? NO_TARGETS, {
			verify: this.#options.verify,
			withBytes: wanted.wantsBytes === true,
		});
		if (spread.targets.length > 0) await this.#doTargets('create', spread, spread.targets);
		this.#spread.set(wanted, spread);
	}

	async #endSpread(wanted: W, spread: SpreadBlob): Promise<void> {
		const isKept = spread.error === null || this.#options.recover;
		const made = spread.openTargets;
		if (made.length > 0) await this.#doTargets(isKept ? 'finish' : 'remove', spread, made);
		this.#spread.delete(wanted);
		const { sha1, badRanges, targetErrors } = spread;
		const error = spread.error && this.#place(spread.error, wanted);
		const bytes = isKept ? spread.bytes : null;
		this.#onBlob({ wanted, sha1, badRanges, error, targetErrors, isKept, bytes });
	}

	async #doTargets(
		action: 'create' | 'finish' | 'remove',
		spread: SpreadBlob,
		targets: readonly FileTarget[],
	): Promise<void> {
		const input = { action, targets, size: spread.blob.size };
		const { errors } = await this.#pool.run('targets', input);
		for (const { position, error } of errors) spread.noteTargetError(targets[position], error);
	}

	async #removeUnfinished(): Promise<void> {
		for (const spread of this.#spread.values())
			if (spread.openTargets.length > 0)
				await this.#doTargets('remove', spread, spread.openTargets).catch(() => undefined);
		this.#spread.clear();
	}
}
