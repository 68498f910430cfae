/** Which of many files are likely to hold what a damaged one lost, by what their headers and blob tables say. */
import { WimError } from '../../base/errors.ts';
import { inSlices } from '../../base/slices.ts';
import { equalBytes } from '../../bytes/equal-bytes.ts';
import { FileSource } from '../../storage/file-source.ts';
import { firstPartName, isSameFile } from '../../storage/find-files.ts';
import { type HeaderFields, readBothHeaders } from '../../wim/recover/recover-header.ts';
import { openWim, type Wim } from '../../wim/wim.ts';

/** A WIM that may give what a damaged one lost. */
export interface LikelyDonor {
	readonly path: string;
	/** It has the GUID of the damaged file. */
	readonly isCopy: boolean;
	/** Contents that the tables of both list; null when one of them was not read. */
	readonly sharedCount: number | null;
}

/** Tables that are read for this, in bytes: those of 300,000 contents, in a fraction of a second. */
const TABLES_MAX = 16 << 20;

/**
 * The WIMs among some files: copies first, then those that share most; those that share nothing come last. What has lost
 * its magic is left out: only its owner knows that it is a WIM.
 */
export async function likelyDonors(
	damaged: string,
	paths: readonly string[],
): Promise<LikelyDonor[]> {
	const own = await headerOf(damaged);
	const tables = new Tables();
	await using damagedWim = await tables.open(damaged, own);
	const donors: LikelyDonor[] = [];
	for (const path of paths) {
		const header = await headerOf(path);
		if (header === null || (await isSameFile(path, damaged))) continue;
		if (firstPartName(damaged, own?.part?.number ?? 1) === path) continue;
		await using wim = damagedWim === null ? null : await tables.open(path, header);
		const sharedCount = damagedWim && wim && (await inSlices(shared(damagedWim, wim)));
		donors.push({ path, isCopy: own !== null && isCopy(header, own), sharedCount });
	}
	return donors.sort((a, b) => rank(b) - rank(a));
}

/** The higher, the likelier. */
function rank({ isCopy, sharedCount }: LikelyDonor): number {
	if (isCopy) return Number.MAX_VALUE;
	// What is not known may be anything.
	return sharedCount ?? 0.5;
}

function isCopy(a: HeaderFields, b: HeaderFields): boolean {
	return a.guid.some((byte) => byte !== 0) && equalBytes(a.guid, b.guid);
}

/** Null when the file cannot be read, or does not begin (nor, pipable, end) as a WIM. */
async function headerOf(path: string): Promise<HeaderFields | null> {
	try {
		await using source = await FileSource.open(path);
		const { first, last } = await readBothHeaders(source);
		return first.magic === null ? last : first;
	} catch (error) {
		if (error instanceof WimError) return null;
		throw error;
	}
}

/** Opens files while their tables are not too much to read. */
class Tables {
	#left = TABLES_MAX;

	/** Null when it does not open, or would be too much. */
	async open(path: string, header: HeaderFields | null): Promise<Wim | null> {
		const size = header?.blobTable?.originalSize ?? 0;
		if (size === 0 || size > this.#left) return null;
		this.#left -= size;
		try {
			return await openWim(path);
		} catch (error) {
			if (error instanceof WimError) return null;
			throw error;
		}
	}
}

/** Contents that are looked up in a millisecond. */
const SLICE = 4096;

/** How many contents two files share. */
function* shared({ blobs: own }: Wim, { blobs: others }: Wim): Generator<void, number, undefined> {
	let count = 0;
	let looked = 0;
	for (const sha1 of own.keys()) {
		if (++looked % SLICE === 0) yield;
		if (others.has(sha1)) count++;
	}
	return count;
}
