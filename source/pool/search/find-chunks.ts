/**
 * Finds compressed resources in stretches that no table describes, from the structure of XPRESS and LZX chunks alone
 * (wim.md §13.4 C).
 */
import { createHash, type Hash } from 'node:crypto';
import { FormatError } from '../../base/errors.ts';
import { type Decoder, tookAll } from '../../codec/decoder.ts';
import type { ChunkEnd, FindableCompression, Finder } from '../../codec/finder.ts';
import {
	beginsLikeTree,
	endOf,
	type FoundResource,
	type ResourceEnd,
	type SearchRange,
	type SearchTools,
} from './found.ts';
import type { Bytes } from './stored-window.ts';

/** A chunk table is believed up to this many entries: resources of 128 GiB at 32 KiB. */
const ENTRIES_MAX = 4 << 20;

/** Up to this many possible ends, all but the first are chance. */
const FEW_ENDS = 8;

/** Of a run of equal bytes, which may end anywhere, so many ends are hashed. */
const HASHED_ENDS_MAX = 512;

/** How many ends are told besides the likeliest. */
const TOLD_ENDS_MAX = 16;

/** Looks for XPRESS or LZX resources. Yields how many bytes it went through. */
export function* findChunks(
	window: Bytes,
	kernels: { readonly finder: Finder; readonly decoder: Decoder },
	range: SearchRange & { readonly compression: FindableCompression },
	{ wanted }: SearchTools,
): Generator<number, FoundResource[], void> {
	const search = new ChunkSearch(window, kernels.finder, kernels.decoder, range, (sha1) =>
		wanted.names.has(sha1),
	);
	const resources: FoundResource[] = [];
	for (let at = range.start; at < range.stop; ) {
		const next = search.nextStart(at);
		if (next > at) yield next - at;
		if (next >= range.stop) break;
		const found = search.resourceAt(next);
		if (found === null) {
			at = next + 1;
			continue;
		}
		resources.push(found);
		yield endOf(found) - next;
		at = endOf(found);
	}
	return resources;
}

class ChunkSearch {
	private readonly window: Bytes;
	private readonly finder: Finder;
	private readonly decoder: Decoder;
	private readonly compression: FindableCompression;
	private readonly chunkSize: number;
	private readonly end: number;
	private readonly stop: number;
	private readonly isWanted: (sha1: string) => boolean;
	/** Where chunks may begin, for the bytes up to `scannedEnd`, ascending. */
	private hits: number[] = [];
	private hitSet: ReadonlySet<number> = new Set();
	private nextHit = 0;
	private scannedEnd = 0;

	constructor(
		window: Bytes,
		finder: Finder,
		decoder: Decoder,
		range: SearchRange & { readonly compression: FindableCompression },
		isWanted: (sha1: string) => boolean,
	) {
		this.window = window;
		this.finder = finder;
		this.decoder = decoder;
		this.compression = range.compression;
		this.chunkSize = range.chunkSize;
		this.end = range.end;
		this.stop = range.stop;
		this.isWanted = isWanted;
	}

	/** The next offset at which a resource may begin: a chunk, or a chunk table. */
	nextStart(from: number): number {
		for (let at = from; at < this.stop; ) {
			if (at >= this.scannedEnd) this.scan(at);
			while (this.nextHit < this.hits.length && (this.hits[this.nextHit] ?? 0) < at) this.nextHit++;
			const hit = Math.min(this.hits[this.nextHit] ?? this.end, this.scannedEnd);
			const table = this.tableBefore(this.window.at(at, hit + 8 - at), at, hit);
			if (table !== null) return table;
			if (hit < this.scannedEnd) return hit;
			at = this.scannedEnd;
		}
		return this.stop;
	}

	private scan(at: number): void {
		const size = Math.min(2 << 20, this.end - at);
		const bytes = this.window.at(at, size + 512);
		this.hits = this.finder
			.scan(this.compression, this.chunkSize, bytes)
			.filter((hit) => hit < size)
			.map((hit) => at + hit);
		this.hitSet = new Set(this.hits);
		this.nextHit = 0;
		this.scannedEnd = at + size;
	}

