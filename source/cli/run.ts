/** The command line from arguments to exit code. */

import { readFileSync } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { ExitCode, endingError, exitCodeOf, HostError, InputError } from '../base/errors.ts';
import { printable } from '../base/print.ts';
import { machineClock } from '../jobs/clock.ts';
import { Journal } from '../jobs/journal.ts';
import { hostFs } from '../storage/host-fs.ts';
import { isVerb, type VerbName } from './commands.ts';
import type { Context } from './context.ts';
import { HANDLERS } from './handlers.ts';
import { helpText, verbHelp } from './help.ts';
import { Output, ReaderGone } from './output.ts';
import {
	ignoredOptions,
	Options,
	parseInvocation,
	splitWords,
	verbOfProgram,
	type Words,
} from './parse.ts';
import { errorJson, errorText, warningText } from './print-error.ts';
import { progressStyle } from './progress.ts';

/** What the process lends the command line. */
export interface Machine {
	/** The path the program was started by; its name may hold the verb. */
	readonly program: string;
	readonly argv: readonly string[];
	readonly environment: Readonly<Record<string, string | undefined>>;
	readonly stdin: Readable;
	readonly stdout: Writable;
	readonly stderr: Writable & { readonly isTTY?: boolean; readonly columns?: number };
	/** Aborted by Ctrl+C. */
	readonly signal: AbortSignal;
}

/** What a command line asks for, before anything is done. */
export type Task =
	| { readonly type: 'print'; readonly text: string }
	| { readonly type: 'verb'; readonly verb: VerbName; readonly words: Words }
	| { readonly type: 'deck'; readonly path: string | null; readonly options: Options };

/** The version of this program, from its package. */
export function versionText(): string {
	// Bundled to dist/wimdeck.js or compiled to dist/source/cli/run.js: the package is one or three folders up.
	for (const up of ['../package.json', '../../package.json', '../../../package.json'])
		try {
			const facts: unknown = JSON.parse(readFileSync(new URL(up, import.meta.url), 'utf8'));
			const { name, version } = facts as { name?: string; version?: string };
			if (name === 'wimdeck') return `wimdeck ${version} (Node ${process.version})\n`;
		} catch {
			// Not there: one folder further up.
		}
	return 'wimdeck\n';
}

/** What cannot be looked at, for want of permission or of a link's end, is there: opening it says why it cannot be. */
async function exists(path: string): Promise<boolean> {
	return hostFs.stat(path).then(
		() => true,
		({ code }: NodeJS.ErrnoException) => code === 'EACCES' || code === 'EPERM' || code === 'ELOOP',
	);
}

/** Hardly ever needed. */
const otherTools = () => import('./other-tools.ts');

/** Understands the words; throws `InputError`. */
export async function taskOf(program: string, argv: readonly string[]): Promise<Task> {
	let verb = verbOfProgram(program);
	const words = splitWords(argv, verb);
	const options = new Options(words.options);
	let { positional } = words;
	const [first] = positional;
	if (verb === null && first !== undefined) {
		if (first === 'help' && !(await exists(first))) {
			const topic = positional[1];
			if (topic === undefined) return { type: 'print', text: helpText() };
			if (isVerb(topic)) return { type: 'print', text: verbHelp(topic) };
			const { isOtherTool, otherToolHelp, unknownVerb } = await otherTools();
			if (!isOtherTool(topic)) throw unknownVerb(topic);
			return { type: 'print', text: otherToolHelp(topic) };
		}
		if (isVerb(first)) {
			verb = first;
			positional = positional.slice(1);
		}
	}
	if (options.has('version')) return { type: 'print', text: versionText() };
	if (options.has('help'))
		return { type: 'print', text: verb === null ? helpText() : verbHelp(verb) };
	if (verb !== null) return { type: 'verb', verb, words: { ...words, positional } };
	if (first === '/?' && verb === null) return { type: 'print', text: helpText() };
	if (first !== undefined && !(await exists(first))) throw (await otherTools()).unknownVerb(first);
	if (positional.length > 1)
		throw new InputError(
			`The deck opens one file, and has no use for "${printable(positional[1] ?? '')}"`,
			{
				hint: `Run wimdeck "${first}", then o in the deck for the other.`,
			},
		);
	return { type: 'deck', path: first ?? null, options };
}

async function readAll(stdin: Readable): Promise<Uint8Array> {
	const chunks: Uint8Array[] = [];
	for await (const chunk of stdin)
		chunks.push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
	return Buffer.concat(chunks);
}

type Errors = () => Machine['stderr'];

/** Standard error, made when it is first needed. That it is closed must not end the run. */
function errorsOf(machine: Machine): Errors {
	let stderr: Machine['stderr'] | null = null;
	return () => {
		stderr ??= machine.stderr.on('error', () => {});
		return stderr;
	};
}

function contextOf(machine: Machine, errors: Errors, options: Options, out: Output): Context {
	const { environment, signal } = machine;
	const err = (text: string) => {
		errors().write(text);
	};
	const quiet = options.has('quiet');
	const asked = options.text('progress');
	return {
		out,
		err,
		progress: {
			target: { write: err, columns: () => errors().columns ?? 80 },
			style: progressStyle(asked, quiet, () => errors().isTTY === true, environment.TERM),
		},
		json: options.has('json'),
		quiet,
		clock: machineClock,
		signal,
		readInput: () => readAll(machine.stdin),
		get input() {
			return machine.stdin;
		},
		again: [process.execPath, ...process.execArgv, machine.program, ...machine.argv],
		journal: () => Journal.openFor(environment, machineClock),
	};
}

/** A relative path means nothing, and Node stops at an absolute one too, when the current folder is gone. */
function requireFolder(): void {
	try {
		process.cwd();
	} catch (error) {
		throw new HostError(
			'Cannot work in the current folder: it was removed',
			{ hint: 'Change to a folder that exists.' },
			error,
		);
	}
}

/**
 * Runs one command line.
 *
 * @returns the exit code, or the deck's task when there is no verb
 */
export async function runCommandLine(
	machine: Machine,
): Promise<number | Extract<Task, { type: 'deck' }>> {
	const out = new Output(() => machine.stdout);
	const errors = errorsOf(machine);
	// Until the options are understood: wrong arguments are told as JSON, too.
	let json = machine.argv.includes('--json');
	try {
		requireFolder();
		const task = await taskOf(machine.program, machine.argv);
		if (task.type === 'deck') return task;
		if (task.type === 'print') {
			out.write(task.text);
			await out.end();
			return ExitCode.done;
		}
		const invocation = parseInvocation(task.verb, task.words);
		json = invocation.options.has('json');
		const context = contextOf(machine, errors, invocation.options, out);
		for (const { name, reason } of ignoredOptions(invocation))
			context.err(warningText(`--${name} changes nothing here: ${reason}`));
		const handler = await HANDLERS[task.verb]();
		const exitCode = await handler(invocation, context);
		await out.end();
		return exitCode;
	} catch (thrown) {
		// Whoever reads the list had enough of it, as `head` does: that is no failure of ours.
		if (thrown instanceof ReaderGone) return ExitCode.done;
		const error = endingError(thrown);
		// Whoever asked for an object gets one, unless the verb has printed it before it failed.
		if (json && out.isUntouched) out.line(JSON.stringify({ error: errorJson(error) }));
		// What was printed before the error, as the JSON of a failed job, still counts.
		await out.end().catch(() => {});
		errors().write(errorText(error));
		return exitCodeOf(error);
	}
}
