/** Commands that work wherever no dialog is open. */

import { formatCount } from '../../../base/print.ts';
import { chosenEntries } from '../../forms/extract.ts';
import { openForm } from '../../forms/open.ts';
import { quitDialog, suspendDialog } from '../../forms/questions.ts';
import { leaveStagedDialog } from '../../forms/stage.ts';
import { findingOfEntry, findingUnderCursor, showFinding } from '../../state/damage.ts';
import { openDialog } from '../../state/dialogs.ts';
import { differencePathUnderCursor } from '../../state/difference.ts';
import type { PaneName } from '../../state/layout.ts';
import { LIST_START } from '../../state/list.ts';
import { undo } from '../../state/marks.ts';
import {
	activeJobs,
	entryPath,
	entryUnderCursor,
	focusOf,
	imageUnderCursor,
	layoutOf,
	markCount,
} from '../../state/selectors.ts';
import { sizePathUnderCursor } from '../../state/sizes.ts';
import { changeUnderCursor, hasStaged } from '../../state/staged.ts';
import { shownFound, stopLooking } from '../../state/start.ts';
import type { State } from '../../state/state.ts';
import { say } from '../../state/status.ts';
import { EMPTY_FIELD } from '../../state/text-field.ts';
import { closeView } from '../../state/view.ts';
import { reloadWim, retryOpen, showStart, wimName } from '../../state/wim.ts';
import type { Api } from '../api.ts';
import { type Command, change } from '../command.ts';
import { needsFile, needsNamed, needsUndo } from '../conditions.ts';
import { filterOf, withFilter } from '../line.ts';

/** Panes that Tab goes through, in order. */
function tabOrder(state: State): readonly PaneName[] {
	const { panes, size } = layoutOf(state);
	const hasJobs = state.jobs.jobs.length > 0;
	const order: PaneName[] = ['images', 'files'];
	if (panes.details || size === 'wide' || state.details.isOpen) order.push('details');
	if (hasJobs) order.push('jobs');
	return order;
}

function stepPane(state: State, step: 1 | -1): State {
	if (state.view === 'start') return focusPane(state, state.focus === 'jobs' ? 'images' : 'jobs');
	if (state.view !== 'deck') return state;
	const order = tabOrder(state);
	const at = order.indexOf(state.focus);
	return focusPane(state, order[(at + step + order.length) % order.length]!);
}

/** Gives a pane the focus, and opens it when it is hidden. */
export function focusPane(state: State, pane: PaneName): State {
	if (pane === 'jobs' && state.jobs.jobs.length === 0)
		return say(state, 'There are no jobs now; :past shows those of before', 'info', {
			short: 'There are no jobs now',
		});
	const isOnStart = pane === 'jobs' || (pane === 'images' && state.focus === 'jobs');
	if (state.view === 'start' && isOnStart) return { ...state, focus: pane };
	if (state.view === 'start' && !state.wim.facts) return say(state, 'Open a file first (o)');
	const { size } = layoutOf(state);
	const isOpen = pane === 'details' || (state.details.isOpen && pane !== 'images');
	return {
		...state,
		view: 'deck',
		focus: pane,
		details: size === 'wide' ? state.details : { ...state.details, isOpen },
	};
}

const pane = (id: string, name: PaneName, key: string, title: string): Command => ({
	id,
	title,
	group: 'everywhere',
	when: ['global'],
	keys: [key],
	run: change((state) => focusPane(state, name)),
});

/** Asks what must be asked, then ends. */
export function quit(api: Api): void {
	const state = api.state();
	if (hasStaged(state)) {
		api.change((current) => openDialog(current, leaveStagedDialog(current, { type: 'quit' })));
		return;
	}
	if (activeJobs(state).length === 0) api.effects.quit('now');
	else api.change((current) => openDialog(current, quitDialog(current)));
}

