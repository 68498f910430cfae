/** What a run is told and tells when it is recorded. */
import type { TestContext } from 'node:test';
import type { Journal, RunControl, RunLog } from '../../source/jobs/journal.ts';
import type { JobRequest } from '../../source/jobs/request.ts';
import type { JobOutcome } from '../../source/jobs/run-job.ts';

/** Of a run that nobody stops. */
export const IDLE: RunControl = { cancel: () => {}, hold: () => {}, isPaused: () => false };

/** Of a run with nothing to tell. */
export const DONE: JobOutcome<null> = {
	state: 'done',
	exitCode: 0,
	result: null,
	error: null,
	problems: 0,
	warnings: 0,
	elapsedMs: 0,
};

/** A run on record that has ended by the end of the test, with its files closed. */
export async function begun(
	t: TestContext,
	journal: Journal,
	request: JobRequest,
	control: RunControl = IDLE,
): Promise<RunLog | null> {
	const log = await journal.begin(request, control);
	t.after(() => log?.finish(DONE));
	return log;
}
