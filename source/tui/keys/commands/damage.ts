/** Commands of the damage view and of the start screen. */

import type { FindingFile } from '../../engine.ts';
import { findingForm } from '../../forms/extract.ts';
import { reportForm } from '../../forms/report.ts';
import { openOrAsk } from '../../forms/stage.ts';
import { findingUnderCursor } from '../../state/damage.ts';
import { openDialog } from '../../state/dialogs.ts';
import { browse } from '../../state/files.ts';
import { remember } from '../../state/marks.ts';
import { shownFound, showRecent } from '../../state/start.ts';
import type { State } from '../../state/state.ts';
import { closeView } from '../../state/view.ts';
import { retryOpen, showStart } from '../../state/wim.ts';
import type { Api } from '../api.ts';
import { type Command, change } from '../command.ts';
import { all, needsDamage, needsHitFile, needsVerb } from '../conditions.ts';
import { imageFolderOf } from '../inside-path.ts';

function showFile(state: State): State {
	const file = findingUnderCursor(state)?.files[0];
	return file ? showInFiles(state, file) : state;
}

/** The Files pane with the cursor on a file. */
export function showInFiles(state: State, file: FindingFile): State {
	const { folder, name } = imageFolderOf(file.path);
	return browse(
		{ ...remember(state, 'place'), view: 'deck', focus: 'files' },
		{ type: 'path', imageIndex: file.imageIndex, path: folder },
		{ wanted: name },
	);
}

function mark(api: Api): void {
	const finding = findingUnderCursor(api.state());
	if (finding) api.effects.markFiles(finding.files);
}

const findingFacts = (state: State): State => {
	const finding = findingUnderCursor(state);
	if (!finding) return state;
	return openDialog(state, {
		kind: 'facts',
		title: finding.where,
		rows: [
			['what', finding.what],
			...finding.notes.map((note): [string, string] => ['', note]),
			...(finding.digest === null ? [] : [['SHA-1', finding.digest] as [string, string]]),
			...finding.files.map((file): [string, string] => [`image ${file.imageIndex}`, file.path]),
		],
		top: 0,
	});
};

const nextSort = (state: State): State => {
	const orders = ['severity', 'files', 'where'] as const;
	const at = orders.indexOf(state.damage.sort);
	return { ...state, damage: { ...state.damage, sort: orders[(at + 1) % orders.length]! } };
};

const damageCommands: readonly Command[] = [
	{
		id: 'finding.details',
		title: 'Everything about the finding',
		hint: 'details',
		group: 'do',
		when: ['damage'],
		keys: ['enter'],
		footer: 10,
		disabled: needsDamage,
		run: change(findingFacts),
	},
	{
		id: 'finding.showFile',
		title: 'Show in Files',
		hint: 'show',
		group: 'do',
		when: ['damage'],
		keys: ['o'],
		footer: 20,
		disabled: all(needsDamage, needsHitFile),
		run: change(showFile),
	},
	{
		id: 'finding.markFiles',
		title: 'Mark all files of the finding',
		hint: 'mark',
		group: 'do',
		when: ['damage'],
		keys: ['m', 'space'],
		footer: 30,
		disabled: all(needsDamage, needsHitFile),
		run: mark,
	},
	{
		id: 'finding.salvage',
		title: 'Extract what is readable...',
		hint: 'extract',
		group: 'job',
		when: ['damage'],
		keys: ['e'],
		footer: 40,
		writes: true,
		disabled: all(needsDamage, needsHitFile, needsVerb('extract')),
		run: change((state) => openDialog(state, findingForm(state))),
	},
	{
		id: 'damage.sort',
		title: 'Next order',
		group: 'find',
		when: ['damage'],
		keys: ['s'],
		disabled: needsDamage,
		run: change(nextSort),
	},
	{
		id: 'damage.report',
		title: 'Write a damage report...',
		hint: 'report',
		group: 'do',
		when: ['damage'],
		keys: ['w'],
		footer: 50,
		disabled: needsDamage,
		run: change((state) => openDialog(state, reportForm(state))),
	},
	{
		id: 'view.back',
		title: 'Back to the deck',
		hint: 'back',
		group: 'move',
		when: ['damage', 'map', 'sizes', 'difference', 'staged'],
		keys: ['q'],
		footer: 60,
		run: change(closeView),
	},
];

const openFound = (state: State): State => {
	const found = shownFound(state)[state.start.list.cursor];
	return found ? openOrAsk(state, found.path) : state;
};

const startCommands: readonly Command[] = [
	{
		id: 'start.open',
		title: 'Open this file',
		hint: 'open',
		group: 'do',
		when: ['start'],
		keys: ['enter', 'l', 'right'],
		footer: 10,
		disabled: (state) => (shownFound(state).length > 0 ? null : 'there is no file here'),
		run: change(openFound),
	},
	{
		id: 'start.deep',
		title: 'With or without subfolders',
		hint: 'subfolders',
		group: 'find',
		when: ['start'],
		keys: ['d'],
		footer: 50,
		run: change((state) =>
			showStart(state, state.start.folder ?? state.settings.workFolder, !state.start.isDeep),
		),
	},
	{
		id: 'start.recent',
		title: 'Recent files',
		hint: 'recent',
		group: 'find',
		when: ['start'],
		keys: ['f'],
		run: change(showRecent),
	},
	{
		id: 'start.again',
		title: 'Look again, or try again to open a file',
		group: 'find',
		when: ['start'],
		keys: ['r'],
		run: change((state) =>
			state.wim.load.status === 'failed'
				? retryOpen(state)
				: showStart(state, state.start.folder ?? state.settings.workFolder, state.start.isDeep),
		),
	},
	{
		id: 'start.openPath',
		title: 'Open by path...',
		hint: 'other',
		group: 'do',
		when: ['start'],
		keys: [],
		run: (api) => api.keymap.commands.find(({ id }) => id === 'file.open')?.run(api),
	},
];

export const viewCommands: readonly Command[] = [...damageCommands, ...startCommands];
