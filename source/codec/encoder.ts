import { memoryError, UnsupportedError } from '../base/errors.ts';
import { fromBase64 } from '../bytes/base64.ts';
import { type Compression, compressionName, isLegalChunkSize } from './compression.ts';
import { ENCODERS_MODULE } from './encoders-module.ts';

/**
 * Levels are the numbers of `TYPE:LEVEL`: 1 to 100, larger is smaller output and more work. Each codec maps
 * ranges of levels to its strategies; between these three named levels effort grows in steps.
 */
export const LEVEL_FAST = 20;
export const LEVEL_NORMAL = 50;
export const LEVEL_THOROUGH = 100;

/** The part of the encoding kernel that this file uses; sizes and addresses are in bytes. */
interface Kernel {
	readonly memory: WebAssembly.Memory;
	/** First byte that the kernel does not use itself. */
	areasStart(): number;
	/** How much room for tables, beyond its own, one chunk of this format needs. */
	workspaceSize(format: number, chunkSize: number, level: number): number;
	/** @returns the stored size, or 0 when that would not be less than `originalSize` */
	encode(
		format: number,
		chunkSize: number,
		level: number,
		input: number,
		originalSize: number,
		output: number,
		workspace: number,
	): number;
	/** LZMS in steps: `step` returns how many bytes are done, `finish` what `encode` does. */
	begin(
		level: number,
		input: number,
		originalSize: number,
		output: number,
		workspace: number,
	): void;
	step(bytes: number): number;
	finish(): number;
	/** Large LZMS chunks by two instances: see `lend`. Sizes of 0 say that this chunk needs one. */
	nearSize(level: number, originalSize: number): number;
	saveNear(): number;
	feed(): void;
	placeNear(level: number, input: number, originalSize: number, workspace: number): void;
	resumeNear(): void;
	packNear(): number;
	packedStart(): number;
	packedSize(): number;
}

const FORMATS: Readonly<Record<Compression, number>> = {
	none: 0,
	xpress: 1,
	lzx: 2,
	lzms: 3,
};
/** Returned by `workspaceSize` for a format that the kernel lacks. */
const NO_FORMAT = 0xffff_ffff;

/** Wide reads and copies of the kernel reach this many bytes beyond either end of an area. */
const SLACK = 64;
const PAGE = 65_536;
/** LZMS chunks above this size are encoded in steps of as many bytes, each of which takes some tenths of a second. */
const STEP = 1 << 20;

interface Steps {
	readonly output: number;
	readonly workspace: number;
	readonly between: (bytesDone: number) => void;
}

function nothing(): void {}

/** Brings packed matches; returns how many bytes, 0 when none come any more. */
export type FetchMatches = (into: Uint8Array) => number;

function noMatches(): number {
	return 0;
}

let compiled: WebAssembly.Module | null = null;

/**
 * One private instance of the encoding kernel: a lane owns one.
 *
 * What comes out is a pure function of the chunk, its format, chunk size and level; nothing is carried over from
 * one chunk to the next. Memory grows as needed and is given back only when the encoder itself is dropped.
 */
export class Encoder {
	readonly #kernel: Kernel;
	readonly #inputStart: number;
	#inputSize = 0;
	/** The LZMS chunk that is being encoded in steps. */
	#inSteps: { readonly level: number; readonly originalSize: number } | null = null;
	#fetch: FetchMatches = noMatches;

	/** The compiled kernel: made once per process, and cheap to hand to a worker by `workerData`. */
	static module(): WebAssembly.Module {
		compiled ??= new WebAssembly.Module(fromBase64(ENCODERS_MODULE));
		return compiled;
	}

