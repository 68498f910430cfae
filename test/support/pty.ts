/**
 * A bare pseudo terminal, made by util-linux's `script`: bytes in, bytes out, and nobody who answers questions.
 * What the program writes is read only as fast as the test wants.
 */

import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from 'node:child_process';
import { Patience } from './patience.ts';

const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;

export interface PtyOptions {
	readonly columns?: number;
	readonly rows?: number;
	readonly command: readonly string[];
	/** Added to the environment; undefined takes a variable out. */
	readonly env?: Readonly<Record<string, string | undefined>>;
}

export class Pty implements Disposable {
	/** Everything read so far. */
	output = '';
	readonly ended: Promise<number | null>;
	readonly #child: ChildProcessWithoutNullStreams;
	readonly #waiting = new Set<() => void>();

	constructor({ columns = 80, rows = 24, command, env = {} }: PtyOptions) {
		const { CI: _ci, NO_COLOR: _mono, TMUX: _tmux, SSH_CONNECTION: _ssh, ...rest } = process.env;
		const words = command.map(quoted).join(' ');
		this.#child = spawn(
			'script',
			['-qefc', `stty rows ${rows} cols ${columns}; exec ${words}`, '/dev/null'],
			{
				// Its own group, so that everything below it can be ended.
				detached: true,
				env: { ...rest, TERM: 'xterm-256color', LC_ALL: 'C.UTF-8', SHELL: '/bin/sh', ...env },
			},
		);
		this.#child.stdout.setEncoding('utf8');
		this.#child.stdout.on('data', (text: string) => {
			this.output += text;
			for (const look of [...this.#waiting]) look();
		});
		this.ended = new Promise((resolve) =>
			this.#child.on('exit', (code) => {
				resolve(code);
				for (const look of [...this.#waiting]) look();
			}),
		);
	}

	type(text: string): void {
		this.#child.stdin.write(text);
	}

	/** Nobody reads what the program writes, until `resume`. */
	stall(): void {
		this.#child.stdout.pause();
	}

	resume(): void {
		this.#child.stdout.resume();
	}

	/** The output once it matches; fails with its end when it never does. */
	async until(pattern: RegExp | ((output: string) => boolean), limitMs = 30_000): Promise<string> {
		return new Promise((resolve, reject) => {
			const done = (finish: () => void): void => {
				this.#waiting.delete(look);
				clearInterval(timer);
				finish();
			};
			const fail = (why: string): void =>
				done(() =>
					reject(new Error(`${why} ${pattern}:\n${JSON.stringify(this.output.slice(-3000))}`)),
				);
			const matches = pattern instanceof RegExp ? (text: string) => pattern.test(text) : pattern;
			const look = (): void => {
				if (matches(this.output)) done(() => resolve(this.output));
				else if (this.#child.exitCode !== null) fail('It ended without');
			};
			const patience = new Patience(limitMs);
			const timer = setInterval(() => {
				if (patience.isOver) fail('It never wrote');
			}, 100);
			this.#waiting.add(look);
			look();
		});
	}

	/** The program itself. */
	get pid(): number {
		const list = execFileSync('ps', ['-o', 'pid=', '--ppid', String(this.#child.pid)], {
			encoding: 'utf8',
		});
		return Number.parseInt(list, 10);
	}

	[Symbol.dispose](): void {
		try {
			if (this.#child.pid !== undefined) process.kill(-this.#child.pid, 'SIGKILL');
		} catch {
			// It ended by itself.
		}
	}
}
