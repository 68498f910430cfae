/**
 * Reads what is left of a damaged header, field by field (wim.md §13.2). Nothing here throws for what the bytes say.
 */
import { Span } from '../../bytes/span.ts';
import { COMPRESSIONS, type Compression, isLegalChunkSize } from '../../codec/compression.ts';
import { readExactly } from '../../storage/read.ts';
import type { Source } from '../../storage/source.ts';
import {
	compressionFlags,
	HEADER_SIZE,
	HeaderFlag,
	MAGIC,
	MAGIC_PIPABLE,
	NO_RESOURCE,
	PartHeader,
	ResourceFlag,
	ResourceHeader,
	VERSION_ORDINARY,
	VERSION_SOLID,
} from '../part-header.ts';

/** What one copy of a header says; null for a field that cannot be right. */
export interface HeaderFields {
	readonly magic: bigint | null;
	readonly version: number | null;
	readonly flags: number | null;
	/** By the flags; null when the flags cannot be right. */
	readonly compression: Compression | null;
	readonly chunkSize: number | null;
	readonly guid: Uint8Array;
	/** Number and count together. */
	readonly part: { readonly number: number; readonly count: number } | null;
	readonly imageCount: number | null;
	readonly bootIndex: number | null;
	/** Null for one that does not lie inside the file; `NO_RESOURCE` for one that is not there. */
	readonly blobTable: ResourceHeader | null;
	/** Where it says that the blob table begins, also behind the end of the file; 0 when it says nothing. */
	readonly blobTableOffset: number;
	readonly xml: ResourceHeader | null;
	/** As that of the blob table. */
	readonly xmlOffset: number;
	readonly bootMetadata: ResourceHeader | null;
	readonly integrity: ResourceHeader | null;
	/** Where the farthest structure ends that would be right in a longer file; 0 when there is none. */
	readonly endOfCut: number;
}

const KNOWN_FLAGS = Object.values(HeaderFlag).reduce((all, bit) => all | bit, 0) | 0x1 | 0x1_0000;

/** A place farther behind the end of a file than this is none of a file that was cut. */
const CUT_FACTOR = 1024;

/** A damaged header of an image count above this is not believed. */
const IMAGE_COUNT_LIKELY = 1024;

/**
 * Reads the fields of one header copy.
 *
 * @param bytes 208 bytes, or fewer of a short file
 * @param size of the file, in bytes
 */
export function readHeaderFields(bytes: Uint8Array, size: number): HeaderFields {
	const whole = new Uint8Array(HEADER_SIZE);
	whole.set(bytes.subarray(0, HEADER_SIZE));
	const { view } = new Span(whole, 'header');
	const at = PartHeader.offsets;
	const magic = view.getBigUint64(at.magic, true);
	const version = view.getUint32(at.version, true);
	const flags = view.getUint32(at.flags, true);
	const goodFlags = (flags & ~KNOWN_FLAGS) === 0 && flags !== 0 ? flags : null;
	const compression = goodFlags === null ? null : compressionByFlags(goodFlags);
	const chunkSize = view.getUint32(at.chunkSize, true);
	const number = view.getUint16(at.partNumber, true);
	const count = view.getUint16(at.partCount, true);
	const imageCount = view.getUint32(at.imageCount, true);
	const bootIndex = view.getUint32(at.bootIndex, true);
	const goodCount = imageCount <= IMAGE_COUNT_LIKELY ? imageCount : null;
	const isKnown = version === VERSION_ORDINARY || version === VERSION_SOLID;
	return {
		magic: magic === MAGIC || magic === MAGIC_PIPABLE ? magic : null,
		version: isKnown ? version : null,
		flags: goodFlags,
		compression,
		chunkSize:
			compression !== null && compression !== 'none' && isLegalChunkSize(compression, chunkSize)
				? chunkSize
				: compression === 'none'
					? 0
					: null,
		guid: whole.slice(at.guid, at.guid + 16),
		part: number >= 1 && number <= count ? { number, count } : null,
		imageCount: goodCount,
		bootIndex: goodCount !== null && bootIndex <= goodCount ? bootIndex : null,
		blobTable: resourceField(view, at.blobTable, size),
		blobTableOffset: Number(view.getBigUint64(at.blobTable + 8, true)),
		xml: resourceField(view, at.xml, size),
		xmlOffset: Number(view.getBigUint64(at.xml + 8, true)),
		bootMetadata: resourceField(view, at.bootMetadata, size),
		integrity: resourceField(view, at.integrity, size),
		endOfCut: Math.max(
			0,
			...[at.blobTable, at.xml, at.integrity].map((field) => endBehind(view, field, size)),
		),
	};
}

