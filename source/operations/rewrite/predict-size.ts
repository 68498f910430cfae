/** How large a file will be before it is written: exact where resources are copied, an upper estimate elsewhere. */
import { INTEGRITY_CHUNK_SIZE_MAX, INTEGRITY_CHUNK_SIZE_MIN } from '../../base/limits.ts';
import { BLOB_ENTRY_SIZE } from '../../wim/blob-entries.ts';
import { canCopy, shapeOf } from '../../wim/copy-resources.ts';
import { setTotalBytes } from '../../wim/edit-xml.ts';
import {
	INTEGRITY_CHUNK_SIZE,
	IntegrityHeader,
	integrityEntryCount,
} from '../../wim/integrity-table.ts';
import { HEADER_SIZE } from '../../wim/part-header.ts';
import type { Blob, Resource } from '../../wim/resource.ts';
import { UNDO_RECORD_SIZE } from '../../wim/undo-record.ts';
import type { Wim } from '../../wim/wim.ts';
import { PipableHeader } from '../../wim/write-resource.ts';
import type { WimShape } from '../../wim/write-wim.ts';
import type { XmlData } from '../../wim/xml-data.ts';
import type { BlobPlan, Selection } from './rebuild.ts';

export interface Prediction {
	/** In bytes. */
	readonly size: number;
	/** Something is compressed anew, so that `size` is a guess from above: blobs as they are. */
	readonly isEstimate: boolean;
}

/** Where everything ends when the tables begin at `start`. */
export function tablesEnd(input: {
	readonly start: number;
	readonly entryCount: number;
	readonly xml: XmlData;
	readonly isPipable: boolean;
	/** Size of the chunks of the integrity table; null without one. */
	readonly integrityChunkSize: number | null;
	/** TOTALBYTES stays what it is in parts of a set. */
	readonly isPart: boolean;
}): number {
	const extra = input.isPipable ? PipableHeader.size : 0;
	const tableEnd = input.start + extra + input.entryCount * BLOB_ENTRY_SIZE;
	const xml = input.xml.copy();
	if (!input.isPart) setTotalBytes(xml, tableEnd);
	let end = tableEnd + extra + xml.encode().length;
	if (input.integrityChunkSize !== null)
		end += IntegrityHeader.size + 20 * integrityEntryCount(tableEnd, input.integrityChunkSize);
	return input.isPipable ? end + HEADER_SIZE : end;
}

/** Bytes that copied blobs take, each solid resource once, and how many table entries they need. */
export function copiedSize(
	blobs: readonly Blob[],
	isPipable: boolean,
): { size: number; entries: number } {
	const solid = new Set<Resource>();
	let size = 0;
	let entries = 0;
	for (const { resource } of blobs) {
		entries++;
		if (resource.layout === 'solid') {
			if (solid.has(resource)) continue;
			solid.add(resource);
			entries++;
		}
		size += resource.storedSize + (isPipable ? PipableHeader.size : 0);
	}
	return { size, entries };
}

/** As `copiedSize`, of all that a plan copies. */
export function plannedSize(
	{ copied, plain = null }: Pick<BlobPlan, 'copied' | 'plain'>,
	isPipable: boolean,
): { size: number; entries: number } {
	if (plain !== null) return { size: plain.storedSize, entries: plain.length };
	return copiedSize(copied, isPipable);
}

/** Of a file that takes over a selection. */
export function rebuiltSize(input: {
	readonly selection: Selection;
	readonly blobs: BlobPlan;
	readonly shape: WimShape;
	readonly xml: XmlData;
	readonly integrity: boolean;
	readonly recompress: boolean;
}): Prediction {
	const { shape, xml } = input;
	const { isPipable } = shape;
	const taken = takenOver(input);
	let start = HEADER_SIZE + taken.size;
	if (isPipable) {
		const leading = xml.copy();
		setTotalBytes(leading, null);
		start += PipableHeader.size + leading.encode().length;
	}
	const size = tablesEnd({
		start,
		entryCount: taken.entries,
		xml,
		isPipable,
		integrityChunkSize: input.integrity ? INTEGRITY_CHUNK_SIZE : null,
		isPart: false,
	});
	return { size, isEstimate: taken.isEstimate };
}

/** What the blobs and the metadata of a selection take, and their table entries. */
function takenOver(input: {
	readonly selection: Selection;
	readonly blobs: BlobPlan;
	readonly shape: WimShape;
	readonly recompress: boolean;
}): Prediction & { readonly entries: number } {
	const { selection, blobs, shape, recompress } = input;
	const extra = shape.isPipable ? PipableHeader.size : 0;
	const copied = plannedSize(blobs, shape.isPipable);
	let isEstimate = blobs.recoded.length > 0;
	let { size } = copied;
	for (const blob of blobs.recoded) size += extra + guess(blob, shape);
	for (const { metadata } of selection.images) {
		const { resource } = metadata;
		const isCopied = !recompress && canCopy(resource, shapeOf(selection.wim.first), shape);
		if (!isCopied) isEstimate = true;
		size += extra + (isCopied ? resource.storedSize : guess(metadata, shape));
	}
	const entries = selection.images.length + copied.entries + blobs.recoded.length;
	return { size, entries, isEstimate };
}

