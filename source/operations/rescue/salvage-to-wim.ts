/** Writes a whole, valid WIM of everything that is left of a damaged one, also of what has no name any more. */
import { FormatError, MissingError } from '../../base/errors.ts';
import type { Run } from '../../base/run.ts';
import { isEmptyStream, type Sha1 } from '../../bytes/sha1.ts';
import { pathOf } from '../../image/paths.ts';
import { LargeChunks } from '../../pool/large-chunks.ts';
import { whyLost } from '../salvage/make-report.ts';
import { type OpenSalvage, openSalvage } from '../salvage/open-salvage.ts';
import type { SalvagedImage } from '../salvage/read-trees.ts';
import type {
	LostFile,
	PartialFile,
	SalvagedImageReport,
	SalvageReport,
	UnnamedFile,
} from '../salvage/report.ts';
import { chooseImages } from '../salvage/salvage.ts';
import { gatherUnnamed, UNNAMED_FOLDER, type UnnamedBlob } from '../salvage/unnamed.ts';
import { DamagedContent } from './damaged-content.ts';
import type { Needed } from './donors.ts';
import { type Contents, findContents, surveyContents } from './find-contents.ts';
import { type LostPolicy, PARTIAL_SUFFIX } from './mark-lost.ts';
import { indexesInXml } from './match-xml.ts';
import {
	predictRescue,
	type RescuedImage,
	type RescueRequest,
	type RescueTools,
	requireFreeTarget,
	type UnnamedContents,
	writeRescued,
} from './write-rescued.ts';

export interface SalvageToWimOptions {
	/** Patterns of further parts of the set. */
	readonly references: readonly string[];
	/** Index or name of one image; null for all. */
	readonly image: string | null;
	readonly lost: LostPolicy;
	readonly dryRun: boolean;
}

/**
 * Salvages a WIM into a new one. Canceled while it searches it still writes what was found until then; later on, when only
 * reading and writing are left, nothing is kept: half a WIM is none.
 *
 * @throws {InputError} when the target is taken
 * @throws {FormatError} when nothing at all is left
 */
export async function salvageToWim(
	path: string,
	target: string,
	options: SalvageToWimOptions,
	tools: RescueTools,
	asked: Run,
): Promise<SalvageReport> {
	await requireFreeTarget(target);
	const { references } = options;
	await using opened = await openSalvage(path, references, new Map(), asked, tools.pool, true);
	const run = asked.signal.aborted ? { ...asked, signal: new AbortController().signal } : asked;
	const chosen = chooseImages(opened.images, options.image, path);
	const contents = await findContents(
		{
			needed: neededBy(chosen, opened),
			candidates: opened.damaged.candidates,
			unlisted: opened.damaged.unlisted,
			donors: null,
			bitSearch: null,
			whyMissing: whyLost(opened),
		},
		tools.pool,
		run,
	);
	const all = options.image === null ? opened.images : chosen;
	const lanes = new LargeChunks(tools.pool, run.signal);
	const unnamed = await checkUnnamed(await gatherUnnamed(opened, all, lanes, run), lanes, run);
	const request: RescueRequest = {
		wim: opened.wim,
		images: rescuedImages(chosen, opened),
		contents,
		places: opened.damaged.candidates,
		lanes,
		unnamed,
		lost: options.lost,
		integrity: opened.damaged.parts.some(({ part }) => part.header.integrity.offset !== 0),
	};
	if (request.images.length + unnamed.length === 0)
		throw new FormatError(`Cannot salvage "${path}": neither a tree nor contents are left`, {
			path,
		});
	if (options.dryRun) await predictRescue(request, run);
	else await writeRescued(target, request, tools, run);
	const report = makeReport(path, target, opened, chosen, contents, options.lost, unnamed);
	for (const { image, state, notes } of chosen)
		if (state !== 'whole')
			run.report({
				type: 'problem',
				error: new MissingError(`Image "${image.name}" is not whole: ${notes.join('; ')}`, {
					path,
				}),
			});
	return report;
}

