/** Loaded before a program (`node --import`): writes the longest turn of its main thread, in ms, to a file when it ends. */
import { writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';

const file = process.env['WIMDECK_LONGEST_TURN'];
if (isMainThread && file !== undefined) {
	const delay = monitorEventLoopDelay({ resolution: 1 });
	delay.enable();
	process.on('exit', () => writeFileSync(file, (delay.max / 1e6).toFixed(0)));
}
