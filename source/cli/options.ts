/**
 * Every option of the command line, once. Names and meanings are those of `wimlib-imagex`, so that
 * scripts written for it run unchanged; whether an option takes a value is the same for every verb, so
 * options may stand anywhere, even before the verb.
 */

/** How the text of an option's value is checked. */
export type ValueKind = 'text' | 'file' | 'count' | 'size' | 'compression' | 'property' | 'choice';

export interface OptionSpec {
	/** Placeholder of the value in help, as `DIR`; absent for a switch. */
	readonly value?: string;
	/** How the value is checked; `text` when absent. */
	readonly kind?: ValueKind;
	/** The words a `choice` may have. */
	readonly choices?: readonly string[];
	/** May be given several times; all values are kept. Otherwise the last one counts. */
	readonly many?: true;
	/** Other spellings that mean the same. */
	readonly aliases?: readonly string[];
	/** What it does, as one line of help. */
	readonly help: string;
	/** Accepted so that scripts run, but it changes nothing here; the reason is said once. */
	readonly ignored?: string;
	/** Verbs for which an `ignored` option does have a meaning. */
	readonly worksFor?: readonly string[];
	/** Accepted, but not listed in help. */
	readonly hidden?: true;
}

const WINDOWS_ONLY = 'it only has a meaning on Windows';

