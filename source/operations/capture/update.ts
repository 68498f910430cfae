/** Adds, deletes and renames files in images: all commands of one run, or none (wim.md §10.4). */
import { WimError } from '../../base/errors.ts';
import { breathe, type Run } from '../../base/run.ts';
import { filetimeFromMs } from '../../bytes/filetime.ts';
import { Sha1Counts } from '../../bytes/sha1-counts.ts';
import { EditTree, type Inode } from '../../image/edit-tree.ts';
import { countReferences } from '../../image/encode-tree.ts';
import { openImage } from '../../image/open.ts';
import { type ExclusionRules, splitPath } from '../../image/patterns.ts';
import type { UpdateCommand } from '../../image/update-commands.ts';
import { filesOfTarget } from '../../storage/output-file.ts';
import type { Wim, WimImage } from '../../wim/wim.ts';
import { EditableWim } from '../../wim/write-session.ts';
import { sizeWithMore } from '../rewrite/predict-size.ts';
import type { WriteTools } from '../rewrite/write-options.ts';
import { newContents } from './capture.ts';
import { CaptureShare, captureTree, type PendingStream } from './capture-tree.ts';
import { commitTrees, type TreeChange } from './commit-tree.ts';
import { deletePath, placeTree, renamePath } from './overlay.ts';

export interface UpdateOptions {
	/** Of the commands before the first that names another; null: the only one. */
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

export interface UpdatedImage {
	readonly index: number;
	readonly commandCount: number;
	/** Names that the image has now, the root included. */
	readonly nameCount: number;
}

export interface UpdateSummary {
	/** In the order of their first commands; more than one only where commands name them. */
	readonly images: readonly UpdatedImage[];
	/** Of the first of them. */
	readonly index: number;
	/** Of all of them. */
	readonly commandCount: number;
	readonly nameCount: number;
	/** Of new contents, in bytes. */
	readonly sourceBytes: number;
	readonly fileSize: number;
	readonly writtenBytes: number;
	readonly isEstimate: boolean;
}

/** The commands for one image, in their order. */
interface ImageEdit {
	readonly image: WimImage;
	readonly commands: TreeCommand[];
}

type TreeCommand = Exclude<UpdateCommand, { type: 'image' }>;

/** What becomes of an image. */
interface EditedImage extends TreeChange {
	readonly summary: UpdatedImage;
}

/** @throws {InputError} naming the command that cannot be done; the file then is as it was */
export async function update(
	target: string,
	options: UpdateOptions,
	tools: WriteTools,
	run: Run,
): Promise<UpdateSummary> {
	await using edited = await EditableWim.open(target, run, options.dryRun);
	const { wim } = edited;
	const edits = editsOf(wim, options);
	const changes: EditedImage[] = [];
	for (const edit of edits)
		changes.push(await editImage(wim, target, edit, edits.length > 1, options, run));
	const pending = changes.flatMap((change) => change.pending);
	const summary = summaryOf(changes, pending);
	if (summary.commandCount === 0 && !options.rebuild && options.integrity === null)
		return { ...summary, fileSize: wim.size, writtenBytes: 0, isEstimate: false };
	if (options.dryRun) {
		const isRebuilt = options.rebuild || edited.obstacle !== null;
		const { isPipable, xml } = wim;
		const { end } = edited;
		const trees = changes.map(({ tree }) => tree);
		const sizes = await sizeWithMore({ wim, end, isRebuilt }, options.integrity, {
			...newContents(trees, pending),
			xml,
			isPipable,
		});
		return { ...summary, ...sizes, isEstimate: true };
	}
	const { fileSize, writtenBytes } = await commitTrees(edited, changes, options, tools, run);
	return { ...summary, fileSize, writtenBytes, isEstimate: false };
}

/** Sorts the commands by their images; without any the image is still looked up. */
function editsOf(
	wim: Wim,
	{ image, commands }: Pick<UpdateOptions, 'image' | 'commands'>,
): readonly ImageEdit[] {
	const edits = new Map<number, ImageEdit>();
	const editOf = (found: WimImage): ImageEdit => {
		const edit = edits.get(found.index) ?? { image: found, commands: [] };
		edits.set(found.index, edit);
		return edit;
	};
	const isNamed = image !== null || commands[0]?.type !== 'image';
	let current = isNamed ? editOf(image === null ? wim.onlyImage() : wim.image(image)) : null;
	for (const command of commands)
		if (command.type === 'image') current = editOf(wim.image(command.image));
		else current?.commands.push(command);
	const all = [...edits.values()];
	const busy = all.filter((edit) => edit.commands.length > 0);
	return busy.length > 0 ? busy : all.slice(0, 1);
}

function summaryOf(
	changes: readonly EditedImage[],
	pending: readonly PendingStream[],
): Omit<UpdateSummary, 'fileSize' | 'writtenBytes' | 'isEstimate'> {
	const images = changes.map(({ summary }) => summary);
	return {
		images,
		index: images[0]?.index ?? 0,
		commandCount: images.reduce((sum, { commandCount }) => sum + commandCount, 0),
		nameCount: images.reduce((sum, { nameCount }) => sum + nameCount, 0),
		sourceBytes: pending.reduce((sum, { content }) => sum + content.size, 0),
	};
}

/** @param isOneOfMany whether messages have to say which image they are about */
async function editImage(
	wim: Wim,
	target: string,
	{ image, commands }: ImageEdit,
	isOneOfMany: boolean,
	options: UpdateOptions,
	run: Run,
): Promise<EditedImage> {
	const opened = await openImage(wim, image, { tolerant: false }, () => breathe(run));
	const before = new Sha1Counts();
	const tree = EditTree.from(opened.tree);
	countReferences(tree, before);
	const where = isOneOfMany ? `Image ${image.index}: ` : '';
	const done = (text: string) => options.done(where + text);
	const pending = await runCommands(target, tree, { ...options, commands, done }, run).catch(
		(error: unknown) => {
			if (error instanceof WimError) error.message = where + error.message;
			throw error;
		},
	);
	let nameCount = 0;
	for (const _ of tree.nodes()) nameCount++;
	return {
		image,
		tree,
		before,
		pending,
		asNewImage: false,
		// Files added at the root may bring another Windows.
		mayChangeWindows: commands.some(isAddAtRoot),
		summary: { index: image.index, commandCount: commands.length, nameCount },
	};
}

function isAddAtRoot(command: TreeCommand): boolean {
	return command.type === 'add' && /^[\\/]*[^\\/]*[\\/]*$/.test(command.target);
}

/** Works on the tree only; what is to be stored comes back. */
async function runCommands(
	wim: string,
	tree: EditTree,
	options: Pick<UpdateOptions, 'rules' | 'done'> & { readonly commands: readonly TreeCommand[] },
	run: Run,
): Promise<readonly PendingStream[]> {
	const pending: PendingStream[] = [];
	const share = new CaptureShare(undefined, tree.security);
	const now = filetimeFromMs(run.clock.now());
	const ownFiles = await filesOfTarget(wim);
	const fillers = new Set<Inode>();
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
						ownFiles,
					},
					splitPath(target).length === 0 ? 'root' : 'entry',
					share,
					run,
				);
				for (const item of captured.pending) pending.push(item);
				placeTree(tree, target, captured, {
					noReplace: flags.noReplace,
					now,
					fillers,
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
