/**
 * Writes images of a WIM into another file: what delete, export, optimize, split and join share. Resources are copied as
 * they are where type, chunk size and layout agree, and decoded and compressed again where not (wim.md §2.4, §9.4).
 */
import { HostError, type MissingError } from '../../base/errors.ts';
import { plural } from '../../base/print.ts';
import { breathe, type Run } from '../../base/run.ts';
import { inSlices } from '../../base/slices.ts';
import type { Sha1 } from '../../bytes/sha1.ts';
import { Sha1Counts } from '../../bytes/sha1-counts.ts';
import { countBlobs } from '../../image/blob-users.ts';
import { openImage } from '../../image/open.ts';
import { LargeChunks } from '../../pool/large-chunks.ts';
import type { Content } from '../../storage/content.ts';
import { NewFile } from '../../storage/output-file.ts';
import type { Source } from '../../storage/source.ts';
import { BlobContents, intakeOrigin, wrongDigest } from '../../wim/blob-content.ts';
import {
	canCopy,
	type HeadStart,
	isAlike,
	type StorageShape,
	shapeOf,
} from '../../wim/copy-resources.ts';
import type { OpenPart } from '../../wim/open-part.ts';
import { countedBlobs } from '../../wim/part-blobs.ts';
import { HEADER_SIZE } from '../../wim/part-header.ts';
import { PlainBlobs } from '../../wim/plain-blobs.ts';
import type { Blob, Resource } from '../../wim/resource.ts';
import type { Wim, WimImage } from '../../wim/wim.ts';
import type { BlobOutcome } from '../../wim/write-blobs.ts';
import { ResourceWriter } from '../../wim/write-resource.ts';
import {
	type EditableWim,
	NewSession,
	type SessionOptions,
	type WriteSession,
} from '../../wim/write-session.ts';
import { sortSolid, writeSolid } from '../../wim/write-solid.ts';
import type { TableBlob } from '../../wim/write-table.ts';
import type { WimShape } from '../../wim/write-wim.ts';
import type { CompressionPlan, WriteTools } from './write-options.ts';

/** A solid resource is copied whole when more than this part of it is still needed (wim.md §9.8). */
const SOLID_NEEDED_MIN = 2 / 3;

/** Images with what they reference. */
export interface Selection {
	readonly wim: Wim;
	readonly images: readonly WimImage[];
	/** How often all of them together reference each blob; with `plain`, which has the others, each that no table lists. */
	readonly references: Sha1Counts;
	/** A name of a file that holds a blob, for sorting; absent where they are not asked for. */
	readonly names: ReadonlyMap<Sha1, string>;
	/** Those of them that some table lists, as far as they are not `plain`. */
	readonly blobs: readonly Blob[];
	/** All that some table lists, where they only have to be copied into a file that has none yet; see `findPlain`. */
	readonly plain: PlainBlobs | null;
	/** Blobs that no table lists. */
	readonly missing: readonly MissingError[];
	/** What is to be done with them in a file that has none yet, if that was asked before; see `planBlobs`. */
	readonly planned?: BlobPlan;
}

/** How resources are taken over. */
export interface CopyPolicy {
	/** Compress everything anew. */
	readonly recompress: boolean;
	/** Solid resources may stay what they are. */
	readonly keepSolid: boolean;
}

/** Everything stays as it is stored, as far as it can. */
export const COPYING: CopyPolicy = { recompress: false, keepSolid: true };

/**
 * Walks the trees of some images: what they reference, and how often.
 *
 * @param isSorted whether blobs are going to be sorted by the names of their files
 * @param plain those of the tables, if they only have to be copied
 */
export async function selectImages(
	wim: Wim,
	images: readonly WimImage[],
	run: Run,
	isSorted: boolean,
	foreign: { has(name: Sha1): boolean } = new Set(),
	plain: PlainBlobs | null = null,
): Promise<Selection> {
	const counter = plain?.counter() ?? null;
	const references = counter?.others ?? new Sha1Counts(wim.blobs.size);
	const names = new Map<Sha1, string>();
	for (const image of images) {
		const { tree } = await openImage(wim, image, { tolerant: false }, () => breathe(run));
		const remember = (sha1: Sha1, dentry: number) => names.set(sha1, tree.name(dentry));
		const counting = countBlobs(tree, counter ?? references, isSorted ? remember : null);
		await inSlices(counting, () => breathe(run));
		await breathe(run);
	}
	const missing: MissingError[] = [];
	const pause = () => breathe(run);
	const isPlain = plain !== null && counter !== null;
	const counted = isPlain ? await inSlices(plain.counted(counter), pause) : null;
	const blobs = isPlain ? [] : await inSlices(countedBlobs(wim.blobs, references), pause);
	if (blobs.length < references.size)
		for (const sha1 of references.keys())
			if (!wim.blobs.has(sha1) && !foreign.has(sha1)) missing.push(wim.missingBlob(sha1));
	return { wim, images, references, names, blobs, plain: counted, missing };
}

