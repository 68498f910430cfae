/** Copies images from one WIM to another, new or existing. */
import { InputError } from '../../base/errors.ts';
import type { Run } from '../../base/run.ts';
import type { Sha1 } from '../../bytes/sha1.ts';
import { isFile } from '../../storage/find-files.ts';
import type { Output } from '../../storage/output.ts';
import { freeSpace } from '../../storage/output-file.ts';
import { EarlyCopy } from '../../wim/early-copy.ts';
import { addImageElement, requireFreeName, requireStorableTexts } from '../../wim/edit-xml.ts';
import type { PlainBlobs } from '../../wim/plain-blobs.ts';
import type { Part } from '../../wim/resource.ts';
import type { Wim, WimImage } from '../../wim/wim.ts';
import { isEveryImage, openWim } from '../../wim/wim.ts';
import {
	EditableWim,
	EditSession,
	NewSession,
	type WriteSession,
} from '../../wim/write-session.ts';
import type { WimShape } from '../../wim/write-wim.ts';
import { XmlData } from '../../wim/xml-data.ts';
import { chooseImages, type RewriteSummary } from './delete.ts';
import { extendedSize, rebuiltSize } from './predict-size.ts';
import {
	type CopyPolicy,
	copyAhead,
	expectRecoding,
	findPlain,
	planBlobs,
	replacingSession,
	type Selection,
	selectImages,
	shapeLike,
	solidLike,
	storeMetadataOf,
	storeSelectedBlobs,
	storeSelections,
	withUnused,
} from './rebuild.ts';
import {
	type CompressionPlan,
	type CompressionRequest,
	forWimBoot,
	planCompression,
	requireWritable,
	type WriteTools,
} from './write-options.ts';

export interface ExportOptions {
	/** Designations; `all` for all. */
	readonly images: readonly string[];
	/** Null: as in the source. Only for a single image. */
	readonly name: string | null;
	/** Null: as in the source. */
	readonly description: string | null;
	/** A single image becomes bootable; of several, the one that is so in the source. */
	readonly boot: boolean;
	/** Patterns of further files that hold blobs of the source. */
	readonly references: readonly string[];
	readonly compression: CompressionRequest;
	readonly recompress: boolean;
	/** Mark the images as ones that Windows can read in place, and compress a new file so. */
	readonly wimBoot: boolean;
	/** Write an existing file anew. */
	readonly rebuild: boolean;
	/** Put a new file in the place of an existing one instead of adding to it. */
	readonly replace: boolean;
	/** Null: as the existing file is, or not. */
	readonly pipable: boolean | null;
	/** Null: as the existing file has it, or none. */
	readonly integrity: boolean | null;
	readonly dryRun: boolean;
}

/**
 * @param target a path, or an output that cannot seek: a pipable WIM is written onto it
 * @throws {MissingError} when a blob is neither in the source nor in the target
 */
export async function exportImages(
	source: string,
	target: string | Output,
	options: ExportOptions,
	tools: WriteTools,
	run: Run,
): Promise<RewriteSummary> {
	requireStorableTexts(options);
	const isNew = typeof target !== 'string' || options.replace || !(await isFile(target));
	await using early =
		isNew && typeof target === 'string' && isPlainCopy(options)
			? new EarlyCopy(target, (part) => expectedEnd(part, options), run)
			: null;
	const { references } = options;
	await using wim = await openWim(source, { references, ...(early ?? {}) });
	const images = chooseImages(wim, options.images);
	if (options.name !== null && images.length > 1)
		throw new InputError(`Cannot name ${images.length} images "${options.name}"`, {
			hint: 'Export them one by one, or leave the name out.',
		});
	const job = { wim, images, source, options, tools, run };
	return typeof target === 'string' && !isNew
		? await exportInto({ ...job, target })
		: await exportToNew({ ...job, target }, early);
}

/** Whether nothing is asked for but the same as it is. */
function isPlainCopy({
	compression,
	recompress,
	pipable,
	wimBoot,
	dryRun,
}: ExportOptions): boolean {
	const { compress, chunkSize, solid } = compression;
	const isUsual = compress === null && chunkSize === null && !solid && !wimBoot;
	return isUsual && !recompress && pipable !== true && !dryRun;
}

/** How far a part is needed, as far as its header tells; see `EarlyCopy`. */
function expectedEnd({ header }: Part, { images }: ExportOptions): number {
	const isWhole = header.imageCount === 1 || images.some(isEveryImage);
	return isWhole ? header.blobTable.offset : 0;
}

