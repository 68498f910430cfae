/**
 * Reads whatever of a resource can still be read, chunk by chunk (wim.md §13.5): broken entries of the chunk table are worked
 * out from where the chunk before ends, and a chunk that is lost becomes zeros and a range in the report.
 */

import { FormatError, WimError } from '../../base/errors.ts';
import { clear } from '../../bytes/clear.ts';
import { type Sha1, sha1 } from '../../bytes/sha1.ts';
import { Span } from '../../bytes/span.ts';
import {
	type ChunkSurvey,
	chunkCount,
	locateChunkTable,
	originalSizeOf,
	PREFIX_SIZE,
	parseSolidHeader,
	SolidHeader,
	storedSizeOf,
	surveyChunkTable,
	surveySolidTable,
} from '../../codec/chunk-table.ts';
import { type Consumed, Decoder, tookAll } from '../../codec/decoder.ts';
import { ChunkSeeker } from '../../pool/chunk-seeker.ts';
import { LARGE_CHUNK_MIN, type LargeChunks } from '../../pool/large-chunks.ts';
import { InlinePool } from '../../pool/pool.ts';
import type { Blob, Resource } from '../../wim/resource.ts';

/** A stretch of original bytes. */
export interface Range {
	readonly start: number;
	readonly end: number;
}

/** One piece of a damaged resource, in order; `bytes` are valid until the next piece. */
export interface Piece {
	/** In the original bytes of the resource. */
	readonly start: number;
	readonly bytes: Uint8Array;
	/** False when the bytes are zeros because the stored ones are lost. */
	readonly isGood: boolean;
	/**
	 * What was decoded all the same, of a chunk that turned out to be broken: right up to a point that only a SHA-1 can tell.
	 * Null when there is nothing of the kind.
	 */
	readonly guess: Uint8Array | null;
}

/** Raw resources are read in pieces of this size. */
const RAW_PIECE = 1 << 20;

/**
 * The pieces of a resource that overlap `start` to `end`; they cover that stretch without gaps.
 *
 * @param lanes decode large chunks; null: this thread does
 */
export async function* readDamaged(
	resource: Resource,
	start = 0,
	end = resource.originalSize,
	lanes: LargeChunks | null = null,
): AsyncGenerator<Piece, void, undefined> {
	if (resource.layout === 'raw') yield* readRaw(resource, start, end);
	else yield* new DamagedChunks(resource, lanes).read(start, end);
}

async function* readRaw(
	resource: Resource,
	start: number,
	end: number,
): AsyncGenerator<Piece, void, undefined> {
	const { source } = resource.part;
	for (let at = start; at < end; at += RAW_PIECE) {
		const bytes = new Uint8Array(Math.min(RAW_PIECE, end - at));
		const got = await readLeniently(source, resource.offset + at, bytes);
		if (got > 0) yield { start: at, bytes: bytes.subarray(0, got), isGood: true, guess: null };
		if (got < bytes.length)
			yield { start: at + got, bytes: bytes.subarray(got), isGood: false, guess: null };
	}
}

/** A device that refuses to read gives nothing, like the end of the file. */
async function readLeniently(
	source: Resource['part']['source'],
	offset: number,
	into: Uint8Array,
): Promise<number> {
	try {
		return offset >= source.size ? 0 : await source.read(offset, into);
	} catch (error) {
		if (error instanceof WimError) return 0;
		throw error;
	}
}

let shared: Decoder | null = null;
/** Where no lanes are given. */
let inlineSeeker: ChunkSeeker | null = null;

/** So many chunks in a row that are stored as they are, and show nothing, are stepped over. */
const RAW_RUN_MAX = 4;

/** What is known of the chunks of a resource, and was worked out while it was read. */
const surveys = new WeakMap<Resource, ChunkSurvey>();

/** Tables of which chunks were looked for from behind. */
const searched = new WeakSet<ChunkSurvey['table']>();

/** A decoded chunk; the bytes stay until the next one is decoded. */
interface DecodedChunk {
	/** Of a broken chunk what was decoded before that showed, and zeros. */
	readonly bytes: Uint8Array;
	readonly isGood: boolean;
	/** Behind its stored bytes, in the resource. */
	readonly end: number;
}

/** What a lane decoded last. */
let lent: { readonly lanes: LargeChunks; readonly room: SharedArrayBuffer } | null = null;

