/** The command line of a script: its options, `--help`, and wrong ones told in one line. */
import { type ParseArgsConfig, parseArgs } from 'node:util';

type Options = NonNullable<ParseArgsConfig['options']>;

/** Status of a script that was called wrongly. */
const WRONG_ARGUMENTS = 2;

export function refuse(message: string, usage: string): never {
	process.stderr.write(`${message}\n\n${usage}`);
	process.exit(WRONG_ARGUMENTS);
}

/**
 * Ends the process for `--help`, which prints the usage, and for arguments that `parseArgs` refuses or that are too few.
 *
 * @param positionalCount least number of arguments that are no options
 */
export function scriptOptions<const T extends Options>(
	usage: string,
	options: T,
	positionalCount = 0,
): ReturnType<typeof parseArgs<{ options: T; allowPositionals: boolean }>> {
	if (process.argv.includes('--help')) {
		process.stdout.write(usage);
		process.exit(0);
	}
	try {
		const parsed = parseArgs({ allowPositionals: positionalCount > 0, options });
		if (parsed.positionals.length >= positionalCount) return parsed;
	} catch (error) {
		refuse(error instanceof Error ? error.message : String(error), usage);
	}
	return refuse('An argument is missing.', usage);
}
