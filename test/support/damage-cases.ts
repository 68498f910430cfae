/** The ways in which files get hurt: every kind of damage of the kit, by name. */
import {
	blobTable,
	eraseBlobTable,
	type Files,
	HEADER_FIELDS,
	HEADER_SIZE,
	metadataPlaces,
	solidPlaces,
	xmlData,
} from './damage-kit.ts';

/** What a set of files is like, as far as it decides which damages make sense. */
export interface Traits {
	readonly isSplit: boolean;
	readonly isAppended: boolean;
	readonly isSolid: boolean;
}

export interface Damage {
	readonly name: string;
	/** What it needs; anything if absent. */
	readonly needs?: keyof Traits;
	/** Not a set with a part that names no image: what is hurt stands in the first part. */
	hurt(files: Files, random: () => number): Files;
	/** For one that moves bytes: those of a hurt file where they stood before, and others where they are gone. */
	back?(before: Buffer, after: Buffer): Buffer;
}

/** Damages a copy of one file: the only one, or one of a set by chance. */
function changed(name: string, change: (bytes: Buffer, random: () => number) => void): Damage {
	return cutting(name, (bytes, random) => {
		change(bytes, random);
		return bytes;
	});
}

function cutting(name: string, change: (bytes: Buffer, random: () => number) => Buffer): Damage {
	return {
		name,
		hurt(files, random) {
			const names = [...files.keys()];
			const chosen = names[Math.floor(random() * names.length)];
			return new Map(
				[...files].map(([file, bytes]) => [
					file,
					file === chosen ? change(Buffer.from(bytes), random) : bytes,
				]),
			);
		},
	};
}

/** Somewhere in the resources: behind the header, before the blob table. */
function anywhere(bytes: Buffer, random: () => number): number {
	const end = Math.max(HEADER_SIZE + 1, Math.min(bytes.length, blobTable(bytes).at));
	return HEADER_SIZE + Math.floor(random() * (end - HEADER_SIZE));
}

function zero(bytes: Buffer, at: number, size: number): void {
	bytes.fill(0, Math.max(0, at), Math.min(bytes.length, at + size));
}

function noise(bytes: Buffer, at: number, size: number, random: () => number): void {
	for (let k = at; k < Math.min(at + size, bytes.length); k++)
		bytes[k] = Math.floor(random() * 256);
}

function flip(bytes: Buffer, at: number, random: () => number): void {
	bytes[at] = (bytes[at] ?? 0) ^ (1 << Math.floor(random() * 8));
}

function cut(bytes: Buffer, size: number): Buffer {
	return bytes.subarray(0, Math.max(0, Math.min(Math.floor(size), bytes.length)));
}

const DATA: readonly Damage[] = [
	changed('one flipped bit', (bytes, random) => flip(bytes, anywhere(bytes, random), random)),
	changed('five flipped bits', (bytes, random) => {
		for (let k = 0; k < 5; k++) flip(bytes, anywhere(bytes, random), random);
	}),
	changed('four sectors of zeros', (bytes, random) => {
		for (let k = 0; k < 4; k++)
			zero(bytes, Math.max(HEADER_SIZE, Math.floor(anywhere(bytes, random) / 512) * 512), 512);
	}),
	changed('a block of 16 KiB overwritten', (bytes, random) =>
		noise(
			bytes,
			Math.max(HEADER_SIZE, Math.floor(anywhere(bytes, random) / 4096) * 4096),
			16_384,
			random,
		),
	),
	changed('a block repeated elsewhere', (bytes, random) => {
		const from = Math.floor(anywhere(bytes, random) / 4096) * 4096;
		bytes.copyWithin(
			Math.max(HEADER_SIZE, Math.floor(anywhere(bytes, random) / 4096) * 4096),
			from,
			from + 4096,
		);
	}),
];

