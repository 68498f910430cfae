import type { Stretch } from '../../wim/copy-resources.ts';
import type { NewSession } from '../../wim/write-session.ts';

/** So many parts are begun at most: each has buffers of its own. */
const BEGUN_MAX = 4;

/** The parts of a set behind the first, of which some are copied before it is known whether everything is needed. */
export class FurtherParts implements AsyncDisposable {
	readonly #create: (position: number) => Promise<NewSession>;
	readonly #made = new Map<number, NewSession>();
	#isOver = false;
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
		this.#work = this.#begin(stretches.slice(0, BEGUN_MAX)).catch(() => {});
	}

	async #begin(stretches: readonly Stretch[]): Promise<void> {
		for (const [k, { part, from, end }] of stretches.entries()) {
			if (this.#isOver) return;
			const session = await this.#create(k + 1);
			this.#made.set(k + 1, session);
			await session.beginAhead(part, from, end);
		}
	}

	/** A part by its position, from 1; no further one is begun. */
	async part(position: number): Promise<NewSession> {
		await this.#end();
		const session = this.#made.get(position) ?? (await this.#create(position));
		this.#made.set(position, session);
		return session;
	}

	async #end(): Promise<void> {
		this.#isOver = true;
		await this.#work;
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.#end();
		for (const session of this.#made.values()) await session[Symbol.asyncDispose]();
	}
}
