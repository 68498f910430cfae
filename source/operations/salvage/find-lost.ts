/**
 * Looks for resources that no table names, in the stretches that no table explains (wim.md §13.4 B to E).
 */
import { CanceledError, FormatError } from '../../base/errors.ts';
import { METADATA_SIZE_MAX } from '../../base/limits.ts';
import { type Run, throwIfCanceled } from '../../base/run.ts';
import { type Sha1, sha1 } from '../../bytes/sha1.ts';
import { Span } from '../../bytes/span.ts';
import {
	chunksLeast,
	parseSolidTable,
	SolidHeader,
	type SolidShape,
} from '../../codec/chunk-table.ts';
import { COMPRESSIONS, isLegalChunkSize } from '../../codec/compression.ts';
import { ImageTree } from '../../image/tree.ts';
import { LargeChunks } from '../../pool/large-chunks.ts';
import type { Pool } from '../../pool/pool.ts';
import { cutOut, endOf, type FoundResource, type Stretch } from '../../pool/search/found.ts';
import { type WantedInput, wantedInput } from '../../pool/tasks/search.ts';
import type { Source } from '../../storage/source.ts';
import type { PartCompression } from '../../wim/part-blobs.ts';

import { ResourceFlag } from '../../wim/part-header.ts';
import { readWholeResource } from '../../wim/read-resource.ts';
import type { RecoveredPart } from '../../wim/recover/recover-wim.ts';
import { walkPipable } from '../../wim/recover/walk-pipable.ts';
import { SlidingWindow } from '../../wim/recover/window.ts';
import type { Blob, Resource } from '../../wim/resource.ts';
import { DecodedSource } from './decoded-source.ts';
import { findRawTrees } from './find-raw-trees.ts';
import type { Gap } from './gaps.ts';
import { guessSolid } from './guess-solid.ts';
import { announce, type Quest, searchSolid, searchStretch, withinTotal } from './search-stretch.ts';
import { findWipedSolid } from './wiped-solid.ts';

/** A resource that shows its beginning, and perhaps not clearly its end. */
export interface Tentative {
	/** What it is if it ends in one way or the other, the likeliest first; never empty. */
	readonly ends: readonly Blob[];
	/** So many of them are as likely as each other. */
	readonly likelyCount: number;
}

/** What a search gave. */
export interface Lost {
	/** By their SHA-1, proved or stated by the file. */
	readonly blobs: readonly Blob[];
	/** Metadata resources that no table names; each parses as a tree. */
	readonly metadata: readonly Blob[];
	/** Resources that nobody asked for. */
	readonly tentative: readonly Tentative[];
	/** Raw bytes that are neither of these. */
	readonly unexplained: readonly { readonly source: Source; readonly stretch: Stretch }[];
}

/** What is looked for. */
export interface LostQuest {
	/** SHA-1s that trees name and no table places. */
	readonly wanted: ReadonlySet<Sha1>;
	/** Sizes of wanted blobs, where a donor tells. */
	readonly sizes: ReadonlyMap<Sha1, number>;
	/** Some image has none: uncompressed metadata is looked for too. */
	readonly needsMetadata: boolean;
	/** Entries of the tables with these are not believed. */
	readonly isDoubted: (sha1: Sha1) => boolean;
	/** Looks only where resources show themselves. */
	readonly isQuick: boolean;
	/** Whoever cancels gets what was found until then. */
	readonly keepsWhenCanceled: boolean;
}

/** Searches the gaps of a part. */
export async function findLost(
	recovered: RecoveredPart,
	gaps: readonly Gap[],
	quest: LostQuest,
	pool: Pool,
	asked: Run,
): Promise<Lost> {
	const run = withinTotal(asked);
	const search = new Search(recovered, quest, pool, run);
	announce(gaps, run);
	try {
		for (const gap of gaps) await search.gap(gap);
		await search.again();
		if (quest.wanted.size > 0) await solidGaps(recovered, search, quest.isDoubted);
	} catch (error) {
		if (!(error instanceof CanceledError) || !quest.keepsWhenCanceled) throw error;
	}
	search.settle();
	return search;
}

