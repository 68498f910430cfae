import type { RowResult } from './cases.ts';
import { median } from './measure.ts';

/** A Markdown table; the first line of `rows` is the heading, and a column whose heading ends in a space is text. */
export function markdown(rows: readonly (readonly string[])[]): string {
	const [heading = [], ...body] = rows;
	const line = (cells: readonly string[]) =>
		`| ${cells.map((cell) => cell.trim()).join(' | ')} |\n`;
	const rule = heading.map((cell) => (cell.endsWith(' ') ? '---' : '---:'));
	return line(heading) + line(rule) + body.map(line).join('');
}

const HEADING = [
	'verb ',
	'format ',
	'time ref/ours',
	'CPU ref/ours',
	'ours s',
	'ref s',
	'of it sync',
	'spread',
	'ours MB',
	'ref MB',
	'size ours/ref',
];

/** Medians of all rounds; of memory the greatest. The spread is that of our times. */
export function rowTable(results: readonly RowResult[]): string {
	return markdown([HEADING, ...results.map(cellsOf)]);
}

function cellsOf({ verb, format, ours, reference, size }: RowResult): string[] {
	const mine = ours.map(({ ms }) => ms);
	const myTime = median(mine);
	const theirTime = median(reference.map(({ ms }) => ms));
	const myCpu = median(ours.map(({ cpuMs }) => cpuMs));
	const theirCpu = median(reference.map(({ cpuMs }) => cpuMs));
	const peak = (side: RowResult['ours']) =>
		Math.max(...side.map(({ peakMb }) => peakMb)).toFixed(0);
	const isSynced = reference.some(({ syncMs }) => syncMs !== undefined);
	const isShort = format === 'small';
	return [
		verb,
		format,
		isShort ? `${(myTime - theirTime).toFixed(0)} ms more` : (theirTime / myTime).toFixed(2),
		isShort || myCpu === 0 ? '' : (theirCpu / myCpu).toFixed(2),
		(myTime / 1000).toFixed(2),
		(theirTime / 1000).toFixed(2),
		isSynced ? (median(reference.map(({ syncMs = 0 }) => syncMs)) / 1000).toFixed(2) : '',
		`${((100 * (Math.max(...mine) - Math.min(...mine))) / myTime).toFixed(0)} %`,
		peak(ours),
		peak(reference),
		size === null ? '' : size.toFixed(4),
	];
}
