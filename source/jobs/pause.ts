/** Holds a job between chunks. Operations look at `waiting` through `Run.paused`. */
export class PauseGate {
	#held: Promise<void> | null = null;
	#release: (() => void) | null = null;

	get isPaused(): boolean {
		return this.#held !== null;
	}

	/** A promise that ends with the pause; null while there is none. */
	waiting(): Promise<void> | null {
		return this.#held;
	}

	pause(): void {
		this.#held ??= new Promise((resolve) => {
			this.#release = resolve;
		});
	}

	resume(): void {
		this.#release?.();
		this.#held = null;
		this.#release = null;
	}
}
