/**
 * Reads a pipable WIM from a stream that cannot seek (wim.md §7 "Reading from a pipe"). Everything comes in a fixed
 * order: header, XML data, metadata of each image, blobs, then tables that only seeking readers need. Sizes and
 * places of blobs are unknown until they arrive.
 */

import { createHash } from 'node:crypto';
import { DigestError, FormatError, UnsupportedError } from '../base/errors.ts';
import { LZMS_CHUNK_SIZE_SAFE, METADATA_SIZE_MAX, XML_SIZE_MAX } from '../base/limits.ts';
import { type Sha1, sha1, sha1At } from '../bytes/sha1.ts';
import { Span } from '../bytes/span.ts';
import { chunkCount, chunkTableSize } from '../codec/chunk-table.ts';
import type { Compression } from '../codec/compression.ts';
import { Decoder } from '../codec/decoder.ts';
import { ForwardReader } from '../storage/forward-reader.ts';
import type { Source } from '../storage/source.ts';
import { BlobEntries } from './blob-entries.ts';
import { placeBlobs } from './blob-table.ts';
import { IntegrityHeader } from './integrity-table.ts';
import type { OpenPart } from './open-part.ts';
import {
	checkPartHeader,
	compressionOf,
	HEADER_SIZE,
	isPipable,
	MAGIC_PIPABLE,
	type PartHeader,
	parsePartHeader,
	ResourceFlag,
} from './part-header.ts';
import type { Blob } from './resource.ts';
import { Wim } from './wim.ts';
import { PIPABLE_MAGIC, PipableHeader } from './write-resource.ts';
import { XmlData } from './xml-data.ts';

/** Uncompressed resources are handed over in pieces of this size. */
const RAW_PIECE_SIZE = 1 << 16;

/** How much is taken behind the last blob, so that the writer of the stream can finish. */
const DRAIN_SIZE_MAX = 64 << 20;

/** Blobs that are wanted and have not come yet: a set, or what works like one. */
export type BlobsLeft = Pick<Set<Sha1>, 'size' | 'delete'>;

interface ArrivingResource {
	readonly originalSize: number;
	readonly sha1: Sha1;
	readonly flags: number;
}

/** A blob whose turn it is. */
export interface ArrivingBlob {
	readonly sha1: Sha1;
	/** Original bytes. */
	readonly size: number;
	/**
	 * The original bytes in order, in pieces that are valid until the next one is asked for.
	 *
	 * @param zerosForDamage chunks that cannot be decoded become zeros; the error comes at the end
	 * @throws {FormatError | DigestError} when the bytes are not those of the blob; the stream goes on behind it
	 */
	pieces(zerosForDamage: boolean): AsyncGenerator<Uint8Array, void, undefined>;
}

export class PipeReader implements AsyncDisposable {
	/** The images as an open file has them, but without blobs: none of them can be asked for. */
	readonly wim: Wim;
	readonly #input: ForwardReader;
	readonly #compression: Compression;
	readonly #chunkSize: number;
	readonly #decoder = new Decoder();
	/** Metadata resources that come before the first blob and were not read yet. */
	#metadataLeft: number;

	/**
	 * Reads header and XML data.
	 *
	 * @throws {FormatError} when it is no pipable WIM, or not its first part
	 */
	static async open(bytes: AsyncIterable<Uint8Array>, name: string): Promise<PipeReader> {
		const input = new ForwardReader(bytes, name);
		try {
			const head = await input.takeIfAny(HEADER_SIZE, 'the header');
			const header = parsePartHeader(new Span(head?.slice() ?? new Uint8Array(0), name));
			checkHeader(header, name);
			const xml = await readXml(input, name);
			return new PipeReader(input, header, xml);
		} catch (error) {
			await input[Symbol.asyncDispose]();
			throw error;
		}
	}

	private constructor(input: ForwardReader, header: PartHeader, xml: XmlData) {
		this.#input = input;
		this.#compression = compressionOf(header, input.name);
		this.#chunkSize = header.chunkSize;
		this.#metadataLeft = header.imageCount;
		this.wim = new Wim(input.name, [partWithoutBlobs(header, xml, input.name)], []);
	}

