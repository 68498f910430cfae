import type { VerifyReport } from '../../operations/verify-report.ts';
import type { Handler } from '../context.ts';
import { runOnlyJob } from '../job.ts';
import { verifyRequest } from '../requests.ts';
import { saveReport } from '../saved-report.ts';
import { verifyText } from '../verify-text.ts';

export const verify: Handler = async (invocation, context) => {
	const { options } = invocation;
	let saved: VerifyReport | null = null;
	const exitCode = await runOnlyJob<VerifyReport>(
		{
			request: verifyRequest(invocation),
			options,
			// The report names each fault once, with its files.
			tellProblems: context.quiet,
			print: async (report, { out }) => {
				await out.write(verifyText(report, out.show));
			},
			onResult: (report) => {
				saved = report;
			},
		},
		context,
	);
	await saveReport(options.text('report'), saved);
	return exitCode;
};
