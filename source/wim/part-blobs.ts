/**
 * Where blobs lie, as columns over the bytes of their tables: a `Blob` is put together when it is asked for. 225,000 of
 * them cost 15 MB, as objects they took 200.
 */
import { LazyList, type List } from '../base/list.ts';
import { Uint32Column } from '../bytes/columns.ts';
import type { Sha1 } from '../bytes/sha1.ts';
import type { Sha1Counts } from '../bytes/sha1-counts.ts';
import { Sha1Index } from '../bytes/sha1-index.ts';
import type { Compression } from '../codec/compression.ts';
import { BLOB_ENTRY_SIZE, type BlobEntries, ENTRY_AT } from './blob-entries.ts';
import { HEADER_SIZE, ResourceFlag } from './part-header.ts';
import { type Blob, leastStored, type Part, type Resource, resourceDefect } from './resource.ts';

/** Rows between two pauses: about a millisecond of work. */
const SLICE = 512;

const {
	flags: FLAGS_AT,
	partNumber: PART_NUMBER_AT,
	storedSize: STORED_SIZE_AT,
	originalSize: ORIGINAL_SIZE_AT,
	sha1: SHA1_AT,
} = ENTRY_AT;

/** How the resources of a part are compressed, by its header. */
export interface PartCompression {
	readonly compression: Compression;
	readonly chunkSize: number;
}

/** A blob that is being counted. */
type Counted = Blob & { count?: number };

/** Blobs by SHA-1, and by their row, which is their position in the order of the table. */
export abstract class BlobRows implements ReadonlyMap<Sha1, Blob> {
	abstract readonly index: Sha1Index;
	/** The tables that the rows are of. */
	abstract readonly parts: readonly PartBlobs[];

	/** The position in `parts` of the one that a row is of. */
	abstract partAt(row: number): number;

	/** The entry of a row in the table of its part; -1 when it does not describe a resource of its own. */
	abstract ownEntryAt(row: number): number;

	/** @param name its SHA-1 */
	abstract blobAt(row: number, name: Sha1): Blob;

	get size(): number {
		return this.index.size;
	}

	has(name: Sha1): boolean {
		return this.index.find(name) >= 0;
	}

	get(name: Sha1): Blob | undefined {
		const row = this.index.find(name);
		return row < 0 ? undefined : this.blobAt(row, name);
	}

	/** The blob of a row that is there. */
	at(row: number): Blob {
		return this.blobAt(row, this.index.name(row));
	}

	*entries(): Generator<[Sha1, Blob], undefined, unknown> {
		for (let row = 0; row < this.size; row++) {
			const blob = this.at(row);
			yield [blob.sha1, blob];
		}
	}

	*keys(): Generator<Sha1, undefined, unknown> {
		for (let row = 0; row < this.size; row++) yield this.index.name(row);
	}

	*values(): Generator<Blob, undefined, unknown> {
		for (let row = 0; row < this.size; row++) yield this.at(row);
	}

	[Symbol.iterator](): Generator<[Sha1, Blob], undefined, unknown> {
		return this.entries();
	}

	forEach(visit: (blob: Blob, name: Sha1, map: ReadonlyMap<Sha1, Blob>) => void): void {
		for (const [name, blob] of this) visit(blob, name, this);
	}
}

/** The blobs of a map as a list; from columns they come one by one. */
export function blobList(blobs: ReadonlyMap<Sha1, Blob>): List<Blob> {
	return blobs instanceof BlobRows
		? new LazyList(blobs.size, (row) => blobs.at(row))
		: [...blobs.values()];
}

/** The blobs that are counted, with their counts, in the order of the table that lists them, or of the counts. */
export function* countedBlobs(
	blobs: ReadonlyMap<Sha1, Blob>,
	counts: Sha1Counts,
): Generator<void, Blob[], undefined> {
	const found: Blob[] = [];
	if (blobs instanceof BlobRows) {
		for (let row = 0; row < blobs.size; row++) {
			if (row % SLICE === SLICE - 1) yield;
			const count = counts.getRow(blobs.index, row);
			if (count === undefined) continue;
			const blob: Counted = blobs.at(row);
			blob.count = count;
			found.push(blob);
		}
		return found;
	}
	for (const [sha1, count] of counts) {
		const blob = blobs.get(sha1);
		if (blob !== undefined) found.push({ ...blob, count });
	}
	return found;
}

