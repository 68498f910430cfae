/**
 * One change of a WIM, from the first byte to the switch-over: a new file under a temporary name (wim.md §9.1), or an
 * edit in place that appends, syncs and switches with the one write of the header (§9.2). Until then the old file
 * stands, and after a failure it still does.
 */
import { assert, FormatError, InputError } from '../base/errors.ts';
import type { Run } from '../base/run.ts';
import { type Sha1, sha1 } from '../bytes/sha1.ts';
import { Sha1Counts } from '../bytes/sha1-counts.ts';
import { Span } from '../bytes/span.ts';
import type { ChunkEncoder } from '../pool/tasks/encode.ts';
import type { Output } from '../storage/output.ts';
import { EditedFile, NewFile, temporaryPath } from '../storage/output-file.ts';
import { copyBlobs, copyPlain, HeadStart } from './copy-resources.ts';
import { EarlyCopy } from './early-copy.ts';
import type { IntegrityTable } from './integrity-table.ts';
import {
	HEADER_SIZE,
	type PartHeader as Header,
	HeaderFlag,
	PartHeader,
	ResourceFlag,
} from './part-header.ts';
import type { PlainBlobs } from './plain-blobs.ts';
import type { Blob, Part } from './resource.ts';
import { encodeUndoRecord } from './undo-record.ts';
import type { Wim } from './wim.ts';
import { openWim } from './wim.ts';
import { BlobStore } from './write-blobs.ts';
import { ResourceWriter } from './write-resource.ts';
import type { PlacedBlobs, TableBlob } from './write-table.ts';
import { beginWim, finishWim, type WimShape, writeTables } from './write-wim.ts';
import type { XmlData } from './xml-data.ts';

/** How a session compresses and what else it writes. */
export interface SessionOptions {
	/** See `codec/encoder.ts`. */
	readonly level: number;
	/** Whether the file gets an integrity table. */
	readonly integrity: boolean;
	readonly encoder: ChunkEncoder;
	/** Blobs that stay in other files (a delta WIM): SHA-1 to size. */
	readonly foreign: ReadonlyMap<Sha1, number>;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** A WIM under construction. Fill in images, then `commit`; disposing before takes everything back. */
export abstract class WriteSession implements AsyncDisposable {
	/** Change what is to change before `commit`; the compression is settled from the start. */
	readonly shape: Mutable<WimShape>;
	readonly xml: XmlData;
	/** One for each image, in order. */
	readonly metadata: TableBlob[] = [];
	readonly store: BlobStore;
	readonly resources: ResourceWriter;
	/** How often images reference each blob. */
	references = new Sha1Counts();
	/** The state of `references` that blobs which come with a count have it from. */
	#counted: { readonly references: Sha1Counts; readonly changes: number } | null = null;
	/** What was copied before it was known what is needed. */
	ahead: HeadStart | null = null;
	#plain: PlacedBlobs | null = null;
	protected readonly run: Run;
	protected readonly options: SessionOptions;

	protected constructor(
		output: Output,
		shape: WimShape,
		xml: XmlData,
		options: SessionOptions,
		existing: Iterable<TableBlob>,
		run: Run,
	) {
		const { compression, chunkSize, isPipable } = shape;
		const layout = isPipable ? ('pipable' as const) : ('chunked' as const);
		const format = { layout, compression, chunkSize, level: options.level };
		this.shape = { ...shape };
		this.xml = xml;
		this.options = options;
		this.run = run;
		this.resources = new ResourceWriter(output, format, options.encoder, run);
		this.store = new BlobStore(this.resources, existing, options.foreign, run);
	}

	get output(): Output {
		return this.resources.output;
	}

	/** Takes over the counts of somebody who gave them to the blobs, too: looking each up again takes ms at the very end. */
	takeCounts(references: Sha1Counts): void {
		this.references = references;
		this.#counted = { references, changes: references.changes };
	}

