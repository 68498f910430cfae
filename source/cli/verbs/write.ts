/** The verbs that write WIMs: each builds its request, and all run and print alike. */

import { stat } from 'node:fs/promises';
import type { WriteResult } from '../../jobs/perform-write.ts';
import type { JobRequest } from '../../jobs/request.ts';
import type { CaptureSummary } from '../../operations/capture/capture.ts';
import type { DiffSummary } from '../../operations/diff/diff.ts';
import type { Context, Handler } from '../context.ts';
import { runOnlyJob } from '../job.ts';
import type { Invocation } from '../parse.ts';
import { captureText, diffLine, diffTotals, writeText } from '../summaries.ts';
import {
	appendRequest,
	captureRequest,
	deleteRequest,
	diffRequest,
	diffSide,
	exportRequest,
	joinRequest,
	optimizeRequest,
	splitRequest,
	undoRequest,
	updateRequest,
} from '../write-requests.ts';

/** Runs a request whose result is a short summary. */
export function runWriting(
	request: JobRequest,
	{ options }: Invocation,
	context: Context,
): Promise<number> {
	return runOnlyJob<WriteResult>(
		{
			request,
			options,
			outputTaken: request.verb === 'export' && request.target === '-' && !request.dryRun,
			print: async (result, { out }) => {
				await out.write(writeText(result, request, out.show));
			},
		},
		context,
	);
}

const capturing =
	(build: typeof captureRequest | typeof appendRequest): Handler =>
	async (invocation, context) => {
		const request = await build(invocation, context);
		return runOnlyJob<CaptureSummary>(
			{
				request,
				options: invocation.options,
				outputTaken: request.target === '-' && !request.dryRun,
				print: async (summary, { out }) => {
					await out.write(captureText(summary, request, out.show));
				},
			},
			context,
		);
	};

const writing =
	(
		build: (invocation: Invocation, context: Context) => JobRequest | Promise<JobRequest>,
	): Handler =>
	async (invocation, context) =>
		runWriting(await build(invocation, context), invocation, context);

export const capture = capturing(captureRequest);
export const append = capturing(appendRequest);
export const update = writing(updateRequest);
export const deleteImage = writing(deleteRequest);
export const exportImage = writing(exportRequest);
export const split = writing(splitRequest);
export const join = writing(joinRequest);
export const optimize = writing(optimizeRequest);
export const undo = writing(undoRequest);

async function isFolder(name: string): Promise<boolean> {
	return stat(name).then(
		(found) => found.isDirectory(),
		() => false,
	);
}

export const diff: Handler = async ({ given, options }, context) => {
	const references = options.list('ref');
	const side = async (name: string) => diffSide(name, await isFolder(name), references);
	const [before = '', after = ''] = given.map((name) => name ?? '');
	return runOnlyJob<DiffSummary>(
		{
			request: diffRequest(await side(before), await side(after), options),
			options,
			print: async (summary, { out }) => {
				for (const change of summary.changes) await out.line(diffLine(change, out.show));
				out.line(diffTotals(summary));
			},
		},
		context,
	);
};