/** Cancels the innermost thing that can be canceled. */
function cancel(state: State): State {
	if (state.files.rangeFrom !== null)
		return { ...state, files: { ...state.files, rangeFrom: null } };
	if (filterOf(state) !== '') return withFilter(state, '');
	const { files } = state;
	if (files.load.status === 'loading')
		return {
			...state,
			files: {
				...files,
				load: { ...files.load, request: null, status: files.listing ? 'ready' : 'none' },
			},
		};
	if (state.view === 'start' && state.start.load.status === 'loading') return stopLooking(state);
	if (state.isZoomed) return { ...state, isZoomed: false };
	return say(state, 'Press q to quit');
}

function goBackOut(state: State): State {
	if (state.view !== 'deck' && state.view !== 'start')
		if (filterOf(state) === '') return closeView(state);
	if (state.view === 'start' && state.focus === 'jobs') return { ...state, focus: 'images' };
	if (state.details.isOpen && state.focus === 'details' && layoutOf(state).size !== 'wide')
		return { ...state, focus: 'files', details: { ...state.details, isOpen: false } };
	const next = cancel(state);
	return next.status?.text === 'Press q to quit' ? state : next;
}

/** What `y` copies here. */
export function pathUnderCursor(state: State): string | null {
	switch (focusOf(state)) {
		case 'start':
			return shownFound(state)[state.start.list.cursor]?.path ?? null;
		case 'images':
			return imageUnderCursor(state)?.name || null;
		case 'staged':
			return changeUnderCursor(state)?.path ?? null;
		case 'sizes':
			return sizePathUnderCursor(state);
		case 'difference':
			return differencePathUnderCursor(state);
		case 'damage': {
			const finding = findingUnderCursor(state);
			return finding ? (finding.digest ?? finding.where) : null;
		}
		default: {
			const entry = entryUnderCursor(state);
			return entry ? entryPath(state, entry) : null;
		}
	}
}

/** The names of marked images, or the paths of marked entries; none where nothing is marked. */
function markedPaths(state: State): readonly string[] {
	const focus = focusOf(state);
	if (focus === 'images') {
		const { marks } = state.images;
		return state.wim.images.filter(({ index }) => marks.has(index)).map(({ name }) => name);
	}
	const { file } = state.wim;
	if (focus !== 'files' || file === null || markCount(state) === 0) return [];
	const chosen = chosenEntries(state);
	return chosen?.positions.map((position) => file.pathOf(chosen.imageIndex, position)) ?? [];
}

function copy(api: Api): void {
	const marked = markedPaths(api.state());
	const text = pathUnderCursor(api.state());
	if (marked.length > 1) api.effects.copy(marked.join('\n'), `${formatCount(marked.length)} paths`);
	else if (marked[0] !== undefined) api.effects.copy(marked[0]);
	else if (text !== null) api.effects.copy(text);
	else api.change((state) => say(state, 'There is nothing to copy here'));
}

function suspend(api: Api): void {
	if (activeJobs(api.state()).length === 0) api.effects.suspend();
	else api.change((state) => openDialog(state, suspendDialog(state)));
}

const menu =
	(kind: 'help' | 'palette') =>
	(state: State): State =>
		openDialog(state, { kind, query: EMPTY_FIELD, list: LIST_START });

/** From a damaged file to what was found of it; from anywhere else to where the view was. */
function toDamage(state: State): State {
	if (state.view === 'damage') return closeView(state);
	const isOnFile = state.view === 'deck' && (state.focus === 'files' || state.focus === 'details');
	return showFinding(state, isOnFile ? findingOfEntry(state) : null);
}

