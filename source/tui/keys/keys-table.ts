import type { Command, Context } from './command.ts';
import { COMMANDS } from './commands.ts';
import { keyLabel } from './keymap.ts';

/** Where a binding counts, as the README says it. */
const PLACES: Readonly<Partial<Record<Context, string>>> = {
	global: 'everywhere',
	list: 'in lists',
	images: 'Images',
	files: 'Files',
	details: 'Details',
	jobs: 'Jobs',
	damage: 'damage view',
	map: 'map of the file',
	sizes: 'sizes view',
	difference: 'differences',
	staged: 'staged changes',
};

function cell(command: Command): string {
	return command.keys
		.map((key) => `\`${keyLabel(key).replaceAll('`', '\\`').replaceAll('|', '\\|')}\``)
		.join(' ');
}

/** The keys outside dialogs as a Markdown table, in the order of the keymap. */
export function keysTable(): string {
	const rows: string[] = ['| where | keys | what | command |', '|---|---|---|---|'];
	for (const [context, place] of Object.entries(PLACES))
		for (const command of COMMANDS)
			if (command.when[0] === context && command.keys.length > 0)
				rows.push(
					`| ${place} | ${cell(command)} | ${command.title.replace(/\.\.\.$/, '')} | \`${command.id}\` |`,
				);
	return rows.join('\n');
}
