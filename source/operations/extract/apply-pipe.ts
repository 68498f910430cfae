/** Applies images that come through a pipe: one pass, blobs in whatever order they arrive. */

import {
	assert,
	CanceledError,
	FormatError,
	HostError,
	MissingError,
	WimError,
} from '../../base/errors.ts';
import type { List } from '../../base/list.ts';
import { breathe, type Run } from '../../base/run.ts';
import type { Sha1 } from '../../bytes/sha1.ts';
import { Sha1Index } from '../../bytes/sha1-index.ts';
import { hostPathText } from '../../host/host-path.ts';
import { copyToNewFile } from '../../host/posix-target.ts';
import { ImageTree } from '../../image/tree.ts';
import { TargetFile } from '../../storage/target-file.ts';
import type { ArrivingBlob, BlobsLeft, PipeReader } from '../../wim/pipe-reader.ts';
import { isEveryImage } from '../../wim/wim.ts';
import { SURVEY_LENGTH } from '../read/file-order.ts';
import { folderNames, planApply } from './apply.ts';
import {
	type BlobSink,
	type BlobWork,
	type BlobWriter,
	type ExtractBlob,
	type FileJob,
	type FileTarget,
	SMALL_SIZE_MAX,
} from './extract-data.ts';
import { type ExtractSummary, runExtract } from './extract-run.ts';
import type { ExtractOptions, ExtractPart } from './extraction.ts';

/** Longest stretch of decoding and writing without a turn for the event loop. */
const SLICE_MS = 8;

/** More files of one blob than this are not kept open together; the others are copied from the first. */
const OPEN_FILES_MAX = 64;

/**
 * Applies one image, or each into a folder of its own.
 *
 * @param designation index or name of the image; `all` for all of them
 */
export async function applyFromPipe(
	reader: PipeReader,
	designation: string,
	folder: string,
	options: ExtractOptions,
	run: Run,
): Promise<ExtractSummary> {
	const { wim } = reader;
	const isAll = isEveryImage(designation);
	const images = isAll ? wim.images : [wim.image(designation)];
	const names = folderNames(images);
	// Only the name of a blob is known until it arrives.
	const blob = (sha1: Sha1): ExtractBlob => ({ sha1, size: 0 });
	const parts: ExtractPart[] = [];
	for (const [at, image] of images.entries()) {
		const span = await reader.metadata(image.index);
		const tree = await ImageTree.parseInSlices(span, { tolerant: false }, () => breathe(run));
		const place = isAll ? `${folder}/${names[at]}` : folder;
		const part = await planApply({ tree, blob }, place, options, run);
		// The XML data say how much is to come; the blobs themselves do not.
		const fileBytes = Math.max(0, (image.facts.totalBytes ?? 0) - (image.facts.hardLinkBytes ?? 0));
		parts.push({ ...part, plan: { ...part.plan, fileBytes } });
	}
	return runExtract(parts, new PipeWriter(reader), options, run);
}

class PipeWriter implements BlobWriter {
	readonly #reader: PipeReader;
	#sliceStart = 0;

	constructor(reader: PipeReader) {
		this.#reader = reader;
	}

	async write(work: BlobWork, sink: BlobSink, run: Run): Promise<void> {
		const files = await ExpectedFiles.of(work.files, run);
		const small = new Map(work.small.map((blob) => [blob.sha1, blob]));
		const left = new BothLeft(files, small.keys());
		for await (const arriving of this.#reader.blobs(left)) {
			const { sha1, size } = arriving;
			const blob = { sha1, size };
			const job = files.job(sha1);
			const openFiles = new OpenFiles(job?.files ?? []);
			const bytes = small.has(sha1) && size <= SMALL_SIZE_MAX ? new Uint8Array(size) : null;
			const error = await this.#take(arriving, openFiles, bytes, work.recoverData, run);
			const isKept = error === null || work.recoverData;
			if (job) sink.fileWritten({ blob, error, isKept, refused: openFiles.refused });
			if (small.delete(sha1))
				sink.smallRead({ blob, error: error ?? tooLarge(bytes, sha1) }, error ? null : bytes);
		}
		for (const { blob } of files.left())
			sink.fileWritten({ blob, error: missing(blob.sha1), isKept: false, refused: new Map() });
		for (const blob of small.values()) sink.smallRead({ blob, error: missing(blob.sha1) }, null);
	}

	/** Puts one blob into its files; those that cannot be kept are gone afterwards. */
	async #take(
		blob: ArrivingBlob,
		files: OpenFiles,
		bytes: Uint8Array | null,
		recoverData: boolean,
		run: Run,
	): Promise<WimError | null> {
		let damage: WimError | null = null;
		let isDone = false;
		try {
			let at = 0;
			for await (const piece of blob.pieces(recoverData)) {
				files.write(piece, at);
				bytes?.set(piece, at);
				at += piece.length;
				run.report({ type: 'advance', bytes: piece.length });
				await this.#breatheWhenDue(run);
			}
			isDone = true;
		} catch (error) {
			if (!(error instanceof WimError) || error instanceof CanceledError) throw error;
			damage = error;
			isDone = recoverData;
		} finally {
			if (!isDone) files.discard();
		}
		if (isDone) await files.finish();
		return damage;
	}

	async #breatheWhenDue(run: Run): Promise<void> {
		if (run.clock.elapsed() - this.#sliceStart < SLICE_MS) return;
		await breathe(run);
		this.#sliceStart = run.clock.elapsed();
	}
}

