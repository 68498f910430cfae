/** The map from SHA-1 to every path in every image (issue: "what does this damage mean in files?"). */
import { isEmptyStream, type Sha1 } from '../bytes/sha1.ts';
import type { OpenImage } from './open.ts';
import { pathOf } from './paths.ts';
import type { DentryPosition, ImageTree } from './tree.ts';

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
