/** A terminal in memory (xterm.js without a window): what is written to it can be read back as a screen. */

import xterm from '@xterm/headless';
import { Patience } from './patience.ts';

export interface TerminalEvents {
	readonly titles: string[];
	readonly bells: number[];
	/** Payloads of OSC 52. */
	readonly copies: string[];
}

/** Bytes that a write returns from before the line has taken them. */
const KERNEL_BUFFER = 4096;

export class HeadlessTerminal {
	columns: number;
	rows: number;
	/** UTF-8 bytes written so far. */
	bytes = 0;
	/** Everything written so far, for looking at sequences. */
	sent = '';
	readonly events: TerminalEvents = { titles: [], bells: [], copies: [] };
	readonly #terminal: InstanceType<typeof xterm.Terminal>;
	readonly #resized = new Set<() => void>();

	constructor(columns = 80, rows = 24) {
		this.columns = columns;
		this.rows = rows;
		this.#terminal = new xterm.Terminal({ cols: columns, rows, allowProposedApi: true });
		this.#terminal.onTitleChange((title) => this.events.titles.push(title));
		this.#terminal.onBell(() => this.events.bells.push(1));
		this.#terminal.parser.registerOscHandler(52, (data) => {
			this.events.copies.push(data);
			return true;
		});
	}

	/** How fast the line is; 0: at once. The buffers before it take 4 KB, as those of a kernel do. */
	bytesPerSecond = 0;
	#backlog = 0;
	#drainedAt = 0;

	write(text: string, done?: () => void): void {
		const size = new TextEncoder().encode(text).length;
		this.bytes += size;
		this.sent += text;
		if (this.bytesPerSecond === 0) {
			this.#terminal.write(text, done);
			return;
		}
		const now = performance.now();
		const perMs = this.bytesPerSecond / 1000;
		this.#backlog = Math.max(0, this.#drainedAt - now) * perMs;
		this.#drainedAt = Math.max(now, this.#drainedAt) + size / perMs;
		setTimeout(() => this.#terminal.write(text), this.#drainedAt - now);
		const room = Math.max(0, this.#backlog + size - KERNEL_BUFFER);
		if (done) setTimeout(done, room / perMs);
	}

	/** Bytes that were written and have not come out of the line yet. */
	get waitingBytes(): number {
		const ms = Math.max(0, this.#drainedAt - performance.now());
		return Math.ceil((ms * this.bytesPerSecond) / 1000);
	}

	/** Hears what the terminal answers to questions. */
	onAnswer(listener: (text: string) => void): void {
		this.#terminal.onData(listener);
	}

	onResize(listener: () => void): void {
		this.#resized.add(listener);
	}

	resize(columns: number, rows: number): void {
		this.columns = columns;
		this.rows = rows;
		this.#terminal.resize(columns, rows);
		for (const listener of this.#resized) listener();
	}

	/** Ends when everything written so far is on the screen. */
	async drawn(): Promise<void> {
		await new Promise<void>((resolve) => this.#terminal.write('', resolve));
	}

	/** The rows of the screen, without the spaces at their ends. */
	lines(): string[] {
		const { active } = this.#terminal.buffer;
		return Array.from(
			{ length: this.rows },
			(_, y) => active.getLine(active.baseY + y)?.translateToString(true) ?? '',
		);
	}

	/** The screen as text. */
	text(): string {
		return this.lines().join('\n');
	}

	get isAlternate(): boolean {
		return this.#terminal.buffer.active.type === 'alternate';
	}

	get cursor(): { readonly x: number; readonly y: number } {
		const { cursorX, cursorY } = this.#terminal.buffer.active;
		return { x: cursorX, y: cursorY };
	}

	/** The cells of a row: text, width and the styles that the deck uses. */
	cells(y: number): ScreenCell[] {
		const { active } = this.#terminal.buffer;
		const line = active.getLine(active.baseY + y);
		const cells: ScreenCell[] = [];
		for (let x = 0; line && x < this.columns; x++) {
			const cell = line.getCell(x);
			if (!cell || cell.getWidth() === 0) continue;
			cells.push({
				x,
				text: cell.getChars() || ' ',
				width: cell.getWidth(),
				color: cell.isFgPalette() ? cell.getFgColor() : null,
				isBold: cell.isBold() !== 0,
				isReverse: cell.isInverse() !== 0,
				isDim: cell.isDim() !== 0,
			});
		}
		return cells;
	}

	/** Polls the screen until it shows `pattern`; fails with the screen when it never does. */
	async until(pattern: RegExp | ((screen: string) => boolean), limitMs = 20_000): Promise<string> {
		const matches = pattern instanceof RegExp ? (s: string) => pattern.test(s) : pattern;
		const patience = new Patience(limitMs);
		for (;;) {
			await this.drawn();
			const screen = this.text();
			if (matches(screen)) return screen;
			if (patience.isOver) throw new Error(`The screen never showed ${pattern}:\n${screen}`);
			await new Promise((resolve) => setTimeout(resolve, 5));
		}
	}
}

export interface ScreenCell {
	readonly x: number;
	readonly text: string;
	readonly width: number;
	/** Palette number, or null for the default colour. */
	readonly color: number | null;
	readonly isBold: boolean;
	readonly isReverse: boolean;
	readonly isDim: boolean;
}
