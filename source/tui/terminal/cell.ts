import stringWidth from 'string-width';

/** One column on every terminal; asking further would load the tables of Unicode, which takes longer than a frame. */
const CERTAIN = /^[\x20-\x7e\u00a1-\u00ac\u00ae-\u017f\u2500-\u259f]$/;

/** Whether every terminal agrees on the width of a grapheme. */
export const hasCertainWidth = (grapheme: string): boolean => CERTAIN.test(grapheme);

const widths = new Map<string, number>();

/**
 * Columns that one grapheme takes on the grid that Ink lays out: at least one, as Ink counts it.
 * Layout, cutting and the frame writer all use this one number, so that they cannot disagree.
 */
export function cellWidth(grapheme: string): number {
	if (CERTAIN.test(grapheme)) return 1;
	let width = widths.get(grapheme);
	if (width === undefined) {
		width = Math.max(1, stringWidth(grapheme));
		if (widths.size > 5000) widths.clear();
		widths.set(grapheme, width);
	}
	return width;
}

/** One column each, with no mark that would join two of them. */
const SIMPLE = /^[\x20-\x7e\u00a1-\u00ac\u00ae-\u017f\u2500-\u259f]*$/;
let segmenter: Intl.Segmenter | undefined;

/** The characters as people count them. Made when first needed: that takes as long as a frame. */
export function graphemesOf(text: string): Intl.Segments {
	segmenter ??= new Intl.Segmenter(undefined, { granularity: 'grapheme' });
	return segmenter.segment(text);
}

/** Columns of a text without styles. */
export function columnsOf(text: string): number {
	if (SIMPLE.test(text)) return text.length;
	let width = 0;
	for (const { segment } of graphemesOf(text)) width += cellWidth(segment);
	return width;
}