interface Export {
	readonly wim: Wim;
	readonly images: readonly WimImage[];
	readonly source: string;
	readonly target: string | Output;
	readonly options: ExportOptions;
	readonly tools: WriteTools;
	readonly run: Run;
}

async function select(
	job: Export,
	plan: CompressionPlan,
	has: { has(name: string): boolean },
	plain: PlainBlobs | null = null,
): Promise<Selection> {
	const isSorted = plan.solid?.sorted ?? false;
	const selection = await selectImages(job.wim, job.images, job.run, isSorted, has, plain);
	const [missing] = selection.missing;
	if (missing !== undefined) throw missing;
	return selection;
}

/** Adds the XML elements of the exported images, and chooses the one that boots. */
function addElements(
	job: Export,
	xml: XmlData,
	shape: { bootIndex: number },
	before: number,
): void {
	const { options, images, wim } = job;
	if (options.boot && images.length > 1 && !images.some(({ index }) => index === wim.bootIndex))
		throw new InputError(
			`Cannot choose the image that boots: none of these does in "${wim.name}"`,
			{
				path: wim.name,
				hint: 'Leave --boot out and choose one afterwards: wimdeck info WIM IMAGE --boot.',
			},
		);
	for (const [k, image] of images.entries()) {
		const index = before + k + 1;
		const name = options.name ?? image.facts.name;
		requireFreeName(xml, name, nameOf(job.target));
		const from = wim.xml.image(image.index);
		const element = addImageElement(xml, index, from ?? undefined);
		if (options.name !== null) xml.set(element, 'NAME', name);
		if (options.description !== null) xml.set(element, 'DESCRIPTION', options.description);
		if (options.wimBoot) xml.set(element, 'WIMBOOT', '1');
		const isBoot = images.length === 1 || image.index === wim.bootIndex;
		if (options.boot && isBoot) shape.bootIndex = index;
	}
}

const nameOf = (target: string | Output) => (typeof target === 'string' ? target : target.name);

async function exportToNew(job: Export, early: EarlyCopy | null): Promise<RewriteSummary> {
	const { wim, images, target, options, tools, run } = job;
	const request = options.wimBoot ? forWimBoot(options.compression) : options.compression;
	const asked = planCompression(request, {
		compression: request.solid ? 'lzms' : wim.compression,
		chunkSize: request.solid ? null : wim.chunkSize,
	});
	const isStream = typeof target !== 'string';
	const isPipable = options.pipable ?? isStream;
	requireWritable({ isPipable, isStream, plan: asked, integrity: options.integrity ?? false });
	// A copy of a solid file is solid, unless another type was asked for; a chunk size is about the rest.
	const former = request.compress === null && !isPipable ? solidLike(wim, asked.level) : null;
	const plan = { ...asked, solid: asked.solid ?? former };
	const shape: WimShape & { bootIndex: number } = {
		...shapeLike(wim),
		compression: plan.compression,
		chunkSize: plan.chunkSize,
		isPipable,
		// It stands in the header, which is written last; making one takes longer than beginning to copy.
		guid: new Uint8Array(16),
		imageCount: images.length,
		bootIndex: 0,
	};
	const xml = XmlData.create(0);
	addElements(job, xml, shape, 0);
	const policy = policyOf(options, plan);
	const integrity = options.integrity ?? false;
	if (!options.dryRun) expectRecoding(wim, shape, policy, tools);
	const chosen = async () => {
		const plain = plan.solid === null ? await findPlain(wim, shape, policy, run) : null;
		return await select(job, plan, new Set(), plain);
	};
	if (options.dryRun) return predict(job, [await chosen()], shape, xml, integrity, policy);
	const freeBytes = isStream ? null : await freeSpace(target);
	const settings = { level: plan.level, integrity, encoder: tools.encoder, foreign: new Map() };
	const { file = target, ahead = null } = (await early?.take()) ?? {};
	await using session = await NewSession.create(file, shape, xml, settings, run, ahead);
	if (!policy.recompress) await copyAhead(session, wim, images, freeBytes);
	session.shape.guid = run.clock.guid();
	const selection = await chosen();
	await storeSelections(session, [selection], policy, plan, tools, run);
	const sizeAfter = await session.commit();
	return {
		sizeBefore: 0,
		sizeAfter,
		writtenBytes: sizeAfter,
		freeBytes,
		isEstimate: false,
		imageCount: images.length,
	};
}

/** What the images of a delta need and its file does not hold. */
function* lackedBy({ blobs }: Wim, { references }: Selection): Generator<Sha1, void, undefined> {
	for (const sha1 of references.keys()) if (!blobs.has(sha1)) yield sha1;
}

