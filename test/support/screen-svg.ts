/** A screen of the headless terminal as an SVG picture: monospaced text on a dark ground, styles kept. */
import type { HeadlessTerminal, ScreenCell } from './terminal.ts';

const CELL_WIDTH = 8.4;
const LINE_HEIGHT = 18;
const PADDING = 10;
const GROUND = '#16181d';
const TEXT = '#d7dae0';

/** The 16 colours, soft enough for a dark ground. */
const PALETTE = [
	'#3b4048',
	'#e06c75',
	'#98c379',
	'#e5c07b',
	'#61afef',
	'#c678dd',
	'#56b6c2',
	'#abb2bf',
	'#5c6370',
	'#ff7b86',
	'#b5e890',
	'#ffd68a',
	'#7cc4ff',
	'#dd9bf0',
	'#7fdbe6',
	'#ffffff',
];

const escapeXml = (text: string) =>
	text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');

function runsOf(cells: readonly ScreenCell[]): ScreenCell[][] {
	const runs: ScreenCell[][] = [];
	for (const cell of cells) {
		const [first] = runs.at(-1) ?? [];
		const same =
			first !== undefined &&
			first.color === cell.color &&
			first.isBold === cell.isBold &&
			first.isReverse === cell.isReverse &&
			first.isDim === cell.isDim;
		if (same) runs.at(-1)?.push(cell);
		else runs.push([cell]);
	}
	return runs;
}

/** @param title what the picture shows, for those who cannot see it */
export function screenSvg(terminal: HeadlessTerminal, title: string): string {
	const width = Math.ceil(terminal.columns * CELL_WIDTH + 2 * PADDING);
	const height = terminal.rows * LINE_HEIGHT + 2 * PADDING;
	const parts: string[] = [];
	for (let y = 0; y < terminal.rows; y++) {
		const top = PADDING + y * LINE_HEIGHT;
		for (const run of runsOf(terminal.cells(y))) {
			const [first] = run;
			const text = run.map((cell) => cell.text).join('');
			if (first === undefined || (text.trim() === '' && !first.isReverse)) continue;
			const columns = run.reduce((sum, cell) => sum + cell.width, 0);
			const left = (PADDING + first.x * CELL_WIDTH).toFixed(1);
			const color = first.color === null ? TEXT : (PALETTE[first.color] ?? TEXT);
			if (first.isReverse)
				parts.push(
					`<rect x="${left}" y="${top}" width="${(columns * CELL_WIDTH).toFixed(1)}" height="${LINE_HEIGHT}" fill="${color}"/>`,
				);
			const weight = first.isBold ? ' font-weight="bold"' : '';
			const dim = first.isDim ? ' opacity="0.6"' : '';
			parts.push(
				`<text x="${left}" y="${top + 13}" fill="${first.isReverse ? GROUND : color}"${weight}${dim} textLength="${(columns * CELL_WIDTH).toFixed(1)}" xml:space="preserve">${escapeXml(text)}</text>`,
			);
		}
	}
	return [
		`<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img">`,
		`<title>${escapeXml(title)}</title>`,
		`<rect width="100%" height="100%" rx="6" fill="${GROUND}"/>`,
		`<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="14">`,
		...parts,
		'</g>',
		'</svg>',
		'',
	].join('\n');
}

/** Pictures of one size as one that shows them in turn, again and again. */
export function movingSvg(pictures: readonly string[], secondsEach: number): string {
	const [, head = ''] = /^[\s\S]*?(<svg[^>]*>)/.exec(pictures[0] ?? '') ?? [];
	const total = pictures.length * secondsEach;
	const frames = pictures.map((picture, i) => {
		const inner = picture.replace(/^[\s\S]*?<svg/, '<svg');
		const values = pictures.map((_, k) => (k === i ? 'inline' : 'none')).join(';');
		const first = i === 0 ? 'inline' : 'none';
		return `<g display="${first}"><animate attributeName="display" values="${values}" calcMode="discrete" dur="${total}s" repeatCount="indefinite"/>${inner}</g>`;
	});
	return `${head}\n${frames.join('\n')}\n</svg>\n`;
}
