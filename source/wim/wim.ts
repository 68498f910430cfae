/**
 * An open WIM: one file, or a part set, with the files it refers to. Opening reads headers, XML data and blob tables
 * and nothing else; metadata is read when an image is opened.
 */
import { FormatError, InputError, MissingError, WimError } from '../base/errors.ts';
import { plural } from '../base/print.ts';
import type { Sha1 } from '../bytes/sha1.ts';
import type { Compression } from '../codec/compression.ts';
import { FileSource } from '../storage/file-source.ts';
import { findFiles, firstPartName, isFile, partName } from '../storage/find-files.ts';
import { readExactly } from '../storage/read.ts';
import type { Source } from '../storage/source.ts';
import { type IntegrityTable, parseIntegrityTable } from './integrity-table.ts';
import { type OpenPart, openPart, readPartHeader } from './open-part.ts';
import { PartBlobs, SetBlobs } from './part-blobs.ts';
import { HeaderFlag, type PartHeader } from './part-header.ts';
import type { Blob, Part } from './resource.ts';
import type { Warning } from './warning.ts';
import { type ImageFacts, XmlData } from './xml-data.ts';

/** One image of a WIM, not yet parsed. */
export interface WimImage {
	/** From 1. */
	readonly index: number;
	readonly metadata: Blob;
	readonly facts: ImageFacts;
}

/** How a WIM is opened. */
export interface OpenOptions {
	/** Patterns of further files: parts of the same set, or WIMs that hold blobs which this one lacks. */
	readonly references: readonly string[];
	/** Goes on where a strict opening stops; what was wrong stands in `faults`. */
	readonly tolerant: boolean;
	/** Called when the header of the file itself is known; tables are read when it is done. */
	readonly onHeader: (part: Part) => Promise<void> | void;
}

/** Whether a user means every image: `all`, in any case, or `*`. */
export function isEveryImage(designation: string | null): boolean {
	return designation !== null && (designation === '*' || designation.toLowerCase() === 'all');
}

/** An open WIM; disposing closes its files. */
export class Wim implements AsyncDisposable {
	/** As given by the user. */
	readonly name: string;
	/** Of the same set, by part number; a part may be absent. */
	readonly parts: readonly OpenPart[];
	/** Files outside the set that only lend blobs. */
	readonly references: readonly OpenPart[];
	readonly images: readonly WimImage[];
	/** All blobs of all parts and references; the first one found counts. */
	readonly blobs: ReadonlyMap<Sha1, Blob>;
	readonly xml: XmlData;
	/** 0 = none. */
	readonly bootIndex: number;
	readonly warnings: readonly Warning[];
	/** What a strict opening would have refused, or what the header, XML and tables contradict each other in. */
	readonly faults: readonly WimError[];
	/** Numbers of the parts of the set that were not found. */
	readonly missingParts: readonly number[];

	/** Use `openWim`. */
	constructor(
		name: string,
		parts: readonly OpenPart[],
		references: readonly OpenPart[],
		notes: readonly Warning[] = [],
	) {
		const [first] = parts;
		if (first === undefined) throw new InputError(`Cannot open "${name}": no part was given`);
		const warnings = [...notes, ...[...parts, ...references].flatMap((part) => part.warnings)];
		this.name = name;
		this.parts = parts;
		this.references = references;
		this.faults = [...parts, ...references].flatMap((part) => part.faults);
		this.blobs = mergeBlobs([...parts, ...references]);
		const numbers = new Set(parts.map(({ header }) => header.partNumber));
		this.missingParts = Array.from({ length: first.header.partCount }, (_, k) => k + 1).filter(
			(number) => !numbers.has(number),
		);
		const own = first.header.partNumber === 1 ? first.table.metadata : [];
		const warn = (message: string) =>
			warnings.push({ message, region: first.source.name, offset: null });
		const count = first.header.imageCount;
		if (own.length < count && first.header.partNumber === 1)
			warn(`The header counts ${plural(count, 'image')}, there is metadata for ${own.length}`);
		if (own.length > count)
			warn(`There is metadata for ${plural(own.length, 'image')}, the header counts ${count}`);
		const metadata = own.slice(0, count);
		this.xml = first.xml ?? XmlData.create(metadata.length);
		if (first.xml !== null && this.xml.imageCount !== count)
			warn(
				`The XML data describes ${plural(this.xml.imageCount, 'image')}, the header counts ${count}`,
			);
		this.images = metadata.map((blob, k) => ({
			index: k + 1,
			metadata: blob,
			facts: this.xml.facts(k + 1),
		}));
		const { bootIndex } = first.header;
		if (bootIndex > count)
			warn(`Boot index ${bootIndex} is ignored: there are only ${count} images`);
		this.bootIndex = bootIndex > count ? 0 : bootIndex;
		this.warnings = warnings;
	}

