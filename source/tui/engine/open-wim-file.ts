/** An open WIM as the deck sees it. Trees are read when an image is first looked at, and a few are kept. */

import { InputError, WimError } from '../../base/errors.ts';
import { isEmptyStream } from '../../bytes/sha1.ts';
import { type OpenImage, openImage } from '../../image/open.ts';
import { PathFinder, pathOf } from '../../image/paths.ts';
import { ROOT } from '../../image/tree.ts';
import { machineClock } from '../../jobs/clock.ts';
import { ContentReader } from '../../jobs/content-reader.ts';
import { openUnnamed } from '../../operations/extract/unnamed-image.ts';
import { openWim, peekImageCount, type Wim } from '../../wim/wim.ts';
import {
	type EntryDetails,
	type EntryOutline,
	type ImageFacts,
	type Listing,
	type OnDisk,
	type OpenFile,
	UNNAMED_INDEX,
	type WimFacts,
} from '../engine.ts';
import type {
	DifferenceFact,
	ImageDifference,
	MapPlace,
	PartMap,
	PlaceFacts,
	SizeListing,
} from '../engine-views.ts';
import { differenceFacts, imageDifference } from './difference.ts';
import { entryDetails } from './entry-details.ts';
import { imageFacts, wimFacts } from './facts.ts';
import { partMaps, placeFacts } from './file-map.ts';
import { findEntries, folderListing, NEVER, type OnPart, Slices } from './listing.ts';
import { FilesOnDisk } from './on-disk.ts';
import { sizeListing, totalOf } from './sizes.ts';
import { usedBy } from './used-by.ts';

/** Trees kept in memory: about 60 MB each for an image of 300,000 files. */
const TREES_MAX = 3;

interface LoadedImage {
	readonly open: OpenImage;
	readonly finder: PathFinder;
	readonly hardLinkCount: number;
}

/** Tells how many images a file has, from its header alone; a header that says nothing is told by the opening. */
async function tellHeader(path: string, onHeader: (imageCount: number) => void): Promise<void> {
	try {
		onHeader(await peekImageCount(path));
	} catch (error) {
		if (!(error instanceof WimError)) throw error;
	}
}

/**
 * Opens a file for the deck.
 *
 * @param onHeader told how many images it has, before the tables are read
 * @throws {WimError} when it cannot be opened
 */
export async function openFile(
	path: string,
	references: readonly string[],
	onHeader: ((imageCount: number) => void) | null = null,
): Promise<OpenFile> {
	if (onHeader !== null) await tellHeader(path, onHeader);
	const wim = await openWim(path, { references });
	const files = [...wim.parts, ...wim.references].map(({ source }) => source.name);
	return new OpenWimFile(wim, await FilesOnDisk.opened(files));
}

class OpenWimFile implements OpenFile {
	readonly facts: WimFacts;
	readonly images: readonly ImageFacts[];
	readonly #wim: Wim;
	readonly #files: FilesOnDisk;
	readonly #contents = new ContentReader();
	readonly #trees = new Map<number, Promise<LoadedImage>>();
	/** Loaded ones, for answers that cannot wait. */
	readonly #loaded = new Map<number, LoadedImage>();

	constructor(wim: Wim, files: FilesOnDisk) {
		this.#wim = wim;
		this.#files = files;
		this.facts = wimFacts(wim);
		this.images = wim.images.map((image) => imageFacts(wim, image));
	}

