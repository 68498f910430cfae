/** Opens a damaged WIM, reads its trees, and looks for the blobs that no table places (wim.md §13). */
import { plural } from '../../base/print.ts';
import type { Run } from '../../base/run.ts';
import type { Sha1 } from '../../bytes/sha1.ts';
import { InlinePool, type Pool } from '../../pool/pool.ts';
import { RecoveryTools } from '../../wim/recover/recovery-tools.ts';
import { nothingLeft } from '../../wim/recover/survey.ts';
import type { Blob, Resource } from '../../wim/resource.ts';
import type { Wim } from '../../wim/wim.ts';
import { readBlobs } from '../read/read-blobs.ts';
import { findLost, type Lost, type Tentative } from './find-lost.ts';
import { gapsOf } from './gaps.ts';
import { type DamagedWim, openDamaged } from './open-damaged.ts';
import { missingFrom, readTree, type SalvagedImage, unplaced, wantedBy } from './read-trees.ts';

/** A damaged WIM whose trees were read and whose lost blobs were looked for. */
export interface OpenSalvage extends AsyncDisposable {
	readonly damaged: DamagedWim;
	readonly images: readonly SalvagedImage[];
	/** Those that no table names. */
	readonly unlistedImages: readonly SalvagedImage[];
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

/** A damaged WIM with images from elsewhere. */
export interface Adopted {
	readonly damaged: DamagedWim;
	/** As many images as the file held, as far as it tells. */
	readonly isNewest: boolean;
}

/** Files that may be what a damaged one was before, and lend it their trees. */
export interface Relatives {
	/** Everything that their images name. */
	names(): Promise<ReadonlySet<Sha1>>;
	/** Whether a table lists these contents; they may be damaged there. */
	offers(name: Sha1): boolean;
	/** By what the file still says of itself; null when that tells nothing. */
	byIdentity(damaged: DamagedWim): Promise<Adopted | null>;
	/** By the contents that were found in it. */
	byContents(damaged: DamagedWim): Promise<Adopted | null>;
}

/**
 * Opens, searches, reads all trees.
 *
 * @param sizes of blobs by SHA-1, from donors; may be empty
 * @param keepsWhenCanceled once the trees are known, canceling ends only the search; what was found until then counts
 * @param relatives lend trees where no newest one is left
 */
export async function openSalvage(
	path: string,
	references: readonly string[],
	sizes: ReadonlyMap<Sha1, number>,
	run: Run,
	pool: Pool = new InlinePool(),
	keepsWhenCanceled = false,
	relatives: Relatives | null = null,
): Promise<OpenSalvage> {
	const recovery = new RecoveryTools(pool, run);
	const first = await openDamaged(path, references, false, recovery, run);
	const search = new Search(first, { sizes, keepsWhenCanceled, relatives, recovery }, pool, run);
	try {
		await search.readTrees();
		if (!search.isGood()) await search.all(path, references);
		if (search.isEmpty()) throw nothingLeft(path, search.damaged.parts[0]?.survey.header);
		search.tellWhatIsMissing();
		return search.result();
	} catch (error) {
		await search.damaged[Symbol.asyncDispose]();
		throw error;
	}
}

interface SearchOptions {
	readonly sizes: ReadonlyMap<Sha1, number>;
	readonly keepsWhenCanceled: boolean;
	readonly relatives: Relatives | null;
	readonly recovery: RecoveryTools;
}

/** What is known of a damaged file while it is looked through. */
class Search {
	damaged: DamagedWim;
	#images: SalvagedImage[] = [];
	readonly #unlisted: SalvagedImage[] = [];
	#tentative: readonly Tentative[] = [];
	#unexplained: Lost['unexplained'] = [];
	/** What trees name, and is not where an entry says. */
	#wrong: ReadonlySet<Sha1> = new Set();
	/** What no tree names, and is not where an entry says: something else lies there. */
	#disproved: ReadonlySet<Sha1> = new Set();
	#isNewest: boolean;
	#isAdopted = false;
	readonly #options: SearchOptions;
	readonly #pool: Pool;
	readonly #run: Run;

	constructor(damaged: DamagedWim, options: SearchOptions, pool: Pool, run: Run) {
		this.damaged = damaged;
		this.#isNewest = isNewestKnown(damaged);
		this.#options = options;
		this.#pool = pool;
		this.#run = run;
	}