/** What the output of `shared`, or that room, holds: solid chunks are large, and hold many files. */
let held: {
	readonly source: Resource['part']['source'];
	/** In the file. */
	readonly offset: number;
	readonly storedSize: number;
	/** Of one place several entries may say different things. */
	readonly originalSize: number;
	readonly chunkSize: number;
	readonly chunk: DecodedChunk | null;
} | null = null;

/** Lets go of what was decoded last: memory that other work needs. */
export function forgetDecoded(): void {
	held = null;
	lent = null;
	shared = null;
}

class DamagedChunks {
	private readonly resource: Resource;
	/** Null where chunks are small, or there are none. */
	private readonly lanes: LargeChunks | null;
	/** Finds chunks of any size: on lanes where there are some. */
	private readonly seeker: ChunkSeeker;
	/** Of the stored bytes of the last chunk. */
	private consumed: Consumed = { front: 0, back: 0 };

	constructor(resource: Resource, lanes: LargeChunks | null) {
		this.resource = resource;
		const isLarge = Math.min(resource.chunkSize, resource.originalSize) > LARGE_CHUNK_MIN;
		this.lanes = isLarge ? lanes : null;
		inlineSeeker ??= new ChunkSeeker(new InlinePool(), new AbortController().signal);
		this.seeker = lanes?.seeker ?? inlineSeeker;
	}

	async *read(start: number, end: number): AsyncGenerator<Piece, void, undefined> {
		const { resource } = this;
		const { chunkSize } = resource;
		const survey = surveys.get(resource) ?? (await this.survey());
		if (survey === null) {
			yield* zeros(start, end);
			return;
		}
		const { table } = survey;
		const bad = new Set(survey.bad);
		const first = Math.floor(start / chunkSize);
		// Where bad entries precede the stretch, the walk has to begin before them.
		let from = first;
		while (from > 0 && bad.has(from)) from--;
		let next: number | null = from === 0 ? (table.starts[0] ?? null) : null;
		for (let chunk = from; chunk * chunkSize < end; chunk++) {
			const originalSize = originalSizeOf(table, chunk);
			if (bad.has(chunk) && next === null) await this.fromBehind(survey, bad, chunk);
			const given = bad.has(chunk)
				? null
				: { at: table.starts[chunk] ?? 0, size: storedSizeOf(table, chunk) };
			const decoded: DecodedChunk | null =
				given !== null
					? await this.exact(given.at, given.size, originalSize)
					: await this.guess(next, boundOf(survey, chunk), originalSize);
			const isFound = given === null && decoded?.isGood === true;
			if (isFound) {
				// Whoever reads on in this resource need not look for it again.
				bad.delete(chunk);
				table.starts[chunk] = next ?? 0;
				table.starts[chunk + 1] = decoded.end + table.gap;
				surveys.set(resource, { ...survey, bad: [...bad] });
			}
			if (given !== null) next = given.at + given.size + table.gap;
			else next = isFound ? decoded.end + table.gap : null;
			if (chunk < first) continue;
			const chunkStart = chunk * chunkSize;
			const cutStart = Math.max(0, start - chunkStart);
			const cutEnd = Math.min(originalSize, end - chunkStart);
			const bytes = decoded?.bytes.subarray(cutStart, cutEnd) ?? null;
			const isGood = decoded?.isGood === true;
			yield {
				start: chunkStart + cutStart,
				bytes: isGood && bytes !== null ? bytes : new Uint8Array(cutEnd - cutStart),
				isGood,
				guess: isGood ? null : bytes,
			};
		}
	}

	private async survey(): Promise<ChunkSurvey | null> {
		const { resource } = this;
		const { part, offset, storedSize, originalSize, chunkSize } = resource;
		const read = async (at: number, size: number) => {
			const bytes = new Uint8Array(size);
			const got = await readLeniently(part.source, offset + at, bytes);
			return new Span(bytes.subarray(0, got), part.source.name, offset + at);
		};
		try {
			if (resource.layout === 'solid') {
				const tableSize = chunkCount(originalSize, chunkSize) * 4;
				const head = await read(0, SolidHeader.size);
				let shape = {
					originalSize,
					storedSize,
					chunkSize,
					compression: resource.compression,
					chunkCount: chunkCount(originalSize, chunkSize),
					tableOffset: SolidHeader.size,
					tableSize,
				};
				try {
					shape = parseSolidHeader(head, storedSize);
				} catch (error) {
					// The shape that the caller worked out stands in for a broken header.
					if (!(error instanceof FormatError)) throw error;
				}
				return surveySolidTable(await read(shape.tableOffset, shape.tableSize), shape);
			}
			const isPipable = resource.layout === 'pipable';
			const place = locateChunkTable(resource, isPipable);
			const survey = surveyChunkTable(await read(place.offset, place.size), resource, isPipable);
			return isPipable && survey.bad.length > 0 ? await this.byPrefixes(survey) : survey;
		} catch (error) {
			if (error instanceof FormatError) return null;
			throw error;
		}
	}

