import { ExitCode } from '../base/errors.ts';

/** What each exit code of the process means; help, `explain` and the README show this table. */
export const EXIT_MEANINGS: readonly {
	readonly code: number;
	readonly meaning: string;
	readonly advice: string;
}[] = [
	{ code: ExitCode.done, meaning: 'Done', advice: 'Nothing to do.' },
	{
		code: ExitCode.defect,
		meaning: 'A defect in wimdeck',
		advice: 'Report it with the command and the lines it printed.',
	},
	{
		code: ExitCode.badInput,
		meaning: 'Wrong arguments, no such image or path, or a name that is taken',
		advice: 'Read the message; wimdeck help VERB shows the arguments, wimdeck info WIM the images.',
	},
	{
		code: ExitCode.problems,
		meaning: 'Finished, but items were damaged, skipped or lost; each was reported',
		advice: 'Read the reports on standard error; wimdeck verify WIM names every damaged file.',
	},
	{
		code: ExitCode.badFormat,
		meaning: 'Not a WIM, or bytes that break the format',
		advice: 'Copy the file again from its source; wimdeck salvage gets back what is left.',
	},
	{
		code: ExitCode.badDigest,
		meaning: 'Data with a wrong SHA-1 where the operation cannot go on',
		advice: 'Use --recover-data to go on, or wimdeck repair with another copy as donor.',
	},
	{
		code: ExitCode.missingData,
		meaning: 'A part of a split WIM, or a blob, is missing',
		advice: 'Name the missing files with --ref "install*.swm" or --ref base.wim.',
	},
	{
		code: ExitCode.unsupported,
		meaning: 'Valid, but not supported, as an encrypted ESD',
		advice: 'Read the message: it names the version or feature.',
	},
	{
		code: ExitCode.hostRefused,
		meaning: 'The machine said no: permission, space, a lock, a read error',
		advice: 'Free space, run as a user who may, or close the program that holds the file.',
	},
	{
		code: ExitCode.canceled,
		meaning: 'Canceled (Ctrl+C)',
		advice: 'Run it again; nothing was left half done.',
	},
];
