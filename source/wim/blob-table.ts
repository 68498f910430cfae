/**
 * The blob table: SHA-1 to resource (wim.md §3). Parsing is pure; the headers of solid resources, which placing their
 * blobs needs, are handed in.
 */
import { FormatError } from '../base/errors.ts';
import { formatHex, plural } from '../base/print.ts';
import { type Sha1, sha1At, ZERO_SHA1 } from '../bytes/sha1.ts';
import type { Span } from '../bytes/span.ts';
import { chunkTableSize, type SolidShape } from '../codec/chunk-table.ts';
import type { Compression } from '../codec/compression.ts';
import { HEADER_SIZE, isSolidVersion, ResourceFlag } from './part-header.ts';
import type { Blob, Part, Resource } from './resource.ts';
import type { Warning } from './warning.ts';

/** An entry is 50 bytes, unpadded. */
export const BLOB_ENTRY_SIZE = 50;

/** The original size that marks the entry of a solid resource itself. */
export const SOLID_RESOURCE_MARK = 0x1_0000_0000;

/**
 * One entry as it stands. Amounts that a number cannot hold exactly come out as rounded, absurdly large ones, which
 * every check refuses.
 */
export interface BlobEntry {
	readonly storedSize: number;
	readonly flags: number;
	readonly offset: number;
	readonly originalSize: number;
	readonly partNumber: number;
	readonly referenceCount: number;
	readonly sha1: Sha1;
	/** In the table, in bytes. */
	readonly at: number;
}

/** Reads all whole entries. */
export function parseBlobEntries(span: Span): BlobEntry[] {
	const { view, bytes } = span;
	const entries: BlobEntry[] = [];
	for (let at = 0; at + BLOB_ENTRY_SIZE <= span.size; at += BLOB_ENTRY_SIZE)
		entries.push({
			storedSize:
				view.getUint32(at, true) +
				(view.getUint16(at + 4, true) + view.getUint8(at + 6) * 0x1_0000) * 0x1_0000_0000,
			flags: view.getUint8(at + 7),
			offset: view.getUint32(at + 8, true) + view.getUint32(at + 12, true) * 0x1_0000_0000,
			originalSize: view.getUint32(at + 16, true) + view.getUint32(at + 20, true) * 0x1_0000_0000,
			partNumber: view.getUint16(at + 24, true),
			referenceCount: view.getUint32(at + 26, true),
			sha1: sha1At(bytes, at + 30),
			at,
		});
	return entries;
}

/** True for the entry of a solid resource itself. */
export function isSolidResourceEntry(entry: BlobEntry): boolean {
	return (entry.flags & ResourceFlag.solid) !== 0 && entry.originalSize === SOLID_RESOURCE_MARK;
}

/** What the table of one part says. */
export interface BlobTable {
	/** In image order. */
	readonly metadata: readonly Blob[];
	/** In the order of the table; at most one per SHA-1. */
	readonly blobs: ReadonlyMap<Sha1, Blob>;
	/** All resources that hold blobs, solid ones once. */
	readonly resources: readonly Resource[];
	readonly warnings: readonly Warning[];
}

/** How the resources of a part are compressed, by its header. */
export interface PartCompression {
	readonly compression: Compression;
	readonly chunkSize: number;
}

/**
 * Places all blobs of one part.
 *
 * @param solidShapes by offset of the solid resource; an `Error` for one whose header is broken
 */
export function placeBlobs(
	part: Part,
	entries: readonly BlobEntry[],
	how: PartCompression,
	solidShapes: ReadonlyMap<number, SolidShape | FormatError>,
): BlobTable {
	const placer = new Placer(part, how, solidShapes);
	const solidVersion = isSolidVersion(part.header);
	for (let k = 0; k < entries.length; ) {
		const entry = entries[k]!;
		if (!solidVersion || !(entry.flags & ResourceFlag.solid)) {
			placer.single(entry);
			k++;
			continue;
		}
		let end = k;
		while (end < entries.length && entries[end]!.flags & ResourceFlag.solid) end++;
		placer.run(entries.slice(k, end));
		k = end;
	}
	return placer.table();
}

