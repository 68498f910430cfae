/** What staged changes may stand beside each other, and the order in which they are done. Pure. */

import type { StagedChange } from './staged-state.ts';

/** What was found of a list of changes, which may be 100,000 and is asked about in every frame. */
export function remembered<T>(
	find: (changes: readonly StagedChange[]) => T,
): (changes: readonly StagedChange[]) => T {
	const known = new WeakMap<readonly StagedChange[], { readonly found: T }>();
	return (changes) => {
		const { found } = known.get(changes) ?? { found: find(changes) };
		known.set(changes, { found });
		return found;
	};
}

const byImage = remembered((changes): ReadonlyMap<number, readonly StagedChange[]> => {
	const images = new Map<number, StagedChange[]>();
	for (const change of changes) {
		const own = images.get(change.imageIndex);
		if (own) own.push(change);
		else images.set(change.imageIndex, [change]);
	}
	return images;
});

const NO_CHANGES: readonly StagedChange[] = [];

/** Those that are for an image; the same list for the same changes. */
export const changesOf = (
	changes: readonly StagedChange[],
	imageIndex: number,
): readonly StagedChange[] => byImage(changes).get(imageIndex) ?? NO_CHANGES;

/** The images that changes are for, in ascending order. */
export const imagesOf = remembered((changes): readonly number[] =>
	[...byImage(changes).keys()].sort((a, b) => a - b),
);

/** Bytes that come and that go. */
export interface StagedTotals {
	readonly added: number;
	readonly removed: number;
	readonly isComplete: boolean;
}

export const totalsOf = remembered((changes): StagedTotals => {
	let added = 0;
	let removed = 0;
	for (const change of changes) {
		if (change.type === 'add') {
			added += change.size ?? 0;
			if (change.replaces && !change.isFolder) removed += change.replaces.size;
		}
		if (change.type === 'delete') removed += change.size ?? 0;
	}
	return { added, removed, isComplete: changes.every(({ size }) => size !== null) };
});

/** True for the path itself and everything below it; without case, as Windows looks names up. */
export function isAtOrBelow(path: string, folder: string): boolean {
	const lower = path.toLowerCase();
	const top = folder.toLowerCase();
	return lower === top || lower.startsWith(top === '\\' ? top : `${top}\\`);
}

/** The same for many folders in lower case. */
export function isAtOrBelowAny(path: string, folders: ReadonlySet<string>): boolean {
	for (let at = path.toLowerCase(); ; at = parentOf(at)) {
		if (folders.has(at)) return true;
		if (at === '\\') return false;
	}
}

const isSame = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

export const parentOf = (path: string): string => path.slice(0, path.lastIndexOf('\\')) || '\\';

/** What is at a path of the image, or null. */
export interface Occupant {
	readonly isFolder: boolean;
	readonly size: number;
}

type New =
	| { readonly type: 'add'; readonly path: string; readonly isFolder: boolean }
	| { readonly type: 'delete'; readonly path: string }
	| { readonly type: 'rename'; readonly path: string; readonly to: string };

/**
 * Why a change cannot be staged beside the others of its image; null: it can.
 *
 * @param occupant what the image has where an added or renamed entry shall stand
 */
export function conflictOf(
	changes: readonly StagedChange[],
	change: New,
	occupant: Occupant | null,
): string | null {
	const target = change.type === 'rename' ? change.to : change.path;
	if (change.path === '\\' && change.type !== 'add') return 'The root of an image stays as it is';
	for (const other of changes) {
		if (other.type === 'delete' && change.type !== 'delete') {
			if (isAtOrBelow(change.path, other.path) && change.type === 'rename')
				return `"${change.path}" is staged to be deleted`;
			if (isAtOrBelow(parentOf(target), other.path))
				return `The folder "${parentOf(target)}" is staged to be deleted`;
		}
		if (other.type === 'rename' && change.type === 'rename' && isSame(other.path, change.path))
			continue; // it takes the place of the older one
		if (other.type === 'rename' && change.type !== 'delete' && isSame(other.to, target))
			return `"${other.path}" is staged to become "${target}"`;
		if (other.type === 'add' && change.type === 'rename' && isSame(other.path, target))
			return `"${other.source}" is staged to be added as "${target}"`;
	}
	if (change.type === 'delete') return null;
	const isFreed = changes.some(({ type, path }) => type === 'delete' && isSame(path, target));
	if (change.type === 'rename') {
		if (isAtOrBelow(change.to, change.path) && !isSame(change.to, change.path))
			return 'A folder cannot be moved below itself';
		if (occupant && !isFreed && !isSame(change.to, change.path))
			return `There is a "${change.to}" already; delete it first`;
		return null;
	}
	if (occupant && !isFreed && occupant.isFolder !== change.isFolder)
		return occupant.isFolder
			? `There is a folder "${change.path}"; a file cannot take its place`
			: `There is a file "${change.path}"; a folder cannot take its place`;
	return null;
}

