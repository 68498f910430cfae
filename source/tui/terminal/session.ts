/**
 * The terminal while the deck has it: raw mode, second screen, cursor, paste brackets, signals. Whatever
 * was changed on entering is changed back on leaving, on every way out, by the same function.
 */

import { writeSync } from 'node:fs';
import type { ReadStream, WriteStream } from 'node:tty';
import type { TerminalProfile } from './probe.ts';

/** What of the process the session uses; a test passes its own. */
export interface SessionHost {
	readonly stdin: ReadStream;
	readonly stdout: WriteStream & { readonly fd: number };
	readonly stderr: NodeJS.EventEmitter;
	readonly process: NodeJS.EventEmitter;
	/** Stops this process and its group until the shell continues it. */
	readonly suspend: () => void;
}

export type LeaveReason = 'SIGINT' | 'SIGTERM' | 'SIGQUIT' | 'hangup' | 'error';

export interface SessionEvents {
	readonly onInput: (text: string) => void;
	readonly onResize: () => void;
	/** The screen is entered again and must be painted. `wasStopped`: by the shell that continued us; else nobody stopped us. */
	readonly onContinue: (wasStopped: boolean) => void;
	/** A signal, a lost line or a defect asks the program to end. Whoever hears it leaves, at once or as soon as no answer is open. */
	readonly onEnd: (reason: LeaveReason, error?: unknown) => void;
}

const RESIZE_MS = 50;
/** By now a stop signal has stopped us, or there is no shell that could continue us and the system has dropped it. */
const STOP_MS = 200;
const WRITE_RETRIES = 200;

const enterSequence = (profile: TerminalProfile): string =>
	`${profile.hasAlternateScreen ? '\x1b[?1049h' : ''}\x1b[?2004h\x1b[?25l\x1b[0m\x1b[2J\x1b[H`;

const leaveSequence = (profile: TerminalProfile, rows: number): string =>
	`\x1b[0m\x1b[?2004l\x1b[?25h${profile.hasAlternateScreen ? '\x1b[?1049l' : `\x1b[${rows};1H\x1b[K\r\n`}`;

/** What Node has and does not document; without it everything works, less well. */
interface TerminalInside {
	readonly _handle?: { setBlocking?(blocking: boolean): void };
	_refreshSize?(): void;
}

export class Session {
	readonly #host: SessionHost;
	readonly #profile: TerminalProfile;
	readonly #events: SessionEvents;
	readonly #undo: (() => void)[] = [];
	#isEntered = false;
	#isHungUp = false;
	#resizeTimer: NodeJS.Timeout | undefined;
	#stopTimer: NodeJS.Timeout | undefined;
	#isClosed = false;

	constructor(host: SessionHost, profile: TerminalProfile, events: SessionEvents) {
		this.#host = host;
		this.#profile = profile;
		this.#events = events;
	}

	/** Takes the terminal and starts to listen for keys and signals. */
	open(): void {
		const { stdin, stdout, stderr, process } = this.#host;
		const swallow = (): void => this.#hangUp();
		// A terminal that went away reports errors on its streams; unheard, they would end the program at once.
		this.#listen(stdin, 'error', swallow);
		this.#listen(stdout, 'error', swallow);
		this.#listen(stderr, 'error', () => {});
		this.#listen(stdin, 'end', swallow);
		this.#listen(stdin, 'data', (text) => this.#events.onInput(String(text)));
		this.#listen(stdout, 'resize', () => this.#resized());
		for (const signal of ['SIGINT', 'SIGTERM', 'SIGQUIT'] as const)
			this.#listen(process, signal, () => this.#events.onEnd(signal));
		// Ctrl+Break of Windows, which raw mode does not keep back; elsewhere nothing sends it.
		this.#listen(process, 'SIGBREAK', () => this.#events.onEnd('SIGINT'));
		this.#listen(process, 'SIGHUP', swallow);
		this.#listen(process, 'SIGCONT', () => this.#continued(true));
		this.#listen(process, 'uncaughtException', (error) => this.#events.onEnd('error', error));
		this.#listen(process, 'unhandledRejection', (error) => this.#events.onEnd('error', error));
		this.#listen(process, 'exit', () => this.leave());
		this.#enter();
	}

	/** Gives the terminal back and stops listening. Safe to call again. */
	close(): void {
		this.leave();
		this.#isClosed = true;
		clearTimeout(this.#resizeTimer);
		clearTimeout(this.#stopTimer);
		for (const undo of this.#undo.splice(0)) undo();
		this.#host.stdin.pause();
		this.#host.stdin.unref();
	}

	/** Restores the screen; keys and signals are still heard. Safe to call again. */
	leave(): void {
		if (!this.#isEntered) return;
		this.#isEntered = false;
		const { stdin, stdout } = this.#host;
		this.#setBlocking(true);
		writeFully(stdout.fd, leaveSequence(this.#profile, stdout.rows || 24));
		try {
			stdin.setRawMode(false);
		} catch {
			// The terminal went away: there is nothing left to restore.
		}
	}

	/** Gives the terminal to the shell until it continues us (^Z); takes it back where nobody is there to do that. */
	suspend(): void {
		this.leave();
		this.#host.suspend();
		this.#stopTimer = setTimeout(() => {
			// A continuation that arrived meanwhile is heard first.
			setImmediate(() => {
				if (!this.#isEntered) this.#continued(false);
			});
		}, STOP_MS);
	}

	#enter(): void {
		const { stdin, stdout } = this.#host;
		this.#isEntered = true;
		stdin.setEncoding('utf8');
		stdin.setRawMode(true);
		stdin.resume();
		stdin.ref();
		// A stalled terminal (Ctrl-S, a full serial line) must not stop the jobs.
		this.#setBlocking(false);
		stdout.write(enterSequence(this.#profile));
	}

	#continued(wasStopped: boolean): void {
		clearTimeout(this.#stopTimer);
		if (this.#isHungUp || this.#isClosed) return;
		if (this.#isEntered) {
			// Stopped by a signal from outside, not by ^Z: the shell has changed the modes behind our back.
			this.#host.stdin.setRawMode(false);
		}
		// While others had the terminal they alone were told of its new size.
		(this.#host.stdout as unknown as TerminalInside)._refreshSize?.();
		this.#enter();
		this.#events.onContinue(wasStopped);
	}

	#resized(): void {
		this.#resizeTimer ??= setTimeout(() => {
			this.#resizeTimer = undefined;
			if (this.#isEntered) this.#events.onResize();
		}, RESIZE_MS);
	}

	#hangUp(): void {
		if (this.#isHungUp) return;
		this.#isHungUp = true;
		this.#events.onEnd('hangup');
	}

	#setBlocking(blocking: boolean): void {
		(this.#host.stdout as unknown as TerminalInside)._handle?.setBlocking?.(blocking);
	}

	#listen(emitter: NodeJS.EventEmitter, event: string, listener: (value: unknown) => void): void {
		emitter.on(event, listener);
		this.#undo.push(() => emitter.off(event, listener));
	}
}

/** Writes although the process may be about to end; gives up on a terminal that takes nothing. */
function writeFully(fd: number, text: string): void {
	const bytes = new TextEncoder().encode(text);
	let at = 0;
	for (let tries = 0; at < bytes.length && tries < WRITE_RETRIES; tries++) {
		try {
			at += writeSync(fd, bytes, at);
		} catch (error) {
			if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return;
			Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
		}
	}
}