const HEADER: readonly Damage[] = [
	changed('header zeroed', (bytes) => zero(bytes, 0, HEADER_SIZE)),
	changed('both headers of a pipable file zeroed, or the first sector', (bytes) => {
		const { header } = blobTable(bytes);
		zero(bytes, 0, header > 0 ? HEADER_SIZE : 512);
		if (header > 0) zero(bytes, header, HEADER_SIZE);
	}),
	...Object.entries(HEADER_FIELDS).flatMap(([field, [offset, size]]) => [
		changed(`header: ${field} zeroed`, (bytes) =>
			zero(bytes, blobTable(bytes).header + offset, size),
		),
		changed(`header: ${field} overwritten`, (bytes, random) =>
			noise(bytes, blobTable(bytes).header + offset, size, random),
		),
	]),
	changed('header: chunk size doubled', (bytes) => {
		const at = blobTable(bytes).header + 0x14;
		bytes.writeUInt32LE((bytes.readUInt32LE(at) * 2) >>> 0, at);
	}),
	changed('header: another compression', (bytes) => {
		const at = blobTable(bytes).header + 0x10;
		const flags = bytes.readUInt32LE(at);
		bytes.writeUInt32LE(
			((flags & ~0xe_0000) | (flags & 0x2_0000 ? 0x4_0000 : 0x2_0000) | 2) >>> 0,
			at,
		);
	}),
	changed('header: blob table place off by 50 bytes', (bytes) => {
		const { header, at } = blobTable(bytes);
		bytes.writeBigUInt64LE(BigInt(at + 50), header + 0x38);
	}),
];

const TABLES: readonly Damage[] = [
	changed('XML data zeroed', (bytes) => {
		const { at, size } = xmlData(bytes);
		zero(bytes, at, size);
	}),
	changed('XML data: a hole in the middle', (bytes, random) => {
		const { at, size } = xmlData(bytes);
		noise(bytes, at + Math.floor(size / 3), 64, random);
	}),
	changed('five entries of the blob table zeroed', (bytes, random) => {
		const { at, size } = blobTable(bytes);
		const first = Math.floor(random() * Math.max(1, size / 50 - 5));
		zero(bytes, at + first * 50, Math.min(5 * 50, size - first * 50));
	}),
	changed('blob table: ten flipped bits', (bytes, random) => {
		const { at, size } = blobTable(bytes);
		for (let k = 0; k < 10; k++) flip(bytes, at + Math.floor(random() * size), random);
	}),
	changed('blob table: the first sector overwritten', (bytes, random) => {
		const { at, size } = blobTable(bytes);
		noise(bytes, at, Math.min(512, size), random);
	}),
	changed('blob table zeroed', (bytes) => {
		const { at, size } = blobTable(bytes);
		zero(bytes, at, size);
	}),
	changed('blob table overwritten', (bytes, random) => {
		const { at, size } = blobTable(bytes);
		noise(bytes, at, size, random);
	}),
	changed('header and blob table zeroed', (bytes) => {
		const { at, size } = blobTable(bytes);
		zero(bytes, at, size);
		zero(bytes, 0, HEADER_SIZE);
	}),
	changed('header, blob table and XML data zeroed', (bytes) => {
		const { at, size } = blobTable(bytes);
		const xml = xmlData(bytes);
		zero(bytes, at, size);
		zero(bytes, xml.at, xml.size);
		zero(bytes, 0, HEADER_SIZE);
	}),
	changed('blob table and XML data: their places and themselves zeroed', (bytes) => {
		const { header, at, size } = blobTable(bytes);
		const xml = xmlData(bytes);
		zero(bytes, at, size);
		zero(bytes, xml.at, xml.size);
		zero(bytes, header + 0x30, 48);
	}),
];

const METADATA: readonly Damage[] = [
	changed('metadata: 256 bytes overwritten', (bytes, random) => {
		const place = metadataPlaces(bytes).at(-1);
		if (place === undefined) return flip(bytes, anywhere(bytes, random), random);
		const at = place.at + Math.floor(random() * Math.max(1, place.size - 256));
		noise(bytes, at, Math.min(256, place.size), random);
	}),
	changed('metadata zeroed', (bytes) => {
		const place = metadataPlaces(bytes).at(-1);
		if (place !== undefined) zero(bytes, place.at, place.size);
	}),
	changed('metadata and blob table zeroed', (bytes) => {
		const place = metadataPlaces(bytes).at(-1);
		if (place !== undefined) zero(bytes, place.at, place.size);
		const { at, size } = blobTable(bytes);
		zero(bytes, at, size);
	}),
];

const SOLID_HEADER_SIZE = 16;

/** Zeros the header of every solid resource, or the sizes of its chunks, or both; to be done before the blob table is hurt. */
function zeroSolid(bytes: Buffer, what: { header: boolean; sizes: boolean }): void {
	const tables = solidPlaces(bytes).map((at) => {
		const originalSize = Number(bytes.readBigUInt64LE(at));
		return { at, size: 4 * Math.ceil(originalSize / bytes.readUInt32LE(at + 8)) };
	});
	for (const { at, size } of tables) {
		if (what.header) zero(bytes, at, SOLID_HEADER_SIZE);
		if (what.sizes) zero(bytes, at + SOLID_HEADER_SIZE, size);
	}
}

