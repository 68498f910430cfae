import type { ResourceShape } from '../chunk-window.ts';
import type { Lane } from '../lane.ts';
import { type LaneSource, StoredBytes } from '../stored-bytes.ts';
import { type Damage, openSlices, type Slices } from '../tasks/slices.ts';
import type { Stretch } from './found.ts';
import type { Bytes } from './stored-window.ts';

interface Loaded {
	readonly start: number;
	readonly bytes: Uint8Array;
}

/** A search goes back to the chunk before now and then. */
const KEPT = 2;

/** The original bytes of a solid resource; damaged chunks read as zeros. */
export class DecodedWindow implements Bytes {
	private readonly slices: Slices;
	private readonly size: number;
	private loaded: Loaded[] = [];
	private damaged: Stretch[] = [];

	constructor(source: LaneSource, shape: ResourceShape, lane: Lane) {
		this.slices = openSlices(shape, new StoredBytes(source, lane.decoder), lane);
		this.size = shape.originalSize;
	}

	get lost(): readonly Stretch[] {
		return this.damaged;
	}

	at(offset: number, size: number): Uint8Array {
		const end = Math.min(offset + size, this.size);
		const first = this.load(offset);
		const inside = end - first.start;
		if (inside <= first.bytes.length) return first.bytes.subarray(offset - first.start, inside);
		const bytes = new Uint8Array(Math.max(0, end - offset));
		for (let at = offset; at < end; ) {
			const { start, bytes: slice } = this.load(at);
			const part = slice.subarray(at - start, end - start);
			bytes.set(part, at - offset);
			at += part.length;
		}
		return bytes;
	}

	private load(offset: number): Loaded {
		const { alignment, sliceSize } = this.slices;
		const start = Math.floor(offset / alignment) * alignment;
		const known = this.loaded.find(
			(one) => offset >= one.start && offset < one.start + one.bytes.length,
		);
		if (known !== undefined) return known;
		const end = Math.min(start + sliceSize, this.size);
		const damages: Damage[] = [];
		const bytes = this.slices.load(start, end, (_, until) => until, damages).slice();
		for (const damage of damages) this.note({ start: damage.decodedEnd, end: damage.end });
		this.loaded = [{ start, bytes }, ...this.loaded].slice(0, KEPT);
		return { start, bytes };
	}

	private note(stretch: Stretch): void {
		if (this.damaged.some(({ start }) => start === stretch.start)) return;
		this.damaged = [...this.damaged, stretch].sort((a, b) => a.start - b.start);
	}
}
