/**
 * Writes resources: chunks are compressed in batches on all lanes, and what comes back is stored in order, so that the
 * bytes do not depend on the number of lanes (wim.md §2.2 to §2.5, §7).
 */
import type { Hash } from 'node:crypto';
import { assert, HostError } from '../base/errors.ts';
import { breathe, type Run } from '../base/run.ts';
import { decodeHex } from '../bytes/hex.ts';
import { type Sha1, sha1Hasher, ZERO_SHA1 } from '../bytes/sha1.ts';
import { byteRun, pattern64, struct, u32, u64 } from '../bytes/struct.ts';
import {
	chunkCount,
	chunkTableSize,
	entrySize,
	PREFIX_SIZE,
	SolidHeader,
} from '../codec/chunk-table.ts';
import { COMPRESSIONS, type Compression } from '../codec/compression.ts';
import { Decoder } from '../codec/decoder.ts';
import type { ChunkEncoder, EncodeReply } from '../pool/tasks/encode.ts';
import type { IntakeOrigin, IntakePiece, IntakeReply, IntakeResult } from '../pool/tasks/intake.ts';
import type { Output } from '../storage/output.ts';
import { ResourceFlag } from './part-header.ts';
import type { ResourceLayout } from './resource.ts';

/** Least bytes of a batch; larger chunks come one by one. */
const BATCH_SIZE = 1 << 19;
/** With chunks from this size on, only one batch a lane is in flight. */
const LARGE_CHUNK = 1 << 23;
/** Raw resources move in pieces of this size. */
const RAW_PIECE = 1 << 20;
/** One lane takes in a resource up to this size by itself; larger ones are dealt out in parts. */
const WHOLE_SIZE = 1 << 22;
/** Files cost time of their own, however small they are. */
const PIECES_MAX = 128;
/** So many original bytes a lane are in flight: one whole resource, and what others do meanwhile. */
const FLYING_SIZE = WHOLE_SIZE + (2 << 20);
const FLIGHTS_MAX = 16;
/** Hashing this much takes half a millisecond; then keys get their turn. */
const HASH_STEP = 1 << 20;

const NO_RESULTS: readonly IntakeResult[] = [];

/** How resources are stored. */
export interface ResourceFormat {
	readonly layout: Exclude<ResourceLayout, 'raw'>;
	readonly compression: Compression;
	/** 0 without compression. */
	readonly chunkSize: number;
	/** See `codec/encoder.ts`. */
	readonly level: number;
}

/** Where a resource ended up, as a blob table describes it. */
export interface StoredResource {
	/** Of the first byte; in pipable files behind the 40-byte header. */
	readonly offset: number;
	readonly storedSize: number;
	readonly originalSize: number;
	/** See `ResourceFlag`. */
	readonly flags: number;
}

/** One resource that is to be written. */
interface NewResource {
	/** Original bytes. */
	readonly size: number;
	/** `ResourceFlag.metadata`, or 0. */
	readonly flags: number;
	/** What the bytes should hash to; null when it is not known yet. Streams that cannot seek need it. */
	readonly sha1: Sha1 | null;
	/**
	 * Told, in the order in which resources were added, where the resource is stored and what its bytes hash to; null
	 * when it was given up. False takes the resource back.
	 */
	settle(stored: StoredResource | null, sha1: Sha1): boolean;
	/** Of what others read: told of each part, in order, and before `settle`. */
	told?(result: IntakeResult): void;
}

/** A resource whose bytes are handed over piece by piece: exactly `size` will be asked for. */
export interface ResourceInput extends NewResource {
	/** Whether `sha1` was taken of the very bytes that `fill` hands over, so that nobody need hash them again. */
	readonly isHashed: boolean;
	/** Fills all of `into` with the next bytes; false when there are no more, which gives the resource up. */
	fill(into: Uint8Array): boolean | Promise<boolean>;
}

/** A resource whose bytes are fetched by those who compress them. */
export interface IntakeInput extends NewResource {
	readonly origin: IntakeOrigin;
	told(result: IntakeResult): void;
}

/** The header in front of every resource of a pipable file (wim.md §7). */
export const PipableHeader = struct('pipable resource header', {
	magic: pattern64, //    +0x00
	originalSize: u64, //   +0x08
	sha1: byteRun(20), //   +0x10
	flags: u32, //          +0x24
});
export const PIPABLE_MAGIC = 0x2b9b_9ba2_443d_b9d8n;

