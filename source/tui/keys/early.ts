/** Keys that come before what they are meant for: whoever types ahead of a slow disk or line means the file to come. */

import type { State } from '../state/state.ts';
import type { Key } from '../terminal/key-decoder.ts';
import type { Command } from './command.ts';
import { commandFor, type Keymap } from './keymap.ts';

/** What a key would have to wait for. */
export type Awaited = 'file' | 'listing';

/** What is being read that keys may be meant for; null: nothing. */
export function awaited(state: State): Awaited | null {
	const { load } = state.wim;
	// A file that is read again shows what it had; keys count there.
	if (load.status === 'loading' && load.request?.keepPlace === false) return 'file';
	const { files } = state;
	const isFirst = files.load.status === 'loading' && files.listing === null;
	return isFirst && state.view === 'deck' && state.focus === 'files' ? 'listing' : null;
}

/** Whether a key must wait for what is being read. What needs no file works meanwhile: help, palette, jobs, quit. */
export function isEarly(state: State, keymap: Keymap, key: Key): boolean {
	const awaits = awaited(state);
	if (awaits === null || !('name' in key) || state.isLeaving) return false;
	// They name what they are about, and were opened by somebody who saw it.
	if (state.dialogs.length > 0 || state.line !== null || state.pending !== null) return false;
	const command = commandFor(keymap, state, key.name);
	if (command === null) return false;
	const needsIt = isRefused(command, state) || isRefused(command, withoutFile(state));
	if (awaits === 'file' && (state.view === 'start' || state.focus === 'jobs')) return needsIt;
	return needsIt || (command.group !== 'everywhere' && command.group !== 'job');
}

const isRefused = (command: Command, state: State): boolean =>
	(command.disabled?.(state) ?? null) !== null;

/** As if the file that is to be replaced were gone already: keys are meant for the new one. */
const withoutFile = (state: State): State => ({ ...state, wim: { ...state.wim, facts: null } });
