/**
 * Images of a damaged file of which no tree is left, from a donor that is the same file, or holds the same images: known by
 * its GUID, by its XML data, or by nothing but the contents that both hold.
 */
import type { Run } from '../../base/run.ts';
import { equalBytes } from '../../bytes/equal-bytes.ts';
import type { Sha1 } from '../../bytes/sha1.ts';
import { LargeChunks } from '../../pool/large-chunks.ts';
import type { Pool } from '../../pool/pool.ts';
import type { HeaderFields } from '../../wim/recover/recover-header.ts';
import type { RecoveredImage } from '../../wim/recover/recover-wim.ts';
import { RecoveryTools } from '../../wim/recover/recovery-tools.ts';
import type { PartSurvey } from '../../wim/recover/survey.ts';
import type { Blob } from '../../wim/resource.ts';
import type { ImageFacts } from '../../wim/xml-data.ts';
import type { Donor, Donors } from '../rescue/donors.ts';
import { surveyContents } from '../rescue/find-contents.ts';
import { type DamagedWim, isExpected, recoverAgain, withImages } from '../salvage/open-damaged.ts';
import type { Adopted, Relatives } from '../salvage/open-salvage.ts';
import { readTree, wantedBy } from '../salvage/read-trees.ts';
import type { ImagesFrom } from './report.ts';

/** Contents that are read to see whether they lie where the table of a donor says. */
const SAMPLE_COUNT = 32;
const SAMPLE_SIZE_MAX = 4 << 20;
/** Of a solid resource, whose first chunk has to be decoded for them. */
const SOLID_SAMPLE_COUNT = 4;

/** So many of the contents that are tried have to lie where the table of a donor says; and so many leave no doubt. */
const TWIN_SHARE = 0.5;
const SURE_SHARE = 0.9;

/** A damaged file with the tables of a donor. */
interface Twin {
	readonly damaged: DamagedWim;
	/** Of the contents that were tried, how many lie where these say, from 0 to 1. */
	readonly share: number;
}

/** An image of a donor under the index that it gets in the damaged file. */
interface Pick {
	readonly index: number;
	readonly image: DonorImage;
}

/** An image of a donor, its tree whole. */
interface DonorImage {
	readonly donor: Donor;
	readonly image: RecoveredImage;
	readonly index: number;
	readonly facts: ImageFacts;
	/** Everything that its tree names. */
	readonly names: ReadonlySet<Sha1>;
}

export class SameFile implements Relatives {
	readonly #donors: Donors;
	readonly #pool: Pool;
	readonly #recovery: RecoveryTools;
	readonly #run: Run;
	#images: Promise<readonly DonorImage[]> | null = null;
	#from: ImagesFrom | null = null;

	constructor(donors: Donors, pool: Pool, run: Run) {
		this.#donors = donors;
		this.#pool = pool;
		this.#run = run;
		this.#recovery = new RecoveryTools(pool, run);
	}

	/** Null when all images are those of the file itself. */
	get from(): ImagesFrom | null {
		return this.#from;
	}

