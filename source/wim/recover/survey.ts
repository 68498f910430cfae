/**
 * Finds out what is left of a damaged part: header fields, copies of the XML data, blob tables of all generations. Reads the
 * whole file only when what the header leads to is not good (wim.md §13.1 to §13.4 A, §13.11).
 */
import { FormatError, WimError } from '../../base/errors.ts';
import { BLOB_TABLE_SIZE_MAX, XML_SIZE_MAX } from '../../base/limits.ts';
import { formatHex, plural } from '../../base/print.ts';
import { breathe, type Run } from '../../base/run.ts';
import { Span } from '../../bytes/span.ts';
import { readExactly } from '../../storage/read.ts';
import type { Source } from '../../storage/source.ts';
import { BLOB_ENTRY_SIZE, type BlobEntry, parseBlobEntries } from '../blob-entries.ts';
import {
	HEADER_SIZE,
	HeaderFlag,
	MAGIC_PIPABLE,
	ResourceFlag,
	type ResourceHeader,
} from '../part-header.ts';
import { XmlData } from '../xml-data.ts';
import {
	type FoundTable,
	findTableBefore,
	findTables,
	greatestEnd,
	isEntry,
} from './find-tables.ts';
import {
	type FoundXml,
	findImageElements,
	findXmlStarts,
	readImageElements,
	XmlReader,
} from './find-xml.ts';
import { isProved } from './prove-table.ts';
import { type HeaderFields, readBothHeaders } from './recover-header.ts';
import { PIPE_HEADER_SIZE, PIPE_MAGIC } from './walk-pipable.ts';

/** A consistent state of the file: the current one, or one that an append left behind. */
export interface Generation {
	readonly table: FoundTable;
	/** That follows the table; null when there is none. */
	readonly xml: FoundXml | null;
}

export interface PartSurvey {
	readonly source: Source;
	readonly header: HeaderFields;
	readonly isPipable: boolean;
	/** Newest first. */
	readonly generations: readonly Generation[];
	/** Copies of the XML data without a table. */
	readonly xmls: readonly FoundXml[];
	/** What was wrong, and what was used instead: sentences without a final stop. */
	readonly findings: readonly string[];
	/** True when every byte of the file was looked at. */
	readonly isScanned: boolean;
	/** False when the first generation may not be the last that was written. */
	readonly isNewestKnown: boolean;
}

/** Behind the first header stands the header of a pipable resource, that of the XML data. */
async function beginsPipable(source: Source): Promise<boolean> {
	const bytes = new Uint8Array(PIPE_MAGIC.length);
	const got = source.size > HEADER_SIZE ? await source.read(HEADER_SIZE, bytes) : 0;
	return got === bytes.length && PIPE_MAGIC.every((byte, k) => bytes[k] === byte);
}

/** A hole of this many bytes inside a table is bridged: two sectors of 4 KiB. */
const JOIN_DISTANCE_MAX = 8192;

/** Bytes that are looked through at a time: some 10 ms, twice that with cold code. */
const WINDOW_SIZE = 2 << 20;
/** A table or XML data that begins in a window may reach this far behind it. */
const OVERLAP = BLOB_ENTRY_SIZE * 2;

/**
 * Surveys one part.
 *
 * @param scanAll looks for older generations even when the current one is good
 */