	/** The first offset before a hit where two words may begin a chunk table, or one word directly before any hit. */
	private tableBefore(bytes: Uint8Array, origin: number, hit: number): number | null {
		const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
		const last = Math.min(hit - origin - 1, bytes.length - 8);
		for (let at = 0; at <= last; at++) {
			// Entries are below 2^24 here, so the top byte of most non-entries decides.
			if (bytes[at + 3] !== 0) continue;
			const first = view.getUint32(at, true);
			if (first === 0 || first > this.chunkSize) continue;
			if (this.hitSet.has(origin + at + 4)) return origin + at;
			const second = view.getUint32(at + 4, true);
			if (second > first && second - first <= this.chunkSize) return origin + at;
		}
		return null;
	}

	/** The resource that begins at `at`; null when there is none. */
	resourceAt(at: number): FoundResource | null {
		const entries = this.entriesAt(at);
		for (let count = entries.length; count >= Math.max(1, entries.length - 2); count--) {
			const found = this.withTable(at, entries.slice(0, count));
			if (found !== null) return found;
		}
		return this.lastChunk(at, at, [], createHash('sha1'), false);
	}

	/** Words that increase by 1 to a chunk each. */
	private entriesAt(at: number): number[] {
		const entries: number[] = [];
		let before = 0;
		for (let offset = at; entries.length < ENTRIES_MAX; ) {
			const bytes = this.window.at(offset, Math.min(4096, this.end - offset));
			const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
			let k = 0;
			for (; k + 4 <= bytes.length; k += 4) {
				const entry = view.getUint32(k, true);
				if (entry <= before || entry - before > this.chunkSize) return entries;
				entries.push(entry);
				before = entry;
			}
			if (k === 0) return entries;
			offset += k;
		}
		return entries;
	}

	private withTable(at: number, entries: readonly number[]): FoundResource | null {
		const data = at + 4 * entries.length;
		const hash = createHash('sha1');
		let decoded = 0;
		let start = 0;
		let isTree = false;
		if (data + (entries.at(-1) ?? 0) >= this.end) return null;
		for (const [k, next] of entries.entries()) {
			const size = next - start;
			const bytes = this.window.at(data + start, size);
			if (bytes.length < size) return null;
			const chunk = size === this.chunkSize ? bytes : this.decodeFull(bytes);
			if (chunk === null) return null;
			hash.update(chunk);
			if (k === 0) isTree = beginsLikeTree(chunk);
			if (size < this.chunkSize) decoded++;
			start = next;
		}
		if (decoded === 0) return null;
		return this.lastChunk(at, data + start, entries, hash, isTree);
	}

	/** A chunk that gives exactly the chunk size and ends where its bytes end. */
	private decodeFull(stored: Uint8Array): Uint8Array | null {
		try {
			this.decoder.reserve(stored.length, this.chunkSize);
			this.decoder.input(stored.length).set(stored);
			const bytes = this.decoder.decode(
				this.compression,
				this.chunkSize,
				stored.length,
				this.chunkSize,
			);
			return tookAll(this.compression, this.decoder.lastConsumed()) ? bytes : null;
		} catch (error) {
			if (error instanceof FormatError) return null;
			throw error;
		}
	}

