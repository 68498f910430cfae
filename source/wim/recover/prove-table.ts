/** Tells blob tables from bytes that look like one, by hashing what their entries name (wim.md §13.11). */
import { WimError } from '../../base/errors.ts';
import { breathe, type Run } from '../../base/run.ts';
import { sha1 } from '../../bytes/sha1.ts';
import type { Source } from '../../storage/source.ts';
import { type BlobEntry, SOLID_RESOURCE_MARK } from '../blob-entries.ts';
import type { PartCompression } from '../part-blobs.ts';
import { ResourceFlag } from '../part-header.ts';
import { readWholeResource } from '../read-resource.ts';
import type { Part } from '../resource.ts';
import type { FoundTable } from './find-tables.ts';
import { type HeaderFields, possibleCompressions } from './recover-header.ts';

/** Bytes that a trial of a compression may read. */
export const TRIAL_SIZE_MAX = 64 << 20;

/** So many valid entries in a row never come up by chance: in 1.1 GB of programs two did, once. */
const CHANCE_MAX = 8;

/** Where a table was found. */
export interface TablePlace {
	readonly source: Source;
	readonly header: HeaderFields;
	readonly isPipable: boolean;
}

/** The entry of a solid resource itself, not of contents in it. */
export function isSolidResource({ flags, originalSize }: BlobEntry): boolean {
	return (flags & ResourceFlag.solid) !== 0 && originalSize === SOLID_RESOURCE_MARK;
}

/** How many samples have their SHA-1 when they are read in this way. */
export async function countRight(
	{ source, header, isPipable }: TablePlace,
	samples: readonly BlobEntry[],
	how: PartCompression,
): Promise<number> {
	let score = 0;
	for (const entry of samples) {
		const isRaw = (entry.flags & ResourceFlag.compressed) === 0;
		const part = { source, header, pipable: isPipable };
		try {
			const bytes = await readWholeResource(
				{
					part: part as unknown as Part,
					offset: entry.offset,
					storedSize: entry.storedSize,
					originalSize: entry.originalSize,
					layout: isRaw ? 'raw' : isPipable ? 'pipable' : 'chunked',
					flags: entry.flags,
					...(isRaw ? { compression: 'none', chunkSize: 0 } : how),
				},
				TRIAL_SIZE_MAX,
			);
			if (sha1(bytes) === entry.sha1) score++;
		} catch (error) {
			if (!(error instanceof WimError)) throw error;
		}
	}
	return score;
}

/** Whether some entry of a table that only its looks speak for names what it says. Solid entries cannot be tried alone. */
export async function isProved(place: TablePlace, table: FoundTable, run: Run): Promise<boolean> {
	const { entries } = table;
	if (entries.length >= CHANCE_MAX) return true;
	// The entry of a solid resource has 28 bytes that are always the same; one of a solid blob has mere zeros.
	if (entries.some(isSolidResource)) return true;
	const ways = possibleCompressions();
	for (const entry of entries) {
		if (entry.originalSize > TRIAL_SIZE_MAX || entry.flags & ResourceFlag.solid) continue;
		const isRaw = (entry.flags & ResourceFlag.compressed) === 0;
		for (const how of isRaw ? ways.slice(0, 1) : ways) {
			await breathe(run);
			if ((await countRight(place, [entry], how)) > 0) return true;
		}
	}
	return false;
}