	/** In pipable files the sizes stand before the chunks as well. */
	private async byPrefixes(survey: ChunkSurvey): Promise<ChunkSurvey> {
		const { table } = survey;
		const { part, offset } = this.resource;
		const prefix = new Uint8Array(PREFIX_SIZE);
		const bad: number[] = [];
		let at = PREFIX_SIZE;
		for (let chunk = 0; chunk < table.chunkCount; chunk++) {
			const got = await readLeniently(part.source, offset + at - PREFIX_SIZE, prefix);
			const size = new DataView(prefix.buffer).getUint32(0, true);
			if (got < PREFIX_SIZE || size < 1 || size > originalSizeOf(table, chunk)) {
				for (let rest = chunk; rest < table.chunkCount; rest++) bad.push(rest);
				break;
			}
			table.starts[chunk] = at;
			at += size + PREFIX_SIZE;
			table.starts[chunk + 1] = at;
		}
		return { table, bad, spare: 0 };
	}

	/**
	 * Looks for the starts of chunks behind one that is lost: from the next place that is known backwards. What it finds counts
	 * as good.
	 */
	private async fromBehind(survey: ChunkSurvey, bad: Set<number>, first: number): Promise<void> {
		const { table } = survey;
		if (searched.has(table)) return;
		searched.add(table);
		let last = first;
		while (bad.has(last + 1)) last++;
		let end = (table.starts[last + 1] ?? 0) - table.gap;
		for (let chunk = last; chunk >= first; chunk--) {
			const size = originalSizeOf(table, chunk);
			const start =
				(await this.startBefore(survey, end, size)) ??
				((await this.isRawBefore(survey, end, size, chunk - first)) ? end - size : null);
			if (start === null) break;
			table.starts[chunk + 1] = end + table.gap;
			table.starts[chunk] = start;
			end = start - table.gap;
			bad.delete(chunk);
		}
		surveys.set(this.resource, { ...survey, bad: [...bad] });
	}

	/** Chunks that are stored as they are show nothing: only the compressed one before `most` of them does. */
	private async isRawBefore(
		survey: ChunkSurvey,
		end: number,
		size: number,
		most: number,
	): Promise<boolean> {
		const { chunkSize, gap } = survey.table;
		for (let k = 0, at = end - size; k < Math.min(most, RAW_RUN_MAX); k++, at -= gap + chunkSize)
			if ((await this.startBefore(survey, at - gap, chunkSize)) !== null) return true;
		return false;
	}

	/** Where the compressed chunk begins that decodes to `size` bytes and ends at `end`. */
	private async startBefore(
		{ table }: ChunkSurvey,
		end: number,
		size: number,
	): Promise<number | null> {
		const { compression, chunkSize } = this.resource;
		if (compression === 'none') return null;
		const from = Math.max(table.starts[0] ?? 0, end - size);
		const stored = await this.stored(from, Math.max(0, end - from));
		if (stored.length === 0 || stored.length < end - from) return null;
		const request = { bound: 'end', compression, chunkSize, stored, originalSize: size } as const;
		for (const one of await this.seeker.seek(request)) {
			const decoded = await this.decode(stored.subarray(stored.length - one), size, 0);
			if (decoded?.isGood) return end - one;
		}
		return null;
	}

	private async stored(at: number, size: number): Promise<Uint8Array> {
		// A lane sees shared bytes without a copy of them.
		const bytes =
			this.lanes === null ? new Uint8Array(size) : new Uint8Array(new SharedArrayBuffer(size));
		const got = await readLeniently(this.resource.part.source, this.resource.offset + at, bytes);
		return bytes.subarray(0, got);
	}