/** A blob that is compressed anew takes about what it takes now, when it is compressed now. */
function guess({ resource, size }: Blob, { compression }: WimShape): number {
	if (compression === 'none') return size;
	if (resource.layout !== 'solid') return Math.min(size, resource.storedSize);
	return Math.ceil((size * resource.storedSize) / Math.max(1, resource.originalSize));
}

/** Of a file that a selection is added to in place. */
export async function extendedSize(input: {
	readonly wim: Wim;
	/** Where the state before the edit ends, in bytes. */
	readonly end: number;
	readonly selection: Selection;
	readonly blobs: BlobPlan;
	readonly shape: WimShape;
	readonly xml: XmlData;
	readonly integrity: boolean;
	readonly recompress: boolean;
}): Promise<Prediction> {
	const { wim, end, xml } = input;
	const taken = takenOver(input);
	const size = editedSize({
		wim,
		end: end + taken.size,
		xml,
		imageCount: wim.images.length + taken.entries,
		integrityChunkSize: await integrityChunkSizeAfter(wim, input.integrity),
	});
	return { size, isEstimate: taken.isEstimate };
}

/** Of a file after an edit in place that only writes new tables. */
export function editedSize(input: {
	readonly wim: Wim;
	/** Where the state before the edit ends, in bytes. */
	readonly end: number;
	readonly xml: XmlData;
	readonly imageCount: number;
	readonly integrityChunkSize: number | null;
}): number {
	const { wim, end, xml, imageCount, integrityChunkSize } = input;
	const copied = copiedSize([...wim.first.table.blobs.values()], false);
	return tablesEnd({
		start: end + UNDO_RECORD_SIZE,
		entryCount: imageCount + copied.entries,
		xml,
		isPipable: false,
		integrityChunkSize,
		isPart: false,
	});
}

/** What the XML data say of one image at most, besides what the user gives: statistics, times, properties of Windows. */
const IMAGE_ELEMENT_SIZE = 4096;

/** Images that are added or changed, as far as it is known before its contents are read. */
export interface NewImageSize {
	/** Everything before it, in bytes. */
	readonly start: number;
	/** Resources that stay. */
	readonly entryCount: number;
	/** New contents, in bytes, and how many. */
	readonly sourceBytes: number;
	readonly sourceCount: number;
	readonly metadataSize: number;
	readonly imageCount: number;
	readonly xml: XmlData;
	readonly isPipable: boolean;
	readonly integrityChunkSize: number | null;
}

/** Of a file that gets images, at most: contents as they are. */
export function sizeWithImage(image: NewImageSize): number {
	const { xml, isPipable, integrityChunkSize, imageCount } = image;
	const entryCount = image.entryCount + image.sourceCount + imageCount;
	let start = image.start + image.sourceBytes + image.metadataSize;
	if (isPipable) start += entryCount * PipableHeader.size + xml.encode().length;
	const elements = imageCount * IMAGE_ELEMENT_SIZE * (isPipable ? 2 : 1);
	return (
		elements + tablesEnd({ start, entryCount, xml, isPipable, integrityChunkSize, isPart: false })
	);
}

/** Of a file that exists and gets images, at most; and what of that is written. */
export async function sizeWithMore(
	edit: { readonly wim: Wim; readonly end: number; readonly isRebuilt: boolean },
	integrity: boolean | null,
	image: Omit<NewImageSize, 'start' | 'entryCount' | 'integrityChunkSize'>,
): Promise<{ readonly fileSize: number; readonly writtenBytes: number }> {
	const { wim, end, isRebuilt } = edit;
	const copied = copiedSize([...wim.first.table.blobs.values()], false);
	const hasTable = integrity ?? wim.header.integrity.offset !== 0;
	const kept = await integrityChunkSizeAfter(wim, hasTable);
	const fileSize = sizeWithImage({
		...image,
		start: isRebuilt ? wim.size : end + UNDO_RECORD_SIZE,
		entryCount: copied.entries + wim.images.length,
		integrityChunkSize: isRebuilt && hasTable ? INTEGRITY_CHUNK_SIZE : kept,
	});
	return { fileSize, writtenBytes: isRebuilt ? fileSize : fileSize - end };
}

/** The chunk size that an integrity table has after an edit in place: that of the old one where it can be kept. */
export async function integrityChunkSizeAfter(
	wim: Wim,
	integrity: boolean,
): Promise<number | null> {
	if (!integrity) return null;
	const old = await wim.integrityTable(wim.first).catch(() => null);
	const isKept =
		old !== null &&
		old.chunkSize >= INTEGRITY_CHUNK_SIZE_MIN &&
		old.chunkSize <= INTEGRITY_CHUNK_SIZE_MAX;
	return isKept ? old.chunkSize : INTEGRITY_CHUNK_SIZE;
}