	/**
	 * Reads the metadata of the next image that is wanted. To be called before `blobs`, in order of the indexes.
	 *
	 * @param index from 1; images before it are passed over
	 * @throws {FormatError | DigestError}
	 */
	async metadata(index: number): Promise<Span> {
		const { imageCount } = this.wim.header;
		const region = `metadata resource of image ${index} of ${this.#input.name}`;
		for (;;) {
			const at = this.#input.offset;
			const resource = await this.#metadataHeader(region);
			const current = imageCount - this.#metadataLeft + 1;
			this.#metadataLeft--;
			if (current < index) {
				await this.#cursor(resource, region).skipRest();
				continue;
			}
			if (resource.originalSize > METADATA_SIZE_MAX)
				throw this.#error(
					at,
					`Cannot read the ${region}: it says it is ${resource.originalSize} bytes long`,
				);
			// Room is made as the bytes come: a size that is only claimed costs nothing.
			const pieces: Uint8Array[] = [];
			for await (const piece of checkedPieces(this.#cursor(resource, region), false))
				pieces.push(piece.slice());
			const whole = new Uint8Array(resource.originalSize);
			let filled = 0;
			for (const piece of pieces) {
				whole.set(piece, filled);
				filled += piece.length;
			}
			return new Span(whole, region);
		}
	}

	/**
	 * The blobs as they come, those that are wanted only; ends when all of them came, or the stream ended. What the
	 * consumer leaves of a blob is passed over.
	 *
	 * @param left those that are wanted; loses each as it comes
	 * @throws {FormatError} when the stream does not go on as it must
	 */
	async *blobs(left: BlobsLeft): AsyncGenerator<ArrivingBlob, void, undefined> {
		for (; this.#metadataLeft > 0; this.#metadataLeft--) {
			const what = 'a metadata resource';
			await this.#cursor(await this.#metadataHeader(what), what).skipRest();
		}
		while (left.size > 0) {
			const resource = await this.#nextResource();
			if (resource === null) return;
			const { sha1: name, originalSize: size } = resource;
			const cursor = this.#cursor(resource, `blob ${name}`);
			const isBlob = (resource.flags & ResourceFlag.metadata) === 0;
			if (isBlob && left.delete(name))
				yield { sha1: name, size, pieces: (zeros) => checkedPieces(cursor, zeros) };
			await cursor.skipRest();
		}
		await this.#input.drain(DRAIN_SIZE_MAX);
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.#input[Symbol.asyncDispose]();
	}

	#cursor(resource: ArrivingResource, what: string): ResourceCursor {
		const { originalSize, flags } = resource;
		const isRaw = (flags & ResourceFlag.compressed) === 0;
		if (!isRaw && this.#compression === 'none')
			throw this.#error(
				this.#input.offset,
				`Cannot read ${what}: it is compressed, but the file has no compression type`,
			);
		const shape = isRaw
			? { compression: 'none' as const, chunkSize: RAW_PIECE_SIZE }
			: { compression: this.#compression, chunkSize: this.#chunkSize };
		return new ResourceCursor(this.#input, this.#decoder, {
			...shape,
			isRaw,
			originalSize,
			sha1: resource.sha1,
			what,
		});
	}

	async #metadataHeader(what: string): Promise<ArrivingResource> {
		const at = this.#input.offset;
		const bytes = await this.#input.take(PipableHeader.size, `the header of ${what}`);
		const resource = parseResource(bytes, this.#input.name, at);
		if ((resource.flags & ResourceFlag.metadata) !== 0) return resource;
		throw this.#error(at, `Cannot read ${what}: a blob came in its place`);
	}

	/** The header of the next resource, past whatever stands between two parts; null at the end. */
	async #nextResource(): Promise<ArrivingResource | null> {
		const input = this.#input;
		for (;;) {
			const at = input.offset;
			const first = await input.takeIfAny(8, 'the next resource');
			if (first === null) return null;
			const start = first.slice();
			const magic = new DataView(start.buffer).getBigUint64(0, true);
			if (magic === PIPABLE_MAGIC) {
				const rest = await input.take(PipableHeader.size - 8, 'a resource header');
				const bytes = new Uint8Array(PipableHeader.size);
				bytes.set(start);
				bytes.set(rest, 8);
				return parseResource(bytes, input.name, at);
			}
			if (magic === MAGIC_PIPABLE) await input.skip(HEADER_SIZE - 8, 'the header of a part');
			else await this.#skipIntegrityTable(start, at);
		}
	}

	/** Only an integrity table has no header; it tells its own length. */
	async #skipIntegrityTable(start: Uint8Array, at: number): Promise<void> {
		const view = new DataView(start.buffer);
		const size = view.getUint32(0, true);
		const { size: headSize } = IntegrityHeader;
		if (size !== headSize + 20 * view.getUint32(4, true))
			throw this.#error(at, 'Cannot read the next resource: its magic is missing');
		await this.#input.skip(size - 8, 'the integrity table');
	}

	#error(at: number, message: string): FormatError {
		return new FormatError(message, { region: this.#input.name, offset: at });
	}
}

