/** Forms about damage: verify with options, salvage. */

import { chosenImages } from '../state/selectors.ts';
import type { FormDialog, State } from '../state/state.ts';
import { wimName } from '../state/wim.ts';
import { behindMore, buildForm, check, moreOptions, note, pathField, radio } from './build.ts';
import { inWorkFolder, stemOf, unixDataField } from './presets.ts';

const openFile = (state: State) => ({
	wim: state.wim.facts?.path ?? '',
	refs: state.wim.load.request?.refs ?? [],
});

const reportField = pathField('report', 'Report to');

export function verifyForm(state: State): FormDialog {
	return buildForm(state, {
		form: 'verify',
		subject: openFile(state).wim,
		title: 'Verify the file',
		fields: [
			note('File', wimName(state)),
			radio(
				'kind',
				'What',
				[
					{ value: 'full', label: 'everything' },
					{ value: 'fast', label: 'structures only' },
				],
				'full',
			),
			check('integrity', 'Integrity', 'compare the integrity table too', true),
			reportField,
			pathField('references', 'Other parts'),
		],
		fixed: openFile(state),
		estimates: false,
	});
}

/** Everything that is left of a damaged file, into a new folder. */
export function salvageForm(state: State): FormDialog {
	const [image] = chosenImages(state);
	return buildForm(state, {
		form: 'salvage',
		subject: openFile(state).wim,
		title: 'Salvage what is left',
		fields: [
			note('From', `${wimName(state)}, which stays as it is`),
			pathField('target', 'To folder', inWorkFolder(state, `${stemOf(wimName(state))}-salvaged`)),
			...(image
				? [
						radio(
							'images',
							'Images',
							[
								{ value: 'all', label: 'all' },
								{ value: 'one', label: `only #${image.index}` },
							],
							'all',
						),
					]
				: []),
			reportField,
			moreOptions,
			...behindMore(
				unixDataField('restore owner, mode and devices'),
				check('invalidNames', 'Odd names', 'write under a changed name'),
				pathField('references', 'Other parts'),
			),
		],
		fixed: { ...openFile(state), imageIndex: image?.index ?? 0 },
	});
}
