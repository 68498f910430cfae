/**
 * Shows an image as a folder of this machine until somebody unmounts it. A writable mount holds the lock of its WIM all
 * the time; its changes become part of the WIM when `unmount` orders so, and are dropped otherwise.
 */
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { HostError, toWire, WimError } from '../../base/errors.ts';
import { plural } from '../../base/print.ts';
import type { ProgressEvent, Run } from '../../base/run.ts';
import { filetimeFromMs } from '../../bytes/filetime.ts';
import { Sha1Counts } from '../../bytes/sha1-counts.ts';
import { ControlFile } from '../../host/fuse/control-file.ts';
import { FuseDevice, unmountFolder } from '../../host/fuse/device.ts';
import type { FileSystem, NodeId } from '../../host/fuse/file-system.ts';
import { serveFuse } from '../../host/fuse/serve.ts';
import { freeBytes, removeStaging, StagingFolder } from '../../host/staging.ts';
import { EditTree } from '../../image/edit-tree.ts';
import { countReferences } from '../../image/encode-tree.ts';
import type { OpenImage } from '../../image/open.ts';
import type { WimImage } from '../../wim/wim.ts';
import type { EditableWim } from '../../wim/write-session.ts';
import { commitTrees } from '../capture/commit-tree.ts';
import type { WriteTools } from '../rewrite/write-options.ts';
import { BlobReader } from './blob-reader.ts';
import {
	ChangeLog,
	isEmpty,
	type LoggedChange,
	type LogSubject,
	readChanges,
} from './change-log.ts';
import { ImageFiles } from './image-files.ts';
import type { MountView, StreamsInterface } from './mount-view.ts';
import { playBack, RecordedFiles } from './recorded-files.ts';
import { StagedFiles } from './staged-files.ts';
import { parseOrder, type UnmountOrder } from './unmount-order.ts';

export interface MountOptions {
	/** The folder to mount on, an absolute path. */
	readonly folder: string;
	readonly unixData: boolean;
	readonly streams: StreamsInterface;
	readonly allowOther: boolean;
	/** Told once programs can use the folder. */
	readonly mounted: (folder: string) => void;
}

export interface MountSummary {
	readonly folder: string;
	readonly index: number;
	readonly isWritable: boolean;
	/** What became of changes; null where there were none. */
	readonly changes: 'committed' | 'discarded' | null;
}

/** Pieces of progress for whoever unmounts, in ms. */
const TELL_EVERY_MS = 100;

/** Serves an image for reading. Comes back when it was unmounted. */
export async function mountReadonly(
	image: OpenImage,
	options: MountOptions,
	run: Run,
): Promise<MountSummary> {
	const view = viewOf(image, options, run);
	const files = new ImageFiles(image.tree, new BlobReader(), view);
	await serve(files, image, options, run, async (_, tell) => tell({ type: 'done', changes: null }));
	const { folder } = options;
	return { folder, index: image.image.index, isWritable: false, changes: null };
}