/**
 * Adds blobs of the file that none of its images uses any more (`delete --soft` leaves them) and one that is added does: when
 * the file is written anew, they would be dropped otherwise.
 *
 * @param needed SHA-1s that nothing else gives
 */
export function withUnused(selection: Selection, needed: Iterable<Sha1>): Selection {
	const { wim, references } = selection;
	const unused = new Map<Sha1, Blob>();
	for (const sha1 of needed) {
		const blob = references.has(sha1) ? undefined : wim.blobs.get(sha1);
		if (blob !== undefined) unused.set(sha1, blob);
	}
	return unused.size === 0
		? selection
		: { ...selection, blobs: [...selection.blobs, ...unused.values()] };
}

/**
 * All blobs of a WIM, where nothing has to be done with them but to copy them into a new file that has none yet; null
 * where some need more.
 *
 * @param target the shape of the new file
 */
export async function findPlain(
	{ blobs, parts, references }: Pick<Wim, 'blobs' | 'parts' | 'references'>,
	target: StorageShape,
	policy: Pick<CopyPolicy, 'recompress'>,
	run: Run,
): Promise<PlainBlobs | null> {
	const isFit = [...parts, ...references].every((part) => isAlike(shapeOf(part), target));
	if (!isFit || policy.recompress) return null;
	return inSlices(PlainBlobs.find(blobs), () => breathe(run));
}

/**
 * Begins to copy the first part of a file while its images are still being looked through, when there is room for all of it
 * and everything speaks for its being needed; unless it was begun by an `EarlyCopy`.
 *
 * @param freeBytes at the target; null when the system does not tell
 * @param end in the part, in bytes: at most so far
 */
export async function copyAhead(
	session: NewSession,
	wim: Wim,
	images: readonly WimImage[],
	freeBytes: number | null,
	end = Number.POSITIVE_INFINITY,
): Promise<void> {
	if (session.ahead !== null) return;
	const { first } = wim;
	const last = Math.min(end, first.header.blobTable.offset);
	if (!session.output.canSeek || images[0]?.index !== 1 || (freeBytes ?? 0) < last) return;
	for (const { resource, defect } of first.table.blobs.values()) {
		const isFit = defect === null && canCopy(resource, shapeOf(first), session.shape);
		if (isFit && !first.pipable) await session.beginAhead(first, resource.offset, last);
		return;
	}
}

/** Has the copying of a first part go on with the others of its set, as far as they hold blobs. */
export function copyFurther(ahead: HeadStart | null, { first, parts }: Wim): void {
	const metadata = first.table.metadata.map(({ resource }) => resource.offset);
	const further = parts.slice(1).map((part) => ({
		part,
		from: HEADER_SIZE,
		end: part.header.blobTable.offset,
	}));
	ahead?.goOn(Math.min(first.header.blobTable.offset, ...metadata), further);
}

/** Says once what a file names and does not hold, as a delta WIM does; it is no less whole afterwards. */
export function reportMissing({ missing }: Selection, path: string, run: Run): void {
	const [first] = missing;
	if (first === undefined) return;
	const more = missing.length > 1 ? ` (${plural(missing.length, 'blob')} in all)` : '';
	run.report({
		type: 'warning',
		message: `What other files hold stays there: ${first.message}${more}`,
		path,
	});
}

/** What is to be done with the blobs of a selection. */
export interface BlobPlan {
	/** Resources that are copied, in the order of the files they come from. */
	readonly copied: readonly Blob[];
	/** Blobs that are decoded and compressed again. */
	readonly recoded: readonly Blob[];
	/** Resources that are copied instead of `copied`, in the order of the files they come from. */
	readonly plain?: PlainBlobs | null;
	/** Contents that no resource holds as they are. */
	readonly extras?: readonly ExtraContent[];
}

/** Contents from elsewhere, whose SHA-1 is known. */
export interface ExtraContent {
	readonly sha1: Sha1;
	readonly content: Content;
	/** Of a file that holds them, for sorting. */
	readonly fileName: string;
}

/**
 * Decides what is copied and what is compressed anew.
 *
 * @param has blobs that are there already
 */
