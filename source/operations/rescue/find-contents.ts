/**
 * Finds the right bytes of everything that images name: where the tables say, at other places of the same file, in donors,
 * by working out broken chunk tables, by trying flipped bits. What is found is proved by its SHA-1.
 */
import { FormatError, type WimError } from '../../base/errors.ts';
import type { Run } from '../../base/run.ts';
import { type Sha1, sha1Hasher } from '../../bytes/sha1.ts';
import { LargeChunks } from '../../pool/large-chunks.ts';
import type { Pool } from '../../pool/pool.ts';
import type { Content } from '../../storage/content.ts';
import type { Blob, Resource } from '../../wim/resource.ts';
import { readBlobs } from '../read/read-blobs.ts';
import type { Remedy } from '../repair/report.ts';
import { isExpected } from '../salvage/open-damaged.ts';
import { addRange, type Range, readDamaged } from '../salvage/read-damaged.ts';
import { DamagedContent } from './damaged-content.ts';
import { settlements } from './disputes.ts';
import type { Donor, Donors, Needed } from './donors.ts';
import type { Fate } from './mark-lost.ts';
import { type DamagedPlace, SplicedContent } from './spliced-content.ts';

/** Contents that have their SHA-1. */
export interface WholeContents {
	/** Original bytes. */
	readonly size: number;
	/** Stored like this, so that its resource may be copied; null when the bytes come in another way. */
	readonly blob: Blob | null;
	/** Null when `blob` is not. */
	readonly content: Content | null;
	/** Null when it was good where it should be. */
	readonly remedy: Remedy | null;
}

/** What is left of some contents, with zeros for what is not. */
export interface PartialContents {
	readonly content: Content;
	/** With the zeros. */
	readonly sha1: Sha1;
	/** Null when that is not known. */
	readonly badRanges: readonly Range[] | null;
}

/** A place in the file itself, or in a donor. */
interface SplicePlace extends DamagedPlace {
	readonly donor: Donor | null;
}

/** Places of some contents. */
interface Places {
	/** Those of which is known where they are damaged. */
	readonly damaged: SplicePlace[];
	/** Those of which some can be read; without bad ranges where nothing shows what is wrong. */
	readonly readable: SplicePlace[];
}

/** Contents that do not. */
export interface HurtContents {
	readonly size: number | null;
	readonly fate: Exclude<Fate, 'whole'>;
	/** The place of which most can be read; null when there is none. */
	readonly best: Blob | null;
	/** Stretches of `best` that cannot be read; null when that is not known. */
	readonly badRanges: readonly Range[] | null;
	/** What can be had, of `best` or of several places; null when it is nothing. */
	readonly left: PartialContents | null;
	/** A sentence without a final stop. */
	readonly why: string;
}

export interface Contents {
	readonly whole: Map<Sha1, WholeContents>;
	readonly hurt: Map<Sha1, HurtContents>;
	/** Solid resources all of whose bytes are known to be good. */
	readonly soundSolid: ReadonlySet<Resource>;
}

/** Tries to get contents back by flipping bits; gives what has the right SHA-1 then. */
export type BitSearch = (
	hurt: ReadonlyMap<Sha1, HurtContents>,
) => Promise<ReadonlyMap<Sha1, { readonly blob: Blob; readonly remedy: Remedy }>>;

export interface ContentsRequest {
	/** SHA-1s that the images name, with what is known of them. */
	readonly needed: ReadonlyMap<Sha1, Needed>;
	/** Every place in the file itself, the likeliest first. */
	readonly candidates: ReadonlyMap<Sha1, readonly Blob[]>;
	/** Candidates that the blob table should list and does not. */
	readonly unlisted: ReadonlySet<Blob>;
	readonly donors: Donors | null;
	readonly bitSearch: BitSearch | null;
	/** Why contents are nowhere, as the end of a sentence. */
	readonly whyMissing: string;
}

export async function findContents(
	request: ContentsRequest,
	pool: Pool,
	run: Run,
): Promise<Contents> {
	const finder = new Finder(request, pool, run);
	await finder.checkOwn();
	if (request.donors !== null) await finder.askDonors(request.donors);
	await finder.walk();
	if (request.bitSearch !== null && finder.hurt.size > 0)
		await finder.searchBits(request.bitSearch);
	await finder.fillPartial();
	return finder;
}

class Finder implements Contents {
	readonly whole = new Map<Sha1, WholeContents>();
	readonly hurt = new Map<Sha1, HurtContents>();
	readonly soundSolid = new Set<Resource>();
	readonly #request: ContentsRequest;
	readonly #pool: Pool;
	readonly #lanes: LargeChunks;
	readonly #run: Run;
	/** Of contents that are hurt: those of which some stretch can be read. */
	readonly #places = new Map<Sha1, readonly SplicePlace[]>();
	/** Why the first place of a blob is no good. */
	readonly #errors = new Map<Sha1, WimError>();

