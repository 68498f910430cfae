/**
 * What only a reader from a pipe needs of a pipable file (wim.md §7): the leading header and XML data, the header before each
 * resource, and the size before each chunk. Everything else reads such a file without them.
 */
import { FormatError, WimError } from '../../base/errors.ts';
import { formatHex } from '../../base/print.ts';
import { breathe, type Run } from '../../base/run.ts';
import { encodeHex } from '../../bytes/hex.ts';
import { type Sha1, sha1 } from '../../bytes/sha1.ts';
import { Span } from '../../bytes/span.ts';
import { PREFIX_SIZE, storedSizeOf } from '../../codec/chunk-table.ts';
import { readExactly } from '../../storage/read.ts';
import { setTotalBytes } from '../../wim/edit-xml.ts';
import type { OpenPart } from '../../wim/open-part.ts';
import { HEADER_SIZE, PartHeader } from '../../wim/part-header.ts';
import { readChunkTable } from '../../wim/read-resource.ts';
import type { Blob } from '../../wim/resource.ts';
import { PIPABLE_MAGIC, PipableHeader } from '../../wim/write-resource.ts';
import { XmlData } from '../../wim/xml-data.ts';
import type { Range } from './verify-report.ts';

export interface PipableFault {
	readonly error: WimError;
	readonly range: Range;
	/** Of the blob whose resource it is; null for headers and tables. */
	readonly sha1: Sha1 | null;
}

/** Fields that both headers have in common. */
const COMMON = [
	'headerSize',
	'version',
	'flags',
	'chunkSize',
	'partNumber',
	'partCount',
	'imageCount',
	'bootIndex',
] as const;

/** @param isFast headers only, not the sizes before the chunks */
export async function* pipableFaults(
	part: OpenPart,
	isFast: boolean,
	run: Run,
): AsyncGenerator<PipableFault, void, undefined> {
	yield* leadingHeader(part);
	const { blobTable, xml, imageCount } = part.header;
	// Where nothing is left that a reader could want, wimlib writes no tables.
	if (imageCount === 0) return;
	yield* leadingXml(part);
	for (const [name, { offset, storedSize }] of Object.entries({ 'blob table': blobTable, xml })) {
		const span = await readExactly(part.source, offset, storedSize, name);
		const expected = { size: storedSize, sha1: sha1(span.bytes) };
		yield* resourceHeader(part, offset, expected, null);
	}
	let count = 0;
	for (const blob of allBlobs(part)) {
		if (++count % 256 === 0) await breathe(run);
		if (blob.defect !== null) continue;
		yield* resourceHeader(part, blob.resource.offset, blob, blob.sha1);
		if (!isFast && blob.resource.layout === 'pipable') yield* prefixes(part, blob, run);
	}
}

function* allBlobs({ table }: OpenPart): Generator<Blob, void, undefined> {
	yield* table.metadata;
	yield* table.blobs.values();
}

function fault(part: OpenPart, message: string, range: Range, name: Sha1 | null): PipableFault {
	const error = new FormatError(message, { path: part.source.name, offset: range.offset });
	return { error, range, sha1: name };
}

async function* leadingHeader(part: OpenPart): AsyncGenerator<PipableFault, void, undefined> {
	const span = await readExactly(part.source, 0, HEADER_SIZE, 'leading header');
	const range = { offset: 0, size: HEADER_SIZE };
	let leading: PartHeader;
	try {
		leading = PartHeader.parse(span);
	} catch (error) {
		if (!(error instanceof WimError)) throw error;
		yield { error, range, sha1: null };
		return;
	}
	const wrong = COMMON.filter((field) => leading[field] !== part.header[field]);
	const tables = (['blobTable', 'xml', 'bootMetadata', 'integrity'] as const).filter(
		(field) => leading[field].offset !== 0,
	);
	const fields = [...wrong, ...tables];
	if (fields.length > 0)
		yield fault(
			part,
			`The leading header differs from the one at the end: ${fields.join(', ')}`,
			range,
			null,
		);
}

