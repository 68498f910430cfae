/** A real terminal: tmux runs a command, takes keys and shows its screen. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Patience } from './patience.ts';

let count = 0;

export interface TmuxOptions {
	readonly columns?: number;
	readonly rows?: number;
	/** Words that a shell sees; quoted here. */
	readonly command: readonly string[];
	/** Added to the environment; undefined takes a variable out. */
	readonly env?: Readonly<Record<string, string | undefined>>;
}

const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;

export class Tmux implements Disposable {
	readonly #socket = `wimdeck-test-${process.pid}-${++count}`;
	readonly #script: string;
	/** Where the command keeps its state: jobs of other tests have no place on its screen. */
	readonly #state: string;

	/** Starts the command; behind it the shell says how it ended and how the terminal is. */
	constructor(options: TmuxOptions) {
		const { columns = 80, rows = 24, command, env = {} } = options;
		this.#state = mkdtempSync(path.join(os.tmpdir(), 'wimdeck-test-state-'));
		const all = { XDG_STATE_HOME: this.#state, ...env };
		const unset = Object.keys(env).filter((name) => env[name] === undefined);
		const set = Object.entries(all).flatMap(([name, value]) =>
			value === undefined ? [] : [quoted(`${name}=${value}`)],
		);
		const without = ['CI', 'NO_COLOR', 'TMUX', 'SSH_CONNECTION', ...unset].map(
			(name) => `-u ${name}`,
		);
		const script = [
			`env ${[...without, ...set].join(' ')} ${command.map(quoted).join(' ')}`,
			'echo "EXIT=$?"',
			"stty -a | tr ' ;' '\\n\\n' | grep -x -e '-\\?icanon' -e '-\\?echo' | tr '\\n' ' '",
			'echo END',
		].join('\n');
		this.#script = path.join(os.tmpdir(), `${this.#socket}.sh`);
		writeFileSync(this.#script, script);
		this.#run(
			'-f',
			'/dev/null',
			'new-session',
			'-d',
			'-x',
			String(columns),
			'-y',
			String(rows),
			'env PS1= LC_ALL=C.UTF-8 bash --norc --noprofile',
		);
		// An interactive shell, so that ^Z and fg work; the words that it echoes tell nothing of the end.
		this.#run('send-keys', '-l', ` clear; . ${this.#script}`);
		this.#run('send-keys', 'Enter');
	}

	#run(...args: readonly string[]): string {
		return execFileSync('tmux', ['-L', this.#socket, ...args], {
			encoding: 'utf8',
			env: { ...process.env, LC_ALL: 'C.UTF-8' },
			stdio: ['ignore', 'pipe', 'pipe'],
		});
	}

	/** Keys by tmux's names: `Enter`, `C-c`, `F5`, or text. */
	async press(...keys: readonly string[]): Promise<void> {
		for (const key of keys) {
			this.#run('send-keys', key);
			await pause(20);
		}
	}

	type(text: string): void {
		this.#run('send-keys', '-l', text);
	}

	screen(): string {
		return this.#run('capture-pane', '-p');
	}

	/** With colours and styles as escape sequences. */
	styledScreen(): string {
		return this.#run('capture-pane', '-p', '-e');
	}

	resize(columns: number, rows: number): void {
		this.#run('resize-window', '-x', String(columns), '-y', String(rows));
	}

	/** The line drops: the terminal is gone, and the command hears SIGHUP. */
	hangUp(): void {
		this[Symbol.dispose]();
	}

	/** A fact that tmux knows of the pane, such as `cursor_flag` or `alternate_on`. */
	fact(name: string): string {
		return this.#run('display-message', '-p', `#{${name}}`).trim();
	}

	/** Polls the screen; fails with it when the pattern never comes. */
	async until(pattern: RegExp | ((screen: string) => boolean), limitMs = 30_000): Promise<string> {
		const matches = pattern instanceof RegExp ? (screen: string) => pattern.test(screen) : pattern;
		const patience = new Patience(limitMs);
		for (;;) {
			const screen = this.screen();
			if (matches(screen)) return screen;
			if (patience.isOver) throw new Error(`The screen never showed ${pattern}:\n${screen}`);
			await pause(30);
		}
	}

	/** Polls a fact of the pane. */
	async untilFact(name: string, value: string, limitMs = 30_000): Promise<void> {
		const patience = new Patience(limitMs);
		while (this.fact(name) !== value) {
			if (patience.isOver) throw new Error(`${name} never became ${value}:\n${this.screen()}`);
			await pause(30);
		}
	}

	/** Process ids of the command whose words contain `word`. */
	pids(word: string): number[] {
		const shell = this.fact('pane_pid');
		const list = execFileSync('ps', ['-o', 'pid=,args=', '--ppid', shell], { encoding: 'utf8' });
		return list
			.split('\n')
			.filter((line) => line.includes(word))
			.map((line) => Number.parseInt(line, 10));
	}

	[Symbol.dispose](): void {
		try {
			this.#run('kill-server');
		} catch {
			// It ended by itself.
		}
		rmSync(this.#state, { recursive: true, force: true });
		rmSync(this.#script, { force: true });
	}
}
