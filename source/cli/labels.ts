/** Labels and number forms of the text output, as scripts know them from `wimlib-imagex` 1.13.5 (observed). */

import { filetimeToMs } from '../bytes/filetime.ts';
import type { Sha1 } from '../bytes/sha1.ts';
import { ResourceFlag } from '../wim/part-header.ts';
import type { Blob } from '../wim/resource.ts';

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');
const two = (value: number) => String(value).padStart(2, '0');

/** `Sat Nov 21 03:15:08 2026 UTC`; a time that no calendar holds is shown as its number. */
export function timeText(ticks: bigint): string {
	// Below a second nothing is shown; a time before 1970 is rounded down like any other.
	const date = new Date(Math.floor(filetimeToMs(ticks) / 1000) * 1000);
	if (Number.isNaN(date.getTime())) return String(ticks);
	const clock = [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()].map(two).join(':');
	return `${DAYS[date.getUTCDay()]} ${MONTHS[date.getUTCMonth()]} ${two(date.getUTCDate())} ${clock} ${date.getUTCFullYear()} UTC`;
}

/** `2026-11-21T03:15:08.1234567Z` for JSON, all digits kept; null for a time that no calendar holds. */
export function isoTime(ticks: bigint | null): string | null {
	if (ticks === null) return null;
	const fraction = ((ticks % 10_000_000n) + 10_000_000n) % 10_000_000n;
	const date = new Date(Number((ticks - fraction) / 10_000n - 11_644_473_600_000n));
	if (Number.isNaN(date.getTime())) return null;
	return `${date.toISOString().slice(0, 19)}.${String(fraction).padStart(7, '0')}Z`;
}

const ARCHITECTURES: Readonly<Record<number, string>> = {
	0: 'x86',
	1: 'MIPS',
	2: 'Alpha',
	3: 'PowerPC',
	4: 'SHX',
	5: 'ARM',
	6: 'ia64',
	7: 'Alpha64',
	8: 'MSIL',
	9: 'x86_64',
	10: 'x86 on Win64',
	11: 'neutral',
	12: 'ARM64',
};

/** The processor that a number of the XML data stands for (wim.md §5.5). */
export function architectureName(number: number): string {
	return ARCHITECTURES[number] ?? 'unknown';
}

export const HEADER_FLAG_LABELS: readonly (readonly [bit: number, label: string])[] = [
	[0x1, 'RESERVED'],
	[0x2, 'COMPRESSION'],
	[0x4, 'READONLY'],
	[0x8, 'SPANNED'],
	[0x10, 'RESOURCE_ONLY'],
	[0x20, 'METADATA_ONLY'],
	[0x40, 'WRITE_IN_PROGRESS'],
	[0x80, 'RP_FIX'],
	[0x1_0000, 'COMPRESS_RESERVED'],
	[0x4_0000, 'COMPRESS_LZX'],
	[0x2_0000, 'COMPRESS_XPRESS'],
	[0x8_0000, 'COMPRESS_LZMS'],
	[0x20_0000, 'COMPRESS_XPRESS_2'],
];

export const FILE_ATTRIBUTE_LABELS: readonly (readonly [bit: number, label: string])[] = [
	[0x1, 'READONLY'],
	[0x2, 'HIDDEN'],
	[0x4, 'SYSTEM'],
	[0x10, 'DIRECTORY'],
	[0x20, 'ARCHIVE'],
	[0x40, 'DEVICE'],
	[0x80, 'NORMAL'],
	[0x100, 'TEMPORARY'],
	[0x200, 'SPARSE_FILE'],
	[0x400, 'REPARSE_POINT'],
	[0x800, 'COMPRESSED'],
	[0x1000, 'OFFLINE'],
	[0x2000, 'NOT_CONTENT_INDEXED'],
	[0x4000, 'ENCRYPTED'],
	[0x1_0000, 'VIRTUAL'],
];

const RESOURCE_FLAG_LABELS: readonly (readonly [bit: number, label: string])[] = [
	[ResourceFlag.compressed, 'COMPRESSED'],
	[ResourceFlag.free, 'FREE'],
	[ResourceFlag.metadata, 'METADATA'],
	[ResourceFlag.spanned, 'SPANNED'],
	[ResourceFlag.solid, 'SOLID'],
];

/** The labels of the bits that are set. */
export function bitLabels(
	flags: number,
	labels: readonly (readonly [bit: number, label: string])[],
): readonly string[] {
	return labels.flatMap(([bit, label]) => (flags & bit ? [label] : []));
}

/** The lines that describe an empty stream. */
const EMPTY_BLOB_LINES = [
	`Hash              = 0x${'0'.repeat(40)}`,
	'Uncompressed size = 0 bytes',
	'Compressed size   = 0 bytes',
	'Offset in WIM     = 0 bytes',
	'Part Number       = 0',
	'Reference Count   = 0',
	'Flags             = ',
];

/** Digits as stored even where a double shows fewer. */
const exact = (value: number) =>
	Number.isSafeInteger(value) ? String(value) : String(BigInt(value));

/** The lines that describe a blob; with nothing but its SHA-1 when no table lists it, and null for an empty stream. */
export function blobLines(sha1: Sha1 | null, blob: Blob | null): readonly string[] {
	if (sha1 === null) return EMPTY_BLOB_LINES;
	const hash = `Hash              = 0x${sha1}`;
	if (blob === null) return [hash];
	const { resource, offsetInResource } = blob;
	const place =
		resource.layout === 'solid'
			? [
					`Solid resource    = ${exact(resource.originalSize)} => ${exact(resource.storedSize)} bytes @ offset ${exact(resource.offset)}`,
					`Solid offset      = ${offsetInResource} bytes`,
				]
			: [
					`Compressed size   = ${exact(resource.storedSize)} bytes`,
					`Offset in WIM     = ${exact(resource.offset)} bytes`,
				];
	const flags = resource.layout === 'solid' ? ResourceFlag.solid : resource.flags;
	return [
		hash,
		`Uncompressed size = ${exact(blob.size)} bytes`,
		...place,
		`Part Number       = ${resource.part.header.partNumber}`,
		`Reference Count   = ${blob.referenceCount}`,
		`Flags             = ${bitLabels(flags, RESOURCE_FLAG_LABELS)
			.map((label) => `WIM_RESHDR_FLAG_${label}  `)
			.join('')}`,
	];
}

/** A blob as stable JSON keys. */
export function blobJson(blob: Blob): Readonly<Record<string, unknown>> {
	const { resource } = blob;
	return {
		sha1: blob.sha1,
		size: blob.size,
		storedSize: resource.storedSize,
		offset: resource.offset,
		partNumber: resource.part.header.partNumber,
		referenceCount: blob.referenceCount,
		flags: resource.flags,
		solid: resource.layout === 'solid',
		offsetInSolid: resource.layout === 'solid' ? blob.offsetInResource : null,
		solidSize: resource.layout === 'solid' ? resource.originalSize : null,
		defect: blob.defect,
	};
}
