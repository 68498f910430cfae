/** What a number means: our exit codes, Win32 errors, HRESULTs of DISM and wimgapi, exit codes of wimlib-imagex. */

import { InputError } from '../base/errors.ts';
import { formatHex, printable } from '../base/print.ts';
import { HRESULT_ERRORS, WIMLIB_ERRORS, WIN32_ERRORS } from './error-codes.ts';
import { EXIT_MEANINGS } from './exit-codes.ts';
import { wrap } from './help.ts';

/** One meaning of a number; a small number can have several. */
export interface Explanation {
	/** Whose number it is. */
	readonly origin: 'wimdeck' | 'windows' | 'wimlib-imagex';
	/** As that origin writes it. */
	readonly code: string;
	readonly meaning: string;
	readonly advice: string;
}

/** The number as 32 bits without sign: `0xC1420127`, `C1420127`, `-1052638937`, `5`. */
export function parseCode(text: string): number {
	const word = text.trim().toLowerCase();
	let value = Number.NaN;
	if (/^-?\d+$/.test(word)) value = Number(word);
	else if (/^(?:0x)?[0-9a-f]{1,8}$/.test(word))
		value = Number.parseInt(word.replace(/^0x/, ''), 16);
	if (!Number.isSafeInteger(value) || value < -(2 ** 31) || value > 2 ** 32 - 1)
		throw new InputError(`Cannot explain "${printable(text)}": it is not an error number`, {
			hint: 'Give a number as 5, -1052638937 or 0xC1420127.',
		});
	return value < 0 ? value + 2 ** 32 : value;
}

const FACILITY_WIN32 = 0x8007;
const FACILITIES: Readonly<Record<number, string>> = {
	32772: 'a COM interface',
	32775: 'Windows (Win32)',
	32783: 'servicing of Windows packages (CBS); read %WINDIR%\\Logs\\CBS\\CBS.log',
	32817: 'BitLocker',
	49156: 'the DISM API',
	49474: 'wimgapi (mounting of images)',
	49489: 'DISM (images)',
	49552: 'Windows Setup',
};

const hresultText = (code: number) => `0x${code.toString(16).toUpperCase().padStart(8, '0')}`;

/** Everything a number can mean; empty when nothing is known. */
export function explainCode(code: number): readonly Explanation[] {
	const found: Explanation[] = [];
	const own = EXIT_MEANINGS.find((row) => row.code === code);
	if (own)
		found.push({
			origin: 'wimdeck',
			code: `exit code ${code}`,
			meaning: own.meaning,
			advice: own.advice,
		});
	const win32 = code >>> 16 === FACILITY_WIN32 ? code & 0xffff : code;
	const windows =
		WIN32_ERRORS.find((row) => row.code === win32) ??
		HRESULT_ERRORS.find((row) => row.code === code);
	if (windows)
		found.push({
			origin: 'windows',
			code:
				windows.code > 0xffff
					? hresultText(windows.code)
					: `error ${windows.code}, ${formatHex(0x80070000 + windows.code)}`,
			meaning: windows.meaning,
			advice: windows.advice,
		});
	const wimlib = WIMLIB_ERRORS.find((row) => row.code === code);
	if (wimlib)
		found.push({
			origin: 'wimlib-imagex',
			code: `exit code ${code}`,
			meaning: wimlib.meaning,
			advice: wimlib.advice,
		});
	return found;
}

/** For a number that is not in the tables: where it comes from, as far as its upper half says. */
export function unknownCode(code: number): InputError {
	const facility = FACILITIES[code >>> 16];
	const shown = code > 0xffff ? hresultText(code) : String(code);
	return new InputError(`Nothing is known about ${shown}`, {
		hint: facility
			? `It comes from ${facility}.`
			: 'Look at the end of %WINDIR%\\Logs\\DISM\\dism.log for what happened before it.',
	});
}

const ORIGINS: Readonly<Record<Explanation['origin'], string>> = {
	wimdeck: 'wimdeck',
	windows: 'Windows and DISM',
	'wimlib-imagex': 'wimlib-imagex',
};

/** The meanings as lines for people. */
export function explanationText(found: readonly Explanation[]): string {
	return found
		.map(
			({ origin, code, meaning, advice }) =>
				`${ORIGINS[origin]}, ${code}:\n  ${wrap(`${meaning}.`, 2)}\n  ${wrap(advice, 2)}\n`,
		)
		.join('\n');
}
