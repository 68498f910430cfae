/** Makes edited trees images of their WIM, all in one step: in place where that can be done, else by writing the whole file anew. */
import type { Run } from '../../base/run.ts';
import { inSlices } from '../../base/slices.ts';
import { filetimeFromMs } from '../../bytes/filetime.ts';
import type { Sha1 } from '../../bytes/sha1.ts';
import type { Sha1Counts } from '../../bytes/sha1-counts.ts';
import type { EditTree } from '../../image/edit-tree.ts';
import { readWindowsProperties } from '../../image/windows-properties.ts';
import type { Content } from '../../storage/content.ts';
import { BlobContents } from '../../wim/blob-content.ts';
import { addImageElement, imageElement, setTime } from '../../wim/edit-xml.ts';
import { countedBlobs } from '../../wim/part-blobs.ts';
import type { WimImage } from '../../wim/wim.ts';
import { type EditableWim, EditSession, type NewSession } from '../../wim/write-session.ts';
import type { XmlElement } from '../../wim/xml-element.ts';
import {
	type FurtherMetadata,
	replacingSession,
	selectImages,
	shapeLike,
	solidLike,
	storeSelections,
} from '../rewrite/rebuild.ts';
import {
	type CompressionPlan,
	planCompression,
	USUAL_COMPRESSION,
	type WriteTools,
} from '../rewrite/write-options.ts';
import { hashImage, type ScannedImage } from './capture.ts';
import type { PendingStream } from './capture-tree.ts';
import {
	blobsOf,
	filesOf,
	setWindowsProperties,
	storeContents,
	storeHashed,
	storeMetadata,
} from './store-image.ts';

/** An image's tree after an edit. */
export interface TreeChange {
	/** The image that was edited. */
	readonly image: WimImage;
	readonly tree: EditTree;
	/** How often the tree referenced each blob before the edit. */
	readonly before: Sha1Counts;
	/** Contents that the WIM does not hold yet. */
	readonly pending: readonly PendingStream[];
	/** Leave the image as it was, and add a nameless one behind the others. */
	readonly asNewImage: boolean;
	/** Look again what the registry in the tree says of itself. */
	readonly mayChangeWindows: boolean;
}

export interface CommitOptions {
	/** Write the whole file anew. */
	readonly rebuild: boolean;
	/** Null: as the file has it. */
	readonly integrity: boolean | null;
}

/** Sizes in bytes. */
export interface CommitSummary {
	readonly fileSize: number;
	readonly writtenBytes: number;
}

/**
 * @param unordered one change for each image at most
 * @throws {HostError} for a full disk; the file then is as it was
 */
export async function commitTrees(
	edited: EditableWim,
	unordered: readonly TreeChange[],
	options: CommitOptions,
	tools: WriteTools,
	run: Run,
): Promise<CommitSummary> {
	const { wim } = edited;
	// Metadata are put where they belong one after the other, the new image last.
	const changes = unordered.toSorted(
		(a, b) => positionOf(a, wim.images.length) - positionOf(b, wim.images.length),
	);
	const isRebuilt = options.rebuild || edited.obstacle !== null;
	const usual = planCompression(USUAL_COMPRESSION, wim);
	const plan = { ...usual, solid: wim.isPipable ? null : solidLike(wim, usual.level) };
	const integrity = options.integrity ?? wim.header.integrity.offset !== 0;
	const settings = { level: plan.level, integrity, encoder: tools.encoder, foreign: new Map() };
	const session = isRebuilt
		? await replacingSession(edited, shapeLike(wim), settings, run)
		: await EditSession.start(edited, settings, run);
	await using _session = session;
	const named: NamedChange[] = [];
	for (const change of changes) {
		const element = elementOf(session, change, wim.images.length, run);
		if (change.mayChangeWindows) await collectWindows(session, edited, change, element, run);
		named.push({ ...change, element, position: positionOf(change, wim.images.length) });
	}
	if (session instanceof EditSession) await edit(session, named, plan, tools, run);
	else await rewrite(session, edited, named, plan, tools, run);
	const fileSize = await session.commit();
	return { fileSize, writtenBytes: isRebuilt ? fileSize : fileSize - edited.end };
}

/** A change with where it goes. */
interface NamedChange extends TreeChange {
	readonly element: XmlElement;
	/** Among the images, from 0. */
	readonly position: number;
}

