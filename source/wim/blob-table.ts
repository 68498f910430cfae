/**
 * The blob table: SHA-1 to resource (wim.md §3). Placing is pure; the headers of solid resources, which placing their
 * blobs needs, are handed in.
 */
import { FormatError } from '../base/errors.ts';
import { atOnce } from '../base/slices.ts';
import type { Sha1 } from '../bytes/sha1.ts';
import type { SolidShape } from '../codec/chunk-table.ts';
import { BlobEntries, type BlobEntry } from './blob-entries.ts';
import { PartBlobs, type PartCompression, ResourceList, type SolidHome } from './part-blobs.ts';
import { isSolidVersion, ResourceFlag } from './part-header.ts';
import type { Blob, Part, Resource } from './resource.ts';
import type { Warning } from './warning.ts';

/** What the table of one part says. */
export interface BlobTable {
	/** In image order. */
	readonly metadata: readonly Blob[];
	/** In the order of the table; at most one per SHA-1. */
	readonly blobs: ReadonlyMap<Sha1, Blob>;
	/** All resources that hold blobs, solid ones once. */
	readonly resources: ResourceList;
	readonly warnings: readonly Warning[];
}

/**
 * Places all blobs of one part.
 *
 * @param solidShapes by offset of the solid resource; an `Error` for one whose header is broken
 */
export function placeBlobs(
	part: Part,
	table: BlobEntries | readonly BlobEntry[],
	how: PartCompression,
	solidShapes: ReadonlyMap<number, SolidShape | FormatError>,
): BlobTable {
	return atOnce(placingSteps(part, table, how, solidShapes));
}

/** Entries between two pauses: a millisecond of work, as long as nothing is compiled yet. */
const STEP = 512;

/** As `placeBlobs`; yields now and then, so that the calling thread can stay alive. */
export function* placingSteps(
	part: Part,
	table: BlobEntries | readonly BlobEntry[],
	how: PartCompression,
	solidShapes: ReadonlyMap<number, SolidShape | FormatError>,
): Generator<void, BlobTable, undefined> {
	const entries = table instanceof BlobEntries ? table : BlobEntries.of(table);
	const placer = new Placer(part, entries, how, solidShapes);
	const solidVersion = isSolidVersion(part.header);
	const isSolid = (k: number) => solidVersion && (entries.flags(k) & ResourceFlag.solid) !== 0;
	for (let k = 0; k < entries.length; ) {
		const start = k;
		k = placer.ordinary(k, Math.min(entries.length, k + STEP));
		if (k > start) {
			if (k - start === STEP) yield;
			continue;
		}
		if (!isSolid(k)) {
			placer.single(k++);
			if (k % STEP === 0) yield;
			continue;
		}
		while (k < entries.length && isSolid(k)) k++;
		yield* placer.run(start, k);
	}
	return placer.table();
}

class Placer {
	private readonly metadata: Blob[] = [];
	private readonly blobs: PartBlobs;
	private readonly resources: ResourceList;
	private readonly warnings: Warning[] = [];
	private readonly part: Part;
	private readonly entries: BlobEntries;
	private readonly solidShapes: ReadonlyMap<number, SolidShape | FormatError>;

	constructor(
		part: Part,
		entries: BlobEntries,
		how: PartCompression,
		solidShapes: ReadonlyMap<number, SolidShape | FormatError>,
	) {
		this.part = part;
		this.entries = entries;
		this.blobs = new PartBlobs(part, how, entries);
		this.resources = new ResourceList(this.blobs);
		this.solidShapes = solidShapes;
	}

	table(): BlobTable {
		const { metadata, blobs, resources, warnings } = this;
		return { metadata, blobs, resources, warnings };
	}

	/** Entries from one on that need no closer look. @returns where they end */
	ordinary(from: number, most: number): number {
		const end = this.blobs.addOrdinary(from, most);
		this.resources.addRange(from, end);
		return end;
	}

	/** An entry that is a resource of its own. */
	single(k: number): void {
		const { entries } = this;
		if (!this.belongs(k)) return;
		if (entries.flags(k) & ResourceFlag.metadata) this.placeMetadata(k);
		else {
			const why = this.blobObjection(k);
			if (why !== null) this.warn(k, why);
			else if (this.blobs.add(k, null)) this.resources.add(k, null);
			else this.warn(k, `blob ${entries.sha1(k)} is listed twice; the first entry counts`);
		}
	}

