/** Finds what the XML data says of images that no blob table names. */
import { EditTree } from '../../image/edit-tree.ts';
import { treeStatistics } from '../../image/encode-tree.ts';
import type { ImageTree } from '../../image/tree.ts';
import type { XmlData } from '../../wim/xml-data.ts';

/** An image as it was found. */
export interface FoundImage {
	/** By the blob table; null when it names none. */
	readonly index: number | null;
	/** Null when nothing of it is left. */
	readonly tree: ImageTree | null;
}

/**
 * The index of each image in the XML data: that of the blob table, else that of the first image left which has as many
 * directories and files; null where there is none.
 */
export function indexesInXml(images: readonly FoundImage[], xml: XmlData): (number | null)[] {
	const free = new Set(xml.indexes.filter((index) => index !== null));
	for (const { index } of images) if (index !== null) free.delete(index);
	return images.map(({ index, tree }) => {
		if (index !== null) return xml.image(index) === null ? null : index;
		if (tree === null) return null;
		const { directoryCount, fileCount } = treeStatistics(EditTree.from(tree), () => 0);
		for (const candidate of free) {
			const facts = xml.facts(candidate);
			if (facts.directoryCount !== directoryCount || facts.fileCount !== fileCount) continue;
			free.delete(candidate);
			return candidate;
		}
		return null;
	});
}