function solid(name: string, change: (bytes: Buffer) => void): Damage {
	return { ...changed(name, change), needs: 'isSolid' };
}

const SOLID: readonly Damage[] = [
	solid('solid header zeroed', (bytes) => zeroSolid(bytes, { header: true, sizes: false })),
	solid('sizes of the solid chunks zeroed', (bytes) =>
		zeroSolid(bytes, { header: false, sizes: true }),
	),
	solid('solid header and sizes of its chunks zeroed', (bytes) =>
		zeroSolid(bytes, { header: true, sizes: true }),
	),
	solid('solid header and blob table zeroed', (bytes) => {
		zeroSolid(bytes, { header: true, sizes: false });
		eraseBlobTable(bytes);
	}),
	solid('solid header, sizes of its chunks and blob table zeroed', (bytes) => {
		zeroSolid(bytes, { header: true, sizes: true });
		eraseBlobTable(bytes);
	}),
	solid('header, solid header, sizes of its chunks and blob table zeroed', (bytes) => {
		zeroSolid(bytes, { header: true, sizes: true });
		eraseBlobTable(bytes);
		zero(bytes, 0, HEADER_SIZE);
	}),
];

const CUTS: readonly Damage[] = [
	cutting('cut in the integrity table or the last bytes', (bytes) => cut(bytes, bytes.length - 10)),
	cutting('cut inside the XML data', (bytes) => cut(bytes, xmlData(bytes).at + 100)),
	cutting('cut between blob table and XML data', (bytes) => cut(bytes, xmlData(bytes).at)),
	cutting('cut inside the blob table', (bytes) => {
		const { at, size } = blobTable(bytes);
		return cut(bytes, at + size / 2);
	}),
	cutting('cut before the blob table', (bytes) => cut(bytes, blobTable(bytes).at)),
	cutting('cut inside the metadata', (bytes) => {
		const place = metadataPlaces(bytes).at(-1);
		return place === undefined
			? cut(bytes, bytes.length / 2)
			: cut(bytes, place.at + place.size * 0.7);
	}),
	...[0.9, 0.5, 0.2].map((share) =>
		cutting(`cut after ${share * 100} %`, (bytes) => cut(bytes, bytes.length * share)),
	),
	cutting('cut anywhere', (bytes, random) => cut(bytes, HEADER_SIZE + random() * bytes.length)),
	cutting('zeros from somewhere to the end', (bytes, random) => {
		const at = anywhere(bytes, random);
		zero(bytes, at, bytes.length - at);
		return bytes;
	}),
];

/** Without one of its files. */
function without(name: string, which: (names: readonly string[]) => string | undefined): Damage {
	return {
		name,
		needs: 'isSplit',
		hurt: (files) => {
			const gone = which([...files.keys()]);
			return new Map([...files].filter(([file]) => file !== gone));
		},
	};
}

const PARTS: readonly Damage[] = [
	without('the first part missing', (names) => names[0]),
	without('the second part missing', (names) => names[1]),
	without('the last part missing', (names) => names.at(-1)),
];

/**
 * States in which a killed append leaves a file: the header is still the old one (the flag says that a write is running), what
 * was appended reaches to some point.
 */
function interrupted(name: string, share: number, hasFlag: boolean): Damage {
	return {
		name,
		needs: 'isAppended',
		hurt: (files) =>
			new Map(
				[...files].map(([file, bytes]) => {
					const old = previousHeader(bytes);
					const end = old.xmlEnd + (bytes.length - old.xmlEnd) * share;
					const part = Buffer.from(cut(bytes, end));
					old.header.copy(part);
					if (hasFlag) part[0x10] = (part[0x10] ?? 0) | 0x40;
					return [file, part];
				}),
			),
	};
}

/** The header that the generation before had, from its blob table and XML data, which every append leaves where they are. */
function previousHeader(bytes: Buffer): { header: Buffer; xmlEnd: number } {
	const mark = Buffer.from('\ufeff<WIM>', 'utf16le');
	const current = xmlData(bytes).at;
	let at = bytes.indexOf(mark);
	for (let next = at; next >= 0 && next < current; next = bytes.indexOf(mark, next + 2)) at = next;
	const end = bytes.indexOf(Buffer.from('</WIM>', 'utf16le'), at) + 12;
	// That of the file, behind those of the images, where there is one: what stood in front of the XML data.
	const text = bytes.toString('utf16le', at + 2, end);
	const total = /<\/IMAGE><TOTALBYTES>(\d+)/.exec(text) ?? /^<WIM><TOTALBYTES>(\d+)/.exec(text);
	const xmlSize = end - at + (bytes.readUInt16LE(end) === 0x0a ? 2 : 0);
	// The table ends where the XML data begins; its first entries name the metadata and stand in front.
	let first = at;
	while (isEntryAt(bytes, first - 50)) first -= 50;
	const header = Buffer.from(bytes.subarray(0, HEADER_SIZE));
	const count = (bytes.toString('utf16le', at, end).match(/<IMAGE INDEX=/g) ?? []).length;
	if (Number(total?.[1]) > at) throw new Error('the XML data found is not of an older generation');
	writePlace(header, 0x30, at - first, first);
	writePlace(header, 0x48, xmlSize, at);
	header.writeUInt32LE(count, 0x2c);
	header.fill(0, 0x60, 0x94);
	return { header, xmlEnd: at + xmlSize };
}

