/** Errors and problems as sentences for people. Everything from outside goes through `printable`. */

import { CanceledError, exitCodeOf, WimError } from '../base/errors.ts';
import { formatHex, printable } from '../base/print.ts';

/** Where an error stands, as `install.wim, metadata resource of image 2, offset 0x1d0`; empty when unknown. */
export function placeOf(error: WimError): string {
	const { path, region, offset } = error.facts;
	const parts: string[] = [];
	if (path !== undefined && !error.message.includes(path)) parts.push(path);
	if (region !== undefined && region !== path && !error.message.includes(region))
		parts.push(region);
	if (offset !== undefined) {
		const hex = formatHex(offset);
		if (!error.message.includes(hex)) parts.push(`offset ${hex}`);
	}
	return printable(parts.join(', '));
}

/**
 * The lines for an error that ends the run: `wimdeck: message`, the place, the hint; for a defect the stack
 * and a request to report it.
 */
export function errorText(error: unknown): string {
	if (error instanceof CanceledError && Object.keys(error.facts).length === 0)
		return `wimdeck: ${printable(error.message)}\n`;
	if (error instanceof WimError) {
		const lines = [`wimdeck: ${printable(error.message)}`];
		const place = placeOf(error);
		if (place !== '') lines.push(`  In: ${place}`);
		if (error.facts.hint !== undefined) lines.push(`  ${printable(error.facts.hint)}`);
		return `${lines.join('\n')}\n`;
	}
	const stack =
		error instanceof Error ? (error.stack ?? `${error.name}: ${error.message}`) : String(error);
	return [
		'wimdeck: This is a defect in wimdeck; nothing you did wrong.',
		...stack.split('\n').map((line) => `  ${printable(line)}`),
		`  Please report these lines with the command you ran (Node ${process.version}, ${process.platform}).`,
		'',
	].join('\n');
}

/** One line for an item that failed while the run went on. */
export function problemText(error: WimError): string {
	const place = placeOf(error);
	return `wimdeck: ${printable(error.message)}${place === '' ? '' : ` (${place})`}\n`;
}

/** One line for something worth saying that costs nothing. */
export function warningText(message: string, path?: string): string {
	const place = path === undefined || message.includes(path) ? '' : ` (${printable(path)})`;
	return `wimdeck: note: ${printable(message)}${place}\n`;
}

/** An error as stable JSON keys, for `--json` and `--progress=json`. */
export function errorJson(error: unknown): Readonly<Record<string, unknown>> {
	if (error instanceof WimError) {
		const { path, region, offset, hint } = error.facts;
		return {
			code: error.code,
			exitCode: exitCodeOf(error),
			message: error.message,
			path: path ?? null,
			region: region ?? null,
			offset: offset ?? null,
			hint: hint ?? null,
		};
	}
	return {
		code: 'defect',
		exitCode: 1,
		message: error instanceof Error ? error.message : String(error),
		path: null,
		region: null,
		offset: null,
		hint: null,
	};
}
