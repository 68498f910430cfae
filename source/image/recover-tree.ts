/**
 * Rebuilds the tree of an image whose metadata resource has holes: dentries are recognised without the offsets that lead to
 * them, lists are given back to their directories where that is certain or likely, and everything else hangs below
 * `lost+found` (wim.md §13.6).
 */
import { Span } from '../bytes/span.ts';
import { encodeUtf16 } from '../bytes/utf16.ts';
import { Attribute, align8, Dentry, NO_SECURITY, StreamEntry } from './dentry.ts';
import { parseSecurityData, type SecurityData } from './security.ts';
import { type DentryPosition, ImageTree } from './tree.ts';
import { lengthAt, namesSize } from './tree-walk.ts';

/** A stretch of unreliable bytes, in bytes from the start of the metadata resource. */
export interface Hole {
	readonly start: number;
	readonly end: number;
}

/** What could be put together. */
export interface RecoveredTree {
	readonly tree: ImageTree;
	/** Directories whose place or children are a guess. */
	readonly guessed: ReadonlySet<DentryPosition>;
	/** Surviving directories whose list of children is lost. */
	readonly emptied: readonly DentryPosition[];
	/** Dentries below `lost+found`. */
	readonly orphanCount: number;
}

const FIXED = Dentry.size;
const AT = Dentry.offsets;
const LEAST = align8(FIXED);

/** Every bit that an attribute field of a real file was seen with (wim.md §4.10). */
const KNOWN_ATTRIBUTES = 0x0077_fff7;

/** Top 16 bits of FILETIMEs of the years 1957 to 2090. */
const TIME_TOP_MIN = 0x0190;
const TIME_TOP_MAX = 0x0220;

/** A dentry with more extra stream entries than this is not one. */
const STREAM_COUNT_MAX = 4096;

/** Consecutive dentries that survived, in order. */
interface Fragment {
	readonly start: number;
	readonly dentries: readonly number[];
	/** The end of the list was seen, so that whatever follows is another list. */
	readonly isEnded: boolean;
	/** The list before it ended right here: this is the head of a list. */
	readonly isHead: boolean;
}

/**
 * Rebuilds a tree.
 *
 * @param bytes the metadata resource; what holes hold does not matter
 */
export function recoverTree(
	bytes: Uint8Array,
	holes: readonly Hole[],
	region: string,
): RecoveredTree {
	const span = new Span(bytes, region);
	const security = securityOutside(span, holes);
	const scan = new DentryScan(span, holes);
	const fragments = scan.fragments(security?.size ?? 0);
	return new Assembly(span, security, scan.rootAt, fragments, holes).build();
}

/** The security data when no hole touches it. */
function securityOutside(span: Span, holes: readonly Hole[]): SecurityData | null {
	try {
		const security = parseSecurityData(span);
		return holes.some(({ start }) => start < security.size) ? null : security;
	} catch {
		return null;
	}
}

class DentryScan {
	/** Null when the root dentry is lost. */
	rootAt: number | null = null;
	private readonly span: Span;
	private readonly view: DataView;
	private readonly holes: readonly Hole[];

	constructor(span: Span, holes: readonly Hole[]) {
		this.span = span;
		this.view = span.view;
		this.holes = [...holes].sort((a, b) => a.start - b.start);
	}

	fragments(from: number): Fragment[] {
		const found: Fragment[] = [];
		let at = align8(from);
		let isHead = false;
		while (at + 8 <= this.span.size) {
			const hole = this.holeAt(at, at + 8);
			if (hole !== null) {
				at = Math.max(at + 8, align8(hole.end));
				isHead = false;
				continue;
			}
			if (this.rootAt === null && this.isRoot(at)) {
				this.rootAt = at;
				at = this.behind(at) + 8;
				isHead = true;
				continue;
			}
			const fragment = this.fragment(at, isHead);
			if (fragment.dentries.length === 0) {
				// Eight zero bytes behind a list are the list of an empty directory.
				isHead = isHead && lengthAt(this.view, at) <= 8;
				at += 8;
				continue;
			}
			found.push(fragment);
			const last = fragment.dentries.at(-1) ?? at;
			at = this.behind(last) + (fragment.isEnded ? 8 : 0);
			isHead = fragment.isEnded;
		}
		return found;
	}

