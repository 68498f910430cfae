/**
 * The main work of writing: a lane takes blobs in by itself, from files or from resources of a WIM, hashes them, cuts them
 * into chunks and compresses these. Only what is to be stored crosses threads.
 */
import type { Hash } from 'node:crypto';
import { toWire, WimError, type WireError } from '../../base/errors.ts';
import { type Sha1, sha1, sha1Hasher } from '../../bytes/sha1.ts';
import type { Compression } from '../../codec/compression.ts';
import { FileReader, type FileToRead } from '../../storage/content.ts';
import type { ResourceShape } from '../chunk-window.ts';
import type { Lane } from '../lane.ts';
import { type LaneSource, StoredBytes } from '../stored-bytes.ts';
import { type Damage, openSlices, type Slices } from './slices.ts';

/** Where the original bytes of a blob lie. */
export type IntakeOrigin =
	| { readonly kind: 'file'; readonly file: FileToRead }
	| {
			readonly kind: 'resource';
			readonly source: LaneSource;
			readonly resource: ResourceShape;
			/** Where the blob begins in the original bytes of the resource. */
			readonly offset: number;
	  };

/** A blob, or a part of one. */
export interface IntakePiece {
	readonly origin: IntakeOrigin;
	/** From the start of the blob; a multiple of the chunk size. */
	readonly start: number;
	/** In bytes; a multiple of the chunk size but for the end of the blob. */
	readonly size: number;
	/** Where the bytes of a part go, so that they can be hashed in order; null: hash them here. */
	readonly keep: Uint8Array<SharedArrayBuffer> | null;
	/** What a whole blob must hash to; null: whatever it is. */
	readonly sha1: Sha1 | null;
}

export interface IntakeRequest {
	readonly compression: Compression;
	/** Of the chunks that are written; without compression a piece is one. */
	readonly chunkSize: number;
	/** 1 to 100, see `codec/encoder.ts`. */
	readonly level: number;
	readonly pieces: readonly IntakePiece[];
	/** For what comes out: as large as all pieces together. Until the reply it is not to be touched. */
	readonly room: SharedArrayBuffer;
}

/** What became of a piece. */
export interface IntakeResult {
	/** Of a whole blob that could be read. */
	readonly sha1: Sha1 | null;
	/** How many chunks of it there are in the reply; none when it could not be read to its end, or has a wrong SHA-1. */
	readonly chunkCount: number;
	/** Why it could not be read; null also when a file is shorter than expected. */
	readonly error: WireError | null;
	/** What happened to the file since it was looked at; null for nothing. */
	readonly change: string | null;
}

export interface IntakeReply {
	/** How many bytes of the room are used: the chunks of all pieces as they are stored, back to back. */
	readonly used: number;
	/** Stored sizes. A chunk of unchanged size is stored raw. */
	readonly sizes: readonly number[];
	/** In the order of the pieces. */
	readonly results: readonly IntakeResult[];
}

/** Takes in the pieces one by one. */
export function* intakeTask(
	request: IntakeRequest,
	lane: Lane,
): Generator<number, IntakeReply, void> {
	const chunks = new ChunkWriter(request, lane);
	const results: IntakeResult[] = [];
	const reader = new ResourceReader(request.pieces, lane);
	for (const piece of request.pieces) {
		const mark = chunks.mark();
		let result: IntakeResult;
		try {
			const { origin } = piece;
			result =
				origin.kind === 'file'
					? yield* takeFile(piece, origin.file, chunks)
					: yield* takeResource(piece, reader.open(origin), chunks);
		} catch (error) {
			if (!(error instanceof WimError)) throw error;
			result = { sha1: null, chunkCount: 0, error: toWire(error), change: null };
		}
		if (result.chunkCount === 0) chunks.rewind(mark);
		results.push(result);
	}
	return { used: chunks.used, sizes: chunks.sizes, results };
}

function* takeFile(
	piece: IntakePiece,
	file: FileToRead,
	chunks: ChunkWriter,
): Generator<number, IntakeResult, void> {
	const reader = FileReader.open(file);
	try {
		reader.skipTo(piece.start);
		const digest = new PieceDigest(piece);
		const count = chunks.count;
		for (let at = 0; at < piece.size; ) {
			const into = chunks.next(piece.size - at);
			// Afterwards the view may be gone: the kernel takes more memory when it needs some.
			const { length } = into;
			if (reader.read(into) < length)
				return { sha1: null, chunkCount: 0, error: null, change: reader.change() };
			digest.take(into, at);
			chunks.put(length);
			at += length;
			yield length;
		}
		return { ...digest.end(chunks.count - count), error: null, change: reader.change() };
	} finally {
		reader.close();
	}
}

/** @param at where the blob begins in the original bytes of the resource */
function* takeResource(
	piece: IntakePiece,
	{ slices, at, end }: OpenResource,
	chunks: ChunkWriter,
): Generator<number, IntakeResult, void> {
	const digest = new PieceDigest(piece);
	const count = chunks.count;
	const from = at + piece.start;
	const to = from + piece.size;
	const { sliceSize, alignment } = slices;
	let start = Math.floor(from / alignment) * alignment;
	const last = Math.min(end, Math.ceil(to / alignment) * alignment);
	const damages: Damage[] = [];
	const wanted = { end: (_: number, until: number) => Math.min(to, until), showsLost: () => false };
	while (start < to) {
		const sliceEnd = Math.min(last, start + sliceSize);
		const slice = slices.load(start, sliceEnd, wanted, damages);
		const [damage] = damages;
		if (damage !== undefined) throw damage.error;
		const bytes = slice.subarray(Math.max(0, from - start), to - start);
		digest.take(bytes, Math.max(0, start - from));
		for (let done = 0; done < bytes.length; ) {
			const into = chunks.next(piece.size - Math.max(0, start - from) - done);
			const part = bytes.subarray(done, done + into.length);
			into.set(part);
			chunks.put(part.length);
			done += part.length;
			yield part.length;
		}
		start = sliceEnd;
	}
	return { ...digest.end(chunks.count - count), error: null, change: null };
}

