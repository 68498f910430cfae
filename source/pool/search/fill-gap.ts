/**
 * Finds the wanted blobs between two damaged ones, where nothing shows the next beginning (wim.md §13.4 D). What follows a
 * known blob begins where that ends, and what comes before a known blob ends where that begins; so one blob in the middle,
 * found by whatever means, leads on to both sides, up to the damaged ones.
 */
import { createHash } from 'node:crypto';
import type { Sha1 } from '../../bytes/sha1.ts';
import { type Finder, PREFIXES_MAX, type PrefixHit } from '../../codec/finder.ts';
import { boundariesOf } from './boundaries.ts';
import { endOf, type FoundResource, rawResource, type SearchTools, type Stretch } from './found.ts';
import type { Bytes } from './stored-window.ts';

/** How many compressions of SHA-1 may still be done: a core does some 17 million a second. */
export interface Effort {
	left: number;
}

/**
 * A damaged blob at the start and one at the end are missing for good: something lies between them only if more are. Where
 * nobody knows whether the end is one, one less.
 */
const BETWEEN_LEAST = 3;

/** What finds the blob that begins at a place. */
export interface ForwardSearch {
	/** The blob that begins at `at` and ends at `limit` or before. */
	blobAt(at: number, limit: number): Generator<number, FoundResource | null, void>;
	/** The same by nothing but its SHA-1, up to some size. */
	prefixAt(at: number, reach: number): Generator<number, FoundResource | null, void>;
}

/** What finds the resources of a gap. */
export interface GapSteps {
	/** The resource that begins at `at` and ends at `limit` or before. */
	resourceAt(at: number, limit: number): Generator<number, FoundResource | null, void>;
	/** The resource that ends at `end` and begins at `least` or later. */
	endingAt(least: number, end: number): Generator<number, FoundResource | null, void>;
	/** Any resource inside a region at whose bounds none was found. */
	anchor(region: Stretch, isEndKnown: boolean): Generator<number, FoundResource | null, void>;
}

/** Bytes that lie between known resources. */
interface Region extends Stretch {
	/** Nothing is known yet that begins at the start. */
	readonly isStartTried: boolean;
	/** Nothing is known yet that ends at the end; or the end is none of a blob. */
	readonly isEndTried: boolean;
}

/** Blobs up to this size are looked for from behind at every offset. */
const EVERY_START_MAX = 32 << 10;

/** Likely places are looked for in windows of this size, each half new. */
const WINDOW = 8 << 20;

/** How far apart likely places are tried as the two ends of a blob: the nearer ones first. */
const PAIR_REACHES = [64 << 10, 1 << 20, WINDOW] as const;

/** One compression for every prefix, and one for every 64 bytes. */
const PER_PREFIX = 1.14;

/** Of the hashing of one message the vectors are no help: so many times as slow. */
const SCALAR = 3;

/** Short blobs are tried at every start. */
const SHORT = 2 << 10;

/** A message without vectors, natively hashed. */
const NATIVE_PIECE = 1 << 20;

/**
 * Fills a gap at whose start nothing was found.
 *
 * @param ends where the last resource may end, the likeliest first; none when nobody knows
 * @param wanted all names that are looked for
 * @param known what was found before
 */
export function* fillGap(
	{ start, end }: Stretch,
	ends: readonly number[],
	steps: GapSteps,
	wanted: ReadonlySet<Sha1>,
	known: readonly FoundResource[],
): Generator<number, { found: FoundResource[]; unresolved: Stretch[] }, void> {
	const found: FoundResource[] = [];
	const unresolved: Stretch[] = [];
	const missing = () => {
		const names = [...known, ...found].flatMap((one) => one.ends.map(({ sha1 }) => sha1));
		return wanted.size - new Set(names.filter((name) => wanted.has(name))).size;
	};
	const open: Region[] = [{ start, end, isStartTried: true, isEndTried: true }];
	const before = yield* likeliestLast(start, ends, steps);
	if (before !== null) {
		found.push(before);
		open[0] = { start, end: before.offset, isStartTried: true, isEndTried: false };
	}
	for (let region = open.pop(); region !== undefined; region = open.pop()) {
		const rest = yield* close(region, steps, found);
		if (rest.end <= rest.start) continue;
		const isEndKnown = ends.length > 0 || rest.end < end;
		const least = isEndKnown ? BETWEEN_LEAST : BETWEEN_LEAST - 1;
		const isHopeless = wanted.size > 0 && missing() < least;
		const anchor = isHopeless ? null : yield* steps.anchor(rest, isEndKnown);
		if (anchor === null) {
			unresolved.push(rest);
			continue;
		}
		found.push(anchor);
		open.push(
			{ start: endOf(anchor), end: rest.end, isStartTried: false, isEndTried: true },
			{ start: rest.start, end: anchor.offset, isStartTried: true, isEndTried: false },
		);
	}
	return { found, unresolved };
}

