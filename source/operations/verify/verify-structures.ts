/** What header and tables of a part say of each other: contradictions that reading alone does not meet. */
import { FormatError, type WimError } from '../../base/errors.ts';
import { formatHex, plural } from '../../base/print.ts';
import { breathe, type Run } from '../../base/run.ts';
import { inSlices } from '../../base/slices.ts';
import { sortSteps } from '../../bytes/sort-steps.ts';
import type { OpenPart } from '../../wim/open-part.ts';
import {
	HeaderFlag,
	PartHeader,
	ResourceFlag,
	type ResourceHeader,
} from '../../wim/part-header.ts';
import type { Wim } from '../../wim/wim.ts';
import { FileOrder, SURVEY_LENGTH } from '../read/file-order.ts';
import type { Fault, Range } from './verify-report.ts';

/** A fault of a structure, with what is known of its place. */
export interface StructureFault {
	readonly error: WimError;
	readonly class: Fault['class'];
	readonly severity: Fault['severity'];
	readonly part: OpenPart;
	readonly range: Range | null;
}

/** Every flag of the header that anybody uses, and the two reserved ones that were seen set. */
const KNOWN_FLAGS = Object.values(HeaderFlag).reduce((all, bit) => all | bit, 0) | 0x1 | 0x1_0000;

/** What tables may be flagged as (wim.md §2.1). */
const METADATA_AND_COMPRESSED = ResourceFlag.metadata | ResourceFlag.compressed;

/** Overlapping resources that are told one by one. */
const OVERLAPS_MAX = 50;

export async function structureFaults(wim: Wim, run: Run): Promise<StructureFault[]> {
	const faults = countFaults(wim);
	for (const part of wim.parts)
		faults.push(...fieldFaults(part), ...(await overlapFaults(part, run)));
	return [...faults, ...bootFaults(wim)];
}

/** How many images header, XML data and blob table count. */
function countFaults({ first, xml }: Wim): StructureFault[] {
	const faults: StructureFault[] = [];
	const { header, table } = first;
	if (header.partNumber !== 1) return faults;
	const count = header.imageCount;
	const found = table.metadata.length;
	const at = { offset: PartHeader.offsets.imageCount, size: 4 };
	if (found < count)
		faults.push(
			fault(
				first,
				`The header counts ${plural(count, 'image')}, the blob table lists metadata for ${found}`,
				{ class: 'blob-table', range: rangeOf(header.blobTable) },
			),
		);
	else if (found > count)
		faults.push(
			fault(
				first,
				`The blob table lists metadata for ${plural(found, 'image')}, the header counts ${count}`,
				{ class: 'header', range: at },
			),
		);
	if (first.xml !== null && xml.imageCount !== count)
		faults.push(
			fault(
				first,
				`The XML data describes ${plural(xml.imageCount, 'image')}, the header counts ${count}`,
				{ class: 'xml', range: rangeOf(header.xml) },
			),
		);
	return faults;
}

function fault(
	part: OpenPart,
	message: string,
	facts: Pick<StructureFault, 'class' | 'range'> & Partial<Pick<StructureFault, 'severity'>>,
): StructureFault {
	const offset = facts.range?.offset;
	const error = new FormatError(message, {
		path: part.source.name,
		...(offset === undefined ? {} : { offset }),
	});
	return { error, severity: 'error', part, ...facts };
}

function rangeOf({ offset, storedSize }: ResourceHeader): Range {
	return { offset, size: storedSize };
}

/** Fields of the header that contradict each other though nothing depends on them. */
function fieldFaults(part: OpenPart): StructureFault[] {
	const faults: StructureFault[] = [];
	const { header } = part;
	const { offsets } = PartHeader;
	const unknown = (header.flags & ~KNOWN_FLAGS) >>> 0;
	const warn = (message: string, field: keyof typeof offsets, size: number) => {
		const range = { offset: offsets[field], size };
		faults.push(fault(part, message, { class: 'header', severity: 'warning', range }));
	};
	if (unknown !== 0) warn(`The header has unknown flags: ${formatHex(unknown)}`, 'flags', 4);
	for (const [field, size, what] of contradictions(header)) warn(what, field, size);
	const names = {
		blobTable: 'the blob table',
		xml: 'the XML data',
		integrity: 'the integrity table',
	};
	for (const [field, name] of Object.entries(names) as [keyof typeof names, string][]) {
		const { storedSize, originalSize, flags } = header[field];
		if (flags & 0x04 || storedSize === originalSize) continue;
		warn(
			`The header gives ${name} two sizes: ${storedSize} stored and ${originalSize} original bytes`,
			field,
			24,
		);
	}
	return faults;
}

