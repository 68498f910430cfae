import type { TestContext } from 'node:test';
import { ThreadPool } from '../../source/pool/thread-pool.ts';
import { type Flag, TEST_TASKS, type TestTasks } from './pool-tasks.ts';

/** Threads that serve the tasks of tests. */
export function testThreads(t: TestContext, laneCount: number): ThreadPool<TestTasks> {
	const pool = new ThreadPool<TestTasks>({
		laneCount,
		memorySize: 1 << 30,
		registry: TEST_TASKS,
		entry: () => new URL('./pool-worker.js', import.meta.url),
	});
	t.after(() => pool[Symbol.asyncDispose]());
	return pool;
}

/** Resolves when a thread has raised a flag. */
export async function raised(which: Flag): Promise<void> {
	while (Atomics.load(which, 0) === 0) await new Promise((resolve) => setImmediate(resolve));
}
