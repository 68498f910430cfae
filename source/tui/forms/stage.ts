/** Forms and questions about staged changes. */

import { formatCount, formatSize, plural } from '../../base/print.ts';
import { openDialog, question } from '../state/dialogs.ts';
import { hasStaged } from '../state/staged.ts';
import { changesOf, imagesOf, planCommands, totalsOf } from '../state/staged-plan.ts';
import type { StagedChange } from '../state/staged-state.ts';
import type { ConfirmDialog, Field, FormDialog, StagedNext, State } from '../state/state.ts';
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
export function stagedSummary(changes: readonly StagedChange[]): string {
	const count = (sign: string, type: string): string[] => {
		const many = changes.filter((change) => change.type === type).length;
		return many === 0 ? [] : [`${sign}${formatCount(many)}`];
	};
	const counts = [...count('+', 'add'), ...count('-', 'delete'), ...count('~', 'rename')].join(' ');
	const { added, removed, isComplete } = totalsOf(changes);
	const dots = isComplete ? '' : '...';
	return `${counts}; ${sized(added)}${dots} come, ${sized(removed)}${dots} go`;
}

/** Images that a form names one by one. */
const IMAGES_MAX = 6;

/** What changes where, an image a line, and in total. */
function commitNotes({ staged, wim }: State): readonly Field[] {
	const { changes } = staged;
	const images = imagesOf(changes);
	const nameOf = (index: number): string =>
		wim.images.find((image) => image.index === index)?.name ?? '';
	if (images.length === 1)
		return [
			note('Image', `${images[0]} ${nameOf(images[0] ?? 0)}`),
			note('Changes', stagedSummary(changes)),
		];
	const listed = images.length > IMAGES_MAX ? images.slice(0, IMAGES_MAX - 1) : images;
	const left = images.length - listed.length;
	return [
		...listed.map((index) =>
			note(`Image ${index}`, `${stagedSummary(changesOf(changes, index))}  ${nameOf(index)}`),
		),
		...(left > 0 ? [note('', `and ${plural(left, 'image')} more (Esc, then C shows them)`)] : []),
		note('In all', stagedSummary(changes)),
	];
}

/** The last look before everything staged is written in one step. */
export function commitForm(state: State): FormDialog {
	const { staged, wim } = state;
	const { changes } = staged;
	return buildForm(state, {
		form: 'update',
		subject: `${wim.facts?.path}|${staged.token}`,
		title: `Commit ${plural(changes.length, 'staged change')}`,
		fields: [
			note('File', wim.facts?.path ?? ''),
			...commitNotes(state),
			check('rebuild', 'Rebuild', 'write the whole file anew'),
		],
		buttons: [{ ...START, label: 'Commit' }, CANCEL],
		fixed: {
			wim: wim.facts?.path ?? '',
			images: imagesOf(changes).map(String),
			commands: planCommands(changes).map((command) => JSON.stringify(command)),
			token: staged.token,
		},
	});
}

/** Something else would lose the staged changes. */
export function leaveStagedDialog(state: State, next: StagedNext): ConfirmDialog {
	const { changes } = state.staged;
	const images = imagesOf(changes);
	const where = images.length > 1 ? `images ${images.join(', ')}` : `image ${images[0]}`;
	const verb = { nothing: 'Discard', quit: 'Discard and quit', open: 'Discard and open' }[
		next.type
	];
	return question(
		`${plural(changes.length, 'staged change')} not committed`,
		[`${wimName(state)}, ${where}: ${stagedSummary(changes)}`],
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
