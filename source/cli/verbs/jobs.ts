import { ExitCode, HostError, InputError } from '../../base/errors.ts';
import { formatSize, printable } from '../../base/print.ts';
import type { ControlWord, Journal, LogLine, RunRecord } from '../../jobs/journal.ts';
import { cleanLeftovers } from '../../jobs/leftovers.ts';
import type { Context, Handler } from '../context.ts';
import { followAll, followJob } from '../follow-jobs.ts';
import { runJson, runLine } from '../job-text.ts';
import { parseCount } from '../values.ts';

const CONTROLS: readonly ControlWord[] = ['cancel', 'pause', 'resume'];

function logText(line: LogLine): string {
	const { facts, message } = line;
	const where = [facts.path, facts.region].filter((place) => place && !message.includes(place));
	const place = where.length > 0 ? ` (${where.join(', ')})` : '';
	return `  ${line.type === 'problem' ? '!' : '-'} ${printable(message + place)}`;
}

async function existing(journal: Journal, id: number): Promise<RunRecord> {
	const run = await journal.run(id);
	if (run === null)
		throw new InputError(`There is no job ${id}`, { hint: 'Run wimdeck jobs to list them.' });
	return run;
}

/** Clears away what a killed run left, and says what that was. */
async function clean(journal: Journal, run: RunRecord, context: Context): Promise<number> {
	if (run.state !== 'interrupted')
		throw new InputError(`Cannot clean up after job ${run.id}: it was not killed`);
	const { signal, clock, out } = context;
	const removed = await cleanLeftovers(run.request, {
		signal,
		clock,
		report: () => {},
		paused: () => null,
	});
	await journal.clear(run.id);
	if (context.json) out.line(JSON.stringify({ cleaned: removed }));
	else if (removed.length === 0) out.line('It left nothing');
	else
		for (const { path, kind, size } of removed)
			out.line(
				kind === 'edit'
					? `taken back: a half-done edit of ${printable(path)}`
					: `removed: ${printable(path)} (${formatSize(size)})`,
			);
	return ExitCode.done;
}

export const jobs: Handler = async ({ given, options }, context) => {
	const { out, json } = context;
	const journal = await context.journal();
	const id = given[0] == null ? null : parseCount(given[0], 'the number of the job');
	if (journal === null) {
		if (id !== null || options.has('clear'))
			throw new HostError('Cannot read the journal of jobs: its folder cannot be used', {
				hint: 'Set XDG_STATE_HOME to a folder that can be written.',
			});
		if (json) out.line(JSON.stringify({ jobs: [] }));
		else context.err('No jobs: the folder of their journal cannot be used.\n');
		return ExitCode.done;
	}
	if (options.has('clear')) {
		if (id !== null && (await existing(journal, id)).state === 'running')
			throw new InputError(`Cannot forget job ${id}: it is running`, {
				hint: `Run wimdeck jobs ${id} --cancel first.`,
			});
		const count = await journal.clear(id);
		if (json) out.line(JSON.stringify({ cleared: count }));
		else if (!context.quiet) out.line(`${count} forgotten`);
		return ExitCode.done;
	}
	if (id === null) {
		if ((['cancel', 'pause', 'resume', 'clean'] as const).some((name) => options.has(name)))
			throw new InputError('Name the job', { hint: 'Run wimdeck jobs to list them.' });
		if (options.has('follow')) return followAll(journal, context);
		const runs = await journal.runs();
		if (json) out.line(JSON.stringify({ jobs: runs.map(runJson) }));
		else if (runs.length === 0) context.err('No jobs.\n');
		else for (const run of runs) out.line(runLine(run));
		return ExitCode.done;
	}
	const run = await existing(journal, id);
	if (options.has('clean')) return clean(journal, run, context);
	const word = CONTROLS.find((name) => options.has(name));
	if (word !== undefined) {
		if (run.state !== 'running')
			throw new InputError(`Cannot ${word} job ${id}: it is not running`);
		if (!(await journal.control(id, word)))
			throw new HostError(`Cannot ${word} job ${id}: the journal cannot be written`);
		if (!options.has('follow')) {
			const asked = { cancel: 'stop', pause: 'wait', resume: 'go on' }[word];
			if (json) out.line(JSON.stringify({ id, asked: word }));
			else if (!context.quiet) context.err(`Job ${id} was asked to ${asked}.\n`);
			return ExitCode.done;
		}
	}
	if (options.has('follow')) return followJob(() => existing(journal, id), context);
	const log = await journal.log(id);
	if (json) out.line(JSON.stringify({ ...runJson(run), log }));
	else {
		out.line(runLine(run));
		for (const line of log) out.line(logText(line));
	}
	return ExitCode.done;
};
