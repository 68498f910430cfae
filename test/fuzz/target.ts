import type { Random } from '../support/prefix-code.ts';

/**
 * One thing to fuzz. An iteration makes an input from `random`, hands it to `keep` before use, and throws when something
 * is wrong: anything but a `WimError` or the right result, within limits of time and memory.
 */
export type FuzzTarget = (
	random: Random,
	keep: (input: Uint8Array) => void,
) => void | Promise<void>;

/** What each file of this folder exports as `targets`: by the names that `--target` takes. */
export type FuzzTargets = Readonly<Record<string, FuzzTarget>>;
