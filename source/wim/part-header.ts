/**
 * The header of a part: 208 bytes at offset 0, in pipable files complete only at the end (wim.md §1).
 */
import { FormatError, UnsupportedError } from '../base/errors.ts';
import { IMAGE_COUNT_MAX } from '../base/limits.ts';
import { formatHex } from '../base/print.ts';
import type { Span } from '../bytes/span.ts';
import { byteRun, type Infer, pattern64, struct, u8, u16, u32, u56, u64 } from '../bytes/struct.ts';
import { type Compression, isLegalChunkSize } from '../codec/compression.ts';

export const HEADER_SIZE = 208;

/** "MSWIM" and three NULs, as a little-endian number. */
export const MAGIC = 0x0000_004d_4957_534dn;
/** "WLPWM" and three NULs: a pipable file. */
export const MAGIC_PIPABLE = 0x0000_004d_5750_4c57n;

export const VERSION_ORDINARY = 0x1_0d00;
/** LZMS, or solid resources. */
export const VERSION_SOLID = 0xe00;
/** One implementation accepts it; treated like `VERSION_SOLID` (wim.md §1.2). */
const VERSION_TOLERATED = 0x1_0e00;

/** Header flags (wim.md §1.1). */
export const HeaderFlag = {
	compression: 0x2,
	readonly: 0x4,
	spanned: 0x8,
	resourceOnly: 0x10,
	metadataOnly: 0x20,
	writeInProgress: 0x40,
	rpFix: 0x80,
	xpress: 0x2_0000,
	lzx: 0x4_0000,
	lzms: 0x8_0000,
	xpress2: 0x20_0000,
} as const;

/** Flags of a resource (wim.md §2.1). */
export const ResourceFlag = {
	free: 0x01,
	metadata: 0x02,
	compressed: 0x04,
	spanned: 0x08,
	solid: 0x10,
} as const;

/** Where a resource lies in a part, and how it is stored there. */
export const ResourceHeader = struct('resource header', {
	storedSize: u56, //   +0x00  bytes in the part, chunk table included
	flags: u8, //         +0x07  see ResourceFlag
	offset: u64, //       +0x08  from the start of the part
	originalSize: u64, // +0x10  bytes once decompressed
});
export type ResourceHeader = Infer<typeof ResourceHeader>;

/** "Nothing there": all zero. */
export const NO_RESOURCE: ResourceHeader = {
	storedSize: 0,
	flags: 0,
	offset: 0,
	originalSize: 0,
};

/** The header of a part. The integrity field starts at 0x7C, unaligned: there is no padding. */
export const PartHeader = struct('part header', {
	magic: pattern64, //         +0x00
	headerSize: u32, //          +0x08
	version: u32, //             +0x0C
	flags: u32, //               +0x10  see HeaderFlag
	chunkSize: u32, //           +0x14  0 when nothing is compressed
	guid: byteRun(16), //        +0x18  equal in all parts of a set
	partNumber: u16, //          +0x28  from 1
	partCount: u16, //           +0x2A
	imageCount: u32, //          +0x2C
	blobTable: ResourceHeader, //     +0x30
	xml: ResourceHeader, //           +0x48
	bootMetadata: ResourceHeader, //  +0x60
	bootIndex: u32, //           +0x78  0 = none
	integrity: ResourceHeader, //     +0x7C
	reserved: byteRun(60), //    +0x94
});
export type PartHeader = Infer<typeof PartHeader>;

/** True for the magic of a pipable file. */
export function isPipable(header: PartHeader): boolean {
	return header.magic === MAGIC_PIPABLE;
}

