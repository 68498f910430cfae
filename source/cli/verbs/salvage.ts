import { ExitCode } from '../../base/errors.ts';
import {
	formatReport,
	isComplete,
	ROWS_ON_SCREEN,
	type SalvageReport,
} from '../../operations/salvage/report.ts';
import type { Handler } from '../context.ts';
import { writeReport } from '../fold.ts';
import { runOnlyJob } from '../job.ts';
import { salvageRequest } from '../requests.ts';
import { reportFile, saveReport } from '../side-file.ts';

export const salvage: Handler = async (invocation, context) => {
	const { options } = invocation;
	const request = salvageRequest(invocation);
	const made = request.toWim || request.dryRun ? null : request.target;
	const place = await reportFile(options.text('report'), [request.wim], made);
	let saved: SalvageReport | null = null;
	const exitCode = await runOnlyJob<SalvageReport>(
		{
			request,
			options,
			// The report names each file once, with what became of it.
			tellProblems: context.quiet,
			exitCode: (report) => (isComplete(report) ? ExitCode.done : ExitCode.problems),
			onResult: (report) => {
				saved = report;
			},
			print: async (report, { out }) => {
				await writeReport(formatReport(report, ROWS_ON_SCREEN), out);
				const rows = [report.partial, report.lost, report.unnamed];
				if (rows.every(({ length }) => length <= ROWS_ON_SCREEN)) return;
				const { wim, toWim, dryRun } = request;
				const where =
					toWim || dryRun
						? `wimdeck salvage ${wim} ... --report=FILE writes the whole list.`
						: `The whole list is in ${report.target}/wimdeck-salvage.txt.`;
				await writeReport(`${out.show(where)}\n`, out);
			},
		},
		context,
	);
	await saveReport(place, saved);
	return exitCode;
};
