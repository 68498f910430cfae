/** Faults of a check as the findings of the triage view. */

import path from 'node:path';
import { formatCount, formatHex } from '../../base/print.ts';
import type { Fault } from '../../operations/verify/verify-report.ts';
import type { Finding } from '../engine.ts';

const PLACES: Readonly<Record<string, string>> = {
	header: 'header',
	xml: 'XML data',
	'blob-table': 'blob table',
	'integrity-table': 'integrity table',
	integrity: 'integrity table',
	'missing-part': 'missing part',
	'missing-blob': 'missing content',
};

function whereOf(fault: Fault): string {
	const at = fault.range === null ? '' : ` @${formatHex(fault.range.offset)}`;
	if (fault.class === 'blob') return `resource${at}`;
	if (fault.class === 'metadata') return `metadata of image ${fault.images[0] ?? '?'}`;
	return `${PLACES[fault.class] ?? fault.class}${fault.class === 'integrity' ? at : ''}`;
}

/** `chunk 12 of 21 is damaged (why)`: the reason is evidence, and stands below. */
const DAMAGED_CHUNK = / is damaged \((.*)\)$/;

function notesOf(fault: Fault): string[] {
	const notes: string[] = [];
	const reason = DAMAGED_CHUNK.exec(fault.message)?.[1];
	if (reason !== undefined) notes.push(`Evidence: ${reason}.`);
	if (fault.blobSize !== null && fault.lost !== null) {
		const lost = fault.lost.reduce((sum, { size }) => sum + size, 0);
		const left = lost < fault.blobSize ? formatCount(fault.blobSize - lost) : 'nothing';
		notes.push(`Readable: ${left} of ${formatCount(fault.blobSize)} bytes.`);
	}
	for (const { part, offset, isGood } of fault.copies)
		notes.push(
			`Elsewhere: a ${isGood ? 'good' : 'damaged'} copy in ${part} at ${formatHex(offset)}.`,
		);
	if (fault.copiesSought && fault.copies.length === 0)
		notes.push('Elsewhere: no other copy of this SHA-1 in the file.');
	// Each is a finding here, with the number it was found under.
	return [...notes, ...fault.notes.map((note) => note.replace(/^In it: fault/, 'In it: finding'))];
}

/** `656,952 bytes, LZX, 301,114 packed`; a solid resource packs others with it. */
function aboutOf({ blobSize, storedAs, range }: Fault): string | null {
	if (blobSize === null || storedAs === null) return null;
	const packed = range === null ? '' : `, ${formatCount(range.size)} packed`;
	return `${formatCount(blobSize)} bytes, ${storedAs}${packed}`;
}

export function findingOf(fault: Fault): Finding {
	return {
		id: String(fault.id),
		severity: fault.severity,
		where: whereOf(fault),
		// Where it is stands in a column of its own.
		what: fault.message
			.replace(/^Cannot (?:read|decode) (?:resource|blob) [^:]*: /, '')
			.replace(DAMAGED_CHUNK, ' does not unpack'),
		about: aboutOf(fault),
		files: fault.files.map((file) => ({
			imageIndex: file.image,
			path: file.path.replaceAll('/', '\\'),
		})),
		isIntegrityBlock: fault.class === 'integrity',
		blocksImage: fault.blocksImage,
		imageIndexes: fault.images,
		notes: notesOf(fault),
		digest: fault.sha1,
		place:
			fault.part === null || fault.range === null
				? null
				: { part: path.resolve(fault.part), ...fault.range },
	};
}
