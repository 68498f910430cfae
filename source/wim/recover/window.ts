import type { Source } from '../../storage/source.ts';

/** A part seen through a sliding buffer: bytes at any offset, read ahead in large steps. */
export class SlidingWindow {
	private readonly source: Source;
	private readonly step: number;
	private bytes = new Uint8Array(0);
	private start = 0;

	/** @param step how many bytes are read at a time */
	constructor(source: Source, step = 16 << 20) {
		this.source = source;
		this.step = step;
	}

	/** Up to `size` bytes at `offset`, fewer at the end of the part; valid until the next call. */
	async at(offset: number, size: number): Promise<Uint8Array> {
		const end = Math.min(offset + size, this.source.size);
		if (offset < this.start || end > this.start + this.bytes.length) {
			const length = Math.min(Math.max(this.step, size), this.source.size - offset);
			const bytes = new Uint8Array(Math.max(0, length));
			const got = await this.source.read(offset, bytes);
			this.bytes = bytes.subarray(0, got);
			this.start = offset;
		}
		return this.bytes.subarray(offset - this.start, Math.max(0, end - this.start));
	}
}
