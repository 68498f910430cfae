import type { Run } from '../base/run.ts';
import { poolBlobWriter } from '../operations/extract/pool-blob-writer.ts';
import { salvageToWim } from '../operations/rescue/salvage-to-wim.ts';
import type { SalvageReport } from '../operations/salvage/report.ts';
import { salvage } from '../operations/salvage/salvage.ts';
import type { SalvageRequest } from './request.ts';
import type { JobTools } from './tools.ts';

export function performSalvage(
	request: SalvageRequest,
	{ pool, encoder }: JobTools,
	run: Run,
): Promise<SalvageReport> {
	if (request.toWim)
		return salvageToWim(request.wim, request.target, request, { pool, encoder }, run);
	const writerFor = (blobs: Parameters<typeof poolBlobWriter>[1]) => poolBlobWriter(pool, blobs);
	return salvage(request.wim, request.target, writerFor, request, run, pool);
}