export async function surveyPart(source: Source, scanAll: boolean, run: Run): Promise<PartSurvey> {
	const findings: string[] = [];
	const { first, last } = await readBothHeaders(source);
	const isPipable =
		first.magic === MAGIC_PIPABLE ||
		last !== null ||
		(first.magic === null && (await beginsPipable(source)));
	const header = isPipable && last !== null ? last : first;
	noteHeader(header, isPipable && last === null, source.size, findings);
	const current = await currentGeneration(source, header, isPipable, findings);
	const isGood = current !== null && current.xml !== null && current.table.brokenCount === 0;
	// A write that was killed leaves the old header; without its flag only the bytes behind the end tell.
	const isFollowedBy = async (one: Generation | null) =>
		one !== null && !isPipable && (await hasBytesBehind(one, header, source, run));
	let isFollowed = await isFollowedBy(current);
	const isInterrupted = isFollowed || ((header.flags ?? 0) & HeaderFlag.writeInProgress) !== 0;
	if (isGood && !scanAll && !isInterrupted)
		return {
			source,
			header,
			isPipable,
			generations: [current],
			xmls: [],
			findings,
			isScanned: false,
			isNewestKnown: true,
		};
	run.report({ type: 'phase', phase: 'search', totalBytes: source.size });
	const found = await scan(source, isPipable, run);
	const place = { source, header, isPipable };
	const generations: Generation[] = [];
	for (const one of pair(found, isPipable, source))
		if (one.xml !== null || (await isProved(place, one.table, run))) generations.push(one);
	const others = generations.filter(
		({ table }) => current === null || !overlaps(table, current.table),
	);
	const xml = generations.find(({ table }) => table.end === current?.table.end)?.xml ?? null;
	const all = current === null ? others : [{ ...current, xml: current.xml ?? xml }, ...others];
	if (current !== null && current.xml === null)
		isFollowed = await isFollowedBy({ ...current, xml });
	const isForward =
		(isInterrupted || isFollowed) && current !== null ? rollForward(all, current, findings) : false;
	const used = new Set(all.map(({ xml }) => xml?.offset));
	const xmls = found.xmls.filter(({ offset }) => !used.has(offset));
	if (current === null)
		findings.push(
			all.length > 0
				? `The blob table was found at ${formatHex(all[0]?.table.offset ?? 0)} by searching`
				: 'No blob table was found',
		);
	return {
		source,
		header,
		isPipable,
		generations: all,
		xmls,
		findings,
		isScanned: true,
		isNewestKnown:
			(current !== null && (isForward || !isFollowed)) ||
			isLast(all[0], xmls, source.size) ||
			(await isCutBehind(all[0], header, source)),
	};
}

/** Of an integrity table of a file of this size, and a trailing header. */
function integritySizeMax(size: number): number {
	return 12 + 20 * Math.ceil(size / INTEGRITY_STRETCH) + HEADER_SIZE;
}

/** Behind the last generation stands nothing but an integrity table. */
function isLast(newest: Generation | undefined, xmls: readonly FoundXml[], size: number): boolean {
	if (newest === undefined || newest.xml === null) return false;
	const end = newest.xml.offset + newest.xml.size;
	return size - end <= integritySizeMax(size) && xmls.every(({ offset }) => offset < end);
}

/** The file ends inside this table or in its XML data, and the header, if it tells, means this one. */
async function isCutBehind(
	newest: Generation | undefined,
	{ blobTableOffset, imageCount, part }: HeaderFields,
	source: Source,
): Promise<boolean> {
	if (newest === undefined || newest.xml !== null) return false;
	const { offset, end, entries } = newest.table;
	if (blobTableOffset !== 0 && blobTableOffset !== offset) return false;
	const images = entries.filter(({ flags }) => (flags & ResourceFlag.metadata) !== 0).length;
	if ((part?.number ?? 1) === 1 && images < (imageCount ?? 1)) return false;
	const left = source.size - end;
	if (left < BLOB_ENTRY_SIZE) return true;
	if (left > XML_SIZE_MAX) return false;
	const { view } = await readExactly(source, end, left, 'XML data');
	return isTextToTheEnd(view);
}

/** XML data without its end, perhaps behind the header of a pipable resource. */
function isTextToTheEnd(view: DataView): boolean {
	const mark = [0, PIPE_HEADER_SIZE].find(
		(at) => at + 4 <= view.byteLength && view.getUint32(at, true) === XML_START,
	);
	if (mark === undefined) return view.byteLength <= PIPE_HEADER_SIZE;
	for (let at = mark; at + 2 <= view.byteLength; at += 2)
		if (view.getUint16(at, true) === 0) return false;
	return true;
}

