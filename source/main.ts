import { CanceledError, ExitCode, exitCodeOf, WimError } from './base/errors.ts';
import { commandWords } from './cli/command-words.ts';
import { errorText } from './cli/print-error.ts';
import { runCommandLine, type Task } from './cli/run.ts';

const argv = commandWords(process.argv.slice(2));
const abort = new AbortController();
let interrupts = 0;
const onSignal = () => {
	// The first one stops the work cleanly; a second one does not wait for that.
	if (++interrupts > 1) process.exit(ExitCode.canceled);
	abort.abort(new CanceledError());
};
// SIGBREAK is Ctrl+Break of Windows; elsewhere nothing sends it.
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGBREAK'] as const;
for (const signal of SIGNALS) process.on(signal, onSignal);

/** What no one caught is a bug of ours, wherever it came from. */
const onDefect = (error: unknown) => {
	process.stderr.write(
		errorText(error instanceof WimError ? new Error(error.message, { cause: error }) : error),
	);
	process.exit(ExitCode.defect);
};
process.on('uncaughtException', onDefect);

/** Opens the deck; Ink is loaded only then, and only when there is a terminal for it. */
async function openDeck(task: Extract<Task, { type: 'deck' }>): Promise<number> {
	const { deckSwitches } = await import('./cli/deck-options.ts');
	const switches = await deckSwitches(task.options, argv);
	const { runDeck } = await import('./tui/deck.ts');
	// From here on the deck answers signals and defects itself.
	for (const signal of SIGNALS) process.off(signal, onSignal);
	process.off('uncaughtException', onDefect);
	return runDeck({ ...switches, path: task.path });
}

async function main(): Promise<void> {
	try {
		const task = await runCommandLine({
			program: process.argv[1] ?? 'wimdeck',
			argv,
			environment: process.env,
			// Making a stream takes as long as reading a header.
			get stdin() {
				return process.stdin;
			},
			get stdout() {
				return process.stdout;
			},
			get stderr() {
				return process.stderr;
			},
			signal: abort.signal,
		});
		process.exitCode = typeof task === 'number' ? task : await openDeck(task);
	} catch (error) {
		process.stderr.write(errorText(error));
		process.exitCode = exitCodeOf(error);
	}
}

// Not awaited: the bundle is no ES module.
void main();
