/**
 * Cuts stretches of uncompressed bytes into blobs, by nothing but the SHA-1s that are wanted (wim.md §13.4 D).
 */
import { createHash } from 'node:crypto';
import type { Finder, PrefixHit } from '../../codec/finder.ts';
import { type Effort, type ForwardSearch, GapFiller } from './fill-gap.ts';
import { formatSizes, isFormatStart } from './formats.ts';
import {
	cutOut,
	endOf,
	type FoundResource,
	rawResource,
	type SearchRange,
	type SearchTools,
	type Stretch,
} from './found.ts';
import type { Bytes } from './stored-window.ts';

/** How far the end of a blob is looked for at once; then, before anything else is tried; at last, when all else is done. */
const REACH_SHORT = 64 << 10;
const REACH = 4 << 20;
const REACH_LONG = 256 << 20;

/** A longer blob may begin like a short one: so far behind a hit a longer one is looked for. */
const LONGER_FACTOR = 4;
const LONGER_LEAST = 64 << 10;

/** Hits that may have been only the beginnings of longer blobs. */
const BACKTRACK_MAX = 3;

/** How much is hashed at a time: the first pieces of a blob are smaller, since most blobs are. */
const PIECE = 64 << 10;
const PIECE_FIRST = 4 << 10;

/** A gap is usually exactly one blob; larger ones than this hardly ever are. */
const WHOLE_MAX = 64 << 20;

/** How far a start that is sure is looked for, behind a place where nothing fits. */
const SURE_REACH = 64 << 20;

/** A table of more bytes is not looked for behind the last blob. */
const ZEROS_MAX = 64 << 20;

/** A hit of fewer bytes may well be the beginning of a longer blob by chance. */
const HIT_SURE = 256;

/**
 * Finds wanted blobs that lie back to back, beginning at the start of a stretch; behind a damaged or unwanted one it finds
 * its feet again at the beginnings of well-known file formats, then at whatever else may be a beginning. Yields how many
 * bytes it went through.
 */
export function* cutBlobs(
	window: Bytes,
	finder: Finder,
	range: SearchRange,
	tools: SearchTools,
): Generator<number, FoundResource[], void> {
	const { start, stop, end, isSynced } = range;
	const cutter = new BlobCutter(window, finder, range, tools);
	const whole = end - start <= WHOLE_MAX && isSynced ? cutter.exactly(start, end - start) : null;
	return whole !== null ? [whole] : yield* cutter.cut(start, stop, isSynced);
}

/** Finds blobs at known starts. */
export class BlobCutter implements ForwardSearch {
	private readonly window: Bytes;
	private readonly finder: Finder;
	private readonly end: number;
	private readonly isQuick: boolean;
	private readonly tools: SearchTools;
	private found: FoundResource[] = [];
	/** Starts of stretches that nothing explained, with where the next known blob begins. */
	private readonly unresolved: Stretch[] = [];
	private readonly hints: readonly number[];
	private readonly effort: Effort;
	/** For what lies between damaged blobs. */
	readonly filler: GapFiller;
	/** Blobs follow each other: a wrong hit shows, and is taken back. */
	private isCutting = false;

	constructor(window: Bytes, finder: Finder, range: SearchRange, tools: SearchTools) {
		this.window = window;
		this.finder = finder;
		this.end = range.end;
		this.isQuick = range.isQuick;
		this.tools = tools;
		this.hints = range.hints;
		this.effort = { left: range.effort };
		this.filler = new GapFiller(window, finder, tools, this, this.effort);
	}

