/** The report of `verify` as text: what is damaged, which files that hits, and how much was checked. */

import { formatCount, formatHex, formatSize, plural } from '../base/print.ts';
import type { Fault, PartReport, Range, VerifyReport } from '../operations/verify/verify-report.ts';
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

/**
 * `At least 32,768 of 656,952 bytes lost: 0x58000-0x60000`: what cannot be unpacked. Without its SHA-1 nothing proves
 * that the rest is right.
 */
export function lostText(lost: readonly Range[], blobSize: number): string {
	const total = lost.reduce((sum, { size }) => sum + size, 0);
	const shown = lost
		.slice(0, LOST_MAX)
		.map(({ offset, size }) => `${formatHex(offset)}-${formatHex(offset + size)}`);
	if (lost.length > LOST_MAX) shown.push(`${lost.length - LOST_MAX} more`);
	const atLeast = total < blobSize ? 'At least ' : '';
	return `${atLeast}${formatCount(total)} of ${plural(blobSize, 'byte')} lost: ${shown.join(', ')}`;
}

/** Faults of which each stands alone, or several that have everything in common but the contents they are about. */
type Group = readonly [Fault, ...Fault[]];

/** Fewer are told one by one. */
const GROUP_MIN = 3;
const BLOB_NAME = / blob [0-9a-f]{40}/;

function grouped(faults: readonly Fault[]): Group[] {
	const groups = new Map<string, [Fault, ...Fault[]]>();
	for (const fault of faults) {
		const { class: faultClass, message, part, range, copies, notes, id } = fault;
		const isOfBlobs = faultClass === 'blob' || faultClass === 'missing-blob';
		const key = isOfBlobs
			? JSON.stringify([message.replace(BLOB_NAME, ''), part, range, copies, notes])
			: String(id);
		const group = groups.get(key);
		if (group === undefined) groups.set(key, [fault]);
		else group.push(fault);
	}
	return [...groups.values()].flatMap((group): Group[] =>
		group.length < GROUP_MIN ? group.map((fault): Group => [fault]) : [group],
	);
}

