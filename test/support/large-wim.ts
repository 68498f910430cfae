/** A sparse WIM as large as real ones: what opening reads is all there, what lies between is a hole. */

import { createHash } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';
import { encodeUtf16 } from '../../source/bytes/utf16.ts';
import {
	HEADER_SIZE,
	MAGIC,
	NO_RESOURCE,
	PartHeader,
	ResourceFlag,
	ResourceHeader,
	VERSION_ORDINARY,
} from '../../source/wim/part-header.ts';

export interface LargeWim {
	/** Bytes of the whole file. */
	readonly size: number;
	/** Contents in the blob table. */
	readonly blobCount: number;
	/** The metadata resource of the only image. */
	readonly metadata: Uint8Array;
	readonly name: string;
}

const ENTRY_SIZE = 50;

/** Writes the file; its contents are holes, so only reading the tables makes sense. */
export function writeLargeWim(path: string, { size, blobCount, metadata, name }: LargeWim): void {
	const xml = encodeUtf16(
		`\ufeff<WIM><TOTALBYTES>${size}</TOTALBYTES><IMAGE INDEX="1"><NAME>${name}</NAME><DIRCOUNT>100</DIRCOUNT><FILECOUNT>${blobCount}</FILECOUNT><TOTALBYTES>${size}</TOTALBYTES></IMAGE></WIM>`,
	);
	const tableSize = (blobCount + 1) * ENTRY_SIZE;
	const xmlOffset = size - xml.length;
	const tableOffset = xmlOffset - tableSize;
	const metadataOffset = tableOffset - metadata.length;
	const blobSize = Math.floor((metadataOffset - HEADER_SIZE) / blobCount);
	const table = Buffer.alloc(tableSize);
	const put = (at: number, offset: number, storedSize: number, flags: number, hash: Uint8Array) => {
		table.set(ResourceHeader.encode({ storedSize, flags, offset, originalSize: storedSize }), at);
		table.writeUInt16LE(1, at + ResourceHeader.size);
		table.writeUInt32LE(1, at + ResourceHeader.size + 2);
		table.set(hash, at + ResourceHeader.size + 6);
	};
	for (let k = 0; k < blobCount; k++)
		put(
			k * ENTRY_SIZE,
			HEADER_SIZE + k * blobSize,
			blobSize,
			0,
			createHash('sha1').update(`${k}`).digest(),
		);
	put(
		tableSize - ENTRY_SIZE,
		metadataOffset,
		metadata.length,
		ResourceFlag.metadata,
		createHash('sha1').update(metadata).digest(),
	);
	const plain = (offset: number, storedSize: number) => ({
		storedSize,
		flags: 0,
		offset,
		originalSize: storedSize,
	});
	const header = PartHeader.encode({
		magic: MAGIC,
		headerSize: HEADER_SIZE,
		version: VERSION_ORDINARY,
		flags: 0,
		chunkSize: 0,
		guid: new Uint8Array(16).fill(7),
		partNumber: 1,
		partCount: 1,
		imageCount: 1,
		blobTable: plain(tableOffset, tableSize),
		xml: plain(xmlOffset, xml.length),
		bootMetadata: NO_RESOURCE,
		bootIndex: 0,
		integrity: NO_RESOURCE,
		reserved: new Uint8Array(60),
	});
	const file = openSync(path, 'wx');
	try {
		for (const [offset, bytes] of [
			[0, header],
			[metadataOffset, metadata],
			[tableOffset, table],
			[xmlOffset, xml],
		] as const)
			writeSync(file, bytes, 0, bytes.length, offset);
	} finally {
		closeSync(file);
	}
}
