import { FormatError, hostError } from '../base/errors.ts';
import { formatSize } from '../base/print.ts';
import type { VerifyReport } from '../operations/verify/verify-report.ts';
import { parseVerifyReport, requireUnchanged } from '../operations/verify/verify-saved.ts';
import { hostFs } from '../storage/host-fs.ts';

/** A report on half a million damaged files is below this. */
const REPORT_SIZE_MAX = 512 << 20;

/**
 * Loads results of `verify` that were saved before.
 *
 * @throws {FormatError} when the file holds no such report
 * @throws {InputError} when what was checked has changed since, or is gone
 */
export async function loadVerifyReport(file: string): Promise<VerifyReport> {
	let json: string;
	try {
		const { size } = await hostFs.stat(file);
		if (size > REPORT_SIZE_MAX)
			throw new FormatError(`Cannot show "${file}": no report has ${formatSize(size)} bytes`, {
				path: file,
			});
		json = await hostFs.readFile(file, 'utf8');
	} catch (error) {
		throw hostError(`Cannot read "${file}"`, error, { path: file });
	}
	const report = parseVerifyReport(json, file);
	await requireUnchanged(report, file);
	return report;
}
