/**
 * Arguments to an invocation. The grammar is that of GNU getopt as `wimlib-imagex` uses it: options
 * anywhere, `--name=value` and `--name value`, a single dash before a long name, names cut short while
 * they stay unique for the verb, the last of several equal options wins, `--` ends options, `-` is a file
 * name.
 *
 * meow is not used here: its parser reads `--no-acls` as the negation of `--acls`, takes each option once
 * or as an array, and ends the process itself on unknown ones. The deck's switches do go through it.
 */

import path from 'node:path';
import { InputError } from '../base/errors.ts';
import { printable } from '../base/print.ts';
import {
	type ArgumentSpec,
	COMMON_OPTIONS,
	isVerb,
	optionsOf,
	usageOf,
	type VerbName,
	verbSpec,
} from './commands.ts';
import { nearest } from './nearest.ts';
import {
	OPTIONS,
	type OptionName,
	optionNamed,
	optionSpec,
	optionsStartingWith,
} from './options.ts';
import { checkValue } from './values.ts';

/** What the words of a command line are, before the verb is known. */
export interface Words {
	readonly positional: readonly string[];
	/** In the order given. A switch has no value. */
	readonly options: readonly { readonly name: OptionName; readonly value: string | null }[];
}

/** Options as given, by name. */
export class Options {
	readonly #given = new Map<OptionName, string[]>();

	constructor(options: Words['options']) {
		for (const { name, value } of options) {
			const values = this.#given.get(name) ?? [];
			values.push(value ?? '');
			this.#given.set(name, values);
		}
	}

	has(name: OptionName): boolean {
		return this.#given.has(name);
	}

	/** The last value given, or null. */
	text(name: OptionName): string | null {
		return this.#given.get(name)?.at(-1) ?? null;
	}

	/** All values in the order given. */
	list(name: OptionName): readonly string[] {
		return this.#given.get(name) ?? [];
	}