	/** @param isSynced a blob probably begins at `start` */
	*cut(start: number, stop: number, isSynced: boolean): Generator<number, FoundResource[], void> {
		this.isCutting = true;
		let at = isSynced ? start : yield* this.nextSure(start, stop);
		while (at < stop) {
			// Nothing begins in what is lost, which may be terabytes.
			const lostEnd = Math.min(stop, this.window.lostUntil(at));
			if (lostEnd > at) {
				yield lostEnd - at;
				at = lostEnd;
				continue;
			}
			const hit = (yield* this.blobAt(at)) ?? (yield* this.fartherAt(at));
			if (hit !== null) {
				yield* this.take(hit);
				at = endOf(hit);
				continue;
			}
			const next = yield* this.resume(at);
			const between = next < this.end ? this.exactly(at, next - at) : null;
			if (between !== null) {
				yield* this.take(between);
				at = next;
				continue;
			}
			if (this.isQuick) this.unresolved.push({ start: at, end: next });
			else yield* this.fill({ start: at, end: next }, next < at + SURE_REACH);
			yield next - at;
			at = next;
		}
		if (!this.isQuick) yield* this.retry();
		return this.found.sort((a, b) => a.offset - b.offset);
	}

	/** @param isEndKnown something begins at the end, or the end is that of the whole range */
	private *fill(gap: Stretch, isEndKnown: boolean): Generator<number, void, void> {
		for (const piece of cutOut(gap, this.window.lostIn(gap))) {
			const isEnd = piece.end === gap.end;
			const ends = !isEnd
				? []
				: gap.end === this.end
					? this.endsOf(gap)
					: isEndKnown
						? [gap.end]
						: [];
			this.found.push(...(yield* this.filler.fill(piece, ends, this.found)));
			this.found.sort((a, b) => a.offset - b.offset);
		}
		this.unresolved.push(...this.filler.unresolved.splice(0));
	}

	/** A table that was wiped leaves zeros behind the last blob. */
	endsOf({ start, end }: Stretch): number[] {
		const hints = this.hints.filter((hint) => hint > start && hint < end).reverse();
		const size = Math.min(ZEROS_MAX, end - start);
		const bytes = this.window.at(end - size, size);
		let zeros = 0;
		while (zeros < size && bytes[size - 1 - zeros] === 0) zeros++;
		const trimmed = zeros === 0 ? [] : [0, 1, 2, 3].map((more) => end - zeros + more);
		return [...new Set([...hints, end, ...trimmed])].filter((one) => one > start && one <= end);
	}

	/** The blob of exactly these bytes. */
	exactly(offset: number, size: number): FoundResource | null {
		if (size <= 0 || offset + size > this.end) return null;
		const hash = createHash('sha1');
		for (let done = 0; done < size; done += 1 << 20) {
			if (this.window.lostUntil(offset + done) > offset + done) return null;
			hash.update(this.window.at(offset + done, Math.min(1 << 20, size - done)));
		}
		const sha1 = hash.digest('hex');
		return this.tools.wanted.names.has(sha1) ? rawResource(offset, { size, sha1 }) : null;
	}

	/** The blob that begins at `at`: by known length, else within a short reach. */
	*blobAt(at: number, limit = this.end): Generator<number, FoundResource | null, void> {
		const likely = this.ofLikelySize(at);
		if (likely !== null && endOf(likely) <= limit) return likely;
		return yield* this.search(at, 0, Math.min(REACH_SHORT, limit - at));
	}

	prefixAt(at: number, reach: number): Generator<number, FoundResource | null, void> {
		return this.search(at, 0, reach);
	}

	/** A longer blob; or one of the last hits was only the beginning of a longer blob. */
	*fartherAt(at: number): Generator<number, FoundResource | null, void> {
		const last = this.found.at(-1);
		if (last !== undefined && endOf(last) === at) {
			const size = at - last.offset;
			const reach = Math.max(LONGER_LEAST, size * LONGER_FACTOR);
			const longer = yield* this.search(last.offset, size, reach);
			if (longer !== null) {
				this.found.pop();
				return longer;
			}
		}
		if (this.end - at > REACH_SHORT) {
			const hit = yield* this.search(at, 0, REACH);
			if (hit !== null) return hit;
		}
		for (let back = 1; back <= Math.min(BACKTRACK_MAX, this.found.length); back++) {
			const before = this.found[this.found.length - back];
			if (before === undefined || endOf(before) > at) break;
			const longer = yield* this.search(before.offset, endOf(before) - before.offset, REACH);
			if (longer === null || endOf(longer) < at) continue;
			this.found.splice(this.found.length - back, back);
			return longer;
		}
		return null;
	}

