/** Applies one image, or all of them, to a folder. */

import { breathe, type Run } from '../../base/run.ts';
import { isHarmlessName } from '../../host/names.ts';
import { PosixTarget } from '../../host/posix-target.ts';
import { type OpenImage, openImage } from '../../image/open.ts';
import { ROOT } from '../../image/tree.ts';
import type { Wim, WimImage } from '../../wim/wim.ts';
import { type BlobWriter, type ExtractSource, sourceOf } from './extract-data.ts';
import { planExtract } from './extract-plan.ts';
import { type ExtractSummary, runExtract } from './extract-run.ts';
import type { ExtractOptions, ExtractPart } from './extraction.ts';

/** The plan for a whole image into `folder`, which is made if it is not there. */
export async function planApply(
	source: ExtractSource,
	folder: string,
	options: ExtractOptions,
	run: Run,
): Promise<ExtractPart> {
	const target = PosixTarget.open(folder, options.dryRun);
	const roots = [{ dentry: ROOT, names: [], withChildren: true }];
	const plan = await planExtract(source, roots, target.folding, options, run, target.keepsNtfs());
	return { source, plan, target };
}

/** Applies a whole image to `folder`. */
export async function applyImage(
	image: OpenImage,
	folder: string,
	writer: BlobWriter,
	options: ExtractOptions,
	run: Run,
): Promise<ExtractSummary> {
	return runExtract([await planApply(sourceOf(image), folder, options, run)], writer, options, run);
}

/** Applies every image to a folder of its own below `folder`. */
export async function applyAllImages(
	wim: Wim,
	folder: string,
	writer: BlobWriter,
	options: ExtractOptions,
	run: Run,
): Promise<ExtractSummary> {
	const names = folderNames(wim.images);
	let total: ExtractSummary | null = null;
	for (const [at, image] of wim.images.entries()) {
		const open = await openImage(wim, image, { tolerant: false }, () => breathe(run));
		const summary = await applyImage(open, `${folder}/${names[at]}`, writer, options, run);
		total = total === null ? summary : sum(total, summary);
	}
	if (total !== null) return total;
	const freeSize = PosixTarget.open(folder, options.dryRun).freeSize();
	return { folders: 0, files: 0, symbolicLinks: 0, specials: 0, bytes: 0, neededSize: 0, freeSize };
}

/** A folder name for each image: its own name when that is unique and harmless on every system, else its index. */
export function folderNames(images: readonly WimImage[]): string[] {
	const fold = (name: string) => name.normalize('NFC').toUpperCase();
	const counts = new Map<string, number>();
	const count = (name: string) => counts.set(fold(name), (counts.get(fold(name)) ?? 0) + 1);
	for (const { facts, index } of images) {
		count(facts.name);
		// An image may be called "2": that is the name of the second one's folder, whatever that is called.
		if (facts.name !== String(index)) count(String(index));
	}
	return images.map(({ facts, index }) =>
		isHarmlessName(facts.name) && counts.get(fold(facts.name)) === 1 ? facts.name : String(index),
	);
}

function sum(a: ExtractSummary, b: ExtractSummary): ExtractSummary {
	return {
		folders: a.folders + b.folders,
		files: a.files + b.files,
		symbolicLinks: a.symbolicLinks + b.symbolicLinks,
		specials: a.specials + b.specials,
		bytes: a.bytes + b.bytes,
		neededSize: a.neededSize + b.neededSize,
		freeSize: a.freeSize,
	};
}