/** Hashes the bytes of a whole blob, or copies those of a part for somebody else. */
class PieceDigest {
	readonly #piece: IntakePiece;
	#hash: Hash | null = null;
	#sha1: Sha1 | null = null;

	constructor(piece: IntakePiece) {
		this.#piece = piece;
	}

	/** @param at where in the piece the bytes belong; they come in order */
	take(bytes: Uint8Array, at: number): void {
		const { keep, size } = this.#piece;
		if (keep !== null) keep.set(bytes, at);
		else if (bytes.length === size) this.#sha1 = sha1(bytes);
		else {
			this.#hash ??= sha1Hasher();
			this.#hash.update(bytes);
		}
	}

	/** @param chunkCount what there is, if it is what was expected */
	end(chunkCount: number): Pick<IntakeResult, 'sha1' | 'chunkCount'> {
		const found = this.#hash?.digest('hex') ?? this.#sha1;
		const expected = this.#piece.sha1;
		const isRight = expected === null || found === null || found === expected;
		return { sha1: found, chunkCount: isRight ? chunkCount : 0 };
	}
}

/** Collects bytes into chunks, and these, compressed, in the room of the request. */
class ChunkWriter {
	readonly sizes: number[] = [];
	readonly #request: IntakeRequest;
	readonly #lane: Lane;
	readonly #room: Uint8Array;
	#used = 0;
	/** Of the chunk that is being filled: how large it will be, and how much of it is there. */
	#size = 0;
	#filled = 0;

	constructor(request: IntakeRequest, lane: Lane) {
		this.#request = request;
		this.#lane = lane;
		this.#room = new Uint8Array(request.room);
	}

	get count(): number {
		return this.sizes.length;
	}

	get used(): number {
		return this.#used;
	}

	/**
	 * Where the next bytes go: to the end of the chunk, or of the piece.
	 *
	 * @param left of the piece
	 */
	next(left: number): Uint8Array {
		const { compression, chunkSize } = this.#request;
		if (this.#filled === 0) this.#size = compression === 'none' ? left : Math.min(chunkSize, left);
		if (compression === 'none')
			return this.#room.subarray(this.#used + this.#filled, this.#used + this.#size);
		return this.#lane.encoder.input(this.#size).subarray(this.#filled);
	}

	/** Says that so many bytes are there. */
	put(count: number): void {
		this.#filled += count;
		if (this.#filled < this.#size) return;
		const size = this.#filled;
		this.#filled = 0;
		const storedSize = this.#request.compression === 'none' ? size : this.#encode(size);
		this.sizes.push(storedSize);
		this.#used += storedSize;
	}

	#encode(size: number): number {
		const { compression, chunkSize, level } = this.#request;
		const { encoder } = this.#lane;
		const stored = encoder.encode(compression, chunkSize, level, size) ?? encoder.input(size);
		this.#room.set(stored, this.#used);
		return stored.length;
	}

	mark(): { readonly count: number; readonly used: number } {
		return { count: this.sizes.length, used: this.#used };
	}

	/** Forgets what came since, complete or not. */
	rewind({ count, used }: { readonly count: number; readonly used: number }): void {
		this.sizes.length = count;
		this.#used = used;
		this.#filled = 0;
	}
}

type ResourceOrigin = IntakeOrigin & { readonly kind: 'resource' };

interface OpenResource {
	readonly slices: Slices;
	readonly at: number;
	/** Of the resource. */
	readonly end: number;
}

/** Opens resources one after the other; stored bytes that follow one another are read together. */
class ResourceReader {
	readonly #lane: Lane;
	/** How far each source will be read, as far as is known without a table. */
	readonly #ends = new Map<LaneSource, number>();
	#stored: { readonly source: LaneSource; readonly bytes: StoredBytes } | null = null;

	constructor(pieces: readonly IntakePiece[], lane: Lane) {
		this.#lane = lane;
		for (const { origin, start, size } of pieces)
			if (origin.kind === 'resource') {
				const { offset, storedSize, originalSize } = origin.resource;
				// About where its stored bytes end: as if they were evenly compressed.
				const wantedEnd = origin.offset + start + size;
				const end = offset + Math.ceil((storedSize * wantedEnd) / originalSize);
				this.#ends.set(origin.source, Math.max(this.#ends.get(origin.source) ?? 0, end));
			}
	}

	open({ source, resource, offset }: ResourceOrigin): OpenResource {
		if (this.#stored?.source !== source) {
			const bytes = new StoredBytes(source, this.#lane.decoder);
			bytes.expect(this.#ends.get(source) ?? 0);
			this.#stored = { source, bytes };
		}
		const slices = openSlices(resource, this.#stored.bytes, this.#lane);
		return { slices, at: offset, end: resource.originalSize };
	}
}
