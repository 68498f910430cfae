/** Blobs of an open WIM as contents of new ones: decoded again, and checked against their SHA-1 while they are read. */
import { DigestError, MissingError } from '../base/errors.ts';
import { type Sha1, sha1Hasher } from '../bytes/sha1.ts';
import type { LargeChunks } from '../pool/large-chunks.ts';
import type { IntakeOrigin } from '../pool/tasks/intake.ts';
import type { Content, ContentReader } from '../storage/content.ts';
import { readResource } from './read-resource.ts';
import type { Blob, Resource } from './resource.ts';

/**
 * Hands out the contents of blobs. Solid resources are decoded front to back once, as long as their blobs are opened
 * in the order of their offsets, one at a time.
 */
export class BlobContents {
	readonly #cursors = new Map<number, { readonly resource: Resource; readonly cursor: Cursor }>();
	readonly #lanes: LargeChunks | null;

	/** @param lanes decode large chunks; null: this thread does */
	constructor(lanes: LargeChunks | null = null) {
		this.#lanes = lanes;
	}

	content(blob: Blob): Content {
		const { defect, sha1, size, resource } = blob;
		return {
			name: `blob ${sha1} of ${resource.part.source.name}`,
			size,
			sha1,
			open: async () => {
				if (defect !== null)
					throw new MissingError(`Cannot read blob ${sha1}: ${defect}`, {
						path: resource.part.source.name,
						offset: resource.offset,
						hint: 'Check the file with "wimdeck verify".',
					});
				const start = resource.layout === 'solid' ? blob.offsetInResource : 0;
				const cursor = resource.layout === 'solid' ? await this.#cursor(resource, start) : null;
				return new BlobReader(blob, cursor ?? new Cursor(resource, start, size, this.#lanes));
			},
		};
	}

	async #cursor(resource: Resource, start: number): Promise<Cursor> {
		const known = this.#cursors.get(resource.offset);
		if (known?.resource === resource && known.cursor.position <= start) {
			// Chunks that nothing is wanted of are passed over: one of them may be damaged.
			const chunkOf = (position: number) => Math.floor(position / resource.chunkSize);
			if (chunkOf(start) === chunkOf(known.cursor.position)) {
				known.cursor.skipTo(start);
				return known.cursor;
			}
		}
		await known?.cursor.close();
		const cursor = new Cursor(resource, start, resource.originalSize, this.#lanes);
		this.#cursors.set(resource.offset, { resource, cursor });
		return cursor;
	}
}

/** Where lanes find the bytes of a blob; null where only this thread can read them, or where chunks hold many blobs. */
export function intakeOrigin({ resource, offsetInResource, defect }: Blob): IntakeOrigin | null {
	const source = resource.part.source.share();
	if (source === null || defect !== null || resource.layout === 'solid') return null;
	const { offset, storedSize, originalSize, layout, compression, chunkSize } = resource;
	const shape = { offset, storedSize, originalSize, layout, compression, chunkSize };
	return { kind: 'resource', source, resource: shape, offset: offsetInResource };
}

/** What to say of a blob whose bytes have another SHA-1. */
export function wrongDigest({ sha1, resource }: Blob, found: Sha1): DigestError {
	return new DigestError(`Cannot copy blob ${sha1}: its bytes hash to ${found}`, {
		path: resource.part.source.name,
		offset: resource.offset,
		hint: 'Check the file with "wimdeck verify"; "wimdeck repair" takes blobs from donors.',
	});
}

/** Moves forward through the original bytes of a resource. */
class Cursor {
	position: number;
	readonly #pieces: AsyncGenerator<Uint8Array, void, undefined>;
	#piece: Uint8Array = new Uint8Array(0);
	#skip = 0;

	constructor(resource: Resource, start: number, size: number, lanes: LargeChunks | null) {
		this.position = start;
		const end = resource.layout === 'solid' ? size : start + size;
		this.#pieces = readResource(resource, start, end, lanes);
	}

	skipTo(position: number): void {
		this.#skip += position - this.position;
		this.position = position;
	}

	/** Gives back what it holds; nothing is read from it any more. */
	async close(): Promise<void> {
		this.#piece = new Uint8Array(0);
		await this.#pieces.return();
	}

	async read(into: Uint8Array): Promise<number> {
		let done = 0;
		while (done < into.length) {
			if (this.#piece.length === 0) {
				const next = await this.#pieces.next();
				if (next.done) break;
				// What is not in memory of its own lasts only until anybody decodes again.
				const isUsedUp = this.#skip === 0 && next.value.length <= into.length - done;
				const isOwn = next.value.buffer instanceof SharedArrayBuffer;
				this.#piece = isUsedUp || isOwn ? next.value : next.value.slice();
			}
			const skipped = Math.min(this.#skip, this.#piece.length);
			this.#skip -= skipped;
			const part = this.#piece.subarray(skipped, skipped + into.length - done);
			into.set(part, done);
			done += part.length;
			this.position += part.length;
			this.#piece = this.#piece.subarray(skipped + part.length);
		}
		return done;
	}
}

class BlobReader implements ContentReader {
	readonly #blob: Blob;
	readonly #cursor: Cursor;
	readonly #hash = sha1Hasher();
	#left: number;

	constructor(blob: Blob, cursor: Cursor) {
		this.#blob = blob;
		this.#cursor = cursor;
		this.#left = blob.size;
	}

	async read(into: Uint8Array): Promise<number> {
		const wanted = into.subarray(0, this.#left);
		const got = await this.#cursor.read(wanted);
		this.#hash.update(wanted.subarray(0, got));
		this.#left -= got;
		if (this.#left === 0 && got > 0) this.#check();
		return got;
	}

	#check(): void {
		const found = this.#hash.digest('hex');
		if (found !== this.#blob.sha1) throw wrongDigest(this.#blob, found);
	}

	change(): null {
		return null;
	}

	close(): void {}
}