	private fragment(start: number, isHead: boolean): Fragment {
		const dentries: number[] = [];
		let at = start;
		while (this.isDentry(at)) {
			dentries.push(at);
			at = this.behind(at);
		}
		const isEnded =
			at + 8 <= this.span.size && this.holeAt(at, at + 8) === null && lengthAt(this.view, at) <= 8;
		return { start, dentries, isEnded, isHead };
	}

	private holeAt(start: number, end: number): Hole | null {
		return this.holes.find((hole) => hole.start < end && hole.end > start) ?? null;
	}

	/** Where the next dentry begins: behind the extra stream entries. */
	private behind(at: number): number {
		let end = at + lengthAt(this.view, at);
		for (let k = this.view.getUint16(at + AT.streamCount, true); k > 0; k--)
			end += align8(lengthAt(this.view, end));
		return end;
	}

	private isRoot(at: number): boolean {
		return (
			this.hasShape(at) &&
			namesSize(this.view, at) === 0 &&
			(this.view.getUint32(at + AT.attributes, true) & Attribute.directory) !== 0 &&
			lengthAt(this.view, at + AT.subdirOffset) > at
		);
	}

	private isDentry(at: number): boolean {
		if (!this.hasShape(at)) return false;
		const size = this.view.getUint16(at + AT.nameSize, true);
		if (size === 0) return false;
		for (let k = 0; k < size; k += 2)
			if (this.view.getUint16(at + FIXED + k, true) === 0) return false;
		if (this.view.getUint16(at + FIXED + size, true) !== 0) return false;
		const short = this.view.getUint16(at + AT.shortNameSize, true);
		return short === 0 || this.view.getUint16(at + FIXED + size + 2 + short, true) === 0;
	}

	/** The tests of wim.md §13.6 that need no name. */
	private hasShape(at: number): boolean {
		const { view, span } = this;
		if (at % 8 !== 0 || at + LEAST > span.size) return false;
		const length = lengthAt(view, at);
		if (length < LEAST || length % 8 !== 0 || length > 1 << 20 || at + length > span.size)
			return false;
		const names =
			view.getUint16(at + AT.nameSize, true) | view.getUint16(at + AT.shortNameSize, true);
		if (names % 2 !== 0 || FIXED + namesSize(view, at) > length) return false;
		if (lengthAt(view, at + AT.unused1) !== 0 || lengthAt(view, at + AT.unused2) !== 0)
			return false;
		const attributes = view.getUint32(at + AT.attributes, true);
		if ((attributes & ~KNOWN_ATTRIBUTES) !== 0) return false;
		const subdir = lengthAt(view, at + AT.subdirOffset);
		const isDirectory = (attributes & Attribute.directory) !== 0;
		if (subdir !== 0 && (!isDirectory || subdir % 8 !== 0 || subdir >= span.size)) return false;
		for (const field of [AT.creationTime, AT.lastAccessTime, AT.lastWriteTime])
			if (!this.isPlausibleTime(at + field)) return false;
		const end = this.streamsEnd(at, at + length);
		return end !== null && this.holeAt(at, end) === null;
	}

	private isPlausibleTime(at: number): boolean {
		const top = this.view.getUint16(at + 6, true);
		return (top >= TIME_TOP_MIN && top <= TIME_TOP_MAX) || lengthAt(this.view, at) === 0;
	}

	/** Where the extra stream entries end; null when they are not well formed. */
	private streamsEnd(dentry: number, start: number): number | null {
		const count = this.view.getUint16(dentry + AT.streamCount, true);
		if (count > STREAM_COUNT_MAX) return null;
		let at = start;
		for (let k = 0; k < count; k++) {
			if (at + StreamEntry.size > this.span.size) return null;
			const length = lengthAt(this.view, at);
			const nameSize = this.view.getUint16(at + StreamEntry.offsets.nameSize, true);
			if (length < StreamEntry.size || StreamEntry.size + nameSize > length || nameSize % 2 !== 0)
				return null;
			at += align8(length);
			if (at > this.span.size) return null;
		}
		return at;
	}
}

/** Puts fragments back below their directories. */
class Assembly {
	private readonly span: Span;
	private readonly security: SecurityData | null;
	private readonly rootAt: number | null;
	private readonly fragments: readonly Fragment[];
	private readonly holes: readonly Hole[];
	/** Offset of a directory's dentry to the dentries below it. */
	private readonly below = new Map<number, number[]>();
	private readonly guessedAt = new Set<number>();

