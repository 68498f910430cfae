/** The values of a form as a request of `jobs/`. */

import type { JobRequest as EngineRequest, RestoreOptions } from '../../jobs/request.ts';
import type { FormValue, JobRequest } from '../engine.ts';

type Values = JobRequest['values'];

const text = (values: Values, name: string): string => String(values[name] ?? '');
const isOn = (values: Values, name: string): boolean => values[name] === true;
const list = (value: FormValue | undefined): readonly string[] =>
	Array.isArray(value) ? value.map(String) : [];

function restoreOptions(values: Values): RestoreOptions {
	return {
		check: false,
		references: list(values['refs']),
		unixData: isOn(values, 'unixData'),
		acls: values['acls'] === false ? 'skip' : 'restore',
		attributes: true,
		includeInvalidNames: false,
		recoverData: values['recover'] === 'yes',
		rpfix: null,
		dryRun: false,
	};
}

/** @throws {Error} for a verb that has no form here; a defect */
export function engineRequest({ verb, values }: JobRequest): EngineRequest {
	switch (verb) {
		case 'verify':
			return {
				verb: 'verify',
				wim: text(values, 'wim'),
				references: list(values['refs']),
				integrity: true,
				fast: false,
			};
		case 'extract':
			return {
				...restoreOptions(values),
				verb: 'extract',
				wim: text(values, 'wim'),
				image: text(values, 'imageIndex'),
				paths: list(values['paths']).map((path) => ({
					path,
					keepFolders: isOn(values, 'structure'),
				})),
				target: text(values, 'target'),
				globs: false,
				nullGlob: false,
			};
		case 'apply':
			return {
				...restoreOptions(values),
				verb: 'apply',
				wim: text(values, 'wim'),
				image: text(values, 'imageIndex'),
				target: text(values, 'target'),
			};
		default:
			throw new Error(`There is no request for ${verb}`);
	}
}

/** The path without its folders, for titles. */
const nameOf = (path: string): string => path.split(/[\\/]/).at(-1) ?? path;

/** `install.wim #3 -> /target`: what a job is about, without its verb. */
export function titleOf({ verb, values }: JobRequest): string {
	const wim = nameOf(text(values, 'wim'));
	const paths = list(values['paths']);
	const image = values['imageIndex'] === undefined ? '' : ` #${text(values, 'imageIndex')}`;
	switch (verb) {
		case 'verify':
			return wim;
		case 'extract': {
			const what = paths.length === 1 ? nameOf(paths[0] ?? '') : `${paths.length} entries`;
			return `${what} -> ${text(values, 'target')}`;
		}
		default:
			return `${wim}${image} -> ${text(values, 'target')}`;
	}
}
