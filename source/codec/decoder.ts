import { FormatError, memoryError } from '../base/errors.ts';
import { fromBase64 } from '../bytes/base64.ts';
import { type Compression, compressionName, isLegalChunkSize } from './compression.ts';
import { type DecoderKernel, DONE, type ReadStored, SLACK, Windows } from './decoder-kernel.ts';
import { DECODERS_MODULE } from './decoders-module.ts';

/** Where one chunk lies in the two areas of a `Decoder`, in bytes. */
export interface ChunkPlace {
	/** From the start of `inputBytes`. */
	readonly inputAt: number;
	readonly storedSize: number;
	/** From the start of `outputBytes`. */
	readonly outputAt: number;
	readonly originalSize: number;
	/** If given: so many original bytes are enough, and what follows them may be anything; damage there does not show. */
	readonly neededSize?: number;
}

/** How much of its stored bytes the last decoded chunk used, in bytes. */
export interface Consumed {
	/** What the decoder read from the front: for XPRESS and LZX the stored size that the data itself implies. */
	readonly front: number;
	/** Where the reader from the back (LZMS) stopped; for the others equal to the stored size. */
	readonly back: number;
}

/** Between the two readers of an LZMS chunk lies one word at most when they meet. */
const MEETING_DISTANCE_MAX = 2;

/** Whether a chunk took all of its stored bytes, as all known writers make them: else it most likely ends elsewhere. */
export function tookAll(compression: Compression, { front, back }: Consumed): boolean {
	const left = back - front;
	return left >= 0 && left <= (compression === 'lzms' ? MEETING_DISTANCE_MAX : 0);
}

/** What the codes that the kernel returns mean; `kernel/reasons.ts` has the same list. */
const REASONS: readonly string[] = [
	'',
	'the data ends too early',
	'a match begins before the chunk',
	'a match reaches past the end of the chunk',
	'a Huffman code is not complete',
	'a symbol without a codeword occurs',
	'a match length is stored in a longer form than it needs',
	'the type of a block is not known',
	'a block is empty or reaches past the end of the chunk',
	'a match reaches past the end of its block',
	'the list of code lengths is broken',
	'a recent offset is zero or larger than the window',
	'its stored size is odd or too small',
	'the distance of a delta match is too large',
];

const FORMATS: Readonly<Record<Compression, number>> = {
	none: 0,
	xpress: 1,
	lzx: 2,
	lzms: 3,
};

const PAGE = 65_536;
/** Wide copies of matches end so many bytes behind what they say at most. */
const TOUCHED_BEHIND = 4096;

/** What is in memory of a large chunk around either of its readers, in bytes. */
const WINDOW_SIZE = (512 << 10) - SLACK;
/** What the input area must hold for both. */
export const WINDOWS_SIZE = 2 * (WINDOW_SIZE + SLACK);

/** Instead of what the kernel returns: stored bytes could not be had. */
const ABANDONED = -1;

/** Where a chunk comes out whose stored bytes are read as they are wanted. */
export type StreamedChunk = Omit<ChunkPlace, 'inputAt'>;

let compiled: WebAssembly.Module | null = null;

/**
 * One private instance of the decoding kernel: a lane owns one.
 *
 * It has two areas, one for stored bytes and one for decoded ones, both views of kernel memory: a file is read
 * straight into the first, and the second is hashed or written without a copy, by other threads, too. Memory grows as needed and is given
 * back only when the decoder itself is dropped.
 */
export class Decoder {
	readonly #kernel: DecoderKernel;
	#inputStart = 0;
	#inputSize = 0;
	#outputStart = 0;
	#outputSize = 0;
	#inputView: Uint8Array<SharedArrayBuffer> | null = null;
	#outputView: Uint8Array<SharedArrayBuffer> | null = null;
	/** Of the last chunk that is broken: how many of its bytes were decoded before that showed, and how many changed. */
	#decoded = 0;
	#touched = 0;
	/** Up to where the output area was ever written, in bytes from its start. */

	/** The compiled kernel: made once per process, and cheap to hand to a worker by `workerData`. */
	static module(): WebAssembly.Module {
		compiled ??= new WebAssembly.Module(fromBase64(DECODERS_MODULE));
		return compiled;
	}

	constructor(module: WebAssembly.Module = Decoder.module()) {
		this.#kernel = new WebAssembly.Instance(module).exports as unknown as DecoderKernel;
		this.reserve(0, 0);
	}

