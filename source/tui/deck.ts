/** The deck on this process's terminal, from the first byte to a restored screen. Ink is imported only once it is known to run. */

import path from 'node:path';
import type { WriteStream } from 'node:tty';
import { ExitCode } from '../base/errors.ts';
import { printable } from '../base/print.ts';
import { machineClock } from '../jobs/clock.ts';
import { loadConfig } from './config/config-file.ts';
import type { ReadConfig } from './config/deck-config.ts';
import { DeckApp, SETTLE_MS } from './deck-app.ts';
import type { DeckEngine } from './engine.ts';
import { COMMANDS } from './keys/commands.ts';
import { mountThen } from './screens/first-mount.ts';
import { sentence } from './sentence.ts';
import {
	type ColorLevel,
	probe,
	type SymbolLevel,
	type TerminalProfile,
} from './terminal/probe.ts';
import { type LeaveReason, Session } from './terminal/session.ts';

export interface DeckOptions {
	/** A file or a folder; null: the folder it was started in. */
	readonly path: string | null;
	readonly references: readonly string[];
	readonly readonly: boolean;
	readonly slow: boolean;
	/** Off: nothing moves by itself. */
	readonly animation: boolean;
	/** Null: as the terminal seems to know. */
	readonly symbols: SymbolLevel | null;
	readonly color: ColorLevel | null;
	/** What to do with the jobs when the line drops. */
	readonly onHangup: 'finish' | 'cancel';
	/** A configuration file instead of the platform's. */
	readonly config: string | null;
}

/**
 * Whether the jobs go on when the line has dropped. Windows ends a process some ten seconds after its window was
 * closed: there they are canceled, so that they clean up.
 */
export const jobsOutliveLine = (platform: string, wish: DeckOptions['onHangup']): boolean =>
	platform !== 'win32' && wish === 'finish';

/** A canceled job gets this long to clean up after a signal. */
const CANCEL_MS = 10_000;

const SIGNAL_CODES: Readonly<Record<LeaveReason, number>> = {
	SIGINT: ExitCode.canceled,
	SIGTERM: 143,
	SIGQUIT: 131,
	hangup: 129,
	error: ExitCode.defect,
};

const pause = (ms: number): Promise<void> =>
	new Promise((resolve) => {
		setTimeout(resolve, ms).unref();
	});

/** chalk, which Ink uses, decides by the environment when it is loaded; so the environment says what we found. */
function tellInk(profile: TerminalProfile): void {
	// Not spelled out: the bundler would replace it.
	const mode = 'NODE_ENV';
	process.env[mode] ??= 'production';
	process.env['FORCE_COLOR'] = profile.color === 'never' ? '0' : profile.color === '16' ? '1' : '2';
}

/** Runs the deck; ends with the exit code of the process, the terminal restored. */
export async function runDeck(options: DeckOptions): Promise<number> {
	const { config, problems } = await loadConfig(options.config, COMMANDS);
	const symbols = options.symbols ?? config.symbols;
	const color = options.color ?? config.color;
	const profile = probe({
		env: process.env,
		platform: process.platform,
		stdinIsTerminal: process.stdin.isTTY === true,
		stdoutIsTerminal: process.stdout.isTTY === true,
		symbols: symbols ?? undefined,
		color: color ?? undefined,
	});
	if ('refused' in profile) {
		process.stderr.write(`wimdeck: ${profile.refused}\n`);
		return ExitCode.badInput;
	}
	tellInk(profile);
	const { createEngine } = await import('./engine/create-engine.ts');
	const engine = await createEngine();
	const mount = mountThen(async () => (await import('./screens/mount.tsx')).mountDeck);
	return new RunningDeck(options, profile, engine, { config, problems }).run(mount);
}

class RunningDeck {
	readonly #options: DeckOptions;
	readonly #profile: TerminalProfile;
	readonly #engine: DeckEngine;
	readonly #config: ReadConfig;
	#app: DeckApp | null = null;
	#session: Session | null = null;
	#finish: (code: number) => void = () => {};
	#isEnding = false;
	/** The terminal is gone, and the jobs finish without it. */
	#isDetached = false;

