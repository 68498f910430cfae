/** What `kernel/decoders.ts` offers, and the windows that it reads a large chunk through. */

export interface DecoderKernel {
	/** Shared, so that other lanes can look into it. */
	readonly memory: { readonly buffer: SharedArrayBuffer; grow(pages: number): number };
	/** First byte that the kernel does not use itself. */
	areasStart(): number;
	/** Returns 0 or a position in `REASONS`. */
	decode(
		format: number,
		chunkSize: number,
		input: number,
		storedSize: number,
		output: number,
		originalSize: number,
		neededSize: number,
	): number;
	consumedFront(): number;
	consumedBack(): number;
	decodedBefore(): number;
	/** As `decode` for LZMS; may also return `MORE`. */
	decodeWindows(
		storedSize: number,
		front: number,
		frontSize: number,
		back: number,
		backSize: number,
		output: number,
		originalSize: number,
		neededSize: number,
	): number;
	decodeOn(): number;
	abandon(): void;
	frontAt(): number;
	frontIsDue(): number;
	frontWindow(address: number, from: number, size: number): void;
	backAt(): number;
	backIsDue(): number;
	backWindow(address: number, from: number, size: number): void;
}

/** Returned by the kernel: the chunk is whole. */
export const DONE = 0;
/** Returned by the kernel: a reader came near the end of its window, or some time has passed. */
const MORE = 15;

/** Zeros that the kernel wants around the stored bytes of a chunk; its wide copies reach no further, either. */
export const SLACK = 64;

/** Where a chunk comes out. */
interface Output {
	/** An address. */
	readonly at: number;
	readonly originalSize: number;
	readonly neededSize: number;
}

/** Reads some of the stored bytes of a chunk, `offset` from its start: exactly as many as there is room for, or it throws. */
export type ReadStored = (offset: number, into: Uint8Array<SharedArrayBuffer>) => void;

/** What is in memory of a large LZMS chunk: a window around the reader from its front, and one before that from its back. */
export class Windows {
	readonly #kernel: DecoderKernel;
	readonly #storedSize: number;
	readonly #size: number;
	readonly #read: ReadStored;
	/** With the zeros around it. */
	readonly #front: Uint8Array<SharedArrayBuffer>;
	readonly #back: Uint8Array<SharedArrayBuffer>;

	/**
	 * @param area room for both, with zeros around each
	 * @param size of one, in bytes; twice what the kernel leaves before its end, or more
	 */
	constructor(
		kernel: DecoderKernel,
		area: Uint8Array<SharedArrayBuffer>,
		storedSize: number,
		size: number,
		read: ReadStored,
	) {
		this.#kernel = kernel;
		this.#storedSize = storedSize;
		this.#size = Math.min(size, storedSize);
		this.#read = read;
		this.#front = area.subarray(0, size + SLACK);
		this.#back = area.subarray(size + SLACK, 2 * (size + SLACK));
	}

	/** Reads both ends of the chunk: the back first, which shows whether the file holds all of it. */
	fill(): void {
		this.#readBack(this.#storedSize);
		this.#readFront(0);
	}

	/** Decodes the chunk, as far as it is whole. @returns what the kernel said at last */
	decode({ at, originalSize, neededSize }: Output): number {
		const kernel = this.#kernel;
		let code = kernel.decodeWindows(
			this.#storedSize,
			this.#front.byteOffset,
			this.#size,
			this.#back.byteOffset + SLACK,
			this.#size,
			at,
			originalSize,
			neededSize,
		);
		while (code === MORE) {
			try {
				this.#move();
			} catch (error) {
				kernel.abandon();
				throw error;
			}
			code = kernel.decodeOn();
		}
		return code;
	}

	#move(): void {
		const kernel = this.#kernel;
		if (kernel.frontIsDue()) {
			const from = kernel.frontAt();
			const size = this.#readFront(from);
			kernel.frontWindow(this.#front.byteOffset, from, size);
		}
		if (kernel.backIsDue()) {
			const end = kernel.backAt();
			const size = this.#readBack(end);
			kernel.backWindow(this.#back.byteOffset + SLACK, end - size, size);
		}
	}

	/** @returns how many bytes there are from there on */
	#readFront(from: number): number {
		const size = Math.min(this.#size, this.#storedSize - from);
		this.#read(from, this.#front.subarray(0, size));
		if (from + size === this.#storedSize) this.#front.fill(0, size, size + SLACK);
		return size;
	}

	/** @returns how many bytes there are up to there */
	#readBack(end: number): number {
		const size = Math.min(this.#size, end);
		this.#read(end - size, this.#back.subarray(SLACK, SLACK + size));
		if (size === end) this.#back.fill(0, 0, SLACK);
		return size;
	}
}