	constructor(module: WebAssembly.Module = Encoder.module()) {
		const lane = { fetchMatches: () => this.#fetchMatches() };
		this.#kernel = new WebAssembly.Instance(module, { lane }).exports as unknown as Kernel;
		this.#inputStart = roundUp(this.#kernel.areasStart() + SLACK);
	}

	/**
	 * Where the original bytes of a chunk go: a view of `size` bytes, valid until the next call of any method. What
	 * was written there stays through `encode`, unchanged: ask again for a view to store the chunk raw.
	 *
	 * @throws {HostError} when this much memory cannot be had
	 */
	input(size: number): Uint8Array {
		this.#inputSize = Math.max(this.#inputSize, size);
		this.#ensure(this.#inputStart + size + SLACK);
		return new Uint8Array(this.#kernel.memory.buffer, this.#inputStart, size);
	}

	/**
	 * Encodes the first `originalSize` bytes of `input()`.
	 *
	 * @param chunkSize that of the resource; the last chunk may be smaller
	 * @param between called with the number of bytes done, several times a second while a large LZMS chunk is encoded (a
	 * solid one takes many seconds); what it throws gives the chunk up and is passed on
	 * @returns a view of the stored bytes, valid until the next call; null: store the chunk raw
	 * @throws {UnsupportedError} for a format or chunk size that cannot be written
	 * @throws {HostError} when the memory it needs cannot be had
	 */
	encode(
		compression: Compression,
		chunkSize: number,
		level: number,
		originalSize: number,
		between: (bytesDone: number) => void = nothing,
	): Uint8Array | null {
		const stored = this.#encodeOnce(compression, chunkSize, level, originalSize, between);
		if (compression !== 'xpress' || level <= LEVEL_NORMAL) return stored;
		// The thorough parse is only nearly optimal: on linear tables it loses to the usual one by some percent.
		const thorough = stored?.slice() ?? null;
		const usual = this.#encodeOnce(compression, chunkSize, LEVEL_NORMAL, originalSize, between);
		if (thorough === null || usual === null) return thorough ?? usual;
		return usual.length < thorough.length ? usual : thorough;
	}

	#encodeOnce(
		compression: Compression,
		chunkSize: number,
		level: number,
		originalSize: number,
		between: (bytesDone: number) => void,
	): Uint8Array | null {
		if (originalSize > this.#inputSize)
			throw new Error(`Chunk of ${originalSize} bytes was not put into the input area`);
		if (compression === 'none' || originalSize === 0) return null;
		if (!isLegalChunkSize(compression, chunkSize) || originalSize > chunkSize)
			throw new UnsupportedError(
				`Cannot encode ${compressionName(compression)} chunk of ${originalSize} bytes: chunk size ${chunkSize} does not fit`,
			);
		const format = FORMATS[compression];
		// The window of LZMS is the chunk itself, and solid chunks are often far smaller than they may be.
		const windowSize = compression === 'lzms' ? originalSize : chunkSize;
		const workspaceSize = this.#kernel.workspaceSize(format, windowSize, level) >>> 0;
		if (workspaceSize === NO_FORMAT)
			throw new UnsupportedError(
				`Cannot encode ${compressionName(compression)} chunks: the kernel does not write this format`,
			);
		const output = roundUp(this.#inputStart + this.#inputSize + SLACK);
		const workspace = roundUp(output + originalSize + SLACK);
		this.#ensure(workspace + workspaceSize + SLACK);
		const storedSize =
			compression === 'lzms' && originalSize > STEP
				? this.#encodeInSteps(level, originalSize, { output, workspace, between })
				: this.#kernel.encode(
						format,
						chunkSize,
						level,
						this.#inputStart,
						originalSize,
						output,
						workspace,
					);
		if (storedSize === 0) return null;
		return new Uint8Array(this.#kernel.memory.buffer, output, storedSize);
	}

	#encodeInSteps(level: number, originalSize: number, how: Steps): number {
		const kernel = this.#kernel;
		kernel.begin(level, this.#inputStart, originalSize, how.output, how.workspace);
		this.#inSteps = { level, originalSize };
		try {
			for (let done = 0; done < originalSize; ) {
				done = kernel.step(STEP);
				how.between(done);
			}
		} catch (error) {
			kernel.finish();
			throw error;
		} finally {
			this.#inSteps = null;
			this.#fetch = noMatches;
		}
		return kernel.finish();
	}

	/**
	 * What another instance needs to find the matches of the rest of the chunk that is being encoded, which takes more
	 * than half of the time. Only `between` may ask for it; the views are valid until it returns.
	 *
	 * @returns null where the chunk or its level has to be encoded by one
	 */
	lend(): readonly Uint8Array[] | null {
		const chunk = this.#inSteps;
		if (chunk === null) return null;
		const near = this.#kernel.saveNear();
		if (near === 0) return null;
		const nearSize = this.#kernel.nearSize(chunk.level, chunk.originalSize);
		return this.#views(chunk.originalSize, near, nearSize);
	}

	/**
	 * From now on, until the chunk ends, the other instance finds. Should it stop, this one does so again.
	 *
	 * @param fetch brings what its `findMatches` returned, one after the other
	 */
	feed(fetch: FetchMatches): void {
		this.#fetch = fetch;
		this.#kernel.feed();
	}

	/**
	 * Makes ready to find matches for another instance.
	 *
	 * @returns what is to be filled with the views of `lend`, before `findMatches`; null as there
	 * @throws {HostError} when the memory cannot be had
	 */
	borrow(level: number, originalSize: number): readonly Uint8Array[] | null {
		const nearSize = this.#kernel.nearSize(level, originalSize);
		if (nearSize === 0) return null;
		this.input(originalSize);
		const near = roundUp(this.#inputStart + this.#inputSize + SLACK);
		this.#ensure(near + nearSize + SLACK);
		this.#kernel.placeNear(level, this.#inputStart, originalSize, near);
		return this.#views(originalSize, near, nearSize);
	}

	/** Says that what `borrow` returned has been filled. */
	resume(): void {
		this.#kernel.resumeNear();
	}

	/** Finds and packs the next matches; none at the end of the chunk. The view is valid until the next call. */
	findMatches(): Uint8Array {
		const size = this.#kernel.packNear();
		return new Uint8Array(this.#kernel.memory.buffer, this.#kernel.packedStart(), size);
	}

	#views(originalSize: number, near: number, nearSize: number): readonly Uint8Array[] {
		const { buffer } = this.#kernel.memory;
		return [
			new Uint8Array(buffer, this.#inputStart, originalSize),
			new Uint8Array(buffer, near, nearSize),
		];
	}

	#fetchMatches(): number {
		const kernel = this.#kernel;
		const room = [kernel.packedStart(), kernel.packedSize()] as const;
		return this.#fetch(new Uint8Array(kernel.memory.buffer, ...room));
	}

	/** Encodes bytes from anywhere into a new array; null: store them raw. */
	encodeBytes(
		compression: Compression,
		chunkSize: number,
		level: number,
		original: Uint8Array,
	): Uint8Array | null {
		this.input(original.length).set(original);
		return this.encode(compression, chunkSize, level, original.length)?.slice() ?? null;
	}

	/** Bytes of memory that this encoder holds. */
	get memorySize(): number {
		return this.#kernel.memory.buffer.byteLength;
	}

	#ensure(end: number): void {
		const missing = Math.ceil((end - this.memorySize) / PAGE);
		if (missing <= 0) return;
		try {
			this.#kernel.memory.grow(missing);
		} catch (error) {
			throw memoryError('Cannot encode', end, error);
		}
	}
}

function roundUp(size: number): number {
	return Math.ceil(size / 64) * 64;
}
