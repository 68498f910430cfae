import type { FocusName } from '../state/selectors.ts';
import type { State } from '../state/state.ts';
import type { Api } from './api.ts';

/** Where a binding counts; looked up innermost first. */
export type Context =
	| 'global'
	| 'list'
	| FocusName
	| 'text'
	| 'line'
	| 'form'
	| 'confirm'
	| 'help'
	| 'palette'
	| 'facts'
	| 'pager';

export type CommandGroup = 'move' | 'do' | 'find' | 'job' | 'everywhere' | 'dialog';

/** One row of the table that gives bindings, footer, help, palette and manual page. */
export interface Command {
	readonly id: string;
	/** What it does, as in the palette; dots at the end: a dialog follows. */
	readonly title: string;
	/** A short word for the footer. */
	readonly hint?: string;
	readonly group: CommandGroup;
	readonly when: readonly Context[];
	/** Names as the decoder gives them: `j`, `down`, `C-d`, `f5`. */
	readonly keys: readonly string[];
	/** Order in the footer; absent: not shown there. */
	readonly footer?: number;
	/** True when it changes files; gone with `--readonly`. */
	readonly writes?: boolean;
	/** Why it cannot be used now. */
	readonly disabled?: (state: State) => string | null;
	readonly run: (api: Api) => void;
}

/** A command that only changes the state. */
export function change(reduce: (state: State) => State): Command['run'] {
	return (api) => api.change(reduce);
}
