/** Commands of the view of two images' differences. */

import type { DifferenceKind, FactValue } from '../../engine-views.ts';
import { compareForm } from '../../forms/compare.ts';
import { openDialog } from '../../state/dialogs.ts';
import {
	differenceToFiles,
	differenceUnderCursor,
	enterDifference,
	leaveDifference,
	onlyDifferences,
	showDifference,
	swapDifference,
	toggleFlat,
} from '../../state/difference.ts';
import { remember } from '../../state/marks.ts';
import type { State } from '../../state/state.ts';
import { say } from '../../state/status.ts';
import { closeView } from '../../state/view.ts';
import { factText } from '../../view/columns.ts';
import { type Command, change } from '../command.ts';

/** The two marked images, in their order; else it asks. */
function compare(state: State): State {
	if (state.view === 'difference') return closeView(state);
	const marked = [...state.images.marks].sort((a, b) => a - b);
	if (state.focus === 'images' && marked.length > 2)
		return say(state, `Two images can be compared; ${marked.length} are marked`, 'warning');
	const [before, after] = marked;
	if (state.focus === 'images' && before !== undefined && after !== undefined)
		return showDifference(state, { before, after });
	return openDialog(state, compareForm(state));
}

/** Into a folder; all facts of a file. */
function enter(state: State): State {
	const entered = enterDifference(state);
	if (entered) return entered;
	const difference = differenceUnderCursor(state);
	if (!difference) return state;
	const { facts, pair } = state.difference;
	const text = (value: FactValue | null): string =>
		value === null ? '-' : factText(value, state.settings.utc);
	const title = difference.path.slice(difference.path.lastIndexOf('\\') + 1);
	return openDialog(state, {
		kind: 'facts',
		title: `${title}: image ${pair?.before} -> ${pair?.after}`,
		rows: [
			['what', difference.kind],
			...(difference.from === null ? [] : [['from', difference.from] as const]),
			['path', difference.path],
			...(difference.aspects.length === 0
				? []
				: [['differs', difference.aspects.join(', ')] as const]),
			...facts.map(
				({ label, before, after }) =>
					[label, before === after ? text(after) : `${text(before)} -> ${text(after)}`] as const,
			),
		],
		top: 0,
	});
}

const only = (kind: DifferenceKind, ...keys: readonly string[]): Command => ({
	id: `difference.${kind}`,
	title: `Only what was ${kind}; again for all`,
	group: 'find',
	when: ['difference'],
	keys,
	run: change((state) => onlyDifferences(state, kind)),
});

const toFiles = (state: State, side: 'before' | 'after'): State => {
	const next = differenceToFiles(remember(state, 'place'), side);
	return next.view === 'deck' ? next : { ...next, undo: state.undo };
};

export const differenceCommands: readonly Command[] = [
	{
		id: 'view.difference',
		title: 'Compare two images...',
		hint: 'compare',
		group: 'do',
		when: ['images', 'files', 'difference'],
		keys: ['='],
		disabled: ({ wim }) => (wim.images.length > 1 ? null : 'the file has no second image'),
		run: change(compare),
	},
	{
		id: 'difference.enter',
		title: 'Into the folder, or facts of the file',
		hint: 'open',
		group: 'move',
		when: ['difference'],
		keys: ['enter', 'l', 'right'],
		footer: 10,
		run: change(enter),
	},
	{
		id: 'difference.parent',
		title: 'Folder above',
		hint: 'up',
		group: 'move',
		when: ['difference'],
		keys: ['h', 'left', 'backspace'],
		footer: 20,
		run: change(leaveDifference),
	},
	{
		id: 'difference.after',
		title: 'Show in Files, in the image after',
		hint: 'in Files',
		group: 'do',
		when: ['difference'],
		keys: ['o', ']'],
		footer: 30,
		run: change((state) =>
			differenceUnderCursor(state)?.kind === 'removed'
				? toFiles(state, 'before')
				: toFiles(state, 'after'),
		),
	},
	{
		id: 'difference.before',
		title: 'Show in Files, in the image before',
		group: 'do',
		when: ['difference'],
		keys: ['O', '['],
		run: change((state) => toFiles(state, 'before')),
	},
	only('added', 'a', '+'),
	only('removed', 'd', '-'),
	only('changed', 'c'),
	only('moved', 'm', '>'),
	{
		id: 'difference.flat',
		title: 'Tree, or one list of everything below',
		hint: 'tree/list',
		group: 'find',
		when: ['difference'],
		keys: ['t'],
		footer: 45,
		run: change(toggleFlat),
	},
	{
		id: 'difference.swap',
		title: 'Compare the other way round',
		hint: 'swap',
		group: 'do',
		when: ['difference'],
		keys: ['x'],
		footer: 55,
		run: change(swapDifference),
	},
];
