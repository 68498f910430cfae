/** Which of many files are the likeliest donors: those that say in their header that they are the same file. */
import { WimError } from '../../base/errors.ts';
import { equalBytes } from '../../bytes/equal-bytes.ts';
import { FileSource } from '../../storage/file-source.ts';
import { readBothHeaders } from '../../wim/recover/recover-header.ts';

/** Files with the GUID of the damaged one first, all else in the given order. */
export async function likeliestFirst(damaged: string, paths: readonly string[]): Promise<string[]> {
	const own = await guidOf(damaged);
	if (own === null) return [...paths];
	const same = new Set<string>();
	for (const path of paths) {
		const guid = await guidOf(path);
		if (guid !== null && equalBytes(guid, own)) same.add(path);
	}
	return [...same, ...paths.filter((path) => !same.has(path))];
}

/** Null when the file cannot be read, or does not tell. */
async function guidOf(path: string): Promise<Uint8Array | null> {
	try {
		await using source = await FileSource.open(path);
		const { first } = await readBothHeaders(source);
		return first.magic !== null && first.guid.some((byte) => byte !== 0) ? first.guid : null;
	} catch (error) {
		if (error instanceof WimError) return null;
		throw error;
	}
}
