/** Divides a WIM into parts of a given size (wim.md §8). Resources are never cut. */

import { InputError } from '../../base/errors.ts';
import { formatSize, plural } from '../../base/print.ts';
import { breathe, type Run } from '../../base/run.ts';
import { isSameFile, partName } from '../../storage/find-files.ts';
import { freeSpace, NewFile, removeStaleParts, requireSpace } from '../../storage/output-file.ts';
import { BLOB_ENTRY_SIZE } from '../../wim/blob-entries.ts';
import type { Stretch } from '../../wim/copy-resources.ts';
import { EarlyCopy, type EarlyFile } from '../../wim/early-copy.ts';
import { setTotalBytes } from '../../wim/edit-xml.ts';
import {
	INTEGRITY_CHUNK_SIZE,
	IntegrityHeader,
	integrityEntryCount,
} from '../../wim/integrity-table.ts';
import { HEADER_SIZE } from '../../wim/part-header.ts';
import type { PlainBlobs } from '../../wim/plain-blobs.ts';
import type { Blob, Resource } from '../../wim/resource.ts';
import { openWim, type Wim } from '../../wim/wim.ts';
import { PipableHeader } from '../../wim/write-resource.ts';
import { NewSession } from '../../wim/write-session.ts';
import type { WimShape } from '../../wim/write-wim.ts';
import { FurtherParts } from './further-parts.ts';
import { plannedSize, tablesEnd } from './predict-size.ts';
import {
	COPYING,
	copyAhead,
	findPlain,
	planBlobs,
	reportMissing,
	type Selection,
	selectImages,
	shapeLike,
	storeBlobs,
	storeMetadataOf,
} from './rebuild.ts';
import {
	type CompressionPlan,
	planCompression,
	USUAL_COMPRESSION,
	type WriteTools,
} from './write-options.ts';

export interface SplitOptions {
	/** Upper bound of a part, in bytes. */
	readonly partSize: number;
	/** Null: as the file has it. */
	readonly integrity: boolean | null;
	readonly dryRun: boolean;
}

export interface SplitSummary {
	readonly parts: readonly {
		readonly path: string;
		/** In bytes. */
		readonly size: number;
	}[];
	/** Whether sizes are estimates: solid resources were divided. */
	readonly isEstimate: boolean;
	readonly totalBytes: number;
	/** What can be written there; null where the system does not tell. */
	readonly freeBytes: number | null;
}

/** Blobs that go into a part together: one resource, or a share of a solid one that is too large. */
interface Unit {
	readonly blobs: readonly Blob[];
	/** What they take in the part, table entries included, in bytes; of a share of a solid resource an estimate. */
	readonly size: number;
	/** The blobs of a divided solid resource are compressed anew. */
	readonly isShare: boolean;
}

interface PartPlan {
	readonly units: readonly Unit[];
	/** Blobs that only have to be copied; then there are no units. */
	readonly plain: PlainBlobs | null;
	readonly size: number;
}

/** So many parts at most are on their way to the disk while the next one is written: each takes a thread that reads and writes. */
const UNSETTLED_MAX = 2;

/** So much short of its end the early copy of a first part stops, in bytes: what was copied too far would be cut off again. */
const TABLES_SIZE = 1 << 20;

/** Shares of a solid resource compress a little worse than the whole. */
const SHARE_MARGIN = 1.03;

/** What a part takes before any unit is in it, in bytes. */
interface PartBase {
	/** Of part 1: header, tables, metadata. */
	readonly first: number;
	/** Of the others: header and tables. */
	readonly further: number;
}

/** Units, as far as their sizes in bytes matter. */
interface Sized {
	readonly length: number;
	readonly sizeAt: (position: number) => number;
}

/** What goes into a part: positions of units, from 0. */
interface PartRange {
	readonly from: number;
	readonly end: number;
	/** In bytes. */
	readonly size: number;
}

/**
 * Deals units out over parts in the given order; a part ends where the next unit would not fit.
 *
 * @param partSize upper bound in bytes; a unit larger than this gets a part of its own
 */
export function dealParts(units: Sized, partSize: number, base: PartBase): PartRange[] {
	const parts: PartRange[] = [];
	let from = 0;
	let size = base.first;
	let isFilled = base.first > base.further;
	for (let k = 0; k < units.length; k++) {
		const unitSize = units.sizeAt(k);
		if (isFilled && size + unitSize > partSize) {
			parts.push({ from, end: k, size });
			from = k;
			size = base.further;
		}
		isFilled = true;
		size += unitSize;
	}
	if (from < units.length || parts.length === 0) parts.push({ from, end: units.length, size });
	return parts;
}