	/** Whether the counts that blobs came with still hold. */
	protected get isCounted(): boolean {
		const { references } = this;
		return this.#counted?.references === references && this.#counted.changes === references.changes;
	}

	/** Takes over blobs with their resources. */
	async copyBlobs(blobs: readonly Blob[]): Promise<TableBlob[]> {
		const { ahead } = this;
		this.ahead = null;
		return copyBlobs(this.output, blobs, this.run, ahead);
	}

	/** Takes over blobs that only have to be copied, before any others are stored; they come counted. */
	async copyPlain(blobs: PlainBlobs): Promise<void> {
		assert(this.store.blobs.size === 0 && this.#plain === null, 'plain blobs come first, once');
		const { ahead } = this;
		this.ahead = null;
		this.#plain = { blobs, pieces: await copyPlain(this.output, blobs, this.run, ahead) };
	}

	/** Stores a metadata resource; it is not listed until it stands in `metadata`. */
	async writeMetadata(bytes: Uint8Array): Promise<TableBlob> {
		const name = sha1(bytes);
		let blob: TableBlob | null = null;
		let at = 0;
		this.run.report({ type: 'phase', phase: 'write', totalBytes: bytes.length });
		await this.resources.add({
			size: bytes.length,
			flags: ResourceFlag.metadata,
			sha1: name,
			isHashed: true,
			fill(into) {
				into.set(bytes.subarray(at, at + into.length));
				at += into.length;
				return true;
			},
			settle(stored) {
				if (stored !== null)
					blob = { sha1: name, size: bytes.length, resource: stored, offsetInResource: 0 };
				return true;
			},
		});
		await this.resources.finish();
		if (blob === null) throw new Error('Metadata in memory ended early');
		return blob;
	}

	/** Makes the new state count; says how large the file is then, in bytes. */
	abstract commit(): Promise<number>;
	abstract [Symbol.asyncDispose](): Promise<void>;

	protected async tables(
		blobs: Iterable<TableBlob>,
		reuse: IntegrityTable | null,
		countOf = (blob: TableBlob) => this.references.get(blob.sha1) ?? 0,
	): Promise<Header> {
		// Parts of a set count all images, though only the first one holds their metadata.
		if (this.shape.partCount === 1) this.shape.imageCount = this.metadata.length;
		if (this.shape.bootIndex > this.shape.imageCount) this.shape.bootIndex = 0;
		return writeTables(
			this.output,
			this.shape,
			{
				metadata: this.metadata,
				plain: this.#plain,
				blobs,
				countOf,
				xml: this.xml,
				integrity: this.options.integrity ? { reuse } : null,
			},
			this.run,
		);
	}
}

/** A new file, or standard output. */
export class NewSession extends WriteSession {
	readonly #file: NewFile | null;

	private constructor(
		output: Output,
		file: NewFile | null,
		shape: WimShape,
		xml: XmlData,
		options: SessionOptions,
		run: Run,
	) {
		super(output, shape, xml, options, [], run);
		this.#file = file;
	}

	/**
	 * The file is locked from here on. Nothing is written before `begin`.
	 *
	 * @param target a path, an output that is there already, or a file whose lock is held
	 * @param ahead what was copied into it already
	 */
	static async create(
		target: string | Output,
		shape: WimShape,
		xml: XmlData,
		options: SessionOptions,
		run: Run,
		ahead: HeadStart | null = null,
	): Promise<NewSession> {
		const file =
			target instanceof NewFile
				? target
				: typeof target === 'string'
					? await NewFile.create(target)
					: null;
		const output = file ?? (target as Output);
		const session = new NewSession(output, file, shape, xml, options, run);
		session.ahead = ahead;
		return session;
	}

	/** Writes what stands before the resources. In pipable files that includes the XML data, complete by then. */
	async begin(): Promise<void> {
		if (this.ahead !== null) return;
		if (this.shape.isPipable || this.shape.imageCount === 0)
			this.shape.imageCount = this.xml.imageCount;
		await beginWim(this.output, this.shape, this.xml);
	}

