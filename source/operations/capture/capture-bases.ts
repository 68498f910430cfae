/** Earlier images that a capture leans on: files that did not change since, and blobs that stay in other files. */
import type { Run } from '../../base/run.ts';
import { breathe } from '../../base/run.ts';
import { type Sha1, ZERO_SHA1 } from '../../bytes/sha1.ts';
import { openImage } from '../../image/open.ts';
import { PathFinder } from '../../image/paths.ts';
import type { ImageTree } from '../../image/tree.ts';
import { openWim, type Wim } from '../../wim/wim.ts';
import type { ImageOptions, ScannedImage } from './capture.ts';
import type { PendingStream } from './capture-tree.ts';

/** Open while the capture runs. */
export interface DeltaBases extends AsyncDisposable {
	/** Blobs that are not stored again, with their sizes. */
	readonly sizes: ReadonlyMap<Sha1, number>;
	/** The tree of the image that this one is an update of. */
	readonly tree: ImageTree | null;
	/** Size of a blob that the earlier image names. */
	readonly sizeOf: (name: Sha1) => number | null;
}

/** @param own the file that is appended to, where an image without a file is looked for */
export async function openDeltaBases(
	options: ImageOptions,
	own: Wim | null,
	run: Run,
): Promise<DeltaBases> {
	const opened: Wim[] = [];
	const open = async (path: string): Promise<Wim> => {
		const wim = await openWim(path);
		opened.push(wim);
		return wim;
	};
	const close = async () => {
		for (const wim of opened) await wim[Symbol.asyncDispose]();
	};
	try {
		const sizes = new Map<Sha1, number>();
		for (const path of options.deltaFrom)
			for (const { sha1, size } of (await open(path)).blobs.values()) sizes.set(sha1, size);
		const { updateOf } = options;
		if (updateOf === null)
			return { sizes, tree: null, sizeOf: () => null, [Symbol.asyncDispose]: close };
		const wim = updateOf.wim === null ? own : await open(updateOf.wim);
		const base =
			wim === null
				? null
				: await openImage(wim, wim.image(updateOf.image), { tolerant: false }, () => breathe(run));
		return {
			sizes,
			tree: base?.tree ?? null,
			sizeOf: (name) => wim?.blobs.get(name)?.size ?? null,
			[Symbol.asyncDispose]: close,
		};
	} catch (error) {
		await close();
		throw error;
	}
}

/**
 * Takes over the SHA-1 of files that have the same path, size and write time as in the earlier image, and whose blob
 * need not be stored; they are not read at all.
 *
 * @param stored what need not be stored
 * @returns what is left to be read
 */
export async function reuseUnchanged(
	scanned: ScannedImage,
	bases: DeltaBases,
	stored: { has(name: Sha1): boolean },
	run: Run,
): Promise<readonly PendingStream[]> {
	const { tree: old } = bases;
	if (old === null) return scanned.pending;
	const byInode = new Map<object, PendingStream>();
	for (const item of scanned.pending)
		if (item.stream === item.inode.data) byInode.set(item.inode, item);
	const finder = new PathFinder(old);
	const unchanged = new Set<PendingStream>();
	const pending: [typeof scanned.tree.root, number][] = [[scanned.tree.root, 0]];
	let visited = 0;
	for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
		const [folder, dentry] = next;
		for (const child of folder.children?.values() ?? []) {
			if (++visited % 4096 === 0) await breathe(run);
			const known = finder.child(dentry, child.name);
			if (known === null) continue;
			if (child.children !== null) {
				if (old.isDirectory(known)) pending.push([child, known]);
				continue;
			}
			const item = byInode.get(child.inode);
			if (item === undefined || unchanged.has(item)) continue;
			const name = old.dataSha1(known);
			const isSame =
				name !== ZERO_SHA1 &&
				!old.isReparsePoint(known) &&
				old.lastWriteTime(known) === child.inode.lastWriteTime &&
				bases.sizeOf(name) === item.content.size;
			if (!isSame || !stored.has(name)) continue;
			item.stream.sha1 = name;
			unchanged.add(item);
			run.report({ type: 'advance', bytes: 0 });
		}
	}
	return scanned.pending.filter((item) => !unchanged.has(item));
}
