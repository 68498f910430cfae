/**
 * Files that were transferred as text: a carriage return was put before every line feed, and each of them can be taken
 * out again, since no line feed is without one.
 */
import type { SharedSource, Source } from './source.ts';

const RETURN = 0x0d;
const LINE_FEED = 0x0a;

/** So many bytes of the file as it is have one entry in the index. */
const BLOCK_SIZE = 1 << 14;

/** Where the bytes of a file stand that was transferred as text. */
export interface TextModeIndex {
	/** For each block of the file as it is: how many bytes the original has before it. */
	readonly starts: Float64Array<SharedArrayBuffer>;
	/** Of the original. */
	readonly size: number;
}

/** Counts what was put in, from bytes given in order. */
export class TextModeIndexer {
	readonly #starts: Float64Array<SharedArrayBuffer>;
	readonly #size: number;
	#at = 0;
	#dropped = 0;

	/** @param size of the file as it is */
	constructor(size: number) {
		this.#size = size;
		const count = Math.ceil(size / BLOCK_SIZE);
		this.#starts = new Float64Array(new SharedArrayBuffer(8 * count));
	}

	/** @param next the byte behind these; -1 at the end of the file */
	add(bytes: Uint8Array, next: number): void {
		for (let at = 0; at < bytes.length; ) {
			const position = this.#at + at;
			if (position % BLOCK_SIZE === 0)
				this.#starts[position / BLOCK_SIZE] = position - this.#dropped;
			const end = Math.min(bytes.length, at + BLOCK_SIZE - (position % BLOCK_SIZE));
			for (
				let found = bytes.indexOf(RETURN, at);
				found >= 0 && found < end;
				found = bytes.indexOf(RETURN, found + 1)
			)
				if ((bytes[found + 1] ?? next) === LINE_FEED) this.#dropped++;
			at = end;
		}
		this.#at += bytes.length;
	}

	index(): TextModeIndex {
		return { starts: this.#starts, size: this.#size - this.#dropped };
	}
}

/** One read takes no more than this. */
const READ_SIZE_MAX = 1 << 20;

/**
 * Restores bytes of the original.
 *
 * @yields what to read of the file as it is; wants the bytes, fewer only at the end
 * @returns how many bytes of `into` there were
 */
export function* restoreText(
	{ starts, size }: TextModeIndex,
	offset: number,
	into: Uint8Array,
): Generator<{ readonly offset: number; readonly size: number }, number, Uint8Array> {
	const block = blockOf(starts, offset);
	let at = block * BLOCK_SIZE;
	let skip = offset - (starts[block] ?? 0);
	let done = 0;
	const count = Math.min(into.length, Math.max(0, size - offset));
	while (done < count) {
		// One line feed in 128 bytes, and the byte behind.
		const wanted = count - done + skip;
		const bytes = yield { offset: at, size: Math.min(READ_SIZE_MAX, wanted + (wanted >> 7) + 64) };
		if (bytes.length === 0) break;
		// Whether a last carriage return stays is told by the byte behind.
		const isPending = bytes.length > 1 && bytes[bytes.length - 1] === RETURN;
		const end = isPending ? bytes.length - 1 : bytes.length;
		for (let k = 0; k < end; ) {
			let next = bytes.indexOf(RETURN, k);
			if (next < 0 || next > end) next = end;
			const isDropped = bytes[next] === RETURN && bytes[next + 1] === LINE_FEED;
			const stop = next < end && !isDropped ? next + 1 : next;
			const part = bytes.subarray(k + Math.min(skip, stop - k), stop);
			skip -= stop - k - part.length;
			into.set(part.subarray(0, count - done), done);
			done += Math.min(part.length, count - done);
			k = isDropped ? next + 1 : stop;
		}
		at += end;
	}
	return done;
}

/** The last block that begins at or before an offset of the original. */
function blockOf(starts: Float64Array, offset: number): number {
	let low = 0;
	let high = starts.length;
	while (low + 1 < high) {
		const middle = (low + high) >> 1;
		if ((starts[middle] ?? 0) <= offset) low = middle;
		else high = middle;
	}
	return low;
}

/** A file as it was before it was transferred as text. It owns the source below. */
export class TextModeSource implements Source {
	readonly name: string;
	readonly size: number;
	readonly #base: Source;
	readonly #index: TextModeIndex;

	constructor(base: Source, index: TextModeIndex) {
		this.name = base.name;
		this.size = index.size;
		this.#base = base;
		this.#index = index;
	}

	async read(offset: number, into: Uint8Array): Promise<number> {
		const steps = restoreText(this.#index, offset, into);
		let step = steps.next();
		while (step.done !== true) {
			const bytes = new Uint8Array(step.value.size);
			const count = await this.#base.read(step.value.offset, bytes);
			step = steps.next(bytes.subarray(0, count));
		}
		return step.value;
	}

	share(): SharedSource | null {
		const base = this.#base.share();
		return base && { kind: 'text-mode', base, index: this.#index, name: this.name };
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.#base[Symbol.asyncDispose]();
	}
}
