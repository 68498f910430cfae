import { endsWriting } from '../host/posix-target.ts';
import type { Pool } from '../pool/pool.ts';
import type { FileTarget } from '../storage/target-file.ts';
import type { BlobWriter, FileJob } from './extract-data.ts';
import { readBlobs } from './read-blobs.ts';

/** Writes files through the pool: the data side of extract and apply. */
export function poolBlobWriter(pool: Pool): BlobWriter {
	return {
		async writeFiles(jobs, { recoverData }, onOutcome, run) {
			const wanted = jobs.map(({ blob, files }) => ({ blob, targets: files.map(targetOf) }));
			const options = { recover: recoverData, verify: true, withBytes: false };
			await readBlobs(pool, wanted, options, run, (result) => {
				const { blob } = result.wanted;
				const [refused] = result.targetErrors.values();
				for (const error of result.targetErrors.values()) if (endsWriting(error)) throw error;
				const error = result.error ?? refused ?? null;
				const isKept = refused === undefined && (result.error === null || recoverData);
				onOutcome({ blob, error, isKept });
			});
		},
		async readSmall(blobs, onOutcome, run) {
			const wanted = blobs.map((blob) => ({ blob }));
			const options = { recover: false, verify: true, withBytes: true };
			await readBlobs(pool, wanted, options, run, ({ wanted: { blob }, error, bytes }) =>
				onOutcome({ blob, error, isKept: error === null }, bytes?.slice() ?? null),
			);
		},
	};
}

function targetOf({ path, times, isSparse }: FileJob['files'][number]): FileTarget {
	return { path, mode: null, owner: null, times, isSparse, replaces: true };
}