/** Serves an image for reading and writing. */
export async function mountWritable(
	edited: EditableWim,
	opened: OpenImage,
	options: MountOptions & { readonly stagingParent: string | null },
	tools: WriteTools,
	run: Run,
): Promise<MountSummary> {
	const parent = path.resolve(options.stagingParent ?? path.dirname(edited.wim.name));
	refuseInside(parent, options.folder);
	const subject = {
		wim: path.resolve(edited.wim.name),
		index: opened.image.index,
		metadata: String(opened.image.metadata.sha1),
		unixData: options.unixData,
		streams: options.streams,
	};
	let left: readonly LoggedChange[] | null = null;
	await using staging = await StagingFolder.create(parent, async (abandoned) => {
		const taken = await takeOver(abandoned, subject, run);
		left = taken?.changes ?? null;
		return taken?.folder ?? null;
	});
	const before = new Sha1Counts();
	const tree = EditTree.from(opened.tree);
	countReferences(tree, before);
	let past: bigint | null = null;
	const now = () => past ?? filetimeFromMs(run.clock.now());
	const files = new StagedFiles(tree, {
		view: viewOf(opened, options, run),
		reader: new BlobReader(),
		staging,
		now,
		freeBlocks: () => Math.floor(freeBytes(parent) / 4096),
	});
	const numbers = new Map<NodeId, number>();
	if (left !== null) {
		// Until the folder is shown with them, nobody has dropped these changes.
		staging.isKept = true;
		await playBack(files, left, numbers, (time) => {
			past = time;
		}).catch((error: unknown) => {
			throw new HostError(
				`Cannot bring back what a killed mount changed: ${String(error)}`,
				{ path: staging.path, hint: `Move "${staging.path}" away to mount without it.` },
				error,
			);
		});
	}
	past = null;
	const log =
		left === null ? ChangeLog.create(staging.path, subject) : ChangeLog.resume(staging.path);
	const failed = (error: unknown) =>
		run.report({
			type: 'warning',
			message: `Changes are not written down any more, and would be lost with this process: ${String(error)}`,
			path: staging.path,
		});
	const recorded = new RecordedFiles(files, { log, now, numbers, failed });
	let isCommitted = false;
	/** Killed from now on, this process leaves nothing that the next one would make again. */
	const forgetChanges = () => {
		try {
			log.remove();
		} catch (error) {
			const message = `What was committed is written down still: ${String(error)}`;
			run.report({ type: 'warning', message, path: staging.path });
		}
	};
	const commit = async (order: UnmountOrder, tell: Tell) => {
		if (!order.commit || isCommitted || (!files.isChanged && !order.asNewImage))
			return tell({ type: 'done', changes: files.isChanged && !isCommitted ? 'discarded' : null });
		if (files.writerCount > 0 && !order.force)
			throw new HostError(`Cannot commit: open for writing: ${plural(files.writerCount, 'file')}`, {
				hint: 'Close the programs that write, or pass --force.',
			});
		files.isFrozen = true;
		try {
			await commitChanges(files, { edited, tree, before, image: opened.image }, order, tools, {
				...run,
				report: told(run, tell),
			});
			isCommitted = true;
			forgetChanges();
			tell({ type: 'done', changes: 'committed' });
		} finally {
			files.isFrozen = isCommitted;
		}
	};
	const mounted = (folder: string) => {
		staging.isKept = false;
		options.mounted(folder);
	};
	try {
		await serve(recorded, opened, { ...options, mounted }, run, commit);
	} catch (error) {
		// Whoever cancels drops what was changed; nobody asked for an error.
		if (files.isChanged && !isCommitted && !run.signal.aborted) {
			staging.isKept = true;
			const message = 'What was changed is kept, and comes back with the next mountrw of the image';
			run.report({ type: 'warning', message, path: staging.path });
		}
		throw error;
	} finally {
		log.close();
	}
	const changes = isCommitted ? 'committed' : files.isChanged ? 'discarded' : null;
	if (changes === 'discarded')
		run.report({ type: 'warning', message: 'Changes were discarded', path: edited.wim.name });
	return { folder: options.folder, index: opened.image.index, isWritable: true, changes };
}

/** Looks through the staging folders of killed mounts: those without changes go, that of this image is taken over, others stay. */
async function takeOver(
	abandoned: readonly string[],
	subject: LogSubject,
	run: Run,
): Promise<{ readonly folder: string; readonly changes: readonly LoggedChange[] } | null> {
	let taken: { readonly folder: string; readonly changes: readonly LoggedChange[] } | null = null;
	for (const folder of abandoned) {
		const found = readChanges(folder);
		if (found === null || isEmpty(found)) await removeStaging(folder);
		else if (taken === null && isDeepStrictEqual(found.subject, subject)) {
			taken = { folder, changes: found.changes };
			run.report({
				type: 'warning',
				message:
					'Changes that a killed mount left are here again; unmount with --commit to keep them',
				path: subject.wim,
			});
		} else if (found.subject === null || found.subject.wim === subject.wim)
			run.report({
				type: 'warning',
				message: `Changes that a killed mount left are of another image or state of it (they may be committed already), or were made with other options: they stay in their folder`,
				path: folder,
			});
	}
	return taken;
}

type Tell = (line: object) => void;

