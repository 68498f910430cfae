/**
 * Puts texts at places together to one frame. Ink does the same cell by cell; here a row is mostly a matter of
 * joining strings, and only rows where one text lies over another are taken apart into cells.
 */

import {
	type StyledChar,
	styledCharsFromTokens,
	styledCharsToString,
	tokenize,
} from '@alcalzone/ansi-tokenize';
import { cellWidth, columnsOf } from './cell.ts';

/** A text of one or more lines, each within the screen; later ones lie over earlier ones. */
export interface PlacedText {
	readonly x: number;
	readonly y: number;
	readonly text: string;
}

interface Piece {
	readonly x: number;
	readonly line: string;
	readonly width: number;
}

const ASCII = /^[\x20-\x7e]*$/;
const STYLE = /\x1b\[[\d;]*m/g;

/** Lines whose width is remembered; most rows of a frame were in the one before. */
const WIDTHS_MAX = 4000;
const widths = new Map<string, number>();

function widthOfLine(line: string): number {
	if (ASCII.test(line)) return line.length;
	let width = widths.get(line);
	if (width === undefined) {
		width = columnsOf(line.replace(STYLE, ''));
		if (widths.size >= WIDTHS_MAX) widths.clear();
		widths.set(line, width);
	}
	return width;
}

const BLANK: StyledChar = { type: 'char', value: ' ', fullWidth: false, styles: [] };
/** Stands where the second column of a wide character is. */
const NO_CELL: StyledChar = { ...BLANK, value: '' };

/** A row in which texts lie over each other. */
function overlaid(pieces: readonly Piece[], columns: number): string {
	const cells: StyledChar[] = [];
	for (const { x, line } of pieces) {
		while (cells.length < x) cells.push(BLANK);
		let at = x;
		for (const cell of styledCharsFromTokens(tokenize(line))) {
			const width = cellWidth(cell.value);
			if (at + width > columns) break;
			// What is left of a wide character that is half covered is a blank.
			if (cells[at]?.value === '' && at > 0) cells[at - 1] = BLANK;
			cells[at] = cell;
			for (let i = 1; i < width; i++) cells[at + i] = NO_CELL;
			at += width;
			if (cells[at]?.value === '') cells[at] = BLANK;
		}
	}
	return styledCharsToString(cells);
}

function joined(pieces: readonly Piece[], columns: number): string {
	let row = '';
	let at = 0;
	for (const { x, line, width } of pieces) {
		if (x < at || x + width > columns) return overlaid(pieces, columns);
		row += ' '.repeat(x - at) + line;
		at = x + width;
	}
	return row;
}

/** The rows of a frame, without blanks at their ends; what lies outside is left out. */
export function composeFrame(
	texts: Iterable<PlacedText>,
	columns: number,
	rows: number,
): readonly string[] {
	const pieces: Piece[][] = Array.from({ length: rows }, () => []);
	for (const { x, y, text } of texts) {
		for (const [i, line] of text.split('\n').entries())
			if (line !== '') pieces[y + i]?.push({ x, line, width: widthOfLine(line) });
	}
	return pieces.map((row) => joined(row, columns).trimEnd());
}