	/** The first part that is present; part 1 unless it is missing. */
	get first(): OpenPart {
		const [first] = this.parts;
		if (first === undefined) throw new Error('A WIM has at least one part');
		return first;
	}

	get header(): PartHeader {
		return this.first.header;
	}

	get compression(): Compression {
		return this.first.compression;
	}

	/** 0 when nothing is compressed. */
	get chunkSize(): number {
		return this.first.chunkSize;
	}

	get isPipable(): boolean {
		return this.first.pipable;
	}

	/** Absolute link targets were made relative to the image root. */
	get hasRpFix(): boolean {
		return (this.header.flags & HeaderFlag.rpFix) !== 0;
	}

	/** True when some blob table lists solid resources. */
	get isSolid(): boolean {
		return this.parts.some((part) => part.table.resources.hasSolid);
	}

	/** Of all parts, in bytes. */
	get size(): number {
		return this.parts.reduce((sum, part) => sum + part.source.size, 0);
	}

	/**
	 * The image that a user means: an index, a name, or a description, when it is unique. Names are compared exactly
	 * first, then without case.
	 *
	 * @throws {InputError} when there is none, or more than one
	 */
	image(designation: string | number): WimImage {
		const text = String(designation);
		if (/^[0-9]+$/.test(text)) {
			const image = this.images[Number(text) - 1];
			if (image !== undefined) return image;
			if (typeof designation === 'number') throw this.noSuchImage(text);
		}
		const lower = text.toLowerCase();
		const tests: ((facts: ImageFacts) => boolean)[] = [
			(facts) => facts.name === text,
			(facts) => facts.name.toLowerCase() === lower,
			(facts) => facts.description === text,
			(facts) => facts.description.toLowerCase() === lower,
		];
		for (const test of text === '' ? [] : tests) {
			const [found, second] = this.images.filter(({ facts }) => test(facts));
			if (second !== undefined && found !== undefined)
				throw new InputError(
					`Cannot choose image "${text}" of "${this.name}": images ${found.index} and ${second.index} are both called that`,
					{
						path: this.name,
						hint: 'Name it by its index.',
					},
				);
			if (found !== undefined) return found;
		}
		throw this.noSuchImage(text);
	}

	/**
	 * The image that is meant when none is named: the only one.
	 *
	 * @param others what else can be said where there are several
	 * @throws {InputError} when there is none, or more than one
	 */
	onlyImage(others = '', hint = `Run wimdeck info "${this.name}" to list the images.`): WimImage {
		const [only, second] = this.images;
		if (only !== undefined && second === undefined) return only;
		// Without part 1 there is none, which is told.
		if (only === undefined && this.header.partNumber !== 1) throw this.noSuchImage('1');
		if (only === undefined)
			throw new InputError(`"${this.name}" holds no images`, {
				path: this.name,
				hint: 'Run wimdeck append to add one.',
			});
		throw new InputError(`"${this.name}" holds ${this.images.length} images: name one${others}`, {
			path: this.name,
			hint,
		});
	}

	private noSuchImage(text: string): InputError {
		const count = this.images.length;
		if (this.header.partNumber !== 1)
			return new InputError(
				`Cannot choose image "${text}" of "${this.name}": part 1 of the set, which holds the images, is not there`,
				{
					path: this.name,
					hint: `Name part 1, or pass it with --ref.`,
				},
			);
		return new InputError(
			`Cannot choose image "${text}" of "${this.name}": there is no such image`,
			{
				path: this.name,
				hint:
					count === 0
						? 'The file holds no images.'
						: count === 1
							? 'The file holds one image only, which is 1.'
							: `Name one of the images 1 to ${count}; "wimdeck info" lists them.`,
			},
		);
	}

