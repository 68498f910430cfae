/**
 * Writes a damaged solid resource again: its good chunks as they are stored, and only those that are hurt compressed anew,
 * of the contents that came from elsewhere. Contents keep their places in it.
 */
import { FormatError } from '../../base/errors.ts';
import { breathe, type Run } from '../../base/run.ts';
import { equalBytes } from '../../bytes/equal-bytes.ts';
import {
	type ChunkTable,
	originalSizeOf,
	SolidHeader,
	storedSizeOf,
} from '../../codec/chunk-table.ts';
import { COMPRESSIONS } from '../../codec/compression.ts';
import type { LargeChunks } from '../../pool/large-chunks.ts';
import type { ChunkEncoder } from '../../pool/tasks/encode.ts';
import type { Content, ContentReader } from '../../storage/content.ts';
import { COPY_SIZE, type Output } from '../../storage/output.ts';
import { readChunkTable } from '../../wim/read-resource.ts';
import type { Blob, Resource } from '../../wim/resource.ts';
import type { StoredResource } from '../../wim/write-resource.ts';
import { readDamaged } from '../salvage/read-damaged.ts';
import { DamagedContent } from './damaged-content.ts';
import { surveyContents } from './find-contents.ts';

/** A stretch of the original bytes whose right contents are known. */
export interface KnownStretch {
	readonly blob: Blob;
	/** Null: it is decoded from where it stands, and proved there. */
	readonly content: Content | null;
	/** Where else it is stored, and proved; null when it is in no other resource. */
	readonly elsewhere: Blob | null;
}

/** A chunk as it is stored in another file that has the same resource. */
interface LentChunk {
	readonly resource: Resource;
	readonly table: ChunkTable;
}

export interface MendedSolid {
	readonly resource: Resource;
	readonly table: ChunkTable;
	/** Positions of the chunks that are compressed anew; not null for those that are copied from another file. */
	readonly hurt: ReadonlyMap<number, LentChunk | null>;
	/** In order. */
	readonly known: readonly KnownStretch[];
}

interface Reading {
	readonly lanes: LargeChunks;
	readonly run: Run;
}

/** Skipped bytes and zeros move in pieces of this size. */
const PIECE = 1 << 20;

/**
 * Finds out which chunks are hurt: those that proved contents do not cover without a rest.
 *
 * @param known each in this resource
 * @returns null when its chunks cannot be told, or none of them is good
 */
export async function planMend(
	resource: Resource,
	known: readonly KnownStretch[],
	reading: Reading,
): Promise<MendedSolid | null> {
	const table = await tableOf(resource);
	if (table === null) return null;
	const sorted = [...known].sort((a, b) => a.blob.offsetInResource - b.blob.offsetInResource);
	const proved = sorted.filter(({ content }) => content === null);
	const covered = coverage(table, proved);
	const hurt = new Map<number, LentChunk | null>();
	// What begins or ends in a hurt chunk has its other end in a good one.
	const borrowed = sorted.filter(({ content }) => content !== null);
	const borrow = new StretchReader(borrowed, contentOf(reading.lanes));
	try {
		for (const [chunk, size] of covered.entries()) {
			if (size >= originalSizeOf(table, chunk)) continue;
			const within = borrowed.filter(isIn(table, chunk));
			const chunkOf = { resource, table, chunk };
			if (!(await isAsKnown(chunkOf, within, borrow, reading))) hurt.set(chunk, null);
		}
	} finally {
		await borrow.close();
	}
	if (hurt.size === 0) return null;
	await lendChunks(resource, table, sorted, hurt, reading);
	const isAllNew = [...hurt.values()].filter((lent) => lent === null).length === table.chunkCount;
	return isAllNew ? null : { resource, table, hurt, known: sorted };
}

/** How a stretch is read: from elsewhere, or out of the damaged resource, where it is proved. */
function contentOf(lanes: LargeChunks): (stretch: KnownStretch) => Content {
	return ({ blob, content }) => content ?? new DamagedContent(blob, lanes, true);
}

