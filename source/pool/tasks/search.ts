/** Searches a stretch of a part for resources that no table names (wim.md §13.4 C and D). */
import { encodeHex } from '../../bytes/hex.ts';
import type { Sha1 } from '../../bytes/sha1.ts';
import { Finder, WantedSet } from '../../codec/finder.ts';
import type { ResourceShape } from '../chunk-window.ts';
import type { Lane } from '../lane.ts';
import { cutBlobs } from '../search/cut-blobs.ts';
import { DecodedWindow } from '../search/decoded-window.ts';
import { findChunks } from '../search/find-chunks.ts';
import { findLzms } from '../search/find-lzms.ts';
import type { FoundResource, SearchRange, SearchTools } from '../search/found.ts';
import { StoredWindow } from '../search/stored-window.ts';
import type { LaneSource } from '../stored-bytes.ts';

const SHA1_SIZE = 20;

/** SHA-1s that are looked for, as lanes get them: once for all tasks of a search. */
export interface WantedInput {
	/** Differs from that of every other set. */
	readonly key: string;
	readonly digests: Uint8Array<SharedArrayBuffer>;
	/** Sizes of wanted blobs, where a donor tells. */
	readonly sizes: readonly number[];
}

export interface SearchInput {
	readonly source: LaneSource;
	/** Searches the original bytes of this resource; null: the bytes of the source. */
	readonly resource: ResourceShape | null;
	/** With `none`, raw blobs are looked for. */
	readonly range: SearchRange;
	readonly wanted: WantedInput;
}

export interface SearchOutput {
	/** By offset. */
	readonly resources: readonly FoundResource[];
}

/** Makes what lanes need of a set. */
export function wantedInput(names: ReadonlySet<Sha1>, sizes: Iterable<number>): WantedInput {
	const digests = new Uint8Array(new SharedArrayBuffer(names.size * SHA1_SIZE));
	let at = 0;
	for (const name of names) {
		for (let k = 0; k < SHA1_SIZE; k++)
			digests[at + k] = Number.parseInt(name.slice(2 * k, 2 * k + 2), 16);
		at += SHA1_SIZE;
	}
	setCount++;
	return { key: String(setCount), digests, sizes: [...new Set(sizes)] };
}

let setCount = 0;

export function* searchTask(input: SearchInput, lane: Lane): Generator<number, SearchOutput, void> {
	const { source, resource, range, wanted } = input;
	const tools = lane.remember('wanted', wanted.key, (): SearchTools => toolsOf(wanted));
	const finder = lane.remember('finder', '', () => new Finder());
	if (range.compression === 'none') {
		const window =
			resource === null ? new StoredWindow(source) : new DecodedWindow(source, resource, lane);
		return { resources: yield* cutBlobs(window, finder, range, tools) };
	}
	const window = new StoredWindow(source);
	const kernels = { finder, decoder: lane.decoder };
	const { compression } = range;
	const resources =
		compression === 'lzms'
			? yield* findLzms(window, kernels, range, tools)
			: yield* findChunks(window, kernels, { ...range, compression }, tools);
	return { resources };
}

function toolsOf({ digests, sizes }: WantedInput): SearchTools {
	const names: Sha1[] = [];
	for (let at = 0; at < digests.length; at += SHA1_SIZE)
		names.push(encodeHex(digests.slice(at, at + SHA1_SIZE)));
	return { wanted: new WantedSet(names), sizes };
}
