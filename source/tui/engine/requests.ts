/** The values of a form as a request of `jobs/`. */

import { describeRequest } from '../../jobs/describe-request.ts';
import type { JobRequest as EngineRequest } from '../../jobs/request.ts';
import type { JobRequest } from '../engine.ts';
import { captureRequest } from './requests/capture.ts';
import {
	applyRequest,
	extractRequest,
	repairRequest,
	salvageRequest,
	verifyRequest,
} from './requests/restore.ts';
import {
	deleteRequest,
	editRequest,
	exportOrSalvage,
	joinRequest,
	optimizeRequest,
	splitRequest,
} from './requests/rewrite.ts';
import { updateRequest } from './requests/update.ts';
import { listOf, textOf, type Values } from './requests/values.ts';

/** What each form becomes; its names are the verbs that the deck can run. */
const BUILDERS: Readonly<Record<string, (values: Values) => EngineRequest>> = {
	verify: verifyRequest,
	extract: extractRequest,
	apply: applyRequest,
	capture: captureRequest,
	export: exportOrSalvage,
	split: splitRequest,
	join: joinRequest,
	optimize: optimizeRequest,
	delete: deleteRequest,
	edit: editRequest,
	undo: (values) => ({ verb: 'undo', wim: textOf(values, 'wim'), dryRun: false }),
	salvage: salvageRequest,
	repair: repairRequest,
	update: updateRequest,
};

export const REQUEST_VERBS: readonly string[] = Object.keys(BUILDERS);

/** @throws {Error} for a verb that has no form here; a defect */
export function engineRequest({ verb, values }: JobRequest): EngineRequest {
	const build = BUILDERS[verb];
	if (!build) throw new Error(`There is no request for ${verb}`);
	return build(values);
}

/** The path without its folders, for titles. */
const nameOf = (path: string): string => path.split(/[\\/]/).filter(Boolean).at(-1) ?? path;

/** The same with the last names of its paths. */
function shortened(real: EngineRequest): EngineRequest {
	if (real.verb === 'capture' || real.verb === 'append') {
		const sources = real.image.sources.map((source) => ({ ...source, path: nameOf(source.path) }));
		return { ...real, target: nameOf(real.target), image: { ...real.image, sources } };
	}
	return 'target' in real ? { ...real, target: nameOf(real.target) } : real;
}

/** `install.wim #3 -> /target`: what a job is about, without its verb. */
export function titleOf(request: JobRequest): string {
	if (request.verb === 'extract') {
		const paths = listOf(request.values['paths']);
		const what = paths.length === 1 ? nameOf(paths[0] ?? '') : `${paths.length} entries`;
		return `${what} -> ${nameOf(textOf(request.values, 'target'))}`;
	}
	const real = engineRequest(request);
	// A row has no room for folders; the log and the journal tell them.
	const title = describeRequest(shortened(real));
	return title.startsWith(`${real.verb} `) ? title.slice(real.verb.length + 1) : title;
}
