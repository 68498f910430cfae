import { PassThrough, Readable } from 'node:stream';
import { runCommandLine } from '../../source/cli/run.ts';

export interface CliResult {
	/** The exit code, or `deck` when the command line asked for it. */
	readonly code: number | 'deck';
	readonly out: string;
	/** Standard output as bytes. */
	readonly bytes: Buffer;
	readonly err: string;
}

export interface CliOptions {
	readonly program?: string;
	readonly stdin?: string | Buffer;
	readonly environment?: Readonly<Record<string, string>>;
	/** Standard output and error are a terminal. */
	readonly terminal?: boolean;
	readonly signal?: AbortSignal;
}

class Collector extends PassThrough {
	readonly chunks: Buffer[] = [];
	readonly isTTY: boolean;
	readonly columns = 80;

	constructor(isTTY: boolean) {
		super();
		this.isTTY = isTTY;
		this.on('data', (chunk: Buffer) => this.chunks.push(chunk));
	}

	bytes(): Buffer {
		return Buffer.concat(this.chunks);
	}
}

/** Runs a command line inside the test's process; its journal goes nowhere unless the environment names a folder. */
export async function cli(argv: readonly string[], options: CliOptions = {}): Promise<CliResult> {
	const stdout = new Collector(options.terminal ?? false);
	const stderr = new Collector(options.terminal ?? false);
	const task = await runCommandLine({
		program: options.program ?? '/usr/bin/wimdeck',
		argv,
		environment: { XDG_STATE_HOME: '/dev/null/nowhere', ...options.environment },
		stdin: Readable.from(options.stdin === undefined ? [] : [options.stdin]),
		stdout,
		stderr,
		signal: options.signal ?? new AbortController().signal,
	});
	const code = typeof task === 'number' ? task : 'deck';
	return {
		code,
		out: stdout.bytes().toString(),
		bytes: stdout.bytes(),
		err: stderr.bytes().toString(),
	};
}
