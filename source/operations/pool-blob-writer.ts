import { FormatError, MissingError } from '../base/errors.ts';
import type { Sha1 } from '../bytes/sha1.ts';
import { endsWriting } from '../host/posix-target.ts';
import type { Pool } from '../pool/pool.ts';
import type { FileTarget } from '../storage/target-file.ts';
import type { Blob } from '../wim/resource.ts';
import {
	type BlobSink,
	type BlobWork,
	type BlobWriter,
	type ExtractBlob,
	type FileJob,
	SMALL_SIZE_MAX,
} from './extract-data.ts';
import { type BlobResult, readBlobs } from './read-blobs.ts';

/** One blob, and what of it was asked for. */
interface Job {
	readonly blob: Blob;
	readonly file: FileJob | null;
	readonly small: ExtractBlob | null;
	readonly targets: readonly FileTarget[];
	readonly wantsBytes: boolean;
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
		const targets = file?.files.map(targetOf) ?? [];
		jobs.push({ blob, file, small: wantsBytes ? small : null, targets, wantsBytes });
	}
	return jobs;
}

function tooLarge({ sha1, size, resource }: Blob): FormatError {
	return new FormatError(
		`Cannot read blob ${sha1} as reparse data: it has ${size} bytes, at most ${SMALL_SIZE_MAX} are possible`,
		{ region: resource.part.source.name, offset: resource.offset },
	);
}

function targetOf({ path, times, isSparse }: FileJob['files'][number]): FileTarget {
	return { path, mode: null, owner: null, times, isSparse };
}

function tell(result: BlobResult<Job>, sink: BlobSink): void {
	const { wanted, error, targetErrors, isKept, bytes } = result;
	const { file, small, targets } = wanted;
	if (file) {
		const refused = new Map<FileJob['files'][number], NonNullable<typeof error>>();
		for (const [k, target] of targets.entries()) {
			const refusal = targetErrors.get(target);
			const named = file.files[k];
			if (refusal === undefined || named === undefined) continue;
			if (endsWriting(refusal)) throw refusal;
			refused.set(named, refusal);
		}
		sink.fileWritten({ blob: file.blob, error, isKept, refused });
	}
	if (small) sink.smallRead({ blob: small, error }, error === null && bytes ? bytes.slice() : null);
}
