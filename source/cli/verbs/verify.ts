import { writeFile } from 'node:fs/promises';
import { hostError } from '../../base/errors.ts';
import type { VerifyReport } from '../../operations/verify-report.ts';
import type { Handler } from '../context.ts';
import { runOnlyJob } from '../job.ts';
import { verifyRequest } from '../requests.ts';
import { verifyText } from '../verify-text.ts';

export const verify: Handler = async (invocation, context) => {
	const { options } = invocation;
	const file = options.text('report');
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
	if (file !== null && saved !== null)
		try {
			await writeFile(file, `${JSON.stringify(saved)}\n`);
		} catch (error) {
			throw hostError(`Cannot write the report "${file}"`, error, { path: file });
		}
	return exitCode;
};
