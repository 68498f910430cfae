/** Reads the trees of a damaged WIM: as they are, with holes, or from what was found without a table. */
import { plural } from '../../base/print.ts';
import { breathe, type Run } from '../../base/run.ts';
import { isEmptyStream, type Sha1 } from '../../bytes/sha1.ts';
import { Span } from '../../bytes/span.ts';
import { recoverTree } from '../../image/recover-tree.ts';
import { ImageTree } from '../../image/tree.ts';
import type { RecoveredImage } from '../../wim/recover/recover-wim.ts';
import { type DamagedWim, isExpected } from './open-damaged.ts';
import { readDamagedBlob } from './read-damaged.ts';

/** How much of a tree is what it was. */
export type TreeState = 'whole' | 'damaged' | 'lost';

/** An image with whatever of its tree survived. */
export interface SalvagedImage {
	readonly image: RecoveredImage;
	readonly state: TreeState;
	/** Null when nothing of it is left. */
	readonly tree: ImageTree | null;
	/** Dentries below `lost+found`. */
	readonly orphanCount: number;
	readonly notes: readonly string[];
}

/** Reads the tree of an image as far as possible. */
export async function readTree(image: RecoveredImage, run: Run): Promise<SalvagedImage> {
	const { metadata } = image;
	const region = `metadata resource of image "${image.name}"`;
	await breathe(run);
	try {
		const read = await readDamagedBlob(metadata);
		const isWhole = read.sha1 === metadata.sha1;
		if (isWhole || read.badRanges.length === 0) {
			const tree = parseOrNull(read.bytes, region);
			if (tree !== null && (isWhole || tree.end === read.bytes.length))
				return {
					image,
					state: isWhole ? 'whole' : 'damaged',
					tree,
					orphanCount: 0,
					notes: isWhole ? [] : ['its metadata does not have its SHA-1; names may be wrong'],
				};
		}
		const recovered = recoverTree(read.bytes, read.badRanges, region);
		if (recovered.tree.count < 2) return lost(image, 'nothing of its metadata can be read');
		const notes = [
			`${plural(recovered.tree.count - 1, 'entry', 'entries')} of its metadata survived`,
			...(recovered.orphanCount > 0
				? [
						`${plural(recovered.orphanCount, 'entry is', 'entries are')} below "lost+found", since their folder is lost`,
					]
				: []),
			...(recovered.emptied.length > 0
				? [`the contents of ${plural(recovered.emptied.length, 'folder')} are lost`]
				: []),
		];
		return {
			image,
			state: 'damaged',
			tree: recovered.tree,
			orphanCount: recovered.orphanCount,
			notes,
		};
	} catch (error) {
		if (!isExpected(error)) throw error;
		return lost(image, error.message);
	}
}

function lost(image: RecoveredImage, why: string): SalvagedImage {
	return { image, state: 'lost', tree: null, orphanCount: 0, notes: [why] };
}

function parseOrNull(bytes: Uint8Array, region: string): ImageTree | null {
	try {
		return ImageTree.parse(new Span(bytes, region));
	} catch (error) {
		if (isExpected(error)) return null;
		throw error;
	}
}

/** Every SHA-1 that a tree names. */
export function wantedBy(images: readonly SalvagedImage[]): Set<Sha1> {
	const wanted = new Set<Sha1>();
	for (const { tree } of images)
		for (let dentry = 0; tree !== null && dentry < tree.count; dentry++)
			for (const { sha1 } of tree.streams(dentry)) if (!isEmptyStream(sha1)) wanted.add(sha1);
	return wanted;
}

/** What trees name and no usable place is known for. */
export function missingFrom(damaged: DamagedWim, images: readonly SalvagedImage[]): Set<Sha1> {
	return unplaced(damaged, wantedBy(images));
}

/** Those of the names for which no usable place is known. */
export function unplaced({ candidates }: DamagedWim, names: Iterable<Sha1>): Set<Sha1> {
	const missing = new Set<Sha1>();
	for (const name of names)
		if (!candidates.get(name)?.some(({ defect }) => defect === null)) missing.add(name);
	return missing;
}
