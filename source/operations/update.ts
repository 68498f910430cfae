/** Adds, deletes and renames files in an image: all commands of one run, or none (wim.md §10.4). */
import { InputError, WimError } from '../base/errors.ts';
import { breathe, type Run } from '../base/run.ts';
import { filetimeFromMs } from '../bytes/filetime.ts';
import type { Sha1 } from '../bytes/sha1.ts';
import { EditTree } from '../image/edit-tree.ts';
import { countReferences } from '../image/encode-tree.ts';
import { openImage } from '../image/open.ts';
import type { ExclusionRules } from '../image/patterns.ts';
import type { UpdateCommand } from '../image/update-commands.ts';
import { readWindowsProperties } from '../image/windows-properties.ts';
import type { Content } from '../storage/content.ts';
import { BlobContents } from '../wim/blob-content.ts';
import { imageElement, setTime } from '../wim/edit-xml.ts';
import type { Wim, WimImage } from '../wim/wim.ts';
import { EditableWim, EditSession, type NewSession } from '../wim/write-session.ts';
import type { XmlElement } from '../wim/xml-element.ts';
import { hashImage, type ScannedImage } from './capture.ts';
import { captureTree, type PendingStream } from './capture-tree.ts';
import { deletePath, placeTree, renamePath } from './overlay.ts';
import { replacingSession, selectImages, shapeLike, storeSelections } from './rebuild.ts';
import {
	blobsOf,
	filesOf,
	setWindowsProperties,
	storeContents,
	storeHashed,
	storeMetadata,
} from './store-image.ts';
import {
	type CompressionPlan,
	planCompression,
	USUAL_COMPRESSION,
	type WriteTools,
} from './write-options.ts';

export interface UpdateOptions {
	/** Null: the only one. */
	readonly image: string | null;
	readonly commands: readonly UpdateCommand[];
	/** What `add` leaves out. */
	readonly rules: ExclusionRules;
	/** Write the whole file anew. */
	readonly rebuild: boolean;
	/** Null: as the file has it. */
	readonly integrity: boolean | null;
	/** Told what a command did. */
	readonly done: (text: string) => void;
	readonly dryRun: boolean;
}

export interface UpdateSummary {
	readonly index: number;
	readonly commandCount: number;
	/** Names that the image has now, the root included. */
	readonly nameCount: number;
	/** Of new contents, in bytes. */
	readonly sourceBytes: number;
	readonly fileSize: number;
	readonly writtenBytes: number;
	readonly isEstimate: boolean;
}

/** @throws {InputError} naming the command that cannot be done; the file then is as it was */
export async function update(
	target: string,
	options: UpdateOptions,
	tools: WriteTools,
	run: Run,
): Promise<UpdateSummary> {
	await using edited = await EditableWim.open(target, run);
	const { wim } = edited;
	const image = chooseOnly(wim, options.image);
	const opened = await openImage(wim, image, { tolerant: false }, () => breathe(run));
	const before = new Map<Sha1, number>();
	const tree = EditTree.from(opened.tree);
	countReferences(tree, before);
	const pending = await runCommands(tree, options, run);
	let nameCount = 0;
	for (const _ of tree.nodes()) nameCount++;
	const sourceBytes = pending.reduce((sum, { content }) => sum + content.size, 0);
	const summary = {
		index: image.index,
		commandCount: options.commands.length,
		nameCount,
		sourceBytes,
	};
	const isRebuilt = options.rebuild || edited.obstacle !== null;
	if (options.dryRun) {
		const metadataSize = opened.tree.span.size + 256 * pending.length;
		const added =
			sourceBytes + metadataSize + wim.header.blobTable.storedSize + 50 * pending.length;
		const writtenBytes = isRebuilt ? wim.size + added : added;
		return { ...summary, fileSize: wim.size + added, writtenBytes, isEstimate: true };
	}
	const plan = planCompression(USUAL_COMPRESSION, wim);
	const integrity = options.integrity ?? wim.header.integrity.offset !== 0;
	const settings = { level: plan.level, integrity, encoder: tools.encoder, foreign: new Map() };
	const session = isRebuilt
		? await replacingSession(edited, shapeLike(wim), settings, run)
		: await EditSession.start(edited, settings, run);
	await using _session = session;
	const element = imageElement(session.xml, image.index);
	setTime(session.xml, element, 'LASTMODIFICATIONTIME', filetimeFromMs(run.clock.now()));
	const change: Change = { wim, image, tree, pending, element, plan };
	await collectWindows(session, change, options, run);
	if (session instanceof EditSession) {
		await session.begin();
		for (const [sha1, count] of before)
			session.references.set(sha1, Math.max(0, (session.references.get(sha1) ?? 0) - count));
		await storeContents(session, tree, pending, plan, tools, run);
		session.metadata[image.index - 1] = await storeMetadata(session, tree, element);
	} else await rewrite(session, change, tools, run);
	const fileSize = await session.commit();
	const writtenBytes = isRebuilt ? fileSize : fileSize - edited.end;
	return { ...summary, fileSize, writtenBytes, isEstimate: false };
}

