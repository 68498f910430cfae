/**
 * Puts the parts of a damaged WIM together again from what surveys found, so that the ordinary reader can work on it: type and
 * chunk size by trial where the header does not tell, solid headers from the sizes of their chunks, all generations.
 */
import { plural } from '../../base/print.ts';
import { breathe, type Run } from '../../base/run.ts';
import type { Sha1 } from '../../bytes/sha1.ts';
import { compressionName } from '../../codec/compression.ts';
import type { Source } from '../../storage/source.ts';
import { BlobEntries, type BlobEntry } from '../blob-entries.ts';
import { type BlobTable, placeBlobs } from '../blob-table.ts';
import type { OpenPart } from '../open-part.ts';
import type { PartCompression } from '../part-blobs.ts';
import { NO_RESOURCE, ResourceFlag } from '../part-header.ts';
import type { Blob, Part } from '../resource.ts';
import { XmlData } from '../xml-data.ts';
import { detectCompression } from './detect-compression.ts';
import { countRight, TRIAL_SIZE_MAX } from './prove-table.ts';
import { composeHeader, possibleCompressions } from './recover-header.ts';
import type { RecoveryTools } from './recovery-tools.ts';
import { solidShapes } from './solid-shapes.ts';
import type { Generation, PartSurvey } from './survey.ts';

/** An image that some blob table names. */
export interface RecoveredImage {
	/** By the newest table, from 1; null for an image of an older generation. */
	readonly index: number | null;
	/** From the XML data; made up where there is none. */
	readonly name: string;
	readonly metadata: Blob;
}

export interface RecoveredPart {
	readonly part: OpenPart;
	readonly survey: PartSurvey;
	readonly images: readonly RecoveredImage[];
	/** Everything that any table says of a blob, the newest first. */
	readonly candidates: ReadonlyMap<Sha1, readonly Blob[]>;
	readonly findings: readonly string[];
}

/**
 * Makes a readable part of a survey.
 *
 * @param known type and chunk size from another part of the set, if there is one
 */
export async function recoverPart(
	survey: PartSurvey,
	known: PartCompression | null,
	recovery: RecoveryTools,
	run: Run,
): Promise<RecoveredPart> {
	const { source, header, generations } = survey;
	const findings: string[] = [...survey.findings];
	const newest = generations[0] ?? null;
	const entries = newest?.table.entries ?? [];
	const shapes = await solidShapes(survey, recovery, findings);
	const how = await decideCompression(survey, entries, known, findings, recovery, run);
	const partNumber = header.part ?? {
		number: entries[0]?.partNumber ?? 1,
		count: entries[0]?.partNumber ?? 1,
	};
	const metadataCount = entries.filter(
		({ flags, referenceCount }) => flags & ResourceFlag.metadata && referenceCount > 0,
	).length;
	const composed = composeHeader({
		isPipable: survey.isPipable,
		isSolid: shapes.size > 0 || header.version === 0xe00,
		compression: how.compression,
		chunkSize: how.chunkSize,
		flags: header.flags ?? 0,
		guid: header.guid,
		part: partNumber,
		imageCount: metadataCount,
		bootIndex:
			header.bootIndex !== null && header.bootIndex <= metadataCount ? header.bootIndex : 0,
		blobTable: newest === null ? NO_RESOURCE : tableResource(newest),
		xml: NO_RESOURCE,
		integrity: header.integrity ?? NO_RESOURCE,
	});
	const part: Part = { source, header: composed, pipable: survey.isPipable };
	const tables = generations.map(({ table }) => placeBlobs(part, table.entries, how, shapes));
	const xml = newest?.xml?.xml ?? survey.xmls.at(-1)?.xml ?? null;
	const first = tables[0] ?? placeBlobs(part, [], how, shapes);
	return {
		part: {
			...part,
			compression: how.compression,
			chunkSize: how.chunkSize,
			table: first,
			entries: BlobEntries.of(entries),
			xml: xml ?? XmlData.create(metadataCount),
			warnings: first.warnings,
			faults: [],
		},
		survey,
		images: imagesOf(generations, tables, xml),
		candidates: candidatesOf(tables),
		findings,
	};
}

function tableResource({ table }: Generation) {
	const size = table.end - table.offset;
	return {
		storedSize: size,
		flags: ResourceFlag.metadata,
		offset: table.offset,
		originalSize: size,
	};
}

/** Those of the newest table, then those that only older ones name. */
function imagesOf(
	generations: readonly Generation[],
	tables: readonly BlobTable[],
	fallback: XmlData | null,
): RecoveredImage[] {
	const images: RecoveredImage[] = [];
	const known = new Set<Sha1>();
	const names = new Map<Sha1, string>();
	for (const [k, table] of tables.entries())
		for (const [position, metadata] of table.metadata.entries()) {
			const name = generations[k]?.xml?.xml.facts(position + 1).name ?? '';
			if (name !== '' && !names.has(metadata.sha1)) names.set(metadata.sha1, name);
		}
	for (const [k, table] of tables.entries()) {
		const xml = generations[k]?.xml?.xml ?? (k === 0 ? fallback : null);
		for (const [position, metadata] of table.metadata.entries()) {
			if (k > 0 && known.has(metadata.sha1)) continue;
			known.add(metadata.sha1);
			const isKnown = xml !== null && xml.image(position + 1) !== null;
			const name = isKnown ? xml.facts(position + 1).name : names.get(metadata.sha1);
			images.push({
				index: k === 0 ? position + 1 : null,
				name: name ?? `recovered ${images.length + 1}`,
				metadata,
			});
		}
	}
	return images;
}

