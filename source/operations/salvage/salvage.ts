/**
 * Gets back everything that is physically left of a damaged WIM (wim.md §13). Never writes to the damaged file and never
 * outside the target; whatever stands under its own name has the right SHA-1.
 */
import { InputError, MissingError } from '../../base/errors.ts';
import { plural } from '../../base/print.ts';
import type { Run } from '../../base/run.ts';
import { isEmptyStream, type Sha1 } from '../../bytes/sha1.ts';
import { encodeWtf8 } from '../../bytes/utf16.ts';
import { isHarmlessName } from '../../host/names.ts';
import { PosixTarget } from '../../host/posix-target.ts';
import type { OpenImage } from '../../image/open.ts';
import { pathOf } from '../../image/paths.ts';
import { InlinePool, type Pool } from '../../pool/pool.ts';
import { nothingLeft } from '../../wim/recover/survey.ts';
import type { Blob, Resource } from '../../wim/resource.ts';
import type { Wim } from '../../wim/wim.ts';
import { applyImage } from '../apply.ts';
import type { FileJob, FileOutcome } from '../extract-data.ts';
import { readBlobs } from '../read-blobs.ts';
import { findLost, gapsOf, type Lost, type Tentative } from './find-lost.ts';
import { type DamagedWim, openDamaged } from './open-damaged.ts';
import { missingFrom, readTree, type SalvagedImage, wantedBy } from './read-trees.ts';
import {
	formatReport,
	type LostFile,
	type PartialFile,
	type SalvagedImageReport,
	type SalvageReport,
	type UnnamedFile,
} from './report.ts';
import { SalvageWriter, type WriterFor } from './salvage-writer.ts';
import { gatherUnnamed, UNNAMED_FOLDER } from './unnamed.ts';

export interface SalvageOptions {
	/** Patterns of further parts of the set. */
	readonly references: readonly string[];
	/** Index or name of one image; null for all. */
	readonly image: string | null;
	readonly unixData: boolean;
	readonly includeInvalidNames: boolean;
	/** Finds out and reports, writes nothing. */
	readonly dryRun: boolean;
}

/** A damaged WIM whose trees were read and whose lost blobs were looked for. */
export interface OpenSalvage extends AsyncDisposable {
	readonly damaged: DamagedWim;
	readonly images: readonly SalvagedImage[];
	/** The best known place of every blob. */
	readonly wim: Wim;
	readonly findings: readonly string[];
	/** Resources whose SHA-1 nobody asked for, as they are if they end where it is likeliest. */
	readonly others: readonly Blob[];
	/** Bytes that nothing explains; what is missing may be in there. */
	readonly unexplained: Lost['unexplained'];
	/** False when a later state of the file was there once, of which no tree was found. */
	readonly isNewest: boolean;
	/** Looks for further places of blobs that cannot be read where the tables say they are; adds them to the candidates. */
	seek(names: ReadonlySet<Sha1>): Promise<void>;
}

/**
 * Opens, searches, reads all trees.
 *
 * @param sizes of blobs by SHA-1, from donors; may be empty
 * @param keepsWhenCanceled once the trees are known, canceling ends only the search; what was found until then counts
 */
