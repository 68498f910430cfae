/** Captures folders of this machine as an image: into a new file, standard output, or one that exists (append). */
import { InputError } from '../../base/errors.ts';
import type { Run } from '../../base/run.ts';
import { filetimeFromMs } from '../../bytes/filetime.ts';
import type { Sha1 } from '../../bytes/sha1.ts';
import { EditTree, type Inode } from '../../image/edit-tree.ts';
import { countReferences, encodeTree, treeSize, treeStatistics } from '../../image/encode-tree.ts';
import { splitPath } from '../../image/patterns.ts';
import { readWindowsProperties } from '../../image/windows-properties.ts';
import type { Content } from '../../storage/content.ts';
import type { Output } from '../../storage/output.ts';
import { filesOfTarget, requirePlace } from '../../storage/output-file.ts';
import {
	addImageElement,
	requireFreeName,
	setProperty,
	setStatistics,
	setTime,
} from '../../wim/edit-xml.ts';
import { INTEGRITY_CHUNK_SIZE } from '../../wim/integrity-table.ts';
import { HEADER_SIZE } from '../../wim/part-header.ts';
import { NewSession, type WriteSession } from '../../wim/write-session.ts';
import type { WimShape } from '../../wim/write-wim.ts';
import { XmlData } from '../../wim/xml-data.ts';
import type { XmlElement } from '../../wim/xml-element.ts';
import { type NewImageSize, sizeWithImage } from '../rewrite/predict-size.ts';
import {
	type CompressionPlan,
	type CompressionRequest,
	expectNew,
	forWimBoot,
	planCompression,
	requireWritable,
	type WriteTools,
} from '../rewrite/write-options.ts';
import { openDeltaBases, reuseUnchanged } from './capture-bases.ts';
import {
	CaptureShare,
	type CaptureTreeOptions,
	captureTree,
	type PendingStream,
} from './capture-tree.ts';
import { fillerInode, placeTree } from './overlay.ts';
import {
	filesOf,
	hashContents,
	setWindowsProperties,
	storeContents,
	storeHashed,
	storeMetadata,
} from './store-image.ts';

/** One folder or file to be captured, and where it goes in the image. */
export interface CaptureSource {
	/** On this machine. */
	readonly path: string;
	/** In the image; `/` is the root. */
	readonly target: string;
}

/** What an image is to be called, and how it is looked at. */
export interface ImageOptions {
	readonly name: string;
	/** '' for none. */
	readonly description: string;
	/** Paths such as `FLAGS` or `WINDOWS/VERSION/BUILD`. */
	readonly properties: readonly { readonly path: string; readonly text: string }[];
	readonly boot: boolean;
	readonly tree: Omit<CaptureTreeOptions, 'rpFix' | 'ownFiles'>;
	/** Null: as usual. Only of what becomes the root are links made relative to it. */
	readonly rpFix: boolean | null;
	/** An image whose unchanged files need not be read again: designation, and the file it is in (null: the target). */
	readonly updateOf: { readonly wim: string | null; readonly image: string } | null;
	/** WIMs whose blobs are not stored again. */
	readonly deltaFrom: readonly string[];
	/** Mark it as one that Windows can read in place. */
	readonly wimBoot: boolean;
}

export interface CaptureOptions {
	readonly image: ImageOptions;
	readonly compression: CompressionRequest;
	readonly integrity: boolean;
	/** Null: only what goes onto a stream. */
	readonly pipable: boolean | null;
	/** Only says what would be done. */
	readonly dryRun: boolean;
}

/** What a capture wrote, or would write. */
export interface CaptureSummary {
	readonly index: number;
	readonly directoryCount: number;
	readonly fileCount: number;
	/** Of the new contents that were looked at, in bytes. */
	readonly sourceBytes: number;
	/** Of the whole file afterwards. In a dry run at most this. */
	readonly fileSize: number;
	/** Whether `fileSize` and `writtenBytes` are estimates. */
	readonly isEstimate: boolean;
	readonly writtenBytes: number;
}

/** A new image's tree with what has to be stored for it. */
export interface ScannedImage {
	readonly tree: EditTree;
	readonly pending: readonly PendingStream[];
	readonly contents: ReadonlyMap<object, Content>;
	readonly rpFix: boolean;
}

/**
 * Scans all sources into one tree.
 *
 * @param target the file that is written; null for a stream
 * @param rpFixUsual whether links are fixed when the user did not say
 * @param expect told on the way how many bytes of files there are at least
 */
