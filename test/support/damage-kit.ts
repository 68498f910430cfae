/**
 * Damages WIMs in the ways that happen, each repeatable by its seed, and says which blobs are physically intact. That
 * judgement comes from wimlib's listing of the undamaged file and from comparing bytes, not from our own reader.
 */
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

/** Where a blob lies, as wimlib lists it. */
export interface ListedBlob {
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

/** All blobs of a file by `wimlib-imagex info --blobs`. */
export function listBlobs(file: string): ListedBlob[] {
	return runOracle('wimlib-imagex', 'info', file, '--blobs')
		.split(/\n\s*\n/)
		.flatMap((block): ListedBlob[] => {
			const sha1 = /Hash\s+= 0x([0-9a-f]{40})/.exec(block)?.[1];
			const size = /Uncompressed size = (\d+)/.exec(block)?.[1];
			if (sha1 === undefined || size === undefined) return [];
			const isMetadata = block.includes('FLAG_METADATA');
			const solid = /Solid resource\s+= (\d+) => (\d+) bytes @ offset (\d+)/.exec(block);
			if (solid)
				return [
					{
						sha1,
						size: Number(size),
						isMetadata,
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
			return [
				{ sha1, size: Number(size), isMetadata, place: { offset, size: stored }, solid: null },
			];
		});
}

/** SHA-1s of the blobs none of whose stored bytes changed. */
export function intactBlobs(
	blobs: readonly ListedBlob[],
	before: Uint8Array,
	after: Uint8Array,
): Set<string> {
	const isSame = (offset: number, size: number) => {
		if (offset + size > after.length) return false;
		return (
			Buffer.compare(
				before.subarray(offset, offset + size),
				after.subarray(offset, offset + size),
			) === 0
		);
	};
	const intact = new Set<string>();
	for (const { sha1, size, place, solid } of blobs) {
		if (place !== null && isSame(place.offset, place.size)) intact.add(sha1);
		if (solid !== null && solidStretches(before, solid, size).every(([at, n]) => isSame(at, n)))
			intact.add(sha1);
	}
	return intact;
}

/** The header of a solid resource and the stored chunks that hold a blob. */
function solidStretches(
	bytes: Uint8Array,
	solid: NonNullable<ListedBlob['solid']>,
	size: number,
): [offset: number, size: number][] {
	const view = new DataView(bytes.buffer, bytes.byteOffset + solid.resourceOffset);
	const chunkSize = view.getUint32(8, true);
	const count = Math.ceil(solid.originalSize / chunkSize);
	const stretches: [number, number][] = [[solid.resourceOffset, 16 + 4 * count]];
	let at = solid.resourceOffset + 16 + 4 * count;
	for (let chunk = 0; chunk < count; chunk++) {
		const stored = view.getUint32(16 + 4 * chunk, true);
		const start = chunk * chunkSize;
		if (start < solid.offset + size && start + chunkSize > solid.offset)
			stretches.push([at, stored]);
		at += stored;
	}
	return stretches;
}

/** A way in which files get hurt. */
export interface Damage {
	readonly name: string;
	/** Changes a copy of the file, or gives a shorter one. */
	readonly hurt: (bytes: Buffer, random: () => number) => Buffer;
}

/** Offset and size of a table by the header that counts. */
function table(bytes: Buffer, field: number): { at: number; size: number; header: number } {
	const isPipable = bytes.toString('latin1', 0, 5) === 'WLPWM';
	const header = isPipable ? bytes.length - 208 : 0;
	return {
		header,
		at: Number(bytes.readBigUInt64LE(header + field + 8)),
		size: Number(bytes.readBigUInt64LE(header + field + 16)),
	};
}

const BLOB_TABLE = 0x30;
const XML = 0x48;

/** Somewhere in the resources: behind the header, before the blob table. */
function anywhere(bytes: Buffer, random: () => number): number {
	const end = Math.max(300, table(bytes, BLOB_TABLE).at);
	return 208 + Math.floor(random() * (end - 208));
}

function changed(name: string, change: (bytes: Buffer, random: () => number) => void): Damage {
	return {
		name,
		hurt(original, random) {
			const bytes = Buffer.from(original);
			change(bytes, random);
			return bytes;
		},
	};
}

/** Everything that the kit can do to one file. */
export const DAMAGES: readonly Damage[] = [
	changed('three flipped bits', (bytes, random) => {
		for (let k = 0; k < 3; k++) {
			const at = anywhere(bytes, random);
			bytes[at] = (bytes[at] ?? 0) ^ (1 << Math.floor(random() * 8));
		}
	}),
	changed('four sectors of zeros', (bytes, random) => {
		for (let k = 0; k < 4; k++) {
			const at = Math.floor(anywhere(bytes, random) / 512) * 512;
			bytes.fill(0, Math.max(208, at), at + 512);
		}
	}),
	changed('a block of 64 KiB overwritten', (bytes, random) => {
		const at = Math.max(208, Math.floor(anywhere(bytes, random) / 4096) * 4096);
		for (let k = at; k < Math.min(at + 65_536, bytes.length); k++)
			bytes[k] = Math.floor(random() * 256);
	}),
	changed('the header wiped', (bytes) => bytes.fill(0, 0, 208)),
	changed('magic and flags wiped', (bytes) => {
		bytes.fill(0xff, 0, 8);
		bytes.fill(0xff, 16, 24);
	}),
	changed('the place of the blob table wiped', (bytes) => {
		const { header } = table(bytes, BLOB_TABLE);
		bytes.fill(0xee, header + BLOB_TABLE, header + BLOB_TABLE + 24);
	}),
	changed('the XML data zeroed', (bytes) => {
		const { at, size } = table(bytes, XML);
		bytes.fill(0, at, at + size);
	}),
	changed('five entries of the blob table zeroed', (bytes, random) => {
		const { at, size } = table(bytes, BLOB_TABLE);
		const first = 1 + Math.floor(random() * Math.max(1, size / 50 - 6));
		bytes.fill(0, at + first * 50, Math.min(at + size, at + (first + 5) * 50));
	}),
	changed('the blob table zeroed', (bytes) => {
		const { at, size } = table(bytes, BLOB_TABLE);
		bytes.fill(0, at, at + size);
	}),
	changed('header, blob table and XML data zeroed', (bytes) => {
		const blobs = table(bytes, BLOB_TABLE);
		const xml = table(bytes, XML);
		bytes.fill(0, blobs.at, blobs.at + blobs.size);
		bytes.fill(0, xml.at, xml.at + xml.size);
		bytes.fill(0, 0, 208);
	}),
	{ name: 'cut inside the XML data', hurt: (bytes) => cutAt(bytes, table(bytes, XML).at + 100) },
	{
		name: 'cut inside the blob table',
		hurt(bytes) {
			const { at, size } = table(bytes, BLOB_TABLE);
			return cutAt(bytes, at + Math.floor(size / 2));
		},
	},
	{ name: 'cut in the middle', hurt: (bytes) => cutAt(bytes, Math.floor(bytes.length / 2)) },
	changed('a write that was interrupted', (bytes, random) => {
		bytes[16] = (bytes[16] ?? 0) | 0x40;
		void random;
	}),
];

function cutAt(bytes: Buffer, size: number): Buffer {
	return Buffer.from(bytes.subarray(0, Math.max(0, Math.min(size, bytes.length))));
}
