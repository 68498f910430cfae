/** Text files that people write for us: capture configurations, update commands, lists of paths. */
import { InputError } from '../base/errors.ts';
import { decodeUtf16, decodeWtf8 } from '../bytes/utf16.ts';

/**
 * Decodes UTF-8 or UTF-16 in either byte order, with or without byte order mark (wim.md §10.2). Without a mark, a
 * zero byte among the first two decides.
 *
 * @param name of the file, for the message
 * @throws {InputError} when the bytes are none of these
 */
export function decodeTextFile(bytes: Uint8Array, name: string): string {
	const [first = 0, second = 0] = bytes;
	if (first === 0xff && second === 0xfe) return decodeUtf16(bytes.subarray(2));
	if (first === 0xfe && second === 0xff) return decodeUtf16(swapped(bytes.subarray(2)));
	if (bytes.length > 1 && first !== 0 && second === 0) return decodeUtf16(bytes);
	if (bytes.length > 1 && first === 0 && second !== 0) return decodeUtf16(swapped(bytes));
	const marked = first === 0xef && second === 0xbb && bytes[2] === 0xbf;
	const text = decodeWtf8(marked ? bytes.subarray(3) : bytes);
	if (text === null)
		throw new InputError(`Cannot read "${name}": it is neither UTF-8 nor UTF-16 text`, {
			path: name,
			hint: 'Save the file as UTF-8.',
		});
	return text;
}

function swapped(bytes: Uint8Array): Uint8Array {
	const result = new Uint8Array(bytes.length & ~1);
	for (let k = 0; k < result.length; k++) result[k] = bytes[k ^ 1] ?? 0;
	return result;
}

/** Lines without the white space around them; empty lines and comments (`;`, `#`) are left out. Numbers count from 1. */
export function significantLines(
	text: string,
): { readonly number: number; readonly text: string }[] {
	return text
		.split(/\r\n|\r|\n/)
		.map((line, position) => ({ number: position + 1, text: line.trim() }))
		.filter((line) => line.text !== '' && !/^[;#]/.test(line.text));
}

/** Removes a pair of matching quotes around the whole text. */
export function unquoted(text: string): string {
	const quote = text[0];
	const isQuoted = text.length >= 2 && (quote === '"' || quote === "'") && text.at(-1) === quote;
	return isQuoted ? text.slice(1, -1) : text;
}

/**
 * Cuts a line into arguments at blanks. An argument that begins with a quote ends at the next one of its kind; inside
 * a word a quote is an ordinary character (as `wimlib-imagex update` 1.13.5 does it).
 *
 * @throws {InputError} when a quote is not closed
 */
export function splitArguments(line: string): string[] {
	const words: string[] = [];
	for (let at = 0; at < line.length; ) {
		const char = line[at] ?? '';
		if (/\s/.test(char)) {
			at++;
		} else if (char === '"' || char === "'") {
			const end = line.indexOf(char, at + 1);
			if (end < 0) throw new InputError(`Missing closing quote: ${line.slice(at)}`);
			words.push(line.slice(at + 1, end));
			at = end + 1;
		} else {
			const word = /^\S+/.exec(line.slice(at))?.[0] ?? '';
			words.push(word);
			at += word.length;
		}
	}
	return words;
}
