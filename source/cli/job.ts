/** Runs one request as the only job of the process: progress, journal, result, exit code. */

import { InputError } from '../base/errors.ts';
import type { JobRequest } from '../jobs/request.ts';
import { type JobOutcome, runJob } from '../jobs/run-job.ts';
import type { JobTools } from '../jobs/tools.ts';
import type { Context } from './context.ts';
import type { Options } from './parse.ts';
import { errorJson } from './print-error.ts';
import { ProgressPrinter } from './progress.ts';
import { parseCount } from './values.ts';

/** What a verb adds to the running of its request. */
export interface JobPlan<Result> {
	readonly request: JobRequest;
	readonly options: Options;
	/** Standard output carries a file: nothing else may go there. */
	readonly outputTaken?: boolean;
	readonly onFault?: JobTools['onFault'];
	readonly onMounted?: JobTools['onMounted'];
	/** The text of the result; for `--quiet` it is not asked for. */
	readonly print: (result: Result, context: Context) => Promise<void> | void;
	/** The result as JSON; the result itself when absent. */
	readonly json?: (result: Result) => unknown;
	/** Told of the result however it is shown. */
	readonly onResult?: (result: Result) => void;
	/** The exit code when the result weighs more than the problems that were told. */
	readonly exitCode?: (result: Result) => number;
	/** Says each problem when it is met; false when the result says them all. */
	readonly tellProblems?: boolean;
}

/**
 * Runs the job.
 *
 * @returns the exit code
 * @throws what ended the job before its end
 */
export async function runOnlyJob<Result>(plan: JobPlan<Result>, context: Context): Promise<number> {
	const { request, options } = plan;
	const { progress, clock, signal, quiet, out, json } = context;
	if (json && plan.outputTaken)
		throw new InputError('Option --json has nowhere to print: standard output carries the WIM', {
			hint: 'Leave --json out, or name a file; --progress=json goes to standard error.',
		});
	if (plan.outputTaken) out.reserve();
	const threads = options.text('threads');
	const [{ openTools }, { performWith }] = await Promise.all([
		import('../jobs/open-tools.ts'),
		import('../jobs/perform.ts'),
	]);
	await using tools = openTools({
		threads: threads === null ? null : parseCount(threads, '--threads'),
		get input() {
			return context.input;
		},
		output: plan.outputTaken ? out.stream : null,
		onFault: plan.onFault ?? (() => {}),
		onMounted: plan.onMounted ?? (() => {}),
	});
	const printer = new ProgressPrinter(progress.target, {
		style: progress.style,
		verb: request.verb,
		quiet,
	});
	const outcome = (await runJob(
		request,
		{
			signal,
			clock,
			journal: context.journal(),
			onProgress: (now) => printer.show(now),
			onEvent: (event) => {
				if (event.type === 'warning' || plan.tellProblems !== false || progress.style === 'json')
					printer.event(event);
			},
		},
		performWith(tools),
	)) as JobOutcome<Result>;
	printer.end();
	if (outcome.result !== null) plan.onResult?.(outcome.result);
	const heavier = outcome.result === null ? 0 : (plan.exitCode?.(outcome.result) ?? 0);
	const exitCode = Math.max(outcome.exitCode, heavier);
	if (json) out.line(JSON.stringify(outcomeJson(plan, outcome, exitCode)));
	if (outcome.result === null) throw outcome.error;
	if (!json && !quiet && !plan.outputTaken) await plan.print(outcome.result, context);
	return exitCode;
}

/** One object for every verb; keys are only ever added. */
function outcomeJson<Result>(
	plan: JobPlan<Result>,
	outcome: JobOutcome<Result>,
	exitCode: number,
): unknown {
	const { state, error, problems, warnings, result } = outcome;
	return {
		verb: plan.request.verb,
		state,
		exitCode,
		problems,
		warnings,
		elapsedMs: Math.round(outcome.elapsedMs),
		error: error === null ? null : errorJson(error),
		result: result === null ? null : plan.json === undefined ? result : plan.json(result),
	};
}
