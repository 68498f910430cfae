/** The runs of other processes, looked at again and again for little: only what has changed is read. */

import { isAlive, ownIdentity, type ProcessIdentity } from '../host/process-identity.ts';
import type { Journal, LogLine, RunRecord } from './journal.ts';

/** A run with its problems and warnings: a new object whenever something of it changed. */
export interface WatchedRun {
	readonly record: RunRecord;
	readonly log: readonly LogLine[];
	/** It was running when it was first seen, so that its end is news. */
	readonly sawItRun: boolean;
}

interface Known extends WatchedRun {
	readonly stamp: string;
}

export class JournalWatch {
	readonly #journal: Journal;
	#known = new Map<number, Known>();
	/** The stamps of runs that cannot be read, so that they are not read again and again. */
	#unreadable = new Map<number, string>();
	#own: ProcessIdentity | null = null;

	constructor(journal: Journal) {
		this.#journal = journal;
	}

	/**
	 * Looks again.
	 *
	 * @returns runs that are not this process's own, oldest first; null when nothing has changed
	 */
	async poll(): Promise<readonly WatchedRun[] | null> {
		this.#own ??= await ownIdentity();
		const ids = await this.#journal.ids();
		const next = new Map<number, Known>();
		const unreadable = new Map<number, string>();
		let isChanged = false;
		for (const id of ids) {
			const before = this.#known.get(id);
			const stamp = await this.#journal.stamp(id);
			const now = this.#unreadable.get(id) === stamp ? null : await this.#look(id, before, stamp);
			if (now === null) {
				unreadable.set(id, stamp);
				continue;
			}
			next.set(id, now);
			isChanged ||= now !== before;
		}
		isChanged ||= next.size !== this.#known.size;
		this.#known = next;
		this.#unreadable = unreadable;
		if (!isChanged) return null;
		return [...next.values()].filter(({ record }) => !isSame(record.process, this.#own));
	}

	async #look(id: number, before: Known | undefined, stamp: string): Promise<Known | null> {
		if (before !== undefined && before.stamp === stamp) {
			const { record } = before;
			// Killed processes write nothing more; whether they are there must be asked.
			if (record.state !== 'running' || (await isAlive(record.process))) return before;
		}
		const record = await this.#journal.run(id);
		if (record === null) return null;
		const isQuiet = before !== undefined && logSize(before.stamp) === logSize(stamp);
		return {
			record,
			stamp,
			log: isQuiet ? before.log : await this.#journal.log(id),
			sawItRun: before?.sawItRun ?? record.state === 'running',
		};
	}
}

const logSize = (stamp: string): string => stamp.split(' ')[0] ?? '';

const isSame = (a: ProcessIdentity, b: ProcessIdentity | null): boolean =>
	a.pid === b?.pid && a.started === b.started;
