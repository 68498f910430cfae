/** Stores the contents of a captured tree and then its metadata: the part that capture, append and update share. */
import { HostError, WimError } from '../../base/errors.ts';
import type { Run } from '../../base/run.ts';
import { isEmptyStream, type Sha1 } from '../../bytes/sha1.ts';
import {
	type EditTree,
	type Inode,
	isDirectory,
	removeNode,
	streamsOf,
} from '../../image/edit-tree.ts';
import { countReferences, encodeTree, treeStatistics } from '../../image/encode-tree.ts';
import type { TreeFiles, XmlProperty } from '../../image/windows-properties.ts';
import { type Content, FileContent } from '../../storage/content.ts';
import { dropElement, setStatistics } from '../../wim/edit-xml.ts';
import { hashContent, type NewBlob } from '../../wim/write-blobs.ts';
import { ResourceWriter } from '../../wim/write-resource.ts';
import type { WriteSession } from '../../wim/write-session.ts';
import { sortSolid, writeSolid } from '../../wim/write-solid.ts';
import type { TableBlob } from '../../wim/write-table.ts';
import type { XmlData } from '../../wim/xml-data.ts';
import type { XmlElement } from '../../wim/xml-element.ts';
import type { CompressionPlan, WriteTools } from '../rewrite/write-options.ts';
import type { PendingStream } from './capture-tree.ts';
import { findNode } from './overlay.ts';

/** Stores what is pending. Files that could not be read are reported, and taken out of the trees. */
export async function storeContents(
	session: WriteSession,
	trees: readonly EditTree[],
	pending: readonly PendingStream[],
	plan: CompressionPlan,
	tools: WriteTools,
	run: Run,
): Promise<void> {
	const failed = new Set<Inode>();
	const totalBytes = pending.reduce((sum, { content }) => sum + content.size, 0);
	run.report({ type: 'phase', phase: 'write', totalBytes });
	const blobs = newBlobs(pending, (inode, error) => {
		failed.add(inode);
		run.report({ type: 'problem', error });
	});
	if (plan.solid !== null) {
		const { sorted, ...format } = plan.solid;
		const writer = new ResourceWriter(session.output, format, tools.encoder, run);
		await writeSolid(session.store, writer, sorted ? sortSolid(blobs) : blobs, run);
	} else {
		for (const blob of blobs) await session.store.add(blob);
		await session.store.finish();
	}
	for (const tree of trees) removeInodes(tree, failed);
}

/**
 * Learns the SHA-1 of everything without storing anything, for files whose metadata comes first. What is pending then
 * is stored by `storeHashed`.
 */
export async function hashContents(
	tree: EditTree,
	pending: readonly PendingStream[],
	run: Run,
): Promise<readonly PendingStream[]> {
	const failed = new Set<Inode>();
	const totalBytes = pending.reduce((sum, { content }) => sum + content.size, 0);
	run.report({ type: 'phase', phase: 'hash', totalBytes });
	for (const { stream, content, inode } of pending)
		try {
			stream.sha1 = await hashContent(content, run);
			run.report({ type: 'advance', bytes: content.size });
		} catch (error) {
			if (!(error instanceof WimError) || error.code === 'canceled') throw error;
			failed.add(inode);
			run.report({ type: 'problem', error });
		}
	removeInodes(tree, failed);
	return pending.filter(({ inode }) => !failed.has(inode));
}

/** Stores what the metadata names already. @throws {HostError} when something is no longer what it was. */
export async function storeHashed(
	session: WriteSession,
	pending: readonly PendingStream[],
	run: Run,
): Promise<void> {
	const totalBytes = pending.reduce((sum, { content }) => sum + content.size, 0);
	run.report({ type: 'phase', phase: 'write', totalBytes });
	for (const { stream, content } of pending)
		await session.store.add({
			content,
			mayRepeat: true,
			settle(outcome) {
				// Its contents are named already: without them the WIM would not be whole.
				if ('error' in outcome) throw new HostError(outcome.error.message, outcome.error.facts);
				if (outcome.sha1 !== stream.sha1)
					throw new HostError(`Cannot capture "${content.name}": it changed meanwhile`, {
						path: content.name,
						hint: 'Capture again when nothing writes to it, or without --pipable.',
					});
			},
		});
	await session.store.finish();
}

function newBlobs(
	pending: readonly PendingStream[],
	fail: (inode: Inode, error: WimError) => void,
): (NewBlob & { readonly fileName: string })[] {
	const sizes = new Map<number, number>();
	for (const { content } of pending) sizes.set(content.size, (sizes.get(content.size) ?? 0) + 1);
	return pending.map(({ content, stream, inode, fileName }) => ({
		content,
		origin: content instanceof FileContent ? { kind: 'file', file: content.file } : null,
		fileName,
		mayRepeat: (sizes.get(content.size) ?? 0) > 1,
		settle(outcome) {
			if ('error' in outcome) fail(inode, outcome.error);
			else stream.sha1 = outcome.sha1;
		},
	}));
}

function removeInodes(tree: EditTree, inodes: ReadonlySet<Inode>): void {
	if (inodes.size === 0) return;
	for (const node of [...tree.nodes()]) if (inodes.has(node.inode)) removeNode(node);
}

/** Stores the metadata of an image and sets its statistics in the XML data. The blob is not listed yet. */
export async function storeMetadata(
	session: WriteSession,
	tree: EditTree,
	element: XmlElement,
): Promise<TableBlob> {
	setStatistics(
		session.xml,
		element,
		treeStatistics(tree, (name) => session.store.sizeOf(name)),
	);
	countReferences(tree, session.references);
	return session.writeMetadata(encodeTree(tree));
}

/** Sets what Windows in the tree says of itself; what was said of an earlier one goes. */
export function setWindowsProperties(
	xml: XmlData,
	element: XmlElement,
	properties: readonly XmlProperty[],
): void {
	if (properties.length === 0) return;
	dropElement(element, 'WINDOWS');
	for (const { path, text, onlyIfMissing } of properties)
		if (!onlyIfMissing || xml.get(element, path) === null) xml.set(element, path, text);
}

/** The files of a tree, for the properties of Windows. */
export function filesOf(tree: EditTree, contentOf: (inode: Inode) => Content | null): TreeFiles {
	const find = (path: string) => findNode(tree, path)?.inode ?? null;
	const isFile = (inode: Inode | null) => inode !== null && !isDirectory(inode);
	return {
		rootFolders: [...(tree.root.children?.values() ?? [])]
			.filter((node) => node.children !== null)
			.map(({ name }) => name),
		hasFile: (path) => isFile(find(path)),
		async read(path, limit) {
			const inode = find(path);
			const content = inode === null ? null : contentOf(inode);
			if (content === null) return null;
			const reader = await content.open();
			try {
				const bytes = new Uint8Array(Math.min(limit, content.size));
				const got = await reader.read(bytes);
				return bytes.subarray(0, got);
			} finally {
				await reader.close();
			}
		},
	};
}

/** Every blob that a tree names. */
export function blobsOf(tree: EditTree): Set<Sha1> {
	const names = new Set<Sha1>();
	for (const inode of tree.inodes())
		for (const { sha1 } of streamsOf(inode)) if (!isEmptyStream(sha1)) names.add(sha1);
	return names;
}
