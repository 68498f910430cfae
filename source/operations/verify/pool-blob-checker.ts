import { isMemoryError } from '../../base/errors.ts';
import { mapped } from '../../base/list.ts';
import type { Pool } from '../../pool/pool.ts';
import { readBlobs } from '../read/read-blobs.ts';
import type { BlobChecker } from './verify.ts';

/** The data side of verify: lanes decode and hash every blob, and say which stretches are lost. */
export function poolBlobChecker(pool: Pool): BlobChecker {
	return {
		async check(blobs, onVerdict, run) {
			const wanted = mapped(blobs, (blob) => ({ blob }));
			const options = { recover: true, verify: true };
			await readBlobs(pool, wanted, options, run, ({ wanted: { blob }, error, badRanges }) => {
				// Too little memory to read a blob says nothing of it.
				if (isMemoryError(error)) throw error;
				onVerdict({ blob, error, lost: lostRanges(badRanges) });
			});
		},
	};
}

function lostRanges(ranges: readonly { readonly start: number; readonly end: number }[]) {
	if (ranges.length === 0) return null;
	return ranges.map(({ start, end }) => ({ offset: start, size: end - start }));
}