/** Whether a chunk decodes, and to what is known of it from elsewhere. */
async function isAsKnown(
	{ resource, table, chunk }: LentChunk & { readonly chunk: number },
	borrowed: readonly KnownStretch[],
	reader: StretchReader,
	{ lanes, run }: Reading,
): Promise<boolean> {
	const from = chunk * table.chunkSize;
	const to = from + originalSizeOf(table, chunk);
	for await (const { start, bytes, isGood } of readDamaged(resource, from, to, lanes)) {
		if (!isGood) return false;
		// Reading the others decodes, and then these bytes are gone.
		const here = borrowed.flatMap(({ blob }) => {
			const first = Math.max(start, blob.offsetInResource);
			const end = Math.min(start + bytes.length, blob.offsetInResource + blob.size);
			return first < end ? [{ first, own: bytes.slice(first - start, end - start) }] : [];
		});
		for (const { first, own } of here) {
			const there = new Uint8Array(own.length);
			await reader.fill(there, first, run);
			if (!equalBytes(own, there)) return false;
		}
	}
	return true;
}

interface OpenContent {
	readonly reader: ContentReader;
	/** Of the next byte. */
	at: number;
}

/** @returns false when the contents end before */
async function skipTo(open: OpenContent, at: number, run: Run): Promise<boolean> {
	const skipped = new Uint8Array(Math.min(PIECE, Math.max(0, at - open.at)));
	while (open.at < at) {
		const piece = skipped.subarray(0, Math.min(PIECE, at - open.at));
		if ((await open.reader.read(piece)) < piece.length) return false;
		open.at += piece.length;
		await breathe(run);
	}
	return true;
}

async function tableOf(resource: Resource): Promise<ChunkTable | null> {
	try {
		return await readChunkTable(resource);
	} catch (error) {
		if (error instanceof FormatError) return null;
		throw error;
	}
}

/** How many bytes of each chunk these stretches cover. */
function coverage(table: ChunkTable, known: readonly KnownStretch[]): Float64Array {
	const covered = new Float64Array(table.chunkCount);
	let at = 0;
	for (const { blob } of known) {
		const end = blob.offsetInResource + blob.size;
		at = Math.max(at, blob.offsetInResource);
		while (at < end) {
			const chunk = Math.floor(at / table.chunkSize);
			const next = Math.min(end, (chunk + 1) * table.chunkSize);
			covered[chunk] = (covered[chunk] ?? 0) + next - at;
			at = next;
		}
	}
	return covered;
}

/** Finds the chunks that stand in another file, too: another copy of the same resource gave everything in them. */
async function lendChunks(
	resource: Resource,
	table: ChunkTable,
	known: readonly KnownStretch[],
	hurt: Map<number, LentChunk | null>,
	reading: Reading,
): Promise<void> {
	const others = new Map<Resource, KnownStretch[]>();
	for (const stretch of known) {
		const { elsewhere, blob } = stretch;
		if (elsewhere === null || !isTwin(elsewhere, blob)) continue;
		const list = others.get(elsewhere.resource);
		if (list === undefined) others.set(elsewhere.resource, [stretch]);
		else list.push(stretch);
	}
	const proved = known.filter(({ content }) => content === null);
	for (const [other, stretches] of others) {
		const lent = await tableOf(other);
		if (lent === null || lent.chunkSize !== table.chunkSize) continue;
		const both = [...stretches, ...proved].sort(
			(a, b) => a.blob.offsetInResource - b.blob.offsetInResource,
		);
		const covered = coverage(lent, both);
		const gave = coverage(lent, stretches);
		for (const chunk of hurt.keys())
			if (
				(gave[chunk] ?? 0) > 0 &&
				(covered[chunk] ?? 0) >= originalSizeOf(table, chunk) &&
				(await hasAll(other, proved.filter(isIn(lent, chunk)), reading))
			)
				hurt.set(chunk, { resource: other, table: lent });
	}

	function isTwin(a: Blob, b: Blob): boolean {
		return (
			a.resource.layout === 'solid' &&
			a.offsetInResource === b.offsetInResource &&
			a.resource.originalSize === resource.originalSize &&
			a.resource.compression === resource.compression
		);
	}
}

function isIn({ chunkSize }: ChunkTable, chunk: number): (stretch: KnownStretch) => boolean {
	return ({ blob: { offsetInResource: start, size } }) =>
		start < (chunk + 1) * chunkSize && start + size > chunk * chunkSize;
}

/** What is proved here may still be damaged there. */
async function hasAll(
	resource: Resource,
	stretches: readonly KnownStretch[],
	{ lanes, run }: Reading,
): Promise<boolean> {
	for (const { blob } of stretches) {
		const { sha1, badRanges } = await surveyContents({ ...blob, resource }, run, lanes);
		if (sha1 !== blob.sha1 || badRanges.length > 0) return false;
	}
	return true;
}

