/**
 * Finds out from where on, and by how many bytes, the contents of a file are not where its tables say: contents prove it by
 * their SHA-1, solid chunks by what they decode to, and bisection finds the bounds (wim.md §13.11).
 */
import { FormatError } from '../../base/errors.ts';
import { BLOB_TABLE_SIZE_MAX } from '../../base/limits.ts';
import { formatHex, plural } from '../../base/print.ts';
import { breathe, type Run } from '../../base/run.ts';
import { parseSolidHeader, parseSolidTable, SolidHeader } from '../../codec/chunk-table.ts';
import type { Compression } from '../../codec/compression.ts';
import { type DisplacedPiece, DisplacedSource } from '../../storage/displaced-source.ts';
import { readExactly } from '../../storage/read.ts';
import type { Source } from '../../storage/source.ts';
import type { BlobEntry } from '../blob-entries.ts';
import type { PartCompression } from '../part-blobs.ts';
import { HEADER_SIZE, MAGIC, MAGIC_PIPABLE, ResourceFlag } from '../part-header.ts';
import { findTableBefore, greatestEnd } from './find-tables.ts';
import type { FoundXml } from './find-xml.ts';
import { countRight, isSolidResource, TRIAL_SIZE_MAX } from './prove-table.ts';
import {
	type HeaderFields,
	possibleCompressions,
	readBothHeaders,
	readHeaderFields,
} from './recover-header.ts';
import { PIPE_HEADER_SIZE, PIPE_MAGIC } from './walk-pipable.ts';

/** Whether a chunk decodes and ends where it should. */
export type Decodes = (
	compression: Compression,
	chunkSize: number,
	stored: Uint8Array,
	originalSize: number,
) => Promise<boolean>;

/** Something of which can be told whether it is at its place. */
interface Unit {
	/** From the start of what the file was. */
	readonly offset: number;
	readonly size: number;
	isIn(source: Source): Promise<boolean>;
}

/** From a place on, counted in what the file was, everything lies so many bytes before where it was. */
interface Move {
	readonly start: number;
	readonly shift: number;
}

/** Positions of units, and how those are moved. */
interface Ends {
	readonly low: number;
	readonly lowShift: number;
	readonly high: number;
	readonly highShift: number;
}

interface FoundEntries {
	readonly all: readonly BlobEntry[];
	/** Of the table, in the file as it is. */
	readonly offset: number;
}

/** Of the units between two moves the smallest are tried. */
const TRIED_BETWEEN = 3;

/** Ways to be moved that are tried between two others. */
const STEPS_MAX = 1 << 14;

/** Bytes that are hashed in search of moves, and what a trial costs besides: some ten seconds. */
const EFFORT = 2 ** 32;
const TRIAL_EFFORT = 1 << 14;

const TRIALS_A_TURN = 16;

/** Entries that are tried until one proves a displacement. */
const SAMPLE_COUNT = 8;

/** They are the smallest of this share of all, the last of the file. */
const SAMPLES_SHARE = 0.1;

/** XML data that is looked at, the last ones. */
const XML_COUNT = 8;

/** Behind the XML data of a WIM that ends a file may follow its integrity table, and a little more. */
const REST_MAX = 1 << 20;

/** Tables are read at offsets above all that their entries state. */
const FAR = 2 ** 45;

export class Displacement {
	readonly #source: Source;
	readonly #decodes: Decodes;
	readonly #run: Run;
	#effort = EFFORT;
	#trialCount = 0;
	/** Some contents are where they were. */
	#hasUnmoved = false;

	constructor(source: Source, decodes: Decodes, run: Run) {
		this.#source = source;
		this.#decodes = decodes;
		this.#run = run;
	}

