import { memoryError } from '../base/errors.ts';
import { fromBase64 } from '../bytes/base64.ts';
import { encodeHex } from '../bytes/hex.ts';
import type { Sha1 } from '../bytes/sha1.ts';
import { FINDERS_MODULE } from './finders-module.ts';

/**
 * Recognises chunks and the ends of blobs in bytes of unknown structure (wim.md §13.4 C and D). One private instance of a
 * kernel of its own; only salvage needs it.
 */

/** A way in which a chunk may end, in bytes. */
export interface ChunkEnd {
	readonly originalSize: number;
	readonly storedSize: number;
}

/** A prefix whose SHA-1 begins like a wanted one; the caller compares the whole. */
export interface PrefixHit {
	/** Of the prefix, in bytes. */
	readonly size: number;
	readonly sha1: Sha1;
}

/** The codecs whose chunks can be found without a table. LZMS has no recognisable start or end. */
export type FindableCompression = 'xpress' | 'lzx';

interface Kernel {
	readonly memory: WebAssembly.Memory;
	areasStart(): number;
	scanXpress(start: number, end: number, hits: number, most: number): number;
	scanLzx(start: number, end: number, chunkSize: number, hits: number, most: number): number;
	probeXpress(
		input: number,
		inEnd: number,
		output: number,
		chunkSize: number,
		ends: number,
		most: number,
	): number;
	probeLzx(
		input: number,
		inEnd: number,
		output: number,
		chunkSize: number,
		ends: number,
		most: number,
	): number;
	undoE8(output: number, size: number): void;
	endsOfLzms(
		input: number,
		from: number,
		to: number,
		least: number,
		chunkSize: number,
		output: number,
		hits: number,
		most: number,
		blind: number,
	): number;
	untriedLzms(): number;
	workOfLzms(): number;
	startsOfLzms(
		end: number,
		from: number,
		to: number,
		least: number,
		chunkSize: number,
		output: number,
		hits: number,
		most: number,
		blind: number,
	): number;
	blindLeftLzms(): number;
	scanLzms(start: number, end: number, least: number, hits: number, most: number): number;
	skipSha1(start: number, size: number, before: bigint): void;
	cutBySha1(start: number, size: number, before: bigint, hits: number, most: number): number;
	startsBySha1(end: number, least: number, most: number, hits: number, room: number): number;
	prefixesBySha1(
		start: number,
		sizes: number,
		sizeCount: number,
		hits: number,
		room: number,
	): number;
}

const PAGE = 65_536;
const SLACK = 64;
const HITS_MAX = 4096;
const HIT_SIZE = 24;
/** Candidates for the end of one chunk that are kept, the first and the last; runs of equal bytes have many. */
const ENDS_MAX = 4096;
/** Sizes of one LZMS chunk that are kept: only chunks with hardly any match have so many. */
const LZMS_HITS_MAX = (HITS_MAX * HIT_SIZE) / 8;
/** Sizes that one call of `prefixes` takes. */
export const PREFIXES_MAX = 65_536;
/** Slow attempts at a start that is sure, some seconds, and at one that is only tried. */
const BLIND_SURE = 12_000;
const BLIND_ENDS = 256;
/** And at the starts of a stretch. */
const BLIND_STARTS = 20_000;
/** The least literals that a byte of the range coder tells, when no match is among them: each takes log2(64/63) bits. */
const LITERALS_PER_BYTE = 350;
/** Where the kernel keeps the bits of wanted prefixes. */
const WANTED = 131_072;
const WANTED_SIZE = 8192;

let compiled: WebAssembly.Module | null = null;

export class Finder {
	readonly #kernel: Kernel;
	readonly #hits: number;
	readonly #input: number;
	#inputSize = 0;
	#outputSize = 0;
	#untried = 0;
	#work = 0;
	#blind = 0;

	constructor() {
		compiled ??= new WebAssembly.Module(fromBase64(FINDERS_MODULE));
		this.#kernel = new WebAssembly.Instance(compiled).exports as unknown as Kernel;
		this.#hits = this.#kernel.areasStart();
		this.#input = Math.ceil((this.#hits + HITS_MAX * HIT_SIZE + SLACK) / 64) * 64;
	}