/** A resource whose chunks are on their way. */
interface Job {
	readonly input: NewResource;
	/** Where its pipable header or its first byte is; set when its first chunk is stored. */
	start: number;
	/** Stored sizes of the chunks so far. */
	readonly sizes: number[];
	/** Of a resource that several lanes read; it follows in order. */
	readonly hash: Hash | null;
	isWhole: boolean;
}

/** What happens, in order, when a batch comes back: a chunk of a resource is stored, or a resource ends. */
type Step =
	| { readonly type: 'chunk'; readonly job: Job }
	| { readonly type: 'end'; readonly job: Job; readonly sha1: Sha1; readonly isWhole: boolean }
	| { readonly type: 'part'; readonly job: Job; readonly piece: IntakePiece };

interface Batch {
	/** Of its buffer, all. */
	readonly bytes: Uint8Array;
	used: number;
	readonly sizes: number[];
	/** Read by the lane; a batch has either these or bytes. */
	readonly pieces: IntakePiece[];
	readonly steps: Step[];
}

interface Flight {
	readonly reply: Promise<EncodeReply | IntakeReply>;
	/** What was sent. */
	readonly batch: Batch;
}

export class ResourceWriter {
	readonly output: Output;
	readonly format: ResourceFormat;
	readonly #encoder: ChunkEncoder;
	readonly #run: Run;
	readonly #flights: Flight[] = [];
	/** Original bytes of all flights. */
	#flying = 0;
	readonly #flightsMax: number;
	/** Without compression those of the batches in which the bytes move. */
	readonly #chunkSize: number;
	/** Buffers of batches that came back, by their size: new ones would be cleared again and again. */
	readonly #spare = new Map<number, ArrayBufferLike[]>();
	#spareParts: SharedArrayBuffer[] = [];
	#batch: Batch | null = null;
	#decoder: Decoder | null = null;

	constructor(output: Output, format: ResourceFormat, encoder: ChunkEncoder, run: Run) {
		this.output = output;
		this.format = format;
		this.#encoder = encoder;
		this.#run = run;
		this.#chunkSize = format.compression === 'none' ? RAW_PIECE : format.chunkSize;
		this.#flightsMax = encoder.lanes * (format.chunkSize >= LARGE_CHUNK ? 1 : 2);
	}

	/** Whether those who compress can read by themselves. Large chunks would only cost more memory so. */
	get canIntake(): boolean {
		return this.format.chunkSize < LARGE_CHUNK;
	}