function chooseOnly(wim: Wim, designation: string | null): WimImage {
	if (designation === null && wim.images.length !== 1)
		throw new InputError(
			`Cannot choose an image of "${wim.name}": there are ${wim.images.length}`,
			{ path: wim.name, hint: 'Name one of them.' },
		);
	return wim.image(designation ?? 1);
}

interface Change {
	readonly wim: Wim;
	readonly image: WimImage;
	readonly tree: EditTree;
	readonly pending: readonly PendingStream[];
	readonly element: XmlElement;
	readonly plan: CompressionPlan;
}

/** Works on the tree only; what is to be stored comes back. */
async function runCommands(
	tree: EditTree,
	options: UpdateOptions,
	run: Run,
): Promise<readonly PendingStream[]> {
	const pending: PendingStream[] = [];
	const now = filetimeFromMs(run.clock.now());
	for (const command of options.commands)
		try {
			if (command.type === 'delete') {
				deletePath(tree, command.path, command);
				options.done(`Deleted "${command.path}"`);
			} else if (command.type === 'rename') {
				renamePath(tree, command.from, command.to);
				options.done(`Renamed "${command.from}" to "${command.to}"`);
			} else {
				const { flags, source, target } = command;
				const captured = await captureTree(
					source,
					{
						rules: options.rules,
						dereference: flags.dereference,
						unixData: flags.unixData,
						acls: flags.noAcls ? 'skip' : flags.strictAcls ? 'strict' : 'store',
						rpFix: false,
					},
					run,
				);
				pending.push(...captured.pending);
				placeTree(tree, target, captured, {
					noReplace: flags.noReplace,
					now,
					replaced: (path) => options.done(`Replaced "${path}"`),
				});
				options.done(`Added "${source}" as "${target}"`);
			}
		} catch (error) {
			if (error instanceof WimError)
				error.note({ hint: 'Nothing was changed: all commands count, or none.' });
			throw error;
		}
	// What a later command replaced or deleted need not be stored.
	return pending.filter(({ inode }) => inode.nameCount > 0);
}

/** Files added at the root may bring another Windows. */
async function collectWindows(
	session: EditSession | NewSession,
	change: Change,
	options: UpdateOptions,
	run: Run,
): Promise<void> {
	const isAtRoot = ({ type, ...rest }: UpdateCommand) =>
		type === 'add' && 'target' in rest && /^[\\/]*[^\\/]*[\\/]*$/.test(rest.target);
	if (!options.commands.some(isAtRoot)) return;
	const fresh = new Map<object, Content>();
	for (const { inode, stream, content } of change.pending)
		if (stream === inode.data) fresh.set(inode, content);
	const contents = new BlobContents();
	const files = filesOf(change.tree, (inode) => {
		const blob = change.wim.blobs.get(inode.data?.sha1 ?? '');
		return fresh.get(inode) ?? (blob === undefined ? null : contents.content(blob));
	});
	const properties = await readWindowsProperties(files, (message) =>
		run.report({ type: 'warning', message }),
	);
	setWindowsProperties(session.xml, change.element, properties);
}

/** Writes the file anew with the changed image in it. */
async function rewrite(
	session: NewSession,
	change: Change,
	tools: WriteTools,
	run: Run,
): Promise<void> {
	const { wim, image, tree, pending, element, plan } = change;
	const others = wim.images.filter(({ index }) => index !== image.index);
	const selected = await selectImages(wim, others, run);
	// What the changed image still has of the old file is copied with the rest, but counted with its tree.
	const references = new Map(selected.references);
	for (const sha1 of blobsOf(tree)) if (!references.has(sha1)) references.set(sha1, 0);
	const selection = { ...selected, references };
	const policy = { recompress: false, keepSolid: true };
	const position = image.index - 1;
	if (session.shape.isPipable) {
		const scanned: ScannedImage = { tree, pending, contents: new Map(), rpFix: false };
		const sizeOf = (name: Sha1) => wim.blobs.get(name)?.size ?? 0;
		const hashed = await hashImage(session, scanned, element, run, sizeOf);
		const further = { bytes: hashed.metadata, position };
		await storeSelections(session, [selection], policy, plan, tools, run, further);
		await storeHashed(session, hashed.pending, run);
	} else {
		await storeSelections(session, [selection], policy, plan, tools, run);
		await storeContents(session, tree, pending, plan, tools, run);
		session.metadata.splice(position, 0, await storeMetadata(session, tree, element));
	}
}