	/**
	 * The blob of a nonempty stream.
	 *
	 * @throws {MissingError} when no table lists it
	 */
	blob(sha1: Sha1): Blob {
		const blob = this.blobs.get(sha1);
		if (blob !== undefined) return blob;
		throw this.missingBlob(sha1);
	}

	/** Why a blob is not there, with what to do about it. */
	missingBlob(sha1: Sha1): MissingError {
		const parts = this.missingParts;
		return new MissingError(`Cannot read blob ${sha1}: it is not in "${this.name}"`, {
			path: this.name,
			hint:
				parts.length > 0
					? `Pass ${parts.length === 1 ? `part ${parts[0]}` : `parts ${parts.join(', ')}`} of the set with --ref="GLOB".`
					: 'If this is a delta WIM, pass its base with --ref=FILE.',
		});
	}

	/**
	 * The integrity table of a part; null when it has none.
	 *
	 * @throws {FormatError} when the table is broken
	 */
	async integrityTable(part: OpenPart): Promise<IntegrityTable | null> {
		const { integrity, blobTable } = part.header;
		if (integrity.offset === 0 || integrity.storedSize === 0) return null;
		const { offset, storedSize } = integrity;
		const span = await readExactly(part.source, offset, storedSize, 'integrity table');
		return parseIntegrityTable(span, blobTable.offset + blobTable.storedSize);
	}

	async [Symbol.asyncDispose](): Promise<void> {
		for (const part of [...this.parts, ...this.references])
			await part.source[Symbol.asyncDispose]();
	}
}

function mergeBlobs(parts: readonly OpenPart[]): ReadonlyMap<Sha1, Blob> {
	const [first] = parts;
	if (parts.length === 1 && first !== undefined) return first.table.blobs;
	const columns = parts.flatMap(({ table: { blobs } }) =>
		blobs instanceof PartBlobs ? [blobs] : [],
	);
	if (columns.length === parts.length) return new SetBlobs(columns);
	const merged = new Map<Sha1, Blob>();
	for (const part of parts)
		for (const [sha1, blob] of part.table.blobs) {
			const known = merged.get(sha1);
			if (known === undefined || (known.defect !== null && blob.defect === null))
				merged.set(sha1, blob);
		}
	return merged;
}

const STRICT: OpenOptions = { references: [], tolerant: false, onHeader() {} };

/**
 * How many images a file says it has, from its header alone.
 *
 * @throws {WimError} when it cannot be read, or is no WIM
 */
export async function peekImageCount(path: string): Promise<number> {
	await using source = await FileSource.open(path);
	return (await readPartHeader(source)).imageCount;
}

/**
 * Opens a WIM: a file, or a part set by its first part, whose other parts are found by their names.
 *
 * @param from a path, or a source, which the WIM then owns
 * @throws {WimError} each way of not being a usable WIM has its own sentence
 */
