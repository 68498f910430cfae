/** Works out how solid resources are cut where their own headers are damaged (wim.md §2.5, §13.5). */
import { FormatError } from '../../base/errors.ts';
import { formatHex } from '../../base/print.ts';
import type { Run } from '../../base/run.ts';
import type { Span } from '../../bytes/span.ts';
import {
	chunksLeast,
	parseSolidHeader,
	SolidHeader,
	type SolidShape,
} from '../../codec/chunk-table.ts';
import { COMPRESSIONS, type Compression, isLegalChunkSize } from '../../codec/compression.ts';
import { LARGE_CHUNK_MIN, LargeChunks } from '../../pool/large-chunks.ts';
import type { Pool } from '../../pool/pool.ts';
import { readExactly } from '../../storage/read.ts';
import type { Source } from '../../storage/source.ts';
import { type BlobEntry, isSolidResourceEntry } from '../blob-entries.ts';
import { HEADER_SIZE, ResourceFlag } from '../part-header.ts';
import { findSolidShape, type StatedPlace } from './find-solid-shape.ts';
import type { PartSurvey } from './survey.ts';

/** By the offset of the resource; why it has none where it cannot be worked out. */
export type SolidShapes = Map<number, SolidShape | FormatError>;

/** The shapes of all solid resources of all generations; broken headers are worked out from the chunks. */
export async function solidShapes(
	survey: PartSurvey,
	repairs: SolidRepairs,
	findings: string[],
): Promise<SolidShapes> {
	const shapes: SolidShapes = new Map();
	const runs = survey.generations.flatMap(({ table }) => solidRuns(table.entries));
	for (const entry of runs.flat().filter(isSolidResourceEntry))
		if (!shapes.has(entry.offset)) shapes.set(entry.offset, await statedShape(survey, entry));
	// Blobs tell the size of a resource when all others of their run are known: the oldest runs have the fewest.
	for (const run of runs.reverse()) {
		const broken = lonelyBroken(run, shapes);
		if (broken === null) continue;
		const repaired = await repairs.repair(survey.source, broken.entry, broken.originalSize);
		if (repaired === null) continue;
		findings.push(
			`The header of the solid resource at ${formatHex(broken.entry.offset)} was worked out from its chunks`,
		);
		shapes.set(broken.entry.offset, repaired);
	}
	return shapes;
}

/** Series of consecutive entries of solid resources and their blobs. */
function solidRuns(entries: readonly BlobEntry[]): BlobEntry[][] {
	const runs: BlobEntry[][] = [];
	let run: BlobEntry[] = [];
	for (const entry of entries) {
		if (entry.flags & ResourceFlag.solid) {
			run.push(entry);
			continue;
		}
		if (run.length > 0) runs.push(run);
		run = [];
	}
	return run.length > 0 ? [...runs, run] : runs;
}

/** The only resource of a run whose header is broken, and what it holds by the blobs of the run. */
function lonelyBroken(
	run: readonly BlobEntry[],
	shapes: SolidShapes,
): { entry: BlobEntry; originalSize: number } | null {
	let originalSize = 0;
	let broken: BlobEntry | null = null;
	for (const entry of run) {
		if (!isSolidResourceEntry(entry)) {
			originalSize = Math.max(originalSize, entry.offset + entry.storedSize);
			continue;
		}
		const shape = shapes.get(entry.offset);
		if (shape instanceof FormatError && broken !== null) return null;
		if (shape instanceof FormatError) broken = entry;
	}
	for (const entry of run) {
		const shape = isSolidResourceEntry(entry) ? shapes.get(entry.offset) : undefined;
		if (shape !== undefined && !(shape instanceof FormatError)) originalSize -= shape.originalSize;
	}
	return broken === null || originalSize <= 0 ? null : { entry: broken, originalSize };
}