export const OPTIONS = {
	// Everywhere
	help: { help: 'Show this help and stop', aliases: ['usage'] },
	version: { help: 'Show the version and stop' },
	quiet: { help: 'Show no progress and no summary' },
	json: { help: 'Print the result as one JSON object' },
	progress: {
		value: 'HOW',
		kind: 'choice',
		choices: ['auto', 'plain', 'json', 'none'],
		help: 'Progress on standard error: auto (a line on a terminal), plain, json or none',
	},
	'dry-run': {
		help: 'Say what would be read, written and freed, and the space needed; change nothing',
	},
	threads: { value: 'N', kind: 'count', help: 'Use N threads (default: one for each processor)' },
	verbose: {
		help: 'Accepted for older scripts',
		ignored: 'all that matters is shown',
		hidden: true,
	},

	// Integrity and references
	check: { help: 'Check the integrity table before use; a written file gets one' },
	'no-check': { help: 'Do not check, and write no integrity table', aliases: ['nocheck'] },
	'include-integrity': {
		help: 'Write an integrity table, without checking the old one first',
		hidden: true,
	},
	ref: {
		value: 'GLOB',
		many: true,
		help: 'Take blobs from these files too: other parts, or the base of a delta',
	},

	// info
	boot: { help: 'Make the image the one that boots' },
	'extract-xml': { value: 'FILE', kind: 'file', help: 'Write the XML data as stored to FILE' },
	xml: { help: 'Print the XML data as stored (UTF-16LE)' },
	header: { help: 'Show every field of the header' },
	blobs: { help: 'List all blobs', aliases: ['lookup-table'] },
	'image-property': {
		value: 'NAME=VALUE',
		kind: 'property',
		many: true,
		help: 'Set an element of the image in the XML data, as WINDOWS/VERSION/BUILD=26100',
	},

	// dir
	path: { value: 'PATH', help: 'List below PATH instead of the root' },
	detailed: { help: 'Show everything known about each file' },
	'one-file-only': { help: 'List only the file that --path names' },

	// extract and apply
	'dest-dir': {
		value: 'DIR',
		kind: 'file',
		help: 'Put the files into DIR instead of the current folder',
	},
	'to-stdout': { help: 'Write the contents of the files to standard output' },
	'no-globs': { help: 'Take * and ? literally', aliases: ['no-wildcards'] },
	nullglob: { help: 'A path that matches nothing is a warning, not an error' },
	'preserve-dir-structure': { help: 'Keep the folders above each path' },
	'unix-data': { help: 'Store or restore Unix owner, mode, device nodes and extended attributes' },
	'no-acls': { help: 'Leave security descriptors out' },
	'strict-acls': {
		help: 'Stop when a security descriptor or a permission cannot be handled exactly',
	},
	'no-attributes': { help: 'Do not restore Windows file attributes' },
	'include-invalid-names': {
		help: 'Extract files whose names this system refuses under a changed name',
	},
	'recover-data': { help: 'Keep damaged files, with zeros where chunks cannot be read' },
	rpfix: { help: 'Move absolute links inside the image along with the target' },
	norpfix: { help: 'Leave absolute links as they are', aliases: ['no-rpfix'] },
	wimboot: {
		help: 'Mark the image for WIMBoot and compress it so; when applying, make pointer files',
		ignored: WINDOWS_ONLY,
		worksFor: ['capture', 'append', 'export'],
	},
	compact: {
		value: 'FORMAT',
		kind: 'choice',
		choices: ['xpress4k', 'xpress8k', 'xpress16k', 'lzx'],
		help: 'Compress the files with System Compression',
		ignored: WINDOWS_ONLY,
	},
	verify: {
		help: 'Accepted for older scripts',
		ignored: 'every blob is always checked',
		hidden: true,
	},

	// capture, append, export, optimize
	compress: {
		value: 'TYPE[:LEVEL]',
		kind: 'compression',
		help: 'none, fast (XPRESS), maximum (LZX) or recovery (LZMS); LEVEL 20 is quick, 100 is small',
	},
	'chunk-size': {
		value: 'SIZE',
		kind: 'size',
		help: 'Compress in chunks of SIZE bytes (K, M and G may follow)',
	},
	solid: { help: 'Compress many files as one run (.esd): smaller, slower' },
	'solid-compress': {
		value: 'TYPE[:LEVEL]',
		kind: 'compression',
		help: 'Compression of solid resources (default: recovery)',
	},
	'solid-chunk-size': { value: 'SIZE', kind: 'size', help: 'Chunk size of solid resources' },
	'no-solid-sort': { help: 'Do not put alike files together in solid resources' },
	config: {
		value: 'FILE',
		kind: 'file',
		help: 'Settings: the files to leave out (wimscript.ini); for the deck its JSON',
	},
	flags: { value: 'EDITION', help: 'Text of the FLAGS element, as Professional' },
	rebuild: { help: 'Write the whole file anew instead of appending' },
	replace: { help: 'Put a new file in the place of an existing one instead of adding to it' },
	recompress: { help: 'Compress all data anew' },
	'source-list': { help: 'SOURCE is a text file with lines of SOURCE DEST' },
	dereference: { help: 'Follow symbolic links and store what they point to' },
	pipable: { help: 'Write a file that can be applied while it is still arriving' },
	'not-pipable': { help: 'Write an ordinary file although the input is pipable' },
	'update-of': {
		value: '[WIM:]IMAGE',
		help: 'Do not read files that have not changed since this image',
	},
	'delta-from': {
		value: 'WIM',
		kind: 'file',
		many: true,
		help: 'Leave out what this WIM holds already',
	},
	create: { help: 'Make the WIM when it does not exist' },
	snapshot: { help: 'Capture from a shadow copy of the volume', ignored: WINDOWS_ONLY },
	'unsafe-compact': {
		help: 'Accepted for older scripts',
		ignored: 'a rebuild beside the file does the same without its danger',
		hidden: true,
	},

	// update
	command: {
		value: 'STRING',
		many: true,
		help: 'Run this command instead of reading standard input',
	},
	force: { help: 'Go on when a path to delete does not exist; unmount a busy folder' },
	recursive: { help: 'Delete folders with all that is in them' },
	'no-replace': { help: 'Do not replace files that exist in the image' },
	'wimboot-config': {
		value: 'FILE',
		kind: 'file',
		help: 'Set the WIMBoot configuration file of the image',
	},

	// delete
	soft: { help: 'Only take the image off the tables; its data stays until optimize' },

	// mount
	'staging-dir': { value: 'DIR', kind: 'file', help: 'Keep changed files in DIR until unmount' },
	'streams-interface': {
		value: 'HOW',
		kind: 'choice',
		choices: ['none', 'xattr', 'windows'],
		help: 'How named streams are reached: none, xattr or windows',
	},
	'allow-other': { help: 'Other users may use the mounted folder too' },
	foreground: { help: 'Serve the folder from this process; Ctrl+C unmounts', aliases: ['debug'] },
	ready: { help: 'Say on descriptor 3 when the folder can be used', hidden: true },
	commit: { help: 'Write the changes to the WIM' },
	'new-image': { help: 'Write the changes as a new image' },
	lazy: { help: 'Accepted for older scripts', ignored: 'it is the default', hidden: true },

	// verify, salvage, repair, diff
	fast: { help: 'Check structures and the integrity table only, not the files' },
	from: {
		value: 'DONOR',
		kind: 'file',
		many: true,
		help: 'Take lost data from this WIM, part set, ESD or folder',
	},
	output: {
		value: 'NEW',
		kind: 'file',
		help: 'Write the repaired file to NEW (default: beside the damaged one, with ".repaired" in its name)',
	},
	'omit-lost': {
		help: 'Leave files out whose contents stay lost, instead of keeping what is left as NAME.partial or a note as NAME.lost',
	},
	'bit-search': {
		value: 'SECONDS',
		kind: 'count',
		help: 'Look for single flipped bits so long, all contents together (default 60; 0: not at all)',
	},
	report: { value: 'FILE', kind: 'file', help: 'Write the whole report as JSON to FILE' },
	load: {
		value: 'FILE',
		kind: 'file',
		help: 'Show the report again that --report=FILE wrote, unless what it is about changed since',
	},
	map: { help: 'Show the file as rows of cells: good, bad, not checked, structure, unused' },
	'to-wim': {
		value: 'NEW',
		kind: 'file',
		help: 'Write what was saved as a new WIM instead of files',
	},
	content: { help: 'Read the files of folders and compare what they hold, not only size and time' },

	// jobs
	cancel: { help: 'Ask the job to stop' },
	follow: { help: 'Show the job, or all that run, until they end' },
	pause: { help: 'Hold the job at the next chunk' },
	resume: { help: 'Let a held job go on' },
	clean: { help: 'Remove what a killed job left: temporary files, a half-done edit' },
	clear: { help: 'Forget jobs that have ended' },

	// deck
	readonly: { help: 'Offer no command that writes' },
	ascii: { help: 'Use ASCII symbols only' },
	mono: { help: 'Use no colour' },
	slow: { help: 'Save bytes on a slow line' },
	symbols: {
		value: 'LEVEL',
		kind: 'choice',
		choices: ['ascii', 'console', 'unicode'],
		help: 'Symbols to draw with, instead of what the terminal seems to know',
	},
	color: {
		value: 'LEVEL',
		kind: 'choice',
		choices: ['never', '16', '256'],
		help: 'Colours to draw with',
	},
	'no-anim': { help: 'Show nothing that moves by itself' },
	'on-hangup': {
		value: 'WHAT',
		kind: 'choice',
		choices: ['finish', 'cancel'],
		help: 'When the line drops: finish the jobs (default) or cancel them',
	},
} as const satisfies Readonly<Record<string, OptionSpec>>;

export type OptionName = keyof typeof OPTIONS;

/** The table with the wide type, for code that walks it. */
export const optionSpec = (name: OptionName): OptionSpec => OPTIONS[name];

/** The option that a spelling means, aliases included; null when there is none. */
export function optionNamed(spelling: string): OptionName | null {
	return SPELLINGS.get(spelling) ?? null;
}

/** Which of the known options have a spelling that starts so, each once. */
export function optionsStartingWith(
	start: string,
	known: readonly OptionName[],
): readonly OptionName[] {
	if (start === '') return [];
	return known.filter((name) =>
		[name, ...(optionSpec(name).aliases ?? [])].some((spelling) => spelling.startsWith(start)),
	);
}

const SPELLINGS: ReadonlyMap<string, OptionName> = new Map(
	(Object.keys(OPTIONS) as OptionName[]).flatMap((name) =>
		[name, ...(optionSpec(name).aliases ?? [])].map((spelling) => [spelling, name] as const),
	),
);
