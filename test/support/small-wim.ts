import { sha1 } from '../../source/bytes/sha1.ts';
import { encodeUtf16 } from '../../source/bytes/utf16.ts';
import { COMPRESSIONS, type Compression } from '../../source/codec/compression.ts';
import { Encoder } from '../../source/codec/encoder.ts';
import { Attribute, align8, Dentry, NO_SECURITY } from '../../source/image/dentry.ts';
import {
	compressionFlags,
	HEADER_SIZE,
	MAGIC,
	NO_RESOURCE,
	PartHeader,
	ResourceFlag,
	ResourceHeader,
	VERSION_ORDINARY,
	VERSION_SOLID,
} from '../../source/wim/part-header.ts';

export interface SmallWim {
	readonly compression: Compression;
	readonly chunkSize: number;
	readonly level: number;
	/** Chunk size of one solid resource with all files; null: a resource for each. */
	readonly solidChunkSize: number | null;
	/** Names without folders, and what the files hold: no two of them the same, none of them nothing. */
	readonly files: Readonly<Record<string, Uint8Array>>;
}

/**
 * A WIM with one image, written in the plainest way that other programs accept. It exists to show them chunks of
 * our encoders; the real writer is in `source/`.
 */
export function smallWim(wim: SmallWim): Uint8Array {
	const parts: Uint8Array[] = [];
	const entries: Uint8Array[] = [];
	let offset = HEADER_SIZE;
	const append = (bytes: Uint8Array): number => {
		parts.push(bytes);
		offset += bytes.length;
		return offset - bytes.length;
	};
	const encoder = new Encoder();
	const { solidChunkSize, files } = wim;
	if (solidChunkSize !== null) {
		const solid = solidResource(encoder, wim, solidChunkSize);
		const flags = ResourceFlag.solid;
		const at = { offset: append(solid), storedSize: solid.length };
		entries.push(entry({ ...at, flags, originalSize: 2 ** 32 }, null));
		let inside = 0;
		for (const bytes of Object.values(files)) {
			const place = { offset: inside, storedSize: bytes.length, flags, originalSize: 0 };
			entries.push(entry(place, bytes));
			inside += bytes.length;
		}
	} else {
		for (const bytes of Object.values(files)) {
			const stored = chunkedResource(encoder, wim, bytes);
			const flags = stored === bytes ? 0 : ResourceFlag.compressed;
			const at = { offset: append(stored), storedSize: stored.length };
			entries.push(entry({ ...at, flags, originalSize: bytes.length }, bytes));
		}
	}
	const raw = (bytes: Uint8Array, flags: number): ResourceHeader => ({
		offset: append(bytes),
		storedSize: bytes.length,
		originalSize: bytes.length,
		flags,
	});
	const metadata = metadataResource(files);
	entries.unshift(entry(raw(metadata, ResourceFlag.metadata), metadata));
	const blobTable = raw(joined(entries), ResourceFlag.metadata);
	const count = Object.keys(files).length;
	const text = `<WIM><TOTALBYTES>${offset}</TOTALBYTES><IMAGE INDEX="1"><NAME>small</NAME><DIRCOUNT>1</DIRCOUNT><FILECOUNT>${count}</FILECOUNT></IMAGE></WIM>`;
	const xml = raw(encodeUtf16(`\ufeff${text}\n`), ResourceFlag.metadata);
	const header = PartHeader.encode({
		magic: MAGIC,
		headerSize: HEADER_SIZE,
		version:
			wim.compression === 'lzms' || solidChunkSize !== null ? VERSION_SOLID : VERSION_ORDINARY,
		flags: compressionFlags(wim.compression),
		chunkSize: wim.chunkSize,
		guid: new Uint8Array(16).fill(7),
		partNumber: 1,
		partCount: 1,
		imageCount: 1,
		blobTable,
		xml,
		bootMetadata: NO_RESOURCE,
		bootIndex: 0,
		integrity: NO_RESOURCE,
		reserved: new Uint8Array(60),
	});
	return joined([header, ...parts]);
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
	return new Uint8Array(Buffer.concat(pieces));
}

