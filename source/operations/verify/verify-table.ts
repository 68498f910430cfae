/** Whether a blob table counts what the images use: the only field of its entries that reading a blob does not prove. */
import { FormatError, type WimError } from '../../base/errors.ts';
import { plural } from '../../base/print.ts';
import { breathe, type Run } from '../../base/run.ts';
import type { Sha1Counts } from '../../bytes/sha1-counts.ts';
import type { OpenPart } from '../../wim/open-part.ts';

/** Entries between two pauses: a few milliseconds. */
const SLICE = 8192;

/**
 * What the table of a part counts wrongly; null when every count is right. Other programs write counts that are too low,
 * so a wrong one proves damage only where the integrity table says that the bytes changed.
 *
 * @param references how often the images name each blob: a hard link counts again, and so does each image of the set
 * (wim.md §3.6)
 */
export async function wrongCounts(
	part: OpenPart,
	references: Sha1Counts,
	run: Run,
): Promise<WimError | null> {
	let wrong = 0;
	let first = '';
	let seen = 0;
	for (const { sha1, referenceCount } of part.table.blobs.values()) {
		if (++seen % SLICE === 0) await breathe(run);
		const count = references.get(sha1) ?? 0;
		if (count === referenceCount) continue;
		if (++wrong === 1)
			first = `${sha1} is said to be used ${plural(referenceCount, 'time')}, the images use it ${plural(count, 'time')}`;
	}
	if (wrong === 0) return null;
	return new FormatError(
		`The blob table differs from the images in ${plural(wrong, 'reference count')}: ${first}`,
		{
			path: part.source.name,
			offset: part.header.blobTable.offset,
			hint: 'No file depends on it: write the file anew with wimdeck optimize.',
		},
	);
}
