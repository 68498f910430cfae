import { endingError, WimError } from '../base/errors.ts';
import { formatHex } from '../base/print.ts';

/** An error as sentences for the status row: what failed, on what, why, and what now. */
export function sentence(thrown: unknown): string {
	const error = endingError(thrown);
	if (!(error instanceof WimError))
		return `This is a defect of wimdeck: ${error instanceof Error ? error.message : String(error)}`;
	const { path, offset, hint } = error.facts;
	const where = path !== undefined && !error.message.includes(path) ? ` (${path})` : '';
	const at = offset === undefined ? '' : `, at ${formatHex(offset)}`;
	return `${error.message}${where}${at}${hint === undefined ? '' : `. ${hint}`}`;
}
