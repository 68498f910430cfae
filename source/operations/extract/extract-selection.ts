/** Chooses what to extract: paths and patterns of an image to places below the target (wim.md §10.3). */

import { InputError } from '../../base/errors.ts';
import type { Run } from '../../base/run.ts';
import { imageName, type OpenImage } from '../../image/open.ts';
import { namesTo, PathFinder } from '../../image/paths.ts';
import { Glob, hasWildcard } from '../../image/patterns.ts';
import { type DentryPosition, type ImageTree, ROOT } from '../../image/tree.ts';
import type { ExtractRoot } from './extract-plan.ts';

/** A path of the image as the user wrote it. */
export interface ChosenPath {
	readonly path: string;
	/** Put it below the folders that hold it in the image, not directly into the target. */
	readonly keepFolders: boolean;
}

export interface SelectionOptions {
	/** `*` and `?` are wildcards. */
	readonly globs: boolean;
	/** A path without a match is a warning, not an error. */
	readonly nullGlob: boolean;
}

/**
 * Finds what the paths name. A folder comes with everything below it.
 *
 * @throws {InputError} when a path names nothing, or several things that differ in case only
 */
export function selectPaths(
	image: OpenImage,
	paths: readonly ChosenPath[],
	options: SelectionOptions,
	run: Run,
): ExtractRoot[] {
	const { tree } = image;
	const finder = new PathFinder(tree);
	const roots = new Map<string, ExtractRoot>();
	const clashes: ExtractRoot[] = [];
	const add = (root: ExtractRoot) => {
		const known = roots.get(keyOf(root.names));
		if (known !== undefined && known.dentry !== root.dentry) clashes.push(root);
		else if (known === undefined || root.withChildren) roots.set(keyOf(root.names), root);
	};
	for (const { path, keepFolders } of paths)
		for (const dentry of findDentries(image, finder, path, options, run)) {
			if (keepFolders) for (const above of foldersAbove(tree, dentry)) add(above);
			const names = namesTo(tree, dentry);
			add({ dentry, names: keepFolders ? names : names.slice(-1), withChildren: true });
		}
	return [...roots.values(), ...clashes].filter((root) => !isCovered(tree, root, roots));
}

function findDentries(
	image: OpenImage,
	finder: PathFinder,
	path: string,
	{ globs, nullGlob }: SelectionOptions,
	run: Run,
): readonly DentryPosition[] {
	const { tree } = image;
	if (!globs || !hasWildcard(path)) {
		const found = finder.find(path);
		if (found.kind === 'missing' && nullGlob) return skipped(path, run);
		return [finder.need(path, imageName(image.wim, image.image))];
	}
	const exact = matches(tree, new Glob(path, false));
	const found = exact.length > 0 ? exact : matches(tree, new Glob(path, true));
	if (found.length > 0) return found;
	if (nullGlob) return skipped(path, run);
	throw new InputError(
		`Cannot find "${path}" in ${imageName(image.wim, image.image)}: nothing matches the pattern`,
		{ path, hint: 'List the image with "wimdeck dir", or pass --nullglob to go on without it.' },
	);
}

function skipped(path: string, run: Run): readonly DentryPosition[] {
	run.report({ type: 'warning', message: 'Nothing in the image matches', path });
	return [];
}

/** The dentries whose whole path fits, in the order of the tree. */
function matches(tree: ImageTree, glob: Glob): DentryPosition[] {
	let level: DentryPosition[] = [ROOT];
	for (let depth = 0; depth < glob.depth; depth++) {
		const next: DentryPosition[] = [];
		for (const folder of level)
			for (const child of tree.children(folder))
				if (glob.matchesComponent(depth, tree.name(child))) next.push(child);
		level = next;
	}
	return level;
}

/** The folders from the top down to the one that holds a dentry, without the root. */
function foldersAbove(tree: ImageTree, dentry: DentryPosition): ExtractRoot[] {
	const folders: ExtractRoot[] = [];
	if (dentry === ROOT) return folders;
	for (let at = tree.parent(dentry); at !== ROOT; at = tree.parent(at))
		folders.push({ dentry: at, names: namesTo(tree, at), withChildren: false });
	return folders.reverse();
}

/** Whether another choice brings this one along to the same place. */
function isCovered(
	tree: ImageTree,
	root: ExtractRoot,
	roots: ReadonlyMap<string, ExtractRoot>,
): boolean {
	let dentry = root.dentry;
	// Goes up as long as the place is the way in the image, and looks who else is extracted there with everything below.
	for (let count = root.names.length - 1; count >= 0 && dentry !== ROOT; count--) {
		if (tree.name(dentry) !== root.names[count]) return false;
		dentry = tree.parent(dentry);
		const above = roots.get(keyOf(root.names.slice(0, count)));
		if (above?.withChildren && above.dentry === dentry) return true;
	}
	return false;
}

/** Components as one key; no separator can stand inside a name that was read from an image. */
function keyOf(names: readonly string[]): string {
	return names.join('\0');
}
