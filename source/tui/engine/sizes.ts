/** Size by folder of an image, counted in slices once and kept with its tree. */

import { Attribute } from '../../image/dentry.ts';
import { type FolderSizes, folderSizeSteps } from '../../image/folder-sizes.ts';
import { pathOf } from '../../image/paths.ts';
import { type DentryPosition, type ImageTree, ROOT } from '../../image/tree.ts';
import type { Wim } from '../../wim/wim.ts';
import { EntryKind } from '../engine.ts';
import type { SizeListing } from '../engine-views.ts';
import { countFrom } from '../state/count-from.ts';
import { packedSizeOf, Slices } from './listing.ts';

const counted = new WeakMap<ImageTree, FolderSizes>();

async function folderSizes(wim: Wim, tree: ImageTree, signal: AbortSignal): Promise<FolderSizes> {
	const known = counted.get(tree);
	if (known) return known;
	const steps = folderSizeSteps(tree, (sha1) => {
		const blob = wim.blobs.get(sha1);
		return blob ? { size: blob.size, storedSize: packedSizeOf(blob) } : null;
	});
	const slices = new Slices(signal);
	for (;;) {
		const step = steps.next();
		if (step.done) {
			counted.set(tree, step.value);
			return step.value;
		}
		if (slices.isUsedUp) await slices.pause();
	}
}

/** The rows of a folder, in the order of the image. */
export async function sizeListing(
	wim: Wim,
	tree: ImageTree,
	imageIndex: number,
	folder: DentryPosition,
	signal: AbortSignal,
): Promise<SizeListing> {
	const all = await folderSizes(wim, tree, signal);
	const first = tree.firstChild(folder);
	const count = tree.childCount(folder);
	const positions = countFrom(first, count);
	const names = new Array<string>(count);
	const kinds = new Uint8Array(count);
	const slices = new Slices(signal);
	for (let row = 0; row < count; row++) {
		if (row % 256 === 0 && slices.isUsedUp) await slices.pause();
		const attributes = tree.attributes(first + row);
		names[row] = tree.name(first + row);
		if (attributes & Attribute.reparsePoint) kinds[row] = EntryKind.link;
		else if (attributes & Attribute.directory) kinds[row] = EntryKind.folder;
	}
	const column = (values: Float64Array | Uint32Array): Float64Array =>
		Float64Array.from(values.subarray(first, first + count));
	return {
		imageIndex,
		folder,
		parent: tree.parent(folder),
		path: pathOf(tree, folder, '\\'),
		positions,
		names,
		kinds,
		sizes: column(all.sizes),
		packed: column(all.storedSizes),
		files: column(all.fileCounts),
		total: {
			size: all.sizes[folder] ?? 0,
			packed: all.storedSizes[folder] ?? 0,
			files: all.fileCounts[folder] ?? 0,
			// A folder counts itself; the root does not.
			folders: (all.folderCounts[folder] ?? 0) - (folder === ROOT ? 0 : 1),
		},
	};
}

/** Bytes and files at and below marked entries; what lies below another marked one counts with that one. */
export async function totalOf(
	wim: Wim,
	tree: ImageTree,
	positions: readonly DentryPosition[],
	signal: AbortSignal,
): Promise<{ readonly size: number; readonly files: number }> {
	const { sizes, fileCounts } = await folderSizes(wim, tree, signal);
	const marked = new Set(positions);
	let size = 0;
	let files = 0;
	const slices = new Slices(signal);
	for (const [i, position] of positions.entries()) {
		if (i % 256 === 0 && slices.isUsedUp) await slices.pause();
		let above = position;
		while (above !== ROOT && !marked.has(tree.parent(above))) above = tree.parent(above);
		if (above !== ROOT) continue; // a folder above it is marked
		size += sizes[position] ?? 0;
		files += fileCounts[position] ?? 0;
	}
	return { size, files };
}
