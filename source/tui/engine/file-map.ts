/** A file as a row of stretches, and what lies in one of them. */

import path from 'node:path';
import type { Clock } from '../../base/run.ts';
import type { OpenImage } from '../../image/open.ts';
import { pathOf } from '../../image/paths.ts';
import { mapOf, overlaps } from '../../operations/verify/verify-map.ts';
import type { PartReport } from '../../operations/verify/verify-report.ts';
import { ResourceFlag } from '../../wim/part-header.ts';
import type { Resource } from '../../wim/resource.ts';
import type { Wim } from '../../wim/wim.ts';
import type { MapPlace, PartMap, PlaceFacts } from '../engine-views.ts';

/** Shown of the resources and files of a place; the rest is counted. */
const SHOWN_MAX = 50;
/** Entries looked at before keys get through. */
const SLICE = 4096;

const breathe = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** The parts of a file as their tables tell them: nothing is checked. */
export async function partMaps(
	wim: Wim,
	clock: Clock,
	signal: AbortSignal,
): Promise<readonly PartMap[]> {
	const run = { signal, clock, report: () => {} };
	const maps: PartMap[] = [];
	for (const part of wim.parts)
		maps.push({
			path: path.resolve(part.source.name),
			size: part.source.size,
			stretches: await mapOf(part, () => 'unchecked', [], run),
		});
	return maps;
}

/** The maps that a check made. */
export function checkedMaps(parts: readonly PartReport[]): readonly PartMap[] {
	return parts.map((part) => ({
		path: path.resolve(part.path),
		size: part.size,
		stretches: part.map,
	}));
}

const rangeOf = ({ offset, storedSize }: Resource) => ({ offset, size: storedSize });

function kindOf(resource: Resource): string {
	if (resource.flags & ResourceFlag.metadata) return 'metadata of an image';
	return resource.layout === 'solid' ? 'solid resource' : 'content';
}

/** The contents that lie in a place, by SHA-1. */
async function contentsIn(wim: Wim, place: MapPlace, signal: AbortSignal): Promise<Set<string>> {
	const found = new Set<string>();
	let steps = 0;
	for (const blob of wim.parts[place.part]?.table.blobs.values() ?? []) {
		if (overlaps(rangeOf(blob.resource), place)) found.add(blob.sha1);
		if (++steps % SLICE !== 0) continue;
		await breathe();
		signal.throwIfAborted();
	}
	return found;
}

/**
 * What lies in a place.
 *
 * @param images the ones whose files are looked at, by index
 */
export async function placeFacts(
	wim: Wim,
	place: MapPlace,
	images: ReadonlyMap<number, OpenImage>,
	signal: AbortSignal,
): Promise<PlaceFacts> {
	const resources: Resource[] = [];
	let resourceCount = 0;
	let steps = 0;
	for (const resource of wim.parts[place.part]?.table.resources ?? []) {
		if (overlaps(rangeOf(resource), place) && ++resourceCount <= SHOWN_MAX)
			resources.push(resource);
		if (++steps % SLICE !== 0) continue;
		await breathe();
		signal.throwIfAborted();
	}
	const contents = await contentsIn(wim, place, signal);
	const files: { imageIndex: number; path: string }[] = [];
	let fileCount = 0;
	for (const [imageIndex, { tree }] of contents.size === 0 ? [] : images)
		for (let dentry = 0; dentry < tree.count; dentry++) {
			if (contents.has(tree.dataSha1(dentry)) && ++fileCount <= SHOWN_MAX)
				files.push({ imageIndex, path: pathOf(tree, dentry, '\\') });
			if (dentry % SLICE !== 0) continue;
			await breathe();
			signal.throwIfAborted();
		}
	return {
		resources: resources.map((resource) => ({
			offset: resource.offset,
			storedSize: resource.storedSize,
			originalSize: resource.originalSize,
			kind: kindOf(resource),
		})),
		resourceCount,
		files,
		fileCount,
		searched: [...images.keys()],
	};
}