	private placeMetadata(k: number): void {
		const count = this.entries.referenceCount(k);
		if (count === 0) return;
		if (count > 1) this.warn(k, `a metadata resource is referenced ${count} times`);
		if (this.part.header.partNumber !== 1)
			this.warn(k, 'a metadata resource outside part 1 is ignored');
		else {
			this.metadata.push(this.blobs.singleAt(k, this.entries.sha1(k)));
			this.resources.add(k, null);
		}
	}

	/** A maximal series of entries with the SOLID flag: resources, and the blobs inside them (wim.md §3.4). */
	*run(start: number, end: number): Generator<void, void, undefined> {
		const { entries } = this;
		const homes: SolidHome[] = [];
		const blobs: number[] = [];
		let total = 0;
		let isAscending = true;
		for (let k = start; k < end; k++) {
			if (k % STEP === STEP - 1) yield;
			if (!this.belongs(k)) continue;
			if (!entries.isSolidResource(k)) {
				isAscending &&= entries.offset(blobs.at(-1) ?? k) <= entries.offset(k);
				blobs.push(k);
				continue;
			}
			const { resource, defect } = this.solidResource(k);
			homes.push({ resource, start: total, defect });
			this.resources.add(k, resource);
			total += resource.originalSize;
		}
		if (!isAscending) blobs.sort((a, b) => entries.offset(a) - entries.offset(b));
		yield* this.placeInside(blobs, homes);
	}

	/** @param blobs entries by their offsets in the run */
	private *placeInside(
		blobs: readonly number[],
		homes: readonly SolidHome[],
	): Generator<void, void, undefined> {
		const { entries } = this;
		let last: { start: number; end: number } | null = null;
		let position = 0;
		for (const [n, k] of blobs.entries()) {
			if (n % STEP === STEP - 1) yield;
			const offset = entries.offset(k);
			const size = entries.storedSize(k);
			if (!entries.hasSha1(k) || size === 0) {
				this.warn(k, 'an entry without SHA-1 or size in a solid resource is ignored');
				continue;
			}
			while ((homes[position + 1]?.start ?? Number.POSITIVE_INFINITY) <= offset) position++;
			const home = homes[position];
			if (home === undefined) {
				this.warn(k, 'a solid blob without solid resource is ignored');
				continue;
			}
			if (!this.blobs.add(k, home)) {
				this.warn(k, `blob ${entries.sha1(k)} is listed twice; the first entry counts`);
				continue;
			}
			if (last !== null && offset < last.end && offset >= last.start)
				this.warn(k, `blob ${entries.sha1(k)} overlaps another one in a solid resource`);
			last = { start: offset, end: offset + size };
		}
	}

	/** Why an entry for a blob is ignored (wim.md §3.5). */
	private blobObjection(k: number): string | null {
		if (!this.entries.hasSha1(k)) return 'an entry without SHA-1 is ignored';
		if (this.entries.originalSize(k) === 0 || this.entries.storedSize(k) === 0)
			return 'an entry of size 0 is ignored';
		return null;
	}

	private solidResource(k: number): { resource: Resource; defect: string | null } {
		const offset = this.entries.offset(k);
		const shape = this.solidShapes.get(offset);
		const readable = shape !== undefined && !(shape instanceof FormatError);
		const resource: Resource = {
			part: this.part,
			offset,
			storedSize: this.entries.storedSize(k),
			originalSize: readable ? shape.originalSize : 0,
			layout: 'solid',
			compression: readable ? shape.compression : 'none',
			chunkSize: readable ? shape.chunkSize : 0,
			flags: this.entries.flags(k),
		};
		if (readable) return { resource, defect: null };
		const why = shape instanceof FormatError ? shape.message : 'its header was not read';
		this.warn(k, `a solid resource cannot be used: ${why}`);
		return { resource, defect: `its solid resource cannot be used: ${why}` };
	}

	private belongs(k: number): boolean {
		const flags = this.entries.flags(k);
		if (flags & ResourceFlag.solid && flags & ResourceFlag.metadata) {
			if (isSolidVersion(this.part.header)) {
				this.warn(k, 'an entry that is both metadata and solid is ignored');
				return false;
			}
		}
		const number = this.entries.partNumber(k);
		if (number === this.part.header.partNumber) return true;
		this.warn(k, `an entry for part ${number} is ignored in part ${this.part.header.partNumber}`);
		return false;
	}

	private warn(k: number, message: string): void {
		this.warnings.push({
			message: `${message[0]?.toUpperCase()}${message.slice(1)}`,
			region: this.part.source.name,
			offset: this.part.header.blobTable.offset + this.entries.at(k),
		});
	}
}
