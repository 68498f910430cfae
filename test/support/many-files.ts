/**
 * Writes images of hundreds of thousands of files as fast as the disk takes them, the same ones every time: for what
 * must hold at any size.
 */
import { createHash } from 'node:crypto';
import { closeSync, openSync, writeSync } from 'node:fs';
import { encodeUtf16 } from '../../source/bytes/utf16.ts';
import { Encoder, LEVEL_FAST } from '../../source/codec/encoder.ts';
import { Attribute, align8, Dentry, NO_SECURITY } from '../../source/image/dentry.ts';
import { BLOB_ENTRY_SIZE } from '../../source/wim/blob-entries.ts';
import {
	compressionFlags,
	HEADER_SIZE,
	MAGIC,
	NO_RESOURCE,
	PartHeader,
	ResourceFlag,
	ResourceHeader,
	VERSION_ORDINARY,
} from '../../source/wim/part-header.ts';

export interface ManyFiles {
	readonly files: number;
	/** Different contents among them. */
	readonly contents: number;
	readonly filesPerFolder: number;
	readonly seed: number;
}

/** What an image of Windows has. */
export const WINDOWS_LIKE: ManyFiles = {
	files: 300_000,
	contents: 225_000,
	filesPerFolder: 100,
	seed: 1,
};

const CHUNK_SIZE = 32_768;
/** 2024-01-01. */
const FILETIME = 133_485_408_000_000_000n;

