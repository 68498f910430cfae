import { writeFile } from 'node:fs/promises';
import { hostError } from '../base/errors.ts';

/** Writes a report for `--report=FILE`; nothing to do without that option, or without a report. */
export async function saveReport(file: string | null, report: unknown): Promise<void> {
	if (file === null || report === null) return;
	try {
		await writeFile(file, `${JSON.stringify(report)}\n`);
	} catch (error) {
		throw hostError(`Cannot write the report "${file}"`, error, { path: file });
	}
}
