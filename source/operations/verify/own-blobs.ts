import { LazyList, type List } from '../../base/list.ts';
import { breathe, type Run } from '../../base/run.ts';
import { Uint32Column } from '../../bytes/columns.ts';
import type { Source } from '../../storage/source.ts';
import { blobList } from '../../wim/part-blobs.ts';
import type { Blob } from '../../wim/resource.ts';
import type { Wim } from '../../wim/wim.ts';

/** So many are looked at in one go: a few milliseconds. */
const SLICE = 8192;

/** The blobs of a set itself, without those that references lend. */
export interface OwnBlobs {
	readonly count: number;
	/** Original bytes. */
	readonly size: number;
	/** Those against which nothing speaks. */
	readonly usable: List<Blob>;
	/** Those of which the table alone tells that they cannot be read. */
	readonly defective: readonly Blob[];
}

export async function surveyOwnBlobs(wim: Wim, run: Run): Promise<OwnBlobs> {
	const sources = new Set<Source>(wim.parts.map(({ source }) => source));
	const all = blobList(wim.blobs);
	const rows = new Uint32Column(all.length);
	const defective: Blob[] = [];
	let size = 0;
	for (let row = 0; row < all.length; row++) {
		if (row % SLICE === SLICE - 1) await breathe(run);
		const blob = all.at(row);
		if (blob === undefined || !sources.has(blob.resource.part.source)) continue;
		size += blob.size;
		if (blob.defect === null) rows.push(row);
		else defective.push(blob);
	}
	const usable = new LazyList(rows.length, (k) => all.at(rows.get(k)) as Blob);
	return { count: rows.length + defective.length, size, usable, defective };
}