function isEntryAt(bytes: Buffer, at: number): boolean {
	return (
		at >= HEADER_SIZE &&
		bytes.readUInt16LE(at + 24) === 1 &&
		bytes[at + 15] === 0 &&
		bytes[at + 23] === 0 &&
		bytes[at + 6] === 0 &&
		bytes.readUInt32LE(at + 26) < 1 << 16 &&
		Number(bytes.readBigUInt64LE(at + 8)) < at
	);
}

function writePlace(header: Buffer, field: number, size: number, at: number): void {
	header.writeBigUInt64LE(BigInt(size) | (2n << 56n), field);
	header.writeBigUInt64LE(BigInt(at), field + 8);
	header.writeBigUInt64LE(BigInt(size), field + 16);
}

const WRITES: readonly Damage[] = [
	changed('the flag of a running write set', (bytes) => {
		const at = blobTable(bytes).header + 0x10;
		bytes[at] = (bytes[at] ?? 0) | 0x40;
	}),
	interrupted('an append killed early', 0.1, true),
	interrupted('an append killed halfway', 0.5, true),
	interrupted('an append killed before its header', 1, true),
	interrupted('an append killed before its header, without the flag', 1, false),
];

/**
 * Several damages at once: each hurts the whole files, so that each finds what it is to hurt; then what any of them changed,
 * cut off or took away is.
 */
function both(...damages: readonly (Damage | undefined)[]): Damage {
	const all = damages.map((damage) => {
		if (damage === undefined) throw new Error('There is no such damage');
		return damage;
	});
	return {
		name: all.map(({ name }) => name).join(' + '),
		hurt(files, random) {
			const hurt = all.map((damage) => damage.hurt(files, random));
			return new Map(
				[...files].flatMap(([file, bytes]) => {
					const copies = hurt.flatMap((one) => one.get(file) ?? []);
					return copies.length < hurt.length ? [] : [[file, merged(bytes, copies)] as const];
				}),
			);
		},
	};
}

/** What any copy has changed; the last of them where several have. */
function merged(bytes: Buffer, copies: readonly Buffer[]): Buffer {
	const size = Math.min(...copies.map((copy) => copy.length));
	const result = Buffer.from(bytes.subarray(0, size));
	for (const copy of copies)
		for (let at = 0; at < size; at++) {
			const value = copy[at] as number;
			if (value !== bytes[at]) result[at] = value;
		}
	return result;
}

/** Nothing that stood there. */
const otherThan = (bytes: Buffer) => Buffer.from(bytes.map((byte) => byte ^ 0xff));

function withoutHead(name: string, sizeOf: (bytes: Buffer) => number): Damage {
	return {
		...cutting(name, (bytes) => bytes.subarray(sizeOf(bytes))),
		back: (before, after) =>
			Buffer.concat([otherThan(before.subarray(0, before.length - after.length)), after]),
	};
}

const ODD_SIZE = 2999;
const middle = (bytes: Buffer) => Math.floor(bytes.length / 2);

/** What a copy without three sectors keeps. */
function sectorsLeft({ length }: Buffer): [start: number, end: number][] {
	const gone = [0.3, 0.5, 0.8].map((share) => Math.floor((length * share) / 512) * 512);
	return [0, ...gone.map((at) => at + 512)].map((start, k) => [start, gone[k] ?? length]);
}

/** Before every line feed stands a carriage return more. */
const asText = (bytes: Buffer) =>
	Buffer.from(bytes.toString('latin1').replaceAll('\n', '\r\n'), 'latin1');
const asItWas = (bytes: Buffer) =>
	Buffer.from(bytes.toString('latin1').replaceAll('\r\n', '\n'), 'latin1');