/** Writes the image, compressed with XPRESS. Files that have equal contents are hard links or copies by turns. */
export function writeManyFiles(file: string, shape: ManyFiles): void {
	const fd = openSync(file, 'w');
	try {
		const out = new Appender(fd);
		out.append(new Uint8Array(HEADER_SIZE));
		const table = new TableBuilder(shape.contents + 1);
		const hashes = writeContents(out, table, shape);
		const metadata = makeMetadata(shape, hashes);
		const offset = out.size;
		out.append(metadata);
		table.add(metadata.length, ResourceFlag.metadata, offset, metadata.length, sha1(metadata));
		const blobTable = { ...place(out, table.bytes), flags: ResourceFlag.metadata };
		const xml = { ...place(out, encodeUtf16(xmlText(shape))), flags: ResourceFlag.metadata };
		out.flush();
		const header = PartHeader.encode({
			magic: MAGIC,
			headerSize: HEADER_SIZE,
			version: VERSION_ORDINARY,
			flags: compressionFlags('xpress'),
			chunkSize: CHUNK_SIZE,
			guid: new Uint8Array(16).fill(shape.seed),
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
		writeSync(fd, header, 0, header.length, 0);
	} finally {
		closeSync(fd);
	}
}

const sha1 = (bytes: Uint8Array) => createHash('sha1').update(bytes).digest();

function place(out: Appender, bytes: Uint8Array) {
	const offset = out.size;
	out.append(bytes);
	return { storedSize: bytes.length, offset, originalSize: bytes.length };
}

function xmlText({ files, filesPerFolder }: ManyFiles): string {
	const folders = Math.ceil(files / filesPerFolder);
	return `\ufeff<WIM><TOTALBYTES>0</TOTALBYTES><IMAGE INDEX="1"><NAME>Many</NAME><DIRCOUNT>${folders}</DIRCOUNT><FILECOUNT>${files}</FILECOUNT></IMAGE></WIM>`;
}

/** Lines of text, 60 to 600 bytes, no two alike. */
export function contentsOf(number: number, seed: number): Uint8Array {
	const lines: string[] = [];
	for (let k = 0; k < 2 + ((number * 7) % 13); k++)
		lines.push(
			`contents ${number} of ${seed}, line ${k}: ${(number * k * 2_654_435_761) % 9973}\n`,
		);
	return Buffer.from(lines.join(''));
}

/** @returns the SHA-1 of each contents, one after the other */
function writeContents(out: Appender, table: TableBuilder, shape: ManyFiles): Uint8Array {
	const encoder = new Encoder();
	const hashes = new Uint8Array(20 * shape.contents);
	for (let k = 0; k < shape.contents; k++) {
		const bytes = contentsOf(k, shape.seed);
		const hash = sha1(bytes);
		hashes.set(hash, 20 * k);
		encoder.input(bytes.length).set(bytes);
		const stored = encoder.encode('xpress', CHUNK_SIZE, LEVEL_FAST, bytes.length);
		const flags = stored === null ? 0 : ResourceFlag.compressed;
		const offset = out.size;
		out.append(stored ?? bytes);
		table.add(out.size - offset, flags, offset, bytes.length, hash);
	}
	return hashes;
}

class TableBuilder {
	readonly bytes: Uint8Array;
	readonly #view: DataView;
	#at = 0;

	constructor(entries: number) {
		this.bytes = new Uint8Array(entries * BLOB_ENTRY_SIZE);
		this.#view = new DataView(this.bytes.buffer);
	}

	add(storedSize: number, flags: number, offset: number, originalSize: number, hash: Uint8Array) {
		ResourceHeader.write(this.#view, this.#at, { storedSize, flags, offset, originalSize });
		this.#view.setUint16(this.#at + 24, 1, true);
		this.#view.setUint32(this.#at + 26, 1, true);
		this.bytes.set(hash, this.#at + 30);
		this.#at += BLOB_ENTRY_SIZE;
	}
}

/** Appends to a file in large writes. */
class Appender {
	size = 0;
	readonly #fd: number;
	readonly #buffer = new Uint8Array(1 << 20);
	#used = 0;

	constructor(fd: number) {
		this.#fd = fd;
	}

	append(bytes: Uint8Array): void {
		for (let at = 0; at < bytes.length; ) {
			if (this.#used === this.#buffer.length) this.flush();
			const part = bytes.subarray(at, at + this.#buffer.length - this.#used);
			this.#buffer.set(part, this.#used);
			this.#used += part.length;
			at += part.length;
		}
		this.size += bytes.length;
	}

	flush(): void {
		for (let at = 0; at < this.#used; )
			at += writeSync(this.#fd, this.#buffer, at, this.#used - at);
		this.#used = 0;
	}
}

const NO_HASH = new Uint8Array(20);

interface Entry {
	readonly name: string;
	/** Of a folder; null for a file. */
	readonly childrenAt: number | null;
	readonly hash: Uint8Array;
	/** 0 = alone. */
	readonly linkGroup: number;
}

function dentry({ name, childrenAt, hash, linkGroup }: Entry): Uint8Array {
	const text = encodeUtf16(name);
	const length = align8(Dentry.size + (text.length === 0 ? 0 : text.length + 2));
	const bytes = new Uint8Array(length);
	bytes.set(
		Dentry.encode({
			length,
			attributes: childrenAt === null ? Attribute.archive : Attribute.directory,
			securityId: NO_SECURITY,
			subdirOffset: childrenAt ?? 0,
			unused1: 0n,
			unused2: 0n,
			creationTime: FILETIME,
			lastAccessTime: FILETIME,
			lastWriteTime: FILETIME,
			mainHash: hash,
			unknown: 0,
			union: BigInt(linkGroup),
			streamCount: 0,
			shortNameSize: 0,
			nameSize: text.length,
		}),
	);
	bytes.set(text, Dentry.size);
	return bytes;
}

/** A metadata resource: folders with long names in the root, files with long names in them. */
export function makeMetadata(shape: ManyFiles, hashes: Uint8Array): Uint8Array {
	const folderCount = Math.ceil(shape.files / shape.filesPerFolder);
	const folder = (k: number, childrenAt: number) =>
		dentry({
			name: `amd64_microsoft-windows-component_31bf3856ad364e35_10.0.26100.1_none_${k}`,
			childrenAt,
			hash: NO_HASH,
			linkGroup: 0,
		});
	const end = new Uint8Array(8);
	const security = Uint8Array.of(8, 0, 0, 0, 0, 0, 0, 0);
	const root = (at: number) => dentry({ name: '', childrenAt: at, hash: NO_HASH, linkGroup: 0 });
	const rootList = security.length + root(1).length + end.length;
	let at = rootList + end.length;
	for (let k = 0; k < folderCount; k++) at += folder(k, 1).length;
	const folders: Uint8Array[] = [];
	const lists: Uint8Array[] = [];
	for (let k = 0; k < folderCount; k++) {
		folders.push(folder(k, at));
		for (
			let n = k * shape.filesPerFolder;
			n < Math.min(shape.files, (k + 1) * shape.filesPerFolder);
			n++
		) {
			const file = fileDentry(n, shape, hashes);
			lists.push(file);
			at += file.length;
		}
		lists.push(end);
		at += end.length;
	}
	return new Uint8Array(Buffer.concat([security, root(rootList), end, ...folders, end, ...lists]));
}

/** Files from `contents` on repeat what an earlier one holds; every other one of them is a hard link to it. */
function fileDentry(n: number, { contents }: ManyFiles, hashes: Uint8Array): Uint8Array {
	const content = n % contents;
	// Spread, so that neighbours in a folder are no neighbours in the file.
	const number = (content * 7919) % contents;
	const isShared = contents > 0 && content % 2 === 0;
	return dentry({
		name: `file_with_long_name_${n}.dll`,
		childrenAt: null,
		hash: hashes.subarray(20 * number, 20 * number + 20),
		linkGroup: isShared ? content + 1 : 0,
	});
}
