/** Commands of tables and pagers. */

import { changeDialog } from '../../state/dialogs.ts';
import { topDialog } from '../../state/selectors.ts';
import type { PagerDialog, State } from '../../state/state.ts';
import { nextEncoding } from '../../view/content.ts';
import { factsTopMax, isHex, pagerHeight, pagerLineCount } from '../../view/dialogs.ts';
import { type Command, change } from '../command.ts';

function scrolled(
	state: State,
	move: (top: number, page: number, topMax: number) => number,
): State {
	return changeDialog(
		changeDialog(state, 'facts', (dialog) => {
			const topMax = factsTopMax(state, dialog);
			const top = Math.max(0, Math.min(topMax, move(dialog.top, pagerHeight(state), topMax)));
			return { ...dialog, top };
		}),
		'pager',
		(dialog): PagerDialog => {
			const topMax = Math.max(0, pagerLineCount(state, dialog) - pagerHeight(state));
			const from = dialog.follows ? topMax : Math.min(dialog.top, topMax);
			const top = Math.max(0, Math.min(topMax, move(from, pagerHeight(state), topMax)));
			// Reaching the end of a log follows it again.
			return { ...dialog, top, follows: top === topMax && dialog.source.type !== 'content' };
		},
	);
}

const scroll = (
	id: string,
	title: string,
	keys: readonly string[],
	move: (top: number, page: number, topMax: number) => number,
): Command => ({
	id,
	title,
	group: 'dialog',
	when: ['pager', 'facts'],
	keys,
	run: change((state) => scrolled(state, move)),
});

/** A log and the messages are text as it is. */
function needsContent(state: State): string | null {
	const dialog = topDialog(state);
	return dialog?.kind === 'pager' && dialog.source.type !== 'content'
		? 'only the content of a file has it'
		: null;
}

export const pagerCommands: readonly Command[] = [
	scroll('pager.down', 'One line down', ['j', 'down', 'enter'], (top) => top + 1),
	scroll('pager.up', 'One line up', ['k', 'up'], (top) => top - 1),
	scroll(
		'pager.pageDown',
		'Page down',
		['pagedown', 'space', 'C-f'],
		(top, page) => top + page - 1,
	),
	scroll('pager.pageUp', 'Page up', ['pageup', 'C-b'], (top, page) => top - page + 1),
	scroll('pager.halfDown', 'Half a page down', ['C-d'], (top, page) => top + Math.floor(page / 2)),
	scroll('pager.halfUp', 'Half a page up', ['C-u'], (top, page) => top - Math.floor(page / 2)),
	scroll('pager.first', 'Beginning', ['g', 'home'], () => 0),
	scroll('pager.last', 'End, and follow', ['G', 'end'], (_top, _page, topMax) => topMax),
	{
		id: 'pager.hex',
		title: 'Hex or text',
		hint: 'hex/text',
		group: 'dialog',
		when: ['pager'],
		keys: ['x'],
		footer: 2,
		disabled: needsContent,
		run: change((state) =>
			changeDialog(state, 'pager', (dialog) => ({ ...dialog, asHex: !dialog.asHex, top: 0 })),
		),
	},
	{
		id: 'pager.encoding',
		title: 'Another encoding',
		hint: 'encoding',
		group: 'dialog',
		when: ['pager'],
		keys: ['e'],
		footer: 3,
		disabled: needsContent,
		run: change((state) =>
			changeDialog(state, 'pager', (dialog) => {
				const { content } = state.details;
				if (dialog.source.type !== 'content' || !content) return dialog;
				// Whoever asks for an encoding wants to see text.
				const asHex = isHex(state, dialog) ? !dialog.asHex : dialog.asHex;
				return { ...dialog, asHex, encoding: nextEncoding(content.bytes, dialog.encoding ?? null) };
			}),
		),
	},
	{
		id: 'pager.close',
		title: 'Close',
		hint: 'close',
		group: 'dialog',
		when: ['pager', 'facts'],
		keys: ['q'],
		footer: 9,
		run: change((state) => ({ ...state, dialogs: state.dialogs.slice(0, -1) })),
	},
];