/** What transfers do: bytes are whole, but not where they were. */
export const MOVED: readonly Damage[] = [
	withoutHead('the first sector cut away', () => 512),
	withoutHead('the first tenth cut away', (bytes) => Math.ceil(bytes.length / 10)),
	withoutHead('the first half cut away', middle),
	{
		...cutting('text put before the file', (bytes) =>
			Buffer.concat([Buffer.from('HTTP/1.1 200 OK\r\n\r\n'), bytes]),
		),
		back: (_, after) => after.subarray(after.indexOf('\r\n\r\n') + 4),
	},
	{
		...cutting('the beginning of the file put before it', (bytes) =>
			Buffer.concat([bytes.subarray(0, middle(bytes)), bytes]),
		),
		back: (before) => before,
	},
	{
		...cutting('some bytes fallen out', (bytes) =>
			Buffer.concat([bytes.subarray(0, middle(bytes)), bytes.subarray(middle(bytes) + ODD_SIZE)]),
		),
		back: (before, after) =>
			Buffer.concat([
				after.subarray(0, middle(before)),
				otherThan(before.subarray(middle(before), middle(before) + ODD_SIZE)),
				after.subarray(middle(before)),
			]),
	},
	{
		...cutting('three sectors fallen out', (bytes) =>
			Buffer.concat(sectorsLeft(bytes).map(([start, end]) => bytes.subarray(start, end))),
		),
		back(before, after) {
			const bytes = otherThan(before);
			let at = 0;
			for (const [start, end] of sectorsLeft(before)) {
				after.copy(bytes, start, at, at + end - start);
				at += end - start;
			}
			return bytes;
		},
	},
	{
		...cutting('some bytes put in between', (bytes) =>
			Buffer.concat([
				bytes.subarray(0, middle(bytes)),
				Buffer.alloc(ODD_SIZE, 'other'),
				bytes.subarray(middle(bytes)),
			]),
		),
		// What these cut in two is whole, but not in one piece.
		back: (before, after) => {
			const bytes = Buffer.from(before);
			bytes[middle(before)] = (bytes[middle(before)] ?? 0) ^ 0xff;
			bytes[middle(before) - 1] = (bytes[middle(before) - 1] ?? 0) ^ 0xff;
			return after.length === before.length ? before : bytes;
		},
	},
	{ ...cutting('transferred as text', asText), back: (_, after) => asItWas(after) },
	{
		...cutting('transferred as text, and cut after 70 %', (bytes) =>
			cut(asText(bytes), bytes.length * 0.7),
		),
		back: (_, after) => asItWas(after),
	},
	{
		...cutting('transferred as text without the first sector', (bytes) =>
			asText(bytes.subarray(512)),
		),
		back: (before, after) => Buffer.concat([otherThan(before.subarray(0, 512)), asItWas(after)]),
	},
];

const SINGLE: readonly Damage[] = [
	...DATA,
	...HEADER,
	...TABLES,
	...METADATA,
	...SOLID,
	...CUTS,
	...PARTS,
	...WRITES,
];

const byName = (name: string) => SINGLE.find((damage) => damage.name === name);

/** A damage of the kit, or several at once. */
export function damageNamed(...names: readonly string[]): Damage {
	return both(...names.map(byName));
}

/** Everything that the kit can do. */
export const DAMAGES: readonly Damage[] = [
	...SINGLE,
	...MOVED,
	both(byName('five flipped bits'), byName('header zeroed')),
	both(byName('four sectors of zeros'), byName('XML data zeroed')),
	both(byName('five flipped bits'), byName('five entries of the blob table zeroed')),
	both(byName('one flipped bit'), byName('blob table zeroed')),
	both(byName('four sectors of zeros'), byName('blob table zeroed')),
	both(byName('a block of 16 KiB overwritten'), byName('header and blob table zeroed')),
	both(byName('four sectors of zeros'), byName('cut inside the blob table')),
];

/** The damages that make sense for files of this kind. */
export function damagesFor(traits: Traits): Damage[] {
	return fitting(DAMAGES, traits);
}

function fitting(damages: readonly Damage[], traits: Traits): Damage[] {
	return damages.filter(({ needs }) => needs === undefined || traits[needs]);
}

/** Pairs of different damages that make sense for files of this kind, by chance; a pair may come twice. */
export function randomPairs(traits: Traits, count: number, random: () => number): Damage[] {
	const damages = fitting(SINGLE, traits);
	return Array.from({ length: count }, () => {
		const first = Math.floor(random() * damages.length);
		const step = 1 + Math.floor(random() * (damages.length - 1));
		return both(damages[first], damages[(first + step) % damages.length]);
	});
}
