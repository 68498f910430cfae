/**
 * Finds a single flipped bit by trying: in the entry of the blob table, in chunk tables and solid headers, and in the stored
 * bytes themselves, with the SHA-1 of the contents as the oracle (wim.md §13.5). Ends when its time is up.
 */
import { FormatError, WimError } from '../../base/errors.ts';
import { breathe, type Run, throwIfCanceled } from '../../base/run.ts';
import { clear } from '../../bytes/clear.ts';
import { equalBytes } from '../../bytes/equal-bytes.ts';
import { type Sha1, sha1Hasher } from '../../bytes/sha1.ts';
import {
	type ChunkTable,
	chunkTableSize,
	originalSizeOf,
	SolidHeader,
	storedSizeOf,
} from '../../codec/chunk-table.ts';
import { Decoder } from '../../codec/decoder.ts';
import type { Pool } from '../../pool/pool.ts';
import { endsExactly, type FlipInput } from '../../pool/tasks/flip.ts';
import { PatchedSource } from '../../storage/patched-source.ts';
import { ResourceFlag } from '../../wim/part-header.ts';
import { readChunkTable, readResource } from '../../wim/read-resource.ts';
import { type Blob, type Resource, resourceDefect } from '../../wim/resource.ts';
import type { BitSearchReport, Remedy } from '../repair/report.ts';
import { addRange, type Range, readDamaged } from '../salvage/read-damaged.ts';

/** Contents whose only fault may be one bit. */
export interface Suspect {
	readonly blob: Blob;
	/** Stretches that do not decode; null when everything does. */
	readonly badRanges: readonly Range[] | null;
}

export interface FoundBit {
	readonly blob: Blob;
	readonly remedy: Remedy;
}

/** Larger contents are not held in memory for this. */
const PLAIN_MAX = 256 << 20;
/** A chunk of more bytes would take days. */
const CHUNK_MAX = 1 << 20;
/** Raw bytes are tried in stretches of this size: what precedes a stretch is hashed once. */
const RAW_STRETCH = 4096;
/** Of the bits of a chunk that decodes half are hashed, of one that does not hardly any (`flipTask`). */
const HASHED_SHARE = 0.5;
const HASHED_SHARE_BROKEN = 0.02;
/** Bytes that one task decodes and hashes: some tenths of a second. */
const TASK_BYTES = 64 << 20;

/** What is tried, cheapest first. */
interface Trial {
	readonly suspect: Suspect;
	/** Bytes that the worst case decodes and hashes. */
	readonly cost: number;
}

