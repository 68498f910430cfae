/** From a request to the operation: loads the code of its verb, opens what it names, hands over the tools. */

import type { Run } from '../base/run.ts';
import type { JobRequest } from './request.ts';
import type { Performer } from './run-job.ts';
import type { JobTools } from './tools.ts';

/** Performs requests with these tools; see `runJob`. What each verb returns is its operation's summary. */
export function performWith(tools: JobTools): Performer<JobRequest, unknown> {
	return (request, run) => perform(request, tools, run);
}

async function perform(request: JobRequest, tools: JobTools, run: Run): Promise<unknown> {
	switch (request.verb) {
		case 'verify':
			return (await import('./perform-verify.ts')).performVerify(request, tools, run);
		case 'extract':
			return (await import('./perform-extract.ts')).performExtract(request, tools, run);
		case 'apply':
			return (await import('./perform-extract.ts')).performApply(request, tools, run);
		case 'salvage':
			return (await import('./perform-salvage.ts')).performSalvage(request, tools, run);
		case 'repair':
			return (await import('./perform-repair.ts')).performRepair(request, tools, run);
		case 'mount':
			return (await import('./perform-mount.ts')).performMount(request, tools, run);
		case 'capture':
			return (await import('./perform-capture.ts')).performCapture(request, tools, run);
		case 'append':
			return (await import('./perform-capture.ts')).performAppend(request, tools, run);
		case 'update':
		case 'edit':
		case 'delete':
		case 'export':
		case 'split':
		case 'join':
		case 'optimize':
		case 'undo':
		case 'diff':
			return (await import('./perform-write.ts')).performWrite(request, tools, run);
	}
}