function policyOf(options: ExportOptions, plan: CompressionPlan): CopyPolicy {
	return {
		recompress: options.recompress,
		keepSolid: plan.solid !== null && !options.recompress,
	};
}

async function exportInto(job: Export & { readonly target: string }): Promise<RewriteSummary> {
	const { target, options, tools, run, images } = job;
	await using edited = await EditableWim.open(target, run, options.dryRun);
	const { wim: into } = edited;
	const asked = planCompression(options.compression, into);
	const isPipable = options.pipable ?? into.isPipable;
	requireWritable({ isPipable, isStream: false, plan: asked, integrity: false });
	const former = isPipable ? null : solidLike(into, asked.level);
	const plan = { ...asked, solid: asked.solid ?? former };
	if (plan.compression !== into.compression || plan.chunkSize !== into.chunkSize)
		throw new InputError(`Cannot export into "${target}": it is compressed in another way`, {
			path: target,
			hint: 'Leave --compress and --chunk-size out, or export to a new file.',
		});
	const selection = await select(job, plan, into.blobs);
	const policy = policyOf(options, plan);
	const integrity = options.integrity ?? into.header.integrity.offset !== 0;
	const settings = { level: plan.level, integrity, encoder: tools.encoder, foreign: new Map() };
	const isRebuilt = options.rebuild || edited.obstacle !== null || isPipable !== into.isPipable;
	const shape = { ...shapeLike(into), isPipable };
	const xml = into.xml.copy();
	addElements(job, xml, shape, into.images.length);
	if (options.dryRun) {
		shape.imageCount += images.length;
		if (isRebuilt) {
			const own = await selectImages(into, into.images, run, false);
			return await predict(job, [own, selection], shape, xml, integrity, policy, into);
		}
		const blobs = planBlobs(selection, shape, policy, (name) => into.blobs.has(name));
		const { end } = edited;
		const { recompress } = policy;
		const parts = { wim: into, end, selection, blobs, shape, xml, integrity, recompress };
		const { size, isEstimate } = await extendedSize(parts);
		return {
			sizeBefore: into.size,
			sizeAfter: size,
			writtenBytes: size - end,
			freeBytes: await freeSpace(target),
			isEstimate,
			imageCount: shape.imageCount,
		};
	}
	const session: WriteSession = isRebuilt
		? await replacingSession(edited, shape, settings, run)
		: await EditSession.start(edited, settings, run);
	await using _session = session;
	session.xml.root.children = xml.root.children;
	session.shape.bootIndex = shape.bootIndex;
	session.shape.rpFix = into.hasRpFix || job.wim.hasRpFix;
	if (session instanceof NewSession) {
		const isSorted = plan.solid?.sorted ?? false;
		const former = await selectImages(into, into.images, run, isSorted);
		const own = withUnused(former, lackedBy(job.wim, selection));
		session.shape.imageCount = into.images.length + images.length;
		const keep = { ...policy, recompress: false, keepSolid: true };
		await storeSelections(session, [own, selection], keep, plan, tools, run);
	} else if (session instanceof EditSession) {
		await session.begin();
		await storeSelectedBlobs(session, selection, policy, plan, tools, run);
		for (const image of images)
			session.metadata.push(await storeMetadataOf(session, job.wim, image, policy, run));
	}
	const sizeAfter = await session.commit();
	return {
		sizeBefore: into.size,
		sizeAfter,
		writtenBytes: isRebuilt ? sizeAfter : sizeAfter - edited.end,
		freeBytes: await freeSpace(target),
		isEstimate: false,
		imageCount: into.images.length + images.length,
	};
}

/** For a file that is written anew. */
async function predict(
	job: Export,
	selections: readonly Selection[],
	shape: WimShape,
	xml: XmlData,
	integrity: boolean,
	policy: CopyPolicy,
	into: Wim | null = null,
): Promise<RewriteSummary> {
	let size = 0;
	let isEstimate = selections.length > 1;
	for (const selection of selections) {
		const blobs = planBlobs(selection, shape, policy, () => false);
		const { recompress } = policy;
		const part = rebuiltSize({ selection, blobs, shape, xml, integrity, recompress });
		size += part.size;
		isEstimate ||= part.isEstimate;
	}
	return {
		sizeBefore: into?.size ?? 0,
		sizeAfter: size,
		writtenBytes: size,
		freeBytes: typeof job.target === 'string' ? await freeSpace(job.target) : null,
		isEstimate,
		imageCount: shape.imageCount,
	};
}