/** What a header says against itself, with the field and its size. */
function* contradictions(
	header: PartHeader,
): Generator<[field: keyof typeof PartHeader.offsets, size: number, what: string]> {
	const { flags, partCount, reserved, integrity, blobTable, xml } = header;
	const isSpanned = (flags & HeaderFlag.spanned) !== 0;
	if (isSpanned !== partCount > 1)
		yield [
			'flags',
			4,
			isSpanned
				? 'The header is flagged as one of a part set, but counts one part'
				: `The header counts ${partCount} parts, but is not flagged as one of a part set`,
		];
	const algorithms = [
		HeaderFlag.lzx,
		HeaderFlag.lzms,
		HeaderFlag.xpress | HeaderFlag.xpress2,
	].filter((bits) => flags & bits).length;
	if (flags & HeaderFlag.compression && algorithms > 1)
		yield ['flags', 4, `The header names ${algorithms} compressions; the first that fits is used`];
	if (reserved.some((byte) => byte !== 0))
		yield ['reserved', reserved.length, 'The reserved bytes of the header are not zero'];
	if (integrity.offset === 0 && (integrity.storedSize > 0 || integrity.originalSize > 0))
		yield ['integrity', 24, 'The header gives the integrity table a size, but no place'];
	for (const [field, { flags: bits }] of [
		['blobTable', blobTable],
		['xml', xml],
	] as const)
		if (bits & ~METADATA_AND_COMPRESSED)
			yield [
				field,
				24,
				`The header has unknown flags for ${field === 'xml' ? 'the XML data' : 'the blob table'}: ${formatHex(bits)}`,
			];
}

/** Boot loaders go by the copy in the header of where the metadata of the boot image is. */
function bootFaults({ first, images, bootIndex }: Wim): StructureFault[] {
	const { bootMetadata } = first.header;
	const at = { offset: PartHeader.offsets.bootMetadata, size: 24 };
	const resource = images[bootIndex - 1]?.metadata.resource;
	const isNone = bootMetadata.offset === 0 && bootMetadata.storedSize === 0;
	const isRight =
		resource === undefined
			? isNone || bootIndex > 0
			: resource.offset === bootMetadata.offset && resource.storedSize === bootMetadata.storedSize;
	if (isRight) return [];
	const what =
		resource === undefined
			? 'The header names no boot image, but says where its metadata is'
			: `The header says that the metadata of the boot image is at ${formatHex(bootMetadata.offset)}, the blob table says ${formatHex(resource.offset)}`;
	return [fault(first, what, { class: 'header', severity: 'warning', range: at })];
}

/** Resources that reach into others: at least one of their entries is wrong, even if all of them decode. */
async function overlapFaults(part: OpenPart, run: Run): Promise<StructureFault[]> {
	const { resources } = part.table;
	const starts = new Float64Array(resources.length);
	const ends = new Float64Array(resources.length);
	const order = new FileOrder();
	let count = 0;
	for (const resource of resources) {
		starts[count] = resource.offset;
		ends[count] = resource.offset + resource.storedSize;
		order.add(count, { resource, offsetInResource: 0 });
		if (++count % SURVEY_LENGTH === 0) await breathe(run);
	}
	const byStart = starts.slice();
	const byEnd = ends.slice();
	for (const values of [byStart, byEnd]) await inSlices(sortSteps(values), () => breathe(run));
	// Of stretches that lie apart each ends before the next one begins.
	let isApart = true;
	for (let k = 1; k < byStart.length && isApart; k++)
		isApart = (byStart[k] ?? 0) >= (byEnd[k - 1] ?? 0);
	if (isApart) return [];
	const rows = await order.sorted(run);
	const faults: StructureFault[] = [];
	let last = rows[0] ?? 0;
	for (const k of rows.subarray(1)) {
		const start = starts[k] ?? 0;
		const end = ends[last] ?? 0;
		if (start < end && !(start === starts[last] && ends[k] === end) && faults.length < OVERLAPS_MAX)
			faults.push(
				fault(
					part,
					`The resource at ${formatHex(starts[last] ?? 0)} reaches ${plural(end - start, 'byte')} into the one at ${formatHex(start)}`,
					{
						class: 'blob-table',
						severity: 'warning',
						range: { offset: start, size: Math.min(end, ends[k] ?? end) - start },
					},
				),
			);
		if ((ends[k] ?? 0) > end) last = k;
	}
	return faults;
}
