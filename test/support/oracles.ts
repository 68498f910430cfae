import { execFileSync, spawnSync } from 'node:child_process';

/** Other programs that the tests compare with. */
export type OracleName = 'wimlib-imagex' | '7zz' | 'tmux' | 'script';

const found = new Map<OracleName, boolean>();

function isThere(name: OracleName): boolean {
	let there = found.get(name);
	if (there === undefined) {
		there =
			spawnSync(name, [name === 'tmux' ? '-V' : '--help'], { stdio: 'ignore' }).error === undefined;
		found.set(name, there);
	}
	return there;
}

/**
 * Options for a test that needs other programs: it is skipped, visibly, where one is missing, unless
 * WIMDECK_REQUIRE_ORACLES is set; then it runs and fails.
 */
export function oracle(...names: readonly OracleName[]): { skip?: string } {
	if (process.env['WIMDECK_REQUIRE_ORACLES']) return {};
	const missing = names.filter((name) => !isThere(name));
	return missing.length === 0 ? {} : { skip: `${missing.join(' and ')} not on the PATH` };
}

/**
 * Runs such a program to its end.
 *
 * @returns what it printed to standard output
 * @throws {Error} with its error output when it fails
 */
export function runOracle(name: OracleName, ...args: readonly string[]): string {
	return execFileSync(name, args, {
		encoding: 'utf8',
		stdio: ['ignore', 'pipe', 'pipe'],
		maxBuffer: 256 * 1024 * 1024,
	});
}
