import { ExitCode } from '../../base/errors.ts';
import { isRepaired, type RepairReport } from '../../operations/repair/report.ts';
import type { Handler } from '../context.ts';
import { writeReport } from '../fold.ts';
import { runOnlyJob } from '../job.ts';
import { repairText } from '../repair-text.ts';
import { repairRequest } from '../requests.ts';
import { reportFile, saveReport } from '../side-file.ts';

export const repair: Handler = async (invocation, context) => {
	const { options } = invocation;
	const request = await repairRequest(invocation);
	const read = [request.wim, ...request.donors, ...request.references];
	const place = await reportFile(options.text('report'), read);
	let saved: RepairReport | null = null;
	const exitCode = await runOnlyJob<RepairReport>(
		{
			request,
			options,
			// The report names each file once, with what became of it.
			tellProblems: context.quiet,
			exitCode: (report) => (isRepaired(report) ? ExitCode.done : ExitCode.problems),
			onResult: (report) => {
				saved = report;
			},
			print: async (report, { out }) => {
				await writeReport(repairText(report, out.show), out);
			},
		},
		context,
	);
	await saveReport(place, saved);
	return exitCode;
};
