/** Folders and search hits of a tree as the columns that the Files pane shows. */

import { filetimeToMs } from '../../bytes/filetime.ts';
import { isEmptyStream } from '../../bytes/sha1.ts';
import { Attribute } from '../../image/dentry.ts';
import { pathOf } from '../../image/paths.ts';
import { hasWildcard, matchesName } from '../../image/patterns.ts';
import { type DentryPosition, type ImageTree, ROOT } from '../../image/tree.ts';
import type { Blob } from '../../wim/resource.ts';
import type { Wim } from '../../wim/wim.ts';
import { EntryKind, type Listing } from '../engine.ts';
import { countFrom } from '../state/count-from.ts';

/** Lets keys through; throws when nobody waits for the answer any more. */
export async function breather(signal: AbortSignal): Promise<void> {
	await new Promise<void>((resolve) => setImmediate(resolve));
	signal.throwIfAborted();
}

/** Rows between two looks at the clock. */
const ROWS_PER_LOOK = 256;
/** Work without a pause, in milliseconds. */
const SLICE_MS = 12;

/** Nobody stops this work. */
export const NEVER: AbortSignal = new AbortController().signal;

/** Pauses when a slice of time is used up. */
export class Slices {
	readonly #signal: AbortSignal;
	#until = performance.now() + SLICE_MS;

	constructor(signal: AbortSignal) {
		this.#signal = signal;
	}

	get isUsedUp(): boolean {
		return performance.now() > this.#until;
	}

	async pause(): Promise<void> {
		await breather(this.#signal);
		this.#until = performance.now() + SLICE_MS;
	}
}

function kindOf(tree: ImageTree, dentry: DentryPosition, attributes: number): number {
	let kind = 0;
	if (attributes & Attribute.reparsePoint) kind |= EntryKind.link;
	else if (attributes & Attribute.directory) kind |= EntryKind.folder;
	if (attributes & Attribute.encrypted) kind |= EntryKind.encrypted;
	if (tree.isLinked(dentry)) kind |= EntryKind.hardLinked;
	return kind;
}

/** Stored bytes of a blob; in a solid resource its share by size. */
export function packedSizeOf({ size, resource }: Blob): number {
	const { storedSize, originalSize } = resource;
	return originalSize === size
		? storedSize
		: Math.round((storedSize * size) / Math.max(1, originalSize));
}

/** Told of the first rows of a listing that takes long. */
export type OnPart = (part: Listing) => void;

/** The rows of the given entries. `name` is asked for what the first column shows. */
export async function listingOf(
	wim: Wim,
	tree: ImageTree,
	about: Pick<Listing, 'imageIndex' | 'folder' | 'parent' | 'path'>,
	positions: Int32Array,
	name: (dentry: DentryPosition) => string,
	signal: AbortSignal,
	onPart: OnPart = () => {},
): Promise<Listing> {
	const count = positions.length;
	const names = new Array<string>(count);
	const sizes = new Float64Array(count);
	const packed = new Float64Array(count);
	const times = new Float64Array(count);
	const attributes = new Uint32Array(count);
	const kinds = new Uint8Array(count);
	const rowsBefore = (end: number): Listing => ({
		...about,
		positions: positions.slice(0, end),
		names: names.slice(0, end),
		sizes: sizes.slice(0, end),
		packed: packed.slice(0, end),
		times: times.slice(0, end),
		attributes: attributes.slice(0, end),
		kinds: kinds.slice(0, end),
	});
	let told = 1;
	const slices = new Slices(signal);
	for (let row = 0; row < count; row++) {
		if (row % ROWS_PER_LOOK === 0 && slices.isUsedUp) {
			// Each part is at least twice the one before: all of them together cost one more listing.
			if (row >= 2 * told) {
				told = row;
				onPart(rowsBefore(row));
			}
			await slices.pause();
		}
		const dentry = positions[row]!;
		const bits = tree.attributes(dentry);
		names[row] = name(dentry);
		attributes[row] = bits;
		kinds[row] = kindOf(tree, dentry, bits);
		const written = tree.lastWriteTime(dentry);
		times[row] = written === 0n ? Number.NaN : filetimeToMs(written);
		if (bits & (Attribute.directory | Attribute.reparsePoint)) continue;
		const sha1 = tree.dataSha1(dentry);
		if (isEmptyStream(sha1)) continue;
		const blob = wim.blobs.get(sha1);
		if (!blob) {
			kinds[row]! |= EntryKind.missing;
			continue;
		}
		sizes[row] = blob.size;
		packed[row] = packedSizeOf(blob);
	}
	return { ...about, positions, names, sizes, packed, times, attributes, kinds };
}

/** The children of a folder. */
export async function folderListing(
	wim: Wim,
	tree: ImageTree,
	imageIndex: number,
	folder: DentryPosition,
	signal: AbortSignal,
	onPart?: OnPart,
): Promise<Listing> {
	const first = tree.firstChild(folder);
	const positions = countFrom(first, tree.childCount(folder));
	return listingOf(
		wim,
		tree,
		{ imageIndex, folder, parent: tree.parent(folder), path: pathOf(tree, folder, '\\') },
		positions,
		(dentry) => tree.name(dentry),
		signal,
		onPart,
	);
}

/** Whether a name is meant, as in filters: a glob when it has wildcards, `=` exactly, `!` turns it round, else any part. */
export function nameTest(pattern: string): (name: string) => boolean {
	const lower = pattern.toLowerCase();
	if (lower.startsWith('!') && lower.length > 1) {
		const inner = nameTest(pattern.slice(1));
		return (name) => !inner(name);
	}
	if (lower.startsWith('=')) {
		const wanted = lower.slice(1);
		return (name) => name.toLowerCase() === wanted;
	}
	return hasWildcard(lower)
		? (name) => matchesName(lower, name.toLowerCase())
		: (name) => name.toLowerCase().includes(lower);
}

/** Every entry that matches, in the order of the image, with its path as its name. */
export async function findEntries(
	wim: Wim,
	tree: ImageTree,
	imageIndex: number,
	pattern: string,
	signal: AbortSignal,
	onPart?: OnPart,
): Promise<Listing> {
	const matches = nameTest(pattern.replaceAll('/', '\\'));
	const byPath = /[\\/]/.test(pattern);
	const hits: number[] = [];
	const slices = new Slices(signal);
	for (let dentry = 1; dentry < tree.count; dentry++) {
		if (dentry % ROWS_PER_LOOK === 0 && slices.isUsedUp) await slices.pause();
		if (matches(byPath ? pathOf(tree, dentry, '\\') : tree.name(dentry))) hits.push(dentry);
	}
	return listingOf(
		wim,
		tree,
		{ imageIndex, folder: ROOT, parent: ROOT, path: '\\' },
		Int32Array.from(hits),
		(dentry) => pathOf(tree, dentry, '\\'),
		signal,
		onPart,
	);
}
