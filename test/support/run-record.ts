/** What a run is told and tells when it is recorded. */
import type { RunControl } from '../../source/jobs/journal.ts';
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
