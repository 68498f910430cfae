/** Which commands help and palette list, and in which order. */

import { focusOf } from '../state/selectors.ts';
import type { State } from '../state/state.ts';
import type { Command, CommandGroup, Context } from './command.ts';
import { type Keymap, keyLabel } from './keymap.ts';

export interface Match {
	readonly command: Command;
	/** Why it cannot be used now. */
	readonly reason: string | null;
	/** False when it belongs to another pane. */
	readonly isHere: boolean;
}

/** Exact beginning, beginning of a word, letters in this order; null: no match. */
function rank(title: string, query: string): number | null {
	const text = title.toLowerCase();
	if (query === '') return 0;
	if (text.startsWith(query)) return 0;
	if (text.split(/[^a-z0-9]+/).some((word) => word.startsWith(query))) return 1;
	let at = 0;
	for (const letter of query) {
		at = text.indexOf(letter, at) + 1;
		if (at === 0) return null;
	}
	return 2;
}

/** Whoever knows the command line types its verb: `undo` means `job.undo` too, after the titles that say so. */
const rankOfVerb = ({ id }: Command, query: string): number | null =>
	id.startsWith('job.') && id.slice('job.'.length).toLowerCase().startsWith(query) ? 2 : null;

const matchesHelp = (command: Command, query: string): boolean =>
	query === '' ||
	command.title.toLowerCase().includes(query) ||
	command.group.includes(query) ||
	command.id.toLowerCase().includes(query) ||
	command.keys.some((key) => keyLabel(key).toLowerCase() === query || key === query);

const GROUPS: readonly CommandGroup[] = ['move', 'do', 'find', 'job', 'everywhere', 'dialog'];

const groupOf = (command: Command): number => GROUPS.indexOf(command.group);

const isListed = (command: Command): boolean => command.group !== 'dialog';

/** Contexts whose commands work right now, below any dialog. */
function contextsBelow(state: State): ReadonlySet<Context> {
	const focus = focusOf(state);
	return new Set<Context>(focus === 'details' ? [focus, 'global'] : [focus, 'list', 'global']);
}

/**
 * The commands that match, best first: those of this pane, then by how well they match, then by last use.
 * Help keeps the order of the table and leaves out other panes while nothing is typed.
 */
export function matchingCommands(
	keymap: Keymap,
	state: State,
	menu: 'help' | 'palette',
	typed: string,
): readonly Match[] {
	const query = typed.trim().toLowerCase();
	const here = contextsBelow(state);
	const matches = keymap.commands.filter(isListed).flatMap((command, at) => {
		const isHere = command.when.some((context) => here.has(context));
		if (menu === 'help') {
			// What is typed counts as it stands: `G` is another key than `g`.
			const byKey = typed.trim() !== '' && command.keys.includes(typed.trim());
			if (!byKey && !matchesHelp(command, query)) return [];
			if (query === '' && !isHere) return [];
			return [{ command, isHere, order: byKey ? -1 : 0, at }];
		}
		if (command.id === 'app.palette') return [];
		const order = rank(command.title, query) ?? rankOfVerb(command, query);
		return order === null ? [] : [{ command, isHere, order, at }];
	});
	const recency = (id: string): number => {
		const used = state.recentCommands.indexOf(id);
		return used < 0 ? Number.MAX_SAFE_INTEGER : used;
	};
	matches.sort((a, b) =>
		menu === 'help'
			? a.order - b.order || groupOf(a.command) - groupOf(b.command) || a.at - b.at
			: // Letters that only happen to be in this order come after everything that begins so.
				Number(a.order === 2) - Number(b.order === 2) ||
				Number(b.isHere) - Number(a.isHere) ||
				a.order - b.order ||
				recency(a.command.id) - recency(b.command.id) ||
				// Nobody opens a list of commands to move by one row.
				Number(a.command.group === 'move') - Number(b.command.group === 'move') ||
				a.at - b.at,
	);
	return matches.map(({ command, isHere }) => ({
		command,
		isHere,
		reason: command.disabled?.(state) ?? null,
	}));
}