	/** A chunk whose bounds are known. */
	private async exact(
		at: number,
		storedSize: number,
		originalSize: number,
	): Promise<DecodedChunk | null> {
		return this.holding(at, storedSize, originalSize, async () => {
			const bytes = await this.stored(at, storedSize);
			if (bytes.length < storedSize) return null;
			return this.decode(bytes, originalSize, at + storedSize);
		});
	}

	/** What `decode` gives, unless that is what was decoded last: a solid chunk holds many files, also a lost one. */
	private async holding(
		at: number,
		storedSize: number,
		originalSize: number,
		decode: () => Promise<DecodedChunk | null>,
	): Promise<DecodedChunk | null> {
		const { source } = this.resource.part;
		const offset = this.resource.offset + at;
		const { chunkSize } = this.resource;
		if (
			held?.source === source &&
			held.offset === offset &&
			held.storedSize === storedSize &&
			held.originalSize === originalSize &&
			held.chunkSize === chunkSize
		)
			return held.chunk;
		const chunk = await decode();
		held = { source, offset, storedSize, originalSize, chunkSize, chunk };
		return chunk;
	}

	/** A chunk whose start follows from the one before, and whose end from its own contents. */
	private async guess(
		at: number | null,
		bound: number,
		originalSize: number,
	): Promise<DecodedChunk | null> {
		if (at === null || bound <= at) return null;
		return this.holding(at, bound - at, originalSize, () => this.search(at, bound, originalSize));
	}

	private async search(
		at: number,
		bound: number,
		originalSize: number,
	): Promise<DecodedChunk | null> {
		const room = Math.min(bound - at, originalSize);
		const stored = await this.stored(at, room);
		const { compression } = this.resource;
		const guessed =
			compression === 'lzms'
				? await this.guessLzms(at, stored, originalSize)
				: await this.guessByEnd(at, stored, originalSize);
		if (guessed?.isGood || stored.length < originalSize) return guessed;
		// Perhaps a raw one: if there is just room for it, or a chunk behind it.
		let isRaw = bound - at === originalSize;
		for (let k = 0; k < RAW_RUN_MAX && !isRaw; k++)
			isRaw = await this.beginsAt(at + originalSize + k * this.resource.chunkSize, bound);
		return isRaw ? { bytes: stored, isGood: true, end: at + originalSize } : guessed;
	}

	/** XPRESS and LZX chunks end where they say so themselves. */
	private async guessByEnd(
		at: number,
		stored: Uint8Array,
		originalSize: number,
	): Promise<DecodedChunk | null> {
		const size = Math.min(stored.length, originalSize - 1);
		const decoded = await this.decode(stored.subarray(0, size), originalSize, 0);
		return decoded?.isGood ? { ...decoded, end: at + this.consumed.front } : null;
	}

	/** LZMS ends where both readers meet; with the right size, hardly anywhere else. */
	private async guessLzms(
		at: number,
		stored: Uint8Array,
		originalSize: number,
	): Promise<DecodedChunk | null> {
		const whole = await this.decode(stored, originalSize, at + stored.length);
		if (whole?.isGood && stored.length < originalSize && this.hasMet()) return whole;
		const { chunkSize } = this.resource;
		const request = {
			bound: 'start',
			compression: 'lzms',
			chunkSize,
			stored,
			originalSize,
		} as const;
		for (const storedSize of await this.seeker.seek(request)) {
			const chunk = stored.subarray(0, storedSize);
			const decoded = await this.decode(chunk, originalSize, at + storedSize);
			if (decoded?.isGood) return decoded;
		}
		// Where the readers do not meet, what was decoded is right up to some point at best.
		const broken = await this.decode(stored, originalSize, at + stored.length);
		return broken === null ? null : { ...broken, isGood: false };
	}

	/** Both readers of the last LZMS chunk ended side by side. */
	private hasMet(): boolean {
		return tookAll('lzms', this.consumed);
	}

	/** Whether a whole compressed chunk begins there. */
	private async beginsAt(at: number, bound: number): Promise<boolean> {
		const { compression, chunkSize } = this.resource;
		const stored = await this.stored(at, Math.max(0, Math.min(bound - at, chunkSize)));
		if (stored.length === 0 || compression === 'none') return false;
		const request = {
			bound: 'start',
			compression,
			chunkSize,
			stored,
			originalSize: chunkSize,
		} as const;
		return (await this.seeker.seek(request)).length > 0;
	}

