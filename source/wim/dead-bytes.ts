import type { OpenPart } from './open-part.ts';
import { HEADER_SIZE } from './part-header.ts';

/**
 * Bytes of a part that nothing refers to: what edits in place leave behind. 0 for pipable files, which are always
 * written whole.
 */
export function deadBytesOf(part: OpenPart): number {
	if (part.pipable) return 0;
	const { blobTable, xml, integrity } = part.header;
	const ranges = [
		{ offset: 0, end: HEADER_SIZE },
		...[blobTable, xml, integrity, ...part.table.resources].map(({ offset, storedSize }) => ({
			offset,
			end: offset + storedSize,
		})),
	].sort((a, b) => a.offset - b.offset);
	let reached = 0;
	let dead = 0;
	for (const { offset, end } of ranges) {
		dead += Math.max(0, Math.min(offset, part.source.size) - reached);
		reached = Math.max(reached, Math.min(end, part.source.size));
	}
	return dead + part.source.size - reached;
}