	names(): readonly OptionName[] {
		return [...this.#given.keys()];
	}
}

/** One command line, understood. */
export interface Invocation {
	readonly verb: VerbName;
	/** The positional arguments, one entry for each of the verb's table; null when left out. */
	readonly given: readonly (string | null)[];
	/** What the last argument of the table takes when it takes many. */
	readonly rest: readonly string[];
	readonly options: Options;
}

function unknownOption(spelling: string, known: readonly string[]): InputError {
	const near = nearest(spelling, known);
	return new InputError(`There is no option --${printable(spelling)}`, {
		hint: near
			? `Did you mean --${near}?`
			: 'Run the command with --help to see its options; put -- before names that begin with a dash.',
	});
}

/** The option that a spelling means, or, when the verb is known, the start of one of its spellings. */
function resolveOption(spelling: string, verb: VerbName | null): OptionName {
	const exact = optionNamed(spelling);
	if (exact !== null) return exact;
	if (verb === null) throw unknownOption(spelling, Object.keys(OPTIONS));
	const known = optionsOf(verb);
	const meant = optionsStartingWith(spelling, known);
	const [only, second] = meant;
	if (only === undefined) throw unknownOption(spelling, known);
	if (second === undefined) return only;
	throw new InputError(`Option --${printable(spelling)} may mean several options of ${verb}`, {
		hint: `Write one of --${meant.join(', --')}.`,
	});
}

/**
 * Tells options from the rest. Throws `InputError` for unknown options and missing values.
 *
 * @param ofProgram the verb in the program's own name; otherwise the first word that is no option may be
 * the verb, and options after it may be abbreviated, as getopt allows
 */
export function splitWords(argv: readonly string[], ofProgram: VerbName | null = null): Words {
	let verb = ofProgram;
	const positional: string[] = [];
	const options: { name: OptionName; value: string | null }[] = [];
	for (let at = 0; at < argv.length; at++) {
		const word = argv[at]!;
		if (word === '--') {
			positional.push(...argv.slice(at + 1));
			break;
		}
		// A negative number is a value: error codes are often printed so.
		if (word === '-' || !word.startsWith('-') || /^-\d+$/.test(word)) {
			if (verb === null && positional.length === 0 && isVerb(word)) verb = word;
			positional.push(word);
			continue;
		}
		const text = word.replace(/^--?/, '');
		const equals = text.indexOf('=');
		const spelling = equals < 0 ? text : text.slice(0, equals);
		const name = word === '-h' ? 'help' : resolveOption(spelling, verb);
		let value = equals < 0 ? null : text.slice(equals + 1);
		const placeholder = optionSpec(name).value;
		if (placeholder === undefined && value !== null)
			throw new InputError(`Option --${name} takes no value`, { hint: `Write --${name} alone.` });
		if (placeholder !== undefined && value === null) {
			value = argv[++at] ?? null;
			if (value === null)
				throw new InputError(`Option --${name} needs a value`, {
					hint: `Write --${name}=${placeholder}.`,
				});
		}
		if (value !== null) checkValue(name, value);
		options.push({ name, value });
	}
	return { positional, options };
}

/**
 * The verb that the program's own name stands for: `wiminfo` is `info`, as the links that wimlib installs.
 *
 * @param program the path the program was started by
 */
export function verbOfProgram(program: string): VerbName | null {
	const name = path.basename(program).replace(/\.(?:m?js|exe|cmd|bat)$/i, '');
	const word = name.startsWith('wim') ? name.slice(3) : '';
	return isVerb(word) ? word : null;
}

/**
 * Deals the positional words out over the verb's arguments: required ones first, then what is left to the
 * optional ones from left to right.
 */
function dealArguments(
	verb: VerbName,
	words: readonly string[],
	options: Options,
): { given: readonly (string | null)[]; rest: readonly string[] } {
	const specs: readonly ArgumentSpec[] = verbSpec(verb).arguments;
	const usage = `Usage: wimdeck ${usageOf(verb)}`;
	if (words.length === 0 && verbSpec(verb).alone && isPlain(options))
		return { given: specs.map(() => null), rest: [] };
	const isThere = ({ unless }: ArgumentSpec) => unless === undefined || !options.has(unless);
	const required = specs.filter((spec) => !spec.optional && isThere(spec));
	let spare = words.length - required.length;
	if (spare < 0)
		throw new InputError(`Command ${verb} needs ${required[words.length]!.name}`, { hint: usage });
	const queue = [...words];
	const given: (string | null)[] = [];
	let rest: readonly string[] = [];
	for (const spec of specs) {
		if (!isThere(spec)) given.push(null);
		else if (spec.many) {
			rest = queue.splice(0, Math.max(0, spare));
			spare = 0;
		} else if (!spec.optional) given.push(queue.shift()!);
		else if (spare > 0) {
			given.push(queue.shift()!);
			spare--;
		} else given.push(null);
	}
	if (queue.length > 0)
		throw new InputError(`Command ${verb} has no use for "${printable(queue[0]!)}"`, {
			hint: usage,
		});
	for (const [k, spec] of specs.entries())
		for (const word of spec.many ? rest : [given[k] ?? null]) checkFileName(verb, spec, word);
	return { given, rest };
}

/** Whether nothing but options of every verb was given. */
const isPlain = (options: Options) =>
	options.names().every((name) => COMMON_OPTIONS.includes(name));

/** Refuses what no file can be called, and `-` where nothing can flow. */
function checkFileName(verb: VerbName, spec: ArgumentSpec, word: string | null): void {
	if (!spec.isFile) return;
	if (word === '')
		throw new InputError(`Command ${verb} needs ${spec.name}, which cannot be empty`, {
			hint: `Usage: wimdeck ${usageOf(verb)}`,
		});
	if (word === '-' && !spec.isStream)
		throw new InputError(`Command ${verb} cannot use standard input or output as ${spec.name}`, {
			hint: 'Name a file; write ./- for one that is called so.',
		});
}

/** Pairs of options that contradict each other, for every verb that takes both. */
const CONTRARY: readonly (readonly [OptionName, OptionName])[] = [
	['rpfix', 'norpfix'],
	['pipable', 'not-pipable'],
	['to-stdout', 'dest-dir'],
	['to-stdout', 'json'],
	['no-globs', 'nullglob'],
	['no-acls', 'strict-acls'],
	['xml', 'json'],
	['cancel', 'clear'],
	['cancel', 'clean'],
	['clean', 'clear'],
	['pause', 'resume'],
	['pause', 'cancel'],
];

/** Throws `InputError` for options the verb does not take, contradictions and wrong numbers of arguments. */
export function parseInvocation(verb: VerbName, words: Words): Invocation {
	const known = optionsOf(verb);
	for (const { name } of words.options) {
		if (known.includes(name)) continue;
		const near = nearest(name, known);
		throw new InputError(`Command ${verb} has no option --${name}`, {
			hint: near ? `Did you mean --${near}?` : `Run wimdeck help ${verb} to see its options.`,
		});
	}
	const options = new Options(words.options);
	for (const [one, other] of CONTRARY)
		if (options.has(one) && options.has(other))
			throw new InputError(`Options --${one} and --${other} contradict each other`, {
				hint: 'Leave one of them out.',
			});
	return { verb, ...dealArguments(verb, words.positional, options), options };
}

/** Options that say how something is done that only another option asks for. */
const NEEDED: readonly (readonly [OptionName, OptionName])[] = [
	['solid-compress', 'solid'],
	['solid-chunk-size', 'solid'],
	['no-solid-sort', 'solid'],
];

/** Options that were accepted but change nothing here, with the reason, for a note on standard error. */
export function ignoredOptions({
	verb,
	options,
}: Invocation): readonly { readonly name: OptionName; readonly reason: string }[] {
	const idle = NEEDED.filter(([name, other]) => options.has(name) && !options.has(other)).map(
		([name, other]) => ({ name, reason: `it belongs to --${other}, which was not given` }),
	);
	const ignored = options.names().flatMap((name) => {
		const { ignored, hidden, worksFor } = optionSpec(name);
		return ignored === undefined || hidden || worksFor?.includes(verb)
			? []
			: [{ name, reason: ignored }];
	});
	return [...idle, ...ignored];
}
