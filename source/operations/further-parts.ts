import type { HeadStart, Stretch } from '../wim/copy-resources.ts';
import type { NewSession } from '../wim/write-session.ts';

/** So many parts are begun at most: each has buffers of its own. */
const BEGUN_MAX = 4;

/** The parts of a set behind the first, of which some are copied before it is known whether everything is needed. */
export class FurtherParts implements AsyncDisposable {
	readonly #create: (position: number) => Promise<NewSession>;
	readonly #made = new Map<number, NewSession>();
	#isOver = false;
	#stop = () => {};
	readonly #stopped = new Promise<void>((resolve) => {
		this.#stop = resolve;
	});
	#work: Promise<void> = Promise.resolve();

	/** @param create makes a part by its position from 0 */
	constructor(create: (position: number) => Promise<NewSession>) {
		this.#create = create;
	}

	/**
	 * Begins one part after the other. What turns out otherwise is taken back when they are written.
	 *
	 * @param first of part 1
	 * @param stretches what goes into the parts behind it
	 */
	begin(first: HeadStart, stretches: readonly Stretch[]): void {
		// What fails here fails again when the part is written, and is told then.
		this.#work = this.#begin(first, stretches.slice(0, BEGUN_MAX)).catch(() => {});
	}

	async #begin(first: HeadStart, stretches: readonly Stretch[]): Promise<void> {
		let last = first;
		for (const [k, { part, from, end }] of stretches.entries()) {
			await Promise.race([last.isDone, this.#stopped]);
			if (this.#isOver) return;
			const session = await this.#create(k + 1);
			this.#made.set(k + 1, session);
			await session.beginAhead(part, from, end);
			if (session.ahead === null) return;
			last = session.ahead;
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
		this.#stop();
		await this.#work;
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.#end();
		for (const session of this.#made.values()) await session[Symbol.asyncDispose]();
	}
}
