/**
 * Reads a new file back before it gets its name: every structure, every tree, every content by its SHA-1. What people rescue
 * they will rely on, and the damaged file may be gone by the time they look.
 */
import { DigestError } from '../../base/errors.ts';
import { plural } from '../../base/print.ts';
import type { Run } from '../../base/run.ts';
import type { Pool } from '../../pool/pool.ts';
import { openWim } from '../../wim/wim.ts';
import { poolBlobChecker } from '../verify/pool-blob-checker.ts';
import { verify } from '../verify/verify.ts';

/** What was read back and found good. */
export interface ReadBack {
	readonly blobCount: number;
	/** Original bytes of them. */
	readonly bytes: number;
}

/**
 * @param written where it stands for now
 * @param target the name that it is to get
 * @throws {DigestError} when it is not what it should be
 */
export async function checkWritten(
	written: string,
	target: string,
	imageCount: number,
	pool: Pool,
	run: Run,
): Promise<ReadBack> {
	// Its faults end the job; they are not faults of the file that was asked about.
	const quiet: Run = {
		...run,
		report: (event) => {
			if (event.type !== 'problem' && event.type !== 'warning') run.report(event);
		},
	};
	await using wim = await openWim(written, { tolerant: true });
	const options = { integrity: true, fast: false };
	const { faults, coverage } = await verify(wim, options, poolBlobChecker(pool), quiet);
	const errors = faults.filter(({ severity }) => severity === 'error');
	const isShort = coverage.imagesRead !== imageCount || coverage.images !== imageCount;
	if (errors.length === 0 && !isShort)
		return { blobCount: coverage.blobsChecked, bytes: coverage.blobBytesChecked };
	const what = errors[0]?.message ?? `it holds ${plural(coverage.imagesRead, 'image')}`;
	throw new DigestError(
		`Cannot write "${target}": reading it back showed ${plural(Math.max(1, errors.length), 'fault')}: ${what}`,
		{
			path: target,
			hint: 'Nothing was kept under that name. Try another disk; if it happens there too, report it.',
		},
	);
}