/** In bytes, at most. */
export function mendedSize({ resource, table, hurt }: MendedSolid): number {
	let size = resource.storedSize;
	for (const [chunk, lent] of hurt) {
		const next = lent === null ? originalSizeOf(table, chunk) : storedSizeOf(lent.table, chunk);
		size += next - storedSizeOf(table, chunk);
	}
	return size;
}

export async function writeMended(
	{ resource, table, hurt, known }: MendedSolid,
	output: Output,
	level: number,
	tools: { readonly encoder: ChunkEncoder; readonly lanes: LargeChunks },
	run: Run,
): Promise<StoredResource> {
	const { compression, originalSize, flags } = resource;
	const { chunkSize, chunkCount } = table;
	run.report({ type: 'phase', phase: 'write', totalBytes: originalSize });
	const offset = output.position;
	const front = new Uint8Array(SolidHeader.size + 4 * chunkCount);
	front.set(
		SolidHeader.encode({ originalSize, chunkSize, format: COMPRESSIONS.indexOf(compression) }),
	);
	const { byteOffset, byteLength } = front;
	const sizes = new DataView(front.buffer, byteOffset, byteLength);
	await output.append(front);
	const reader = new StretchReader(known, contentOf(tools.lanes));
	try {
		for (let chunk = 0; chunk < chunkCount; chunk++) {
			const start = chunk * chunkSize;
			const size = originalSizeOf(table, chunk);
			const lent = hurt.get(chunk);
			const from = lent ?? { resource, table };
			let stored = storedSizeOf(from.table, chunk);
			if (lent === null) {
				const bytes = new Uint8Array(size);
				await reader.fill(bytes, start, run);
				const request = { compression, chunkSize, level, bytes, sizes: [size] };
				const reply = await tools.encoder.encode(request, run.signal);
				stored = reply.bytes.length;
				await output.append(reply.bytes);
			} else {
				const at = from.resource.offset + (from.table.starts[chunk] ?? 0);
				await copy(output, from.resource.part.source, at, stored, run);
			}
			sizes.setUint32(SolidHeader.size + 4 * chunk, stored, true);
			run.report({ type: 'advance', bytes: size });
		}
	} finally {
		await reader.close();
	}
	await output.writeAt(offset, front);
	return { offset, storedSize: output.position - offset, originalSize, flags };
}

async function copy(
	output: Output,
	source: Resource['part']['source'],
	from: number,
	size: number,
	run: Run,
): Promise<void> {
	for (let done = 0; done < size; ) {
		const got = await output.copy(source, from + done, Math.min(COPY_SIZE, size - done));
		if (got === 0)
			throw new FormatError('Cannot copy a chunk: the file ends inside it', {
				path: source.name,
				offset: from + done,
			});
		done += got;
		await breathe(run);
	}
}

/** The original bytes of hurt chunks, in order; zeros where nothing is known. */
class StretchReader {
	readonly #known: readonly KnownStretch[];
	readonly #contentOf: (stretch: KnownStretch) => Content;
	#position = 0;
	#open: OpenContent | null = null;

	constructor(known: readonly KnownStretch[], contentOf: (stretch: KnownStretch) => Content) {
		this.#known = known;
		this.#contentOf = contentOf;
	}

	/** @param start of `into`, in the original bytes */
	async fill(into: Uint8Array, start: number, run: Run): Promise<void> {
		const end = start + into.length;
		for (;;) {
			const stretch = this.#known[this.#position];
			if (stretch === undefined || stretch.blob.offsetInResource >= end) return;
			const from = stretch.blob.offsetInResource;
			const to = from + stretch.blob.size;
			if (to > start) {
				const first = Math.max(start, from);
				await this.#read(
					stretch,
					first - from,
					into.subarray(first - start, Math.min(to, end) - start),
					run,
				);
			}
			if (to > end) return;
			await this.close();
			this.#position++;
		}
	}

	/** @param at in the contents */
	async #read(stretch: KnownStretch, at: number, into: Uint8Array, run: Run): Promise<void> {
		this.#open ??= { reader: await this.#contentOf(stretch).open(), at: 0 };
		const open = this.#open;
		if (!(await skipTo(open, at, run))) return;
		for (let done = 0; done < into.length; done += PIECE) {
			const piece = into.subarray(done, done + PIECE);
			open.at += await open.reader.read(piece);
			await breathe(run);
		}
	}

	async close(): Promise<void> {
		await this.#open?.reader.close();
		this.#open = null;
	}
}
