/**
 * Finds LZMS resources in stretches that no table describes. LZMS shows no start, but a start has its ends: where both
 * readers of a chunk meet (wim.md §13.4 C). So a walk from a known start goes on by itself; resources of several chunks
 * show their table; and from a known end the walk goes backwards.
 */
import { FormatError } from '../../base/errors.ts';
import { sha1Hasher, sha1 as sha1Of } from '../../bytes/sha1.ts';
import { type Decoder, tookAll } from '../../codec/decoder.ts';
import type { ChunkEnd, Finder } from '../../codec/finder.ts';
import { Chains } from './chains.ts';
import { BlobCutter } from './cut-blobs.ts';
import { fillGap, type GapSteps, likeliestLast } from './fill-gap.ts';
import {
	beginsLikeTree,
	endOf,
	type FoundResource,
	type ResourceEnd,
	type SearchRange,
	type SearchTools,
	type Stretch,
} from './found.ts';
import type { Bytes } from './stored-window.ts';

/** Chunks larger than this are not looked for from behind. */
const BACKWARD_MAX = 1 << 20;

/**
 * Where neither side leads any further, starts are tried one by one, in windows of this size: those first where more literals
 * come before the first match, since nothing can be repeated yet. Half of all resources begin with 16, of other bytes one in
 * a hundred; two thirds with 8, of others one in ten. A start takes some 100 steps for each end of a small chunk, of a large
 * one ten: what finds most in little time comes first, since any one that is found leads on to those beside it.
 */
const ANCHOR_WINDOW = 64 << 10;
const ANCHOR_ROUNDS = [
	{ literals: 8, most: 1 << 8 },
	{ literals: 16, most: 16 << 10 },
	{ literals: 8, most: 4 << 10 },
	{ literals: 16, most: BACKWARD_MAX },
	{ literals: 0, most: 1 << 10 },
	{ literals: 8, most: BACKWARD_MAX },
	{ literals: 4, most: BACKWARD_MAX },
	{ literals: 0, most: BACKWARD_MAX },
] as const;

/** So much of the effort goes into further trees between damaged resources. */
const OTHER_TREES_SHARE = 1 / 8;

/** What a step of a search for ends takes, in compressions of SHA-1: 15 ns of 60. */
const STEP_COST = 0.25;
/** A byte that is decoded and hashed takes so many steps. */
const STEPS_PER_BYTE = 0.5;
/** And a start, whatever its ends take, besides one for so many bytes that are copied. */
const START_COST = 200;
const BYTES_PER_COST = 160;

/** And the ends of one start that are tried together: a second at most. */
const ROUND_COST = 16 << 20;
/** So many rounds try all ends of a chunk of 128 KiB, and so many are worth it where none may begin. */
const ROUNDS_PROVEN = 100;
const ROUNDS = 16;

/**
 * A chunk with hardly any match may end in thousands of ways: so many are hashed, and so many told when none is wanted.
 */
const TRIED_MAX = 1000;
const TOLD_MAX = 16;

/** Of so many bytes of compressed contents 139 to 180 values differ (20,000 trials); of texts and programs hardly 100. */
const DENSE_SIZE = 256;
const DENSE_LEAST = 130;

/** Metadata resources are whole units of so many bytes. */
const TREE_UNIT = 8;

/** Of a chunk that begins in a window, so many bytes are looked at besides. */
const SCAN_OVERLAP = 64;

/** A chunk table is believed up to this many entries. */
const ENTRIES_MAX = 1 << 20;

/** Looks for LZMS resources. Yields how many bytes it went through. */
export function* findLzms(
	window: Bytes,
	kernels: { readonly finder: Finder; readonly decoder: Decoder },
	range: SearchRange,
	tools: SearchTools,
): Generator<number, FoundResource[], void> {
	return yield* new LzmsSearch(window, kernels.finder, kernels.decoder, range, tools).run();
}

/** The last chunk of a resource, as far as its ends were tried; the sizes are those of what comes before it. */
interface LastChunk {
	readonly at: number;
	readonly storedBefore: number;
	readonly originalBefore: number;
	/** All that may belong to it. */
	readonly stored: Uint8Array;
	/** Null when nothing comes before it. */
	readonly hash: ReturnType<typeof sha1Hasher> | null;
	readonly isTreeBefore: boolean;
}