/** Blobs of known solid resources whose entries are lost: what lies between the others is cut by SHA-1. */
async function solidGaps(
	recovered: RecoveredPart,
	search: Search,
	isDoubted: (sha1: Sha1) => boolean,
): Promise<void> {
	const { resources, blobs } = recovered.part.table;
	for (const resource of resources) {
		if (resource.layout !== 'solid' || resource.originalSize === 0) continue;
		// An entry that points outside of its resource explains nothing, and may lie terabytes behind it.
		const isInside = ({ offsetInResource, size }: Blob) =>
			offsetInResource + size <= resource.originalSize;
		const known = [...blobs.values()]
			.filter((blob) => blob.resource === resource && isInside(blob) && !isDoubted(blob.sha1))
			.sort((a, b) => a.offsetInResource - b.offsetInResource);
		let at = 0;
		for (const { offsetInResource, size } of known) {
			if (offsetInResource > at)
				await search.inSolid(resource, { start: at, end: offsetInResource });
			at = Math.max(at, offsetInResource + size);
		}
		if (at < resource.originalSize)
			await search.inSolid(resource, { start: at, end: resource.originalSize });
	}
}

const RAW: PartCompression = { compression: 'none', chunkSize: 0 };

/**
 * Compressions of SHA-1 in search of starts that nothing shows, some 17 million a second: in the first round for each gap, in
 * both together.
 */
const EFFORT_FIRST = 64 << 20;
const EFFORT = 2 ** 31;

/** Between two damaged blobs lies another only if so many are missing. */
const MISSING_LEAST = 3;

/** How trees are compressed where nothing says it. */
const USUAL: readonly PartCompression[] = [
	{ compression: 'lzx', chunkSize: 1 << 15 },
	{ compression: 'xpress', chunkSize: 1 << 15 },
	{ compression: 'lzms', chunkSize: 1 << 17 },
];

/** A solid resource hides how the rest is compressed: then all ways are tried. */
function waysFor(stated: PartCompression, isHidden: boolean): PartCompression[] {
	const others = isHidden
		? USUAL.filter(
				({ compression, chunkSize }) =>
					compression !== stated.compression || chunkSize !== stated.chunkSize,
			)
		: [];
	return [stated, ...others].filter(({ compression }) => compression !== 'none');
}

class Search implements Lost {
	readonly blobs: Blob[] = [];
	readonly metadata: Blob[] = [];
	readonly tentative: Tentative[] = [];
	readonly unexplained: { readonly source: Source; readonly stretch: Stretch }[] = [];
	private readonly recovered: RecoveredPart;
	private readonly source: Source;
	private readonly quest: LostQuest;
	/** Names that were not found yet. */
	private readonly missing: Set<Sha1>;
	/** Those, as lanes get them; made anew when some were found. */
	private wanted: WantedInput | null = null;
	/** Raw stretches that the first round did not explain. */
	private readonly left: Stretch[] = [];
	/** What is not worth a second round. */
	private readonly hopeless: Stretch[] = [];
	/** Compressions of SHA-1 that are left for starts that nothing shows. */
	private effort = EFFORT;
	/** Of the gap that is searched now. */
	private isStated = false;
	private readonly pool: Pool;
	private readonly run: Run;

	constructor(recovered: RecoveredPart, quest: LostQuest, pool: Pool, run: Run) {
		this.quest = quest;
		this.recovered = recovered;
		this.source = recovered.part.source;
		this.missing = new Set(quest.wanted);
		this.pool = pool;
		this.run = run;
	}

	private wantedNow(): WantedInput {
		if (this.wanted === null) {
			const sizes = [...this.quest.sizes].flatMap(([name, size]) =>
				this.missing.has(name) ? [size] : [],
			);
			this.wanted = wantedInput(this.missing, sizes);
		}
		return this.wanted;
	}

	private foundName(name: Sha1): void {
		if (this.missing.delete(name)) this.wanted = null;
	}