	/** Reads a resource to its end. It is settled later, at the latest by `finish`. */
	async add(input: ResourceInput): Promise<void> {
		const job: Job = { input, start: -1, sizes: [], hash: null, isWhole: true };
		const hash = input.isHashed ? null : sha1Hasher();
		let isWhole = true;
		for (let at = 0; at < input.size && isWhole; at += this.#chunkSize) {
			const size = Math.min(this.#chunkSize, input.size - at);
			const batch = await this.#room(size, false);
			const view = batch.bytes.subarray(batch.used, batch.used + size);
			isWhole = await input.fill(view);
			if (!isWhole) break;
			hash?.update(view);
			batch.used += size;
			batch.sizes.push(size);
			batch.steps.push({ type: 'chunk', job });
		}
		const batch = this.#batch ?? this.#newBatch(BATCH_SIZE);
		batch.steps.push({ type: 'end', job, sha1: digest(hash, input), isWhole });
	}

	/** Lets others read a resource. It is settled later, at the latest by `finish`. */
	async addIntake(input: IntakeInput): Promise<void> {
		const { size, origin } = input;
		const isWhole = size <= WHOLE_SIZE;
		const hash = isWhole ? null : sha1Hasher();
		const job: Job = { input, start: -1, sizes: [], hash, isWhole: true };
		const unit = isWhole ? WHOLE_SIZE : this.#partSize(origin);
		for (let start = 0; start < size; start += unit) {
			const partSize = Math.min(unit, size - start);
			const batch = await this.#room(partSize, true);
			const keep = isWhole ? null : new Uint8Array(this.#sharedPart(unit), 0, partSize);
			const sha1 = isWhole ? input.sha1 : null;
			const piece: IntakePiece = { origin, start, size: partSize, keep, sha1 };
			batch.used += partSize;
			batch.pieces.push(piece);
			batch.steps.push({ type: 'part', job, piece });
		}
	}

	/** Whole chunks, of what is read and of what is written. */
	#partSize(origin: IntakeOrigin): number {
		const chunkSize = origin.kind === 'resource' ? origin.resource.chunkSize : 0;
		return Math.max(BATCH_SIZE, chunkSize, this.#chunkSize);
	}

	#sharedPart(size: number): SharedArrayBuffer {
		const spare = this.#spareParts.pop();
		return spare?.byteLength === size ? spare : new SharedArrayBuffer(size);
	}

	/** Stores and settles everything that was added. */
	async finish(): Promise<void> {
		this.#dispatch();
		this.#encoder.helpOut?.();
		while (this.#flights.length > 0) await this.#land();
		this.#spare.clear();
		this.#spareParts = [];
	}

	/**
	 * The current batch, with room for so many bytes more.
	 *
	 * @param isIntake whether the lane reads them
	 */
	async #room(size: number, isIntake: boolean): Promise<Batch> {
		const batch = this.#batch;
		if (batch !== null) {
			const isSame = isIntake ? batch.sizes.length === 0 : batch.pieces.length === 0;
			const isFit = batch.used + size <= batch.bytes.length && batch.pieces.length < PIECES_MAX;
			if (isSame && isFit) return batch;
		}
		this.#dispatch();
		while (this.#isFull()) await this.#land();
		await breathe(this.#run);
		return this.#newBatch(Math.max(size, this.#chunkSize, BATCH_SIZE));
	}

	/** Batches end in any order and are stored in one: behind a large one others must not run out of work. */
	#isFull(): boolean {
		const { length } = this.#flights;
		if (length <= this.#flightsMax) return false;
		const { lanes } = this.#encoder;
		return !this.canIntake || this.#flying > FLYING_SIZE * lanes || length > FLIGHTS_MAX * lanes;
	}

	#newBatch(capacity: number): Batch {
		// In few sizes, so that one that came back fits the next time.
		const size = this.canIntake ? 2 ** Math.ceil(Math.log2(capacity)) : capacity;
		const bytes = new Uint8Array(this.#spare.get(size)?.pop() ?? this.#newBuffer(size));
		this.#batch = { bytes, used: 0, sizes: [], pieces: [], steps: [] };
		return this.#batch;
	}

	/** Buffers that are handed over count as garbage on either side, and would have it collected all the time. */
	#newBuffer(size: number): ArrayBufferLike {
		return this.canIntake ? new SharedArrayBuffer(size) : new ArrayBuffer(size);
	}

	#dispatch(): void {
		const batch = this.#batch;
		if (batch === null) return;
		this.#batch = null;
		const reply = this.#send(batch);
		// It is awaited when its turn comes; until then a failure must not count as unhandled.
		reply.catch(() => {});
		this.#flights.push({ reply, batch });
		this.#flying += batch.used;
	}

	#send({ bytes, used, sizes, pieces }: Batch): Promise<EncodeReply | IntakeReply> {
		const { compression, chunkSize, level } = this.format;
		const { signal } = this.#run;
		const how = { compression, chunkSize, level };
		if (pieces.length > 0) {
			const room = bytes.buffer as SharedArrayBuffer;
			return this.#encoder.intake({ ...how, pieces, room }, signal);
		}
		if (sizes.length === 0 || compression === 'none') return Promise.resolve({ bytes, sizes });
		return this.#encoder.encode({ ...how, bytes: bytes.subarray(0, used), sizes }, signal);
	}

