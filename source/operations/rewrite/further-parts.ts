import type { Stretch } from '../../wim/copy-resources.ts';
import type { NewSession } from '../../wim/write-session.ts';

/** So many parts are begun at most: each has buffers of its own. */
const BEGUN_MAX = 4;

/** The parts of a set behind the first, of which some are copied before it is known whether everything is needed. */
export class FurtherParts implements AsyncDisposable {
	readonly #create: (position: number) => Promise<NewSession>;
	readonly #made = new Map<number, NewSession>();
	#work: Promise<void> = Promise.resolve();

	/** @param create makes a part by its position from 0 */
	constructor(create: (position: number) => Promise<NewSession>) {
		this.#create = create;
	}

	/**
	 * Begins them all at once: each turn of the event loop is a piece of every part. What turns out otherwise is taken back
	 * when they are written.
	 *
	 * @param stretches what goes into the parts behind the first
	 */
	begin(stretches: readonly Stretch[]): void {
		// What fails here fails again when the part is written, and is told then.
		this.#work = this.#begin(stretches.slice(0, BEGUN_MAX));
	}

	async #begin(stretches: readonly Stretch[]): Promise<void> {
		const begun = stretches.map(async ({ part, from, end }, k) => {
			const session = await this.#create(k + 1);
			this.#made.set(k + 1, session);
			await session.beginAhead(part, from, end);
		});
		await Promise.allSettled(begun);
	}

	/** A part by its position, from 1. */
	async part(position: number): Promise<NewSession> {
		await this.#work;
		const session = this.#made.get(position) ?? (await this.#create(position));
		this.#made.set(position, session);
		return session;
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.#work;
		for (const session of this.#made.values()) await session[Symbol.asyncDispose]();
	}
}
