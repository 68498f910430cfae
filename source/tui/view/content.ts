/** Bytes of a file as hex rows or as text, for Details and the preview. */

import { type Shown, safe, shown, wrapped } from '../parts/text.ts';
import type { Entry } from '../state/selectors.ts';

const hex = (value: number, digits: number): Shown =>
	safe(value.toString(16).toUpperCase().padStart(digits, '0'));

/** Why there is nothing to show of an entry. */
export function nothingInIt(entry: Entry | null): Shown {
	if (entry?.isFolder) return shown`a folder has no content`;
	return entry?.isLink ? shown`a link has no content` : shown`the file is empty`;
}

/** Hex rows `00000000  4D 5A 90 00 ...  MZ..`; as many bytes a row as `width` takes, in steps of two. */
export function hexRow(bytes: Uint8Array, row: number, width: number): Shown {
	const perRow = hexBytesPerRow(width);
	const from = row * perRow;
	let digits = '';
	let letters = '';
	for (let i = from; i < from + perRow; i++) {
		const byte = bytes[i];
		digits += byte === undefined ? '   ' : ` ${byte.toString(16).toUpperCase().padStart(2, '0')}`;
		if (byte !== undefined)
			letters += byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.';
	}
	const text = shown`${hex(from, 8)} ${safe(digits)}`;
	return perRow >= 16 ? shown`${text}  ${safe(letters)}` : text;
}

export function hexBytesPerRow(width: number): number {
	if (width >= 10 + 16 * 4 + 2) return 16;
	return Math.max(2, Math.min(16, 2 * Math.floor((width - 10) / 6)));
}

export function hexRowCount(bytes: Uint8Array, width: number): number {
	return Math.ceil(bytes.length / hexBytesPerRow(width));
}

export type TextEncoding = 'UTF-8' | 'UTF-16LE' | 'UTF-16BE' | 'Windows-1252';

/** The encoding of a text: by its mark, by its zero bytes, or by what decodes. */
export function guessEncoding(bytes: Uint8Array): TextEncoding {
	if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'UTF-16LE';
	if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'UTF-16BE';
	if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) return 'UTF-8';
	const head = bytes.subarray(0, 4096);
	let even = 0;
	let odd = 0;
	for (let i = 0; i + 1 < head.length; i += 2) {
		if (head[i] === 0) even++;
		if (head[i + 1] === 0) odd++;
	}
	const pairs = head.length / 2;
	if (odd > pairs * 0.4 && even < pairs * 0.1) return 'UTF-16LE';
	if (even > pairs * 0.4 && odd < pairs * 0.1) return 'UTF-16BE';
	try {
		// The cut may fall inside a character, so its last bytes are left out.
		new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, wholeUtf8(bytes)));
		return 'UTF-8';
	} catch {
		return 'Windows-1252';
	}
}

/** Length without a character that the end cuts. */
function wholeUtf8(bytes: Uint8Array): number {
	for (let back = 1; back <= Math.min(4, bytes.length); back++) {
		const byte = bytes[bytes.length - back]!;
		if ((byte & 0xc0) === 0x80) continue;
		const needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
		return needed > back ? bytes.length - back : bytes.length;
	}
	return bytes.length;
}

/** True when a file is better shown as hex. */
export function looksBinary(bytes: Uint8Array): boolean {
	if (guessEncoding(bytes).startsWith('UTF-16')) return false;
	const head = bytes.subarray(0, 4096);
	let odd = 0;
	for (const byte of head)
		if (byte === 0 || (byte < 32 && byte !== 9 && byte !== 10 && byte !== 13)) odd++;
	return odd > head.length * 0.02;
}

const TAB_WIDTH = 4;

/** What `e` in the preview goes through, by the names of the Encoding Standard. */
export const ENCODINGS = [
	'UTF-8',
	'UTF-16LE',
	'UTF-16BE',
	'windows-1252',
	'windows-1250',
	'windows-1251',
	'windows-1253',
	'windows-1254',
	'windows-1255',
	'windows-1256',
	'windows-1257',
	'windows-1258',
	'windows-874',
	'IBM866',
	'KOI8-R',
	'Shift_JIS',
	'EUC-JP',
	'GBK',
	'Big5',
	'EUC-KR',
	'macintosh',
] as const;

/** The encoding behind the one given, or behind the guessed one; past the last: guessed again. */
export function nextEncoding(bytes: Uint8Array, encoding: string | null): string | null {
	const now = (encoding ?? guessEncoding(bytes)).toLowerCase();
	const guessed = guessEncoding(bytes).toLowerCase();
	const at = ENCODINGS.findIndex((name) => name.toLowerCase() === now);
	const next = ENCODINGS[(at + 1) % ENCODINGS.length]!;
	return next.toLowerCase() === guessed ? null : next;
}

const decoded = new WeakMap<Uint8Array, Map<string, readonly Shown[]>>();

/** The lines of a text file; tabs become spaces, everything else that controls a terminal becomes visible. */
export function textLines(bytes: Uint8Array, encoding: string | null = null): readonly Shown[] {
	const name = (encoding ?? guessEncoding(bytes)).toLowerCase();
	const known = decoded.get(bytes) ?? new Map<string, readonly Shown[]>();
	decoded.set(bytes, known);
	const lines =
		known.get(name) ??
		new TextDecoder(name)
			.decode(bytes)
			.split(/\r\n|\n|\r/)
			.map((line) => safe(line.replaceAll('\t', ' '.repeat(TAB_WIDTH))));
	known.set(name, lines);
	return lines;
}

const hexBefore = new WeakMap<Uint8Array, { width: number; rows: readonly Shown[] }>();

/** All hex rows; kept, since a pane asks for them with every key. */
export function hexRows(bytes: Uint8Array, width: number): readonly Shown[] {
	const before = hexBefore.get(bytes);
	if (before?.width === width) return before.rows;
	const rows = Array.from({ length: hexRowCount(bytes, width) }, (_, i) => hexRow(bytes, i, width));
	hexBefore.set(bytes, { width, rows });
	return rows;
}

const wrappedBefore = new WeakMap<readonly Shown[], { width: number; rows: readonly Shown[] }>();

/** The lines of a text file in rows of at most `width` columns. */
export function textRows(
	bytes: Uint8Array,
	encoding: string | null,
	width: number,
): readonly Shown[] {
	const lines = textLines(bytes, encoding);
	const before = wrappedBefore.get(lines);
	if (before?.width === width) return before.rows;
	const rows = lines.flatMap((line) => wrapped(line, width));
	wrappedBefore.set(lines, { width, rows });
	return rows;
}
