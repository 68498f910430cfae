/** Adds, deletes and renames files in an image: all commands of one run, or none (wim.md §10.4). */
import { WimError } from '../base/errors.ts';
import { breathe, type Run } from '../base/run.ts';
import { filetimeFromMs } from '../bytes/filetime.ts';
import { Sha1Counts } from '../bytes/sha1-counts.ts';
import { EditTree } from '../image/edit-tree.ts';
import { countReferences } from '../image/encode-tree.ts';
import { openImage } from '../image/open.ts';
import { type ExclusionRules, splitPath } from '../image/patterns.ts';
import type { UpdateCommand } from '../image/update-commands.ts';
import { filesOfTarget } from '../storage/output-file.ts';
import { EditableWim } from '../wim/write-session.ts';
import { newContents } from './capture.ts';
import { CaptureShare, captureTree, type PendingStream } from './capture-tree.ts';
import { commitTree, type TreeChange } from './commit-tree.ts';
import { deletePath, placeTree, renamePath } from './overlay.ts';
import { sizeWithMore } from './predict-size.ts';
import type { WriteTools } from './write-options.ts';

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
	await using edited = await EditableWim.open(target, run, options.dryRun);
	const { wim } = edited;
	const image = options.image === null ? wim.onlyImage() : wim.image(options.image);
	const opened = await openImage(wim, image, { tolerant: false }, () => breathe(run));
	const before = new Sha1Counts();
	const tree = EditTree.from(opened.tree);
	countReferences(tree, before);
	const pending = await runCommands(target, tree, options, run);
	let nameCount = 0;
	for (const _ of tree.nodes()) nameCount++;
	const sourceBytes = pending.reduce((sum, { content }) => sum + content.size, 0);
	const summary = {
		index: image.index,
		commandCount: options.commands.length,
		nameCount,
		sourceBytes,
	};
	if (options.commands.length === 0 && !options.rebuild && options.integrity === null)
		return { ...summary, fileSize: wim.size, writtenBytes: 0, isEstimate: false };
	if (options.dryRun) {
		const isRebuilt = options.rebuild || edited.obstacle !== null;
		const { isPipable, xml } = wim;
		const { end } = edited;
		const sizes = await sizeWithMore({ wim, end, isRebuilt }, options.integrity, {
			...newContents({ tree }, pending),
			xml,
			isPipable,
		});
		return { ...summary, ...sizes, isEstimate: true };
	}
	const change: TreeChange = {
		image,
		tree,
		before,
		pending,
		asNewImage: false,
		// Files added at the root may bring another Windows.
		mayChangeWindows: options.commands.some(isAddAtRoot),
	};
	const { fileSize, writtenBytes } = await commitTree(edited, change, options, tools, run);
	return { ...summary, fileSize, writtenBytes, isEstimate: false };
}

function isAddAtRoot(command: UpdateCommand): boolean {
	return command.type === 'add' && /^[\\/]*[^\\/]*[\\/]*$/.test(command.target);
}

/** Works on the tree only; what is to be stored comes back. */
async function runCommands(
	wim: string,
	tree: EditTree,
	options: UpdateOptions,
	run: Run,
): Promise<readonly PendingStream[]> {
	const pending: PendingStream[] = [];
	const share = new CaptureShare(undefined, tree.security);
	const now = filetimeFromMs(run.clock.now());
	const ownFiles = await filesOfTarget(wim);
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
