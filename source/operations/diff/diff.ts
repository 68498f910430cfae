/**
 * Compares two trees: images, or an image and a folder of this machine. Images compare by metadata alone; files of a
 * folder by size and time, or, when asked for, by their contents.
 */
import { breathe, type Run } from '../../base/run.ts';
import type { Inode } from '../../image/edit-tree.ts';
import { openImage } from '../../image/open.ts';
import { openWim } from '../../wim/wim.ts';
import { hashContent } from '../../wim/write-blobs.ts';
import { CaptureShare, captureTree } from '../capture/capture-tree.ts';
import {
	compareTrees,
	type DiffChange,
	type DiffTree,
	folderDiffTree,
	imageDiffTree,
} from './diff-trees.ts';

/** One side. */
export type DiffSide =
	| {
			readonly type: 'image';
			readonly wim: string;
			readonly image: string;
			/** Patterns of further files. */
			readonly references: readonly string[];
	  }
	| { readonly type: 'folder'; readonly path: string };

export interface DiffOptions {
	/** Read the files of folders, instead of comparing size and time. */
	readonly content: boolean;
}

export interface DiffSummary {
	/** In order of path. */
	readonly changes: readonly DiffChange[];
	readonly added: number;
	readonly removed: number;
	readonly moved: number;
	readonly changed: number;
	readonly unchanged: number;
}

export async function diff(
	before: DiffSide,
	after: DiffSide,
	options: DiffOptions,
	run: Run,
): Promise<DiffSummary> {
	const one = await openSide(before, options, run);
	const two = await openSide(after, options, run);
	const { changes, unchanged } = await compareTrees(one, two, run);
	changes.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
	const count = (type: DiffChange['type']) =>
		changes.filter((change) => change.type === type).length;
	return {
		changes,
		added: count('added'),
		removed: count('removed'),
		moved: count('moved'),
		changed: count('changed'),
		unchanged,
	};
}

async function openSide(side: DiffSide, options: DiffOptions, run: Run): Promise<DiffTree> {
	if (side.type === 'image') {
		await using wim = await openWim(side.wim, { references: side.references });
		const image = wim.image(side.image);
		const { tree } = await openImage(wim, image, { tolerant: false }, () => breathe(run));
		return imageDiffTree(wim, tree);
	}
	const rules = { exclusions: [], exceptions: [] };
	const captured = await captureTree(
		side.path,
		{ rules, dereference: false, unixData: false, acls: 'store', rpFix: true, ownFiles: new Set() },
		'root',
		new CaptureShare(),
		run,
	);
	const sizes = new Map<Inode, number>();
	for (const { inode, stream, content } of captured.pending) {
		if (stream === inode.data) sizes.set(inode, content.size);
		// Links and named streams are in memory already.
		if (options.content || stream !== inode.data) stream.sha1 = await hashContent(content, run);
	}
	return folderDiffTree(captured.tree, (inode) => sizes.get(inode) ?? 0, options.content);
}
