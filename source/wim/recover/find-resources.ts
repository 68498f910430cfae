/**
 * Finds compressed resources in stretches that no table describes, from the structure of XPRESS and LZX chunks alone
 * (wim.md §13.4 C).
 */
import { createHash } from 'node:crypto';
import { FormatError } from '../../base/errors.ts';
import { breathe, type Run } from '../../base/run.ts';
import type { Sha1 } from '../../bytes/sha1.ts';
import { Decoder } from '../../codec/decoder.ts';
import {
	type ChunkEnd,
	type FindableCompression,
	Finder,
	type WantedSet,
} from '../../codec/finder.ts';
import type { Source } from '../../storage/source.ts';
import { SlidingWindow } from './window.ts';

/** A stretch of a part, in bytes from its start. */
export interface Stretch {
	readonly start: number;
	readonly end: number;
}

/** A compressed resource that was found by its chunks. */
export interface FoundResource {
	readonly offset: number;
	readonly storedSize: number;
	readonly originalSize: number;
	/** Null when no end gives a wanted blob: then the sizes are the likeliest ones. */
	readonly sha1: Sha1 | null;
}

export interface FoundResources {
	readonly resources: readonly FoundResource[];
	/** What lies between them. */
	readonly rest: readonly Stretch[];
}

/** A chunk table is believed up to this many entries: resources of 128 GiB at 32 KiB. */
const ENTRIES_MAX = 4 << 20;

/**
 * Looks for resources in a stretch.
 *
 * @param wanted SHA-1s that decide between possible ends
 */
export async function findResources(
	source: Source,
	stretch: Stretch,
	how: { readonly compression: FindableCompression; readonly chunkSize: number },
	wanted: WantedSet,
	run: Run,
): Promise<FoundResources> {
	const search = new ResourceSearch(source, how.compression, how.chunkSize, wanted);
	const resources: FoundResource[] = [];
	const rest: Stretch[] = [];
	let restStart = stretch.start;
	let at = stretch.start;
	let unbreathed = 0;
	while (at < stretch.end) {
		const next = await search.nextStart(at, stretch.end);
		unbreathed += next - at;
		if (unbreathed > 1 << 20) {
			run.report({ type: 'advance', bytes: unbreathed });
			unbreathed = 0;
			await breathe(run);
		}
		if (next >= stretch.end) break;
		const found = await search.resourceAt(next, stretch.end);
		if (found === null) {
			at = next + 1;
			continue;
		}
		if (next > restStart) rest.push({ start: restStart, end: next });
		resources.push(found);
		at = next + found.storedSize;
		unbreathed += found.storedSize;
		restStart = at;
	}
	if (restStart < stretch.end) rest.push({ start: restStart, end: stretch.end });
	return { resources, rest };
}

/** Up to this many possible ends, all but the first are chance. */
const FEW_ENDS = 8;

class ResourceSearch {
	private readonly window: SlidingWindow;
	private readonly finder = new Finder();
	private readonly decoder = new Decoder();
	private readonly compression: FindableCompression;
	private readonly chunkSize: number;
	private readonly wanted: WantedSet;
	/** Where chunks may begin, for the bytes up to `scannedEnd`, ascending. */
	private hits: number[] = [];
	private hitSet: ReadonlySet<number> = new Set();
	private nextHit = 0;
	private scannedEnd = 0;

	constructor(
		source: Source,
		compression: FindableCompression,
		chunkSize: number,
		wanted: WantedSet,
	) {
		this.window = new SlidingWindow(source);
		this.compression = compression;
		this.chunkSize = chunkSize;
		this.wanted = wanted;
	}

	/** The next offset at which a resource may begin: a chunk, or a chunk table. */
	async nextStart(from: number, end: number): Promise<number> {
		for (let at = from; at < end; ) {
			if (at >= this.scannedEnd) await this.scan(at, end);
			while (this.nextHit < this.hits.length && (this.hits[this.nextHit] ?? 0) < at) this.nextHit++;
			const hit = Math.min(this.hits[this.nextHit] ?? end, this.scannedEnd);
			const table = this.tableBefore(await this.window.at(at, hit + 8 - at), at, hit);
			if (table !== null) return table;
			if (hit < this.scannedEnd) return hit;
			at = this.scannedEnd;
		}
		return end;
	}

