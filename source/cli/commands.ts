/**
 * The one table of commands. The parser, `--help`, `wimdeck help VERB` and the tables of the README
 * all come from it.
 */

import type { OptionName } from './options.ts';

export interface ArgumentSpec {
	/** As shown in the usage line. */
	readonly name: string;
	readonly optional?: true;
	/** Takes all that is left. */
	readonly many?: true;
	/** There is no such argument when this option is given: its value says the same. */
	readonly unless?: OptionName;
	/** Names a file or folder, so it cannot be empty. */
	readonly isFile?: true;
	/** May be `-`, for standard input or output. */
	readonly isStream?: true;
}

export type VerbGroup = 'read' | 'write' | 'rescue' | 'more';

export interface VerbSpec {
	readonly group: VerbGroup;
	readonly summary: string;
	readonly arguments: readonly ArgumentSpec[];
	/** Beside those of `COMMON_OPTIONS`. */
	readonly options: readonly OptionName[];
	/** May stand alone, without any argument. */
	readonly alone?: true;
	/** Lines for `wimdeck help VERB` that the option table does not say. */
	readonly notes?: readonly string[];
	readonly examples?: readonly string[];
}

/** Every verb takes these. */
export const COMMON_OPTIONS: readonly OptionName[] = [
	'json',
	'quiet',
	'progress',
	'threads',
	'help',
	'version',
	'verbose',
];

const arg = (name: string): ArgumentSpec => ({ name });
const file = (name: string): ArgumentSpec => ({ name, isFile: true });
const stream = (name: string): ArgumentSpec => ({ name, isFile: true, isStream: true });
const maybe = (name: string): ArgumentSpec => ({ name, optional: true });
const rest = (name: string): ArgumentSpec => ({ name, optional: true, many: true });

const RESTORE: readonly OptionName[] = [
	'check',
	'no-check',
	'ref',
	'unix-data',
	'no-acls',
	'strict-acls',
	'no-attributes',
	'include-invalid-names',
	'recover-data',
	'wimboot',
	'compact',
	'verify',
	'dry-run',
];

const COMPRESSION: readonly OptionName[] = [
	'compress',
	'chunk-size',
	'solid',
	'solid-compress',
	'solid-chunk-size',
	'no-solid-sort',
	'pipable',
	'not-pipable',
];

const INTEGRITY: readonly OptionName[] = ['check', 'no-check', 'include-integrity'];

const CAPTURE: readonly OptionName[] = [
	...COMPRESSION,
	'boot',
	...INTEGRITY,
	'config',
	'flags',
	'image-property',
	'rebuild',
	'unix-data',
	'source-list',
	'dereference',
	'no-acls',
	'strict-acls',
	'rpfix',
	'norpfix',
	'update-of',
	'delta-from',
	'ref',
	'create',
	'wimboot',
	'snapshot',
	'unsafe-compact',
	'dry-run',
];

const MOUNT: readonly OptionName[] = [
	'check',
	'ref',
	'staging-dir',
	'streams-interface',
	'unix-data',
	'allow-other',
	'foreground',
	'ready',
];

const IMAGE_NOTE =
	'IMAGE is an index from 1, a name, or a description when only one image has it. It may be left out when there is one image.';
const PARTS_NOTE =
	'Name the first part of a split WIM; the others are found beside it, or named by --ref "install*.swm".';

const VOLUME_NOTE =
	'may be an NTFS volume too, a device or a file that holds one (Linux, with ntfs-3g): it is mounted meanwhile, and everything NTFS knows is kept.';

