/** What this terminal can do, found from the environment alone: it is never asked, because late answers look like keys. */

import type { CopyTerminal } from './osc52.ts';

export type SymbolLevel = 'ascii' | 'console' | 'unicode';
export type ColorLevel = 'never' | '16' | '256';

export interface ProbeInput {
	readonly env: Readonly<Record<string, string | undefined>>;
	readonly platform: string;
	readonly stdinIsTerminal: boolean;
	readonly stdoutIsTerminal: boolean;
	readonly symbols?: SymbolLevel | undefined;
	readonly color?: ColorLevel | undefined;
}

export interface TerminalProfile {
	readonly symbols: SymbolLevel;
	readonly color: ColorLevel;
	/** VT terminals have no second screen; the deck draws over the first. */
	readonly hasAlternateScreen: boolean;
	readonly canSuspend: boolean;
	/** Silence after an ESC byte that makes it the Esc key. */
	readonly escMs: number;
	readonly copy: CopyTerminal;
}

const ESC_MS = 50;
/** Over SSH the bytes of one key may arrive far apart. */
const ESC_SSH_MS = 150;
const ESC_MS_MAX = 5000;

const usesUtf8 = (env: ProbeInput['env']): boolean =>
	/utf-?8/i.test(env.LC_ALL || env.LC_CTYPE || env.LANG || '');

function symbolLevel({ env, platform, symbols }: ProbeInput): SymbolLevel {
	if (symbols) return symbols;
	const term = env.TERM ?? '';
	if (platform === 'win32') return env.WT_SESSION ? 'unicode' : 'console';
	if (!usesUtf8(env) || /^vt/.test(term)) return 'ascii';
	return term === 'linux' ? 'console' : 'unicode';
}

function colorLevel({ env, color }: ProbeInput): ColorLevel {
	if (color) return color;
	if (env.NO_COLOR) return 'never';
	const term = env.TERM ?? '';
	if (/^vt\d/.test(term) || /-m(ono)?$/.test(term)) return 'never';
	return /256/.test(term) || env.COLORTERM ? '256' : '16';
}

function escapeMs(env: ProbeInput['env']): number {
	const wanted = Number(env.ESCDELAY);
	if (env.ESCDELAY && Number.isFinite(wanted) && wanted >= 0) return Math.min(wanted, ESC_MS_MAX);
	return env.SSH_CONNECTION ? ESC_SSH_MS : ESC_MS;
}

/** The profile of the terminal, or why the deck cannot run here, as one sentence. */
export function probe(input: ProbeInput): TerminalProfile | { readonly refused: string } {
	const { env, platform } = input;
	const term = env.TERM ?? '';
	if (!input.stdinIsTerminal || !input.stdoutIsTerminal) {
		const stream = input.stdinIsTerminal ? 'standard output' : 'standard input';
		return {
			refused: `Cannot open the deck: ${stream} is not a terminal. Use a command instead, for example "wimdeck info FILE".`,
		};
	}
	if (platform !== 'win32' && (term === '' || term === 'dumb')) {
		return {
			refused: `Cannot open the deck: the terminal type (TERM) is ${term === '' ? 'not set' : '"dumb"'}. Set it, or use a command instead, for example "wimdeck info FILE".`,
		};
	}
	return {
		symbols: symbolLevel(input),
		color: colorLevel(input),
		hasAlternateScreen: !/^vt\d/.test(term),
		canSuspend: platform !== 'win32',
		escMs: escapeMs(env),
		copy: {
			term: platform === 'win32' && term === '' ? 'windows' : term,
			tmux: Boolean(env.TMUX),
			plainWindowsConsole: platform === 'win32' && !env.WT_SESSION,
		},
	};
}
