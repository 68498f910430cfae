/**
 * A made-up image of the contents that no readable image names: files called after their SHA-1, so that they can be
 * looked at and extracted like any others although the metadata that named them is lost.
 */

import { WimError } from '../../base/errors.ts';
import { inSlices } from '../../base/slices.ts';
import type { Sha1 } from '../../bytes/sha1.ts';
import { Sha1Counts } from '../../bytes/sha1-counts.ts';
import { Span } from '../../bytes/span.ts';
import { countBlobs } from '../../image/blob-users.ts';
import { Attribute } from '../../image/dentry.ts';
import { addNode, EditTree, newInode } from '../../image/edit-tree.ts';
import { encodeTree } from '../../image/encode-tree.ts';
import { type OpenImage, openImage } from '../../image/open.ts';
import { ImageTree } from '../../image/tree.ts';
import type { Wim } from '../../wim/wim.ts';
import { UNNAMED_FOLDER } from '../salvage/unnamed.ts';

/** What designates it, in place of the number or the name of an image. */
export const UNNAMED_IMAGE = UNNAMED_FOLDER;

/** Entries between two pauses. */
const SLICE = 4096;

/** The SHA-1s of all contents that the readable images name. */
async function namedContents(wim: Wim, pause: () => Promise<void>): Promise<Sha1Counts> {
	const named = new Sha1Counts();
	for (const image of wim.images) {
		try {
			const { tree } = await openImage(wim, image, { tolerant: true }, pause);
			await inSlices(countBlobs(tree, named), pause);
		} catch (error) {
			// What it named is what this is about.
			if (!(error instanceof WimError)) throw error;
		}
		await pause();
	}
	return named;
}

/**
 * Puts the image together; every readable image is read for it.
 *
 * @param pause awaited between slices; it may throw to cancel
 */
export async function openUnnamed(
	wim: Wim,
	pause: () => Promise<void> = () => new Promise((resolve) => setImmediate(resolve)),
): Promise<OpenImage> {
	const named = await namedContents(wim, pause);
	const tree = new EditTree(newInode(Attribute.directory));
	let steps = 0;
	for (const { sha1 } of wim.blobs.values()) {
		if (++steps % SLICE === 0) await pause();
		if (!named.has(sha1)) addFile(tree, sha1);
	}
	const span = new Span(encodeTree(tree), UNNAMED_IMAGE);
	// Nothing but its number is looked at of an image that has no metadata of its own.
	const model = wim.images[0];
	if (!model) throw new Error('A file without images has no contents without names');
	return {
		wim,
		image: { ...model, index: 0, facts: { ...model.facts, name: UNNAMED_IMAGE } },
		tree: await ImageTree.parseInSlices(span, { tolerant: false }, pause),
		digestFault: null,
	};
}

function addFile(tree: EditTree, sha1: Sha1): void {
	const inode = newInode(Attribute.archive);
	inode.data = { name: '', sha1 };
	addNode(tree.root, sha1, '', inode);
}
