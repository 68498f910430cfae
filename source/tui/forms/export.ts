import { plural } from '../../base/print.ts';
import type { ImageFacts } from '../engine.ts';
import { chosenImages } from '../state/selectors.ts';
import type { Field, FormDialog, State } from '../state/state.ts';
import { wimName } from '../state/wim.ts';
import {
	behindMore,
	buildForm,
	check,
	moreOptions,
	note,
	pathField,
	shownWhen,
	textField,
} from './build.ts';
import { ifDamaged, lossesField } from './extract.ts';
import {
	chunkSizeField,
	compressionField,
	existsField,
	integrityField,
	inWorkFolder,
	stemOf,
	verifyAfterField,
} from './presets.ts';

/** `#3 Windows 11 Pro`, or how many. */
export function imagesText(images: readonly ImageFacts[]): string {
	const [only] = images;
	if (images.length === 1 && only) return `#${only.index} ${only.name}`;
	return `${plural(images.length, 'image')}: ${images.map(({ index }) => `#${index}`).join(' ')}`;
}

const nameFields = (only: ImageFacts): readonly Field[] => [
	textField('name', 'Name there', only.name),
	...behindMore(textField('description', 'Description', only.description)),
];

const unlessSkipping = (...fields: readonly Field[]): readonly Field[] =>
	shownWhen([{ field: 'recover', is: ['no'] }], ...fields);

/** The dialog of `e` in Images: the marked images, else the one under the cursor. */
export function exportForm(state: State): FormDialog {
	const images = chosenImages(state);
	const only = images.length === 1 ? images[0] : undefined;
	return buildForm(state, {
		form: 'export',
		subject: `${state.wim.facts?.path} ${images.map(({ index }) => index).join(' ')}`,
		title: `Export ${plural(images.length, 'image')}`,
		fields: [
			note('From', `${wimName(state)}  ${imagesText(images)}`),
			pathField('target', 'To', inWorkFolder(state, `${stemOf(wimName(state))}-export.wim`)),
			...unlessSkipping(
				existsField('append', 'ask'),
				...(only ? nameFields(only) : []),
				compressionField('keep'),
			),
			ifDamaged,
			...shownWhen(
				[{ field: 'recover', is: ['yes'] }],
				lossesField(state, 'json'),
				note('', 'What is whole goes into a new file, as it is stored.'),
			),
			...unlessSkipping(integrityField(state.wim.facts?.hasIntegrity ?? false)),
			verifyAfterField,
			moreOptions,
			...behindMore(
				...unlessSkipping(
					...chunkSizeField,
					check('recompress', 'Recompress', 'compress everything anew'),
					check('boot', 'Boot', 'the image boots there'),
					check('pipable', 'Pipable', 'can be applied while it arrives'),
					check('rebuild', 'Rebuild', 'write an existing file anew'),
				),
				pathField('references', 'Other parts'),
			),
		],
		fixed: {
			wim: state.wim.facts?.path ?? '',
			refs: state.wim.load.request?.refs ?? [],
			images: images.map(({ index }) => index),
			imageCount: state.wim.images.length,
		},
	});
}