function oneChunk(at: number, stored: Uint8Array): LastChunk {
	return { at, storedBefore: 0, originalBefore: 0, stored, hash: null, isTreeBefore: false };
}

function isFirstOfSize({ storedSize }: ChunkEnd, k: number, chunks: readonly ChunkEnd[]): boolean {
	return chunks[k - 1]?.storedSize !== storedSize;
}

/**
 * Whether bytes are as those of compressed contents are, and so many that they decode by no chance: 6,000 starts in noise and
 * 18,000 in programs gave two of more than 200 bytes, of text.
 */
function isDense(stored: Uint8Array): boolean {
	const bytes = stored.subarray(0, DENSE_SIZE);
	return bytes.length === DENSE_SIZE && new Set(bytes).size >= DENSE_LEAST;
}

interface UntriedChunk {
	readonly last: LastChunk;
	/** The longest stored size that was not tried. */
	readonly longest: number;
}

class LzmsSearch implements GapSteps {
	private readonly window: Bytes;
	private readonly finder: Finder;
	private readonly decoder: Decoder;
	/** Without what stands behind a tree while what stands before it is searched. */
	private range: SearchRange;
	private readonly chunkSize: number;
	private readonly tools: SearchTools;
	private readonly cutter: BlobCutter;
	/** Compressions of SHA-1, or as much work of another kind. */
	private effortLeft: number;
	/** Of searches for ends, since the last start that was charged. */
	private stepsTaken = 0;
	/** One was found, and nothing is wanted. */
	private hasTree = false;
	/** Chunks at the place that is looked at whose ends were not all tried; null: nobody will go on. */
	private untried: UntriedChunk[] | null = null;
	/** Where the last resource of the range probably ends. */
	private bounds: ReadonlySet<number> = new Set();
	private readonly behind = new Chains((place) => this.endsFrom(place));
	private readonly before = new Chains((place) => this.startsTo(place));

	constructor(
		window: Bytes,
		finder: Finder,
		decoder: Decoder,
		range: SearchRange,
		tools: SearchTools,
	) {
		this.window = window;
		this.finder = finder;
		this.decoder = decoder;
		this.range = range;
		this.chunkSize = range.chunkSize;
		this.tools = tools;
		this.effortLeft = range.effort;
		this.cutter = new BlobCutter(window, finder, { ...range, effort: range.effort / 4 }, tools);
	}

	*run(): Generator<number, FoundResource[], void> {
		const { start, stop, end } = this.range;
		// The trees stand behind the contents: who knows one spares slow attempts before it, and knows where those end.
		if (this.isBlind && stop === end && !this.range.isQuick) {
			const tree = yield* likeliestLast(start, this.cutter.endsOf({ start, end }), this);
			if (tree?.isTree) {
				const { range } = this;
				this.range = { ...range, stop: tree.offset, end: tree.offset };
				const found = yield* this.walk();
				this.range = { ...range, start: endOf(tree), isSynced: true };
				return [...found, tree, ...(yield* this.walk())];
			}
		}
		return yield* this.walk();
	}

	/** Nobody knows what is wanted. */
	private get isBlind(): boolean {
		return this.tools.wanted.names.size === 0;
	}

	private *walk(): Generator<number, FoundResource[], void> {
		const found: FoundResource[] = [];
		const { start, stop, end, isSynced } = this.range;
		this.bounds = new Set([end, ...this.cutter.endsOf({ start, end })]);
		let at = isSynced ? start : ((yield* this.nextSure(start)) ?? stop);
		while (at < stop) {
			const next = yield* this.resourceAt(at);
			if (next !== null) {
				found.push(next);
				yield endOf(next) - at;
				at = endOf(next);
				continue;
			}
			const sure = (yield* this.nextSure(at + 1)) ?? stop;
			// Where the range ends for no reason of the data, whoever searches behind it goes on.
			const isBound = sure < stop || stop === end;
			const gap = { start: at, end: sure };
			const ends = isBound ? (sure < end ? [sure] : this.cutter.endsOf(gap)) : [];
			const { names } = this.tools.wanted;
			found.push(...(yield* fillGap(gap, ends, this, names, found)).found);
			found.sort((a, b) => a.offset - b.offset);
			yield sure - at;
			at = sure;
		}
		return found;
	}

