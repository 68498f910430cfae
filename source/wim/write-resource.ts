/**
 * Writes resources: chunks are compressed in batches on all lanes, and what comes back is stored in order, so that the
 * bytes do not depend on the number of lanes (wim.md §2.2 to §2.5, §7).
 */
import type { Hash } from 'node:crypto';
import { assert, HostError } from '../base/errors.ts';
import { breathe, type Run } from '../base/run.ts';
import { decodeHex } from '../bytes/hex.ts';
import { type Sha1, sha1Hasher } from '../bytes/sha1.ts';
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
import type { Output } from '../storage/output.ts';
import { ResourceFlag } from './part-header.ts';
import type { ResourceLayout } from './resource.ts';

/** Least bytes of a batch; larger chunks come one by one. */
const BATCH_SIZE = 1 << 19;
/** With chunks from this size on, only one batch a lane is in flight. */
const LARGE_CHUNK = 1 << 23;
/** Raw resources move in pieces of this size. */
const RAW_PIECE = 1 << 20;

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

/** The original bytes of one resource, handed over piece by piece. */
export interface ResourceInput {
	/** Exactly so many bytes will be asked for. */
	readonly size: number;
	/** `ResourceFlag.metadata`, or 0. */
	readonly flags: number;
	/** What the bytes should hash to; null when it is not known yet. Streams that cannot seek need it. */
	readonly sha1: Sha1 | null;
	/** Whether `sha1` was taken of the very bytes that `fill` hands over, so that nobody need hash them again. */
	readonly isHashed: boolean;
	/** Fills all of `into` with the next bytes; false when there are no more, which gives the resource up. */
	fill(into: Uint8Array): boolean | Promise<boolean>;
	/**
	 * Told, in the order in which resources were added, where the resource is stored and what its bytes hash to; null
	 * when it was given up. False takes the resource back.
	 */
	settle(stored: StoredResource | null, sha1: Sha1): boolean;
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
	readonly input: ResourceInput;
	/** Where its pipable header or its first byte is; set when its first chunk is stored. */
	start: number;
	/** Stored sizes of the chunks so far. */
	readonly sizes: number[];
}

/** What happens, in order, when a batch comes back: a chunk of a resource is stored, or a resource ends. */
type Step =
	| { readonly type: 'chunk'; readonly job: Job }
	| { readonly type: 'end'; readonly job: Job; readonly sha1: Sha1; readonly isWhole: boolean };

interface Batch {
	/** Of its buffer, all. */
	readonly bytes: Uint8Array<ArrayBuffer>;
	used: number;
	readonly sizes: number[];
	readonly steps: Step[];
}

interface Flight {
	readonly reply: Promise<EncodeReply>;
	readonly steps: readonly Step[];
}

export class ResourceWriter {
	readonly output: Output;
	readonly format: ResourceFormat;
	readonly #encoder: ChunkEncoder;
	readonly #run: Run;
	readonly #flights: Flight[] = [];
	readonly #flightsMax: number;
	/** Buffers of batches that came back: new ones would be cleared, and collected, again and again. */
	#spare: ArrayBuffer[] = [];
	#piece: Uint8Array | null = null;
	#batch: Batch | null = null;
	#decoder: Decoder | null = null;

	constructor(output: Output, format: ResourceFormat, encoder: ChunkEncoder, run: Run) {
		this.output = output;
		this.format = format;
		this.#encoder = encoder;
		this.#run = run;
		this.#flightsMax = encoder.lanes * (format.chunkSize >= LARGE_CHUNK ? 1 : 2);
	}

	/** Reads a resource to its end. It is settled later, at the latest by `finish`. */
	async add(input: ResourceInput): Promise<void> {
		if (this.format.compression === 'none') return this.#addRaw(input);
		const job: Job = { input, start: -1, sizes: [] };
		const hash = input.isHashed ? null : sha1Hasher();
		const { chunkSize } = this.format;
		let isWhole = true;
		for (let at = 0; at < input.size && isWhole; at += chunkSize) {
			const size = Math.min(chunkSize, input.size - at);
			const batch = await this.#room(size);
			const view = batch.bytes.subarray(batch.used, batch.used + size);
			isWhole = await input.fill(view);
			if (!isWhole) break;
			hash?.update(view);
			batch.used += size;
			batch.sizes.push(size);
			batch.steps.push({ type: 'chunk', job });
		}
		const batch = this.#batch ?? this.#newBatch(0);
		batch.steps.push({ type: 'end', job, sha1: digest(hash, input), isWhole });
	}

	/** Stores and settles everything that was added. */
	async finish(): Promise<void> {
		this.#dispatch();
		while (this.#flights.length > 0) await this.#land();
		this.#spare = [];
	}

	/** The current batch, with room for so many bytes more. */
	async #room(size: number): Promise<Batch> {
		if (this.#batch !== null && this.#batch.used + size <= this.#batch.bytes.length)
			return this.#batch;
		this.#dispatch();
		while (this.#flights.length > this.#flightsMax) await this.#land();
		await breathe(this.#run);
		return this.#newBatch(Math.max(size, this.format.chunkSize, BATCH_SIZE));
	}

	#newBatch(capacity: number): Batch {
		const spare = this.#spare.pop();
		const isFit = spare !== undefined && spare.byteLength >= capacity;
		const bytes = new Uint8Array(isFit ? spare : new ArrayBuffer(capacity));
		this.#batch = { bytes, used: 0, sizes: [], steps: [] };
		return this.#batch;
	}

	#dispatch(): void {
		const batch = this.#batch;
		if (batch === null) return;
		this.#batch = null;
		const { compression, chunkSize, level } = this.format;
		const reply =
			batch.sizes.length === 0
				? Promise.resolve({ bytes: batch.bytes, sizes: [] })
				: this.#encoder.encode(
						{
							compression,
							chunkSize,
							level,
							bytes: batch.bytes.subarray(0, batch.used),
							sizes: batch.sizes,
						},
						this.#run.signal,
					);
		// It is awaited when its turn comes; until then a failure must not count as unhandled.
		reply.catch(() => {});
		this.#flights.push({ reply, steps: batch.steps });
	}

