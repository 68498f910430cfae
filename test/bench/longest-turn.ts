/**
 * Loaded before a program (`node --import`): writes the longest turn of its main thread to a file when it ends, in ms, and
 * where the kernel tells it (Linux) the most processor time that a turn took. The rest is waiting: for the disk, or for a
 * processor that others use.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';

const file = process.env['WIMDECK_LONGEST_TURN'];
if (isMainThread && file !== undefined) {
	const delay = monitorEventLoopDelay({ resolution: 1 });
	delay.enable();
	let last = processorMs();
	let most = 0;
	const look = () => {
		const now = processorMs();
		if (now !== null && last !== null) most = Math.max(most, now - last);
		last = now;
	};
	// What node does before the first turn is not counted.
	setImmediate(() => {
		last = processorMs();
		setInterval(look, 1).unref();
	});
	process.on('exit', () => {
		look();
		const processor = last === null ? '' : ` (${most.toFixed(0)})`;
		writeFileSync(file, `${(delay.max / 1e6).toFixed(0)}${processor}`);
	});
}

/** Processor time of the main thread so far; null where nobody tells. */
export function processorMs(): number | null {
	try {
		const [ns] = readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'latin1').split(' ');
		return Number(ns) / 1e6;
	} catch {
		return null;
	}
}