	/** Begins with what will most likely be wanted: `copyBlobs` keeps what is. Not for pipable files. */
	async beginAhead(part: Part, from: number, end: number): Promise<void> {
		await this.begin();
		this.ahead = new HeadStart(this.output, part, from, end, this.run);
	}

	async commit(): Promise<number> {
		const size = await this.complete();
		await this.publish();
		return size;
	}

	/** Puts everything onto the disk, under the temporary name yet; says how large the file is, in bytes. */
	async complete(): Promise<number> {
		const size = await this.seal();
		this.run.report({ type: 'phase', phase: 'finish', totalBytes: null });
		await this.settle();
		return size;
	}

	/** Writes tables and header, the last of what `complete` brings to the disk; says how large the file is, in bytes. */
	async seal(): Promise<number> {
		await this.store.finish();
		const { isCounted } = this;
		// Each is looked up once, for the table too.
		const counts = new Map<Sha1, number>();
		const listed: TableBlob[] = [];
		for (const blob of this.store.blobs.values()) {
			if (!isCounted || blob.count === undefined) {
				const count = this.references.get(blob.sha1);
				if (count === undefined) continue;
				counts.set(blob.sha1, count);
			}
			listed.push(blob);
		}
		const header = await this.tables(
			listed,
			null,
			(blob) => counts.get(blob.sha1) ?? blob.count ?? 0,
		);
		await finishWim(this.output, header);
		return this.output.position;
	}

	/** Brings what is sealed to the disk; nothing can be written afterwards. */
	async settle(): Promise<void> {
		await this.#file?.complete();
	}

	/** Where a complete file stands until it is published; null for one that is not a file. */
	get writtenPath(): string | null {
		return this.#file === null ? null : temporaryPath(this.#file.target);
	}

	/** Gives the complete file its name; see `NewFile`. */
	async publish(isDurable = true): Promise<void> {
		await this.#file?.publish(isDurable);
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.ahead?.end();
		await this.#file?.[Symbol.asyncDispose]();
	}
}

/** A file with its lock, brought back to the state that its header describes, and not changed yet; for a dry run only read. */
export class EditableWim implements AsyncDisposable {
	readonly file: EditedFile;
	readonly wim: Wim;
	/** Where the state that the header describes ends, in bytes; junk may follow. */
	readonly end: number;
	/** The file that will take its place, where that was begun while it was opened. */
	readonly early: EarlyCopy | null;

	private constructor(file: EditedFile, wim: Wim, end: number, early: EarlyCopy | null) {
		this.file = file;
		this.wim = wim;
		this.end = end;
		this.early = early;
	}

	/**
	 * Locks and opens a file for changing it. An edit that was interrupted is taken back first (wim.md §9.3).
	 *
	 * @param dryRun whether nothing is to be changed at all; then there is no lock either
	 * @param copiedEnd how far a copy of it is begun that will take its place, see `EarlyCopy`; null for none
	 * @throws {InputError | FormatError} for what must not be changed: parts of a set, files that are marked read-only, and
	 * those with faults
	 */
	static async open(
		path: string,
		run: Run,
		dryRun = false,
		copiedEnd: ((part: Part) => number) | null = null,
	): Promise<EditableWim> {
		const file = await (dryRun ? EditedFile.openDry(path) : EditedFile.open(path));
		const early =
			copiedEnd === null || dryRun ? null : new EarlyCopy(file.target, copiedEnd, run, true);
		try {
			const wim = await openWim(path, early ?? {});
			try {
				checkWritable(wim);
				const end = endOf(wim.header, wim.isPipable, file.position);
				if (!wim.isPipable) await recover(file, wim, end, run, dryRun);
				return new EditableWim(file, wim, end, early);
			} catch (error) {
				await wim[Symbol.asyncDispose]();
				throw error;
			}
		} catch (error) {
			await early?.[Symbol.asyncDispose]();
			await file[Symbol.asyncDispose]();
			throw error;
		}
	}

