/** Opens a file to verify it, also one whose header or blob table is so damaged that reading has to search for them. */
import { FormatError, UnsupportedError, type WimError } from '../base/errors.ts';
import type { Run } from '../base/run.ts';
import { openWim, Wim } from '../wim/wim.ts';
import { openDamaged } from './salvage/open-damaged.ts';

export interface OpenedForVerify extends AsyncDisposable {
	readonly wim: Wim;
	/** Why it could not be opened as its header says, and what was used instead; null when it could. */
	readonly failure: OpeningFailure | null;
}

export interface OpeningFailure {
	readonly error: WimError;
	readonly notes: readonly string[];
}

/** @throws {WimError} when nothing usable is left either */
export async function openForVerify(
	path: string,
	references: readonly string[],
	run: Run,
): Promise<OpenedForVerify> {
	let failure: WimError;
	try {
		const wim = await openWim(path, { references, tolerant: true });
		const contradiction = tableContradiction(wim);
		if (contradiction === null)
			return { wim, failure: null, [Symbol.asyncDispose]: () => wim[Symbol.asyncDispose]() };
		const searched = await bySearching(path, references, contradiction, run);
		const isBetter =
			searched !== null &&
			searched.wim.images.length + searched.wim.blobs.size > wim.images.length + wim.blobs.size;
		if (isBetter) {
			await wim[Symbol.asyncDispose]();
			return searched;
		}
		await searched?.[Symbol.asyncDispose]();
		return { wim, failure: null, [Symbol.asyncDispose]: () => wim[Symbol.asyncDispose]() };
	} catch (error) {
		if (!(error instanceof FormatError || error instanceof UnsupportedError)) throw error;
		failure = error;
	}
	const searched = await bySearching(path, references, failure, run);
	if (searched === null) throw failure;
	return searched;
}

/** The table is not where the header says, or not what it should be. */
function tableContradiction({ first, faults, images }: Wim): WimError | null {
	const { header, entries } = first;
	if (header.partNumber !== 1 || (entries.length > 0 && images.length === header.imageCount))
		return null;
	return (
		faults[0] ??
		new FormatError(
			`Cannot use the blob table where the header says it is: it lists metadata for ${images.length} images, the header counts ${header.imageCount}`,
			{ path: first.source.name, offset: header.blobTable.offset },
		)
	);
}

async function bySearching(
	path: string,
	references: readonly string[],
	error: WimError,
	run: Run,
): Promise<OpenedForVerify | null> {
	const damaged = await openDamaged(path, references, false, run);
	if (damaged.images.length === 0) {
		await damaged[Symbol.asyncDispose]();
		return null;
	}
	const wim = new Wim(
		path,
		damaged.parts.map(({ part }) => part),
		[],
	);
	const notes = ['What follows was checked by what searching found.', ...damaged.findings];
	return {
		wim,
		failure: { error, notes },
		[Symbol.asyncDispose]: () => damaged[Symbol.asyncDispose](),
	};
}