	async readTrees(): Promise<void> {
		const images: SalvagedImage[] = [];
		for (const image of this.damaged.images) images.push(await readTree(image, this.#run));
		// A damaged entry may call the contents of a file an image.
		const contents = wantedBy(images);
		this.#images = images.filter(
			({ image: { metadata }, tree }) => tree !== null || !contents.has(metadata.sha1),
		);
	}

	#lacksTables(): boolean {
		return !isNewestKnown(this.damaged) || lacksEntries(this.damaged);
	}

	/** The tables are whole, the trees too, and everything that these name has a place. */
	isGood(): boolean {
		const images = this.#images;
		return (
			!this.#lacksTables() &&
			images.length > 0 &&
			images.every(({ state }) => state === 'whole') &&
			missingFrom(this.damaged, images).size === 0
		);
	}

	isEmpty(): boolean {
		return (
			this.damaged.candidates.size === 0 &&
			this.#images.length === 0 &&
			this.#tentative.length === 0 &&
			this.#unexplained.length === 0
		);
	}

	/** Looks through the whole file. */
	async all(path: string, references: readonly string[]): Promise<void> {
		const { relatives, recovery } = this.#options;
		if (!this.damaged.parts.every(({ survey }) => survey.isScanned)) {
			await this.damaged[Symbol.asyncDispose]();
			this.damaged = await openDamaged(path, references, true, recovery, this.#run);
			await this.readTrees();
		}
		if (relatives !== null && this.#lacksTables())
			await this.#adopt(await relatives.byIdentity(this.damaged));
		await this.#testEntries();
		// Without a tree nobody knows what to look for: the trees come first.
		const lacksTree =
			(this.#isAdopted ? !this.#isNewest : this.#lacksTables()) ||
			this.#images.length === 0 ||
			this.#images.some(({ state }) => state !== 'whole');
		if (lacksTree) {
			await this.#pass(wantedBy(this.#images), true);
			// Only a tree tells which entries name nothing.
			if (this.#unlisted.length > 0) await this.#testEntries();
		}
		const isUnknown = this.#images.length === 0 && relatives !== null;
		await this.#pass(isUnknown ? await relatives.names() : wantedBy(this.#images), false);
		if (isUnknown) await this.#adopt(await relatives.byContents(this.damaged));
	}

	async #testEntries(): Promise<void> {
		({ named: this.#wrong, others: this.#disproved } = await wrongEntries(
			this.damaged,
			this.#images,
			this.#pool,
			this.#run,
		));
	}

	async #adopt(adopted: Adopted | null): Promise<void> {
		if (adopted === null) return;
		const { candidates, findings } = this.damaged;
		this.damaged = adopted.damaged;
		for (const [name, blobs] of candidates)
			if (!this.damaged.candidates.has(name)) this.damaged.candidates.set(name, blobs);
		const known = new Set(this.damaged.findings);
		this.damaged.findings.unshift(...findings.filter((finding) => !known.has(finding)));
		this.#isNewest = adopted.isNewest;
		this.#isAdopted = true;
		await this.readTrees();
	}

	async #pass(names: ReadonlySet<Sha1>, needsMetadata: boolean): Promise<void> {
		const known = recognise(this.damaged, unplaced(this.damaged, names), this.#tentative);
		const wanted = new Set([...unplaced(this.damaged, names), ...this.#wrong]);
		if (!needsMetadata && wanted.size === 0) return;
		// What can be had from elsewhere is worth no long search.
		const { relatives, sizes } = this.#options;
		const isQuick =
			!needsMetadata && relatives !== null && [...wanted].every((name) => relatives.offers(name));
		const keepsWhenCanceled = this.#options.keepsWhenCanceled && !needsMetadata;
		const disproved = this.#disproved;
		const search = { wanted, disproved, known, sizes, needsMetadata, isQuick, keepsWhenCanceled };
		const found = await searchPass(this.damaged, this.#images, search, this.#pool, this.#run);
		this.#images = [...this.#images.map((one) => found.mended.get(one) ?? one), ...found.images];
		this.#unlisted.push(...found.images);
		this.#isNewest ||= found.images.length > 0;
		this.#tentative = found.tentative;
		this.#unexplained = found.unexplained;
	}

	tellWhatIsMissing(): void {
		const { damaged } = this;
		const images = this.#images;
		if (this.#run.signal.aborted)
			damaged.findings.push(
				'The search was canceled before its end: what it had not found yet counts as lost',
			);
		if (!this.#isNewest && images.length > 0 && !this.#isAdopted)
			damaged.findings.push('The newest state of the file is lost; the images are of an older one');
		const lacking = lackingImages(damaged, images);
		if (lacking > 0 && Number.isFinite(lacking)) {
			this.#isNewest = false;
			damaged.findings.push(
				`${plural(lacking, 'image')} that the header counts ${lacking === 1 ? 'is' : 'are'} lost`,
			);
		}
	}

	result(): OpenSalvage {
		const { damaged } = this;
		const images = this.#images;
		const best = new Map<Sha1, Blob>();
		for (const [sha1, blobs] of damaged.candidates) {
			const blob = blobs.find(({ defect }) => defect === null) ?? blobs[0];
			if (blob !== undefined) best.set(sha1, { ...blob, defect: null });
		}
		return {
			damaged,
			images,
			unlistedImages: this.#unlisted,
			wim: damaged.compose(best),
			findings: damaged.findings,
			others: this.#tentative.flatMap(({ ends, likelyCount }) => ends.slice(0, likelyCount)),
			unexplained: this.#unexplained,
			isNewest: this.#isNewest,
			seek: (names) =>
				seek(
					damaged,
					images,
					without(names, this.#wrong),
					this.#disproved,
					this.#options.sizes,
					this.#pool,
					this.#run,
				),
			[Symbol.asyncDispose]: () => damaged[Symbol.asyncDispose](),
		};
	}
}

/** Of the part with the images; one that nothing is left of may say that it is the first. */
function isNewestKnown({ parts }: DamagedWim): boolean {
	const firsts = parts.filter(({ part }) => part.header.partNumber <= 1);
	return firsts.length === 0 || firsts.some(({ survey }) => survey.isNewestKnown);
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

/** How many images header or XML data count beyond those, where a damaged table may have named them; Infinity if none tells. */
function lackingImages({ parts }: DamagedWim, images: readonly unknown[]): number {
	const counts = parts.flatMap(({ part, survey: { header, generations } }) => {
		const [newest] = generations;
		if (newest === undefined || part.header.partNumber > 1) return [];
		// Of a table that was found by searching nobody knows what stood before its first good entry.
		const inXml = newest.xml?.xml.indexes.length ?? 0;
		const inHeader = header.imageCount ?? Number.POSITIVE_INFINITY;
		return [newest.table.brokenCount > 0 ? Math.max(inHeader, inXml) : inXml];
	});
	return Math.max(0, ...counts) - images.length;
}

/**
 * Finds out which resources are wanted now that trees were found.
 *
 * @returns the resources of those that are
 */
function recognise(
	damaged: DamagedWim,
	wanted: ReadonlySet<Sha1>,
	tentative: readonly Tentative[],
): Resource[] {
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
		readonly disproved: ReadonlySet<Sha1>;
		/** Resources that were recognised. */
		readonly known: readonly Resource[];
		readonly sizes: ReadonlyMap<Sha1, number>;
		readonly needsMetadata: boolean;
		/** Only where resources show themselves. */
		readonly isQuick: boolean;
		readonly keepsWhenCanceled: boolean;
	},
	pool: Pool,
	run: Run,
): Promise<{
	images: SalvagedImage[];
	/** Those whose metadata is whole at a place that no entry names. */
	mended: ReadonlyMap<SalvagedImage, SalvagedImage>;
	tentative: Tentative[];
	unexplained: Lost['unexplained'];
}> {
	const { wanted, known, sizes, needsMetadata, isQuick } = search;
	const knownTrees = new Set(images.map(({ image }) => image.metadata.sha1));
	const found: SalvagedImage[] = [];
	let count = 0;
	const tentative: Tentative[] = [];
	const unexplained: Lost['unexplained'][number][] = [];
	const trees = images.flatMap(({ image, state }) =>
		state === 'whole' ? [image.metadata.resource] : [],
	);
	// Their entries may have a wrong place or size, and the tree be whole.
	const hurt = new Map(
		images.flatMap((one) => (one.state === 'whole' ? [] : [[one.image.metadata.sha1, one]])),
	);
	const mended = new Map<SalvagedImage, SalvagedImage>();
	const disproved = new Set([...search.disproved, ...hurt.keys()]);
	const isDoubted = doubted(images, wanted, disproved);
	const keepsWhenCanceled = search.keepsWhenCanceled;
	const quest = { wanted, sizes, needsMetadata, isDoubted, isQuick, keepsWhenCanceled };
	for (const part of damaged.parts) {
		const gaps = gapsOf(part, [...trees, ...known], isDoubted);
		const lost = await findLost(part, gaps, quest, pool, run);
		for (const blob of lost.blobs) addCandidate(damaged, blob);
		count += lost.blobs.length;
		for (const one of lost.tentative) tentative.push(one);
		for (const one of lost.unexplained) unexplained.push(one);
		for (const metadata of lost.metadata) {
			const before = hurt.get(metadata.sha1);
			if (before !== undefined)
				mended.set(before, await readTree({ ...before.image, metadata }, run));
			if (knownTrees.has(metadata.sha1) || isKnownPlace(metadata, images)) continue;
			knownTrees.add(metadata.sha1);
			const name = `recovered ${images.length + found.length + 1}`;
			found.push(await readTree({ index: null, name, metadata }, run));
		}
	}
	if (found.length > 0)
		damaged.findings.push(`${plural(found.length, 'image')} found without a table`);
	noteFound(damaged, count);
	if (mended.size > 0)
		damaged.findings.push(
			`The metadata of ${plural(mended.size, 'image')} found, which the blob table places wrongly`,
		);
	return { images: found, mended, tentative, unexplained };
}

/** A tree was read from there, though not with its SHA-1. */
function isKnownPlace({ resource }: Blob, images: readonly SalvagedImage[]): boolean {
	return images.some(
		({ tree, image: { metadata } }) =>
			tree !== null &&
			metadata.resource.part.source === resource.part.source &&
			metadata.resource.offset === resource.offset,
	);
}

function without(names: ReadonlySet<Sha1>, others: ReadonlySet<Sha1>): Set<Sha1> {
	return new Set([...names].filter((name) => !others.has(name)));
}

interface WrongEntries {
	/** Of those, what trees name. */
	readonly named: ReadonlySet<Sha1>;
	readonly others: ReadonlySet<Sha1>;
}

/** Of a table that is damaged, every entry is tested: what is not as it says explains nothing. */
async function wrongEntries(
	damaged: DamagedWim,
	images: readonly SalvagedImage[],
	pool: Pool,
	run: Run,
): Promise<WrongEntries> {
	const named = new Set<Sha1>();
	const others = new Set<Sha1>();
	const hasBroken = damaged.parts.some(({ survey }) =>
		survey.generations.some(({ table }) => table.brokenCount > 0),
	);
	const isLacking = missingFrom(damaged, images).size > 0;
	if (!hasBroken && !isLacking) return { named, others };
	const names = wantedBy(images);
	const blobs: Blob[] = [];
	for (const [name, places] of damaged.candidates) {
		if (!names.has(name) && !isLacking) continue;
		const blob = places.find(({ defect }) => defect === null);
		if (blob !== undefined) blobs.push(blob);
	}
	const totalBytes = blobs.reduce((sum, { size }) => sum + size, 0);
	run.report({ type: 'phase', phase: 'verify', totalBytes });
	const wanted = blobs.map((blob) => ({ blob }));
	await readBlobs(pool, wanted, { recover: false, verify: true }, run, (result) => {
		if (result.error === null) return;
		const { sha1 } = result.wanted.blob;
		(names.has(sha1) ? named : others).add(sha1);
	});
	return { named, others };
}

/** When all trees are whole, an entry whose SHA-1 none of them names is a wrong one. */
function doubted(
	images: readonly SalvagedImage[],
	missing: ReadonlySet<Sha1>,
	disproved: ReadonlySet<Sha1>,
): (sha1: Sha1) => boolean {
	const named = wantedBy(images);
	for (const { image, tree } of images) if (tree !== null) named.add(image.metadata.sha1);
	const isSure = images.length > 0 && images.every(({ tree }) => tree !== null);
	return (sha1) => missing.has(sha1) || disproved.has(sha1) || (isSure && !named.has(sha1));
}

/** As a search, but only where resources show themselves: the entries of these blobs have wrong sizes or places. */
async function seek(
	damaged: DamagedWim,
	images: readonly SalvagedImage[],
	names: ReadonlySet<Sha1>,
	disproved: ReadonlySet<Sha1>,
	sizes: ReadonlyMap<Sha1, number>,
	pool: Pool,
	run: Run,
): Promise<void> {
	const isDoubted = doubted(images, names, disproved);
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
