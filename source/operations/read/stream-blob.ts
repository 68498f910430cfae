import { DigestError, FormatError, fromWire, InputError } from '../../base/errors.ts';
import { type Run, throwIfCanceled } from '../../base/run.ts';
import { sha1Hasher } from '../../bytes/sha1.ts';
import type { Pool } from '../../pool/pool.ts';
import { PiecePacker } from '../../pool/tasks/packed-pieces.ts';
import type { ReadInput } from '../../pool/tasks/read.ts';
import type { Blob } from '../../wim/resource.ts';
import { laneSource } from './fetch-stored.ts';
import { BATCH_SIZE, cutBlob, type PlannedBatch, unitSize } from './plan-reads.ts';
import type { WantedBlob } from './read-blobs.ts';

/** Which stretch of a blob, in bytes, and what becomes of damage. */
export interface StreamOptions {
	/** First byte; 0 if not given. */
	readonly start?: number;
	/** The byte behind the last one; the end of the blob if not given. */
	readonly end?: number;
	/** Damaged chunks become zeros instead of an error. */
	readonly recover?: boolean;
}

/** Pieces of this size are yielded. */
const YIELD_SIZE = 1 << 20;

/**
 * The bytes of a blob, or of a stretch of it, in order; lanes decode ahead. Only the chunks that the stretch lies in
 * are decoded. The SHA-1 is compared when all bytes are read, and therefore after they were yielded.
 *
 * @throws {FormatError} at the first damaged chunk
 * @throws {DigestError} at the end
 * @throws {CanceledError}
 */
export async function* streamBlob(
	pool: Pool,
	blob: Blob,
	run: Run,
	options: StreamOptions = {},
): AsyncGenerator<Uint8Array<SharedArrayBuffer>, void, undefined> {
	const { recover = false } = options;
	const from = Math.max(0, Math.min(blob.size, options.start ?? 0));
	const to = Math.max(from, Math.min(blob.size, options.end ?? blob.size));
	const { resource, offsetInResource } = blob;
	if (blob.defect !== null && !recover)
		throw new FormatError(`Cannot read blob ${blob.sha1}: ${blob.defect}`, {
			region: resource.part.source.name,
			offset: resource.offset,
		});
	const isAll = from === 0 && to === blob.size && !recover;
	const hasher = isAll ? sha1Hasher() : null;
	const lanes = pool.forWork(to - from, resource.chunkSize);
	const laneLimit = lanes.lanesFor(resource.chunkSize * 2.5);
	const unit = unitSize(resource);
	const buffers: SharedArrayBuffer[] = [];
	const inputs = async function* (): AsyncGenerator<ReadInput> {
		for (const { start, end } of cutBlob(blob, offsetInResource + from, offsetInResource + to)) {
			const buffer = new SharedArrayBuffer(end - start);
			buffers.push(buffer);
			yield await stretchInput(blob, start, end, buffer, recover);
		}
	};
	const outputs = lanes.ordered('read', inputs(), {
		signal: run.signal,
		weight: unit,
		laneLimit,
		inFlight: unit > BATCH_SIZE ? laneLimit : lanes.laneCount * 2,
	});
	for await (const { pieces } of outputs) {
		const buffer = buffers.shift();
		const [result] = pieces;
		if (buffer === undefined || result === undefined) throw new Error('A batch came back empty');
		if (result.error !== null && !recover) throw fromWire(result.error);
		const bytes = new Uint8Array(buffer);
		for (let at = 0; at < bytes.length; at += YIELD_SIZE) {
			throwIfCanceled(run);
			const piece = bytes.subarray(at, at + YIELD_SIZE);
			hasher?.update(piece);
			yield piece;
		}
	}
	const sha1 = hasher?.digest('hex');
	if (sha1 !== undefined && sha1 !== blob.sha1)
		throw new DigestError(`Cannot read blob ${blob.sha1}: the SHA-1 of its bytes is ${sha1}`, {
			region: resource.part.source.name,
			offset: resource.offset,
		});
}

async function stretchInput(
	blob: Blob,
	start: number,
	end: number,
	buffer: SharedArrayBuffer,
	recover: boolean,
): Promise<ReadInput> {
	const { resource } = blob;
	const size = end - start;
	const batch: PlannedBatch<WantedBlob> = {
		stretches: [{ resource, pieces: [{ wanted: { blob }, start, end, isWhole: false }] }],
		size,
		chunkSize: resource.chunkSize,
	};
	const packer = new PiecePacker();
	packer.addStretch(resource);
	const blobOffset = start - blob.offsetInResource;
	packer.add({ start, end, blobOffset, whole: false, sha1: null }, true);
	return {
		...packer.pack(buffer),
		source: await laneSource(resource.part.source, batch),
		recover,
	};
}

/**
 * All bytes of a small blob, with the right SHA-1.
 *
 * @param limit refuses a blob of more bytes
 * @throws {InputError} when it is larger
 * @throws {FormatError | DigestError | HostError}
 */
export async function readBlobToMemory(
	pool: Pool,
	blob: Blob,
	limit: number,
	run: Run,
): Promise<Uint8Array> {
	if (blob.size > limit)
		throw new InputError(
			`Cannot read blob ${blob.sha1} into memory: it has ${blob.size} bytes, at most ${limit} are sensible`,
		);
	const whole = new Uint8Array(blob.size);
	let at = 0;
	for await (const piece of streamBlob(pool, blob, run)) {
		whole.set(piece, at);
		at += piece.length;
	}
	return whole;
}
