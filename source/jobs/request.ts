/**
 * What a front end asks for: plain data only (paths, designations, options), so that a request can be written
 * to the journal, run again, or run by another process. `jobs/` opens what it names.
 */

import path from 'node:path';

/** Options of everything that puts files onto this machine. */
export interface RestoreOptions {
	/** Check the integrity table before anything is read. */
	readonly check: boolean;
	/** Patterns of further files to take blobs from. */
	readonly references: readonly string[];
	readonly unixData: boolean;
	readonly acls: 'restore' | 'skip' | 'strict';
	readonly attributes: boolean;
	readonly includeInvalidNames: boolean;
	readonly recoverData: boolean;
	/** Null: as the header of the WIM says. */
	readonly rpfix: boolean | null;
	readonly dryRun: boolean;
}

export interface VerifyRequest {
	readonly verb: 'verify';
	readonly wim: string;
	readonly references: readonly string[];
	/** Compare the file with its integrity table too. */
	readonly integrity: boolean;
	/** Structures and integrity table only. */
	readonly fast: boolean;
}

export interface ExtractRequest extends RestoreOptions {
	readonly verb: 'extract';
	readonly wim: string;
	readonly image: string;
	readonly paths: readonly ExtractPath[];
	readonly target: string;
	readonly globs: boolean;
	/** A pattern without a match is a warning. */
	readonly nullGlob: boolean;
}

export interface ExtractPath {
	readonly path: string;
	/** Keep the folders above it. */
	readonly keepFolders: boolean;
}

export interface ApplyRequest extends RestoreOptions {
	readonly verb: 'apply';
	/** `-` is standard input. */
	readonly wim: string;
	/** Null: the only one. `all`: each into a folder of its own. */
	readonly image: string | null;
	readonly target: string;
}

export type JobRequest = VerifyRequest | ExtractRequest | ApplyRequest;

export type JobVerb = JobRequest['verb'];

/** The files and folders of this machine that a request reads and writes, as given. */
export interface Touched {
	readonly reads: readonly string[];
	readonly writes: readonly string[];
}

/** Decides which jobs may run side by side: never two that write one place. */
export function touchedBy(request: JobRequest): Touched {
	switch (request.verb) {
		case 'verify':
			return { reads: [request.wim], writes: [] };
		case 'extract':
		case 'apply':
			return { reads: [request.wim], writes: request.dryRun ? [] : [request.target] };
	}
}

/** The names of the fields that hold paths of this machine. */
const PATH_FIELDS = ['wim', 'target', 'source', 'output'] as const;

/** The same request with absolute paths, so that it means the same from any folder. */
export function withAbsolutePaths<R extends JobRequest>(request: R, folder: string): R {
	const absolute: Record<string, unknown> = { ...request };
	for (const field of PATH_FIELDS) {
		const value = absolute[field];
		if (typeof value === 'string' && value !== '-') absolute[field] = path.resolve(folder, value);
	}
	const { references } = absolute;
	if (Array.isArray(references))
		absolute.references = references.map((name: string) => path.resolve(folder, name));
	return absolute as unknown as R;
}

/** One short line for people: `apply install.wim #1 -> target`. */
export function describeRequest(request: JobRequest): string {
	const name = (file: string) => (file === '-' ? 'standard input' : path.basename(file));
	switch (request.verb) {
		case 'verify':
			return `verify ${name(request.wim)}`;
		case 'extract':
			return `extract ${name(request.wim)} #${request.image} -> ${request.target}`;
		case 'apply':
			return `apply ${name(request.wim)} ${request.image === null ? '' : `#${request.image} `}-> ${request.target}`;
	}
}
