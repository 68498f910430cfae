import type { Source } from './source.ts';

/** Another source with some of its bytes replaced. It does not own that source. */
export class PatchedSource implements Source {
	readonly name: string;
	readonly size: number;
	readonly #source: Source;
	readonly #offset: number;
	readonly #bytes: Uint8Array;

	/** @param offset where `bytes` stand instead of what is there */
	constructor(source: Source, offset: number, bytes: Uint8Array) {
		this.name = source.name;
		this.size = source.size;
		this.#source = source;
		this.#offset = offset;
		this.#bytes = bytes;
	}

	async read(offset: number, into: Uint8Array): Promise<number> {
		const got = await this.#source.read(offset, into);
		const start = Math.max(offset, this.#offset);
		const end = Math.min(offset + got, this.#offset + this.#bytes.length);
		if (start < end)
			into.set(this.#bytes.subarray(start - this.#offset, end - this.#offset), start - offset);
		return got;
	}

	/** Other threads would read the bytes as they are on the disk. */
	share(): null {
		return null;
	}

	async [Symbol.asyncDispose](): Promise<void> {}
}
