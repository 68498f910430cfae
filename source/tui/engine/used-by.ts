/** Where else the content of a file lies: in the images that are in memory. */

import { decodeHex } from '../../bytes/hex.ts';
import { isEmptyStream } from '../../bytes/sha1.ts';
import { pathOf } from '../../image/paths.ts';
import type { DentryPosition, ImageTree } from '../../image/tree.ts';
import { Slices } from './listing.ts';

/** Places that are listed. */
const SHOWN_MAX = 30;
/** Dentries looked at between two looks at the clock: about a millisecond. */
const STEP = 32_768;

/**
 * `image 2 \Windows\explorer.exe` for every other place; names of the same file are hard links and not among them.
 *
 * @param trees of the images that are loaded, by index
 */
export async function usedBy(
	trees: ReadonlyMap<number, ImageTree>,
	imageIndex: number,
	dentry: DentryPosition,
	signal: AbortSignal,
): Promise<readonly string[]> {
	const home = trees.get(imageIndex);
	const sha1 = home?.dataSha1(dentry);
	if (!home || sha1 === undefined || isEmptyStream(sha1)) return [];
	const digest = decodeHex(sha1);
	const same = new Set(home.linksOf(dentry));
	const places: string[] = [];
	let more = 0;
	const slices = new Slices(signal);
	for (const [index, tree] of [...trees].sort(([a], [b]) => a - b))
		for (let from = 0; from < tree.count; from += STEP) {
			if (slices.isUsedUp) await slices.pause();
			for (const place of tree.withContents(digest, from, Math.min(tree.count, from + STEP))) {
				if (tree === home && same.has(place)) continue;
				if (places.length < SHOWN_MAX) places.push(`image ${index} ${pathOf(tree, place, '\\')}`);
				else more++;
			}
		}
	return more > 0 ? [...places, `and ${more} more`] : places;
}
