/**
 * Checks everything a WIM holds and never stops at the first fault: header, XML data, tables, the tree of every image,
 * every blob against its SHA-1, and the bytes against the integrity table. Each fault is traced to the files it hits.
 */
import { DigestError, FormatError, isFinding, MissingError, WimError } from '../../base/errors.ts';
import type { List } from '../../base/list.ts';
import { formatHex, plural } from '../../base/print.ts';
import { breathe, type Run } from '../../base/run.ts';
import { type Sha1, ZERO_SHA1 } from '../../bytes/sha1.ts';
import { Sha1Counts } from '../../bytes/sha1-counts.ts';
import { imageName, type OpenImage, openImage } from '../../image/open.ts';
import { pathOf } from '../../image/paths.ts';
import type { DentryPosition, ImageTree, Stream } from '../../image/tree.ts';
import type { Stamp } from '../../storage/file-stamp.ts';
import type { OpenPart } from '../../wim/open-part.ts';
import type { Blob, Resource } from '../../wim/resource.ts';
import type { Wim, WimImage } from '../../wim/wim.ts';
import { type BadStretch, compareWithTable, integrityBytes } from './integrity.ts';
import type { OpeningFailure } from './open-for-verify.ts';
import { type OwnBlobs, surveyOwnBlobs } from './own-blobs.ts';
import { ResourceSet } from './resource-set.ts';
import { otherPlaces } from './verify-copies.ts';
import { faultsIn, mapOf, overlaps, placeOf, resourceRange, storedRange } from './verify-map.ts';
import { pipableFaults } from './verify-pipable.ts';
import {
	type BlobCopy,
	type CellState,
	type Fault,
	FaultList,
	type HitFile,
	type PartReport,
	type Range,
	type VerifyReport,
} from './verify-report.ts';
import { type StructureFault, structureFaults } from './verify-structures.ts';
import { wrongCounts } from './verify-table.ts';
import { surveyHurtTree } from './verify-trees.ts';

export interface VerifyOptions {
	/** Compare with the integrity tables. */
	readonly integrity: boolean;
	/** Structures and integrity tables only. */
	readonly fast: boolean;
	/** Why the file could not be opened as its header says; null when it could. */
	readonly failure?: OpeningFailure | null;
	/** What the files were like when they were opened. */
	readonly files?: readonly Stamp[];
	/** Told of each stretch of a part whose contents were read and have their SHA-1. */
	readonly onGood?: (part: string, range: Range) => void;
}

/** How one blob was found. */
export interface BlobVerdict {
	readonly blob: Blob;
	/** Null when it has its SHA-1. */
	readonly error: WimError | null;
	/** Original bytes of the blob that could not be had; null when that is not known. */
	readonly lost: readonly Range[] | null;
}

/** Reads blobs and compares their SHA-1. */
export interface BlobChecker {
	/**
	 * Reports original bytes as they come.
	 *
	 * @throws {CanceledError}
	 */
	check(blobs: List<Blob>, onVerdict: (verdict: BlobVerdict) => void, run: Run): Promise<void>;
}

/** Faults and oddities of one tree that are told one by one; more of them are told as a number. */
const TREE_FAULTS_MAX = 200;

/** What the reader says of counts that contradict each other: `structureFaults` tells it with its place. */
const COUNTS = /^(The header counts|There is metadata for|The XML data describes) /;

const READS_FROM_DISK =
	'The file can be read from a disk all the same, but not from a pipe: write it anew with wimdeck optimize.';

const MAY_BE_THERE =
	'Its entry in the blob table may be all that is lost: wimdeck salvage looks for its bytes.';

/** Dentries between two pauses: some ms of work. */
const SLICE = 1024;

/**
 * Verifies an open WIM.
 *
 * @param wim opened tolerantly, so that its faults are still there to be told
 * @param onFault told of each fault at once, and again when the files it hits are known
 */