/**
 * Groups blobs by resource; a solid resource that does not fit into a part is divided.
 *
 * @param room for units in a part, in bytes
 */
function unitsOf(blobs: readonly Blob[], room: number, isPipable: boolean): Unit[] {
	const extra = BLOB_ENTRY_SIZE + (isPipable ? PipableHeader.size : 0);
	const units: Unit[] = [];
	const solid = new Map<Resource, Blob[]>();
	for (const blob of blobs) {
		const { resource } = blob;
		if (resource.layout !== 'solid') {
			units.push({ blobs: [blob], size: resource.storedSize + extra, isShare: false });
			continue;
		}
		const same = solid.get(resource);
		if (same) same.push(blob);
		else solid.set(resource, [blob]);
	}
	for (const [resource, members] of solid) {
		// One entry for each blob, and one for the resource.
		const size = resource.storedSize + (members.length + 1) * BLOB_ENTRY_SIZE;
		if (size <= room) units.push({ blobs: members, size, isShare: false });
		else {
			const ratio = (SHARE_MARGIN * resource.storedSize) / resource.originalSize;
			for (const blob of members) {
				const share = Math.ceil(blob.size * ratio) + BLOB_ENTRY_SIZE;
				units.push({ blobs: [blob], size: share, isShare: true });
			}
		}
	}
	return units;
}

export async function split(
	source: string,
	firstPart: string,
	options: SplitOptions,
	tools: WriteTools,
	run: Run,
): Promise<SplitSummary> {
	const { partSize } = options;
	if (!(partSize > 0))
		throw new InputError('Cannot split into parts of no size', { hint: 'Give the size in MiB.' });
	// Tables and metadata take the rest, and of small parts not much more.
	const copied = partSize - Math.min(TABLES_SIZE, Math.floor(partSize / 8));
	await using early = options.dryRun ? null : new EarlyCopy(firstPart, () => copied, run);
	await using wim = await openWim(source, early ?? {});
	if (wim.header.partCount > 1)
		throw new InputError(`Cannot split "${source}": it is a part of a set already`, {
			path: source,
			hint: 'Join the parts first.',
		});
	const shape = { ...shapeLike(wim), guid: run.clock.guid() };
	const integrity = options.integrity ?? wim.header.integrity.offset !== 0;
	const begun = (await early?.take()) ?? null;
	const freeBytes = begun === null ? await freeSpace(firstPart) : begun.freeBytes;
	const job = { wim, shape, firstPart, integrity };
	await using first = begun === null ? null : await createPart(job, 0, tools, run, begun);
	const { all, expected } = await planEarly(job, partSize, first !== null, run);
	await using further = new FurtherParts((position) => createPart(job, position, tools, run));
	if (first !== null) {
		await copyAhead(first, wim, wim.images, freeBytes, copied);
		const isRoom = expected !== null && (freeBytes ?? 0) > expected.totalBytes;
		if (isRoom && first.ahead !== null) further.begin(stretchesOf(expected.parts));
	}
	const selection = await selectImages(wim, wim.images, run, false, undefined, all);
	reportMissing(selection, source, run);
	const isExpected = expected !== null && selection.plain === all;
	const { parts, isEstimate, planned, totalBytes } = isExpected
		? expected
		: await planParts(job, selection, partSize, run);
	reportLarge(parts, partSize, run);
	await requireOther(source, planned);
	const summary: SplitSummary = { parts: planned, isEstimate, totalBytes, freeBytes };
	if (first === null) return summary;
	if (!isEstimate) requireSpace(firstPart, totalBytes, freeBytes);
	const sizes = await writeParts({ ...job, selection, parts }, first, further, tools, run);
	const written = planned.map(({ path }, k) => ({ path, size: sizes[k] ?? 0 }));
	return {
		...summary,
		parts: written,
		isEstimate: false,
		totalBytes: sizes.reduce((sum, size) => sum + size, 0),
	};
}

/**
 * Plans as if everything were needed, as it is as a rule, so that parts are begun before that is known.
 *
 * @param isWritten whether the first part is locked, so that what a killed run left of the others can be removed
 */
