import stringWidth from 'string-width';

const widths = new Map<string, number>();

/**
 * Columns that one grapheme takes on the grid that Ink lays out: at least one, as Ink counts it.
 * Layout, cutting and the frame writer all use this one number, so that they cannot disagree.
 */
export function cellWidth(grapheme: string): number {
	if (grapheme.length === 1 && grapheme >= ' ' && grapheme <= '~') return 1;
	let width = widths.get(grapheme);
	if (width === undefined) {
		width = Math.max(1, stringWidth(grapheme));
		if (widths.size > 5000) widths.clear();
		widths.set(grapheme, width);
	}
	return width;
}
