import { DigestError, WimError } from '../../source/base/errors.ts';
import { throwIfCanceled } from '../../source/base/run.ts';
import { sha1 } from '../../source/bytes/sha1.ts';
import type { BlobChecker } from '../../source/operations/verify/verify.ts';
import { readWholeResource } from '../../source/wim/read-resource.ts';

/** Checks blobs one after another on the calling thread. */
export const simpleChecker: BlobChecker = {
	async check(blobs, onVerdict, run) {
		for (const blob of blobs) {
			const { resource, offsetInResource, size } = blob;
			throwIfCanceled(run);
			try {
				const end = offsetInResource + size;
				const bytes = await readWholeResource(resource, 1 << 28, offsetInResource, end);
				run.report({ type: 'advance', bytes: bytes.length });
				const isRight = sha1(bytes) === blob.sha1;
				onVerdict({
					blob,
					error: isRight ? null : new DigestError(`Blob ${blob.sha1} has another SHA-1`),
					lost: null,
				});
			} catch (error) {
				if (!(error instanceof WimError)) throw error;
				onVerdict({ blob, error, lost: null });
			}
		}
	},
};