/** Where a resource ends whose header is good but for the end of the file before it; 0 for any other. */
function endBehind(view: DataView, at: number, size: number): number {
	if (resourceField(view, at, size) !== null) return 0;
	const header = resourceField(view, at, Number.MAX_SAFE_INTEGER);
	const end = header === null ? 0 : header.offset + header.storedSize;
	return end > size && end < size * CUT_FACTOR ? end : 0;
}

function compressionByFlags(flags: number): Compression | null {
	if (!(flags & HeaderFlag.compression)) return 'none';
	for (const compression of ['lzx', 'xpress', 'lzms'] as const)
		if (flags & HeaderFlag[compression]) return compression;
	return null;
}

/** A resource header that lies inside the file, `NO_RESOURCE` when it is all zero, else null. */
function resourceField(view: DataView, at: number, size: number): ResourceHeader | null {
	const bytes = new Uint8Array(view.buffer, view.byteOffset + at, ResourceHeader.size);
	if (bytes.every((byte) => byte === 0)) return NO_RESOURCE;
	if ((bytes[6] ?? 0) > 0x1f || bytes[15] !== 0 || bytes[23] !== 0) return null;
	if ((bytes[14] ?? 0) > 0x1f || (bytes[22] ?? 0) > 0x1f) return null;
	const header = ResourceHeader.parse(new Span(bytes, 'header'));
	const { offset, storedSize, originalSize, flags } = header;
	if (offset < HEADER_SIZE || offset + storedSize > size) return null;
	if (!(flags & ResourceFlag.compressed) && storedSize !== originalSize) return null;
	return header;
}

/** Both copies of the header that a file can have: the one at the start, and in pipable files the one at the end. */
export async function readBothHeaders(
	source: Source,
): Promise<{ readonly first: HeaderFields; readonly last: HeaderFields | null }> {
	const size = Math.min(HEADER_SIZE, source.size);
	const first = readHeaderFields((await readExactly(source, 0, size, 'header')).bytes, source.size);
	if (source.size < 2 * HEADER_SIZE) return { first, last: null };
	const tail = await readExactly(source, source.size - HEADER_SIZE, HEADER_SIZE, 'header');
	const last = readHeaderFields(tail.bytes, source.size);
	return { first, last: last.magic === MAGIC_PIPABLE ? last : null };
}

/** Puts a header together from what is known. */
export function composeHeader(known: {
	readonly isPipable: boolean;
	readonly isSolid: boolean;
	readonly compression: Compression;
	readonly chunkSize: number;
	readonly flags: number;
	readonly guid: Uint8Array;
	readonly part: { readonly number: number; readonly count: number };
	readonly imageCount: number;
	readonly bootIndex: number;
	readonly blobTable: ResourceHeader;
	readonly xml: ResourceHeader;
	readonly integrity: ResourceHeader;
}): PartHeader {
	const kept = known.flags & (HeaderFlag.rpFix | HeaderFlag.readonly | HeaderFlag.spanned);
	return {
		magic: known.isPipable ? MAGIC_PIPABLE : MAGIC,
		headerSize: HEADER_SIZE,
		version: known.isSolid || known.compression === 'lzms' ? VERSION_SOLID : VERSION_ORDINARY,
		flags: compressionFlags(known.compression) | kept,
		chunkSize: known.compression === 'none' ? 0 : known.chunkSize,
		guid: known.guid,
		partNumber: known.part.number,
		partCount: known.part.count,
		imageCount: known.imageCount,
		blobTable: known.blobTable,
		xml: known.xml,
		bootMetadata: NO_RESOURCE,
		bootIndex: known.bootIndex,
		integrity: known.integrity,
		reserved: new Uint8Array(60),
	};
}

/** Every pair of compression and chunk size that a file can have, the usual ones first. */
export function possibleCompressions(): { compression: Compression; chunkSize: number }[] {
	const usual: { compression: Compression; chunkSize: number }[] = [
		{ compression: 'lzx', chunkSize: 1 << 15 },
		{ compression: 'xpress', chunkSize: 1 << 15 },
		{ compression: 'lzms', chunkSize: 1 << 17 },
	];
	const all = [...usual];
	for (const compression of COMPRESSIONS)
		for (let order = 12; order <= 30 && compression !== 'none'; order++) {
			const chunkSize = 2 ** order;
			const isNew = !usual.some((u) => u.compression === compression && u.chunkSize === chunkSize);
			if (isNew && isLegalChunkSize(compression, chunkSize)) all.push({ compression, chunkSize });
		}
	return all;
}
