/** From an understood command line to the request of a job: reading verbs, and what all verbs share. */

import { readFile } from 'node:fs/promises';
import { hostError } from '../base/errors.ts';
import { decodeTextFile, significantLines, unquoted } from '../image/text-file.ts';
import type {
	ApplyRequest,
	ExtractPath,
	ExtractRequest,
	RepairRequest,
	RestoreOptions,
	SalvageRequest,
	VerifyRequest,
} from '../jobs/request.ts';
import { freeRepairName } from '../operations/repair/output-name.ts';
import { BIT_SEARCH_SECONDS } from '../operations/repair/repair-options.ts';
import type { Context } from './context.ts';
import type { Invocation, Options } from './parse.ts';
import { parseCount } from './values.ts';

/** The bytes of a text file that the user named; `-` is standard input. */
export async function readTextFile(name: string, context: Context): Promise<Uint8Array> {
	if (name === '-') return context.readInput();
	try {
		return await readFile(name);
	} catch (error) {
		throw hostError(`Cannot read "${name}"`, error, { path: name });
	}
}

/** What became of `--check`, `--include-integrity` and `--no-check`: null leaves it as it is. */
export function integrityOf(options: Options): boolean | null {
	if (options.has('no-check')) return false;
	return options.has('check') || options.has('include-integrity') ? true : null;
}

/** Whether an existing integrity table is to be checked first. */
export function checkOf(options: Options): boolean {
	return options.has('check') && !options.has('no-check');
}

/** What became of `--rpfix` and `--norpfix`: null is as usual. */
export function rpfixOf(options: Options): boolean | null {
	if (options.has('norpfix')) return false;
	return options.has('rpfix') ? true : null;
}

function restoreOptions(options: Options): RestoreOptions {
	return {
		check: checkOf(options),
		references: options.list('ref'),
		unixData: options.has('unix-data'),
		acls: options.has('no-acls') ? 'skip' : options.has('strict-acls') ? 'strict' : 'restore',
		attributes: !options.has('no-attributes'),
		includeInvalidNames: options.has('include-invalid-names'),
		recoverData: options.has('recover-data'),
		rpfix: rpfixOf(options),
		dryRun: options.has('dry-run'),
	};
}

export function verifyRequest({ given, options }: Invocation): VerifyRequest {
	return {
		verb: 'verify',
		wim: given[0] ?? '',
		references: options.list('ref'),
		integrity: !options.has('no-check'),
		fast: options.has('fast'),
	};
}

/** The paths that the words name; a word that begins with `@` names a list of them. */
async function extractPaths(
	{ rest, options }: Invocation,
	context: Context,
): Promise<readonly ExtractPath[]> {
	const keepFolders = options.has('preserve-dir-structure');
	// No word at all is the whole image; an empty list is not.
	if (rest.length === 0) return [{ path: '/', keepFolders: false }];
	const paths: ExtractPath[] = [];
	for (const word of rest) {
		if (!word.startsWith('@')) {
			paths.push({ path: word, keepFolders });
			continue;
		}
		const name = word.slice(1);
		const text = decodeTextFile(await readTextFile(name, context), name);
		// The folders of listed paths are kept, as in wimlib-imagex.
		for (const line of significantLines(text))
			paths.push({ path: unquoted(line.text), keepFolders: true });
	}
	return paths;
}

export async function extractRequest(
	invocation: Invocation,
	context: Context,
): Promise<ExtractRequest> {
	const { given, options } = invocation;
	return {
		verb: 'extract',
		wim: given[0] ?? '',
		image: given[1] ?? '',
		paths: await extractPaths(invocation, context),
		target: options.has('to-stdout') ? '-' : (options.text('dest-dir') ?? '.'),
		globs: !options.has('no-globs'),
		nullGlob: options.has('nullglob'),
		...restoreOptions(options),
	};
}

export function applyRequest({ given, options }: Invocation): ApplyRequest {
	return {
		verb: 'apply',
		wim: given[0] ?? '',
		image: given[1] ?? null,
		target: given[2] ?? '',
		...restoreOptions(options),
	};
}

export function salvageRequest({ given, options }: Invocation): SalvageRequest {
	return {
		verb: 'salvage',
		wim: given[0] ?? '',
		image: given[1] ?? null,
		target: options.text('to-wim') ?? given[2] ?? '',
		toWim: options.has('to-wim'),
		lost: options.has('omit-lost') ? 'omit' : 'mark',
		references: options.list('ref'),
		unixData: options.has('unix-data'),
		includeInvalidNames: options.has('include-invalid-names'),
		dryRun: options.has('dry-run'),
	};
}

export async function repairRequest({ given, options }: Invocation): Promise<RepairRequest> {
	const wim = given[0] ?? '';
	const seconds = options.text('bit-search');
	return {
		verb: 'repair',
		wim,
		target: options.text('output') ?? (await freeRepairName(wim)),
		donors: options.list('from'),
		references: options.list('ref'),
		lost: options.has('omit-lost') ? 'omit' : 'mark',
		bitSearchSeconds: seconds === null ? BIT_SEARCH_SECONDS : parseCount(seconds, '--bit-search'),
		integrity: integrityOf(options),
		dryRun: options.has('dry-run'),
	};
}
