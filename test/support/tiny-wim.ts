import { readFileSync } from 'node:fs';
import { Span } from '../../source/bytes/span.ts';
import {
	type ChunkTable,
	locateChunkTable,
	originalSizeOf,
	parseChunkTable,
	parseSolidHeader,
	parseSolidTable,
	storedSizeOf,
} from '../../source/codec/chunk-table.ts';
import { COMPRESSIONS, type Compression } from '../../source/codec/compression.ts';

/**
 * Finds the compressed resources of an intact file made by another program, straight from the offsets of wim.md: for
 * tests of the layers below `wim/`, which must not depend on it.
 */

export interface TinyChunk {
	readonly stored: Uint8Array;
	readonly originalSize: number;
}

export interface TinyResource {
	readonly compression: Compression;
	readonly chunkSize: number;
	readonly chunks: readonly TinyChunk[];
	/** What lies in the decoded resource: one blob, or many in a solid one. */
	readonly blobs: readonly {
		readonly offset: number;
		readonly size: number;
		readonly sha1: string;
	}[];
}

interface Entry {
	readonly storedSize: number;
	readonly flags: number;
	readonly offset: number;
	readonly originalSize: number;
	readonly sha1: string;
}

const COMPRESSED = 0x04;
const SOLID = 0x10;
/** The original size that marks the entry of a solid resource itself. */
const SOLID_RESOURCE = 2 ** 32;

export function readTinyWim(path: string): TinyResource[] {
	const file = readFileSync(path);
	const flags = file.readUInt32LE(16);
	const compression =
		COMPRESSIONS[[0x20000, 0x40000, 0x80000].findIndex((bit) => flags & bit) + 1]!;
	const chunkSize = file.readUInt32LE(20);
	const entryAt = (at: number): Entry => ({
		storedSize: file.readUIntLE(at, 6),
		flags: file[at + 7]!,
		offset: Number(file.readBigUInt64LE(at + 8)),
		originalSize: Number(file.readBigUInt64LE(at + 16)),
		sha1: file.toString('hex', at + 30, at + 50),
	});
	const tableHeader = entryAt(48);
	const entries: Entry[] = [];
	for (let at = 0; at < tableHeader.storedSize; at += 50)
		entries.push(entryAt(tableHeader.offset + at));

	const resources: TinyResource[] = [];
	for (const entry of entries) {
		const bytes = file.subarray(entry.offset, entry.offset + entry.storedSize);
		if (entry.flags & SOLID) {
			if (entry.originalSize === SOLID_RESOURCE) resources.push(solidResource(bytes, entries));
		} else if (entry.flags & COMPRESSED) {
			const sizes = { originalSize: entry.originalSize, storedSize: entry.storedSize, chunkSize };
			const { size } = locateChunkTable(sizes);
			const table = parseChunkTable(new Span(bytes.subarray(0, size), path), sizes);
			resources.push({
				compression,
				chunkSize,
				chunks: chunksOf(bytes, table),
				blobs: [{ offset: 0, size: entry.originalSize, sha1: entry.sha1 }],
			});
		}
	}
	return resources;
}

/** Its blobs are the solid entries with an original size of 0: offset and stored size say where they lie in it. */
function solidResource(bytes: Buffer, entries: readonly Entry[]): TinyResource {
	const shape = parseSolidHeader(new Span(bytes, 'solid'), bytes.length);
	const table = bytes.subarray(shape.tableOffset, shape.tableOffset + shape.tableSize);
	return {
		compression: shape.compression,
		chunkSize: shape.chunkSize,
		chunks: chunksOf(bytes, parseSolidTable(new Span(table, 'solid'), shape)),
		blobs: entries
			.filter(({ flags, originalSize }) => flags & SOLID && originalSize !== SOLID_RESOURCE)
			.map(({ offset, storedSize, sha1 }) => ({ offset, size: storedSize, sha1 })),
	};
}

function chunksOf(bytes: Buffer, table: ChunkTable): TinyChunk[] {
	return Array.from({ length: table.chunkCount }, (_, k) => ({
		stored: bytes.subarray(table.starts[k]!, table.starts[k]! + storedSizeOf(table, k)),
		originalSize: originalSizeOf(table, k),
	}));
}
