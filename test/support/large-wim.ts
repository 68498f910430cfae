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
	/** The metadata resources of the images, and their names. */
	readonly images: readonly { readonly metadata: Uint8Array; readonly name: string }[];
}

const ENTRY_SIZE = 50;

/** Writes the file; its contents are holes, so only reading the tables makes sense. */
export function writeLargeWim(path: string, { size, blobCount, images }: LargeWim): void {
	const about = images.map(
		({ name }, k) =>
			`<IMAGE INDEX="${k + 1}"><NAME>${name}</NAME><DIRCOUNT>100</DIRCOUNT><FILECOUNT>${blobCount}</FILECOUNT><TOTALBYTES>${size}</TOTALBYTES></IMAGE>`,
	);
	const xml = encodeUtf16(`\ufeff<WIM><TOTALBYTES>${size}</TOTALBYTES>${about.join('')}</WIM>`);
	const tableSize = (blobCount + images.length) * ENTRY_SIZE;
	const xmlOffset = size - xml.length;
	const tableOffset = xmlOffset - tableSize;
	const metadata = Buffer.concat(images.map((image) => image.metadata));
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
	let offset = metadataOffset;
	for (const [k, image] of images.entries()) {
		put(
			(blobCount + k) * ENTRY_SIZE,
			offset,
			image.metadata.length,
			ResourceFlag.metadata,
			createHash('sha1').update(image.metadata).digest(),
		);
		offset += image.metadata.length;
	}
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
		imageCount: images.length,
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
