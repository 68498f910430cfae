/** Changes of an image's tree: putting a captured tree somewhere, deleting, renaming (wim.md §10.4). Pure. */
import { InputError } from '../../base/errors.ts';
import { NAME_UNITS_MAX } from '../../base/limits.ts';
import { upperUnits } from '../../bytes/upper-case.ts';
import { Attribute } from '../../image/dentry.ts';
import {
	addNode,
	type EditNode,
	type EditTree,
	type Inode,
	newInode,
	nodePath,
	removeNode,
} from '../../image/edit-tree.ts';
import { splitPath } from '../../image/patterns.ts';

/** The child of that name: exactly, else the only one that differs in case. */
export function childOf(node: EditNode, name: string): EditNode | null {
	const exact = node.children?.get(name);
	if (exact !== undefined) return exact;
	const wanted = upperUnits(name);
	const matches = [...(node.children?.values() ?? [])].filter(
		(child) => upperUnits(child.name) === wanted,
	);
	return matches.length === 1 ? (matches[0] ?? null) : null;
}

/** The node at a path; null when there is none. */
export function findNode(tree: EditTree, path: string, ignoreCase = true): EditNode | null {
	let node: EditNode | null = tree.root;
	for (const name of splitPath(path)) {
		if (node === null) return null;
		node = ignoreCase ? childOf(node, name) : (node.children?.get(name) ?? null);
	}
	return node;
}

/** The steps of a path where something is to stand. Throws `InputError` for names that no reader would show. */
function placeSteps(path: string): string[] {
	const steps = splitPath(path);
	for (const step of steps) {
		if (step === '.' || step === '..')
			throw new InputError(`Cannot put anything at "${path}": no file can be called "${step}"`, {
				path,
				hint: 'Write the path from the top of the image, without "." and "..".',
			});
		if (step.length > NAME_UNITS_MAX)
			throw new InputError(
				`Cannot put anything at "${path.slice(0, NAME_UNITS_MAX)}...": a name has ${step.length} units`,
				{ hint: `Shorten it to ${NAME_UNITS_MAX} units.` },
			);
	}
	return steps;
}

export interface PlaceOptions {
	/** Replacing a file is an error. */
	readonly noReplace: boolean;
	/** Told of every name that took the place of another. */
	readonly replaced: (path: string) => void;
	/** FILETIME, for folders that have to be made. */
	readonly now: bigint;
	/** Folders that were only made so that something could stand below them: the first real one gives them its facts. */
	readonly fillers: Set<Inode>;
}

/**
 * Puts a captured tree, which shares the descriptors of `tree`, at a path. Folders merge, files replace files; missing folders above are made.
 * A folder that is there keeps its attributes, times and security descriptor: laying files over "/Windows" must not take its ACL away.
 *
 * @param source the tree's root, or, for a single file, the node of the file
 * @throws {InputError} when a folder meets a file
 */
export function placeTree(
	tree: EditTree,
	path: string,
	captured: { readonly tree: EditTree; readonly isFile: boolean },
	options: PlaceOptions,
): void {
	const steps = placeSteps(path);
	const [single] = captured.tree.root.children?.values() ?? [];
	const source = captured.isFile && single !== undefined ? single : captured.tree.root;
	const last = steps.at(-1);
	if (last === undefined) {
		if (captured.isFile)
			throw new InputError('Cannot put a file at "/": it is not a folder', {
				path,
				hint: 'Name the place of the file, as in "/NAME".',
			});
		layOver(tree.root, captured.tree.root.inode, options);
		mergeChildren(tree.root, source, options);
		return;
	}
	let parent = tree.root;
	for (const step of steps.slice(0, -1)) parent = folderIn(parent, step, options);
	place(parent, last, source, options, childOf(parent, last));
}

function folderIn(parent: EditNode, name: string, options: PlaceOptions): EditNode {
	const known = childOf(parent, name);
	if (known !== null) {
		if (known.children === null)
			throw new InputError(`Cannot put anything below "${nodePath(known)}": it is not a folder`, {
				path: nodePath(known),
			});
		return known;
	}
	return addNode(parent, name, '', fillerInode(options));
}

/** A folder of which nothing is known but that it has to be there. */
export function fillerInode({ now, fillers }: Pick<PlaceOptions, 'now' | 'fillers'>): Inode {
	const inode = newInode(Attribute.directory);
	Object.assign(inode, { creationTime: now, lastAccessTime: now, lastWriteTime: now });
	fillers.add(inode);
	return inode;
}

