/** Extracting files of an image to this machine. */

import { formatSize, plural } from '../../base/print.ts';
import type { FormValue } from '../engine.ts';
import { findingUnderCursor } from '../state/damage.ts';
import {
	chosenImages,
	currentImage,
	entryPath,
	entryUnderCursor,
	markCount,
	markedBytes,
} from '../state/selectors.ts';
import type { Field, FormDialog, State } from '../state/state.ts';
import { wimName } from '../state/wim.ts';
import {
	behindMore,
	buildForm,
	check,
	folderField,
	moreOptions,
	note,
	pathField,
	radio,
	shownWhen,
} from './build.ts';
import { inWorkFolder, stemOf, unixDataField } from './presets.ts';

/** Paths of the marked entries of one image, else of the entry under the cursor. */
export function chosenEntries(state: State): {
	readonly imageIndex: number;
	readonly positions: readonly number[];
	readonly what: string;
} | null {
	const here = state.files.listing?.imageIndex ?? -1;
	const imageIndex = state.marks.has(here) ? here : (state.marks.keys().next().value ?? -1);
	const marks = state.marks.get(imageIndex);
	if (marks && marks.size > 0) {
		const { markTotals } = state;
		const known = markTotals?.of === state.marks ? markTotals.size : markedBytes(state);
		const bytes = markCount(state) === marks.size ? known : 0;
		const size = bytes > 0 ? `, ${formatSize(bytes)}` : '';
		return {
			imageIndex,
			positions: [...marks.keys()],
			what: `${plural(marks.size, 'marked entry', 'marked entries')}${size}`,
		};
	}
	const entry = entryUnderCursor(state);
	return entry
		? { imageIndex: entry.imageIndex, positions: [entry.position], what: entryPath(state, entry) }
		: null;
}

const base = (state: State, imageIndex: number): Record<string, FormValue> => ({
	wim: state.wim.facts?.path ?? '',
	refs: state.wim.load.request?.refs ?? [],
	imageIndex,
});

export const ifDamaged = radio(
	'recover',
	'On damage',
	[
		{ value: 'no', label: 'stop' },
		{ value: 'yes', label: 'go on and report' },
	],
	'no',
);

/** What is skipped always leaves a report. */
export const lossesField = (state: State, ending: 'txt' | 'json' = 'txt'): Field =>
	pathField(
		'report',
		'Report to',
		inWorkFolder(state, `${stemOf(wimName(state))}-losses.${ending}`),
	);

const onLosses = (state: State): readonly Field[] => [
	ifDamaged,
	...shownWhen([{ field: 'recover', is: ['yes'] }], lossesField(state)),
];

const ifThere = radio(
	'exists',
	'Same names',
	[
		{ value: 'ask', label: 'ask' },
		{ value: 'replace', label: 'replace what is there' },
	],
	'ask',
);

const aclsField = check('acls', 'Security', 'restore permissions where the target can', true);

const seldom = behindMore(
	unixDataField('restore owner, mode and devices'),
	check('invalidNames', 'Odd names', 'write under a changed name'),
	pathField('references', 'Other parts'),
);

interface Chosen {
	readonly imageIndex: number;
	/** Backslash paths in that image. */
	readonly paths: readonly string[];
}

/** The dialog of `e` in Files; `given` are the entries of a request instead of those chosen now. */
export function extractForm(state: State, given: Chosen | null = null): FormDialog {
	const now = chosenEntries(state) ?? { imageIndex: 0, positions: [], what: 'nothing' };
	const chosen = given
		? {
				...given,
				what:
					given.paths.length === 1
						? (given.paths[0] ?? '')
						: plural(given.paths.length, 'entry', 'entries'),
			}
		: {
				...now,
				paths: now.positions.map(
					(position) => state.wim.file?.pathOf(now.imageIndex, position) ?? '',
				),
			};
	return buildForm(state, {
		form: 'extract',
		subject: String(chosen.imageIndex),
		title: 'Extract files',
		fields: [
			note('From', `${wimName(state)}  image ${chosen.imageIndex}`),
			note('What', chosen.what),
			folderField('target', 'To folder', state.settings.workFolder),
			ifThere,
			check('structure', 'Folders', 'keep the folders above each file', false),
			aclsField,
			...onLosses(state),
			moreOptions,
			...seldom,
		],
		fixed: {
			...base(state, chosen.imageIndex),
			paths: chosen.paths,
		},
	});
}

/** The dialog of `a` in Images: one whole image into a folder. */
export function applyForm(state: State): FormDialog {
	const image = state.focus === 'images' ? chosenImages(state)[0] : currentImage(state);
	const index = image?.index ?? 0;
	return buildForm(state, {
		form: 'apply',
		subject: `${state.wim.facts?.path} ${index}`,
		title: 'Apply an image to a folder',
		fields: [
			note('From', `${wimName(state)}  #${index} ${image?.name ?? ''}`),
			folderField('target', 'To folder', inWorkFolder(state, stemOf(wimName(state)))),
			{ ...ifThere, label: 'If not empty' },
			aclsField,
			...onLosses(state),
			moreOptions,
			...seldom,
		],
		fixed: base(state, index),
	});
}

/** The dialog of `e` in the damage view: everything readable of one finding. */
export function findingForm(state: State): FormDialog {
	const finding = findingUnderCursor(state);
	const imageIndex = finding?.files[0]?.imageIndex ?? 0;
	const paths = (finding?.files ?? [])
		.filter((file) => file.imageIndex === imageIndex)
		.map(({ path }) => path);
	return buildForm(state, {
		form: 'extract',
		subject: `salvage ${imageIndex}`,
		title: 'Extract what is readable',
		fields: [
			note('From', `${wimName(state)}  image ${imageIndex}`),
			note('What', `${plural(paths.length, 'file')} of ${finding?.where ?? ''}`),
			folderField('target', 'To folder', state.settings.workFolder),
			check('structure', 'Folders', 'keep the folders above each file', true),
			note('On damage', 'unreadable stretches become zeros; reported'),
			lossesField(state),
		],
		fixed: { ...base(state, imageIndex), paths, recover: 'yes', acls: false },
	});
}
