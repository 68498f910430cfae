/** The report of `verify` as text: what is damaged, which files that hits, and how much was checked. */

import { formatCount, formatHex, formatSize, plural } from '../base/print.ts';
import type { Fault, PartReport, Range, VerifyReport } from '../operations/verify-report.ts';
import type { ShowText } from './info-text.ts';

const CLASS_NAMES: Readonly<Record<Fault['class'], string>> = {
	header: 'header',
	xml: 'XML data',
	'blob-table': 'blob table',
	'integrity-table': 'integrity table',
	integrity: 'integrity table',
	metadata: 'metadata',
	blob: 'contents',
	'missing-blob': 'missing contents',
	'missing-part': 'missing part',
	pipable: 'for pipes',
	oddity: 'oddity',
};

/** Stretches that are named one by one. */
const LOST_MAX = 8;

function rangeText({ offset, size }: Range): string {
	return size === 0
		? `at ${formatHex(offset)}`
		: `at ${formatHex(offset)}, ${plural(size, 'byte')}`;
}

/** `32,768 of 656,952 bytes lost: 0x58000-0x60000`. */
export function lostText(lost: readonly Range[], blobSize: number): string {
	const total = lost.reduce((sum, { size }) => sum + size, 0);
	const shown = lost
		.slice(0, LOST_MAX)
		.map(({ offset, size }) => `${formatHex(offset)}-${formatHex(offset + size)}`);
	if (lost.length > LOST_MAX) shown.push(`${lost.length - LOST_MAX} more`);
	return `${formatCount(total)} of ${plural(blobSize, 'byte')} lost: ${shown.join(', ')}`;
}

function faultLines(fault: Fault, show: ShowText): readonly string[] {
	const mark = fault.severity === 'error' ? 'ERR' : 'WRN';
	const lines = [`${mark} ${fault.id}  ${CLASS_NAMES[fault.class]}: ${show(fault.message)}`];
	const put = (text: string) => lines.push(`       ${text}`);
	if (fault.part !== null)
		put(
			fault.range === null
				? `in ${show(fault.part)}`
				: `in ${show(fault.part)} ${rangeText(fault.range)}`,
		);
	if (fault.sha1 !== null)
		put(
			`SHA-1 ${fault.sha1}${fault.blobSize === null ? '' : `, ${plural(fault.blobSize, 'byte')}`}`,
		);
	if (fault.lost !== null && fault.blobSize !== null) put(lostText(fault.lost, fault.blobSize));
	for (const { part, offset, isGood } of fault.copies)
		put(
			`${isGood ? 'A good copy is' : 'Another copy, damaged too, is'} in ${show(part)} at ${formatHex(offset)}`,
		);
	if (fault.blocksImage) put('No file of this image can be named or read.');
	for (const { image, path } of fault.files) put(`image ${image}: ${show(path)}`);
	for (const note of fault.notes) put(show(note));
	return lines;
}

function integrityText({ integrity, path }: PartReport, faults: readonly Fault[]): string {
	const count = faults.filter(
		({ class: faultClass, part }) => faultClass === 'integrity' && part === path,
	).length;
	const where = `${plural(count, 'block')} ${count === 1 ? 'differs' : 'differ'} from the integrity table`;
	switch (integrity) {
		case 'none':
			return 'no integrity table';
		case 'good':
			return 'integrity table good';
		case 'bad':
			return where;
		case 'stale':
			return `${where}, which is stale: the data is good`;
		case 'unchecked':
			return 'integrity table not compared';
	}
}

/** Never claims more than was looked at. */
export function coverageText(report: VerifyReport): string {
	const { coverage, parts, faults } = report;
	const missing = faults.filter(({ class: faultClass }) => faultClass === 'missing-part').length;
	const words = [
		...(missing > 0 ? [`${parts.length} of ${plural(parts.length + missing, 'part')}`] : []),
		'header, XML data (it has no checksum) and blob table',
		`${coverage.imagesRead} of ${plural(coverage.images, 'image')}`,
		`${formatCount(coverage.blobsChecked)} of ${plural(coverage.blobs, 'blob')} (${formatSize(coverage.blobBytesChecked)} of ${formatSize(coverage.blobBytes)})`,
		...new Set(parts.map((part) => integrityText(part, faults))),
	];
	return `Checked: ${words.join('; ')}.`;
}

/** The whole report. */
export function verifyText(report: VerifyReport, show: ShowText): string {
	const { faults } = report;
	const errors = faults.filter(({ severity }) => severity === 'error');
	const warnings = faults.length - errors.length;
	const counts = [
		errors.length === 0 ? 'no damage' : plural(errors.length, 'fault'),
		...(warnings > 0 ? [plural(warnings, 'warning')] : []),
	].join(', ');
	const ordered = [...errors, ...faults.filter(({ severity }) => severity === 'warning')];
	const lines = ordered.flatMap((fault) => [...faultLines(fault, show), '']);
	const hit = new Set(
		errors.flatMap(({ files }) => files.map(({ image, path }) => `${image}:${path}`)),
	);
	const files = hit.size > 0 ? `, ${plural(hit.size, 'file')} hit` : '';
	return [...lines, `${show(report.path)}: ${counts}${files}.`, coverageText(report), ''].join(
		'\n',
	);
}