	constructor(
		span: Span,
		security: SecurityData | null,
		rootAt: number | null,
		fragments: readonly Fragment[],
		holes: readonly Hole[],
	) {
		this.span = span;
		this.security = security;
		this.rootAt = rootAt;
		this.fragments = fragments;
		this.holes = holes;
	}

	build(): RecoveredTree {
		const orphans = this.assign();
		const synthetic = new Synthetic(this.span);
		const rootAt = this.rootAt ?? synthetic.directory('');
		const reachable = this.reach(rootAt);
		for (const fragment of this.fragments)
			if (!fragment.dentries.some((at) => reachable.has(at)) && !orphans.includes(fragment))
				orphans.push(...this.topmost(fragment, reachable, orphans));
		const lost = orphans.filter(({ dentries }) => !dentries.some((at) => reachable.has(at)));
		if (lost.length > 0) {
			const home = synthetic.directory(this.freeName(rootAt, 'lost+found'));
			const places = lost.map((fragment) => {
				const place = synthetic.directory(`0x${fragment.start.toString(16)}`);
				this.below.set(place, [...fragment.dentries]);
				this.guessedAt.add(place);
				return place;
			});
			this.below.set(home, places);
			this.below.set(rootAt, [...(this.below.get(rootAt) ?? []), home]);
		}
		return this.columns(rootAt, synthetic, lost);
	}

	/** Gives fragments to directories. @returns those that nobody claims */
	private assign(): Fragment[] {
		const owners = new Map<number, number>();
		const directories = [
			...(this.rootAt === null ? [] : [this.rootAt]),
			...this.fragments.flatMap(({ dentries }) => dentries),
		].filter((at) => this.subdir(at) !== 0);
		for (const at of directories) if (!owners.has(this.subdir(at))) owners.set(this.subdir(at), at);
		const starts = [...owners.keys()].sort((a, b) => a - b);
		const orphans: Fragment[] = [];
		for (const fragment of this.fragments) {
			const exact = owners.get(fragment.start);
			const owner = exact ?? (fragment.isHead ? undefined : this.guess(fragment, starts, owners));
			if (owner === undefined) {
				orphans.push(fragment);
				continue;
			}
			if (exact === undefined) this.guessedAt.add(owner);
			this.below.set(owner, [...(this.below.get(owner) ?? []), ...fragment.dentries]);
		}
		return orphans;
	}

	/** The directory with the greatest list offset before a headless fragment, if that offset lies in the hole before it. */
	private guess(
		fragment: Fragment,
		starts: readonly number[],
		owners: ReadonlyMap<number, number>,
	): number | undefined {
		const start = starts.findLast((offset) => offset <= fragment.start);
		if (start === undefined) return undefined;
		const hole = this.holes.findLast((candidate) => candidate.start < fragment.start);
		const before = this.fragments.findLast((other) => other.start < fragment.start);
		const inHole = hole !== undefined && start >= hole.start - 7;
		const continues = before !== undefined && !before.isEnded && before.start === start;
		return inHole || continues ? owners.get(start) : undefined;
	}

	private subdir(at: number): number {
		const attributes = this.span.view.getUint32(at + AT.attributes, true);
		return attributes & Attribute.reparsePoint ? 0 : lengthAt(this.span.view, at + AT.subdirOffset);
	}

	private reach(rootAt: number): Set<number> {
		const seen = new Set<number>([rootAt]);
		const stack = [rootAt];
		for (let top = stack.pop(); top !== undefined; top = stack.pop())
			for (const child of this.below.get(top) ?? [])
				if (!seen.has(child)) {
					seen.add(child);
					stack.push(child);
				}
		return seen;
	}

	/** A claimed fragment that the root does not reach is below an orphan, or in a circle: then it becomes an orphan. */
	private topmost(
		fragment: Fragment,
		reachable: ReadonlySet<number>,
		orphans: readonly Fragment[],
	): Fragment[] {
		const fromOrphans = new Set(orphans.flatMap(({ dentries }) => dentries));
		for (const at of fromOrphans)
			for (const child of this.below.get(at) ?? []) fromOrphans.add(child);
		if (fragment.dentries.some((at) => fromOrphans.has(at) || reachable.has(at))) return [];
		for (const [owner, children] of this.below)
			if (children.includes(fragment.dentries[0] ?? -1)) this.below.delete(owner);
		return [fragment];
	}