async function planEarly(
	job: SplitPlace,
	partSize: number,
	isWritten: boolean,
	run: Run,
): Promise<{ readonly all: PlainBlobs | null; readonly expected: SplitPlan | null }> {
	const { wim, shape, firstPart } = job;
	const clearing = isWritten ? removeStaleParts(firstPart) : Promise.resolve();
	// It is awaited below, whatever happens until then: the lock must not be given up before it is over.
	clearing.catch(() => {});
	try {
		const all = await findPlain(wim, shape, COPYING, run);
		if (all === null) return { all, expected: null };
		const selection = { wim, blobs: [], plain: all };
		return { all, expected: await planParts(job, selection, partSize, run) };
	} finally {
		await clearing;
	}
}

/** A part that took the place of the source would be all that is left of it if the next could not be written. */
async function requireOther(source: string, parts: SplitSummary['parts']): Promise<void> {
	for (const { path } of parts)
		if (await isSameFile(path, source))
			throw new InputError(`Cannot split into "${path}": it is the file to be split`, {
				path,
				hint: 'Give the parts another name or folder.',
			});
}

interface SplitPlan extends Omit<SplitSummary, 'parts' | 'freeBytes'> {
	readonly parts: readonly PartPlan[];
	readonly planned: SplitSummary['parts'];
}

/** Deals blobs out over parts. */
async function planParts(
	job: SplitPlace,
	selection: Pick<Selection, 'wim' | 'blobs' | 'plain'>,
	partSize: number,
	run: Run,
): Promise<SplitPlan> {
	const { wim, shape, firstPart, integrity } = job;
	const { copied, recoded, plain = null } = planBlobs(selection, shape, COPYING, () => false);
	await breathe(run);
	const base = partBase(wim, partSize, integrity);
	const units = unitsOf([...copied, ...recoded], partSize - base.further, wim.isPipable);
	await breathe(run);
	const sized: Sized =
		plain === null
			? { length: units.length, sizeAt: (k) => units[k]?.size ?? 0 }
			: { length: plain.length, sizeAt: (k) => plain.storedSizeAt(k) + BLOB_ENTRY_SIZE };
	const parts = dealParts(sized, partSize, base).map(({ from, end, size }) => ({
		units: units.slice(from, end),
		plain: plain?.slice(from, end) ?? null,
		size,
	}));
	const planned = parts.map((part, k) => ({
		path: partName(firstPart, k + 1),
		size: partFileSize(wim, part, k, parts.length, integrity),
	}));
	return {
		parts,
		isEstimate: units.some(({ isShare }) => isShare) || recoded.length > 0,
		planned,
		totalBytes: planned.reduce((sum, { size }) => sum + size, 0),
	};
}

/** Where in the file the parts behind the first have their blobs. */
function stretchesOf([_first, ...further]: readonly PartPlan[]): Stretch[] {
	return further.flatMap(({ plain }) => plain?.stretch ?? []);
}

/** Header and tables of a part without blobs; an integrity table as large as that of a part that is full. */
function partBase(wim: Wim, partSize: number, integrity: boolean): PartBase {
	const nothing = { units: [], plain: null, size: 0 };
	const [first, further] = [0, 1].map((position) => partFileSize(wim, nothing, position, 2, false));
	const table = integrity
		? IntegrityHeader.size + 20 * integrityEntryCount(partSize, INTEGRITY_CHUNK_SIZE)
		: 0;
	return { first: (first ?? 0) + table, further: (further ?? 0) + table };
}

/** Says before it starts what will be larger than asked for. */
function reportLarge(parts: readonly PartPlan[], partSize: number, run: Run): void {
	const large = parts.flatMap((part, k) => (part.size > partSize ? [k + 1] : []));
	if (large.length === 0) return;
	run.report({
		type: 'warning',
		message: `${plural(large.length, 'part')} (${large.join(', ')}) will be larger than ${formatSize(partSize)}: what is in one resource, and all metadata, stays together`,
	});
}