class Placer {
	private readonly metadata: Blob[] = [];
	private readonly blobs = new Map<Sha1, Blob>();
	private readonly resources: Resource[] = [];
	private readonly warnings: Warning[] = [];
	private readonly part: Part;
	private readonly how: PartCompression;
	private readonly solidShapes: ReadonlyMap<number, SolidShape | FormatError>;

	constructor(
		part: Part,
		how: PartCompression,
		solidShapes: ReadonlyMap<number, SolidShape | FormatError>,
	) {
		this.part = part;
		this.how = how;
		this.solidShapes = solidShapes;
	}

	table(): BlobTable {
		const { metadata, blobs, resources, warnings } = this;
		return { metadata, blobs, resources, warnings };
	}

	/** An entry that is a resource of its own. */
	single(entry: BlobEntry): void {
		const isMetadata = (entry.flags & ResourceFlag.metadata) !== 0;
		if (!this.belongs(entry)) return;
		if (isMetadata) {
			if (entry.referenceCount === 0) return;
			if (entry.referenceCount > 1)
				this.warn(entry, `a metadata resource is referenced ${entry.referenceCount} times`);
		}
		const why = isMetadata ? this.metadataObjection() : this.blobObjection(entry);
		if (why !== null) {
			this.warn(entry, why);
			return;
		}
		const compressed = (entry.flags & ResourceFlag.compressed) !== 0;
		const resource: Resource = {
			part: this.part,
			offset: entry.offset,
			storedSize: entry.storedSize,
			originalSize: entry.originalSize,
			layout: !compressed ? 'raw' : this.part.pipable ? 'pipable' : 'chunked',
			compression: compressed ? this.how.compression : 'none',
			chunkSize: compressed ? this.how.chunkSize : 0,
			flags: entry.flags,
		};
		const blob: Blob = {
			sha1: entry.sha1,
			size: entry.originalSize,
			referenceCount: entry.referenceCount,
			resource,
			offsetInResource: 0,
			defect: resourceDefect(resource),
		};
		this.resources.push(resource);
		if (isMetadata) this.metadata.push(blob);
		else this.blobs.set(entry.sha1, blob);
	}

	/** A maximal series of entries with the SOLID flag: resources, and the blobs inside them (wim.md §3.4). */
	run(entries: readonly BlobEntry[]): void {
		const resources: {
			resource: Resource;
			start: number;
			defect: string | null;
		}[] = [];
		let total = 0;
		for (const entry of entries) {
			if (!isSolidResourceEntry(entry) || !this.belongs(entry)) continue;
			const { resource, defect } = this.solidResource(entry);
			resources.push({ resource, start: total, defect });
			this.resources.push(resource);
			total += resource.originalSize;
		}
		let last: { start: number; end: number } | null = null;
		const blobs = entries
			.filter((entry) => !isSolidResourceEntry(entry) && this.belongs(entry))
			.sort((a, b) => a.offset - b.offset);
		for (const entry of blobs) {
			if (entry.sha1 === ZERO_SHA1 || entry.storedSize === 0) {
				this.warn(entry, 'an entry without SHA-1 or size in a solid resource is ignored');
				continue;
			}
			if (this.blobs.has(entry.sha1)) {
				this.warn(entry, `blob ${entry.sha1} is listed twice; the first entry counts`);
				continue;
			}
			const home = resources.findLast(({ start }) => start <= entry.offset) ?? resources[0];
			if (home === undefined) {
				this.warn(entry, 'a solid blob without solid resource is ignored');
				continue;
			}
			const offsetInResource = entry.offset - home.start;
			let defect = home.defect;
			if (defect === null && !(offsetInResource + entry.storedSize <= home.resource.originalSize))
				defect = 'it does not lie inside one solid resource';
			if (last !== null && entry.offset < last.end && entry.offset >= last.start)
				this.warn(entry, `blob ${entry.sha1} overlaps another one in a solid resource`);
			last = { start: entry.offset, end: entry.offset + entry.storedSize };
			this.blobs.set(entry.sha1, {
				sha1: entry.sha1,
				size: entry.storedSize,
				referenceCount: entry.referenceCount,
				resource: home.resource,
				offsetInResource,
				defect,
			});
		}
	}

