import type { LargeChunks } from '../../pool/large-chunks.ts';
import type { Source } from '../../storage/source.ts';
import type { Resource } from '../../wim/resource.ts';
import { readDamaged } from './read-damaged.ts';

/** The decoded bytes of a resource as a source: damaged chunks read as zeros. */
export class DecodedSource implements Source {
	readonly name = 'solid resource';
	readonly size: number;
	private readonly resource: Resource;
	private readonly lanes: LargeChunks;
	private cachedStart = -1;
	private cached = new Uint8Array(0);
	/** Where chunks begin that are damaged. */
	private readonly damaged = new Set<number>();

	/** @param lanes decode large chunks */
	constructor(resource: Resource, lanes: LargeChunks) {
		this.resource = resource;
		this.lanes = lanes;
		this.size = resource.originalSize;
	}

	async read(offset: number, into: Uint8Array): Promise<number> {
		const end = Math.min(offset + into.length, this.size);
		for (let at = offset; at < end; ) {
			const start = Math.floor(at / this.resource.chunkSize) * this.resource.chunkSize;
			if (start !== this.cachedStart) await this.load(start);
			const part = this.cached.subarray(at - start, end - start);
			into.set(part, at - offset);
			at += part.length;
		}
		return end - offset;
	}

	private async load(start: number): Promise<void> {
		const end = Math.min(start + this.resource.chunkSize, this.size);
		for await (const piece of readDamaged(this.resource, start, end, this.lanes)) {
			this.cached = piece.bytes.slice();
			if (!piece.isGood) this.damaged.add(start);
		}
		this.cachedStart = start;
	}

	isDamaged(start: number, end: number): boolean {
		const { chunkSize } = this.resource;
		for (let at = Math.floor(start / chunkSize) * chunkSize; at < end; at += chunkSize)
			if (this.damaged.has(at)) return true;
		return false;
	}

	share(): null {
		return null;
	}

	async [Symbol.asyncDispose](): Promise<void> {}
}
