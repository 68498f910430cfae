/** Changes what a WIM says of its images, and which one boots; no image is touched. */

import { InputError } from '../../base/errors.ts';
import type { Run } from '../../base/run.ts';
import { equalBytes } from '../../bytes/equal-bytes.ts';
import { filetimeFromMs } from '../../bytes/filetime.ts';
import {
	imageElement,
	requireFreeName,
	requireStorableTexts,
	setProperty,
	setTime,
} from '../../wim/edit-xml.ts';
import { EditableWim, EditSession } from '../../wim/write-session.ts';
import type { XmlData } from '../../wim/xml-data.ts';
import { editedSize, integrityChunkSizeAfter, rebuiltSize } from './predict-size.ts';
import {
	COPYING,
	planBlobs,
	replacingSession,
	selectImages,
	shapeLike,
	storeSelections,
} from './rebuild.ts';
import { planCompression, USUAL_COMPRESSION, type WriteTools } from './write-options.ts';

/** Changes of one image. */
export interface ImageChange {
	/** An index, a name or a description. */
	readonly image: string;
	/** Null: stays. */
	readonly name: string | null;
	/** Null: stays; '' removes it. */
	readonly description: string | null;
	/** Paths such as `FLAGS` or `WINDOWS/VERSION/BUILD`; an empty text removes the element. */
	readonly properties: readonly { readonly path: string; readonly text: string }[];
}

export interface EditPropertiesOptions {
	/** Null when only the file as a whole changes. */
	readonly change: ImageChange | null;
	/** The image that boots: a designation; `0` for none; null: stays. */
	readonly boot: string | null;
	/** Add or drop the integrity table; null: as the file has it. */
	readonly integrity: boolean | null;
	readonly dryRun: boolean;
}

export interface EditSummary {
	/** False when everything was as asked for already; nothing was written then. */
	readonly isChanged: boolean;
	/** Of the file afterwards, in bytes. */
	readonly fileSize: number;
	readonly writtenBytes: number;
	readonly isEstimate: boolean;
}

/** @throws {InputError} for an image that is not there, a name that is taken, a property that cannot be set */
export async function editProperties(
	target: string,
	options: EditPropertiesOptions,
	tools: WriteTools,
	run: Run,
): Promise<EditSummary> {
	await using edited = await EditableWim.open(target, run, options.dryRun);
	const { wim } = edited;
	const xml = wim.xml.copy();
	const { change, boot } = options;
	const index = change === null ? 0 : wim.image(change.image).index;
	if (change !== null) applyChange(xml, change, index, target);
	const bootIndex = boot === null ? wim.bootIndex : boot === '0' ? 0 : wim.image(boot).index;
	const hasTable = wim.header.integrity.offset !== 0;
	const integrity = options.integrity ?? hasTable;
	const isTextChanged = !equalBytes(xml.encode(), wim.xml.encode());
	const isChanged = isTextChanged || bootIndex !== wim.bootIndex || integrity !== hasTable;
	if (!isChanged) return { isChanged, fileSize: wim.size, writtenBytes: 0, isEstimate: false };
	if (isTextChanged && index > 0) {
		const now = filetimeFromMs(run.clock.now());
		setTime(xml, imageElement(xml, index), 'LASTMODIFICATIONTIME', now);
	}
	const isInPlace = edited.obstacle === null;
	if (options.dryRun) {
		if (!isInPlace) {
			const shape = shapeLike(wim);
			const selection = await selectImages(wim, wim.images, run, false);
			const blobs = planBlobs(selection, shape, COPYING, () => false);
			const { size, isEstimate } = rebuiltSize({
				selection,
				blobs,
				shape,
				xml,
				integrity,
				recompress: false,
			});
			return { isChanged, fileSize: size, writtenBytes: size, isEstimate };
		}
		const integrityChunkSize = await integrityChunkSizeAfter(wim, integrity);
		const { end } = edited;
		const fileSize = editedSize({
			wim,
			end,
			xml,
			imageCount: wim.images.length,
			integrityChunkSize,
		});
		return { isChanged, fileSize, writtenBytes: fileSize - end, isEstimate: false };
	}
	const plan = planCompression(USUAL_COMPRESSION, wim);
	const settings = { level: plan.level, integrity, encoder: tools.encoder, foreign: new Map() };
	const session = isInPlace
		? await EditSession.start(edited, settings, run)
		: await replacingSession(edited, shapeLike(wim), settings, run);
	await using _session = session;
	session.xml.root.children = xml.root.children;
	session.shape.bootIndex = bootIndex;
	if (session instanceof EditSession) await session.begin();
	else {
		const selection = await selectImages(wim, wim.images, run, false);
		await storeSelections(session, [selection], COPYING, plan, tools, run);
	}
	const fileSize = await session.commit();
	const writtenBytes = isInPlace ? fileSize - edited.end : fileSize;
	return { isChanged, fileSize, writtenBytes, isEstimate: false };
}

function applyChange(xml: XmlData, change: ImageChange, index: number, target: string): void {
	requireStorableTexts(change);
	const element = imageElement(xml, index);
	if (change.name !== null) {
		requireFreeName(xml, change.name, target, index);
		xml.set(element, 'NAME', change.name);
	}
	if (change.description !== null) xml.set(element, 'DESCRIPTION', change.description);
	for (const { path, text } of change.properties) {
		if (path === 'NAME' && text !== '') requireFreeName(xml, text, target, index);
		if (path === '') throw new InputError('Cannot set a property without a name');
		setProperty(xml, element, path, text);
	}
}