	private freeName(rootAt: number, wanted: string): string {
		const taken = new Set((this.below.get(rootAt) ?? []).map((at) => this.nameAt(at)));
		let name = wanted;
		for (let k = 2; taken.has(name); k++) name = `${wanted} ${k}`;
		return name;
	}

	private nameAt(at: number): string {
		const size = this.span.view.getUint16(at + AT.nameSize, true);
		let name = '';
		for (let k = 0; k < size; k += 2)
			name += String.fromCharCode(this.span.view.getUint16(at + FIXED + k, true));
		return name;
	}

	private columns(rootAt: number, synthetic: Synthetic, lost: readonly Fragment[]): RecoveredTree {
		const at: number[] = [rootAt];
		const parents: number[] = [0];
		const firsts: number[] = [0];
		const counts: number[] = [0];
		for (let dentry = 0; dentry < at.length; dentry++) {
			const names = new Set<string>();
			firsts[dentry] = at.length;
			counts[dentry] = 0;
			for (const child of this.below.get(at[dentry] ?? -1) ?? []) {
				const name = synthetic.nameOf(child) ?? this.nameAt(child);
				if (names.has(name)) continue;
				names.add(name);
				at.push(child);
				parents.push(dentry);
				counts[dentry] = (counts[dentry] ?? 0) + 1;
			}
		}
		const span = synthetic.finish();
		const tree = ImageTree.fromColumns(span, this.security ?? { descriptors: [], size: 0 }, {
			count: at.length,
			at: Uint32Array.from(at),
			parents: Uint32Array.from(parents),
			firsts: Uint32Array.from(firsts),
			counts: Uint32Array.from(counts),
		});
		const guessed = new Set<DentryPosition>();
		const emptied: DentryPosition[] = [];
		for (const [dentry, offset] of at.entries()) {
			if (this.guessedAt.has(offset)) guessed.add(dentry);
			if (offset < this.span.size && this.isEmptied(offset)) emptied.push(dentry);
		}
		return { tree, guessed, emptied, orphanCount: countBelow(lost, this.below) };
	}

	/** A directory whose list lies in a hole, none of which came back. */
	private isEmptied(offset: number): boolean {
		const list = this.subdir(offset);
		return (
			list !== 0 &&
			(this.below.get(offset)?.length ?? 0) === 0 &&
			this.holes.some(({ start, end }) => list + 8 > start && list < end)
		);
	}
}

function countBelow(
	fragments: readonly Fragment[],
	below: ReadonlyMap<number, readonly number[]>,
): number {
	const seen = new Set<number>();
	const stack = fragments.flatMap(({ dentries }) => [...dentries]);
	for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
		if (seen.has(top)) continue;
		seen.add(top);
		stack.push(...(below.get(top) ?? []));
	}
	return seen.size;
}

/** Made-up directories, whose dentries are appended to the metadata. */
class Synthetic {
	private readonly span: Span;
	private readonly pieces: Uint8Array[] = [];
	private readonly names = new Map<number, string>();
	private end: number;

	constructor(span: Span) {
		this.span = span;
		this.end = align8(span.size);
	}

	/** @returns where its dentry will stand */
	directory(name: string): number {
		const text = encodeUtf16(name);
		const length = align8(FIXED + (text.length === 0 ? 0 : text.length + 2));
		const fixed = Dentry.encode({
			length,
			attributes: Attribute.directory,
			securityId: NO_SECURITY,
			subdirOffset: 0,
			unused1: 0n,
			unused2: 0n,
			creationTime: 0n,
			lastAccessTime: 0n,
			lastWriteTime: 0n,
			mainHash: new Uint8Array(20),
			unknown: 0,
			union: 0n,
			streamCount: 0,
			shortNameSize: 0,
			nameSize: text.length,
		});
		const bytes = new Uint8Array(length);
		bytes.set(fixed);
		bytes.set(text, FIXED);
		const at = this.end;
		this.pieces.push(bytes);
		this.names.set(at, name);
		this.end += length;
		return at;
	}

	nameOf(at: number): string | null {
		return this.names.get(at) ?? null;
	}

	/** The metadata with the made-up dentries behind it. */
	finish(): Span {
		const whole = new Uint8Array(this.end);
		whole.set(this.span.bytes);
		let at = align8(this.span.size);
		for (const piece of this.pieces) {
			whole.set(piece, at);
			at += piece.length;
		}
		return new Span(whole, this.span.region, this.span.origin);
	}
}
