/** Requests that put files onto this machine, or look for damage. */

import type {
	ApplyRequest,
	ExtractRequest,
	RestoreOptions,
	SalvageRequest,
	VerifyRequest,
} from '../../../jobs/request.ts';
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

export const extractRequest = (values: Values): ExtractRequest => ({
	...restoreOptions(values),
	verb: 'extract',
	wim: textOf(values, 'wim'),
	image: textOf(values, 'imageIndex'),
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
	target: hostPath(values, 'target'),
	toWim: false,
	lost: 'mark',
	references: references(values),
	unixData: isOn(values, 'unixData'),
	includeInvalidNames: isOn(values, 'invalidNames'),
	dryRun: false,
});
