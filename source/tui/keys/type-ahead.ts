/**
 * Keys that come while what they follow is not there yet: the completion of a path in a text field, what a form starts,
 * a file that is being opened. They wait for it, as whoever typed them meant them to follow it. Esc and ^C end the wait
 * instead.
 */

import type { Key } from '../terminal/key-decoder.ts';

/** More than anybody types while a folder is read; what comes beyond is dropped. */
const HELD_MAX = 1000;

export interface TypeAheadOptions {
	readonly deliver: (key: Key) => void;
	/** Whether a key must wait, though no work for a text field is under way. */
	readonly isEarly: (key: Key) => boolean;
	/** How many keys wait for something other than a text field; 0: they were forgotten. */
	readonly onWaiting: (count: number) => void;
}

export class TypeAhead {
	readonly #options: TypeAheadOptions;
	#held: Key[] = [];
	#abort: AbortController | null = null;
	#isWaiting = false;
	#passesEsc = false;

	constructor(options: TypeAheadOptions) {
		this.#options = options;
	}

	/** Keys wait for something that `settle` will tell of. */
	get isWaiting(): boolean {
		return this.#isWaiting;
	}

	/** A key of the user. */
	push(key: Key): void {
		if (this.#abort === null && !this.#isWaiting) {
			if (!this.#options.isEarly(key)) {
				this.#options.deliver(key);
				return;
			}
			this.#isWaiting = true;
		}
		if ('name' in key && (key.name === 'esc' || key.name === 'C-c')) {
			const passes = this.#passesEsc;
			this.#abort?.abort();
			if (this.#isWaiting) this.#options.onWaiting(0);
			this.forget();
			if (passes) this.#options.deliver(key);
			return;
		}
		if (this.#held.length < HELD_MAX) this.#held.push(key);
		if (this.#isWaiting) this.#options.onWaiting(this.#held.length);
	}

	/**
	 * Holds back what is typed until `work` has ended; it must not show anything once its signal is aborted. With
	 * `passesEsc` the Esc that ends the wait counts as well, as where it closes the form.
	 */
	async during(work: (signal: AbortSignal) => Promise<void>, passesEsc = false): Promise<void> {
		const abort = new AbortController();
		this.#abort = abort;
		this.#passesEsc = passesEsc;
		try {
			await work(abort.signal);
		} finally {
			if (this.#abort === abort) this.#release();
		}
	}

	/** What keys waited for is there. */
	settle(): void {
		if (this.#isWaiting) this.#release();
	}

	/** What keys waited for will not come, or nobody wants them any more. */
	forget(): void {
		this.#isWaiting = false;
		this.#abort = null;
		this.#passesEsc = false;
		this.#held = [];
	}

	#release(): void {
		const held = this.#held;
		this.forget();
		// One of them may begin to wait for something again: the rest follows it.
		for (const key of held) this.push(key);
	}
}
