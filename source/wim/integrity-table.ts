/**
 * The integrity table: a SHA-1 per fixed stretch of the part, from the end of the header to the end of the blob
 * table, raw bytes with holes and all (wim.md §6).
 */
import type { Sha1 } from '../bytes/sha1.ts';
import { sha1At } from '../bytes/sha1.ts';
import type { Span } from '../bytes/span.ts';
import { type Infer, struct, u32 } from '../bytes/struct.ts';
import { HEADER_SIZE } from './part-header.ts';

/** What writers use: 10 MiB. */
export const INTEGRITY_CHUNK_SIZE = 10_485_760;

export const IntegrityHeader = struct('integrity table', {
	size: u32, //       +0x00  12 + 20 * entryCount
	entryCount: u32, // +0x04
	chunkSize: u32, //  +0x08  bytes that one entry covers
});
export type IntegrityHeader = Infer<typeof IntegrityHeader>;

export interface IntegrityTable {
	readonly chunkSize: number;
	/** Of the part, from `HEADER_SIZE` on. */
	readonly digests: readonly Sha1[];
	/** Where the covered range ends: the end of the blob table, in bytes from the start of the part. */
	readonly coveredEnd: number;
}

/**
 * @param coveredEnd where the blob table ends, in bytes from the start of the part
 * @throws {FormatError} when the table contradicts itself or the covered range
 */
export function parseIntegrityTable(span: Span, coveredEnd: number): IntegrityTable {
	const header = IntegrityHeader.parse(span);
	const fail = (why: string) => span.error(0, `Cannot read the integrity table: ${why}`);
	if (header.size !== span.size)
		throw fail(`it says it is ${header.size} bytes long, expected ${span.size}`);
	if (header.size !== 12 + 20 * header.entryCount)
		throw fail(`${header.entryCount} entries do not fill ${header.size} bytes`);
	if (header.chunkSize === 0) throw fail('its chunk size is 0');
	const expected = integrityEntryCount(coveredEnd, header.chunkSize);
	if (header.entryCount !== expected)
		throw fail(
			`it has ${header.entryCount} entries, expected ${expected} for ${coveredEnd - HEADER_SIZE} bytes`,
		);
	const digests: Sha1[] = [];
	for (let k = 0; k < header.entryCount; k++) digests.push(sha1At(span.bytes, 12 + 20 * k));
	return { chunkSize: header.chunkSize, digests, coveredEnd };
}

/** How many entries cover a part whose blob table ends at `coveredEnd`. */
export function integrityEntryCount(coveredEnd: number, chunkSize: number): number {
	return Math.ceil(Math.max(0, coveredEnd - HEADER_SIZE) / chunkSize);
}

/** The stretch of the part that an entry covers, in bytes from its start. */
export function integrityRange(
	table: IntegrityTable,
	position: number,
): { readonly offset: number; readonly size: number } {
	const offset = HEADER_SIZE + position * table.chunkSize;
	return { offset, size: Math.min(table.chunkSize, table.coveredEnd - offset) };
}
