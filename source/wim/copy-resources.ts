/** Copies resources from file to file as they are stored (wim.md §2.4). */
import { FormatError } from '../base/errors.ts';
import { breathe, type Run } from '../base/run.ts';
import { decodeHex } from '../bytes/hex.ts';
import { COPY_SIZE, type Output } from '../storage/output.ts';
import type { Blob, Resource } from './resource.ts';
import { PIPABLE_MAGIC, PipableHeader, type StoredResource } from './write-resource.ts';
import type { TableBlob } from './write-table.ts';
import type { WimShape } from './write-wim.ts';

/** After so many bytes the event loop gets a turn for certain. */
const PAUSE_SIZE = 1 << 22;

/** How a file stores its resources: what must agree for them to be copied as they are. */
export type StorageShape = Pick<WimShape, 'compression' | 'chunkSize' | 'isPipable'>;

/** Whether a resource can be copied as it is into a file of that shape. Solid ones need the caller's judgement besides. */
export function canCopy(resource: Resource, from: StorageShape, to: StorageShape): boolean {
	if (from.isPipable !== to.isPipable) return false;
	if (resource.layout === 'solid') return true;
	return from.compression === to.compression && from.chunkSize === to.chunkSize;
}

/** The shape of the file that a resource lies in. */
export function shapeOf(part: {
	readonly compression: StorageShape['compression'];
	readonly chunkSize: number;
	readonly pipable: boolean;
}): StorageShape {
	return { compression: part.compression, chunkSize: part.chunkSize, isPipable: part.pipable };
}

/**
 * Copies blobs with their resources, in the order given; a solid resource is copied once, whole.
 *
 * @returns the same blobs where they are now
 */
export async function copyBlobs(
	output: Output,
	blobs: readonly Blob[],
	run: Run,
): Promise<TableBlob[]> {
	const solid = new Map<Resource, StoredResource>();
	const copied: TableBlob[] = [];
	const copier = new Copier(output, run);
	for (const blob of blobs) {
		const { sha1, size, resource, offsetInResource } = blob;
		let stored = solid.get(resource);
		if (stored === undefined) {
			if (resource.layout === 'pipable' || resource.part.pipable)
				await copier.bytes(
					PipableHeader.encode({
						magic: PIPABLE_MAGIC,
						originalSize: size,
						sha1: decodeHex(sha1),
						flags: resource.flags,
					}),
				);
			const offset = await copier.resource(resource);
			const { storedSize, originalSize, flags } = resource;
			stored = { offset, storedSize, originalSize, flags };
			if (resource.layout === 'solid') solid.set(resource, stored);
		}
		run.report({ type: 'advance', bytes: size });
		copied.push({ sha1, size, resource: stored, offsetInResource });
	}
	await copier.finish();
	return copied;
}

/** Joins neighbouring stretches, so that a whole file is copied in large pieces. */
class Copier {
	readonly #output: Output;
	readonly #run: Run;
	#part: Resource['part'] | null = null;
	#from = 0;
	#size = 0;
	#unpaused = 0;

	constructor(output: Output, run: Run) {
		this.#output = output;
		this.#run = run;
	}

	async bytes(bytes: Uint8Array): Promise<void> {
		await this.finish();
		await this.#output.append(bytes);
	}

	/** Where the resource will be in the output. */
	async resource(resource: Resource): Promise<number> {
		const { part, offset, storedSize } = resource;
		if (this.#part !== part || this.#from + this.#size !== offset) {
			await this.finish();
			this.#part = part;
			this.#from = offset;
		}
		const at = this.#output.position + this.#size;
		this.#size += storedSize;
		await this.#flush(COPY_SIZE);
		return at;
	}

	async finish(): Promise<void> {
		await this.#flush(1);
		this.#part = null;
	}

	/** Copies whole pieces, as long as there are `least` bytes. */
	async #flush(least: number): Promise<void> {
		const part = this.#part;
		if (part === null) return;
		while (this.#size >= least) {
			const piece = Math.min(COPY_SIZE, this.#size);
			const got = await this.#output.copy(part.source, this.#from, piece);
			if (got !== piece)
				throw new FormatError('Cannot copy resource: the file ends inside it', {
					path: part.source.name,
					offset: this.#from + got,
					hint: 'Check the file with "wimdeck verify".',
				});
			this.#from += got;
			this.#size -= got;
			this.#unpaused += got;
			if (this.#unpaused >= PAUSE_SIZE) {
				this.#unpaused = 0;
				await breathe(this.#run);
			}
		}
	}
}
