/** Forms that change the open file: optimize, delete, undo, properties. */

import { formatSize, plural } from '../../base/print.ts';
import { chosenImages, currentImage } from '../state/selectors.ts';
import type { Button, FormDialog, State } from '../state/state.ts';
import { wimName } from '../state/wim.ts';
import {
	behindMore,
	buildForm,
	CANCEL,
	check,
	moreOptions,
	note,
	radio,
	START,
	textField,
} from './build.ts';
import { imagesText } from './export.ts';
import { chunkSizeField, compressionField, integrityField, verifyAfterField } from './presets.ts';

const named = (label: string): readonly Button[] => [{ ...START, label }, CANCEL];

const openFile = (state: State): { readonly wim: string } => ({
	wim: state.wim.facts?.path ?? '',
});

const aboutFile = (state: State) =>
	note('File', `${wimName(state)} (${formatSize(state.wim.facts?.size ?? 0)})`);

export function optimizeForm(state: State): FormDialog {
	const { facts } = state.wim;
	const { wim } = openFile(state);
	return buildForm(state, {
		form: 'optimize',
		subject: wim,
		title: 'Optimize: write the file anew',
		fields: [
			aboutFile(state),
			compressionField(`keep ${facts?.compression ?? ''}`),
			check('recompress', 'Recompress', 'compress everything anew'),
			integrityField(facts?.hasIntegrity ?? false),
			verifyAfterField,
			moreOptions,
			...behindMore(
				...chunkSizeField,
				radio(
					'pipable',
					'Pipable',
					[
						{ value: 'as is', label: 'as it is' },
						{ value: 'yes', label: 'yes' },
						{ value: 'no', label: 'no' },
					],
					'as is',
				),
			),
		],
		fixed: { wim },
	});
}

export function deleteForm(state: State): FormDialog {
	const images = chosenImages(state);
	const { wim } = openFile(state);
	return buildForm(state, {
		form: 'delete',
		subject: `${wim} ${images.map(({ index }) => index).join(' ')}`,
		title: `Delete ${plural(images.length, 'image')}`,
		fields: [
			aboutFile(state),
			note('What', imagesText(images)),
			radio(
				'how',
				'How',
				[
					{ value: 'soft', label: 'soft: data stays' },
					{ value: 'rebuild', label: 'rebuild: data goes' },
				],
				'soft',
			),
		],
		buttons: named('Delete...'),
		isDangerous: true,
		fixed: { wim, images: images.map(({ index }) => index) },
	});
}

export function undoForm(state: State): FormDialog {
	const { wim } = openFile(state);
	return buildForm(state, {
		form: 'undo',
		subject: wim,
		title: 'Take back the last edit',
		fields: [aboutFile(state)],
		buttons: named('Take back...'),
		isDangerous: true,
		fixed: { wim },
	});
}

/** Names and marks of one image. */
export function propertiesForm(state: State): FormDialog {
	const image = state.focus === 'images' ? chosenImages(state)[0] : currentImage(state);
	const { wim } = openFile(state);
	const before = {
		name: image?.name ?? '',
		description: image?.description ?? '',
		displayName: image?.displayName ?? '',
		displayDescription: image?.displayDescription ?? '',
		flags: image?.flags ?? '',
	};
	return buildForm(state, {
		form: 'edit',
		// What was typed counts only while the image is as it was then.
		subject: JSON.stringify([wim, image?.index, before]),
		title: `Properties of image ${image?.index ?? ''}`,
		fields: [
			textField('name', 'Name', before.name),
			textField('description', 'Description', before.description),
			textField('displayName', 'Display name', before.displayName),
			textField('displayDescription', 'Displayed text', before.displayDescription),
			textField('flags', 'Edition flags', before.flags),
			check('boot', 'Boot', 'this image boots', image?.isBootable ?? false),
		],
		buttons: named('Save'),
		fixed: {
			wim,
			imageIndex: image?.index ?? 0,
			...Object.fromEntries(Object.entries(before).map(([name, text]) => [`${name} before`, text])),
			'boot before': image?.isBootable ?? false,
			taken: state.wim.images.filter(({ index }) => index !== image?.index).map(({ name }) => name),
		},
	});
}
