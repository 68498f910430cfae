import { setTimeout as wait } from 'node:timers/promises';
import {
	CanceledError,
	ExitCode,
	fromWire,
	HostError,
	InputError,
	WimError,
} from '../../base/errors.ts';
import { formatDuration, printable } from '../../base/print.ts';
import type { Journal, LogLine, RunRecord } from '../../jobs/journal.ts';
import type { Context, Handler } from '../context.ts';
import { errorText, placeOf } from '../print-error.ts';
import { progressText } from '../progress.ts';
import { parseCount } from '../values.ts';

const FOLLOW_MS = 500;

const STATES: Readonly<Record<RunRecord['state'], string>> = {
	running: 'running',
	done: 'done',
	problems: 'problems',
	failed: 'failed',
	canceled: 'canceled',
	interrupted: 'interrupted',
};

/** `2026-11-24 13:41` in the time zone of the machine. */
function localTime(ms: number): string {
	const date = new Date(ms - new Date(ms).getTimezoneOffset() * 60_000);
	return date.toISOString().slice(0, 16).replace('T', ' ');
}

/** What there is to say about a run beside its title. */
function remark(run: RunRecord): string {
	if (run.state === 'running')
		return run.progress === null ? 'starting' : progressText(run.progress);
	if (run.state === 'interrupted')
		return 'its process is gone; what it was writing is cleaned up by the next run on the same file';
	const took = run.endedAt === null ? '' : `in ${formatDuration(run.endedAt - run.startedAt)}`;
	const notes = [took];
	if (run.problems > 0) notes.push(`${run.problems} damaged or skipped`);
	if (run.warnings > 0) notes.push(`${run.warnings} notes`);
	if (run.error !== null && run.state === 'failed') notes.push(run.error.message);
	return notes.filter((note) => note !== '').join(', ');
}

function lineOf(run: RunRecord): string {
	const columns = [
		String(run.id).padStart(4),
		localTime(run.startedAt),
		STATES[run.state].padEnd(11),
		`${printable(run.title)}  ${printable(remark(run))}`,
	];
	return columns.join('  ').trimEnd();
}

function logText(line: LogLine): string {
	const { facts, message } = line;
	const where = [facts.path, facts.region].filter((place) => place && !message.includes(place));
	const place = where.length > 0 ? ` (${where.join(', ')})` : '';
	return `  ${line.type === 'problem' ? '!' : '-'} ${printable(message + place)}`;
}

/** The keys are only ever added to. */
function runJson(run: RunRecord): Readonly<Record<string, unknown>> {
	return {
		id: run.id,
		state: run.state,
		title: run.title,
		request: run.request,
		pid: run.pid,
		startedAt: new Date(run.startedAt).toISOString(),
		endedAt: run.endedAt === null ? null : new Date(run.endedAt).toISOString(),
		exitCode: run.exitCode,
		error: run.error === null ? null : { code: run.error.code, message: run.error.message },
		problems: run.problems,
		warnings: run.warnings,
		progress: run.progress,
	};
}

async function existing(journal: Journal, id: number): Promise<RunRecord> {
	const run = await journal.run(id);
	if (run === null)
		throw new InputError(`There is no job ${id}`, { hint: 'Run wimdeck jobs to list them.' });
	return run;
}

/** Shows a job until it ends; gives its exit code. */
async function follow(journal: Journal, id: number, context: Context): Promise<number> {
	const { progress, signal, out } = context;
	const printer = progress.style === 'none' ? null : progress.target;
	for (;;) {
		const run = await existing(journal, id);
		if (run.state !== 'running') {
			printer?.write('\r\u001b[K');
			out.line(context.json ? JSON.stringify(runJson(run)) : lineOf(run));
			if (run.error !== null) {
				const error = fromWire(run.error);
				if (error instanceof WimError && placeOf(error) !== '') context.err(errorText(error));
			}
			return run.exitCode ?? ExitCode.problems;
		}
		const text = `${run.id}: ${printable(run.title)}  ${remark(run)}`;
		printer?.write(`\r${text.slice(0, Math.max(20, printer.columns()) - 1)}\u001b[K`);
		await wait(FOLLOW_MS, undefined, { signal }).catch(() => {
			printer?.write('\r\u001b[K');
			// The job goes on; only the watching ends.
			throw new CanceledError('Stopped following; the job goes on');
		});
	}
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
		if (options.has('cancel') || options.has('follow'))
			throw new InputError('Name the job', { hint: 'Run wimdeck jobs to list them.' });
		const runs = await journal.runs();
		if (json) out.line(JSON.stringify({ jobs: runs.map(runJson) }));
		else if (runs.length === 0) context.err('No jobs.\n');
		else for (const run of runs) out.line(lineOf(run));
		return ExitCode.done;
	}
	const run = await existing(journal, id);
	if (options.has('cancel')) {
		if (run.state !== 'running') throw new InputError(`Cannot cancel job ${id}: it is not running`);
		if (!(await journal.control(id, 'cancel')))
			throw new HostError(`Cannot cancel job ${id}: the journal cannot be written`);
		if (!options.has('follow')) {
			if (!context.quiet) context.err(`Job ${id} was asked to stop.\n`);
			return ExitCode.done;
		}
	}
	if (options.has('follow')) return follow(journal, id, context);
	const log = await journal.log(id);
	if (json) out.line(JSON.stringify({ ...runJson(run), log }));
	else {
		out.line(lineOf(run));
		for (const line of log) out.line(logText(line));
	}
	return ExitCode.done;
};
