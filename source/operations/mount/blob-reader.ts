/**
 * Random access to blobs for a mounted image: chunks are decoded once and kept while there is room. A small blob is
 * read whole and compared with its SHA-1 before the first byte is handed out; of a large one only chunks are read.
 */
import { DigestError, FormatError, MissingError } from '../../base/errors.ts';
import { type Sha1, sha1 } from '../../bytes/sha1.ts';
import { readResource } from '../../wim/read-resource.ts';
import type { Blob, Resource } from '../../wim/resource.ts';

/** Decoded chunks kept, in bytes; the chunk in use is kept whatever its size. */
const KEPT_SIZE_MAX = 128 << 20;
/** Of chunks above this size only the beginning is decoded, as far as it is wanted, when they are first read. */
const WHOLE_SIZE_MAX = 2 << 20;
/** Blobs up to this size are checked when they are first read. */
const CHECKED_SIZE_MAX = 4 << 20;
/** What is decoded and kept at once: a chunk, or as many small ones. The kernel reads ahead in order. */
const UNIT_SIZE = 1 << 18;

/** The first bytes of a chunk, or of as many small ones as are kept at once. */
interface Kept {
	readonly size: number;
	readonly bytes: Promise<Uint8Array>;
}

export class BlobReader {
	readonly #chunks = new Map<string, Kept>();
	readonly #checked = new Set<Sha1>();
	#kept = 0;

	/**
	 * Bytes of a blob; fewer than asked for only at its end.
	 *
	 * @throws {FormatError} for a chunk that cannot be decoded
	 * @throws {DigestError} for a small blob with another SHA-1
	 */
	async read(blob: Blob, offset: number, size: number): Promise<Uint8Array> {
		const { sha1: name, resource, defect } = blob;
		if (defect !== null)
			throw new MissingError(`Cannot read blob ${name}: ${defect}`, {
				path: resource.part.source.name,
				offset: resource.offset,
			});
		if (blob.size <= CHECKED_SIZE_MAX && !this.#checked.has(name)) await this.#check(blob);
		const end = Math.min(blob.size, offset + size);
		if (end <= offset) return new Uint8Array(0);
		const start = blob.offsetInResource + offset;
		return this.#stretch(resource, start, blob.offsetInResource + end);
	}

	async #check(blob: Blob): Promise<void> {
		const { resource, offsetInResource, size, sha1: name } = blob;
		const found = sha1(await this.#stretch(resource, offsetInResource, offsetInResource + size));
		if (found !== name)
			throw new DigestError(`Cannot read blob ${name}: the SHA-1 of its bytes is ${found}`, {
				path: resource.part.source.name,
				offset: resource.offset,
				hint: 'Check the file with "wimdeck verify".',
			});
		this.#checked.add(name);
	}

	async #stretch(resource: Resource, start: number, end: number): Promise<Uint8Array> {
		const chunkSize = Math.max(resource.chunkSize, UNIT_SIZE);
		const bytes = new Uint8Array(end - start);
		for (let position = Math.floor(start / chunkSize); position * chunkSize < end; position++) {
			const chunkStart = position * chunkSize;
			const size = Math.min(chunkSize, resource.originalSize - chunkStart);
			const needed = Math.min(size, end - chunkStart);
			const chunk = await this.#chunk(resource, chunkStart, size, needed);
			const piece = chunk.subarray(Math.max(0, start - chunkStart), end - chunkStart);
			bytes.set(piece, Math.max(0, chunkStart - start));
		}
		return bytes;
	}

	/** At least the first `needed` bytes of a chunk of `size` bytes. */
	#chunk(resource: Resource, start: number, size: number, needed: number): Promise<Uint8Array> {
		const { part, offset } = resource;
		const key = `${part.header.partNumber} ${part.source.name} ${offset} ${start}`;
		const known = this.#chunks.get(key);
		if (known !== undefined && known.size >= needed) {
			// The order of the map is the order of use.
			this.#chunks.delete(key);
			this.#chunks.set(key, known);
			return known.bytes;
		}
		// Who comes back for more gets all of it: so nothing is decoded more than twice.
		const isFirst = known === undefined && size > WHOLE_SIZE_MAX;
		const made = {
			size: isFirst ? needed : size,
			bytes: decode(resource, start, isFirst ? needed : size),
		};
		this.#drop(key);
		this.#chunks.set(key, made);
		this.#kept += made.size;
		for (const [oldest] of this.#chunks) {
			if (this.#kept <= KEPT_SIZE_MAX || oldest === key) break;
			this.#drop(oldest);
		}
		// What could not be read is tried again: the medium may have been pulled for a moment.
		made.bytes.catch(() => {
			if (this.#chunks.get(key) === made) this.#drop(key);
		});
		return made.bytes;
	}

	#drop(key: string): void {
		this.#kept -= this.#chunks.get(key)?.size ?? 0;
		this.#chunks.delete(key);
	}
}

async function decode(resource: Resource, start: number, size: number): Promise<Uint8Array> {
	const bytes = new Uint8Array(size);
	let at = 0;
	for await (const piece of readResource(resource, start, start + size)) {
		bytes.set(piece, at);
		at += piece.length;
	}
	if (at !== size)
		throw new FormatError(`Cannot read resource: it ends after ${start + at} bytes`, {
			region: resource.part.source.name,
			offset: resource.offset,
		});
	return bytes;
}