export async function verify(
	wim: Wim,
	options: VerifyOptions,
	checker: BlobChecker,
	run: Run,
	onFault: (fault: Fault) => void = () => {},
): Promise<VerifyReport> {
	const verification = new Verification(wim, options, run, onFault);
	await verification.reportOpening();
	await verification.readImages();
	// Small trees end before their first pause.
	await breathe(run);
	await verification.checkPipable();
	if (!options.fast) await verification.checkBlobs(checker);
	const stretches = options.integrity ? await verification.compareTables() : [];
	await verification.nameFiles(stretches);
	return verification.report();
}

interface IntegrityResult {
	readonly state: PartReport['integrity'];
	readonly bad: readonly BadStretch[];
}

class Verification {
	readonly #wim: Wim;
	readonly #options: VerifyOptions;
	readonly #run: Run;
	readonly #faults: FaultList;
	/** Trees that can be read, though perhaps with faults. */
	readonly #readable: WimImage[] = [];
	/** What is left of the trees that cannot be read: only good for naming files. */
	readonly #hurtTrees = new Map<number, ImageTree>();
	#imagesRead = 0;
	/** Blobs that trees refer to and no table lists. */
	readonly #missing = new Set<Sha1>();
	/** The fault of each bad or missing blob. */
	readonly #faultOf = new Map<Sha1, number>();
	readonly #badResources = new ResourceSet();
	readonly #checkedResources = new ResourceSet();
	readonly #badStructures = new Map<OpenPart, Range[]>();
	readonly #integrity = new Map<OpenPart, IntegrityResult>();
	#blobs: OwnBlobs | null = null;
	#blobsChecked = 0;
	#blobsBad = 0;
	#blobBytesChecked = 0;
	#integrityBytes = 0;

	constructor(wim: Wim, options: VerifyOptions, run: Run, onFault: (fault: Fault) => void) {
		this.#wim = wim;
		this.#options = options;
		this.#run = run;
		this.#faults = new FaultList(onFault);
	}

	/** Tells what opening the file showed. */
	async reportOpening(): Promise<void> {
		const wim = this.#wim;
		this.#run.report({ type: 'phase', phase: 'open', totalBytes: null });
		const told = new Set<string>();
		this.#openingFailure();
		for (const part of [...wim.parts, ...wim.references])
			for (const error of part.faults) {
				told.add(error.message);
				this.#structureFault(part, error);
			}
		for (const number of wim.missingParts)
			this.#error(
				new MissingError(`Part ${number} of ${wim.header.partCount} is not there`, {
					hint: 'Pass it with --ref="GLOB".',
				}),
				'missing-part',
			);
		for (const fault of await structureFaults(wim, this.#run)) this.#contradiction(fault);
		for (const { message, region, offset } of wim.warnings)
			if (!told.has(message) && !COUNTS.test(message)) this.#oddity(message, region, offset);
	}

	#openingFailure(): void {
		const { failure = null } = this.#options;
		if (failure === null) return;
		const { error, class: faultClass, range, notes } = failure;
		const { first } = this.#wim;
		this.#badStructure(first, range);
		this.#error(error, faultClass, { part: first.source.name, range, notes });
	}

