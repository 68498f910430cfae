/** Requests that copy, rewrite or edit WIMs. */

import type {
	DeleteRequest,
	EditRequest,
	ExportRequest,
	JoinRequest,
	OptimizeRequest,
	SalvageRequest,
	SplitRequest,
} from '../../../jobs/request.ts';
import { compressionOf } from './compression.ts';
import {
	hostPath,
	isOn,
	listOf,
	onOrAsIs,
	references,
	textOf,
	textOrNull,
	trimmed,
	type Values,
} from './values.ts';

const MIB = 1024 * 1024;

/** Where damage is to be skipped: what is whole of one image or of all goes into a new file. */
export const exportOrSalvage = (values: Values): ExportRequest | SalvageRequest =>
	values['recover'] === 'yes' ? skippingDamage(values) : exportRequest(values);

function skippingDamage(values: Values): SalvageRequest {
	const [first = null, second] = listOf(values['images']);
	return {
		verb: 'salvage',
		wim: textOf(values, 'wim'),
		image: second === undefined ? first : null,
		target: hostPath(values, 'target'),
		toWim: true,
		lost: 'omit',
		references: references(values),
		unixData: false,
		includeInvalidNames: true,
		dryRun: false,
	};
}

const exportRequest = (values: Values): ExportRequest => ({
	verb: 'export',
	wim: textOf(values, 'wim'),
	images: listOf(values['images']),
	target: hostPath(values, 'target'),
	name: textOrNull(values, 'name'),
	description: values['description'] === undefined ? null : trimmed(values, 'description'),
	boot: isOn(values, 'boot'),
	references: references(values),
	compression: compressionOf(values),
	recompress: isOn(values, 'recompress'),
	wimBoot: values['compression'] === 'wimboot',
	rebuild: isOn(values, 'rebuild'),
	replace: values['exists'] === 'replace',
	pipable: onOrAsIs(values, 'pipable'),
	check: false,
	integrity: onOrAsIs(values, 'integrity'),
	dryRun: false,
});

export const splitRequest = (values: Values): SplitRequest => ({
	verb: 'split',
	wim: textOf(values, 'wim'),
	target: hostPath(values, 'target'),
	partSize: Number(values['partSize'] ?? 0) * MIB,
	check: false,
	integrity: isOn(values, 'integrity'),
	dryRun: false,
});

export const joinRequest = (values: Values): JoinRequest => ({
	verb: 'join',
	target: hostPath(values, 'target'),
	parts: [hostPath(values, 'first'), ...listOf(values['parts'])],
	check: false,
	integrity: isOn(values, 'integrity'),
	dryRun: false,
});

export const optimizeRequest = (values: Values): OptimizeRequest => ({
	verb: 'optimize',
	wim: textOf(values, 'wim'),
	compression: compressionOf(values),
	recompress: isOn(values, 'recompress'),
	pipable: values['pipable'] === 'as is' ? null : values['pipable'] === 'yes',
	check: false,
	integrity: values['integrity'] === true,
	dryRun: false,
});

export const deleteRequest = (values: Values): DeleteRequest => ({
	verb: 'delete',
	wim: textOf(values, 'wim'),
	images: listOf(values['images']),
	soft: values['how'] !== 'rebuild',
	check: false,
	integrity: null,
	dryRun: false,
});

/** The elements of an image that the form shows, besides its name and description. */
const PROPERTIES: readonly (readonly [field: string, path: string])[] = [
	['displayName', 'DISPLAYNAME'],
	['displayDescription', 'DISPLAYDESCRIPTION'],
	['flags', 'FLAGS'],
];

/** Only what differs from what the form began with is changed. */
export function editRequest(values: Values): EditRequest {
	const image = textOf(values, 'imageIndex');
	const isNew = (name: string) => trimmed(values, name) !== textOf(values, `${name} before`);
	const properties = PROPERTIES.filter(([field]) => isNew(field)).map(([field, path]) => ({
		path,
		text: trimmed(values, field),
	}));
	const name = isNew('name') ? trimmed(values, 'name') : null;
	const description = isNew('description') ? trimmed(values, 'description') : null;
	const isChanged = name !== null || description !== null || properties.length > 0;
	const bootBefore = isOn(values, 'boot before');
	const boot = isOn(values, 'boot');
	return {
		verb: 'edit',
		wim: textOf(values, 'wim'),
		change: isChanged ? { image, name, description, properties } : null,
		boot: boot === bootBefore ? null : boot ? image : '0',
		check: false,
		integrity: null,
		dryRun: false,
	};
}