/** A byte order mark and `<`. */
const XML_START = 0x003c_feff;

/** Bytes that one SHA-1 of an integrity table covers. */
const INTEGRITY_STRETCH = 10 << 20;

/** A write that ended before the header was switched over left a complete newer generation: that one counts. */
function rollForward(all: Generation[], current: Generation, findings: string[]): boolean {
	findings.push('A modification of the file was interrupted');
	const newer = all.findIndex(
		({ table, xml }) =>
			table.offset > current.table.offset &&
			xml !== null &&
			xml.isWhole &&
			xml.xml.totalBytes === xml.offset,
	);
	if (newer < 0) return false;
	all.unshift(...all.splice(newer, 1));
	findings.push('It was complete but for the header: what it wrote is used');
	return true;
}

/** Something follows the last structure of the file: a later write that never reached its header. */
async function hasBytesBehind(
	{ table, xml }: Generation,
	{ integrity }: HeaderFields,
	source: Source,
	run: Run,
): Promise<boolean> {
	if (xml === null) return false;
	const integrityEnd = integrity === null ? 0 : integrity.offset + integrity.storedSize;
	let at = Math.max(table.end, xml.offset + xml.size, integrityEnd);
	// An integrity table that the header does not name any more is none, and neither is padding, as of a device.
	if (source.size - at <= integritySizeMax(source.size)) return false;
	const window = new Uint8Array(WINDOW_SIZE);
	for (; at < source.size; at += window.length) {
		await breathe(run);
		const bytes = window.subarray(0, Math.min(window.length, source.size - at));
		const got = await source.read(at, bytes);
		if (bytes.subarray(0, got).some((byte) => byte !== 0)) return true;
		if (got === 0) return false;
	}
	return false;
}

function overlaps(a: FoundTable, b: FoundTable): boolean {
	return a.offset < b.end && b.offset < a.end;
}

/** Fields of the header as people call them. */
const FIELDS = {
	magic: 'magic',
	version: 'version',
	flags: 'flags',
	chunkSize: 'chunk size',
	part: 'part numbers',
	blobTable: 'place of the blob table',
	xml: 'place of the XML data',
	integrity: 'place of the integrity table',
} as const;

function noteHeader(
	header: HeaderFields,
	isCutPipable: boolean,
	size: number,
	findings: string[],
): void {
	if (isCutPipable) findings.push('The trailing header of the pipable file is missing');
	const { endOfCut } = header;
	if (endOfCut > 0)
		findings.push(
			`The file is cut short: by its header it has ${endOfCut} bytes at least, ${endOfCut - size} are missing`,
		);
	const places = ['blobTable', 'xml', 'integrity'];
	const fields = Object.keys(FIELDS) as (keyof typeof FIELDS)[];
	const broken = fields
		.filter((field) => header[field] === null && !(endOfCut > 0 && places.includes(field)))
		.map((field) => FIELDS[field]);
	if (broken.length > 0) findings.push(`The header is damaged: ${broken.join(', ')}`);
}

/** What the header leads to, with the entries of the table that are good; null when nothing of the table is left. */
async function currentGeneration(
	source: Source,
	header: HeaderFields,
	isPipable: boolean,
	findings: string[],
): Promise<Generation | null> {
	const { blobTable } = header;
	const table =
		blobTable === null || blobTable.offset === 0
			? null
			: await tableAt(source, blobTable, isPipable, findings);
	const xml = header.xml === null ? null : await xmlAt(source, header.xml, findings);
	if (table === null && xml !== null && blobTable === null) {
		const before = await tableBefore(source, xml.offset - (isPipable ? 40 : 0), isPipable);
		if (before !== null) {
			findings.push(`The blob table was found at ${formatHex(before.offset)}, before the XML data`);
			return { table: before, xml };
		}
	}
	return table === null ? null : { table, xml };
}

