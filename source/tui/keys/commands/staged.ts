/** Staging changes in Files, and the view of what is staged. */

import { formatCount } from '../../../base/print.ts';
import { chosenEntries } from '../../forms/extract.ts';
import { addForm, commitForm, leaveStagedDialog, renameForm } from '../../forms/stage.ts';
import { openDialog } from '../../state/dialogs.ts';
import { browse } from '../../state/files.ts';
import { additionAt } from '../../state/files-overlay.ts';
import { entryPath, entryUnderCursor } from '../../state/selectors.ts';
import {
	type DeletionDraft,
	dropStaged,
	dropStagedChange,
	hasStaged,
	isCommitting,
	showStaged,
	stageDeletions,
	stagedUnderCursor,
	stagingObstacle,
} from '../../state/staged.ts';
import { changesOf, parentOf } from '../../state/staged-plan.ts';
import type { State } from '../../state/state.ts';
import { say } from '../../state/status.ts';
import { closeView } from '../../state/view.ts';
import { type Command, change } from '../command.ts';
import {
	all,
	needsEntry,
	needsListing,
	needsMarkOrEntry,
	needsVerb,
	needsWritable,
} from '../conditions.ts';

/** What staging needs: a file that can be written, an engine that can update. */
const canStage = all(needsVerb('update'), needsWritable, needsListing);

const freeToStage = (state: State): string | null => {
	const index = state.files.listing?.imageIndex;
	return index === undefined ? null : stagingObstacle(state, index);
};

/** Deletes the marked entries, else the one under the cursor; the same again takes it back. */
function remove(state: State): State {
	const entry = entryUnderCursor(state);
	const addition = entry && additionAt(state, entry.position);
	if (addition) return dropStagedChange(state, addition.id);
	const chosen = chosenEntries(state);
	if (!chosen || !state.wim.file) return state;
	const { imageIndex } = chosen;
	const known = new Map(
		changesOf(state.staged.changes, imageIndex).map((one) => [one.path.toLowerCase(), one]),
	);
	const drafts: DeletionDraft[] = [];
	for (const position of chosen.positions) {
		const { path, isFolder, size } = state.wim.file.describe(imageIndex, position);
		const already = known.get(path.toLowerCase());
		if (already?.type === 'delete' && chosen.positions.length === 1)
			return dropStagedChange(state, already.id);
		drafts.push({
			type: 'delete',
			path,
			position,
			isFolder,
			size: isFolder ? null : size,
			fileCount: isFolder ? null : 1,
		});
	}
	const next = stageDeletions(state, imageIndex, drafts);
	if (typeof next === 'string') return say(state, next, 'warning');
	const count = formatCount(next.staged.changes.length);
	return say(next, `${count} staged; C shows and commits them`);
}

function rename(state: State): State {
	const entry = entryUnderCursor(state);
	if (!entry) return state;
	if (additionAt(state, entry.position))
		return say(state, 'It is not in the image yet: add it again under another name', 'warning');
	const path = entryPath(state, entry);
	const name = path.slice(path.lastIndexOf('\\') + 1);
	return openDialog(state, renameForm(state, { imageIndex: entry.imageIndex, path, name }));
}

/** Shows the change, or the image, under the cursor in Files. */
function showInFiles(state: State): State {
	const row = stagedUnderCursor(state);
	if (!row) return state;
	const shown: State = { ...state, view: 'deck', focus: 'files' };
	if (row.type === 'image')
		return browse(shown, { type: 'path', imageIndex: row.imageIndex, path: '\\' });
	const { imageIndex, path } = row.change;
	return browse(
		shown,
		{ type: 'path', imageIndex, path: parentOf(path) },
		{ wanted: path.slice(path.lastIndexOf('\\') + 1) },
	);
}

const needsStaged = (state: State): string | null =>
	hasStaged(state) ? null : 'nothing is staged';

const notCommitting = (state: State): string | null =>
	isCommitting(state) ? 'they are being committed' : null;

export const stagedCommands: readonly Command[] = [
	{
		id: 'stage.add',
		title: 'Stage: add a file or folder...',
		group: 'do',
		when: ['files'],
		keys: ['a'],
		writes: true,
		disabled: all(canStage, freeToStage, ({ files }) =>
			files.find === null ? null : 'go to a folder first',
		),
		run: change((state) => openDialog(state, addForm(state))),
	},
	{
		id: 'stage.delete',
		title: 'Stage: delete marked, else this one',
		group: 'do',
		when: ['files'],
		keys: ['D', 'f8'],
		writes: true,
		disabled: all(canStage, freeToStage, needsMarkOrEntry),
		run: (api) => api.effects.withChosen(() => api.change(remove)),
	},
	{
		id: 'stage.rename',
		title: 'Stage: rename or move...',
		group: 'do',
		when: ['files'],
		keys: ['r', 'f6'],
		writes: true,
		disabled: all(canStage, freeToStage, needsEntry),
		run: change(rename),
	},
	{
		id: 'view.staged',
		title: 'Staged changes',
		hint: 'staged',
		group: 'do',
		when: ['files', 'images', 'details'],
		keys: ['C'],
		footer: 35,
		writes: true,
		disabled: needsStaged,
		run: change(showStaged),
	},
	{
		id: 'staged.commit',
		title: 'Commit them all...',
		hint: 'commit',
		group: 'do',
		when: ['staged'],
		keys: ['c'],
		footer: 10,
		writes: true,
		disabled: all(needsStaged, needsWritable, notCommitting),
		run: change((state) => openDialog(state, commitForm(state))),
	},
	{
		id: 'staged.drop',
		title: 'Take this change, or those of this image, back',
		hint: 'drop',
		group: 'do',
		when: ['staged'],
		keys: ['d', 'delete'],
		footer: 20,
		disabled: notCommitting,
		run: change(dropStaged),
	},
	{
		id: 'staged.discard',
		title: 'Take all changes back...',
		hint: 'discard all',
		group: 'do',
		when: ['staged'],
		keys: ['D'],
		footer: 30,
		disabled: all(needsStaged, notCommitting),
		run: change((state) => openDialog(state, leaveStagedDialog(state, { type: 'nothing' }))),
	},
	{
		id: 'staged.showFile',
		title: 'Show in Files',
		hint: 'show in Files',
		group: 'do',
		when: ['staged'],
		keys: ['enter', 'o', 'l', 'right'],
		footer: 40,
		run: change(showInFiles),
	},
	{
		id: 'staged.close',
		title: 'Back to the deck',
		group: 'move',
		when: ['staged'],
		keys: ['C', 'h', 'left', 'backspace'],
		run: change(closeView),
	},
];
