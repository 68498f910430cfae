/** Further places that the tables of a set and its references give for the same contents. */
import { placeBlobs } from '../../wim/blob-table.ts';
import type { Blob } from '../../wim/resource.ts';
import type { Wim } from '../../wim/wim.ts';

/** Where else blobs may be, damaged or not. */
export function otherPlaces(wim: Wim, blobs: readonly Blob[]): Blob[] {
	const wanted = new Map(blobs.map((blob) => [blob.sha1, blob]));
	const found: Blob[] = [];
	for (const part of [...wim.parts, ...wim.references])
		for (const entry of part.entries) {
			const known = wanted.get(entry.sha1);
			if (known === undefined) continue;
			const listed = part.table.blobs.get(entry.sha1);
			const copy =
				listed !== undefined && !isSamePlace(listed, known)
					? listed
					: placeBlobs(part, [entry], part, new Map()).blobs.get(entry.sha1);
			if (copy === undefined || copy.defect !== null || isSamePlace(copy, known)) continue;
			found.push(copy);
		}
	return found;
}

function isSamePlace(a: Blob, b: Blob): boolean {
	return (
		a.resource.part.source === b.resource.part.source &&
		a.resource.offset === b.resource.offset &&
		a.offsetInResource === b.offsetInResource
	);
}