interface Edit {
	readonly edited: EditableWim;
	readonly image: WimImage;
	readonly tree: EditTree;
	readonly before: Sha1Counts;
}

async function commitChanges(
	files: StagedFiles,
	{ edited, image, tree, before }: Edit,
	order: UnmountOrder,
	tools: WriteTools,
	run: Run,
): Promise<void> {
	const pending = await files.pending();
	const { asNewImage } = order;
	const change = { image, tree, before, pending, asNewImage, mayChangeWindows: true };
	const options = { rebuild: order.rebuild, integrity: order.check ? true : null };
	await commitTrees(edited, [change], options, tools, run);
}

/** Reports to the job as before, and to whoever unmounts now and then. */
function told(run: Run, tell: Tell): Run['report'] {
	let doneBytes = 0;
	let totalBytes: number | null = null;
	let last = Number.NEGATIVE_INFINITY;
	return (event: ProgressEvent) => {
		run.report(event);
		if (event.type === 'problem') tell({ type: 'problem', message: event.error.message });
		if (event.type === 'phase') [doneBytes, totalBytes] = [0, event.totalBytes];
		else if (event.type === 'advance') doneBytes += event.bytes;
		else return;
		const now = run.clock.elapsed();
		if (event.type === 'advance' && now - last < TELL_EVERY_MS) return;
		last = now;
		tell({ type: 'progress', doneBytes, totalBytes });
	};
}

function viewOf({ wim }: OpenImage, options: MountOptions, run: Run): MountView {
	const { folder, unixData, streams } = options;
	return {
		folder,
		rpFix: wim.hasRpFix,
		unixData,
		streams,
		uid: process.getuid?.() ?? 0,
		gid: process.getgid?.() ?? 0,
		blob: (sha1) => wim.blobs.get(sha1),
		failed: (error) => run.report({ type: 'problem', error }),
	};
}

/** Staging files inside the mounted folder would wait for themselves. */
function refuseInside(staging: string, folder: string): void {
	if (staging !== folder && !staging.startsWith(`${folder}/`)) return;
	throw new HostError(`Cannot keep changes in "${staging}": it lies inside the mounted folder`, {
		path: staging,
		hint: 'Name another folder with --staging-dir.',
	});
}

/** Mounts, serves until the folder is unmounted, and unmounts when the run is canceled. */
async function serve(
	files: FileSystem,
	{ wim, image }: OpenImage,
	{ folder, allowOther, mounted }: MountOptions,
	run: Run,
	obey: (order: UnmountOrder, tell: Tell) => Promise<void>,
): Promise<void> {
	const reported = new Set<string>();
	const failed = (error: unknown) => {
		const known =
			error instanceof WimError
				? error
				: // A defect of ours must not take the changes of others with it.
					new HostError(`Cannot answer a request: ${String(error)}`, { path: folder }, error);
		// A program may read a damaged file a thousand times.
		if (reported.has(known.message)) return;
		reported.add(known.message);
		run.report({ type: 'problem', error: known });
	};
	const control = new ControlFile(process.getuid?.() ?? 0, async (order, tell) => {
		tell({ type: 'hello', pid: process.pid, index: image.index, name: image.facts.name });
		try {
			await obey(parseOrder(order), tell);
		} catch (error) {
			tell({ type: 'failed', error: toWire(error) });
		}
	});
	const plan = {
		folder,
		source: path.resolve(wim.name),
		readonly: files.writable === undefined,
		allowOther,
	};
	const device = await FuseDevice.mount(plan);
	const onAbort = () => void unmountFolder(folder, true).catch(() => device.close());
	run.signal.addEventListener('abort', onAbort, { once: true });
	if (run.signal.aborted) onAbort();
	try {
		const serving = serveFuse(device, {
			files,
			failed,
			nowNs: () => BigInt(Math.round(run.clock.now() * 1e6)),
			control,
		});
		mounted(folder);
		await serving;
	} finally {
		run.signal.removeEventListener('abort', onAbort);
		device.close();
		if (run.signal.aborted) await unmountFolder(folder, true).catch(() => {});
	}
	run.signal.throwIfAborted();
}
