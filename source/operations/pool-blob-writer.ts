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

/** One blob, and what of it was asked for. Its files are only known while it is under way: there may be 300,000. */
class Job {
	readonly blob: Blob;
	readonly file: FileJob | null;
	readonly small: ExtractBlob | null;
	readonly wantsBytes: boolean;
	#files: readonly AskedTarget[] = [];
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
		this.#files = [];
		this.#targets = [];
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
	const asked = new Map<Sha1, { file: FileJob | null; small: ExtractBlob | null }>();
	for (const file of work.files) asked.set(file.blob.sha1, { file, small: null });
	for (const small of work.small)
		asked.set(small.sha1, { file: asked.get(small.sha1)?.file ?? null, small });
	const jobs: Job[] = [];
	for (const [sha1, { file, small }] of asked) {
		const blob = blobs.get(sha1);
		if (blob === undefined) {
			const error = new MissingError(`Cannot read blob ${sha1}: no table lists it`);
			if (file) sink.fileWritten({ blob: file.blob, error, isKept: false, refused: new Map() });
			if (small) sink.smallRead({ blob: small, error }, null);
			continue;
		}
		const isSmall = blob.size <= SMALL_SIZE_MAX;
		if (small && !isSmall) sink.smallRead({ blob: small, error: tooLarge(blob) }, null);
		const wantsBytes = small !== null && isSmall;
		if (file === null && !wantsBytes) continue;
		jobs.push(new Job(blob, file, wantsBytes ? small : null));
	}
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
