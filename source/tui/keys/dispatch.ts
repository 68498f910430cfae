/** One key to one change. Keys never reach components. */

import { changeDialog } from '../state/dialogs.ts';
import { editField, typeInField } from '../state/form.ts';
import { LIST_START } from '../state/list.ts';
import { topDialog } from '../state/selectors.ts';
import type { State } from '../state/state.ts';
import { clearStatus, say } from '../state/status.ts';
import { edit, insert, type TextField } from '../state/text-field.ts';
import type { Key, KeyPress } from '../terminal/key-decoder.ts';
import type { Api } from './api.ts';
import type { Command } from './command.ts';
import { commandElsewhere, commandFor, contextsOf, keyLabel } from './keymap.ts';
import { onTyped } from './line.ts';
import { sortChoices } from './sort-keys.ts';

/** Commands kept for the order of the palette. */
const RECENT_MAX = 50;

/** True when printable keys are text at this moment. */
export function isTyping(state: State): boolean {
	return contextsOf(state)[0] === 'text';
}

/** Handles what the decoder gave; answers of the terminal are not for here. */
export function dispatch(api: Api, key: Key): void {
	if ('ack' in key) return;
	if (api.state().isLeaving) {
		if ('name' in key && key.name === 'C-c') api.effects.quit('cancelJobs');
		return;
	}
	if ('paste' in key) {
		if (isTyping(api.state())) api.change((state) => typeText(state, key.paste));
		else api.change((state) => say(state, 'Pasted text is ignored outside text fields', 'info'));
		return;
	}
	api.change(clearStatus);
	if (api.state().pending !== null) {
		secondKey(api, key.name);
		return;
	}
	pressed(api, key);
}

function pressed(api: Api, key: KeyPress): void {
	const state = api.state();
	if (isTyping(state) && key.ch !== undefined) {
		api.change((current) => typeText(current, key.ch ?? ''));
		return;
	}
	const command = commandFor(api.keymap, state, key.name);
	if (command) runCommand(api, command);
	else if (!topDialog(state) && !state.line)
		api.change((current) => sayElsewhere(api, current, key.name));
}

/** Without the dots that announce a dialog. */
const plainTitle = ({ title }: Command): string => title.replace(/\.{3}$/, '');

/** A key of another pane says where it works; a key of none stays without effect. */
function sayElsewhere(api: Api, state: State, name: string): State {
	const other = commandElsewhere(api.keymap, state, name);
	return other
		? say(
				state,
				`${keyLabel(name)} works in ${other.places.join(', ')}: ${plainTitle(other.command)}`,
			)
		: state;
}

/** Runs a command, or says why it cannot be run now. */
export function runCommand(api: Api, command: Command): void {
	const reason = command.disabled?.(api.state()) ?? null;
	if (reason !== null) {
		const text = `${plainTitle(command)}: ${reason}`;
		api.change((state) => say(state, text, 'warning', { short: reason }));
		return;
	}
	if (command.group !== 'move' && command.group !== 'dialog')
		api.change((state) => ({
			...state,
			recentCommands: [command.id, ...state.recentCommands.filter((id) => id !== command.id)].slice(
				0,
				RECENT_MAX,
			),
		}));
	command.run(api);
}

/** The second key of `s`; any other key ends the wait and does nothing else. */
function secondKey(api: Api, name: string): void {
	const choice = sortChoices(api.state()).find(({ key }) => key === name);
	api.change((state) => {
		const ended = { ...state, pending: null };
		if (choice) return choice.sort(ended);
		return name === 'esc' || name === 'C-c'
			? ended
			: say(ended, `No order has the key ${keyLabel(name)}`);
	});
}

/** Typed or pasted text for whatever text field has the keys. */
export function typeText(state: State, text: string): State {
	return changeText(state, (field) => insert(field, text), text);
}

/** An editing key in whatever text field has the keys. */
export function editText(state: State, key: string): State {
	if (topDialog(state)?.kind === 'form')
		return changeDialog(state, 'form', (form) => editField(form, key) ?? form);
	return changeText(state, (field) => edit(field, key) ?? field, null);
}

function changeText(
	state: State,
	change: (field: TextField) => TextField,
	typed: string | null,
): State {
	const dialog = topDialog(state);
	if (dialog?.kind === 'form')
		return typed === null ? state : changeDialog(state, 'form', (form) => typeInField(form, typed));
	if (dialog?.kind === 'help')
		return changeDialog(state, 'help', (help) => ({
			...help,
			query: change(help.query),
			list: LIST_START,
		}));
	if (dialog?.kind === 'palette')
		return changeDialog(state, 'palette', (palette) => ({
			...palette,
			query: change(palette.query),
			list: LIST_START,
		}));
	if (dialog?.kind === 'confirm')
		return changeDialog(state, 'confirm', (confirm) => ({
			...confirm,
			typed: change(confirm.typed),
		}));
	if (!state.line) return state;
	const field = change(state.line.field);
	if (field === state.line.field) return state;
	return onTyped({ ...state, line: { ...state.line, field, completions: [] } });
}
