import { randomFillSync } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import type { Clock } from '../base/run.ts';

/** The one place that asks the machine for time and randomness. */
export const machineClock: Clock = {
	now: () => Date.now(),
	// `performance` would load a dozen of Node's modules first.
	elapsed: () => {
		const [seconds, nanoseconds] = process.hrtime();
		return seconds * 1000 + nanoseconds / 1_000_000;
	},
	guid: () => systemRandom(new Uint8Array(16)) ?? randomFillSync(new Uint8Array(16)),
};

/** From where Node's cryptography has its randomness as well; loading that takes 6 ms. Null where there is no such device. */
function systemRandom(into: Uint8Array): Uint8Array | null {
	try {
		const fd = openSync('/dev/urandom', 'r');
		try {
			return readSync(fd, into, 0, into.length, null) === into.length ? into : null;
		} finally {
			closeSync(fd);
		}
	} catch {
		return null;
	}
}