export async function openSalvage(
	path: string,
	references: readonly string[],
	sizes: ReadonlyMap<Sha1, number>,
	run: Run,
	pool: Pool = new InlinePool(),
	keepsWhenCanceled = false,
): Promise<OpenSalvage> {
	let damaged = await openDamaged(path, references, false, run);
	try {
		let images = await readTrees(damaged, run);
		let tentative: readonly Tentative[] = [];
		let wrong: ReadonlySet<Sha1> = new Set();
		let isNewest = isNewestKnown(damaged);
		let unexplained: Lost['unexplained'] = [];
		const isGood =
			isNewestKnown(damaged) &&
			!lacksEntries(damaged) &&
			images.length > 0 &&
			images.every(({ state }) => state === 'whole');
		if (!isGood || missingFrom(damaged, images).size > 0) {
			await damaged[Symbol.asyncDispose]();
			damaged = await openDamaged(path, references, true, run);
			images = await readTrees(damaged, run);
			// Without a tree nobody knows what to look for: the trees come first.
			const lacksTree =
				!isNewestKnown(damaged) ||
				lacksEntries(damaged) ||
				images.length === 0 ||
				images.some(({ tree }) => tree === null);
			const passes = [lacksTree, true];
			wrong = await wrongEntries(damaged, images, pool, run);
			for (const [k, isNeeded] of passes.entries()) {
				if (!isNeeded) continue;
				const known = recognise(damaged, images, tentative);
				const wanted = new Set([...missingFrom(damaged, images), ...wrong]);
				if (k === 1 && wanted.size === 0) break;
				const search = {
					wanted,
					known,
					sizes,
					needsMetadata: k === 0,
					keepsWhenCanceled: keepsWhenCanceled && k === 1,
				};
				const found = await searchPass(damaged, images, search, pool, run);
				images = [...images, ...found.images];
				isNewest ||= found.images.length > 0;
				tentative = found.tentative;
				unexplained = found.unexplained;
			}
		}
		if (
			damaged.candidates.size === 0 &&
			images.length === 0 &&
			tentative.length === 0 &&
			unexplained.length === 0
		)
			throw nothingLeft(path);
		if (run.signal.aborted)
			damaged.findings.push(
				'The search was canceled before its end: what it had not found yet counts as lost',
			);
		if (!isNewest && images.length > 0)
			damaged.findings.push('The newest state of the file is lost; the images are of an older one');
		const lacking = lackingImages(damaged, images);
		if (lacking > 0 && Number.isFinite(lacking)) {
			isNewest = false;
			damaged.findings.push(
				`${plural(lacking, 'image')} that the header counts ${lacking === 1 ? 'is' : 'are'} lost`,
			);
		}
		const best = new Map<Sha1, Blob>();
		for (const [sha1, blobs] of damaged.candidates) {
			const blob = blobs.find(({ defect }) => defect === null) ?? blobs[0];
			if (blob !== undefined) best.set(sha1, { ...blob, defect: null });
		}
		const opened = damaged;
		return {
			damaged: opened,
			images,
			wim: opened.compose(best),
			findings: opened.findings,
			others: tentative.flatMap(({ ends }) => ends.slice(0, 1)),
			unexplained,
			isNewest,
			seek: (names) => seek(opened, images, without(names, wrong), sizes, pool, run),
			[Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
		};
	} catch (error) {
		await damaged[Symbol.asyncDispose]();
		throw error;
	}
}

async function readTrees(damaged: DamagedWim, run: Run): Promise<SalvagedImage[]> {
	const images: SalvagedImage[] = [];
	for (const image of damaged.images) images.push(await readTree(image, run));
	return images;
}

/** Of the part with the images. */
function isNewestKnown({ parts }: DamagedWim): boolean {
	return parts.every(({ part, survey }) => part.header.partNumber > 1 || survey.isNewestKnown);
}

/** Of a table with damaged entries some may have named images: fewer are left than the header counts. */
function lacksEntries(damaged: DamagedWim): boolean {
	return (
		lackingImages(
			damaged,
			damaged.images.filter(({ index }) => index !== null),
		) > 0
	);
}

/** How many images the header counts beyond those, where a damaged table may have named them; Infinity if it tells none. */
function lackingImages({ parts }: DamagedWim, images: readonly unknown[]): number {
	const counts = parts
		.filter(
			({ part, survey: { generations } }) =>
				part.header.partNumber <= 1 && (generations[0]?.table.brokenCount ?? 0) > 0,
		)
		.map(({ survey: { header } }) => header.imageCount ?? Number.POSITIVE_INFINITY);
	return Math.max(0, ...counts) - images.length;
}

/**
 * Finds out which resources are wanted now that trees were found.
 *
 * @returns the resources of those that are
 */
function recognise(
	damaged: DamagedWim,
	images: readonly SalvagedImage[],
	tentative: readonly Tentative[],
): Resource[] {
	const wanted = missingFrom(damaged, images);
	const known: Resource[] = [];
	for (const { ends } of tentative) {
		const blob = ends.find(({ sha1 }) => wanted.has(sha1));
		if (blob === undefined) continue;
		addCandidate(damaged, blob);
		known.push(blob.resource);
	}
	noteFound(damaged, known.length);
	return known;
}

/** Adds a place that was found by searching. */
function addCandidate({ candidates, unlisted, parts }: DamagedWim, blob: Blob): void {
	const survey = parts.find(({ part }) => part.source === blob.resource.part.source)?.survey;
	if (survey?.isNewestKnown === true) unlisted.add(blob);
	const same = candidates.get(blob.sha1);
	if (same === undefined) candidates.set(blob.sha1, [blob]);
	else same.push(blob);
}

function noteFound({ findings }: DamagedWim, count: number): void {
	if (count > 0) findings.push(`${plural(count, 'file content')} found without a table`);
}

/** Searches all gaps of all parts, adds what was found to the candidates. @returns images that were found */
async function searchPass(
	damaged: DamagedWim,
	images: readonly SalvagedImage[],
	search: {
		readonly wanted: ReadonlySet<Sha1>;
		/** Resources that were recognised. */
		readonly known: readonly Resource[];
		readonly sizes: ReadonlyMap<Sha1, number>;
		readonly needsMetadata: boolean;
		readonly keepsWhenCanceled: boolean;
	},
	pool: Pool,
	run: Run,
): Promise<{
	images: SalvagedImage[];
	tentative: Tentative[];
	unexplained: Lost['unexplained'];
}> {
	const { wanted, known, sizes, needsMetadata } = search;
	const knownTrees = new Set(images.map(({ image }) => image.metadata.sha1));
	const found: SalvagedImage[] = [];
	let count = 0;
	const tentative: Tentative[] = [];
	const unexplained: Lost['unexplained'][number][] = [];
	const trees = images.flatMap(({ image, tree }) =>
		tree === null ? [] : [image.metadata.resource],
	);
	const isDoubted = doubted(images, wanted);
	const keepsWhenCanceled = search.keepsWhenCanceled;
	const quest = { wanted, sizes, needsMetadata, isDoubted, isQuick: false, keepsWhenCanceled };
	for (const part of damaged.parts) {
		const gaps = gapsOf(part, [...trees, ...known], isDoubted);
		const lost = await findLost(part, gaps, quest, pool, run);
		for (const blob of lost.blobs) addCandidate(damaged, blob);
		count += lost.blobs.length;
		for (const one of lost.tentative) tentative.push(one);
		for (const one of lost.unexplained) unexplained.push(one);
		for (const metadata of lost.metadata) {
			if (knownTrees.has(metadata.sha1)) continue;
			knownTrees.add(metadata.sha1);
			const name = `recovered ${images.length + found.length + 1}`;
			found.push(await readTree({ index: null, name, metadata }, run));
		}
	}
	if (found.length > 0)
		damaged.findings.push(`${plural(found.length, 'image')} found without a table`);
	noteFound(damaged, count);
	return { images: found, tentative, unexplained };
}

function without(names: ReadonlySet<Sha1>, others: ReadonlySet<Sha1>): Set<Sha1> {
	return new Set([...names].filter((name) => !others.has(name)));
}

/** Of a table that is damaged, every entry is tested: what is not as it says explains nothing. */
async function wrongEntries(
	damaged: DamagedWim,
	images: readonly SalvagedImage[],
	pool: Pool,
	run: Run,
): Promise<Set<Sha1>> {
	const wrong = new Set<Sha1>();
	const hasBroken = damaged.parts.some(({ survey }) =>
		survey.generations.some(({ table }) => table.brokenCount > 0),
	);
	if (!hasBroken && missingFrom(damaged, images).size === 0) return wrong;
	const blobs: Blob[] = [];
	for (const name of wantedBy(images)) {
		const blob = damaged.candidates.get(name)?.find(({ defect }) => defect === null);
		if (blob !== undefined) blobs.push(blob);
	}
	const totalBytes = blobs.reduce((sum, { size }) => sum + size, 0);
	run.report({ type: 'phase', phase: 'verify', totalBytes });
	const wanted = blobs.map((blob) => ({ blob }));
	await readBlobs(pool, wanted, { recover: false, verify: true }, run, (result) => {
		if (result.error !== null) wrong.add(result.wanted.blob.sha1);
	});
	return wrong;
}

/** When all trees are whole, an entry whose SHA-1 none of them names is a wrong one. */
function doubted(
	images: readonly SalvagedImage[],
	missing: ReadonlySet<Sha1>,
): (sha1: Sha1) => boolean {
	const named = wantedBy(images);
	for (const { image, tree } of images) if (tree !== null) named.add(image.metadata.sha1);
	const isSure = images.length > 0 && images.every(({ tree }) => tree !== null);
	return (sha1) => missing.has(sha1) || (isSure && !named.has(sha1));
}

/** As a search, but only where resources show themselves: the entries of these blobs have wrong sizes or places. */
async function seek(
	damaged: DamagedWim,
	images: readonly SalvagedImage[],
	names: ReadonlySet<Sha1>,
	sizes: ReadonlyMap<Sha1, number>,
	pool: Pool,
	run: Run,
): Promise<void> {
	const isDoubted = doubted(images, names);
	const quest = {
		wanted: names,
		sizes,
		needsMetadata: false,
		isDoubted,
		isQuick: true,
		keepsWhenCanceled: false,
	};
	const known = [...damaged.candidates]
		.filter(([name]) => !names.has(name))
		.flatMap(([, blobs]) => blobs.map(({ resource }) => resource));
	const trees = images.map(({ image }) => image.metadata.resource);
	for (const part of damaged.parts) {
		const gaps = gapsOf(part, [...trees, ...known], isDoubted);
		const lost = await findLost(part, gaps, quest, pool, run);
		for (const blob of lost.blobs) addCandidate(damaged, blob);
	}
}

/**
 * Salvages a WIM into a folder. Canceled while it searches it still writes what was found until then.
 *
 * @throws {FormatError} when nothing at all is left
 */
export async function salvage(
	path: string,
	folder: string,
	writerFor: WriterFor,
	options: SalvageOptions,
	asked: Run,
	pool: Pool = new InlinePool(),
): Promise<SalvageReport> {
	await using opened = await openSalvage(path, options.references, new Map(), asked, pool, true);
	const run = asked.signal.aborted ? { ...asked, signal: new AbortController().signal } : asked;
	const chosen = chooseImages(opened.images, options.image, path);
	const { damaged, wim } = opened;
	const seek = asked.signal.aborted ? async () => {} : opened.seek;
	const salvager = new SalvageWriter(writerFor, wim.blobs, damaged.candidates, seek, pool);
	const folders = folderNames(chosen);
	const target = PosixTarget.open(folder, options.dryRun);
	for (const [k, { tree, image }] of chosen.entries()) {
		if (tree === null) continue;
		const open: OpenImage = {
			wim,
			image: {
				index: image.index ?? k + 1,
				metadata: image.metadata,
				facts: wim.xml.facts(image.index ?? 0),
			},
			tree,
			digestFault: null,
		};
		const sub = folders[k] ?? '';
		await applyImage(
			open,
			sub === '' ? folder : `${folder}/${sub}`,
			salvager,
			extractOptions(options),
			run,
		);
	}
	const unnamed = options.dryRun
		? []
		: await writeUnnamed(
				opened,
				options.image === null ? opened.images : chosen,
				target,
				salvager,
				run,
			);
	const report = makeReport(path, folder, opened, chosen, folders, salvager, unnamed);
	if (!options.dryRun) writeReports(target, report);
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

function extractOptions(options: SalvageOptions) {
	return {
		unixData: options.unixData,
		includeInvalidNames: options.includeInvalidNames,
		acls: 'skip',
		attributes: false,
		recoverData: true,
		rpfix: false,
		dryRun: options.dryRun,
	} as const;
}

export function chooseImages(
	images: readonly SalvagedImage[],
	designation: string | null,
	path: string,
): readonly SalvagedImage[] {
	if (designation === null || designation === 'all') return images;
	const found = images.filter(
		({ image }) => String(image.index) === designation || image.name === designation,
	);
	if (found.length > 0) return found;
	throw new InputError(
		`Cannot choose image "${designation}" of "${path}": no such image was found`,
		{
			path,
			hint: `Found were: ${images.map(({ image }) => `${image.index ?? '-'} "${image.name}"`).join(', ') || 'none'}.`,
		},
	);
}

/** One image goes into the target itself, several into folders of their own. */
function folderNames(images: readonly SalvagedImage[]): string[] {
	if (images.length === 1) return [''];
	const used = new Set<string>();
	return images.map(({ image }, k) => {
		const wanted = isHarmlessName(image.name)
			? image.name
			: String(image.index ?? `image ${k + 1}`);
		let name = wanted;
		for (let n = 2; used.has(name.toLowerCase()); n++) name = `${wanted} (${n})`;
		used.add(name.toLowerCase());
		return name;
	});
}

/** Contents that no tree names go under their SHA-1. */
async function writeUnnamed(
	opened: OpenSalvage,
	images: readonly SalvagedImage[],
	target: PosixTarget,
	writer: SalvageWriter,
	run: Run,
): Promise<UnnamedFile[]> {
	const unnamed = await gatherUnnamed(opened, images, run);
	if (unnamed.length === 0) return [];
	target.makeFolder(UNNAMED_FOLDER);
	const files: UnnamedFile[] = [];
	const jobs: FileJob[] = [];
	for (const { blob, name, isProved, isRaw } of unnamed) {
		const path = `${UNNAMED_FOLDER}/${name}`;
		files.push({ path, sha1: blob.sha1, size: blob.size, isProved });
		jobs.push({ blob, files: [{ path: target.path(path), times: null, isSparse: isRaw }] });
	}
	writer.learn(unnamed.map(({ blob }) => blob));
	const failed = new Set<Sha1>();
	const sink = {
		fileWritten({ blob, error }: FileOutcome) {
			if (error !== null) failed.add(blob.sha1);
		},
		smallRead() {},
	};
	await writer.write({ files: jobs, small: [], recoverData: true }, sink, run);
	return files.filter(({ sha1 }) => !failed.has(sha1));
}

function makeReport(
	path: string,
	folder: string,
	opened: OpenSalvage,
	chosen: readonly SalvagedImage[],
	folders: readonly string[],
	writer: SalvageWriter,
	unnamed: readonly UnnamedFile[],
): SalvageReport {
	const partial: PartialFile[] = [];
	const lost: LostFile[] = [];
	const images: SalvagedImageReport[] = chosen.map(({ image, state, tree, notes }, k) => {
		const counts = { wholeCount: 0, partialCount: 0, lostCount: 0 };
		for (let dentry = 0; tree !== null && dentry < tree.count; dentry++)
			for (const { type, sha1, name } of tree.streams(dentry)) {
				if (type === 'reparse') continue;
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
				} else counts.wholeCount++;
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

export function whyLost({ damaged }: OpenSalvage): string {
	const { missingParts } = damaged;
	return missingParts.length > 0
		? `not found; it may be in part ${missingParts.join(', ')}, which is missing`
		: 'not found anywhere in the file';
}

/** Beside what was salvaged, under names that no image took. */
function writeReports(target: PosixTarget, report: SalvageReport): void {
	const write = (name: string, text: string) => {
		if (target.occupiedSize(name) === 0) target.makeFile(name, encodeWtf8(text));
	};
	write('wimdeck-salvage.txt', formatReport(report));
	write('wimdeck-salvage.json', `${JSON.stringify(report, null, '\t')}\n`);
}
