import { Span } from '../../bytes/span.ts';
import { readExactly } from '../../storage/read.ts';
import { HEADER_SIZE } from '../part-header.ts';
import type { PartSurvey } from './survey.ts';

/** Size of the table, number of entries, bytes that each stands for: 4 bytes each. */
const HEAD_SIZE = 12;
const SHA1_SIZE = 20;

/**
 * Whether a part had an integrity table: by its header, or where that is lost by what stands behind the XML data (wim.md §6).
 * Where nobody can tell, it had one: a table too many does no harm.
 */
export async function hadIntegrityTable(survey: PartSurvey): Promise<boolean> {
	const { source, header, generations } = survey;
	if (header.magic !== null && header.integrity !== null) return header.integrity.offset !== 0;
	const [newest] = generations;
	if (newest?.xml?.isWhole !== true) return true;
	const end = newest.xml.offset + newest.xml.size;
	if (source.size - end < HEAD_SIZE + SHA1_SIZE) return false;
	const head = await readExactly(source, end, HEAD_SIZE, 'integrity table');
	const { view } = new Span(head.bytes, source.name, end);
	const count = view.getUint32(4, true);
	const stretch = view.getUint32(8, true);
	return (
		view.getUint32(0, true) === HEAD_SIZE + SHA1_SIZE * count &&
		stretch > 0 &&
		count === Math.ceil((newest.table.end - HEADER_SIZE) / stretch)
	);
}
