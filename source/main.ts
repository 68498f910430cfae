#!/usr/bin/env node
import {
	CanceledError,
	ExitCode,
	exitCodeOf,
	InputError,
	UnsupportedError,
} from './base/errors.ts';
import { errorText } from './cli/print-error.ts';
import { runCommandLine } from './cli/run.ts';

const abort = new AbortController();
let interrupts = 0;
const onSignal = () => {
	// The first one stops the work cleanly; a second one does not wait for that.
	if (++interrupts > 1) process.exit(ExitCode.canceled);
	abort.abort(new CanceledError());
};
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
for (const signal of SIGNALS) process.on(signal, onSignal);

/** Opens the deck, or says why it cannot be opened here; nothing of Ink is loaded to find that out. */
async function openDeck(): Promise<number> {
	const { probe } = await import('./tui/terminal/probe.ts');
	const profile = probe({
		env: process.env,
		platform: process.platform,
		stdinIsTerminal: process.stdin.isTTY === true,
		stdoutIsTerminal: process.stdout.isTTY === true,
	});
	if ('refused' in profile) throw new InputError(profile.refused);
	throw new UnsupportedError('The deck is not part of this version');
}

try {
	const task = await runCommandLine({
		program: process.argv[1] ?? 'wimdeck',
		argv: process.argv.slice(2),
		environment: process.env,
		stdin: process.stdin,
		stdout: process.stdout,
		stderr: process.stderr,
		signal: abort.signal,
	});
	process.exitCode = typeof task === 'number' ? task : await openDeck();
} catch (error) {
	process.stderr.write(errorText(error));
	process.exitCode = exitCodeOf(error);
}
