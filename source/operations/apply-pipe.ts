/** Applies images that come through a pipe: one pass, blobs in whatever order they arrive. */

import { CanceledError, FormatError, HostError, MissingError, WimError } from '../base/errors.ts';
import { breathe, type Run } from '../base/run.ts';
import type { Sha1 } from '../bytes/sha1.ts';
import { hostPathText } from '../host/host-path.ts';
import { copyToNewFile } from '../host/posix-target.ts';
import { ImageTree } from '../image/tree.ts';
import { TargetFile } from '../storage/target-file.ts';
import type { ArrivingBlob, PipeReader } from '../wim/pipe-reader.ts';
import { folderNames, planApply } from './apply.ts';
import {
	type BlobSink,
	type BlobWork,
	type BlobWriter,
	type ExtractBlob,
	type FileTarget,
	SMALL_SIZE_MAX,
} from './extract-data.ts';
import {
	type ExtractOptions,
	type ExtractPart,
	type ExtractSummary,
	runExtract,
} from './extract-run.ts';

/** Longest stretch of decoding and writing without a turn for the event loop. */
const SLICE_MS = 8;

/** More files of one blob than this are not kept open together; the others are copied from the first. */
const OPEN_FILES_MAX = 64;

/** A blob of which only the name is known until it arrives. */
interface ExpectedBlob extends ExtractBlob {
	size: number;
}

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
	const isAll = designation === 'all';
	const images = isAll ? wim.images : [wim.image(designation)];
	const names = folderNames(images);
	const expected = new Map<Sha1, ExpectedBlob>();
	const blob = (sha1: Sha1): ExpectedBlob => {
		const known = expected.get(sha1) ?? { sha1, size: 0 };
		expected.set(sha1, known);
		return known;
	};
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
		const files = new Map(work.files.map((job) => [job.blob.sha1, job]));
		const small = new Map(work.small.map((blob) => [blob.sha1, blob]));
		const wanted = new Set([...files.keys(), ...small.keys()]);
		for await (const arriving of this.#reader.blobs(wanted)) {
			const { sha1, size } = arriving;
			const job = files.get(sha1);
			const reparse = small.get(sha1);
			for (const blob of [job?.blob, reparse]) if (blob) (blob as ExpectedBlob).size = size;
			const openFiles = new OpenFiles(job?.files ?? []);
			const bytes = reparse !== undefined && size <= SMALL_SIZE_MAX ? new Uint8Array(size) : null;
			const error = await this.#take(arriving, openFiles, bytes, work.recoverData, run);
			const isKept = error === null || work.recoverData;
			if (job) sink.fileWritten({ blob: job.blob, error, isKept, refused: openFiles.refused });
			if (reparse)
				sink.smallRead(
					{ blob: reparse, error: error ?? tooLarge(bytes, sha1) },
					error ? null : bytes,
				);
			files.delete(sha1);
			small.delete(sha1);
		}
		for (const { blob } of files.values())
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
