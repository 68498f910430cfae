import { FormatError, MissingError, type WimError } from '../base/errors.ts';
import type { Sha1 } from '../bytes/sha1.ts';
import { endsWriting } from '../host/posix-target.ts';
import type { Pool } from '../pool/pool.ts';
import type { FileTarget } from '../storage/target-file.ts';
import type { Blob } from '../wim/resource.ts';
import {
	type FileTarget as AskedTarget,
	type BlobSink,
	type BlobWork,
	type BlobWriter,
	type ExtractBlob,
	type FileJob,
	SMALL_SIZE_MAX,
} from './extract-data.ts';
import { type BlobResult, readBlobs } from './read-blobs.ts';

/** Shared by all jobs that hold no files now. */
const NONE: readonly never[] = [];

/** One blob, and what of it was asked for. Its files are only known while it is under way: there may be 300,000. */
class Job {
	readonly blob: Blob;
	readonly file: FileJob | null;
	readonly small: ExtractBlob | null;
	readonly wantsBytes: boolean;
	#files: readonly AskedTarget[] = NONE;
	#targets: readonly FileTarget[] | null = null;

	constructor(blob: Blob, file: FileJob | null, small: ExtractBlob | null) {
		this.blob = blob;
		this.file = file;
		this.small = small;
		this.wantsBytes = small !== null;
	}

	get targets(): readonly FileTarget[] {
		if (this.#targets === null) {
			this.#files = this.file?.files ?? [];
			this.#targets = this.#files.map(targetOf);
		}
		return this.#targets;
	}

	/** Refused targets as the one who asked for them knows them; afterwards the job holds none any more. */
	settle(errors: ReadonlyMap<FileTarget, WimError>): Map<AskedTarget, WimError> {
		const refused = new Map<AskedTarget, WimError>();
		for (const [k, target] of this.targets.entries()) {
			const refusal = errors.get(target);
			const named = this.#files[k];
			if (refusal !== undefined && named !== undefined) refused.set(named, refusal);
		}
		this.#files = NONE;
		this.#targets = NONE;
		return refused;
	}
}

/**
 * The data side of extract and apply: lanes decode blobs and write them into files.
 *
 * @param blobs of the WIM that the image belongs to
 */
export function poolBlobWriter(pool: Pool, blobs: ReadonlyMap<Sha1, Blob>): BlobWriter {
	return {
		async write(work, sink, run) {
			const options = { recover: work.recoverData, verify: true };
			const jobs = findJobs(work, blobs, sink);
			await readBlobs(pool, jobs, options, run, (result) => tell(result, sink));
		},
	};
}

function findJobs(work: BlobWork, blobs: ReadonlyMap<Sha1, Blob>, sink: BlobSink): Job[] {
	const small = new Map(work.small.map((blob) => [blob.sha1, blob]));
	const jobs: Job[] = [];
	const add = (sha1: Sha1, file: FileJob | null, asked: ExtractBlob | null) => {
		const blob = blobs.get(sha1);
		if (blob === undefined) {
			const error = new MissingError(`Cannot read blob ${sha1}: no table lists it`);
			if (file) sink.fileWritten({ blob: file.blob, error, isKept: false, refused: new Map() });
			if (asked) sink.smallRead({ blob: asked, error }, null);
			return;
		}
		const isSmall = blob.size <= SMALL_SIZE_MAX;
		if (asked && !isSmall) sink.smallRead({ blob: asked, error: tooLarge(blob) }, null);
		const kept = isSmall ? asked : null;
		if (file !== null || kept !== null) jobs.push(new Job(blob, file, kept));
	};
	for (const file of work.files) {
		const { sha1 } = file.blob;
		add(sha1, file, small.get(sha1) ?? null);
		small.delete(sha1);
	}
	for (const [sha1, asked] of small) add(sha1, null, asked);
	return jobs;
}

function tooLarge({ sha1, size, resource }: Blob): FormatError {
	return new FormatError(
		`Cannot read blob ${sha1} as reparse data: it has ${size} bytes, at most ${SMALL_SIZE_MAX} are possible`,
		{ region: resource.part.source.name, offset: resource.offset },
	);
}

function targetOf({ path, times, isSparse }: AskedTarget): FileTarget {
	return { path, mode: null, owner: null, times, isSparse };
}

function tell(result: BlobResult<Job>, sink: BlobSink): void {
	const { wanted, error, targetErrors, isKept, bytes } = result;
	const { file, small } = wanted;
	const refused = wanted.settle(targetErrors);
	for (const refusal of refused.values()) if (endsWriting(refusal)) throw refusal;
	if (file) sink.fileWritten({ blob: file.blob, error, isKept, refused });
	if (small) sink.smallRead({ blob: small, error }, error === null && bytes ? bytes.slice() : null);
}