interface CursorShape {
	readonly compression: Compression;
	/** Of the chunks; of the pieces where there are none. */
	readonly chunkSize: number;
	/** Stored as it is, without chunks. */
	readonly isRaw: boolean;
	readonly originalSize: number;
	readonly sha1: Sha1;
	readonly what: string;
}

/** Goes through the stored bytes of one resource, chunk by chunk. */
class ResourceCursor {
	readonly shape: CursorShape;
	readonly #input: ForwardReader;
	readonly #decoder: Decoder;
	readonly #chunkCount: number;
	#chunk = 0;
	#isBehind = false;

	constructor(input: ForwardReader, decoder: Decoder, shape: CursorShape) {
		this.#input = input;
		this.#decoder = decoder;
		this.shape = shape;
		this.#chunkCount = chunkCount(shape.originalSize, shape.chunkSize);
	}

	get streamName(): string {
		return this.#input.name;
	}

	/**
	 * The next original bytes, valid until the next call; null at the end. A chunk that cannot be decoded comes as zeros,
	 * with the reason.
	 *
	 * @throws {FormatError} when nothing behind this place can be found any more
	 */
	async next(): Promise<{ bytes: Uint8Array; error: FormatError | null } | null> {
		if (this.#chunk >= this.#chunkCount) {
			await this.skipRest();
			return null;
		}
		const { isRaw, compression, chunkSize, what } = this.shape;
		const originalSize = this.#originalSize();
		const name = `chunk ${this.#chunk} of ${what}`;
		const at = this.#input.offset;
		const storedSize = isRaw ? originalSize : await this.#prefix(originalSize);
		const stored = await this.#input.take(storedSize, name);
		this.#chunk++;
		if (isRaw) return { bytes: stored, error: null };
		this.#decoder.reserve(storedSize, originalSize);
		this.#decoder.input(storedSize).set(stored);
		try {
			const bytes = this.#decoder.decode(compression, chunkSize, storedSize, originalSize);
			return { bytes, error: null };
		} catch (error) {
			if (!(error instanceof FormatError)) throw error;
			const message = `Cannot read ${what}: chunk ${this.#chunk - 1} is damaged (${error.message})`;
			const facts = { region: this.#input.name, offset: at };
			return { bytes: new Uint8Array(originalSize), error: new FormatError(message, facts) };
		}
	}

	/** Goes behind the resource and its chunk table; does nothing when it stands there. */
	async skipRest(): Promise<void> {
		if (this.#isBehind) return;
		const { isRaw, originalSize, chunkSize, what } = this.shape;
		for (; this.#chunk < this.#chunkCount; this.#chunk++) {
			const size = this.#originalSize();
			await this.#input.skip(isRaw ? size : await this.#prefix(size), what);
		}
		this.#isBehind = true;
		if (!isRaw)
			await this.#input.skip(chunkTableSize(originalSize, chunkSize), `chunk table of ${what}`);
	}

	#originalSize(): number {
		const { originalSize, chunkSize } = this.shape;
		return Math.min(chunkSize, originalSize - this.#chunk * chunkSize);
	}

	/** The stored size that stands before every chunk. */
	async #prefix(originalSize: number): Promise<number> {
		const at = this.#input.offset;
		const bytes = await this.#input.take(
			4,
			`the size of chunk ${this.#chunk} of ${this.shape.what}`,
		);
		const size = new DataView(bytes.buffer, bytes.byteOffset, 4).getUint32(0, true);
		if (size >= 1 && size <= originalSize) return size;
		// Without the size nobody knows where the next chunk begins: the stream is lost.
		this.#isBehind = true;
		throw new FormatError(
			`Cannot read ${this.shape.what}: chunk ${this.#chunk} says it is ${size} bytes long, at most ${originalSize} are possible`,
			{ region: this.#input.name, offset: at },
		);
	}
}

/**
 * @throws {FormatError} at a damaged chunk; at the end when `zerosForDamage`
 * @throws {DigestError} at the end when the SHA-1 is wrong
 */
async function* checkedPieces(
	cursor: ResourceCursor,
	zerosForDamage: boolean,
): AsyncGenerator<Uint8Array, void, undefined> {
	const hash = createHash('sha1');
	let damage: FormatError | null = null;
	for (let part = await cursor.next(); part !== null; part = await cursor.next()) {
		damage ??= part.error;
		if (damage !== null && !zerosForDamage) throw damage;
		hash.update(part.bytes);
		yield part.bytes;
	}
	if (damage !== null) throw damage;
	const digest = hash.digest('hex');
	const { sha1: expected, what } = cursor.shape;
	if (digest !== expected)
		throw new DigestError(`Cannot read ${what}: its SHA-1 is ${digest}, expected ${expected}`, {
			region: cursor.streamName,
		});
}

/** @throws {FormatError} when the magic is missing */
function parseResource(bytes: Uint8Array, name: string, at: number): ArrivingResource {
	const span = new Span(bytes, name, at);
	const { magic, originalSize, flags } = PipableHeader.parse(span);
	if (magic !== PIPABLE_MAGIC)
		throw span.error(0, 'Cannot read the next resource: its magic is missing');
	return { originalSize, flags, sha1: sha1At(bytes, PipableHeader.offsets.sha1) };
}

function checkHeader(header: PartHeader, name: string): void {
	const facts = { path: name };
	if (!isPipable(header))
		throw new FormatError(`Cannot read ${name}: this WIM is not pipable`, {
			...facts,
			hint: 'Name the file itself, or make it pipable with "wimdeck optimize FILE --pipable".',
		});
	// The leading header of a pipable file names no tables; everything else must be right.
	const tables = { blobTable: { ...header.blobTable, originalSize: 1 } };
	checkPartHeader({ ...header, ...tables }, name, Number.MAX_SAFE_INTEGER);
	if (header.chunkSize > LZMS_CHUNK_SIZE_SAFE)
		throw new UnsupportedError(
			`Cannot read ${name}: its chunks of ${header.chunkSize} bytes are too large for a stream`,
			{ ...facts, hint: 'Save the stream to a file, and name the file.' },
		);
	if (header.partNumber !== 1)
		throw new FormatError(`Cannot read ${name}: part ${header.partNumber} of a set comes first`, {
			...facts,
			hint: 'Send part 1 first, the others in any order.',
		});
}

async function readXml(input: ForwardReader, name: string): Promise<XmlData> {
	const at = input.offset;
	const head = await input.take(PipableHeader.size, 'the header of the XML data');
	const { originalSize, flags, sha1: expected } = parseResource(head, name, at);
	const isCompressed = (flags & ResourceFlag.compressed) !== 0;
	if (isCompressed || originalSize > XML_SIZE_MAX)
		throw new FormatError(`Cannot read the XML data of ${name}: its header is damaged`, {
			region: name,
			offset: at,
		});
	const bytes = (await input.take(originalSize, 'the XML data')).slice();
	if (sha1(bytes) !== expected)
		throw new DigestError(`Cannot trust the XML data of ${name}: its SHA-1 is wrong`, {
			region: name,
			offset: at,
		});
	return XmlData.parse(new Span(bytes, name, at + PipableHeader.size));
}

/** The part as far as it is known; nothing can be read from its source. */
function partWithoutBlobs(header: PartHeader, xml: XmlData, name: string): OpenPart {
	const source: Source = {
		name,
		size: 0,
		read: () => Promise.reject(new Error(`${name} cannot be read at an offset`)),
		share: () => null,
		[Symbol.asyncDispose]: async () => {},
	};
	const compression = compressionOf(header, name);
	const part = { source, header, pipable: true, compression, chunkSize: header.chunkSize };
	const metadata = Array.from(
		{ length: header.imageCount },
		(): Blob => ({
			sha1: '',
			size: 0,
			referenceCount: 1,
			resource: {
				part,
				offset: 0,
				storedSize: 0,
				originalSize: 0,
				layout: 'pipable',
				compression,
				chunkSize: header.chunkSize,
				flags: ResourceFlag.metadata,
			},
			offsetInResource: 0,
			defect: 'it comes through a pipe',
		}),
	);
	const entries = BlobEntries.NONE;
	const empty = placeBlobs(part, entries, { compression, chunkSize: header.chunkSize }, new Map());
	return { ...part, table: { ...empty, metadata }, entries, xml, warnings: [], faults: [] };
}
