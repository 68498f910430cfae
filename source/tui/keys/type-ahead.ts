/**
 * Keys that come while something is looked up for the text field (the completion of a path): they wait for it, as
 * whoever typed them meant them to follow it. Esc and ^C end the wait instead.
 */

import type { Key } from '../terminal/key-decoder.ts';

/** More than anybody types while a folder is read; what comes beyond is dropped. */
const HELD_MAX = 1000;

export class TypeAhead {
	readonly #deliver: (key: Key) => void;
	#held: Key[] = [];
	#abort: AbortController | null = null;

	constructor(deliver: (key: Key) => void) {
		this.#deliver = deliver;
	}

	/** A key of the user. */
	push(key: Key): void {
		if (this.#abort === null) {
			this.#deliver(key);
			return;
		}
		if ('name' in key && (key.name === 'esc' || key.name === 'C-c')) {
			this.#abort.abort();
			this.#abort = null;
			this.#held = [];
		} else if (this.#held.length < HELD_MAX) this.#held.push(key);
	}

	/** Holds back what is typed until `work` has ended; it must not show anything once its signal is aborted. */
	async during(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
		const abort = new AbortController();
		this.#abort = abort;
		try {
			await work(abort.signal);
		} finally {
			if (this.#abort === abort) this.#release();
		}
	}

	#release(): void {
		this.#abort = null;
		const held = this.#held;
		this.#held = [];
		// One of them may begin to look something up again: the rest waits for that.
		for (const key of held) this.push(key);
	}
}
