/** What a salvage got back and what it did not: as data, and as text for people. */
import { formatCount, formatHex, formatSize, plural, printable } from '../../base/print.ts';
import type { Range } from './read-damaged.ts';

export interface SalvagedFile {
	/** In the image. */
	readonly path: string;
	readonly image: string;
	readonly sha1: string;
	readonly size: number | null;
}

export interface PartialFile extends SalvagedFile {
	/** Zeros in the file that was written; null when only the SHA-1 says that something is wrong. */
	readonly badRanges: readonly Range[] | null;
}

export interface LostFile extends SalvagedFile {
	readonly why: string;
}

export interface SalvagedImageReport {
	readonly name: string;
	/** From 1; null for one that the newest blob table does not name. */
	readonly index: number | null;
	/** Below the target; empty for the target itself. */
	readonly folder: string;
	readonly state: 'whole' | 'damaged' | 'lost';
	readonly notes: readonly string[];
	readonly wholeCount: number;
	readonly partialCount: number;
	readonly lostCount: number;
	/** Streams that are there, but that the target cannot hold: named ones, reparse data and EFS data outside of NTFS. */
	readonly unrestorableCount: number;
}

export interface UnnamedFile {
	/** Below the target. */
	readonly path: string;
	readonly sha1: string;
	readonly size: number;
	/** False when nothing but the structure of the data says where it ends. */
	readonly isProved: boolean;
}

export interface SalvageReport {
	readonly file: string;
	readonly target: string;
	/** What was wrong with the file, and what was used instead. */
	readonly findings: readonly string[];
	readonly images: readonly SalvagedImageReport[];
	readonly partial: readonly PartialFile[];
	readonly lost: readonly LostFile[];
	readonly unnamed: readonly UnnamedFile[];
	/** Contents that are right only because a bad chunk table or another copy could be worked around. */
	readonly repairedCount: number;
	/** False when a later state of the file was there once, of which no tree was found. */
	readonly isNewest: boolean;
}

/** Nothing is lost, partial or without its name. A file without images is complete when nothing else is the matter. */
export function isComplete(report: SalvageReport): boolean {
	return (
		report.partial.length === 0 &&
		report.lost.length === 0 &&
		report.isNewest &&
		report.images.every(({ state }) => state === 'whole') &&
		(report.images.length > 0 || (report.findings.length === 0 && report.unnamed.length === 0))
	);
}

/** Rows of each kind that a screen gets; the rest stands in the files of the report. */
export const ROWS_ON_SCREEN = 12;

/**
 * The report as text, each line harmless for a terminal.
 *
 * @param rowsMax of each kind
 */
export function formatReport(report: SalvageReport, rowsMax = Number.POSITIVE_INFINITY): string {
	const lines: string[] = [`Salvage of ${report.file}`, `into ${report.target}`, ''];
	if (report.findings.length > 0)
		lines.push('What was wrong:', ...report.findings.map((finding) => `  ${finding}`), '');
	for (const image of report.images) {
		const name =
			image.index === null
				? `"${image.name}" (not in the newest table)`
				: `${image.index} "${image.name}"`;
		lines.push(
			`Image ${name}: ${STATES[image.state]}`,
			`  ${plural(image.wholeCount, 'file')} whole, ${plural(image.partialCount, 'file')} partial, ${plural(image.lostCount, 'file')} lost${unrestorable(image.unrestorableCount)}`,
			...image.notes.map((note) => `  ${note}`),
		);
	}
	if (report.images.length === 0) lines.push('No image was found: nobody knows the names.');
	lines.push('');
	const rows = <Row>(list: readonly Row[], text: (row: Row) => string) => {
		lines.push(...list.slice(0, rowsMax).map(text));
		if (list.length > rowsMax) lines.push(`  and ${formatCount(list.length - rowsMax)} more`);
	};
	rows(report.partial, ({ path, image, badRanges, size }) => {
		const ranges = badRanges?.map(
			({ start, end }) => `zeros from ${formatHex(start)} to ${formatHex(end)}`,
		);
		const what = ranges?.join(', ') ?? 'its SHA-1 is wrong, the place is unknown';
		return `PARTIAL ${image}: ${path} (${size === null ? '?' : formatSize(size)}): ${what}`;
	});
	rows(
		report.lost,
		({ path, image, sha1, why }) => `LOST ${image}: ${path} (SHA-1 ${sha1}): ${why}`,
	);
	rows(
		report.unnamed,
		({ path, size, isProved }) =>
			`UNNAMED ${path} (${formatSize(size)})${isProved ? '' : ', length not proved'}`,
	);
	return `${[...lines, ...totals(report)].map(printable).join('\n')}\n`;
}

/** What it comes to, and what can be done next: the last lines, since those stay on the screen. */
function totals(report: SalvageReport): string[] {
	const { images, partial, lost, unnamed } = report;
	const whole = images.reduce((sum, { wholeCount }) => sum + wholeCount, 0);
	const unheld = images.reduce((sum, { unrestorableCount }) => sum + unrestorableCount, 0);
	const count = whole + partial.length + lost.length + unheld;
	const counts = [
		...(images.length > 0
			? [
					`Of ${plural(count, 'file')} ${whole} are whole, ${partial.length} partial, ${lost.length} lost${unrestorable(unheld)}`,
				]
			: []),
		...(unnamed.length > 0 ? [`${plural(unnamed.length, 'content')} without a name`] : []),
	];
	const hasRows = partial.length + lost.length + unnamed.length > 0;
	const lines = [...(hasRows ? [''] : []), `${counts.join('; ') || 'Nothing came back'}.`];
	if (unheld > 0)
		lines.push(
			'What is not restorable here (streams of Windows outside of NTFS) a WIM can hold: salvage it with --to-wim=NEW.',
		);
	if (isComplete(report)) return lines;
	if (partial.length > 0) lines.push('What is partial has ".partial" behind its name.');
	lines.push(
		`To get the rest: wimdeck repair ${report.file} --from=DONOR, where DONOR is a WIM, ESD or part set with the same files, or a folder that holds them.`,
	);
	return lines;
}

function unrestorable(count: number): string {
	return count > 0 ? `, ${count} not restorable here` : '';
}

const STATES = {
	whole: 'all of its names survived',
	damaged: 'its metadata is damaged',
	lost: 'its metadata is lost',
} as const;
