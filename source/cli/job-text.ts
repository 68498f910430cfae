/** Runs of the journal as lines and as JSON. */

import { formatDuration, printable } from '../base/print.ts';
import type { RunRecord } from '../jobs/journal.ts';
import { progressText } from './progress.ts';

/** `2026-11-24 13:41` in the time zone of the machine. */
function localTime(ms: number): string {
	const date = new Date(ms - new Date(ms).getTimezoneOffset() * 60_000);
	return date.toISOString().slice(0, 16).replace('T', ' ');
}

/** What there is to say about a run beside its title. */
export function runRemark(run: RunRecord): string {
	if (run.state === 'running') {
		if (run.progress === null) return 'starting';
		return run.isPaused ? `${progressText(run.progress)}, paused` : progressText(run.progress);
	}
	if (run.state === 'interrupted')
		return `its process is gone; wimdeck jobs ${run.id} --clean removes what it left`;
	const took = run.endedAt === null ? '' : `in ${formatDuration(run.endedAt - run.startedAt)}`;
	const notes = [took];
	if (run.problems > 0) notes.push(`${run.problems} damaged or skipped`);
	if (run.warnings > 0) notes.push(`${run.warnings} notes`);
	if (run.error !== null && run.state === 'failed') notes.push(run.error.message);
	return notes.filter((note) => note !== '').join(', ');
}

export function runLine(run: RunRecord): string {
	const columns = [
		String(run.id).padStart(4),
		localTime(run.startedAt),
		run.state.padEnd(11),
		`${printable(run.title)}  ${printable(runRemark(run))}`,
	];
	return columns.join('  ').trimEnd();
}

/** The keys are only ever added to. */
export function runJson(run: RunRecord): Readonly<Record<string, unknown>> {
	return {
		id: run.id,
		state: run.state,
		paused: run.isPaused,
		title: run.title,
		request: run.request,
		// Commands or paths that are too many to stand in the request.
		leftOutCount: run.listCount ?? 0,
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
