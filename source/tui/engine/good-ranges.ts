/** What a running check has found good so far: stretches of each part, joined where they meet. */

import path from 'node:path';
import type { GoodStretch } from '../engine-views.ts';

/** Stretches kept; a check reads in the order of the file, so that few ever stand apart. */
const STRETCHES_MAX = 4096;

export class GoodRanges {
	#stretches: { part: string; offset: number; size: number }[] = [];
	#told: readonly GoodStretch[] = [];
	#isTold = true;
	/** Absolute, by the name that the check uses. */
	readonly #paths = new Map<string, string>();

	add(name: string, offset: number, size: number): void {
		const part = this.#paths.get(name) ?? path.resolve(name);
		this.#paths.set(name, part);
		const last = this.#stretches.at(-1);
		if (last?.part === part && offset >= last.offset && offset <= last.offset + last.size)
			last.size = Math.max(last.size, offset + size - last.offset);
		else if (this.#stretches.length < STRETCHES_MAX) this.#stretches.push({ part, offset, size });
		else return;
		this.#isTold = false;
	}

	/** As they are now; the same object while nothing is added. */
	list(): readonly GoodStretch[] {
		if (!this.#isTold) {
			this.#told = this.#stretches.map((stretch) => ({ ...stretch }));
			this.#isTold = true;
		}
		return this.#told;
	}
}
