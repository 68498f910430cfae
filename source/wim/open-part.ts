/** Opens one part: header, XML data, blob table; nothing else is read (wim.md §1 to §3). */
import { FormatError, UnsupportedError, WimError } from '../base/errors.ts';
import { BLOB_TABLE_SIZE_MAX, XML_SIZE_MAX } from '../base/limits.ts';
import { formatHex, plural } from '../base/print.ts';
import { inSlices, nextTurn } from '../base/slices.ts';
import { Span } from '../bytes/span.ts';
import { parseSolidHeader, SolidHeader, type SolidShape } from '../codec/chunk-table.ts';
import type { Compression } from '../codec/compression.ts';
import { readExactly } from '../storage/read.ts';
import type { Source } from '../storage/source.ts';
import { BLOB_ENTRY_SIZE, BlobEntries } from './blob-entries.ts';
import { type BlobTable, placingSteps } from './blob-table.ts';
import {
	checkPartHeader,
	compressionOf,
	HEADER_SIZE,
	HeaderFlag,
	isPipable,
	type PartHeader,
	parsePartHeader,
	ResourceFlag,
	type ResourceHeader,
} from './part-header.ts';
import { readWholeResource } from './read-resource.ts';
import type { Part, Resource } from './resource.ts';
import type { Warning } from './warning.ts';
import { XmlData } from './xml-data.ts';

export interface OpenPart extends Part {
	readonly compression: Compression;
	readonly chunkSize: number;
	readonly table: BlobTable;
	/** As stored, before anything is ignored. */
	readonly entries: BlobEntries;
	/** Null when it cannot be read and `tolerant` was asked for. */
	readonly xml: XmlData | null;
	readonly warnings: readonly Warning[];
	/** What stands in the way of writing, or would have stopped a strict opening. */
	readonly faults: readonly WimError[];
}

/** Entries that are looked at between two pauses: a few ms. */
const STEP = 2048;

const SALVAGE = 'Try "wimdeck salvage" to get back what is left.';

/** Reads the header that counts: in pipable files the one at the end. */
export async function readPartHeader(source: Source): Promise<PartHeader> {
	const size = Math.min(HEADER_SIZE, source.size);
	const bytes = new Uint8Array(size);
	await source.read(0, bytes);
	const first = parsePartHeader(new Span(bytes, source.name));
	if (!isPipable(first)) return first;
	const at = source.size - HEADER_SIZE;
	const tail = await readExactly(source, at, HEADER_SIZE, 'trailing header of the pipable file');
	if (tail.view.getBigUint64(0, true) !== first.magic)
		throw tail
			.error(
				0,
				`Cannot open "${source.name}": the trailing header is missing, the file is cut short`,
			)
			.note({ hint: SALVAGE });
	const last = parsePartHeader(tail);
	if (!last.guid.every((byte, k) => byte === first.guid[k]))
		throw tail
			.error(0, `Cannot open "${source.name}": the two headers have different GUIDs`)
			.note({ hint: SALVAGE });
	return last;
}

/**
 * Opens one part. The caller keeps the source and disposes of it.
 *
 * @param tolerant goes on where a strict opening stops, as long as header and blob table are usable
 * @param onHeader called when the header is known; what it does comes first
 * @throws {FormatError | UnsupportedError}
 */
export async function openPart(
	source: Source,
	tolerant = false,
	onHeader: (part: Part) => Promise<void> | void = () => {},
): Promise<OpenPart> {
	const header = await readPartHeader(source);
	checkPartHeader(header, source.name, source.size);
	const part: Part = { source, header, pipable: isPipable(header) };
	const compression = compressionOf(header, source.name);
	const chunkSize = compression === 'none' ? 0 : header.chunkSize;
	// They come while whoever asked for the header goes to work with it.
	const xmlBytes = readTable(part, header.xml, compression, XML_DATA);
	const tableBytes = readTable(part, header.blobTable, compression, BLOB_TABLE);
	for (const bytes of [xmlBytes, tableBytes]) bytes.catch(() => {});
	try {
		await onHeader(part);
	} finally {
		// Nobody closes the file under them.
		await Promise.allSettled([xmlBytes, tableBytes]);
	}
	const warnings: Warning[] = [];
	const faults: WimError[] = [];
	const warn = (message: string, offset: number | null) =>
		warnings.push({ message, region: source.name, offset });
	const survive = async <T>(action: () => Promise<T>): Promise<T | null> => {
		try {
			return await action();
		} catch (error) {
			if (!tolerant || !(error instanceof WimError)) throw error;
			faults.push(error);
			warn(error.message, error.facts.offset ?? null);
			return null;
		}
	};
	if (header.flags & HeaderFlag.writeInProgress)
		warn('A modification of this file is running or was interrupted', 0x10);
	const xml = await survive(() => parseXml(part, xmlBytes));
	if (xml?.isEncrypted)
		throw new UnsupportedError(`Cannot open "${source.name}": it is an encrypted ESD`, {
			path: source.name,
			hint: 'Decrypt it with the product that made it; the key is not in the file.',
		});
	const entries = (await survive(() => parseEntries(part, tableBytes, warn))) ?? BlobEntries.NONE;
	await nextTurn();
	const shapes = await readSolidShapes(part, entries);
	await nextTurn();
	for (const shape of shapes.values())
		if (shape instanceof FormatError) {
			if (!tolerant) throw shape.note({ path: source.name, hint: SALVAGE });
			faults.push(shape);
		}
	const table = await inSlices(placingSteps(part, entries, { compression, chunkSize }, shapes));
	warnings.push(...table.warnings);
	return {
		...part,
		compression,
		chunkSize,
		table,
		entries,
		xml,
		warnings,
		faults,
	};
}