export function planBlobs(
	selection: Pick<Selection, 'wim' | 'blobs' | 'plain'>,
	target: StorageShape,
	policy: CopyPolicy,
	has: (name: Sha1) => boolean,
): BlobPlan {
	const { plain } = selection;
	if (plain !== null) return { copied: [], recoded: [], plain };
	const needed: Blob[] = [];
	for (const blob of selection.blobs) if (!has(blob.sha1)) needed.push(blob);
	const parts = new Map(selection.wim.parts.map((part, k) => [part.source, k]));
	const rank = ({ resource }: Blob) => parts.get(resource.part.source) ?? parts.size;
	const isOnePart = (a: Blob, b: Blob) => a.resource.part.source === b.resource.part.source;
	needed.sort(
		(a, b) =>
			(isOnePart(a, b) ? 0 : rank(a) - rank(b)) ||
			a.resource.offset - b.resource.offset ||
			a.offsetInResource - b.offsetInResource,
	);
	const usage = new Map<Resource, number>();
	for (const { resource, size } of needed)
		if (resource.layout === 'solid') usage.set(resource, (usage.get(resource) ?? 0) + size);
	const shapes = new Map<Source, StorageShape>();
	const shapeFor = (resource: Resource): StorageShape => {
		const { source } = resource.part;
		const known = shapes.get(source);
		if (known !== undefined) return known;
		const shape = partShape(resource, selection.wim);
		shapes.set(source, shape);
		return shape;
	};
	const isCopied = (blob: Blob): boolean => {
		const { resource } = blob;
		if (policy.recompress || blob.defect !== null) return false;
		if (!canCopy(resource, shapeFor(resource), target)) return false;
		if (resource.layout !== 'solid') return true;
		return (
			policy.keepSolid && (usage.get(resource) ?? 0) > resource.originalSize * SOLID_NEEDED_MIN
		);
	};
	const copied: Blob[] = [];
	const recoded: Blob[] = [];
	for (const blob of needed) (isCopied(blob) ? copied : recoded).push(blob);
	return { copied, recoded };
}

function partShape(resource: Resource, wim: Wim): StorageShape {
	const all: readonly OpenPart[] = [...wim.parts, ...wim.references];
	const part = all.find(({ source }) => source === resource.part.source);
	return {
		compression: part?.compression ?? 'none',
		chunkSize: part?.chunkSize ?? 0,
		isPipable: resource.part.pipable,
	};
}

/** Has threads start, while the images are looked through, where most of a file will be compressed anew. */
export function expectRecoding(
	wim: Wim,
	target: StorageShape,
	policy: CopyPolicy,
	{ encoder }: WriteTools,
): void {
	if (policy.recompress || !isAlike(wim, target)) encoder.expect?.(wim.size);
}

/** Stores the blobs of a plan. References are counted by the caller. */
export async function storeBlobs(
	session: WriteSession,
	selection: Pick<Selection, 'names'>,
	blobs: BlobPlan,
	plan: CompressionPlan,
	tools: WriteTools,
	run: Run,
): Promise<void> {
	const { copied, recoded, plain = null, extras = [] } = blobs;
	const sum = (list: readonly { readonly size: number }[]) =>
		list.reduce((total, { size }) => total + size, 0);
	const extraBytes = sum(extras.map(({ content }) => content));
	const totalBytes = sum(copied) + sum(recoded) + (plain?.size ?? 0) + extraBytes;
	run.report({ type: 'phase', phase: 'write', totalBytes });
	if (plain !== null) await session.copyPlain(plain);
	else for (const blob of await session.copyBlobs(copied)) session.store.keep(blob);
	const { pool } = tools;
	const lanes = pool === null ? null : new LargeChunks(pool, run.signal);
	const contents = new BlobContents(lanes);
	const decoded = recoded.map((blob) => ({
		sha1: blob.sha1,
		content: contents.content(blob),
		origin: intakeOrigin(blob),
		blob,
		fileName: selection.names.get(blob.sha1) ?? '',
	}));
	const others = extras.map((extra) => ({ ...extra, origin: null, blob: null }));
	const fresh = [...decoded, ...others].map(({ sha1, content, origin, blob, fileName }) => ({
		content,
		origin,
		fileName,
		mayRepeat: !session.output.canSeek,
		settle(outcome: BlobOutcome) {
			if ('error' in outcome) throw outcome.error;
			if (outcome.sha1 !== sha1 && blob !== null) throw wrongDigest(blob, outcome.sha1);
			if (outcome.sha1 !== sha1)
				throw new HostError(`Cannot store "${content.name}": it changed meanwhile`, {
					path: content.name,
					hint: 'Try again when no other program writes to it.',
				});
		},
	}));
	const solid = plan.solid ?? (await formerSolid(blobs, session));
	if (solid !== null) {
		const { sorted, ...format } = solid;
		const writer = new ResourceWriter(session.output, format, tools.encoder, run);
		await writeSolid(session.store, writer, sorted ? sortSolid(fresh) : fresh, run);
		return;
	}
	for (const blob of fresh) await session.store.add(blob);
	await session.store.finish();
}

