/** Opens a damaged WIM, reads its trees, and looks for the blobs that no table places (wim.md §13). */
import { plural } from '../../base/print.ts';
import type { Run } from '../../base/run.ts';
import type { Sha1 } from '../../bytes/sha1.ts';
import { InlinePool, type Pool } from '../../pool/pool.ts';
import { nothingLeft } from '../../wim/recover/survey.ts';
import type { Blob, Resource } from '../../wim/resource.ts';
import type { Wim } from '../../wim/wim.ts';
import { readBlobs } from '../read-blobs.ts';
import { findLost, gapsOf, type Lost, type Tentative } from './find-lost.ts';
import { type DamagedWim, openDamaged } from './open-damaged.ts';
import { missingFrom, readTree, type SalvagedImage, wantedBy } from './read-trees.ts';

/** A damaged WIM whose trees were read and whose lost blobs were looked for. */
export interface OpenSalvage extends AsyncDisposable {
	readonly damaged: DamagedWim;
	readonly images: readonly SalvagedImage[];
	/** The best known place of every blob. */
	readonly wim: Wim;
	readonly findings: readonly string[];
	/** Resources whose SHA-1 nobody asked for, as they are if they end where it is likeliest: in all ways that are. */
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
			others: tentative.flatMap(({ ends, likelyCount }) => ends.slice(0, likelyCount)),
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