/** @throws {FormatError} `not a WIM`: no magic, fewer than 208 bytes */
export function parsePartHeader(span: Span): PartHeader {
	const hint = 'Check that this is the right file; for a damaged one try "wimdeck salvage".';
	if (span.size === 0)
		throw span
			.error(0, `Cannot open "${span.region}": not a WIM, it is empty`)
			.note({ hint: 'Check that this is the right file, and that it was written to its end.' });
	if (span.size < HEADER_SIZE)
		throw span
			.error(0, `Cannot open "${span.region}": not a WIM, only ${span.size} bytes long`)
			.note({ hint });
	const magic = span.view.getBigUint64(0, true);
	if (magic !== MAGIC && magic !== MAGIC_PIPABLE)
		throw span
			.error(0, `Cannot open "${span.region}": not a WIM, the magic is missing`)
			.note({ hint });
	return PartHeader.parse(span);
}

/** The compression of a file by its header flags: LZX before XPRESS before LZMS (wim.md §1.1). */
export function compressionOf(header: PartHeader, name: string): Compression {
	const { flags } = header;
	if (!(flags & HeaderFlag.compression)) return 'none';
	if (flags & HeaderFlag.lzx) return 'lzx';
	if (flags & (HeaderFlag.xpress | HeaderFlag.xpress2)) return 'xpress';
	if (flags & HeaderFlag.lzms) return 'lzms';
	throw new UnsupportedError(
		`Cannot open "${name}": unknown compression, header flags are ${formatHex(flags)}`,
		{ path: name, offset: PartHeader.offsets.flags },
	);
}

/** The flags that a writer sets for a compression. */
export function compressionFlags(compression: Compression): number {
	return compression === 'none' ? 0 : HeaderFlag.compression | HeaderFlag[compression];
}

/**
 * Checks what makes a file unreadable (wim.md §1.4). What can be worked around is left to the reader.
 *
 * @param size of the file, in bytes
 * @throws {FormatError | UnsupportedError}
 */
export function checkPartHeader(header: PartHeader, name: string, size: number): void {
	const bad = (field: keyof PartHeader, why: string) =>
		new FormatError(`Cannot open "${name}": ${why}`, {
			path: name,
			offset: PartHeader.offsets[field],
			hint: 'Try "wimdeck salvage" to get back what is left.',
		});
	if (header.headerSize !== HEADER_SIZE)
		throw bad(
			'headerSize',
			`the header says it is ${header.headerSize} bytes long, expected ${HEADER_SIZE}`,
		);
	if (![VERSION_ORDINARY, VERSION_SOLID, VERSION_TOLERATED].includes(header.version))
		throw new UnsupportedError(
			`Cannot open "${name}": version ${formatHex(header.version)} is not supported`,
			{ path: name, offset: PartHeader.offsets.version },
		);
	if (header.partNumber === 0 || header.partNumber > header.partCount)
		throw bad('partNumber', `invalid part number ${header.partNumber} of ${header.partCount}`);
	if (header.imageCount > IMAGE_COUNT_MAX)
		throw bad('imageCount', `invalid image count ${header.imageCount}`);
	const compression = compressionOf(header, name);
	if (compression !== 'none' && !isLegalChunkSize(compression, header.chunkSize))
		throw bad(
			'chunkSize',
			`invalid chunk size ${header.chunkSize} for ${compression.toUpperCase()}`,
		);
	for (const field of ['blobTable', 'xml', 'integrity'] as const)
		if (header[field].originalSize > size && !(header[field].flags & ResourceFlag.compressed))
			throw bad(
				field,
				`the ${FIELD_NAMES[field]} says it is ${header[field].originalSize} bytes long, the file has ${size}`,
			);
	if (header.blobTable.originalSize === 0 && header.xml.originalSize === 0)
		throw bad('blobTable', 'its creation was interrupted, the tables are missing');
}

const FIELD_NAMES = {
	blobTable: 'blob table',
	xml: 'XML data',
	integrity: 'integrity table',
} as const;

/** True where the SOLID resource flag has its meaning (wim.md §1.2). */
export function isSolidVersion(header: PartHeader): boolean {
	return header.version !== VERSION_ORDINARY;
}
