/** The map of a file as rows of cells: which stretches are good, bad, unchecked, or belong to nothing. */

import { formatHex, formatSize } from '../base/print.ts';
import { cellsOf } from '../operations/verify/verify-map.ts';
import type { CellState, VerifyReport } from '../operations/verify/verify-report.ts';
import type { ShowText } from './info-text.ts';

const SIGNS: Readonly<Record<CellState, string>> = {
	good: '.',
	bad: '#',
	unchecked: '?',
	structure: '=',
	unreferenced: '-',
};

/** With the offset before them the rows fit into 80 columns. */
const ROW_CELLS = 64;
const ROWS_MAX = 16;

export function mapText(report: VerifyReport, show: ShowText): string {
	const lines: string[] = [];
	for (const { path, size, map } of report.parts) {
		const cells = cellsOf(map, ROW_CELLS * ROWS_MAX);
		const [first] = cells;
		if (first === undefined) continue;
		const width = formatHex(size).length;
		lines.push(
			`Map of ${show(path)}, ${formatSize(first.size)} a cell:`,
			'. good   # bad   ? not checked   = structure   - belongs to nothing',
		);
		for (let at = 0; at < cells.length; at += ROW_CELLS) {
			const row = cells.slice(at, at + ROW_CELLS);
			const label = formatHex(row[0]?.offset ?? 0).padStart(width);
			lines.push(`${label}  ${row.map(({ state }) => SIGNS[state]).join('')}`);
		}
		lines.push('');
	}
	return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}