/** Jobs by the blobs they wait for: 29 bytes each, since there may be 225,000. */
class ExpectedFiles {
	readonly #jobs: List<FileJob>;
	/** The row of a blob is the position of its job. */
	readonly #index: Sha1Index;
	/** By row; 1 = done. */
	readonly #done: Uint8Array;

	#size: number;

	private constructor(jobs: List<FileJob>, index: Sha1Index) {
		this.#size = jobs.length;
		this.#jobs = jobs;
		this.#index = index;
		this.#done = new Uint8Array(jobs.length);
	}

	static async of(jobs: List<FileJob>, run: Run): Promise<ExpectedFiles> {
		const index = new Sha1Index(jobs.length);
		for (let k = 0; k < jobs.length; k++) {
			if (k % SURVEY_LENGTH === SURVEY_LENGTH - 1) await breathe(run);
			const row = index.add((jobs.at(k) as FileJob).blob.sha1);
			assert(row === k, 'every blob has one job');
		}
		return new ExpectedFiles(jobs, index);
	}

	/** Of jobs that wait. */
	get size(): number {
		return this.#size;
	}

	/** @returns true when a job waited for this blob, which it does no longer */
	delete(sha1: Sha1): boolean {
		const row = this.#index.find(sha1);
		if (row < 0 || this.#done[row] !== 0) return false;
		this.#done[row] = 1;
		this.#size--;
		return true;
	}

	/** The job of a blob, whether it waits or not. */
	job(sha1: Sha1): FileJob | null {
		const row = this.#index.find(sha1);
		return row < 0 ? null : (this.#jobs.at(row) ?? null);
	}

	/** Jobs whose blobs did not come. */
	*left(): Generator<FileJob, void, undefined> {
		for (const [row, state] of this.#done.entries())
			if (state === 0) yield this.#jobs.at(row) as FileJob;
	}
}

/** Blobs that files wait for, and others. */
class BothLeft implements BlobsLeft {
	readonly #files: ExpectedFiles;
	readonly #others: Set<Sha1>;

	constructor(files: ExpectedFiles, others: Iterable<Sha1>) {
		this.#files = files;
		this.#others = new Set(others);
	}

	/** A blob that is in both counts twice: it only has to become 0 in the end. */
	get size(): number {
		return this.#files.size + this.#others.size;
	}

	delete(sha1: Sha1): boolean {
		const isOther = this.#others.delete(sha1);
		return this.#files.delete(sha1) || isOther;
	}
}

function missing(sha1: Sha1): MissingError {
	return new MissingError(`Cannot read blob ${sha1}: the stream ended before it came`, {
		hint: 'Send all parts of the set, and for a delta WIM a whole one.',
	});
}

function tooLarge(keeper: Uint8Array | null, sha1: Sha1): FormatError | null {
	return keeper === null
		? new FormatError(`Cannot use blob ${sha1} as reparse data: it is too large`)
		: null;
}

/** The files of one blob, as far as the machine wants them. */
class OpenFiles {
	readonly refused = new Map<FileTarget, WimError>();
	readonly #open: { target: FileTarget; file: TargetFile }[] = [];
	/** Copied from the first one, because not all can be open together. */
	readonly #later: readonly FileTarget[];

	constructor(targets: readonly FileTarget[]) {
		this.#later = targets.slice(OPEN_FILES_MAX);
		for (const target of targets.slice(0, OPEN_FILES_MAX))
			this.#attempt(target, () => this.#open.push({ target, file: create(target) }));
	}

	write(bytes: Uint8Array, offset: number): void {
		for (const { target, file } of [...this.#open])
			this.#attempt(target, () => file.write(bytes, offset));
	}

	async finish(): Promise<void> {
		const [first] = this.#open;
		for (const { target, file } of this.#open.splice(0)) this.#attempt(target, () => file.finish());
		for (const target of this.#later) {
			try {
				if (first === undefined)
					throw new HostError(
						`Cannot create "${hostPathText(target.path)}": the file it would be a copy of could not be created`,
					);
				await copyToNewFile(first.target.path, target.path, target.times);
			} catch (error) {
				if (!(error instanceof WimError)) throw error;
				this.refused.set(target, error);
			}
		}
	}

	/** Leaves nothing behind. */
	discard(): void {
		for (const { file } of this.#open.splice(0)) file.discard();
	}

	/** Does something with one file; when that fails the file goes away, and the others stay. */
	#attempt(target: FileTarget, act: () => void): void {
		try {
			act();
		} catch (error) {
			if (!(error instanceof WimError)) throw error;
			this.refused.set(target, error);
			const at = this.#open.findIndex((open) => open.target === target);
			if (at >= 0) for (const { file } of this.#open.splice(at, 1)) file.discard();
		}
	}
}

function create({ path, times, isSparse }: FileTarget): TargetFile {
	return TargetFile.create({ path, times, isSparse, mode: null, owner: null });
}
