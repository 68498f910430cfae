/** Makes one file of the parts of a set (wim.md §8.4). */
import path from 'node:path';
import { InputError, MissingError } from '../../base/errors.ts';
import type { Run } from '../../base/run.ts';
import { isSameFile } from '../../storage/find-files.ts';
import { freeSpace, requireSpace } from '../../storage/output-file.ts';
import { EarlyCopy } from '../../wim/early-copy.ts';
import type { Part } from '../../wim/resource.ts';
import { openWim } from '../../wim/wim.ts';
import { NewSession } from '../../wim/write-session.ts';
import type { RewriteSummary } from './delete.ts';
import { rebuiltSize } from './predict-size.ts';
import {
	COPYING,
	copyAhead,
	copyFurther,
	findPlain,
	planBlobs,
	reportMissing,
	selectImages,
	shapeLike,
	storeSelections,
} from './rebuild.ts';
import { planCompression, USUAL_COMPRESSION, type WriteTools } from './write-options.ts';

export interface JoinOptions {
	readonly integrity: boolean;
	readonly dryRun: boolean;
}

/**
 * @param parts in any order
 * @throws {MissingError} naming the parts that were not given
 */
export async function join(
	target: string,
	parts: readonly string[],
	options: JoinOptions,
	tools: WriteTools,
	run: Run,
): Promise<RewriteSummary> {
	const [first, ...others] = [...new Set(parts.map((part) => path.resolve(part)))];
	if (first === undefined) throw new InputError('Cannot join: no part was named');
	await using early = options.dryRun ? null : new EarlyCopy(target, expectedEnd, run);
	await using wim = await openWim(first, { references: others, ...(early ?? {}) });
	if (wim.missingParts.length > 0)
		throw new MissingError(
			`Cannot join: part ${wim.missingParts.join(', ')} of ${wim.header.partCount} was not given`,
			{ path: first, hint: 'Name all parts of the set.' },
		);
	for (const { source } of wim.parts)
		if (await isSameFile(source.name, target))
			throw new InputError(`Cannot join into "${target}": it is one of the parts`, {
				path: target,
				hint: 'Give the file another name.',
			});
	const [foreign] = wim.references;
	if (foreign !== undefined)
		throw new InputError(
			`Cannot join: "${foreign.source.name}" is no part of the set that "${parts[0]}" belongs to`,
			{ path: foreign.source.name, hint: 'Name the parts of one set only.' },
		);
	const shape = { ...shapeLike(wim), bootIndex: wim.header.partCount > 1 ? 0 : wim.bootIndex };
	const plan = planCompression(USUAL_COMPRESSION, wim);
	const xml = wim.xml.copy();
	const { integrity } = options;
	const settings = { level: plan.level, integrity, encoder: tools.encoder, foreign: new Map() };
	const begun = (await early?.take()) ?? null;
	const { file = target, ahead = null } = begun ?? {};
	const freeBytes = begun === null ? await freeSpace(target) : begun.freeBytes;
	await using session =
		early === null ? null : await NewSession.create(file, shape, xml, settings, run, ahead);
	if (session !== null) await copyAhead(session, wim, wim.images, freeBytes);
	if ((freeBytes ?? 0) > wim.size) copyFurther(ahead, wim);
	const plain = await findPlain(wim, shape, COPYING, run);
	const selection = await selectImages(wim, wim.images, run, false, undefined, plain);
	reportMissing(selection, first, run);
	const blobs = planBlobs(selection, shape, COPYING, () => false);
	const predicted = rebuiltSize({ selection, blobs, shape, xml, integrity, recompress: false });
	const summary: RewriteSummary = {
		sizeBefore: wim.size,
		sizeAfter: predicted.size,
		writtenBytes: predicted.size,
		freeBytes,
		isEstimate: predicted.isEstimate,
		imageCount: wim.images.length,
	};
	if (session === null) return summary;
	if (!predicted.isEstimate) requireSpace(target, predicted.size, freeBytes);
	await storeSelections(session, [{ ...selection, planned: blobs }], COPYING, plan, tools, run);
	const sizeAfter = await session.commit();
	return { ...summary, sizeAfter, writtenBytes: sizeAfter, isEstimate: false };
}

/** The first part of a set comes first, whole. */
function expectedEnd({ header }: Part): number {
	return header.partNumber === 1 ? header.blobTable.offset : 0;
}