function groupLines(group: Group, show: ShowText): readonly string[] {
	const [first] = group;
	if (group.length === 1) return faultLines(first, show);
	const count = `${CLASS_NAMES[first.class]} (${formatCount(group.length)} of them)`;
	const message = first.message.replace(BLOB_NAME, ' the blobs').replace(': it is ', ': they are ');
	const lines = [`ERR ${first.id}  ${count}: ${show(message)}`];
	const put = (text: string) => lines.push(`       ${text}`);
	if (first.part !== null && first.range !== null)
		put(`in ${show(first.part)} ${rangeText(first.range)}`);
	for (const { files, lost, blobSize } of group) {
		for (const { image, path } of files) put(`image ${image}: ${show(path)}`);
		const isWhole = lost?.length === 1 && lost[0]?.size === blobSize;
		if (lost !== null && blobSize !== null && !isWhole) put(`  ${lostText(lost, blobSize)}`);
	}
	for (const note of first.notes) put(show(note));
	return lines;
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
	else if (fault.class === 'blob') put('All of it unpacks; which bytes are wrong is not known.');
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
			return isHeaderHurt(faults) ? 'no integrity table found' : 'no integrity table';
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

const isError = ({ severity }: Fault) => severity === 'error';

function isHeaderHurt(faults: readonly Fault[]): boolean {
	return faults.some((fault) => isError(fault) && fault.class === 'header');
}

/** The structures, each with what it turned out to be. */
function structuresText(faults: readonly Fault[]): string {
	const state = (faultClass: Fault['class'], otherwise: string) =>
		faults.some((fault) => isError(fault) && fault.class === faultClass) ? ' (damaged)' : otherwise;
	const xml = `XML data${state('xml', ' (it has no checksum)')}`;
	return `header${state('header', '')}, ${xml} and blob table${state('blob-table', '')}`;
}

/** Never claims more than was looked at. */
export function coverageText(report: VerifyReport): string {
	const { coverage, parts, faults } = report;
	const missing = faults.filter(({ class: faultClass }) => faultClass === 'missing-part').length;
	const words = [
		...(missing > 0 ? [`${parts.length} of ${plural(parts.length + missing, 'part')}`] : []),
		structuresText(faults),
		`${coverage.imagesRead} of ${plural(coverage.images, 'image')}`,
		coverage.blobs === 0 && faults.some((fault) => isError(fault) && fault.class === 'blob-table')
			? 'no blob, since nothing lists them'
			: `${formatCount(coverage.blobsChecked)} of ${plural(coverage.blobs, 'blob')} (${formatSize(coverage.blobBytesChecked)} of ${formatSize(coverage.blobBytes)})`,
		...new Set(parts.map((part) => integrityText(part, faults))),
	];
	return `Checked: ${words.join('; ')}.`;
}

/** Whether other places of the file have what is damaged. */
function copiesText(faults: readonly Fault[]): string[] {
	const sought = faults.filter((fault) => isError(fault) && fault.copiesSought);
	if (sought.length === 0) return [];
	const good = sought.filter(({ copies }) => copies.some(({ isGood }) => isGood)).length;
	return [
		good === 0
			? 'No damaged content has a good copy elsewhere in what was read.'
			: `${formatCount(good)} of ${plural(sought.length, 'damaged content')} ${good === 1 ? 'has' : 'have'} a good copy elsewhere.`,
	];
}

/** Bytes that the tables speak of behind the end of a part. */
function missingBytes({ parts, faults }: VerifyReport): number {
	let most = 0;
	for (const { path, size } of parts)
		for (const { part, range, class: faultClass } of faults)
			if (part === path && range !== null && faultClass !== 'oddity')
				most = Math.max(most, range.offset + range.size - size);
	return most;
}

/** What can be done about the damage. */
function nextSteps(report: VerifyReport, show: ShowText): string[] {
	const errors = report.faults.filter(isError);
	if (errors.length === 0) return [];
	const { coverage } = report;
	const file = show(report.path);
	const short = missingBytes(report);
	const whole = coverage.blobsChecked - coverage.blobsBad;
	const known =
		report.isFast || coverage.blobs === 0 ? '' : `; ${plural(whole, 'content')} can be read`;
	const missing = errors.filter(({ class: faultClass }) => faultClass === 'missing-part');
	return [
		'',
		'What to do:',
		...(short > 0
			? [
					`  The file is cut short by ${plural(short, 'byte')} or more: copy or download it again if you can.`,
				]
			: []),
		...missing.map(
			({ message }) => `  ${show(message)}: put it beside the others, or name it with --ref.`,
		),
		`  wimdeck salvage ${file} FOLDER  gets out everything that is left${known}.`,
		`  wimdeck repair ${file} --from=DONOR  writes a whole new file with the help of another one: a WIM, ESD or part set with the same files, or a folder that holds them.`,
	];
}

/** The whole report. */
export function verifyText(report: VerifyReport, show: ShowText): string {
	const { faults } = report;
	const errors = faults.filter(isError);
	const warnings = faults.length - errors.length;
	const counts = [
		errors.length === 0 ? 'no damage' : plural(errors.length, 'fault'),
		...(warnings > 0 ? [plural(warnings, 'warning')] : []),
	].join(', ');
	const ordered = [...errors, ...faults.filter(({ severity }) => severity === 'warning')];
	const lines = grouped(ordered).flatMap((group) => [...groupLines(group, show), '']);
	const hit = new Set(
		errors.flatMap(({ files }) => files.map(({ image, path }) => `${image}:${path}`)),
	);
	const files = hit.size > 0 ? `, ${plural(hit.size, 'file')} hit` : '';
	return [
		...lines,
		`${show(report.path)}: ${counts}${files}.`,
		coverageText(report),
		...copiesText(faults),
		...nextSteps(report, show),
		'',
	].join('\n');
}