	/** Why this file cannot be edited in place (wim.md §9.2); null when it can. */
	get obstacle(): string | null {
		const { header, isPipable } = this.wim;
		const { blobTable, xml, integrity } = header;
		if (isPipable) return 'it is pipable';
		if (blobTable.offset > xml.offset) return 'its blob table stands behind the XML data';
		if (integrity.offset !== 0 && integrity.offset < xml.offset + xml.storedSize)
			return 'its integrity table stands before the end of the XML data';
		const { table } = this.wim.first;
		const isBeyond = table.resources.some(
			({ offset, storedSize }) => offset + storedSize > this.end,
		);
		return isBeyond ? 'a resource stands behind its tables' : null;
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.early?.[Symbol.asyncDispose]();
		await this.wim[Symbol.asyncDispose]();
		await this.file[Symbol.asyncDispose]();
	}
}

function checkWritable(wim: Wim): void {
	const { header, name } = wim;
	if (header.partCount > 1)
		throw new InputError(
			`Cannot change "${name}": it is part ${header.partNumber} of ${header.partCount} of a set`,
			{ path: name, hint: 'Join the parts first: wimdeck join NEW.wim PART...' },
		);
	if (header.flags & HeaderFlag.readonly)
		throw new InputError(`Cannot change "${name}": it is marked as read-only`, {
			path: name,
			hint: 'Export its images to a new file, and change that.',
		});
	const [fault] = wim.faults;
	if (fault !== undefined) throw fault;
	const { imageCount } = header;
	if (wim.images.length !== imageCount || wim.xml.imageCount !== imageCount)
		throw new FormatError(
			`Cannot change "${name}": header, XML data and blob table count different numbers of images`,
			{ path: name, hint: 'Write a sound file with "wimdeck repair" first.' },
		);
}

/** The end of the integrity table, or of the XML data without one; at least where the resources in use end. */
function endOf(header: Header, isPipable: boolean, size: number): number {
	if (isPipable) return size;
	const { xml, integrity, blobTable } = header;
	const last = integrity.offset === 0 ? xml : integrity;
	return Math.max(
		last.offset + last.storedSize,
		xml.offset + xml.storedSize,
		blobTable.offset + blobTable.storedSize,
	);
}

/** Takes back what an interrupted edit left: bytes behind the end, and the flag; a dry run only says so. */
async function recover(
	file: EditedFile,
	wim: Wim,
	end: number,
	run: Run,
	dryRun: boolean,
): Promise<void> {
	const isMarked = (wim.header.flags & HeaderFlag.writeInProgress) !== 0;
	if (!isMarked) {
		file.rewind(Math.min(end, file.position));
		return;
	}
	for (const { metadata, index } of wim.images)
		if (metadata.defect !== null)
			throw new FormatError(
				`Cannot change "${wim.name}": an edit was interrupted, and the metadata of image ${index} is gone`,
				{ path: wim.name, hint: 'Try "wimdeck salvage" to get back what is left.' },
			);
	run.report({
		type: 'warning',
		message: dryRun
			? 'An interrupted edit would be taken back first'
			: 'An interrupted edit was taken back',
		path: wim.name,
	});
	if (dryRun) return;
	await file.truncate(end);
	file.rewind(end);
	await writeFlags(file, wim.header.flags & ~HeaderFlag.writeInProgress);
	await file.sync();
}

async function writeFlags(file: EditedFile, flags: number): Promise<void> {
	const bytes = new Uint8Array(4);
	new DataView(bytes.buffer).setUint32(0, flags, true);
	await file.writeAt(PartHeader.offsets.flags, bytes);
}

/** An edit in place. Blobs and metadata that are there stay where they are. */
export class EditSession extends WriteSession {
	readonly #edited: EditableWim;
	readonly #old: Header;
	readonly #integrity: IntegrityTable | null;
	#began = false;
	#done = false;