	async listFolder(
		imageIndex: number,
		position: number,
		signal: AbortSignal,
		onPart?: OnPart,
	): Promise<Listing> {
		const { open } = await this.#image(imageIndex);
		return folderListing(this.#wim, open.tree, imageIndex, position, signal, onPart);
	}

	async locate(
		imageIndex: number,
		path: string,
		signal: AbortSignal,
	): Promise<readonly number[] | null> {
		const { finder, open } = await this.#image(imageIndex);
		await finder.prepare(path, new Slices(signal));
		const found = finder.find(path);
		if (found.kind !== 'found') return null;
		const trail = [found.dentry];
		while (trail[0] !== ROOT) trail.unshift(open.tree.parent(trail[0]!));
		return trail;
	}

	hardLinkCount(imageIndex: number): number | null {
		return this.#loaded.get(imageIndex)?.hardLinkCount ?? null;
	}

	isLoaded(imageIndex: number): boolean {
		return this.#loaded.has(imageIndex);
	}

	async load(imageIndex: number): Promise<void> {
		await this.#image(imageIndex);
	}

	pathOf(imageIndex: number, position: number): string {
		const image = this.#loaded.get(imageIndex);
		if (!image)
			throw new InputError(`Cannot name an entry of image ${imageIndex}: it is not loaded`);
		return pathOf(image.open.tree, position, '\\');
	}

	describe(imageIndex: number, position: number): EntryOutline {
		const path = this.pathOf(imageIndex, position);
		const { tree } = this.#loaded.get(imageIndex)!.open;
		const isFolder = tree.isDirectory(position);
		const size = isFolder ? 0 : (this.#wim.blobs.get(tree.dataSha1(position))?.size ?? 0);
		return { position, path, isFolder, size };
	}

	async entryAt(imageIndex: number, path: string): Promise<EntryOutline | null> {
		const { finder } = await this.#image(imageIndex);
		await finder.prepare(path, new Slices(NEVER));
		const found = finder.find(path);
		return found.kind === 'found' ? this.describe(imageIndex, found.dentry) : null;
	}

	async details(imageIndex: number, position: number, signal: AbortSignal): Promise<EntryDetails> {
		const { open } = await this.#image(imageIndex);
		const among = (images: ReadonlyMap<number, OpenImage>): Promise<readonly string[]> => {
			const trees = new Map([...images].map(([index, { tree }]) => [index, tree]));
			return usedBy(trees, imageIndex, position, signal);
		};
		let places = await among(
			new Map([...this.#loaded].map(([index, { open: one }]) => [index, one])),
		);
		const uses = this.#wim.blobs.get(open.tree.dataSha1(position))?.referenceCount ?? 0;
		if (uses > places.length + 1) places = await among(await this.#manyImages(imageIndex, signal));
		return entryDetails(this.#wim, open, position, places, this.#contents, signal);
	}

	async total(
		imageIndex: number,
		positions: readonly number[],
		signal: AbortSignal,
	): Promise<{ readonly size: number; readonly files: number }> {
		const { open } = await this.#image(imageIndex);
		return totalOf(this.#wim, open.tree, positions, signal);
	}

	async readContent(
		imageIndex: number,
		position: number,
		offset: number,
		size: number,
		signal: AbortSignal,
	) {
		const { open } = await this.#image(imageIndex);
		const sha1 = open.tree.dataSha1(position);
		if (isEmptyStream(sha1)) return { bytes: new Uint8Array(0), totalSize: 0 };
		const blob = this.#wim.blob(sha1);
		const start = Math.min(offset, blob.size);
		const end = Math.min(blob.size, start + size);
		const bytes = await this.#contents.read(blob, { start, end }, signal);
		return { bytes, totalSize: blob.size };
	}

	async find(
		imageIndex: number,
		pattern: string,
		signal: AbortSignal,
		onPart?: OnPart,
	): Promise<Listing> {
		const { open } = await this.#image(imageIndex);
		return findEntries(this.#wim, open.tree, imageIndex, pattern, signal, onPart);
	}

	async sizes(imageIndex: number, position: number, signal: AbortSignal): Promise<SizeListing> {
		const { open } = await this.#image(imageIndex);
		return sizeListing(this.#wim, open.tree, imageIndex, position, signal);
	}

	async difference(
		beforeIndex: number,
		afterIndex: number,
		signal: AbortSignal,
	): Promise<readonly ImageDifference[]> {
		const before = await this.#image(beforeIndex);
		return imageDifference(this.#wim, before, await this.#image(afterIndex), signal);
	}

	async differenceFacts(
		beforeIndex: number,
		afterIndex: number,
		difference: ImageDifference,
	): Promise<readonly DifferenceFact[]> {
		const before = await this.#image(beforeIndex);
		const after = await this.#image(afterIndex);
		return differenceFacts(this.#wim, before, after, difference, this.#contents);
	}

	maps(signal: AbortSignal): Promise<readonly PartMap[]> {
		return partMaps(this.#wim, machineClock, signal);
	}

	async placeFacts(place: MapPlace, signal: AbortSignal): Promise<PlaceFacts> {
		return placeFacts(this.#wim, place, await this.#manyImages(null, signal), signal);
	}

	/** The images that are loaded, and others as long as they fit beside them; `first` is always among them. */
	async #manyImages(
		first: number | null,
		signal: AbortSignal,
	): Promise<ReadonlyMap<number, OpenImage>> {
		const images = new Map<number, OpenImage>();
		const wanted = [first, ...this.#loaded.keys(), ...this.images.map(({ index }) => index)];
		const indexes = [...new Set(wanted)].filter((index) => index !== null);
		for (const index of indexes.slice(0, TREES_MAX)) {
			const image = await this.#image(index).catch(() => null);
			signal.throwIfAborted();
			if (image) images.set(index, image.open);
		}
		return new Map([...images].sort(([a], [b]) => a - b));
	}

	onDisk(): Promise<OnDisk> {
		return this.#files.state();
	}

	async close(): Promise<void> {
		await this.#contents[Symbol.asyncDispose]();
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
		const open =
			index === UNNAMED_INDEX
				? await openUnnamed(this.#wim)
				: await openImage(this.#wim, this.#wim.image(index), { tolerant: true });
		await open.tree.groupLinks(() => new Promise((resolve) => setImmediate(resolve)));
		const loaded = { open, finder: new PathFinder(open.tree), hardLinkCount: open.tree.linkCount };
		this.#loaded.set(index, loaded);
		return loaded;
	}
}
