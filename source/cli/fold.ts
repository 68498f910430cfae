/** Reports on a terminal: lines too long for it break between words, and go on below where their text began. */
import type { Output } from './output.ts';

/** `ERR 3  ` and `    `: what goes on below a line stands below the text behind it. */
const LEAD = /^(?:(?:ERR|WRN) \d+ +|(?:PARTIAL|LOST|UNNAMED) )?/;
const DETAIL = 7;

/** @param width columns that may be written; words that are longer stay whole */
export function folded(text: string, width: number): string {
	return text
		.split('\n')
		.map((line) => (line.length <= width ? line : foldedLine(line, width)))
		.join('\n');
}

function foldedLine(line: string, width: number): string {
	const blank = /^ */.exec(line)?.[0].length ?? 0;
	const hang = LEAD.exec(line)?.[0] === '' ? blank + 2 : DETAIL;
	const lines: string[] = [];
	let now = ' '.repeat(blank);
	let isEmpty = true;
	for (const word of line.slice(blank).split(' ')) {
		if (!isEmpty && now.length + 1 + word.length > width) {
			lines.push(now);
			now = ' '.repeat(hang) + word;
		} else now = isEmpty ? now + word : `${now} ${word}`;
		isEmpty = false;
	}
	return [...lines, now].join('\n');
}

/** Writes a report: folded for a terminal, line by line as it is for programs. */
export async function writeReport(text: string, out: Output): Promise<void> {
	// The last column stays free: some consoles scroll when it is written.
	await out.write(out.columns === null ? text : folded(text, Math.max(20, out.columns - 1)));
}
