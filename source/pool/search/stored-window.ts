import { type LaneSource, readLaneSource } from '../stored-bytes.ts';
import type { Stretch } from './found.ts';

/** Bytes at any offset, for a search that runs on a lane. */
export interface Bytes {
	/** Up to `size` bytes at `offset`, fewer at the end; valid until the next call. */
	at(offset: number, size: number): Uint8Array;
	/** Of the bytes that were read, in order: lost stretches that reach into this one, and read as something else. */
	lostIn(stretch: Stretch): readonly Stretch[];
	/** Where the lost stretch ends that `offset` lies in; `offset` itself when it lies in none. */
	lostUntil(offset: number): number;
}

/** A part seen through a sliding buffer, read ahead in large steps. */
export class StoredWindow implements Bytes {
	private readonly source: LaneSource;
	private readonly step: number;
	private bytes = new Uint8Array(0);
	private start = 0;

	/** @param step how many bytes are read at a time */
	constructor(source: LaneSource, step = 4 << 20) {
		this.source = source;
		this.step = step;
	}

	lostIn(): readonly Stretch[] {
		return [];
	}

	lostUntil(offset: number): number {
		return offset;
	}

	at(offset: number, size: number): Uint8Array {
		const known = this.start + this.bytes.length;
		if (offset < this.start || offset + size > known) {
			const bytes = new Uint8Array(Math.max(this.step, size));
			this.bytes = bytes.subarray(0, readLaneSource(this.source, offset, bytes));
			this.start = offset;
		}
		return this.bytes.subarray(offset - this.start, offset - this.start + Math.max(0, size));
	}
}
