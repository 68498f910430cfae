/** Gets the trees of damaged images back: from donors, by trying flipped bits, from an older state of the same image. */
import type { Run } from '../../base/run.ts';
import type { ImageTree } from '../../image/tree.ts';
import type { Blob } from '../../wim/resource.ts';
import type { BitSearch } from '../rescue/bit-search.ts';
import type { Donors } from '../rescue/donors.ts';
import { surveyContents } from '../rescue/find-contents.ts';
import { isExpected } from '../salvage/open-damaged.ts';
import type { Range } from '../salvage/read-damaged.ts';
import { readTree, type SalvagedImage } from '../salvage/read-trees.ts';
import type { Remedy, RepairedImage } from './report.ts';

/** An image with the best tree that there is. */
export interface MendedImage {
	readonly salvaged: SalvagedImage;
	readonly name: string;
	readonly state: RepairedImage['state'];
	/** Null when nothing of it is left. */
	readonly tree: ImageTree | null;
	/** Has the SHA-1 of its bytes; null when the tree has holes. */
	readonly metadata: Blob | null;
	readonly remedy: Remedy | null;
	readonly notes: readonly string[];
}

/**
 * @param images that the new file is to hold
 * @param all with those of older states
 */
export async function mendTrees(
	images: readonly SalvagedImage[],
	all: readonly SalvagedImage[],
	donors: Donors,
	bits: BitSearch,
	run: Run,
): Promise<MendedImage[]> {
	const mended: MendedImage[] = [];
	for (const salvaged of images)
		mended.push(
			asItIs(salvaged, donors) ??
				(await fromDonor(salvaged, donors, run)) ??
				(await byBits(salvaged, bits, run)) ??
				fromOlder(salvaged, all) ??
				asLeft(salvaged),
		);
	return mended;
}

function asItIs(salvaged: SalvagedImage, donors: Donors): MendedImage | null {
	const { image, state, tree } = salvaged;
	if (state !== 'whole' || tree === null) return null;
	const { name, metadata } = image;
	const lender = donors.holderOf(metadata);
	if (lender === null)
		return { salvaged, name, state: 'whole', tree, metadata, remedy: null, notes: [] };
	donors.credit(lender, metadata.size);
	const remedy: Remedy = { kind: 'donor', from: metadata.resource.part.source.name, offset: null };
	return { salvaged, name, state: 'repaired', tree, metadata, remedy, notes: [] };
}

async function fromDonor(
	salvaged: SalvagedImage,
	donors: Donors,
	run: Run,
): Promise<MendedImage | null> {
	for (const { blob, donor } of donors.places(salvaged.image.metadata.sha1)) {
		const from = blob.resource.part.source.name;
		const mended = await withMetadata(salvaged, blob, { kind: 'donor', from, offset: null }, run);
		if (mended === null) continue;
		donors.credit(donor, blob.size);
		return mended;
	}
	return null;
}

async function byBits(
	salvaged: SalvagedImage,
	bits: BitSearch,
	run: Run,
): Promise<MendedImage | null> {
	const { metadata: blob } = salvaged.image;
	let badRanges: readonly Range[] | null = [{ start: 0, end: blob.size }];
	try {
		const read = await surveyContents(blob, run);
		badRanges = read.badRanges.length === 0 ? null : read.badRanges;
	} catch (error) {
		if (!isExpected(error)) throw error;
	}
	const found = (await bits.search([{ blob, badRanges }])).get(blob.sha1);
	return found === undefined ? null : withMetadata(salvaged, found.blob, found.remedy, run);
}

/** Reads the tree from another place; null unless it is whole there. */
async function withMetadata(
	salvaged: SalvagedImage,
	metadata: Blob,
	remedy: Remedy,
	run: Run,
): Promise<MendedImage | null> {
	const read = await readTree({ ...salvaged.image, metadata }, run);
	if (read.state !== 'whole' || read.tree === null) return null;
	const { name } = salvaged.image;
	return { salvaged, name, state: 'repaired', tree: read.tree, metadata, remedy, notes: [] };
}

/** An older state of the same image that has more entries than survive of the newest one. */
function fromOlder(salvaged: SalvagedImage, all: readonly SalvagedImage[]): MendedImage | null {
	const { name } = salvaged.image;
	const left = salvaged.tree?.count ?? 0;
	for (const older of all) {
		const { image, state, tree } = older;
		if (image.index !== null || image.name !== name || state !== 'whole' || tree === null) continue;
		if (tree.count <= left) continue;
		const { metadata } = image;
		const { resource } = metadata;
		const remedy: Remedy = { kind: 'older', from: resource.part.source.name, offset: null };
		const notes = ['What was changed since its older state is lost'];
		return { salvaged, name, state: 'damaged', tree, metadata, remedy, notes };
	}
	return null;
}

function asLeft(salvaged: SalvagedImage): MendedImage {
	const { image, tree, notes } = salvaged;
	const state = tree === null ? 'lost' : 'damaged';
	return { salvaged, name: image.name, state, tree, metadata: null, remedy: null, notes };
}
