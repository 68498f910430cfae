/** `--help`, `wimdeck help VERB`, and the tables of the README: all made from the table of commands. */

import {
	COMMON_OPTIONS,
	DECK_OPTIONS,
	usageOf,
	VERB_NAMES,
	type VerbGroup,
	type VerbName,
	verbSpec,
} from './commands.ts';
import { EXIT_MEANINGS } from './exit-codes.ts';
import { type OptionName, optionSpec } from './options.ts';

const GROUPS: Readonly<Record<VerbGroup, string>> = {
	read: 'Read',
	write: 'Write',
	rescue: 'Rescue',
	more: 'More',
};

/** Breaks text at blanks so that lines fit 79 columns; lines after the first get `indent` blanks. */
export function wrap(text: string, indent: number, width = 79): string {
	const lines: string[] = [];
	let line = '';
	for (const word of text.split(' ')) {
		if (line !== '' && indent + line.length + 1 + word.length > width) {
			lines.push(line);
			line = word;
		} else line = line === '' ? word : `${line} ${word}`;
	}
	return [...lines, line].join(`\n${' '.repeat(indent)}`);
}

const OPTION_COLUMN = 28;

function optionLine(name: OptionName, verb: VerbName | null = null): string {
	const spec = optionSpec(name);
	const left = `  --${name}${spec.value === undefined ? '' : `=${spec.value}`}`;
	const notes = [
		spec.help,
		...(spec.aliases ? [`(also --${spec.aliases.join(', --')})`] : []),
		...(spec.ignored && !(verb && spec.worksFor?.includes(verb))
			? [`(accepted: ${spec.ignored})`]
			: []),
		...(spec.many ? ['(repeatable)'] : []),
	].join(' ');
	const gap =
		left.length < OPTION_COLUMN - 1
			? ' '.repeat(OPTION_COLUMN - left.length)
			: `\n${' '.repeat(OPTION_COLUMN)}`;
	return `${left}${gap}${wrap(notes, OPTION_COLUMN)}`;
}

const shown = (names: readonly OptionName[]) => names.filter((name) => !optionSpec(name).hidden);

/** The text of `wimdeck --help`. */
export function helpText(): string {
	const lines = [
		'wimdeck: Windows images (.wim, .swm, .esd) from the keyboard',
		'',
		'  wimdeck [FILE|FOLDER]     open the deck',
		'  wimdeck COMMAND ...       run one command',
		'  wimdeck help COMMAND      show its arguments and options',
		"  wimdeck help dism         what DISM's commands are here (also imagex, 7z)",
	];
	for (const group of Object.keys(GROUPS) as VerbGroup[]) {
		lines.push('', `${GROUPS[group]}:`);
		for (const verb of VERB_NAMES)
			if (verbSpec(verb).group === group)
				lines.push(`  ${verb.padEnd(10)}${wrap(verbSpec(verb).summary, 12)}`);
	}
	lines.push(
		'',
		'Options of every command:',
		...shown(COMMON_OPTIONS).map((name) => optionLine(name)),
	);
	lines.push(
		'',
		'Options of the deck:',
		...shown(DECK_OPTIONS)
			.slice(0, -2)
			.map((name) => optionLine(name)),
	);
	lines.push('', 'Exit codes:');
	for (const { code, meaning } of EXIT_MEANINGS)
		lines.push(`  ${String(code).padStart(3)}  ${wrap(meaning, 7)}`);
	lines.push(
		'',
		wrap(
			'Options may stand anywhere; -- ends them. Started through a link named wiminfo, wimapply and so on, the command is in the name.',
			0,
		),
	);
	return `${lines.join('\n')}\n`;
}

/** The text of `wimdeck help VERB`. */
export function verbHelp(verb: VerbName): string {
	const spec = verbSpec(verb);
	const lines = [`${spec.summary}.`, '', `  wimdeck ${usageOf(verb)}`];
	if (spec.notes) lines.push('', ...spec.notes.map((note) => wrap(note, 0)));
	if (spec.options.length > 0)
		lines.push('', 'Options:', ...shown(spec.options).map((name) => optionLine(name, verb)));
	lines.push(
		'',
		'Options of every command:',
		...shown(COMMON_OPTIONS).map((name) => optionLine(name)),
	);
	if (spec.examples) lines.push('', 'Examples:', ...spec.examples.map((example) => `  ${example}`));
	return `${lines.join('\n')}\n`;
}

const cell = (text: string) => text.replaceAll('|', '\\|');

/** The README's table of commands, in Markdown. */
export function commandsTable(): string {
	const rows = VERB_NAMES.map((verb) => {
		const options = shown(verbSpec(verb).options).map((name) => {
			const value = optionSpec(name).value;
			return `\`--${name}${value === undefined ? '' : `=${value}`}\``;
		});
		return `| \`${cell(usageOf(verb))}\` | ${verbSpec(verb).summary} | ${cell(options.join(' '))} |`;
	});
	return ['| command | what it does | options |', '|---|---|---|', ...rows].join('\n');
}

/** The README's table of exit codes, in Markdown. */
export function exitCodesTable(): string {
	const rows = EXIT_MEANINGS.map(
		({ code, meaning, advice }) => `| ${code} | ${cell(meaning)} | ${cell(advice)} |`,
	);
	return ['| code | meaning | what to do |', '|---|---|---|', ...rows].join('\n');
}
