/**
 * Text that may reach a component. `Shown` is made by `safe()`, by `shown` templates of constant text, and by
 * the functions here; a name from an image that did not pass `safe()` does not compile.
 */

import { printable } from '../../base/print.ts';
import { cellWidth, columnsOf, graphemesOf } from '../terminal/cell.ts';

/** Text that cannot send a control sequence. */
export type Shown = string & { readonly __shown: true };

const ASCII = /^[\x20-\x7e]*$/;
/** Characters without a width of their own: shown alone they would shift the rest of the row. */
const HIDDEN = /[\p{Cf}\p{Zl}\p{Zp}]|(?![\ufe0e\ufe0f])\p{Default_Ignorable_Code_Point}|^\p{M}/gu;
/** More marks on one letter than any language writes. */
const PILE = /(\p{M}{4})\p{M}+/gu;

const visibleCode = (char: string): string =>
	`<${char.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}>`;

/** Makes text from outside harmless: control characters and hidden characters become visible. */
export function safe(text: string): Shown {
	if (ASCII.test(text)) return text as Shown;
	const clean = printable(text);
	if (ASCII.test(clean)) return clean as Shown;
	return clean.replace(HIDDEN, visibleCode).replace(PILE, '$1') as Shown;
}

/** For terminals without Unicode: every character beyond ASCII becomes `?`. */
export function asciiOnly(text: Shown): Shown {
	return (ASCII.test(text) ? text : text.replace(/[^\x1b\x20-\x7e]/gu, '?')) as Shown;
}

/** As `asciiOnly`, for text that is laid out already: lines, styles and columns stay as they are. */
export function asciiCells(text: Shown): Shown {
	if (/^[\n\x1b\x20-\x7e]*$/.test(text)) return text;
	let out = '';
	for (const { segment } of graphemesOf(text))
		out += /^[\r\n\x1b\x20-\x7e]/.test(segment) ? segment : '?'.repeat(cellWidth(segment));
	return out as Shown;
}

/** For terminals without Unicode where the exact name matters: `\u{E9}` instead of `?`. */
export function asciiEscaped(text: Shown): Shown {
	return (
		ASCII.test(text)
			? text
			: text.replace(
					/[^\x20-\x7e]/gu,
					(char) => `\\u{${char.codePointAt(0)!.toString(16).toUpperCase()}}`,
				)
	) as Shown;
}

/** A template of constant text with values that are safe already. */
export function shown(parts: TemplateStringsArray, ...values: readonly (Shown | number)[]): Shown {
	let out = parts[0]!;
	for (const [i, value] of values.entries()) out += String(value) + parts[i + 1]!;
	return out as Shown;
}

export const NOTHING = '' as Shown;

/** Spaces for `count` columns. */
export function blank(count: number): Shown {
	return ' '.repeat(Math.max(0, count)) as Shown;
}

/** One character of the program's own, `count` times. */
export function repeat(symbol: Shown, count: number): Shown {
	return symbol.repeat(Math.max(0, count)) as Shown;
}

export function joined(parts: readonly Shown[], between: Shown = NOTHING): Shown {
	return parts.join(between) as Shown;
}

/** Lines as the body of one component. */
export function linesOf(lines: readonly Shown[]): Shown {
	return lines.join('\n') as Shown;
}

/** Columns of a text without styles. */
export function widthOf(text: Shown): number {
	return columnsOf(text);
}

/** The longest beginning of at most `width` columns. */
export function headOf(text: Shown, width: number): Shown {
	if (ASCII.test(text)) return text.slice(0, Math.max(0, width)) as Shown;
	let used = 0;
	for (const { segment, index } of graphemesOf(text)) {
		used += cellWidth(segment);
		if (used > width) return text.slice(0, index) as Shown;
	}
	return text;
}

/** The longest end of at most `width` columns. */
export function tailOf(text: Shown, width: number): Shown {
	if (ASCII.test(text)) return (width > 0 ? text.slice(-width) : '') as Shown;
	const graphemes = [...graphemesOf(text)].map(({ segment }) => segment);
	let used = 0;
	let from = graphemes.length;
	while (from > 0 && used + cellWidth(graphemes[from - 1]!) <= width) {
		from--;
		used += cellWidth(graphemes[from]!);
	}
	return graphemes.slice(from).join('') as Shown;
}

/** Cuts a text to `width` columns; `~` marks what was cut. */
export function cut(text: Shown, width: number): Shown {
	if (width <= 0) return NOTHING;
	return widthOf(text) <= width ? text : shown`${headOf(text, width - 1)}~`;
}

/** Cuts a path to `width` columns at its beginning, since its end says more. */
export function cutStart(text: Shown, width: number): Shown {
	if (width <= 0) return NOTHING;
	return widthOf(text) <= width ? text : shown`~${tailOf(text, width - 1)}`;
}

/** Exactly `width` columns: cut or padded on the right. */
export function fit(text: Shown, width: number): Shown {
	const short = cut(text, width);
	return shown`${short}${blank(width - widthOf(short))}`;
}

/** Exactly `width` columns: cut or padded on the left. */
export function fitRight(text: Shown, width: number): Shown {
	const short = cut(text, width);
	return shown`${blank(width - widthOf(short))}${short}`;
}

/** `left` and `right` at the two ends of `width` columns; `left` is cut when both do not fit. */
export function spread(left: Shown, right: Shown, width: number): Shown {
	const rightWidth = widthOf(right);
	if (rightWidth >= width) return fit(right, width);
	return shown`${fit(left, width - rightWidth)}${right}`;
}

/** In UTF-16 units: a word that no line takes whole, so that it is not measured before it is cut. */
const LONG_WORD = 1024;

/** A word in pieces that fill a line each, in one pass: 64 KiB of a program are often one word. */
function piecesOf(word: Shown, width: number): Shown[] {
	const pieces: Shown[] = [];
	if (ASCII.test(word)) {
		for (let from = 0; from < word.length || from === 0; from += width)
			pieces.push(word.slice(from, from + width) as Shown);
		return pieces;
	}
	let from = 0;
	let used = 0;
	for (const { segment, index } of graphemesOf(word)) {
		const next = cellWidth(segment);
		if (used + next > width && index > from) {
			pieces.push(word.slice(from, index) as Shown);
			from = index;
			used = 0;
		}
		used += next;
	}
	return [...pieces, word.slice(from) as Shown];
}

/** Breaks a text into lines of at most `width` columns, at spaces where there are any. */
export function wrapped(text: Shown, width: number): Shown[] {
	if (width < 1) return [];
	const lines: Shown[] = [];
	let line = NOTHING;
	for (const word of text.split(' ') as Shown[]) {
		if (word.length <= LONG_WORD) {
			const longer = line === '' ? word : shown`${line} ${word}`;
			if (widthOf(longer) <= width) {
				line = longer;
				continue;
			}
		}
		if (line !== '') lines.push(line);
		const pieces = piecesOf(word, width);
		lines.push(...pieces.slice(0, -1));
		line = pieces.at(-1)!;
	}
	lines.push(line);
	return lines;
}
