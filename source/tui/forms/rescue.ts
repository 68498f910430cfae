/** Forms about damage: verify with options, salvage, repair. */

import { plural } from '../../base/print.ts';
import type { LikelyDonor } from '../../operations/repair/likely-donors.ts';
import { DONOR } from '../engine.ts';
import { baseName, chosenImages, namedPath } from '../state/selectors.ts';
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
import { integrityField, inWorkFolder, stemOf, unixDataField } from './presets.ts';

const openFile = (state: State) => ({
	wim: namedPath(state) ?? '',
	refs: state.wim.load.request?.refs ?? [],
});

const reportField = pathField('report', 'JSON report');

/** Both do so whenever they write a WIM. */
const readBackNote = note('Check after', 'read back before it gets its name');

const lookField = check('dryRun', 'Only look', 'find out and report, write nothing');

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

const lostField = radio(
	'lost',
	'What is lost',
	[
		{ value: 'mark', label: 'is marked' },
		{ value: 'omit', label: 'is left out' },
	],
	'mark',
);

/** A new folder, or a new WIM that is valid whatever was lost. */
const salvageTargets = (state: State): readonly Field[] => [
	radio(
		'into',
		'Into',
		[
			{ value: 'folder', label: 'a folder' },
			{ value: 'wim', label: 'a new WIM' },
		],
		'folder',
	),
	...shownWhen(
		[{ field: 'into', is: ['folder'] }],
		folderField('target', 'To folder', inWorkFolder(state, `${stemOf(wimName(state))}-salvaged`)),
	),
	...shownWhen(
		[{ field: 'into', is: ['wim'] }],
		pathField('newWim', 'New file', inWorkFolder(state, `${stemOf(wimName(state))}-salvaged.wim`)),
		lostField,
		readBackNote,
	),
];

/** Everything that is left of a damaged file. */
export function salvageForm(state: State): FormDialog {
	const [image] = chosenImages(state);
	return buildForm(state, {
		form: 'salvage',
		subject: openFile(state).wim,
		title: 'Salvage what is left',
		fields: [
			note('From', `${wimName(state)}, which stays as it is`),
			...salvageTargets(state),
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
			lookField,
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

/** Donors that the dialog offers one by one. */
const DONORS_MAX = 5;

/** Whether to take from a file; not from one of which is known that it has nothing to give. */
function donorField({ path, isCopy, sharedCount }: LikelyDonor, isFirst: boolean): Field {
	const gives = isCopy
		? ', a copy of it'
		: sharedCount === null
			? ''
			: sharedCount === 0
				? ', nothing in common'
				: `, ${plural(sharedCount, 'content')} in common`;
	return check(
		`${DONOR}${path}`,
		isFirst ? 'Take from' : '',
		`${baseName(path)}${gives}`,
		isCopy || sharedCount !== 0,
	);
}

/**
 * A whole file made from a damaged one and others.
 *
 * @param target where it goes unless something else is typed
 * @param beside the WIMs in the same folder, the likeliest first
 */
export function repairForm(
	state: State,
	target: string,
	beside: readonly LikelyDonor[],
): FormDialog {
	const { wim } = openFile(state);
	const name = wimName(state);
	const donors = beside.slice(0, DONORS_MAX);
	const folder = wim.slice(0, wim.length - name.length);
	return buildForm(state, {
		form: 'repair',
		subject: wim,
		title: 'Repair into a new file',
		fields: [
			note('From', `${name}, which stays as it is`),
			pathField('target', 'To', target),
			...donors.map((donor, k) => donorField(donor, k === 0)),
			pathField('donor', donors.length === 0 ? 'Take from' : '', donors.length === 0 ? folder : ''),
			lostField,
			reportField,
			lookField,
			readBackNote,
			moreOptions,
			...behindMore(
				check('bits', 'Flipped bits', 'search for them, up to a minute', true),
				integrityField(state.wim.facts?.hasIntegrity ?? false),
				pathField('references', 'Other parts'),
			),
		],
		fixed: openFile(state),
	});
}