	/** Where bytes may lie that chunks of this kind begin at, as offsets into `bytes`. */
	scan(compression: FindableCompression, chunkSize: number, bytes: Uint8Array): number[] {
		return this.#scan(bytes, (start, end) =>
			compression === 'xpress'
				? this.#kernel.scanXpress(start, end, this.#hits, HITS_MAX)
				: this.#kernel.scanLzx(start, end, chunkSize, this.#hits, HITS_MAX),
		);
	}

	/** Offsets at which LZMS chunks may begin that begin with so many literals: one in 2^literals by chance. */
	scanLzms(literals: number, bytes: Uint8Array): number[] {
		return this.#scan(bytes, (start, end) =>
			this.#kernel.scanLzms(start, end, literals, this.#hits, HITS_MAX),
		);
	}

	#scan(bytes: Uint8Array, kernel: (start: number, end: number) => number): number[] {
		this.#load(bytes, 0);
		const found: number[] = [];
		for (let from = 0; from < bytes.length; ) {
			const count = kernel(this.#input + from, this.#input + bytes.length);
			const hits = new Uint32Array(this.#kernel.memory.buffer, this.#hits, count);
			for (const hit of hits) found.push(from + hit);
			if (count < HITS_MAX) break;
			from = (found.at(-1) ?? 0) + 1;
		}
		return found;
	}

	/**
	 * Decodes a chunk of unknown size.
	 *
	 * @param stored everything that may belong to it
	 * @param chunkSize the most that it can decode to
	 * @returns the ways in which it may end, shortest first; none when it is no chunk
	 */
	probe(compression: FindableCompression, chunkSize: number, stored: Uint8Array): ChunkEnd[] {
		this.#load(stored, chunkSize);
		const probe = compression === 'xpress' ? this.#kernel.probeXpress : this.#kernel.probeLzx;
		const end = this.#input + stored.length;
		const count = probe(
			this.#input,
			end,
			this.#output(stored.length),
			chunkSize,
			this.#hits,
			ENDS_MAX,
		);
		const pairs = new Uint32Array(this.#kernel.memory.buffer, this.#hits, count * 2);
		const ends: ChunkEnd[] = [];
		for (let k = 0; k < count; k++)
			ends.push({ originalSize: pairs[2 * k] ?? 0, storedSize: pairs[2 * k + 1] ?? 0 });
		return ends;
	}

	/**
	 * The ends that an LZMS chunk at the start of `stored` may have, the likeliest first.
	 *
	 * @param chunkSize the most that it can decode to
	 * @param isSure a chunk does begin there: even slow attempts are worth it
	 * @param least original size; as large as `chunkSize` where that is all it can be, which is far quicker to find
	 * @param longest stored size that is tried: `untried` of the call before, to go on where that gave up
	 * @param shortest stored size that is tried
	 */
	endsOfLzms(
		chunkSize: number,
		stored: Uint8Array,
		isSure: boolean,
		least = 1,
		longest = stored.length,
		shortest = 0,
	): ChunkEnd[] {
		this.#untried = 0;
		this.#work = 0;
		// Zeros tell literals without end: so does the beginning of few chunks, and any run of zeros.
		if (leadingZeros(stored) >= (isSure ? chunkSize / LITERALS_PER_BYTE + 16 : 4)) return [];
		this.#load(stored, chunkSize);
		const input = this.#input;
		const output = this.#output(stored.length);
		const to = input + longest;
		const blind = isSure ? BLIND_SURE : BLIND_ENDS;
		const count = this.#kernel.endsOfLzms(
			input,
			input + shortest,
			to,
			least,
			chunkSize,
			output,
			this.#hits,
			LZMS_HITS_MAX,
			blind,
		);
		this.#untried = this.#kernel.untriedLzms();
		this.#work = this.#kernel.workOfLzms() >>> 0;
		return this.#lzmsHits(count);
	}

	/** The longest stored size that the last `endsOfLzms` did not try, since that takes long; 0: it tried all. */
	get untried(): number {
		return this.#untried;
	}

	/** What the last `endsOfLzms` took: items that were read and ends that were tried, some 15 ns each. */
	get work(): number {
		return this.#work;
	}

	/** The original sizes that an LZMS chunk of just these bytes may have, ascending. */
	sizesOfLzms(chunkSize: number, stored: Uint8Array): number[] {
		this.#load(stored, chunkSize);
		const input = this.#input;
		const output = this.#output(stored.length);
		const end = input + stored.length;
		const kernel = this.#kernel;
		const count = kernel.endsOfLzms(
			input,
			end,
			end,
			1,
			chunkSize,
			output,
			this.#hits,
			LZMS_HITS_MAX,
			BLIND_SURE,
		);
		return this.#lzmsHits(count).map(({ originalSize }) => originalSize);
	}

	/** The LZMS chunks that may end where `stored` ends, the likeliest first; of a `least` original size as above. */
	startsOfLzms(chunkSize: number, stored: Uint8Array, least = 1): ChunkEnd[] {
		this.loadEnd(chunkSize, stored);
		this.startBlock();
		return this.#lzmsHits(this.#starts(chunkSize, stored.length, least, 0, stored.length));
	}

	/** Loads bytes for `sizesBetween`; until another method is called. */
	loadEnd(chunkSize: number, stored: Uint8Array): void {
		this.#load(stored, chunkSize);
	}

	/** Of each stretch of starts so many are tried that take long. */
	startBlock(): void {
		this.#blind = BLIND_STARTS;
	}

	/**
	 * The stored sizes of LZMS chunks that end where the loaded bytes end.
	 *
	 * @param originalSize of the chunk
	 * @param above even; stored sizes above it are tried
	 * @param most up to this one
	 */
	sizesBetween(originalSize: number, size: number, above: number, most: number): number[] {
		const count = this.#starts(originalSize, size, originalSize, above, most);
		return this.#lzmsHits(count).map((one) => one.storedSize);
	}

	#starts(chunkSize: number, size: number, least: number, above: number, most: number): number {
		const inputEnd = this.#input + size;
		const count = this.#kernel.startsOfLzms(
			inputEnd,
			inputEnd - most,
			inputEnd - above - 2,
			least,
			chunkSize,
			this.#output(size),
			this.#hits,
			LZMS_HITS_MAX,
			this.#blind,
		);
		this.#blind = this.#kernel.blindLeftLzms();
		return count;
	}

	/** The longest first: the shorter, the more comes up by chance. Of one stored size the first is the likeliest. */
	#lzmsHits(count: number): ChunkEnd[] {
		const words = new Uint32Array(this.#kernel.memory.buffer, this.#hits, count * 2);
		return Array.from({ length: count }, (_, k) => ({
			storedSize: words[2 * k] ?? 0,
			originalSize: words[2 * k + 1] ?? 0,
		})).sort((a, b) => b.storedSize - a.storedSize || a.originalSize - b.originalSize);
	}

	/**
	 * Prefixes of `bytes` whose SHA-1 is wanted.
	 *
	 * @param before size of what earlier calls hashed, a multiple of 64; `bytes` go on from there
	 */
	cut(bytes: Uint8Array, before: number, wanted: WantedSet): PrefixHit[] {
		const hits: PrefixHit[] = [];
		for (let at = 0; at < bytes.length; at += wanted.pieceSize)
			hits.push(...this.#cut(bytes.subarray(at, at + wanted.pieceSize), before + at, wanted));
		return hits;
	}

	#cut(bytes: Uint8Array, before: number, wanted: WantedSet): PrefixHit[] {
		this.#load(bytes, 0);
		this.#want(wanted);
		const count = this.#kernel.cutBySha1(
			this.#input,
			bytes.length,
			BigInt(before),
			this.#hits,
			HITS_MAX,
		);
		return this.#wantedHits(count, before, wanted);
	}

	/**
	 * The sizes of wanted stretches that end where `bytes` end: those from `least` to `most`, which is below the length of
	 * `bytes`. A compression of SHA-1 for every 64 bytes of every size, four at a time.
	 */
	startsBefore(bytes: Uint8Array, least: number, most: number, wanted: WantedSet): PrefixHit[] {
		const hits: PrefixHit[] = [];
		this.#load(bytes, 0);
		this.#want(wanted);
		const end = this.#input + bytes.length;
		for (let size = Math.floor(least / 4) * 4; size <= most; size += wanted.pieceSize) {
			const last = Math.min(most, size + wanted.pieceSize - 1);
			const count = this.#kernel.startsBySha1(end, size, last, this.#hits, HITS_MAX);
			for (const hit of this.#wantedHits(count, 0, wanted))
				if (hit.size >= least && hit.size <= most) hits.push(hit);
		}
		return hits;
	}

	/** Loads bytes for `prefixes`; until another method is called. */
	loadPrefixes(bytes: Uint8Array): void {
		this.#load(bytes, PREFIXES_MAX * 4);
	}

	/**
	 * Of the loaded bytes from `start`, the prefixes of these sizes that are wanted.
	 *
	 * @param sizes ascending, not above PREFIXES_MAX of them
	 */
	prefixes(start: number, sizes: Uint32Array, wanted: WantedSet): PrefixHit[] {
		this.#want(wanted);
		const at = Math.ceil(this.#output(this.#inputSize) / 4) * 4;
		new Uint32Array(this.#kernel.memory.buffer, at, sizes.length).set(sizes);
		const from = this.#input + start;
		const count = this.#kernel.prefixesBySha1(from, at, sizes.length, this.#hits, HITS_MAX);
		return this.#wantedHits(count, 0, wanted);
	}

	#want(wanted: WantedSet): void {
		new Uint8Array(this.#kernel.memory.buffer, WANTED, WANTED_SIZE).set(wanted.bits);
	}

	#wantedHits(count: number, before: number, wanted: WantedSet): PrefixHit[] {
		const view = new DataView(this.#kernel.memory.buffer, this.#hits, count * HIT_SIZE);
		const hits: PrefixHit[] = [];
		const digest = new Uint8Array(20);
		const out = new DataView(digest.buffer);
		for (let k = 0; k < count; k++) {
			if (!wanted.heads.has(view.getUint32(k * HIT_SIZE + 4, true))) continue;
			for (let word = 0; word < 5; word++)
				out.setUint32(word * 4, view.getUint32(k * HIT_SIZE + 4 + word * 4, true));
			const sha1 = encodeHex(digest);
			if (wanted.names.has(sha1))
				hits.push({ size: before + view.getUint32(k * HIT_SIZE, true), sha1 });
		}
		return hits;
	}

	/**
	 * The decoded bytes of the last `probe`, as a copy: what a chunk of this size holds.
	 *
	 * @param inputSize how many bytes that probe was given
	 */
	probed(compression: FindableCompression, inputSize: number, originalSize: number): Uint8Array {
		const at = this.#output(inputSize);
		const bytes = new Uint8Array(this.#kernel.memory.buffer, at, originalSize).slice();
		if (compression !== 'lzx') return bytes;
		this.#kernel.undoE8(at, originalSize);
		const plain = new Uint8Array(this.#kernel.memory.buffer, at, originalSize).slice();
		new Uint8Array(this.#kernel.memory.buffer, at, originalSize).set(bytes);
		return plain;
	}

	/** Lets `cut` go on behind these bytes, whose own prefixes nobody wants. Whole blocks of 64 bytes. */
	skip(bytes: Uint8Array, before: number): void {
		this.#load(bytes, 0);
		this.#kernel.skipSha1(this.#input, bytes.length, BigInt(before));
	}

	#output(inputSize: number): number {
		return this.#input + Math.ceil((inputSize + SLACK * 2) / 64) * 64;
	}

	/** Puts bytes into the input area, with zeros behind them. */
	#load(bytes: Uint8Array, outputSize: number): void {
		if (bytes.length > this.#inputSize || outputSize > this.#outputSize) {
			this.#inputSize = Math.max(this.#inputSize, bytes.length);
			this.#outputSize = Math.max(this.#outputSize, outputSize);
			const end = this.#output(this.#inputSize) + this.#outputSize + SLACK;
			const missing = Math.ceil((end - this.#kernel.memory.buffer.byteLength) / PAGE);
			try {
				if (missing > 0) this.#kernel.memory.grow(missing);
			} catch (error) {
				throw memoryError('Cannot search', end, error);
			}
		}
		const all = new Uint8Array(this.#kernel.memory.buffer);
		all.set(bytes, this.#input);
		all.fill(0, this.#input + bytes.length, this.#input + bytes.length + SLACK);
	}
}

/** SHA-1s that are looked for. */
export class WantedSet {
	readonly names: ReadonlySet<Sha1>;
	/** A bit for each value of the first 16 bits. */
	readonly bits = new Uint8Array(WANTED_SIZE);
	/** The first 32 bits of each. */
	readonly heads = new Set<number>();
	/** So many bytes give about half as many prefixes that begin like a wanted one as the kernel has room for. */
	readonly pieceSize: number;

	constructor(names: Iterable<Sha1>) {
		this.names = new Set(names);
		const share = Math.min(1, Math.max(1, this.names.size) / (WANTED_SIZE * 8));
		this.pieceSize = Math.floor(Math.max(HITS_MAX, HITS_MAX / 2 / share) / 64) * 64;
		for (const name of this.names) {
			const top = Number.parseInt(name.slice(0, 4), 16);
			this.heads.add(Number.parseInt(name.slice(0, 8), 16));
			this.bits[top >> 3] = (this.bits[top >> 3] ?? 0) | (1 << (top & 7));
		}
	}
}

function leadingZeros(bytes: Uint8Array): number {
	const first = bytes.findIndex((byte) => byte !== 0);
	return first < 0 ? bytes.length : first;
}
