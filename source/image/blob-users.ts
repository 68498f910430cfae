/** The map from SHA-1 to every path in every image (issue: "what does this damage mean in files?"). */
import { isEmptyStream, type Sha1 } from '../bytes/sha1.ts';
import type { StreamCounter } from '../bytes/sha1-counts.ts';
import type { OpenImage } from './open.ts';
import { pathOf } from './paths.ts';
import type { DentryPosition, ImageTree } from './tree.ts';

/** Dentries between two pauses: about a millisecond of work. */
const SLICE = 512;

/** One stream of one name that holds a blob. */
export interface BlobUser {
	readonly imageIndex: number;
	readonly dentry: DentryPosition;
	/** With the stream: `/a/b.txt`, `/a/b.txt:name`. */
	readonly path: string;
}

/** Calls `visit` for every nonempty stream of every dentry of a tree. Hard-linked names come one by one. */
export function visitBlobs(
	tree: ImageTree,
	visit: (sha1: Sha1, dentry: DentryPosition, streamName: string) => void,
): void {
	for (let dentry = 0; dentry < tree.count; dentry++)
		for (const { sha1, name } of tree.streams(dentry))
			if (!isEmptyStream(sha1)) visit(sha1, dentry, name);
}

/**
 * Counts how often a tree references each blob: every nonempty stream of every dentry, as `visitBlobs` has them. Yields now
 * and then.
 *
 * @param onFirst told of the first dentry that has a blob which was not counted yet
 */
export function* countBlobs(
	tree: ImageTree,
	counts: StreamCounter,
	onFirst: ((sha1: Sha1, dentry: DentryPosition) => void) | null = null,
): Generator<void, void, undefined> {
	for (let dentry = 0; dentry < tree.count; dentry++) {
		if (dentry % SLICE === SLICE - 1) yield;
		const at = tree.plainHashAt(dentry);
		if (at !== null && (at < 0 || onFirst === null)) {
			if (at >= 0) counts.addAt(tree.view, at);
			continue;
		}
		for (const { sha1 } of tree.streams(dentry)) {
			if (isEmptyStream(sha1)) continue;
			const before = counts.size;
			counts.add(sha1, 1);
			if (counts.size > before) onFirst?.(sha1, dentry);
		}
	}
}

/**
 * The users of a few blobs, in one walk over the images.
 *
 * @param wanted the blobs in question; memory grows with their users only
 */
export function findBlobUsers(
	images: Iterable<OpenImage>,
	wanted: ReadonlySet<Sha1>,
): Map<Sha1, BlobUser[]> {
	const users = new Map<Sha1, BlobUser[]>();
	for (const { tree, image } of images)
		visitBlobs(tree, (sha1, dentry, streamName) => {
			if (!wanted.has(sha1)) return;
			const path = pathOf(tree, dentry) + (streamName === '' ? '' : `:${streamName}`);
			const user = { imageIndex: image.index, dentry, path };
			const list = users.get(sha1);
			if (list) list.push(user);
			else users.set(sha1, [user]);
		});
	return users;
}
