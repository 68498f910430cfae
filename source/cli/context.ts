import type { Readable } from 'node:stream';
import type { Clock } from '../base/run.ts';
import type { Journal } from '../jobs/journal.ts';
import type { Output } from './output.ts';
import type { Invocation } from './parse.ts';
import type { ProgressStyle, ProgressTarget } from './progress.ts';

/** What a verb is handed beside its arguments. */
export interface Context {
	readonly out: Output;
	/** Text to standard error; what cannot be written is dropped. */
	readonly err: (text: string) => void;
	readonly progress: { readonly target: ProgressTarget; readonly style: ProgressStyle };
	readonly json: boolean;
	readonly quiet: boolean;
	readonly clock: Clock;
	/** Aborted by Ctrl+C. */
	readonly signal: AbortSignal;
	/** All of standard input, for list files and commands. */
	readonly readInput: () => Promise<Uint8Array>;
	/** For a pipable WIM that arrives on standard input. */
	readonly input: Readable;
	/** The words that start this program again with the same command: program, script, arguments. */
	readonly again: readonly string[];
	readonly journal: () => Promise<Journal | null>;
}

/** Carries out one verb and gives the exit code. Errors are thrown. */
export type Handler = (invocation: Invocation, context: Context) => Promise<number>;