	constructor(request: ContentsRequest, pool: Pool, run: Run) {
		this.#request = request;
		this.#pool = pool;
		this.#lanes = new LargeChunks(pool, run.signal);
		this.#run = run;
	}

	#missing(): Needed[] {
		return [...this.#request.needed.values()].filter(({ sha1 }) => !this.whole.has(sha1));
	}

	/** Everything that the tables list is read: a wrong entry may name contents that are wanted under another SHA-1. */
	async checkOwn(): Promise<void> {
		const { needed, candidates } = this.#request;
		const good = new Map<Resource, number>();
		const entries = [...candidates].flatMap(([sha1, blobs]) =>
			needed.has(sha1) || blobs.some(({ resource }) => resource.layout === 'solid')
				? blobs.slice(0, 1)
				: [],
		);
		const check = (blob: Blob, sha1: Sha1 | null) => {
			if (sha1 === blob.sha1 && blob.resource.layout === 'solid')
				good.set(blob.resource, (good.get(blob.resource) ?? 0) + blob.size);
		};
		await this.#check(entries, 'blob-table', check);
		for (const [resource, size] of good)
			if (size === resource.originalSize) this.soundSolid.add(resource);
		for (let place = 1; ; place++) {
			const others = this.#missing().flatMap(({ sha1 }) => {
				const blob = candidates.get(sha1)?.[place];
				return blob === undefined ? [] : [blob];
			});
			if (others.length === 0) break;
			await this.#check(others, 'copy');
		}
		if (this.#missing().length === 0) return;
		const unclaimed = [...candidates]
			.filter(([sha1]) => !needed.has(sha1))
			.flatMap(([, blobs]) => blobs.filter(({ resource }) => resource.layout !== 'solid'));
		await this.#check(unclaimed, 'blob-table');
	}

	/** Reads blobs; whatever has a SHA-1 that is needed counts as found. */
	async #check(
		blobs: readonly Blob[],
		kind: 'copy' | 'blob-table',
		onRead: (blob: Blob, sha1: Sha1 | null) => void = () => {},
	): Promise<void> {
		if (blobs.length === 0) return;
		const totalBytes = blobs.reduce((sum, { size }) => sum + size, 0);
		this.#run.report({ type: 'phase', phase: 'verify', totalBytes });
		const wanted = blobs.map((blob) => ({ blob }));
		const options = { recover: false, verify: true };
		await readBlobs(this.#pool, wanted, options, this.#run, ({ wanted: { blob }, sha1, error }) => {
			onRead(blob, sha1);
			if (sha1 === null || sha1 !== blob.sha1) {
				if (error !== null && !this.#errors.has(blob.sha1)) this.#errors.set(blob.sha1, error);
			}
			if (sha1 === null || !this.#request.needed.has(sha1) || this.whole.has(sha1)) return;
			const isUnlisted = this.#request.unlisted.has(blob);
			const isAsListed = sha1 === blob.sha1 && kind === 'blob-table' && !isUnlisted;
			const from = blob.resource.part.source.name;
			const remedy = isAsListed
				? null
				: { kind: isUnlisted ? 'blob-table' : kind, from, offset: null };
			this.#found({ ...blob, sha1, defect: null }, remedy);
		});
	}

	#found(blob: Blob, remedy: Remedy | null): void {
		this.whole.set(blob.sha1, { size: blob.size, blob, content: null, remedy });
	}

	async askDonors(donors: Donors): Promise<void> {
		for (let place = 0; ; place++) {
			const offers = new Map(
				this.#missing().flatMap(({ sha1 }) => {
					const offer = donors.places(sha1)[place];
					return offer === undefined ? [] : [[offer.blob, offer.donor] as const];
				}),
			);
			if (offers.size === 0) break;
			const totalBytes = [...offers.keys()].reduce((sum, { size }) => sum + size, 0);
			this.#run.report({ type: 'phase', phase: 'verify', totalBytes });
			const wanted = [...offers.keys()].map((blob) => ({ blob }));
			const options = { recover: false, verify: true };
			await readBlobs(this.#pool, wanted, options, this.#run, ({ wanted: { blob }, error }) => {
				const donor = offers.get(blob);
				if (error !== null || donor === undefined) return;
				const from = blob.resource.part.source.name;
				this.#found({ ...blob, defect: null }, { kind: 'donor', from, offset: null });
				donors.credit(donor, blob.size);
			});
		}
		const missing = this.#missing();
		if (missing.length === 0) return;
		for (const [sha1, file] of await donors.search(missing, this.#pool, this.#run)) {
			const { content, donor, path: from } = file;
			const remedy: Remedy = { kind: 'donor', from, offset: null };
			this.whole.set(sha1, { size: content.size, blob: null, content, remedy });
			donors.credit(donor, content.size);
		}
	}

	/** Reads what is left chunk by chunk, past broken chunk tables; finds out which stretches are lost. */
	async walk(): Promise<void> {
		const missing = this.#missing();
		this.#run.report({ type: 'phase', phase: 'read', totalBytes: null });
		for (const { sha1, size } of missing) {
			let hurt: HurtContents | null = null;
			const places: Places = { damaged: [], readable: [] };
			for (const blob of this.#request.candidates.get(sha1) ?? []) {
				const read = await this.#walkBlob(blob);
				if (read === 'whole') break;
				if (hurt === null || badSize(read) < badSize(hurt)) hurt = read;
				addPlace(places, blob, read, null);
			}
			if (this.whole.has(sha1) || (await this.#splice(places, sha1))) continue;
			this.hurt.set(sha1, hurt ?? this.#nowhere(size));
			this.#places.set(sha1, places.damaged);
		}
	}

	#nowhere(size: number | null): HurtContents {
		const why = this.#request.whyMissing;
		return { size, fate: 'lost', best: null, badRanges: null, left: null, why };
	}

	async #walkBlob(blob: Blob): Promise<HurtContents | 'whole'> {
		const { sha1, size } = blob;
		const error = this.#errors.get(sha1);
		const lost = (why: string): HurtContents => ({
			size,
			fate: 'lost',
			best: blob,
			badRanges: [{ start: 0, end: size }],
			left: null,
			why,
		});
		try {
			const read = await surveyContents(blob, this.#run, this.#lanes);
			if (read.sha1 === sha1) {
				const from = blob.resource.part.source.name;
				const kind = read.isGuessed ? 'before-damage' : 'chunk-table';
				const remedy: Remedy = { kind, from, offset: null };
				const content = new DamagedContent(blob, this.#lanes, read.isGuessed);
				this.whole.set(sha1, { size, blob: null, content, remedy });
				return 'whole';
			}
			const why = error?.message ?? `its bytes hash to ${read.sha1}`;
			const badBytes = sizeOf(read.badRanges);
			if (badBytes >= size) return lost(why);
			const badRanges = read.badRanges.length === 0 ? null : read.badRanges;
			const content = new DamagedContent(blob, this.#lanes);
			const left = { content, sha1: read.sha1, badRanges };
			return { size, fate: 'partial', best: blob, badRanges, left, why };
		} catch (thrown) {
			if (!isExpected(thrown)) throw thrown;
			return lost((error ?? thrown).message);
		}
	}

	/**
	 * What is hurt in one place may be good in others: copies in the file, donors that are hurt elsewhere.
	 *
	 * @param places those in the file; those in donors are added
	 */
	async #splice(places: Places, sha1: Sha1): Promise<boolean> {
		const { damaged } = places;
		const own = [...damaged];
		if (own.length > 1 && (await this.#isWhole(own, sha1))) return true;
		const { donors } = this.#request;
		for (const { blob, donor } of donors?.places(sha1) ?? []) {
			if (blob.size !== ([...damaged, ...places.readable][0]?.blob ?? blob).size) continue;
			const read = await this.#walkBlob(blob);
			if (read === 'whole') {
				donors?.credit(donor, blob.size);
				return true;
			}
			const place = addPlace(places, blob, read, donor);
			if (place === null) continue;
			const lent = damaged.slice(own.length);
			// What decodes to wrong bytes spoils all that it is put together with: hence with and without the others.
			for (const some of lent.length === 1 ? [damaged] : [[...own, place], damaged, lent])
				if (await this.#isWhole(some, sha1)) return true;
		}
		return this.#settle(places.readable, sha1);
	}

	/** Where places differ, and none shows that it is wrong, each is tried. */
	async #settle(places: readonly SplicePlace[], sha1: Sha1): Promise<boolean> {
		const [first] = places;
		if (first === undefined) return false;
		const { size } = first.blob;
		const alike = places.filter(({ blob }) => blob.size === size);
		// What is good in no place stays lost, whoever is right elsewhere.
		if (alike.length < 2 || new SplicedContent(alike, size, null).badRanges.length > 0)
			return false;
		for await (const some of settlements(alike, size, this.#lanes, this.#run))
			if (await this.#isWhole(some, sha1)) return true;
		return false;
	}

	/** Whether the places give the contents together; then they count as found. */
	async #isWhole(places: readonly SplicePlace[], sha1: Sha1): Promise<boolean> {
		const [first] = places;
		if (first === undefined) return false;
		const { size } = first.blob;
		const content = new SplicedContent(places, size, this.#lanes);
		if (content.badRanges.length > 0 || (await content.digest(this.#run)) !== sha1) return false;
		const lenders = this.#credit(content);
		const from = lenders.join(' and ') || first.blob.resource.part.source.name;
		const kind = lenders.length > 0 ? 'donor' : 'copy';
		this.whole.set(sha1, { size, blob: null, content, remedy: { kind, from, offset: null } });
		return true;
	}

	/** Counts what donors give of contents that are put together. @returns their names */
	#credit({ given, badRanges }: SplicedContent<SplicePlace>): string[] {
		const names = new Set<string>();
		for (const [{ blob, donor }, size] of given) {
			if (donor === null) continue;
			this.#request.donors?.credit(donor, size, badRanges.length === 0 ? 1 : 0);
			names.add(blob.resource.part.source.name);
		}
		return [...names];
	}

	/** Contents that stay partial get what donors have of them. */
	async fillPartial(): Promise<void> {
		for (const [sha1, hurt] of this.hurt)
			this.hurt.set(sha1, await this.#filled(hurt, this.#places.get(sha1) ?? []));
	}

	/** As much as all places have together. */
	async #filled(hurt: HurtContents, places: readonly SplicePlace[]): Promise<HurtContents> {
		const [first] = places;
		if (first === undefined || places.every(({ donor }) => donor === null)) return hurt;
		const { size } = first.blob;
		const content = new SplicedContent(places, size, this.#lanes);
		const { badRanges } = content;
		const badBytes = sizeOf(badRanges);
		const before = hurt.left === null ? size : badSize(hurt);
		// Bytes that decode and are wrong, nobody knows where, are not made better by others.
		if (badBytes >= before || badRanges.length === 0) return hurt;
		const names = this.#credit(content);
		const why = `${hurt.why}; some of it is good in ${names.join(' and ')}`;
		const left = { content, sha1: await content.digest(this.#run), badRanges };
		return { ...hurt, size, fate: 'partial', left, why };
	}

	async searchBits(search: BitSearch): Promise<void> {
		for (const [sha1, { blob, remedy }] of await search(this.hurt)) {
			if (sha1 !== blob.sha1) throw new FormatError('A search gave other contents than asked for');
			this.#found(blob, remedy);
			this.hurt.delete(sha1);
		}
	}
}

/** @returns the place; null when nothing shows where it is damaged */
function addPlace(
	{ damaged, readable }: Places,
	blob: Blob,
	{ fate, badRanges }: HurtContents,
	donor: Donor | null,
): SplicePlace | null {
	const place = { blob, badRanges: badRanges ?? [], donor };
	if (fate === 'partial') readable.push(place);
	if (badRanges === null) return null;
	damaged.push(place);
	return place;
}

function badSize({ badRanges, size }: HurtContents): number {
	if (badRanges === null) return 0;
	return badRanges.length === 0 ? (size ?? 0) : sizeOf(badRanges);
}

function sizeOf(ranges: readonly Range[]): number {
	return ranges.reduce((sum, { start, end }) => sum + end - start, 0);
}

/** What reading a blob as far as possible gave. */
export interface Surveyed {
	readonly sha1: Sha1;
	readonly badRanges: readonly Range[];
	/** It is whole because it stands before the damage in its chunk. */
	readonly isGuessed: boolean;
}

/** Reads a blob as far as possible without keeping it. */
export async function surveyContents(
	blob: Blob,
	run: Run,
	lanes: LargeChunks | null = null,
): Promise<Surveyed> {
	const { resource, offsetInResource: from, size } = blob;
	const read = async (isTrusted: boolean) => {
		const hash = sha1Hasher();
		const badRanges: Range[] = [];
		let hasGuess = false;
		for await (const piece of readDamaged(resource, from, from + size, lanes)) {
			if (run.signal.aborted) break;
			const { start, bytes, isGood, guess } = piece;
			hash.update(isTrusted ? (guess ?? bytes) : bytes);
			hasGuess ||= guess !== null;
			if (!isGood) addRange(badRanges, start - from, start - from + bytes.length);
		}
		run.signal.throwIfAborted();
		return { sha1: hash.digest('hex'), badRanges, hasGuess };
	};
	const { sha1, badRanges, hasGuess } = await read(false);
	if (hasGuess && (await read(true)).sha1 === blob.sha1)
		return { sha1: blob.sha1, badRanges: [], isGuessed: true };
	return { sha1, badRanges, isGuessed: false };
}