/** The copy at the front says the same, without the size of the whole file. */
async function* leadingXml(part: OpenPart): AsyncGenerator<PipableFault, void, undefined> {
	const at = HEADER_SIZE + PipableHeader.size;
	const head = await readExactly(part.source, HEADER_SIZE, PipableHeader.size, 'leading XML data');
	const size = Number(head.view.getBigUint64(PipableHeader.offsets.originalSize, true));
	const end = firstResource(part);
	const range = {
		offset: HEADER_SIZE,
		size: Math.max(PipableHeader.size, Math.min(end, at + size) - HEADER_SIZE),
	};
	if (!(at + size <= end)) {
		yield fault(part, `The leading XML data says it is ${size} bytes long`, range, null);
		return;
	}
	const span = await readExactly(part.source, at, size, 'leading XML data');
	yield* resourceHeader(part, at, { size, sha1: sha1(span.bytes) }, null);
	try {
		const copy = await XmlData.parse(new Span(span.bytes, 'leading XML data'));
		const plain = (xml: XmlData) => {
			const own = xml.copy();
			setTotalBytes(own, null);
			return sha1(own.encode());
		};
		if (part.xml !== null && plain(copy) !== plain(part.xml))
			yield fault(part, 'The leading XML data differs from that at the end', range, null);
	} catch (error) {
		if (!(error instanceof WimError)) throw error;
		yield { error, range, sha1: null };
	}
}

function firstResource({ table, header }: OpenPart): number {
	let first = header.blobTable.offset;
	for (const { offset } of table.resources) first = Math.min(first, offset);
	return first - PipableHeader.size;
}

async function* resourceHeader(
	part: OpenPart,
	offset: number,
	expected: { readonly size: number; readonly sha1: Sha1 },
	name: Sha1 | null,
): AsyncGenerator<PipableFault, void, undefined> {
	const at = offset - PipableHeader.size;
	const { bytes, view } = await readExactly(
		part.source,
		Math.max(0, at),
		PipableHeader.size,
		'pipable resource header',
	);
	const { offsets } = PipableHeader;
	const wrong: string[] = [];
	if (view.getBigUint64(offsets.magic, true) !== PIPABLE_MAGIC) wrong.push('magic');
	if (view.getBigUint64(offsets.originalSize, true) !== BigInt(expected.size)) wrong.push('size');
	const digest = encodeHex(bytes.subarray(offsets.sha1, offsets.sha1 + 20));
	if (digest !== expected.sha1) wrong.push('SHA-1');
	if (view.getUint32(offsets.flags, true) & ~0x1f) wrong.push('flags');
	if (name === null && wrong.length === 1 && wrong[0] === 'SHA-1')
		// Of tables nobody else knows the SHA-1: header and bytes are equally suspect.
		yield fault(
			part,
			`The table at ${formatHex(offset)} does not have the SHA-1 that the header before it states`,
			{ offset: at, size: PipableHeader.size + expected.size },
			name,
		);
	else if (wrong.length > 0)
		yield fault(
			part,
			`The header before the resource at ${formatHex(offset)} is damaged: ${wrong.join(', ')}`,
			{ offset: at, size: PipableHeader.size },
			name,
		);
}

/** The size before each chunk is what the table at the end says. */
async function* prefixes(
	part: OpenPart,
	blob: Blob,
	run: Run,
): AsyncGenerator<PipableFault, void, undefined> {
	const { resource } = blob;
	let table: Awaited<ReturnType<typeof readChunkTable>>;
	try {
		table = await readChunkTable(resource);
	} catch (error) {
		// Reading the blob tells that.
		if (error instanceof WimError) return;
		throw error;
	}
	const prefix = new Uint8Array(PREFIX_SIZE);
	const view = new DataView(prefix.buffer);
	for (let chunk = 0; chunk < table.chunkCount; chunk++) {
		if (chunk % 1024 === 1023) await breathe(run);
		const at = resource.offset + (table.starts[chunk] ?? 0) - PREFIX_SIZE;
		await part.source.read(at, prefix);
		const expected = storedSizeOf(table, chunk);
		if (view.getUint32(0, true) === expected) continue;
		yield fault(
			part,
			`The size before chunk ${chunk} of the resource at ${formatHex(resource.offset)} is ${view.getUint32(0, true)}, the chunk table says ${expected}`,
			{ offset: at, size: PREFIX_SIZE },
			blob.sha1,
		);
		// The rest of the resource cannot be found by a reader from a pipe.
		return;
	}
}
