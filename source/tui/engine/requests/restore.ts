/** Requests that put files onto this machine, or look for damage. */

import type {
	ApplyRequest,
	ExtractRequest,
	RepairRequest,
	RestoreOptions,
	SalvageRequest,
	VerifyRequest,
} from '../../../jobs/request.ts';
import { UNNAMED_IMAGE } from '../../../operations/extract/unnamed-image.ts';
import { BIT_SEARCH_SECONDS } from '../../../operations/repair/repair-options.ts';
import { DONOR, UNNAMED_INDEX } from '../../engine.ts';
import { hostPath, isOn, listOf, references, textOf, type Values } from './values.ts';

const restoreOptions = (values: Values): RestoreOptions => ({
	check: false,
	references: references(values),
	unixData: isOn(values, 'unixData'),
	acls: values['acls'] === false ? 'skip' : 'restore',
	attributes: true,
	includeInvalidNames: isOn(values, 'invalidNames'),
	recoverData: values['recover'] === 'yes',
	rpfix: null,
	dryRun: false,
});

export const verifyRequest = (values: Values): VerifyRequest => ({
	verb: 'verify',
	wim: textOf(values, 'wim'),
	references: references(values),
	integrity: values['integrity'] !== false,
	fast: values['kind'] === 'fast',
});

/** The image of a form; the made-up one has no number of its own. */
const imageOf = (values: Values): string =>
	Number(values['imageIndex']) === UNNAMED_INDEX ? UNNAMED_IMAGE : textOf(values, 'imageIndex');

export const extractRequest = (values: Values): ExtractRequest => ({
	...restoreOptions(values),
	verb: 'extract',
	wim: textOf(values, 'wim'),
	image: imageOf(values),
	paths: listOf(values['paths']).map((path) => ({
		path,
		keepFolders: isOn(values, 'structure'),
	})),
	target: hostPath(values, 'target'),
	globs: false,
	nullGlob: false,
});

export const applyRequest = (values: Values): ApplyRequest => ({
	...restoreOptions(values),
	verb: 'apply',
	wim: textOf(values, 'wim'),
	image: textOf(values, 'imageIndex'),
	target: hostPath(values, 'target'),
});

export const salvageRequest = (values: Values): SalvageRequest => ({
	verb: 'salvage',
	wim: textOf(values, 'wim'),
	image: values['images'] === 'one' ? textOf(values, 'imageIndex') : null,
	target: hostPath(values, values['into'] === 'wim' ? 'newWim' : 'target'),
	toWim: values['into'] === 'wim',
	lost: values['lost'] === 'omit' ? 'omit' : 'mark',
	references: references(values),
	unixData: isOn(values, 'unixData'),
	includeInvalidNames: isOn(values, 'invalidNames'),
	dryRun: isOn(values, 'dryRun'),
});

/** Donors that were offered and left on, then the one that was typed. */
function donorsOf(values: Values): readonly string[] {
	const offered = Object.keys(values).filter(
		(name) => name.startsWith(DONOR) && isOn(values, name),
	);
	const typed = hostPath(values, 'donor');
	return [...offered.map((name) => name.slice(DONOR.length)), ...(typed === '' ? [] : [typed])];
}

export const repairRequest = (values: Values): RepairRequest => ({
	verb: 'repair',
	wim: textOf(values, 'wim'),
	target: hostPath(values, 'target'),
	donors: donorsOf(values),
	references: references(values),
	lost: values['lost'] === 'omit' ? 'omit' : 'mark',
	bitSearchSeconds: isOn(values, 'bits') ? BIT_SEARCH_SECONDS : 0,
	integrity: isOn(values, 'integrity'),
	dryRun: isOn(values, 'dryRun'),
});