async function tableAt(
	source: Source,
	place: ResourceHeader,
	isPipable: boolean,
	findings: string[],
): Promise<FoundTable | null> {
	if (place.originalSize === 0 || place.originalSize > BLOB_TABLE_SIZE_MAX) return null;
	const span = await readExactly(source, place.offset, place.storedSize, 'blob table');
	const all = parseBlobEntries(new Span(span.bytes, source.name, place.offset));
	const entries: BlobEntry[] = [];
	for (const entry of all)
		if (isEntry(span.bytes, span.view, entry.at, Number.MAX_SAFE_INTEGER, isPipable))
			entries.push({ ...entry, at: place.offset + entry.at });
	const brokenCount = all.length - entries.length;
	if (brokenCount > 0)
		findings.push(
			`${plural(brokenCount, 'entry', 'entries')} of the blob table ${brokenCount === 1 ? 'is' : 'are'} damaged`,
		);
	if (entries.length === 0) return null;
	return {
		offset: place.offset,
		end: place.offset + place.storedSize,
		entries,
		brokenCount,
		greatestEnd: greatestEnd(entries),
	};
}

async function xmlAt(
	source: Source,
	place: ResourceHeader,
	findings: string[],
): Promise<FoundXml | null> {
	if (place.offset === 0 || place.storedSize > XML_SIZE_MAX) return null;
	const { bytes } = await readExactly(source, place.offset, place.storedSize, 'XML data');
	try {
		const xml = await XmlData.parse(new Span(bytes, source.name, place.offset));
		return { offset: place.offset, size: place.storedSize, xml, isWhole: true };
	} catch (error) {
		if (!(error instanceof WimError)) throw error;
		findings.push(`The XML data is damaged: ${error.message}`);
		return null;
	}
}

async function tableBefore(
	source: Source,
	end: number,
	isPipable: boolean,
): Promise<FoundTable | null> {
	const start = Math.max(HEADER_SIZE, end - BLOB_TABLE_SIZE_MAX / 16);
	if (end <= start) return null;
	const { bytes } = await readExactly(source, start, end - start, 'blob table');
	return findTableBefore(bytes, start, isPipable, source.name);
}

interface Found {
	readonly tables: readonly FoundTable[];
	readonly xmls: readonly FoundXml[];
}

/** Looks at every byte of the file. */
async function scan(source: Source, isPipable: boolean, run: Run): Promise<Found> {
	const tables: FoundTable[] = [];
	const xmls: FoundXml[] = [];
	let imageElements: number | null = null;
	const reader = new XmlReader(source);
	let xmlEnd = 0;
	let at = 0;
	while (at < source.size) {
		const next = behindHole(source, at);
		if (next > at) {
			run.report({ type: 'advance', bytes: next - at });
			at = next;
			continue;
		}
		const bytes = new Uint8Array(Math.min(WINDOW_SIZE + OVERLAP, source.size - at));
		await source.read(at, bytes);
		for (const start of findXmlStarts(bytes, at)) {
			if (start < xmlEnd) continue;
			const found = await reader.at(start);
			await breathe(run);
			if (found === null) {
				imageElements ??= start;
				continue;
			}
			xmls.push(found);
			xmlEnd = start + found.size;
		}
		for (const start of findImageElements(bytes, at)) if (start >= xmlEnd) imageElements ??= start;
		const covered = tables.at(-1)?.end ?? 0;
		const skip = Math.max(0, covered - at);
		for (const table of findTables(bytes.subarray(skip), at + skip, isPipable, source.name)) {
			if (table.offset < (tables.at(-1)?.end ?? 0)) continue;
			const reachesEnd = table.end + BLOB_ENTRY_SIZE * 8 > at + bytes.length;
			tables.push(reachesEnd ? await wholeTable(source, table, isPipable) : table);
		}
		const size = Math.min(WINDOW_SIZE, source.size - at);
		run.report({ type: 'advance', bytes: size });
		at += size;
		await breathe(run);
	}
	if (imageElements !== null) {
		const kept = await readImageElements(
			await stretch(source, imageElements, XML_SIZE_MAX),
			imageElements,
		);
		if (kept !== null) xmls.push(kept);
	}
	return { tables, xmls };
}

