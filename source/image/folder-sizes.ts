/**
 * How much lies at and below every entry of an image. Each file counts once a folder however many names it has there,
 * and each content once a folder however many files hold it: where the walk meets one again, the nearest folder that
 * holds both places takes one off. So the sum over any folder is that of its different files and contents, and the
 * folders of a folder may add up to more than it.
 */

import type { Sha1 } from '../bytes/sha1.ts';
import { isEmptyStream } from '../bytes/sha1.ts';
import { type DentryPosition, type ImageTree, ROOT } from './tree.ts';

/** What a content costs, in bytes. */
export interface ContentSize {
	readonly size: number;
	/** In the WIM; of solid resources its share by size. */
	readonly storedSize: number;
}

/** By position of the dentry, at and below it. */
export interface FolderSizes {
	/** Bytes of all streams; a file with several names counts once. */
	readonly sizes: Float64Array;
	/** Stored bytes; equal contents count once. */
	readonly storedSizes: Float64Array;
	/** Names of files, links included. */
	readonly fileCounts: Uint32Array;
	readonly folderCounts: Uint32Array;
}

/** Entries walked between two steps. */
const STEP_ENTRIES = 256;

/** Positions in the order of a walk that finishes a folder before it goes on. */
function* walk(tree: ImageTree): Generator<DentryPosition, void, undefined> {
	const nexts = [tree.firstChild(ROOT)];
	const ends = [tree.firstChild(ROOT) + tree.childCount(ROOT)];
	while (nexts.length > 0) {
		const depth = nexts.length - 1;
		const dentry = nexts[depth]!;
		if (dentry === ends[depth]) {
			nexts.pop();
			ends.pop();
			continue;
		}
		nexts[depth] = dentry + 1;
		yield dentry;
		const count = tree.childCount(dentry);
		if (count === 0) continue;
		nexts.push(tree.firstChild(dentry));
		ends.push(tree.firstChild(dentry) + count);
	}
}

/**
 * Adds everything up, step by step; the generator may be dropped at any `yield`.
 *
 * @param contentOf null for a content that is not in the open parts
 */
export function* folderSizeSteps(
	tree: ImageTree,
	contentOf: (sha1: Sha1) => ContentSize | null,
): Generator<void, FolderSizes, undefined> {
	const { count } = tree;
	const sizes = new Float64Array(count);
	const storedSizes = new Float64Array(count);
	const fileCounts = new Uint32Array(count);
	const folderCounts = new Uint32Array(count);
	const depths = new Uint16Array(count);
	const lastNames = new Map<DentryPosition, DentryPosition>();
	const lastPlaces = new Map<Sha1, DentryPosition>();
	let walked = 0;
	for (const dentry of walk(tree)) {
		if (++walked % STEP_ENTRIES === 0) yield;
		depths[dentry] = depths[tree.parent(dentry)]! + 1;
		if (tree.isDirectory(dentry)) folderCounts[dentry] = 1;
		else fileCounts[dentry] = 1;
		const before = tree.linksOf(dentry).length > 1 ? lastOf(lastNames, tree, dentry) : null;
		const shared = before === null ? null : meeting(tree, depths, before, dentry);
		for (const { sha1 } of tree.streams(dentry)) {
			if (isEmptyStream(sha1)) continue;
			const content = contentOf(sha1);
			if (content === null) continue;
			sizes[dentry]! += content.size;
			if (shared !== null) sizes[shared]! -= content.size;
			storedSizes[dentry]! += content.storedSize;
			const last = lastPlaces.get(sha1);
			if (last !== undefined)
				storedSizes[meeting(tree, depths, last, dentry)]! -= content.storedSize;
			lastPlaces.set(sha1, dentry);
		}
	}
	// Children have higher positions than their folder, so sums flow upwards from the end.
	for (let dentry = count - 1; dentry > 0; dentry--) {
		if (dentry % (16 * STEP_ENTRIES) === 0) yield;
		const parent = tree.parent(dentry);
		sizes[parent]! += sizes[dentry]!;
		storedSizes[parent]! += storedSizes[dentry]!;
		fileCounts[parent]! += fileCounts[dentry]!;
		folderCounts[parent]! += folderCounts[dentry]!;
	}
	return { sizes, storedSizes, fileCounts, folderCounts };
}

/** The name of the same file that the walk met last, or null. */
function lastOf(
	lastNames: Map<DentryPosition, DentryPosition>,
	tree: ImageTree,
	dentry: DentryPosition,
): DentryPosition | null {
	const inode = tree.inode(dentry);
	const last = lastNames.get(inode) ?? null;
	lastNames.set(inode, dentry);
	return last;
}

/** The deepest entry at or above both; the entry itself where a file holds the same content twice. */
function meeting(
	tree: ImageTree,
	depths: Uint16Array,
	one: DentryPosition,
	other: DentryPosition,
): DentryPosition {
	let left = one;
	let right = other;
	while (left !== right) {
		if (depths[left]! >= depths[right]!) left = tree.parent(left);
		else right = tree.parent(right);
	}
	return left;
}
