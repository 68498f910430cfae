import { ExitCode, InputError } from '../../base/errors.ts';
import type { VerifyReport } from '../../operations/verify/verify-report.ts';
import type { Context, Handler } from '../context.ts';
import { writeReport } from '../fold.ts';
import { runOnlyJob } from '../job.ts';
import { mapText } from '../map-text.ts';
import type { Options } from '../parse.ts';
import { verifyRequest } from '../requests.ts';
import { reportFile, saveReport } from '../side-file.ts';
import { verifyText } from '../verify-text.ts';

async function print(report: VerifyReport, options: Options, { out }: Context): Promise<void> {
	await writeReport(verifyText(report, out.show), out);
	if (options.has('map')) await out.write(`\n${mapText(report, out.show)}`);
}

/** Nothing is checked for a saved report, so nothing can say how. */
const CHECKS = ['fast', 'ref', 'check', 'include-integrity', 'no-check', 'report'] as const;

function refuseChecks(options: Options): void {
	const given = CHECKS.find((name) => options.has(name));
	if (given !== undefined)
		throw new InputError(
			`Option --${given} does not go with --load: that shows a report and checks nothing`,
			{ hint: 'Leave one of the two out.' },
		);
}

/**
 * What a report means for whoever started it. A file that this program does not support is not damaged for that: as with
 * every other verb, and only as long as nothing else is wrong with it.
 */
function exitCodeFor({ faults }: VerifyReport): number {
	const errors = faults.filter(({ severity }) => severity === 'error');
	if (errors.length === 0) return ExitCode.done;
	return errors.every(({ code }) => code === 'unsupported')
		? ExitCode.unsupported
		: ExitCode.problems;
}

/** Shows a report that was saved before. */
async function showSaved(file: string, options: Options, context: Context): Promise<number> {
	const { loadVerifyReport } = await import('../../jobs/load-report.ts');
	const report = await loadVerifyReport(file);
	const errors = report.faults.filter(({ severity }) => severity === 'error').length;
	const exitCode = exitCodeFor(report);
	const { json, quiet, out } = context;
	if (json)
		out.line(
			JSON.stringify({
				verb: 'verify',
				state: errors > 0 ? 'problems' : 'done',
				exitCode,
				problems: errors,
				warnings: report.faults.length - errors,
				elapsedMs: 0,
				error: null,
				result: report,
			}),
		);
	else if (!quiet) await print(report, options, context);
	return exitCode;
}

export const verify: Handler = async (invocation, context) => {
	const { options } = invocation;
	const file = options.text('load');
	if (file !== null) {
		refuseChecks(options);
		return showSaved(file, options, context);
	}
	const request = verifyRequest(invocation);
	const place = await reportFile(options.text('report'), [request.wim]);
	let saved: VerifyReport | null = null;
	const exitCode = await runOnlyJob<VerifyReport>(
		{
			request,
			options,
			// The report names each fault once, with its files.
			tellProblems: context.quiet,
			print: (report) => print(report, options, context),
			exitCode: exitCodeFor,
			onResult: (report) => {
				saved = report;
			},
		},
		context,
	);
	await saveReport(place, saved);
	return exitCode;
};
