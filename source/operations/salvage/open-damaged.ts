/**
 * Opens what is left of a WIM: surveys every part that is there and puts a WIM together that the ordinary operations can
 * read, with every place where a blob may be.
 */
import { WimError } from '../../base/errors.ts';
import { plural } from '../../base/print.ts';
import type { Run } from '../../base/run.ts';
import { type Sha1, ZERO_SHA1 } from '../../bytes/sha1.ts';
import { FileSource } from '../../storage/file-source.ts';
import { findFiles, firstPartName, isFile, partName } from '../../storage/find-files.ts';
import type { Source } from '../../storage/source.ts';
import {
	type RecoveredImage,
	type RecoveredPart,
	recoverPart,
} from '../../wim/recover/recover-wim.ts';
import type { RecoveryTools } from '../../wim/recover/recovery-tools.ts';
import { type PartSurvey, surveyPart } from '../../wim/recover/survey.ts';
import type { Blob } from '../../wim/resource.ts';
import { Wim } from '../../wim/wim.ts';

/** A damaged WIM, as far as it could be opened. */
export interface DamagedWim extends AsyncDisposable {
	readonly name: string;
	readonly parts: readonly RecoveredPart[];
	readonly images: readonly RecoveredImage[];
	/** Every place where a blob may be, the likeliest first. */
	readonly candidates: Map<Sha1, Blob[]>;
	/** Those of the candidates that were found by searching, though the newest blob table is there: its entries are wrong. */
	readonly unlisted: Set<Blob>;
	/** Sentences without a final stop. */
	readonly findings: string[];
	/** Numbers of parts that are not there. */
	readonly missingParts: readonly number[];
	/** A WIM of these parts whose blobs are the given ones. */
	compose(blobs: ReadonlyMap<Sha1, Blob>): Wim;
}

/** Parts are looked for by name up to this number when no header tells how many there are. */
const PART_GUESS_MAX = 99;

/**
 * @param path of any part
 * @param references patterns of further parts
 * @param scanAll looks for older generations too
 * @param recovery of this file, which remember what they worked out
 */
export async function openDamaged(
	path: string,
	references: readonly string[],
	scanAll: boolean,
	recovery: RecoveryTools,
	run: Run,
): Promise<DamagedWim> {
	const sources: Source[] = [];
	const close = async () => {
		for (const source of sources) await source[Symbol.asyncDispose]();
	};
	try {
		const surveys: PartSurvey[] = [];
		const open = async (name: string) => {
			const file = await FileSource.open(name);
			sources.push(file);
			const { source, findings } = await recovery.straightened(file);
			sources[sources.length - 1] = source;
			const survey = await surveyPart(source, scanAll, run);
			surveys.push({ ...survey, findings: [...findings, ...survey.findings] });
			return survey;
		};
		for (const name of await otherParts(path, await open(path), references)) await open(name);
		return damagedWim(path, await recoverParts(surveys, recovery, run), close);
	} catch (error) {
		await close();
		throw error;
	}
}

/** The same files, opened by what other surveys say of their parts. */
export async function recoverAgain(
	damaged: DamagedWim,
	surveys: readonly PartSurvey[],
	recovery: RecoveryTools,
	run: Run,
): Promise<DamagedWim> {
	const parts = await recoverParts(surveys, recovery, run);
	return damagedWim(damaged.name, parts, async () => damaged[Symbol.asyncDispose]());
}

export function withImages(damaged: DamagedWim, images: readonly RecoveredImage[]): DamagedWim {
	return { ...damaged, images };
}

async function recoverParts(
	surveys: readonly PartSurvey[],
	recovery: RecoveryTools,
	run: Run,
): Promise<RecoveredPart[]> {
	const parts: RecoveredPart[] = [];
	let known: { compression: RecoveredPart['part']['compression']; chunkSize: number } | null = null;
	for (const survey of bestFirst(surveys)) {
		const part: RecoveredPart = await recoverPart(survey, known, recovery, run);
		parts.push(part);
		if (known === null && part.part.compression !== 'none') known = part.part;
	}
	return parts.sort((a, b) => a.part.header.partNumber - b.part.header.partNumber);
}

