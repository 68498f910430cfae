/** The whole deck on a headless terminal: keys in, screens out. */

import './production.ts';

import assert from 'node:assert/strict';
import { afterEach } from 'node:test';

import { DeckApp, type DeckAppOptions } from '../../source/tui/deck-app.ts';
import type { DeckEngine } from '../../source/tui/engine.ts';
import { mountDeck } from '../../source/tui/screens/mount.tsx';
import type { TerminalProfile } from '../../source/tui/terminal/probe.ts';
import { FakeEngine } from './fake-engine.ts';
import { HeadlessTerminal } from './terminal.ts';

export const PROFILE: TerminalProfile = {
	symbols: 'unicode',
	color: '16',
	hasAlternateScreen: true,
	canSuspend: true,
	escMs: 5,
	copy: { term: 'xterm-256color', tmux: false, plainWindowsConsole: false },
};

export interface DeckTestOptions {
	readonly columns?: number;
	readonly rows?: number;
	readonly profile?: Partial<TerminalProfile>;
	readonly settings?: DeckAppOptions['settings'];
	readonly keys?: DeckAppOptions['keys'];
	readonly writer?: DeckAppOptions['writer'];
	readonly path?: string | null;
	/** Who draws; Ink unless said otherwise. */
	readonly mount?: DeckAppOptions['mount'];
}

const KEYS: Readonly<Record<string, string>> = {
	enter: '\r',
	esc: '\x1b',
	tab: '\t',
	space: ' ',
	up: '\x1b[A',
	down: '\x1b[B',
	right: '\x1b[C',
	left: '\x1b[D',
	backspace: '\x7f',
	pagedown: '\x1b[6~',
	pageup: '\x1b[5~',
	home: '\x1b[H',
	end: '\x1b[F',
	'S-tab': '\x1b[Z',
};

const open = new Set<DeckOnTerminal>();

/** A file of tests runs, by the runner or alone; other programs show decks as well, and have no tests to wait for. */
const isTest =
	process.env['NODE_TEST_CONTEXT'] !== undefined || /\.test\.[jt]s$/.test(process.argv[1] ?? '');

// A test that fails half way leaves its deck open, which would keep the process from ending.
if (isTest)
	afterEach(() => {
		for (const deck of open) deck.close();
	});

export class DeckOnTerminal {
	readonly terminal: HeadlessTerminal;
	readonly app: DeckApp;
	readonly exits: number[] = [];
	readonly crashes: unknown[] = [];
	suspends = 0;
	nowMs = 1000;

	constructor(engine: DeckEngine, options: DeckTestOptions = {}) {
		this.terminal = new HeadlessTerminal(options.columns ?? 80, options.rows ?? 24);
		this.app = new DeckApp({
			engine,
			output: this.terminal,
			profile: { ...PROFILE, ...options.profile },
			settings: { utc: true, workFolder: '/srv/sources', ...options.settings },
			keys: options.keys ?? {},
			clock: () => this.nowMs,
			mount: options.mount ?? mountDeck,
			onExit: (code) => this.exits.push(code),
			onCrash: (error) => this.crashes.push(error),
			onSuspend: () => {
				this.suspends++;
			},
			writer: { minGapMs: 0, ...options.writer },
		});
		this.terminal.onAnswer((text) => this.app.input(text));
		this.terminal.onResize(() => this.app.resized());
		open.add(this);
	}

	/** Opens the deck and waits for the file. */
	static async open(engine: DeckEngine, options: DeckTestOptions = {}): Promise<DeckOnTerminal> {
		const deck = new DeckOnTerminal(engine, options);
		await deck.app.start(options.path === undefined ? '/srv/sources/install.wim' : options.path);
		await deck.terminal.until((screen) => screen.trim() !== '');
		if (options.path === undefined) await deck.terminal.until(/Images|wimdeck \d+x|images/);
		return deck;
	}

	/** Presses keys by name; other text is typed as it is. */
	async press(...keys: readonly string[]): Promise<void> {
		for (const key of keys) {
			this.app.input(KEYS[key] ?? key);
			// A byte right behind ESC would make another key of it.
			if (key === 'esc') await new Promise((resolve) => setTimeout(resolve, PROFILE.escMs * 3));
		}
		await this.settle();
	}

	/** Ends when nothing that is under way will change the screen any more. */
	async settle(): Promise<void> {
		for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve));
		await this.app.writer.settled(1000);
		await this.terminal.drawn();
	}

	/** As `settle`, with everything loaded that the screen waits for. */
	async quiet(): Promise<void> {
		const isLoading = (): boolean => {
			const { wim, files, details, start, map, sizes, difference, staged, dialogs } =
				this.app.store.get();
			const loads = [
				wim.load,
				files.load,
				details.load,
				details.contentLoad,
				start.load,
				map.load,
				map.placeLoad,
				sizes.load,
				difference.load,
				difference.factsLoad,
			];
			return (
				loads.some(({ status }) => status === 'loading') ||
				files.reorder !== null ||
				sizes.reorder !== null ||
				staged.changes.some(({ size }) => size === null) ||
				dialogs.some((dialog) => dialog.kind === 'form' && dialog.isEstimating)
			);
		};
		while (isLoading()) await new Promise((resolve) => setTimeout(resolve, 5));
		await this.settle();
	}

	async until(pattern: RegExp | ((screen: string) => boolean)): Promise<string> {
		return this.terminal.until(pattern);
	}

	screen(): string {
		return this.terminal.text();
	}

	close(): void {
		open.delete(this);
		this.app.close();
	}
}

/** Plays on a deck that is open; no component may crash meanwhile. */
export async function withDeck(
	play: (deck: DeckOnTerminal, engine: FakeEngine) => Promise<void>,
	options: DeckTestOptions = {},
	engine = new FakeEngine(),
): Promise<void> {
	const deck = await DeckOnTerminal.open(engine, options);
	try {
		await play(deck, engine);
		assert.deepEqual(deck.crashes, []);
	} finally {
		deck.close();
	}
}

/** From the list of images into `\Windows` of the scripted engine. */
export async function inWindows(deck: DeckOnTerminal): Promise<void> {
	await deck.press('enter');
	await deck.until(/Users/);
	await deck.press('j', 'j', 'enter');
	await deck.until(/System32/);
}
