import { ExitCode } from '../../base/errors.ts';
import { isRepaired, type RepairReport } from '../../operations/repair/report.ts';
import type { Handler } from '../context.ts';
import { writeReport } from '../fold.ts';
import { runOnlyJob } from '../job.ts';
import { repairText } from '../repair-text.ts';
import { repairRequest } from '../requests.ts';
import { saveReport } from '../saved-report.ts';

export const repair: Handler = async (invocation, context) => {
	const { options } = invocation;
	let saved: RepairReport | null = null;
	const exitCode = await runOnlyJob<RepairReport>(
		{
			request: await repairRequest(invocation),
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
	await saveReport(options.text('report'), saved);
	return exitCode;
};