/**
 * The resource that ends at one of `ends`. Bytes of another kind behind the last one give some by chance: a tree or a wanted
 * one comes before any other.
 */
export function* likeliestLast(
	start: number,
	ends: readonly number[],
	steps: GapSteps,
): Generator<number, FoundResource | null, void> {
	let first: FoundResource | null = null;
	for (const last of ends) {
		const before = yield* steps.endingAt(start, last);
		if (before?.isWanted || before?.isTree) return before;
		first ??= before;
	}
	return first;
}

/** Goes on from both sides as far as resources follow each other. */
function* close(
	region: Region,
	steps: GapSteps,
	found: FoundResource[],
): Generator<number, Stretch, void> {
	let { start, end } = region;
	while (!region.isStartTried && start < end) {
		const next = yield* steps.resourceAt(start, end);
		if (next === null || endOf(next) > end) break;
		found.push(next);
		start = endOf(next);
		yield 0;
	}
	while (!region.isEndTried && start < end) {
		const before = yield* steps.endingAt(start, end);
		if (before === null) break;
		found.push(before);
		end = before.offset;
		yield 0;
	}
	return { start, end };
}

/** Fills gaps with blobs that are stored as they are. */
export class GapFiller implements GapSteps {
	readonly unresolved: Stretch[] = [];
	private readonly window: Bytes;
	private readonly finder: Finder;
	private readonly tools: SearchTools;
	private readonly forward: ForwardSearch;
	private readonly effort: Effort;
	/** Nobody expects more than what follows from the start. */
	private readonly isIdle: boolean;

	constructor(
		window: Bytes,
		finder: Finder,
		tools: SearchTools,
		forward: ForwardSearch,
		effort: Effort,
	) {
		this.window = window;
		this.finder = finder;
		this.tools = tools;
		this.forward = forward;
		this.effort = effort;
		this.isIdle = effort.left === 0;
	}

	/**
	 * The blobs in a stretch at whose start none was found.
	 *
	 * @param ends where the last one may end, the likeliest first; none when nobody knows
	 * @param known what was found before
	 */
	*fill(
		gap: Stretch,
		ends: readonly number[],
		known: readonly FoundResource[],
	): Generator<number, FoundResource[], void> {
		const filled = yield* fillGap(gap, ends, this, this.tools.wanted.names, known);
		this.unresolved.push(...filled.unresolved);
		return filled.found;
	}

	*resourceAt(at: number, limit: number): Generator<number, FoundResource | null, void> {
		return yield* this.forward.blobAt(at, limit);
	}

	/** The blob that ends at `end` and begins at `least` or later: at a likely place, else anywhere near. */
	*endingAt(least: number, end: number): Generator<number, FoundResource | null, void> {
		const size = Math.min(WINDOW, end - least);
		if (this.isIdle || size <= 0) return null;
		const bytes = this.window.at(end - size, size).slice();
		const places = boundariesOf(bytes);
		let left = this.effort.left / 8;
		for (let k = places.length - 1; k >= 0 && left > 0; k--) {
			const place = places[k] ?? 0;
			if (place >= size) continue;
			left -= this.spend((size - place) / 64);
			const hit = this.exactly(end - size + place, bytes.subarray(place));
			if (hit !== null) return hit;
			if (k % 64 === 0) yield 0;
		}
		return yield* this.fromBehind(bytes, end, 0, Math.min(size, EVERY_START_MAX));
	}

	private spend(compressions: number): number {
		this.effort.left -= compressions;
		return compressions;
	}

	private exactly(offset: number, bytes: Uint8Array): FoundResource | null {
		const hash = createHash('sha1');
		for (let at = 0; at < bytes.length; at += NATIVE_PIECE)
			hash.update(bytes.subarray(at, at + NATIVE_PIECE));
		const sha1 = hash.digest('hex');
		if (!this.tools.wanted.names.has(sha1)) return null;
		return rawResource(offset, { size: bytes.length, sha1 });
	}