	private constructor(
		edited: EditableWim,
		integrity: IntegrityTable | null,
		options: SessionOptions,
		run: Run,
	) {
		const { wim, file } = edited;
		const flags = wim.header.flags & ~HeaderFlag.writeInProgress;
		const { compression, chunkSize, header } = wim;
		const shape: WimShape = {
			compression,
			chunkSize,
			isPipable: false,
			rpFix: wim.hasRpFix,
			isReadonly: false,
			guid: header.guid,
			partNumber: 1,
			partCount: 1,
			imageCount: header.imageCount,
			bootIndex: wim.bootIndex,
		};
		super(file, shape, wim.xml.copy(), options, wim.first.table.blobs.values(), run);
		this.#edited = edited;
		this.#old = { ...header, flags };
		this.#integrity = integrity;
		this.metadata.push(...wim.images.map((image) => image.metadata));
		for (const blob of wim.blobs.values())
			if (blob.referenceCount > 0) this.references.set(blob.sha1, blob.referenceCount);
	}

	/** @throws {FormatError} when the file changed since it was opened */
	static async start(edited: EditableWim, options: SessionOptions, run: Run): Promise<EditSession> {
		const { file, wim } = edited;
		const now = new Uint8Array(HEADER_SIZE);
		await file.readAt(0, now);
		const header = PartHeader.parse(new Span(now, wim.name));
		const isSame = header.blobTable.offset === wim.header.blobTable.offset;
		if (!isSame || header.xml.offset !== wim.header.xml.offset)
			throw new FormatError(`Cannot change "${wim.name}": another program changed it just now`, {
				path: wim.name,
				hint: 'Try again.',
			});
		let integrity: IntegrityTable | null = null;
		try {
			if (options.integrity) integrity = await wim.integrityTable(wim.first);
		} catch (error) {
			if (!(error instanceof FormatError)) throw error;
			run.report({
				type: 'warning',
				message: `The integrity table is computed anew: ${error.message}`,
				path: wim.name,
			});
		}
		return new EditSession(edited, integrity, options, run);
	}

	/** Marks the file, so that whoever meets it half edited knows. */
	async begin(): Promise<void> {
		this.#began = true;
		await writeFlags(this.#edited.file, this.#old.flags | HeaderFlag.writeInProgress);
		await this.#edited.file.sync();
	}

	async commit(): Promise<number> {
		await this.store.finish();
		const { file, end } = this.#edited;
		const undo = { header: this.#old, size: end };
		await file.append(encodeUndoRecord(undo));
		const header = await this.tables(this.store.blobs.values(), this.#integrity);
		this.run.report({ type: 'phase', phase: 'finish', totalBytes: null });
		// Everything must be on the disk before the header that names it.
		await file.sync();
		await finishWim(file, header);
		await file.sync();
		this.#done = true;
		const size = file.position;
		await file.truncate(size);
		return size;
	}

	async [Symbol.asyncDispose](): Promise<void> {
		if (!this.#began || this.#done) return;
		const { file, end } = this.#edited;
		await file.abandon(end);
		// The new header may be there already, if only the last sync failed.
		await restoreHeader(file, { header: this.#old, size: end });
	}
}

/** Puts back the header that the last edit in place replaced, then cuts the file where it ended. */
export async function restoreHeader(
	file: EditedFile,
	state: { readonly header: Header; readonly size: number },
): Promise<void> {
	const flags = state.header.flags | HeaderFlag.writeInProgress;
	await file.writeAt(0, PartHeader.encode({ ...state.header, flags }));
	await file.sync();
	await file.truncate(state.size);
	await writeFlags(file, state.header.flags);
	await file.sync();
}