/** Parts with a good header teach the others. */
function bestFirst(surveys: readonly PartSurvey[]): PartSurvey[] {
	const score = ({ header, generations }: PartSurvey) =>
		(header.compression !== null ? 2 : 0) + (generations.length > 0 ? 1 : 0);
	return [...surveys].sort((a, b) => score(b) - score(a));
}

async function otherParts(
	path: string,
	survey: PartSurvey,
	references: readonly string[],
): Promise<string[]> {
	const names = new Set<string>();
	const number =
		survey.header.part?.number ?? survey.generations[0]?.table.entries[0]?.partNumber ?? 1;
	const count =
		survey.header.part?.count ?? (path.toLowerCase().endsWith('.swm') ? PART_GUESS_MAX : 1);
	const first = firstPartName(path, number);
	if (first !== null && count > 1)
		for (let k = 1; k <= count; k++) {
			const name = partName(first, k);
			if (k !== number && (await isFile(name))) names.add(name);
			else if (k !== number && survey.header.part === null) break;
		}
	for (const pattern of references) for (const name of await findFiles(pattern)) names.add(name);
	names.delete(path);
	return [...names];
}

function damagedWim(
	name: string,
	parts: readonly RecoveredPart[],
	close: () => Promise<void>,
): DamagedWim {
	const candidates = new Map<Sha1, Blob[]>();
	for (const part of parts)
		for (const [sha1, blobs] of part.candidates)
			candidates.set(sha1, [...(candidates.get(sha1) ?? []), ...blobs]);
	const findings = parts.flatMap(({ findings: own, part }) =>
		parts.length === 1 ? own : own.map((finding) => `${part.source.name}: ${finding}`),
	);
	const count = Math.max(...parts.map(({ part }) => part.header.partCount));
	const foreign = foreignParts(name, parts);
	for (const { part } of foreign)
		findings.push(
			`${part.source.name} is a part of another set; of what it holds only contents with the right SHA-1 are taken`,
		);
	const numbers = new Set(
		parts.flatMap((one) => (foreign.includes(one) ? [] : [one.part.header.partNumber])),
	);
	const missingParts = Array.from({ length: count }, (_, k) => k + 1).filter(
		(k) => !numbers.has(k),
	);
	if (missingParts.length > 0)
		findings.push(
			`${plural(missingParts.length, 'part')} of the set missing: ${missingParts.join(', ')}`,
		);
	return {
		name,
		parts,
		images: parts.flatMap(({ images }) => images),
		candidates,
		unlisted: new Set(),
		findings,
		missingParts,
		compose(blobs) {
			const opened = parts.map(({ part }, k) =>
				k === 0
					? { ...part, table: { ...part.table, blobs } }
					: { ...part, table: { ...part.table, blobs: new Map<Sha1, Blob>() } },
			);
			return new Wim(name, opened, []);
		},
		[Symbol.asyncDispose]: close,
	};
}

/** Parts whose GUID is another than that of the part that was named, and not by damage: so is their XML data. */
function foreignParts(name: string, parts: readonly RecoveredPart[]): RecoveredPart[] {
	const identityOf = ({ survey: { header, generations } }: RecoveredPart) => ({
		guid: (header.part?.count ?? 1) > 1 ? header.guid : null,
		// Every part of a set has the XML data of the file that was split.
		total: generations[0]?.xml?.xml.totalBytes ?? null,
	});
	const given = parts.find(({ part }) => part.source.name === name);
	if (given === undefined) return [];
	const own = identityOf(given);
	return parts.filter((one) => {
		const { guid, total } = identityOf(one);
		if (guid === null || own.guid === null || total === null || own.total === null) return false;
		return total !== own.total && guid.some((byte, k) => byte !== own.guid?.[k]);
	});
}

/** True for what a damaged file may throw while it is read; anything else is a defect. */
export function isExpected(error: unknown): error is WimError {
	return error instanceof WimError && error.code !== 'canceled';
}

/** A metadata resource that no table names. */
export function unnamedMetadata(blob: Omit<Blob, 'sha1'>, position: number): RecoveredImage {
	return {
		index: null,
		name: `recovered ${position}`,
		metadata: { sha1: ZERO_SHA1, ...blob },
	};
}
