/**
 * Writes a whole WIM from a damaged one: what is intact is taken over as it is, what is damaged or missing comes from other
 * places of the same file, from donors, or from trying flipped bits. The damaged file is never written to.
 */
import { FormatError, InputError } from '../../base/errors.ts';
import type { Run } from '../../base/run.ts';
import { isEmptyStream, type Sha1 } from '../../bytes/sha1.ts';
import { visitBlobs } from '../../image/blob-users.ts';
import { pathOf } from '../../image/paths.ts';
import { LargeChunks } from '../../pool/large-chunks.ts';
import { isSameFile } from '../../storage/find-files.ts';
import { hadIntegrityTable } from '../../wim/recover/had-integrity-table.ts';
import { BitSearch } from '../rescue/bit-search.ts';
import type { ReadBack } from '../rescue/check-written.ts';
import { Donors, type Needed } from '../rescue/donors.ts';
import { type Contents, findContents } from '../rescue/find-contents.ts';
import { indexesInXml } from '../rescue/match-xml.ts';
import {
	predictRescue,
	type RescuedImage,
	type RescueRequest,
	type RescueTools,
	requireFreeTarget,
	writeRescued,
} from '../rescue/write-rescued.ts';
import { type OpenSalvage, openSalvage } from '../salvage/open-salvage.ts';
import type { SalvagedImage } from '../salvage/read-trees.ts';
import type { HitFile } from '../verify/verify-report.ts';
import { type MendedImage, mendTrees } from './mend-trees.ts';
import type { RepairOptions } from './repair-options.ts';
import type { RepairedImage, RepairReport } from './report.ts';
import { SameFile } from './same-file.ts';

/**
 * Repairs a WIM.
 *
 * @throws {InputError} when the target is taken, or a donor is not there
 * @throws {FormatError} when no tree of any image is left
 */
export async function repair(
	path: string,
	target: string,
	options: RepairOptions,
	tools: RescueTools,
	run: Run,
): Promise<RepairReport> {
	await requireFreeTarget(target);
	await requireOther(path, target);
	await using donors = await Donors.open(options.donors, path, tools.pool, run);
	const sameFile = new SameFile(donors, tools.pool, run);
	const { references } = options;
	const { pool } = tools;
	await using opened = await openSalvage(
		path,
		references,
		donors.sizes(),
		run,
		pool,
		false,
		sameFile,
	);
	const bits = new BitSearch(options.bitSearchSeconds, tools.pool, run);
	const current = currentImages(opened);
	const images = await mendTrees(current, opened.images, donors, bits, run);
	if (!images.some(({ tree }) => tree !== null)) throw noTree(path, donors);
	const needed = neededBy(images, opened, donors);
	const contents = await findContents(
		{
			needed,
			candidates: opened.damaged.candidates,
			unlisted: opened.damaged.unlisted,
			donors,
			bitSearch: async (hurt) =>
				bits.search(
					[...hurt.values()].flatMap(({ best, badRanges }) =>
						best === null ? [] : [{ blob: best, badRanges }],
					),
				),
			whyMissing: whyMissing(opened, donors),
		},
		tools.pool,
		run,
	);
	const request: RescueRequest = {
		wim: opened.wim,
		images: rescuedImages(images, opened),
		contents,
		places: opened.damaged.candidates,
		lanes: new LargeChunks(tools.pool, run.signal),
		unnamed: [],
		lost: options.lost,
		integrity: options.integrity ?? (await anyHadIntegrityTable(opened.damaged.parts)),
	};
	const { size, readBack } = options.dryRun
		? await predictRescue(request, run)
		: await writeRescued(target, request, tools, run);
	const told = { path, target, options, opened, sameFile, donors, images, needed, contents, bits };
	return report({ ...told, size, readBack });
}

async function requireOther(path: string, target: string): Promise<void> {
	if (await isSameFile(path, target))
		throw new InputError(`Cannot repair "${path}" in place: the damaged file stays as it is`, {
			path,
			hint: 'Give --output another name.',
		});
}

function noTree(path: string, donors: Donors): FormatError {
	const hasFolder = donors.all.some(({ wim }) => wim === null);
	const hasWim = donors.all.some(({ wim }) => wim !== null);
	const other = hasWim
		? ', and no donor is known to hold the same images: another GUID, other XML data, other contents'
		: '';
	const folder = hasFolder
		? ' (a folder gives contents, not the tree; capture makes one of it)'
		: '';
	return new FormatError(`Cannot repair "${path}": the metadata of every image is lost${other}`, {
		path,
		hint: `Name a WIM that holds the same image with --from${folder}, or run wimdeck salvage to get contents without names.`,
	});
}

async function anyHadIntegrityTable(parts: OpenSalvage['damaged']['parts']): Promise<boolean> {
	for (const { survey } of parts) if (await hadIntegrityTable(survey)) return true;
	return false;
}

/**
 * What the newest table names, and as many images that no table names as the header counts beyond those, the last ones;
 * everything that was found when there is no table.
 */
function currentImages({ images, unlistedImages, damaged }: OpenSalvage): readonly SalvagedImage[] {
	const named = images.filter(({ image }) => image.index !== null);
	if (named.length === 0) return images;
	const count = damaged.parts[0]?.survey.header.imageCount ?? 0;
	const lacking = Math.max(0, count - named.length);
	return lacking === 0 ? named : [...named, ...unlistedImages.slice(-lacking)];
}