export class BitSearch {
	readonly #pool: Pool;
	readonly #run: Run;
	readonly #limitMs: number;
	readonly #seconds: number;
	/** Bits that were found, which may spoil other contents of the same solid resource. */
	readonly #bits: {
		readonly resource: Resource;
		readonly offset: number;
		readonly mask: number;
	}[] = [];
	#usedMs = 0;
	#startMs = 0;
	/** Bytes decoded and hashed so far, and what the unfinished ones would need. */
	#doneBytes = 0;
	#leftBytes = 0;
	#searched = 0;
	#found = 0;
	#unfinished = 0;

	/** @param seconds for everything together, trees and contents */
	constructor(seconds: number, pool: Pool, run: Run) {
		this.#seconds = seconds;
		this.#limitMs = seconds * 1000;
		this.#pool = pool;
		this.#run = run;
	}

	/** Null when there was nothing to search. */
	get report(): BitSearchReport | null {
		if (this.#searched + this.#found + this.#unfinished === 0) return null;
		const rate = this.#doneBytes / Math.max(1, this.#usedMs);
		return {
			seconds: this.#seconds,
			searched: this.#searched,
			found: this.#found,
			unfinished: this.#unfinished,
			neededSeconds: rate === 0 ? null : Math.ceil(this.#leftBytes / rate / 1000),
		};
	}

	/** Searches the cheapest suspects first. */
	async search(suspects: readonly Suspect[]): Promise<Map<Sha1, FoundBit>> {
		const found = new Map<Sha1, FoundBit>();
		if (this.#limitMs <= 0 || suspects.length === 0) return found;
		const trials = suspects.map((suspect) => ({ suspect, cost: costOf(suspect) }));
		trials.sort((a, b) => a.cost - b.cost);
		this.#run.report({ type: 'phase', phase: 'search', totalBytes: totalOf(trials) });
		this.#startMs = this.#run.clock.elapsed();
		for (const { suspect, cost } of trials) {
			const before = this.#doneBytes;
			const known = await this.#byKnownBits(suspect.blob);
			if (known !== null) {
				found.set(suspect.blob.sha1, known);
				this.#found++;
				continue;
			}
			if (this.#isOver()) {
				this.#unfinished++;
				this.#leftBytes += cost;
				continue;
			}
			this.#run.report({ type: 'item', path: `blob ${suspect.blob.sha1}` });
			const hit = await this.#one(suspect);
			if (hit !== null) {
				found.set(suspect.blob.sha1, hit);
				this.#found++;
			} else if (this.#isOver()) {
				this.#unfinished++;
				this.#leftBytes += Math.max(0, cost - this.#doneBytes + before);
			} else this.#searched++;
		}
		this.#usedMs += this.#run.clock.elapsed() - this.#startMs;
		return found;
	}

	#isOver(): boolean {
		throwIfCanceled(this.#run);
		return this.#usedMs + this.#run.clock.elapsed() - this.#startMs >= this.#limitMs;
	}

	async #one({ blob, badRanges }: Suspect): Promise<FoundBit | null> {
		try {
			return (
				(await this.#entry(blob)) ??
				(await this.#table(blob, badRanges)) ??
				(await this.#chunks(blob, badRanges))
			);
		} catch (error) {
			if (!(error instanceof WimError) || error.code === 'canceled') throw error;
			return null;
		}
	}

	/** A bit that was found for one content of a solid resource mends its neighbours too. */
	async #byKnownBits(blob: Blob): Promise<FoundBit | null> {
		if (blob.resource.layout !== 'solid') return null;
		for (const { resource, offset, mask } of this.#bits) {
			if (resource !== blob.resource) continue;
			const patched = await patchedBlob(blob, offset, mask);
			if (patched !== null && (await hasItsSha1(patched, () => false)))
				return this.#hit(patched, offset);
		}
		return null;
	}

	#bitFound(blob: Blob, patched: Blob, offset: number, mask: number): FoundBit {
		this.#bits.push({ resource: blob.resource, offset, mask });
		return this.#hit(patched, offset);
	}

	/** Each bit of offset, sizes and the flag in the entry of the blob table. */
	async #entry(blob: Blob): Promise<FoundBit | null> {
		const { resource } = blob;
		if (resource.layout === 'solid') return null;
		for (const changed of flippedResources(resource)) {
			if (this.#isOver()) return null;
			await breathe(this.#run);
			if (resourceDefect(changed) !== null || changed.originalSize > PLAIN_MAX) continue;
			const patched = { ...blob, resource: changed, size: changed.originalSize, defect: null };
			if (await hasItsSha1(patched, () => this.#isOver()))
				return this.#hit(patched, null, 'blob-table');
		}
		return null;
	}

	#hit(blob: Blob, offset: number | null, kind: Remedy['kind'] = 'bit'): FoundBit {
		return { blob, remedy: { kind, from: blob.resource.part.source.name, offset } };
	}

	/** Each bit of the chunk table, near the chunks that do not decode when there are some, and of a solid header. */
	async #table(blob: Blob, badRanges: readonly Range[] | null): Promise<FoundBit | null> {
		for (const at of tableBytes(blob, badRanges))
			for (let bit = 0; bit < 8; bit++) {
				if (this.#isOver()) return null;
				const patched = await patchedBlob(blob, at, 1 << bit);
				if (patched !== null && (await hasItsSha1(patched, () => this.#isOver())))
					return this.#bitFound(blob, patched, at, 1 << bit);
			}
		return null;
	}

	/** The stored bytes: of the one chunk that does not decode, or of all when they all do. */
	async #chunks(blob: Blob, badRanges: readonly Range[] | null): Promise<FoundBit | null> {
		if (blob.size > PLAIN_MAX) return null;
		const stretches = await stretchesOf(blob);
		// To read a large damaged chunk takes seconds.
		const isTooLarge = ({ originalSize }: StoredStretch) => originalSize > CHUNK_MAX;
		if (badRanges === null && stretches.some(isTooLarge)) return null;
		const broken =
			badRanges === null
				? await brokenStretches(blob, stretches, this.#run)
				: stretches.filter(({ start, end }) =>
						badRanges.some((bad) => bad.start < end && start < bad.end),
					);
		// Two chunks cannot both be hurt by one bit.
		if (badRanges !== null && broken.length !== 1) return null;
		// The later a chunk, the less of what follows is hashed.
		const others = badRanges === null ? stretches.filter((one) => !broken.includes(one)) : [];
		const suspects = [...broken, ...others.reverse()];
		if (suspects.some(isTooLarge)) return null;
		const plain = await plainOf(blob);
		const isRaw = blob.resource.layout === 'raw';
		for (const ends of isRaw ? (['exact'] as const) : (['exact', 'other'] as const))
			for (const stretch of suspects) {
				const stored = new Uint8Array(stretch.storedSize);
				const got = await blob.resource.part.source.read(stretch.offset, stored);
				if (got < stored.length) return null;
				const hashedShare = broken.includes(stretch) ? HASHED_SHARE_BROKEN : HASHED_SHARE;
				const how = { ends, hashedShare };
				const bit = await this.#flip(blob, stretch, stored, plain, how);
				if (bit === null) {
					if (this.#isOver()) return null;
					continue;
				}
				const at = stretch.offset + (bit >> 3);
				const mask = 1 << (bit & 7);
				const patched = await patchedBlob(blob, at, mask);
				if (patched !== null) return this.#bitFound(blob, patched, at, mask);
			}
		return null;
	}

	/** Deals the bits of one chunk to the lanes. */
	async #flip(
		blob: Blob,
		stretch: StoredStretch,
		stored: Uint8Array,
		plain: Uint8Array<SharedArrayBuffer>,
		how: { readonly ends: FlipInput['ends']; readonly hashedShare: number },
	): Promise<number | null> {
		const { start, end, skip, originalSize } = stretch;
		const { compression, chunkSize } = blob.resource;
		const perBit = originalSize + (plain.length - end) * how.hashedShare;
		const perTask = Math.max(8, Math.ceil(TASK_BYTES / Math.max(1, perBit)));
		const chunk = { compression, chunkSize, stored, originalSize };
		const common = { ...chunk, sha1: blob.sha1, plain, start, end, skip, ends: how.ends };
		const run = this.#run;
		const pieces = await likeliestFirst(chunk, run);
		const count = stored.length * 8;
		function* inputs(): Generator<FlipInput, void, undefined> {
			for (const piece of pieces)
				for (let bit = piece.start * 8; bit < piece.end * 8; bit += perTask)
					yield { ...common, firstBit: bit, endBit: Math.min(piece.end * 8, bit + perTask) };
		}
		const lanes = this.#pool.forWork(count * perBit, originalSize);
		for await (const { bit, count: tried } of lanes.ordered('flip', inputs(), {
			signal: run.signal,
		})) {
			if (bit !== null) return bit;
			this.#doneBytes += tried * perBit;
			run.report({ type: 'advance', bytes: tried * perBit });
			const pause = run.paused?.();
			if (pause) await pause;
			if (this.#isOver()) return null;
		}
		return null;
	}
}

function totalOf(trials: readonly Trial[]): number {
	return trials.reduce((sum, { cost }) => sum + cost, 0);
}

/** One failing chunk: its bits, each with a decode and a hash of what follows. None: the bits of all chunks. */
function costOf({ blob, badRanges }: Suspect): number {
	const { storedSize, originalSize } = blob.resource;
	const density = storedSize / Math.max(1, originalSize);
	const [bad] = badRanges ?? [];
	if (bad === undefined) return blob.size * density * 8 * ((blob.size / 2) * HASHED_SHARE + 1);
	const perBit = bad.end - bad.start + (blob.size - bad.end) * HASHED_SHARE_BROKEN;
	return (bad.end - bad.start) * density * 8 * perBit;
}

/** Chunks that decode, though not from all of their stored bytes, as all known writers make them. */
async function brokenStretches(
	{ resource: { part, compression, chunkSize, layout } }: Blob,
	stretches: readonly StoredStretch[],
	run: Run,
): Promise<StoredStretch[]> {
	if (layout === 'raw') return [];
	const decoder = new Decoder();
	const broken: StoredStretch[] = [];
	for (const stretch of stretches) {
		await breathe(run);
		const { offset, storedSize, originalSize } = stretch;
		const stored = new Uint8Array(storedSize);
		await part.source.read(offset, stored);
		try {
			decoder.reserve(storedSize, originalSize);
			decoder.input(storedSize).set(stored);
			decoder.decode(compression, chunkSize, storedSize, originalSize);
			if (!endsExactly(decoder, { compression, stored, originalSize })) broken.push(stretch);
		} catch (error) {
			if (!(error instanceof FormatError)) throw error;
			broken.push(stretch);
		}
	}
	return broken;
}

/** So many pieces of a chunk that breaks off are tested. */
const READ_PIECES = 256;

/** The code lengths of one LZX block take fewer bytes, those of an XPRESS chunk 256. */
const CODES_SIZE_MAX = 1024;

/**
 * The stored bytes of a chunk, those first that the decoder reads before the chunk breaks off, from the break backwards: a
 * wrong bit stands in there. Such bytes tell themselves since others in their place change what comes out.
 */
async function likeliestFirst(
	{ compression, chunkSize, stored, originalSize }: Chunk,
	run: Run,
): Promise<readonly Range[]> {
	const all = [{ start: 0, end: stored.length }];
	if (stored.length === originalSize) return all;
	const decoder = new Decoder();
	decoder.reserve(stored.length, originalSize);
	const outcome = (): { readonly why: string | null; readonly bytes: Uint8Array } => {
		clear(decoder.outputBytes.subarray(0, originalSize));
		let why: string | null = null;
		try {
			decoder.decode(compression, chunkSize, stored.length, originalSize);
		} catch (error) {
			if (!(error instanceof FormatError)) throw error;
			why = error.message;
		}
		return { why, bytes: decoder.outputBytes.subarray(0, originalSize) };
	};
	decoder.input(stored.length).set(stored);
	const { why, bytes } = outcome();
	const before = bytes.slice();
	if (why === null) return all;
	const size = Math.ceil(stored.length / READ_PIECES);
	const pieces: Range[] = [];
	const isRead: boolean[] = [];
	for (let start = 0; start < stored.length; start += size) {
		await breathe(run);
		const end = Math.min(stored.length, start + size);
		const input = decoder.input(stored.length);
		for (let at = start; at < end; at++) input[at] = (input[at] ?? 0) ^ 0xff;
		const changed = outcome();
		pieces.push({ start, end });
		isRead.push(changed.why !== why || !equalBytes(changed.bytes, before));
		decoder.input(stored.length).set(stored);
	}
	// Of a table of codes that is broken no other byte seems to matter: it stands next to what does.
	const unread = longestRun(isRead, compression === 'lzms');
	const slack = Math.ceil(CODES_SIZE_MAX / size);
	const front = pieces.slice(0, unread.start + slack);
	const back = pieces.slice(Math.max(front.length, unread.end - slack));
	const rest = pieces.slice(front.length, pieces.length - back.length);
	return [
		...front.reverse().flatMap((one, k) => [one, ...back.slice(k, k + 1)]),
		...back.slice(front.length),
		...rest,
	];
}

/** The pieces that are not read: between the two readers of LZMS, else behind the only one. */
function longestRun(isRead: readonly boolean[], hasTwoReaders: boolean): Range {
	let best = { start: isRead.length, end: isRead.length };
	for (let start = 0, k = 0; k <= isRead.length; k++) {
		if (k < isRead.length && !isRead[k]) continue;
		const isLonger = k - start > best.end - best.start;
		if (isLonger && (hasTwoReaders || k === isRead.length)) best = { start, end: k };
		start = k + 1;
	}
	return best;
}

type Chunk = Pick<FlipInput, 'compression' | 'chunkSize' | 'stored' | 'originalSize'>;

/** A stretch of a blob that is decoded by itself. */
interface StoredStretch {
	/** In the blob. */
	readonly start: number;
	readonly end: number;
	/** Decoded bytes before `start`. */
	readonly skip: number;
	/** In the file. */
	readonly offset: number;
	readonly storedSize: number;
	readonly originalSize: number;
}

/** @throws {FormatError} when the chunk table is broken */
async function stretchesOf(blob: Blob): Promise<StoredStretch[]> {
	const { resource, offsetInResource, size } = blob;
	const found: StoredStretch[] = [];
	if (resource.layout === 'raw') {
		for (let start = 0; start < size; start += RAW_STRETCH) {
			const end = Math.min(size, start + RAW_STRETCH);
			const length = end - start;
			const offset = resource.offset + start;
			found.push({ start, end, skip: 0, offset, storedSize: length, originalSize: length });
		}
		return found;
	}
	const table: ChunkTable = await readChunkTable(resource);
	const first = Math.floor(offsetInResource / table.chunkSize);
	for (let chunk = first; chunk * table.chunkSize < offsetInResource + size; chunk++) {
		const from = chunk * table.chunkSize - offsetInResource;
		const originalSize = originalSizeOf(table, chunk);
		const start = Math.max(0, from);
		found.push({
			start,
			end: Math.min(size, from + originalSize),
			skip: start - from,
			offset: resource.offset + (table.starts[chunk] ?? 0),
			storedSize: storedSizeOf(table, chunk),
			originalSize,
		});
	}
	return found;
}

/** The bytes of a blob as far as they decode, where all threads see them. */
async function plainOf(blob: Blob): Promise<Uint8Array<SharedArrayBuffer>> {
	const plain = new Uint8Array(new SharedArrayBuffer(blob.size));
	const { offsetInResource: from, size } = blob;
	for await (const { start, bytes } of readDamaged(blob.resource, from, from + size))
		plain.set(bytes, start - from);
	return plain;
}

/** Reads strictly, and gives up at the first fault. */
async function hasItsSha1(blob: Blob, isOver: () => boolean): Promise<boolean> {
	const { resource, offsetInResource: from, size } = blob;
	const hash = sha1Hasher();
	try {
		for await (const bytes of readResource(resource, from, from + size)) {
			hash.update(bytes);
			if (isOver()) return false;
		}
	} catch (error) {
		if (error instanceof FormatError) return false;
		throw error;
	}
	return hash.digest('hex') === blob.sha1;
}

async function patchedBlob(blob: Blob, offset: number, mask: number): Promise<Blob | null> {
	const { part } = blob.resource;
	const byte = new Uint8Array(1);
	if ((await part.source.read(offset, byte)) < 1) return null;
	byte[0] = (byte[0] ?? 0) ^ mask;
	const source = new PatchedSource(part.source, offset, byte);
	return { ...blob, defect: null, resource: { ...blob.resource, part: { ...part, source } } };
}

/** The resource with each bit of its entry flipped: offset, sizes, and whether it is compressed. */
function* flippedResources(resource: Resource): Generator<Resource, void, undefined> {
	const fields = ['offset', 'storedSize', 'originalSize'] as const;
	for (const field of fields)
		for (let bit = 0; bit < 40; bit++) {
			const value = flipped(resource[field], bit);
			const changed = { ...resource, [field]: value };
			// Raw resources have both sizes alike.
			if (resource.layout === 'raw' && field !== 'offset')
				yield { ...changed, storedSize: value, originalSize: value };
			else yield changed;
		}
	const { part, storedSize, originalSize } = resource;
	if (resource.layout !== 'raw' && storedSize === originalSize)
		yield {
			...resource,
			part,
			layout: 'raw',
			compression: 'none',
			chunkSize: 0,
			flags: resource.flags & ~ResourceFlag.compressed,
		};
}

/** A number with one of its bits flipped; numbers have 53 of them. */
function flipped(value: number, bit: number): number {
	const unit = 2 ** bit;
	return Math.floor(value / unit) % 2 === 0 ? value + unit : value - unit;
}

/** Offsets in the file of the bytes that tell where chunks lie. */
function tableBytes(blob: Blob, badRanges: readonly Range[] | null): number[] {
	const { resource, offsetInResource } = blob;
	const { layout, offset, originalSize, chunkSize, storedSize } = resource;
	if (layout === 'raw' || chunkSize === 0) return [];
	const isSolid = layout === 'solid';
	const width = isSolid ? 4 : originalSize > 0xffff_ffff ? 8 : 4;
	const size = isSolid
		? Math.ceil(originalSize / chunkSize) * 4
		: chunkTableSize(originalSize, chunkSize);
	const at = isSolid
		? offset + SolidHeader.size
		: layout === 'pipable'
			? offset + storedSize - size
			: offset;
	const entries = new Set<number>();
	const hurt: Range[] = [];
	for (const { start, end } of badRanges ?? []) addRange(hurt, start, end);
	const near = hurt.flatMap(({ start, end }) => {
		const first = Math.floor((offsetInResource + start) / chunkSize);
		const last = Math.ceil((offsetInResource + end) / chunkSize);
		// A wrong entry spoils the chunks on both sides of it, and nothing else.
		return last - first > 2 ? [] : [first - 1, first, last - 1, last];
	});
	for (let entry = 0; entry * width < size; entry++)
		if (badRanges === null || near.includes(entry)) entries.add(entry);
	const bytes = isSolid ? Array.from({ length: SolidHeader.size }, (_, k) => offset + k) : [];
	for (const entry of entries)
		for (let k = 0; k < Math.min(width, 5); k++) bytes.push(at + entry * width + k);
	return bytes;
}