/** A solid resource, and where its bytes begin among those of its run. */
export interface SolidHome {
	readonly resource: Resource;
	readonly start: number;
	/** Why nothing in it can be read. */
	readonly defect: string | null;
}

/** The blobs of one part. */
export class PartBlobs extends BlobRows {
	readonly part: Part;
	readonly how: PartCompression;
	readonly table: BlobEntries;
	readonly index: Sha1Index;
	readonly parts: readonly PartBlobs[] = [this];
	/** The entry of each row. */
	readonly #entryOf: Int32Array;
	/** The position of the solid resource of each row + 1; 0 = a resource of its own. Null until there is one. */
	#homeOf: Int32Array | null = null;
	readonly #homes: SolidHome[] = [];

	constructor(part: Part, how: PartCompression, entries: BlobEntries) {
		super();
		this.part = part;
		this.how = how;
		this.table = entries;
		this.index = new Sha1Index(entries.length);
		this.#entryOf = new Int32Array(entries.length);
	}

	/**
	 * Adds the blob of an entry.
	 *
	 * @param home the solid resource that it lies in
	 * @returns false when there is a blob of this SHA-1
	 */
	add(entry: number, home: SolidHome | null): boolean {
		const row = this.index.size;
		this.index.addAt(this.table.view, this.table.sha1Place(entry));
		if (this.index.size === row) return false;
		this.#entryOf[row] = entry;
		if (home === null) return true;
		// Blobs come home by home.
		if (this.#homes.at(-1) !== home) this.#homes.push(home);
		this.#homeOf ??= new Int32Array(this.table.length);
		this.#homeOf[row] = this.#homes.length;
		return true;
	}

	/**
	 * Adds the blobs of entries that have resources of their own, from one on until something about one needs a closer look:
	 * with few calls, because a table has thousands.
	 *
	 * @returns that one, or `end`
	 */
	addOrdinary(from: number, end: number): number {
		const { index, part } = this;
		const { view } = this.table;
		const { partNumber } = part.header;
		const special = ResourceFlag.solid | ResourceFlag.metadata;
		for (let entry = from; entry < end; entry++) {
			const at = entry * BLOB_ENTRY_SIZE;
			if ((view.getUint8(at + FLAGS_AT) & special) !== 0) return entry;
			if (view.getUint16(at + PART_NUMBER_AT, true) !== partNumber) return entry;
			// As a rule these halves alone tell that there is something.
			if (view.getInt32(at + STORED_SIZE_AT) === 0) return entry;
			if (view.getInt32(at + ORIGINAL_SIZE_AT) === 0) return entry;
			if (view.getInt32(at + SHA1_AT) === 0) return entry;
			const row = index.size;
			index.addAt(view, at + SHA1_AT);
			if (index.size === row) return entry;
			this.#entryOf[row] = entry;
		}
		return end;
	}

	/** The resource that an entry describes, which is not a solid one. */
	resourceAt(entry: number): Resource {
		const { table, part, how } = this;
		const flags = table.flags(entry);
		const isCompressed = (flags & ResourceFlag.compressed) !== 0;
		return {
			part,
			offset: table.offset(entry),
			storedSize: table.storedSize(entry),
			originalSize: table.originalSize(entry),
			layout: !isCompressed ? 'raw' : part.pipable ? 'pipable' : 'chunked',
			compression: isCompressed ? how.compression : 'none',
			chunkSize: isCompressed ? how.chunkSize : 0,
			flags,
		};
	}

	/** What an entry describes, as a blob that has a resource of its own. */
	singleAt(entry: number, name: Sha1): Blob {
		const resource = this.resourceAt(entry);
		return {
			sha1: name,
			size: resource.originalSize,
			referenceCount: this.table.referenceCount(entry),
			resource,
			offsetInResource: 0,
			defect: resourceDefect(resource),
		};
	}

	partAt(): number {
		return 0;
	}

	ownEntryAt(row: number): number {
		return this.#homeOf !== null && this.#homeOf[row]! > 0 ? -1 : this.#entryOf[row]!;
	}

	/** Whether an entry describes a resource that nothing speaks against, as `resourceDefect` has it, and not a pipable one. */
	isPlain(entry: number, offset: number, storedSize: number, originalSize: number): boolean {
		const { table, part, how } = this;
		if (part.pipable || offset < HEADER_SIZE || !(offset + storedSize <= part.source.size))
			return false;
		if ((table.flags(entry) & ResourceFlag.compressed) === 0) return storedSize === originalSize;
		return how.compression !== 'none' && leastStored(originalSize, how.chunkSize) <= storedSize;
	}

	blobAt(row: number, name: Sha1): Blob {
		const entry = this.#entryOf[row]!;
		const home = this.#homeOf === null ? undefined : this.#homes[this.#homeOf[row]! - 1];
		if (home === undefined) return this.singleAt(entry, name);
		const { resource, start } = home;
		const size = this.table.storedSize(entry);
		const offsetInResource = this.table.offset(entry) - start;
		const isInside = offsetInResource + size <= resource.originalSize;
		return {
			sha1: name,
			size,
			referenceCount: this.table.referenceCount(entry),
			resource,
			offsetInResource,
			defect: home.defect ?? (isInside ? null : 'it does not lie inside one solid resource'),
		};
	}
}

/** The blobs of several parts; of those that are listed twice the first one counts that can be read. */
export class SetBlobs extends BlobRows {
	readonly index: Sha1Index;
	readonly parts: readonly PartBlobs[];
	/** Of each row: the position of its part, and its row there. */
	readonly #partOf: Uint32Column;
	readonly #rowOf: Uint32Column;