	async names(): Promise<Set<Sha1>> {
		return new Set((await this.#donorImages()).flatMap(({ names }) => [...names]));
	}

	/** The trees of the donors, read when they are asked for. */
	#donorImages(): Promise<readonly DonorImage[]> {
		this.#images ??= this.#readDonors();
		return this.#images;
	}

	async #readDonors(): Promise<DonorImage[]> {
		const found: DonorImage[] = [];
		for (const donor of this.#donors.all)
			for (const image of donor.wim?.images ?? []) {
				const xml = donor.wim?.parts[0]?.part.xml ?? null;
				if (image.index === null || xml === null) continue;
				const read = await readTree(image, this.#run);
				if (read.state !== 'whole') continue;
				const { index } = image;
				found.push({ donor, image, index, facts: xml.facts(index), names: wantedBy([read]) });
			}
		return found;
	}

	offers(name: Sha1): boolean {
		return this.#donors.places(name).some(({ blob }) => blob.defect === null);
	}

	async byIdentity(damaged: DamagedWim): Promise<Adopted | null> {
		for (const donor of this.#donors.all) {
			const images = await this.#imagesOf(donor);
			if (donor.wim === null || images.length === 0) continue;
			const found = await this.#twin(damaged, donor.wim);
			const twin = found?.damaged ?? null;
			const own = ownFacts(damaged);
			if (own !== null) {
				const picks = own.flatMap(({ index, facts }) => {
					const image = images.find((one) => isSameImage(facts, one.facts));
					return image === undefined ? [] : [{ index, image }];
				});
				if (picks.length > 0) return this.#adopt(damaged, twin, picks, own.length, 'xml');
			}
			const header = ownHeader(damaged);
			if (header !== null && hasGuid(donor.wim, header.guid)) {
				const count = header.imageCount || images.length;
				return this.#adopt(damaged, twin, asPicks(images.slice(0, count)), count, 'guid');
			}
			// A file of another state would have its contents at other places, and perhaps a tree of its own.
			if (header === null && own === null && found !== null && found.share >= SURE_SHARE)
				return this.#adopt(damaged, twin, asPicks(images), images.length, 'contents');
		}
		return null;
	}

	async byContents(damaged: DamagedWim): Promise<Adopted | null> {
		for (const donor of this.#donors.all) {
			const images = await this.#imagesOf(donor);
			if (donor.wim === null || images.length === 0) continue;
			const twin = (await this.#twin(damaged, donor.wim))?.damaged ?? null;
			const picks = twin === null ? imagesOfContents(damaged, images) : images;
			if (picks === null) continue;
			const count = ownHeader(damaged)?.imageCount || picks.length;
			return this.#adopt(damaged, twin, asPicks(picks.slice(0, count)), count, 'contents');
		}
		return null;
	}

	async #imagesOf(donor: Donor): Promise<DonorImage[]> {
		return (await this.#donorImages()).filter((image) => image.donor === donor);
	}

	/**
	 * The damaged file with the tables of the donor, when contents lie where these say.
	 *
	 * @returns null when they do not
	 */
	async #twin(damaged: DamagedWim, donor: DamagedWim): Promise<Twin | null> {
		const surveys: PartSurvey[] = [];
		let isSame = false;
		for (const { part, survey } of damaged.parts) {
			const { partNumber, partCount } = part.header;
			const other = donor.parts.find(
				({ part: { header } }) =>
					header.partNumber === partNumber &&
					header.partCount === partCount &&
					header.imageCount > 0 === (partNumber === 1),
			);
			if (other === undefined) return null;
			surveys.push(mergeSurveys(survey, other.survey));
			isSame ||= isSameHeader(survey.header, other.survey.header);
		}
		const twin = await recoverAgain(damaged, surveys, this.#recovery, this.#run);
		const share = await this.#shareThere(twin);
		return isSame || share >= TWIN_SHARE ? { damaged: twin, share } : null;
	}

	/** Of the contents that are tried. */
	async #shareThere(twin: DamagedWim): Promise<number> {
		const lanes = new LargeChunks(this.#pool, this.#run.signal);
		const samples = samplesOf(twin);
		let good = 0;
		for (const blob of samples)
			try {
				if ((await surveyContents(blob, this.#run, lanes)).sha1 === blob.sha1) good++;
			} catch (error) {
				if (!isExpected(error)) throw error;
			}
		return good / Math.max(1, samples.length);
	}

	async #adopt(
		damaged: DamagedWim,
		twin: DamagedWim | null,
		picks: readonly Pick[],
		count: number,
		proof: ImagesFrom['proof'],
	): Promise<Adopted> {
		const donor = picks[0]?.image.donor;
		if (donor?.wim == null) throw new Error('Images come from a donor');
		const surveys = surveysWith(damaged, donor.wim, proof);
		const base = twin ?? (await recoverAgain(damaged, surveys, this.#recovery, this.#run));
		const images: RecoveredImage[] = [];
		let isLent = false;
		for (const {
			index,
			image: { image, facts },
		} of picks) {
			const name = facts.name || image.name;
			const own = base.images.find(({ metadata }) => metadata.sha1 === image.metadata.sha1);
			const isOwn = own !== undefined && (await readTree(own, this.#run)).state === 'whole';
			images.push({ index, name, metadata: isOwn ? own.metadata : image.metadata });
			isLent ||= !isOwn;
		}
		const taken = new Set(images.map(({ metadata }) => metadata.sha1));
		const others = base.images.filter(({ metadata }) => !taken.has(metadata.sha1));
		const adopted = withImages(base, [
			...images,
			...others.map((image) => ({ ...image, index: null })),
		]);
		const from = { donor: donor.path, proof, hasTables: twin !== null };
		if (isLent) this.#from = from;
		adopted.findings.push(...findingsOf(from, isLent, picks.length, count));
		return { damaged: adopted, isNewest: picks.length >= count };
	}
}

function asPicks(images: readonly DonorImage[]): Pick[] {
	return images.map((image) => ({ index: image.index, image }));
}

function findingsOf(
	{ donor, proof, hasTables }: ImagesFrom,
	isLent: boolean,
	has: number,
	count: number,
): string[] {
	const why = {
		guid: 'it has the same GUID',
		xml: 'its XML data tells the same of them',
		contents: 'most of what is left are contents of theirs',
	}[proof];
	const findings = isLent ? [`The images are those of "${donor}": ${why}`] : [];
	if (hasTables) findings.push(`Contents lie where the blob table of "${donor}" says`);
	if (isLent && proof === 'contents')
		findings.push('Nothing else tells which images the file held, nor that its names were these');
	if (has < count)
		findings.push(
			`The file held ${count} images; "${donor}" has ${has} of them, the others are lost`,
		);
	return findings;
}

/** Of the part with the images; null when it does not say who it is. */
function ownHeader({ parts }: DamagedWim): HeaderFields | null {
	const fields = parts.map(({ survey }) => survey.header);
	return (
		fields.find(({ magic, guid }) => magic !== null && guid.some((byte) => byte !== 0)) ?? null
	);
}

function hasGuid({ parts }: DamagedWim, guid: Uint8Array): boolean {
	return parts.some(({ survey }) => equalBytes(survey.header.guid, guid));
}

/** Both lead to the same tables of the same file. */
function isSameHeader(own: HeaderFields, other: HeaderFields): boolean {
	return (
		own.magic !== null &&
		equalBytes(own.guid, other.guid) &&
		own.blobTableOffset !== 0 &&
		own.blobTableOffset === other.blobTableOffset
	);
}

/** What the XML data of the file says of its images; null when there is none. */
function ownFacts({ parts }: DamagedWim): { index: number; facts: ImageFacts }[] | null {
	for (const { survey } of parts) {
		const xml = survey.xmls.at(-1)?.xml ?? null;
		if (xml === null) continue;
		const indexes = xml.indexes.filter((index) => index !== null);
		if (indexes.length > 0) return indexes.map((index) => ({ index, facts: xml.facts(index) }));
	}
	return null;
}

/** As many folders, files and bytes, captured at the same time. */
function isSameImage(a: ImageFacts, b: ImageFacts): boolean {
	return (
		a.creationTime !== null &&
		a.creationTime === b.creationTime &&
		a.directoryCount === b.directoryCount &&
		a.fileCount === b.fileCount &&
		a.totalBytes === b.totalBytes
	);
}

/** The tables of the donor before those that are left; of the header what it says itself where it is the same file. */
function mergeSurveys(own: PartSurvey, other: PartSurvey): PartSurvey {
	const [newest] = other.generations;
	const isSame = own.header.magic !== null && equalBytes(own.header.guid, other.header.guid);
	const generations = newest === undefined ? [] : [newest];
	return {
		...own,
		header: isSame ? filled(own.header, other.header) : other.header,
		isPipable: own.isPipable || other.isPipable,
		generations: [...generations, ...own.generations],
	};
}

/** The first fields, and those of the second where there is none. */
function filled(first: HeaderFields, second: HeaderFields): HeaderFields {
	const entries = Object.entries(first).map(([key, value]) => [
		key,
		value ?? second[key as keyof HeaderFields],
	]);
	return Object.fromEntries(entries) as HeaderFields;
}

/** With what the donor's XML data and header say of the images, where the own ones are lost. */
function surveysWith(
	{ parts }: DamagedWim,
	donor: DamagedWim,
	proof: ImagesFrom['proof'],
): PartSurvey[] {
	const first = donor.parts[0]?.survey;
	const xml = first?.generations[0]?.xml ?? null;
	return parts.map(({ survey }, k) => {
		if (k > 0 || first === undefined) return survey;
		const { flags, bootIndex } = first.header;
		const isLost = survey.header.magic === null;
		return {
			...survey,
			header: isLost ? { ...survey.header, flags, bootIndex } : survey.header,
			// It lies nowhere in this file.
			xmls: proof === 'xml' || xml === null ? survey.xmls : [{ ...xml, offset: 0, size: 0 }],
		};
	});
}

function samplesOf({ parts }: DamagedWim): Blob[] {
	const samples: Blob[] = [];
	const ofSolid = new Map<unknown, number>();
	for (const { part, candidates } of parts)
		for (const [blob] of candidates.values()) {
			if (blob === undefined || blob.size > SAMPLE_SIZE_MAX) continue;
			const { resource } = blob;
			const count = ofSolid.get(resource) ?? 0;
			if (resource.layout === 'solid') {
				if (resource.offset >= part.source.size || count >= SOLID_SAMPLE_COUNT) continue;
				ofSolid.set(resource, count + 1);
			} else if (resource.offset + resource.storedSize > part.source.size) continue;
			samples.push(blob);
		}
	const step = Math.max(1, samples.length / SAMPLE_COUNT);
	return Array.from(
		{ length: Math.min(SAMPLE_COUNT, samples.length) },
		(_, k) => samples[Math.floor(k * step)] as Blob,
	);
}

/** The fewest images that name all contents that were found; null unless these are most of what is left. */
function imagesOfContents(
	{ parts, candidates }: DamagedWim,
	images: readonly DonorImage[],
): DonorImage[] | null {
	const all = new Set(images.flatMap(({ names }) => [...names]));
	const proved = new Map<Sha1, number>();
	// No table: these were found by searching, each by its SHA-1.
	for (const [sha1, [blob]] of candidates)
		if (blob !== undefined && all.has(sha1)) proved.set(sha1, blob.resource.storedSize);
	if (parts.some(({ survey }) => survey.generations.length > 0)) return null;
	const left = parts.reduce((sum, { part }) => sum + part.source.size, 0);
	const bytes = [...proved.values()].reduce((sum, size) => sum + size, 0);
	if (bytes * 2 < left) return null;
	const picks: DonorImage[] = [];
	const open = new Set(proved.keys());
	while (open.size > 0) {
		const countOf = ({ names }: DonorImage) => [...open].filter((sha1) => names.has(sha1)).length;
		const best = images.reduce((a, b) => (countOf(b) > countOf(a) ? b : a));
		picks.push(best);
		for (const sha1 of best.names) open.delete(sha1);
	}
	return images.filter((image) => picks.includes(image));
}
