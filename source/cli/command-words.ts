/** The words of the command line, also those that are no UTF-8. */

import { readFileSync } from 'node:fs';
import { pathText } from '../storage/host-fs.ts';

/**
 * @param given as Node passes them: what is no UTF-8 is U+FFFD there, under which no file can be opened. Linux tells the
 * bytes; elsewhere the words stay as they are.
 */
export function commandWords(given: readonly string[]): readonly string[] {
	if (!given.some((word) => word.includes('\ufffd'))) return given;
	let bytes: Buffer;
	try {
		bytes = readFileSync('/proc/self/cmdline');
	} catch {
		return given;
	}
	const words: Buffer[] = [];
	for (let at = 0; at < bytes.length; ) {
		const end = bytes.indexOf(0, at);
		words.push(bytes.subarray(at, end < 0 ? bytes.length : end));
		at = end < 0 ? bytes.length : end + 1;
	}
	const last = words.slice(words.length - given.length);
	return last.every((word, i) => word.toString() === given[i]) ? last.map(pathText) : given;
}