function whyMissing({ damaged }: OpenSalvage, donors: Donors): string {
	const { missingParts } = damaged;
	const where = donors.all.length === 0 ? '' : ', nor in a donor';
	return missingParts.length > 0
		? `It is not in the parts that are there${where}; it may be in part ${missingParts.join(', ')}, which is missing`
		: `It is nowhere in the file${where}`;
}

/** Everything that the trees name, with its size where a table tells. */
function neededBy(
	images: readonly MendedImage[],
	opened: OpenSalvage,
	donors: Donors,
): Map<Sha1, Needed> {
	const needed = new Map<Sha1, { sha1: Sha1; size: number | null; names: string[] }>();
	const sizes = donors.sizes();
	for (const { tree } of images)
		if (tree !== null)
			visitBlobs(tree, (sha1, dentry) => {
				if (isEmptyStream(sha1)) return;
				const size = opened.damaged.candidates.get(sha1)?.[0]?.size ?? sizes.get(sha1) ?? null;
				const known = needed.get(sha1);
				// Names only matter where no size is known.
				const names = size === null ? [tree.name(dentry).toLowerCase()] : [];
				if (known === undefined) needed.set(sha1, { sha1, size, names });
				else if (names.length > 0) known.names.push(...names);
			});
	return needed;
}

function rescuedImages(
	images: readonly MendedImage[],
	{ wim, damaged }: OpenSalvage,
): RescuedImage[] {
	const { xml } = wim;
	// Without a blob table the WIM has no images, and none to boot.
	const bootIndex = wim.bootIndex || (damaged.parts[0]?.survey.header.bootIndex ?? 0);
	const indexes = indexesInXml(
		images.map(({ salvaged, tree }) => ({ index: salvaged.image.index, tree })),
		xml,
	);
	return images.flatMap(({ tree, metadata, name }, position) => {
		if (tree === null) return [];
		const index = indexes[position] ?? null;
		const element = index === null ? null : xml.image(index);
		return [{ name, element, tree, metadata, isBoot: index !== null && index === bootIndex }];
	});
}

interface Told {
	readonly path: string;
	readonly target: string;
	readonly options: RepairOptions;
	readonly opened: OpenSalvage;
	readonly sameFile: SameFile;
	readonly donors: Donors;
	readonly images: readonly MendedImage[];
	readonly needed: ReadonlyMap<Sha1, Needed>;
	readonly contents: Contents;
	readonly bits: BitSearch;
	readonly size: number;
	readonly readBack: ReadBack | null;
}

function report(told: Told): RepairReport {
	const { opened, contents, needed, donors, images } = told;
	const users = usersOf(images, contents);
	const repaired = [...contents.whole].flatMap(([sha1, { size, remedy }]) =>
		remedy === null ? [] : [{ sha1, size, remedy, files: users.get(sha1) ?? [] }],
	);
	const lost = [...contents.hurt].map(([sha1, { size, fate, left, why }]) => ({
		sha1,
		size,
		lost: left?.badRanges?.map(({ start, end }) => ({ offset: start, size: end - start })) ?? null,
		isPartial: fate === 'partial' && told.options.lost === 'mark',
		why,
		files: users.get(sha1) ?? [],
	}));
	return {
		type: 'repair-report',
		file: told.path,
		target: told.target,
		isDryRun: told.options.dryRun,
		findings: opened.findings,
		images: imageReports(images),
		imagesFrom: told.sameFile.from,
		isNewest: opened.isNewest,
		repaired,
		lost,
		donors: donors.all.map(({ path, wim, blobCount, bytes, hashedCount }) => ({
			path,
			kind: wim === null ? 'folder' : 'wim',
			blobCount,
			bytes,
			hashedCount,
		})),
		bitSearch: told.bits.report,
		blobCount: needed.size,
		intactCount: contents.whole.size - repaired.length,
		sizeBefore: opened.damaged.parts.reduce((sum, { part }) => sum + part.source.size, 0),
		sizeAfter: told.size,
		readBack: told.readBack,
	};
}

/** Who holds what was not simply whole. */
function usersOf(images: readonly MendedImage[], { whole, hurt }: Contents): Map<Sha1, HitFile[]> {
	const users = new Map<Sha1, HitFile[]>();
	for (const [position, { tree }] of images.entries())
		if (tree !== null)
			visitBlobs(tree, (sha1, dentry, stream) => {
				if (!hurt.has(sha1) && whole.get(sha1)?.remedy == null) return;
				const path = pathOf(tree, dentry) + (stream === '' ? '' : `:${stream}`);
				const file = { image: indexOf(images, position), path };
				const files = users.get(sha1);
				if (files === undefined) users.set(sha1, [file]);
				else files.push(file);
			});
	return users;
}

/** In the damaged file where its table tells, else the position among those that were found. */
function indexOf(images: readonly MendedImage[], position: number): number {
	return images[position]?.salvaged.image.index ?? position + 1;
}

function imageReports(images: readonly MendedImage[]): RepairedImage[] {
	let newIndex = 0;
	return images.map(({ salvaged: { image }, tree, state, remedy, notes, name }) => ({
		index: image.index,
		newIndex: tree === null ? null : ++newIndex,
		name,
		state,
		remedy,
		notes,
	}));
}
