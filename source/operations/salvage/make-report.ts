/** Works out the report of a salvage: what the trees name, against what the writer got. */
import { isEmptyStream } from '../../bytes/sha1.ts';
import { pathOf } from '../../image/paths.ts';
import { isLinkTag } from '../../image/reparse.ts';
import type { Stream } from '../../image/tree.ts';
import type { OpenSalvage } from './open-salvage.ts';
import type { SalvagedImage } from './read-trees.ts';
import type {
	LostFile,
	PartialFile,
	SalvagedImageReport,
	SalvageReport,
	UnnamedFile,
} from './report.ts';
import type { SalvageWriter } from './salvage-writer.ts';

/**
 * What came back of the chosen images, and what did not.
 *
 * @param keepsNtfs the target holds what only NTFS knows
 */
export function makeReport(
	path: string,
	folder: string,
	opened: OpenSalvage,
	chosen: readonly SalvagedImage[],
	folders: readonly string[],
	writer: SalvageWriter,
	unnamed: readonly UnnamedFile[],
	keepsNtfs: boolean,
): SalvageReport {
	const partial: PartialFile[] = [];
	const lost: LostFile[] = [];
	const images: SalvagedImageReport[] = chosen.map(({ image, state, tree, notes }, k) => {
		const counts = { wholeCount: 0, partialCount: 0, lostCount: 0, unrestorableCount: 0 };
		for (let dentry = 0; tree !== null && dentry < tree.count; dentry++)
			for (const { type, sha1, name } of tree.streams(dentry)) {
				const suffix = name === '' ? '' : `:${name}`;
				const file = () => ({
					path: pathOf(tree, dentry) + suffix,
					image: image.name,
					sha1,
					size: opened.wim.blobs.get(sha1)?.size ?? null,
				});
				const damage = writer.damaged.get(sha1);
				if (!isEmptyStream(sha1) && !opened.wim.blobs.has(sha1)) {
					lost.push({ ...file(), why: whyLost(opened) });
					counts.lostCount++;
				} else if (damage?.state === 'lost') {
					lost.push({ ...file(), why: damage.error.message });
					counts.lostCount++;
				} else if (damage?.state === 'partial') {
					partial.push({ ...file(), badRanges: damage.badRanges });
					counts.partialCount++;
				} else if (isRestorable(type, tree.reparse(dentry)?.tag ?? null, keepsNtfs))
					counts.wholeCount++;
				else counts.unrestorableCount++;
			}
		return {
			name: image.name,
			index: image.index,
			folder: folders[k] ?? '',
			state,
			notes,
			...counts,
		};
	});
	const repairedCount = [...writer.damaged.values()].filter(
		({ state }) => state === 'whole',
	).length;
	return {
		file: path,
		target: folder,
		findings: opened.findings,
		images,
		partial,
		lost,
		unnamed,
		repairedCount,
		isNewest: opened.isNewest,
	};
}

/** Outside of NTFS reparse data become symbolic links, if they are some; EFS data are for Windows alone. */
function isRestorable(type: Stream['type'], tag: number | null, keepsNtfs: boolean): boolean {
	if (type === 'efs') return false;
	if (type === 'reparse') return keepsNtfs || (tag !== null && isLinkTag(tag));
	return type === 'data' || keepsNtfs;
}

export function whyLost({ damaged }: OpenSalvage): string {
	const { missingParts } = damaged;
	return missingParts.length > 0
		? `not found; it may be in part ${missingParts.join(', ')}, which is missing`
		: 'not found anywhere in the file';
}
