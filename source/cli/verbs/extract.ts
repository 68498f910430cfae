import type { ExtractSummary } from '../../operations/extract/extract-run.ts';
import type { Handler } from '../context.ts';
import { runOnlyJob } from '../job.ts';
import { applyRequest, extractRequest } from '../requests.ts';
import { extractText } from '../summaries.ts';

export const extract: Handler = async (invocation, context) => {
	const request = await extractRequest(invocation, context);
	return runOnlyJob<ExtractSummary>(
		{
			request,
			options: invocation.options,
			outputTaken: request.target === '-',
			print: async (summary, { out }) => {
				await out.write(extractText(summary, request.target, request.dryRun, out.show));
			},
		},
		context,
	);
};

export const apply: Handler = async (invocation, context) => {
	const request = applyRequest(invocation);
	return runOnlyJob<ExtractSummary>(
		{
			request,
			options: invocation.options,
			print: async (summary, { out }) => {
				await out.write(extractText(summary, request.target, request.dryRun, out.show));
			},
		},
		context,
	);
};
