/** Bindings built from the table of commands: per context, key to command. */

import { focusedField } from '../state/form.ts';
import { focusOf, topDialog } from '../state/selectors.ts';
import type { State } from '../state/state.ts';
import type { Command, Context } from './command.ts';

export interface Keymap {
	readonly commands: readonly Command[];
	readonly byContext: ReadonlyMap<Context, ReadonlyMap<string, Command>>;
	/** What is wrong with the user's own bindings. */
	readonly problems: readonly string[];
}

export interface KeymapOptions {
	/** Own bindings: command id to keys. */
	readonly keys: Readonly<Record<string, readonly string[]>>;
	readonly isReadonly: boolean;
	/** Verbs that the engine can run; null: all. */
	readonly canSuspend: boolean;
}

/** Builds the bindings; wrong ones of the user are reported and ignored. */
export function createKeymap(commands: readonly Command[], options: KeymapOptions): Keymap {
	const problems: string[] = [];
	const ids = new Set(commands.map(({ id }) => id));
	for (const id of Object.keys(options.keys))
		if (!ids.has(id)) problems.push(`keys: there is no command "${id}"`);
	const usable = commands.filter(
		({ id, writes }) =>
			!(options.isReadonly && writes) && (options.canSuspend || id !== 'app.suspend'),
	);
	const bound = usable.map((command) => {
		const keys = options.keys[command.id];
		return keys === undefined ? command : { ...command, keys };
	});
	const byContext = new Map<Context, Map<string, Command>>();
	const doubles = new Set<string>();
	const isOwn = ({ id }: Command): boolean => options.keys[id] !== undefined;
	// Own bindings come last: one that is taken is told and ignored, whatever the order of the table.
	for (const command of [...bound.filter((one) => !isOwn(one)), ...bound.filter(isOwn)]) {
		for (const context of command.when) {
			const keys = byContext.get(context) ?? new Map<string, Command>();
			byContext.set(context, keys);
			for (const key of command.keys) {
				const other = keys.get(key);
				if (!other) keys.set(key, command);
				else if (isOwn(command))
					doubles.add(`keys: ${keyLabel(key)} is bound to both "${other.id}" and "${command.id}"`);
			}
		}
	}
	return { commands: bound, byContext, problems: [...problems, ...doubles] };
}

/** The contexts of this moment, innermost first. */
export function contextsOf(state: State): readonly Context[] {
	const dialog = topDialog(state);
	if (dialog) {
		switch (dialog.kind) {
			case 'form': {
				const field = focusedField(dialog);
				return field && 'field' in field ? ['text', 'form'] : ['form'];
			}
			case 'confirm':
				return dialog.word === null ? ['confirm'] : ['text', 'confirm'];
			case 'help':
			case 'palette':
				return ['text', dialog.kind];
			default:
				return [dialog.kind];
		}
	}
	if (state.line) return ['text', 'line'];
	const focus = focusOf(state);
	return focus === 'details' ? [focus, 'global'] : [focus, 'list', 'global'];
}

/** The command of a key at this moment, or null. */
export function commandFor(keymap: Keymap, state: State, key: string): Command | null {
	for (const context of contextsOf(state)) {
		const command = keymap.byContext.get(context)?.get(key);
		if (command) return command;
	}
	return null;
}

/** Panes, then views, with keys of their own, and what brings one there; the nearest first. */
const PLACES: readonly (readonly (readonly [context: Context, place: string])[])[] = [
	[
		['images', 'Images (1)'],
		['files', 'Files (2)'],
		['details', 'Details (3)'],
		['jobs', 'Jobs (4)'],
	],
	[['damage', 'the damage view (!)']],
	[['start', 'the start screen']],
];

/**
 * The command that a key has in the nearest other pane or view, and all panes where it has it; or null. One that
 * would be refused at this moment counts only where there is no other.
 */
export function commandElsewhere(
	keymap: Keymap,
	state: State,
	key: string,
): { readonly command: Command; readonly places: readonly string[] } | null {
	const commandIn = (context: Context) => keymap.byContext.get(context)?.get(key);
	for (const near of PLACES) {
		const commands = near.flatMap(([context]) => commandIn(context) ?? []);
		const command =
			commands.find(({ disabled }) => (disabled?.(state) ?? null) === null) ?? commands[0];
		if (!command) continue;
		const places = near.filter(([context]) => commandIn(context) === command);
		return { command, places: places.map(([, place]) => place) };
	}
	return null;
}

const LABELS: Readonly<Record<string, string>> = {
	space: 'Space',
	enter: 'Enter',
	esc: 'Esc',
	tab: 'Tab',
	'S-tab': 'Shift-Tab',
	backspace: 'Bksp',
	delete: 'Del',
	insert: 'Ins',
	pageup: 'PgUp',
	pagedown: 'PgDn',
	home: 'Home',
	end: 'End',
	up: 'Up',
	down: 'Down',
	left: 'Left',
	right: 'Right',
};

/** A key as people write it: `^D`, `F5`, `Enter`. */
export function keyLabel(key: string): string {
	const label = LABELS[key];
	if (label) return label;
	if (/^C-.$/.test(key)) return `^${key.slice(2).toUpperCase()}`;
	return /^f\d+$/.test(key) ? key.toUpperCase() : key;
}

/** The name of a key as people write it, or null: `^D`, `Ctrl-D`, `F5`, `PgDn`, `j`. */
export function keyNamed(text: string): string | null {
	const control = /^(?:\^|C-|Ctrl-)(.)$/i.exec(text)?.[1];
	if (control) return `C-${control.toLowerCase()}`;
	if (/^f([1-9]|1[0-2])$/i.test(text)) return text.toLowerCase();
	if ([...text].length === 1) return text === ' ' ? 'space' : text;
	const lower = text.toLowerCase();
	for (const [name, label] of Object.entries(LABELS))
		if (name.toLowerCase() === lower || label.toLowerCase() === lower) return name;
	return null;
}
