/** Text and bytes to standard output, with backpressure; a reader that went away ends the run quietly. */

import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { HostError, hostError } from '../base/errors.ts';
import { printable } from '../base/print.ts';
import { encodeWtf8 } from '../bytes/utf16.ts';

/** Lines are gathered to writes of about this size. */
const BATCH_SIZE = 64 * 1024;

const SURROGATE = /[\ud800-\udfff]/;

/** Thrown by `Output` when whoever read standard output has closed it. */
export class ReaderGone extends HostError {
	constructor() {
		super('Cannot write to standard output: its reader has closed it');
	}
}

type OutputStream = Writable & { readonly isTTY?: boolean; readonly columns?: number };

export class Output {
	readonly #open: () => OutputStream;
	#opened: OutputStream | null = null;
	#batch: string[] = [];
	#batchSize = 0;
	#touched = false;
	#failed: Error | null = null;

	/** @param open called when the stream is first needed: making it takes as long as reading a header */
	constructor(open: () => OutputStream) {
		this.#open = open;
	}

	get #stream(): OutputStream {
		if (this.#opened !== null) return this.#opened;
		const stream = this.#open();
		this.#opened = stream;
		stream.on('error', (error: NodeJS.ErrnoException) => {
			this.#failed ??=
				error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED'
					? new ReaderGone()
					: hostError('Cannot write to standard output', error);
		});
		return stream;
	}

	/** A person looks at it, so names from images must not reach it as they are. */
	get isTerminal(): boolean {
		return this.#stream.isTTY === true;
	}

	/** Of the terminal; null when it is none. */
	get columns(): number | null {
		return this.isTerminal ? (this.#stream.columns ?? 80) : null;
	}

	/** Makes a name or a text from a file fit for where it goes: harmless on a terminal, unchanged in a pipe. */
	readonly show = (text: string): string => (this.isTerminal ? printable(text) : text);

	/** For bytes that something else writes; text must be flushed before. */
	get stream(): Writable {
		return this.#stream;
	}

	/** Nothing was given to it yet, and it is not kept for a file. */
	get isUntouched(): boolean {
		return !this.#touched;
	}

	/** It carries a file: no error may be printed there. */
	reserve(): void {
		this.#touched = true;
	}

	/** Takes text; returns a promise only when the caller should wait for it. */
	write(text: string): Promise<void> | null {
		this.#touched = true;
		this.#batch.push(text);
		this.#batchSize += text.length;
		if (this.#batchSize < BATCH_SIZE) return null;
		const flushed = this.flush();
		// Who does not wait hears of a failure at the end.
		flushed.catch(() => {});
		return flushed;
	}

	/** One line. See `write`. */
	line(text: string): Promise<void> | null {
		return this.write(`${text}\n`);
	}

	/** Bytes as they are, after all text taken so far. */
	async bytes(data: Uint8Array): Promise<void> {
		this.#touched = true;
		await this.flush();
		await this.#send(data);
	}

	/** Resolves once everything taken so far is with the operating system. */
	async flush(): Promise<void> {
		if (this.#batchSize === 0) return this.#check();
		const text = this.#batch.join('');
		this.#batch = [];
		this.#batchSize = 0;
		// Names may hold unpaired surrogates, which UTF-8 has no form for and WTF-8 has.
		await this.#send(SURROGATE.test(text) ? encodeWtf8(text) : text);
	}

	async #send(data: string | Uint8Array): Promise<void> {
		this.#check();
		if (!this.#stream.write(data)) {
			// An error while waiting rejects `once`; the listener above has noted why.
			await once(this.#stream, 'drain').catch(() => {});
		}
		this.#check();
	}

	/** Waits until the stream has taken everything. */
	async end(): Promise<void> {
		await this.flush();
		if (this.#opened !== null) await this.#drained(this.#opened);
		this.#check();
	}

	#drained(stream: OutputStream): Promise<void> {
		return new Promise<void>((resolve) => {
			stream.write('', () => resolve());
		});
	}

	#check(): void {
		if (this.#failed) throw this.#failed;
	}
}
