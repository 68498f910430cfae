/** Commands of the Files pane and of Details. */

import { extractForm } from '../../forms/extract.ts';
import { nextDetailMode, wantContent } from '../../state/details.ts';
import { openDialog } from '../../state/dialogs.ts';
import { browse, goBack, goToParent, toggleHidden } from '../../state/files.ts';
import { additionAt } from '../../state/files-overlay.ts';
import { remember } from '../../state/marks.ts';
import { type Entry, entryUnderCursor, layoutOf } from '../../state/selectors.ts';
import type { State } from '../../state/state.ts';
import { say } from '../../state/status.ts';
import { stepImage } from '../../state/wim.ts';
import { type Command, change } from '../command.ts';
import {
	all,
	needsEntry,
	needsListing,
	needsMarkOrEntry,
	needsStored,
	needsVerb,
} from '../conditions.ts';
import { openLine } from '../line.ts';
import { focusPane } from './everywhere.ts';

function enter(state: State): State {
	const entry = entryUnderCursor(state);
	if (!entry) return state;
	if (entry.position < 0) return sayAddition(state, entry);
	if (!entry.isFolder) return focusPane(state, 'details');
	return browse(remember(state, 'place'), {
		type: 'folder',
		imageIndex: entry.imageIndex,
		position: entry.position,
	});
}

/** A row that is staged to be added has nothing in the image yet. */
function sayAddition(state: State, entry: Entry): State {
	const addition = additionAt(state, entry.position);
	return say(
		state,
		`Not in the image yet: it comes from ${addition?.source ?? 'outside'} (C commits)`,
	);
}

function preview(state: State): State {
	const entry = entryUnderCursor(state);
	if (!entry) return state;
	if (entry.position < 0) return sayAddition(state, entry);
	if (entry.isFolder) return say(state, 'A folder has no content to show');
	const key = { imageIndex: entry.imageIndex, position: entry.position };
	return openDialog(wantContent(state, key), {
		kind: 'pager',
		source: { type: 'content', key, name: entry.name },
		top: 0,
		follows: false,
		asHex: false,
	});
}

function root(state: State): State {
	const { listing } = state.files;
	if (!listing) return state;
	return browse(remember(state, 'place'), {
		type: 'folder',
		imageIndex: listing.imageIndex,
		position: 0,
	});
}

const parent = (state: State): State =>
	state.files.listing && state.files.listing.folder === 0 && state.files.find === null
		? { ...state, focus: 'images' }
		: goToParent(remember(state, 'place'));

function closeDetails(state: State): State {
	const isOpen = layoutOf(state).size === 'wide' && state.details.isOpen;
	return { ...state, focus: 'files', details: { ...state.details, isOpen } };
}

export const fileCommands: readonly Command[] = [
	{
		id: 'file.enter',
		title: 'Open the folder, or details of the file',
		hint: 'open',
		group: 'do',
		when: ['files'],
		keys: ['enter', 'l', 'right'],
		footer: 10,
		disabled: needsEntry,
		run: change(enter),
	},
	{
		id: 'file.parent',
		title: 'Folder above',
		hint: 'up',
		group: 'move',
		when: ['files'],
		keys: ['h', 'left', 'backspace'],
		footer: 65,
		disabled: needsListing,
		run: change(parent),
	},
	{
		id: 'file.root',
		title: 'Top of the image',
		group: 'move',
		when: ['files'],
		keys: ['\\'],
		disabled: needsListing,
		run: change(root),
	},
	{
		id: 'file.back',
		title: 'Previous folder',
		group: 'move',
		when: ['files'],
		keys: ['-'],
		disabled: (state) => (state.files.history.length > 0 ? null : 'there is no folder before'),
		run: change(goBack),
	},
	{
		id: 'file.goto',
		title: 'Go to a path...',
		group: 'find',
		when: ['files'],
		keys: ['p'],
		disabled: needsListing,
		run: change((state) => openLine(state, 'goto', state.files.missing)),
	},
	{
		id: 'file.find',
		title: 'Find in the whole image...',
		hint: 'find',
		group: 'find',
		when: ['files', 'images', 'details'],
		keys: ['f'],
		footer: 60,
		disabled: needsListing,
		run: change((state) => openLine(state, 'find', '')),
	},
	{
		id: 'file.hidden',
		title: 'Show or hide hidden and system entries',
		group: 'find',
		when: ['files'],
		keys: ['.'],
		disabled: needsListing,
		run: change((state) => toggleHidden(remember(state, 'hidden'))),
	},
	{
		id: 'image.prev',
		title: 'Same path in the previous image',
		group: 'move',
		when: ['files'],
		keys: ['['],
		disabled: needsListing,
		run: change((state) => stepImage(remember(state, 'place'), -1)),
	},
	{
		id: 'image.next',
		title: 'Same path in the next image',
		group: 'move',
		when: ['files'],
		keys: [']'],
		disabled: needsListing,
		run: change((state) => stepImage(remember(state, 'place'), 1)),
	},
	{
		id: 'file.preview',
		title: 'Hex or text preview',
		hint: 'view',
		group: 'do',
		when: ['files'],
		keys: ['x', 'f3'],
		footer: 62,
		disabled: needsEntry,
		run: change(preview),
	},
	{
		id: 'job.extract',
		title: 'Extract marked, else this one...',
		hint: 'extract',
		group: 'job',
		when: ['files', 'details'],
		keys: ['e', 'f5'],
		footer: 30,
		writes: true,
		disabled: all(needsMarkOrEntry, needsStored, needsVerb('extract')),
		run: (api) =>
			api.effects.withChosen(() => api.change((state) => openDialog(state, extractForm(state)))),
	},
	{
		id: 'detail.mode',
		title: 'Facts, hex, text, streams',
		hint: 'facts/hex/text',
		group: 'do',
		when: ['details'],
		keys: ['x'],
		footer: 10,
		run: change(nextDetailMode),
	},
	{
		id: 'detail.close',
		title: 'Back to Files',
		hint: 'back',
		group: 'move',
		when: ['details'],
		keys: ['enter', 'h', 'left', 'backspace'],
		footer: 20,
		run: change(closeDetails),
	},
];