	private metadataObjection(): string | null {
		return this.part.header.partNumber === 1
			? null
			: 'a metadata resource outside part 1 is ignored';
	}

	/** Why an entry for a blob is ignored (wim.md §3.5). */
	private blobObjection(entry: BlobEntry): string | null {
		if (entry.sha1 === ZERO_SHA1) return 'an entry without SHA-1 is ignored';
		if (entry.originalSize === 0 || entry.storedSize === 0) return 'an entry of size 0 is ignored';
		if (this.blobs.has(entry.sha1))
			return `blob ${entry.sha1} is listed twice; the first entry counts`;
		return null;
	}

	private solidResource(entry: BlobEntry): {
		resource: Resource;
		defect: string | null;
	} {
		const shape = this.solidShapes.get(entry.offset);
		const readable = shape !== undefined && !(shape instanceof FormatError);
		const resource: Resource = {
			part: this.part,
			offset: entry.offset,
			storedSize: entry.storedSize,
			originalSize: readable ? shape.originalSize : 0,
			layout: 'solid',
			compression: readable ? shape.compression : 'none',
			chunkSize: readable ? shape.chunkSize : 0,
			flags: entry.flags,
		};
		if (readable) return { resource, defect: null };
		const why = shape instanceof FormatError ? shape.message : 'its header was not read';
		this.warn(entry, `a solid resource cannot be used: ${why}`);
		return { resource, defect: `its solid resource cannot be used: ${why}` };
	}

	private belongs(entry: BlobEntry): boolean {
		if (entry.flags & ResourceFlag.solid && entry.flags & ResourceFlag.metadata) {
			if (isSolidVersion(this.part.header)) {
				this.warn(entry, 'an entry that is both metadata and solid is ignored');
				return false;
			}
		}
		if (entry.partNumber === this.part.header.partNumber) return true;
		this.warn(
			entry,
			`an entry for part ${entry.partNumber} is ignored in part ${this.part.header.partNumber}`,
		);
		return false;
	}

	private warn(entry: BlobEntry, message: string): void {
		this.warnings.push({
			message: `${message[0]?.toUpperCase()}${message.slice(1)}`,
			region: this.part.source.name,
			offset: this.part.header.blobTable.offset + entry.at,
		});
	}
}

/** Why a resource cannot be read, known without reading it (wim.md §12.1 #3 to #5); null when nothing speaks against it. */
export function resourceDefect(resource: Resource): string | null {
	const { offset, storedSize, originalSize, part } = resource;
	const end = offset + storedSize;
	if (offset < HEADER_SIZE || !(end <= part.source.size))
		return `its resource at ${formatHex(offset)} (${plural(storedSize, 'byte')}) does not lie inside the file of ${part.source.size} bytes`;
	if (resource.layout === 'raw')
		return storedSize === originalSize
			? null
			: `it is stored raw, but its stored size is ${storedSize} and its original size ${originalSize}`;
	if (resource.layout === 'solid') return null;
	if (resource.compression === 'none')
		return 'it is compressed, but the file has no compression type';
	const chunks = Math.ceil(originalSize / resource.chunkSize);
	const least = chunkTableSize(originalSize, resource.chunkSize) + chunks;
	return least <= storedSize
		? null
		: `its ${formatHex(chunks)} chunks cannot fit into ${plural(storedSize, 'byte')}`;
}