	/** Stores what the oldest batch brought back. */
	async #land(): Promise<void> {
		const flight = this.#flights.shift();
		if (flight === undefined) return;
		const { batch } = flight;
		this.#flying -= batch.used;
		const reply = await flight.reply;
		const { sizes } = reply;
		const [bytes, results] =
			'results' in reply ? [batch.bytes, reply.results] : [reply.bytes, NO_RESULTS];
		let part = 0;
		let chunk = 0;
		let at = 0;
		const store = async (job: Job, count: number) => {
			const own = sizes.slice(chunk, chunk + count);
			const size = own.reduce((sum, one) => sum + one, 0);
			if (job.isWhole && count > 0) await this.#chunks(job, own, bytes.subarray(at, at + size));
			chunk += count;
			at += size;
		};
		for (const step of batch.steps) {
			const { type, job } = step;
			if (type === 'chunk') await store(job, 1);
			else if (type === 'end') await this.#end(job, step.sha1, step.isWhole);
			else {
				const result = results[part++];
				assert(result !== undefined, 'every part has a result');
				job.input.told?.(result);
				if (result.chunkCount === 0) job.isWhole = false;
				await store(job, result.chunkCount);
				await this.#endPart(job, step.piece, result.sha1);
			}
		}
		const { byteLength } = bytes.buffer;
		const spare = this.#spare.get(byteLength) ?? [];
		this.#spare.set(byteLength, spare);
		spare.push(bytes.buffer);
	}

	/** Goes on with the hash of a resource, and ends it behind its last part. */
	async #endPart(job: Job, { start, size, keep }: IntakePiece, found: Sha1 | null): Promise<void> {
		if (keep !== null) {
			for (let at = 0; at < size && job.isWhole; at += HASH_STEP) {
				if (at > 0) await breathe(this.#run);
				job.hash?.update(keep.subarray(at, at + HASH_STEP));
			}
			this.#spareParts.push(keep.buffer);
		}
		if (start + size < job.input.size) return;
		const sha1 = job.hash?.digest('hex') ?? found ?? ZERO_SHA1;
		await this.#end(job, sha1, job.isWhole);
	}

	/** Stores neighbouring chunks of a resource. */
	async #chunks(job: Job, sizes: readonly number[], stored: Uint8Array): Promise<void> {
		if (job.start < 0) await this.#begin(job);
		const { layout, compression, chunkSize } = this.format;
		const isRaw = compression === 'none';
		if (layout !== 'pipable' || isRaw) await this.output.append(stored);
		else {
			let at = 0;
			for (const size of sizes) {
				const prefix = new Uint8Array(PREFIX_SIZE);
				new DataView(prefix.buffer).setUint32(0, size, true);
				await this.output.append(prefix);
				await this.output.append(stored.subarray(at, at + size));
				at += size;
			}
		}
		const done = isRaw ? 0 : job.sizes.length * chunkSize;
		for (const size of sizes) job.sizes.push(size);
		const bytes = isRaw ? stored.length : Math.min(sizes.length * chunkSize, job.input.size - done);
		this.#run.report({ type: 'advance', bytes });
	}

	/** Leaves room for what stands before the chunks. */
	async #begin(job: Job): Promise<void> {
		job.start = this.output.position;
		const { layout, chunkSize } = this.format;
		const { size } = job.input;
		if (layout === 'pipable') await this.output.append(pipableHeader(job.input, this.#flags(job)));
		else if (this.format.compression === 'none') return;
		else if (layout === 'solid')
			await this.output.append(new Uint8Array(SolidHeader.size + 4 * chunkCount(size, chunkSize)));
		else await this.output.append(new Uint8Array(chunkTableSize(size, chunkSize)));
	}

	#flags(job: Job): number {
		if (this.format.compression === 'none') return job.input.flags;
		const isSolid = this.format.layout === 'solid';
		return job.input.flags | (isSolid ? ResourceFlag.solid : ResourceFlag.compressed);
	}

	async #end(job: Job, sha1: Sha1, isWhole: boolean): Promise<void> {
		const { input } = job;
		if (!isWhole || job.start < 0) {
			if (job.start >= 0) this.output.rewind(job.start);
			input.settle(null, sha1);
			return;
		}
		this.#requireDigest(input, sha1);
		const isRaw = this.format.compression === 'none';
		const resource = isRaw ? await this.#endRaw(job, sha1) : await this.#endChunks(job, sha1);
		if (!input.settle(resource, sha1)) this.output.rewind(job.start);
	}

	async #endChunks(job: Job, sha1: Sha1): Promise<StoredResource> {
		const { input } = job;
		const { layout, chunkSize } = this.format;
		const stored = job.sizes.reduce((sum, size) => sum + size, 0);
		const tableSize = chunkTableSize(input.size, chunkSize);
		if (layout === 'solid') return await this.#endSolid(job, stored);
		if (layout === 'pipable') {
			await this.output.append(this.#table(job));
			await this.#pipableDigest(job, sha1);
			const offset = job.start + PipableHeader.size;
			return this.#resource(job, offset, stored + PREFIX_SIZE * job.sizes.length + tableSize);
		}
		if (tableSize + stored >= input.size) {
			await this.#makeRaw(job, tableSize);
			const { size, flags } = input;
			return { offset: job.start, storedSize: size, originalSize: size, flags };
		}
		if (tableSize > 0) await this.output.writeAt(job.start, this.#table(job));
		return this.#resource(job, job.start, tableSize + stored);
	}

	/** A stream has the promised digest in it already. */
	#requireDigest(input: NewResource, sha1: Sha1): void {
		if (this.output.canSeek || input.sha1 === sha1) return;
		throw new HostError(`Cannot write ${this.output.name}: a file changed while it was captured`, {
			path: this.output.name,
			hint: 'Capture to a file instead of a stream, or again when nothing changes.',
		});
	}

	#resource(job: Job, offset: number, storedSize: number): StoredResource {
		return { offset, storedSize, originalSize: job.input.size, flags: this.#flags(job) };
	}

	async #endSolid(job: Job, stored: number): Promise<StoredResource> {
		const { chunkSize, compression } = this.format;
		const size = SolidHeader.size + 4 * job.sizes.length;
		const head = new Uint8Array(size);
		const format = COMPRESSIONS.indexOf(compression);
		head.set(SolidHeader.encode({ originalSize: job.input.size, chunkSize, format }));
		const view = new DataView(head.buffer);
		for (const [k, chunk] of job.sizes.entries())
			view.setUint32(SolidHeader.size + 4 * k, chunk, true);
		await this.output.writeAt(job.start, head);
		return this.#resource(job, job.start, size + stored);
	}

	async #pipableDigest(job: Job, sha1: Sha1): Promise<void> {
		if (job.input.sha1 === sha1) return;
		await this.output.writeAt(job.start + PipableHeader.offsets.sha1, decodeHex(sha1));
	}

	/** The chunk table: where each chunk but the first begins. */
	#table(job: Job): Uint8Array {
		const width = entrySize(job.input.size);
		const table = new Uint8Array(chunkTableSize(job.input.size, this.format.chunkSize));
		const view = new DataView(table.buffer);
		let start = 0;
		for (let k = 0; k + 1 < job.sizes.length; k++) {
			start += job.sizes[k] ?? 0;
			if (width === 4) view.setUint32(4 * k, start, true);
			else view.setBigUint64(8 * k, BigInt(start), true);
		}
		return table;
	}

	/**
	 * Turns a resource that compression did not shrink into a raw one, front to back where it stands: what is still to
	 * be read never lies before what is written, since the savings so far are no more than the table.
	 */
	async #makeRaw(job: Job, tableSize: number): Promise<void> {
		const { size } = job.input;
		const { chunkSize, compression } = this.format;
		if (tableSize === 0 && job.sizes.length === 1) return;
		let from = job.start + tableSize;
		let to = job.start;
		for (const [k, storedSize] of job.sizes.entries()) {
			const originalSize = Math.min(chunkSize, size - k * chunkSize);
			const stored = new Uint8Array(storedSize);
			await this.output.readAt(from, stored);
			let original = stored;
			if (storedSize !== originalSize) {
				this.#decoder ??= new Decoder();
				this.#decoder.reserve(storedSize, originalSize);
				this.#decoder.input(storedSize).set(stored);
				original = this.#decoder
					.decode(compression, chunkSize, storedSize, originalSize)
					.slice() as Uint8Array<ArrayBuffer>;
			}
			await this.output.writeAt(to, original);
			from += storedSize;
			to += originalSize;
		}
		this.output.rewind(to);
	}

	/** Files without compression hold the bytes as they are. */
	async #endRaw(job: Job, sha1: Sha1): Promise<StoredResource> {
		const isPipable = this.format.layout === 'pipable';
		if (isPipable) await this.#pipableDigest(job, sha1);
		const { size, flags } = job.input;
		const offset = job.start + (isPipable ? PipableHeader.size : 0);
		return { offset, storedSize: size, originalSize: size, flags };
	}
}

/** What the bytes hashed to; without a hash, what was known before. */
function digest(hash: Hash | null, input: ResourceInput): Sha1 {
	if (hash !== null) return hash.digest('hex');
	assert(input.sha1 !== null, 'what was hashed before has a SHA-1');
	return input.sha1;
}

function pipableHeader(input: NewResource, flags: number): Uint8Array {
	return PipableHeader.encode({
		magic: PIPABLE_MAGIC,
		originalSize: input.size,
		sha1: input.sha1 === null ? new Uint8Array(20) : decodeHex(input.sha1),
		flags,
	});
}