/** Where a hole ends that an offset lies in: however large it is, nothing begins in it. Else the offset itself. */
function behindHole({ holes = [] }: Source, offset: number): number {
	return holes.find(({ start, end }) => start <= offset && offset < end)?.end ?? offset;
}

async function stretch(source: Source, offset: number, limit: number): Promise<Uint8Array> {
	const bytes = new Uint8Array(Math.min(limit, source.size - offset));
	await source.read(offset, bytes);
	return bytes;
}

async function wholeTable(
	source: Source,
	table: FoundTable,
	isPipable: boolean,
): Promise<FoundTable> {
	const bytes = await stretch(source, table.offset, BLOB_TABLE_SIZE_MAX / 8);
	const [whole = table] = findTables(bytes, table.offset, isPipable, source.name);
	return whole;
}

/** Runs of entries a few broken entries apart are one table (wim.md §13.4 A). */
function joinRuns(tables: readonly FoundTable[]): FoundTable[] {
	const joined: FoundTable[] = [];
	for (const table of tables) {
		const before = joined.at(-1);
		const distance = before === undefined ? -1 : table.offset - before.end;
		const isSame =
			distance >= 0 && distance % BLOB_ENTRY_SIZE === 0 && distance <= JOIN_DISTANCE_MAX;
		if (before === undefined || !isSame) {
			joined.push(table);
			continue;
		}
		joined[joined.length - 1] = {
			offset: before.offset,
			end: table.end,
			entries: [...before.entries, ...table.entries],
			brokenCount: before.brokenCount + table.brokenCount + distance / BLOB_ENTRY_SIZE,
			greatestEnd: Math.max(before.greatestEnd, table.greatestEnd),
		};
	}
	return joined;
}

/** Tables with the XML data behind them, newest first; those of WIMs stored inside this one last (wim.md §13.11). */
function pair(found: Found, isPipable: boolean, source: Source): Generation[] {
	const gap = isPipable ? 40 : 0;
	const generations = joinRuns(found.tables).map((table) => ({
		table,
		xml:
			found.xmls.find(
				({ offset }) => offset >= table.end && offset - table.end <= gap + 4 * BLOB_ENTRY_SIZE,
			) ?? null,
	}));
	const isOwn = ({ table, xml }: Generation): boolean => {
		if (table.greatestEnd > source.size) return false;
		if (xml !== null && xml.xml.totalBytes !== null)
			return xml.xml.totalBytes === xml.offset || xml.xml.totalBytes === xml.offset - gap;
		return table.greatestEnd === table.offset || table.greatestEnd === table.offset - gap;
	};
	const newestFirst = (a: Generation, b: Generation) => b.table.offset - a.table.offset;
	return [
		...generations.filter(isOwn).sort(newestFirst),
		...generations.filter((generation) => !isOwn(generation)).sort(newestFirst),
	];
}

/** For messages: what a part without anything usable is. */
export function nothingLeft(name: string, header: HeaderFields | undefined): FormatError {
	const isEmpty =
		header !== undefined &&
		header.magic !== null &&
		header.imageCount === 0 &&
		header.blobTable?.storedSize === 0;
	return new FormatError(
		isEmpty
			? `Nothing can be recovered from "${name}": by its header it holds no images, and none were found`
			: `Nothing can be recovered from "${name}": no table and no image were found`,
		{
			path: name,
			hint: isEmpty
				? 'An empty WIM has nothing to lose. If it should hold images, look for another copy.'
				: 'Check that this is the right file.',
		},
	);
}
