/** Opens a file to verify it, also one whose header or blob table is so damaged that reading has to search for them. */
import { FormatError, UnsupportedError, type WimError } from '../../base/errors.ts';
import { plural } from '../../base/print.ts';
import type { Run } from '../../base/run.ts';
import type { Pool } from '../../pool/pool.ts';
import type { OpenPart } from '../../wim/open-part.ts';
import { HEADER_SIZE } from '../../wim/part-header.ts';
import { RecoveryTools } from '../../wim/recover/recovery-tools.ts';
import { openWim, Wim } from '../../wim/wim.ts';
import { openDamaged } from '../salvage/open-damaged.ts';
import type { Range } from './verify-report.ts';

export interface OpenedForVerify extends AsyncDisposable {
	readonly wim: Wim;
	/** Why it could not be opened as its header says, and what was used instead; null when it could. */
	readonly failure: OpeningFailure | null;
}

export interface OpeningFailure {
	readonly error: WimError;
	readonly class: 'header' | 'blob-table';
	/** In the first part. */
	readonly range: Range;
	/** Images that the header counts; 0 when nobody could read it. */
	readonly imageCount: number;
	/** One sentence each. */
	readonly notes: readonly string[];
}

/** @throws {WimError} when nothing usable is left either */
export async function openForVerify(
	path: string,
	references: readonly string[],
	pool: Pool,
	run: Run,
): Promise<OpenedForVerify> {
	let failure: WimError;
	const recovery = new RecoveryTools(pool, run);
	try {
		const wim = await openWim(path, { references, tolerant: true });
		if (!isContradicted(wim)) return asItIs(wim);
		const searched = await bySearching(
			path,
			references,
			(found) => tableFailure(wim, found),
			recovery,
			run,
			new Set(wim.references.map(({ source }) => source.name)),
		);
		const isBetter =
			searched !== null &&
			searched.wim.images.length + searched.wim.blobs.size > wim.images.length + wim.blobs.size;
		if (isBetter) {
			await wim[Symbol.asyncDispose]();
			return searched;
		}
		await searched?.[Symbol.asyncDispose]();
		return asItIs(wim);
	} catch (error) {
		if (!(error instanceof FormatError || error instanceof UnsupportedError)) throw error;
		failure = error;
	}
	const range = { offset: 0, size: HEADER_SIZE };
	const searched = await bySearching(
		path,
		references,
		() => ({ error: failure, class: 'header', range, imageCount: 0, notes: hintsOf([failure]) }),
		recovery,
		run,
	);
	if (searched !== null) return searched;
	const transfers = recovery.transferFindings;
	if (transfers.length === 0 || !(failure instanceof FormatError)) throw failure;
	throw new FormatError(failure.message, { ...failure.facts, hint: `${transfers.join('. ')}.` });
}

function asItIs(wim: Wim): OpenedForVerify {
	return { wim, failure: null, [Symbol.asyncDispose]: () => wim[Symbol.asyncDispose]() };
}

/** The table is not where the header says, or not what it should be. */
function isContradicted({ first, images }: Wim): boolean {
	const { header, entries, xml, source } = first;
	// All images were deleted.
	const saysNothing = xml?.imageCount === 0 || source.size === HEADER_SIZE;
	if (header.imageCount === 0 && images.length === 0 && saysNothing) return false;
	return header.partNumber === 1 && (entries.length === 0 || images.length !== header.imageCount);
}

/** Where a table with all images was found elsewhere, the header is wrong; otherwise the table that it names is hurt. */
function tableFailure({ first, faults, images }: Wim, found: Wim): OpeningFailure {
	const { imageCount, blobTable } = first.header;
	const { offset, storedSize: size } = blobTable;
	const isElsewhere = found.first.header.blobTable.offset !== offset;
	const isHeader = isElsewhere && found.images.length === imageCount;
	const [error, ...others] = [
		...faults.filter(({ facts }) => facts.offset === offset),
		...(faults.length === 0
			? [
					new FormatError(
						`Cannot use the blob table where the header says it is: it lists metadata for ${plural(images.length, 'image')}, the header counts ${imageCount}`,
						{ path: first.source.name, offset },
					),
				]
			: []),
		...faults.filter(({ facts }) => facts.offset !== offset),
	] as [WimError, ...WimError[]];
	return {
		error,
		class: isHeader ? 'header' : 'blob-table',
		range: isHeader ? { offset: 0, size: HEADER_SIZE } : { offset, size },
		imageCount,
		notes: [...others.map(({ message }) => message), ...hintsOf([error])],
	};
}

const hintsOf = (errors: readonly WimError[]): string[] =>
	errors.flatMap(({ facts: { hint } }) => (hint === undefined ? [] : [hint]));

/** @param others names of files that are known to be no parts of the same set: their images are not those of this file */
async function bySearching(
	path: string,
	references: readonly string[],
	failureBy: (found: Wim) => OpeningFailure,
	recovery: RecoveryTools,
	run: Run,
	others: ReadonlySet<string> = new Set(),
): Promise<OpenedForVerify | null> {
	const damaged = await openDamaged(path, references, false, recovery, run);
	const all = damaged.parts.map(({ part }) => part);
	const isOther = ({ source }: OpenPart) => others.has(source.name);
	const parts = all.filter((part) => !isOther(part));
	if (damaged.images.length === 0 || parts.length === 0) {
		await damaged[Symbol.asyncDispose]();
		return null;
	}
	const wim = new Wim(path, parts, all.filter(isOther));
	const failure = failureBy(wim);
	const notes = [
		...failure.notes,
		'What follows was checked by what searching found.',
		...damaged.findings,
	];
	return {
		wim,
		failure: { ...failure, notes },
		[Symbol.asyncDispose]: () => damaged[Symbol.asyncDispose](),
	};
}