	async gap(gap: Gap): Promise<void> {
		if (gap.rawBlob !== null && this.missing.has(gap.rawBlob)) {
			this.hopeless.push(gap);
			this.run.report({ type: 'advance', bytes: gap.end - gap.start });
			return;
		}
		this.isStated = gap.isStated;
		const { compression, chunkSize } = this.recovered.part;
		if (this.recovered.survey.isPipable) return this.pipable(gap, chunkSize);
		let rest: readonly Stretch[] = [gap];
		const solid = await this.solid(gap);
		if (solid !== null) rest = solid.end < gap.end ? [{ start: solid.end, end: gap.end }] : [];
		const ways = waysFor({ compression, chunkSize }, solid !== null);
		if (ways.length > 0)
			rest = (await Promise.all(rest.map((stretch) => this.compressed(stretch, ways)))).flat();
		for (const stretch of rest) await this.raw(stretch);
	}

	/**
	 * Resources that show themselves.
	 *
	 * @param ways tried until one gives something
	 * @returns what lies between them
	 */
	private async compressed(
		stretch: Stretch,
		ways: readonly PartCompression[],
	): Promise<readonly Stretch[]> {
		for (const how of ways) {
			// Only LZMS has starts that nothing shows.
			const share = this.quest.wanted.size > 0 ? 2 : 4;
			const effort = how.compression === 'lzms' && !this.isStated ? this.effort / share : 0;
			this.effort -= effort;
			const quest = { ...this.questFor(how), effort };
			const found = await searchStretch(this.source, stretch, quest, this.pool, this.run);
			for (const one of found) await this.keep(one, how);
			throwIfCanceled(this.run);
			if (found.length > 0) return between(stretch, found);
		}
		return [stretch];
	}

	private async keep(found: FoundResource, how: PartCompression): Promise<void> {
		const ends = found.ends.map((end) => ({
			sha1: end.sha1,
			size: end.originalSize,
			referenceCount: 0,
			resource: this.resource(found.offset, end, found.isRaw ? RAW : how),
			offsetInResource: 0,
			defect: null,
		}));
		const [first] = ends;
		if (first === undefined) return;
		if (found.isWanted) {
			this.blobs.push(first);
			this.foundName(first.sha1);
			return;
		}
		if (found.isTree) for (const { resource } of ends) if (await this.isMetadata(resource)) return;
		this.tentative.push({ ends, likelyCount: found.likelyCount });
	}

	private questFor({ compression, chunkSize }: PartCompression): Quest {
		const { part, survey } = this.recovered;
		const stated = [part.header.blobTable.offset, survey.header.blobTable?.offset ?? 0];
		return {
			compression,
			chunkSize,
			wanted: this.wantedNow(),
			isQuick: this.quest.isQuick,
			effort: 0,
			hints: stated.filter((offset) => offset > 0),
		};
	}

	/** Uncompressed metadata by its root dentry, then blobs by their SHA-1 in what remains. */
	private async raw(stretch: Stretch): Promise<void> {
		// A WIM may be stored inside a wanted blob: its metadata is looked for only when ours is missing.
		const trees = this.quest.needsMetadata
			? await findRawTrees(this.source, stretch, this.run)
			: [];
		for (const { start, end, sha1: name } of trees) {
			const size = end - start;
			const resource = this.resource(start, { storedSize: size, originalSize: size }, RAW);
			this.metadata.push(metadataBlob(resource, name));
		}
		for (const piece of cutOut(stretch, trees)) {
			const effort = this.isStated ? 0 : Math.min(EFFORT_FIRST, this.effort / 4);
			this.effort -= effort;
			const rest = await this.rawBlobs(piece, effort);
			(this.isStated ? this.hopeless : this.left).push(...rest);
		}
	}

	/** @returns what lies between the blobs that were found */
	private async rawBlobs(piece: Stretch, effort: number): Promise<readonly Stretch[]> {
		if (this.missing.size === 0) return [piece];
		const quest = { ...this.questFor(RAW), wanted: this.wantedNow(), effort };
		const found = await searchStretch(this.source, piece, quest, this.pool, this.run);
		for (const one of found) await this.keep(one, RAW);
		throwIfCanceled(this.run);
		return between(piece, found);
	}

	/**
	 * What every gap left is searched once more now that less is missing: between two damaged blobs, where nothing shows the
	 * next beginning.
	 */
	async again(): Promise<void> {
		const pieces = [...this.left].sort((a, b) => a.end - a.start - (b.end - b.start));
		const isRaw = this.recovered.part.compression === 'none';
		const isWorthIt = () => isRaw && !this.quest.isQuick && this.missing.size >= MISSING_LEAST;
		this.left.length = 0;
		if (pieces.length > 0 && isWorthIt()) announce(pieces, this.run);
		for (const [k, piece] of pieces.entries()) {
			const effort = this.effort / (pieces.length - k);
			this.effort -= effort;
			this.left.push(...(isWorthIt() ? await this.rawBlobs(piece, effort) : [piece]));
		}
	}