	/** The resource that begins at `at`: compressed, else a raw blob. */
	*resourceAt(at: number, limit = this.range.end): Generator<number, FoundResource | null, void> {
		const untried: UntriedChunk[] = [];
		this.untried = untried;
		const compressed = this.severalChunks(at) ?? this.oneChunk(at, this.chunkSize, true);
		this.untried = null;
		if (compressed?.isWanted) return compressed;
		if (this.isBlind) return compressed;
		const raw = (yield* this.cutter.blobAt(at, limit)) ?? (yield* this.fartherEnds(untried, limit));
		if (raw !== null || compressed !== null || limit < this.range.end) return raw ?? compressed;
		return yield* this.cutter.fartherAt(at);
	}

	/**
	 * @param reach the most that it takes
	 * @param isSure a resource does begin there
	 */
	private oneChunk(at: number, reach: number, isSure: boolean): FoundResource | null {
		const stored = this.window.at(at, Math.min(reach, this.range.end - at)).slice();
		const ends = this.endsOf(stored, isSure);
		const last = oneChunk(at, stored);
		if (isSure) this.noteUntried(last);
		return this.choose(last, ends);
	}

	private endsOf(stored: Uint8Array, isSure: boolean): ChunkEnd[] {
		const ends = this.finder.endsOfLzms(this.chunkSize, stored, isSure);
		this.stepsTaken += this.finder.work;
		return ends;
	}

	/** A chunk table, chunks that give what they should, and a last one of any size. */
	private severalChunks(at: number): FoundResource | null {
		const entries = this.entriesAt(at);
		for (let count = entries.length; count >= Math.max(1, entries.length - 2); count--) {
			const found = this.withTable(at, entries.slice(0, count));
			if (found !== null) return found;
		}
		return null;
	}

