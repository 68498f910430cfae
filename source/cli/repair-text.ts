/** The report of `repair` as text: what was damaged, where the right bytes came from, and what stays lost. */

import { formatCount, formatDuration, formatHex, formatSize, plural } from '../base/print.ts';
import type {
	BitSearchReport,
	Remedy,
	RemedyKind,
	RepairedBlob,
	RepairedImage,
	RepairReport,
	StillLost,
} from '../operations/repair/report.ts';
import type { ReadBack } from '../operations/rescue/check-written.ts';
import type { HitFile } from '../operations/verify/verify-report.ts';
import type { ShowText } from './info-text.ts';
import { lostText } from './verify-text.ts';

/** Names of one content that are told one by one. */
const FILES_MAX = 8;

const REMEDIES: Readonly<Record<RemedyKind, string>> = {
	donor: 'from',
	copy: 'from another place in',
	'chunk-table': 'by working out its chunk table, in',
	'before-damage': 'out of a chunk that is damaged only behind it, in',
	bit: 'by flipping a bit back, in',
	'blob-table': 'by mending its entry in the blob table, in',
	older: 'from an older state in',
};

function remedyText({ kind, from, offset }: Remedy, show: ShowText): string {
	const at = offset === null ? '' : ` at ${formatHex(offset)}`;
	return `${REMEDIES[kind]} ${show(from)}${at}`;
}

function fileLines(files: readonly HitFile[], show: ShowText): string[] {
	const lines = files
		.slice(0, FILES_MAX)
		.map(({ image, path }) => `    image ${image}: ${show(path)}`);
	if (files.length > FILES_MAX)
		lines.push(`    and ${plural(files.length - FILES_MAX, 'more name')}`);
	return lines;
}

const STATES: Readonly<Record<RepairedImage['state'], string>> = {
	whole: 'whole',
	repaired: 'repaired',
	damaged: 'some of its names are lost',
	lost: 'lost, not in the new file',
};

function imageLines(image: RepairedImage, show: ShowText): string[] {
	const name = `${image.index ?? '-'} "${show(image.name)}"`;
	const how = image.remedy === null ? '' : `, ${remedyText(image.remedy, show)}`;
	return [
		`Image ${name}: metadata ${STATES[image.state]}${how}`,
		...image.notes.map((note) => `  ${show(note)}`),
	];
}

function repairedLines({ size, remedy, files, sha1 }: RepairedBlob, show: ShowText): string[] {
	const what = size === null ? sha1 : `${sha1} (${formatSize(size)})`;
	return [`  ${what}`, `    ${remedyText(remedy, show)}`, ...fileLines(files, show)];
}

function lostLines(lost: StillLost, show: ShowText): string[] {
	const { sha1, size, why, files, isPartial } = lost;
	const lines = [`  ${sha1}${size === null ? '' : ` (${formatSize(size)})`}`, `    ${show(why)}`];
	if (lost.lost !== null && size !== null) lines.push(`    ${lostText(lost.lost, size)}`);
	if (isPartial) lines.push('    what is left stands under the name with ".partial" behind it');
	return [...lines, ...fileLines(files, show)];
}

/** The whole report. */
export function repairText(report: RepairReport, show: ShowText): string {
	const { repaired, lost, donors, bitSearch, isDryRun } = report;
	const lines: string[] = [];
	const section = (title: string, texts: readonly string[]) => {
		if (texts.length > 0) lines.push(title, ...texts, '');
	};
	section(
		'What was wrong with the structure:',
		report.findings.map((finding) => `  ${show(finding)}`),
	);
	for (const image of report.images) lines.push(...imageLines(image, show));
	if (report.images.length > 0) lines.push('');
	section(
		isDryRun ? 'Contents that can be got back:' : 'Contents that came back:',
		repaired.flatMap((blob) => repairedLines(blob, show)),
	);
	section(
		'Contents that stay lost:',
		lost.flatMap((blob) => lostLines(blob, show)),
	);
	section(
		'Donors:',
		donors.map(({ path, blobCount, bytes, hashedCount }) => {
			const hashed = hashedCount === 0 ? '' : `, ${plural(hashedCount, 'file')} read`;
			const gave =
				bytes === 0
					? 'gave nothing'
					: `gave ${blobCount === 0 ? 'parts' : formatCount(blobCount)} (${formatSize(bytes)})`;
			return `  ${show(path)}: ${gave}${hashed}`;
		}),
	);
	if (bitSearch !== null) lines.push(...bitLines(bitSearch), '');
	lines.push(...totals(report, show));
	return `${lines.join('\n')}\n`;
}

function bitLines(search: BitSearchReport): string[] {
	const { found, searched, unfinished, seconds, neededSeconds } = search;
	const lines = [
		`Flipped bits: ${formatCount(found)} found, ${formatCount(searched)} looked for in vain, ${formatCount(unfinished)} not finished.`,
	];
	if (unfinished > 0) {
		const needed =
			neededSeconds === null
				? ''
				: `, the rest would take about ${formatDuration(neededSeconds * 1000)}`;
		lines.push(`The search ended after ${seconds} s${needed}: --bit-search=SECONDS.`);
	}
	return lines;
}

/** What a new file was found to be when it was read back. */
export function readBackText(readBack: ReadBack | null): string {
	if (readBack === null) return '';
	const { blobCount, bytes } = readBack;
	return `; read back, its structures and ${plural(blobCount, 'content')} (${formatSize(bytes)}) are good`;
}

function totals(report: RepairReport, show: ShowText): string[] {
	const { repaired, lost, intactCount, blobCount, isDryRun } = report;
	const files = new Set(
		lost.flatMap((one) => one.files.map(({ image, path }) => `${image}:${path}`)),
	);
	const lostPart =
		lost.length === 0
			? 'nothing stays lost'
			: `${formatCount(lost.length)} lost (${plural(files.size, 'file')})`;
	return [
		`Of ${plural(blobCount, 'content')}: ${formatCount(intactCount)} intact, ${formatCount(repaired.length)} repaired, ${lostPart}.`,
		isDryRun
			? `It would write at most ${formatSize(report.sizeAfter)} to ${show(report.target)}.`
			: `Wrote ${formatSize(report.sizeAfter)} to ${show(report.target)}${readBackText(report.readBack)}.`,
	];
}
