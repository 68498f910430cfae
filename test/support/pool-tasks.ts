import { threadId } from 'node:worker_threads';
import { DigestError } from '../../source/base/errors.ts';
import type { Lane } from '../../source/pool/lane.ts';

/** One number that two threads see. */
export type Flag = Int32Array<SharedArrayBuffer>;

export function flag(): Flag {
	return new Int32Array(new SharedArrayBuffer(4));
}

export function raise(which: Flag): void {
	Atomics.store(which, 0, 1);
	Atomics.notify(which, 0);
}

/** Tasks that do what pools must be able to stand; served by `pool-worker.ts`. */
export const TEST_TASKS = {
	/** Waits for one flag, raises another, and says what it was told. */
	*echo(input: { readonly say: string; readonly after?: Flag; readonly raises?: Flag }, _: Lane) {
		yield 1;
		if (input.after) Atomics.wait(input.after, 0, 0);
		if (input.raises) raise(input.raises);
		return input.say;
	},
	/** Says on which thread it is. */
	*thread(_input: null, _: Lane) {
		yield 0;
		return threadId;
	},
	/** Raises a flag and is stuck in a step until another is raised; the last one says that it got on. */
	*stick(
		input: { readonly begun: Flag; readonly after: Flag; readonly ended: Flag },
		_: Lane,
	): Generator<number, void, void> {
		raise(input.begun);
		Atomics.wait(input.after, 0, 0);
		raise(input.ended);
		yield 1;
	},
	/** Never ends by itself; raises a flag when it is stopped. */
	*endless(input: { readonly stopped: Flag }, _: Lane) {
		try {
			for (;;) yield 1 << 20;
		} finally {
			raise(input.stopped);
		}
	},
	/** Works through a number of bytes in steps of one MiB. */
	*work(input: { readonly bytes: number }, _: Lane) {
		for (let left = input.bytes; left > 0; left -= 1 << 20) yield Math.min(left, 1 << 20);
		return input.bytes;
	},
	*refuse(input: { readonly path: string }, _: Lane): Generator<number, never, void> {
		yield 0;
		throw new DigestError('Cannot do it: wrong SHA-1', { path: input.path, offset: 7 });
	},
	*defect(_input: null, _: Lane): Generator<number, never, void> {
		yield 0;
		throw new TypeError('a bug');
	},
	/** Ends its thread, as running out of memory would. */
	*die(_input: null, _: Lane): Generator<number, never, void> {
		yield 0;
		process.exit(3);
	},
	*handOver(input: { readonly size: number }, lane: Lane) {
		yield 0;
		const buffer = new ArrayBuffer(input.size);
		lane.transfer(buffer);
		return buffer;
	},
};

export type TestTasks = typeof TEST_TASKS;
