/** Moving, filtering, sorting and marking in lists. */

import { listFileForm } from '../../forms/list-file.ts';
import { listRows } from '../../list-file.ts';
import { openDialog } from '../../state/dialogs.ts';
import { invertMarks, toggleMark, toggleRange, unmarkAll } from '../../state/marks.ts';
import { focusOf } from '../../state/selectors.ts';
import type { State } from '../../state/state.ts';
import { type Command, type Context, change } from '../command.ts';
import { needsEntry, needsImageRow, needsListing } from '../conditions.ts';
import { filterOf, openLine } from '../line.ts';
import { type Move, moveList, nextMatch } from '../moves.ts';

const MOVES: readonly [id: string, title: string, keys: readonly string[], move: Move][] = [
	['list.next', 'Next', ['j', 'down'], 'next'],
	['list.prev', 'Previous', ['k', 'up'], 'prev'],
	['list.first', 'First', ['g', 'home'], 'first'],
	['list.last', 'Last', ['G', 'end'], 'last'],
	['list.halfDown', 'Half a page down', ['C-d'], 'halfDown'],
	['list.halfUp', 'Half a page up', ['C-u'], 'halfUp'],
	['list.pageDown', 'Page down', ['pagedown', 'C-f'], 'pageDown'],
	['list.pageUp', 'Page up', ['pageup', 'C-b'], 'pageUp'],
];

const moves: Command[] = MOVES.map(([id, title, keys, move]) => ({
	id,
	title,
	group: 'move',
	when: ['list', 'details'],
	keys,
	run: change((state) => moveList(state, move)),
}));

/** A list that was empty from the start has nothing to narrow or to sort. */
function needsRows(state: State): string | null {
	const isEmpty =
		(focusOf(state) === 'images' && state.wim.images.length === 0) ||
		(focusOf(state) === 'start' && state.start.found.length === 0);
	return isEmpty ? 'there is nothing here yet' : null;
}

const MARKABLE: readonly Context[] = ['images', 'files'];

export const listCommands: readonly Command[] = [
	...moves,
	{
		id: 'mark.toggle',
		title: 'Mark and move down',
		hint: 'mark',
		group: 'do',
		when: MARKABLE,
		keys: ['space', 'insert'],
		footer: 20,
		disabled: (state) => (focusOf(state) === 'files' ? needsEntry(state) : needsImageRow(state)),
		run: change(toggleMark),
	},
	{
		id: 'mark.range',
		title: 'Mark a range',
		group: 'do',
		when: ['files'],
		keys: ['v'],
		disabled: needsListing,
		run: change(toggleRange),
	},
	{
		id: 'mark.invert',
		title: 'Invert the marks',
		group: 'do',
		when: MARKABLE,
		keys: ['*'],
		run: change(invertMarks),
	},
	{
		id: 'mark.glob',
		title: 'Mark by pattern',
		group: 'do',
		when: ['files'],
		keys: ['+'],
		disabled: needsListing,
		run: change((state) => openLine(state, 'markGlob', '')),
	},
	{
		id: 'mark.none',
		title: 'Unmark all',
		group: 'do',
		when: MARKABLE,
		keys: ['U'],
		run: change(unmarkAll),
	},
	{
		id: 'list.filter',
		title: 'Filter this list',
		hint: 'filter',
		group: 'find',
		when: ['images', 'files', 'start', 'damage', 'sizes', 'difference'],
		keys: ['/', 'f7'],
		footer: 40,
		disabled: needsRows,
		run: change((state) => openLine(state, 'filter', filterOf(state))),
	},
	{
		id: 'list.jump',
		title: 'Jump to a name by its beginning',
		group: 'find',
		when: ['images', 'files', 'start', 'sizes', 'difference'],
		keys: ["'"],
		disabled: needsRows,
		run: change((state) => openLine(state, 'jump', '')),
	},
	{
		id: 'list.write',
		title: 'Write this list to a file...',
		group: 'do',
		when: ['files', 'sizes', 'difference', 'start'],
		keys: ['w'],
		disabled: (state) =>
			(listRows(state, false)?.count ?? 0) > 0 ? null : 'there is nothing in the list',
		run: change((state) => openDialog(state, listFileForm(state))),
	},
	{
		id: 'list.nextMatch',
		title: 'Next hit or damaged entry',
		group: 'find',
		when: ['list'],
		keys: ['n'],
		run: change((state) => nextMatch(state, 1)),
	},
	{
		id: 'list.prevMatch',
		title: 'Previous hit or damaged entry',
		group: 'find',
		when: ['list'],
		keys: ['N'],
		run: change((state) => nextMatch(state, -1)),
	},
	{
		id: 'list.sort',
		title: 'Sort by...',
		hint: 'sort',
		group: 'find',
		when: ['files', 'sizes', 'start'],
		keys: ['s'],
		footer: 50,
		disabled: (state) => (focusOf(state) === 'files' ? needsListing(state) : needsRows(state)),
		run: change((state) => ({ ...state, pending: 'list.sort' })),
	},
];
