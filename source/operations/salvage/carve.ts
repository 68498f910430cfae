/**
 * Cuts bytes of which nobody knows what they are into the contents that show themselves: those whose format says how long
 * they are (wim.md §13.4 D). Contents lie back to back, so where one ends that is known, another begins.
 */
import { breathe, type Run } from '../../base/run.ts';
import { formatSizes, isFormatStart } from '../../pool/search/formats.ts';
import type { Stretch } from '../../pool/search/found.ts';
import type { Source } from '../../storage/source.ts';

/** One piece of a stretch. */
export interface CarvedPiece extends Stretch {
	/** It is as long as its format says, and other contents follow; else it may be several contents, or a part of one. */
	readonly isSized: boolean;
}

/** Bytes that are looked at together; formats that tell their sizes farther away are not asked. */
const BUFFER_SIZE = 16 << 20;

/** Headers of formats lie in so many bytes. */
const HEAD_SIZE = 4096;

/** Bytes that are looked through between two turns of the event loop. */
const STEP_SIZE = 1 << 20;

/** Shorter contents tell too little. */
const SIZE_LEAST = 64;

/** @returns pieces that cover the stretch, in order */
export async function carve(source: Source, stretch: Stretch, run: Run): Promise<CarvedPiece[]> {
	const carver = new Carver(source, stretch.end);
	const pieces: CarvedPiece[] = [];
	let open = stretch.start;
	for (let at = stretch.start; at < stretch.end; ) {
		await breathe(run);
		await carver.load(at);
		const size = await carver.sizeAt(at);
		if (size === 0) {
			at = await carver.nextChain(at + 1, run);
			continue;
		}
		if (open < at) pieces.push({ start: open, end: at, isSized: false });
		pieces.push({ start: at, end: at + size, isSized: true });
		at += size;
		open = at;
	}
	if (open < stretch.end) pieces.push({ start: open, end: stretch.end, isSized: false });
	return pieces;
}

class Carver {
	readonly #source: Source;
	readonly #end: number;
	#bytes = new Uint8Array(0);
	#start = 0;

	constructor(source: Source, end: number) {
		this.#source = source;
		this.#end = end;
	}

	/** Has the heads of what begins at an offset and for some megabytes behind it, where they are not there already. */
	async load(offset: number): Promise<void> {
		const loadedEnd = this.#start + this.#bytes.length;
		const isThere = offset >= this.#start && offset + BUFFER_SIZE / 2 <= loadedEnd;
		if (isThere || (offset >= this.#start && loadedEnd === this.#end)) return;
		const bytes = new Uint8Array(Math.min(BUFFER_SIZE, this.#end - offset));
		this.#bytes = bytes.subarray(0, await this.#source.read(offset, bytes));
		this.#start = offset;
	}

	#at(offset: number, size: number): Uint8Array {
		const at = offset - this.#start;
		return at < 0 ? new Uint8Array(0) : this.#bytes.subarray(at, at + size);
	}

	/** How long the contents are that begin there; 0 when their format does not tell, or something else speaks against it. */
	async sizeAt(offset: number): Promise<number> {
		const head = this.#at(offset, HEAD_SIZE);
		if (!isFormatStart(head, 0)) return 0;
		const sizes = formatSizes(head, this.#end - offset, (at, size) => this.#at(offset + at, size));
		for (const size of sizes)
			if (size >= SIZE_LEAST && (await this.#isStart(offset + size))) return size;
		return 0;
	}

	/** Contents may begin there: a known format, or text. */
	async #isStart(offset: number): Promise<boolean> {
		if (offset === this.#end) return true;
		let head = this.#at(offset, 16);
		if (head.length < 16) {
			head = new Uint8Array(Math.min(16, this.#end - offset));
			await this.#source.read(offset, head);
		}
		return isFormatStart(head, 0) || head.every(isPrintable);
	}

	/** Where the next contents begin that tell their size and are followed by others that do, or end the stretch. */
	async nextChain(from: number, run: Run): Promise<number> {
		for (let at = from; at < this.#end; ) {
			await this.load(at);
			const stop = Math.min(this.#end, at + STEP_SIZE, this.#start + this.#bytes.length);
			// The file has become shorter meanwhile.
			if (stop <= at) break;
			for (; at < stop; at++) {
				if (!isFormatStart(this.#bytes, at - this.#start)) continue;
				const size = await this.sizeAt(at);
				if (size > 0 && (at + size === this.#end || (await this.#sizeFar(at + size)) > 0))
					return at;
			}
			await breathe(run);
		}
		return this.#end;
	}

	/** As `sizeAt`, perhaps behind what is loaded. */
	async #sizeFar(offset: number): Promise<number> {
		if (offset + HEAD_SIZE <= this.#start + this.#bytes.length) return this.sizeAt(offset);
		const head = new Uint8Array(Math.min(HEAD_SIZE, this.#end - offset));
		await this.#source.read(offset, head);
		const sizes = formatSizes(head, this.#end - offset, (at, size) => head.subarray(at, at + size));
		return Math.max(0, ...sizes);
	}
}

function isPrintable(byte: number): boolean {
	return byte === 0x09 || byte === 0x0a || byte === 0x0d || (byte >= 0x20 && byte < 0x7f);
}
