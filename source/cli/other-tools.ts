/**
 * What commands and options of DISM, ImageX and 7-Zip are called here: for `wimdeck help dism`, for the hint after a word of
 * theirs, and for the table of the README. Those of `wimlib-imagex` are ours.
 */

import { InputError } from '../base/errors.ts';
import { printable } from '../base/print.ts';
import { usageOf, VERB_NAMES } from './commands.ts';
import { wrap } from './help.ts';
import { nearest } from './nearest.ts';

export type OtherTool = 'dism' | 'imagex' | '7z';

interface ForeignCommand {
	/** As they are typed, the usual one first; compared without case. */
	readonly theirs: readonly string[];
	/** The command line here. */
	readonly ours: string;
}

interface Tool {
	readonly name: string;
	readonly commands: readonly ForeignCommand[];
	/** Sentences on options and differences. */
	readonly notes: readonly string[];
}

export const OTHER_TOOLS: Readonly<Record<OtherTool, Tool>> = {
	dism: {
		name: 'DISM',
		commands: [
			{ theirs: ['/Get-ImageInfo', '/Get-WimInfo'], ours: 'wimdeck info WIM [IMAGE]' },
			{ theirs: ['/List-Image'], ours: 'wimdeck dir WIM IMAGE' },
			{ theirs: ['/Apply-Image'], ours: 'wimdeck apply WIM IMAGE TARGET' },
			{ theirs: ['/Capture-Image'], ours: 'wimdeck capture SOURCE WIM NAME' },
			{ theirs: ['/Append-Image'], ours: 'wimdeck append SOURCE WIM NAME' },
			{ theirs: ['/Export-Image'], ours: 'wimdeck export SRC IMAGE DEST [NAME]' },
			{ theirs: ['/Remove-Image'], ours: 'wimdeck delete WIM IMAGE [--soft]' },
			{ theirs: ['/Split-Image'], ours: 'wimdeck split WIM PART1.swm SIZE_MIB' },
			{ theirs: ['/Mount-Image', '/Mount-Wim'], ours: 'wimdeck mountrw WIM IMAGE DIR' },
			{ theirs: ['/Get-MountedImageInfo', '/Get-MountedWimInfo'], ours: 'wimdeck mount' },
			{ theirs: ['/Unmount-Image', '/Unmount-Wim'], ours: 'wimdeck unmount DIR [--commit]' },
			{ theirs: ['/Commit-Image', '/Commit-Wim'], ours: 'wimdeck unmount DIR --commit' },
			{ theirs: ['/Cleanup-Mountpoints', '/Cleanup-Wim'], ours: 'wimdeck unmount DIR --force' },
		],
		notes: [
			'/Index:N and /Name:NAME become the argument IMAGE; /ImageFile, /ApplyDir, /CaptureDir, /SourceImageFile and so on the other arguments.',
			'/ReadOnly: mount instead of mountrw. /Discard: unmount without --commit. /SWMFile:GLOB: --ref=GLOB. /CheckIntegrity: --check. /Verify: every content is always checked. /NoRpFix: --norpfix. /Bootable and /SetBootable: --boot. /ConfigFile:FILE: --config=FILE. /Description:TEXT: the argument DESC. /WIMBoot: --wimboot. /Compact: Windows only.',
			'/Compress:max, fast and none: --compress=maximum, fast and none. /Compress:recovery: --solid.',
			'/Remove-Image leaves the contents in the file, as --soft does; without it the file shrinks.',
			'Servicing a Windows inside an image (drivers, packages, features) stays with DISM.',
		],
	},
	imagex: {
		name: 'ImageX',
		commands: [
			...(['append', 'apply', 'capture', 'delete', 'dir', 'export', 'info', 'split'] as const).map(
				(verb) => ({ theirs: [`/${verb}`], ours: `wimdeck ${usageOf(verb)}` }),
			),
			{ theirs: ['/mount'], ours: 'wimdeck mount WIM IMAGE DIR' },
			{ theirs: ['/mountrw'], ours: 'wimdeck mountrw WIM IMAGE DIR' },
			{ theirs: ['/unmount'], ours: 'wimdeck unmount DIR [--commit]' },
			{ theirs: ['/commit'], ours: 'wimdeck unmount DIR --commit' },
			{ theirs: ['/cleanup'], ours: 'wimdeck unmount DIR --force' },
		],
		notes: [
			'The command comes first, without its slash, and takes the same arguments in the same order: imagex /apply install.wim 1 C:\\ is wimdeck apply install.wim 1 TARGET.',
			'/ref GLOB: --ref=GLOB. /check: --check. /boot: --boot. /compress max, fast and none: --compress=maximum, fast and none. /config FILE: --config=FILE. /flags EDITION: --flags=EDITION. /norpfix: --norpfix. /temp: not needed. /verify: every content is always checked. /xml: --xml.',
		],
	},
	'7z': {
		name: '7-Zip',
		commands: [
			{ theirs: ['l'], ours: 'wimdeck dir WIM [IMAGE]' },
			{ theirs: ['x'], ours: 'wimdeck apply WIM IMAGE TARGET' },
			{ theirs: ['e'], ours: 'wimdeck extract WIM IMAGE PATH... --dest-dir=DIR' },
			{ theirs: ['t'], ours: 'wimdeck verify WIM' },
			{ theirs: ['a'], ours: 'wimdeck capture SOURCE WIM' },
			{ theirs: ['u'], ours: 'wimdeck update WIM IMAGE --command="add SOURCE DEST"' },
			{ theirs: ['d'], ours: 'wimdeck update WIM IMAGE --command="delete PATH"' },
			{ theirs: ['rn'], ours: 'wimdeck update WIM IMAGE --command="rename OLD NEW"' },
		],
		notes: [
			'Each image is a tree of its own: the folders 1, 2, ... that 7-Zip shows are the argument IMAGE.',
			'To add to a file that exists: wimdeck append for a whole folder as a new image, update for single files of an image. -oDIR: TARGET or --dest-dir=DIR. -so: --to-stdout.',
		],
	},
};