function candidatesOf(tables: readonly BlobTable[]): Map<Sha1, Blob[]> {
	const candidates = new Map<Sha1, Blob[]>();
	for (const table of tables)
		for (const [name, blob] of table.blobs) {
			if (isOutside(blob) || isUnreadable(blob)) continue;
			const same = candidates.get(name);
			if (same === undefined) candidates.set(name, [blob]);
			else if (!same.some((other) => isSamePlace(other, blob))) same.push(blob);
		}
	return candidates;
}

/** A wrong entry may point anywhere, terabytes behind its solid resource. */
function isOutside({ resource, offsetInResource, size }: Blob): boolean {
	const { layout, originalSize } = resource;
	return layout === 'solid' && originalSize > 0 && offsetInResource + size > originalSize;
}

/** A wrong entry may call contents compressed in a file that is not. */
function isUnreadable({ resource: { layout, compression } }: Blob): boolean {
	return (layout === 'chunked' || layout === 'pipable') && compression === 'none';
}

function isSamePlace(a: Blob, b: Blob): boolean {
	return (
		a.resource.offset === b.resource.offset &&
		a.offsetInResource === b.offsetInResource &&
		a.size === b.size &&
		a.resource.storedSize === b.resource.storedSize
	);
}

/** The header's word where it holds up, else by trial on the shortest entry and the three longest (wim.md §13.2). */
async function decideCompression(
	survey: PartSurvey,
	entries: readonly BlobEntry[],
	known: PartCompression | null,
	findings: string[],
	recovery: RecoveryTools,
	run: Run,
): Promise<PartCompression> {
	const { compression, chunkSize } = survey.header;
	const compressed = entries
		.filter(({ flags }) => flags & ResourceFlag.compressed && !(flags & ResourceFlag.solid))
		.filter((entry) => entry.originalSize <= TRIAL_SIZE_MAX && !isGone(survey.source, entry))
		.sort((a, b) => a.originalSize - b.originalSize);
	if (compression === 'none' && compressed.length === 0) return { compression, chunkSize: 0 };
	const stated =
		compression !== null && compression !== 'none' && chunkSize !== null
			? { compression, chunkSize }
			: known;
	if (compressed.length === 0) {
		// A table without damage and without compressed resources names all that there is.
		const isKnown = entries.length > 0 && (survey.generations[0]?.table.brokenCount ?? 0) === 0;
		if (isKnown || compression === 'none') return stated ?? { compression: 'none', chunkSize: 0 };
		return detected(survey, stated, findings, recovery, run);
	}
	const samples = [...new Set([compressed[0], ...compressed.slice(-3)])].filter(
		(entry): entry is BlobEntry => entry !== undefined,
	);
	const others = possibleCompressions();
	let best: { how: PartCompression; score: number } | null = null;
	for (const how of stated === null ? others : [stated, ...others]) {
		await breathe(run);
		const score = await countRight(survey, samples, how);
		if (score > (best?.score ?? 0)) best = { how, score };
		// Samples may be damaged; and a sample of one chunk fits to several chunk sizes.
		if (score === samples.length) break;
	}
	if (best === null) return stated ?? { compression: 'none', chunkSize: 0 };
	if (!isSameWay(best.how, stated))
		findings.push(`The compression was found by trial: ${printWay(best.how)}`);
	return best.how;
}

function isGone({ holes = [] }: Source, { offset, storedSize }: BlobEntry): boolean {
	return holes.some(({ start, end }) => offset < end && offset + storedSize > start);
}

/** By nothing but the chunks that the file holds. */
async function detected(
	{ source, header }: PartSurvey,
	stated: PartCompression | null,
	findings: string[],
	recovery: RecoveryTools,
	run: Run,
): Promise<PartCompression> {
	// 'none' never comes here.
	const isCompressed = header.compression !== null;
	const how = await detectCompression(source, stated, isCompressed, recovery, run);
	if (how.compression !== 'none' && !isSameWay(how, stated))
		findings.push(`The compression was found by its chunks: ${printWay(how)}`);
	return how;
}

function isSameWay(a: PartCompression, b: PartCompression | null): boolean {
	return b !== null && a.compression === b.compression && a.chunkSize === b.chunkSize;
}

function printWay({ compression, chunkSize }: PartCompression): string {
	return `${compressionName(compression)}, chunks of ${plural(chunkSize, 'byte')}`;
}
