/**
 * Puts Ink's whole frames on a terminal with as few bytes as possible. Ink never sees the real stdout:
 * it renders into `stream`, and only cells that changed are sent. One frame is in flight at a time, and
 * after about a kilobyte the terminal is asked for its status (ESC[5n); the answer, ESC[0n, means that it
 * has drawn everything, however many buffers lie between. So frames never queue up on a slow line.
 */

import { EventEmitter } from 'node:events';
import {
	type StyledChar,
	styledCharsFromTokens,
	styledCharsToString,
	tokenize,
} from '@alcalzone/ansi-tokenize';
import { cellWidth, hasCertainWidth } from './cell.ts';

/** The part of a terminal's output stream that the writer uses. */
export interface ScreenOutput {
	readonly columns?: number;
	readonly rows?: number;
	write(text: string, done?: () => void): unknown;
}

export interface FrameWriterOptions {
	/** Frames that no key asked for are at least this far apart. */
	readonly minGapMs: number;
	/** Ask for the terminal's status after this many characters; 0: never. */
	readonly ackAfter: number;
	/** How long an answer may take before it counts as missed. */
	readonly ackMs: number;
	/** Called when output stayed in flight longer than `slowMs`. */
	readonly onSlow?: () => void;
	readonly slowMs: number;
}

export const FRAME_WRITER_DEFAULTS: FrameWriterOptions = {
	minGapMs: 100,
	ackAfter: 1024,
	ackMs: 2000,
	slowMs: 500,
};

/** Unchanged cells between two changes are skipped when they are more than a cursor movement costs. */
const GAP_MIN = 8;

const sameCell = (a: StyledChar, b: StyledChar): boolean => {
	if (a.value !== b.value || a.styles.length !== b.styles.length) return false;
	for (let i = 0; i < a.styles.length; i++) {
		if (a.styles[i]!.code !== b.styles[i]!.code) return false;
	}
	return true;
};

/** After a cell that terminals disagree on the column is set again. */
const isRisky = (cell: StyledChar): boolean => !hasCertainWidth(cell.value);

const styled = (cells: readonly StyledChar[], from: number, to: number, column: number): string => {
	let out = '';
	let start = from;
	let x = column;
	for (let i = from; i < to; i++) {
		x += cellWidth(cells[i]!.value);
		if (isRisky(cells[i]!)) {
			out += `${styledCharsToString(cells.slice(start, i + 1))}\x1b[${x + 1}G`;
			start = i + 1;
		}
	}
	return out + styledCharsToString(cells.slice(start, to));
};

const moveTo = (y: number, x: number): string => `\x1b[${y + 1};${x + 1}H`;

interface Row {
	readonly text: string;
	readonly cells: readonly StyledChar[];
	readonly width: number;
	readonly risky: boolean;
}

function parseRow(text: string): Row {
	const cells = styledCharsFromTokens(tokenize(text));
	let width = 0;
	let risky = false;
	for (const cell of cells) {
		width += cellWidth(cell.value);
		risky ||= isRisky(cell);
	}
	return { text, cells, width, risky };
}

/** The bytes that turn row `was` into row `now`; cells of both rows are one column wide. */
function changedRuns(y: number, was: Row, now: Row, columns: number): string {
	let out = '';
	let at = 0;
	const end = now.cells.length;
	const isSame = (i: number): boolean => {
		const cell = was.cells[i];
		return cell !== undefined && sameCell(now.cells[i]!, cell);
	};
	while (at < end) {
		while (at < end && isSame(at)) at++;
		if (at >= end) break;
		const from = at;
		let to = at + 1;
		for (let same = 0; at < end && same <= GAP_MIN; at++) {
			if (isSame(at)) same++;
			else {
				same = 0;
				to = at + 1;
			}
		}
		out += moveTo(y, from) + styled(now.cells, from, to, from);
	}
	if (was.width > now.width && now.width < columns) out += `${moveTo(y, now.width)}\x1b[K`;
	return out;
}

/** The bytes of a row of which nothing is known, or where widths are uncertain. */
function wholeRow(y: number, row: Row, columns: number): string {
	const cells = styled(row.cells, 0, row.cells.length, 0);
	// A glyph may be narrower on this terminal than we think: what it leaves uncovered must be empty.
	if (row.risky) return `${moveTo(y, 0)}\x1b[K${cells}`;
	// Erasing after a glyph in the last column would erase that glyph on many terminals.
	return moveTo(y, 0) + cells + (row.width >= columns ? '' : '\x1b[K');
}

export class FrameWriter {
	/** What Ink gets as its stdout. */
	readonly stream: NodeJS.WriteStream;
	readonly #out: ScreenOutput;
	readonly #options: FrameWriterOptions;
	#ackAfter: number;
	#shown: (Row | undefined)[] = [];
	#next: string | undefined;
	#latest = '';
	#timer: NodeJS.Timeout | undefined;
	#last = Number.NEGATIVE_INFINITY;
	#blocked = false;
	#urgent = false;
	#clears = false;
	#stopped = false;
	#unacked = 0;
	#ackTimer: NodeJS.Timeout | undefined;
	#slowTimer: NodeJS.Timeout | undefined;
	#misses = 0;
	#answered = false;
	/** Questions without an answer yet, also those that were given up: on a slow line it comes late. */
	#owed = 0;
	#idle: (() => void)[] = [];

