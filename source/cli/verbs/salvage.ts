import { ExitCode } from '../../base/errors.ts';
import { formatReport, isComplete, type SalvageReport } from '../../operations/salvage/report.ts';
import type { Handler } from '../context.ts';
import { writeReport } from '../fold.ts';
import { runOnlyJob } from '../job.ts';
import { salvageRequest } from '../requests.ts';
import { saveReport } from '../saved-report.ts';

export const salvage: Handler = async (invocation, context) => {
	const { options } = invocation;
	let saved: SalvageReport | null = null;
	const exitCode = await runOnlyJob<SalvageReport>(
		{
			request: salvageRequest(invocation),
			options,
			// The report names each file once, with what became of it.
			tellProblems: context.quiet,
			exitCode: (report) => (isComplete(report) ? ExitCode.done : ExitCode.problems),
			onResult: (report) => {
				saved = report;
			},
			print: async (report, { out }) => {
				await writeReport(formatReport(report), out);
			},
		},
		context,
	);
	await saveReport(options.text('report'), saved);
	return exitCode;
};