export const VERBS = {
	info: {
		group: 'read',
		summary: 'Show what a WIM holds, or change names, properties and the boot index',
		arguments: [file('WIM'), maybe('IMAGE'), maybe('NEW_NAME'), maybe('NEW_DESC')],
		options: [
			'header',
			'blobs',
			'xml',
			'extract-xml',
			'boot',
			'image-property',
			...INTEGRITY,
			'ref',
			'dry-run',
		],
		notes: ['IMAGE 0 with --boot means that no image boots.', IMAGE_NOTE],
		examples: ['wimdeck info install.wim', 'wimdeck info install.wim 3 "Windows 11 Pro" --boot'],
	},
	dir: {
		group: 'read',
		summary: 'List the files of an image',
		arguments: [file('WIM'), maybe('IMAGE')],
		options: ['path', 'detailed', 'one-file-only', 'ref', 'check', 'no-check'],
		notes: [IMAGE_NOTE, 'IMAGE "all" (or "*") lists every image.', PARTS_NOTE],
		examples: ['wimdeck dir install.wim 1 --path=/Windows/System32'],
	},
	verify: {
		group: 'read',
		summary: 'Check every structure and every blob, and name each damaged file',
		arguments: [{ ...file('WIM'), unless: 'load' }],
		options: ['ref', 'fast', 'check', 'no-check', 'map', 'report', 'load'],
		notes: [
			'Never stops at the first fault. Exit code 3 when something is damaged.',
			'With --load there is no WIM: the report says which one it is about.',
			PARTS_NOTE,
		],
		examples: [
			'wimdeck verify install.wim',
			'wimdeck verify install.swm --ref "install*.swm"',
			'wimdeck verify install.wim --report=checked.json; wimdeck verify --load=checked.json --map',
		],
	},
	extract: {
		group: 'read',
		summary: 'Get files and folders out of an image',
		arguments: [file('WIM'), arg('IMAGE'), rest('PATH or @LISTFILE')],
		options: [
			'dest-dir',
			'to-stdout',
			'no-globs',
			'nullglob',
			'preserve-dir-structure',
			...RESTORE,
		],
		notes: [
			'PATH may hold * and ?. Each match is put into the target under its own name.',
			'@LISTFILE names a text file with one path a line (@- is standard input); its folders are kept.',
			'Without PATH the whole image is extracted.',
		],
		examples: [
			'wimdeck extract install.wim 1 "/Windows/Fonts/*.ttf" --dest-dir=fonts',
			'wimdeck extract boot.wim 2 /setup.exe --to-stdout > setup.exe',
		],
	},
	apply: {
		group: 'read',
		summary: 'Write a whole image, or all of them, into a folder',
		arguments: [stream('WIM'), maybe('IMAGE'), file('TARGET')],
		options: [...RESTORE, 'rpfix', 'norpfix'],
		notes: [
			IMAGE_NOTE,
			'IMAGE "all" makes a folder for each image. WIM "-" reads a pipable WIM from standard input.',
			`TARGET ${VOLUME_NOTE}`,
		],
		examples: [
			'wimdeck apply install.wim 1 /mnt/windows',
			'curl -s URL | wimdeck apply - 1 target',
		],
	},
	capture: {
		group: 'write',
		summary: 'Make a WIM from a folder',
		arguments: [stream('SOURCE'), stream('WIM'), maybe('NAME'), maybe('DESC')],
		options: CAPTURE,
		notes: [
			'WIM "-" writes a pipable WIM to standard output. NAME defaults to the name of SOURCE, also of a source list.',
			'An existing WIM is replaced once the new one is whole.',
			`SOURCE ${VOLUME_NOTE}`,
		],
		examples: ['wimdeck capture /srv/image install.wim "Windows 11 Pro" --check --boot'],
	},
	append: {
		group: 'write',
		summary: 'Add a folder to a WIM as a new image',
		arguments: [stream('SOURCE'), file('WIM'), maybe('NAME'), maybe('DESC')],
		options: CAPTURE,
		notes: [
			'The WIM must be there, unless --create is given. NAME defaults to the name of SOURCE.',
			'The compression of the file stays; another --chunk-size writes it anew.',
			`SOURCE ${VOLUME_NOTE}`,
		],
		examples: ['wimdeck append /srv/image install.wim "Second" --create'],
	},
	update: {
		group: 'write',
		summary: 'Add, delete and rename files inside an image',
		arguments: [file('WIM'), maybe('IMAGE')],
		options: [
			'command',
			'force',
			'recursive',
			'no-replace',
			'dereference',
			'unix-data',
			'no-acls',
			'strict-acls',
			'config',
			'rebuild',
			...INTEGRITY,
			'ref',
			'wimboot-config',
			'unsafe-compact',
			'dry-run',
		],
		notes: [
			'Commands come from standard input, one a line, or from --command:',
			'  add [--no-replace] [--dereference] [--unix-data] [--no-acls] [--strict-acls] SOURCE DEST',
			'  delete [--force] [--recursive] PATH',
			'  rename OLD NEW',
			'  image IMAGE   (the commands behind it are for that image)',
			'All of them happen, or none. IMAGE may be left out when there is one image.',
		],
		examples: [
			'wimdeck update boot.wim 2 --command="add winpeshl.ini /Windows/System32/winpeshl.ini"',
		],
	},
	delete: {
		group: 'write',
		summary: 'Remove an image, or all of them',
		arguments: [file('WIM'), arg('IMAGE')],
		options: ['soft', ...INTEGRITY, 'unsafe-compact', 'dry-run'],
		notes: [
			'IMAGE may be "all". The file is written anew without what only that image had; --soft leaves it in place, so that undo brings it back.',
		],
		examples: ['wimdeck delete install.wim "Windows 11 Home N"'],
	},
	export: {
		group: 'write',
		summary: 'Copy an image, or all of them, into another WIM',
		arguments: [file('SRC'), arg('IMAGE'), stream('DEST'), maybe('NAME'), maybe('DESC')],
		options: [
			...COMPRESSION,
			'recompress',
			'boot',
			...INTEGRITY,
			'ref',
			'rebuild',
			'replace',
			'wimboot',
			'unsafe-compact',
			'dry-run',
		],
		notes: [
			'DEST is made when it does not exist; "-" writes a pipable WIM to standard output. IMAGE may be "all".',
			'Data of the same compression are copied as they are, unless --recompress is given.',
			'With --boot, of several images the one boots that does in SRC.',
			PARTS_NOTE,
		],
		examples: ['wimdeck export install.wim 6 pro.esd --solid'],
	},
	split: {
		group: 'write',
		summary: 'Cut a WIM into parts of a given size',
		arguments: [file('WIM'), file('PART1.swm'), arg('SIZE_MIB')],
		options: ['check', 'no-check', 'include-integrity', 'dry-run'],
		notes: [
			'The parts are named install.swm, install2.swm, install3.swm and so on.',
			'SIZE_MIB may have a fraction. A resource is never cut: a larger one gets a part of its own, which is said.',
		],
		examples: ['wimdeck split install.wim install.swm 3800'],
	},
	join: {
		group: 'write',
		summary: 'Make one WIM from its parts',
		arguments: [file('OUT'), file('PART'), { ...rest('PART'), isFile: true }],
		options: ['check', 'no-check', 'include-integrity', 'dry-run'],
		notes: [
			'The parts in any order; those that lie beside the first under their usual names are found.',
		],
		examples: ['wimdeck join install.wim install*.swm'],
	},
	optimize: {
		group: 'write',
		summary: 'Write a WIM anew without dead bytes',
		arguments: [file('WIM')],
		options: ['recompress', ...COMPRESSION, ...INTEGRITY, 'unsafe-compact', 'dry-run'],
		notes: [
			'Data are copied as they are where compression and chunk size stay, unless --recompress is given.',
		],
		examples: ['wimdeck optimize install.wim --recompress --compress=maximum:100'],
	},
	undo: {
		group: 'write',
		summary: 'Take back the last edit made in place',
		arguments: [file('WIM')],
		options: ['dry-run'],
		notes: [
			'What append, update, export into a file, info and delete --soft did is taken back. A file that was written anew has no earlier state.',
		],
		examples: ['wimdeck undo install.wim'],
	},
	salvage: {
		group: 'rescue',
		summary: 'Get back everything that is physically left of a damaged file',
		arguments: [file('WIM'), maybe('IMAGE'), { ...file('TARGET'), unless: 'to-wim' }],
		options: [
			'ref',
			'to-wim',
			'omit-lost',
			'report',
			'unix-data',
			'include-invalid-names',
			'dry-run',
		],
		notes: [
			'The damaged file is never written to. Exit code 0 only when nothing is lost.',
			'With --to-wim there is no TARGET. The new WIM is valid: what is not whole stands in it as NAME.partial or NAME.lost, what has no name below "(unnamed)".',
		],
		examples: [
			'wimdeck salvage damaged.wim rescued',
			'wimdeck salvage damaged.wim --to-wim=rescued.wim',
		],
	},
	repair: {
		group: 'rescue',
		summary: 'Make a whole file from a damaged one and donors',
		arguments: [file('WIM')],
		options: [
			'from',
			'output',
			'omit-lost',
			'bit-search',
			'ref',
			'report',
			'check',
			'no-check',
			'dry-run',
		],
		notes: [
			'DONOR is a WIM, a part set by its first part, an ESD, or a folder such as a mounted Windows; damaged ones help too.',
			'Without a donor, other copies in the file and single flipped bits are found.',
			'The damaged file is never written to: keep it, and run repair on it again when another donor turns up.',
			'Of files whose contents stay lost the new file holds what is left as NAME.partial, with zeros for what is not, or a note as NAME.lost: it is valid all the same. A part set becomes one file.',
			'Exit code 0 when all is whole, 3 when something stays lost.',
		],
		examples: [
			'wimdeck repair damaged.wim --from=other.wim --output=whole.wim',
			'wimdeck repair install.swm --from=/mnt/windows --from=old.esd --dry-run',
		],
	},
	diff: {
		group: 'read',
		summary: 'Show what differs between two images or folders',
		arguments: [file('WIM:IMAGE or FOLDER'), file('WIM:IMAGE or FOLDER')],
		options: ['content', 'ref'],
		notes: [
			'Images are compared by the SHA-1 of their files, folders by size and time, unless --content is given.',
			'WIM alone is its image 1.',
		],
		examples: [
			'wimdeck diff install.wim:1 install.wim:2',
			'wimdeck diff install.wim:1 /mnt/windows',
		],
	},
	mount: {
		group: 'more',
		summary: 'Show an image as a folder, or list what is mounted',
		arguments: [file('WIM'), maybe('IMAGE'), file('DIR')],
		alone: true,
		options: MOUNT,
		notes: [
			'Linux only, and as root. Reading is decoded on the fly; nothing is copied out.',
			'Without arguments the folders that show an image are listed, also those whose process has ended.',
		],
		examples: ['wimdeck mount install.wim 1 /mnt/image', 'wimdeck mount'],
	},
	mountrw: {
		group: 'more',
		summary: 'Show an image as a folder that can be changed',
		arguments: [file('WIM'), maybe('IMAGE'), file('DIR')],
		options: MOUNT,
		notes: [
			'The WIM changes only when the folder is unmounted with --commit; until then no other program can write it.',
			'When the process that serves the folder is killed, what was changed comes back with the next mountrw of the image.',
		],
		examples: ['wimdeck mountrw install.wim 1 /mnt/image --staging-dir=/var/tmp'],
	},
	unmount: {
		group: 'more',
		summary: 'Take a mounted folder away, keeping or dropping its changes',
		arguments: [file('DIR')],
		options: ['commit', 'force', 'check', 'rebuild', 'new-image', 'lazy'],
		examples: ['wimdeck unmount /mnt/image --commit'],
	},
	jobs: {
		group: 'more',
		summary: 'Show, follow, hold, cancel or clean up jobs, also past ones',
		arguments: [maybe('JOB')],
		options: ['follow', 'pause', 'resume', 'cancel', 'clean', 'clear'],
		examples: ['wimdeck jobs', 'wimdeck jobs --follow', 'wimdeck jobs 12 --cancel'],
	},
	explain: {
		group: 'more',
		summary: 'Say what an exit code or a DISM, wimgapi or wimlib error number means',
		arguments: [arg('CODE')],
		options: [],
		examples: ['wimdeck explain 0xC1420127'],
	},
} as const satisfies Readonly<Record<string, VerbSpec>>;

