import { availableParallelism, totalmem } from 'node:os';
import { InlineTaskPool } from './inline-pool.ts';
import type { TaskPool } from './task-pool.ts';
import { TASKS, type Tasks } from './tasks.ts';
import { ThreadPool } from './thread-pool.ts';
import { workerEntry } from './worker-entry.ts';

/** Runs the work of wimdeck on lanes; see `TaskPool` for what it can, and `TASKS` for what the lanes can. */
export type Pool = TaskPool<Tasks>;

/** More lanes than this only cost memory: reading is then limited by the disk. */
const LANE_COUNT_MAX = 64;

/**
 * Makes the pool of the process. Threads start with the first work that is worth it.
 *
 * @param threads how many; null: as many as this machine runs at once
 */
export function openPool(threads: number | null = null): Pool {
	const wanted = threads ?? availableParallelism();
	return new ThreadPool({
		laneCount: Math.max(1, Math.min(wanted, LANE_COUNT_MAX)),
		memorySize: Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY) / 2,
		registry: TASKS,
		entry: workerEntry,
	});
}

/** A pool without threads, for tests and for work that is always small. */
export class InlinePool extends InlineTaskPool<Tasks> {
	constructor() {
		super(TASKS);
	}
}
