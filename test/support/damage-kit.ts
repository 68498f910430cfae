/**
 * Damages WIMs in the ways that happen, each repeatable by its seed, and says which blobs are physically intact. That
 * judgement comes from wimlib's listing of the undamaged file and from comparing bytes, not from our own reader.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { runOracle } from './oracles.ts';

/** A generator of numbers below 1, the same for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
	let state = seed >>> 0;
	return () => {
		state = (state + 0x6d2b_79f5) >>> 0;
		let t = Math.imul(state ^ (state >>> 15), state | 1);
		t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
		return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
	};
}

/** The files of a WIM, by name: one, or the parts of a set. A missing part has no entry. */
export type Files = ReadonlyMap<string, Buffer>;

/** Reads files of one folder. */
export function readFiles(folder: string, names: readonly string[]): Files {
	return new Map(names.map((name) => [name, readFileSync(path.join(folder, name))]));
}

/** Where a blob lies, as wimlib lists it. */
export interface ListedBlob {
	readonly file: string;
	readonly sha1: string;
	readonly size: number;
	readonly isMetadata: boolean;
	/** In the part, or null for a blob in a solid resource. */
	readonly place: { readonly offset: number; readonly size: number } | null;
	readonly solid: {
		readonly resourceOffset: number;
		readonly resourceSize: number;
		readonly originalSize: number;
		readonly offset: number;
	} | null;
}

/** All blobs of some files by `wimlib-imagex info --blobs`. */
export function listBlobs(folder: string, files: Files): ListedBlob[] {
	return [...files.keys()].flatMap((file) =>
		runOracle('wimlib-imagex', 'info', path.join(folder, file), '--blobs')
			.split(/\n\s*\n/)
			.flatMap((block) => listedBlob(file, block)),
	);
}

function listedBlob(file: string, block: string): ListedBlob[] {
	const sha1 = /Hash\s+= 0x([0-9a-f]{40})/.exec(block)?.[1];
	const size = /Uncompressed size = (\d+)/.exec(block)?.[1];
	if (sha1 === undefined || size === undefined) return [];
	const common = { file, sha1, size: Number(size), isMetadata: block.includes('FLAG_METADATA') };
	const solid = /Solid resource\s+= (\d+) => (\d+) bytes @ offset (\d+)/.exec(block);
	if (solid)
		return [
			{
				...common,
				place: null,
				solid: {
					originalSize: Number(solid[1]),
					resourceSize: Number(solid[2]),
					resourceOffset: Number(solid[3]),
					offset: Number(/Solid offset\s+= (\d+)/.exec(block)?.[1]),
				},
			},
		];
	const stored = Number(/Compressed size\s+= (\d+)/.exec(block)?.[1] ?? size);
	const offset = Number(/Offset in WIM\s+= (\d+)/.exec(block)?.[1]);
	return [{ ...common, place: { offset, size: stored }, solid: null }];
}

/** SHA-1s of the blobs none of whose stored bytes changed. */
export function intactBlobs(
	blobs: readonly ListedBlob[],
	before: Files,
	after: Files,
): Set<string> {
	const intact = new Set<string>();
	for (const { file, sha1, size, place, solid } of blobs) {
		const old = before.get(file);
		const now = after.get(file);
		if (old === undefined || now === undefined) continue;
		const isSame = ([offset, length]: Stretch) =>
			offset + length <= now.length &&
			old.compare(now, offset, offset + length, offset, offset + length) === 0;
		const stretches: Stretch[] =
			place !== null
				? [[place.offset, place.size]]
				: solid !== null
					? solidStretches(old, solid, size)
					: [];
		if (stretches.every(isSame)) intact.add(sha1);
	}
	return intact;
}

type Stretch = readonly [offset: number, size: number];

/** The stored chunks that hold a blob. */
function solidStretches(
	bytes: Buffer,
	solid: NonNullable<ListedBlob['solid']>,
	size: number,
): Stretch[] {
	const chunkSize = bytes.readUInt32LE(solid.resourceOffset + 8);
	const count = Math.ceil(solid.originalSize / chunkSize);
	const stretches: Stretch[] = [];
	let at = solid.resourceOffset + 16 + 4 * count;
	for (let chunk = 0; chunk < count; chunk++) {
		const stored = bytes.readUInt32LE(solid.resourceOffset + 16 + 4 * chunk);
		const start = chunk * chunkSize;
		if (start < solid.offset + size && start + chunkSize > solid.offset)
			stretches.push([at, stored]);
		at += stored;
	}
	return stretches;
}

/** Fields of the header that can be hurt: offset and size in bytes (wim.md §1). */
export const HEADER_FIELDS: Readonly<Record<string, readonly [offset: number, size: number]>> = {
	magic: [0x00, 8],
	'header size': [0x08, 4],
	version: [0x0c, 4],
	flags: [0x10, 4],
	'chunk size': [0x14, 4],
	GUID: [0x18, 16],
	'part number': [0x28, 2],
	'part count': [0x2a, 2],
	'image count': [0x2c, 4],
	'blob table place': [0x30, 24],
	'XML data place': [0x48, 24],
	'boot metadata place': [0x60, 24],
	'boot index': [0x78, 4],
	'integrity table place': [0x7c, 24],
};

export const HEADER_SIZE = 208;

/** What the header that counts says of a table; of a pipable file that is the one at the end. */
export interface TablePlace {
	readonly header: number;
	readonly at: number;
	readonly size: number;
}

function placeAt(bytes: Buffer, field: number): TablePlace {
	const isPipable = bytes.toString('latin1', 0, 5) === 'WLPWM';
	const header = isPipable ? bytes.length - HEADER_SIZE : 0;
	return {
		header,
		at: Number(bytes.readBigUInt64LE(header + field + 8)),
		size: Number(bytes.readBigUInt64LE(header + field + 16)),
	};
}

export function blobTable(bytes: Buffer): TablePlace {
	return placeAt(bytes, 0x30);
}

/** Overwrites the blob table with zeros. */
export function eraseBlobTable(bytes: Buffer): void {
	const { at, size } = blobTable(bytes);
	bytes.fill(0, at, at + size);
}

export function xmlData(bytes: Buffer): TablePlace {
	return placeAt(bytes, 0x48);
}

/** The original size that the entry of a solid resource itself states. */
const SOLID_MARK = 0x1_0000_0000n;

/** Where the solid resources of a part begin, by its own table. */
export function solidPlaces(bytes: Buffer): number[] {
	const table = blobTable(bytes);
	const found: number[] = [];
	for (let entry = table.at; entry + 50 <= table.at + table.size; entry += 50)
		if ((bytes[entry + 7] ?? 0) & 0x10 && bytes.readBigUInt64LE(entry + 16) === SOLID_MARK)
			found.push(Number(bytes.readBigUInt64LE(entry + 8)));
	return found;
}

/** The metadata resources of a part, by its own table. */
export function metadataPlaces(bytes: Buffer): { at: number; size: number }[] {
	const table = blobTable(bytes);
	const found: { at: number; size: number }[] = [];
	for (let entry = table.at; entry + 50 <= table.at + table.size; entry += 50) {
		if (!((bytes[entry + 7] ?? 0) & 0x02)) continue;
		const size = Number(bytes.readBigUInt64LE(entry) & 0xff_ffff_ffff_ffffn);
		found.push({ at: Number(bytes.readBigUInt64LE(entry + 8)), size });
	}
	return found;
}