export async function openWim(
	from: string | Source,
	options: Partial<OpenOptions> = {},
): Promise<Wim> {
	const { references, tolerant, onHeader } = { ...STRICT, ...options };
	const opened: OpenPart[] = [];
	const add = async (source: Source, onPart?: OpenOptions['onHeader']): Promise<OpenPart> => {
		try {
			const part = await openPart(source, tolerant, onPart);
			opened.push(part);
			return part;
		} catch (error) {
			await source[Symbol.asyncDispose]();
			throw error;
		}
	};
	try {
		const file = typeof from === 'string' ? await FileSource.open(from) : from;
		const given = await add(file, onHeader);
		const name = given.source.name;
		const set = [given];
		const notes: Warning[] = [];
		if (given.header.partCount > 1 && typeof from === 'string')
			for (const sibling of await siblings(from, given.header)) {
				const source = await FileSource.open(sibling);
				if (await isOfSet(source, given)) set.push(await add(source));
				else {
					notes.push(strangerNote(sibling));
					await source[Symbol.asyncDispose]();
				}
			}
		const lenders: OpenPart[] = [];
		for (const file of await referenceFiles(references, opened)) {
			const part = await add(await FileSource.open(file));
			if (sameGuid(part, given) && part.header.partCount > 1) {
				const { partNumber } = part.header;
				if (!set.some(({ header }) => header.partNumber === partNumber)) set.push(part);
				else throw duplicatePart(name, part);
			} else {
				// A pattern such as *.swm may take in several sets; what they hold lends as any other file does.
				if (part.header.partCount > 1 && given.header.partCount > 1) notes.push(foreignNote(part));
				lenders.push(part);
			}
		}
		set.sort((a, b) => a.header.partNumber - b.header.partNumber);
		checkSet(name, set);
		return new Wim(name, set, lenders, notes);
	} catch (error) {
		for (const part of opened) await part.source[Symbol.asyncDispose]();
		throw error;
	}
}

/** Paths of the other parts that the naming convention leads to. */
async function siblings(given: string, header: PartHeader): Promise<string[]> {
	const first = firstPartName(given, header.partNumber);
	if (first === null) return [];
	const found: string[] = [];
	for (let number = 1; number <= header.partCount; number++) {
		const name = partName(first, number);
		if (number !== header.partNumber && (await isFile(name))) found.push(name);
	}
	return found;
}

/** Said of a file that only has the name of a part. */
const strangerNote = (file: string): Warning => ({
	message: `"${file}" has the name of a part of this set but is not one, and was passed over`,
	region: file,
	offset: null,
});

/** Said of a part that was given but belongs elsewhere, in case it was meant to be one of this set. */
const foreignNote = ({ source, header }: OpenPart): Warning => ({
	message: `"${source.name}" is part ${header.partNumber} of another set`,
	region: source.name,
	offset: null,
});

/** A file that only has the name of a part is passed over. */
async function isOfSet(source: Source, given: OpenPart): Promise<boolean> {
	try {
		const header = await readPartHeader(source);
		return (
			header.partCount === given.header.partCount &&
			header.partNumber !== given.header.partNumber &&
			header.guid.every((byte, k) => byte === given.header.guid[k])
		);
	} catch (error) {
		if (error instanceof WimError) return false;
		throw error;
	}
}

async function referenceFiles(
	patterns: readonly string[],
	opened: readonly OpenPart[],
): Promise<string[]> {
	const known = new Set(opened.map(({ source }) => source.name));
	const files: string[] = [];
	for (const pattern of patterns) {
		const found = await findFiles(pattern);
		if (found.length === 0)
			throw new InputError(`Cannot use --ref="${pattern}": no file matches`, {
				path: pattern,
				hint: 'Check the pattern; quote it so that the shell leaves it alone.',
			});
		for (const file of found)
			if (!known.has(file)) {
				known.add(file);
				files.push(file);
			}
	}
	return files;
}

function sameGuid(a: OpenPart, b: OpenPart): boolean {
	return a.header.guid.every((byte, k) => byte === b.header.guid[k]);
}

function duplicatePart(name: string, part: OpenPart): FormatError {
	return new FormatError(
		`Cannot open "${name}": "${part.source.name}" is part ${part.header.partNumber} of the set, which is there already`,
		{ path: part.source.name, hint: 'Pass each part once.' },
	);
}

/** wim.md §8.3. */
function checkSet(name: string, set: readonly OpenPart[]): void {
	const [first] = set;
	for (const part of set) {
		if (first === undefined || part === first) continue;
		const differs =
			part.header.partCount !== first.header.partCount
				? 'another number of parts'
				: part.compression !== first.compression || part.chunkSize !== first.chunkSize
					? 'another compression'
					: null;
		if (differs !== null)
			throw new FormatError(
				`Cannot open "${name}": "${part.source.name}" belongs to the same set, but says ${differs}`,
				{
					path: part.source.name,
					hint: 'Get all parts again from where they came.',
				},
			);
	}
}
