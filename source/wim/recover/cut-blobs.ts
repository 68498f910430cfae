/**
 * Cuts stretches of uncompressed bytes into blobs, by nothing but the SHA-1s that are wanted (wim.md §13.4 D).
 */
import { createHash } from 'node:crypto';
import { breathe, type Run } from '../../base/run.ts';
import type { Sha1 } from '../../bytes/sha1.ts';
import { Finder, type PrefixHit, type WantedSet } from '../../codec/finder.ts';
import type { Source } from '../../storage/source.ts';
import type { Stretch } from './find-resources.ts';
import { SlidingWindow } from './window.ts';

/** A blob whose bytes stand in a part as they are. */
export interface CutBlob {
	readonly offset: number;
	readonly size: number;
	readonly sha1: Sha1;
}

/** How far the end of a blob is looked for, in steps: each is tried only when the one before gave nothing. */
const REACHES = [64 << 10, 4 << 20, 32 << 20, 256 << 20] as const;

/** A longer blob may begin like a short one: so far behind a hit a longer one is looked for. */
const LONGER_FACTOR = 4;
const LONGER_LEAST = 64 << 10;

/** Starts given up on that are tried again with a longer reach. */
const BACKTRACK_MAX = 3;

const PIECE = 64 << 10;

/**
 * Finds wanted blobs that lie back to back, beginning at the start of a stretch; behind a damaged or unwanted one it finds
 * its feet again at the beginnings of well-known file formats.
 *
 * @param sizes of wanted blobs where a donor tells them: then one hash decides
 */
export async function cutBlobs(
	source: Source,
	stretch: Stretch,
	wanted: WantedSet,
	sizes: ReadonlyMap<Sha1, number>,
	run: Run,
): Promise<CutBlob[]> {
	const whole = await wholeStretch(source, stretch, wanted, run);
	if (whole !== null) return [whole];
	const cutter = new Cutter(source, stretch, wanted, sizes, run);
	return cutter.cut();
}

/** A gap is usually exactly one blob. */
async function wholeStretch(
	source: Source,
	stretch: Stretch,
	wanted: WantedSet,
	run: Run,
): Promise<CutBlob | null> {
	const size = stretch.end - stretch.start;
	const hash = createHash('sha1');
	const window = new SlidingWindow(source, 4 << 20);
	for (let at = stretch.start; at < stretch.end; at += 1 << 20) {
		hash.update(await window.at(at, Math.min(1 << 20, stretch.end - at)));
		if (at % (16 << 20) === 0) await breathe(run);
	}
	const sha1 = hash.digest('hex');
	return wanted.names.has(sha1) ? { offset: stretch.start, size, sha1 } : null;
}

class Cutter {
	private readonly window: SlidingWindow;
	private readonly finder = new Finder();
	private readonly stretch: Stretch;
	private readonly wanted: WantedSet;
	private readonly bySize: ReadonlyMap<number, Sha1[]>;
	private readonly run: Run;
	private readonly found: CutBlob[] = [];

	constructor(
		source: Source,
		stretch: Stretch,
		wanted: WantedSet,
		sizes: ReadonlyMap<Sha1, number>,
		run: Run,
	) {
		this.window = new SlidingWindow(source);
		this.stretch = stretch;
		this.wanted = wanted;
		this.run = run;
		const bySize = new Map<number, Sha1[]>();
		for (const [sha1, size] of sizes)
			if (wanted.names.has(sha1)) bySize.set(size, [...(bySize.get(size) ?? []), sha1]);
		this.bySize = bySize;
	}

	async cut(): Promise<CutBlob[]> {
		let at = this.stretch.start;
		while (at < this.stretch.end) {
			await breathe(this.run);
			const hit = await this.blobAt(at);
			if (hit !== null) {
				this.found.push({ offset: at, ...hit });
				this.run.report({ type: 'advance', bytes: hit.size });
				at += hit.size;
				continue;
			}
			const again = await this.backtrack(at);
			if (again !== null) {
				at = again;
				continue;
			}
			const next = await this.nextFormat(at + 1);
			this.run.report({ type: 'advance', bytes: next - at });
			at = next;
		}
		return this.found;
	}

	/** The blob that begins at `at`: by known length, else by the shortest reach that gives one. */
	private async blobAt(at: number): Promise<PrefixHit | null> {
		for (const size of await this.likelySizes(at)) {
			const sha1 = await this.digest(at, size);
			if (sha1 !== null && this.wanted.names.has(sha1)) return { size, sha1 };
		}
		return this.search(at, 0, REACHES[0], true);
	}

	private async backtrack(at: number): Promise<number | null> {
		// The blob may be long, or one of the last hits was only the beginning of a longer blob.
		for (const reach of REACHES.slice(1)) {
			const hit = await this.search(at, 0, reach, false);
			if (hit !== null) {
				this.found.push({ offset: at, ...hit });
				return at + hit.size;
			}
			if (reach > 32 << 20) break;
			for (let back = 1; back <= Math.min(BACKTRACK_MAX, this.found.length); back++) {
				const before = this.found[this.found.length - back];
				if (before === undefined || before.offset + before.size > at) break;
				const longer = await this.search(before.offset, before.size, reach, false);
				if (longer === null) continue;
				this.found.splice(this.found.length - back, back, { offset: before.offset, ...longer });
				return before.offset + longer.size;
			}
			if (at + reach >= this.stretch.end) break;
		}
		return null;
	}