function neededBy(images: readonly SalvagedImage[], { damaged }: OpenSalvage): Map<Sha1, Needed> {
	const needed = new Map<Sha1, Needed>();
	for (const { tree } of images)
		for (let dentry = 0; tree !== null && dentry < tree.count; dentry++)
			for (const { sha1 } of tree.streams(dentry)) {
				if (isEmptyStream(sha1) || needed.has(sha1)) continue;
				const size = damaged.candidates.get(sha1)?.[0]?.size ?? null;
				needed.set(sha1, { sha1, size, names: [] });
			}
	return needed;
}

function rescuedImages(images: readonly SalvagedImage[], { wim }: OpenSalvage): RescuedImage[] {
	const { xml, bootIndex } = wim;
	const indexes = indexesInXml(
		images.map(({ image, tree }) => ({ index: image.index, tree })),
		xml,
	);
	return images.flatMap(({ image, tree, state }, position) => {
		if (tree === null) return [];
		const index = indexes[position] ?? null;
		const element = index === null ? null : xml.image(index);
		const metadata = state === 'whole' ? image.metadata : null;
		const isBoot = index !== null && index === bootIndex;
		return [{ name: image.name, element, tree, metadata, isBoot }];
	});
}

/** Contents that are not what their SHA-1 says get a name that says so, and the SHA-1 of what can be read. */
async function checkUnnamed(
	unnamed: readonly UnnamedBlob[],
	lanes: LargeChunks,
	run: Run,
): Promise<(UnnamedContents & Pick<UnnamedBlob, 'isProved'>)[]> {
	const found: (UnnamedContents & Pick<UnnamedBlob, 'isProved'>)[] = [];
	for (const { blob, name, isProved } of unnamed) {
		const { sha1, badRanges, isGuessed } = await surveyContents(blob, run, lanes);
		const badSize = badRanges.reduce((sum, { start, end }) => sum + end - start, 0);
		if (badSize >= blob.size) continue;
		const isWhole = sha1 === blob.sha1;
		const marked = isWhole ? name : `${name}${PARTIAL_SUFFIX}`;
		found.push({
			name: marked,
			sha1,
			content: new DamagedContent(blob, lanes, isGuessed),
			isProved,
		});
	}
	return found;
}

function makeReport(
	path: string,
	target: string,
	opened: OpenSalvage,
	chosen: readonly SalvagedImage[],
	contents: Contents,
	policy: LostPolicy,
	unnamed: readonly (UnnamedContents & Pick<UnnamedBlob, 'isProved'>)[],
): SalvageReport {
	const partial: PartialFile[] = [];
	const lost: LostFile[] = [];
	const images = chosen.map((salvaged): SalvagedImageReport => {
		const { image, state, tree, notes } = salvaged;
		const counts = { wholeCount: 0, partialCount: 0, lostCount: 0, unrestorableCount: 0 };
		for (let dentry = 0; tree !== null && dentry < tree.count; dentry++)
			for (const { sha1, name } of tree.streams(dentry)) {
				const hurt = contents.hurt.get(sha1);
				if (hurt === undefined) {
					counts.wholeCount++;
					continue;
				}
				const suffix = name === '' ? '' : `:${name}`;
				const { size, why, left } = hurt;
				const file = { path: pathOf(tree, dentry) + suffix, image: image.name, sha1, size };
				if (hurt.fate === 'partial' && policy === 'mark') {
					partial.push({ ...file, badRanges: left?.badRanges ?? null });
					counts.partialCount++;
				} else {
					lost.push({ ...file, why });
					counts.lostCount++;
				}
			}
		const { name, index } = image;
		return { name, index, folder: '', state, notes, ...counts };
	});
	const repairedCount = [...contents.whole.values()].filter(({ remedy }) => remedy !== null).length;
	return {
		file: path,
		target,
		findings: opened.findings,
		images,
		partial,
		lost,
		unnamed: unnamed.map(({ name, sha1, content: { size }, isProved }): UnnamedFile => {
			return { path: `${UNNAMED_FOLDER}/${name}`, sha1, size, isProved };
		}),
		repairedCount,
		isNewest: opened.isNewest,
	};
}