	constructor(out: ScreenOutput, options: Partial<FrameWriterOptions> = {}) {
		this.#out = out;
		this.#options = { ...FRAME_WRITER_DEFAULTS, ...options };
		this.#ackAfter = this.#options.ackAfter;
		const stream = new EventEmitter();
		Object.defineProperty(stream, 'isTTY', { value: true });
		Object.defineProperty(stream, 'columns', { get: () => this.#columns });
		Object.defineProperty(stream, 'rows', { get: () => this.#rows });
		// In debug mode Ink writes one whole frame a call; the cursor belongs to the session.
		const write = (text: string, done?: () => void): boolean => {
			if (text !== '' && !text.startsWith('\x1b[?25')) this.#submit(text);
			if (typeof done === 'function') setImmediate(done);
			return true;
		};
		Object.defineProperty(stream, 'write', { value: write, configurable: true });
		this.stream = stream as unknown as NodeJS.WriteStream;
	}

	get #columns(): number {
		return this.#out.columns || 80;
	}

	get #rows(): number {
		return this.#out.rows || 24;
	}

	/** Call before a change that a key caused: the frame that follows does not wait. */
	hurry(): void {
		this.#urgent = true;
	}

	/** The terminal answered the status request. */
	ack(): void {
		this.#misses = 0;
		this.#answered = true;
		if (this.#owed > 0) this.#owed--;
		if (this.#ackTimer) this.#release();
		else this.#tellIdle();
	}

	/** Forgets the screen and paints the last frame again: after a resize, Ctrl-L or a resume. */
	repaint(): void {
		if (this.#stopped) return;
		this.#next ??= this.#latest;
		this.#shown = [];
		// Cleared with the frame, not before: while one is in flight the screen must not stay empty.
		this.#clears = true;
		this.#flush();
	}

	/** Sends something that is not a picture (a clipboard request) between two frames. */
	send(sequence: string): void {
		if (!this.#stopped) this.#out.write(sequence);
	}

	/** No frame leaves any more, until `resume`. */
	stop(): void {
		this.#stopped = true;
		clearTimeout(this.#timer);
		this.#timer = undefined;
	}

	/** Paints again after `stop`, on a screen of which nothing is known. */
	resume(): void {
		this.#stopped = false;
		this.#blocked = false;
		this.#unacked = 0;
		this.#owed = 0; // an answer that came meanwhile went to the shell
		clearTimeout(this.#ackTimer);
		this.#ackTimer = undefined;
		this.repaint();
	}

	/** Ends when nothing is in flight and no answer is owed, or when `limitMs` has passed: a late answer would reach the shell. */
	async settled(limitMs: number): Promise<void> {
		if (!this.#isOpen) return;
		await new Promise<void>((resolve) => {
			const timer = setTimeout(resolve, limitMs);
			this.#idle.push(() => {
				clearTimeout(timer);
				resolve();
			});
		});
	}

	/** A terminal that never answered owes nothing. */
	get #isOpen(): boolean {
		return this.#blocked || (this.#owed > 0 && this.#answered);
	}

	#tellIdle(): void {
		if (!this.#isOpen) for (const idle of this.#idle.splice(0)) idle();
	}

	#submit(frame: string): void {
		this.#next = frame;
		this.#latest = frame;
		if (this.#stopped) return;
		const wait = this.#options.minGapMs - (performance.now() - this.#last);
		if (this.#urgent || wait <= 0) this.#flush();
		else this.#timer ??= setTimeout(() => this.#flush(), wait);
	}

	#flush(): void {
		clearTimeout(this.#timer);
		this.#timer = undefined;
		if (this.#next === undefined || this.#blocked || this.#stopped) return;
		this.#urgent = false;
		const clear = this.#clears ? '\x1b[0m\x1b[2J' : '';
		this.#clears = false;
		const changes = clear + this.#difference(this.#next.split('\n').slice(0, this.#rows));
		this.#next = undefined;
		this.#last = performance.now();
		if (changes !== '') this.#put(changes);
	}

	#difference(lines: readonly string[]): string {
		let out = '';
		for (const [y, text] of lines.entries()) {
			const was = this.#shown[y];
			if (was?.text === text) continue;
			const now = parseRow(text);
			out +=
				was && !was.risky && !now.risky
					? changedRuns(y, was, now, this.#columns)
					: wholeRow(y, now, this.#columns);
			this.#shown[y] = now;
		}
		if (lines.length < this.#shown.length) {
			out += `${moveTo(lines.length, 0)}\x1b[J`;
			this.#shown.length = lines.length;
		}
		return out;
	}

	#put(changes: string): void {
		this.#blocked = true;
		this.#unacked += changes.length;
		const ask = this.#ackAfter > 0 && this.#unacked > this.#ackAfter;
		if (ask) {
			this.#owed++;
			this.#ackTimer = setTimeout(() => {
				// A terminal that does not answer three times is not asked again.
				if (++this.#misses >= 3) this.#ackAfter = 0;
				this.#release();
			}, this.#options.ackMs);
		}
		// A terminal that never answers is not a slow one.
		if (!ask || this.#answered) this.#watch();
		this.#out.write(ask ? `${changes}\x1b[5n` : changes, () => {
			if (!ask) this.#release();
		});
	}

	#watch(): void {
		const { onSlow, slowMs } = this.#options;
		if (!onSlow) return;
		clearTimeout(this.#slowTimer);
		this.#slowTimer = setTimeout(() => {
			if (this.#blocked) onSlow();
		}, slowMs);
		this.#slowTimer.unref();
	}

	#release(): void {
		if (this.#ackTimer || this.#ackAfter === 0) this.#unacked = 0;
		clearTimeout(this.#ackTimer);
		clearTimeout(this.#slowTimer);
		this.#ackTimer = undefined;
		this.#blocked = false;
		if (this.#next !== undefined) this.#flush();
		this.#tellIdle();
	}
}