function partFileSize(
	wim: Wim,
	part: PartPlan,
	position: number,
	partCount: number,
	integrity: boolean,
): number {
	const { isPipable } = wim;
	const whole = part.units.flatMap(({ blobs, isShare }) => (isShare ? [] : blobs));
	const copied = plannedSize({ copied: whole, plain: part.plain }, isPipable);
	const shares = part.units.filter(({ isShare }) => isShare);
	const shareSize = shares.reduce((sum, { size }) => sum + size, 0);
	const images = position === 0 ? wim.images : [];
	const extra = isPipable ? PipableHeader.size : 0;
	const metadata = images.reduce(
		(sum, image) => sum + image.metadata.resource.storedSize + extra,
		0,
	);
	const xml = wim.xml.copy();
	setTotalBytes(xml, null);
	const leading = isPipable ? extra + xml.encode().length : 0;
	return tablesEnd({
		start: HEADER_SIZE + leading + copied.size + shareSize + metadata,
		entryCount: images.length + copied.entries + shares.length + (shares.length > 0 ? 1 : 0),
		xml: wim.xml,
		isPipable,
		integrityChunkSize: integrity ? INTEGRITY_CHUNK_SIZE : null,
		isPart: partCount > 1,
	});
}

interface SplitPlace {
	readonly wim: Wim;
	readonly shape: WimShape;
	readonly firstPart: string;
	readonly integrity: boolean;
}

interface SplitJob extends SplitPlace {
	readonly selection: Selection;
	readonly parts: readonly PartPlan[];
}

/** A part that nothing is written to yet, unless it came early; part 1 holds the lock for all. */
async function createPart(
	job: SplitPlace,
	position: number,
	tools: WriteTools,
	run: Run,
	early: EarlyFile | null = null,
): Promise<NewSession> {
	const file = early?.file ?? (await NewFile.create(partName(job.firstPart, position + 1), true));
	const { level } = planCompression(USUAL_COMPRESSION, job.wim);
	const { integrity } = job;
	const shape = { ...job.shape, partNumber: position + 1, imageCount: job.wim.images.length };
	const settings = { level, integrity, encoder: tools.encoder, foreign: new Map() };
	const xml = job.wim.xml.copy();
	return NewSession.create(file, shape, xml, settings, run, early?.ahead);
}

/** All parts are on the disk before the first one is renamed; part 1, without which nothing opens, comes last. */
async function writeParts(
	job: SplitJob,
	first: NewSession,
	further: FurtherParts,
	tools: WriteTools,
	run: Run,
): Promise<number[]> {
	const written: NewSession[] = [];
	const sizes: number[] = [];
	/** Parts come to the disk while further ones are written; two at most wait for that. */
	const settling: Promise<void>[] = [];
	const plan = planCompression(USUAL_COMPRESSION, job.wim);
	try {
		for (const position of job.parts.keys()) {
			const session = position === 0 ? first : await further.part(position);
			written.push(session);
			session.shape.partCount = job.parts.length;
			await writePart(session, job, position, plan, tools, run);
			sizes.push(await session.seal());
			const settled = session.settle();
			// It is awaited later; until then a failure must not count as unhandled.
			settled.catch(() => {});
			settling.push(settled);
			await settling[position - UNSETTLED_MAX];
		}
		run.report({ type: 'phase', phase: 'finish', totalBytes: null });
		await Promise.all(settling);
		// Once the names of all others are on the disk, part 1 gets its own.
		for (const [k, session] of [...written.entries()].reverse()) await session.publish(k < 2);
		return sizes;
	} finally {
		await Promise.allSettled(settling);
	}
}

async function writePart(
	session: NewSession,
	job: SplitJob,
	position: number,
	plan: CompressionPlan,
	tools: WriteTools,
	run: Run,
): Promise<void> {
	const { wim, selection } = job;
	const { units = [], plain = null } = job.parts[position] ?? {};
	// Nobody adds to them.
	session.takeCounts(selection.references);
	const storeAllMetadata = async () => {
		for (const image of position === 0 ? wim.images : [])
			session.metadata.push(await storeMetadataOf(session, wim, image, COPYING, run));
	};
	await session.begin();
	if (session.shape.isPipable) await storeAllMetadata();
	const copied = units.flatMap(({ blobs, isShare }) => (isShare ? [] : blobs));
	const recoded = units.flatMap(({ blobs, isShare }) => (isShare ? blobs : []));
	const former = recoded[0]?.resource;
	const solid =
		former === undefined
			? null
			: {
					layout: 'solid' as const,
					compression: former.compression,
					chunkSize: former.chunkSize,
					level: plan.level,
					sorted: false,
				};
	await storeBlobs(session, selection, { copied, recoded, plain }, { ...plan, solid }, tools, run);
	if (!session.shape.isPipable) await storeAllMetadata();
}
