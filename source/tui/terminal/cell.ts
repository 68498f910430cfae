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

interface Grapheme {
	readonly segment: string;
	readonly index: number;
}

/** In UTF-16 units. Node 20 copies the whole text at every step: 20 ms for 2,000 units, 850 ms for 32,000. */
const WINDOW = 256;

/** The characters as people count them. Made when first needed: that takes as long as a frame. */
export function graphemesOf(text: string): Iterable<Grapheme> {
	segmenter ??= new Intl.Segmenter(undefined, { granularity: 'grapheme' });
	return text.length <= WINDOW ? segmenter.segment(text) : inRuns(segmenter, text);
}

/** Letters that join nothing; what stands at the edge of a run may be joined from outside. */
const SIMPLE_RUN = /[\x20-\x7e\u00a1-\u00ac\u00ae-\u017f\u2500-\u259f]{3,}/g;

function* inRuns(by: Intl.Segmenter, text: string): Generator<Grapheme> {
	let from = 0;
	for (const run of text.matchAll(SIMPLE_RUN)) {
		yield* inWindows(by, text.slice(from, run.index + 1), from);
		const end = run.index + run[0].length - 1;
		for (let index = run.index + 1; index < end; index++) yield { segment: text[index]!, index };
		from = end;
	}
	yield* inWindows(by, text.slice(from), from);
}

/** `origin` is where `text` begins in the whole. */
function* inWindows(by: Intl.Segmenter, text: string, origin: number): Generator<Grapheme> {
	let from = 0;
	let size = WINDOW;
	while (from < text.length) {
		const end = from + size;
		// Half a character at the end would be split from the marks and letters before it.
		const isHalf = /[\ud800-\udbff]/.test(text[end - 1] ?? '');
		let last: Grapheme | null = null;
		for (const { segment, index } of by.segment(text.slice(from, isHalf ? end - 1 : end))) {
			if (last) yield last;
			last = { segment, index: origin + from + index };
		}
		if (!last) return;
		// The last one may go on behind the window.
		if (end >= text.length && !isHalf) {
			yield last;
			return;
		}
		const next: number = last.index - origin;
		size = next === from ? size * 2 : WINDOW;
		from = next;
	}
}

/** Columns of a text without styles. */
export function columnsOf(text: string): number {
	if (SIMPLE.test(text)) return text.length;
	let width = 0;
	for (const { segment } of graphemesOf(text)) width += cellWidth(segment);
	return width;
}
