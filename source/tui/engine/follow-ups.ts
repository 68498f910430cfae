/** What a form asked to be done once its job is. */

import { promises as fs } from 'node:fs';
import { hostError } from '../../base/errors.ts';
import type { JobRequest as EngineRequest } from '../../jobs/request.ts';
import type { JobRequest } from '../engine.ts';
import { hostPath, isOn, type Values } from './requests/values.ts';

/** The check of what was written, when the form asked for it. */
export function checkAfter(real: EngineRequest, values: Values): JobRequest | null {
	if (!isOn(values, 'verifyAfter')) return null;
	const wim = 'target' in real ? real.target : 'wim' in real ? real.wim : null;
	return wim === null ? null : { verb: 'verify', values: { wim, refs: [] } };
}

/**
 * Writes the result of a job as JSON where the form asked for it.
 *
 * @throws {HostError} also when something is there by now
 */
export async function saveReport(values: Values, result: unknown): Promise<void> {
	const file = hostPath(values, 'report');
	if (file === '') return;
	try {
		await fs.writeFile(file, `${JSON.stringify(result)}\n`, { flag: 'wx' });
	} catch (error) {
		throw hostError(`Cannot write the report "${file}"`, error, { path: file });
	}
}