export type VerbName = keyof typeof VERBS;

/** All verbs, in the order of the help. */
export const VERB_NAMES = Object.keys(VERBS) as readonly VerbName[];

/** The table with the wide type, for code that walks it. */
export const verbSpec = (verb: VerbName): VerbSpec => VERBS[verb];

export function isVerb(word: string): word is VerbName {
	return Object.hasOwn(VERBS, word);
}

/** All options a verb takes, its own first. */
export function optionsOf(verb: VerbName): readonly OptionName[] {
	return [...verbSpec(verb).options, ...COMMON_OPTIONS];
}

/** What `wimdeck [FILE|FOLDER]` takes; its switches are parsed by meow in `deck-options.ts`. */
export const DECK_OPTIONS: readonly OptionName[] = [
	'readonly',
	'ascii',
	'mono',
	'slow',
	'symbols',
	'color',
	'ref',
	'no-anim',
	'on-hangup',
	'config',
	'help',
	'version',
];

/** `info WIM [IMAGE [NEW_NAME [NEW_DESC]]]`: optional arguments at the end nest, others stand alone. */
export function usageOf(verb: VerbName): string {
	const parts: string[] = [verb];
	const specs: readonly ArgumentSpec[] = verbSpec(verb).arguments;
	let closing = '';
	for (const [position, spec] of specs.entries()) {
		if (!spec.optional) parts.push(spec.name);
		else if (spec.many) parts.push(`[${spec.name}]...`);
		else if (specs.slice(position).every((later) => later.optional)) {
			parts.push(`[${spec.name}`);
			closing += ']';
		} else parts.push(`[${spec.name}]`);
	}
	const usage = parts.join(' ') + closing;
	return verbSpec(verb).alone ? `${verb} [${usage.slice(verb.length + 1)}]` : usage;
}
