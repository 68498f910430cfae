/** Deletes images: by writing the rest of the file anew, or softly, in place, leaving their bytes as holes. */
import type { Run } from '../../base/run.ts';
import { freeSpace, requireSpace } from '../../storage/output-file.ts';
import { keepImages } from '../../wim/edit-xml.ts';
import { HeaderFlag } from '../../wim/part-header.ts';
import type { Part } from '../../wim/resource.ts';
import { isEveryImage, type Wim, type WimImage } from '../../wim/wim.ts';
import { EditableWim, EditSession } from '../../wim/write-session.ts';
import { editedSize, integrityChunkSizeAfter, rebuiltSize } from './predict-size.ts';
import {
	COPYING,
	copyAhead,
	findPlain,
	planBlobs,
	replacingSession,
	reportMissing,
	type Selection,
	selectImages,
	shapeLike,
	storeSelections,
} from './rebuild.ts';
import { planCompression, USUAL_COMPRESSION, type WriteTools } from './write-options.ts';

export interface DeleteOptions {
	/** Designations; `all` for all. */
	readonly images: readonly string[];
	/** Leave what is no longer needed as holes. */
	readonly soft: boolean;
	/** Null: as the file has it. */
	readonly integrity: boolean | null;
	readonly dryRun: boolean;
}

/** What a rewriting of a file came to, or would come to. */
export interface RewriteSummary {
	/** In bytes. */
	readonly sizeBefore: number;
	readonly sizeAfter: number;
	readonly writtenBytes: number;
	/** What can be written where the file lies; null where the system does not tell. */
	readonly freeBytes: number | null;
	/** Whether sizes are estimates. */
	readonly isEstimate: boolean;
	readonly imageCount: number;
}

/** The images that designations mean, each once. */
export function chooseImages(wim: Wim, designations: readonly string[]): WimImage[] {
	const chosen = new Set<WimImage>();
	for (const text of designations)
		if (isEveryImage(text)) for (const image of wim.images) chosen.add(image);
		else chosen.add(wim.image(text));
	return wim.images.filter((image) => chosen.has(image));
}

/** Index of the bootable image once others are gone: 0 when it is gone itself. */
export function bootIndexAmong(wim: Wim, kept: readonly WimImage[]): number {
	return kept.findIndex(({ index }) => index === wim.bootIndex) + 1;
}

export async function deleteImages(
	target: string,
	options: DeleteOptions,
	tools: WriteTools,
	run: Run,
): Promise<RewriteSummary> {
	const copiedEnd = options.soft ? null : (part: Part) => expectedEnd(part, options);
	await using edited = await EditableWim.open(target, run, options.dryRun, copiedEnd);
	const { wim } = edited;
	const gone = new Set(chooseImages(wim, options.images));
	const kept = wim.images.filter((image) => !gone.has(image));
	const integrity = options.integrity ?? wim.header.integrity.offset !== 0;
	const plan = planCompression(USUAL_COMPRESSION, wim);
	const settings = { level: plan.level, integrity, encoder: tools.encoder, foreign: new Map() };
	const summary = {
		sizeBefore: wim.size,
		freeBytes: await (edited.early?.freeBytes ?? freeSpace(target)),
		imageCount: kept.length,
	};
	const shape = {
		...shapeLike(wim),
		bootIndex: bootIndexAmong(wim, kept),
		imageCount: kept.length,
	};
	const isSoft = options.soft && edited.obstacle === null;
	await using session =
		isSoft || options.dryRun ? null : await replacingSession(edited, shape, settings, run);
	if (session !== null) await copyAhead(session, wim, kept, summary.freeBytes);
	const plain = isSoft ? null : await findPlain(wim, shape, COPYING, run);
	const selection = await selectImages(wim, kept, run, false, undefined, plain);
	reportMissing(selection, target, run);
	if (isSoft) {
		if (options.dryRun)
			return { ...summary, ...(await softSize(edited, kept, integrity)), isEstimate: false };
		const sizeAfter = await softDelete(edited, selection, kept, settings, run);
		const writtenBytes = sizeAfter - edited.end;
		return { ...summary, sizeAfter, writtenBytes, isEstimate: false };
	}
	const blobs = planBlobs(selection, shape, COPYING, () => false);
	const xml = wim.xml.copy();
	keepImages(
		xml,
		kept.map(({ index }) => index),
	);
	const predicted = rebuiltSize({ selection, blobs, shape, xml, integrity, recompress: false });
	if (session === null)
		return {
			...summary,
			sizeAfter: predicted.size,
			writtenBytes: predicted.size,
			isEstimate: predicted.isEstimate,
		};
	if (!predicted.isEstimate) requireSpace(target, predicted.size, summary.freeBytes);
	session.xml.root.children = xml.root.children;
	await storeSelections(session, [{ ...selection, planned: blobs }], COPYING, plan, tools, run);
	const sizeAfter = await session.commit();
	return { ...summary, sizeAfter, writtenBytes: sizeAfter, isEstimate: false };
}

/**
 * How far a part is needed, as far as its header tells; see `EarlyCopy`. What only the first image needs stands in front;
 * a name may mean that one.
 */
function expectedEnd({ header }: Part, { images }: DeleteOptions): number {
	const isFirstKept = images.every((image) => /^[0-9]+$/.test(image) && Number(image) !== 1);
	const isSound = (header.flags & HeaderFlag.writeInProgress) === 0;
	return isFirstKept && isSound ? header.blobTable.offset : 0;
}

async function softDelete(
	edited: EditableWim,
	selection: Selection,
	kept: readonly WimImage[],
	settings: Parameters<typeof EditSession.start>[1],
	run: Run,
): Promise<number> {
	const { wim } = edited;
	await using session = await EditSession.start(edited, settings, run);
	await session.begin();
	keepImages(
		session.xml,
		kept.map(({ index }) => index),
	);
	session.metadata.length = 0;
	session.metadata.push(...kept.map(({ metadata }) => metadata));
	session.shape.bootIndex = bootIndexAmong(wim, kept);
	session.references = selection.references.copy();
	return await session.commit();
}

/** What a soft delete appends: an undo record, the tables, the XML data, and the integrity table. */
async function softSize(
	edited: EditableWim,
	kept: readonly WimImage[],
	integrity: boolean,
): Promise<{ sizeAfter: number; writtenBytes: number }> {
	const { wim, end } = edited;
	const xml = wim.xml.copy();
	keepImages(
		xml,
		kept.map(({ index }) => index),
	);
	const integrityChunkSize = await integrityChunkSizeAfter(wim, integrity);
	const sizeAfter = editedSize({ wim, end, xml, imageCount: kept.length, integrityChunkSize });
	return { sizeAfter, writtenBytes: sizeAfter - end };
}