export const everywhereCommands: readonly Command[] = [
	{
		id: 'pane.next',
		title: 'Next pane',
		hint: 'pane',
		group: 'everywhere',
		when: ['global'],
		keys: ['tab'],
		run: change((state) => stepPane(state, 1)),
	},
	{
		id: 'pane.prev',
		title: 'Previous pane',
		group: 'everywhere',
		when: ['global'],
		keys: ['S-tab'],
		run: change((state) => stepPane(state, -1)),
	},
	pane('pane.images', 'images', '1', 'Images pane'),
	pane('pane.files', 'files', '2', 'Files pane'),
	pane('pane.details', 'details', '3', 'Details pane'),
	pane('pane.jobs', 'jobs', '4', 'Jobs pane'),
	{
		id: 'pane.zoom',
		title: 'Zoom the pane',
		group: 'everywhere',
		when: ['global'],
		keys: ['z'],
		run: change((state) => ({ ...state, isZoomed: !state.isZoomed })),
	},
	{
		id: 'view.damage',
		title: 'Damage view',
		hint: 'damage',
		group: 'everywhere',
		when: ['global'],
		keys: ['!'],
		footer: 80,
		disabled: needsNamed,
		run: change(toDamage),
	},
	{
		id: 'file.open',
		title: 'Open a file...',
		hint: 'open',
		group: 'everywhere',
		when: ['global'],
		keys: ['o', 'f2'],
		run: change((state) => openDialog(state, openForm(state))),
	},
	{
		id: 'file.start',
		title: 'Start screen: images in a folder',
		group: 'everywhere',
		when: ['global'],
		keys: [],
		run: change((state) =>
			showStart(state, state.start.folder ?? state.settings.workFolder, state.start.isDeep),
		),
	},
	{
		id: 'file.reload',
		title: 'Read the file again',
		group: 'everywhere',
		when: ['global'],
		keys: ['R'],
		disabled: needsFile,
		run: change((state) => say(reloadWim(state), `${wimName(state)} is read again`)),
	},
	{
		id: 'file.retry',
		title: 'Try again to open the file',
		hint: 'retry',
		group: 'everywhere',
		when: ['images'],
		keys: ['r'],
		footer: 1,
		disabled: ({ wim }) => (wim.load.status === 'failed' ? null : 'the file is open'),
		run: change(retryOpen),
	},
	{
		id: 'copy.path',
		title: 'Copy the paths of marked, else this one',
		group: 'do',
		when: ['global'],
		keys: ['y'],
		run: (api) => api.effects.withChosen(() => copy(api)),
	},
	{
		id: 'marks.undo',
		title: 'Undo marks, filter, sort or place',
		group: 'do',
		when: ['global'],
		keys: ['u'],
		disabled: needsUndo,
		run: change(undo),
	},
	{
		id: 'app.palette',
		title: 'Commands',
		hint: 'cmd',
		group: 'everywhere',
		when: ['global'],
		keys: [':', 'C-p'],
		footer: 90,
		run: change(menu('palette')),
	},
	{
		id: 'app.help',
		title: 'Help',
		hint: 'help',
		group: 'everywhere',
		when: ['global'],
		keys: ['?', 'f1'],
		footer: 100,
		run: change(menu('help')),
	},
	{
		id: 'app.messages',
		title: 'Messages of this run',
		group: 'everywhere',
		when: ['global'],
		keys: [],
		run: change((state) =>
			openDialog(state, {
				kind: 'pager',
				source: { type: 'messages' },
				top: 0,
				follows: true,
				asHex: false,
			}),
		),
	},
	{
		id: 'app.slow',
		title: 'Slow line: on or off',
		group: 'everywhere',
		when: ['global'],
		keys: [],
		run: change((state) =>
			say(
				{ ...state, settings: { ...state.settings, slow: !state.settings.slow } },
				state.settings.slow ? 'Slow mode is off' : 'Slow mode is on',
			),
		),
	},
	{
		id: 'app.repaint',
		title: 'Repaint the screen',
		group: 'everywhere',
		when: ['global', 'form', 'confirm', 'facts', 'pager', 'help', 'palette', 'line'],
		keys: ['C-l'],
		run: (api) => api.effects.repaint(),
	},
	{
		id: 'app.suspend',
		title: 'Suspend',
		group: 'everywhere',
		when: ['global'],
		keys: ['C-z'],
		run: suspend,
	},
	{
		id: 'app.cancel',
		title: 'Cancel what is going on',
		group: 'everywhere',
		when: ['global'],
		keys: ['C-c'],
		run: change(cancel),
	},
	{
		id: 'app.escape',
		title: 'Back',
		group: 'everywhere',
		when: ['global'],
		keys: ['esc'],
		run: change(goBackOut),
	},
	{
		id: 'app.quit',
		title: 'Quit',
		hint: 'quit',
		group: 'everywhere',
		when: ['global'],
		keys: ['q', 'f10'],
		footer: 95,
		run: quit,
	},
];
