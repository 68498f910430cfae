/** More than this between two looks was not spent waiting: the machine was busy with others, or had stopped us. */
const STEP_MAX_MS = 250;

/**
 * A limit for waiting that counts only time in which both sides could run. Wall time is no measure: on a loaded
 * machine, or one that stops all processes while another measures, 30 s may pass between two looks.
 */
export class Patience {
	readonly #limitMs: number;
	#usedMs = 0;
	#lastMs = performance.now();

	constructor(limitMs: number) {
		this.#limitMs = limitMs;
	}

	/** Asked at every look. */
	get isOver(): boolean {
		const now = performance.now();
		this.#usedMs += Math.min(STEP_MAX_MS, now - this.#lastMs);
		this.#lastMs = now;
		return this.#usedMs > this.#limitMs;
	}
}