const positionOf = ({ image, asNewImage }: TreeChange, imageCount: number): number =>
	asNewImage ? imageCount : image.index - 1;

/** The XML element of the image, with the time of this change. */
function elementOf(
	{ xml }: EditSession | NewSession,
	{ image, asNewImage }: TreeChange,
	imageCount: number,
	run: Run,
): XmlElement {
	const now = filetimeFromMs(run.clock.now());
	const old = imageElement(xml, image.index);
	const element = asNewImage ? addImageElement(xml, imageCount + 1, old) : old;
	if (asNewImage) {
		xml.set(element, 'NAME', '');
		setTime(xml, element, 'CREATIONTIME', now);
	}
	setTime(xml, element, 'LASTMODIFICATIONTIME', now);
	return element;
}

async function collectWindows(
	session: EditSession | NewSession,
	{ wim }: EditableWim,
	change: TreeChange,
	element: XmlElement,
	run: Run,
): Promise<void> {
	const fresh = new Map<object, Content>();
	for (const { inode, stream, content } of change.pending)
		if (stream === inode.data) fresh.set(inode, content);
	const contents = new BlobContents();
	const files = filesOf(change.tree, (inode) => {
		const blob = wim.blobs.get(inode.data?.sha1 ?? '');
		return fresh.get(inode) ?? (blob === undefined ? null : contents.content(blob));
	});
	const properties = await readWindowsProperties(files, (message) =>
		run.report({ type: 'warning', message }),
	);
	setWindowsProperties(session.xml, element, properties);
}

async function edit(
	session: EditSession,
	changes: readonly NamedChange[],
	plan: CompressionPlan,
	tools: WriteTools,
	run: Run,
): Promise<void> {
	await session.begin();
	const { references } = session;
	for (const { before, asNewImage } of changes)
		if (!asNewImage)
			for (const [sha1, count] of before)
				references.set(sha1, Math.max(0, (references.get(sha1) ?? 0) - count));
	await storeContents(session, treesOf(changes), pendingOf(changes), plan, tools, run);
	for (const { tree, element, position } of changes)
		session.metadata[position] = await storeMetadata(session, tree, element);
}

const treesOf = (changes: readonly TreeChange[]): EditTree[] => changes.map(({ tree }) => tree);

/** All contents together: what several images get is stored once. */
const pendingOf = (changes: readonly TreeChange[]): PendingStream[] =>
	changes.flatMap(({ pending }) => pending);

/** Writes the file anew with the changed images in it. */
async function rewrite(
	session: NewSession,
	{ wim }: EditableWim,
	changes: readonly NamedChange[],
	plan: CompressionPlan,
	tools: WriteTools,
	run: Run,
): Promise<void> {
	const replaced = new Set(
		changes.flatMap(({ asNewImage, image }) => (asNewImage ? [] : [image.index])),
	);
	const others = wim.images.filter(({ index }) => !replaced.has(index));
	const selected = await selectImages(wim, others, run, plan.solid?.sorted ?? false);
	// What the changed images still have of the old file is copied with the rest, but counted with their trees.
	const references = selected.references.copy();
	for (const { tree } of changes)
		for (const sha1 of blobsOf(tree)) if (!references.has(sha1)) references.set(sha1, 0);
	const selection = {
		...selected,
		references,
		blobs: await inSlices(countedBlobs(wim.blobs, references)),
	};
	const policy = { recompress: false, keepSolid: true };
	if (session.shape.isPipable) {
		const sizeOf = (name: Sha1) => wim.blobs.get(name)?.size ?? 0;
		const further: FurtherMetadata[] = [];
		const hashed: PendingStream[] = [];
		for (const { tree, pending, element, position } of changes) {
			const scanned: ScannedImage = { tree, pending, contents: new Map(), rpFix: false };
			const image = await hashImage(session, scanned, element, run, sizeOf);
			further.push({ bytes: image.metadata, position });
			for (const stream of image.pending) hashed.push(stream);
		}
		await storeSelections(session, [selection], policy, plan, tools, run, further);
		await storeHashed(session, hashed, run);
	} else {
		await storeSelections(session, [selection], policy, plan, tools, run);
		await storeContents(session, treesOf(changes), pendingOf(changes), plan, tools, run);
		for (const { tree, element, position } of changes)
			session.metadata.splice(position, 0, await storeMetadata(session, tree, element));
	}
}