export async function scanSources(
	sources: readonly CaptureSource[],
	target: string | null,
	options: ImageOptions,
	rpFixUsual: boolean,
	run: Run,
	expect: (bytes: number) => void,
): Promise<ScannedImage> {
	const pending: PendingStream[] = [];
	const ownFiles = target === null ? new Set<string>() : await filesOfTarget(target);
	const share = new CaptureShare(expect);
	let rpFix = false;
	const now = filetimeFromMs(run.clock.now());
	const placing = { noReplace: false, replaced: () => {}, now, fillers: new Set<Inode>() };
	let tree = new EditTree(fillerInode(placing), share.security);
	for (const [k, source] of sources.entries()) {
		// Only what becomes the root has links that can be made relative to it.
		const isRoot = splitPath(source.target).length === 0;
		const fixes = isRoot && (options.rpFix ?? rpFixUsual);
		rpFix ||= fixes;
		const how = { ...options.tree, rpFix: fixes, ownFiles };
		const place = isRoot ? 'root' : 'entry';
		const captured = await captureTree(source.path, how, place, share, run);
		if (isRoot && captured.isFile)
			throw new InputError(`Cannot capture "${source.path}": it is not a folder`, {
				path: source.path,
				hint: 'Name a folder, or use --source-list to place single files.',
			});
		for (const item of captured.pending) pending.push(item);
		if (isRoot && k === 0) tree = captured.tree;
		else placeTree(tree, source.target, captured, placing);
	}
	const kept = pending.filter(({ inode }) => inode.nameCount > 0);
	const contents = new Map<object, Content>();
	for (const { inode, stream, content } of kept)
		if (stream === inode.data) contents.set(inode, content);
	return { tree, pending: kept, contents, rpFix };
}

/**
 * Captures into a new file or onto a stream.
 *
 * @param target a path, or an output that cannot seek
 */
export async function capture(
	sources: readonly CaptureSource[],
	target: string | Output,
	options: CaptureOptions,
	tools: WriteTools,
	run: Run,
): Promise<CaptureSummary> {
	const asked = options.image.wimBoot ? forWimBoot(options.compression) : options.compression;
	const plan = planCompression(asked, {
		compression: asked.solid ? 'lzms' : 'lzx',
		chunkSize: null,
	});
	const isStream = typeof target !== 'string';
	const isPipable = options.pipable ?? isStream;
	requireWritable({ isPipable, isStream, plan, integrity: options.integrity });
	const file = isStream ? null : target;
	if (file !== null && !options.dryRun) await requirePlace(file);
	const expect = expectNew(tools, options.dryRun);
	const scanned = await scanSources(sources, file, options.image, true, run, expect);
	await using bases = await openDeltaBases(options.image, null, run);
	const pending = await reuseUnchanged(scanned, bases, bases.sizes, run);
	const shape: WimShape = {
		compression: plan.compression,
		chunkSize: plan.chunkSize,
		isPipable,
		rpFix: scanned.rpFix,
		isReadonly: false,
		guid: run.clock.guid(),
		partNumber: 1,
		partCount: 1,
		imageCount: 1,
		bootIndex: options.image.boot ? 1 : 0,
	};
	const xml = XmlData.create(0);
	if (options.dryRun) {
		describeImage(xml, options.image, 1, '', run);
		const size = sizeWithImage({
			...newContents([scanned.tree], pending),
			start: HEADER_SIZE,
			entryCount: 0,
			xml,
			isPipable,
			integrityChunkSize: options.integrity ? INTEGRITY_CHUNK_SIZE : null,
		});
		return estimate(scanned, pending, 1, { fileSize: size, writtenBytes: size });
	}
	const session = await NewSession.create(
		target,
		shape,
		xml,
		{
			level: plan.level,
			integrity: options.integrity,
			encoder: tools.encoder,
			foreign: bases.sizes,
		},
		run,
	);
	await using _session = session;
	const element = describeImage(session.xml, options.image, 1, '', run);
	if (isPipable) await writePipable(session, { ...scanned, pending }, element, run);
	else {
		await session.begin();
		await storeImage(session, { ...scanned, pending }, element, plan, tools, run);
	}
	const fileSize = await session.commit();
	return summarize(pending, session, fileSize, fileSize, 1);
}

/** An image whose metadata can be written before its contents. */
export interface HashedImage {
	readonly pending: readonly PendingStream[];
	readonly metadata: Uint8Array;
}

/**
 * Hashes everything and completes the XML data, for pipable files: there the XML data and the metadata come before the
 * contents.
 */
