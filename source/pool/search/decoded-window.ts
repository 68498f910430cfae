import type { ResourceShape } from '../chunk-window.ts';
import type { Lane } from '../lane.ts';
import { type LaneSource, StoredBytes } from '../stored-bytes.ts';
import { ALL_WANTED, type Damage, openSlices, type Slices } from '../tasks/slices.ts';
import type { Stretch } from './found.ts';
import type { Bytes } from './stored-window.ts';

/** A slice, of which only the bytes before a loss are kept. */
interface Loaded extends Stretch {
	readonly bytes: Uint8Array;
}

/** A search goes back to the chunk before now and then. */
const KEPT = 2;

/** The original bytes of a solid resource; damaged chunks read as zeros. */
export class DecodedWindow implements Bytes {
	private readonly slices: Slices;
	private readonly size: number;
	private loaded: Loaded[] = [];
	/** In order. */
	private readonly damaged: Stretch[] = [];
	/** What all lost slices hold. */
	private zeros = new Uint8Array(0);

	constructor(source: LaneSource, shape: ResourceShape, lane: Lane) {
		this.slices = openSlices(shape, new StoredBytes(source, lane.decoder), lane);
		this.size = shape.originalSize;
	}

	lostIn({ start, end }: Stretch): readonly Stretch[] {
		const first = this.damagedFrom(start);
		let last = first;
		while ((this.damaged[last]?.start ?? end) < end) last++;
		return this.damaged.slice(first, last);
	}

	lostUntil(offset: number): number {
		if (offset >= this.size) return offset;
		this.load(offset);
		const lost = this.damaged[this.damagedFrom(offset)];
		return lost !== undefined && lost.start <= offset ? lost.end : offset;
	}

	/** Position of the first damaged stretch that ends behind `offset`. */
	private damagedFrom(offset: number): number {
		let low = 0;
		let high = this.damaged.length;
		while (low < high) {
			const middle = (low + high) >> 1;
			if ((this.damaged[middle]?.end ?? 0) <= offset) low = middle + 1;
			else high = middle;
		}
		return low;
	}

	at(offset: number, size: number): Uint8Array {
		const end = Math.min(offset + size, this.size);
		const first = this.load(offset);
		const inside = end - first.start;
		if (inside <= first.bytes.length) return first.bytes.subarray(offset - first.start, inside);
		const isLost = offset >= first.start + first.bytes.length && end <= first.end;
		if (isLost) return this.zerosOf(Math.max(0, end - offset));
		const bytes = new Uint8Array(Math.max(0, end - offset));
		for (let at = offset; at < end; ) {
			const slice = this.load(at);
			bytes.set(slice.bytes.subarray(at - slice.start, end - slice.start), at - offset);
			at = slice.end;
		}
		return bytes;
	}

	private load(offset: number): Loaded {
		const { alignment, sliceSize } = this.slices;
		const start = Math.floor(offset / alignment) * alignment;
		const known = this.loaded.find((one) => offset >= one.start && offset < one.end);
		if (known !== undefined) return known;
		const end = Math.min(start + sliceSize, this.size);
		const damages: Damage[] = [];
		const loaded = this.slices.load(start, end, ALL_WANTED, damages);
		for (const damage of damages) this.note({ start: damage.decodedEnd, end: damage.end });
		const last = damages.at(-1);
		const goodEnd = last !== undefined && last.end === end ? last.decodedEnd : end;
		const slice = { start, end, bytes: loaded.slice(0, goodEnd - start) };
		this.loaded = [slice, ...this.loaded].slice(0, KEPT);
		return slice;
	}

	private zerosOf(size: number): Uint8Array {
		if (this.zeros.length < size) this.zeros = new Uint8Array(size);
		return this.zeros.subarray(0, size);
	}

	/** Stretches that touch become one: a resource may have a great many lost chunks in a row. */
	private note({ start, end }: Stretch): void {
		const position = this.damagedFrom(start);
		const before = this.damaged[position - 1];
		if ((this.damaged[position]?.start ?? end) < end) return;
		if (before?.end === start) this.damaged[position - 1] = { start: before.start, end };
		else this.damaged.splice(position, 0, { start, end });
	}
}