	private *take(hit: FoundResource): Generator<number, void, void> {
		this.found.push(hit);
		yield endOf(hit) - hit.offset;
	}

	/** Where the next blob begins behind a place that nothing explains; what lies between is taken where it shows. */
	private *resume(at: number): Generator<number, number, void> {
		// Its contents may be damaged and its own word about its length still good.
		for (const size of this.ownSizes(at)) {
			const next = at + size;
			if (next >= this.end) continue;
			const hit = yield* this.blobAt(next);
			if (hit !== null) return next;
		}
		return yield* this.nextSure(at + 1, Math.min(this.end, at + SURE_REACH));
	}

	/** The next start of a well-known format whose own length gives a wanted blob. */
	private *nextSure(from: number, stop: number): Generator<number, number, void> {
		for (let at = from; at < stop; at = Math.max(at + PIECE, this.window.lostUntil(at + PIECE))) {
			const bytes = this.window.at(at, Math.min(PIECE + 8, this.end - at)).slice();
			for (let k = 0; k < bytes.length - 4 && k < PIECE; k++) {
				if (!isFormatStart(bytes, k)) continue;
				if (this.ofLikelySize(at + k) !== null) return at + k;
				yield 0;
			}
			yield 0;
		}
		return stop;
	}

	/** Very long blobs: looked for last, since nothing else is as slow. */
	private *retry(): Generator<number, void, void> {
		for (const { start, end } of this.unresolved) {
			const reach = Math.min(REACH_LONG, end - start);
			if (reach <= REACH || this.effort.left < reach) continue;
			this.effort.left -= reach;
			const hit = yield* this.search(start, REACH, reach);
			if (hit === null) continue;
			this.found = this.found.filter(({ offset }) => offset < hit.offset || offset >= endOf(hit));
			this.found.push(hit);
		}
	}

	/**
	 * A wanted prefix within reach that is longer than `least`. One of a few bytes may be the beginning of a longer one, which
	 * is looked for some way behind it; of any other that shows when nothing begins behind it.
	 */
	private *search(
		at: number,
		least: number,
		reach: number,
	): Generator<number, FoundResource | null, void> {
		let best: PrefixHit | null = null;
		let end = Math.min(this.end, at + reach);
		let done = 0;
		while (at + done < end) {
			// Nothing goes on behind what is lost.
			if (this.window.lostUntil(at + done) > at + done) break;
			const size = Math.min(PIECE, Math.max(PIECE_FIRST, done));
			const bytes = this.window.at(at + done, Math.min(size, end - at - done));
			for (const hit of this.finder.cut(bytes, done, this.tools.wanted))
				if (hit.size > least && hit.size > (best?.size ?? 0)) {
					if (this.isCutting && hit.size >= HIT_SURE) return rawResource(at, hit);
					best = hit;
					end = Math.min(
						this.end,
						at + reach,
						at + Math.max(LONGER_LEAST, hit.size * LONGER_FACTOR),
					);
				}
			done += size;
			yield 0;
		}
		return best === null ? null : rawResource(at, best);
	}

	/** By the lengths that the format of the bytes tells, and those that donors know of. */
	private ofLikelySize(at: number): FoundResource | null {
		for (const size of this.ownSizes(at)) {
			const hit = this.exactly(at, size);
			if (hit !== null) return hit;
		}
		if (this.tools.sizes.length > 64) return null;
		for (const size of this.tools.sizes) {
			const hit = this.exactly(at, size);
			if (hit !== null) return hit;
		}
		return null;
	}

	private ownSizes(at: number): number[] {
		const head = this.window.at(at, Math.min(1 << 16, this.end - at)).slice();
		return formatSizes(head, this.end - at, (offset, size) =>
			this.window.at(at + offset, Math.min(size, this.end - at - offset)),
		);
	}
}
