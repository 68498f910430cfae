/** Forms and questions about staged changes. */

import { formatSize, plural } from '../../base/print.ts';
import { openDialog, question } from '../state/dialogs.ts';
import { hasStaged, stagedTotals } from '../state/staged.ts';
import { planCommands } from '../state/staged-plan.ts';
import type { ConfirmDialog, FormDialog, StagedNext, State } from '../state/state.ts';
import { openWim, wimName } from '../state/wim.ts';
import { buildForm, CANCEL, check, note, pathField, START, textField } from './build.ts';

const STAGE = { ...START, label: 'Stage' };

/** A file or folder of this machine for the folder that Files shows. */
export function addForm(state: State): FormDialog {
	const { listing } = state.files;
	const { workFolder, pathSeparator } = state.settings;
	const folder = workFolder.endsWith(pathSeparator) ? workFolder : workFolder + pathSeparator;
	return buildForm(state, {
		form: 'stageAdd',
		subject: `${listing?.imageIndex}:${listing?.path}`,
		title: 'Add a file or folder to the image',
		fields: [
			pathField('source', 'From here', folder),
			note('Into', `${listing?.imageIndex}: ${listing?.path ?? '\\'}`),
			textField('name', 'Name there'),
			note('', 'empty: the name that it has here'),
		],
		buttons: [STAGE, CANCEL],
		fixed: { imageIndex: listing?.imageIndex ?? 0, folder: listing?.path ?? '\\' },
		isQuick: true,
		estimates: false,
	});
}

/** A new name, or with separators a new place, for the entry at a path. */
export function renameForm(
	state: State,
	entry: { readonly imageIndex: number; readonly path: string; readonly name: string },
): FormDialog {
	return buildForm(state, {
		form: 'stageRename',
		subject: `${entry.imageIndex}:${entry.path}`,
		title: 'Rename or move',
		fields: [
			note('Now', entry.path),
			textField('name', 'New name', entry.name),
			note('', 'a path such as \\Folder\\name moves it'),
		],
		buttons: [STAGE, CANCEL],
		fixed: { imageIndex: entry.imageIndex, path: entry.path },
		isQuick: true,
		estimates: false,
	});
}

const sized = (bytes: number): string => (bytes < 1024 ? plural(bytes, 'byte') : formatSize(bytes));

/** `+2 -1 ~1; 5.1 M come, 1.2 M go`. */
export function stagedSummary(state: State): string {
	const { changes } = state.staged;
	const count = (sign: string, type: string): string[] => {
		const many = changes.filter((change) => change.type === type).length;
		return many === 0 ? [] : [`${sign}${many}`];
	};
	const counts = [...count('+', 'add'), ...count('-', 'delete'), ...count('~', 'rename')].join(' ');
	const { added, removed, isComplete } = stagedTotals(state);
	const dots = isComplete ? '' : '...';
	return `${counts}; ${sized(added)}${dots} come, ${sized(removed)}${dots} go`;
}

/** The last look before everything staged is written in one step. */
export function commitForm(state: State): FormDialog {
	const { staged, wim } = state;
	const image = wim.images.find(({ index }) => index === staged.imageIndex);
	return buildForm(state, {
		form: 'update',
		subject: `${wim.facts?.path}|${staged.token}`,
		title: `Commit ${plural(staged.changes.length, 'staged change')}`,
		fields: [
			note('File', wim.facts?.path ?? ''),
			note('Image', `${staged.imageIndex} ${image?.name ?? ''}`),
			note('Changes', stagedSummary(state)),
			check('rebuild', 'Rebuild', 'write the whole file anew'),
		],
		buttons: [{ ...START, label: 'Commit' }, CANCEL],
		fixed: {
			wim: wim.facts?.path ?? '',
			imageIndex: staged.imageIndex ?? 0,
			commands: planCommands(staged.changes).map((command) => JSON.stringify(command)),
			token: staged.token,
		},
	});
}

/** Something else would lose the staged changes. */
export function leaveStagedDialog(state: State, next: StagedNext): ConfirmDialog {
	const count = state.staged.changes.length;
	const verb = { nothing: 'Discard', quit: 'Discard and quit', open: 'Discard and open' }[
		next.type
	];
	return question(
		`${plural(count, 'staged change')} not committed`,
		[`${wimName(state)}, image ${state.staged.imageIndex}: ${stagedSummary(state)}`],
		[
			{ label: 'Keep', action: { type: 'close' } },
			{ label: 'Show', action: { type: 'showStaged' } },
			{ label: verb, action: { type: 'discardStaged', next } },
		],
	);
}

/** Opens another file, after asking when changes are staged. */
export function openOrAsk(state: State, path: string, refs: readonly string[] = []): State {
	if (!hasStaged(state)) return openWim(state, path, refs);
	return openDialog(state, leaveStagedDialog(state, { type: 'open', path, refs }));
}
