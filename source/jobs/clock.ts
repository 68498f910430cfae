import { randomFillSync } from 'node:crypto';
import type { Clock } from '../base/run.ts';

/** The one place that asks the machine for time and randomness. */
export const machineClock: Clock = {
	now: () => Date.now(),
	// `performance` would load a dozen of Node's modules first.
	elapsed: () => {
		const [seconds, nanoseconds] = process.hrtime();
		return seconds * 1000 + nanoseconds / 1_000_000;
	},
	guid: () => randomFillSync(new Uint8Array(16)),
};
