/** What a request touches, what it means from another folder, and how people call it. */

import path from 'node:path';
import { formatCount } from '../base/print.ts';
import type { DiffSide } from '../operations/diff/diff.ts';
import type { JobRequest } from './request.ts';

/** The files and folders of this machine that a request reads and writes, as given. */
export interface Touched {
	readonly reads: readonly string[];
	readonly writes: readonly string[];
}

const sidePath = (side: DiffSide) => (side.type === 'image' ? side.wim : side.path);

/** Decides which jobs may run side by side: never two that write one place. */
export function touchedBy(request: JobRequest): Touched {
	const writes = (...names: readonly string[]) =>
		'dryRun' in request && request.dryRun ? [] : names;
	switch (request.verb) {
		case 'verify':
			return { reads: [request.wim], writes: [] };
		case 'mount':
			return { reads: [request.wim], writes: request.writable ? [request.wim] : [] };
		case 'diff':
			return { reads: [request.before, request.after].map(sidePath), writes: [] };
		case 'extract':
		case 'apply':
		case 'export':
		case 'split':
		case 'salvage':
			return { reads: [request.wim], writes: writes(request.target) };
		case 'repair':
			return { reads: [request.wim, ...request.donors], writes: writes(request.target) };
		case 'capture':
		case 'append': {
			const { sources, updateOf, deltaFrom } = request.image;
			const reads = [...sources.map((source) => source.path), ...deltaFrom];
			if (updateOf?.wim) reads.push(updateOf.wim);
			return { reads, writes: writes(request.target) };
		}
		case 'join':
			return { reads: request.parts, writes: writes(request.target) };
		case 'update':
		case 'edit':
		case 'delete':
		case 'optimize':
		case 'undo':
			return { reads: [], writes: writes(request.wim) };
	}
}

/** The same object with some of its fields, texts or lists of texts, as absolute paths. */
function rewritten<T extends object>(
	value: T,
	fields: readonly string[],
	absolute: (name: string) => string,
): T {
	const entries = Object.entries(value).map(([name, field]: [string, unknown]) => {
		if (!fields.includes(name)) return [name, field];
		if (Array.isArray(field)) return [name, field.map((entry) => absolute(String(entry)))];
		return [name, typeof field === 'string' ? absolute(field) : field];
	});
	return Object.fromEntries(entries) as T;
}

/** The same request with absolute paths, so that it means the same from any folder. */
export function withAbsolutePaths(request: JobRequest, folder: string): JobRequest {
	const absolute = (name: string) => (name === '-' ? name : path.resolve(folder, name));
	const fields = ['wim', 'target', 'references', 'parts', 'config', 'donors', 'staging'];
	const outer = rewritten(request, fields, absolute);
	switch (outer.verb) {
		case 'capture':
		case 'append': {
			const { sources, updateOf } = outer.image;
			const image = rewritten(outer.image, ['config', 'deltaFrom'], absolute);
			return {
				...outer,
				image: {
					...image,
					sources: sources.map((source) => rewritten(source, ['path'], absolute)),
					updateOf: updateOf && rewritten(updateOf, ['wim'], absolute),
				},
			};
		}
		case 'update':
			return {
				...outer,
				commands: outer.commands.map((command) =>
					command.type === 'add' ? rewritten(command, ['source'], absolute) : command,
				),
			};
		case 'diff': {
			const side = ['wim', 'path', 'references'];
			return {
				...outer,
				before: rewritten(outer.before, side, absolute),
				after: rewritten(outer.after, side, absolute),
			};
		}
		default:
			return outer;
	}
}

const input = (file: string) => (file === '-' ? 'standard input' : path.basename(file));
const output = (file: string) => (file === '-' ? 'standard output' : file);
const sideName = (side: DiffSide) =>
	side.type === 'image' ? `${path.basename(side.wim)} #${side.image}` : side.path;

/** Images named in a title. */
const NAMED_MAX = 8;

/** ` #1,3`; '' for none. */
function imageList(images: readonly (string | number)[]): string {
	if (images.length === 0) return '';
	const named = images.slice(0, NAMED_MAX).join(',');
	const more = images.length - NAMED_MAX;
	return more > 0 ? ` #${named} and ${formatCount(more)} more` : ` #${named}`;
}

function titleOf(request: JobRequest, verb: string): string {
	switch (request.verb) {
		case 'verify':
		case 'optimize':
		case 'undo':
			return `${request.verb} ${input(request.wim)}`;
		case 'extract':
			return `extract ${input(request.wim)} #${request.image} -> ${output(request.target)}`;
		case 'apply':
		case 'export': {
			const images = request.verb === 'export' ? request.images : [request.image ?? []].flat();
			return `${request.verb} ${input(request.wim)}${imageList(images)} -> ${request.target}`;
		}
		case 'capture':
		case 'append': {
			const [first] = request.image.sources;
			const more = request.image.sources.length > 1 ? ' ...' : '';
			return `${verb} ${first?.path ?? ''}${more} -> ${output(request.target)}`;
		}
		case 'update': {
			const named = request.commands.flatMap((one) => (one.type === 'image' ? [one.image] : []));
			const images = new Set(request.image === null ? named : [request.image, ...named]);
			return `update ${input(request.wim)}${imageList([...images])}`;
		}
		case 'edit':
			return `edit properties of ${input(request.wim)}`;
		case 'delete':
			return `delete ${input(request.wim)}${imageList(request.images)}`;
		case 'split':
		case 'salvage':
		case 'repair':
			return `${request.verb} ${input(request.wim)} -> ${request.target}`;
		case 'mount': {
			const which = request.image === null ? '' : ` #${request.image}`;
			return `mount ${input(request.wim)}${which} on ${request.target}`;
		}
		case 'join':
			// One part named stands for its whole set.
			return request.parts.length === 1
				? `join ${input(request.parts[0]!)} -> ${request.target}`
				: `join ${request.parts.length} parts -> ${request.target}`;
		case 'diff':
			return `compare ${sideName(request.before)} with ${sideName(request.after)}`;
	}
}

/** What people call a request when it begins: an append that finds no file makes one. */
export const calledVerb = (request: JobRequest, isThere: (file: string) => boolean): string =>
	request.verb === 'append' && request.create && !isThere(request.target)
		? 'capture'
		: request.verb;

/**
 * One short line for people: `apply install.wim #1 -> target`.
 *
 * @param verb what it is called, where that is known better than by its request
 */
export function describeRequest(request: JobRequest, verb: string = request.verb): string {
	const dry = 'dryRun' in request && request.dryRun ? ' (dry run)' : '';
	return titleOf(request, verb) + dry;
}