	private async decode(
		stored: Uint8Array,
		originalSize: number,
		end: number,
	): Promise<DecodedChunk | null> {
		held = null;
		if (lent !== null) lent.lanes.giveBack(lent.room);
		lent = null;
		const { bytes, size, isGood } =
			this.lanes === null
				? this.decodeHere(stored, originalSize)
				: await this.decodeOnLane(this.lanes, stored, originalSize);
		if (isGood) return { bytes, isGood, end };
		const usable = this.resource.compression === 'lzms' ? size : 0;
		if (usable === 0) return null;
		clear(bytes.subarray(usable));
		return { bytes, isGood, end };
	}

	private decodeHere(stored: Uint8Array, originalSize: number): Decoded {
		const { compression, chunkSize } = this.resource;
		shared ??= new Decoder();
		shared.reserve(stored.length, originalSize);
		shared.input(stored.length).set(stored);
		let isGood = true;
		try {
			shared.decode(compression, chunkSize, stored.length, originalSize);
		} catch (error) {
			if (!(error instanceof FormatError)) throw error;
			isGood = false;
		}
		this.consumed = shared.lastConsumed();
		const size = isGood ? originalSize : shared.lastDecoded;
		return { bytes: shared.outputBytes.subarray(0, originalSize), size, isGood };
	}

	private async decodeOnLane(
		lanes: LargeChunks,
		stored: Uint8Array,
		originalSize: number,
	): Promise<Decoded> {
		const { compression, chunkSize } = this.resource;
		const room = lanes.takeRoom(originalSize);
		const request = { compression, chunkSize, stored, originalSize, room };
		const { defect, size, consumed } = await lanes.unpack(request);
		this.consumed = consumed;
		lent = { lanes, room };
		return { bytes: new Uint8Array(room, 0, originalSize), size, isGood: defect === null };
	}
}

/** What a decoder gave. */
interface Decoded {
	/** As many as the chunk has. */
	readonly bytes: Uint8Array;
	/** Of a broken chunk so many were decoded before that showed. */
	readonly size: number;
	readonly isGood: boolean;
}

/** Where the stored bytes of a chunk must have ended: the next start that is known. */
function boundOf({ table, bad }: ChunkSurvey, chunk: number): number {
	const badSet = new Set(bad);
	for (let next = chunk + 1; next < table.chunkCount; next++)
		if (!badSet.has(next)) return (table.starts[next] ?? 0) - table.gap;
	return (table.starts[table.chunkCount] ?? 0) - table.gap;
}

function* zeros(start: number, end: number): Generator<Piece, void, undefined> {
	for (let at = start; at < end; at += RAW_PIECE)
		yield {
			start: at,
			bytes: new Uint8Array(Math.min(RAW_PIECE, end - at)),
			isGood: false,
			guess: null,
		};
}

/** A blob that was read as far as possible. */
export interface DamagedBlob {
	readonly bytes: Uint8Array;
	/** In the blob; empty when nothing is known to be bad. */
	readonly badRanges: readonly Range[];
	readonly sha1: Sha1;
}

/** Reads a blob into memory, as far as possible. */
export async function readDamagedBlob(
	blob: Blob,
	lanes: LargeChunks | null = null,
): Promise<DamagedBlob> {
	const { resource, offsetInResource: from, size } = blob;
	const bytes = new Uint8Array(size);
	const badRanges: Range[] = [];
	let isGuessed = false;
	for await (const piece of readDamaged(resource, from, from + size, lanes)) {
		const at = piece.start - from;
		bytes.set(piece.guess ?? piece.bytes, at);
		isGuessed ||= piece.guess !== null;
		if (!piece.isGood) addRange(badRanges, at, at + piece.bytes.length);
	}
	// What stands before the damage in its chunk is whole.
	if (isGuessed && sha1(bytes) === blob.sha1) return { bytes, badRanges: [], sha1: blob.sha1 };
	if (isGuessed) for (const { start, end } of badRanges) bytes.fill(0, start, end);
	return { bytes, badRanges, sha1: sha1(bytes) };
}

/** Adds a range behind the others, joining it with the last one where they touch. */
export function addRange(ranges: Range[], start: number, end: number): void {
	const last = ranges.at(-1);
	if (last !== undefined && last.end === start)
		ranges[ranges.length - 1] = { start: last.start, end };
	else ranges.push({ start, end });
}
