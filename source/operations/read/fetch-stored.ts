import { FormatError } from '../../base/errors.ts';
import { chunkCount } from '../../codec/chunk-table.ts';
import { chunkWindowPlace, parseChunkWindow } from '../../pool/chunk-window.ts';
import type { FetchedSource, FetchedStretch, LaneSource } from '../../pool/stored-bytes.ts';
import type { Source } from '../../storage/source.ts';
import type { Resource } from '../../wim/resource.ts';
import type { PlannedBatch, Wanted } from './plan-reads.ts';

/** What lanes read a batch from: the source itself, or else the bytes that they will ask for, fetched here. */
export async function laneSource<W extends Wanted>(
	source: Source,
	batch: PlannedBatch<W>,
): Promise<LaneSource> {
	const shared = source.share();
	if (shared !== null) return shared;
	const stretches: FetchedStretch[] = [];
	for (const { resource, pieces } of batch.stretches) {
		const start = pieces[0]?.start ?? 0;
		const end = pieces.reduce((most, piece) => Math.max(most, piece.end), 0);
		stretches.push(...(await fetchStretch(source, resource, start, end)));
	}
	return { kind: 'fetched', name: source.name, stretches } satisfies FetchedSource;
}

async function fetchStretch(
	source: Source,
	resource: Resource,
	start: number,
	end: number,
): Promise<FetchedStretch[]> {
	if (resource.layout === 'raw')
		return [await fetchBytes(source, resource.offset + start, end - start)];
	const { chunkSize, originalSize, offset } = resource;
	const first = Math.floor(start / chunkSize);
	const last = Math.min(chunkCount(originalSize, chunkSize), Math.ceil(end / chunkSize));
	let place: { offset: number; size: number };
	try {
		place = chunkWindowPlace(resource, first, last);
	} catch (error) {
		// The lane finds the same, and says it.
		if (error instanceof FormatError) return [];
		throw error;
	}
	const table = await fetchBytes(source, place.offset, place.size);
	const window = parseChunkWindow(resource, first, last, table.bytes);
	let from = Number.POSITIVE_INFINITY;
	let to = 0;
	for (const [k, size] of window.sizes.entries()) {
		if (size === 0) continue;
		const at = window.starts[k] ?? 0;
		from = Math.min(from, at);
		to = Math.max(to, at + size);
	}
	return to === 0 ? [table] : [table, await fetchBytes(source, offset + from, to - from)];
}

/** Fewer bytes where the source ends. */
async function fetchBytes(source: Source, offset: number, size: number): Promise<FetchedStretch> {
	const bytes = new Uint8Array(new SharedArrayBuffer(size));
	const count = await source.read(offset, bytes);
	return { offset, bytes: bytes.subarray(0, count) };
}