	constructor(
		options: DeckOptions,
		profile: TerminalProfile,
		engine: DeckEngine,
		config: ReadConfig,
	) {
		this.#config = config;
		this.#options = options;
		this.#profile = profile;
		this.#engine = engine;
	}

	async run(mount: ConstructorParameters<typeof DeckApp>[0]['mount']): Promise<number> {
		const { path: start, references, readonly, slow, animation } = this.#options;
		const { config, problems } = this.#config;
		const ended = new Promise<number>((resolve) => {
			this.#finish = resolve;
		});
		const app = new DeckApp({
			engine: this.#engine,
			output: process.stdout,
			profile: this.#profile,
			settings: {
				readonly: readonly || config.readonly,
				slow: slow || config.slow,
				animation,
				scroll: config.scroll,
				utc: config.utc,
				remember: config.remember,
				workFolder: process.cwd(),
				pathSeparator: path.sep,
			},
			keys: config.keys,
			colors: config.colors,
			problems,
			clock: () => machineClock.elapsed(),
			mount,
			onExit: (code) => void this.#leave(code),
			onCrash: (error) => this.#end('error', error),
			onSuspend: () => this.#session?.suspend(),
		});
		this.#app = app;
		const session = new Session(
			{
				stdin: process.stdin,
				stdout: process.stdout as WriteStream & { fd: number },
				stderr: process.stderr,
				process,
				// The whole group, as the terminal itself would: whoever started us waits for it.
				suspend: () => process.kill(0, 'SIGTSTP'),
			},
			this.#profile,
			{
				onInput: (text) => app.input(text),
				onResize: () => app.resized(),
				onContinue: (wasStopped) => app.resumed(wasStopped),
				onEnd: (reason, error) => this.#end(reason, error),
			},
		);
		this.#session = session;
		session.open();
		await app.start(start, references);
		return ended;
	}

	/** The ordinary way out. */
	async #leave(code: number): Promise<void> {
		if (this.#isEnding) return;
		this.#isEnding = true;
		await this.#app?.settled(SETTLE_MS);
		this.#app?.close();
		this.#session?.close();
		await this.#app?.saved();
		await this.#engine.close();
		this.#finish(code);
	}

	/** A signal, a lost line or a defect. */
	#end(reason: LeaveReason, error?: unknown): void {
		if (this.#isEnding) {
			if (reason === 'error' || reason === 'hangup') return;
			// After a lost line jobs go on; a signal to that asks them to stop, a further one does not wait.
			if (this.#isDetached) {
				this.#isDetached = false;
				void this.#app?.cancelJobs();
			} else process.exit(SIGNAL_CODES[reason]);
			return;
		}
		this.#isEnding = true;
		void this.#endWith(reason, error);
	}

	async #endWith(reason: LeaveReason, error: unknown): Promise<void> {
		const jobs = this.#endJobs(reason);
		await this.#app?.settled(SETTLE_MS);
		this.#session?.leave();
		if (reason === 'error')
			process.stderr.write(
				`${printable(sentence(error))}\n${printableStack(error)}Please report this, with what you did before.\n`,
			);
		await jobs;
		this.#app?.close();
		this.#session?.close();
		await this.#app?.saved().catch(() => {});
		await this.#engine.close().catch(() => {});
		this.#finish(SIGNAL_CODES[reason]);
	}

	async #endJobs(reason: LeaveReason): Promise<void> {
		if (reason === 'hangup' && jobsOutliveLine(process.platform, this.#options.onHangup)) {
			this.#isDetached = true;
			this.#engine.jobs.detach();
			await this.#engine.jobs.idle();
		} else await Promise.race([this.#app?.cancelJobs(), pause(CANCEL_MS)]);
	}
}

function printableStack(error: unknown): string {
	if (!(error instanceof Error) || !error.stack) return '';
	return `${error.stack.split('\n').slice(1).map(printable).join('\n')}\n`;
}
