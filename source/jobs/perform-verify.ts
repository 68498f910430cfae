import type { Run } from '../base/run.ts';
import { openForVerify } from '../operations/verify/open-for-verify.ts';
import { poolBlobChecker } from '../operations/verify/pool-blob-checker.ts';
import { verify } from '../operations/verify/verify.ts';
import type { VerifyReport } from '../operations/verify/verify-report.ts';
import { stampOf } from '../storage/file-stamp.ts';
import { expectWhole } from './expect-whole.ts';
import type { VerifyRequest } from './request.ts';
import type { JobTools } from './tools.ts';

export async function performVerify(
	request: VerifyRequest,
	{ pool, onFault, onGood }: JobTools,
	run: Run,
): Promise<VerifyReport> {
	const { references, integrity, fast } = request;
	if (!fast) await expectWhole(pool, request.wim);
	await using opened = await openForVerify(request.wim, references, pool, run);
	const { wim, failure } = opened;
	// Taken before anything is read: what changes meanwhile makes the report stale.
	const parts = [...wim.parts, ...wim.references];
	const files = await Promise.all(parts.map(({ source }) => stampOf(source.name)));
	const options = { integrity, fast, failure, files, ...(onGood ? { onGood } : {}) };
	return await verify(wim, options, poolBlobChecker(pool), run, onFault);
}