	/** Tries the ways in which the last chunk may end. */
	private lastChunk(
		at: number,
		chunkAt: number,
		entries: readonly number[],
		hash: Hash,
		isTree: boolean,
	): FoundResource | null {
		const room = Math.min(this.chunkSize, this.end - chunkAt);
		const bytes = this.window.at(chunkAt, room).slice();
		const probed = this.finder.probe(this.compression, this.chunkSize, bytes);
		const usable = probed.filter(({ originalSize, storedSize }) => storedSize < originalSize);
		if (usable.length === 0 && entries.length === 0) return null;
		const before = { stored: chunkAt - at, original: entries.length * this.chunkSize };
		const likely = this.likeliest(usable, chunkAt);
		const first = usable[0];
		const isTreeHere =
			entries.length > 0 || first === undefined
				? isTree
				: beginsLikeTree(this.finder.probed(this.compression, room, first.originalSize));
		const ends = this.digests(usable, bytes.length, hash).map(
			([end, sha1]): ResourceEnd => ({
				storedSize: before.stored + end.storedSize,
				originalSize: before.original + end.originalSize,
				sha1,
			}),
		);
		const make = (head: ResourceEnd, isWanted: boolean): FoundResource => ({
			offset: at,
			isRaw: false,
			ends: [head, ...ends.filter((end) => end !== head)].slice(0, TOLD_ENDS_MAX),
			isWanted,
			isTree: isTreeHere,
			likelyCount: 1,
		});
		const wanted = ends.find(({ sha1 }) => this.isWanted(sha1));
		if (wanted !== undefined) return make(wanted, true);
		if (entries.length > 0) {
			const raw = this.rawEnd(bytes, hash);
			if (raw !== null)
				return make(
					{
						storedSize: before.stored + raw.size,
						originalSize: before.original + raw.size,
						sha1: raw.sha1,
					},
					true,
				);
		}
		const head = ends[likely];
		if (head !== undefined) return make(head, false);
		return entries.length === 0 ? null : make(this.rawGuess(at, chunkAt, before, hash), false);
	}

	/** A last chunk that is stored raw reaches to the next thing that shows itself, if that is near enough. */
	private rawGuess(
		at: number,
		chunkAt: number,
		before: { readonly stored: number; readonly original: number },
		hash: Hash,
	): ResourceEnd {
		const next = Math.min(this.nextStart(chunkAt + 1), this.end);
		const size = next > chunkAt && next - chunkAt < this.chunkSize ? next - chunkAt : 0;
		const sha1 = hash.copy().update(this.window.at(chunkAt, size)).digest('hex');
		return { storedSize: chunkAt + size - at, originalSize: before.original + size, sha1 };
	}

	private digests(ends: readonly ChunkEnd[], inputSize: number, hash: Hash): [ChunkEnd, string][] {
		const few =
			ends.length <= HASHED_ENDS_MAX
				? ends
				: [...ends.slice(0, HASHED_ENDS_MAX / 2), ...ends.slice(-HASHED_ENDS_MAX / 2)];
		const longest = few.at(-1);
		if (longest === undefined) return [];
		if (this.compression === 'lzx')
			return few.map((chunkEnd) => {
				const plain = this.finder.probed('lzx', inputSize, chunkEnd.originalSize);
				return [chunkEnd, hash.copy().update(plain).digest('hex')];
			});
		const plain = this.finder.probed('xpress', inputSize, longest.originalSize);
		const going = hash.copy();
		let done = 0;
		return few.map((chunkEnd) => {
			going.update(plain.subarray(done, chunkEnd.originalSize));
			done = chunkEnd.originalSize;
			return [chunkEnd, going.copy().digest('hex')];
		});
	}

	/** The last chunk may be stored raw: then only the SHA-1 tells its size. */
	private rawEnd(bytes: Uint8Array, before: Hash): { size: number; sha1: string } | null {
		const hash = before.copy();
		for (let size = 1; size <= bytes.length; size++) {
			hash.update(bytes.subarray(size - 1, size));
			const sha1 = hash.copy().digest('hex');
			if (this.isWanted(sha1)) return { size, sha1 };
		}
		return null;
	}

	/**
	 * Position of the likeliest end. The first: behind the true one decoding runs on into other data, where ends come up by
	 * chance. Only where there are many (runs of equal bytes), the first that another chunk or chunk table follows.
	 */
	private likeliest(ends: readonly ChunkEnd[], chunkAt: number): number {
		if (ends.length <= FEW_ENDS) return 0;
		for (const [k, chunkEnd] of ends.slice(0, 64).entries()) {
			const next = chunkAt + chunkEnd.storedSize;
			if (next >= this.end) return k;
			const follows = this.window.at(next, 512).slice();
			const [start] = this.finder.scan(this.compression, this.chunkSize, follows);
			if (start === 0) return k;
			if (this.entriesAt(next).length > 1) return k;
		}
		return 0;
	}
}
