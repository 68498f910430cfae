import { FormatError, isMemoryError, MissingError, type WimError } from '../../base/errors.ts';
import { LazyList, type List } from '../../base/list.ts';
import { breathe, type Run } from '../../base/run.ts';
import { Uint32Column } from '../../bytes/columns.ts';
import type { Sha1 } from '../../bytes/sha1.ts';
import { endsWriting } from '../../host/posix-target.ts';
import type { Pool } from '../../pool/pool.ts';
import type { FileTarget } from '../../storage/target-file.ts';
import type { Blob } from '../../wim/resource.ts';
import { SURVEY_LENGTH } from '../read/file-order.ts';
import { type BlobResult, readBlobs } from '../read/read-blobs.ts';
import {
	type FileTarget as AskedTarget,
	type BlobSink,
	type BlobWork,
	type BlobWriter,
	type ExtractBlob,
	type FileJob,
	SMALL_SIZE_MAX,
} from './extract-data.ts';

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
		expect: (bytes) => pool.expect(bytes),
		async write(work, sink, run) {
			const options = { recover: work.recoverData, verify: true };
			const jobs = await findJobs(work, blobs, sink, run);
			await breathe(run);
			await readBlobs(pool, jobs, options, run, (result) => {
				// Whoever recovers takes what can be had with this memory, and is told the rest.
				if (!work.recoverData && isMemoryError(result.error)) throw result.error;
				tell(result, sink);
			});
		},
	};
}

/** What can be read, each blob once; the rest is told at once. Jobs are made when their turn comes. */
async function findJobs(
	work: BlobWork,
	blobs: ReadonlyMap<Sha1, Blob>,
	sink: BlobSink,
	run: Run,
): Promise<List<Job>> {
	const small = new Map(work.small.map((blob) => [blob.sha1, blob]));
	const asked = new Map(small);
	const found = (sha1: Sha1, file: FileJob | null): boolean => {
		const blob = blobs.get(sha1);
		const reparse = small.get(sha1);
		const isReadable = blob !== undefined && (file !== null || isSmall(blob));
		if (blob === undefined) {
			const error = new MissingError(`Cannot read blob ${sha1}: no table lists it`);
			if (file) sink.fileWritten({ blob: file.blob, error, isKept: false, refused: new Map() });
			if (reparse) sink.smallRead({ blob: reparse, error }, null);
		} else if (reparse && !isSmall(blob))
			sink.smallRead({ blob: reparse, error: tooLarge(blob) }, null);
		asked.delete(sha1);
		return isReadable;
	};
	const files = new Uint32Column(work.files.length);
	for (let k = 0; k < work.files.length; k++) {
		if (k % SURVEY_LENGTH === SURVEY_LENGTH - 1) await breathe(run);
		const file = work.files.at(k) as FileJob;
		if (found(file.blob.sha1, file)) files.push(k);
	}
	const others = [...asked.keys()].filter((sha1) => found(sha1, null));
	const job = (sha1: Sha1, file: FileJob | null): Job => {
		const blob = blobs.get(sha1) as Blob;
		return new Job(blob, file, isSmall(blob) ? (small.get(sha1) ?? null) : null);
	};
	return new LazyList(files.length + others.length, (k) => {
		if (k >= files.length) return job(others[k - files.length] ?? '', null);
		const file = work.files.at(files.get(k)) as FileJob;
		return job(file.blob.sha1, file);
	});
}

const isSmall = ({ size }: Blob) => size <= SMALL_SIZE_MAX;

function tooLarge({ sha1, size, resource }: Blob): FormatError {
	return new FormatError(
		`Cannot read blob ${sha1} whole: it has ${size} bytes, for reparse data or streams at most ${SMALL_SIZE_MAX} are sensible`,
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