	#contradiction({ error, class: faultClass, severity, part, range }: StructureFault): void {
		if (severity === 'error' && range !== null) this.#badStructure(part, range);
		const facts = { part: part.source.name, range, severity };
		if (severity === 'error') this.#error(error, faultClass, facts);
		else {
			this.#run.report({ type: 'warning', message: error.message, path: part.source.name });
			this.#faults.add(error, { class: faultClass, ...facts });
		}
	}

	/** What only readers from a pipe need. */
	async checkPipable(): Promise<void> {
		for (const part of this.#wim.parts) {
			if (!part.pipable) continue;
			let count = 0;
			try {
				for await (const fault of pipableFaults(part, this.#options.fast, this.#run)) {
					this.#badStructure(part, fault.range);
					if (++count > TREE_FAULTS_MAX) continue;
					const { range, sha1 } = fault;
					const notes = [READS_FROM_DISK];
					this.#error(fault.error, 'pipable', { part: part.source.name, range, sha1, notes });
				}
			} catch (error) {
				if (!isFinding(error)) throw error;
				this.#error(error, 'pipable', { part: part.source.name });
			}
			if (count > TREE_FAULTS_MAX)
				this.#oddity(plural(count - TREE_FAULTS_MAX, 'more fault'), part.source.name, null);
		}
	}

	#structureFault(part: OpenPart, error: WimError): void {
		const { xml, blobTable } = part.header;
		const offset = error.facts.offset;
		const places = [
			['xml', xml],
			['blob-table', blobTable],
		] as const;
		// An error inside the text counts in characters, and says so by its region.
		const place = error.facts.region?.startsWith('XML data')
			? places[0]
			: places.find(
					([, header]) =>
						offset !== undefined &&
						overlaps({ offset, size: 1 }, { offset: header.offset, size: header.storedSize }),
				);
		const range =
			place === undefined ? null : { offset: place[1].offset, size: place[1].storedSize };
		if (range !== null) this.#badStructure(part, range);
		this.#run.report({ type: 'problem', error });
		this.#faults.add(error, {
			class: place?.[0] ?? 'header',
			part: part.source.name,
			range: range ?? (offset === undefined ? null : { offset, size: 0 }),
		});
	}

	#badStructure(part: OpenPart, range: Range): void {
		const ranges = this.#badStructures.get(part) ?? [];
		ranges.push(range);
		this.#badStructures.set(part, ranges);
	}

	#error(error: WimError, faultClass: Fault['class'], facts: Partial<Fault> = {}): Fault {
		this.#run.report({ type: 'problem', error });
		return this.#faults.add(error, { class: faultClass, ...facts });
	}

	#oddity(message: string, region: string, offset: number | null): void {
		const known = this.#wim.parts.some(({ source }) => source.name === region);
		this.#run.report({ type: 'warning', message, path: region });
		this.#faults.add(new FormatError(message, { region, ...(offset === null ? {} : { offset }) }), {
			class: 'oddity',
			severity: 'warning',
			part: known ? region : null,
			range: known && offset !== null ? { offset, size: 0 } : null,
			notes: known ? [] : [`In ${region}${offset === null ? '' : ` at ${formatHex(offset)}`}`],
		});
	}

	/** Reads the tree of every image and notes which blobs are missing. */
	async readImages(): Promise<void> {
		const { images } = this.#wim;
		const totalBytes = images.reduce((sum, { metadata }) => sum + metadata.size, 0);
		this.#run.report({ type: 'phase', phase: 'read', totalBytes });
		for (const image of images) {
			this.#run.report({ type: 'item', path: imageName(this.#wim, image) });
			const open = await this.#openImage(image);
			if (open !== null) {
				this.#readable.push(image);
				this.#imageFaults(open);
				await this.#visitStreams(open.tree, (_, { sha1 }) => {
					if (!this.#wim.blobs.has(sha1)) this.#missing.add(sha1);
				});
			}
			this.#run.report({ type: 'advance', bytes: image.metadata.size });
		}
		const notes = this.#options.failure ? [MAY_BE_THERE] : [];
		for (const sha1 of this.#missing) {
			const error = this.#wim.missingBlob(sha1);
			this.#faultOf.set(sha1, this.#error(error, 'missing-blob', { sha1, notes }).id);
		}
	}

	/** Calls `visit` for every nonempty stream, in slices, so that the calling thread stays alive. */
	async #visitStreams(
		tree: ImageTree,
		visit: (dentry: DentryPosition, stream: Stream) => void,
	): Promise<void> {
		for (let dentry = 0; dentry < tree.count; dentry++) {
			for (const stream of tree.streams(dentry))
				if (stream.sha1 !== ZERO_SHA1) visit(dentry, stream);
			if (dentry % SLICE === SLICE - 1) await breathe(this.#run);
		}
	}

	async #openImage(image: WimImage): Promise<OpenImage | null> {
		const { resource } = image.metadata;
		try {
			return await openImage(this.#wim, image, { tolerant: true }, () => breathe(this.#run));
		} catch (error) {
			if (!isFinding(error)) throw error;
			this.#badResources.add(resource);
			const { lost, tree, notes } = await surveyHurtTree(image, this.#run);
			if (tree !== null) this.#hurtTrees.set(image.index, tree);
			this.#error(error, 'metadata', {
				...placeOf(resource),
				sha1: image.metadata.sha1,
				blobSize: image.metadata.size,
				lost,
				images: [image.index],
				blocksImage: true,
				notes: [...(error.facts.hint === undefined ? [] : [error.facts.hint]), ...notes],
			});
			return null;
		}
	}

	#imageFaults({ image, tree, digestFault }: OpenImage): void {
		const { resource, sha1, size } = image.metadata;
		const facts: Partial<Fault> = {
			...placeOf(resource),
			sha1,
			blobSize: size,
			images: [image.index],
		};
		const errors = [...(digestFault === null ? [] : [digestFault]), ...tree.faults];
		if (errors.length > 0) this.#badResources.add(resource);
		else this.#imagesRead++;
		this.#checkedResources.add(resource);
		for (const error of errors.slice(0, TREE_FAULTS_MAX)) this.#error(error, 'metadata', facts);
		const where = `metadata resource of ${imageName(this.#wim, image)}`;
		for (const { message, offset } of tree.warnings.slice(0, TREE_FAULTS_MAX))
			this.#oddity(message, where, offset);
		const more = [
			[errors.length, 'more fault'],
			[tree.warnings.length, 'more oddity', 'more oddities'],
		] as const;
		for (const [count, one, many] of more)
			if (count > TREE_FAULTS_MAX)
				this.#oddity(plural(count - TREE_FAULTS_MAX, one, many), where, null);
	}

	/** Reads every blob of every part and compares its SHA-1. */
	async checkBlobs(checker: BlobChecker): Promise<void> {
		const { size: totalBytes, usable, defective } = await this.#own();
		this.#run.report({ type: 'phase', phase: 'verify', totalBytes });
		for (const blob of defective) {
			this.#blobsChecked++;
			this.#badBlob(
				blob,
				new FormatError(`Cannot read blob ${blob.sha1}: ${blob.defect}`, {
					path: blob.resource.part.source.name,
					offset: blob.resource.offset,
				}),
				[{ offset: 0, size: blob.size }],
			);
		}
		const bad: Blob[] = [];
		await checker.check(
			usable,
			({ blob, error, lost }) => {
				this.#blobsChecked++;
				this.#blobBytesChecked += blob.size;
				this.#checkedResources.add(blob.resource);
				if (error === null) {
					this.#options.onGood?.(blob.resource.part.source.name, storedRange(blob));
					return;
				}
				this.#badBlob(blob, error, lost);
				bad.push(blob);
			},
			this.#run,
		);
		await this.#checkCopies(bad, checker);
	}

	/** The blobs of the set itself: what references lend is checked only where it replaces something. */
	async #own(): Promise<OwnBlobs> {
		this.#blobs ??= await surveyOwnBlobs(this.#wim, this.#run);
		return this.#blobs;
	}

	#badBlob(blob: Blob, error: WimError, lost: readonly Range[] | null): void {
		const { resource, sha1, size } = blob;
		this.#blobsBad++;
		this.#badResources.add(resource);
		const fault = this.#error(error, 'blob', {
			...placeOf(resource),
			sha1,
			blobSize: size,
			lost,
		});
		this.#faultOf.set(sha1, fault.id);
	}

	/** Looks whether contents that are damaged in one place are whole in another. */
	async #checkCopies(bad: readonly Blob[], checker: BlobChecker): Promise<void> {
		if (bad.length === 0) return;
		const found = otherPlaces(this.#wim, bad);
		const copies = new Map<Sha1, BlobCopy[]>();
		const quiet: Run = {
			...this.#run,
			report: (event) => {
				if (event.type === 'item') this.#run.report(event);
			},
		};
		await checker.check(
			found,
			({ blob, error }) => {
				const { part, offset } = blob.resource;
				const list = copies.get(blob.sha1) ?? [];
				list.push({ part: part.source.name, offset, isGood: error === null });
				copies.set(blob.sha1, list);
			},
			quiet,
		);
		for (const { sha1 } of bad) {
			const id = this.#faultOf.get(sha1);
			if (id !== undefined)
				this.#faults.extend(id, { copies: copies.get(sha1) ?? [], copiesSought: true });
		}
	}

	/** Compares the parts with their integrity tables; gives the stretches that differ. */
	async compareTables(): Promise<readonly BadStretch[]> {
		const { parts } = this.#wim;
		const tables = [];
		for (const part of parts) {
			try {
				const table = await this.#wim.integrityTable(part);
				if (table === null) this.#integrity.set(part, { state: 'none', bad: [] });
				else tables.push({ part, table });
			} catch (error) {
				if (!(error instanceof WimError)) throw error;
				const { offset, storedSize: size } = part.header.integrity;
				this.#badStructure(part, { offset, size });
				this.#error(error, 'integrity-table', {
					part: part.source.name,
					range: { offset, size },
					severity: 'error',
				});
			}
		}
		const totalBytes = tables.reduce((sum, { table }) => sum + integrityBytes(table), 0);
		this.#run.report({ type: 'phase', phase: 'integrity', totalBytes });
		const stretches: BadStretch[] = [];
		for (const { part, table } of tables) {
			const { bad, checkedBytes } = await compareWithTable(part, table, this.#run);
			this.#integrityBytes += checkedBytes;
			await this.#checkCounts(part, bad);
			this.#integrity.set(part, { state: bad.length === 0 ? 'good' : this.#judge(part, bad), bad });
			stretches.push(...bad);
		}
		return stretches;
	}

	/** Of a blob table that lies in what differs, every field must be proven before it is called good. */
	async #checkCounts(part: OpenPart, bad: readonly BadStretch[]): Promise<void> {
		const { offset, storedSize: size } = part.header.blobTable;
		const range = { offset, size };
		if (!bad.some((stretch) => overlaps(stretch, range) && this.#isDataGood(part, stretch))) return;
		const references = new Sha1Counts();
		for (const image of this.#wim.images) {
			const tree = await this.#treeForNames(image);
			if (tree !== null) await this.#visitStreams(tree, (_, { sha1 }) => references.add(sha1, 1));
		}
		const error = await wrongCounts(part, references, this.#run);
		if (error === null) return;
		this.#badStructure(part, range);
		const notes = error.facts.hint === undefined ? [] : [error.facts.hint];
		this.#error(error, 'blob-table', { part: part.source.name, range, notes });
	}

	/** Whether what differs from the table is used and bad, or everything in it was read and is good. */
	#judge(part: OpenPart, bad: readonly BadStretch[]): 'bad' | 'stale' {
		return bad.every((stretch) => this.#isDataGood(part, stretch)) ? 'stale' : 'bad';
	}

	#isDataGood(part: OpenPart, stretch: Range): boolean {
		// What searching found need not be all that lies there.
		if (this.#options.failure) return false;
		const structures = this.#badStructures.get(part) ?? [];
		if (structures.some((range) => overlaps(range, stretch))) return false;
		return part.table.resources
			.filter((resource) => overlaps(resourceRange(resource), stretch))
			.every(
				(resource) => this.#checkedResources.has(resource) && !this.#badResources.has(resource),
			);
	}

	/** Names the files that each fault hits, and tells the stretches that differ from the integrity table. */
	async nameFiles(stretches: readonly BadStretch[]): Promise<void> {
		const suspects = this.#reportStretches(stretches);
		const wanted = new Set<Sha1>([...this.#faultOf.keys(), ...suspects.keys()]);
		if (wanted.size === 0) return;
		const hits = new Map<number, HitFile[]>();
		this.#run.report({ type: 'phase', phase: 'search', totalBytes: null });
		for (const image of this.#wim.images) {
			const tree = await this.#treeForNames(image);
			if (tree === null) continue;
			await this.#visitStreams(tree, (dentry, { sha1, name }) => {
				if (!wanted.has(sha1)) return;
				const path = pathOf(tree, dentry) + (name === '' ? '' : `:${name}`);
				const own = this.#faultOf.get(sha1);
				const ids = [...(own === undefined ? [] : [own]), ...(suspects.get(sha1) ?? [])];
				for (const id of ids) {
					const list = hits.get(id) ?? [];
					list.push({ image: image.index, path });
					hits.set(id, list);
				}
			});
		}
		for (const [id, files] of hits)
			this.#faults.extend(id, { files, images: [...new Set(files.map(({ image }) => image))] });
	}

	async #treeForNames(image: WimImage): Promise<ImageTree | null> {
		if (!this.#readable.includes(image)) return this.#hurtTrees.get(image.index) ?? null;
		const pause = () => breathe(this.#run);
		return (await openImage(this.#wim, image, { tolerant: true }, pause)).tree;
	}

	/** One fault a stretch; gives the blobs that lie in unchecked ones, with the faults they belong to. */
	#reportStretches(stretches: readonly BadStretch[]): Map<Sha1, number[]> {
		const suspects = new Map<Sha1, number[]>();
		for (const { part, offset, size } of stretches) {
			const range = { offset, size };
			const isGood = this.#isDataGood(part, range);
			const what = `${plural(size, 'byte')} at ${formatHex(offset)} differ from the integrity table`;
			const message = isGood
				? `${what}, but everything that is used there is good: the table is stale`
				: what;
			const error = new DigestError(message, { path: part.source.name, offset });
			if (isGood) this.#run.report({ type: 'warning', message, path: part.source.name });
			else this.#run.report({ type: 'problem', error });
			const fault = this.#faults.add(error, {
				class: 'integrity',
				severity: isGood ? 'warning' : 'error',
				part: part.source.name,
				range,
				notes: isGood
					? ['Write the file anew with wimdeck optimize --check to get a right table.']
					: this.#options.fast
						? []
						: faultsIn(this.#faults.all, part.source.name, range),
			});
			if (isGood || !this.#options.fast) continue;
			for (const blob of part.table.blobs.values())
				if (overlaps(resourceRange(blob.resource), range)) {
					const ids = suspects.get(blob.sha1) ?? [];
					ids.push(fault.id);
					suspects.set(blob.sha1, ids);
				}
		}
		return suspects;
	}

	async report(): Promise<VerifyReport> {
		const wim = this.#wim;
		const blobs = await this.#own();
		const stateOf = (resource: Resource): CellState => {
			if (this.#badResources.has(resource)) return 'bad';
			return this.#checkedResources.has(resource) ? 'good' : 'unchecked';
		};
		const parts: PartReport[] = [];
		for (const part of wim.parts) {
			const bad = this.#badStructures.get(part) ?? [];
			parts.push({
				path: part.source.name,
				partNumber: part.header.partNumber,
				size: part.source.size,
				integrity: this.#integrity.get(part)?.state ?? 'unchecked',
				map: await mapOf(part, stateOf, bad, this.#run),
			});
		}
		return {
			type: 'verify-report',
			path: wim.name,
			files: this.#options.files ?? [],
			faults: this.#faults.all,
			parts,
			coverage: {
				blobs: blobs.count,
				blobsChecked: this.#blobsChecked,
				blobsBad: this.#blobsBad,
				blobBytes: blobs.size,
				blobBytesChecked: this.#blobBytesChecked,
				images: Math.max(
					wim.images.length,
					wim.header.imageCount,
					this.#options.failure?.imageCount ?? 0,
				),
				imagesRead: this.#imagesRead,
				integrityBytes: this.#integrityBytes,
			},
			isFast: this.#options.fast,
		};
	}
}