/** What is left of solid resources that are not copied goes into a new one of the same kind. */
async function formerSolid(
	blobs: BlobPlan,
	session: WriteSession,
): Promise<CompressionPlan['solid']> {
	if (session.shape.isPipable || !blobs.copied.some(({ resource }) => resource.layout === 'solid'))
		return null;
	const former = blobs.recoded.find(({ resource }) => resource.layout === 'solid')?.resource;
	if (former === undefined) return null;
	const { level } = session.resources.format;
	const { compression, chunkSize } = former;
	return { layout: 'solid', compression, chunkSize, level, sorted: false };
}

/** Takes over the metadata of an image: copied, or decoded and compressed again. */
export async function storeMetadataOf(
	session: WriteSession,
	wim: Wim,
	image: WimImage,
	policy: CopyPolicy,
	run: Run,
): Promise<TableBlob> {
	const { resource } = image.metadata;
	if (!policy.recompress && canCopy(resource, partShape(resource, wim), session.shape)) {
		run.report({ type: 'phase', phase: 'write', totalBytes: image.metadata.size });
		const [copied] = await session.copyBlobs([image.metadata]);
		if (copied !== undefined) return copied;
	}
	const { tree } = await openImage(wim, image, { tolerant: false }, () => breathe(run));
	return session.writeMetadata(tree.span.bytes);
}

/** How a file with solid resources takes further blobs: into solid ones of the same kind; null for other files. */
export function solidLike(wim: Wim, level: number): CompressionPlan['solid'] {
	for (const { table } of wim.parts) {
		const resource = table.resources.firstSolid;
		if (resource === undefined) continue;
		const { compression, chunkSize } = resource;
		return { layout: 'solid', compression, chunkSize, level, sorted: true };
	}
	return null;
}

/** The shape of a file that takes the place of another. */
export function shapeLike(wim: Wim): WimShape {
	return {
		compression: wim.compression,
		chunkSize: wim.chunkSize,
		isPipable: wim.isPipable,
		rpFix: wim.hasRpFix,
		isReadonly: false,
		guid: wim.header.guid,
		partNumber: 1,
		partCount: 1,
		imageCount: wim.images.length,
		bootIndex: wim.bootIndex,
	};
}

/** A new file that will take the place of one whose lock is held. */
export async function replacingSession(
	edited: EditableWim,
	shape: WimShape,
	options: SessionOptions,
	run: Run,
): Promise<NewSession> {
	const { file, ahead } = (await edited.early?.take()) ?? {
		file: await NewFile.create(edited.file.target, true),
		ahead: null,
	};
	return NewSession.create(file, shape, edited.wim.xml.copy(), options, run, ahead);
}

/** Metadata that is not copied from anywhere. */
export interface FurtherMetadata {
	readonly bytes: Uint8Array;
	/** Among all images of the new file, from 0. */
	readonly position: number;
}

/**
 * Writes everything of some selections: blobs and metadata, in the order that the kind of file needs. The XML data must
 * be complete.
 *
 * @param further metadata of more images by position, whose contents the caller stores afterwards (pipable files only)
 */
export async function storeSelections(
	session: NewSession,
	selections: readonly Selection[],
	policy: CopyPolicy,
	plan: CompressionPlan,
	tools: WriteTools,
	run: Run,
	further: readonly FurtherMetadata[] = [],
): Promise<void> {
	const { metadata } = session;
	const storeFurther = async () => {
		for (const { bytes, position } of further)
			if (position === metadata.length) metadata.push(await session.writeMetadata(bytes));
	};
	const storeAllMetadata = async () => {
		for (const { wim, images } of selections)
			for (const image of images) {
				await storeFurther();
				metadata.push(await storeMetadataOf(session, wim, image, policy, run));
			}
		await storeFurther();
	};
	await session.begin();
	const { isPipable } = session.shape;
	if (isPipable) await storeAllMetadata();
	const [first, ...others] = selections;
	// Nobody else counts.
	if (first !== undefined && others.length === 0 && session.references.size === 0)
		session.takeCounts(first.references);
	for (const selection of selections)
		await storeSelectedBlobs(session, selection, policy, plan, tools, run);
	if (!isPipable) await storeAllMetadata();
}

/** Stores what a selection references and the session lacks, and counts the references. */
export async function storeSelectedBlobs(
	session: WriteSession,
	selection: Selection,
	policy: CopyPolicy,
	plan: CompressionPlan,
	tools: WriteTools,
	run: Run,
): Promise<void> {
	if (session.references !== selection.references) session.references.addAll(selection.references);
	const blobs =
		selection.planned ??
		planBlobs(selection, session.shape, policy, (name) => session.store.has(name));
	await storeBlobs(session, selection, blobs, plan, tools, run);
}
