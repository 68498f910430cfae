/**
 * Writes whole files: resources, then blob table, XML data, integrity table, and last the header, which makes the file
 * valid (wim.md §9.1); pipable ones with a header at either end (§7).
 */
import type { Run } from '../base/run.ts';
import { decodeHex } from '../bytes/hex.ts';
import { sha1 } from '../bytes/sha1.ts';
import type { Compression } from '../codec/compression.ts';
import type { Output } from '../storage/output.ts';
import { setTotalBytes } from './edit-xml.ts';
import type { IntegrityTable } from './integrity-table.ts';
import {
	compressionFlags,
	HEADER_SIZE,
	HeaderFlag,
	MAGIC,
	MAGIC_PIPABLE,
	NO_RESOURCE,
	PartHeader,
	ResourceFlag,
	type ResourceHeader,
	VERSION_ORDINARY,
	VERSION_SOLID,
} from './part-header.ts';
import { makeIntegrityTable } from './write-integrity.ts';
import { PIPABLE_MAGIC, PipableHeader } from './write-resource.ts';
import {
	encodeBlobTable,
	resourceHeaderOf,
	type TableBlob,
	type TableContents,
} from './write-table.ts';
import type { XmlData } from './xml-data.ts';

/** What the header of a file says of it. */
export interface WimShape {
	readonly compression: Compression;
	/** 0 without compression. */
	readonly chunkSize: number;
	readonly isPipable: boolean;
	/** Absolute link targets were made relative to the image root. */
	readonly rpFix: boolean;
	readonly isReadonly: boolean;
	/** 16 bytes. */
	readonly guid: Uint8Array;
	/** From 1. */
	readonly partNumber: number;
	readonly partCount: number;
	readonly imageCount: number;
	/** 0 = none. */
	readonly bootIndex: number;
}

/** Everything that stands behind the resources. */
export interface WimTables {
	readonly metadata: readonly TableBlob[];
	readonly plain: TableContents['plain'];
	readonly blobs: Iterable<TableBlob>;
	readonly countOf: TableContents['countOf'];
	/** Its TOTALBYTES is set, unless the file is a part of a set. */
	readonly xml: XmlData;
	/** `reuse` is the old table of a file that was appended to. */
	readonly integrity: { readonly reuse: IntegrityTable | null } | null;
}

/** A header without tables: a reader that meets it sees an unfinished file. */
export function unfinishedHeader(shape: WimShape): PartHeader {
	return {
		magic: shape.isPipable ? MAGIC_PIPABLE : MAGIC,
		headerSize: HEADER_SIZE,
		version: shape.compression === 'lzms' ? VERSION_SOLID : VERSION_ORDINARY,
		flags:
			compressionFlags(shape.compression) |
			(shape.rpFix ? HeaderFlag.rpFix : 0) |
			(shape.isReadonly ? HeaderFlag.readonly : 0) |
			(shape.partCount > 1 ? HeaderFlag.spanned : 0),
		chunkSize: shape.compression === 'none' ? 0 : shape.chunkSize,
		guid: shape.guid,
		partNumber: shape.partNumber,
		partCount: shape.partCount,
		imageCount: shape.imageCount,
		blobTable: NO_RESOURCE,
		xml: NO_RESOURCE,
		bootMetadata: NO_RESOURCE,
		bootIndex: shape.partCount > 1 ? 0 : shape.bootIndex,
		integrity: NO_RESOURCE,
		reserved: new Uint8Array(60),
	};
}

/** The first bytes of a new file. Pipable files carry the XML data here too. */
export async function beginWim(output: Output, shape: WimShape, xml: XmlData): Promise<void> {
	await output.append(PartHeader.encode(unfinishedHeader(shape)));
	if (!shape.isPipable) return;
	const copy = xml.copy();
	setTotalBytes(copy, null);
	await appendTable(output, copy.encode(), true);
}

/** Appends the tables; gives the header that makes them count. It is not written yet. */
export async function writeTables(
	output: Output,
	shape: WimShape,
	tables: WimTables,
	run: Run,
): Promise<PartHeader> {
	const blobs = [...tables.blobs];
	const { metadata, plain, countOf, xml, integrity } = tables;
	const { isPipable, partNumber, bootIndex } = shape;
	const table = encodeBlobTable({ metadata, plain, blobs, countOf, partNumber });
	const blobTable = await appendTable(output, table, isPipable);
	if (shape.partCount === 1) setTotalBytes(xml, output.position);
	const xmlHeader = await appendTable(output, xml.encode(), isPipable);
	let integrityHeader: ResourceHeader = NO_RESOURCE;
	if (integrity !== null) {
		const coveredEnd = blobTable.offset + blobTable.storedSize;
		const bytes = await makeIntegrityTable(output, coveredEnd, integrity.reuse, run);
		const { position: offset } = output;
		await output.append(bytes);
		const size = bytes.length;
		integrityHeader = { offset, storedSize: size, originalSize: size, flags: 0 };
	}
	const header = unfinishedHeader(shape);
	const hasSolid = blobs.some(({ resource }) => resource.flags & ResourceFlag.solid);
	const boot = metadata[bootIndex - 1];
	return {
		...header,
		version: hasSolid ? VERSION_SOLID : header.version,
		blobTable,
		xml: xmlHeader,
		bootMetadata:
			boot === undefined || header.bootIndex === 0 ? NO_RESOURCE : resourceHeaderOf(boot),
		integrity: integrityHeader,
	};
}

/** Writes the header where it belongs: at the start, or behind everything in a pipable file. */
export async function finishWim(output: Output, header: PartHeader): Promise<void> {
	if (header.magic === MAGIC_PIPABLE) await output.append(PartHeader.encode(header));
	else await output.writeAt(0, PartHeader.encode(header));
}

async function appendTable(
	output: Output,
	bytes: Uint8Array,
	isPipable: boolean,
): Promise<ResourceHeader> {
	const flags = ResourceFlag.metadata;
	const size = bytes.length;
	if (isPipable)
		await output.append(
			PipableHeader.encode({
				magic: PIPABLE_MAGIC,
				originalSize: size,
				sha1: decodeHex(sha1(bytes)),
				flags,
			}),
		);
	const offset = output.position;
	await output.append(bytes);
	return { offset, storedSize: size, originalSize: size, flags };
}