	/** What no search has explained is so for good. */
	settle(): void {
		for (const stretch of [...this.left, ...this.hopeless].sort((a, b) => a.start - b.start))
			this.unexplained.push({ source: this.source, stretch });
	}

	private async pipable(gap: Stretch, chunkSize: number): Promise<void> {
		for (const found of await walkPipable(this.source, gap, chunkSize, this.run)) {
			const compressed = (found.flags & ResourceFlag.compressed) !== 0;
			const how = compressed ? this.recovered.part : RAW;
			const resource = this.resource(found.offset, found, how);
			const isMetadata = (found.flags & ResourceFlag.metadata) !== 0;
			// Both copies of the XML data and the blob table are METADATA too; only a tree parses as one.
			if (isMetadata) await this.isMetadata(resource, found.sha1);
			else this.add(resource, found.sha1, 0, found.originalSize);
		}
	}

	/** What the header at the start of a gap and the sizes behind it say, if they fit together. */
	private async solidShape(gap: Stretch): Promise<SolidShape | null> {
		const window = new SlidingWindow(this.source, 1 << 16);
		const head = new Span(
			await window.at(gap.start, SolidHeader.size),
			this.source.name,
			gap.start,
		);
		if (head.size < SolidHeader.size) return null;
		const high = head.view.getUint32(4, true);
		const chunkSize = head.view.getUint32(8, true);
		const compression = COMPRESSIONS[head.view.getUint32(12, true)];
		if (high > 0xffff || compression === undefined || compression === 'none') return null;
		if (!isLegalChunkSize(compression, chunkSize)) return null;
		const originalSize = high * 0x1_0000_0000 + head.view.getUint32(0, true);
		const chunkCount = Math.ceil(originalSize / chunkSize);
		const tableSize = chunkCount * 4;
		const least = SolidHeader.size + tableSize + chunksLeast(compression, originalSize, chunkSize);
		if (originalSize === 0 || gap.start + SolidHeader.size + tableSize > gap.end) return null;
		if (gap.start + least > gap.end && gap.end < this.source.size) return null;
		const table = new Span(
			(await window.at(gap.start + SolidHeader.size, tableSize)).slice(),
			this.source.name,
		);
		let storedSize = SolidHeader.size + tableSize;
		for (let k = 0; k < chunkCount; k++) storedSize += table.view.getUint32(4 * k, true);
		const end = gap.start + storedSize;
		const isCut = end > gap.end && gap.end === this.source.size;
		if (end > gap.end && !isCut) return null;
		const shape: SolidShape = {
			originalSize,
			storedSize,
			chunkSize,
			compression,
			chunkCount,
			tableOffset: SolidHeader.size,
			tableSize,
		};
		try {
			parseSolidTable(table, shape);
		} catch (error) {
			if (error instanceof FormatError) return null;
			throw error;
		}
		return shape;
	}

	/**
	 * A solid resource at the start of a gap: recognised by its header or by the sizes of its chunks, then cut by SHA-1.
	 *
	 * @returns where it ends
	 */
	private async solid(gap: Stretch): Promise<Stretch | null> {
		const shape = (await this.solidShape(gap)) ?? (await guessSolid(this.source, gap, this.pool));
		if (shape === null) return this.wipedSolid(gap);
		const { storedSize, originalSize, compression, chunkSize } = shape;
		const resource: Resource = {
			part: this.recovered.part,
			offset: gap.start,
			storedSize,
			originalSize,
			layout: 'solid',
			compression,
			chunkSize,
			flags: ResourceFlag.solid,
		};
		const lanes = new LargeChunks(this.pool, this.run.signal);
		if (this.quest.wanted.size === 0)
			this.unexplained.push(whole(new DecodedSource(resource, lanes)));
		else await this.inSolid(resource, { start: 0, end: originalSize });
		return { start: gap.start, end: gap.start + storedSize };
	}

