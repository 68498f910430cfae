#!/usr/bin/env node
import { CanceledError, ExitCode, UnsupportedError } from './base/errors.ts';
import { errorText } from './cli/print-error.ts';
import { runCommandLine } from './cli/run.ts';

const abort = new AbortController();
let interrupts = 0;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
	process.on(signal, () => {
		// The first one stops the work cleanly; a second one does not wait for that.
		if (++interrupts > 1) process.exit(ExitCode.canceled);
		abort.abort(new CanceledError());
	});

const task = await runCommandLine({
	program: process.argv[1] ?? 'wimdeck',
	argv: process.argv.slice(2),
	environment: process.env,
	stdin: process.stdin,
	stdout: process.stdout,
	stderr: process.stderr,
	signal: abort.signal,
});
if (typeof task === 'number') process.exitCode = task;
else {
	process.stderr.write(errorText(new UnsupportedError('The deck is not part of this version')));
	process.exitCode = ExitCode.unsupported;
}
