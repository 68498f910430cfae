/** Adds an image to a WIM: in place where that is possible, else by writing the whole file anew. */
import type { Run } from '../../base/run.ts';
import type { Sha1 } from '../../bytes/sha1.ts';
import { type EditTree, streamsOf } from '../../image/edit-tree.ts';
import type { Wim } from '../../wim/wim.ts';
import { EditableWim, EditSession } from '../../wim/write-session.ts';
import { sizeWithMore } from '../rewrite/predict-size.ts';
import {
	replacingSession,
	selectImages,
	shapeLike,
	solidLike,
	storeSelections,
	withUnused,
} from '../rewrite/rebuild.ts';
import {
	type CompressionPlan,
	type CompressionRequest,
	expectNew,
	planAddition,
	requireWritable,
	WIMBOOT_CHUNK_SIZE,
	type WriteTools,
} from '../rewrite/write-options.ts';
import {
	type CaptureSource,
	type CaptureSummary,
	describeImage,
	estimate,
	hashImage,
	type ImageOptions,
	newContents,
	scanSources,
	storeImage,
	summarize,
} from './capture.ts';
import { openDeltaBases, reuseUnchanged } from './capture-bases.ts';
import { storeHashed } from './store-image.ts';

export interface AppendOptions {
	readonly image: ImageOptions;
	readonly compression: CompressionRequest;
	/** Null: as the file has it. */
	readonly integrity: boolean | null;
	/** Write the whole file anew. */
	readonly rebuild: boolean;
	/** Null: as the file is. */
	readonly pipable: boolean | null;
	/** Only says what would be done. */
	readonly dryRun: boolean;
}

/** Captures into a file that exists. */
export async function append(
	sources: readonly CaptureSource[],
	target: string,
	options: AppendOptions,
	tools: WriteTools,
	run: Run,
): Promise<CaptureSummary> {
	await using edited = await EditableWim.open(target, run, options.dryRun);
	const { wim } = edited;
	const isPipable = options.pipable ?? wim.isPipable;
	const plan = planAppended(options, wim, isPipable, run);
	const index = wim.images.length + 1;
	const scanned = await scanSources(
		sources,
		target,
		options.image,
		wim.images.length === 0 || wim.hasRpFix,
		run,
		expectNew(tools, options.dryRun),
	);
	await using bases = await openDeltaBases(options.image, wim, run);
	const known = { has: (name: string) => wim.blobs.has(name) || bases.sizes.has(name) };
	const pending = await reuseUnchanged(scanned, bases, known, run);
	const hasTable = wim.header.integrity.offset !== 0;
	const settings = {
		level: plan.level,
		integrity: options.integrity ?? hasTable,
		encoder: tools.encoder,
		// What the file holds stays in it, also when it is written anew and another one has it, too.
		foreign: new Map([...bases.sizes].filter(([name]) => !wim.blobs.has(name))),
	};
	const { chunkSize } = plan;
	const isReshaped = isPipable !== wim.isPipable || chunkSize !== wim.chunkSize;
	const isRebuilt = options.rebuild || isReshaped || edited.obstacle !== null;
	if (options.dryRun) {
		const xml = wim.xml.copy();
		describeImage(xml, options.image, index, target, run);
		const sizes = await sizeWithMore({ wim, end: edited.end, isRebuilt }, options.integrity, {
			...newContents([scanned.tree], pending),
			xml,
			isPipable,
		});
		return estimate(scanned, pending, index, sizes);
	}
	const shape = { ...shapeLike(wim), isPipable, chunkSize };
	const session = isRebuilt
		? await replacingSession(edited, shape, settings, run)
		: await EditSession.start(edited, settings, run);
	await using _session = session;
	const start = edited.end;
	if (scanned.rpFix) session.shape.rpFix = true;
	if (options.image.boot) session.shape.bootIndex = index;
	const element = describeImage(session.xml, options.image, index, target, run);
	const image = { ...scanned, pending };
	if (session instanceof EditSession) {
		await session.begin();
		await storeImage(session, image, element, plan, tools, run);
	} else {
		const policy = { recompress: false, keepSolid: true };
		const isSorted = plan.solid?.sorted ?? false;
		const former = await selectImages(wim, wim.images, run, isSorted, bases.sizes);
		// What was taken over from an earlier image was not read.
		const selection = bases.tree === null ? former : withUnused(former, namesIn(scanned.tree));
		if (session.shape.isPipable) {
			const sizeOf = (name: string) => wim.blobs.get(name)?.size ?? bases.sizes.get(name) ?? 0;
			const hashed = await hashImage(session, image, element, run, sizeOf);
			const further = [{ bytes: hashed.metadata, position: index - 1 }];
			await storeSelections(session, [selection], policy, plan, tools, run, further);
			await storeHashed(session, hashed.pending, run);
		} else {
			await storeSelections(session, [selection], policy, plan, tools, run);
			await storeImage(session, image, element, plan, tools, run);
		}
	}
	const fileSize = await session.commit();
	return summarize(pending, session, fileSize, isRebuilt ? fileSize : fileSize - start, index);
}

/** What the streams of a tree hold, as far as it is known before anything is read. */
function* namesIn(tree: EditTree): Generator<Sha1, void, undefined> {
	for (const inode of tree.inodes()) for (const { sha1 } of streamsOf(inode)) yield sha1;
}

function planAppended(
	{ image, compression }: AppendOptions,
	wim: Wim,
	isPipable: boolean,
	run: Run,
): CompressionPlan {
	const isForWimBoot = image.wimBoot && wim.compression === 'xpress';
	const chunkSize = compression.chunkSize ?? (isForWimBoot ? WIMBOOT_CHUNK_SIZE : null);
	const plan = planAddition({ ...compression, chunkSize }, wim, (message) =>
		run.report({ type: 'warning', message, path: wim.name }),
	);
	requireWritable({ isPipable, isStream: false, plan, integrity: false });
	return { ...plan, solid: plan.solid ?? (isPipable ? null : solidLike(wim, plan.level)) };
}