	constructor(parts: readonly PartBlobs[]) {
		super();
		const most = parts.reduce((sum, { size }) => sum + size, 0);
		this.parts = parts;
		this.index = new Sha1Index(most);
		this.#partOf = new Uint32Column(most);
		this.#rowOf = new Uint32Column(most);
		for (const [position, part] of parts.entries()) {
			for (let row = 0; row < part.size; row++) this.#add(position, part, row);
		}
	}

	#add(position: number, part: PartBlobs, row: number): void {
		const { size } = this.index;
		const known = this.index.addFrom(part.index, row);
		if (this.index.size > size) {
			this.#partOf.push(position);
			this.#rowOf.push(row);
		} else if (this.at(known).defect !== null && part.at(row).defect === null) {
			this.#partOf.set(known, position);
			this.#rowOf.set(known, row);
		}
	}

	partAt(row: number): number {
		return this.#partOf.get(row);
	}

	ownEntryAt(row: number): number {
		return this.parts[this.partAt(row)]?.ownEntryAt(this.#rowOf.get(row)) ?? -1;
	}

	blobAt(row: number, name: Sha1): Blob {
		const part = this.parts[this.#partOf.get(row)];
		const blob = part?.blobAt(this.#rowOf.get(row), name);
		if (blob === undefined) throw new Error(`Blob ${name} has no part`);
		return blob;
	}
}

/** All resources of a part that hold blobs, solid ones once; put together when they are asked for. */
export class ResourceList implements Iterable<Resource> {
	readonly #blobs: PartBlobs;
	readonly #entries: Uint32Column;
	/** By entry. */
	readonly #solid = new Map<number, Resource>();

	constructor(blobs: PartBlobs) {
		this.#blobs = blobs;
		this.#entries = new Uint32Column(blobs.table.length);
	}

	get length(): number {
		return this.#entries.length;
	}

	/** Adds entries one after the other that describe no solid ones. */
	addRange(from: number, end: number): void {
		for (let entry = from; entry < end; entry++) this.#entries.push(entry);
	}

	/** @param solid the resource, when the entry describes a solid one */
	add(entry: number, solid: Resource | null): void {
		this.#entries.push(entry);
		if (solid !== null) this.#solid.set(entry, solid);
	}

	/** The first of the solid ones. */
	get firstSolid(): Resource | undefined {
		return this.#solid.values().next().value;
	}

	get hasSolid(): boolean {
		return this.#solid.size > 0;
	}

	*[Symbol.iterator](): Generator<Resource, undefined, unknown> {
		for (let k = 0; k < this.length; k++) {
			const entry = this.#entries.get(k);
			yield this.#solid.get(entry) ?? this.#blobs.resourceAt(entry);
		}
	}

	map<T>(make: (resource: Resource) => T): T[] {
		const made: T[] = [];
		for (const resource of this) made.push(make(resource));
		return made;
	}

	filter(isWanted: (resource: Resource) => boolean): Resource[] {
		const chosen: Resource[] = [];
		for (const resource of this) if (isWanted(resource)) chosen.push(resource);
		return chosen;
	}

	find(isWanted: (resource: Resource) => boolean): Resource | undefined {
		for (const resource of this) if (isWanted(resource)) return resource;
		return undefined;
	}

	some(isWanted: (resource: Resource) => boolean): boolean {
		return this.find(isWanted) !== undefined;
	}
}
