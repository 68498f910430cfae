import type { FormDialog, State } from '../state/state.ts';
import {
	behindMore,
	buildForm,
	check,
	folderField,
	moreOptions,
	pathField,
	radio,
	shownWhen,
	textField,
} from './build.ts';
import {
	chunkSizeField,
	compressionField,
	existsField,
	integrityField,
	inWorkFolder,
	unixDataField,
	verifyAfterField,
} from './presets.ts';

const excludeFields = [
	radio(
		'exclude',
		'Leave out',
		[
			{ value: 'usual', label: 'the usual' },
			{ value: 'file', label: 'a list' },
			{ value: 'none', label: 'nothing' },
		],
		'usual',
	),
	...shownWhen([{ field: 'exclude', is: ['file'] }], pathField('config', 'List in file')),
];

/** The open file when an image can be added to it; else a new one. */
function usualTarget(state: State): string {
	const { facts } = state.wim;
	const canGrow = facts?.whyReadonly === null && facts.partCount === 1 && state.view !== 'start';
	return canGrow ? facts.path : inWorkFolder(state, 'new.wim');
}

/** The dialog of `c`: a folder becomes an image, in a new file or one that exists. */
export function captureForm(state: State): FormDialog {
	const target = usualTarget(state);
	const isOpenFile = target === state.wim.facts?.path;
	return buildForm(state, {
		form: 'capture',
		subject: isOpenFile ? target : '',
		title: 'Capture a folder into an image',
		fields: [
			folderField('source', 'Source folder', inWorkFolder(state, '')),
			pathField('target', 'Target file', target),
			existsField('append', 'append'),
			textField('name', 'Image name'),
			compressionField("the file's own, or LZX"),
			integrityField(isOpenFile ? (state.wim.facts?.hasIntegrity ?? false) : true),
			...excludeFields,
			verifyAfterField,
			moreOptions,
			...behindMore(
				textField('description', 'Description'),
				...chunkSizeField,
				check('boot', 'Boot', 'this image boots'),
				unixDataField('store owner, mode and devices'),
				check('dereference', 'Links', 'store what links point to'),
				...shownWhen(
					[{ field: 'exists', is: ['append', 'ask'] }],
					textField('updateOf', 'Update of'),
					check('rebuild', 'Rebuild', 'write the whole file anew'),
				),
				...shownWhen(
					[{ field: 'exists', is: ['replace'] }],
					check('pipable', 'Pipable', 'can be applied while it arrives'),
				),
			),
		],
	});
}