	/**
	 * The longest wanted prefix within reach that is longer than `least`. With `soon`, stops some way behind the first.
	 */
	private async search(
		at: number,
		least: number,
		reach: number,
		soon: boolean,
	): Promise<PrefixHit | null> {
		let best: PrefixHit | null = null;
		let end = Math.min(this.stretch.end, at + reach);
		for (let done = 0; at + done < end; done += PIECE) {
			const bytes = await this.window.at(at + done, Math.min(PIECE, this.stretch.end - at - done));
			for (const hit of this.finder.cut(bytes, done, this.wanted))
				if (hit.size > least && hit.size > (best?.size ?? 0)) {
					best = hit;
					if (soon || best.size < LONGER_LEAST)
						end = Math.min(end, at + Math.max(LONGER_LEAST, hit.size * LONGER_FACTOR));
				}
			if (done % (16 * PIECE) === 0) await breathe(this.run);
		}
		return best;
	}

	private async digest(at: number, size: number): Promise<Sha1 | null> {
		if (size <= 0 || at + size > this.stretch.end) return null;
		const hash = createHash('sha1');
		for (let done = 0; done < size; done += 1 << 20)
			hash.update(await this.window.at(at + done, Math.min(1 << 20, size - done)));
		return hash.digest('hex');
	}

	/** Lengths that the format of the bytes tells, then those that donors know of, nearest to them first. */
	private async likelySizes(at: number): Promise<number[]> {
		const head = await this.window.at(at, Math.min(1 << 16, this.stretch.end - at));
		const sizes = formatSizes(head, this.stretch.end - at);
		if (this.bySize.size === 0 || this.bySize.size > 64) return sizes;
		return [...sizes, ...this.bySize.keys()];
	}

	/** Where the next file of a well-known format may begin. */
	private async nextFormat(from: number): Promise<number> {
		for (let at = from; at < this.stretch.end; at += PIECE) {
			const bytes = await this.window.at(at, Math.min(PIECE + 8, this.stretch.end - at));
			for (let k = 0; k < bytes.length - 4 && k < PIECE; k++)
				if (isFormatStart(bytes, k)) return at + k;
			await breathe(this.run);
		}
		return this.stretch.end;
	}
}

/** PE, ELF, PNG, ZIP, CAB, WIM, PDF, XML. */
function isFormatStart(bytes: Uint8Array, at: number): boolean {
	const a = bytes[at];
	const b = bytes[at + 1];
	const c = bytes[at + 2];
	const d = bytes[at + 3];
	if (a === 0x4d && b === 0x5a) return c === 0x90 && d === 0;
	if (a === 0x7f) return b === 0x45 && c === 0x4c && d === 0x46;
	if (a === 0x89) return b === 0x50 && c === 0x4e && d === 0x47;
	if (a === 0x50 && b === 0x4b) return c === 3 && d === 4;
	if (a === 0x4d && b === 0x53) return (c === 0x43 && d === 0x46) || (c === 0x57 && d === 0x49);
	if (a === 0x25) return b === 0x50 && c === 0x44 && d === 0x46;
	if (a === 0x3c && b === 0x3f) return c === 0x78 && d === 0x6d;
	return a === 0xff && b === 0xfe && c === 0x3c && d === 0;
}

/**
 * How long a file is by its own format: PE sections and certificate table, ELF section headers, CAB and WIM sizes.
 *
 * @param head its first bytes
 * @param most what is there at all
 */
export function formatSizes(head: Uint8Array, most: number): number[] {
	const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
	const sizes: number[] = [];
	if (head.length >= 64 && view.getUint16(0, true) === 0x5a4d) sizes.push(...peSizes(view));
	if (head.length >= 64 && view.getUint32(0, false) === 0x7f45_4c46) sizes.push(elfSize(view));
	if (head.length >= 36 && view.getUint32(0, false) === 0x4d53_4346)
		sizes.push(view.getUint32(8, true));
	return [...new Set(sizes)].filter((size) => size > 0 && size <= most);
}

function peSizes(view: DataView): number[] {
	const header = view.getUint32(0x3c, true);
	if (header + 24 > view.byteLength || view.getUint32(header, false) !== 0x5045_0000) return [];
	const sectionCount = view.getUint16(header + 6, true);
	const optionalSize = view.getUint16(header + 20, true);
	const sections = header + 24 + optionalSize;
	if (sections + sectionCount * 40 > view.byteLength) return [];
	let end = 0;
	for (let k = 0; k < sectionCount; k++) {
		const at = sections + k * 40;
		end = Math.max(end, view.getUint32(at + 16, true) + view.getUint32(at + 20, true));
	}
	const symbols = view.getUint32(header + 12, true);
	const symbolEnd = symbols === 0 ? 0 : symbols + view.getUint32(header + 16, true) * 18;
	const sizes = [end];
	if (symbolEnd > 0) sizes.push(symbolEnd, symbolEnd + 4);
	const isPlus = view.getUint16(header + 24, true) === 0x20b;
	const certificate = header + 24 + (isPlus ? 144 : 128);
	if (certificate + 8 <= sections)
		sizes.unshift(view.getUint32(certificate, true) + view.getUint32(certificate + 4, true));
	return sizes;
}

function elfSize(view: DataView): number {
	const isWide = view.getUint8(4) === 2;
	const at = isWide ? Number(view.getBigUint64(0x28, true)) : view.getUint32(0x20, true);
	const entrySize = view.getUint16(isWide ? 0x3a : 0x2e, true);
	const count = view.getUint16(isWide ? 0x3c : 0x30, true);
	return at + entrySize * count;
}