/** @param known what is at that name already */
function place(
	parent: EditNode,
	name: string,
	source: EditNode,
	options: PlaceOptions,
	known: EditNode | null,
): EditNode {
	if (known === null) {
		const node = addNode(parent, name, source.shortName, source.inode);
		source.inode.nameCount--;
		if (source.children !== null) mergeChildren(node, source, options);
		return node;
	}
	const where = nodePath(known);
	if ((known.children === null) !== (source.children === null))
		throw new InputError(
			source.children === null
				? `Cannot put a file at "${where}": there is a folder`
				: `Cannot put a folder at "${where}": there is a file`,
			{ path: where, hint: `Delete "${where}" first.` },
		);
	if (source.children !== null) {
		layOver(known, source.inode, options);
		mergeChildren(known, source, options);
		return known;
	}
	if (options.noReplace)
		throw new InputError(`Cannot put a file at "${where}": there is one already`, {
			path: where,
			hint: 'Leave --no-replace out.',
		});
	options.replaced(where);
	replaceInode(known, source.inode);
	return known;
}

/** What a folder is when another one is laid over it: what it was, unless nobody had said yet. */
function layOver(node: EditNode, inode: Inode, { fillers }: PlaceOptions): void {
	if (fillers.delete(node.inode)) replaceInode(node, inode);
	else inode.nameCount--;
}

/** The name keeps its place; the file behind it is another one. */
function replaceInode(node: EditNode, inode: Inode): void {
	node.inode.nameCount--;
	node.inode = inode;
	if (node.parent === null) inode.nameCount = 1;
}

function mergeChildren(target: EditNode, source: EditNode, options: PlaceOptions): void {
	const pending: [EditNode, EditNode][] = [[target, source]];
	for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
		const [to, from] = next;
		const known = knownNames(to, from);
		for (const child of from.children?.values() ?? []) {
			// Children of folders follow in their turn, so that depth costs no stack.
			const bare: EditNode = { ...child, children: child.children === null ? null : new Map() };
			const placed = place(to, child.name, bare, options, known(child.name));
			if (child.children !== null) pending.push([placed, child]);
		}
	}
}

/**
 * Finds what a folder had under a name before anything was put there: exactly, else the only one that differs in case,
 * unless that one is among the names that are put there as well.
 */
function knownNames(to: EditNode, from: EditNode): (name: string) => EditNode | null {
	const folded = new Map<string, EditNode[]>();
	for (const child of to.children?.values() ?? []) {
		if (from.children?.has(child.name)) continue;
		const key = upperUnits(child.name);
		const same = folded.get(key);
		if (same) same.push(child);
		else folded.set(key, [child]);
	}
	return (name) => {
		const exact = to.children?.get(name);
		if (exact !== undefined) return exact;
		const similar = folded.get(upperUnits(name)) ?? [];
		// Taken once: a second name that differs only in case is another file.
		folded.delete(upperUnits(name));
		return similar.length === 1 ? (similar[0] ?? null) : null;
	};
}

/**
 * Deletes a name.
 *
 * @throws {InputError} when it is not there (unless `force`), or is a folder with something in it (unless `recursive`)
 */
export function deletePath(
	tree: EditTree,
	path: string,
	options: { readonly force: boolean; readonly recursive: boolean },
): void {
	const node = findNode(tree, path);
	if (node === null) {
		if (options.force) return;
		throw new InputError(`Cannot delete "${path}": there is no such path in the image`, {
			path,
			hint: 'List the image with "wimdeck dir", or use --force.',
		});
	}
	if (
		node.children !== null &&
		!options.recursive &&
		(node.parent === null || node.children.size > 0)
	)
		throw new InputError(`Cannot delete "${nodePath(node)}": it is a folder`, {
			path: nodePath(node),
			hint: 'Use --recursive to delete it with everything in it.',
		});
	if (node.parent !== null) removeNode(node);
	else for (const child of [...(node.children?.values() ?? [])]) removeNode(child);
}

/**
 * Moves a name. The short name is dropped.
 *
 * @throws {InputError} when the old one is not there, the new one is in the way, or its folder is missing
 */
export function renamePath(tree: EditTree, from: string, to: string): void {
	const fail = (why: string, hint?: string) =>
		new InputError(`Cannot rename "${from}" to "${to}": ${why}`, {
			path: from,
			...(hint === undefined ? {} : { hint }),
		});
	const node = findNode(tree, from);
	if (node === null)
		throw fail('there is no such path in the image', 'List it with "wimdeck dir".');
	const steps = placeSteps(to);
	const name = steps.at(-1);
	if (node.parent === null || name === undefined) throw fail('the root cannot be renamed');
	const parent = findNode(tree, steps.slice(0, -1).join('/'));
	if (parent === null || parent.children === null)
		throw fail(`there is no folder "/${steps.slice(0, -1).join('/')}"`);
	for (let at: EditNode | null = parent; at !== null; at = at.parent)
		if (at === node) throw fail('a folder cannot be moved below itself');
	const known = childOf(parent, name);
	if (known !== null && known !== node) {
		if (known.children === null && node.children !== null) throw fail('there is a file');
		if (known.children !== null && node.children === null) throw fail('there is a folder');
		if (known.children !== null && known.children.size > 0)
			throw fail('there is a folder that is not empty', 'Delete it first.');
		removeNode(known);
	}
	node.parent.children?.delete(node.name);
	node.name = name;
	node.shortName = '';
	node.parent = parent;
	parent.children?.set(name, node);
}