	private async scan(at: number, end: number): Promise<void> {
		const size = Math.min(4 << 20, end - at);
		const bytes = await this.window.at(at, size + 512);
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
	async resourceAt(at: number, end: number): Promise<FoundResource | null> {
		const entries = await this.entriesAt(at, end);
		for (let count = entries.length; count >= Math.max(1, entries.length - 2); count--) {
			const found = await this.withTable(at, entries.slice(0, count), end);
			if (found !== null) return found;
		}
		return this.lastChunk(at, at, [], 0, end);
	}

	/** Words that increase by 1 to a chunk each. */
	private async entriesAt(at: number, end: number): Promise<number[]> {
		const entries: number[] = [];
		let before = 0;
		for (let offset = at; entries.length < ENTRIES_MAX; ) {
			const bytes = await this.window.at(offset, Math.min(4096, end - offset));
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

	private async withTable(
		at: number,
		entries: readonly number[],
		end: number,
	): Promise<FoundResource | null> {
		const data = at + 4 * entries.length;
		const hash = createHash('sha1');
		let decoded = 0;
		let start = 0;
		for (const next of entries) {
			const size = next - start;
			const bytes = await this.window.at(data + start, size);
			if (data + next >= end || bytes.length < size) return null;
			if (size === this.chunkSize) hash.update(bytes);
			else {
				const chunk = this.decodeFull(bytes);
				if (chunk === null) return null;
				hash.update(chunk);
				decoded++;
			}
			start = next;
		}
		if (decoded === 0) return null;
		return this.lastChunk(at, data + start, entries, entries.length * this.chunkSize, end, hash);
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
			return this.decoder.lastConsumed().front === stored.length ? bytes : null;
		} catch (error) {
			if (error instanceof FormatError) return null;
			throw error;
		}
	}

	/** Tries the ways in which the last chunk may end. */
	private async lastChunk(
		at: number,
		chunkAt: number,
		entries: readonly number[],
		before: number,
		end: number,
		hash = createHash('sha1'),
	): Promise<FoundResource | null> {
		const bytes = (await this.window.at(chunkAt, Math.min(this.chunkSize, end - chunkAt))).slice();
		const ends = this.finder.probe(this.compression, this.chunkSize, bytes);
		const make = ({ originalSize, storedSize }: ChunkEnd, sha1: Sha1 | null): FoundResource => ({
			offset: at,
			storedSize: chunkAt + storedSize - at,
			originalSize: before + originalSize,
			sha1,
		});
		const usable = ends.filter(({ originalSize, storedSize }) => storedSize < originalSize);
		for (const [chunkEnd, sha1] of this.digests(usable, bytes.length, hash))
			if (this.wanted.names.has(sha1)) return make(chunkEnd, sha1);
		if (entries.length > 0) {
			const raw = this.rawEnd(bytes, hash);
			if (raw !== null) return make({ originalSize: raw.size, storedSize: raw.size }, raw.sha1);
		}
		const likely = (await this.likeliest(usable, chunkAt, end)) ?? null;
		return likely === null ? null : make(likely, null);
	}

	private digests(
		ends: readonly ChunkEnd[],
		inputSize: number,
		hash: ReturnType<typeof createHash>,
	): [ChunkEnd, Sha1][] {
		const longest = ends.at(-1);
		if (longest === undefined) return [];
		if (this.compression === 'lzx')
			return ends.map((chunkEnd) => {
				const plain = this.finder.probed('lzx', inputSize, chunkEnd.originalSize);
				return [chunkEnd, hash.copy().update(plain).digest('hex')];
			});
		const plain = this.finder.probed('xpress', inputSize, longest.originalSize);
		const going = hash.copy();
		let done = 0;
		return ends.map((chunkEnd) => {
			going.update(plain.subarray(done, chunkEnd.originalSize));
			done = chunkEnd.originalSize;
			return [chunkEnd, going.copy().digest('hex')];
		});
	}

	/** The last chunk may be stored raw: then only the SHA-1 tells its size. */
	private rawEnd(
		bytes: Uint8Array,
		hash: ReturnType<typeof createHash>,
	): { size: number; sha1: Sha1 } | null {
		for (let size = 1; size <= bytes.length; size++) {
			hash.update(bytes.subarray(size - 1, size));
			const sha1 = hash.copy().digest('hex');
			if (this.wanted.names.has(sha1)) return { size, sha1 };
		}
		return null;
	}

	/**
	 * The first end: behind the true one decoding runs on into other data, where ends come up by chance. Only where there are
	 * many (runs of equal bytes), the first that another chunk or chunk table follows.
	 */
	private async likeliest(
		ends: readonly ChunkEnd[],
		chunkAt: number,
		end: number,
	): Promise<ChunkEnd | undefined> {
		if (ends.length <= FEW_ENDS) return ends[0];
		for (const chunkEnd of ends.slice(0, 64)) {
			const next = chunkAt + chunkEnd.storedSize;
			if (next >= end) return chunkEnd;
			const follows = (await this.window.at(next, this.chunkSize + 512)).slice();
			const starts = this.finder.scan(this.compression, this.chunkSize, follows.subarray(0, 512));
			if (starts[0] === 0) return chunkEnd;
			const entries = await this.entriesAt(next, end);
			if (entries.length > 1) return chunkEnd;
		}
		return ends[0];
	}
}