async function statedShape(
	{ source }: PartSurvey,
	entry: BlobEntry,
): Promise<SolidShape | FormatError> {
	try {
		if (entry.offset < HEADER_SIZE || entry.offset + SolidHeader.size > source.size)
			throw new FormatError('Cannot read solid resource: it does not lie inside the file');
		const { offset, storedSize } = entry;
		const span = await readExactly(source, offset, SolidHeader.size, 'solid resource header');
		return parseSolidHeader(span, storedSize);
	} catch (error) {
		if (error instanceof FormatError) return error;
		throw error;
	}
}

/** Works out broken headers, each once: salvage opens a file twice. */
export class SolidRepairs {
	readonly #run: Run;
	readonly #lanes: LargeChunks;
	/** By the name of the file and what its entries tell. */
	readonly #known = new Map<string, SolidShape | null>();

	constructor(pool: Pool, run: Run) {
		this.#run = run;
		this.#lanes = new LargeChunks(pool, run.signal);
	}

	/** @throws {CanceledError} */
	async repair(
		source: Source,
		{ offset, storedSize }: Pick<BlobEntry, 'offset' | 'storedSize'>,
		originalSize: number,
	): Promise<SolidShape | null> {
		const key = JSON.stringify([source.name, offset, storedSize, originalSize]);
		const known = this.#known.get(key);
		if (known !== undefined) return known;
		const place = { offset, storedSize, originalSize };
		const shape =
			(await this.#bySizes(source, place)) ??
			(await findSolidShape(source, place, this.#lanes.seeker, this.#run));
		this.#known.set(key, shape);
		return shape;
	}

	/** The right chunk size is the one whose table of sizes adds up. */
	async #bySizes(source: Source, place: StatedPlace): Promise<SolidShape | null> {
		const { offset, storedSize, originalSize } = place;
		for (let order = 30; order >= 12; order--) {
			const chunkSize = 2 ** order;
			if (!COMPRESSIONS.some((one) => one !== 'none' && isLegalChunkSize(one, chunkSize))) continue;
			const chunkCount = Math.ceil(originalSize / chunkSize);
			const tableSize = chunkCount * 4;
			if (SolidHeader.size + tableSize + chunkCount > storedSize) break;
			const at = offset + SolidHeader.size;
			if (at + tableSize > source.size) break;
			const span = await readExactly(source, at, tableSize, 'solid chunk table');
			let sum = SolidHeader.size + tableSize;
			for (let k = 0; k < chunkCount; k++) sum += span.view.getUint32(k * 4, true);
			if (sum !== storedSize) continue;
			const tableOffset = SolidHeader.size;
			const shape = { originalSize, storedSize, chunkSize, chunkCount, tableOffset, tableSize };
			const compression = await this.#compression(source, shape, span);
			if (compression !== null) return { ...shape, compression };
		}
		return null;
	}

	/** Whichever decodes the first chunk. */
	async #compression(
		source: Source,
		shape: Omit<SolidShape, 'compression'>,
		table: Span,
	): Promise<Compression | null> {
		const offset = table.origin + shape.tableSize;
		const storedSize = table.view.getUint32(0, true);
		const originalSize = Math.min(shape.chunkSize, shape.originalSize);
		const stored = await readExactly(source, offset, storedSize, 'solid chunk');
		for (const compression of [...COMPRESSIONS].reverse()) {
			const { chunkSize, storedSize: all } = shape;
			if (chunksLeast(compression, shape.originalSize, chunkSize) > all) continue;
			if (await this.#decodes(compression, chunkSize, stored.bytes, originalSize))
				return compression;
		}
		return null;
	}

	async #decodes(
		compression: Compression,
		chunkSize: number,
		stored: Uint8Array,
		originalSize: number,
	): Promise<boolean> {
		if (originalSize > LARGE_CHUNK_MIN) {
			const room = this.#lanes.takeRoom(originalSize);
			const request = { compression, chunkSize, stored: stored.slice(), originalSize, room };
			const { defect } = await this.#lanes.unpack(request);
			this.#lanes.giveBack(room);
			return defect === null;
		}
		const { Decoder } = await import('../../codec/decoder.ts');
		try {
			new Decoder().decodeBytes(compression, chunkSize, stored, originalSize);
			return true;
		} catch (error) {
			if (error instanceof FormatError) return false;
			throw error;
		}
	}
}