/** Those of its image that a new change leaves: what it replaces, and what would happen below something deleted, goes. */
export function without(changes: readonly StagedChange[], change: New): readonly StagedChange[] {
	return changes.filter((other) => !isTakenBack(other, change));
}

function isTakenBack(other: StagedChange, change: New): boolean {
	if (change.type === 'delete') return isTakenBackBy(other, new Set([change.path.toLowerCase()]));
	return other.type === change.type && isSame(other.path, change.path);
}

/** True for what would happen at or below something deleted. */
export function isTakenBackBy(other: StagedChange, deleted: ReadonlySet<string>): boolean {
	if (other.type === 'rename' && isAtOrBelowAny(other.to, deleted)) return true;
	return isAtOrBelowAny(other.path, deleted);
}

/** A command of `update` (wim.md §10.4), as the engine takes it. */
export type PlannedCommand =
	| { readonly type: 'image'; readonly image: string }
	| { readonly type: 'delete'; readonly path: string }
	| { readonly type: 'rename'; readonly from: string; readonly to: string }
	| { readonly type: 'add'; readonly source: string; readonly target: string };

const depthOf = (path: string): number => path.split('\\').length;

const slashed = (path: string): string => path.replaceAll('\\', '/');

/** Where a path is once the renames of folders above it have been done. */
function afterRenames(path: string, renames: readonly { path: string; to: string }[]): string {
	// The deepest folder above it that is renamed; those above that one come to it in their turn.
	const above = renames
		.filter((rename) => isAtOrBelow(path, rename.path))
		.sort((a, b) => depthOf(b.path) - depthOf(a.path));
	const [first] = above;
	if (!first) return path;
	const rest = renames.filter((rename) => rename !== first);
	return afterRenames(first.to, rest) + path.slice(first.path.length);
}

/** Renames so that whatever names something below a folder comes before that folder is renamed itself. */
function inOrder<R extends { readonly path: string; readonly to: string }>(
	renames: readonly R[],
): readonly R[] {
	const left = [...renames];
	const done: R[] = [];
	while (left.length > 0) {
		const free = left.findIndex((one) =>
			left.every(
				(other) =>
					other === one || !(isAtOrBelow(other.path, one.path) || isAtOrBelow(other.to, one.path)),
			),
		);
		// Two folders that move below each other have no order: the commit says so.
		done.push(...left.splice(Math.max(0, free), 1));
	}
	return done;
}

/** One image after the other, each in an order that holds for it. */
export const planCommands = (changes: readonly StagedChange[]): readonly PlannedCommand[] =>
	imagesOf(changes).flatMap((imageIndex) => [
		{ type: 'image', image: String(imageIndex) } as const,
		...planImage(changesOf(changes, imageIndex)),
	]);

/**
 * The commands of an image in an order in which every path is still the one of the file: deletions; renames, what lies
 * deeper first; then what is added, below folders by their new names.
 */
function planImage(changes: readonly StagedChange[]): readonly PlannedCommand[] {
	const commands: PlannedCommand[] = [];
	for (const change of changes)
		if (change.type === 'delete') commands.push({ type: 'delete', path: slashed(change.path) });
	const renames = changes.flatMap((change) => (change.type === 'rename' ? [change] : []));
	for (const { path, to } of inOrder(renames))
		commands.push({ type: 'rename', from: slashed(path), to: slashed(to) });
	for (const change of changes)
		if (change.type === 'add')
			commands.push({
				type: 'add',
				source: change.source,
				target: slashed(afterRenames(change.path, renames)),
			});
	return commands;
}

/** Whether a message names a path of this machine, or one below it. */
function isAbout(message: string, source: string): boolean {
	const start = `"${source}`;
	return ['"', '/', '\\'].some((next) => message.includes(start + next));
}

/** The change that an error of a commit is about, by the paths it names; null: it cannot be told. */
export function changeOfError(
	changes: readonly StagedChange[],
	message: string,
): StagedChange | null {
	const names = (path: string): boolean =>
		message.includes(`"${slashed(path)}"`) || message.includes(`"${path}"`);
	// Said where changes of several images were committed.
	const image = /^Image (\d+): /.exec(message)?.[1];
	const suspects = image === undefined ? changes : changesOf(changes, Number(image));
	return (
		suspects.find(
			(change) =>
				names(change.path) ||
				(change.type === 'add' && isAbout(message, change.source)) ||
				(change.type === 'rename' && names(change.to)),
		) ?? null
	);
}