	/** A blob whose end is that of `bytes`, of more bytes than `above` and not more than `most`. */
	private *fromBehind(
		bytes: Uint8Array,
		end: number,
		above: number,
		most: number,
	): Generator<number, FoundResource | null, void> {
		for (let size = above + 1; size <= most; ) {
			const last = Math.min(most, size + Math.max(64, Math.floor((4 << 20) / size)));
			const near = bytes.subarray(bytes.length - last);
			const [hit] = this.finder.startsBefore(near, size, last, this.tools.wanted);
			this.spend(((last - size + 1) * (last + 128)) / 64);
			if (hit !== undefined) return rawResource(end - hit.size, hit);
			size = last + 1;
			yield 0;
		}
		return null;
	}

	*anchor(region: Stretch, isEndKnown: boolean): Generator<number, FoundResource | null, void> {
		return (
			(yield* this.likelyPair(region)) ??
			(yield* this.short(region)) ??
			(isEndKnown ? yield* this.farBehind(region) : null) ??
			(yield* this.anywhere(region))
		);
	}

	/** Between two likely places. */
	private *likelyPair({ start, end }: Stretch): Generator<number, FoundResource | null, void> {
		const step = WINDOW / 2;
		for (let base = start; base < end; base += step) {
			const size = Math.min(WINDOW, end - base);
			const bytes = this.window.at(base, size).slice();
			const inside = boundariesOf(bytes);
			const places = inside.at(-1) === size ? inside : Uint32Array.from([...inside, size]);
			this.finder.loadPrefixes(bytes);
			let nearer = 0;
			for (const reach of PAIR_REACHES) {
				let left = this.effort.left / 8;
				for (const [k, from] of places.entries()) {
					if (base + from === start) continue;
					if (left < 0 || (from >= step && base + size < end)) break;
					const most = Math.min(reach, size - from);
					if (most <= nearer) break;
					const sizes = sizesBetween(places, k, nearer, most);
					left -= this.spend((most / 64) * SCALAR + sizes.length * 2 + 8);
					const hit = longest(this.finder.prefixes(from, sizes, this.tools.wanted));
					if (hit !== null) return rawResource(base + from, hit);
					if (k % 64 === 0) yield 0;
				}
				nearer = reach;
			}
			if (base + size >= end) break;
		}
		return null;
	}

	/** A short blob anywhere. */
	private *short({ start, end }: Stretch): Generator<number, FoundResource | null, void> {
		let left = this.effort.left / 8;
		for (let at = start + 1; at < end && left > 0; at++) {
			const reach = Math.min(SHORT, end - at);
			left -= this.spend(reach * PER_PREFIX);
			const hit = yield* this.forward.prefixAt(at, reach);
			if (hit !== null) return hit;
		}
		return null;
	}

	/** A longer blob that ends where the region does. */
	private *farBehind({ start, end }: Stretch): Generator<number, FoundResource | null, void> {
		const most = Math.min(end - start, Math.floor(Math.sqrt(128 * (this.effort.left / 2))), WINDOW);
		if (most <= EVERY_START_MAX) return null;
		const bytes = this.window.at(end - most, most).slice();
		return yield* this.fromBehind(bytes, end, EVERY_START_MAX, most);
	}

	/** A blob of any size at any place, where the region is small enough. */
	private *anywhere({ start, end }: Stretch): Generator<number, FoundResource | null, void> {
		const size = end - start;
		const cost = (size * size * PER_PREFIX) / 2;
		if (cost > this.effort.left / 2) return null;
		this.spend(cost);
		for (let at = start + 1; at < end; at++) {
			const hit = yield* this.forward.prefixAt(at, end - at);
			if (hit !== null) return hit;
		}
		return null;
	}
}

/** From place `k` to those behind it: more than `above` and not more than `most`. */
function sizesBetween(
	places: Uint32Array,
	k: number,
	above: number,
	most: number,
): Uint32Array<ArrayBuffer> {
	const from = places[k] ?? 0;
	const sizes: number[] = [];
	for (let next = k + 1; next < places.length && sizes.length < PREFIXES_MAX; next++) {
		const size = (places[next] ?? 0) - from;
		if (size > most) break;
		if (size > above) sizes.push(size);
	}
	return Uint32Array.from(sizes);
}

function longest(hits: readonly PrefixHit[]): PrefixHit | null {
	return hits.reduce<PrefixHit | null>(
		(best, hit) => (best === null || hit.size > best.size ? hit : best),
		null,
	);
}
