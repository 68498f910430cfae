/** Commands that change the tree of an image, and lists of sources (wim.md §10.4). */
import { InputError, WimError } from '../base/errors.ts';
import { decodeTextFile, significantLines, splitArguments } from './text-file.ts';

/** How an `add` scans what it adds. */
export interface AddFlags {
	/** Refuses to replace a file instead of replacing it. */
	readonly noReplace: boolean;
	readonly dereference: boolean;
	readonly unixData: boolean;
	readonly noAcls: boolean;
	readonly strictAcls: boolean;
}

export type UpdateCommand =
	| {
			readonly type: 'add';
			readonly source: string;
			readonly target: string;
			readonly flags: AddFlags;
	  }
	| {
			readonly type: 'delete';
			readonly path: string;
			/** A missing path is no error. */
			readonly force: boolean;
			/** Folders go with what is in them. */
			readonly recursive: boolean;
	  }
	| { readonly type: 'rename'; readonly from: string; readonly to: string }
	/** Those behind it are for another image: an index or a name. */
	| { readonly type: 'image'; readonly image: string };

/** Flags that the command line gives to every command of a run. */
export interface CommandDefaults {
	readonly add: AddFlags;
	readonly force: boolean;
	readonly recursive: boolean;
}

export const NO_DEFAULTS: CommandDefaults = {
	add: { noReplace: false, dereference: false, unixData: false, noAcls: false, strictAcls: false },
	force: false,
	recursive: false,
};

/** How many arguments a command takes, and which options. */
const SHAPES = {
	add: {
		count: 2,
		options: [
			'no-replace',
			'dereference',
			'unix-data',
			'no-acls',
			'strict-acls',
			'verbose',
			'rpfix',
			'norpfix',
		],
	},
	delete: { count: 1, options: ['force', 'recursive'] },
	rename: { count: 2, options: [] },
	image: { count: 1, options: [] },
} as const;

const isKind = (word: string): word is keyof typeof SHAPES => Object.hasOwn(SHAPES, word);

/**
 * Reads a file of commands, one a line; empty lines and lines that begin with `#` or `;` do not count.
 *
 * @param name of the file, for messages
 * @throws {InputError} naming the line
 */
export function parseUpdateFile(
	bytes: Uint8Array,
	name: string,
	defaults: CommandDefaults = NO_DEFAULTS,
): UpdateCommand[] {
	return significantLines(decodeTextFile(bytes, name)).map((line) =>
		atLine(name, line.number, () => parseUpdateCommand(line.text, defaults)),
	);
}

/**
 * Reads one command, as `--command` gives it.
 *
 * @throws {InputError}
 */
export function parseUpdateCommand(
	line: string,
	defaults: CommandDefaults = NO_DEFAULTS,
): UpdateCommand {
	const [verb = '', ...words] = splitArguments(line);
	const kind = verb.toLowerCase();
	if (!isKind(kind))
		throw new InputError(`Unknown update command "${verb}"`, {
			hint: 'Write "add SOURCE DEST", "delete PATH", "rename OLD NEW" or "image IMAGE".',
		});
	const { options, values } = sortWords(kind, words);
	const [first = '', second = ''] = values;
	const has = (option: string) => options.has(option);
	if (kind === 'rename') return { type: 'rename', from: first, to: second };
	if (kind === 'image') return { type: 'image', image: first };
	if (kind === 'delete')
		return {
			type: 'delete',
			path: first,
			force: defaults.force || has('force'),
			recursive: defaults.recursive || has('recursive'),
		};
	const flags: AddFlags = {
		noReplace: defaults.add.noReplace || has('no-replace'),
		dereference: defaults.add.dereference || has('dereference'),
		unixData: defaults.add.unixData || has('unix-data'),
		noAcls: defaults.add.noAcls || has('no-acls'),
		strictAcls: defaults.add.strictAcls || has('strict-acls'),
	};
	return { type: 'add', source: first, target: second, flags };
}

function sortWords(
	kind: keyof typeof SHAPES,
	words: readonly string[],
): { options: Set<string>; values: string[] } {
	const { count, options: known } = SHAPES[kind];
	const options = new Set<string>();
	const values: string[] = [];
	let onlyValues = false;
	for (const word of words) {
		if (onlyValues || !word.startsWith('--')) {
			if (values.length === count)
				throw new InputError(
					`Unexpected argument "${word}": "${kind}" takes ${count === 1 ? 'one argument' : `${count} arguments`}`,
					{ hint: 'Put quotes around names with blanks.' },
				);
			values.push(word);
		} else if (word === '--') {
			onlyValues = true;
		} else {
			const option = word.slice(2);
			if (!(known as readonly string[]).includes(option))
				throw new InputError(`Unknown option "${word}" of the update command "${kind}"`, {
					hint:
						known.length === 0
							? `"${kind}" takes no options.`
							: `"${kind}" takes ${known.map((name) => `--${name}`).join(', ')}.`,
				});
			options.add(option);
		}
	}
	if (values.length < count)
		throw new InputError(`Not enough arguments of the update command "${kind}"`);
	return { options, values };
}

/** One tree of several that make up a captured image. */
export interface SourceMapping {
	/** On this machine. */
	readonly source: string;
	/** In the image; `/` for the root. */
	readonly target: string;
}

/**
 * Reads a source list: lines `SOURCE DEST`, quoted like update commands; a single name stands for both.
 *
 * @throws {InputError} naming the line
 */
export function parseSourceList(bytes: Uint8Array, name: string): SourceMapping[] {
	return significantLines(decodeTextFile(bytes, name)).map((line) =>
		atLine(name, line.number, () => {
			const [source, target, rest] = splitArguments(line.text);
			if (source === undefined || rest !== undefined)
				throw new InputError(`"${line.text}" is not SOURCE DEST`, {
					hint: 'Put quotes around names with blanks.',
				});
			return { source, target: target ?? source };
		}),
	);
}

function atLine<T>(name: string, number: number, action: () => T): T {
	try {
		return action();
	} catch (error) {
		if (!(error instanceof WimError)) throw error;
		throw new InputError(`${name}, line ${number}: ${error.message}`, error.facts);
	}
}
