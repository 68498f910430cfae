import { randomFillSync } from 'node:crypto';
import type { Clock } from '../base/run.ts';

/** The one place that asks the machine for time and randomness. */
export const machineClock: Clock = {
	now: () => Date.now(),
	elapsed: () => performance.now(),
	guid: () => randomFillSync(new Uint8Array(16)),
};
