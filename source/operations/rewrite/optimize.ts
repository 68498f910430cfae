/** Writes a WIM anew without its holes, if asked for with another compression (wim.md §9.4). */
import type { Run } from '../../base/run.ts';
import { freeSpace, requireSpace } from '../../storage/output-file.ts';
import { EditableWim } from '../../wim/write-session.ts';
import type { RewriteSummary } from './delete.ts';
import { rebuiltSize } from './predict-size.ts';
import {
	expectRecoding,
	findPlain,
	planBlobs,
	replacingSession,
	reportMissing,
	selectImages,
	shapeLike,
	solidLike,
	storeSelections,
} from './rebuild.ts';
import {
	type CompressionRequest,
	planCompression,
	requireWritable,
	type WriteTools,
} from './write-options.ts';

export interface OptimizeOptions {
	readonly compression: CompressionRequest;
	/** Compress everything anew, also where nothing would change. */
	readonly recompress: boolean;
	/** Null: as the file is. */
	readonly pipable: boolean | null;
	/** Null: as the file has it. */
	readonly integrity: boolean | null;
	readonly dryRun: boolean;
}

export async function optimize(
	target: string,
	options: OptimizeOptions,
	tools: WriteTools,
	run: Run,
): Promise<RewriteSummary> {
	await using edited = await EditableWim.open(target, run, options.dryRun);
	const { wim } = edited;
	const plan = planCompression(options.compression, wim);
	const isPipable = options.pipable ?? wim.isPipable;
	requireWritable({ isPipable, isStream: false, plan, integrity: false });
	const shape = {
		...shapeLike(wim),
		compression: plan.compression,
		chunkSize: plan.chunkSize,
		isPipable,
	};
	const asked = options.compression;
	// A chunk size alone is about resources that are not solid.
	const isSettled = asked.compress !== null || asked.solid;
	const policy = {
		recompress: options.recompress || asked.solid,
		// With another type asked for, nothing may keep the old one.
		keepSolid: !isSettled && !isPipable,
	};
	const integrity = options.integrity ?? wim.header.integrity.offset !== 0;
	// Recompressing a solid file without a word on --solid keeps it solid.
	const solid =
		plan.solid ??
		(options.recompress && !isSettled && !isPipable ? solidLike(wim, plan.level) : null);
	if (!options.dryRun) expectRecoding(wim, shape, policy, tools);
	const plain = solid === null ? await findPlain(wim, shape, policy, run) : null;
	const isSorted = solid?.sorted ?? false;
	const selection = await selectImages(wim, wim.images, run, isSorted, undefined, plain);
	reportMissing(selection, target, run);
	const blobs = planBlobs(selection, shape, policy, () => false);
	const xml = wim.xml.copy();
	const { recompress } = policy;
	const predicted = rebuiltSize({ selection, blobs, shape, xml, integrity, recompress });
	const summary = {
		sizeBefore: wim.size,
		freeBytes: await freeSpace(target),
		imageCount: wim.images.length,
	};
	if (options.dryRun)
		return {
			...summary,
			sizeAfter: predicted.size,
			writtenBytes: predicted.size,
			isEstimate: predicted.isEstimate,
		};
	if (!predicted.isEstimate) requireSpace(target, predicted.size, summary.freeBytes);
	const settings = { level: plan.level, integrity, encoder: tools.encoder, foreign: new Map() };
	await using session = await replacingSession(edited, shape, settings, run);
	await storeSelections(session, [selection], policy, { ...plan, solid }, tools, run);
	const sizeAfter = await session.commit();
	return { ...summary, sizeAfter, writtenBytes: sizeAfter, isEstimate: false };
}
