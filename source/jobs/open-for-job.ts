/** What several verbs do first: open for reading, say what is odd, check the integrity table, choose the image. */

import { PassThrough, type Writable } from 'node:stream';
import { InputError } from '../base/errors.ts';
import type { Run } from '../base/run.ts';
import { requireIntegrity } from '../operations/verify/integrity.ts';
import { StreamOutput } from '../storage/output-stream.ts';
import { openWim, type Wim } from '../wim/wim.ts';

/**
 * Compares an open WIM with its integrity tables; a part without one is a warning.
 *
 * @throws {DigestError} when a part differs
 */
export async function checkTables(wim: Wim, run: Run): Promise<void> {
	for (const { source } of await requireIntegrity(wim, run))
		run.report({
			type: 'warning',
			message: 'There is no integrity table to check',
			path: source.name,
		});
}

/** Opens, tells the warnings, and checks the integrity tables when asked to. */
export async function openForReading(
	name: string,
	options: { readonly references: readonly string[]; readonly check: boolean },
	run: Run,
): Promise<Wim> {
	const wim = await openWim(name, { references: options.references });
	try {
		for (const { message, region } of wim.warnings)
			run.report({ type: 'warning', message, path: region });
		if (options.check) await checkTables(wim, run);
		return wim;
	} catch (error) {
		await wim[Symbol.asyncDispose]();
		throw error;
	}
}

/**
 * Compares a file with its integrity table before it is changed or read by an operation that opens it itself.
 *
 * @throws {DigestError} when it differs
 */
export async function checkBefore(
	name: string,
	references: readonly string[],
	run: Run,
): Promise<void> {
	await using wim = await openWim(name, { references });
	await checkTables(wim, run);
}

/** Where a new WIM goes: `-` is standard output, which a dry run does not need. */
export function outputOf(
	target: string,
	output: Writable | null,
	isDry: boolean,
): string | StreamOutput {
	if (target !== '-') return target;
	if (output === null && !isDry)
		throw new InputError('Cannot write to standard output here', { hint: 'Name a file.' });
	return new StreamOutput('standard output', output ?? new PassThrough());
}
