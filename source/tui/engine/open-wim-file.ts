/** An open WIM as the deck sees it. Trees are read when an image is first looked at, and a few are kept. */

import { InputError } from '../../base/errors.ts';
import { isEmptyStream } from '../../bytes/sha1.ts';
import { type OpenImage, openImage } from '../../image/open.ts';
import { PathFinder, pathOf } from '../../image/paths.ts';
import { type ImageTree, ROOT } from '../../image/tree.ts';
import { readWholeResource } from '../../wim/read-resource.ts';
import { openWim, type Wim } from '../../wim/wim.ts';
import type {
	EntryDetails,
	FolderSize,
	ImageDifference,
	ImageFacts,
	Listing,
	OpenFile,
	WimFacts,
} from '../engine.ts';
import { entryDetails } from './entry-details.ts';
import { imageFacts, wimFacts } from './facts.ts';
import { findEntries, folderListing, Slices } from './listing.ts';

/** Trees kept in memory: about 60 MB each for an image of 300,000 files. */
const TREES_MAX = 3;

interface LoadedImage {
	readonly open: OpenImage;
	readonly finder: PathFinder;
}

/** @throws {WimError} when it cannot be opened */
export async function openFile(path: string, references: readonly string[]): Promise<OpenFile> {
	return new OpenWimFile(await openWim(path, { references }));
}

class OpenWimFile implements OpenFile {
	readonly facts: WimFacts;
	readonly images: readonly ImageFacts[];
	readonly #wim: Wim;
	readonly #trees = new Map<number, Promise<LoadedImage>>();
	/** Loaded ones, for answers that cannot wait. */
	readonly #loaded = new Map<number, LoadedImage>();

	constructor(wim: Wim) {
		this.#wim = wim;
		this.facts = wimFacts(wim);
		this.images = wim.images.map((image) => imageFacts(wim, image));
	}

	async listFolder(imageIndex: number, position: number, signal: AbortSignal): Promise<Listing> {
		const { open } = await this.#image(imageIndex);
		return folderListing(this.#wim, open.tree, imageIndex, position, signal);
	}

	async locate(imageIndex: number, path: string): Promise<readonly number[] | null> {
		const { finder, open } = await this.#image(imageIndex);
		const found = finder.find(path);
		if (found.kind !== 'found') return null;
		const trail = [found.dentry];
		while (trail[0] !== ROOT) trail.unshift(open.tree.parent(trail[0]!));
		return trail;
	}

	pathOf(imageIndex: number, position: number): string {
		const image = this.#loaded.get(imageIndex);
		if (!image)
			throw new InputError(`Cannot name an entry of image ${imageIndex}: it is not loaded`);
		return pathOf(image.open.tree, position, '\\');
	}

	async details(imageIndex: number, position: number): Promise<EntryDetails> {
		const { open } = await this.#image(imageIndex);
		return entryDetails(this.#wim, open, position, []);
	}

	async readContent(imageIndex: number, position: number, offset: number, size: number) {
		const { open } = await this.#image(imageIndex);
		const sha1 = open.tree.dataSha1(position);
		if (isEmptyStream(sha1)) return { bytes: new Uint8Array(0), totalSize: 0 };
		const blob = this.#wim.blob(sha1);
		const start = Math.min(offset, blob.size);
		const end = Math.min(blob.size, start + size);
		const at = blob.offsetInResource;
		const bytes = await readWholeResource(blob.resource, size, at + start, at + end);
		return { bytes, totalSize: blob.size };
	}

	async find(imageIndex: number, pattern: string, signal: AbortSignal): Promise<Listing> {
		const { open } = await this.#image(imageIndex);
		return findEntries(this.#wim, open.tree, imageIndex, pattern, signal);
	}

	async sizes(
		imageIndex: number,
		position: number,
		signal: AbortSignal,
	): Promise<readonly FolderSize[]> {
		const { open } = await this.#image(imageIndex);
		const { tree } = open;
		const { bytes, files } = await treeSizes(this.#wim, tree, signal);
		return [...tree.children(position)]
			.map((child) => ({
				position: child,
				name: tree.name(child),
				isFolder: tree.isDirectory(child),
				bytes: bytes[child] ?? 0,
				fileCount: files[child] ?? 0,
			}))
			.sort((a, b) => b.bytes - a.bytes || (a.name < b.name ? -1 : 1));
	}

	async difference(): Promise<readonly ImageDifference[]> {
		return [];
	}

	async close(): Promise<void> {
		await this.#wim[Symbol.asyncDispose]();
	}

	#image(index: number): Promise<LoadedImage> {
		const known = this.#trees.get(index);
		if (known) {
			// The least recently used one goes first.
			this.#trees.delete(index);
			this.#trees.set(index, known);
			return known;
		}
		const loading = this.#load(index);
		this.#trees.set(index, loading);
		loading.catch(() => this.#trees.delete(index));
		for (const oldest of this.#trees.keys()) {
			if (this.#trees.size <= TREES_MAX) break;
			this.#trees.delete(oldest);
			this.#loaded.delete(oldest);
		}
		return loading;
	}

	async #load(index: number): Promise<LoadedImage> {
		const open = await openImage(this.#wim, this.#wim.image(index), { tolerant: true });
		const loaded = { open, finder: new PathFinder(open.tree) };
		this.#loaded.set(index, loaded);
		return loaded;
	}
}

const sized = new WeakMap<ImageTree, { bytes: Float64Array; files: Uint32Array }>();

/** Bytes and files at and below every entry; hard links count at their first name only. */
async function treeSizes(
	wim: Wim,
	tree: ImageTree,
	signal: AbortSignal,
): Promise<{ bytes: Float64Array; files: Uint32Array }> {
	const known = sized.get(tree);
	if (known) return known;
	const bytes = new Float64Array(tree.count);
	const files = new Uint32Array(tree.count);
	const slices = new Slices(signal);
	// Children have higher positions than their folder, so sums flow upwards from the end.
	for (let dentry = tree.count - 1; dentry > 0; dentry--) {
		if (dentry % 256 === 0 && slices.isUsedUp) await slices.pause();
		if (!tree.isDirectory(dentry)) {
			files[dentry] = 1;
			if (tree.inode(dentry) === dentry)
				bytes[dentry] = tree
					.streams(dentry)
					.reduce((sum, { sha1 }) => sum + (wim.blobs.get(sha1)?.size ?? 0), 0);
		}
		const parent = tree.parent(dentry);
		bytes[parent]! += bytes[dentry]!;
		files[parent]! += files[dentry]!;
	}
	const sizes = { bytes, files };
	sized.set(tree, sizes);
	return sizes;
}