	/** Stores what the oldest batch brought back. */
	async #land(): Promise<void> {
		const flight = this.#flights.shift();
		if (flight === undefined) return;
		const { bytes, sizes } = await flight.reply;
		let chunk = 0;
		let at = 0;
		for (const step of flight.steps) {
			if (step.type === 'end') await this.#end(step.job, step.sha1, step.isWhole);
			else {
				const size = sizes[chunk++] ?? 0;
				await this.#chunk(step.job, bytes.subarray(at, at + size));
				at += size;
			}
		}
		this.#spare.push(bytes.buffer);
	}

	async #chunk(job: Job, stored: Uint8Array): Promise<void> {
		if (job.start < 0) await this.#begin(job);
		if (this.format.layout === 'pipable') {
			const prefix = new Uint8Array(PREFIX_SIZE);
			new DataView(prefix.buffer).setUint32(0, stored.length, true);
			await this.output.append(prefix);
		}
		await this.output.append(stored);
		job.sizes.push(stored.length);
		const { chunkSize } = this.format;
		const done = job.sizes.length * chunkSize;
		const bytes = Math.min(chunkSize, job.input.size - done + chunkSize);
		this.#run.report({ type: 'advance', bytes });
	}

	/** Leaves room for what stands before the chunks. */
	async #begin(job: Job): Promise<void> {
		job.start = this.output.position;
		const { layout, chunkSize } = this.format;
		const { size } = job.input;
		if (layout === 'pipable') await this.output.append(pipableHeader(job.input, this.#flags(job)));
		else if (layout === 'solid')
			await this.output.append(new Uint8Array(SolidHeader.size + 4 * chunkCount(size, chunkSize)));
		else await this.output.append(new Uint8Array(chunkTableSize(size, chunkSize)));
	}

	#flags(job: Job): number {
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
		const { layout } = this.format;
		const { chunkSize } = this.format;
		const stored = job.sizes.reduce((sum, size) => sum + size, 0);
		const tableSize = chunkTableSize(input.size, chunkSize);
		let resource: StoredResource;
		if (layout === 'solid') resource = await this.#endSolid(job, stored);
		else if (layout === 'pipable') {
			await this.output.append(this.#table(job));
			await this.#pipableDigest(job, sha1);
			const offset = job.start + PipableHeader.size;
			resource = this.#resource(job, offset, stored + PREFIX_SIZE * job.sizes.length + tableSize);
		} else if (tableSize + stored >= input.size) {
			await this.#makeRaw(job, tableSize);
			const flags = input.flags;
			resource = { offset: job.start, storedSize: input.size, originalSize: input.size, flags };
		} else {
			if (tableSize > 0) await this.output.writeAt(job.start, this.#table(job));
			resource = this.#resource(job, job.start, tableSize + stored);
		}
		if (!input.settle(resource, sha1)) this.output.rewind(job.start);
	}

	/** A stream has the promised digest in it already. */
	#requireDigest(input: ResourceInput, sha1: Sha1): void {
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

	/** Files without compression: the bytes as they are. */
	async #addRaw(input: ResourceInput): Promise<void> {
		const start = this.output.position;
		const isPipable = this.format.layout === 'pipable';
		if (isPipable) await this.output.append(pipableHeader(input, input.flags));
		const offset = this.output.position;
		const hash = input.isHashed ? null : sha1Hasher();
		let isWhole = true;
		this.#piece ??= new Uint8Array(RAW_PIECE);
		for (let at = 0; at < input.size && isWhole; at += RAW_PIECE) {
			const piece = this.#piece.subarray(0, Math.min(RAW_PIECE, input.size - at));
			isWhole = await input.fill(piece);
			if (!isWhole) break;
			hash?.update(piece);
			await this.output.append(piece);
			this.#run.report({ type: 'advance', bytes: piece.length });
			if (at + RAW_PIECE < input.size) await breathe(this.#run);
		}
		const sha1 = digest(hash, input);
		if (isWhole) {
			this.#requireDigest(input, sha1);
			if (isPipable && input.sha1 !== sha1)
				await this.output.writeAt(start + PipableHeader.offsets.sha1, decodeHex(sha1));
		}
		const { size, flags } = input;
		const resource = { offset, storedSize: size, originalSize: size, flags };
		if (!input.settle(isWhole ? resource : null, sha1)) this.output.rewind(start);
	}
}

/** What the bytes hashed to; without a hash, what was known before. */
function digest(hash: Hash | null, input: ResourceInput): Sha1 {
	if (hash !== null) return hash.digest('hex');
	assert(input.sha1 !== null, 'what was hashed before has a SHA-1');
	return input.sha1;
}

function pipableHeader(input: ResourceInput, flags: number): Uint8Array {
	return PipableHeader.encode({
		magic: PIPABLE_MAGIC,
		originalSize: input.size,
		sha1: input.sha1 === null ? new Uint8Array(20) : decodeHex(input.sha1),
		flags,
	});
}
