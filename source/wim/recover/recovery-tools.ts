/** Works out how the contents of a damaged file are cut and compressed, where that takes long (wim.md §2.5, §13.4, §13.5). */
import { FormatError } from '../../base/errors.ts';
import type { Run } from '../../base/run.ts';
import type { Span } from '../../bytes/span.ts';
import { chunksLeast, SolidHeader, type SolidShape } from '../../codec/chunk-table.ts';
import { COMPRESSIONS, type Compression, isLegalChunkSize } from '../../codec/compression.ts';
import { LARGE_CHUNK_MIN, LargeChunks } from '../../pool/large-chunks.ts';
import type { Pool } from '../../pool/pool.ts';
import { WALK_SIZE } from '../../pool/tasks/walk.ts';
import { readExactly } from '../../storage/read.ts';
import type { Source } from '../../storage/source.ts';
import type { BlobEntry } from '../blob-entries.ts';
import { findSolidShape, type StatedPlace } from './find-solid-shape.ts';
import { type Straightening, straighten } from './straighten.ts';

/** What takes long when a damaged file is opened: on lanes, and each thing once, since salvage opens a file twice. */
export class RecoveryTools {
	readonly #pool: Pool;
	readonly #run: Run;
	readonly #lanes: LargeChunks;
	/** By the name of the file and what its entries tell. */
	readonly #shapes = new Map<string, SolidShape | null>();
	/** By the name of the file. */
	readonly #straightenings = new Map<string, Straightening>();
	/** By the name of the file. */
	readonly #chunkSizes = new Map<string, number | null>();

	constructor(pool: Pool, run: Run) {
		this.#pool = pool;
		this.#run = run;
		this.#lanes = new LargeChunks(pool, run.signal);
	}

	/** What transfers did to the files that were opened: sentences without a final stop. */
	get transferFindings(): string[] {
		return [...this.#straightenings.values()].flatMap(({ findings }) => findings);
	}

	/** A file as it was before a transfer did something to it; it owns the one that is given. */
	async straightened(
		source: Source,
	): Promise<{ readonly source: Source; readonly findings: readonly string[] }> {
		const known = this.#straightenings.get(source.name);
		const { straight, findings } =
			known ?? (await straighten(source, this.decodes.bind(this), this.#run));
		this.#straightenings.set(source.name, { straight, findings });
		return { source: straight(source), findings };
	}

	/**
	 * The chunk size of LZMS contents where no table shows one; null when they are none.
	 *
	 * @param bytes of the file, from its first resource on
	 * @throws {CanceledError}
	 */
	async lzmsChunkSize(source: Source, bytes: Uint8Array): Promise<number | null> {
		const known = this.#chunkSizes.get(source.name);
		if (known !== undefined) return known;
		const options = { signal: this.#run.signal, weight: WALK_SIZE, canEndAnywhere: true };
		const { chunkSize } = await this.#pool.run(
			'walk',
			{ bytes: bytes.slice(0, WALK_SIZE) },
			options,
		);
		this.#chunkSizes.set(source.name, chunkSize);
		return chunkSize;
	}

	/**
	 * How a solid resource is cut whose header is broken.
	 *
	 * @throws {CanceledError}
	 */
	async solidShape(
		source: Source,
		{ offset, storedSize }: Pick<BlobEntry, 'offset' | 'storedSize'>,
		originalSize: number,
	): Promise<SolidShape | null> {
		const key = JSON.stringify([source.name, offset, storedSize, originalSize]);
		const known = this.#shapes.get(key);
		if (known !== undefined) return known;
		const place = { offset, storedSize, originalSize };
		const shape =
			(await this.#bySizes(source, place)) ??
			(await findSolidShape(source, place, this.#lanes.seeker, this.#run));
		this.#shapes.set(key, shape);
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
			if (await this.decodes(compression, chunkSize, stored.bytes, originalSize))
				return compression;
		}
		return null;
	}

	/**
	 * Whether a chunk decodes and ends where it should.
	 *
	 * @throws {CanceledError}
	 */
	async decodes(
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