export async function hashImage(
	session: WriteSession,
	scanned: ScannedImage,
	element: XmlElement,
	run: Run,
	sizeOfKnown: (name: Sha1) => number = (name) => session.store.sizeOf(name),
): Promise<HashedImage> {
	const { tree } = scanned;
	const pending = await hashContents(tree, scanned.pending, run);
	await collectWindows(session.xml, element, scanned, run);
	const sizes = new Map(pending.map(({ stream, content }) => [stream.sha1, content.size]));
	const sizeOf = (name: Sha1) => sizes.get(name) ?? sizeOfKnown(name);
	setStatistics(session.xml, element, treeStatistics(tree, sizeOf));
	countReferences(tree, session.references);
	return { pending, metadata: encodeTree(tree) };
}

async function writePipable(
	session: NewSession,
	scanned: ScannedImage,
	element: XmlElement,
	run: Run,
): Promise<void> {
	const hashed = await hashImage(session, scanned, element, run);
	await session.begin();
	session.metadata.push(await session.writeMetadata(hashed.metadata));
	await storeHashed(session, hashed.pending, run);
}

/** Contents, properties of Windows, metadata: everything but the switch-over. */
export async function storeImage(
	session: WriteSession,
	scanned: ScannedImage,
	element: XmlElement,
	plan: CompressionPlan,
	tools: WriteTools,
	run: Run,
): Promise<void> {
	await collectWindows(session.xml, element, scanned, run);
	await storeContents(session, [scanned.tree], scanned.pending, plan, tools, run);
	session.metadata.push(await storeMetadata(session, scanned.tree, element));
}

async function collectWindows(
	xml: XmlData,
	element: XmlElement,
	scanned: ScannedImage,
	run: Run,
): Promise<void> {
	const files = filesOf(scanned.tree, (inode) => scanned.contents.get(inode) ?? null);
	const properties = await readWindowsProperties(files, (message) =>
		run.report({ type: 'warning', message }),
	);
	setWindowsProperties(xml, element, properties);
}

/** Adds the element of a new image with everything that the user said of it. */
export function describeImage(
	xml: XmlData,
	options: ImageOptions,
	index: number,
	fileName: string,
	run: Run,
): XmlElement {
	// Of several names the last counts, and one that a property sets counts more than the argument.
	const named = options.properties.findLast(({ path }) => path === 'NAME');
	requireFreeName(xml, named?.text ?? options.name, fileName);
	const element = addImageElement(xml, index);
	xml.set(element, 'NAME', options.name);
	if (options.wimBoot) xml.set(element, 'WIMBOOT', '1');
	for (const { path, text } of options.properties) setProperty(xml, element, path, text);
	// Said as an argument it counts more than as a property.
	if (options.description !== '') xml.set(element, 'DESCRIPTION', options.description);
	const now = filetimeFromMs(run.clock.now());
	setTime(xml, element, 'CREATIONTIME', now);
	setTime(xml, element, 'LASTMODIFICATIONTIME', now);
	return element;
}

export function summarize(
	pending: readonly PendingStream[],
	session: WriteSession,
	fileSize: number,
	writtenBytes: number,
	index: number,
): CaptureSummary {
	const facts = session.xml.facts(index);
	return {
		index,
		directoryCount: facts.directoryCount ?? 0,
		fileCount: facts.fileCount ?? 0,
		sourceBytes: pending.reduce((sum, { content }) => sum + content.size, 0),
		fileSize,
		isEstimate: false,
		writtenBytes,
	};
}

/** What is known of a capture before anything is read. */
export function estimate(
	scanned: ScannedImage,
	pending: readonly PendingStream[],
	index: number,
	sizes: Pick<CaptureSummary, 'fileSize' | 'writtenBytes'>,
): CaptureSummary {
	let directoryCount = 0;
	let fileCount = 0;
	for (const node of scanned.tree.nodes())
		if (node.children !== null) directoryCount++;
		else fileCount++;
	const { sourceBytes } = newContents([scanned.tree], pending);
	return { index, directoryCount, fileCount, sourceBytes, isEstimate: true, ...sizes };
}

/** What images add at most: contents as they are, metadata. */
export function newContents(
	trees: readonly EditTree[],
	pending: readonly PendingStream[],
): Pick<NewImageSize, 'sourceBytes' | 'sourceCount' | 'metadataSize' | 'imageCount'> {
	return {
		sourceBytes: pending.reduce((sum, { content }) => sum + content.size, 0),
		sourceCount: pending.length,
		metadataSize: trees.reduce((sum, tree) => sum + treeSize(tree), 0),
		imageCount: trees.length,
	};
}