	/** Words that increase by 1 to a chunk each; compressed chunks have even sizes. */
	private entriesAt(at: number): number[] {
		const entries: number[] = [];
		let before = 0;
		for (let offset = at; entries.length < ENTRIES_MAX; ) {
			const bytes = this.window.at(offset, Math.min(4096, this.range.end - offset));
			const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
			let k = 0;
			for (; k + 4 <= bytes.length; k += 4) {
				const entry = view.getUint32(k, true);
				if (entry <= before || entry - before > this.chunkSize || entry % 2 !== 0) return entries;
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
		if (data + (entries.at(-1) ?? 0) >= this.range.end) return null;
		const hash = sha1Hasher();
		let decoded = 0;
		let start = 0;
		let isTree = false;
		for (const [k, next] of entries.entries()) {
			const size = next - start;
			const bytes = this.window.at(data + start, size);
			const chunk = size === this.chunkSize ? bytes : this.decodeMeeting(bytes, this.chunkSize);
			if (chunk === null) return null;
			if (k === 0) isTree = beginsLikeTree(chunk);
			hash.update(chunk);
			if (size < this.chunkSize) decoded++;
			start = next;
		}
		if (decoded === 0) return null;
		const lastAt = data + start;
		const room = Math.min(this.chunkSize, this.range.end - lastAt);
		const stored = this.window.at(lastAt, room).slice();
		const ends = this.endsOf(stored, true);
		const last = {
			at,
			storedBefore: lastAt - at,
			originalBefore: entries.length * this.chunkSize,
			stored,
			hash,
			isTreeBefore: isTree,
		};
		this.noteUntried(last);
		return this.choose(last, ends);
	}

	private noteUntried(last: LastChunk): void {
		const longest = this.finder.untried;
		if (longest > 0) this.untried?.push({ last, longest });
	}

	/** Of chunks of hardly anything but literals, the ends that take long to try: until one gives what is wanted. */
	private *fartherEnds(
		untried: readonly UntriedChunk[],
		limit: number,
	): Generator<number, FoundResource | null, void> {
		for (const { last, longest } of untried) {
			// Behind a table and a chunk that decodes, one does begin.
			const isProven = last.hash !== null;
			let left = isProven ? ROUNDS_PROVEN : ROUNDS;
			for (let most = longest; most > 0 && left > 0; left--) {
				if (!isProven && this.effortLeft < 0) break;
				this.effortLeft -= ROUND_COST;
				const ends = this.finder.endsOfLzms(this.chunkSize, last.stored, true, 1, most);
				most = Math.min(most - 2, this.finder.untried);
				const found = this.choose(last, ends);
				if (found?.isWanted && endOf(found) <= limit) return found;
				yield 0;
			}
		}
		return null;
	}

	/** Of the ends of a last chunk, the one whose SHA-1 is wanted, else those that give a tree first. */
	private choose(last: LastChunk, chunks: readonly ChunkEnd[]): FoundResource | null {
		const { at, storedBefore, originalBefore, stored, hash, isTreeBefore } = last;
		const ends: ResourceEnd[] = [];
		const trees: ResourceEnd[] = [];
		const { names } = this.tools.wanted;
		let wanted: ResourceEnd | undefined;
		const ordered = this.isBlind ? this.byChains(at + storedBefore, chunks) : chunks;
		const place = at + storedBefore + (ordered[0]?.storedSize ?? 0);
		const isClear = !this.isBlind || ordered.length < 2 || this.behind.leadsOn(place);
		// Of one stored size the first is the likeliest.
		const likeliest = isClear ? ordered : ordered.filter(isFirstOfSize);
		for (const { storedSize, originalSize } of likeliest.slice(0, TRIED_MAX)) {
			const chunk = this.decodeMeeting(stored.subarray(0, storedSize), originalSize);
			if (chunk === null) continue;
			const isTree = hash === null && originalSize % TREE_UNIT === 0 && beginsLikeTree(chunk);
			if (!isTree && names.size === 0 && ends.length === TOLD_MAX) continue;
			const sha1 = hash === null ? sha1Of(chunk) : hash.copy().update(chunk).digest('hex');
			const end = {
				storedSize: storedBefore + storedSize,
				originalSize: originalBefore + originalSize,
				sha1,
			};
			const told = isTree ? trees : ends;
			if (told.length < TOLD_MAX) told.push(end);
			if (!names.has(sha1)) continue;
			wanted = end;
			break;
		}
		this.hasTree ||= trees.length > 0 && names.size === 0;
		// Of a small chunk, ends farther behind come up by chance.
		const likely = [...trees, ...ends];
		if (likely.length === 0) return null;
		return {
			offset: at,
			isRaw: false,
			ends: wanted === undefined ? likely : [wanted],
			isWanted: wanted !== undefined,
			isTree: isTreeBefore || trees.length > 0,
			likelyCount: isClear ? 1 : likely.length,
		};
	}

	/** Ends of a chunk, those first behind which more resources follow. */
	private byChains(start: number, chunks: readonly ChunkEnd[]): readonly ChunkEnd[] {
		const places = new Set(chunks.map(({ storedSize }) => start + storedSize));
		if (places.size < 2) return chunks;
		const order = this.behind.ordered(start, [...places]);
		return order.flatMap((place) => chunks.filter((one) => start + one.storedSize === place));
	}

	/** Where a resource that begins at a place may end. */
	private endsFrom(at: number): number[] | 'sure' {
		const { end } = this.range;
		if (this.bounds.has(at)) return 'sure';
		// Whoever looks for ends here must not take part in what is looked at there.
		const entries = this.entriesAt(at);
		if (entries.length > 0 && this.tableShows(at, entries)) return 'sure';
		const stored = this.window.at(at, Math.min(this.chunkSize, end - at)).slice();
		const ends = this.endsOf(stored, false);
		return [...new Set(ends.map(({ storedSize }) => at + storedSize))].sort((a, b) => a - b);
	}

	/** A chunk behind a table decodes as the table says. */
	private tableShows(at: number, entries: readonly number[]): boolean {
		for (let count = entries.length; count >= Math.max(1, entries.length - 2); count--) {
			const size = entries[0] ?? 0;
			const stored = this.window.at(at + 4 * count, size);
			if (stored.length === size && this.decodeMeeting(stored, this.chunkSize) !== null)
				return true;
		}
		return false;
	}

	/** Where a resource that ends at a place may begin. */
	private startsTo(end: number): number[] | 'sure' {
		const { start } = this.range;
		if (end === start) return 'sure';
		const room = Math.min(this.chunkSize, BACKWARD_MAX, end - start);
		if (room <= 0) return [];
		const stored = this.window.at(end - room, room).slice();
		const starts = this.finder.startsOfLzms(this.chunkSize, stored);
		return [...new Set(starts.map(({ storedSize }) => end - storedSize))].sort((a, b) => b - a);
	}

	private decodeMeeting(stored: Uint8Array, originalSize: number): Uint8Array | null {
		if (stored.length >= originalSize) return null;
		try {
			this.decoder.reserve(stored.length, originalSize);
			this.decoder.input(stored.length).set(stored);
			const bytes = this.decoder.decode('lzms', this.chunkSize, stored.length, originalSize);
			this.stepsTaken += originalSize * STEPS_PER_BYTE;
			return tookAll('lzms', this.decoder.lastConsumed()) ? bytes : null;
		} catch (error) {
			if (error instanceof FormatError) return null;
			throw error;
		}
	}

	/** The next resource that shows itself: by its chunk table. */
	private *nextSure(from: number): Generator<number, number | null, void> {
		const step = 1 << 20;
		for (let start = from; start < this.range.stop; start += step) {
			const bytes = this.window.at(start, Math.min(step + 8, this.range.end - start)).slice();
			const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
			const last = Math.min(step, bytes.length - 8, this.range.stop - start);
			for (let k = 0; k < last; k++) {
				if (bytes[k + 3] !== 0) continue;
				const first = view.getUint32(k, true);
				if (first < 8 || first > this.chunkSize || first % 2 !== 0) continue;
				if (this.severalChunks(start + k) !== null) return start + k;
				if (k % 64 === 0) yield 0;
			}
			yield 0;
		}
		return null;
	}

	/** The resource that ends at `end`: compressed, else a raw blob. */
	*endingAt(least: number, end: number): Generator<number, FoundResource | null, void> {
		const compressed = this.chunkEndingAt(least, end);
		if (compressed !== null || this.range.isQuick || this.isBlind) return compressed;
		return yield* this.cutter.filler.endingAt(least, end);
	}

	/** The resource that ends at `end`: one chunk, or the last of several whose table is found before them. */
	private chunkEndingAt(least: number, end: number): FoundResource | null {
		const room = Math.min(this.chunkSize, BACKWARD_MAX, end - least);
		const stored = this.window.at(end - room, room).slice();
		const starts = this.finder.startsOfLzms(this.chunkSize, stored);
		let first: FoundResource | null = null;
		const places = [...new Set(starts.slice(0, TRIED_MAX).map((one) => end - one.storedSize))];
		for (const offset of this.isBlind ? this.before.ordered(end, places) : places) {
			const storedSize = end - offset;
			const same = starts.filter((other) => other.storedSize === storedSize);
			const bytes = stored.subarray(stored.length - storedSize);
			const found = this.choose(oneChunk(offset, bytes), same);
			if (found?.isWanted || found?.isTree) return found;
			first ??= found;
		}
		return first;
	}

	/** A resource of one chunk, the likeliest starts first. */
	*anchor({ start, end }: Stretch): Generator<number, FoundResource | null, void> {
		if (this.range.isQuick) return null;
		// Where nobody knows what is wanted only trees are of use, and one tells what is.
		const least = this.hasTree ? this.range.effort * (1 - OTHER_TREES_SHARE) : 0;
		for (const round of ANCHOR_ROUNDS)
			for (let from = start + 1; from < end && this.effortLeft > least; from += ANCHOR_WINDOW) {
				const found = yield* this.anchorIn({ start: from, end }, round);
				if (found !== null) return found;
			}
		return null;
	}

	private *anchorIn(
		{ start, end }: Stretch,
		{ literals, most }: { readonly literals: number; readonly most: number },
	): Generator<number, FoundResource | null, void> {
		const bytes = this.window
			.at(start, Math.min(ANCHOR_WINDOW + SCAN_OVERLAP, end - start))
			.slice();
		for (const at of this.finder.scanLzms(literals, bytes)) {
			if (at >= ANCHOR_WINDOW || this.effortLeft < 0) break;
			const reach = Math.min(this.chunkSize, most, end - start - at);
			this.stepsTaken = 0;
			const one = this.oneChunk(start + at, reach, false);
			this.effortLeft -= this.stepsTaken * STEP_COST + START_COST + reach / BYTES_PER_COST;
			yield 0;
			if (one !== null && this.isBelievable(one, end)) return one;
		}
		return null;
	}

	/** It is wanted; or, where nobody knows what is, another follows, or so many bytes decode by no chance. */
	private isBelievable(one: FoundResource, end: number): boolean {
		if (one.isWanted || this.tools.wanted.names.size > 0) return one.isWanted;
		const next = endOf(one);
		if (next > end) return false;
		if (isDense(this.window.at(one.offset, next - one.offset))) return true;
		return this.severalChunks(next) !== null || this.oneChunk(next, this.chunkSize, false) !== null;
	}
}
