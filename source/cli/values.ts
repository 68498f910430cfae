/** Texts of option values to what they mean; each throws an `InputError` that names the option. */

import { InputError } from '../base/errors.ts';
import { printable } from '../base/print.ts';
import { nearest } from './nearest.ts';
import { type OptionName, optionSpec } from './options.ts';

const quoted = (text: string) => `"${printable(text)}"`;

/** A whole number, not negative. */
export function parseCount(text: string, what: string): number {
	const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
	if (!Number.isSafeInteger(value))
		throw new InputError(`Cannot read ${what}: ${quoted(text)} is not a number`);
	return value;
}

const SIZE_UNITS: Readonly<Record<string, number>> = {
	'': 1,
	k: 1024,
	m: 1024 ** 2,
	g: 1024 ** 3,
	t: 1024 ** 4,
};

/** Bytes from `32768`, `32K`, `4MiB`, `1g`. */
export function parseSize(text: string, what: string): number {
	const match = /^(\d{1,15})([kmgt]?)(?:ib|b)?$/i.exec(text);
	const value = match ? Number(match[1]) * SIZE_UNITS[match[2]!.toLowerCase()]! : Number.NaN;
	if (!Number.isSafeInteger(value))
		throw new InputError(`Cannot read ${what}: ${quoted(text)} is not a size`, {
			hint: 'Give a number of bytes; K, M or G may follow, as in 128K.',
		});
	return value;
}

export type CompressionName = 'none' | 'xpress' | 'lzx' | 'lzms';

const COMPRESSION_WORDS: Readonly<Record<string, CompressionName>> = {
	none: 'none',
	fast: 'xpress',
	xpress: 'xpress',
	maximum: 'lzx',
	max: 'lzx',
	lzx: 'lzx',
	recovery: 'lzms',
	lzms: 'lzms',
};

/** `maximum:100` as type and level; the level is null when not given. */
export function parseCompression(
	text: string,
	what: string,
): { type: CompressionName; level: number | null } {
	const colon = text.indexOf(':');
	const word = (colon < 0 ? text : text.slice(0, colon)).toLowerCase();
	if (!Object.hasOwn(COMPRESSION_WORDS, word)) {
		const near = nearest(word, Object.keys(COMPRESSION_WORDS));
		throw new InputError(`Cannot read ${what}: there is no compression named ${quoted(word)}`, {
			hint: near ? `Did you mean "${near}"?` : 'Choose none, fast, maximum or recovery.',
		});
	}
	const level = colon < 0 ? null : parseCount(text.slice(colon + 1), `the level of ${what}`);
	if (level === 0) throw new InputError(`Cannot read ${what}: level 0 does not exist`);
	return { type: COMPRESSION_WORDS[word]!, level };
}

/** `NAME=VALUE` at the first equals sign. */
export function parseProperty(text: string, what: string): { name: string; value: string } {
	const equals = text.indexOf('=');
	if (equals < 1)
		throw new InputError(`Cannot read ${what}: ${quoted(text)} has no NAME before "="`, {
			hint: 'Write it as WINDOWS/VERSION/BUILD=26100.',
		});
	return { name: text.slice(0, equals), value: text.slice(equals + 1) };
}

/** Refuses a value that its option cannot have. */
export function checkValue(name: OptionName, text: string): void {
	const spec = optionSpec(name);
	const what = `--${name}`;
	switch (spec.kind) {
		case undefined:
		case 'text':
			return;
		case 'file':
			if (text === '')
				throw new InputError(`Option ${what} needs the name of a file or folder`, {
					hint: `Write ${what}=${spec.value}.`,
				});
			return;
		case 'count':
			parseCount(text, what);
			return;
		case 'size':
			parseSize(text, what);
			return;
		case 'compression':
			parseCompression(text, what);
			return;
		case 'property':
			parseProperty(text, what);
			return;
		case 'choice':
			if (!spec.choices?.includes(text))
				throw new InputError(`Cannot read ${what}: ${quoted(text)} is not one of its values`, {
					hint: `Choose one of ${spec.choices?.join(', ')}.`,
				});
	}
}
