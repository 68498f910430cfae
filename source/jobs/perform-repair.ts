import type { Run } from '../base/run.ts';
import { repair } from '../operations/repair/repair.ts';
import type { RepairReport } from '../operations/repair/report.ts';
import type { RepairRequest } from './request.ts';
import type { JobTools } from './tools.ts';

export function performRepair(
	request: RepairRequest,
	{ pool, encoder }: JobTools,
	run: Run,
): Promise<RepairReport> {
	return repair(request.wim, request.target, request, { pool, encoder }, run);
}