/** The table or the XML data as a resource, which may be compressed though no writer does it. */
function tableResource(part: Part, header: ResourceHeader, compression: Compression): Resource {
	const compressed = (header.flags & ResourceFlag.compressed) !== 0;
	return {
		part,
		offset: header.offset,
		storedSize: compressed ? header.storedSize : header.originalSize,
		originalSize: header.originalSize,
		layout: !compressed ? 'raw' : part.pipable ? 'pipable' : 'chunked',
		compression: compressed ? compression : 'none',
		chunkSize: compressed ? part.header.chunkSize : 0,
		flags: header.flags,
	};
}

/** What is read of a part when it is opened. */
interface Table {
	readonly what: string;
	/** In bytes. */
	readonly sizeMax: number;
}

const XML_DATA: Table = { what: 'XML data', sizeMax: XML_SIZE_MAX };
const BLOB_TABLE: Table = { what: 'blob table', sizeMax: BLOB_TABLE_SIZE_MAX };

/** @throws {FormatError} when it lies behind the end of the file: a download that broke off */
async function readTable(
	part: Part,
	header: ResourceHeader,
	compression: Compression,
	{ what, sizeMax }: Table,
): Promise<Uint8Array> {
	const { source } = part;
	const { offset, storedSize } = header;
	if (offset + storedSize > source.size)
		throw new FormatError(
			`Cannot open "${source.name}": the file is cut short, its ${what} at ${formatHex(offset)} (${plural(storedSize, 'byte')}) does not lie inside its ${plural(source.size, 'byte')}`,
			{ region: source.name, offset },
		);
	return readWholeResource(tableResource(part, header, compression), sizeMax);
}

/** Says of what fails where it is, and what can be done. */
async function within<T>({ source }: Part, action: () => Promise<T>): Promise<T> {
	try {
		return await action();
	} catch (error) {
		throw error instanceof WimError ? error.note({ path: source.name, hint: SALVAGE }) : error;
	}
}

function parseXml(part: Part, bytes: Promise<Uint8Array>): Promise<XmlData> {
	return within(part, async () =>
		XmlData.parse(new Span(await bytes, part.source.name, part.header.xml.offset)),
	);
}

function parseEntries(
	part: Part,
	reading: Promise<Uint8Array>,
	warn: (message: string, offset: number) => void,
): Promise<BlobEntries> {
	const { offset } = part.header.blobTable;
	return within(part, async () => {
		const bytes = await reading;
		const rest = bytes.length % BLOB_ENTRY_SIZE;
		if (rest !== 0)
			warn(
				`The blob table ends inside an entry: ${plural(rest, 'byte')} ignored`,
				offset + bytes.length - rest,
			);
		return BlobEntries.parse(new Span(bytes, part.source.name, offset));
	});
}

async function readSolidShapes(
	part: Part,
	entries: BlobEntries,
): Promise<Map<number, SolidShape | FormatError>> {
	const shapes = new Map<number, SolidShape | FormatError>();
	for (let k = 0; k < entries.length; k++) {
		if (k % STEP === STEP - 1) await nextTurn();
		if (!entries.isSolidResource(k)) continue;
		const { offset, storedSize } = entries.get(k);
		try {
			if (!(offset >= HEADER_SIZE && offset + storedSize <= part.source.size))
				throw new FormatError('Cannot read solid resource: it does not lie inside the file', {
					region: part.source.name,
					offset,
				});
			const span = await readExactly(
				part.source,
				offset,
				SolidHeader.size,
				'solid resource header',
			);
			shapes.set(offset, parseSolidHeader(span, storedSize));
		} catch (error) {
			if (!(error instanceof FormatError)) throw error;
			shapes.set(offset, error);
		}
	}
	return shapes;
}