/** An entry of the blob table; null: the resource of a solid run. */
function entry(header: ResourceHeader, bytes: Uint8Array | null): Uint8Array {
	const out = new Uint8Array(50);
	const view = new DataView(out.buffer);
	ResourceHeader.write(view, 0, header);
	view.setUint16(24, 1, true);
	view.setUint32(26, 1, true);
	if (bytes !== null) out.set(Buffer.from(sha1(bytes), 'hex'), 30);
	return out;
}

function chunks(
	encoder: Encoder,
	wim: SmallWim,
	bytes: Uint8Array,
	chunkSize: number,
): Uint8Array[] {
	const out: Uint8Array[] = [];
	for (let at = 0; at < bytes.length; at += chunkSize) {
		const chunk = bytes.subarray(at, at + chunkSize);
		out.push(encoder.encodeBytes(wim.compression, chunkSize, wim.level, chunk) ?? chunk);
	}
	return out;
}

/** The bytes themselves when compression does not pay. */
function chunkedResource(encoder: Encoder, wim: SmallWim, bytes: Uint8Array): Uint8Array {
	const stored = chunks(encoder, wim, bytes, wim.chunkSize);
	const table = new Uint8Array(4 * (stored.length - 1));
	let at = 0;
	for (const [position, chunk] of stored.entries()) {
		if (position > 0) new DataView(table.buffer).setUint32(4 * (position - 1), at, true);
		at += chunk.length;
	}
	return table.length + at < bytes.length ? joined([table, ...stored]) : bytes;
}

function solidResource(encoder: Encoder, wim: SmallWim, chunkSize: number): Uint8Array {
	const all = joined(Object.values(wim.files));
	const stored = chunks(encoder, wim, all, chunkSize);
	const head = new DataView(new ArrayBuffer(16 + 4 * stored.length));
	head.setBigUint64(0, BigInt(all.length), true);
	head.setUint32(8, chunkSize, true);
	head.setUint32(12, COMPRESSIONS.indexOf(wim.compression), true);
	for (const [position, chunk] of stored.entries())
		head.setUint32(16 + 4 * position, chunk.length, true);
	return joined([new Uint8Array(head.buffer), ...stored]);
}

function metadataResource(files: Readonly<Record<string, Uint8Array>>): Uint8Array {
	const security = new Uint8Array([8, 0, 0, 0, 0, 0, 0, 0]);
	const end = new Uint8Array(8);
	const root = dentry('', Attribute.directory, null, 8 + 104 + 8);
	const list = Object.entries(files)
		.sort(([a], [b]) => (a < b ? -1 : 1))
		.map(([name, bytes]) => dentry(name, Attribute.archive, bytes, 0));
	return joined([security, root, end, ...list, end]);
}

function dentry(
	name: string,
	attributes: number,
	bytes: Uint8Array | null,
	subdirOffset: number,
): Uint8Array {
	const nameBytes = encodeUtf16(name);
	const length = align8(Dentry.size + (name === '' ? 0 : nameBytes.length + 2));
	const out = new Uint8Array(length);
	Dentry.write(new DataView(out.buffer), 0, {
		length,
		attributes,
		securityId: NO_SECURITY,
		subdirOffset,
		unused1: 0n,
		unused2: 0n,
		creationTime: 0x1d0_0000_0000_0000n,
		lastAccessTime: 0x1d0_0000_0000_0000n,
		lastWriteTime: 0x1d0_0000_0000_0000n,
		mainHash: bytes === null ? new Uint8Array(20) : new Uint8Array(Buffer.from(sha1(bytes), 'hex')),
		unknown: 0,
		union: 0n,
		streamCount: 0,
		shortNameSize: 0,
		nameSize: nameBytes.length,
	});
	out.set(nameBytes, Dentry.size);
	return out;
}