	/**
	 * A solid resource without header and sizes, which only the decoded bytes stand for: what is found in them lies there.
	 *
	 * @returns where it ends
	 */
	private async wipedSolid(gap: Stretch): Promise<Stretch | null> {
		const wiped = await findWipedSolid(this.source, gap, this.pool, this.run);
		if (wiped === null) return null;
		const stretch = { start: 0, end: wiped.decoded.size };
		if (this.quest.wanted.size === 0) this.unexplained.push({ source: wiped.decoded, stretch });
		else {
			const found = await this.cutDecoded(this.decodedPiece(wiped.decoded, stretch), stretch);
			for (const { offset, ends } of found)
				for (const { sha1: name, originalSize } of ends) {
					const piece = { start: offset, end: offset + originalSize };
					this.add(this.decodedPiece(wiped.decoded, piece), name, 0, originalSize);
				}
		}
		return { start: gap.start, end: wiped.end };
	}

	private decodedPiece(source: Source, { start, end }: Stretch): Resource {
		const part = { source, header: this.recovered.part.header, pipable: false };
		const size = end - start;
		const place = { offset: start, storedSize: size, originalSize: size };
		return { part, ...place, layout: 'raw', compression: 'none', chunkSize: 0, flags: 0 };
	}

	/** Cuts a stretch of the decoded bytes of a solid resource. */
	async inSolid(resource: Resource, stretch: Stretch): Promise<void> {
		for (const { offset, ends } of await this.cutDecoded(resource, stretch))
			for (const { sha1: name, originalSize } of ends)
				this.add(resource, name, offset, originalSize);
	}

	private async cutDecoded(
		resource: Resource,
		stretch: Stretch,
	): Promise<readonly FoundResource[]> {
		const { isQuick } = this.quest;
		const effort = isQuick ? 0 : this.effort / 4;
		this.effort -= effort;
		announce([stretch], this.run);
		const quest = { wanted: this.wantedNow(), isQuick, effort };
		return searchSolid(resource, stretch, quest, this.pool, this.run);
	}

	private resource(
		offset: number,
		{ storedSize, originalSize }: { readonly storedSize: number; readonly originalSize: number },
		{ compression, chunkSize }: PartCompression,
	): Resource {
		const { part } = this.recovered;
		const isRaw = compression === 'none';
		return {
			part,
			offset,
			storedSize,
			originalSize,
			layout: isRaw ? 'raw' : part.pipable ? 'pipable' : 'chunked',
			compression,
			chunkSize,
			flags: isRaw ? 0 : ResourceFlag.compressed,
		};
	}

	private add(resource: Resource, name: Sha1, offsetInResource: number, size: number): void {
		this.foundName(name);
		this.blobs.push({
			sha1: name,
			size,
			referenceCount: 1,
			resource,
			offsetInResource,
			defect: null,
		});
	}

	/** Decodes a resource and tries to read it as a tree; keeps it when it is one. */
	private async isMetadata(resource: Resource, stated: Sha1 | null = null): Promise<boolean> {
		if (resource.originalSize % 8 !== 0 || resource.originalSize > METADATA_SIZE_MAX) return false;
		try {
			const bytes = await readWholeResource(resource, METADATA_SIZE_MAX);
			const tree = ImageTree.parse(new Span(bytes, 'metadata'));
			if (tree.end !== bytes.length || tree.count < 2) return false;
			this.metadata.push(metadataBlob(resource, stated ?? sha1(bytes)));
			return true;
		} catch (error) {
			if (error instanceof FormatError) return false;
			throw error;
		}
	}
}

/** What lies between resources. */
function between(stretch: Stretch, found: readonly FoundResource[]): Stretch[] {
	return cutOut(
		stretch,
		found.map((one) => ({ start: one.offset, end: endOf(one) })),
	);
}

function metadataBlob(resource: Resource, name: Sha1): Blob {
	return {
		sha1: name,
		size: resource.originalSize,
		referenceCount: 1,
		resource,
		offsetInResource: 0,
		defect: null,
	};
}

/** All of a source, as a stretch. */
function whole(source: Source): { source: Source; stretch: Stretch } {
	return { source, stretch: { start: 0, end: source.size } };
}
