/** Loaded before a program (`node --import`): writes the most memory that it ever had, in bytes, to a file when it ends. */
import { writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

const file = process.env['WIMDECK_PEAK_MEMORY'];
if (isMainThread && file !== undefined)
	process.on('exit', () => writeFileSync(file, String(process.resourceUsage().maxRSS * 1024)));
