import type { Run } from '../base/run.ts';
import { poolBlobChecker } from '../operations/pool-blob-checker.ts';
import { verify } from '../operations/verify.ts';
import type { VerifyReport } from '../operations/verify-report.ts';
import { openWim } from '../wim/wim.ts';
import type { VerifyRequest } from './request.ts';
import type { JobTools } from './tools.ts';

export async function performVerify(
	request: VerifyRequest,
	{ pool, onFault }: JobTools,
	run: Run,
): Promise<VerifyReport> {
	const { references, integrity, fast } = request;
	await using wim = await openWim(request.wim, { references, tolerant: true });
	return await verify(wim, { integrity, fast }, poolBlobChecker(pool), run, onFault);
}