/** What a word after `help` may be, besides a command of ours. */
export function isOtherTool(word: string): word is OtherTool {
	return Object.hasOwn(OTHER_TOOLS, word);
}

const COLUMN = 24;

/** The text of `wimdeck help dism`. */
export function otherToolHelp(tool: OtherTool): string {
	const { name, commands, notes } = OTHER_TOOLS[tool];
	const rows = commands.map(({ theirs, ours }) => {
		const left = `  ${theirs.join(', ')}`;
		const gap = left.length < COLUMN ? ' '.repeat(COLUMN - left.length) : `\n${' '.repeat(COLUMN)}`;
		return `${left}${gap}${ours}`;
	});
	const lines = [`What commands of ${name} are called here:`, '', ...rows, ''];
	return `${[...lines, ...notes.map((note) => wrap(note, 0))].join('\n')}\n`;
}

/** An error for a first word that is no verb, with the command here when it is one of another tool. */
export function unknownVerb(word: string): InputError {
	const wanted = word.toLowerCase();
	for (const [tool, { name, commands }] of Object.entries(OTHER_TOOLS))
		for (const { theirs, ours } of commands)
			if (theirs.some((spelling) => spelling.toLowerCase() === wanted))
				return new InputError(`There is no command or file named "${printable(word)}"`, {
					hint: `What ${name} calls so is here: ${ours} (more: wimdeck help ${tool}).`,
				});
	const near = nearest(word, [...VERB_NAMES, 'help']);
	const isDism = /^\/(image|online|[a-z]+-[a-z]+|imagefile)(:|$)/i.test(word);
	return new InputError(`There is no command or file named "${printable(word)}"`, {
		hint: near
			? `Did you mean "${near}"?`
			: isDism
				? 'Run wimdeck help dism to see what commands of DISM are called here.'
				: 'Run wimdeck --help to see all commands.',
	});
}

/** The README's table of what others call it, in Markdown. */
export function otherToolsTable(): string {
	const rows = Object.values(OTHER_TOOLS).flatMap(({ name, commands }) =>
		commands.map(({ theirs, ours }) => `| ${name} | \`${theirs.join('` `')}\` | \`${ours}\` |`),
	);
	return ['| tool | its command | here |', '|---|---|---|', ...rows].join('\n');
}