	/** @returns null when nothing was displaced, as far as the XML data and the table before it tell */
	async find(
		xmls: readonly FoundXml[],
	): Promise<{ readonly pieces: readonly DisplacedPiece[]; readonly finding: string } | null> {
		const { first, last } = await readBothHeaders(this.#source);
		for (const xml of xmls.slice(-XML_COUNT).reverse()) {
			const isPipable = await this.#isBehindPipeHeader(xml.offset);
			const entries = await this.#entriesBefore(xml.offset, isPipable);
			if (entries === null) continue;
			const shifts = shiftsBy(xml, entries, isPipable);
			if (shifts.has(0)) return null;
			for (const header of [first, last]) {
				const stated = header?.magic == null ? 0 : header.xmlOffset;
				if (stated > 0) shifts.add(stated - xml.offset);
			}
			for (const shift of shifts) {
				const header = (await this.#headerAt(-shift)) ?? last ?? first;
				if (shift < 0 && !(await this.#isWhole(xml, shift, [first, last]))) continue;
				const how = await this.#proved(entries.all, shift, header, isPipable);
				if (how === null) continue;
				return this.#pieces(entries, shift, header, how, isPipable);
			}
		}
		return null;
	}

	/** The header of a WIM that begins there. */
	async #headerAt(offset: number): Promise<HeaderFields | null> {
		if (offset < 0 || offset + HEADER_SIZE > this.#source.size) return null;
		const { bytes } = await readExactly(this.#source, offset, HEADER_SIZE, 'header');
		const header = readHeaderFields(bytes, Number.MAX_SAFE_INTEGER);
		return header.magic === MAGIC || header.magic === MAGIC_PIPABLE ? header : null;
	}

	/** A WIM stored inside this one is none of its states: what the header means counts, or what ends the file. */
	async #isWhole(
		xml: FoundXml,
		shift: number,
		headers: readonly (HeaderFields | null)[],
	): Promise<boolean> {
		const good = headers.filter((header) => header != null && header.magic !== null);
		if (good.some((header) => header?.xmlOffset === xml.offset + shift)) return true;
		if (good.length > 0) return false;
		const isLast = this.#source.size - (xml.offset + xml.size) <= REST_MAX;
		return isLast && (await this.#headerAt(-shift)) !== null;
	}

	async #isBehindPipeHeader(offset: number): Promise<boolean> {
		const at = offset - PIPE_HEADER_SIZE;
		if (at < 0) return false;
		const { bytes } = await readExactly(this.#source, at, PIPE_MAGIC.length, 'XML data');
		return PIPE_MAGIC.every((byte, k) => bytes[k] === byte);
	}

	async #entriesBefore(xmlOffset: number, isPipable: boolean): Promise<FoundEntries | null> {
		const end = xmlOffset - (isPipable ? PIPE_HEADER_SIZE : 0);
		const start = Math.max(0, end - BLOB_TABLE_SIZE_MAX / 16);
		const { bytes } = await readExactly(this.#source, start, end - start, 'blob table');
		const table = findTableBefore(bytes, FAR + start, isPipable, this.#source.name);
		return table === null ? null : { all: table.entries, offset: table.offset - FAR };
	}

	/** How contents are stored, by one that has its SHA-1 where it was before the displacement; null when none has. */
	async #proved(
		entries: readonly BlobEntry[],
		shift: number,
		header: HeaderFields,
		isPipable: boolean,
	): Promise<PartCompression | null> {
		const place = { source: shifted(this.#source, shift), header, isPipable };
		const possible = entries
			.filter((entry) => isAlone(entry) && entry.offset >= Math.max(0, shift))
			.sort((a, b) => b.offset - a.offset);
		// What lies last in the file is the surest to be displaced.
		const samples = possible
			.slice(0, Math.max(SAMPLE_COUNT, Math.ceil(possible.length * SAMPLES_SHARE)))
			.sort((a, b) => a.originalSize - b.originalSize);
		const compressed = samples.filter(({ flags }) => flags & ResourceFlag.compressed);
		for (const entry of compressed.slice(0, SAMPLE_COUNT))
			for (const how of waysBy(header)) {
				await breathe(this.#run);
				if ((await countRight(place, [entry], how)) > 0) return how;
			}
		for (const entry of samples.slice(0, SAMPLE_COUNT)) {
			if (entry.flags & ResourceFlag.compressed) continue;
			await breathe(this.#run);
			if ((await countRight(place, [entry], NO_WAY)) > 0) return waysBy(header)[0] ?? NO_WAY;
		}
		return null;
	}

	/** What is where: all of it is displaced, or what lies behind some places. */
	async #pieces(
		{ all: entries, offset: tableOffset }: FoundEntries,
		shift: number,
		header: HeaderFields,
		how: PartCompression,
		isPipable: boolean,
	): Promise<{ readonly pieces: readonly DisplacedPiece[]; readonly finding: string }> {
		const units: Unit[] = [];
		for (const entry of [...entries].sort((a, b) => a.offset - b.offset))
			if (isAlone(entry))
				units.push({
					offset: entry.offset,
					size: entry.storedSize,
					isIn: async (source) =>
						(await countRight({ source, header, isPipable }, [entry], how)) > 0,
				});
			else if (isSolidResource(entry)) units.push(...(await this.#solidUnits(entry, shift)));
		const tables: Unit = { offset: tableOffset + shift, size: 0, isIn: async () => true };
		const ends = { low: -1, lowShift: 0, high: units.length, highShift: shift };
		const moves = await this.#moves([...units, tables], ends);
		const [first = { start: 0, shift }] = moves;
		// Where nothing is where it was, neither is the beginning; but for a header that is there.
		const isHeaderMoved =
			(await this.#headerAt(0)) === null || (await this.#headerAt(-first.shift)) !== null;
		const isAllMoved = !this.#hasUnmoved && isHeaderMoved;
		const all = isAllMoved ? [{ ...first, start: 0 }, ...moves.slice(1)] : moves;
		return { pieces: piecesOf(all, this.#source.size), finding: findingOf(all) };
	}

	/** From where on things are moved, and by how much, between two units that are known or the bounds. */
	async #moves(units: readonly Unit[], ends: Ends): Promise<Move[]> {
		const { lowShift, highShift } = ends;
		let { low, high } = ends;
		// Everything from `high` on is moved in one way, and everything up to `low` in the other.
		for (;;) {
			let isDecided = false;
			for (const k of outward((low + high) >> 1, low, high)) {
				if (await this.#isMoved(units[k], lowShift)) {
					low = k;
					this.#hasUnmoved ||= lowShift === 0;
				} else if (await this.#isMoved(units[k], highShift)) high = k;
				else continue;
				isDecided = true;
				break;
			}
			if (!isDecided) break;
		}
		const between = await this.#between(units, { low, lowShift, high, highShift });
		if (between === null) return [{ start: units[high]?.offset ?? 0, shift: highShift }];
		const { k, shift } = between;
		return [
			...(await this.#moves(units, { low, lowShift, high: k, highShift: shift })),
			...(await this.#moves(units, { low: k, lowShift: shift, high, highShift })),
		];
	}

	/** Of several units that are moved in neither way, one that is moved in a way between them; null when none is found. */
	async #between(
		units: readonly Unit[],
		{ low, lowShift, high, highShift }: Ends,
	): Promise<{ readonly k: number; readonly shift: number } | null> {
		// One or two are what a move goes through.
		if (high - low - 1 < 3) return null;
		const smallest = Array.from({ length: high - low - 1 }, (_, k) => low + 1 + k)
			.sort((a, b) => (units[a]?.size ?? 0) - (units[b]?.size ?? 0))
			.slice(0, TRIED_BETWEEN);
		const distance = highShift - lowShift;
		for (const step of stepsOf(Math.abs(distance)))
			for (let at = step; at < Math.abs(distance); at += step) {
				const shift = lowShift + at * Math.sign(distance);
				for (const k of smallest) {
					if (this.#effort < 0) return null;
					if (await this.#isMoved(units[k], shift)) return { k, shift };
				}
			}
		return null;
	}

	async #isMoved(unit: Unit | undefined, shift: number): Promise<boolean> {
		if (unit === undefined || unit.offset - shift + unit.size > this.#source.size) return false;
		if (unit.offset - shift < 0) return false;
		if (this.#trialCount++ % TRIALS_A_TURN === 0) await breathe(this.#run);
		this.#effort -= unit.size + TRIAL_EFFORT;
		return unit.isIn(shifted(this.#source, shift));
	}

	/** The chunks of a solid resource whose sizes are still there, where they were or moved. */
	async #solidUnits({ offset, storedSize }: BlobEntry, shift: number): Promise<Unit[]> {
		for (const source of [this.#source, shifted(this.#source, shift)])
			try {
				const head = await readExactly(source, offset, SolidHeader.size, 'solid header');
				const shape = parseSolidHeader(head, storedSize);
				const { compression, chunkSize, chunkCount, originalSize, tableOffset, tableSize } = shape;
				const at = offset + tableOffset;
				const span = await readExactly(source, at, tableSize, 'solid chunk table');
				const { starts } = parseSolidTable(span, shape);
				return Array.from({ length: chunkCount }, (_, k) => {
					const start = offset + (starts[k] ?? 0);
					const size = (starts[k + 1] ?? 0) - (starts[k] ?? 0);
					const decodedSize = Math.min(chunkSize, originalSize - k * chunkSize);
					return {
						offset: start,
						size,
						// One that is stored raw could be anything.
						isIn: async (from: Source) =>
							size < decodedSize &&
							this.#decodes(
								compression,
								chunkSize,
								(await readExactly(from, start, size, 'solid chunk')).bytes,
								decodedSize,
							),
					};
				});
			} catch (error) {
				// Not there.
				if (!(error instanceof FormatError)) throw error;
			}
		return [];
	}
}

const NO_WAY: PartCompression = { compression: 'none', chunkSize: 0 };

/** Contents with a SHA-1 and a place of their own, small enough to be tried. */
function isAlone({ flags, originalSize }: BlobEntry): boolean {
	return (flags & ResourceFlag.solid) === 0 && originalSize <= TRIAL_SIZE_MAX;
}

/** By how many bytes everything before the XML data may have been moved; 0 among them when it stands where it says. */
function shiftsBy(
	{ offset, xml }: FoundXml,
	{ all, offset: tableOffset }: FoundEntries,
	isPipable: boolean,
): Set<number> {
	const front = isPipable ? PIPE_HEADER_SIZE : 0;
	const shifts = new Set<number>();
	// A table that added nothing lies behind its last resource; parts of a set keep the XML data of the whole.
	shifts.add(greatestEnd(all) - (tableOffset - front));
	// Of a pipable file it is the place of the header before the XML data.
	if (xml.totalBytes !== null) shifts.add(xml.totalBytes - (offset - front));
	return shifts;
}

function waysBy({ compression, chunkSize }: HeaderFields): PartCompression[] {
	if (compression === null || compression === 'none' || chunkSize === null)
		return possibleCompressions();
	return [{ compression, chunkSize }, ...possibleCompressions()];
}

/** All of a source, moved by some bytes. */
function shifted(source: Source, shift: number): Source {
	return new DisplacedSource(source, piecesOf([{ start: 0, shift }], source.size));
}

/** What the file was, in pieces; where bytes were put in, those are in none. */
function piecesOf(moves: readonly Move[], size: number): DisplacedPiece[] {
	const pieces: DisplacedPiece[] = [];
	let at = 0;
	const all = moves[0]?.start === 0 ? moves : [{ start: 0, shift: 0 }, ...moves];
	for (const [k, { start, shift }] of all.entries()) {
		const next = all[k + 1];
		const from = Math.max(0, start - shift);
		const to = next === undefined ? size : Math.min(next.start - next.shift, next.start - shift);
		if (from + shift > at) pieces.push({ start: at, end: from + shift, from: null });
		at = Math.max(at, from + shift);
		if (to + shift <= at) continue;
		pieces.push({ start: at, end: to + shift, from: at - shift });
		at = to + shift;
	}
	return pieces;
}

function findingOf(moves: readonly Move[]): string {
	const [{ start, shift }] = moves as [Move];
	const count = plural(Math.abs(shift), 'byte');
	const isOne = Math.abs(shift) === 1;
	const before = 'places are told as they were before';
	if (moves.length > 1) {
		const shifts = moves.map((move) => Math.abs(move.shift));
		return `Bytes fell out of the file or were put into it at ${moves.length} places, the first before ${formatHex(start)}: what lies behind was moved by up to ${plural(Math.max(...shifts), 'byte')}; ${before}`;
	}
	if (start === 0)
		return shift > 0
			? `The first ${count} of the file ${isOne ? 'is' : 'are'} missing; ${before}`
			: `The WIM begins ${count} behind the start of the file; places are told from where it begins`;
	return shift > 0
		? `${count} of the file fell out before ${formatHex(start)}; ${before}`
		: `${count} that ${isOne ? 'does' : 'do'} not belong to the file ${isOne ? 'was' : 'were'} put into it before ${formatHex(start)}; ${before}`;
}

/** Distances between ways to be moved that are tried one after the other: sectors and blocks first. */
function stepsOf(distance: number): number[] {
	const steps = [1 << 16, 1 << 12, 512, 1];
	return steps.filter((step) => distance / step <= STEPS_MAX);
}

/** Positions between two bounds, those next to the middle first. */
function* outward(middle: number, low: number, high: number): Generator<number, void, undefined> {
	for (let distance = 0; distance < high - low; distance++) {
		if (middle + distance < high && middle + distance > low) yield middle + distance;
		if (distance > 0 && middle - distance > low && middle - distance < high)
			yield middle - distance;
	}
}