	/**
	 * Makes both areas at least this large. What they held is lost, and so are older views of them.
	 *
	 * @throws {HostError} when this much memory cannot be had
	 */
	reserve(inputSize: number, outputSize: number): void {
		if (inputSize <= this.#inputSize && outputSize <= this.#outputSize && this.#inputStart > 0)
			return;
		const inputRoom = roundUp(Math.max(inputSize, this.#inputSize));
		const outputRoom = roundUp(Math.max(outputSize, this.#outputSize));
		const inputStart = roundUp(this.#kernel.areasStart() + SLACK);
		const outputStart = inputStart + inputRoom + SLACK;
		const end = outputStart + outputRoom + SLACK;
		const missing = Math.ceil((end - this.#kernel.memory.buffer.byteLength) / PAGE);
		if (missing > 0) grow(this.#kernel.memory, missing, end);
		this.#inputStart = inputStart;
		this.#inputSize = inputRoom;
		this.#outputStart = outputStart;
		this.#outputSize = outputRoom;
		this.#inputView = null;
		this.#outputView = null;
	}

	/** The area for stored bytes; valid until the next `reserve` or `input`. */
	get inputBytes(): Uint8Array<SharedArrayBuffer> {
		this.#inputView ??= new Uint8Array(
			this.#kernel.memory.buffer,
			this.#inputStart,
			this.#inputSize,
		);
		return this.#inputView;
	}

	/** The area for decoded bytes; valid until the next `reserve` or `input`. */
	get outputBytes(): Uint8Array<SharedArrayBuffer> {
		this.#outputView ??= new Uint8Array(
			this.#kernel.memory.buffer,
			this.#outputStart,
			this.#outputSize,
		);
		return this.#outputView;
	}

	/**
	 * Decodes one chunk from the input area into the output area. Chunks may lie back to back in both and come in
	 * any order: nothing outside the two given stretches changes. A chunk whose sizes are equal is stored raw and
	 * gets copied.
	 *
	 * @param chunkSize that of the resource; the last chunk may be smaller
	 * @throws {FormatError} with the reason; the output stretch is then undefined
	 */
	decodeAt(compression: Compression, chunkSize: number, place: ChunkPlace): void {
		const { inputAt, storedSize, outputAt, originalSize } = place;
		if (inputAt < 0 || inputAt + storedSize > this.#inputSize)
			throw new Error(`Chunk at ${inputAt} lies outside the input area`);
		if (outputAt < 0 || outputAt + originalSize > this.#outputSize)
			throw new Error(`Chunk at ${outputAt} lies outside the output area`);
		const why = refusal(compression, chunkSize, storedSize, originalSize);
		this.#noteBroken(0, 0);
		if (why !== null) throw failure(compression, why);
		if (storedSize === originalSize) {
			this.outputBytes.set(this.inputBytes.subarray(inputAt, inputAt + storedSize), outputAt);
			return;
		}
		const code = this.#kernel.decode(
			FORMATS[compression],
			chunkSize,
			this.#inputStart + inputAt,
			storedSize,
			this.#outputStart + outputAt,
			originalSize,
			Math.min(originalSize, place.neededSize ?? originalSize),
		);
		this.#note(compression, code, originalSize);
		if (code !== DONE) throw broken(compression, code);
	}

	/**
	 * Decodes an LZMS chunk into the output area, of which no more than two windows are in the input area at once: a large
	 * one is read from its front and from its back. What the input area held is lost.
	 *
	 * @param read may throw: then `lastDecoded` tells how far the chunk is right, and the error goes on
	 * @throws {FormatError} as `decodeAt`
	 */
	decodeStreamed(
		chunkSize: number,
		{ storedSize, outputAt, originalSize, neededSize = originalSize }: StreamedChunk,
		read: ReadStored,
		windowSize = WINDOW_SIZE,
	): void {
		this.reserve(2 * (windowSize + SLACK), 0);
		if (outputAt < 0 || outputAt + originalSize > this.#outputSize)
			throw new Error(`Chunk at ${outputAt} lies outside the output area`);
		const why = refusal('lzms', chunkSize, storedSize, originalSize);
		this.#noteBroken(0, 0);
		if (why !== null) throw failure('lzms', why);
		if (storedSize === originalSize) {
			this.#noteBroken(0, originalSize);
			read(0, this.outputBytes.subarray(outputAt, outputAt + originalSize));
			return;
		}
		const windows = new Windows(this.#kernel, this.inputBytes, storedSize, windowSize, read);
		windows.fill();
		let code = ABANDONED;
		try {
			code = windows.decode({
				at: this.#outputStart + outputAt,
				originalSize,
				neededSize: Math.min(originalSize, neededSize),
			});
		} finally {
			this.#note('lzms', code, originalSize);
		}
		if (code !== DONE) throw broken('lzms', code);
	}

	/**
	 * Where the stored bytes of a single chunk go: exactly `size` bytes, valid until the next call of `input` or
	 * `reserve`.
	 */
	input(size: number): Uint8Array {
		this.reserve(size, 0);
		return this.inputBytes.subarray(0, size);
	}

	/**
	 * Decodes the first `storedSize` bytes of the input area.
	 *
	 * @param neededSize so many original bytes are enough: what follows them in the view may be anything
	 * @returns a view of the output area, valid until the next call of any method that reserves or decodes
	 * @throws {FormatError} with the reason
	 */
	decode(
		compression: Compression,
		chunkSize: number,
		storedSize: number,
		originalSize: number,
		neededSize = originalSize,
	): Uint8Array {
		if (originalSize > this.#outputSize) this.#growOutput(storedSize, originalSize);
		this.decodeAt(compression, chunkSize, {
			inputAt: 0,
			storedSize,
			outputAt: 0,
			originalSize,
			neededSize,
		});
		return this.outputBytes.subarray(0, originalSize);
	}

	/** Decodes bytes from anywhere into a new array. */
	decodeBytes(
		compression: Compression,
		chunkSize: number,
		stored: Uint8Array,
		originalSize: number,
	): Uint8Array {
		this.reserve(stored.length, originalSize);
		this.inputBytes.set(stored);
		return this.decode(compression, chunkSize, stored.length, originalSize).slice();
	}

	/** How much of its stored bytes the last chunk used that was decoded without error and not raw. */
	lastConsumed(): Consumed {
		return {
			front: this.#kernel.consumedFront(),
			back: this.#kernel.consumedBack(),
		};
	}

	/**
	 * How many bytes of the last chunk, which is broken, were decoded before that showed: some of them are right, from the
	 * first one on. 0 where that is not known.
	 */
	get lastDecoded(): number {
		return this.#decoded;
	}

	/** The output area is as it was before the last chunk, which is broken, from so many bytes behind its start on. */
	get lastTouched(): number {
		return this.#touched;
	}

	#note(compression: Compression, code: number, originalSize: number): void {
		const decoded = this.#kernel.decodedBefore();
		const touched =
			compression === 'lzms' && code !== DONE
				? Math.min(originalSize, decoded + TOUCHED_BEHIND)
				: originalSize;
		this.#noteBroken(decoded, touched);
	}

	#noteBroken(decoded: number, touched: number): void {
		this.#decoded = decoded;
		this.#touched = touched;
	}

	/** Bytes of memory that this decoder holds, whether the machine had to give them yet or not. */
	get memorySize(): number {
		return this.#kernel.memory.buffer.byteLength;
	}

	/** The input area lies below the output area and stays where it is, so its bytes survive. */
	#growOutput(storedSize: number, originalSize: number): void {
		assertInside(storedSize, this.#inputSize);
		this.reserve(this.#inputSize, originalSize);
	}
}

function assertInside(size: number, room: number): void {
	if (size > room) throw new Error(`${size} stored bytes do not lie in the input area`);
}

/** Why a chunk cannot be decoded at all, whatever its bytes are. */
function refusal(
	compression: Compression,
	chunkSize: number,
	storedSize: number,
	originalSize: number,
): string | null {
	if (!(storedSize > 0)) return 'its stored size is 0';
	if (storedSize > originalSize)
		return `its stored size (${storedSize}) is larger than its original size (${originalSize})`;
	if (storedSize === originalSize) return null;
	if (compression === 'none') return `it has ${storedSize} bytes, expected ${originalSize}`;
	if (!isLegalChunkSize(compression, chunkSize)) return `${chunkSize} is no chunk size`;
	if (originalSize > chunkSize)
		return `its original size (${originalSize}) is larger than the chunk size (${chunkSize})`;
	return null;
}

function broken(compression: Compression, code: number): FormatError {
	return failure(compression, REASONS[code] ?? `unknown reason ${code}`);
}

function failure(compression: Compression, why: string): FormatError {
	const name = compression === 'none' ? 'raw' : compressionName(compression);
	return new FormatError(`Cannot decode ${name} chunk: ${why}`);
}

function grow(memory: DecoderKernel['memory'], pages: number, wanted: number): void {
	try {
		memory.grow(pages);
	} catch (error) {
		throw memoryError('Cannot decode', wanted, error);
	}
}

function roundUp(size: number): number {
	return Math.ceil(size / 64) * 64;
}
