/** What is still readable of the tree of an image that cannot be opened. */
import type { Run } from '../../base/run.ts';
import type { ImageTree } from '../../image/tree.ts';
import type { WimImage } from '../../wim/wim.ts';
import { surveyContents } from '../rescue/find-contents.ts';
import { isExpected } from '../salvage/open-damaged.ts';
import { readTree } from '../salvage/read-trees.ts';
import type { Range } from './verify-report.ts';

export interface HurtTree {
	/** Original bytes of the metadata that cannot be read; null when that is not known. */
	readonly lost: readonly Range[] | null;
	/** What can be recognised in the rest; null when there is nothing. */
	readonly tree: ImageTree | null;
	readonly notes: readonly string[];
}

export async function surveyHurtTree(image: WimImage, run: Run): Promise<HurtTree> {
	const { metadata, index, facts } = image;
	try {
		const { badRanges } = await surveyContents(metadata, run);
		const lost = badRanges.map(({ start, end }) => ({ offset: start, size: end - start }));
		const { tree, notes } = await readTree({ index, name: facts.name, metadata }, run);
		const sentences = notes.map((note) => `${note[0]?.toUpperCase() ?? ''}${note.slice(1)}`);
		const advice =
			tree === null
				? 'A donor that holds the same image may give it back: wimdeck repair.'
				: 'wimdeck salvage gets out what they name; wimdeck repair takes the tree from a donor.';
		return { lost: lost.length === 0 ? null : lost, tree, notes: [...sentences, advice] };
	} catch (error) {
		if (!isExpected(error)) throw error;
		return { lost: null, tree: null, notes: [] };
	}
}
