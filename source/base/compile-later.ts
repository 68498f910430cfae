import { setFlagsFromString } from 'node:v8';

/**
 * A run of a second or two should not spend a quarter of a second on four threads optimizing functions that are nearly
 * done with their work: they take processors from the lanes, whose kernels are machine code already. Functions that
 * go on for longer are optimized all the same. Bytes of bytecode; three times as many are run first. Measured on
 * Node 20, where the default is 67,584: `verify` of 318 MB takes 1.31 instead of 1.54 s of processor time, of 300,000
 * files 3.55 instead of 3.42 s; above 600,000 long runs lose more than short ones gain.
 */
const INTERRUPT_BUDGET = 300_000;

/** V8 of Node 20; later ones count otherwise, compile in between with Maglev, and refuse the flag. */
const V8_VERSION = '11.';

/** Tells V8 to optimize only what runs for long; to be called before there is much code. */
export function compileLater(): void {
	if (process.versions.v8.startsWith(V8_VERSION))
		setFlagsFromString(`--interrupt-budget=${INTERRUPT_BUDGET}`);
}
